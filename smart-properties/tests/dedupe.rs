//! The vectors D-01 to D-08 of specification section 13.11, run by id, and the window against a naive one.

use core::{num::NonZeroUsize, time::Duration};

use iot_sansio::{MonoTime, UnixMillis};
use proptest::prelude::*;
use serde_json::Value;
use smart_properties::{
    Event, Instant, TopicArn,
    dedupe::{Admission, Begin, Config, Dedupe, Key, Keys, Window},
    event::{EventBuilder, EventType},
    order::OrderKey,
    sns::{
        Admitted, Answer, CertUrl, Classifier, Delivery, Digest, Headers, Inbound, PathRule,
        Subscriber, Verifier, Via,
    },
};

#[path = "naive/window.rs"]
mod naive;
#[path = "verifying/stand_in.rs"]
mod stand_in;

use stand_in::{StandIn, signed};

fn config() -> Config {
    Config::new(NonZeroUsize::new(3).unwrap(), Duration::from_millis(1_000))
}

#[test]
fn every_dedupe_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/dedupe.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        match vector["calls"].as_array() {
            Some(calls) => run_calls(calls, &vector["expect"], &id),
            None => run_deliveries(&vector, &id),
        }
        ids.push(id);
    }
    assert_eq!(ids, (1..=8).map(|number| format!("D-{number:02}")).collect::<Vec<_>>());
}

fn run_calls(calls: &[Value], expect: &Value, id: &str) {
    let mut window = Window::new(config());
    for (number, call) in calls.iter().enumerate() {
        let mut words = call.as_str().unwrap().split(' ');
        let (verb, key) = (words.next().unwrap(), Key::of_message(words.next().unwrap()));
        let now = MonoTime::from_millis(words.next().map_or(0, |at| at.parse().unwrap()));
        let said = match verb {
            "b" => Some(said(window.begin(now, key))),
            "c" => {
                window.commit(now, key);
                None
            }
            _ => {
                window.abort(key);
                None
            }
        };
        assert_eq!(said.as_deref(), expect[number].as_str(), "{id}, call {number}");
    }
}

fn said(begin: Begin) -> String {
    match begin {
        Begin::Duplicate { age } => format!("Duplicate {}", age.as_millis()),
        other => format!("{other:?}"),
    }
}

fn run_deliveries(vector: &Value, id: &str) {
    let (mono, wall) = (MonoTime::ORIGIN, UnixMillis::new(1_714_557_604_000));
    let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap();
    let verifier = Verifier::new(Via::Http, [topic.clone()]);
    let mut subscriber = Subscriber::new(verifier, Config::default(), StandIn);
    let pem = include_bytes!("vectors/certificates/C-GOOD.pem");
    for (number, delivery) in vector["deliveries"].as_array().unwrap().iter().enumerate() {
        let body = envelope(delivery).to_string();
        let inbound = Classifier::new(Via::Http).classify(body.as_bytes(), &Headers::default());
        let Ok(Inbound::Envelope(envelope)) = inbound else { panic!("{id}") };
        // There is no private key for what is changed.
        let envelope = signed(envelope, Digest::Sha256);
        let url = envelope.signing_cert_url().to_owned();
        let sns_time = Instant::parse(envelope.timestamp());
        assert!(sns_time.is_some(), "{id}");
        if number == 0 {
            let url = CertUrl::parse(&url, &topic, PathRule::Strict).unwrap();
            subscriber.fetched(url, pem, wall).unwrap();
        }
        let admitted = subscriber.admit(mono, wall, Delivery::Envelope(envelope)).unwrap();
        let said = match admitted {
            Admitted::Fresh(message) if delivery["handler"] == "fails" => {
                subscriber.abort(&message);
                format!("Fresh {}", Answer::Retry.status())
            }
            Admitted::Fresh(message) => {
                let event = message.event().unwrap();
                assert_eq!(message.order(&event), OrderKey::new(event.time(), sns_time), "{id}");
                subscriber.commit(mono, &message);
                format!("Fresh {}", Answer::Accept.status())
            }
            Admitted::Seen(seen) => {
                let level = match seen {
                    Admission::DuplicateMessage { .. } => "DuplicateMessage",
                    Admission::DuplicateEvent { .. } => "DuplicateEvent",
                    other => panic!("{id}: {other:?}"),
                };
                format!("{level} {}", seen.answer().unwrap().status())
            }
            other => panic!("{id}: {other:?}"),
        };
        assert_eq!(said, vector["expect"][number], "{id}, delivery {number}");
    }
}

fn line(lines: &str, id: &Value) -> Value {
    let mut lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.find(|vector| vector["id"] == *id).unwrap_or_else(|| panic!("there is no {id}"))
}

fn envelope(delivery: &Value) -> Value {
    let envelopes = include_str!("vectors/envelopes.jsonl");
    let mut envelope = line(envelopes, &delivery["envelope"])["body"].take();
    if delivery.get("messageId").is_some() {
        envelope["MessageId"] = delivery["messageId"].clone();
    }
    if delivery.get("event").is_some() {
        let mut event =
            line(include_str!("vectors/events.jsonl"), &delivery["event"])["event"].take();
        if delivery.get("eventId").is_some() {
            event["header"]["eventId"]["id"] = delivery["eventId"].clone();
        }
        envelope["Message"] = event.to_string().into();
    }
    envelope
}

