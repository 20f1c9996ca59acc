//! What a fleet knows, as plain data: to survive a restart, and to join what two processes know.

use alloc::{string::String, vec::Vec};

use iot_sansio::{UnixMillis, WallClock};

use super::{Client, ClientKey, Config, Fleet, HashKey, HashedId, Turns};
use crate::{
    Order,
    presence::{self, Presence},
};

/// All that a fleet knows of its clients, sorted by key. With feature `serde` it can be serialised.
///
/// It holds no time of a monotonic clock: a wait is kept as what is left of it, and goes on from there. Queued outputs
/// and the connection are not part of it: drain the fleet before taking one.
///
/// ```
/// use iot_lifecycle::{Connected, Event, fleet::{Config, Fleet, HashKey}, presence::Status};
/// use iot_sansio::{MonoTime, UnixMillis, WallClock};
///
/// let clock = WallClock::new(MonoTime::ORIGIN, UnixMillis::new(1_700_000_000_000));
/// let hash_key = HashKey::new([7; 16]);
/// let mut fleet = Fleet::<Box<str>>::new(Config::default(), hash_key, clock);
/// let event = Event::new("pump-1", UnixMillis::new(1_700_000_000_000), Connected::new(0));
/// fleet.apply(MonoTime::ORIGIN, &event)?;
///
/// let snapshot = fleet.snapshot();
/// let restored = Fleet::restore(snapshot, Config::default(), hash_key, clock)?;
/// assert_eq!(restored.get("pump-1").unwrap().published(), Status::Online);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot<K> {
    /// The format: 1.
    pub format: u32,
    /// Tells whether the hash key is the one that hashed ids were made with; none where ids are kept.
    pub key_check: Option<String>,
    /// Whether the events were ordered by version; else by timestamp only.
    pub versioned: bool,
    /// The newest event among clients that were forgotten, in milliseconds since the Unix epoch.
    pub watermark: Option<i64>,
    /// The clients.
    pub clients: Vec<ClientSnapshot<K>>,
}

/// One client of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ClientSnapshot<K> {
    /// The client.
    pub client: K,
    /// What is known of it.
    pub presence: presence::Snapshot,
}

/// Why a snapshot cannot be restored. `place` counts its clients from 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A later version of the crate wrote it.
    #[error("format is {found}, this version reads {}: upgrade", FORMAT)]
    Format {
        /// Its format.
        found: u32,
    },
    /// Ids were hashed under another key.
    #[error("ids were hashed under another key: restore with that one")]
    HashKey,
    /// Events were ordered in the other of the two ways, and mixing them makes cycles (section 4.6).
    #[error("the fleet was ordered {}: restore it with that order", order_name(*.versioned))]
    Order {
        /// Whether it was ordered by version.
        versioned: bool,
    },
    /// More clients than the configuration allows.
    #[error("{found} clients, at most {limit} are configured: raise the limit")]
    TooManyClients {
        /// How many there are.
        found: usize,
        /// The configured limit.
        limit: usize,
    },
    /// The same client stands there twice.
    #[error("client {place} stands there before")]
    DuplicateClient {
        /// The later of the two.
        place: usize,
    },
    /// A client cannot be as it stands there.
    #[error("client {place}: {error}")]
    Client {
        /// The client.
        place: usize,
        /// What is wrong with it.
        error: presence::RestoreError,
    },
}

/// Why two snapshots cannot be merged.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// They have different formats.
    #[error(
        "formats differ, {one} and {other}: restore each with the version that wrote it, and take it again"
    )]
    Format {
        /// The one.
        one: u32,
        /// The other.
        other: u32,
    },
    /// Their ids were hashed under different keys.
    #[error("ids were hashed under different keys")]
    HashKey,
    /// One of them, or the order to merge by, is by version, and another by timestamp only.
    #[error("one is ordered by version and another by timestamp only")]
    Order,
}

