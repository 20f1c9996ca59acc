//! One direction of a connection, with everything that can go wrong on it.

use alloc::collections::BTreeMap;
use core::{ops::RangeInclusive, time::Duration};

use fastrand::Rng;

use crate::{MonoTime, mqtt::Qos};

/// What goes wrong on a [`Line`], and how often.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::sim::Faults;
///
/// let cellular = Faults::none()
///     .with_delay(Duration::from_millis(80)..=Duration::from_millis(900))
///     .with_loss(0.05)
///     .with_duplication(0.01);
/// assert_ne!(cellular, Faults::none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    loss: f64,
    duplication: f64,
    shortest: Duration,
    longest: Duration,
    reordering: bool,
}

impl Faults {
    /// A perfect line: everything arrives once, at once and in order.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            loss: 0.0,
            duplication: 0.0,
            shortest: Duration::ZERO,
            longest: Duration::ZERO,
            reordering: false,
        }
    }

    /// Loses an item with this probability, from 0 to 1.
    #[must_use]
    pub const fn with_loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// Delivers an item twice with this probability, from 0 to 1.
    #[must_use]
    pub const fn with_duplication(self, duplication: f64) -> Self {
        Self { duplication, ..self }
    }

    /// Takes this long for an item, each moment equally likely. Of an empty range only the start counts.
    #[must_use]
    pub fn with_delay(self, delay: RangeInclusive<Duration>) -> Self {
        let (shortest, longest) = delay.into_inner();
        Self { shortest, longest: longest.max(shortest), ..self }
    }

    /// Lets an item overtake another that drew a longer delay. Without it items arrive in the order they were sent.
    #[must_use]
    pub const fn with_reordering(self, reordering: bool) -> Self {
        Self { reordering, ..self }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}

/// A seeded one-way line for items of any type.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::{MonoTime, sim::{Faults, Line}};
///
/// let delay = Duration::from_millis(5);
/// let mut line = Line::new(Faults::none().with_delay(delay..=delay), 42);
/// assert!(line.send(MonoTime::ORIGIN, "hello"));
/// assert_eq!(line.receive(MonoTime::ORIGIN), None);
/// assert_eq!(line.next_arrival(), Some(MonoTime::from_millis(5)));
/// assert_eq!(line.receive(MonoTime::from_millis(5)), Some("hello"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Line<T> {
    faults: Faults,
    rng: Rng,
    capacity: usize,
    /// By arrival, then by the order of sending.
    in_flight: BTreeMap<(MonoTime, u64), T>,
    sent: u64,
    /// Nothing sent from now on arrives before this.
    barrier: MonoTime,
    /// The latest arrival of all that was sent.
    latest: MonoTime,
}

impl<T: Clone> Line<T> {
    /// A line with these faults, drawn from this seed, for at most 1024 items at a time.
    #[must_use]
    pub fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            rng: Rng::with_seed(seed),
            capacity: 1024,
            in_flight: BTreeMap::new(),
            sent: 0,
            barrier: MonoTime::ORIGIN,
            latest: MonoTime::ORIGIN,
        }
    }

    /// The same line, for at most this many items at a time.
    #[must_use]
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// Changes what goes wrong from now on; what is on its way already arrives as it would have.
    pub const fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Sends an item into the faults of the line. False when it will not arrive: it was lost, or the line is full.
    pub fn send(&mut self, now: MonoTime, item: T) -> bool {
        let (loss, duplication) = self.roll();
        !loss && self.put(now, item, duplication)
    }

    /// Sends an item as MQTT promises it. False when it will not arrive: it was lost, or the line is full.
    ///
    /// At most once: it may be lost, and is never duplicated. At least once: where it would be lost it is repeated
    /// instead. Exactly once: neither. Delay and reordering are the same for all three.
    pub fn send_qos(&mut self, now: MonoTime, item: T, qos: Qos) -> bool {
        let (loss, duplication) = self.roll();
        match qos {
            Qos::AtMostOnce => !loss && self.put(now, item, false),
            Qos::AtLeastOnce => self.put(now, item, loss || duplication),
            Qos::ExactlyOnce => self.put(now, item, false),
        }
    }

    /// Sends an item that is never lost, overtakes nothing and is not overtaken, as the ends of a connection are.
    /// False when the line is full.
    #[must_use]
    pub fn send_in_order(&mut self, now: MonoTime, item: T) -> bool {
        self.barrier = self.latest;
        let sent = self.put(now, item, false);
        self.barrier = self.latest;
        sent
    }

    /// When the next item arrives; none while nothing is on its way.
    #[must_use]
    pub fn next_arrival(&self) -> Option<MonoTime> {
        self.in_flight.keys().next().map(|&(arrival, _)| arrival)
    }

    /// The next item that has arrived by now.
    pub fn receive(&mut self, now: MonoTime) -> Option<T> {
        let first = self.in_flight.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// Loses everything on its way for which `keep` is false, as a broken connection does.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.in_flight.retain(|_, item| keep(item));
    }

    /// How many items are on their way, duplicates included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// True while nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether the line would lose the next item, and whether it would duplicate it.
    fn roll(&mut self) -> (bool, bool) {
        let loss = self.rng.f64() < self.faults.loss;
        let duplication = self.rng.f64() < self.faults.duplication;
        (loss, duplication)
    }

    fn put(&mut self, now: MonoTime, item: T, twice: bool) -> bool {
        if self.in_flight.len() >= self.capacity {
            return false;
        }
        let duplicate = (twice && self.in_flight.len() + 1 < self.capacity).then(|| item.clone());
        for item in [Some(item), duplicate].into_iter().flatten() {
            let earliest = if self.faults.reordering { self.barrier } else { self.latest };
            let arrival = now.after(self.delay()).max(earliest);
            self.latest = self.latest.max(arrival);
            self.in_flight.insert((arrival, self.sent), item);
            self.sent += 1;
        }
        true
    }

    fn delay(&mut self) -> Duration {
        let shortest = MonoTime::from_origin(self.faults.shortest);
        let longest = MonoTime::from_origin(self.faults.longest);
        let spread = longest.since(shortest).as_nanos();
        let spread = self.rng.u64(0..=u64::try_from(spread).unwrap_or(u64::MAX));
        self.faults.shortest.saturating_add(Duration::from_nanos(spread))
    }
}
