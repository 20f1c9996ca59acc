//! stub
#![allow(missing_docs)]
use crate::{Event, topic::Topic};
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Decoder;
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    #[error("x")]
    Json,
}
impl Decoder {
    pub fn decode_with_topic<'a>(
        &self,
        _: &Topic<'_>,
        _: &'a [u8],
    ) -> Result<Event<'a>, DecodeError> {
        Err(DecodeError::Json)
    }
}
