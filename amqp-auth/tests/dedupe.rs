//! The window of messages seen: the vectors G01 to G10 of specification section 15.G, bounds, and agreement with one
//! that keeps a plain list.

use core::time::Duration;

use amqp_auth::{
    dedupe::{Begin, BeginError, Config, Window},
    message::MessageId,
};
use iot_sansio::{MonoTime, amqp};
use proptest::prelude::*;
use serde_json::Value;

fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// Plays the steps of a vector; a delivery is named by its place among them.
fn play(window: &mut Window<usize>, id: &str, steps: &[Value]) {
    for (delivery, step) in steps.iter().enumerate() {
        let (now, expected) = (at(step[1].as_u64().unwrap()), &step[3]);
        let message_id = match &step[2] {
            Value::String(text) => Some(amqp::Value::String(text.into())),
            Value::Number(number) => number.as_i64().map(amqp::Value::Signed),
            _ => None,
        };
        let message_id = message_id.as_ref().and_then(MessageId::from_value);
        let begun = match (step[0].as_str().unwrap(), message_id) {
            // Without an id there is nothing to record.
            ("begin", None) => "new",
            ("begin", Some(message_id)) => match window.begin(now, message_id.as_str(), delivery) {
                Ok(Begin::New) => "new",
                Ok(Begin::InFlight) => "in_flight",
                Ok(Begin::Done) => "done",
                Err(_) => "full",
            },
            (settled, Some(message_id)) => {
                let deliveries: Vec<usize> = match settled {
                    "done" => window.done(now, message_id.as_str()).collect(),
                    _ => window.failed(message_id.as_str()).collect(),
                };
                assert_eq!(serde_json::json!(deliveries), *expected, "{id}, step {delivery}");
                continue;
            }
            (other, None) => panic!("{id}: {other} without an id"),
        };
        assert_eq!(begun, *expected, "{id}, step {delivery}");
    }
}

#[test]
fn every_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/dedupe.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let capacity = vector["capacity"].as_u64().unwrap_or(100_000).try_into().unwrap();
        // Each group has a window of its own.
        for _ in 0..vector["groups"].as_u64().unwrap_or(1) {
            let mut window = Window::new(Config::default().with_capacity(capacity));
            play(&mut window, id, vector["steps"].as_array().unwrap());
        }
        ids.push(id.to_owned());
    }
    let all: Vec<String> = (1..=10).map(|number| format!("G{number:02}")).collect();
    assert_eq!(ids, all);
}

#[test]
fn a_window_full_of_messages_in_flight_refuses_and_stays_as_it_is() {
    let mut window = Window::new(Config::default().with_capacity(2));
    assert_eq!(window.begin(at(0), "a", 0), Ok(Begin::New));
    assert_eq!(window.begin(at(0), "b", 1), Ok(Begin::New));
    let before = window.clone();
    let error = window.begin(at(9), "c", 2).unwrap_err();
    assert!(matches!(error, BeginError::Full { capacity: 2, .. }), "{error}");
    assert_eq!(window, before);
    assert_eq!(window.begin(at(9), "a", 3), Ok(Begin::InFlight), "copies are still tied");
}

#[test]
fn copies_are_bounded_over_all_ids_and_settling_makes_room() {
    let mut window = Window::new(Config::default().with_max_copies(1));
    assert_eq!(window.begin(at(0), "a", 0), Ok(Begin::New));
    assert_eq!(window.begin(at(0), "b", 1), Ok(Begin::New));
    assert_eq!(window.begin(at(0), "a", 2), Ok(Begin::InFlight));
    let before = window.clone();
    let error = window.begin(at(9), "b", 3).unwrap_err();
    assert!(matches!(error, BeginError::TooManyCopies { limit: 1, .. }), "{error}");
    assert_eq!(window, before);
    assert!(window.failed("a").eq([0, 2]));
    assert_eq!(window.begin(at(9), "b", 3), Ok(Begin::InFlight));
}

#[test]
fn a_lost_connection_leaves_the_message_in_flight() {
    let mut window = Window::new(Config::default().with_max_copies(1));
    let (old, new) = (|number| (1, number), |number| (2, number));
    assert_eq!(window.begin(at(0), "a", old(0)), Ok(Begin::New));
    assert_eq!(window.begin(at(0), "a", old(1)), Ok(Begin::InFlight));
    window.retain(|(connection, _)| *connection != 1);
    assert_eq!(window.in_flight(), 1);
    assert_eq!(window.begin(at(1), "a", new(0)), Ok(Begin::InFlight), "the copies made room");
    assert!(window.done(at(2), "a").eq([new(0)]));
    assert_eq!(window.begin(at(3), "a", new(1)), Ok(Begin::Done));
}

#[test]
fn what_is_in_flight_does_not_expire() {
    let mut window = Window::new(Config::default().with_lifetime(Duration::from_secs(1)));
    assert_eq!(window.begin(at(0), "a", 0), Ok(Begin::New));
    window.expire(MonoTime::MAX);
    assert_eq!((window.len(), window.in_flight()), (1, 1));
    assert!(window.done(at(5), "a").eq([0]));
    // The time went backwards: the id is as old as the newest time seen says.
    window.expire(at(10_000));
    assert_eq!(window.len(), 1);
}

