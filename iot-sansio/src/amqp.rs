//! The AMQP 1.0 vocabulary: all that the receiving side of an AMQP connection must report and do.
//!
//! It stands one level above frames: an existing AMQP stack writes those. What an adapter and a machine agree on:
//!
//! - A [`Connection`] numbers one connection. Actions and inputs name theirs; an input of an old one is ignored, an
//!   action for one that is gone is dropped.
//! - A machine dials, opens and attaches in three steps, each answered before it asks for the next:
//!   [`Dial`] by [`Connected`], [`Open`] by [`Opened`], [`Attach`] by [`Attached`]. The adapter does none of them by
//!   itself, never reconnects, and sends no byte before [`Open`] but those of the TLS handshake.
//! - Whatever ends a connection, or keeps one from coming about, is [`Closed`], once for each [`Dial`], and nothing
//!   follows it. A link or session that the peer refuses or ends is [`Detached`]; the connection goes on.
//! - There is one receiver a connection. A link that the peer attaches by itself is refused by the adapter with
//!   `amqp:not-implemented`.
//! - Heartbeats are the stack's business. [`OpenOptions::idle_timeout`] is what must stand *on the wire*: a stack that
//!   halves what it is told is told twice as much.
//! - A delivery is settled by [`Settle`] alone, never by the stack itself. One that arrived settled needs none.

use alloc::{boxed::Box, string::String};
use core::{fmt, time::Duration};

use crate::{Secret, Vocabulary};

mod message;

pub use message::{Body, Message, Value};

/// The vocabulary itself, for [`Machine::Vocabulary`](crate::Machine::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name for a pair of types, without values")]
pub enum Amqp {}

impl Vocabulary for Amqp {
    type Input<'a> = Input<'a>;
    type Action = Action;
}

/// Numbers one connection. The machine that dials picks the number, and uses none twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(u32);

impl Connection {
    /// The one with this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The one after this, for whoever hands them out.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Names one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct DeliveryId {
    /// The connection it came over.
    pub connection: Connection,
    /// Its number there, as the adapter counts: each greater than the one before.
    pub number: u64,
}

impl DeliveryId {
    /// The delivery with this number on this connection.
    #[must_use]
    pub const fn new(connection: Connection, number: u64) -> Self {
        Self { connection, number }
    }
}

/// What reached the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The transport stands.
    Connected(Connected),
    /// The peer accepted the credentials and opened the connection.
    Opened(Opened),
    /// The receiver link stands.
    Attached(Attached),
    /// A message arrived.
    Delivery(Delivery<'a>),
    /// The link or its session was refused or has ended.
    Detached(Detached<'a>),
    /// A connection is gone, or could not be made.
    Closed(Closed<'a>),
}

/// The transport stands: what a machine may open depends on whether it is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connected {
    /// The connection.
    pub connection: Connection,
    /// What it runs over, as it really stands.
    pub transport: Transport,
}

/// What AMQP runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP, from the first byte.
    Tls,
}

/// SASL and the exchange of `open` are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// `idle-time-out` of the peer's `open`: the longest silence it tolerates; none when it named none or zero.
    pub idle_timeout: Option<Duration>,
}

/// The peer attached its end of the receiver link, with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attached {
    /// The connection.
    pub connection: Connection,
}

/// A whole message arrived: its transfers put together, aborted ones left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Delivery<'a> {
    /// Names it in [`Settle`].
    pub id: DeliveryId,
    /// Whether the peer sent it settled: it expects no answer then.
    pub settled: bool,
    /// What it says.
    pub message: Message<'a>,
}

/// The link or its session was refused or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Detached<'a> {
    /// The connection, which goes on.
    pub connection: Connection,
    /// The peer's reason, if it gave one.
    pub error: Option<Error<'a>>,
}

