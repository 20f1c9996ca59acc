//! Any bytes as the request of a registration, as its answer and as what was saved of one, read by the crate and by
//! naive readings of a tree; what is read is written and read again.

#![no_main]

use aia_proto::registration::{Registration, RegistrationError, Request, read_answer};
use libfuzzer_sys::fuzz_target;
use node::Node;
use registration::{
    found_record, found_request, found_response, read_record, read_request, read_response,
};
use serde_json::Value;

#[path = "../../aia-proto/tests/naive/node.rs"]
mod node;
#[path = "../../aia-proto/tests/naive/registration.rs"]
mod registration;

fuzz_target!(|bytes: &[u8]| {
    let (request, response, record) =
        (found_request(bytes), found_response(bytes), found_record(bytes));
    if let Some(node) = Node::of(bytes) {
        assert_eq!(request, read_request(&node));
        assert_eq!(response, read_response(&node));
        assert_eq!(record, read_record(&node));
    }
    for status in [200, 307, 400, 503] {
        let answer = read_answer(status, bytes);
        assert_eq!(answer.is_ok(), status == 200 && response.is_ok());
        let Err(error) = answer else { continue };
        assert!(error.to_string().len() < 1_000 && !error.to_string().contains(char::is_control));
        assert!(status == 503 || status == 400 || !error.is_retryable());
        if let RegistrationError::Refused { refusal, .. } = error {
            assert!(refusal.description.is_none_or(|description| description.len() <= 1024));
        }
    }
    keeps_quiet(bytes);
});

/// Nothing that is written where a secret belongs is printed.
fn keeps_quiet(bytes: &[u8]) {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else { return };
    // The fuzzer learns the word and writes it where it is no secret.
    if Value::from(object.clone()).to_string().contains("canary") {
        return;
    }
    for name in ["secret", "previous"] {
        object.insert(name.into(), CANARY.into());
    }
    if let Some(Value::Object(authentication)) = object.get_mut("authentication") {
        authentication.insert("token".into(), CANARY.into());
    }
    let planted = Value::from(object).to_string();
    let (request, record) =
        (Request::decode(planted.as_bytes()), Registration::decode(planted.as_bytes()));
    let said = (request.as_ref().err().map(ToString::to_string), record.as_ref().err());
    let printed = format!("{request:?} {record:?} {said:?}");
    assert!(!printed.contains(CANARY) && !printed.contains("canary"), "{printed}");
}

/// Also base64 of 32 bytes.
const CANARY: &str = "canarycanarycanarycanarycanarycanarycanaryc=";
