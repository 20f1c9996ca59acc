//! The MQTT vocabulary: all that an MQTT client must report and do.
//!
//! What an adapter and a machine agree on:
//!
//! - A [`Link`] numbers one connection. Actions and inputs name theirs; an input of an old link is ignored.
//! - A machine opens its own links, or it is a guest on a connection that the application keeps and hears only
//!   [`Opened`] and [`Closed`]. The adapter never reconnects and never subscribes by itself: the machine does, after
//!   every [`Opened`].
//! - [`Done`] means: a QoS 0 publish was handed over, a QoS 1 or 2 publish was acknowledged, a subscription was granted,
//!   an unsubscription was confirmed. [`Failed`] means refused, or an action that this adapter does not know.
//! - [`Closed`] voids the open tokens of its link.
//! - Keeping the connection alive is the client's business; [`ConnectOptions::keep_alive`] says how often.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::Vocabulary;

mod connect;

pub use connect::{ConnackCode, ConnectOptions, Credentials, Transport, Version};

/// The vocabulary itself, for [`Machine::Vocabulary`](crate::Machine::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name for a pair of types, without values")]
pub enum Mqtt {}

impl Vocabulary for Mqtt {
    type Input<'a> = Input<'a>;
    type Action = Action;
}

/// Numbers one connection. Whoever opens the connection picks the number, and uses none twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link(u32);

/// Names one action until its [`Done`] or [`Failed`]; unique on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

macro_rules! number {
    ($name:ident, $inner:ty) => {
        impl $name {
            /// The one with this number.
            #[must_use]
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// Its number.
            #[must_use]
            pub const fn get(self) -> $inner {
                self.0
            }

            /// The one after this, for whoever hands them out.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.wrapping_add(1))
            }
        }
    };
}

number!(Link, u32);
number!(Token, u64);

/// What reached the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A connection is up.
    Opened(Opened),
    /// A connection is gone, or could not be made.
    Closed(Closed),
    /// A message arrived.
    Message(Message<'a>),
    /// An action succeeded.
    Done(Done),
    /// An action failed.
    Failed(Failed),
}

/// A connection is up: the broker accepted CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Opened {
    /// The connection.
    pub link: Link,
    /// Whether the broker kept a session from before, as CONNACK says.
    pub session_present: bool,
}

/// A connection is gone, or could not be made. Every open token of the link is void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Closed {
    /// The connection.
    pub link: Link,
    /// Why.
    pub reason: CloseReason,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// The broker refused CONNECT.
    Refused(ConnackCode),
    /// The transport failed, was closed by the peer, or could not be reached.
    Lost,
    /// The machine or the application asked for it.
    Requested,
}

/// A message that arrived. `Debug` shows the length of its payload only: it may hold what must not be printed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message<'a> {
    /// The connection it came over.
    pub link: Link,
    /// Its topic name.
    pub topic: &'a str,
    /// Its payload: any bytes.
    pub payload: &'a [u8],
    /// Whether the broker sent a retained message.
    pub retain: bool,
}

/// An action succeeded; what that means for each is in the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Done {
    /// The connection.
    pub link: Link,
    /// The action's token.
    pub token: Token,
}

/// An action was refused, or the adapter does not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Failed {
    /// The connection.
    pub link: Link,
    /// The action's token.
    pub token: Token,
}

impl Opened {
    /// `link` is up.
    #[must_use]
    pub const fn new(link: Link, session_present: bool) -> Self {
        Self { link, session_present }
    }
}

impl Closed {
    /// `link` is gone for this reason.
    #[must_use]
    pub const fn new(link: Link, reason: CloseReason) -> Self {
        Self { link, reason }
    }
}

impl<'a> Message<'a> {
    /// A message that is not retained.
    #[must_use]
    pub const fn new(link: Link, topic: &'a str, payload: &'a [u8]) -> Self {
        Self { link, topic, payload, retain: false }
    }

    /// The same message, retained or not.
    #[must_use]
    pub const fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }
}

impl Done {
    /// The action with this token on `link` succeeded.
    #[must_use]
    pub const fn new(link: Link, token: Token) -> Self {
        Self { link, token }
    }
}

impl Failed {
    /// The action with this token on `link` failed.
    #[must_use]
    pub const fn new(link: Link, token: Token) -> Self {
        Self { link, token }
    }
}

/// What the transport is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Open a connection; answered by [`Opened`] or [`Closed`].
    Open(Open),
    /// Close a connection; answered by [`Closed`].
    Close(Close),
    /// Subscribe; answered by [`Done`] or [`Failed`].
    Subscribe(Subscribe),
    /// Unsubscribe; answered by [`Done`] or [`Failed`].
    Unsubscribe(Unsubscribe),
    /// Publish; answered by [`Done`] or [`Failed`].
    Publish(Publish),
}

impl Action {
    /// The connection it is for.
    #[must_use]
    pub const fn link(&self) -> Link {
        match self {
            Self::Open(open) => open.link,
            Self::Close(close) => close.link,
            Self::Subscribe(subscribe) => subscribe.link,
            Self::Unsubscribe(unsubscribe) => unsubscribe.link,
            Self::Publish(publish) => publish.link,
        }
    }

    /// The token to report as failed when the adapter does not know this action; none for opening and closing.
    #[must_use]
    pub const fn token(&self) -> Option<Token> {
        match self {
            Self::Open(_) | Self::Close(_) => None,
            Self::Subscribe(subscribe) => Some(subscribe.token),
            Self::Unsubscribe(unsubscribe) => Some(unsubscribe.token),
            Self::Publish(publish) => Some(publish.token),
        }
    }
}

