//! What tells a repeated create from a second one (specification section 7.3).

use alloc::string::String;

/// What tells a repeated create from a second one: 1 to 256 printable ASCII characters.
///
/// What the service makes of it, and for how long, is not documented. Take a new one for every resource that is to be
/// created, and the same again only for the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyToken(String);

/// Why a text is not an [`IdempotencyToken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdempotencyTokenError {
    /// It has no characters.
    #[error("the idempotency token is empty")]
    Empty,
    /// It is longer than this crate allows.
    #[error("the idempotency token has {bytes} bytes, at most {MAX_TOKEN_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not one of U+0021 to U+007E.
    #[error("byte {position} of the idempotency token is not a printable ASCII character")]
    BadCharacter {
        /// The byte, counted from 0.
        position: usize,
    },
}

impl IdempotencyToken {
    /// Checks a text, for example a UUID.
    ///
    /// # Errors
    /// It is empty, too long, or has a space, a control character or one beyond ASCII.
    pub fn new(token: impl Into<String>) -> Result<Self, IdempotencyTokenError> {
        let token = token.into();
        let bytes = token.len();
        if bytes == 0 {
            return Err(IdempotencyTokenError::Empty);
        }
        if bytes > MAX_TOKEN_BYTES {
            return Err(IdempotencyTokenError::TooLong { bytes });
        }
        match token.bytes().position(|byte| !byte.is_ascii_graphic()) {
            Some(position) => Err(IdempotencyTokenError::BadCharacter { position }),
            None => Ok(Self(token)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const MAX_TOKEN_BYTES: usize = 256;