/// One call on the window.
#[derive(Clone, Copy, Debug)]
enum Call {
    Begin,
    Commit,
    Abort,
}

fn calls() -> impl Strategy<Value = Vec<(Call, u8, u64)>> {
    let call = prop_oneof![Just(Call::Begin), Just(Call::Commit), Just(Call::Abort)];
    prop::collection::vec((call, 0..6_u8, 0..400_u64), 1..60)
}

#[test]
fn time_does_not_go_back() {
    let mut window = Window::new(config());
    let [first, second] = ["a", "b"].map(Key::of_message);
    let at = MonoTime::from_millis;
    window.commit(at(100), first);
    assert_eq!(window.begin(at(50), second), Begin::Fresh);
    assert_eq!(window.begin(at(1_099), second), Begin::InFlight, "it began at 100");
    assert_eq!(window.begin(at(1_100), second), Begin::Fresh);
}

#[test]
fn as_much_is_remembered_as_is_said() {
    let mut window = Window::new(Config::default());
    for number in 0..65_536_u32 {
        let key = Key::of_message(&number.to_string());
        assert_eq!(window.begin(MonoTime::ORIGIN, key), Begin::Fresh);
    }
    let more = Key::of_message("more");
    assert_eq!(window.begin(MonoTime::ORIGIN, more), Begin::Full);
    let day = 24 * 3_600_000;
    assert_eq!(window.begin(MonoTime::from_millis(day - 1), more), Begin::Full);
    assert_eq!(window.begin(MonoTime::from_millis(day), more), Begin::Fresh);
}

#[test]
fn a_message_that_waits_for_its_event_is_fresh_later() {
    let mut dedupe = Dedupe::new(config());
    let text = EventBuilder::new(EventType::new("A", "B").unwrap(), "e").encode().unwrap();
    let event = Event::parse(&text).unwrap();
    let [first, second] = ["m-1", "m-2"].map(|id| Keys::of_event(id, &event));
    let now = MonoTime::ORIGIN;
    assert_eq!(dedupe.begin(now, &first), Admission::Fresh);
    assert_eq!(dedupe.begin(now, &second), Admission::InFlight);
    dedupe.abort(&first);
    assert_eq!(dedupe.begin(now, &second), Admission::Fresh, "nothing is left of its first try");
    for id in ["m-3", "m-4"] {
        assert_eq!(dedupe.begin(now, &Keys::of_message(id)), Admission::Fresh);
    }
    let full = dedupe.begin(now, &Keys::of_message("m-5"));
    assert_eq!((full, full.answer()), (Admission::Full, Some(Answer::Retry)));
    assert_eq!(Admission::InFlight.answer(), Some(Answer::Retry));
    assert_eq!(Admission::Fresh.answer(), None);
}

proptest! {
    #[test]
    fn the_window_is_the_naive_one(calls in calls()) {
        let mut window = Window::new(config());
        let mut naive = naive::Window::new(3, Duration::from_millis(1_000));
        let mut now = 0;
        for (call, key, later) in calls {
            now += later;
            let (key, at) = (Key::of_message(&key.to_string()), MonoTime::from_millis(now));
            match call {
                Call::Begin => prop_assert_eq!(window.begin(at, key), naive.begin(at, key)),
                Call::Commit => {
                    window.commit(at, key);
                    naive.commit(at, key);
                }
                Call::Abort => {
                    window.abort(key);
                    naive.abort(key);
                }
            }
            prop_assert_eq!(window.len(), naive.len());
            prop_assert!(window.len() <= 3);
        }
    }
}

/// What is refused for its event takes no room from messages that were handled.
#[test]
fn an_event_in_flight_costs_no_handled_message() {
    let now = MonoTime::ORIGIN;
    let mut dedupe =
        Dedupe::new(Config::new(NonZeroUsize::new(1).unwrap(), Duration::from_secs(1)));
    let event = line(include_str!("vectors/events.jsonl"), &"E-01".into())["event"].to_string();
    let event = Event::parse(&event).unwrap();
    assert_eq!(dedupe.begin(now, &Keys::of_event("first", &event)), Admission::Fresh);
    dedupe.commit(now, &Keys::of_message("first"));
    assert_eq!(dedupe.begin(now, &Keys::of_event("second", &event)), Admission::InFlight);
    let age = Duration::ZERO;
    assert_eq!(dedupe.begin(now, &Keys::of_message("first")), Admission::DuplicateMessage { age });
}

#[test]
fn keys_of_different_levels_and_parts_differ() {
    let id = "aaaaaaaa-0001-5000-8000-000000000001";
    let event = |namespace, name, id| {
        let text = EventBuilder::new(EventType::new(namespace, name).unwrap(), id).encode();
        Key::of_event(&Event::parse(&text.unwrap()).unwrap())
    };
    assert_eq!(event("A", "B", "c"), event("A", "B", "c"));
    assert_ne!(event("A", "Bc", "d"), event("A", "B", "cd"));
    assert_ne!(event("AB", "C", "d"), event("A", "BC", "d"));
    assert_ne!(Key::of_message(id), Key::of_bytes(id.as_bytes()));
    assert_eq!(format!("{:?}", Key::of_message(id)).len(), "Key(01020304…)".len());
}
