//! Which messages were seen: the platform sends a message again until it is acknowledged (specification, section 10).

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use iot_sansio::MonoTime;

/// The messages of one consumer group that were seen, each under its id. `D` names a delivery.
///
/// An id is absent, in flight from its first delivery until the application is [done](Self::done) with it, or done. It
/// is not done on arrival: were the process to end in between, the message would be lost when it comes again.
///
/// | a delivery comes while its id is | [`begin`](Self::begin) says | and it is |
/// | --- | --- | --- |
/// | absent | [`New`](Begin::New) | handed over |
/// | in flight | [`InFlight`](Begin::InFlight) | settled together with the first |
/// | done | [`Done`](Begin::Done) | accepted at once |
///
/// All connections of one group share a window, and each group has its own, as each gets its own copy of a message.
/// With a single connection `D` is a [`DeliveryId`](iot_sansio::amqp::DeliveryId); with several, it also says which. A
/// message without an id is always handed over and never recorded.
///
/// Work grows with the logarithm of the number of ids; only [`retain`](Self::retain) looks at all that are in flight.
///
/// ```
/// use amqp_auth::dedupe::{Begin, Config, Window};
/// use iot_sansio::MonoTime;
///
/// let now = MonoTime::ORIGIN;
/// let mut window = Window::new(Config::default());
/// assert_eq!(window.begin(now, "1351123456789012345", 'a')?, Begin::New);
/// assert_eq!(window.begin(now, "1351123456789012345", 'b')?, Begin::InFlight);
/// assert!(window.done(now, "1351123456789012345").eq(['a', 'b'])); // accept both
/// assert_eq!(window.begin(now, "1351123456789012345", 'c')?, Begin::Done);
/// # Ok::<(), amqp_auth::dedupe::BeginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window<D> {
    config: Config,
    now: MonoTime,
    in_flight: BTreeMap<Box<str>, Tied<D>>,
    done: BTreeSet<Box<str>>,
    /// The same ids, the oldest first, with the time of each.
    done_at: VecDeque<(MonoTime, Box<str>)>,
    /// How many copies are tied, all ids together.
    copies: usize,
}

/// The deliveries of an id that is in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tied<D> {
    /// None once it can no longer be settled.
    first: Option<D>,
    copies: Vec<D>,
}

/// How much a [`Window`] remembers, and for how long.
///
/// The platform keeps a message that nobody accepts for one day (specification, section 12), so no copy comes later:
/// with room for a day of messages every copy is found. At 500 messages/s that is 43,200,000 ids; a smaller window finds
/// the copies of the newest ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    capacity: usize,
    max_copies: usize,
    lifetime: Duration,
}

/// What to do with a delivery.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an id is absent, in flight or done")]
pub enum Begin {
    /// Hand it over: its id is in flight now.
    New,
    /// Do not hand it over: it is settled when the first one is.
    InFlight,
    /// Do not hand it over: accept it at once.
    Done,
}

/// Why a delivery cannot be recorded. The window is as before; the delivery is best released, to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// So many messages are in flight that none can be forgotten.
    #[error(
        "{capacity} messages are in flight, as many as the window holds: grant less credit or raise its capacity"
    )]
    #[non_exhaustive]
    Full {
        /// The limit, in messages.
        capacity: usize,
    },
    /// So many copies wait for their first one to be settled.
    #[error(
        "{limit} copies of messages in flight wait already, as many as may: settle sooner or raise the limit"
    )]
    #[non_exhaustive]
    TooManyCopies {
        /// The limit, in deliveries.
        limit: usize,
    },
}

