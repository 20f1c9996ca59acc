//! Directives, as the service sends them (specification, section 3).

use alloc::{string::String, vec::Vec};

use crate::{Json, MessageId, envelope::message, json::Member};

/// What a device shall do: any name, with any payload. `Debug` leaves out the payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Directive {
    /// Its name, such as `SetVolume`.
    pub name: String,
    /// What it says; none leaves it out.
    pub payload: Option<Json>,
}

impl Directive {
    /// The directive of this name, without payload.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), payload: None }
    }

    /// The same with a payload.
    #[must_use]
    pub fn with_payload(self, payload: Json) -> Self {
        Self { payload: Some(payload), ..self }
    }
}

/// The message with these directives.
pub(super) fn encode<'a>(
    directives: impl IntoIterator<Item = (&'a Directive, &'a MessageId)>,
) -> Vec<u8> {
    envelope(directives.into_iter().map(|(Directive { name, payload }, id)| {
        message(name, id, payload.as_ref().map(Member::Json)).to_vec()
    }))
}

/// The message with these elements.
pub(super) fn envelope(elements: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let elements: Vec<_> = elements.into_iter().collect();
    [DIRECTIVES_OPEN, &elements.join(&b','), DIRECTIVES_CLOSE].concat()
}

const DIRECTIVES_OPEN: &[u8] = br#"{"directives":["#;
const DIRECTIVES_CLOSE: &[u8] = b"]}";
