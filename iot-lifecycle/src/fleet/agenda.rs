//! Which client comes next, by a value that changes: the end of its wait, or its age.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::{cmp::Reverse, mem};

use super::table::Slot;

/// Slots by a value, smallest first.
///
/// An entry is void once its slot's value is another one, or none. Void entries stay until they come up, or outnumber
/// the others three to one: whoever holds the agenda knows the `current` value of a slot, and enters it again whenever
/// it changes.
#[derive(Clone)]
pub(super) struct Agenda<T> {
    entries: BinaryHeap<Reverse<(T, Slot)>>,
    /// How many slots have a value.
    live: usize,
}

impl<T: Ord + Copy> Agenda<T> {
    pub(super) const fn new() -> Self {
        Self { entries: BinaryHeap::new(), live: 0 }
    }

    /// How many slots have a value.
    pub(super) const fn len(&self) -> usize {
        self.live
    }

    /// Takes note that the value of a slot was `before`, and now is `after`.
    #[inline]
    pub(super) fn change(
        &mut self,
        slot: Slot,
        before: Option<T>,
        after: Option<T>,
        current: impl Fn(Slot) -> Option<T>,
    ) {
        self.live += usize::from(after.is_some());
        self.live -= usize::from(before.is_some());
        if let Some(value) = after.filter(|_| after != before) {
            self.entries.push(Reverse((value, slot)));
            if self.entries.len() > 4 * self.live + VOID_ENTRIES {
                let mut entries = mem::take(&mut self.entries);
                entries.retain(|Reverse((value, slot))| current(*slot) == Some(*value));
                self.entries = entries;
            }
        }
    }

    /// The smallest value.
    #[inline]
    pub(super) fn first(&mut self, current: impl Fn(Slot) -> Option<T>) -> Option<T> {
        while let Some(Reverse((value, slot))) = self.entries.peek().copied() {
            if current(slot) == Some(value) {
                return Some(value);
            }
            self.entries.pop();
        }
        None
    }

    /// Moves the entries of the smallest value, void ones and duplicates too, to `slots`.
    pub(super) fn take(&mut self, value: T, slots: &mut Vec<Slot>) {
        while self.entries.peek().is_some_and(|Reverse((first, _))| *first == value) {
            slots.extend(self.entries.pop().map(|Reverse((_, slot))| slot));
        }
    }

    /// Puts back what was taken and has kept its value.
    pub(super) fn put_back(&mut self, value: T, slots: impl Iterator<Item = Slot>) {
        self.entries.extend(slots.map(|slot| Reverse((value, slot))));
    }
}

/// Void entries that are not worth dropping.
const VOID_ENTRIES: usize = 64;
