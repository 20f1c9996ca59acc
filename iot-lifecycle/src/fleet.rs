//! Many clients, with their deadlines inside, behind one machine over MQTT (specification section 6).

use alloc::{collections::VecDeque, string::String, vec::Vec};
use core::{fmt, mem};

use iot_sansio::{MonoTime, Output, UnixMillis, WallClock, mqtt};

use crate::{
    Event as LifecycleEvent, EventKind, HeadError, TopicError,
    presence::{Input, Note, Notes, Presence, Step},
    topic::check_client_id,
};

mod agenda;
mod config;
mod key;
mod machine;
mod snapshot;
mod table;

use agenda::Agenda;
pub use config::Config;
pub use key::{ClientKey, HashKey, HashedId, ParseHashedIdError};
pub use machine::InputError;
pub use snapshot::{ClientSnapshot, MergeError, RestoreError, Snapshot};
use table::{Client, Slot, Table};

/// The presence of many clients.
///
/// Feed it through the [`Machine`](iot_sansio::Machine) trait when the events come over MQTT, or with
/// [`apply`](Self::apply) when they come out of a queue or a stream. Either way drain
/// [`poll_output`](iot_sansio::Machine::poll_output) afterwards, and call
/// [`handle_timeout`](iot_sansio::Machine::handle_timeout) at the time that it names.
///
/// Over MQTT it is a guest on a connection that the application keeps: it subscribes after every
/// [`Opened`](mqtt::Opened), ignores topics that are not its own, and never ends by itself.
///
/// Memory is bounded by [`Config::with_max_clients`] and [`Config::with_max_queued`]: at most one output for each
/// waiting client can queue beyond the latter, when all their waits end before anything is drained.
///
/// ```
/// use iot_lifecycle::{Connected, Disconnected, Event, presence::Status};
/// use iot_lifecycle::fleet::{self, Config, Fleet, HashKey};
/// use iot_sansio::{Machine, MonoTime, Output, UnixMillis, WallClock};
///
/// let start = UnixMillis::new(1_700_000_000_000);
/// let clock = WallClock::new(MonoTime::ORIGIN, start);
/// // In earnest: 16 random bytes.
/// let mut fleet = Fleet::<Box<str>>::new(Config::default(), HashKey::new([7; 16]), clock);
///
/// // The disconnect of an older connection arrives after the connect of the newer one.
/// let now = MonoTime::from_millis(20);
/// fleet.apply(now, &Event::new("pump-1", start, Connected::new(4)))?;
/// fleet.apply(now, &Event::new("pump-1", start, Disconnected::new(3, "DUPLICATE_CLIENTID")))?;
/// assert_eq!(fleet.get("pump-1").unwrap().published(), Status::Online);
///
/// while let Output::Event(fleet::Event::Presence(update)) = fleet.poll_output() {
///     if let Some(transition) = update.step.transition {
///         println!("{} is {}", update.client, transition.to);
///     }
/// }
/// # Ok::<(), fleet::ApplyError>(())
/// ```
#[derive(Clone)]
pub struct Fleet<K> {
    config: Config,
    clock: WallClock,
    /// The newest time seen.
    now: MonoTime,
    table: Table<K>,
    /// When the wait of each waiting client ends.
    waits: Agenda<MonoTime>,
    /// The newest event of each client that is offline and may be forgotten.
    offline: Agenda<UnixMillis>,
    /// Room for the clients whose turn it is; empty in between.
    due: Vec<Slot>,
    /// The newest event among the clients that were forgotten.
    watermark: Option<UnixMillis>,
    counters: Counters,
    outputs: VecDeque<Output<mqtt::Action, Event<K>>>,
    guest: machine::Guest,
}

/// What a fleet tells the application.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event<K> {
    /// There is something to say of a client.
    Presence(Update<K>),
    /// The broker granted the subscription to this filter.
    Subscribed {
        /// The filter.
        filter: String,
    },
    /// The broker refused the subscription to this filter: the policy of the connection must allow `iot:Subscribe` on
    /// it and `iot:Receive` on its topics. It is asked for again after the next [`Opened`](mqtt::Opened).
    SubscriptionRefused {
        /// The filter.
        filter: String,
    },
}

/// What one input, or the end of one wait, led to for one client; what leads to nothing is not told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Update<K> {
    /// The client.
    pub client: K,
    /// The time of the input, or the end of the wait.
    pub at: MonoTime,
    /// Notes, and the transition to publish. Its timers are the fleet's own business.
    pub step: Step,
}

