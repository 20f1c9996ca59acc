//! Why a text is not an event.

use alloc::borrow::Cow;

use super::MAX_EVENT_BYTES;
use crate::{JsonType, json::Malformed};

/// Why a text is not an event (specification section 3, rules 1 and 2).
///
/// A `pointer` is a JSON Pointer (RFC 6901) to the member that the error is about; the empty one is the whole text.
/// Names that are not ours are shortened in it. Values are not shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Longer than SNS carries, or than an identifier or a name may be.
    #[error("{} has {bytes} bytes, at most {limit} are allowed", shown(pointer))]
    TooLong {
        /// What is too long.
        pointer: Cow<'static, str>,
        /// Its length.
        bytes: usize,
        /// The longest that is taken: [`MAX_EVENT_BYTES`] for the event as a whole.
        limit: usize,
    },
    /// Not JSON in UTF-8, or with a byte order mark before it.
    #[error("the event is not JSON at line {line} column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Well-formed, but not an object. A string that holds an event was encoded twice.
    #[error("the event is {found}, not an object: decode the message exactly once")]
    NotAnObject {
        /// What it is.
        found: JsonType,
    },
    /// More objects and arrays within each other than are taken.
    #[error("the event is nested more than {limit} deep")]
    TooDeep {
        /// How many are taken.
        limit: usize,
    },
    /// A name twice in an object of the header, or `header` or `payload` twice.
    #[error("{} is there twice", shown(pointer))]
    DuplicateMember {
        /// Which.
        pointer: Cow<'static, str>,
    },
    /// A member without which there is no event.
    #[error("{} is missing", shown(pointer))]
    Missing {
        /// Where it should be.
        pointer: Cow<'static, str>,
    },
    /// A member of a type that does not belong there.
    #[error("{} is {found}, not {expected}", shown(pointer))]
    WrongType {
        /// Where it is.
        pointer: Cow<'static, str>,
        /// What belongs there.
        expected: JsonType,
        /// What it is.
        found: JsonType,
    },
    /// A text in which there is nothing.
    #[error("{} is empty", shown(pointer))]
    Empty {
        /// Where it is.
        pointer: Cow<'static, str>,
    },
    /// A control character in an event's identifier, or anything but `[A-Za-z0-9.]` in the name of its type.
    #[error("{} has a character at byte {position} that does not belong there", shown(pointer))]
    BadCharacter {
        /// Where it is.
        pointer: Cow<'static, str>,
        /// The byte, counted from 0.
        position: usize,
    },
    /// An escape for one half of a pair, which is no character.
    #[error("{} holds half of a surrogate pair", shown(pointer))]
    UnpairedSurrogate {
        /// Where it is.
        pointer: Cow<'static, str>,
    },
}

impl From<Malformed> for EventError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed { line: malformed.line, column: malformed.column }
    }
}

impl EventError {
    pub(super) const fn too_long(bytes: usize) -> Self {
        Self::TooLong { pointer: Cow::Borrowed(""), bytes, limit: MAX_EVENT_BYTES }
    }
}

fn shown(pointer: &str) -> &str {
    if pointer.is_empty() { "the event" } else { pointer }
}
