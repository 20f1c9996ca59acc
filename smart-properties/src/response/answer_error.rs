//! Why an answer does not say what it should.

use super::ApiError;
use crate::{
    IdError,
    json::{JsonType, Malformed},
};

/// Why an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The request did not succeed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The body is longer than this crate reads.
    #[error("the body of the answer has {bytes} bytes, at most {max} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The body is not UTF-8.
    #[error("the body of the answer is not UTF-8, see byte {position}")]
    NotUtf8 {
        /// The first byte that is not, counted from 0.
        position: usize,
    },
    /// The body is not JSON.
    #[error("the body of the answer is not JSON, see line {line}, column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Values stand inside each other deeper than this crate looks.
    #[error("the body of the answer is deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A member is not there.
    #[error("{member} is missing in the answer")]
    Missing {
        /// Which one.
        member: &'static str,
    },
    /// A member, or the body as a whole, has another type.
    #[error("{member} is {found} in the answer, not {expected}")]
    WrongType {
        /// Which one.
        member: &'static str,
        /// What it should be.
        expected: JsonType,
        /// What it is.
        found: JsonType,
    },
    /// A member comes twice.
    #[error("{member} comes twice in the answer")]
    DuplicateMember {
        /// Which one.
        member: &'static str,
    },
    /// The ID names something else, or none at all.
    #[error("the answer does not name what was asked for: {0}")]
    WrongKind(IdError),
    /// The body and the header `Location` name two things.
    #[error(
        "the body and the header Location of the answer name different things: list before creating again"
    )]
    IdMismatch,
}

impl From<Malformed> for AnswerError {
    fn from(at: Malformed) -> Self {
        Self::Malformed { line: at.line, column: at.column }
    }
}

/// The text of a body that is not too long.
pub(crate) fn text(body: &[u8]) -> Result<&str, AnswerError> {
    let bytes = body.len();
    if bytes > MAX_BODY_BYTES {
        return Err(AnswerError::TooLong { bytes, max: MAX_BODY_BYTES });
    }
    core::str::from_utf8(body)
        .map_err(|error| AnswerError::NotUtf8 { position: error.valid_up_to() })
}

const MAX_BODY_BYTES: usize = 1024 * 1024;
