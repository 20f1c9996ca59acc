//! Messages of one topic, put in order.

use alloc::collections::VecDeque;
use core::{fmt, time::Duration};

use iot_sansio::MonoTime;
use thiserror::Error;

use super::SequenceNumber;

/// Puts the messages of one topic in order: the expected one is delivered, a later one is held until those before it
/// have come, an earlier one is dropped (section 4.4).
///
/// It takes messages that were opened, so what it is told is true: a gap that does not close means that messages were
/// lost. After each [`accept`](Self::accept) take what is in order with [`poll_delivery`](Self::poll_delivery): the
/// limits are for what is held.
///
/// ```
/// use aia_proto::sequence::{Accepted, Config, Resequencer, SequenceNumber};
/// use iot_sansio::MonoTime;
///
/// let number = SequenceNumber::new;
/// let mut inbox = Resequencer::new(Config::default());
/// assert_eq!(inbox.accept(MonoTime::ORIGIN, number(1), "second", 6), Ok(Accepted::Held));
/// assert!(inbox.deadline().is_some());
/// assert_eq!(inbox.accept(MonoTime::ORIGIN, number(0), "first", 5), Ok(Accepted::InOrder));
/// assert_eq!(inbox.poll_delivery(), Some((number(0), "first")));
/// assert_eq!(inbox.poll_delivery(), Some((number(1), "second")));
/// assert_eq!(inbox.deadline(), None);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Resequencer<T> {
    config: Config,
    expected: SequenceNumber,
    /// In order, not yet taken.
    ready: VecDeque<(SequenceNumber, T)>,
    /// What came early, in order.
    held: VecDeque<Held<T>>,
    held_bytes: usize,
    /// The last number that came early and was dropped: messages before it are missing still.
    dropped: Option<SequenceNumber>,
    /// When the gap has lasted too long.
    deadline: Option<MonoTime>,
    /// Everything is dropped until the expected number comes again.
    is_rewound: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Held<T> {
    number: SequenceNumber,
    item: T,
    size: usize,
}

/// How much a [`Resequencer`] holds, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Config {
    /// How far after the expected number a message may be: 16 by default.
    pub window: u32,
    /// How many bytes are held at most: 24,000 by default, four times the largest message of the vendor's device.
    pub max_bytes: usize,
    /// How long messages may be missing: 10 s by default.
    pub gap_time: Duration,
    /// What happens to a message beyond the window or the bytes.
    pub beyond: BeyondWindow,
}

/// What happens to a message that comes too early to be held (decision Q7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BeyondWindow {
    /// It is an error at once: it was opened, so those before it are lost.
    #[default]
    Refuse,
    /// It is dropped, and the gap time runs.
    Drop,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accepted {
    /// It can be taken with [`Resequencer::poll_delivery`], and maybe some that were held.
    InOrder,
    /// It waits for those before it.
    Held,
    /// It waits in the place of an earlier copy, which was dropped.
    Replaced,
    /// It was dropped: delivered before.
    Old,
    /// It was dropped: after [`Resequencer::rewind`] another number has to come first.
    Rewound,
    /// It was dropped under [`BeyondWindow::Drop`].
    Beyond,
}

/// Messages are missing: close the connection with `UNEXPECTED_SEQUENCE_NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unexpected {
    /// A message came from beyond the window.
    #[error("message {number} came while {expected} was expected: more than {window} ahead")]
    BeyondWindow {
        /// The number that is missing.
        expected: SequenceNumber,
        /// The number that came.
        number: SequenceNumber,
        /// How far ahead it might be.
        window: u32,
    },
    /// A message came early, and there is no room to hold it.
    #[error(
        "message {number} came while {expected} was expected: no more than {max_bytes} bytes are held"
    )]
    BeyondBytes {
        /// The number that is missing.
        expected: SequenceNumber,
        /// The number that came.
        number: SequenceNumber,
        /// How many bytes are held at most.
        max_bytes: usize,
    },
    /// The missing messages did not come in time.
    #[error("message {expected} did not come within {gap_time:?} of later ones")]
    GapTimeout {
        /// The number that is missing.
        expected: SequenceNumber,
        /// How long it was waited for.
        gap_time: Duration,
    },
}

impl Config {
    /// Sets how far after the expected number a message may be.
    #[must_use]
    pub const fn with_window(self, window: u32) -> Self {
        Self { window, ..self }
    }

    /// Sets how many bytes are held at most.
    #[must_use]
    pub const fn with_max_bytes(self, max_bytes: usize) -> Self {
        Self { max_bytes, ..self }
    }

    /// Sets how long messages may be missing.
    #[must_use]
    pub const fn with_gap_time(self, gap_time: Duration) -> Self {
        Self { gap_time, ..self }
    }

    /// Sets what happens to a message that comes too early to be held.
    #[must_use]
    pub const fn with_beyond(self, beyond: BeyondWindow) -> Self {
        Self { beyond, ..self }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: 16,
            max_bytes: 24_000,
            gap_time: Duration::from_secs(10),
            beyond: BeyondWindow::Refuse,
        }
    }
}