/// A connection is gone, or could not be made. Its deliveries can no longer be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Closed<'a> {
    /// The connection.
    pub connection: Connection,
    /// Why.
    pub reason: CloseReason<'a>,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason<'a> {
    /// The transport failed, was closed by the peer without a word, or could not be reached.
    Lost,
    /// The peer speaks another protocol, or another version of this one.
    Version,
    /// The peer does not offer the SASL mechanism PLAIN.
    Mechanism,
    /// The peer refused the credentials with this outcome.
    Refused(SaslCode),
    /// The peer sent `close`, with its reason if it gave one.
    Peer(Option<Error<'a>>),
    /// The machine asked for it, with [`Close`] or [`Abort`].
    Requested,
}

/// The code of a SASL outcome (AMQP 1.0, 5.3.3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SaslCode(u8);

impl SaslCode {
    /// Authentication succeeded.
    pub const OK: Self = Self(0);
    /// The credentials are wrong.
    pub const AUTH: Self = Self(1);
    /// A system error.
    pub const SYS: Self = Self(2);
    /// A system error that will not go away by itself.
    pub const SYS_PERM: Self = Self(3);
    /// A system error that may go away by itself.
    pub const SYS_TEMP: Self = Self(4);

    /// The code with this value on the wire.
    #[must_use]
    pub const fn new(code: u8) -> Self {
        Self(code)
    }

    /// Its value on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A peer's reason, word for word. `Debug` does not show the description: some peers repeat the user name in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Error<'a> {
    /// The symbol, such as `amqp:connection:forced`.
    pub condition: &'a str,
    /// What it says to people, if anything. Not to be matched on.
    pub description: Option<&'a str>,
}

impl Connected {
    /// The transport of `connection` stands.
    #[must_use]
    pub const fn new(connection: Connection, transport: Transport) -> Self {
        Self { connection, transport }
    }
}

impl Opened {
    /// `connection` is open, and its peer names this idle timeout.
    #[must_use]
    pub const fn new(connection: Connection, idle_timeout: Option<Duration>) -> Self {
        Self { connection, idle_timeout }
    }
}

impl Attached {
    /// The receiver link of `connection` stands.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl<'a> Delivery<'a> {
    /// A delivery that waits to be settled.
    #[must_use]
    pub const fn new(id: DeliveryId, message: Message<'a>) -> Self {
        Self { id, settled: false, message }
    }

    /// The same delivery, sent settled or not.
    #[must_use]
    pub const fn with_settled(self, settled: bool) -> Self {
        Self { settled, ..self }
    }
}

impl<'a> Detached<'a> {
    /// The link of `connection` is gone for this reason.
    #[must_use]
    pub const fn new(connection: Connection, error: Option<Error<'a>>) -> Self {
        Self { connection, error }
    }
}

impl<'a> Closed<'a> {
    /// `connection` is gone for this reason.
    #[must_use]
    pub const fn new(connection: Connection, reason: CloseReason<'a>) -> Self {
        Self { connection, reason }
    }
}

impl<'a> Error<'a> {
    /// A reason with this symbol.
    #[must_use]
    pub const fn new(condition: &'a str, description: Option<&'a str>) -> Self {
        Self { condition, description }
    }
}

/// What the stack is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Connect the transport; answered by [`Connected`] or [`Closed`].
    Dial(Dial),
    /// Authenticate and open the connection; answered by [`Opened`] or [`Closed`].
    Open(Open),
    /// Begin a session and attach the receiver; answered by [`Attached`], [`Detached`] or [`Closed`].
    Attach(Attach),
    /// Grant credit.
    Flow(Flow),
    /// Settle one delivery.
    Settle(Settle),
    /// Close the connection; answered by [`Closed`].
    Close(Close),
    /// Drop the transport without a word; answered by [`Closed`].
    Abort(Abort),
}

impl Action {
    /// The connection it is for.
    #[must_use]
    pub const fn connection(&self) -> Connection {
        match self {
            Self::Dial(dial) => dial.connection,
            Self::Open(open) => open.connection,
            Self::Attach(attach) => attach.connection,
            Self::Flow(flow) => flow.connection,
            Self::Settle(settle) => settle.id.connection,
            Self::Close(close) => close.connection,
            Self::Abort(abort) => abort.connection,
        }
    }
}

/// Connect over TCP and then TLS straight away, verifying the peer's certificate against `host`, which is also the SNI.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Dial {
    /// The number of the new connection.
    pub connection: Connection,
    /// Host name of the peer.
    pub host: String,
    /// TCP port of the peer.
    pub port: u16,
}

/// Authenticate with SASL PLAIN and exchange `open`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Open {
    /// The connection.
    pub connection: Connection,
    /// What to say. Boxed: it is large beside the other actions, and rare.
    pub options: Box<OpenOptions>,
}

/// What SASL PLAIN and `open` say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OpenOptions {
    /// The user name; `Debug` does not show it, as services put tokens into it.
    pub user_name: Secret,
    /// The password; `Debug` does not show it.
    pub password: Secret,
    /// `container-id` of `open`.
    pub container_id: String,
    /// `hostname` of `open`.
    pub hostname: String,
    /// `idle-time-out` of `open` as it must stand on the wire, in whole milliseconds.
    pub idle_timeout: Duration,
}

/// Begin a session and attach the one receiver: settle modes unsettled and first, no credit yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attach {
    /// The connection.
    pub connection: Connection,
    /// Name of the link.
    pub name: String,
    /// Address of the source.
    pub source: String,
}

/// Set the credit of the receiver link: so many more messages may come after the deliveries that were reported so far,
/// whatever was granted before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Flow {
    /// The connection.
    pub connection: Connection,
    /// `link-credit`, in messages.
    pub credit: u32,
}

