//! The vocabulary of the cloud: what its two brokers see of each connection, and what they are asked to do.
//!
//! What an adapter and the machine agree on:
//!
//! - A [`Link`] numbers one connection. The adapter picks the numbers, and they grow, whichever broker it is on.
//! - Every [`Connect`] is answered by [`Connack`]. A link that was refused, closed or told as [`Closed`] is over: nothing
//!   more is asked of it, and nothing that comes from it counts.
//! - A [`Deliver`] goes down its link alone, whether that subscribed or not.
//! - PINGREQ is told as [`Ping`] and answered by [`Pong`], unless the broker keeps watch over silence itself: it then says
//!   so in [`Connect::keep_alive`].

use alloc::{string::String, vec::Vec};
use core::fmt;

use iot_sansio::{
    Vocabulary,
    mqtt::{ConnackCode, Link, Token},
};

use crate::{KeepAlive, Stage};

/// The vocabulary itself, for [`Machine::Vocabulary`](iot_sansio::Machine::Vocabulary).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name for a pair of types, without values")]
pub enum Server {}

impl Vocabulary for Server {
    type Input<'a> = Input<'a>;
    type Action = Action;
}

/// What reached a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// CONNECT.
    Connect(Connect<'a>),
    /// SUBSCRIBE.
    Subscribe(Subscribe<'a>),
    /// UNSUBSCRIBE.
    Unsubscribe(Unsubscribe<'a>),
    /// PUBLISH.
    Publish(Publish<'a>),
    /// PINGREQ.
    Ping(Ping),
    /// DISCONNECT, or the connection is gone.
    Closed(Closed),
}

/// CONNECT. `Debug` shows neither user name nor password.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connect<'a> {
    /// The connection.
    pub link: Link,
    /// The broker.
    pub stage: Stage,
    /// The client identifier.
    pub client_id: &'a str,
    /// The user name, if there is one.
    pub user_name: Option<&'a str>,
    /// The password, if there is one.
    pub password: Option<&'a [u8]>,
    /// The silence that the client promises; off where the broker keeps watch itself.
    pub keep_alive: KeepAlive,
}

/// SUBSCRIBE, one filter of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Subscribe<'a> {
    /// The connection.
    pub link: Link,
    /// Names this in its answer.
    pub token: Token,
    /// The topic filter.
    pub filter: &'a str,
}

/// UNSUBSCRIBE, one filter of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unsubscribe<'a> {
    /// The connection.
    pub link: Link,
    /// Names this in its answer.
    pub token: Token,
    /// The topic filter.
    pub filter: &'a str,
}

/// PUBLISH; the broker acknowledges it by itself where its quality of service asks for that. `Debug` shows the length of
/// its payload only.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Publish<'a> {
    /// The connection.
    pub link: Link,
    /// The topic name.
    pub topic: &'a str,
    /// The payload: any bytes.
    pub payload: &'a [u8],
}

/// PINGREQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ping {
    /// The connection.
    pub link: Link,
}

/// DISCONNECT, or the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Closed {
    /// The connection.
    pub link: Link,
}

impl<'a> Connect<'a> {
    /// A client wants to connect to this broker, without credentials; the broker keeps watch over its silence itself.
    #[must_use]
    pub const fn new(link: Link, stage: Stage, client_id: &'a str) -> Self {
        let keep_alive = KeepAlive::OFF;
        Self { link, stage, client_id, user_name: None, password: None, keep_alive }
    }

    /// With this user name and password.
    #[must_use]
    pub const fn with_credentials(self, user_name: &'a str, password: &'a [u8]) -> Self {
        Self { user_name: Some(user_name), password: Some(password), ..self }
    }

    /// With this promise, which the machine watches over.
    #[must_use]
    pub const fn with_keep_alive(self, keep_alive: KeepAlive) -> Self {
        Self { keep_alive, ..self }
    }
}

impl<'a> Subscribe<'a> {
    /// A client wants to subscribe to this filter.
    #[must_use]
    pub const fn new(link: Link, token: Token, filter: &'a str) -> Self {
        Self { link, token, filter }
    }
}

impl<'a> Unsubscribe<'a> {
    /// A client wants to unsubscribe from this filter.
    #[must_use]
    pub const fn new(link: Link, token: Token, filter: &'a str) -> Self {
        Self { link, token, filter }
    }
}