impl<T> Resequencer<T> {
    /// Expects the first number, 0.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            expected: SequenceNumber::FIRST,
            ready: VecDeque::new(),
            held: VecDeque::new(),
            held_bytes: 0,
            dropped: None,
            deadline: None,
            is_rewound: false,
        }
    }

    /// Takes a message of so many bytes that was opened.
    ///
    /// # Errors
    /// It comes too early to be held, so messages are lost. Nothing changed.
    pub fn accept(
        &mut self,
        now: MonoTime,
        number: SequenceNumber,
        item: T,
        size: usize,
    ) -> Result<Accepted, Unexpected> {
        let distance = number.distance_from(self.expected);
        if self.is_rewound && distance != 0 {
            return Ok(Accepted::Rewound);
        }
        if number.is_before(self.expected) {
            return Ok(Accepted::Old);
        }
        if distance == 0 {
            self.deliver(now, item);
            return Ok(Accepted::InOrder);
        }
        let Config { window, max_bytes, .. } = self.config;
        if distance > window {
            let expected = self.expected;
            return self.beyond(now, number, Unexpected::BeyondWindow { expected, number, window });
        }
        let place = self
            .held
            .binary_search_by_key(&distance, |held| held.number.distance_from(self.expected));
        let copy_size = place.map_or(0, |index| self.held[index].size);
        let held_bytes = (self.held_bytes - copy_size).saturating_add(size);
        if held_bytes > max_bytes {
            let expected = self.expected;
            return self.beyond(
                now,
                number,
                Unexpected::BeyondBytes { expected, number, max_bytes },
            );
        }
        self.held_bytes = held_bytes;
        self.start_gap(now);
        let held = Held { number, item, size };
        match place {
            Ok(index) => {
                self.held[index] = held;
                Ok(Accepted::Replaced)
            }
            Err(index) => {
                self.held.insert(index, held);
                Ok(Accepted::Held)
            }
        }
    }

    /// The next message in order.
    pub fn poll_delivery(&mut self) -> Option<(SequenceNumber, T)> {
        self.ready.pop_front()
    }

    /// The number that is expected next.
    #[must_use]
    pub const fn expected(&self) -> SequenceNumber {
        self.expected
    }

    /// When the missing messages are late. None while none is missing.
    #[must_use]
    pub const fn deadline(&self) -> Option<MonoTime> {
        self.deadline
    }

    /// Whether messages are missing for too long, and which comes first.
    #[must_use]
    pub fn expired(&self, now: MonoTime) -> Option<Unexpected> {
        let is_due = self.deadline.is_some_and(|deadline| deadline <= now);
        let (expected, gap_time) = (self.expected, self.config.gap_time);
        is_due.then_some(Unexpected::GapTimeout { expected, gap_time })
    }

    /// Goes back to a message that was delivered but had no room (`OVERRUN`, section 9.5): drops all that is held or
    /// not yet taken, and everything that comes until this number does again. What follows may differ from the first
    /// copies, so none is kept.
    pub fn rewind(&mut self, number: SequenceNumber) {
        *self = Self { expected: number, is_rewound: true, ..Self::new(self.config) };
    }
}

impl<T> Resequencer<T> {
    /// Delivers the expected message, and what was held right after it.
    fn deliver(&mut self, now: MonoTime, item: T) {
        self.is_rewound = false;
        self.ready.push_back((self.expected, item));
        self.expected = self.expected.next();
        while self.held.front().is_some_and(|held| held.number == self.expected) {
            let Some(held) = self.held.pop_front() else { break };
            self.held_bytes -= held.size;
            self.ready.push_back((held.number, held.item));
            self.expected = self.expected.next();
        }
        self.dropped = self.dropped.filter(|dropped| !dropped.is_before(self.expected));
        self.deadline = None;
        if !self.held.is_empty() || self.dropped.is_some() {
            self.start_gap(now);
        }
    }

    /// Refuses a message that cannot be held, or drops it and waits for it to come again.
    fn beyond(
        &mut self,
        now: MonoTime,
        number: SequenceNumber,
        unexpected: Unexpected,
    ) -> Result<Accepted, Unexpected> {
        match self.config.beyond {
            BeyondWindow::Refuse => Err(unexpected),
            BeyondWindow::Drop => {
                let farthest = self.dropped.filter(|dropped| number.is_before(*dropped));
                self.dropped = Some(farthest.unwrap_or(number));
                self.start_gap(now);
                Ok(Accepted::Beyond)
            }
        }
    }

    /// The gap time begins with the first message that came early.
    fn start_gap(&mut self, now: MonoTime) {
        self.deadline.get_or_insert(now.after(self.config.gap_time));
    }
}

impl<T> fmt::Debug for Resequencer<T> {
    /// Numbers and sizes: what is held may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resequencer")
            .field("expected", &self.expected)
            .field("held_bytes", &self.held_bytes)
            .field("deadline", &self.deadline)
            .field("is_rewound", &self.is_rewound)
            .finish_non_exhaustive()
    }
}
