//! Vectors T01 to T40 of specification section 10, run by id on the step function.

use std::{collections::BTreeMap, time::Duration};

use iot_lifecycle::{
    DisconnectReason, Head, HeadKind, Order, SessionId,
    presence::{Config, Input, Presence, Step, TimerToken},
};
use iot_sansio::{MonoTime, UnixMillis};
use serde_json::{Value, json};

#[test]
fn every_vector_gives_its_outputs_and_its_final_state() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/presence.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let config = config(&vector["config"]);
        let mut presence = Presence::default();
        let mut out = Vec::new();
        for step in vector["steps"].as_array().unwrap() {
            report(&feed(&mut presence, &config, step), &mut out);
        }
        assert_eq!(Value::from(out), vector["out"], "{id}: outputs");
        assert_eq!(final_state(&presence), vector["final"], "{id}: final state");
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=40).map(|number| format!("T{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn a_client_that_is_restored_equals_the_one_that_was_written() {
    for line in include_str!("vectors/presence.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let config = config(&vector["config"]);
        let mut presence = Presence::default();
        for step in vector["steps"].as_array().unwrap() {
            let _ = feed(&mut presence, &config, step);
            let now = MonoTime::from_millis(step[1].as_u64().unwrap());
            assert_eq!(Presence::restore(presence.snapshot(now), now).as_ref(), Ok(&presence));
        }
    }
}

fn config(value: &Value) -> Config {
    let mut config = Config::default();
    if let Some(theta) = value["th"].as_u64() {
        let theta = Duration::from_millis(theta);
        config = config.with_order(Order::Versioned { theta }).with_max_future(DEFAULT_MAX_FUTURE);
    }
    let waits: BTreeMap<String, u64> =
        serde_json::from_value(value["waits"].clone()).unwrap_or_default();
    for (reason, wait) in waits {
        config = config.with_wait_for(reason, Duration::from_millis(wait));
    }
    config
}

fn feed(presence: &mut Presence, config: &Config, step: &Value) -> Step {
    let now = step[1].as_u64().unwrap();
    let reason = step[5].as_str().map(DisconnectReason::from);
    let event = |kind| Input::Event {
        head: Head {
            kind,
            version: step[2].as_i64().unwrap(),
            session: step[3].as_str().and_then(SessionId::new),
            timestamp: UnixMillis::new(step[4].as_i64().unwrap()),
        },
        reason: reason.as_ref(),
    };
    let input = match step[0].as_str().unwrap() {
        "c" => event(HeadKind::Connect),
        "d" => event(HeadKind::Disconnect),
        "timer" => Input::Timer(TimerToken::new(step[2].as_u64().unwrap().try_into().unwrap())),
        "lwt" => Input::LastWill,
        "cf" => Input::ConnectFailed,
        other => panic!("unknown step {other}"),
    };
    // Admission reads the wall clock as `now` (section 10).
    let wall = UnixMillis::new(now.try_into().unwrap());
    presence.step(config, MonoTime::from_millis(now), wall, input)
}

fn report(step: &Step, out: &mut Vec<Value>) {
    out.extend(step.notes.iter().map(|note| json!(["note", note.as_str()])));
    out.extend(step.cancel.map(|token| json!(["cancel", token.get()])));
    out.extend(step.arm.map(|timer| json!(["arm", timer.deadline.as_millis(), timer.token.get()])));
    out.extend(
        step.transition
            .map(|change| json!(["transition", change.from.as_str(), change.to.as_str()])),
    );
}

fn final_state(presence: &Presence) -> Value {
    let head = presence.head().unwrap();
    let kind = if head.kind == HeadKind::Connect { "c" } else { "d" };
    json!({
        "published": presence.published().as_str(),
        "head": kind,
        "v": head.version,
        "s": head.session.map(|session| session.to_string()),
        "t": head.timestamp.get(),
    })
}

const DEFAULT_MAX_FUTURE: Duration = Duration::from_secs(300);
