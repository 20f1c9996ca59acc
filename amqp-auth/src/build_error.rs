//! Why a credential cannot be built.

use alloc::string::String;

use crate::{Field, SignMethod, consumer::MAX_EXTENSIONS, user_name::MAX_LEN};

/// Why a credential cannot be built (specification, section 3.3). No variant holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The client id has no character.
    #[error("clientId is empty: give 1 to 64 characters, such as a UUID or the MAC of the host")]
    ClientIdEmpty,
    /// The client id has too many characters.
    #[error("clientId has {chars} characters, suffix included: at most 64 are allowed")]
    ClientIdTooLong {
        /// How many, as Unicode scalar values.
        chars: usize,
    },
    /// The client id holds a vertical bar or a control character.
    #[error(
        "clientId holds {ch:?} at byte {index}: bars and control characters cannot be expressed"
    )]
    ClientIdForbiddenChar {
        /// Where, in bytes.
        index: usize,
        /// Which.
        ch: char,
    },
    /// A part that must not be empty is.
    #[error("{field} is empty")]
    #[non_exhaustive]
    Empty {
        /// Which part.
        field: Field,
    },
    /// A value holds what the grammar cannot express, or an instance id something besides `A-Z a-z 0-9 _ -`.
    #[error("{field} holds a character at byte {index} that is not allowed there{}", hint(*.field))]
    #[non_exhaustive]
    ForbiddenChar {
        /// Which part.
        field: Field,
        /// Where, in bytes.
        index: usize,
    },
    /// Mode `ststoken` without a token.
    #[error(
        "authMode ststoken needs a securityToken: take id, secret and token of one AssumeRole answer"
    )]
    MissingSecurityToken,
    /// Mode `aksign` with a token.
    #[error("authMode aksign takes no securityToken: use ststoken, or leave the token out")]
    UnexpectedSecurityToken,
    /// The timestamp lies before 1970.
    #[error("timestamp {timestamp} is negative: give milliseconds since the Unix epoch")]
    BadTimestamp {
        /// What was given.
        timestamp: i64,
    },
    /// The key of an extension is that of a parameter, or was given before.
    #[error("parameter {key} is already there")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The user name would be longer than any that [`UserName`](crate::UserName) reads.
    #[error("the user name has up to {len} bytes: at most {MAX_LEN} are read")]
    TooLong {
        /// Its length in bytes, with the longest timestamp.
        len: usize,
    },
    /// There are more extensions than [`UserName`](crate::UserName) reads parameters.
    #[error("there are more than {MAX_EXTENSIONS} extensions")]
    TooManyExtensions,
    /// A MAC that another signer made has not the length of its method's.
    #[error("a MAC of {method} has {expected} bytes, not {len}: give the raw MAC, not hex or base64", expected = .method.mac_len())]
    #[non_exhaustive]
    MacLen {
        /// The method.
        method: SignMethod,
        /// The length that was given.
        len: usize,
    },
}

fn hint(field: Field) -> &'static str {
    match field {
        Field::IotInstanceId => {
            ": only A-Z a-z 0-9 _ - are; leave it out where the console shows none"
        }
        Field::Extension => {
            ": a key has letters and digits only, a value neither comma, bar nor control character"
        }
        _ => ": commas, bars and control characters cannot be expressed",
    }
}
