//! Generated histories: that they keep the assumptions of specification section 4.1, hold every pattern that trackers
//! stumble over, and that the order finds their truth.
#![cfg(feature = "sim")]

use core::time::Duration;
use std::collections::{HashMap, HashSet};

use iot_lifecycle::{
    DisconnectReason, Event, EventKind, Head, HeadKind, Order,
    history::{Device, History, Naive, Occurrence},
};
use iot_sansio::UnixMillis;

const END: UnixMillis = UnixMillis::new(1_700_000_000_000);

fn history(seed: u64, devices: u32) -> History {
    History::new(seed, devices, END)
}

fn head(event: &Event<'_>) -> Head<'static> {
    let head = Order::default().head(event).expect("it has a version");
    head.expect("a connect or disconnect").into_owned()
}

fn is_connect(occurrence: &Occurrence) -> bool {
    head(&occurrence.event).kind == HeadKind::Connect
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("a short span")
}

/// Every pair of occurrences, the truly older one first.
fn pairs(device: &Device) -> impl Iterator<Item = (&Occurrence, &Occurrence)> {
    let all = &device.occurrences;
    (all.iter().enumerate()).flat_map(move |(at, x)| all[at + 1..].iter().map(move |y| (x, y)))
}

#[test]
fn histories_keep_the_assumptions() {
    for seed in 0..50 {
        let history = history(seed, 100);
        for device in history.devices() {
            for occurrence in &device.occurrences {
                // M1.
                let off = occurrence.event.timestamp.abs_diff(occurrence.at);
                assert!(off <= millis(history.skew), "{occurrence:?}");
            }
            for (x, y) in pairs(&device) {
                let (older, newer) = (head(&x.event), head(&y.event));
                let key = |o: &Occurrence, h: &Head<'_>| (o.epoch, h.version, h.kind);
                assert!(key(x, &older) < key(y, &newer), "listed in the true order");
                if x.epoch == y.epoch {
                    match (older.kind, newer.kind) {
                        // M2: connections are numbered in the order they start.
                        (HeadKind::Connect, HeadKind::Connect) => assert!(x.at < y.at),
                        // M2: the older connection ends soon.
                        (HeadKind::Disconnect, HeadKind::Connect) => {
                            assert!(x.at <= y.at.after(history.takeover_lag));
                        }
                        _ => {}
                    }
                } else {
                    // M3.
                    assert!(y.at >= x.at.after(history.away), "{x:?} {y:?}");
                    // M5.
                    assert!(older.session.is_none() || older.session != newer.session);
                }
            }
        }
        // M4.
        let (theta, skew) = (Order::default().theta(), history.skew);
        assert!(skew * 2 + history.takeover_lag <= theta && theta < history.away - skew * 2);
    }
}

#[test]
fn connections_begin_before_they_end_and_end_at_most_once() {
    for device in history(3, 1_000).devices() {
        for (x, y) in pairs(&device) {
            let (older, newer) = (head(&x.event), head(&y.event));
            if (x.epoch, older.version) == (y.epoch, newer.version) {
                assert_eq!((older.kind, newer.kind), (HeadKind::Connect, HeadKind::Disconnect));
                assert!(x.at < y.at);
                assert_eq!(older.session, newer.session);
            }
        }
        let newest = device.occurrences.last().expect("something happened");
        assert_eq!(is_connect(newest), device.connected);
        assert!(!newest.lost);
    }
}

/// A tracker at the end of the history must admit all of it: at most 300 s early, at most four days late.
#[test]
fn histories_end_at_their_end_and_fit_the_admission() {
    for seed in 0..20 {
        let mut latest = UnixMillis::new(i64::MIN);
        for event in history(seed, 200).feed() {
            assert!(event.timestamp <= END.after(Duration::from_secs(120)));
            assert!(event.timestamp >= END.before(Duration::from_secs(3 * 86_400)));
            latest = latest.max(event.timestamp);
        }
        assert!(latest >= END.before(Duration::from_secs(300)), "it reaches up to the end");
    }
}

#[test]
fn the_same_description_makes_the_same_history_and_another_seed_another() {
    assert_eq!(history(1, 50).feed(), history(1, 50).feed());
    assert_ne!(history(1, 50).feed(), history(2, 50).feed());
}

#[test]
fn client_ids_are_distinct_and_some_have_levels() {
    let mut history = history(1, 100);
    history.prefix = String::from("pump");
    let ids: HashSet<_> = history.devices().map(|device| device.client_id).collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.contains("pump-000000") && ids.contains("pump/000005"));
}

#[test]
fn a_feed_delivers_what_is_not_lost_once_or_twice() {
    let history = history(5, 500);
    let mut expected = HashMap::new();
    for o in history.devices().flat_map(|device| device.occurrences) {
        if !o.lost {
            expected.insert(key(&o.event), if o.repeated { 2 } else { 1 });
        }
    }
    let mut arrived = HashMap::new();
    for event in history.feed() {
        *arrived.entry(key(&event)).or_insert(0) += 1;
    }
    assert_eq!(arrived, expected);
}