/// Settle one delivery with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Settle {
    /// The delivery.
    pub id: DeliveryId,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a delivery (AMQP 1.0, 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed by the AMQP specification")]
pub enum Outcome {
    /// It was processed.
    Accepted,
    /// It is not valid and cannot be processed.
    Rejected,
    /// It was not processed, and may be sent again, here or elsewhere.
    Released,
    /// It was not processed, with what shall be known of the attempt.
    Modified {
        /// Whether this counts as a failed attempt of delivery.
        delivery_failed: bool,
        /// Whether it must not be sent to this link again.
        undeliverable_here: bool,
    },
}

/// Exchange `close`, and then drop the transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Close {
    /// The connection.
    pub connection: Connection,
}

/// Drop the transport without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Abort {
    /// The connection.
    pub connection: Connection,
}

impl Dial {
    /// Connect to this host and port.
    #[must_use]
    pub fn new(connection: Connection, host: impl Into<String>, port: u16) -> Self {
        Self { connection, host: host.into(), port }
    }
}

impl Open {
    /// Open `connection` with these options.
    #[must_use]
    pub fn new(connection: Connection, options: OpenOptions) -> Self {
        Self { connection, options: Box::new(options) }
    }
}

impl OpenOptions {
    /// What SASL PLAIN and `open` shall say.
    #[must_use]
    pub fn new(
        user_name: impl Into<Secret>,
        password: impl Into<Secret>,
        container_id: impl Into<String>,
        hostname: impl Into<String>,
        idle_timeout: Duration,
    ) -> Self {
        Self {
            user_name: user_name.into(),
            password: password.into(),
            container_id: container_id.into(),
            hostname: hostname.into(),
            idle_timeout,
        }
    }
}

impl Attach {
    /// Attach a receiver of this name for this source.
    #[must_use]
    pub fn new(connection: Connection, name: impl Into<String>, source: impl Into<String>) -> Self {
        Self { connection, name: name.into(), source: source.into() }
    }
}

impl Flow {
    /// Let so many more messages come.
    #[must_use]
    pub const fn new(connection: Connection, credit: u32) -> Self {
        Self { connection, credit }
    }
}

impl Settle {
    /// Settle this delivery with this outcome.
    #[must_use]
    pub const fn new(id: DeliveryId, outcome: Outcome) -> Self {
        Self { id, outcome }
    }
}

impl Close {
    /// Close `connection`.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl Abort {
    /// Drop the transport of `connection`.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl fmt::Debug for Error<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("condition", &self.condition).finish_non_exhaustive()
    }
}

macro_rules! into_variant {
    ($($variant:ident of $whole:ty)*) => {
        $(impl From<$variant> for $whole {
            fn from(part: $variant) -> Self {
                Self::$variant(part)
            }
        })*
    };
}

into_variant! {
    Connected of Input<'_>
    Opened of Input<'_>
    Attached of Input<'_>
    Dial of Action
    Open of Action
    Attach of Action
    Flow of Action
    Settle of Action
    Close of Action
    Abort of Action
}

macro_rules! into_borrowed_variant {
    ($($variant:ident)*) => {
        $(impl<'a> From<$variant<'a>> for Input<'a> {
            fn from(part: $variant<'a>) -> Self {
                Self::$variant(part)
            }
        })*
    };
}

into_borrowed_variant! { Delivery Detached Closed }

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn an_open_action_prints_neither_user_name_nor_password() {
        let idle_timeout = Duration::from_secs(60);
        let options = OpenOptions::new("canary-user", "canary-word", "c", "h", idle_timeout);
        let action = Action::from(Open::new(Connection::new(1), options));
        assert!(!format!("{action:?}").contains("canary"));
    }

    #[test]
    fn what_a_peer_says_to_people_is_not_printed() {
        let error = Error::new("amqp:not-allowed", Some("canary"));
        let closed = Closed::new(Connection::new(1), CloseReason::Peer(Some(error)));
        let printed = format!("{:?}", Input::from(closed));
        assert!(printed.contains("amqp:not-allowed") && !printed.contains("canary"));
    }

    #[test]
    fn every_action_names_its_connection() {
        let connection = Connection::new(7);
        let id = DeliveryId::new(connection, 1);
        let options = OpenOptions::new("u", "p", "c", "h", Duration::from_secs(60));
        let actions: [Action; 7] = [
            Dial::new(connection, "h", 5671).into(),
            Open::new(connection, options).into(),
            Attach::new(connection, "l", "s").into(),
            Flow::new(connection, 1).into(),
            Settle::new(id, Outcome::Accepted).into(),
            Close::new(connection).into(),
            Abort::new(connection).into(),
        ];
        for action in actions {
            assert_eq!(action.connection(), connection, "{action:?}");
        }
    }
}
