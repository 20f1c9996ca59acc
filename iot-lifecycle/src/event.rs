//! Lifecycle events, typed.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use iot_sansio::UnixMillis;

use crate::{ConnectFailureReason, DisconnectReason, SessionId};

/// One lifecycle event (specification section 2.1). It borrows its text from the payload where it can.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Event<'a> {
    /// `clientId`: 1 to 128 bytes.
    pub client_id: Cow<'a, str>,
    /// `timestamp`: when it happened by the service's clock, within about two minutes.
    pub timestamp: UnixMillis,
    /// `sessionIdentifier` as it came; [`Event::session`] gives its normal form.
    pub session_identifier: Option<Cow<'a, str>>,
    /// `principalIdentifier`: the credential used to authenticate.
    pub principal_identifier: Option<PrincipalIdentifier<'a>>,
    /// `ipAddress` as it came, which need not be an address.
    pub ip_address: Option<Cow<'a, str>>,
    /// `thingName`, when the client is attached exclusively to one thing.
    pub thing_name: Option<Cow<'a, str>>,
    /// `eventType`, with what belongs to that type.
    pub kind: EventKind<'a>,
}

/// What happened. There is no default arm: of all kinds only [`Disconnected`] can mean that a device went away.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind<'a> {
    /// `connected`: a client connected.
    Connected(Connected),
    /// `disconnected`: a client's connection ended.
    Disconnected(Disconnected<'a>),
    /// `connect_failed`: somebody could not connect under this client id. Says nothing of the device's presence.
    ConnectFailed(ConnectFailed<'a>),
    /// `subscribed`: a client subscribed to these filters.
    Subscribed(Topics<'a>),
    /// `unsubscribed`: a client unsubscribed from these filters.
    Unsubscribed(Topics<'a>),
    /// A kind that this version of the crate does not know.
    Unknown(UnknownKind<'a>),
}

/// What belongs to `connected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connected {
    /// `versionNumber`: grows with every connection of the client, until it starts again at 0. Never negative.
    pub version_number: Option<i64>,
}

/// What belongs to `disconnected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Disconnected<'a> {
    /// `versionNumber`: that of the connection which ended. Never negative.
    pub version_number: Option<i64>,
    /// `clientInitiatedDisconnect`: whether the client asked to end the connection.
    pub client_initiated_disconnect: Option<bool>,
    /// `disconnectReason`.
    pub disconnect_reason: Option<DisconnectReason<'a>>,
}

/// What belongs to `connect_failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ConnectFailed<'a> {
    /// `connectFailureReason`.
    pub connect_failure_reason: Option<ConnectFailureReason<'a>>,
}

/// `topics`: the topic filters of one request, wildcards and `$share/...` among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Topics<'a> {
    /// The filters, in the order of the request.
    pub topics: Vec<Cow<'a, str>>,
}

/// An `eventType` that this version of the crate does not know, exactly as it came; only decoding makes one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownKind<'a>(Cow<'a, str>);

/// `principalIdentifier`: the credential used to authenticate, opaque (specification section 2.4).
///
/// It may hold personal data, an e-mail address as a session name for example, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PrincipalIdentifier<'a>(Cow<'a, str>);

impl<'a> Event<'a> {
    /// An event with its required parts; the others are fields to set.
    ///
    /// ```
    /// use iot_lifecycle::{Connected, Event};
    /// use iot_sansio::UnixMillis;
    ///
    /// let event = Event::new("device-1", UnixMillis::new(1_573_002_230_757), Connected::new(3));
    /// assert_eq!(event.kind.event_type(), "connected");
    /// ```
    #[must_use]
    pub fn new(
        client_id: impl Into<Cow<'a, str>>,
        timestamp: UnixMillis,
        kind: impl Into<EventKind<'a>>,
    ) -> Self {
        Self {
            client_id: client_id.into(),
            timestamp,
            session_identifier: None,
            principal_identifier: None,
            ip_address: None,
            thing_name: None,
            kind: kind.into(),
        }
    }

