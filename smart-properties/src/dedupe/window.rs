//! One level of deduplication.

use alloc::collections::{BTreeMap, BTreeSet};
use core::{num::NonZeroUsize, time::Duration};

use iot_sansio::MonoTime;

use super::Key;

/// Keys that are in flight or were handled, as many as it has room for, each for a time.
///
/// A key that was handled is forgotten after its lifetime, and earlier where a fresh one needs its room. One that is in
/// flight for a whole lifetime is forgotten, too: whoever handled it is gone. Work grows with the logarithm of the
/// number of keys.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::MonoTime;
/// use smart_properties::dedupe::{Begin, Config, Key, Window};
///
/// let mut window = Window::new(Config::default());
/// let key = Key::of_message("aaaaaaaa-0001-5000-8000-000000000001");
/// assert_eq!(window.begin(MonoTime::ORIGIN, key), Begin::Fresh);
/// window.commit(MonoTime::ORIGIN, key);
/// let age = Duration::from_millis(10);
/// assert_eq!(window.begin(MonoTime::from_millis(10), key), Begin::Duplicate { age });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    config: Config,
    now: MonoTime,
    entries: BTreeMap<Key, Entry>,
    /// The same by what they are, the oldest first.
    in_flight: BTreeSet<(MonoTime, Key)>,
    handled: BTreeSet<(MonoTime, Key)>,
}

/// How much a [`Window`] remembers, and for how long.
///
/// Over HTTP a copy comes at most an hour later (specification section 6), from a queue as late as its retention is
/// long. The default holds 65,536 keys for 24 hours: about 10 MB when full. Where more arrives within the time in which
/// a copy may come, or be played again, than there is room for, a message whose key had to make room is handled twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    capacity: NonZeroUsize,
    lifetime: Duration,
}

/// What a key is.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a key is absent, in flight or handled")]
pub enum Begin {
    /// New, and in flight now.
    Fresh,
    /// In flight already.
    InFlight,
    /// Handled.
    Duplicate {
        /// How long ago.
        age: Duration,
    },
    /// New, but as many are in flight as the window holds.
    Full,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Entry {
    since: MonoTime,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    InFlight,
    Handled,
}

impl Window {
    /// A window that has seen nothing.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            now: MonoTime::ORIGIN,
            entries: BTreeMap::new(),
            in_flight: BTreeSet::new(),
            handled: BTreeSet::new(),
        }
    }

    /// Whether a key is new; then it is in flight.
    pub fn begin(&mut self, now: MonoTime, key: Key) -> Begin {
        let begin = self.look(now, key);
        if begin == Begin::Fresh && self.make_room() {
            self.insert(key, Phase::InFlight);
        }
        begin
    }

    /// What [`begin`](Self::begin) would say.
    pub(super) fn look(&mut self, now: MonoTime, key: Key) -> Begin {
        self.advance(now);
        match self.entries.get(&key).copied() {
            Some(Entry { phase: Phase::InFlight, .. }) => Begin::InFlight,
            Some(Entry { phase: Phase::Handled, since }) => {
                Begin::Duplicate { age: self.now.since(since) }
            }
            None if self.in_flight.len() < self.config.capacity.get() => Begin::Fresh,
            None => Begin::Full,
        }
    }

    /// A key was handled, whether it had begun or not. Where every other one is in flight, there is no room to remember
    /// one that had not.
    pub fn commit(&mut self, now: MonoTime, key: Key) {
        self.advance(now);
        match self.entries.get(&key).map(|entry| entry.phase) {
            Some(Phase::Handled) => {}
            Some(Phase::InFlight) => {
                self.remove(key);
                self.insert(key, Phase::Handled);
            }
            None if self.make_room() => self.insert(key, Phase::Handled),
            None => {}
        }
    }

    /// Handling a key failed: it is new again. One that was handled stays so.
    pub fn abort(&mut self, key: Key) {
        if matches!(self.entries.get(&key), Some(Entry { phase: Phase::InFlight, .. })) {
            self.remove(key);
        }
    }

    /// How many keys it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Time does not go back; what has had its lifetime is forgotten.
    fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        for phase in [Phase::InFlight, Phase::Handled] {
            while let Some((since, key)) = self.by_age(phase).first().copied() {
                if self.now.since(since) < self.config.lifetime {
                    break;
                }
                self.remove(key);
            }
        }
    }

    /// Whether there is room for one more, if need be that of the one which was handled first.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < self.config.capacity.get() {
            return true;
        }
        let first = self.handled.first().copied();
        first.is_some_and(|(_, key)| {
            self.remove(key);
            true
        })
    }

    const fn by_age(&mut self, phase: Phase) -> &mut BTreeSet<(MonoTime, Key)> {
        match phase {
            Phase::InFlight => &mut self.in_flight,
            Phase::Handled => &mut self.handled,
        }
    }

    fn insert(&mut self, key: Key, phase: Phase) {
        self.entries.insert(key, Entry { since: self.now, phase });
        let now = self.now;
        self.by_age(phase).insert((now, key));
    }

    fn remove(&mut self, key: Key) {
        if let Some(Entry { since, phase }) = self.entries.remove(&key) {
            self.by_age(phase).remove(&(since, key));
        }
    }
}

impl Config {
    /// Room for this many keys, each remembered for this long.
    #[must_use]
    pub const fn new(capacity: NonZeroUsize, lifetime: Duration) -> Self {
        Self { capacity, lifetime }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY, DEFAULT_LIFETIME)
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(65_535);
const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);
