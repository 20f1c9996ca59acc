//! Why a body is no answer to an onboarding.

use core::fmt;

use crate::JsonError;

/// Why a body is no answer to an onboarding. The body is not repeated: it holds secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardedError {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] JsonError),
    /// Arrays and objects nest too deep in it.
    #[error("arrays and objects nest more than {limit} deep")]
    TooDeep {
        /// How deep they may nest.
        limit: usize,
    },
    /// A member is missing, or does not hold what it should.
    #[error("`{field}` is not {expected}")]
    BadField {
        /// Its name on the wire; `body` is the whole.
        field: &'static str,
        /// What it should hold.
        expected: Expected,
    },
}

/// What a member of an answer should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An object.
    Object,
    /// An object, or null.
    ObjectOrNull,
    /// A string.
    Text,
    /// A string that is not empty.
    NonEmptyText,
    /// A topic: 1 to 64 characters, none of them `/ + #` or a control.
    Topic,
    /// A host: a string that is not empty, without blanks and controls.
    Host,
    /// An integer from 1 to 65,535, or null.
    PortOrNull,
    /// An integer from 0, or null.
    SecondsOrNull,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::ObjectOrNull => "an object or null",
            Self::Text => "a string",
            Self::NonEmptyText => "a string with something in it",
            Self::Topic => "a topic of 1 to 64 characters without `/ + #` and controls",
            Self::Host => "a host without blanks and controls",
            Self::PortOrNull => "an integer from 1 to 65535 or null",
            Self::SecondsOrNull => "an integer from 0 or null",
        })
    }
}
