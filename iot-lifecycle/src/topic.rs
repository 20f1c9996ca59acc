//! Where the events are published: topic names, filters and the rules that select them (specification section 1).

use alloc::string::String;
use core::fmt;

/// The topic of one event: its kind and its client.
///
/// Everything behind the kind is the client id, slashes and all; nothing is percent-decoded.
///
/// ```
/// use iot_lifecycle::{Topic, TopicKind};
///
/// let topic = Topic::parse("$aws/events/presence/connected/site 7/gateway")?;
/// assert_eq!((topic.kind(), topic.client_id()), (TopicKind::Connected, "site 7/gateway"));
///
/// let topic = Topic::new(TopicKind::Subscribed, "device-1")?;
/// assert_eq!(topic.to_string(), "$aws/events/subscriptions/subscribed/device-1");
/// # Ok::<(), iot_lifecycle::TopicError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic<'a> {
    kind: TopicKind,
    client_id: &'a str,
}

/// The kinds of event that have topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TopicKind {
    /// `presence/connected`.
    Connected,
    /// `presence/disconnected`.
    Disconnected,
    /// `presence/connect_failed`.
    ConnectFailed,
    /// `subscriptions/subscribed`.
    Subscribed,
    /// `subscriptions/unsubscribed`.
    Unsubscribed,
}

/// What a consumer subscribes to, or selects in a rule.
///
/// A subscription to `#` does not deliver these topics; name them.
///
/// ```
/// use iot_lifecycle::{Filter, TopicKind};
///
/// let filter = Filter::Kind(TopicKind::Disconnected);
/// assert_eq!(filter.to_string(), "$aws/events/presence/disconnected/#");
/// assert_eq!(
///     filter.rule_sql(Some("iotconsole-"))?,
///     "SELECT * FROM '$aws/events/presence/disconnected/#' WHERE startswith(clientId, 'iotconsole-') = false",
/// );
/// # Ok::<(), iot_lifecycle::RuleSqlError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter<'a> {
    /// One client, one kind: the topic itself.
    Client(Topic<'a>),
    /// All clients, one kind (`…/#`).
    Kind(TopicKind),
    /// All clients without `/` in their id, one kind (`…/+`).
    KindOneLevel(TopicKind),
    /// All kinds of presence (`presence/#`), `connect_failed` among them: that is no sign of a device going away.
    Presence,
    /// The same for clients without `/` in their id (`presence/+/+`).
    PresenceOneLevel,
    /// Both kinds of subscription event (`subscriptions/#`).
    Subscriptions,
}

impl<'a> Topic<'a> {
    /// The topic of events of this kind and client.
    ///
    /// # Errors
    /// Those of the client id: it has 1 to 128 bytes, no NUL, no `+`, no `#`, and does not begin with `$`.
    pub fn new(kind: TopicKind, client_id: &'a str) -> Result<Self, TopicError> {
        check_client_id(client_id)?;
        if client_id.starts_with('$') {
            return Err(TopicError::ReservedClientId);
        }
        Ok(Self { kind, client_id })
    }

    /// Reads a topic name. A client id that begins with `$` is read, because the service itself may use one.
    ///
    /// # Errors
    /// Says what is not as in specification section 1.1.
    pub fn parse(name: &'a str) -> Result<Self, TopicError> {
        let rest = name.strip_prefix(ROOT).ok_or(TopicError::NotLifecycle)?;
        let (family, rest) = rest.split_once('/').ok_or(TopicError::NotLifecycle)?;
        let family =
            FAMILIES.into_iter().find(|known| *known == family).ok_or(TopicError::NotLifecycle)?;
        let (kind, client_id) = match rest.split_once('/') {
            Some((kind, client_id)) => (kind, Some(client_id)),
            None => (rest, None),
        };
        let kind = TopicKind::from_event_type(kind)
            .filter(|known| known.family() == family)
            .ok_or_else(|| TopicError::UnknownKind { family, kind: kind.into() })?;
        let client_id = client_id.ok_or(TopicError::MissingClientId)?;
        check_client_id(client_id)?;
        Ok(Self { kind, client_id })
    }

    /// The kind of event.
    #[must_use]
    pub const fn kind(&self) -> TopicKind {
        self.kind
    }

    /// The client: 1 to 128 bytes.
    #[must_use]
    pub const fn client_id(&self) -> &'a str {
        self.client_id
    }
}

impl TopicKind {
    /// The `eventType` that a payload of this kind carries.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::ConnectFailed => "connect_failed",
            Self::Subscribed => "subscribed",
            Self::Unsubscribed => "unsubscribed",
        }
    }

    #[inline]
    pub(crate) fn from_event_type(event_type: &str) -> Option<Self> {
        Some(match event_type {
            "connected" => Self::Connected,
            "disconnected" => Self::Disconnected,
            "connect_failed" => Self::ConnectFailed,
            "subscribed" => Self::Subscribed,
            "unsubscribed" => Self::Unsubscribed,
            _ => return None,
        })
    }

    const fn family(self) -> &'static str {
        match self {
            Self::Connected | Self::Disconnected | Self::ConnectFailed => PRESENCE,
            Self::Subscribed | Self::Unsubscribed => SUBSCRIPTIONS,
        }
    }
}

