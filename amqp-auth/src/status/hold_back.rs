//! Notices put into order before they are told.

use alloc::collections::BTreeMap;
use core::time::Duration;

use iot_sansio::MonoTime;

use super::Notice;

/// Holds the notices of one device for a while, so that older ones that arrive later are told before them.
///
/// A notice is told once it, or a newer one, has waited for the window: so none waits longer than that, and the order
/// is kept. Only what arrives more than a window late is late. It is for whoever needs every edge in turn; the state of
/// a device needs no waiting.
///
/// ```
/// use core::time::Duration;
/// use amqp_auth::status::{Held, HoldBack, Notice, Status};
/// use iot_sansio::{MonoTime, UnixMillis};
///
/// let offline = Notice::new(UnixMillis::new(1_000), Status::Offline);
/// let online = Notice::new(UnixMillis::new(2_000), Status::Online);
/// let mut hold_back = HoldBack::new(Duration::from_millis(500), 16);
/// assert_eq!(hold_back.push(MonoTime::from_millis(0), online)?, Held::Waiting);
/// assert_eq!(hold_back.push(MonoTime::from_millis(400), offline)?, Held::Waiting);
/// assert_eq!(hold_back.pop(MonoTime::from_millis(499)), None);
/// assert_eq!(hold_back.pop(MonoTime::from_millis(500)), Some(offline));
/// assert_eq!(hold_back.pop(MonoTime::from_millis(500)), Some(online));
/// # Ok::<(), amqp_auth::status::HoldBackFull>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoldBack {
    window: Duration,
    capacity: usize,
    now: MonoTime,
    /// Each with the time by which it is told.
    waiting: BTreeMap<Notice, MonoTime>,
    told: Option<Notice>,
}

/// What became of a notice.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a notice is before, at or behind what was told")]
pub enum Held {
    /// It waits for its turn.
    Waiting,
    /// It waits already, or was the last that was told.
    Repeat,
    /// A newer one was told before: it is not held.
    Late,
}

/// A hold-back has no room. It is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{capacity} notices wait, as many as may: take those that are due or raise the capacity")]
#[non_exhaustive]
pub struct HoldBackFull {
    /// The limit.
    pub capacity: usize,
}

impl HoldBack {
    /// Holds up to `capacity` notices for up to `window`. Without a window each is due at once.
    #[must_use]
    pub const fn new(window: Duration, capacity: usize) -> Self {
        Self { window, capacity, now: MonoTime::ORIGIN, waiting: BTreeMap::new(), told: None }
    }

    /// Takes a notice that arrived now. A `now` that goes backwards counts as the newest seen.
    ///
    /// # Errors
    /// There is no room: [take](Self::pop) what is due, and push again.
    pub fn push(&mut self, now: MonoTime, notice: Notice) -> Result<Held, HoldBackFull> {
        let known = if self.told.is_some_and(|told| notice < told) {
            Some(Held::Late)
        } else if self.told == Some(notice) || self.waiting.contains_key(&notice) {
            Some(Held::Repeat)
        } else {
            None
        };
        let capacity = self.capacity;
        if known.is_none() && self.waiting.len() >= capacity {
            return Err(HoldBackFull { capacity });
        }
        self.now = self.now.max(now);
        if known.is_none() {
            self.waiting.insert(notice, self.now.after(self.window));
        }
        Ok(known.unwrap_or(Held::Waiting))
    }

    /// The next notice that is due: call it until there is none.
    pub fn pop(&mut self, now: MonoTime) -> Option<Notice> {
        self.now = self.now.max(now);
        if self.deadline()? > self.now {
            return None;
        }
        let (notice, _) = self.waiting.pop_first()?;
        self.told = Some(notice);
        Some(notice)
    }

    /// When the next notice is due; none when none waits.
    #[must_use]
    pub fn deadline(&self) -> Option<MonoTime> {
        self.waiting.values().min().copied()
    }
}
