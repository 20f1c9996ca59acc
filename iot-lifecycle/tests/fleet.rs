//! A fleet against a naive reference, and its own promises: eviction, watermark, snapshots.

mod feeds;

use core::time::Duration;
use std::collections::BTreeMap;

use feeds::{CLOCK, START, Step};
use iot_lifecycle::{
    Connected, DisconnectReason, Disconnected, Event, EventKind, Order,
    fleet::{self, ApplyError, ClientKey, Config, Fleet, HashKey, HashedId, RestoreError, Update},
    history::History,
    presence::{self, Input, Presence, Status, TimerToken},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis};
use proptest::prelude::*;

const HASH_KEY: HashKey = HashKey::new([7; 16]);

fn fleet_with(config: Config) -> Fleet<Box<str>> {
    Fleet::new(config, HASH_KEY, CLOCK)
}

fn presence_config() -> presence::Config {
    presence::Config::default().with_wait_for("CLIENT_INITIATED_DISCONNECT", Duration::ZERO)
}

fn feed<K: ClientKey>(fleet: &mut Fleet<K>, now: MonoTime, step: &Step) -> Result<(), ApplyError> {
    match step {
        Step::Event(event) => fleet.apply(now, event),
        Step::LastWill(client) => fleet.last_will(now, client),
        Step::Observed { client, connected, timestamp } => {
            fleet.observe(now, client, *connected, *timestamp)
        }
        Step::Tick => {
            fleet.handle_timeout(now);
            Ok(())
        }
    }
}

fn drain<K: ClientKey>(fleet: &mut Fleet<K>) -> Vec<Update<K>> {
    core::iter::from_fn(|| match fleet.poll_output() {
        Output::Event(fleet::Event::Presence(update)) => Some(update),
        Output::Idle(_) => None,
        other => panic!("unexpected output {other:?}"),
    })
    .collect()
}

/// One map of clients, and a search through all of them for the next deadline.
#[derive(Default)]
struct Reference {
    clients: BTreeMap<Box<str>, Presence>,
    now: MonoTime,
    told: Vec<(Box<str>, MonoTime, presence::Step)>,
}

impl Reference {
    fn pass(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        loop {
            let due = self.clients.iter().filter_map(|(client, presence)| {
                let timer = presence.waiting()?;
                (timer.deadline <= self.now).then(|| (timer.deadline, client.clone(), timer.token))
            });
            let Some((deadline, client, token)) = due.min() else {
                return;
            };
            self.step(&client, deadline, Input::Timer(token));
        }
    }

    fn step(&mut self, client: &str, at: MonoTime, input: Input<'_>) {
        let presence = self.clients.entry(client.into()).or_default();
        let step = presence.step(&presence_config(), at, CLOCK.at(at), input);
        if !step.is_empty() {
            self.told.push((client.into(), at, step));
        }
        self.clients.retain(|_, presence| *presence != Presence::default());
    }

    fn feed(&mut self, now: MonoTime, step: &Step) {
        self.pass(now);
        let at = self.now;
        match step {
            Step::Event(event) => {
                let reason = match &event.kind {
                    EventKind::Disconnected(gone) => gone.disconnect_reason.clone(),
                    _ => None::<DisconnectReason<'_>>,
                };
                let input = match (Order::default().head(event).unwrap(), &event.kind) {
                    (Some(head), _) => Input::Event { head, reason: reason.as_ref() },
                    (None, EventKind::ConnectFailed(_)) => Input::ConnectFailed,
                    (None, EventKind::Subscribed(_)) => {
                        Input::Subscribed { session: event.session(), timestamp: event.timestamp }
                    }
                    _ => return,
                };
                self.step(&event.client_id, at, input);
            }
            Step::LastWill(client) => self.step(client, at, Input::LastWill),
            Step::Observed { client, connected, timestamp } => {
                let input = Input::Observed { connected: *connected, timestamp: *timestamp };
                self.step(client, at, input);
            }
            Step::Tick => {}
        }
    }
}

/// Gives the absolute time of each step.
fn timed(steps: &[(u64, Step)]) -> impl Iterator<Item = (MonoTime, &Step)> {
    steps.iter().scan(0, |now, (gap, step)| {
        *now += gap;
        Some((MonoTime::from_millis(*now), step))
    })
}

