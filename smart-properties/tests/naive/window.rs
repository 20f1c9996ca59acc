//! A window of keys by going through all of it each time.

use core::time::Duration;

use iot_sansio::MonoTime;
use smart_properties::dedupe::{Begin, Key};

/// Up to so many keys, each for so long.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    capacity: usize,
    lifetime: Duration,
    now: MonoTime,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    since: MonoTime,
    key: Key,
    handled: bool,
}

impl Window {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self { capacity, lifetime, now: MonoTime::ORIGIN, entries: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn begin(&mut self, now: MonoTime, key: Key) -> Begin {
        self.advance(now);
        match self.entries.iter().find(|entry| entry.key == key).copied() {
            Some(Entry { handled: false, .. }) => Begin::InFlight,
            Some(Entry { since, .. }) => Begin::Duplicate { age: self.now.since(since) },
            None if self.make_room() => {
                self.entries.push(Entry { since: self.now, key, handled: false });
                Begin::Fresh
            }
            None => Begin::Full,
        }
    }

    pub(crate) fn commit(&mut self, now: MonoTime, key: Key) {
        self.advance(now);
        if self.entries.iter().any(|entry| entry.key == key && entry.handled) {
            return;
        }
        self.entries.retain(|entry| entry.key != key);
        if self.make_room() {
            self.entries.push(Entry { since: self.now, key, handled: true });
        }
    }

    pub(crate) fn abort(&mut self, key: Key) {
        self.entries.retain(|entry| entry.key != key || entry.handled);
    }

    pub(crate) fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        let (now, lifetime) = (self.now, self.lifetime);
        self.entries.retain(|entry| now.since(entry.since) < lifetime);
    }

    /// Of those that are equally old the smallest key goes.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < self.capacity {
            return true;
        }
        let handled = self.entries.iter().filter(|entry| entry.handled);
        let oldest = handled.min_by_key(|entry| (entry.since, entry.key)).map(|entry| entry.key);
        self.entries.retain(|entry| Some(entry.key) != oldest);
        oldest.is_some()
    }
}
