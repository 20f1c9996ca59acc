//! The vectors of specification section 14.7, run by id.

use std::time::Duration;

use aia_proto::sequence::{BeyondWindow, Config, Resequencer, SequenceNumber, Unexpected};
use iot_sansio::MonoTime;
use serde_json::Value;

#[test]
fn every_order_holds() {
    let mut ids = Vec::new();
    for line in include_str!("../vectors/sequence.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        let drops = vector["drop"] == true;
        let config = Config::default().with_window(4).with_beyond(if drops {
            BeyondWindow::Drop
        } else {
            BeyondWindow::Refuse
        });
        let mut inbox = expecting(config, number(&vector["expected"]));
        for step in vector["steps"].as_array().unwrap() {
            run(&id, config, &mut inbox, step);
        }
        ids.push(id);
    }
    let expected = "Q-1 Q-2 Q-3 Q-4 Q-5 Q-6 Q-7 Q-8 Q-9 Q-10 Q-11 Q-11-drop Q-12 Q-13 Q-14";
    assert_eq!(ids.join(" "), expected);
}

fn run(id: &str, config: Config, inbox: &mut Resequencer<String>, step: &Value) {
    let now = MonoTime::from_origin(Duration::from_secs_f64(step["t"].as_f64().unwrap_or(0.0)));
    if let Some(item) = step["item"].as_str() {
        assert_eq!(inbox.expired(now), None, "{id} {step}");
        let became = match inbox.accept(now, number(&step["number"]), item.to_owned(), item.len()) {
            Ok(accepted) => format!("{accepted:?}"),
            Err(Unexpected::BeyondWindow { .. }) => "BeyondWindow".to_owned(),
            Err(other) => panic!("{id} {step}: {other}"),
        };
        assert_eq!(step["became"], became, "{id} {step}");
    }
    if step["waiting"] == true {
        assert!(inbox.deadline().is_some(), "{id} {step}");
        assert_eq!(inbox.expired(now), None, "{id} {step}");
    }
    if step["idle"] == true {
        assert_eq!((inbox.deadline(), inbox.expired(now)), (None, None), "{id} {step}");
    }
    if step["unexpected"] == "GapTimeout" {
        assert_eq!(inbox.deadline(), Some(now), "{id} {step}");
        assert!(matches!(inbox.expired(now), Some(Unexpected::GapTimeout { .. })), "{id} {step}");
    }
    if step["rewind"].is_u64() {
        inbox.rewind(number(&step["rewind"]));
    }
    if step["new"] == true {
        *inbox = Resequencer::new(config);
    }
    let delivered: Vec<String> =
        std::iter::from_fn(|| inbox.poll_delivery()).map(|(_, item)| item).collect();
    let expected = step["delivered"].as_array().cloned().unwrap_or_default();
    assert_eq!(Value::from(delivered), Value::Array(expected), "{id} {step}");
}

/// One that has just delivered the message before.
fn expecting(config: Config, number: SequenceNumber) -> Resequencer<String> {
    let mut inbox = Resequencer::new(config);
    if number != SequenceNumber::FIRST {
        let before = number.plus(u32::MAX);
        inbox.rewind(before);
        inbox.accept(MonoTime::ORIGIN, before, String::new(), 0).unwrap();
        inbox.poll_delivery();
    }
    assert_eq!(inbox.expected(), number);
    inbox
}

fn number(value: &Value) -> SequenceNumber {
    SequenceNumber::new(u32::try_from(value.as_u64().unwrap()).unwrap())
}
