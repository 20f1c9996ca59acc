//! What a platform tells whoever tests with it.

use alloc::string::String;
use core::time::Duration;

use iot_sansio::amqp::{Connection, DeliveryId, Outcome, SaslCode};

use super::MessageId;
use crate::{AuthMode, VerifyError};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A client logged in.
    LoggedIn(LoggedIn),
    /// A client has its receiver link.
    Attached {
        /// The connection.
        connection: Connection,
        /// The link.
        link: u32,
    },
    /// A link was refused; the connection goes on.
    LinkRefused {
        /// The connection.
        connection: Connection,
        /// The link.
        link: u32,
        /// Why.
        rule: LinkRule,
    },
    /// A client ended its receiver link.
    Detached {
        /// The connection.
        connection: Connection,
        /// The link.
        link: u32,
    },
    /// A client settled a delivery. It ends the message when it was accepted; else the message is sent again later, or
    /// [`GivenUp`](Self::GivenUp) follows.
    Settled {
        /// The message.
        message: MessageId,
        /// The delivery.
        id: DeliveryId,
        /// What became of it.
        outcome: Outcome,
        /// How often the message was sent so far.
        attempts: u32,
    },
    /// A delivery was not settled in time: the message will be sent again.
    AckTimeout {
        /// The message.
        message: MessageId,
        /// The delivery.
        id: DeliveryId,
        /// How often the message was sent so far.
        attempts: u32,
    },
    /// A message will not be sent again.
    GivenUp {
        /// The message.
        message: MessageId,
        /// Why.
        reason: GivenUp,
        /// How often the message was sent.
        attempts: u32,
    },
    /// A connection is gone: once for each that connected.
    Disconnected {
        /// The connection.
        connection: Connection,
        /// Why.
        reason: Disconnect,
    },
}

/// A client logged in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The connection.
    pub connection: Connection,
    /// The client id, which is not signed.
    pub client_id: String,
    /// The id of the consumer group, which is not signed.
    pub consumer_group_id: String,
    /// The AccessKey id.
    pub auth_id: String,
    /// How it authenticated.
    pub auth_mode: AuthMode,
}

/// Why a link was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LinkRule {
    /// The client wanted to send.
    #[error("clients cannot send: attach a receiver")]
    NoSender,
    /// The connection has its receiver link already.
    #[error("the connection has its receiver link: use one connection for each receiver")]
    OneReceiver,
}

/// Why a message will not be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GivenUp {
    /// Nobody accepted it within the time of retention.
    Expired,
    /// A client rejected it: it is not valid, for no client.
    Rejected,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The client closed it, or its transport is gone.
    #[error("the client closed the connection, or its transport is gone")]
    Client,
    /// It came over plain TCP.
    #[error("the transport is not encrypted: use TLS from the first byte")]
    PlainTcp,
    /// There are as many connections as may be.
    #[error("there are {limit} connections: close some, or allow more")]
    TooManyConnections {
        /// How many may be.
        limit: usize,
    },
    /// The login is not good.
    #[error("login refused: {0}")]
    Login(VerifyError),
    /// The platform was told to refuse the login.
    #[error("login refused as commanded, with code {}", .0.get())]
    Refused(SaslCode),
    /// The client did not log in in time.
    #[error("no login within {timeout:?} of the transport")]
    AuthTimeout {
        /// The time it had.
        timeout: Duration,
    },
    /// The client logged in and did not open the connection in time.
    #[error("no open within {timeout:?} of the login")]
    OpenTimeout {
        /// The time it had.
        timeout: Duration,
    },
    /// The client did not attach a receiver in time.
    #[error("no receiver link within {timeout:?}: attach one as soon as the connection is open")]
    LinkTimeout {
        /// The time it had.
        timeout: Duration,
    },
    /// The idle timeout of the client is missing or out of range.
    #[error("the idle-time-out of open is {idle_timeout:?}: give 30 s to 300 s, on the wire")]
    IdleOutOfRange {
        /// What the client said.
        idle_timeout: Option<Duration>,
    },
    /// The group logged in too often.
    #[error("more than {limit} logins of the consumer group within a minute: back off")]
    TooManyLogins {
        /// How many may be.
        limit: usize,
    },
    /// The client did one step before another.
    #[error("{step} came out of order: log in, open, and then attach")]
    OutOfOrder {
        /// What it did.
        step: Step,
    },
    /// The platform was told to close it.
    #[error("closed as commanded")]
    Closed,
    /// The platform was told to drop it.
    #[error("dropped as commanded")]
    Aborted,
}

/// A step of a client on its way to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// `sasl-init`.
    SaslInit,
    /// `open`.
    Open,
    /// `attach`.
    Attach,
}

impl core::fmt::Display for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::SaslInit => "sasl-init",
            Self::Open => "open",
            Self::Attach => "attach",
        })
    }
}