proptest! {
    #[test]
    fn a_fleet_tells_what_the_naive_reference_tells(steps in feeds::feed(60)) {
        let mut fleet = fleet_with(Config::default().with_presence(presence_config()));
        let mut hashed =
            Fleet::<HashedId>::new(Config::default().with_presence(presence_config()), HASH_KEY, CLOCK);
        let (mut reference, mut told, mut hashed_told) = (Reference::default(), vec![], 0);
        for (now, step) in timed(&steps) {
            reference.feed(now, step);
            feed(&mut fleet, now, step).unwrap();
            feed(&mut hashed, now, step).unwrap();
            told.extend(drain(&mut fleet).into_iter().map(|update| (update.client, update.at, update.step)));
            hashed_told += drain(&mut hashed).len();
        }
        prop_assert_eq!(&told, &reference.told);
        prop_assert_eq!(hashed_told, told.len());
        let known: BTreeMap<_, _> =
            fleet.iter().map(|(client, presence)| (client.clone(), presence.clone())).collect();
        prop_assert_eq!(known, reference.clients);
    }

    /// The invariants of section 5.5, as far as they show in what is told.
    #[test]
    fn transitions_alternate_and_at_most_one_wait_runs(steps in feeds::feed(120)) {
        let mut fleet = fleet_with(Config::default().with_presence(presence_config()));
        let mut published = BTreeMap::<Box<str>, Status>::new();
        let mut waiting = BTreeMap::<Box<str>, TimerToken>::new();
        let mut newest = BTreeMap::<Box<str>, TimerToken>::new();
        for (now, step) in timed(&steps) {
            feed(&mut fleet, now, step).unwrap();
            for Update { client, step, .. } in drain(&mut fleet) {
                if let Some(token) = step.cancel {
                    prop_assert_eq!(waiting.remove(&client), Some(token));
                }
                if let Some(transition) = step.transition {
                    let before = published.insert(client.clone(), transition.to).unwrap_or_default();
                    prop_assert_eq!(transition.from, before);
                    prop_assert_ne!(transition.from, transition.to);
                    waiting.remove(&client);
                }
                if let Some(timer) = step.arm {
                    prop_assert!(waiting.insert(client.clone(), timer.token).is_none());
                    prop_assert!(newest.insert(client, timer.token) < Some(timer.token));
                }
            }
        }
    }

    #[test]
    fn a_restored_fleet_goes_on_as_the_first_would(
        before in feeds::feed(40),
        after in feeds::feed(40),
    ) {
        let config = Config::default().with_presence(presence_config());
        let mut fleet = fleet_with(config.clone());
        let mut now = MonoTime::ORIGIN;
        for (at, step) in timed(&before) {
            feed(&mut fleet, at, step).unwrap();
            now = at;
        }
        drain(&mut fleet);
        let snapshot = fleet.snapshot();
        let json = serde_json::to_string(&snapshot).unwrap();
        let read = serde_json::from_str::<fleet::Snapshot<Box<str>>>(&json).unwrap();
        prop_assert_eq!(&read, &snapshot);
        // Another process, whose monotonic clock has another origin.
        let shift = Duration::from_secs(77);
        let clock = iot_sansio::WallClock::new(now.after(shift), CLOCK.at(now));
        let mut restored = Fleet::restore(read, config, HashKey::new([9; 16]), clock).unwrap();
        prop_assert_eq!(restored.snapshot(), snapshot);
        for (gap, step) in &after {
            now = now.after(Duration::from_millis(*gap));
            feed(&mut fleet, now, step).unwrap();
            feed(&mut restored, now.after(shift), step).unwrap();
            let told = drain(&mut fleet);
            let told_again = drain(&mut restored);
            prop_assert_eq!(told.len(), told_again.len());
            for (one, two) in told.iter().zip(&told_again) {
                prop_assert_eq!((&one.client, one.at.after(shift)), (&two.client, two.at));
                prop_assert_eq!(one.step.transition, two.step.transition);
                prop_assert_eq!(one.step.notes, two.step.notes);
            }
        }
        prop_assert_eq!(restored.snapshot(), fleet.snapshot());
    }
}

fn connected(client: &str, version: i64, timestamp: UnixMillis) -> Event<'_> {
    Event::new(client, timestamp, Connected::new(version))
}

fn disconnected(client: &str, version: i64, timestamp: UnixMillis) -> Event<'_> {
    Event::new(client, timestamp, Disconnected::new(version, "CONNECTION_LOST"))
}

fn at(seconds: u64) -> (MonoTime, UnixMillis) {
    let now = MonoTime::from_millis(1_000 * seconds);
    (now, CLOCK.at(now))
}

