//! Which of two events of one client is newer (specification section 4).

use core::{cmp::Ordering, time::Duration};

use iot_sansio::UnixMillis;

use crate::{Event, EventKind, SessionId};

/// The part of an event that decides order; a client's state is that of its newest event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "these four are all that order may depend on")]
pub struct Head<'a> {
    /// Connect or disconnect.
    pub kind: HeadKind,
    /// `versionNumber`; 0 and without meaning under [`Order::TimestampOnly`].
    pub version: i64,
    /// `sessionIdentifier`; none when unknown.
    pub session: Option<SessionId<'a>>,
    /// `timestamp`.
    pub timestamp: UnixMillis,
}

/// Which end of a connection an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a connection has two ends")]
pub enum HeadKind {
    /// The connection began: the client is up.
    Connect,
    /// The connection ended: the client is down.
    Disconnect,
}

impl Head<'_> {
    /// The same, borrowing from `self`.
    #[must_use]
    pub fn borrowed(&self) -> Head<'_> {
        Head { session: self.session.as_ref().map(SessionId::borrowed), ..*self }
    }

    /// The same, owning its session.
    #[must_use]
    pub fn into_owned(self) -> Head<'static> {
        Head {
            session: self.session.map(SessionId::into_owned),
            kind: self.kind,
            version: self.version,
            timestamp: self.timestamp,
        }
    }
}

/// How the events of a client are ordered. One tracker keeps to one order: mixing the two makes cycles (section 4.6).
///
/// For two events of one client:
///
/// | rule | condition | newer |
/// | --- | --- | --- |
/// | 1a | same version, both sessions known and equal | the disconnect; equal kinds are the same event |
/// | 1b | same version, both sessions known and different | the later; then the connect; then the larger session bytes |
/// | 1c | same version, a session unknown, more than Θ apart | the later |
/// | 1d | same version, a session unknown, at most Θ apart | the disconnect; equal kinds are the same event |
/// | 2a | versions differ, the lower is more than Θ later | the lower: the counter was reset in between |
/// | 2b | versions differ otherwise | the higher |
///
/// On events that keep the service's documented bounds this is a total order, so that keeping the newest commutes, and
/// does not mind repetition (section 4.3). On others it can be cyclic (section 4.5); it stays total on every pair.
///
/// ```
/// use core::cmp::Ordering;
/// use iot_lifecycle::{Head, HeadKind, Order};
/// use iot_sansio::UnixMillis;
///
/// let head = |version, timestamp| Head {
///     kind: HeadKind::Connect, version, session: None, timestamp: UnixMillis::new(timestamp),
/// };
/// let order = Order::default();
/// assert_eq!(order.compare(&head(4, 4_000), &head(2, 9_000)), Ordering::Greater);
/// // Two hours later and a lower version: the counter was reset.
/// assert_eq!(order.compare(&head(4, 4_000), &head(0, 7_200_000)), Ordering::Less);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// By version, with resets recognised by timestamps more than `theta` apart; an event without a version is refused.
    Versioned {
        /// Θ: 300 s by default. Any value from 300 s to 3360 s is right on the documented bounds; 10 s to 30 s suit
        /// clients whose MQTT 5 sessions expire within minutes (section 9, A1).
        theta: Duration,
    },
    /// By timestamp alone, for feeds that carry no version: total for any input, at the price of the clock's error.
    ///
    /// Sessions are then all that tells connections apart, so for clients whose session persists over reconnects the
    /// notes and [`connect_seen`](crate::presence::Presence::connect_seen) are approximate.
    ///
    /// Only timestamps of the lifecycle service compare. What a rule makes of other topics, for example
    /// `SELECT topic(3) as clientId, timestamp() as timestamp, "connected" as eventType` on a shadow topic, carries the
    /// clock of the rule engine and must not be put into the order: give it to
    /// [`Fleet::observe`](crate::fleet::Fleet::observe).
    TimestampOnly,
}

impl Default for Order {
    fn default() -> Self {
        Self::Versioned { theta: DEFAULT_THETA }
    }
}

impl Order {
    /// What decides the order of an event; none when its kind never changes presence.
    ///
    /// # Errors
    /// [`HeadError::MissingVersion`] or [`HeadError::NegativeVersion`] under [`Order::Versioned`],
    /// [`HeadError::SessionTooLong`] always.
    pub fn head<'a>(&self, event: &'a Event<'_>) -> Result<Option<Head<'a>>, HeadError> {
        let (kind, version) = match &event.kind {
            EventKind::Connected(connected) => (HeadKind::Connect, connected.version_number),
            EventKind::Disconnected(disconnected) => {
                (HeadKind::Disconnect, disconnected.version_number)
            }
            EventKind::ConnectFailed(_)
            | EventKind::Subscribed(_)
            | EventKind::Unsubscribed(_)
            | EventKind::Unknown(_) => return Ok(None),
        };
        let version = match self {
            Self::Versioned { .. } => match version.ok_or(HeadError::MissingVersion)? {
                version @ 0.. => version,
                _ => return Err(HeadError::NegativeVersion),
            },
            Self::TimestampOnly => 0,
        };
        let session = event.session();
        let bytes = session.as_ref().map_or(0, SessionId::len);
        if bytes > SessionId::MAX_BYTES {
            return Err(HeadError::SessionTooLong { bytes });
        }
        Ok(Some(Head { kind, version, session, timestamp: event.timestamp }))
    }

