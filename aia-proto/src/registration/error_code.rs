//! Why the service does not register a device (specification, section 5.3).

use super::Advice;
use crate::code::codes;

codes! {
    /// Why the service does not register a device, in the member `code`.
    ///
    /// ```
    /// use aia_proto::registration::{Advice, ErrorCode};
    ///
    /// let code = ErrorCode::from("INVALID_AUTHENTICATION_CREDENTIALS");
    /// assert_eq!(code.advice(), Some(Advice::Authorize));
    /// assert_eq!(ErrorCode::from("NEW_CODE").as_str(), "NEW_CODE");
    /// ```
    ErrorCode {
        /// The request cannot be taken.
        InvalidRequest = "INVALID_REQUEST",
        /// A member of the request is missing.
        MissingParam = "MISSING_PARAM",
        /// The algorithm is not supported.
        InvalidEncryptionAlgorithm = "INVALID_ENCRYPTION_ALGORITHM",
        /// The public key cannot be taken.
        InvalidEncryptionData = "INVALID_ENCRYPTION_DATA",
        /// The refresh token, or its client id, is not valid (any more).
        InvalidAuthenticationCredentials = "INVALID_AUTHENTICATION_CREDENTIALS",
        /// The AWS account is not linked to the product.
        InvalidAwsAccount = "INVALID_AWS_ACCOUNT",
        /// The AWS IoT endpoint is not one, or not of the account.
        InvalidIotEndpoint = "INVALID_IOT_ENDPOINT",
        /// Something went wrong in the service.
        InternalServerError = "INTERNAL_SERVER_ERROR",
    }
}

impl ErrorCode {
    /// What to do next; none when the code is not known and the HTTP status must tell.
    #[must_use]
    pub const fn advice(&self) -> Option<Advice> {
        Some(match self {
            Self::InvalidRequest | Self::MissingParam => Advice::CorrectRequest,
            Self::InvalidEncryptionAlgorithm => Advice::ChangeAlgorithm,
            Self::InvalidEncryptionData => Advice::RenewKeyPair,
            Self::InvalidAuthenticationCredentials => Advice::Authorize,
            Self::InvalidAwsAccount => Advice::LinkAccount,
            Self::InvalidIotEndpoint => Advice::CorrectEndpoint,
            Self::InternalServerError => Advice::RetryLater,
            Self::Unknown(_) => return None,
        })
    }

    /// The HTTP status that goes with it. Of the real service only the 403 of
    /// [`InvalidAwsAccount`](Self::InvalidAwsAccount) is known: never read it back (specification, Q39).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidAuthenticationCredentials => 401,
            Self::InvalidAwsAccount => 403,
            Self::InternalServerError => 500,
            _ => 400,
        }
    }
}