impl<'a> Publish<'a> {
    /// A client published this.
    #[must_use]
    pub const fn new(link: Link, topic: &'a str, payload: &'a [u8]) -> Self {
        Self { link, topic, payload }
    }
}

impl Ping {
    /// A client sent PINGREQ.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { link }
    }
}

impl Closed {
    /// `link` is gone.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { link }
    }
}

/// What a broker is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Answer CONNECT.
    Connack(Connack),
    /// Answer SUBSCRIBE.
    Suback(Suback),
    /// Answer UNSUBSCRIBE.
    Unsuback(Unsuback),
    /// Send a message down one link.
    Deliver(Deliver),
    /// Answer PINGREQ.
    Pong(Pong),
    /// Close a connection.
    Close(Close),
}

impl Action {
    /// The connection it is for.
    #[must_use]
    pub const fn link(&self) -> Link {
        match self {
            Self::Connack(connack) => connack.link,
            Self::Suback(suback) => suback.link,
            Self::Unsuback(unsuback) => unsuback.link,
            Self::Deliver(deliver) => deliver.link,
            Self::Pong(pong) => pong.link,
            Self::Close(close) => close.link,
        }
    }
}

/// Answer CONNECT. After a refusal the link is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connack {
    /// The connection.
    pub link: Link,
    /// Why it is refused; none accepts it.
    pub refused: Option<ConnackCode>,
}

/// Answer SUBSCRIBE: QoS 0 is granted, whatever was asked for, or the failure 0x80.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Suback {
    /// The connection.
    pub link: Link,
    /// What is answered.
    pub token: Token,
    /// Whether it is granted.
    pub granted: bool,
}

/// Answer UNSUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unsuback {
    /// The connection.
    pub link: Link,
    /// What is answered.
    pub token: Token,
}

/// Send a message down this link alone, with QoS 0. `Debug` shows the length of its payload only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Deliver {
    /// The connection.
    pub link: Link,
    /// The topic name.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
}

/// Answer PINGREQ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Pong {
    /// The connection.
    pub link: Link,
}

/// Close a connection. It is over at once; [`Closed`] need not be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Close {
    /// The connection.
    pub link: Link,
}

impl Connack {
    /// Accept `link`, or refuse it with this code.
    #[must_use]
    pub const fn new(link: Link, refused: Option<ConnackCode>) -> Self {
        Self { link, refused }
    }
}

impl Suback {
    /// Grant a subscription, or refuse it.
    #[must_use]
    pub const fn new(link: Link, token: Token, granted: bool) -> Self {
        Self { link, token, granted }
    }
}

impl Unsuback {
    /// Confirm the end of a subscription.
    #[must_use]
    pub const fn new(link: Link, token: Token) -> Self {
        Self { link, token }
    }
}

impl Deliver {
    /// Send this down `link`.
    #[must_use]
    pub fn new(link: Link, topic: impl Into<String>, payload: impl Into<Vec<u8>>) -> Self {
        Self { link, topic: topic.into(), payload: payload.into() }
    }
}

impl Pong {
    /// Answer the PINGREQ of `link`.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { link }
    }
}

impl Close {
    /// Close `link`.
    #[must_use]
    pub const fn new(link: Link) -> Self {
        Self { link }
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("link", &self.link)
            .field("stage", &self.stage)
            .field("client_id", &self.client_id)
            .field("keep_alive", &self.keep_alive)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_message(f, "Publish", self.link, self.topic, self.payload)
    }
}

impl fmt::Debug for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_message(f, "Deliver", self.link, &self.topic, &self.payload)
    }
}

fn fmt_message(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    link: Link,
    topic: &str,
    payload: &[u8],
) -> fmt::Result {
    f.debug_struct(name)
        .field("link", &link)
        .field("topic", &topic)
        .field("payload", &format_args!("[{} bytes]", payload.len()))
        .finish()
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
    Ping of Input<'_>
    Closed of Input<'_>
    Connack of Action
    Suback of Action
    Unsuback of Action
    Deliver of Action
    Pong of Action
    Close of Action
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

into_borrowed_variant! { Connect Subscribe Unsubscribe Publish }
