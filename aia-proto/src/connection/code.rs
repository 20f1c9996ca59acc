//! The codes, who may send each, and what it asks for (specification, sections 6.2 and 6.3).

use super::Advice;
use crate::{Direction, code::codes};

codes! {
    /// How the service answers a `Connect`.
    ///
    /// ```
    /// use aia_proto::connection::{AcknowledgeCode, Advice};
    ///
    /// let code = AcknowledgeCode::from("INVALID_CLIENT_ID");
    /// assert_eq!((&code, code.advice()), (&AcknowledgeCode::InvalidClientId, Advice::CorrectClientId));
    /// // Codes are compared as a whole: this is no success.
    /// let code = AcknowledgeCode::from("CONNECTION_");
    /// assert_eq!((code.as_str(), code.advice()), ("CONNECTION_", Advice::Retry));
    /// ```
    AcknowledgeCode {
        /// There is a connection: other topics may be used, with sequence numbers from 0.
        ConnectionEstablished = "CONNECTION_ESTABLISHED",
        /// The AWS account id is not the registered one.
        InvalidAccountId = "INVALID_ACCOUNT_ID",
        /// The client id is not the registered one, or not the topic's.
        InvalidClientId = "INVALID_CLIENT_ID",
        /// The version in the topic is no longer served.
        ApiVersionDeprecated = "API_VERSION_DEPRECATED",
        /// Something unexpected, perhaps on the service's side.
        UnknownFailure = "UNKNOWN_FAILURE",
        /// The shared secret is not valid any more. Not documented; seen after the user removed the device.
        EncryptionError = "ENCRYPTION_ERROR",
    }
}

codes! {
    /// Why a connection ends.
    ///
    /// ```
    /// use aia_proto::connection::{Advice, DisconnectCode, Expect};
    ///
    /// let code = DisconnectCode::from("ENCRYPTION_ERROR");
    /// // The service sent it, the device sent it:
    /// assert_eq!((code.advice(), code.expect()), (Advice::Register, Expect::Registration));
    /// ```
    DisconnectCode {
        /// A message was lost, or its number is not the next one's.
        UnexpectedSequenceNumber = "UNEXPECTED_SEQUENCE_NUMBER",
        /// The clear and the encrypted number of a message differ, perhaps a replay. Tell whoever looks after security.
        MessageTampered = "MESSAGE_TAMPERED",
        /// The shared secret does not fit.
        EncryptionError = "ENCRYPTION_ERROR",
        /// The version of the connection is no longer served.
        ApiVersionDeprecated = "API_VERSION_DEPRECATED",
        /// Any other reason.
        GoingOffline = "GOING_OFFLINE",
    }
}

/// Whether a side sends a code. What is received is never refused for it (specification, Q11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// The documentation lists it.
    Documented,
    /// It does not, but real software sends it.
    Observed,
    /// Neither.
    Unknown,
}

/// What the service may expect of a device that ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Expect {
    /// A new `Connect` soon.
    Connect,
    /// A new registration before the next `Connect`.
    Registration,
    /// Nothing.
    Nothing,
}

impl AcknowledgeCode {
    /// What the device must do. What is not known is like [`UnknownFailure`](Self::UnknownFailure).
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::ConnectionEstablished => Advice::Proceed,
            Self::InvalidAccountId => Advice::CorrectAccountId,
            Self::InvalidClientId => Advice::CorrectClientId,
            Self::ApiVersionDeprecated => Advice::UpgradeVersion,
            Self::UnknownFailure | Self::Unknown(_) => Advice::Retry,
            Self::EncryptionError => Advice::Register,
        }
    }

    /// Whether the side that sends in this direction sends it.
    #[must_use]
    pub const fn standing(&self, direction: Direction) -> Standing {
        match (direction, self) {
            (Direction::ToService, _) | (_, Self::Unknown(_)) => Standing::Unknown,
            (_, Self::EncryptionError) => Standing::Observed,
            _ => Standing::Documented,
        }
    }
}

impl DisconnectCode {
    /// What a device must do that receives it.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self {
            Self::UnexpectedSequenceNumber
            | Self::MessageTampered
            | Self::GoingOffline
            | Self::Unknown(_) => Advice::Reconnect,
            Self::EncryptionError => Advice::Register,
            Self::ApiVersionDeprecated => Advice::UpgradeVersion,
        }
    }

    /// What the service may expect that receives it. For the service the connection is over with every code.
    #[must_use]
    pub const fn expect(&self) -> Expect {
        match self {
            Self::UnexpectedSequenceNumber | Self::MessageTampered => Expect::Connect,
            Self::EncryptionError | Self::ApiVersionDeprecated => Expect::Registration,
            Self::GoingOffline | Self::Unknown(_) => Expect::Nothing,
        }
    }

    /// Whether the side that sends in this direction sends it.
    #[must_use]
    pub const fn standing(&self, direction: Direction) -> Standing {
        match (direction, self) {
            (_, Self::Unknown(_)) => Standing::Unknown,
            (Direction::ToService, Self::ApiVersionDeprecated)
            | (Direction::ToDevice, Self::GoingOffline) => Standing::Observed,
            _ => Standing::Documented,
        }
    }
}
