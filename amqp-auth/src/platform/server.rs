//! The vocabulary of an AMQP 1.0 server: what it sees of each connection, and what it can be asked to do.
//!
//! It stands one level above frames, as [`iot_sansio::amqp`] does for the client. What an adapter and a machine agree
//! on:
//!
//! - The adapter numbers the connections that it accepts, and uses no number twice. Actions and inputs name theirs; an
//!   input of one that is gone is ignored, and so is an action.
//! - The adapter answers nothing by itself: [`SaslInit`] is answered by [`SaslOutcome`], [`Opened`] by [`Open`] or
//!   [`Close`], [`Attached`] by [`Attach`] or [`Detach`]. It offers SASL PLAIN alone. Sessions are its business.
//! - [`Closed`] comes once for each [`Connected`], and nothing follows it. A machine that ended a connection itself
//!   takes it for gone at once, and ignores what still comes.
//! - Heartbeats are the business of the stack, and so is closing a connection that was silent for as long as its client
//!   announced.
//! - A message is sent unsettled, and settled once the client has settled it.
//! - Drain the machine before the next input: what [`Credit`] says leaves out what was not sent yet.

use alloc::string::String;
use core::{fmt, time::Duration};

use iot_sansio::{
    Vocabulary,
    amqp::{Connection, DeliveryId, Outcome, SaslCode, Transport},
};

use super::Message;

/// The vocabulary itself, for [`Machine::Vocabulary`](iot_sansio::Machine::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name for a pair of types, without values")]
pub enum Server {}

impl Vocabulary for Server {
    type Input<'a> = Input<'a>;
    type Action = Action;
}

/// What reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A client connected.
    Connected(Connected),
    /// A client wants to log in.
    SaslInit(SaslInit<'a>),
    /// A client opened its connection.
    Opened(Opened),
    /// A client attached a link.
    Attached(Attached),
    /// A client ended a link.
    Detached(Detached),
    /// A client said how many messages may come.
    Credit(Credit),
    /// A client settled a delivery.
    Settled(Settled),
    /// A connection is gone.
    Closed(Closed),
}

/// A client connected, and nothing was said yet but the TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connected {
    /// The number of the new connection.
    pub connection: Connection,
    /// What it runs over, as it really stands.
    pub transport: Transport,
}

/// A client sent `sasl-init` with PLAIN. `Debug` shows neither user name nor password.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SaslInit<'a> {
    /// The connection.
    pub connection: Connection,
    /// The authentication identity: any bytes.
    pub user_name: &'a [u8],
    /// The password: any bytes.
    pub password: &'a [u8],
}

/// A client sent `open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// `idle-time-out` as it stands on the wire; none when it is absent.
    pub idle_timeout: Option<Duration>,
}

/// A client sent `attach` for a link of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attached {
    /// The connection.
    pub connection: Connection,
    /// Names the link on its connection, as the adapter counts: no number is used twice.
    pub link: u32,
    /// What the client is on this link.
    pub role: Role,
}

/// Which end of a link a peer is (AMQP 1.0, 2.8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed by the AMQP specification")]
pub enum Role {
    /// It sends messages.
    Sender,
    /// It receives messages.
    Receiver,
}

/// A client sent `detach`, or ended the session of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Detached {
    /// The connection, which goes on.
    pub connection: Connection,
    /// The link.
    pub link: u32,
}

/// A client sent `flow` for the link on which it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credit {
    /// The connection.
    pub connection: Connection,
    /// So many more messages may be sent from now on, whatever was granted before: what the client granted less what
    /// was sent to it since.
    pub credit: u32,
}

/// A client sent `disposition` with an outcome for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Settled {
    /// The delivery.
    pub id: DeliveryId,
    /// What became of it.
    pub outcome: Outcome,
}

/// The client closed the connection, or its transport is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Closed {
    /// The connection.
    pub connection: Connection,
}

impl Connected {
    /// A client connected over this transport.
    #[must_use]
    pub const fn new(connection: Connection, transport: Transport) -> Self {
        Self { connection, transport }
    }
}

impl<'a> SaslInit<'a> {
    /// A client wants to log in with this user name and password.
    #[must_use]
    pub const fn new(connection: Connection, user_name: &'a [u8], password: &'a [u8]) -> Self {
        Self { connection, user_name, password }
    }
}

impl Opened {
    /// A client opened its connection, and names this idle timeout.
    #[must_use]
    pub const fn new(connection: Connection, idle_timeout: Option<Duration>) -> Self {
        Self { connection, idle_timeout }
    }
}

impl Attached {
    /// A client attached this link in this role.
    #[must_use]
    pub const fn new(connection: Connection, link: u32, role: Role) -> Self {
        Self { connection, link, role }
    }
}

impl Detached {
    /// A client ended this link.
    #[must_use]
    pub const fn new(connection: Connection, link: u32) -> Self {
        Self { connection, link }
    }
}

impl Credit {
    /// So many more messages may be sent.
    #[must_use]
    pub const fn new(connection: Connection, credit: u32) -> Self {
        Self { connection, credit }
    }
}

impl Settled {
    /// A client settled this delivery with this outcome.
    #[must_use]
    pub const fn new(id: DeliveryId, outcome: Outcome) -> Self {
        Self { id, outcome }
    }
}