/// How often things happened since the fleet was made or restored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Counters {
    notes: [u64; Note::ALL.len()],
    /// Transitions published.
    pub transitions: u64,
    /// Waits that ended early because of a newer event: flapping that nobody was told of.
    pub cancelled_waits: u64,
    /// Clients forgotten.
    pub evicted: u64,
}

/// Why an event is not applied. The fleet is as before.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The event cannot be put in order.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The client cannot be kept under this id.
    #[error(transparent)]
    ClientId(#[from] TopicError),
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then feed the input again")]
    QueueFull {
        /// The configured limit.
        limit: usize,
    },
    /// Every place is taken by a client that is online or waits.
    #[error("{limit} clients are known and none is offline: raise the limit or split the fleet")]
    TooManyClients {
        /// The configured limit.
        limit: usize,
    },
    /// The client may have been forgotten, with a newer event: room was short, or the wall clock was set back after
    /// [`evict`](Fleet::evict) (section 6.3).
    #[error(
        "timestamp {timestamp} is not past the watermark {watermark} by theta: query the client's connectivity and \
         pass the answer to `observe`"
    )]
    BelowWatermark {
        /// That of the event.
        timestamp: UnixMillis,
        /// The newest event among the clients that were forgotten.
        watermark: UnixMillis,
    },
}

impl<K: ClientKey> Fleet<K> {
    /// An empty fleet: every client is unknown. `clock` says what the wall clock reads.
    #[must_use]
    pub fn new(config: Config, hash_key: HashKey, clock: WallClock) -> Self {
        Self {
            config,
            clock,
            now: MonoTime::ORIGIN,
            table: Table::new(hash_key),
            waits: Agenda::new(),
            offline: Agenda::new(),
            due: Vec::new(),
            watermark: None,
            counters: Counters::default(),
            outputs: VecDeque::new(),
            guest: machine::Guest::default(),
        }
    }

    /// Takes one decoded event at `now`. Kinds that say nothing of presence lead to notes at most.
    ///
    /// # Errors
    /// The event is not applied and the fleet is as before; the error says what to do.
    pub fn apply(&mut self, now: MonoTime, event: &LifecycleEvent<'_>) -> Result<(), ApplyError> {
        let input = match (self.config.presence().order().head(event)?, &event.kind) {
            (Some(head), EventKind::Disconnected(disconnected)) => {
                Input::Event { head, reason: disconnected.disconnect_reason.as_ref() }
            }
            (Some(head), _) => Input::Event { head, reason: None },
            (None, EventKind::ConnectFailed(_)) => Input::ConnectFailed,
            (None, EventKind::Subscribed(_)) => {
                Input::Subscribed { session: event.session(), timestamp: event.timestamp }
            }
            (None, _) => {
                self.pass(now);
                return Ok(());
            }
        };
        self.feed(now, &event.client_id, input)
    }

    /// Takes the answer of a connectivity query: whether the client was connected at `timestamp` (section 5.4).
    ///
    /// # Errors
    /// As [`apply`](Self::apply), but for what concerns the order of events.
    pub fn observe(
        &mut self,
        now: MonoTime,
        client_id: &str,
        connected: bool,
        timestamp: UnixMillis,
    ) -> Result<(), ApplyError> {
        self.feed(now, client_id, Input::Observed { connected, timestamp })
    }

    /// Takes the client's last will, whose topic is the application's to know. It leads to a note only.
    ///
    /// # Errors
    /// [`ApplyError::QueueFull`].
    pub fn last_will(&mut self, now: MonoTime, client_id: &str) -> Result<(), ApplyError> {
        self.feed(now, client_id, Input::LastWill)
    }

    /// Tells what the wall clock reads now that it was set. Only the admission of events and retention look at it.
    pub fn set_wall_clock(&mut self, now: MonoTime, wall: UnixMillis) {
        self.pass(now);
        self.clock = WallClock::new(self.now, wall);
    }

    /// Forgets clients that have been offline for longer than [`Config::with_retention`]: no event that is still
    /// admitted could be older than what is forgotten (section 6.3). Call it now and then; it looks only at clients that
    /// it forgets, and gives their number.
    pub fn evict(&mut self, now: MonoTime) -> usize {
        self.pass(now);
        let oldest_kept = self.clock.at(self.now).before(self.config.retention());
        let before = self.len();
        while let Some(age) = self.oldest_offline().filter(|age| *age < oldest_kept) {
            let mut due = mem::take(&mut self.due);
            self.offline.take(age, &mut due);
            due.drain(..).for_each(|slot| self.forget(slot, age));
            self.due = due;
        }
        before - self.len()
    }

