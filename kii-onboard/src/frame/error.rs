//! Why a frame cannot be read or written.

/// Why a payload is not a frame. Positions are bytes from the start of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the payload is empty")]
    Empty,
    /// There are too many bytes.
    #[error(
        "the payload has {len} bytes, at most {limit} are read: raise `max_payload`, or drop it"
    )]
    TooLarge {
        /// How many.
        len: usize,
        /// How many are read.
        limit: usize,
    },
    /// The first line is not that of such a frame.
    #[error(
        "the payload does not begin as this kind of frame: look at its topic first, it may be another kind"
    )]
    BadStartLine,
    /// The head does not end in time.
    #[error(
        "no blank line ends the head within {limit} bytes: raise `max_head`, or drop the payload"
    )]
    HeadTooLarge {
        /// How many bytes a head may have.
        limit: usize,
    },
    /// The head does not end.
    #[error("no blank line ends the head: it is needed without a body too")]
    MissingBlankLine,
    /// A line of the head is not UTF-8.
    #[error("the line at byte {position} is not UTF-8")]
    NotUtf8 {
        /// Where the line begins.
        position: usize,
    },
    /// A line of the head has a control character.
    #[error("the line at byte {position} has a control character")]
    ControlChar {
        /// Where the line begins.
        position: usize,
    },
    /// The status is not three digits from 100 to 599, or something clings to them.
    #[error("the status is not three digits from 100 to 599")]
    BadStatus,
    /// The method is none that is known.
    #[error("the method is none that is known")]
    UnknownMethod,
    /// A line is not `name: value`.
    #[error("the line at byte {position} is not `name: value`")]
    BadHeader {
        /// Where the line begins.
        position: usize,
    },
    /// There are too many headers.
    #[error("there are more than {limit} headers: raise `max_headers`, or drop the payload")]
    TooManyHeaders {
        /// How many there may be.
        limit: usize,
    },
}

/// Why a frame is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A name is not a token, or a value has a control character or a blank at either end. The value is not repeated:
    /// it may be a secret.
    #[error(
        "header {index}: its name must be a token, its value without controls and outer blanks"
    )]
    InvalidHeader {
        /// Which one, from 0.
        index: usize,
    },
    /// There are too many headers.
    #[error("there are more than {limit} headers: send fewer")]
    TooManyHeaders {
        /// How many there may be.
        limit: usize,
    },
    /// The head would be too large.
    #[error("the head has {len} bytes, at most {limit} are sent: take fewer or shorter headers")]
    HeadTooLarge {
        /// How many.
        len: usize,
        /// How many are sent.
        limit: usize,
    },
    /// The payload would be too large.
    #[error("the payload has {len} bytes, at most {limit} are sent: send a smaller body")]
    TooLarge {
        /// How many.
        len: usize,
        /// How many are sent.
        limit: usize,
    },
}