impl Filter<'_> {
    /// The text of a rule that selects these events whole, but for clients whose id begins with `except_prefix`: those
    /// of the web console begin with `iotconsole-`.
    ///
    /// # Errors
    /// [`RuleSqlError`] when the client id or the prefix holds a character that could end the text it is quoted in.
    pub fn rule_sql(&self, except_prefix: Option<&str>) -> Result<String, RuleSqlError> {
        let filter = alloc::format!("{self}");
        let mut sql = alloc::format!("SELECT * FROM '{}'", quotable(&filter)?);
        if let Some(prefix) = except_prefix {
            // Compared explicitly: the service refuses a bare `NOT startswith(…)`.
            sql.push_str(" WHERE startswith(clientId, '");
            sql.push_str(quotable(prefix)?);
            sql.push_str("') = false");
        }
        Ok(sql)
    }
}

impl fmt::Display for Topic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, client_id } = self;
        write!(f, "{ROOT}{kind}/{client_id}")
    }
}

impl fmt::Display for TopicKind {
    /// The two levels that name the kind, as in `presence/connected`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.family(), self.event_type())
    }
}

impl fmt::Display for Filter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(topic) => topic.fmt(f),
            Self::Kind(kind) => write!(f, "{ROOT}{kind}/#"),
            Self::KindOneLevel(kind) => write!(f, "{ROOT}{kind}/+"),
            Self::Presence => write!(f, "{ROOT}{PRESENCE}/#"),
            Self::PresenceOneLevel => write!(f, "{ROOT}{PRESENCE}/+/+"),
            Self::Subscriptions => write!(f, "{ROOT}{SUBSCRIPTIONS}/#"),
        }
    }
}

/// Why a text is not the topic of a lifecycle event, or not the id of a client that has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// It does not begin with `$aws/events/presence/` or `$aws/events/subscriptions/`.
    #[error("not the topic of a lifecycle event")]
    NotLifecycle,
    /// The family is known, its member is not: perhaps newer than this version of the crate.
    #[error("no kind {kind:?} of event is known under {family}")]
    UnknownKind {
        /// `presence` or `subscriptions`.
        family: &'static str,
        /// The level behind it, as it came.
        kind: String,
    },
    /// The name ends with the kind.
    #[error("the topic ends before the client id")]
    MissingClientId,
    /// There is a level for it, with nothing in it.
    #[error("the client id is empty")]
    EmptyClientId,
    /// Counted in bytes of UTF-8.
    #[error("the client id has {bytes} bytes, at most {MAX_CLIENT_ID_BYTES} are allowed")]
    ClientIdTooLong {
        /// Its length.
        bytes: usize,
    },
    /// `+` or `#` in a name: a client with such an id gets no lifecycle events.
    #[error("the client id holds a wildcard, + or #")]
    Wildcard,
    /// U+0000.
    #[error("the client id holds a NUL character")]
    Nul,
    /// Ids that begin with `$` are the service's own; only building a topic refuses them.
    #[error("the client id begins with $, which is reserved: choose another id")]
    ReservedClientId,
}

/// Why a rule cannot be written.
///
/// A quote in a client id would end the text it stands in, and what follows would be read as SQL. How the rules engine
/// reads an escaped quote is not documented, so none is written: such a rule is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RuleSqlError {
    /// A single quote, a backslash or a control character.
    #[error(
        "{character:?} cannot be quoted in a rule: select all clients and filter in the consumer"
    )]
    Unquotable {
        /// The first such character.
        character: char,
    },
}

/// Whether events can be about such a client (specification section 1.1).
#[inline]
pub(crate) fn check_client_id(client_id: &str) -> Result<(), TopicError> {
    let bytes = client_id.len();
    if bytes == 0 {
        return Err(TopicError::EmptyClientId);
    }
    if bytes > MAX_CLIENT_ID_BYTES {
        return Err(TopicError::ClientIdTooLong { bytes });
    }
    let (mut wildcard, mut nul) = (false, false);
    for byte in client_id.bytes() {
        wildcard |= matches!(byte, b'+' | b'#');
        nul |= byte == 0;
    }
    match (wildcard, nul) {
        (true, _) => Err(TopicError::Wildcard),
        (_, true) => Err(TopicError::Nul),
        _ => Ok(()),
    }
}

fn quotable(text: &str) -> Result<&str, RuleSqlError> {
    let breaks_out = |character: &char| matches!(character, '\'' | '\\') || character.is_control();
    match text.chars().find(breaks_out) {
        Some(character) => Err(RuleSqlError::Unquotable { character }),
        None => Ok(text),
    }
}

const ROOT: &str = "$aws/events/";
const PRESENCE: &str = "presence";
const SUBSCRIPTIONS: &str = "subscriptions";
const FAMILIES: [&str; 2] = [PRESENCE, SUBSCRIPTIONS];
const MAX_CLIENT_ID_BYTES: usize = 128;