/// Open a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Open {
    /// The number of the new connection.
    pub link: Link,
    /// Where to, and with which CONNECT. Boxed: it is large beside the other actions, and rare.
    pub options: Box<ConnectOptions>,
}

/// Close a connection, with DISCONNECT if it is up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Close {
    /// The connection.
    pub link: Link,
}

/// Subscribe to one filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Subscribe {
    /// The connection.
    pub link: Link,
    /// Names this action in its answer.
    pub token: Token,
    /// The topic filter, wildcards allowed.
    pub filter: String,
    /// The highest quality of service to deliver with.
    pub qos: Qos,
}

/// Unsubscribe from one filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unsubscribe {
    /// The connection.
    pub link: Link,
    /// Names this action in its answer.
    pub token: Token,
    /// The topic filter, as it was subscribed to.
    pub filter: String,
}

/// Publish one message. `Debug` shows the length of its payload only: it may hold what must not be printed.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Publish {
    /// The connection.
    pub link: Link,
    /// Names this action in its answer.
    pub token: Token,
    /// The topic name, without wildcards.
    pub topic: String,
    /// The payload: any bytes.
    pub payload: Vec<u8>,
    /// The quality of service to publish with.
    pub qos: Qos,
    /// Whether the broker shall keep the message for later subscribers.
    pub retain: bool,
}

/// Quality of service, as MQTT numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed by the MQTT specification")]
pub enum Qos {
    /// QoS 0: at most once.
    AtMostOnce,
    /// QoS 1: at least once.
    AtLeastOnce,
    /// QoS 2: exactly once.
    ExactlyOnce,
}

impl Open {
    /// Open `link` with these options.
    #[must_use]
    pub fn new(link: Link, options: ConnectOptions) -> Self {
        Self { link, options: Box::new(options) }
    }
}

impl Close {
    /// Close `link`.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { link }
    }
}

impl Subscribe {
    /// Subscribe to `filter` on `link`.
    #[must_use]
    pub fn new(link: Link, token: Token, filter: impl Into<String>, qos: Qos) -> Self {
        Self { link, token, filter: filter.into(), qos }
    }
}

impl Unsubscribe {
    /// Unsubscribe from `filter` on `link`.
    #[must_use]
    pub fn new(link: Link, token: Token, filter: impl Into<String>) -> Self {
        Self { link, token, filter: filter.into() }
    }
}

impl Publish {
    /// Publish on `topic` of `link`, not retained.
    #[must_use]
    pub fn new(
        link: Link,
        token: Token,
        topic: impl Into<String>,
        payload: impl Into<Vec<u8>>,
        qos: Qos,
    ) -> Self {
        let (topic, payload) = (topic.into(), payload.into());
        Self { link, token, topic, payload, qos, retain: false }
    }

    /// The same publish, retained or not.
    #[must_use]
    pub fn with_retain(self, retain: bool) -> Self {
        Self { retain, ..self }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("link", &self.link)
            .field("topic", &self.topic)
            .field("payload", &Bytes(self.payload.len()))
            .field("retain", &self.retain)
            .finish()
    }
}

impl fmt::Debug for Publish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("link", &self.link)
            .field("token", &self.token)
            .field("topic", &self.topic)
            .field("payload", &Bytes(self.payload.len()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish()
    }
}

/// Stands for a payload of this many bytes.
struct Bytes(usize);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0)
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
    Opened of Input<'_>
    Closed of Input<'_>
    Done of Input<'_>
    Failed of Input<'_>
    Open of Action
    Close of Action
    Subscribe of Action
    Unsubscribe of Action
    Publish of Action
}

impl<'a> From<Message<'a>> for Input<'a> {
    fn from(message: Message<'a>) -> Self {
        Self::Message(message)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn an_open_action_prints_no_password() {
        let options =
            ConnectOptions::new("h", 1, Transport::Tcp, "c").with_credentials("u", "canary");
        let action = Action::from(Open::new(Link::new(1), options));
        assert!(!format!("{action:?}").contains("canary"));
    }

    #[test]
    fn a_payload_is_not_printed() {
        let (link, token) = (Link::new(1), Token::new(1));
        let publish = Publish::new(link, token, "a", "canary", Qos::AtMostOnce);
        assert!(format!("{publish:?}").contains("payload: [6 bytes]"));
        let message = Message::new(link, "a", b"canary");
        assert!(format!("{message:?}").contains("payload: [6 bytes]"));
    }

    #[test]
    fn every_action_that_is_answered_by_token_has_one() {
        let (link, token) = (Link::new(7), Token::new(9));
        let options = ConnectOptions::new("h", 1, Transport::Tcp, "c");
        let actions: [(Action, Option<Token>); 5] = [
            (Open::new(link, options).into(), None),
            (Close::new(link).into(), None),
            (Subscribe::new(link, token, "a/#", Qos::AtLeastOnce).into(), Some(token)),
            (Unsubscribe::new(link, token, "a/#").into(), Some(token)),
            (Publish::new(link, token, "a", "b", Qos::AtMostOnce).into(), Some(token)),
        ];
        for (action, expected) in actions {
            assert_eq!((action.link(), action.token()), (link, expected), "{action:?}");
        }
    }
}
