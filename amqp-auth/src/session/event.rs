//! What a session tells, and why it refuses a command.

use alloc::{boxed::Box, string::String};
use core::{fmt, time::Duration};

use iot_sansio::{
    MonoTime, UnixMillis,
    amqp::{self, Connection, DeliveryId, SaslCode},
};

use crate::{BuildError, Warning, message::Message};

/// What a session tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Give a credential, with [`Session::provide`](super::Session::provide) or its like.
    CredentialWanted(CredentialWanted),
    /// A login is being sent of which its [`Report`](crate::Report) warns.
    LoginWarning(LoginWarning),
    /// The receiver link stands. Messages come as far as earlier ones are answered: work from an earlier connection
    /// takes room until it is.
    Connected(Connected),
    /// A message: process it, and then say so with [`Session::accept`](super::Session::accept) or
    /// [`Session::fail`](super::Session::fail).
    Message(Box<Received>),
    /// A message waits for its answer for 25 s: after 30 s the platform sends it again.
    AckLate(AckLate),
    /// A message came beyond the credit, or beyond what the de-duplication window holds: it was released unseen, and
    /// is lost if it came settled.
    Overflow(Overflow),
    /// An attempt failed or the connection ended.
    Disconnected(Disconnected),
    /// The next attempt comes at this time, by asking for a credential.
    RetryAt(RetryAt),
    /// The session ended; [`Session::start`](super::Session::start) starts it again. The terminal event.
    Stopped(Stopped),
}

/// Asks for a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CredentialWanted {
    /// Why.
    pub reason: CredentialReason,
    /// The wall clock: a login that another signer makes carries this timestamp or a later one.
    pub at: UnixMillis,
}

/// Why a credential is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialReason {
    /// An attempt to connect; one from a cache will do.
    Attempt,
    /// An attempt to connect, after the platform refused the last one: drop it from any cache.
    Rejected,
    /// The token given expires within 60 s: get a new one, or set the wall clock if it is wrong.
    Expiring,
    /// The login given was not signed between the question and now: sign for each attempt, with the same clock.
    OutOfTime,
    /// The token of the running connection expires within 300 s. The connection goes on; a new credential is kept for
    /// the next attempt.
    Refresh,
}

/// What to look at about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LoginWarning {
    /// What may keep it from being accepted.
    pub warning: Warning,
}

/// The receiver link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// The longest silence that the platform tolerates, as its `open` says.
    pub peer_idle_timeout: Option<Duration>,
}

/// A message to process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Received {
    /// Names it in the answer.
    pub id: DeliveryId,
    /// Whether the platform sent it settled: it does not wait for the answer then, and will not send it again.
    pub settled: bool,
    /// What it says.
    pub message: Message<'static>,
}

/// A message that waits long for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AckLate {
    /// The delivery.
    pub id: DeliveryId,
}

/// A message for which there was no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Overflow {
    /// The delivery.
    pub id: DeliveryId,
}

/// An attempt failed or the connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Disconnected {
    /// Why.
    pub cause: Cause,
}

/// When the next attempt comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RetryAt {
    /// The moment.
    pub at: MonoTime,
}

/// The session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Stopped {
    /// Why.
    pub reason: StopReason,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopReason {
    /// The application asked for it.
    Requested,
    /// The transport is not TLS: nothing was sent on it. Let the adapter connect with TLS.
    TlsRequired,
}

/// Why an attempt failed or a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The application had no credential to give, or none that could be used.
    NoCredential,
    /// Host, port or certificate: no transport came about.
    Unreachable,
    /// No transport within 30 s.
    DialTimeout,
    /// The peer is not AMQP 1.0. Look at the port: 5671 speaks AMQP, 61614 STOMP.
    Version,
    /// The peer does not offer PLAIN.
    Mechanism,
    /// The peer refused the credentials. [`SaslCode::AUTH`]: check key, token, clock, `iot:sub`, group and instance.
    Refused(SaslCode),
    /// Authentication and opening together took longer than the 15 s that the platform gives authentication alone: a
    /// stack tells only the end of both.
    OpenTimeout,
    /// The receiver link did not stand within the platform's 15 s.
    LinkTimeout,
    /// The peer refused or ended the link or its session.
    Link(Option<Condition>),
    /// The peer closed the connection.
    Peer(Option<Condition>),
    /// The transport broke after the credentials were sent and before the connection was open.
    LostWhileOpening,
    /// The transport broke.
    Lost,
}

/// A peer's reason, word for word. `Debug` does not show the description: some peers repeat the user name in it.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Condition {
    /// The symbol, such as `amqp:unauthorized-access`.
    pub symbol: String,
    /// What it says to people, if anything.
    pub description: Option<String>,
}

/// How long to wait after a failure (specification, section 6.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the specification has two")]
pub enum FailureClass {
    /// 1 s, doubled up to 60 s.
    Normal,
    /// 30 s, doubled up to 300 s: for what goes away slowly or not by itself.
    Slow,
}

impl Cause {
    /// How long to wait after it.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        let slow = match self {
            Self::Version | Self::Mechanism => true,
            Self::Refused(code) => *code != SaslCode::SYS && *code != SaslCode::SYS_TEMP,
            Self::Link(Some(condition)) | Self::Peer(Some(condition)) => {
                condition.is_unauthorized() || condition.symbol == RESOURCE_LIMIT_EXCEEDED
            }
            _ => false,
        };
        if slow { FailureClass::Slow } else { FailureClass::Normal }
    }

    /// Whether it says that the credential is not good.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        match self {
            Self::Refused(code) => *code == SaslCode::AUTH,
            Self::Link(Some(condition)) | Self::Peer(Some(condition)) => {
                condition.is_unauthorized()
            }
            _ => false,
        }
    }
}

impl Condition {
    fn is_unauthorized(&self) -> bool {
        self.symbol == UNAUTHORIZED_ACCESS
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").field("symbol", &self.symbol).finish_non_exhaustive()
    }
}

impl From<amqp::Error<'_>> for Condition {
    fn from(error: amqp::Error<'_>) -> Self {
        Self { symbol: error.condition.into(), description: error.description.map(String::from) }
    }
}

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then feed the input again")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The session runs already.
    #[error("the session is started already: stop it first")]
    Started,
    /// The session is stopped.
    #[error("the session is stopped: start it first")]
    Stopped,
    /// The credential cannot be signed with.
    #[error("the credential cannot be used")]
    Credential(#[from] BuildError),
    /// A login was made for another consumer.
    #[error(
        "the login names another client, group, instance or extension than this session: sign for its consumer"
    )]
    OtherConsumer,
    /// No such delivery waits for an answer.
    #[error("no delivery {} of connection {} waits for an answer: it was answered, or the session was stopped", .id.number, .id.connection.get())]
    UnknownDelivery {
        /// The delivery.
        id: DeliveryId,
    },
    /// A second receiver link.
    #[error(
        "a connection has one receiver link, which the session attaches itself: for more, run a session each"
    )]
    OneReceiverPerConnection,
    /// A sender link.
    #[error("data flows from the platform only: to reach a device, call the cloud API")]
    SenderNotSupported,
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then repeat the command")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
}

const UNAUTHORIZED_ACCESS: &str = "amqp:unauthorized-access";
const RESOURCE_LIMIT_EXCEEDED: &str = "amqp:resource-limit-exceeded";
