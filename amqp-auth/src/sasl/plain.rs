//! The message of the mechanism PLAIN (RFC 4616).

use alloc::vec::Vec;
use core::fmt;

use iot_sansio::Secret;

use crate::sasl::EncodeError;

/// The name of the mechanism.
pub const PLAIN: &str = "PLAIN";

/// The message of PLAIN, with an empty authorization identity as the platform's clients send it: for stacks that ask
/// for the response alone.
///
/// # Errors
/// User name or password are empty or hold NUL, which is what separates them.
///
/// ```
/// use amqp_auth::sasl::{EncodeError, plain_response};
///
/// assert_eq!(plain_response("user", "password")?.expose(), b"\0user\0password");
/// # Ok::<(), EncodeError>(())
/// ```
pub fn plain_response(user_name: &str, password: &str) -> Result<Secret, EncodeError> {
    for (part, text) in [("user name", user_name), ("password", password)] {
        if text.is_empty() {
            return Err(EncodeError::Empty { part });
        }
        if let Some(index) = text.find('\0') {
            return Err(EncodeError::Nul { part, index });
        }
    }
    // The exact size: a buffer that grows would leave copies behind.
    let mut message = Vec::with_capacity(2 + user_name.len() + password.len());
    for text in [user_name, password] {
        message.push(0);
        message.extend_from_slice(text.as_bytes());
    }
    Ok(message.into())
}

/// A message of PLAIN, taken apart. `Debug` shows none of it: a user name may hold a token.
///
/// [`verify`](crate::verify) takes user name and password as they are, and looks whether they are text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Plain<'a> {
    /// Who the client wants to act as: empty, or the user name again in some stacks. Refuse others.
    pub authzid: &'a [u8],
    /// The user name.
    pub user_name: &'a [u8],
    /// The password.
    pub password: &'a [u8],
}

/// Why a message of PLAIN is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PlainError {
    /// The client chose another mechanism.
    #[error("the mechanism is not PLAIN: offer no other")]
    OtherMechanism,
    /// The client sent no response along, and waits for an empty challenge.
    #[error("sasl-init has no initial response: PLAIN sends user name and password in it")]
    NoResponse,
    /// There are not three parts.
    #[error("the message has {nuls} NUL bytes: two separate authzid, user name and password")]
    Nuls {
        /// So many bytes are NUL.
        nuls: usize,
    },
    /// The user name has no bytes.
    #[error("the user name is empty")]
    EmptyUserName,
    /// The password has no bytes.
    #[error("the password is empty")]
    EmptyPassword,
}

impl<'a> Plain<'a> {
    /// Takes a message apart.
    ///
    /// # Errors
    /// Two NUL bytes do not separate three parts, or user name or password are empty.
    pub fn parse(message: &'a [u8]) -> Result<Self, PlainError> {
        let mut parts = message.split(|byte| *byte == 0);
        let (Some(authzid), Some(user_name), Some(password), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let nuls = message.iter().filter(|byte| **byte == 0).count();
            return Err(PlainError::Nuls { nuls });
        };
        if user_name.is_empty() {
            return Err(PlainError::EmptyUserName);
        }
        if password.is_empty() {
            return Err(PlainError::EmptyPassword);
        }
        Ok(Self { authzid, user_name, password })
    }
}

impl fmt::Debug for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain").finish_non_exhaustive()
    }
}
