//! Why a call is not made.

use crate::{InvalidId, frame::EncodeError};

/// Why a call is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// An id cannot stand where it would have to.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// A state is another JSON value.
    #[error("a state is a JSON object")]
    NotAnObject,
    /// A state is too large.
    #[error("the state has {len} bytes of JSON, at most {limit} are taken: send a smaller one")]
    StateTooLarge {
        /// How many.
        len: usize,
        /// How many are taken.
        limit: usize,
    },
    /// A header has the name of one that every request has.
    #[error("Authorization, X-Kii-RequestID and Content-Type have ways of their own to be set")]
    ReservedHeader,
    /// A header cannot be written.
    #[error(transparent)]
    Header(#[from] EncodeError),
}
