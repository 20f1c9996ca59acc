//! The clients of a fleet: a slab that grows without moving, and an index into it.

use alloc::vec::Vec;

use hashbrown::HashTable;

use super::{ClientKey, HashKey};
use crate::presence::Presence;

/// One client.
#[derive(Clone, Debug)]
pub(super) struct Client<K> {
    pub(super) key: K,
    pub(super) presence: Presence,
}

/// Where a client is in the table; free to be used again once it is removed.
pub(super) type Slot = u32;

#[derive(Clone)]
pub(super) struct Table<K> {
    hash_key: HashKey,
    index: HashTable<Slot>,
    /// Chunks of a fixed size: growing copies no client, and needs no room for old and new at once.
    chunks: Vec<Vec<Option<Client<K>>>>,
    free: Vec<Slot>,
}

impl<K: ClientKey> Table<K> {
    pub(super) const fn new(hash_key: HashKey) -> Self {
        Self { hash_key, index: HashTable::new(), chunks: Vec::new(), free: Vec::new() }
    }

    pub(super) const fn hash_key(&self) -> &HashKey {
        &self.hash_key
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, client_id: &str, hash: u128) -> Option<Slot> {
        let is_it = |slot: &Slot| {
            self.get(*slot).is_some_and(|client| client.key.is_key_of(client_id, hash))
        };
        self.index.find(spread(hash), is_it).copied()
    }

    pub(super) fn contains(&self, key: &K, hash: u128) -> bool {
        let is_it = |slot: &Slot| self.get(*slot).is_some_and(|client| client.key == *key);
        self.index.find(spread(hash), is_it).is_some()
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Client<K>> {
        let (chunk, place) = place_of(slot);
        self.chunks.get(chunk)?.get(place)?.as_ref()
    }

    pub(super) fn key(&self, slot: Slot) -> Option<&K> {
        self.get(slot).map(|client| &client.key)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Client<K>> {
        let (chunk, place) = place_of(slot);
        self.chunks.get_mut(chunk)?.get_mut(place)?.as_mut()
    }

    /// Adds a client that is not in the table. The caller keeps the number of clients below `u32::MAX`.
    pub(super) fn insert(&mut self, client: Client<K>, hash: u128) -> Slot {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        let (chunk, place) = place_of(slot);
        if let Some(vacant) = self.chunks.get_mut(chunk).and_then(|chunk| chunk.get_mut(place)) {
            *vacant = Some(client);
        }
        let Self { hash_key, index, chunks, .. } = self;
        index.insert_unique(spread(hash), slot, |slot| {
            let (chunk, place) = place_of(*slot);
            let client = chunks.get(chunk).and_then(|chunk| chunk.get(place)?.as_ref());
            client.map_or(0, |client| spread(client.key.hash(hash_key)))
        });
        slot
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Option<Client<K>> {
        let (chunk, place) = place_of(slot);
        let client = self.chunks.get_mut(chunk)?.get_mut(place)?.take()?;
        let hash = spread(client.key.hash(&self.hash_key));
        if let Ok(entry) = self.index.find_entry(hash, |known| *known == slot) {
            entry.remove();
        }
        self.free.push(slot);
        Some(client)
    }

    /// All clients, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Client<K>)> {
        let slots = self.chunks.iter().flatten().zip(0..);
        slots.filter_map(|(client, slot)| Some((slot, client.as_ref()?)))
    }

    /// A new vacant slot at the end.
    fn grow(&mut self) -> Slot {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let full = (self.chunks.len() - 1) * CHUNK;
        let last = self.chunks.last_mut().map_or(0, |chunk| {
            chunk.push(None);
            chunk.len() - 1
        });
        Slot::try_from(full + last).unwrap_or(Slot::MAX)
    }
}

/// Chunk, and place in the chunk.
const fn place_of(slot: Slot) -> (usize, usize) {
    (slot as usize / CHUNK, slot as usize % CHUNK)
}

/// The half of a hash that the index uses.
const fn spread(hash: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is as good as the upper")]
    let half = hash as u64;
    half
}

/// 1024 clients are 72 KiB with boxed ids: small beside a fleet, large beside an allocation.
const CHUNK: usize = 1024;