    /// What is known of a client. Drain the fleet first: waits that are over end while it is drained.
    #[must_use]
    pub fn get(&self, client_id: &str) -> Option<&Presence> {
        let hash = self.table.hash_key().hash(client_id);
        let client = self.table.get(self.table.find(client_id, hash)?)?;
        Some(&client.presence)
    }

    /// All clients, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Presence)> {
        self.table.iter().map(|(_, client)| (&client.key, &client.presence))
    }

    /// How many clients are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no client is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often things happened.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The newest event among the clients that were forgotten. Events of unknown clients must be newer than it by Θ: as
    /// long as only [`evict`](Self::evict) forgets and the wall clock is not set back, those that are not are too old
    /// anyway.
    #[must_use]
    pub const fn watermark(&self) -> Option<UnixMillis> {
        self.watermark
    }

    fn feed(&mut self, now: MonoTime, client_id: &str, input: Input<'_>) -> Result<(), ApplyError> {
        self.room_for(1)?;
        let hash = self.table.hash_key().hash(client_id);
        let Some(slot) = self.table.find(client_id, hash) else {
            return self.feed_unknown(now, client_id, hash, input);
        };
        let Some(client) = self.table.get(slot) else {
            return Ok(());
        };
        if client.presence.head().is_none() {
            self.check_watermark(self.now.max(now), &input)?;
        }
        self.pass(now);
        self.step(slot, self.now, input);
        Ok(())
    }

    /// Takes an input of a client that is not in the table, and enters it if there is something to keep.
    fn feed_unknown(
        &mut self,
        now: MonoTime,
        client_id: &str,
        hash: u128,
        input: Input<'_>,
    ) -> Result<(), ApplyError> {
        let at = self.now.max(now);
        self.check_watermark(at, &input)?;
        let mut presence = Presence::default();
        let step = presence.step(self.config.presence(), at, self.clock.at(at), input);
        let is_kept = presence != Presence::default();
        if is_kept {
            check_client_id(client_id)?;
            let limit = self.config.max_clients();
            // Whoever waits until now at most is offline by the time that room is made.
            let is_offline_by = |deadline| deadline <= at;
            if self.table.len() >= limit
                && self.offline.len() == 0
                && !self.next_deadline().is_some_and(is_offline_by)
            {
                return Err(ApplyError::TooManyClients { limit });
            }
        }
        self.pass(now);
        let key = K::new(client_id, hash);
        if is_kept {
            if self.table.len() >= self.config.max_clients() {
                self.evict_oldest();
            }
            let turns = Turns::of(&presence);
            let slot = self.table.insert(Client { key: key.clone(), presence }, hash);
            self.change(slot, Turns::NONE, turns);
        }
        self.tell(key, at, step);
        Ok(())
    }

    /// Feeds one client of the table.
    fn step(&mut self, slot: Slot, at: MonoTime, input: Input<'_>) {
        let Some(client) = self.table.get_mut(slot) else {
            return;
        };
        let before = Turns::of(&client.presence);
        let step = client.presence.step(self.config.presence(), at, self.clock.at(at), input);
        let after = Turns::of(&client.presence);
        if !step.is_empty() {
            let key = client.key.clone();
            self.tell(key, at, step);
        }
        self.change(slot, before, after);
    }

    /// Enters a client, or what has changed about it, in the agendas.
    #[inline]
    fn change(&mut self, slot: Slot, before: Turns, after: Turns) {
        let Self { table, waits, offline, .. } = self;
        let turns =
            |slot| table.get(slot).map_or(Turns::NONE, |client| Turns::of(&client.presence));
        waits.change(slot, before.wait, after.wait, |slot| turns(slot).wait);
        offline.change(slot, before.age, after.age, |slot| turns(slot).age);
    }

    fn tell(&mut self, client: K, at: MonoTime, step: Step) {
        for note in step.notes.iter() {
            self.counters.notes[note as usize] += 1;
        }
        self.counters.cancelled_waits += u64::from(step.cancel.is_some());
        self.counters.transitions += u64::from(step.transition.is_some());
        if !step.is_empty() {
            let update = Update { client, at, step };
            self.outputs.push_back(Output::Event(Event::Presence(update)));
        }
    }

    /// Lets time pass up to `now`, and ends every wait that is over by then.
    fn pass(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= self.now) {
            self.end_waits(deadline);
        }
    }

    /// Ends the waits of the soonest deadline, in the order of their keys.
    fn end_waits(&mut self, deadline: MonoTime) {
        let mut due = mem::take(&mut self.due);
        self.waits.take(deadline, &mut due);
        due.sort_unstable_by(|one, two| self.table.key(*one).cmp(&self.table.key(*two)));
        for slot in due.drain(..) {
            let timer = self.table.get(slot).and_then(|client| client.presence.waiting());
            if let Some(timer) = timer.filter(|timer| timer.deadline == deadline) {
                self.step(slot, deadline, Input::Timer(timer.token));
            }
        }
        self.due = due;
    }

    /// When the next wait is over.
    fn next_deadline(&mut self) -> Option<MonoTime> {
        let Self { table, waits, .. } = self;
        waits.first(|slot| Some(table.get(slot)?.presence.waiting()?.deadline))
    }

    /// The newest event of the client that has been offline for longest.
    fn oldest_offline(&mut self) -> Option<UnixMillis> {
        let Self { table, offline, .. } = self;
        offline.first(|slot| Turns::of(&table.get(slot)?.presence).age)
    }

    /// Makes room for one client: forgets the one that has been offline for longest, of equally old ones the first by
    /// key, so that a restored fleet forgets the same.
    fn evict_oldest(&mut self) {
        let Some(age) = self.oldest_offline() else { return };
        let mut due = mem::take(&mut self.due);
        self.offline.take(age, &mut due);
        due.retain(|slot| {
            let client = self.table.get(*slot);
            client.is_some_and(|client| Turns::of(&client.presence).age == Some(age))
        });
        let first = due.iter().copied().min_by_key(|slot| self.table.key(*slot));
        self.offline.put_back(age, due.drain(..).filter(|slot| Some(*slot) != first));
        self.due = due;
        if let Some(slot) = first {
            self.forget(slot, age);
        }
    }

    /// Forgets a client, unless its entry is void.
    fn forget(&mut self, slot: Slot, age: UnixMillis) {
        let Some(client) = self.table.get(slot) else { return };
        let before = Turns::of(&client.presence);
        if before.age != Some(age) {
            return;
        }
        let newest = client.presence.head().map(|head| head.timestamp);
        self.watermark = self.watermark.max(newest);
        self.table.remove(slot);
        self.counters.evicted += 1;
        self.change(slot, before, Turns::NONE);
    }

    /// Whether this many outputs may queue.
    fn room_for(&self, outputs: usize) -> Result<(), ApplyError> {
        let limit = self.config.max_queued();
        if self.outputs.len() + outputs > limit {
            return Err(ApplyError::QueueFull { limit });
        }
        Ok(())
    }

    /// Whether an event of a client without a head can be told from one that was forgotten (section 6.3). What is
    /// not admitted anyway is in no doubt.
    fn check_watermark(&self, at: MonoTime, input: &Input<'_>) -> Result<(), ApplyError> {
        let (Input::Event { head, .. }, Some(watermark)) = (input, self.watermark) else {
            return Ok(());
        };
        let (timestamp, config) = (head.timestamp, self.config.presence());
        if timestamp <= watermark.after(config.order().theta())
            && config.admit(timestamp, self.clock.at(at), &mut Notes::default())
        {
            return Err(ApplyError::BelowWatermark { timestamp, watermark });
        }
        Ok(())
    }
}

impl Counters {
    /// How often this was noted.
    #[must_use]
    pub const fn noted(&self, note: Note) -> u64 {
        self.notes[note as usize]
    }
}

impl<K> fmt::Debug for Fleet<K> {
    /// Sizes and counts, not the clients.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("now", &self.now)
            .field("waiting", &self.waits.len())
            .field("offline", &self.offline.len())
            .field("watermark", &self.watermark)
            .field("counters", &self.counters)
            .field("queued", &self.outputs.len())
            .finish_non_exhaustive()
    }
}

/// What a client is in the agendas for.
#[derive(Clone, Copy)]
struct Turns {
    /// The end of its wait.
    wait: Option<MonoTime>,
    /// Its newest event, when it is offline and may be forgotten; the earliest time when it has none.
    age: Option<UnixMillis>,
}

impl Turns {
    const NONE: Self = Self { wait: None, age: None };

    #[inline]
    fn of(presence: &Presence) -> Self {
        let age = || presence.head().map_or(UnixMillis::new(i64::MIN), |head| head.timestamp);
        Self {
            wait: presence.waiting().map(|timer| timer.deadline),
            age: presence.is_evictable().then(age),
        }
    }
}