impl<K: ClientKey> Fleet<K> {
    /// What the fleet knows now. Drain it first.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<K> {
        let clients = self.table.iter().map(|(_, client)| ClientSnapshot {
            client: client.key.clone(),
            presence: client.presence.snapshot(self.now),
        });
        let mut clients: Vec<_> = clients.collect();
        clients.sort_unstable_by(|one, two| one.client.cmp(&two.client));
        Snapshot {
            format: FORMAT,
            key_check: key_check::<K>(self.table.hash_key()),
            versioned: is_versioned(self.config.presence().order()),
            watermark: self.watermark.map(UnixMillis::get),
            clients,
        }
    }

    /// A fleet that knows what the snapshot holds, with these settings. Waits go on from `clock`'s moment.
    ///
    /// # Errors
    /// The snapshot does not fit the settings, or was not made by [`snapshot`](Self::snapshot).
    pub fn restore(
        snapshot: Snapshot<K>,
        config: Config,
        hash_key: HashKey,
        clock: WallClock,
    ) -> Result<Self, RestoreError> {
        let found = snapshot.format;
        if found != FORMAT {
            return Err(RestoreError::Format { found });
        }
        if snapshot.key_check != key_check::<K>(&hash_key) {
            return Err(RestoreError::HashKey);
        }
        let versioned = snapshot.versioned;
        if versioned != is_versioned(config.presence().order()) {
            return Err(RestoreError::Order { versioned });
        }
        let (found, limit) = (snapshot.clients.len(), config.max_clients());
        if found > limit {
            return Err(RestoreError::TooManyClients { found, limit });
        }
        let mut fleet = Self::new(config, hash_key, clock);
        fleet.now = clock.taken_at();
        fleet.watermark = snapshot.watermark.map(UnixMillis::new);
        for (place, client) in snapshot.clients.into_iter().enumerate() {
            let presence = Presence::restore(client.presence, fleet.now)
                .map_err(|error| RestoreError::Client { place, error })?;
            if !fleet.enter(client.client, presence) {
                return Err(RestoreError::DuplicateClient { place });
            }
        }
        Ok(fleet)
    }

    /// Puts a client into the table as it is; false when it is there already.
    fn enter(&mut self, key: K, presence: Presence) -> bool {
        let hash = key.hash(self.table.hash_key());
        if self.table.contains(&key, hash) {
            return false;
        }
        let turns = Turns::of(&presence);
        let slot = self.table.insert(Client { key, presence }, hash);
        self.change(slot, Turns::NONE, turns);
        true
    }
}

impl<K: ClientKey> Snapshot<K> {
    /// Joins what two processes know: each client as [`presence::Snapshot::merge`] says, under the order of the fleets.
    ///
    /// # Errors
    /// The two cannot be compared.
    pub fn merge(self, other: Self, order: &Order) -> Result<Self, MergeError> {
        if self.format != other.format {
            return Err(MergeError::Format { one: self.format, other: other.format });
        }
        if self.key_check != other.key_check {
            return Err(MergeError::HashKey);
        }
        if self.versioned != is_versioned(order) || other.versioned != self.versioned {
            return Err(MergeError::Order);
        }
        let watermark = self.watermark.max(other.watermark);
        let mut clients = self.clients;
        clients.extend(other.clients);
        clients.sort_by(|one, two| one.client.cmp(&two.client));
        let mut merged: Vec<ClientSnapshot<K>> = Vec::with_capacity(clients.len());
        for mut client in clients {
            if merged.last().is_some_and(|last| last.client == client.client) {
                if let Some(last) = merged.pop() {
                    client.presence = last.presence.merge(client.presence, order);
                }
            }
            merged.push(client);
        }
        Ok(Self { watermark, clients: merged, ..self })
    }
}

/// The hash of a text that is no client id, where keys depend on the hash key.
fn key_check<K: ClientKey>(hash_key: &HashKey) -> Option<String> {
    K::KEYED.then(|| HashedId::of("", hash_key).into())
}

const fn is_versioned(order: &Order) -> bool {
    matches!(order, Order::Versioned { .. })
}

const fn order_name(versioned: bool) -> &'static str {
    if versioned { "by version" } else { "by timestamp only" }
}

const FORMAT: u32 = 1;
