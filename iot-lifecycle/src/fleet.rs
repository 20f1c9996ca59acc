//! Many clients, with their deadlines inside, behind one machine over MQTT (specification section 6).

use alloc::{
    collections::{BinaryHeap, VecDeque},
    string::String,
    vec::Vec,
};
use core::{cmp::Reverse, fmt, mem};

use iot_sansio::{MonoTime, Output, UnixMillis, WallClock, mqtt};

use crate::{
    Event as LifecycleEvent, EventKind, HeadError, TopicError,
    presence::{Input, Note, Notes, Presence, Status, Step, TimerToken},
    topic::check_client_id,
};

mod config;
mod key;
mod machine;
mod snapshot;
mod table;

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
    /// The ends of waits, soonest first. Void ones stay until they come up or are too many.
    waits: BinaryHeap<Reverse<(MonoTime, Slot)>>,
    /// Room for the waits that end at one moment; empty in between.
    ending: Vec<(Slot, TimerToken)>,
    /// How many clients wait.
    waiting: usize,
    /// How many clients are offline, and so may be forgotten.
    offline: usize,
    /// The newest event among clients that were forgotten before their retention was over.
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
    /// The client may have been forgotten early, with a newer event (section 6.3).
    #[error(
        "timestamp {timestamp} is not past the watermark {watermark} by theta: query the client's connectivity and \
         pass the answer to `observe`"
    )]
    BelowWatermark {
        /// That of the event.
        timestamp: UnixMillis,
        /// The newest event among the clients that were forgotten early.
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
            waits: BinaryHeap::new(),
            ending: Vec::new(),
            waiting: 0,
            offline: 0,
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
    /// admitted could be older than what is forgotten (section 6.3). Looks at every client; call it now and then.
    ///
    /// Gives the number of clients forgotten.
    pub fn evict(&mut self, now: MonoTime) -> usize {
        self.pass(now);
        let oldest_kept = self.clock.at(self.now).before(self.config.retention());
        let is_over = |presence: &Presence| {
            let head = presence.head();
            presence.is_evictable() && head.is_none_or(|head| head.timestamp < oldest_kept)
        };
        let clients = self.table.iter().filter(|(_, client)| is_over(&client.presence));
        let slots: Vec<Slot> = clients.map(|(slot, _)| slot).collect();
        slots.iter().for_each(|slot| self.forget(*slot));
        slots.len()
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

    /// The newest event among clients that were forgotten early; events of unknown clients must be newer than it by Θ.
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
                && self.offline == 0
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
            let slot = self.table.insert(Client { key: key.clone(), presence }, hash);
            self.account(slot, &step);
        }
        self.tell(key, at, step);
        Ok(())
    }

    /// Feeds one client of the table.
    fn step(&mut self, slot: Slot, at: MonoTime, input: Input<'_>) {
        let Some(client) = self.table.get_mut(slot) else {
            return;
        };
        let step = client.presence.step(self.config.presence(), at, self.clock.at(at), input);
        if !step.is_empty() {
            let key = client.key.clone();
            self.account(slot, &step);
            self.tell(key, at, step);
        }
    }

    /// Keeps the deadlines and the counts.
    fn account(&mut self, slot: Slot, step: &Step) {
        if step.cancel.is_some() {
            self.waiting -= 1;
            self.counters.cancelled_waits += 1;
        }
        if let Some(timer) = step.arm {
            self.waiting += 1;
            self.waits.push(Reverse((timer.deadline, slot)));
            if self.waits.len() > 2 * self.waiting + VOID_WAITS {
                self.forget_void_waits();
            }
        }
        if let Some(transition) = step.transition {
            self.counters.transitions += 1;
            self.offline += usize::from(transition.to == Status::Offline);
            self.offline -= usize::from(transition.from == Status::Offline);
        }
    }

    fn tell(&mut self, client: K, at: MonoTime, step: Step) {
        for note in step.notes.iter() {
            self.counters.notes[note as usize] += 1;
        }
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
        let mut ending = mem::take(&mut self.ending);
        while self.waits.peek().is_some_and(|Reverse((at, _))| *at == deadline) {
            let Some(Reverse((_, slot))) = self.waits.pop() else {
                break;
            };
            let client = self.table.get(slot);
            let timer = client.and_then(|client| client.presence.waiting());
            ending
                .extend(timer.filter(|timer| timer.deadline == deadline).map(|t| (slot, t.token)));
        }
        let key = |slot: Slot| self.table.get(slot).map(|client| &client.key);
        ending.sort_unstable_by(|(one, _), (two, _)| key(*one).cmp(&key(*two)));
        ending.dedup();
        for (slot, token) in ending.drain(..) {
            self.waiting -= 1;
            self.step(slot, deadline, Input::Timer(token));
        }
        self.ending = ending;
    }

    /// When the next wait is over; drops void waits that stand before it.
    fn next_deadline(&mut self) -> Option<MonoTime> {
        while let Some(Reverse((deadline, slot))) = self.waits.peek().copied() {
            if self.is_running(deadline, slot) {
                return Some(deadline);
            }
            self.waits.pop();
        }
        None
    }

    /// Whether this entry of `waits` is not void.
    fn is_running(&self, deadline: MonoTime, slot: Slot) -> bool {
        let timer = self.table.get(slot).and_then(|client| client.presence.waiting());
        timer.is_some_and(|timer| timer.deadline == deadline)
    }

    fn forget_void_waits(&mut self) {
        let mut waits = mem::take(&mut self.waits);
        waits.retain(|Reverse((deadline, slot))| self.is_running(*deadline, *slot));
        self.waits = waits;
    }

    fn forget(&mut self, slot: Slot) {
        if let Some(client) = self.table.remove(slot) {
            self.counters.evicted += 1;
            self.offline -= usize::from(client.presence.published() == Status::Offline);
        }
    }

    /// Makes room for one client: forgets the oldest of those that are offline, a share of all at a time so that the
    /// search costs little for each, and raises the watermark to the newest event among them. Equally old ones go in the
    /// order of their keys, so that a restored fleet forgets the same.
    fn evict_oldest(&mut self) {
        let share = (self.config.max_clients() / EVICTED_SHARE).max(1);
        let mut oldest = BinaryHeap::with_capacity(share + 1);
        for (slot, client) in self.table.iter() {
            if client.presence.is_evictable() {
                let timestamp = client.presence.head().map(|head| head.timestamp);
                oldest.push((timestamp, &client.key, slot));
                if oldest.len() > share {
                    oldest.pop();
                }
            }
        }
        self.watermark = self.watermark.max(oldest.peek().and_then(|(timestamp, ..)| *timestamp));
        let slots: Vec<Slot> = oldest.into_iter().map(|(.., slot)| slot).collect();
        slots.iter().for_each(|slot| self.forget(*slot));
    }

    /// Whether this many outputs may queue.
    fn room_for(&self, outputs: usize) -> Result<(), ApplyError> {
        let limit = self.config.max_queued();
        if self.outputs.len() + outputs > limit {
            return Err(ApplyError::QueueFull { limit });
        }
        Ok(())
    }

    /// Whether an event of a client without a head can be told from one that was forgotten early (section 6.3). What is
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
            .field("waiting", &self.waiting)
            .field("offline", &self.offline)
            .field("watermark", &self.watermark)
            .field("counters", &self.counters)
            .field("queued", &self.outputs.len())
            .finish_non_exhaustive()
    }
}

/// Void waits that are not worth dropping.
const VOID_WAITS: usize = 64;

/// One in so many clients is forgotten when room is made.
const EVICTED_SHARE: usize = 64;