#[test]
fn waits_that_end_together_end_in_the_order_of_their_clients() {
    let mut fleet = fleet_with(Config::default());
    for client in ["c", "a", "b", "é", "aa"] {
        fleet.apply(MonoTime::ORIGIN, &disconnected(client, 0, START)).unwrap();
    }
    drain(&mut fleet);
    fleet.handle_timeout(MonoTime::from_millis(5_000));
    let told: Vec<_> = drain(&mut fleet).into_iter().map(|update| update.client).collect();
    assert_eq!(told, ["a", "aa", "b", "c", "é"].map(Box::from));
}

#[test]
fn a_full_queue_refuses_and_loses_nothing() {
    let mut fleet = fleet_with(Config::default().with_max_queued(2));
    fleet.apply(MonoTime::ORIGIN, &connected("a", 0, START)).unwrap();
    fleet.apply(MonoTime::ORIGIN, &connected("b", 0, START)).unwrap();
    let before = fleet.snapshot();
    let refused = fleet.apply(MonoTime::from_millis(9), &connected("c", 0, START));
    assert_eq!(refused, Err(ApplyError::QueueFull { limit: 2 }));
    assert_eq!(fleet.snapshot(), before);
    assert_eq!(drain(&mut fleet).len(), 2);
    fleet.apply(MonoTime::from_millis(9), &connected("c", 0, START)).unwrap();
    assert_eq!(drain(&mut fleet).len(), 1);
}

#[test]
fn a_full_fleet_forgets_the_oldest_offline_client_and_raises_the_watermark() {
    let mut fleet = fleet_with(Config::default().with_max_clients(2));
    let (now, wall) = at(0);
    fleet.apply(now, &disconnected("old", 7, wall)).unwrap();
    fleet.apply(now, &connected("on", 0, wall)).unwrap();
    // Nobody is offline yet.
    let refused = fleet.apply(now, &connected("new", 0, wall));
    assert_eq!(refused, Err(ApplyError::TooManyClients { limit: 2 }));
    let (now, wall) = at(301);
    fleet.handle_timeout(now);
    drain(&mut fleet);
    fleet.apply(now, &connected("new", 0, wall)).unwrap();
    assert!(fleet.get("old").is_none());
    assert_eq!((fleet.len(), fleet.watermark()), (2, Some(START)));

    // What could be older than the forgotten event is refused, what cannot be is not.
    let theta = Duration::from_secs(300);
    let mut fleet = Fleet::restore(
        fleet.snapshot(),
        Config::default(),
        HASH_KEY,
        iot_sansio::WallClock::new(now, wall),
    )
    .unwrap();
    let doubtful = START.after(theta);
    assert_eq!(
        fleet.apply(now, &connected("old", 6, doubtful)),
        Err(ApplyError::BelowWatermark { timestamp: doubtful, watermark: START })
    );
    assert!(fleet.get("old").is_none());
    // An observation answers the doubt.
    fleet.observe(now, "old", true, wall).unwrap();
    assert_eq!(fleet.get("old").unwrap().published(), Status::Online);
    fleet.apply(now, &connected("older", 6, UnixMillis::new(doubtful.get() + 1))).unwrap();
}

#[test]
fn a_snapshot_is_refused_for_what_is_wrong_with_it() {
    let mut fleet = Fleet::<HashedId>::new(Config::default(), HASH_KEY, CLOCK);
    for client in ["a", "b"] {
        fleet.apply(MonoTime::ORIGIN, &disconnected(client, 0, START)).unwrap();
    }
    let good = fleet.snapshot();
    let restore = |snapshot, config, key| {
        Fleet::<HashedId>::restore(snapshot, config, key, CLOCK).map(|fleet| fleet.snapshot())
    };
    assert_eq!(restore(good.clone(), Config::default(), HASH_KEY), Ok(good.clone()));
    assert_eq!(
        restore(good.clone(), Config::default(), HashKey::new([8; 16])),
        Err(RestoreError::HashKey)
    );
    assert_eq!(
        restore(good.clone(), Config::default().with_max_clients(1), HASH_KEY),
        Err(RestoreError::TooManyClients { found: 2, limit: 1 })
    );
    let mut bad = good.clone();
    bad.format = 2;
    assert_eq!(restore(bad, Config::default(), HASH_KEY), Err(RestoreError::Format { found: 2 }));
    let mut bad = good.clone();
    bad.clients[1].client = bad.clients[0].client;
    assert_eq!(
        restore(bad, Config::default(), HASH_KEY),
        Err(RestoreError::DuplicateClient { place: 1 })
    );
    let mut bad = good.clone();
    bad.clients[1].presence.published = Status::Offline;
    assert!(matches!(
        restore(bad, Config::default(), HASH_KEY),
        Err(RestoreError::Client { place: 1, error }) if error.field == "wait"
    ));
    let mut bad = good;
    bad.clients[0].presence.head.as_mut().unwrap().version = -1;
    assert!(matches!(
        restore(bad, Config::default(), HASH_KEY),
        Err(RestoreError::Client { place: 0, error }) if error.field == "version"
    ));
}

