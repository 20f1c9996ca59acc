//! Which of two events is newer (specification section 10): they arrive in no order, and their own times have whole
//! seconds.

use alloc::string::String;
use core::cmp::Ordering;

use crate::Instant;

/// When an event happened and when it was published, as far as its message says.
///
/// ```
/// use smart_properties::{Instant, order::{LastWriter, OrderKey, Verdict}};
///
/// let at = |event, sns| OrderKey::new(Instant::parse(event), Instant::parse(sns));
/// let mut role = LastWriter::default();
/// let first = at("2024-05-01T10:00:05Z", "2024-05-01T10:00:06.100Z");
/// assert_eq!(role.observe(first, "event-1"), Verdict::Applied);
/// let late = at("2024-05-01T10:00:00Z", "2024-05-01T10:00:09.000Z");
/// assert_eq!(role.observe(late, "event-0"), Verdict::Stale);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OrderKey {
    /// `eventTime.timestamp` of the event.
    pub event_time: Option<Instant>,
    /// `Timestamp` of the SNS message that brought it.
    pub sns_time: Option<Instant>,
}

/// The newest event of one entity, for example of one role of one principal on one unit.
///
/// As long as every event has its own time, the order in which they arrive decides nothing. An event without one is
/// compared by the time of its message, which is all there is, and may then stand between two that have theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LastWriter {
    newest: Option<(OrderKey, String)>,
    tie: Tie,
}

/// Whether there are others that are as new as the newest, for all that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Tie {
    #[default]
    None,
    /// They have its key: it is newer as soon as it comes in a later message.
    Equal,
    /// One of them lacks a time, so that nothing settles it.
    Unclear,
}

/// What became of an event.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is newer, older, the same one, or cannot be told")]
pub enum Verdict {
    /// It is the newest.
    Applied,
    /// It is the newest by the time of its message: its own time is that of the newest before it, or is not known.
    AppliedByTieBreak,
    /// A newer one has come before.
    Stale,
    /// It is the newest one itself, once more.
    Duplicate,
    /// Nothing tells which of it and the newest is newer; the newest stays.
    Conflict,
}

impl OrderKey {
    /// A key of both times, each as far as it is known.
    #[must_use]
    pub const fn new(event_time: Option<Instant>, sns_time: Option<Instant>) -> Self {
        Self { event_time, sns_time }
    }

    /// How this one stands to another; none where that cannot be told.
    fn compare(&self, other: &Self) -> Option<(Ordering, Decided)> {
        let by_event = both(self.event_time, other.event_time).filter(|order| order.is_ne());
        if let Some(order) = by_event {
            return Some((order, Decided::ByEventTime));
        }
        let by_message = both(self.sns_time, other.sns_time).filter(|order| order.is_ne());
        by_message.map(|order| (order, Decided::ByMessage))
    }
}

impl LastWriter {
    /// Takes notice of an event by its key and its ID.
    pub fn observe(&mut self, key: OrderKey, event_id: &str) -> Verdict {
        let verdict = match &self.newest {
            None => Verdict::Applied,
            Some((_, newest_id)) if newest_id == event_id => return self.again(key),
            Some((newest, _)) => match key.compare(newest) {
                None | Some((Ordering::Equal, _)) => Verdict::Conflict,
                Some((Ordering::Less, _)) => Verdict::Stale,
                Some((Ordering::Greater, Decided::ByEventTime)) => Verdict::Applied,
                Some((Ordering::Greater, Decided::ByMessage)) => Verdict::AppliedByTieBreak,
            },
        };
        match verdict {
            Verdict::Applied | Verdict::AppliedByTieBreak => {
                self.newest = Some((key, event_id.into()));
                self.tie = Tie::None;
            }
            Verdict::Conflict => {
                let equal = key.sns_time.is_some() && self.newest() == Some(key);
                let settles = equal && self.tie != Tie::Unclear;
                self.tie = if settles { Tie::Equal } else { Tie::Unclear };
            }
            Verdict::Stale | Verdict::Duplicate => {}
        }
        verdict
    }

    /// The key of the newest event; none before the first.
    #[must_use]
    pub fn newest(&self) -> Option<OrderKey> {
        self.newest.as_ref().map(|(key, _)| *key)
    }

    /// The ID of the newest event; none before the first.
    #[must_use]
    pub fn newest_id(&self) -> Option<&str> {
        self.newest.as_ref().map(|(_, id)| &**id)
    }

    /// Whether others are as new, for all that is known.
    pub(crate) const fn is_tied(&self) -> bool {
        !matches!(self.tie, Tie::None)
    }

    /// Published twice, an event has two message times: the later one stays, whichever arrives first.
    fn again(&mut self, key: OrderKey) -> Verdict {
        if let Some((newest, _)) = &mut self.newest {
            if key.sns_time > newest.sns_time {
                newest.sns_time = key.sns_time;
                if self.tie == Tie::Equal {
                    self.tie = Tie::None;
                }
            }
        }
        Verdict::Duplicate
    }
}

enum Decided {
    ByEventTime,
    ByMessage,
}

fn both(one: Option<Instant>, other: Option<Instant>) -> Option<Ordering> {
    Some(one?.cmp(&other?))
}
