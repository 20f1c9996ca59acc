//! Why a policy cannot be read.

use alloc::string::String;

use crate::json::{JsonType, Malformed};

/// Why a text is not an access policy that can be merged with or checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It does not begin with `{`.
    #[error("the policy is not a JSON object")]
    NotAnObject,
    /// It is not JSON.
    #[error("the policy is not JSON, see line {line}, column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// It is longer than this crate works on, or would become so; AWS takes at most 30 KiB.
    #[error("the policy has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Its values stand inside each other deeper than this crate looks.
    #[error("the policy is deeper than {max} levels")]
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// A name comes twice in one object: which of the two counts is anyone's guess.
    #[error("{name:?} comes twice in one object of the policy: remove one")]
    DuplicateMember {
        /// The first 64 characters of the name.
        name: String,
    },
    /// `Statement` is neither an object nor an array of objects.
    #[error("Statement of the policy, or one of its elements, is {found}, not an object")]
    WrongType {
        /// What it is.
        found: JsonType,
    },
    /// Several statements have the `Sid` of ours, which has to be unique: they are not touched.
    #[error("{count} statements of the policy have the Sid {sid:?}: remove all but one")]
    RepeatedSid {
        /// What they are called.
        sid: String,
        /// How many.
        count: usize,
    },
}

impl From<Malformed> for PolicyError {
    fn from(at: Malformed) -> Self {
        Self::Malformed { line: at.line, column: at.column }
    }
}
