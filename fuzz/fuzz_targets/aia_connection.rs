//! Any bytes as a message of either connection topic, read by the crate and by a naive reading of a tree; what is read
//! is written and read again.

#![no_main]

use core::str;

use aia_proto::{Direction, Json, connection::Message};
use connection::{found, read};
use libfuzzer_sys::fuzz_target;
use node::Node;
use serde_json::value::RawValue;

#[path = "../../aia-proto/tests/naive/connection.rs"]
mod connection;
#[path = "../../aia-proto/tests/naive/node.rs"]
mod node;

fuzz_target!(|bytes: &[u8]| {
    let is_json = is_json(bytes);
    for direction in [Direction::ToDevice, Direction::ToService] {
        let found = found(direction, bytes);
        assert_eq!(found != Err("NotJson".into()), is_json);
        if let Some(node) = Node::of(bytes) {
            assert_eq!(found, read(direction, &node));
        }
        if let Ok(message) = Message::decode(direction, bytes) {
            // Whoever receives it answers by this alone.
            let text = message.advice(direction).to_string();
            assert!(!text.is_empty() && message.encode().len() < 7 * bytes.len() + 200);
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        let json = Json::new(text);
        assert!(is_json || json.is_err());
        if let Some(node) = Node::of(bytes) {
            assert_eq!(json.is_ok(), node.check(1).is_ok());
        }
        if let Ok(json) = json {
            assert_eq!(json.as_str(), text.trim_ascii());
        }
    }
});

fn is_json(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}