impl Closed {
    /// `connection` is gone.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

impl fmt::Debug for SaslInit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaslInit").field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// What the server is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Answer a login.
    SaslOutcome(SaslOutcome),
    /// Answer `open`.
    Open(Open),
    /// Confirm a link.
    Attach(Attach),
    /// Refuse or end a link.
    Detach(Detach),
    /// Send a message.
    Deliver(Deliver),
    /// Close a connection.
    Close(Close),
    /// Drop a transport without a word.
    Abort(Abort),
}

impl Action {
    /// The connection it is for.
    #[must_use]
    pub const fn connection(&self) -> Connection {
        match self {
            Self::SaslOutcome(outcome) => outcome.connection,
            Self::Open(open) => open.connection,
            Self::Attach(attach) => attach.connection,
            Self::Detach(detach) => detach.connection,
            Self::Deliver(deliver) => deliver.id.connection,
            Self::Close(close) => close.connection,
            Self::Abort(abort) => abort.connection,
        }
    }
}

/// Send `sasl-outcome`; after any code but [`SaslCode::OK`] drop the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SaslOutcome {
    /// The connection.
    pub connection: Connection,
    /// What to say.
    pub code: SaslCode,
}

/// Answer the client's `open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Open {
    /// The connection.
    pub connection: Connection,
    /// `idle-time-out` to announce; none leaves it out.
    pub idle_timeout: Option<Duration>,
}

/// Confirm a link as its sender: settle modes unsettled and first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attach {
    /// The connection.
    pub connection: Connection,
    /// The link.
    pub link: u32,
}

/// End a link. One that was not confirmed is answered by an `attach` without source or target first (AMQP 1.0, 2.6.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Detach {
    /// The connection, which goes on.
    pub connection: Connection,
    /// The link.
    pub link: u32,
    /// The symbol of the error.
    pub condition: String,
    /// What it says to people.
    pub description: String,
}

/// Send a message on the link that was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Deliver {
    /// Names it in [`Settled`]; the number is the machine's, and greater than those before.
    pub id: DeliveryId,
    /// What to send.
    pub message: Message,
}

/// Send `close`, after `open` where that was not answered yet, and drop the transport once the client has closed too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Close {
    /// The connection.
    pub connection: Connection,
    /// The symbol of the error.
    pub condition: String,
    /// What it says to people.
    pub description: String,
}

/// Drop the transport without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Abort {
    /// The connection.
    pub connection: Connection,
}

impl SaslOutcome {
    /// Answer a login with this code.
    #[must_use]
    pub const fn new(connection: Connection, code: SaslCode) -> Self {
        Self { connection, code }
    }
}

impl Open {
    /// Answer `open`, and announce this idle timeout.
    #[must_use]
    pub const fn new(connection: Connection, idle_timeout: Option<Duration>) -> Self {
        Self { connection, idle_timeout }
    }
}

impl Attach {
    /// Confirm this link.
    #[must_use]
    pub const fn new(connection: Connection, link: u32) -> Self {
        Self { connection, link }
    }
}

impl Detach {
    /// End this link for this reason.
    #[must_use]
    pub fn new(
        connection: Connection,
        link: u32,
        condition: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self { connection, link, condition: condition.into(), description: description.into() }
    }
}

impl Deliver {
    /// Send this message.
    #[must_use]
    pub const fn new(id: DeliveryId, message: Message) -> Self {
        Self { id, message }
    }
}

impl Close {
    /// Close `connection` for this reason.
    #[must_use]
    pub fn new(
        connection: Connection,
        condition: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self { connection, condition: condition.into(), description: description.into() }
    }
}

impl Abort {
    /// Drop the transport of `connection`.
    #[must_use]
    pub const fn new(connection: Connection) -> Self {
        Self { connection }
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
    Detached of Input<'_>
    Credit of Input<'_>
    Settled of Input<'_>
    Closed of Input<'_>
    SaslOutcome of Action
    Open of Action
    Attach of Action
    Detach of Action
    Deliver of Action
    Close of Action
    Abort of Action
}

impl<'a> From<SaslInit<'a>> for Input<'a> {
    fn from(part: SaslInit<'a>) -> Self {
        Self::SaslInit(part)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_login_is_not_printed() {
        let init = SaslInit::new(Connection::new(1), b"canary-user", b"canary-word");
        let input = format!("{:?}", Input::from(init));
        assert!(!input.contains("canary"), "{input}");
        assert!(!input.contains("99, 97, 110"), "{input}");
    }

    #[test]
    fn every_action_names_its_connection() {
        let connection = Connection::new(7);
        let message = Message::new([], b"body");
        let actions: [Action; 7] = [
            SaslOutcome::new(connection, SaslCode::OK).into(),
            Open::new(connection, None).into(),
            Attach::new(connection, 1).into(),
            Detach::new(connection, 1, "amqp:not-implemented", "").into(),
            Deliver::new(DeliveryId::new(connection, 1), message).into(),
            Close::new(connection, "amqp:connection:forced", "").into(),
            Abort::new(connection).into(),
        ];
        for action in actions {
            assert_eq!(action.connection(), connection, "{action:?}");
        }
    }
}
