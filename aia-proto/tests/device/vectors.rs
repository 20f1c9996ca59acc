//! The vectors A1 to A16 and X1 to X6 of specification section 14.3: what becomes of the device.

use std::{collections::BTreeSet, str};

use serde_json::Value;

use crate::run::{Run, accepted_registration, config};

#[test]
fn every_vector_leads_where_it_says() {
    let mut ids = BTreeSet::new();
    for line in include_str!("../vectors/connection.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        if vector["to"] != "device" {
            continue;
        }
        let name = format!("{} {}", vector["id"], vector["case"]);
        ids.insert(vector["id"].as_str().unwrap().to_owned());
        let mut run = standing(vector["state"].as_str().unwrap());
        // The vectors call the id of the outstanding `Connect` m-7.
        let text = replaced(&bytes(&vector), b"m-7", run.connect_id.as_bytes());
        for expect in ["expect", "expectAgain"] {
            let Some(expect) = vector[expect].as_str() else { continue };
            let before = run.deadline();
            let told = run.hear(&text);
            let after = run.deadline();
            assert_eq!(outcome(&told), expect, "{name}: {told:?}");
            let publishes = |output: &String| {
                output.starts_with("Disconnect ") || output.starts_with("Connect ")
            };
            assert!(!told.iter().any(publishes), "{name}: {told:?}");
            match expect {
                "ignored" => assert_eq!(after, before, "{name}: the timer keeps running"),
                "backoff" => {
                    assert!(!run.device.is_connected(), "{name}");
                    assert!(after.is_some_and(|wait| wait.as_millis() < 2_000), "{name}");
                    assert_eq!(run.after(2_000), ["Connect 123456789012"], "{name}");
                    let told = run.acknowledge("CONNECTION_ESTABLISHED");
                    assert_eq!(told[0], "event 0 SynchronizeState null", "{name}: counters are 0");
                }
                "connected" => assert!(run.device.is_connected(), "{name}"),
                _ => {
                    assert_eq!(after, None, "{name}: no timer is left");
                    assert!(run.after(3_600_000).is_empty(), "{name}");
                }
            }
        }
    }
    let all = [("A", 16), ("X", 6)];
    let all = all.map(|(letter, count)| (1..=count).map(move |id| format!("{letter}{id}")));
    assert_eq!(ids, all.into_iter().flatten().collect());
}

fn standing(state: &str) -> Run {
    let mut run = Run::new(config(), Some(accepted_registration()));
    run.connecting();
    match state {
        "connecting" => {}
        "connected" => {
            run.acknowledge("CONNECTION_ESTABLISHED");
        }
        "closed" => {
            run.device.disconnect(run.now).unwrap();
            run.drain();
        }
        other => panic!("{other}"),
    }
    run
}

/// What the outputs amount to, in the words of the vectors.
fn outcome(told: &[String]) -> &'static str {
    let Some(last) = told.last() else { return "ignored" };
    match last.as_str() {
        "connected" => "connected",
        "needs registration: Secret" => "needsRegistration:secret",
        "needs registration: ApiVersion" => "needsRegistration:apiVersion",
        last if last.starts_with("retrying") => "backoff",
        last if last.starts_with("blocked: correct the AWS account id") => "blocked:accountId",
        last if last.starts_with("blocked: correct the client id") => "blocked:clientId",
        other => panic!("{other}"),
    }
}

fn bytes(vector: &Value) -> Vec<u8> {
    match vector["hex"].as_str() {
        Some(hex) => hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect(),
        None => vector["text"].as_str().unwrap().into(),
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match text.windows(from.len()).position(|part| part == from) {
        Some(at) => [&text[..at], to, &text[at + from.len()..]].concat(),
        None => text.into(),
    }
}