/// What happened to the devices of a history, by the time of its arrival: at most `latest` after it happened.
fn arrivals(history: &History, seed: u64, latest: Duration) -> Vec<(UnixMillis, Event<'static>)> {
    let mut numbers = seed;
    let mut late = || {
        // Any spread will do; this one needs no generator.
        numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        latest.mul_f64(f64::from(u32::try_from(numbers >> 32).unwrap()) / f64::from(u32::MAX))
    };
    let mut arrivals = Vec::new();
    for occurrence in history.devices().flat_map(|device| device.occurrences) {
        for _ in 0..=u8::from(occurrence.repeated) {
            arrivals.push((occurrence.at.after(late()), occurrence.event.clone()));
        }
    }
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals
}

/// P1 on the whole machine: any order, duplicates, any waits in between.
#[test]
fn a_shuffled_history_ends_with_the_truth_once_all_waits_are_over() {
    for seed in 0..20 {
        let history = History::new(seed, 100, START);
        let mut fleet = fleet_with(Config::default());
        for (place, event) in history.feed().iter().enumerate() {
            // Now and then a wait ends between two arrivals.
            let now = MonoTime::from_millis(place as u64 * (seed % 4) * 1_700);
            fleet.set_wall_clock(now, START);
            fleet.apply(now, event).unwrap();
            drain(&mut fleet);
        }
        while let Output::Idle(Some(deadline)) = fleet.poll_output() {
            fleet.handle_timeout(deadline);
            drain(&mut fleet);
        }
        let published = |client: &str| Some(fleet.get(client)?.published() == Status::Online);
        assert_eq!(history.errors(published), 0, "seed {seed}");
    }
}

/// P8: forgetting by retention changes no status, for events that arrive up to `max_age` late.
#[test]
fn a_fleet_that_forgets_ends_as_one_that_never_does() {
    let max_age = Duration::from_secs(1_800);
    let mut forgotten = 0;
    for seed in 0..20 {
        let history = History::new(seed, 50, START);
        let arrivals = arrivals(&history, seed, max_age);
        let origin = arrivals[0].0;
        let clock = iot_sansio::WallClock::new(MonoTime::ORIGIN, origin);
        let config = Config::default()
            .with_presence(presence::Config::default().with_max_age(max_age))
            // Less than is safe counts as what is safe.
            .with_retention(Duration::ZERO);
        let mut keeps = Fleet::<Box<str>>::new(config.clone(), HASH_KEY, clock);
        let mut forgets = Fleet::<Box<str>>::new(config, HASH_KEY, clock);
        for (at, event) in &arrivals {
            let now = MonoTime::from_millis(at.abs_diff(origin));
            keeps.apply(now, event).unwrap();
            forgets.evict(now);
            forgets.apply(now, event).unwrap();
            drain(&mut keeps);
            drain(&mut forgets);
            // A client that was forgotten was offline, and one that comes back is unknown until it is heard of.
            let is_online = |fleet: &Fleet<Box<str>>| {
                let presence = fleet.get(&event.client_id);
                presence.is_some_and(|presence| presence.published() == Status::Online)
            };
            assert_eq!(is_online(&keeps), is_online(&forgets), "seed {seed}: {event:?}");
        }
        for fleet in [&mut keeps, &mut forgets] {
            while let Output::Idle(Some(deadline)) = fleet.poll_output() {
                fleet.handle_timeout(deadline);
                drain(fleet);
            }
        }
        for (client, presence) in keeps.iter() {
            let known = forgets.get(client).map_or(Status::Offline, Presence::published);
            assert_eq!(known, presence.published(), "seed {seed}: {client}");
        }
        forgotten += forgets.counters().evicted;
        assert!(forgets.watermark().is_none(), "retention is safe");
    }
    assert!(forgotten > 500, "only {forgotten} clients were forgotten: nothing is proved");
}