#[test]
fn a_bounded_delay_keeps_the_order_of_what_is_further_apart() {
    let mut history = history(6, 100);
    let delay = Duration::from_secs(20);
    history.delay = Some(delay);
    let truth: HashMap<_, _> = (history.devices().flat_map(|device| device.occurrences))
        .map(|o| (key(&o.event), o.at))
        .collect();
    let (mut newest, mut reordered) = (UnixMillis::new(i64::MIN), 0);
    for event in history.feed() {
        let at = truth[&key(&event)];
        assert!(at.after(delay) >= newest);
        reordered += usize::from(at < newest);
        newest = newest.max(at);
    }
    assert!(reordered > 0);
}

fn key(event: &Event<'_>) -> (String, i64, i64, bool) {
    let head = head(event);
    let connects = head.kind == HeadKind::Connect;
    (event.client_id.to_string(), head.timestamp.get(), head.version, connects)
}

/// Property P1 for the relation: any order of arrival, with losses and repetitions, ends in the truth.
#[test]
fn keeping_the_newest_event_finds_the_truth_of_every_device() {
    let order = Order::default();
    for (seed, delay) in (0..20).flat_map(|seed| [(seed, None), (seed, Some(60))]) {
        let mut history = history(seed, 1_000);
        history.delay = delay.map(Duration::from_secs);
        let mut heads: HashMap<String, Head<'static>> = HashMap::new();
        for event in history.feed() {
            let (id, new) = (event.client_id.to_string(), head(&event));
            let newest = match heads.remove(&id) {
                Some(known) => order.merge(known, new),
                None => new,
            };
            heads.insert(id, newest);
        }
        assert_eq!(history.errors(|id| Some(heads.get(id)?.kind == HeadKind::Connect)), 0);
        for device in history.devices() {
            let newest = device.occurrences.last().expect("something happened");
            assert_eq!(heads[&device.client_id], head(&newest.event));
        }
    }
}

#[test]
fn the_naive_trackers_are_wrong_about_many_devices() {
    for seed in 0..5 {
        let history = history(seed, 1_000);
        let feed = history.feed();
        for naive in [Naive::LastArrival, Naive::LargestTimestamp] {
            let connected = naive.connected(&feed);
            assert_eq!(connected.len(), 1_000);
            let errors = history.errors(|id| connected.get(id).copied());
            println!("{naive:?}: wrong about {errors} of 1000");
            assert!(errors > 20, "{naive:?} {errors}");
        }
    }
}

#[test]
fn a_device_that_a_tracker_does_not_know_is_an_error() {
    assert_eq!(history(1, 10).errors(|_| None), 10);
}

#[test]
fn every_pattern_that_trackers_stumble_over_occurs() {
    let history = history(9, 1_000);
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut saw =
        |pattern, occurs: bool| *counts.entry(pattern).or_default() += usize::from(occurs);
    for device in history.devices() {
        saw("slash in the client id", device.client_id.contains('/'));
        let last_but_one = device.occurrences.iter().rev().nth(1);
        saw("newest but one lost", last_but_one.is_some_and(|o| o.lost));
        for o in &device.occurrences {
            saw("lost", o.lost);
            saw("no session", head(&o.event).session.is_none());
            let EventKind::Disconnected(disconnected) = &o.event.kind else {
                continue;
            };
            let reason = &disconnected.disconnect_reason;
            saw("takeover", *reason == Some(DisconnectReason::DuplicateClientId));
        }
        for (x, y) in pairs(&device) {
            let (older, newer) = (head(&x.event), head(&y.event));
            let same_epoch = x.epoch == y.epoch;
            let known = older.session.is_some();
            let connects = is_connect(x) && is_connect(y);
            let step = newer.version - older.version;
            saw("reset", !same_epoch && step < 0);
            saw("reset to the same version", !same_epoch && step == 0);
            saw("reset to a higher version", !same_epoch && step > 0);
            saw(
                "persistent session",
                connects && same_epoch && known && older.session == newer.session,
            );
            saw("new session", connects && same_epoch && older.session != newer.session);
            let between = |o: &Occurrence| {
                o.epoch == x.epoch
                    && (older.version + 1..newer.version).contains(&head(&o.event).version)
            };
            saw(
                "skip",
                connects && same_epoch && step == 2 && !device.occurrences.iter().any(between),
            );
            saw("skew inversion", x.at < y.at && x.event.timestamp > y.event.timestamp);
            saw(
                "old connection ends after the new one began",
                !is_connect(x) && is_connect(y) && x.at > y.at,
            );
            saw(
                "second takeover before the first ended",
                connects && same_epoch && {
                    let ends = |o: &&Occurrence| {
                        !is_connect(o)
                            && head(&o.event).version == older.version
                            && o.epoch == x.epoch
                    };
                    device.occurrences.iter().find(ends).is_some_and(|end| end.at > y.at)
                        && step >= 2
                        && device.occurrences.iter().any(between)
                },
            );
        }
    }
    let mut arrived = HashSet::new();
    for event in history.feed() {
        let (client_id, t, version, connects) = key(&event);
        let connect_was_seen =
            |(id, _, v, c): &(String, i64, i64, bool)| *id == client_id && *v == version && *c;
        saw("disconnect before its connect", !connects && !arrived.iter().any(connect_was_seen));
        saw("duplicate", !arrived.insert((client_id, t, version, connects)));
    }
    println!("{counts:#?}");
    for (pattern, count) in counts {
        assert!(count >= 10, "{pattern}: {count}");
    }
}
