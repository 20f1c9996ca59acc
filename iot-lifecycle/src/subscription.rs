//! What a client is subscribed to (specification section 8).

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};

use iot_sansio::UnixMillis;

use crate::{Event, EventKind, SessionId};

/// The topic filters of one client, by session.
///
/// Subscription events carry no version: the event with the larger timestamp wins for each session and filter, and on a
/// tie the subscription. The [`CAPACITY`](Self::CAPACITY) latest entries are kept, later meaning larger by timestamp,
/// then subscribed, then filter, then session. Since an entry is only ever replaced by a later one, an entry that falls
/// out could not have stayed in any order of arrival: applying and merging commute, associate and do not mind
/// repetition, for any input and also at the capacity. The price is that many recent unsubscriptions can push out an
/// old subscription; [`overflowed`](Self::overflowed) tells.
///
/// Call [`head_moved`](Self::head_moved) with the session of each new presence head of the client: it ends what other
/// sessions had.
///
/// ```
/// use iot_lifecycle::{Event, EventKind, SessionId, Subscriptions, Topics};
/// use iot_sansio::UnixMillis;
///
/// let mut event = Event::new(
///     "device-1",
///     UnixMillis::new(1_460_065_214_626),
///     EventKind::Subscribed(Topics::new(["foo/bar", "dog/cat"])),
/// );
/// event.session_identifier = Some("A".into());
///
/// let mut subscriptions = Subscriptions::new();
/// assert!(subscriptions.apply(&event));
/// assert!(!subscriptions.apply(&event), "a repeated event changes nothing");
///
/// let session = SessionId::new("A");
/// let filters: Vec<_> = subscriptions.subscribed(session.as_ref()).collect();
/// assert_eq!(filters, ["dog/cat", "foo/bar"]);
///
/// subscriptions.head_moved(SessionId::new("B").as_ref());
/// assert_eq!(subscriptions.iter().count(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subscriptions {
    /// In ascending order, one a session and filter, at most `CAPACITY`.
    entries: Vec<Subscription>,
    overflowed: u64,
}

/// The last that is known of one filter in one session. They compare as [`Subscriptions`] keeps them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Subscription {
    /// When it was subscribed or unsubscribed.
    pub timestamp: UnixMillis,
    /// Which of the two.
    pub state: SubscriptionState,
    /// The topic filter; it may hold wildcards and `$share/...`.
    pub filter: String,
    /// The session; none when unknown.
    pub session: Option<SessionId<'static>>,
}

/// Whether a filter is subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a filter is in or out")]
pub enum SubscriptionState {
    /// It was taken out.
    Unsubscribed,
    /// It is in.
    Subscribed,
}

impl Subscriptions {
    /// The most entries kept. A connection may have 50 subscriptions.
    pub const CAPACITY: usize = 64;

    /// The longest filter and the longest session kept, in bytes. The service takes filters of up to 256.
    pub const MAX_TEXT_BYTES: usize = 512;

    /// No subscriptions.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new(), overflowed: 0 }
    }

    /// Takes an event of this client; whether it changed anything. Kinds other than `subscribed` and `unsubscribed`
    /// never do.
    pub fn apply(&mut self, event: &Event<'_>) -> bool {
        let (state, topics) = match &event.kind {
            EventKind::Subscribed(topics) => (SubscriptionState::Subscribed, topics),
            EventKind::Unsubscribed(topics) => (SubscriptionState::Unsubscribed, topics),
            EventKind::Connected(_)
            | EventKind::Disconnected(_)
            | EventKind::ConnectFailed(_)
            | EventKind::Unknown(_) => return false,
        };
        let session_bytes = event.session_identifier.as_ref().map_or(0, |text| text.len());
        let session = event.session().map(SessionId::into_owned);
        let mut changed = false;
        for filter in &topics.topics {
            if filter.len().max(session_bytes) > Self::MAX_TEXT_BYTES {
                self.overflowed = self.overflowed.saturating_add(1);
                continue;
            }
            changed |= self.keep(Subscription {
                timestamp: event.timestamp,
                state,
                filter: filter.as_ref().to_owned(),
                session: session.clone(),
            });
        }
        changed
    }

    /// Takes everything that another replica knows of the same client.
    pub fn merge(&mut self, other: Self) {
        self.overflowed = self.overflowed.max(other.overflowed);
        for entry in other.entries {
            self.keep(entry);
        }
    }

    /// Drops what other sessions than that of the presence head had. What the head's session has stays, also over a
    /// reconnect that keeps the session; and everything stays when the head has no session id, for that is not another.
    pub fn head_moved(&mut self, session: Option<&SessionId<'_>>) {
        if session.is_some() {
            self.entries.retain(|entry| entry.session.as_ref() == session);
        }
    }

    /// The filters that a session is subscribed to, in the order of their timestamps. `None` asks for what came without
    /// a session.
    pub fn subscribed<'a>(
        &'a self,
        session: Option<&'a SessionId<'_>>,
    ) -> impl Iterator<Item = &'a str> {
        self.entries
            .iter()
            .filter(move |entry| {
                entry.state == SubscriptionState::Subscribed && entry.session.as_ref() == session
            })
            .map(|entry| entry.filter.as_str())
    }

    /// Everything that is known, also what was unsubscribed, in the order of the timestamps.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Subscription> {
        self.entries.iter()
    }

    /// How often an entry did not fit. It counts repeated events again, so it is a measure and not part of the merge's
    /// laws; merging keeps the larger count.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Keeps an entry if it is the latest of its session and filter and among the latest of all; whether it did.
    fn keep(&mut self, new: Subscription) -> bool {
        let same = |old: &Subscription| (&old.filter, &old.session) == (&new.filter, &new.session);
        if let Some(at) = self.entries.iter().position(same) {
            if self.entries.get(at) >= Some(&new) {
                return false;
            }
            self.entries.remove(at);
        }
        let at = self.entries.partition_point(|old| *old < new);
        if self.entries.len() == Self::CAPACITY {
            self.overflowed = self.overflowed.saturating_add(1);
            if at == 0 {
                return false;
            }
            self.entries.remove(0);
            self.entries.insert(at - 1, new);
        } else {
            self.entries.insert(at, new);
        }
        true
    }
}