#[test]
fn a_capacity_of_zero_counts_as_one() {
    let mut window = Window::new(Config::default().with_capacity(0));
    assert_eq!(window.begin(at(0), "a", 0), Ok(Begin::New));
    assert!(window.begin(at(0), "b", 1).is_err());
}

/// The window said again: a list, which is searched.
struct Naive {
    capacity: usize,
    max_copies: usize,
    lifetime: u64,
    now: u64,
    entries: Vec<Entry>,
}

struct Entry {
    id: u8,
    done_at: Option<(u64, usize)>,
    deliveries: Vec<(usize, bool)>,
}

impl Naive {
    fn pass(&mut self, now: u64) {
        self.now = self.now.max(now);
        let (now, lifetime) = (self.now, self.lifetime);
        self.entries.retain(|entry| entry.done_at.is_none_or(|(at, _)| now - at < lifetime));
    }

    fn begin(&mut self, now: u64, id: u8, delivery: usize) -> Option<Begin> {
        if self.entries.iter().any(|entry| entry.id == id && entry.done_at.is_none()) {
            let tied = |entry: &Entry| entry.deliveries.iter().filter(|(_, first)| !first).count();
            if self.entries.iter().map(tied).sum::<usize>() >= self.max_copies {
                return None;
            }
            let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
            entry.deliveries.push((delivery, false));
            self.pass(now);
            return Some(Begin::InFlight);
        }
        if self.entries.iter().filter(|entry| entry.done_at.is_none()).count() >= self.capacity {
            return None;
        }
        self.pass(now);
        if self.entries.iter().any(|entry| entry.id == id) {
            return Some(Begin::Done);
        }
        if self.entries.len() >= self.capacity {
            let oldest = self.entries.iter().filter_map(|entry| entry.done_at).min()?;
            self.entries.retain(|entry| entry.done_at != Some(oldest));
        }
        self.entries.push(Entry { id, done_at: None, deliveries: vec![(delivery, true)] });
        Some(Begin::New)
    }

    fn take(&mut self, id: u8, done_at: Option<(u64, usize)>) -> Vec<usize> {
        let found = self.entries.iter_mut().find(|entry| entry.id == id && entry.done_at.is_none());
        let Some(entry) = found else { return Vec::new() };
        let deliveries = core::mem::take(&mut entry.deliveries);
        entry.done_at = done_at;
        if done_at.is_none() {
            self.entries.retain(|entry| entry.id != id);
        }
        deliveries.into_iter().map(|(delivery, _)| delivery).collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Begin(u8),
    Done(u8),
    Failed(u8),
    Retain(usize),
    Expire,
}

fn step() -> impl Strategy<Value = (u64, Step)> {
    let step = prop_oneof![
        6 => (0..8_u8).prop_map(Step::Begin),
        4 => (0..8_u8).prop_map(Step::Done),
        2 => (0..8_u8).prop_map(Step::Failed),
        1 => (2..4_usize).prop_map(Step::Retain),
        1 => Just(Step::Expire),
    ];
    // Not in order: a smaller time counts as the newest seen.
    (0..200_u64, step)
}

proptest! {
    #[test]
    fn it_agrees_with_a_plain_list(
        capacity in 1..5_usize,
        max_copies in 0..4_usize,
        lifetime in 0..60_u64,
        steps in proptest::collection::vec(step(), 0..80),
    ) {
        let config = Config::default()
            .with_capacity(capacity)
            .with_max_copies(max_copies)
            .with_lifetime(Duration::from_millis(lifetime));
        let mut window = Window::new(config);
        let mut naive = Naive { capacity, max_copies, lifetime, now: 0, entries: Vec::new() };
        for (delivery, (now, step)) in steps.into_iter().enumerate() {
            match step {
                Step::Begin(id) => {
                    let begun = window.begin(at(now), &id.to_string(), delivery);
                    prop_assert_eq!(begun.ok(), naive.begin(now, id, delivery));
                }
                Step::Done(id) => {
                    naive.pass(now);
                    let settled: Vec<_> = window.done(at(now), &id.to_string()).collect();
                    prop_assert_eq!(settled, naive.take(id, Some((naive.now, delivery))));
                }
                Step::Failed(id) => {
                    let settled: Vec<_> = window.failed(&id.to_string()).collect();
                    prop_assert_eq!(settled, naive.take(id, None));
                }
                Step::Retain(divisor) => {
                    window.retain(|delivery| delivery % divisor != 0);
                    for entry in &mut naive.entries {
                        entry.deliveries.retain(|(delivery, _)| delivery % divisor != 0);
                    }
                }
                Step::Expire => {
                    window.expire(at(now));
                    naive.pass(now);
                }
            }
            prop_assert_eq!(window.len(), naive.entries.len());
            prop_assert!(window.len() <= capacity);
        }
    }
}
