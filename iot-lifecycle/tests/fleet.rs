//! A fleet against a naive reference, and its own promises: eviction, watermark, snapshots.

mod feeds;
#[path = "naive/fleet.rs"]
mod naive;

use core::time::Duration;
use std::collections::BTreeMap;

use feeds::{CLOCK, START, Step};
use iot_lifecycle::{
    Connected, Disconnected, Event, EventKind, Topics,
    fleet::{self, ApplyError, ClientKey, Config, Fleet, HashKey, HashedId, RestoreError, Update},
    history::History,
    presence::{self, Note, Presence, Status, TimerToken},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis};
use naive::{Reference, drain};
use proptest::prelude::*;

const HASH_KEY: HashKey = HashKey::new([7; 16]);

fn fleet_with(config: Config) -> Fleet<Box<str>> {
    Fleet::new(config, HASH_KEY, CLOCK)
}

fn presence_config() -> presence::Config {
    presence::Config::default().with_wait_for("CLIENT_INITIATED_DISCONNECT", Duration::ZERO)
}

fn told<K: ClientKey>(fleet: &mut Fleet<K>) -> Vec<(K, MonoTime, presence::Step)> {
    drain(fleet).into_iter().map(|update| (update.client, update.at, update.step)).collect()
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
    fn a_fleet_tells_what_the_naive_reference_tells(
        steps in feeds::feed(60),
        max_clients in prop_oneof![Just(1_000_000_usize), 1..4_usize],
    ) {
        let config = Config::default().with_presence(presence_config()).with_max_clients(max_clients);
        let mut fleet = fleet_with(config.clone());
        let mut hashed = Fleet::<HashedId>::new(config, HASH_KEY, CLOCK);
        let mut reference =
            Reference::<Box<str>>::new(|client| client.into(), presence_config(), max_clients, CLOCK);
        let mut hashed_reference = Reference::new(
            |client| HashedId::of(client, &HASH_KEY), presence_config(), max_clients, CLOCK,
        );
        for (now, step) in timed(&steps) {
            prop_assert_eq!(step.feed(&mut fleet, now), reference.feed(now, step));
            prop_assert_eq!(step.feed(&mut hashed, now), hashed_reference.feed(now, step));
            prop_assert_eq!(told(&mut fleet), core::mem::take(&mut reference.told));
            prop_assert_eq!(told(&mut hashed), core::mem::take(&mut hashed_reference.told));
            prop_assert_eq!(fleet.watermark(), reference.watermark);
        }
        let retention = Duration::from_secs(4 * 24 * 60 * 60 + 300);
        let later = reference.now.after(Duration::from_secs(60 * 60));
        prop_assert_eq!(fleet.evict(later), reference.evict(later, retention));
        prop_assert_eq!(told(&mut fleet), reference.told);
        prop_assert_eq!(fleet.counters().evicted, reference.evicted);
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
            step.feed(&mut fleet, now).unwrap();
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
            step.feed(&mut fleet, at).unwrap();
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
            step.feed(&mut fleet, now).unwrap();
            step.feed(&mut restored, now.after(shift)).unwrap();
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
fn a_wait_that_is_over_makes_room_although_nothing_was_drained() {
    let mut fleet = fleet_with(Config::default().with_max_clients(1));
    let (now, wall) = at(0);
    fleet.apply(now, &disconnected("gone", 0, wall)).unwrap();
    let full = Err(ApplyError::TooManyClients { limit: 1 });
    assert_eq!(fleet.apply(MonoTime::from_millis(4_999), &connected("new", 0, wall)), full);
    fleet.apply(MonoTime::from_millis(5_000), &connected("new", 0, wall)).unwrap();
    assert!(fleet.get("gone").is_none());
}

#[test]
fn of_equally_old_clients_the_same_is_forgotten_after_a_restart() {
    let mut fleet = fleet_with(Config::default().with_max_clients(2));
    for client in ["b", "a"] {
        fleet.apply(MonoTime::ORIGIN, &disconnected(client, 0, START)).unwrap();
    }
    let (now, wall) = at(301);
    fleet.handle_timeout(now);
    drain(&mut fleet);
    let config = Config::default().with_max_clients(2);
    let clock = iot_sansio::WallClock::new(now, wall);
    let restored = Fleet::restore(fleet.snapshot(), config, HASH_KEY, clock).unwrap();
    for mut fleet in [fleet, restored] {
        fleet.apply(now, &connected("new", 0, wall)).unwrap();
        assert!(fleet.get("a").is_none());
        assert!(fleet.get("b").is_some());
    }
}

#[test]
fn time_passes_with_every_event_that_is_taken() {
    let mut fleet = fleet_with(Config::default());
    let (now, wall) = at(0);
    fleet.apply(now, &disconnected("gone", 0, wall)).unwrap();
    drain(&mut fleet);
    let unsubscribed = EventKind::Unsubscribed(Topics::new(["a/b"]));
    fleet.apply(MonoTime::from_millis(5_000), &Event::new("x", wall, unsubscribed)).unwrap();
    assert_eq!(drain(&mut fleet).len(), 1);
}

#[test]
fn an_event_that_is_not_admitted_needs_no_query_below_the_watermark() {
    let mut fleet = fleet_with(Config::default().with_max_clients(1));
    let (now, wall) = at(0);
    fleet.apply(now, &disconnected("old", 0, wall)).unwrap();
    fleet.observe(MonoTime::from_millis(5_000), "observed", true, wall).unwrap();
    assert_eq!(fleet.watermark(), Some(wall));
    drain(&mut fleet);
    let long_ago = UnixMillis::new(0);
    for client in ["observed", "old"] {
        fleet.apply(now, &connected(client, 0, long_ago)).unwrap();
        let [update] = drain(&mut fleet).try_into().unwrap();
        assert!(update.step.notes.contains(Note::TooOld));
    }
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
    let refused_for = |mend: fn(&mut presence::Snapshot)| {
        let mut bad = good.clone();
        mend(&mut bad.clients[1].presence);
        match restore(bad, Config::default(), HASH_KEY) {
            Err(RestoreError::Client { place: 1, error }) => error.field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused_for(|bad| bad.wait = None), "published");
    assert_eq!(refused_for(|bad| bad.head.as_mut().unwrap().connected = true), "wait");
    assert_eq!(refused_for(|bad| bad.head = None), "wait");
    assert_eq!(refused_for(|bad| bad.token = 0), "token");
    let long = |bad: &mut presence::Snapshot| {
        bad.head.as_mut().unwrap().session = Some("x".repeat(9_999));
    };
    assert_eq!(refused_for(long), "session");
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
    }
    assert!(forgotten > 500, "only {forgotten} clients were forgotten: nothing is proved");
}