impl<D> Window<D> {
    /// A window that has seen nothing.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            now: MonoTime::ORIGIN,
            in_flight: BTreeMap::new(),
            done: BTreeSet::new(),
            done_at: VecDeque::new(),
            copies: 0,
        }
    }

    /// Records a delivery of the message with this id. When the window is full, what has been done longest is
    /// forgotten.
    ///
    /// # Errors
    /// [`BeginError`]: a limit is reached. Nothing was recorded, and the window is as before.
    pub fn begin(&mut self, now: MonoTime, id: &str, delivery: D) -> Result<Begin, BeginError> {
        if let Some(tied) = self.in_flight.get_mut(id) {
            let limit = self.config.max_copies;
            if self.copies >= limit {
                return Err(BeginError::TooManyCopies { limit });
            }
            self.copies += 1;
            tied.copies.push(delivery);
            self.expire(now);
            return Ok(Begin::InFlight);
        }
        let capacity = self.config.capacity;
        if self.in_flight.len() >= capacity {
            // Then nothing is done: both share the capacity.
            return Err(BeginError::Full { capacity });
        }
        self.expire(now);
        if self.done.contains(id) {
            return Ok(Begin::Done);
        }
        if self.len() >= capacity {
            self.forget_oldest();
        }
        let tied = Tied { first: Some(delivery), copies: Vec::new() };
        self.in_flight.insert(id.into(), tied);
        Ok(Begin::New)
    }

    /// The application has processed the message: yields the deliveries to accept, in the order they came.
    ///
    /// Nothing happens to an id that is not in flight.
    pub fn done(&mut self, now: MonoTime, id: &str) -> impl Iterator<Item = D> + use<D> {
        self.expire(now);
        let removed = self.in_flight.remove_entry(id);
        let tied = removed.map(|(id, tied)| {
            self.done.insert(id.clone());
            self.done_at.push_back((self.now, id));
            tied
        });
        self.release(tied)
    }

    /// The application has not processed the message: yields the deliveries to give back, in the order they came.
    ///
    /// The id is forgotten, so that the message is handed over when it comes again. Nothing happens to an id that is
    /// not in flight.
    pub fn failed(&mut self, id: &str) -> impl Iterator<Item = D> + use<D> {
        let tied = self.in_flight.remove(id);
        self.release(tied)
    }

    /// Forgets the deliveries that can no longer be settled, as those of a connection that is gone.
    ///
    /// Their ids stay in flight: the application still works on the messages, and those will come again.
    pub fn retain(&mut self, mut can_be_settled: impl FnMut(&D) -> bool) {
        let mut copies = 0;
        for tied in self.in_flight.values_mut() {
            tied.first = tied.first.take().filter(&mut can_be_settled);
            tied.copies.retain(&mut can_be_settled);
            copies += tied.copies.len();
        }
        self.copies = copies;
    }

    /// Lets time pass, and forgets what has been done for the configured time. A `now` that goes backwards counts as
    /// the newest seen.
    ///
    /// Every other call that takes the time does the same: this one is for an application that has long been idle.
    pub fn expire(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        let is_over = |at: MonoTime| self.now.since(at) >= self.config.lifetime;
        while self.done_at.front().is_some_and(|(at, _)| is_over(*at)) {
            if let Some((_, id)) = self.done_at.pop_front() {
                self.done.remove(&id);
            }
        }
    }

    /// How many ids it remembers, in flight or done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_flight.len() + self.done.len()
    }

    /// How many ids are in flight. They do not expire.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether it remembers nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn forget_oldest(&mut self) {
        if let Some((_, id)) = self.done_at.pop_front() {
            self.done.remove(&id);
        }
    }

    fn release(&mut self, tied: Option<Tied<D>>) -> impl Iterator<Item = D> + use<D> {
        let (first, copies) = tied.map(|tied| (tied.first, tied.copies)).unwrap_or_default();
        self.copies -= copies.len();
        first.into_iter().chain(copies)
    }
}

impl Default for Config {
    /// 100,000 messages, 100,000 copies, 24 hours.
    fn default() -> Self {
        let lifetime = Duration::from_secs(24 * 60 * 60);
        Self { capacity: 100_000, max_copies: 100_000, lifetime }
    }
}

impl Config {
    /// How many messages the window holds.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sets how many ids are remembered, in flight or done, 1 at least and 100,000 by default: when there is no room, the
    /// id that has been done longest is forgotten, and where all are in flight a delivery is refused.
    #[must_use]
    pub const fn with_capacity(self, messages: usize) -> Self {
        let capacity = if messages == 0 { 1 } else { messages };
        Self { capacity, ..self }
    }

    /// Sets how many deliveries of all ids together may wait for the first of their id to be settled, 100,000 by default:
    /// one more is refused.
    #[must_use]
    pub const fn with_max_copies(self, deliveries: usize) -> Self {
        Self { max_copies: deliveries, ..self }
    }

    /// Sets how long an id is remembered once its message is done, 24 hours by default: a copy that comes later is handed
    /// over as new.
    #[must_use]
    pub const fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }
}