    /// `Greater` when `x` is newer than `y`, `Less` when it is older, `Equal` when both tell of the same event.
    ///
    /// Antisymmetric on every pair; not an [`Ord`], because it need not be transitive.
    #[must_use]
    pub fn compare(&self, x: &Head<'_>, y: &Head<'_>) -> Ordering {
        let by_time = x.timestamp.cmp(&y.timestamp);
        let Self::Versioned { .. } = self else {
            // At equal times the connect wins: a takeover in one millisecond is likelier than so short a connection.
            return by_time.then(y.kind.cmp(&x.kind)).then_with(|| x.session.cmp(&y.session));
        };
        let apart = self.apart(x, y);
        match x.version.cmp(&y.version) {
            Ordering::Less if apart && by_time.is_gt() => Ordering::Greater,
            Ordering::Greater if apart && by_time.is_lt() => Ordering::Less,
            Ordering::Equal => match (&x.session, &y.session) {
                (Some(one), Some(two)) if one == two => x.kind.cmp(&y.kind),
                (Some(one), Some(two)) => {
                    by_time.then(y.kind.cmp(&x.kind)).then_with(|| one.cmp(two))
                }
                _ if apart => by_time,
                _ => x.kind.cmp(&y.kind),
            },
            by_version => by_version,
        }
    }

    /// Whether `x` is newer than `y`.
    #[must_use]
    pub fn newer(&self, x: &Head<'_>, y: &Head<'_>) -> bool {
        self.compare(x, y).is_gt()
    }

    /// The newer of two. Where both tell of the same event, the one with the larger timestamp, then with the session
    /// known, so that the choice does not depend on which comes first.
    #[must_use]
    pub fn merge<'a>(&self, x: Head<'a>, y: Head<'a>) -> Head<'a> {
        if self.rank(&x, &y).is_gt() { x } else { y }
    }

    /// As [`compare`](Self::compare), and where both tell of the same event by what [`merge`](Self::merge) says.
    pub(crate) fn rank(&self, x: &Head<'_>, y: &Head<'_>) -> Ordering {
        let by_detail = || (x.timestamp, &x.session).cmp(&(y.timestamp, &y.session));
        self.compare(x, y).then_with(by_detail)
    }

    /// The newest of a set of events: a function of the set, whatever their order, for every input (section 4.5).
    ///
    /// It sorts the set first, which [`merge`](Self::merge) does not need on events that keep the documented bounds:
    /// for tests and audits.
    #[must_use]
    pub fn newest<'a>(&self, heads: &mut [Head<'a>]) -> Option<Head<'a>> {
        heads.sort_unstable_by(|x, y| {
            let key = |head: &Head<'_>| (head.timestamp, head.version, head.kind);
            key(x).cmp(&key(y)).then_with(|| x.session.cmp(&y.session))
        });
        heads.iter().cloned().reduce(|newest, head| self.merge(head, newest))
    }

    /// Whether two events tell of the same connection. This only chooses notes; it never decides order (section 5.2).
    #[must_use]
    pub fn same_connection(&self, x: &Head<'_>, y: &Head<'_>) -> bool {
        if x.version != y.version {
            return false;
        }
        if let (Some(one), Some(two)) = (&x.session, &y.session) {
            return one == two;
        }
        let begins_before_it_ends = match (x.kind, y.kind) {
            (HeadKind::Connect, HeadKind::Disconnect) => x.timestamp <= y.timestamp,
            (HeadKind::Disconnect, HeadKind::Connect) => y.timestamp <= x.timestamp,
            _ => false,
        };
        begins_before_it_ends || !self.apart(x, y)
    }

    /// Whether a `subscribed` event at `timestamp` suggests that the connect event of its session was lost: the session
    /// is known and not that of the head, and the event is more than Θ later. For a note only; it proves nothing
    /// (section 8).
    ///
    /// ```
    /// use iot_lifecycle::{Head, HeadKind, Order, SessionId};
    /// use iot_sansio::UnixMillis;
    ///
    /// let head = Head {
    ///     kind: HeadKind::Disconnect, version: 4, session: SessionId::new("A"), timestamp: UnixMillis::new(0),
    /// };
    /// let (order, later) = (Order::default(), UnixMillis::new(300_001));
    /// assert!(order.suggests_lost_connect(&head, SessionId::new("B").as_ref(), later));
    /// assert!(!order.suggests_lost_connect(&head, SessionId::new("A").as_ref(), later));
    /// ```
    #[must_use]
    pub fn suggests_lost_connect(
        &self,
        head: &Head<'_>,
        session: Option<&SessionId<'_>>,
        timestamp: UnixMillis,
    ) -> bool {
        let other = matches!((&head.session, session), (Some(one), Some(two)) if one != two);
        other && timestamp > head.timestamp.after(self.theta())
    }

    /// Θ; zero where timestamps alone decide.
    #[must_use]
    pub const fn theta(&self) -> Duration {
        match self {
            Self::Versioned { theta } => *theta,
            Self::TimestampOnly => Duration::ZERO,
        }
    }

    /// Whether two timestamps are more than Θ apart.
    fn apart(&self, x: &Head<'_>, y: &Head<'_>) -> bool {
        u128::from(x.timestamp.abs_diff(y.timestamp)) > self.theta().as_millis()
    }
}

/// Why an event cannot be put in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Only [`Order::TimestampOnly`] orders events without a version.
    #[error("versionNumber is missing: select it in the rule, or order by timestamp only")]
    MissingVersion,
    /// Decoding gives no such event, and no snapshot with it could be restored.
    #[error("versionNumber is negative")]
    NegativeVersion,
    /// It would be kept for as long as the client is known.
    #[error("sessionIdentifier has {bytes} bytes, at most {} are kept", SessionId::MAX_BYTES)]
    SessionTooLong {
        /// The length of its normal form.
        bytes: usize,
    },
}

/// The smallest Θ that is right on the documented bounds (section 4.1).
const DEFAULT_THETA: Duration = Duration::from_secs(300);