    /// The session in its normal form; none when absent or empty.
    #[must_use]
    pub fn session(&self) -> Option<SessionId<'_>> {
        SessionId::new(&**self.session_identifier.as_ref()?)
    }

    /// The same, owning its text.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event {
            client_id: owned(self.client_id),
            timestamp: self.timestamp,
            session_identifier: self.session_identifier.map(owned),
            principal_identifier: self
                .principal_identifier
                .map(|p| PrincipalIdentifier(owned(p.0))),
            ip_address: self.ip_address.map(owned),
            thing_name: self.thing_name.map(owned),
            kind: self.kind.into_owned(),
        }
    }
}

impl EventKind<'_> {
    /// The `eventType` on the wire.
    #[must_use]
    pub fn event_type(&self) -> &str {
        match self {
            Self::Connected(_) => "connected",
            Self::Disconnected(_) => "disconnected",
            Self::ConnectFailed(_) => "connect_failed",
            Self::Subscribed(_) => "subscribed",
            Self::Unsubscribed(_) => "unsubscribed",
            Self::Unknown(kind) => kind.as_str(),
        }
    }

    fn into_owned(self) -> EventKind<'static> {
        match self {
            Self::Connected(connected) => EventKind::Connected(connected),
            Self::Disconnected(disconnected) => EventKind::Disconnected(Disconnected {
                version_number: disconnected.version_number,
                client_initiated_disconnect: disconnected.client_initiated_disconnect,
                disconnect_reason: disconnected.disconnect_reason.map(DisconnectReason::into_owned),
            }),
            Self::ConnectFailed(failed) => EventKind::ConnectFailed(ConnectFailed {
                connect_failure_reason: failed
                    .connect_failure_reason
                    .map(ConnectFailureReason::into_owned),
            }),
            Self::Subscribed(topics) => EventKind::Subscribed(topics.into_owned()),
            Self::Unsubscribed(topics) => EventKind::Unsubscribed(topics.into_owned()),
            Self::Unknown(UnknownKind(text)) => EventKind::Unknown(UnknownKind(owned(text))),
        }
    }
}

impl Connected {
    /// With this version, 0 to `i64::MAX`.
    #[must_use]
    pub const fn new(version_number: i64) -> Self {
        Self { version_number: Some(version_number) }
    }
}

impl<'a> Disconnected<'a> {
    /// With this version, 0 to `i64::MAX`, and this reason.
    #[must_use]
    pub fn new(version_number: i64, reason: impl Into<DisconnectReason<'a>>) -> Self {
        let reason = reason.into();
        Self {
            version_number: Some(version_number),
            client_initiated_disconnect: Some(
                reason == DisconnectReason::ClientInitiatedDisconnect,
            ),
            disconnect_reason: Some(reason),
        }
    }
}

impl<'a> ConnectFailed<'a> {
    /// With this reason.
    #[must_use]
    pub fn new(reason: impl Into<ConnectFailureReason<'a>>) -> Self {
        Self { connect_failure_reason: Some(reason.into()) }
    }
}

impl<'a> Topics<'a> {
    /// These filters.
    #[must_use]
    pub fn new(topics: impl IntoIterator<Item = impl Into<Cow<'a, str>>>) -> Self {
        Self { topics: topics.into_iter().map(Into::into).collect() }
    }

    fn into_owned(self) -> Topics<'static> {
        Topics { topics: self.topics.into_iter().map(owned).collect() }
    }
}

impl<'a> UnknownKind<'a> {
    /// The caller has seen that no known kind has this name.
    pub(crate) const fn new(event_type: Cow<'a, str>) -> Self {
        Self(event_type)
    }

    /// The `eventType` as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> PrincipalIdentifier<'a> {
    /// This text.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
        Self(text.into())
    }

    /// The text as it came. Do not log it by default.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrincipalIdentifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrincipalIdentifier([redacted])")
    }
}

macro_rules! into_variant {
    ($($part:ty => $variant:ident,)*) => {
        $(impl<'a> From<$part> for EventKind<'a> {
            fn from(part: $part) -> Self {
                Self::$variant(part)
            }
        })*
    };
}

into_variant! {
    Connected => Connected,
    Disconnected<'a> => Disconnected,
    ConnectFailed<'a> => ConnectFailed,
    UnknownKind<'a> => Unknown,
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(String::from(text))
}
