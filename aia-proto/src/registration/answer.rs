//! Reading the answer to a registration.

use super::{Advice, Refusal, Response, ResponseError};

/// Why a device is not registered. `Display` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The service refused.
    #[error("{status} {}: {}", .refusal.code, self.advice())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        refusal: Refusal,
    },
    /// The service says that it succeeded, but the body is not what goes with that.
    #[error("the answer to the registration cannot be read: {0}")]
    BadResponse(#[from] ResponseError),
    /// The HTTP status is no success, and the body does not say why.
    #[error("status {status}: {}", self.advice())]
    Status {
        /// The HTTP status.
        status: u16,
    },
}

/// Reads the status and the body of the HTTP response to a [`Request`](super::Request).
///
/// ```
/// use aia_proto::registration::{Advice, read_answer};
///
/// let error = read_answer(403, br#"{"code":"INVALID_AWS_ACCOUNT","description":"x"}"#).unwrap_err();
/// assert_eq!((error.advice(), error.is_retryable()), (Advice::LinkAccount, false));
/// assert_eq!(
///     error.to_string(),
///     "403 INVALID_AWS_ACCOUNT: link the AWS account to the product, or correct its id"
/// );
/// assert!(read_answer(502, b"<html>").unwrap_err().is_retryable());
/// ```
///
/// # Errors
/// The device is not registered. A failure of the network, which has no status, is like
/// [`Advice::RetryLater`].
pub fn read_answer(status: u16, body: &[u8]) -> Result<Response, RegistrationError> {
    if matches!(status, 200..=299) {
        return Ok(Response::decode(body)?);
    }
    Err(match Refusal::decode(body) {
        Some(refusal) => RegistrationError::Refused { status, refusal },
        None => RegistrationError::Status { status },
    })
}

impl RegistrationError {
    /// What to do next. A code that is known decides, else the status does (specification, Q39).
    #[must_use]
    pub fn advice(&self) -> Advice {
        let (status, advice) = match self {
            Self::Refused { status, refusal } => (*status, refusal.code.advice()),
            Self::Status { status } => (*status, None),
            Self::BadResponse(_) => return Advice::Report,
        };
        advice.unwrap_or(match status {
            500..=599 => Advice::RetryLater,
            300..=399 => Advice::FollowRedirect,
            _ => Advice::Report,
        })
    }

    /// Whether the same values may succeed when they are sent again, with a new key pair.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.advice().is_retryable()
    }
}
