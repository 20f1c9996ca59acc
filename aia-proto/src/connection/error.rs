//! Why a text is no message.

use core::fmt;

use crate::JsonError;

/// Why a text is no message of a connection topic: drop it. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It is too long to be read.
    #[error("the message has {len} bytes, more than {limit}")]
    TooLong {
        /// How many bytes it has.
        len: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It is not JSON that is taken.
    #[error(transparent)]
    BadJson(#[from] JsonError),
    /// A member is missing, or does not hold what it must.
    #[error("`{field}` is not {expected}")]
    BadField {
        /// Where it belongs, such as `header.name`; `message` is the whole.
        field: &'static str,
        /// What it must hold.
        expected: Expected,
    },
    /// `header.name` is none that goes in this direction: ignore the message.
    #[error("`header.name` is none of {expected:?}")]
    OtherName {
        /// The names that are.
        expected: [&'static str; 2],
    },
}

/// What a member of a message must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An object.
    Object,
    /// A string.
    Text,
    /// A string of 1 to 256 bytes.
    MessageId,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Text => "a string",
            Self::MessageId => "a string of 1 to 256 bytes",
        })
    }
}
