//! What is known of one client, as plain data.

use alloc::string::String;
use core::{
    cmp::{Ordering, Reverse},
    time::Duration,
};

use iot_sansio::{MonoTime, UnixMillis};

use super::{Cause, Presence, Status};
use crate::{Head, HeadKind, Order, SessionId};

/// What is known of one client, without a monotonic clock's time. With feature `serde` it can be serialised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// What is published.
    pub published: Status,
    /// The newest event; none when only connectivity queries told of the client.
    pub head: Option<HeadSnapshot>,
    /// The wait that is running.
    pub wait: Option<WaitSnapshot>,
    /// The newest timer token.
    pub token: u32,
}

/// The newest event of a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct HeadSnapshot {
    /// Whether it is a connect; else a disconnect.
    pub connected: bool,
    /// `versionNumber`.
    pub version: i64,
    /// `sessionIdentifier` in its normal form; none when unknown.
    pub session: Option<String>,
    /// `timestamp`, in milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Whether the connect of its connection was seen.
    pub connect_seen: bool,
}

/// A wait that is running.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct WaitSnapshot {
    /// How much of it is left, in nanoseconds.
    pub remaining_nanos: u64,
    /// What started it.
    pub cause: Cause,
}

/// The parts of a snapshot contradict each other, or are beyond their range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{field} {problem}")]
#[non_exhaustive]
pub struct RestoreError {
    /// The part.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Presence {
    /// What is known at `now`.
    #[must_use]
    pub fn snapshot(&self, now: MonoTime) -> Snapshot {
        let remaining = self.deadline.since(now).as_nanos();
        let remaining_nanos = u64::try_from(remaining).unwrap_or(u64::MAX);
        Snapshot {
            published: self.published,
            head: self.head().map(|head| HeadSnapshot {
                connected: head.kind == HeadKind::Connect,
                version: head.version,
                session: head.session.map(String::from),
                timestamp: head.timestamp.get(),
                connect_seen: self.connect_seen,
            }),
            wait: self.waiting.map(|cause| WaitSnapshot { remaining_nanos, cause }),
            token: self.token,
        }
    }

    /// The client that the snapshot tells of. Its wait goes on from `now`.
    ///
    /// # Errors
    /// [`snapshot`](Self::snapshot) makes no such snapshot.
    pub fn restore(snapshot: Snapshot, now: MonoTime) -> Result<Self, RestoreError> {
        let error = |field, problem| Err(RestoreError { field, problem });
        let mut presence = Self {
            published: snapshot.published,
            waiting: snapshot.wait.as_ref().map(|wait| wait.cause),
            token: snapshot.token,
            ..Self::default()
        };
        if let Some(head) = snapshot.head {
            if head.version < 0 {
                return error("version", "is negative");
            }
            if head.session.as_ref().is_some_and(|session| session.len() > SessionId::MAX_BYTES) {
                return error("session", "is too long");
            }
            presence.set_head(head.to_head());
            presence.connect_seen = head.connect_seen;
        }
        let Some(wait) = snapshot.wait else {
            return match snapshot.published {
                Status::Unknown if presence.kind.is_some() => {
                    error("published", "is unknown, and no wait will end that")
                }
                _ => Ok(presence),
            };
        };
        if snapshot.published == Status::Offline {
            return error("wait", "runs although the client is published offline");
        }
        if wait.cause == Cause::Event && presence.kind != Some(HeadKind::Disconnect) {
            return error("wait", "goes back to a disconnect that is not the head");
        }
        if snapshot.token == 0 {
            return error("token", "is none although a wait runs");
        }
        presence.deadline = now.after(Duration::from_nanos(wait.remaining_nanos));
        Ok(presence)
    }
}

impl Snapshot {
    /// Joins what two processes know of the client: that of the newer head, as a whole. Where the heads tell of the same
    /// event, the one that got further: offline before waiting, and the shorter wait first; of the event itself what
    /// [`Order::merge`] keeps, and its connect was seen if one of them saw it.
    ///
    /// On events that keep the documented bounds it commutes, associates, and does not mind repetition (section 4.3).
    #[must_use]
    pub fn merge(mut self, mut other: Self, order: &Order) -> Self {
        let (by_head, by_detail, same_connection) = match (self.to_head(), other.to_head()) {
            (Some(one), Some(two)) => {
                let same_connection = order.same_connection(&one, &two);
                (order.compare(&one, &two), order.rank(&one, &two), same_connection)
            }
            (one, two) => (one.is_some().cmp(&two.is_some()), Ordering::Equal, false),
        };
        let further = |snapshot: &Self| {
            let wait = snapshot.wait.as_ref();
            let wait = wait.map(|wait| (Reverse(wait.remaining_nanos), wait.cause));
            (snapshot.published, wait, snapshot.token)
        };
        let by_state = by_head.then_with(|| further(&self).cmp(&further(&other)));
        let seen = |snapshot: &Self| snapshot.head.as_ref().is_some_and(|head| head.connect_seen);
        let either_saw = same_connection && (seen(&self) || seen(&other));

        let (one, two) = (self.head.take(), other.head.take());
        let mut head = if by_detail.is_gt() || two.is_none() { one } else { two };
        if let Some(head) = &mut head {
            head.connect_seen |= either_saw;
        }
        Self { head, ..if by_state.is_gt() { self } else { other } }
    }

    fn to_head(&self) -> Option<Head<'_>> {
        Some(self.head.as_ref()?.to_head())
    }
}

impl HeadSnapshot {
    fn to_head(&self) -> Head<'_> {
        Head {
            kind: if self.connected { HeadKind::Connect } else { HeadKind::Disconnect },
            version: self.version,
            session: self.session.as_deref().and_then(SessionId::new),
            timestamp: UnixMillis::new(self.timestamp),
        }
    }
}
