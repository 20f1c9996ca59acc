//! The vectors C01 to C08 of specification section 17.7, run by id. C09 to C11, on backing off, are the thing's.

use core::time::Duration;

use iot_sansio::MonoTime;
use kii_onboard::{App, IdKind, KeepAlive, Ping, Pings, topic::BOOT_CLIENT_ID};
use serde_json::Value;

#[test]
fn every_credential_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/credential.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| vector[key].as_str().unwrap();
        match App::new(text("app"), text("key")) {
            Ok(app) => {
                assert_eq!(app.user_name(), text("user"));
                assert_eq!(app.password().expose(), text("password").as_bytes());
                assert_eq!(BOOT_CLIENT_ID, text("clientId"));
            }
            Err(error) => assert_eq!(
                (error.kind, "InvalidId"),
                (IdKind::AppId, text("error")),
                "{}",
                vector["id"]
            ),
        }
        ids.push(text("id").to_owned());
    }
    assert_eq!(ids, ["C01", "C02"]);
}

#[test]
fn every_keep_alive_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/keep_alive.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        let at = |key: &str| MonoTime::from_millis(vector[key].as_u64().unwrap());
        let keep_alive = KeepAlive::new(at("keepAlive").since_origin());
        match vector["side"].as_str().unwrap() {
            "server" => {
                let is_dead = keep_alive.is_dead(at("lastPacket"), at("now"));
                assert_eq!(is_dead, vector["dead"], "{id}");
            }
            "client" => walk(&id, keep_alive, &vector["steps"]),
            _ => {
                assert!(!keep_alive.is_dead(MonoTime::ORIGIN, MonoTime::MAX), "{id}");
                let mut pings = Pings::new(keep_alive, MonoTime::ORIGIN);
                assert_eq!((pings.due(), pings.poll(MonoTime::MAX)), (None, None), "{id}");
            }
        }
        ids.push(id);
    }
    assert_eq!(ids, ["C03", "C04", "C05", "C06", "C07", "C08"]);
}

/// Steps are times with what the client does then, or what happens to it.
fn walk(id: &str, keep_alive: KeepAlive, steps: &Value) {
    let mut pings = Pings::new(keep_alive, MonoTime::ORIGIN);
    for step in steps.as_array().unwrap() {
        let now = MonoTime::from_millis(step[0].as_u64().unwrap());
        let due = match step[1].as_str().unwrap() {
            "ping" => Ping::Send,
            "dead" => Ping::Dead,
            "pong" => {
                pings.answered();
                continue;
            }
            "send" => {
                pings.sent(now);
                continue;
            }
            other => panic!("{id}: no step {other}"),
        };
        assert_eq!(pings.due(), Some(now), "{id}");
        let just_before = MonoTime::from_origin(now.since_origin() - Duration::from_millis(1));
        assert_eq!(pings.poll(just_before), None, "{id}");
        assert_eq!(pings.poll(now), Some(due), "{id}");
    }
}
