//! What two replicas know, joined: P2 of specification section 10 on whole snapshots, not only on heads.

use core::time::Duration;

use iot_lifecycle::{
    Connected, Disconnected, Event, HeadError, Order,
    fleet::{Config, Fleet, HashKey, HashedId, MergeError, RestoreError, Snapshot},
    history::History,
    presence::{self, Status},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use proptest::prelude::*;

const START: UnixMillis = UnixMillis::new(1_700_000_000_000);
const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);
const HASH_KEY: HashKey = HashKey::new([7; 16]);

type Known = Snapshot<Box<str>>;

fn fleet() -> Fleet<Box<str>> {
    Fleet::new(Config::default(), HASH_KEY, CLOCK)
}

fn drain(fleet: &mut Fleet<Box<str>>) {
    while let Output::Event(_) = fleet.poll_output() {}
}

/// A replica that saw a part of the feed, at its own pace.
fn replica(feed: &[Event<'static>], seen: &[bool], pace: u64) -> Known {
    let mut fleet = fleet();
    for (place, (event, _)) in
        feed.iter().zip(seen.iter().cycle()).filter(|(_, seen)| **seen).enumerate()
    {
        let now = MonoTime::from_millis(place as u64 * pace);
        fleet.set_wall_clock(now, START);
        fleet.apply(now, event).unwrap();
        drain(&mut fleet);
    }
    fleet.snapshot()
}

fn merge(one: &Known, two: &Known) -> Known {
    one.clone().merge(two.clone(), &Order::default()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merging_commutes_associates_and_does_not_mind_repetition(
        seed in 0_u64..1_000,
        seen in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..40), 3),
        paces in prop::collection::vec(0_u64..4_000, 3),
    ) {
        let feed = History::new(seed, 8, START).feed();
        let replicas: Vec<Known> =
            seen.iter().zip(paces).map(|(seen, pace)| replica(&feed, seen, pace)).collect();
        let [one, two, three] = &replicas[..] else { unreachable!() };
        prop_assert_eq!(&merge(one, one), one);
        prop_assert_eq!(merge(one, two), merge(two, one));
        prop_assert_eq!(merge(&merge(one, two), three), merge(one, &merge(two, three)));
    }

    #[test]
    fn two_replicas_that_saw_everything_between_them_know_the_truth(
        seed in 0_u64..1_000,
        seen in prop::collection::vec(any::<bool>(), 1..40),
        pace in 0_u64..4_000,
    ) {
        let history = History::new(seed, 30, START);
        let feed = history.feed();
        let others: Vec<bool> = seen.iter().map(|seen| !seen).collect();
        let merged = merge(&replica(&feed, &seen, pace), &replica(&feed, &others, pace / 2));
        let mut fleet = Fleet::restore(merged, Config::default(), HASH_KEY, CLOCK).unwrap();
        while let Output::Idle(Some(deadline)) = fleet.poll_output() {
            fleet.handle_timeout(deadline);
            drain(&mut fleet);
        }
        let published = |client: &str| Some(fleet.get(client)?.published() == Status::Online);
        prop_assert_eq!(history.errors(published), 0);
    }
}

fn event(seconds: i64, kind: impl Into<iot_lifecycle::EventKind<'static>>) -> Event<'static> {
    let mut event = Event::new("a", START.after(Duration::from_secs(seconds.unsigned_abs())), kind);
    event.session_identifier = Some("A".into());
    event
}

/// A duplicate may be stamped otherwise (section 9, A2).
#[test]
fn what_was_published_offline_stays_so_when_the_other_replica_has_a_later_stamp() {
    let mut waited = fleet();
    waited.apply(MonoTime::ORIGIN, &event(0, Connected::new(1))).unwrap();
    waited.apply(MonoTime::ORIGIN, &event(1, Disconnected::new(1, "CONNECTION_LOST"))).unwrap();
    waited.handle_timeout(MonoTime::from_millis(5_000));
    drain(&mut waited);
    let mut waits = fleet();
    waits.apply(MonoTime::ORIGIN, &event(2, Disconnected::new(1, "CONNECTION_LOST"))).unwrap();
    let (waited, waits) = (waited.snapshot(), waits.snapshot());
    for merged in [merge(&waited, &waits), merge(&waits, &waited)] {
        let known = &merged.clients[0].presence;
        assert_eq!((known.published, &known.wait), (Status::Offline, &None));
        let head = known.head.as_ref().unwrap();
        assert!(head.connect_seen, "one of the two saw the connect");
        assert_eq!(head.timestamp, START.get() + 2_000, "as `Order::merge` has it");
    }
}

#[test]
fn snapshots_of_different_kinds_are_not_mixed() {
    let timestamps = presence::Config::default().with_order(Order::TimestampOnly);
    let by_time = Config::default().with_presence(timestamps);
    let other = Fleet::<Box<str>>::new(by_time, HASH_KEY, CLOCK).snapshot();
    let ours = fleet().snapshot();
    assert_eq!(
        Fleet::restore(other.clone(), Config::default(), HASH_KEY, CLOCK).map(|_| ()),
        Err(RestoreError::Order { versioned: false })
    );
    let order = Order::default();
    assert_eq!(ours.clone().merge(other.clone(), &order), Err(MergeError::Order));
    assert_eq!(other.clone().merge(other, &order), Err(MergeError::Order));
    let mut later = ours.clone();
    later.format = 2;
    assert_eq!(later.merge(ours, &order), Err(MergeError::Format { one: 2, other: 1 }));

    let hashed =
        |key| Fleet::<HashedId>::new(Config::default(), HashKey::new([key; 16]), CLOCK).snapshot();
    assert_eq!(hashed(1).merge(hashed(2), &order), Err(MergeError::HashKey));
    assert!(hashed(1).merge(hashed(1), &order).is_ok());
}

#[test]
fn the_newer_watermark_stays() {
    let mut one = fleet().snapshot();
    let two = one.clone();
    one.watermark = Some(5);
    assert_eq!(merge(&one, &two).watermark, Some(5));
    assert_eq!(merge(&two, &one).watermark, Some(5));
}

/// Retention is counted by the wall clock, which may have been wrong.
#[test]
fn what_was_forgotten_is_not_believed_again_once_the_wall_clock_is_set_back() {
    let mut fleet = fleet();
    fleet.apply(MonoTime::ORIGIN, &event(1, Disconnected::new(5, "CONNECTION_LOST"))).unwrap();
    let now = MonoTime::from_millis(6_000);
    fleet.set_wall_clock(now, START.after(Duration::from_secs(10 * 24 * 3_600)));
    assert_eq!(fleet.evict(now), 1);
    fleet.set_wall_clock(now, CLOCK.at(now));
    drain(&mut fleet);
    let stale = fleet.apply(now, &event(0, Connected::new(4)));
    assert!(
        matches!(stale, Err(iot_lifecycle::fleet::ApplyError::BelowWatermark { .. })),
        "{stale:?}"
    );
    assert!(fleet.get("a").is_none());
    let negative = fleet.apply(now, &event(0, Connected::new(-1)));
    assert_eq!(negative, Err(HeadError::NegativeVersion.into()));
}
