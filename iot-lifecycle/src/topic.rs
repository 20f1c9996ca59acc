//! stub
#![allow(missing_docs)]
pub const ALL_PRESENCE: &str = "$aws/events/presence/#";
pub struct Topic<'a> {
    pub client_id: &'a str,
}
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    #[error("x")]
    NotLifecycle,
}
impl<'a> Topic<'a> {
    pub fn parse(t: &'a str) -> Result<Self, TopicError> {
        t.strip_prefix("$aws/events/")
            .map(|client_id| Self { client_id })
            .ok_or(TopicError::NotLifecycle)
    }
}
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClientIdError {
    #[error("y")]
    Nul,
}
pub fn validate_client_id(_: &str) -> Result<(), ClientIdError> {
    Ok(())
}
