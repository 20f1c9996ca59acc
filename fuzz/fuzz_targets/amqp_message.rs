//! Any bytes as the body of a message of every class, read by the crate and by a naive reading that goes through
//! `serde_json::Value`.

#![no_main]

use amqp_auth::{
    message::{Body, BodyError, Class, Flag, Message, Options},
    status::Config,
};
use iot_sansio::amqp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};

#[path = "../../amqp-auth/tests/naive/body.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let is_json = serde_json::from_slice::<&RawValue>(bytes).is_ok();
    for class in Class::ALL {
        let read = Body::parse(*class, bytes);
        naive::check(*class, bytes, &read);
        match &read {
            Ok(Body::Bytes(_)) => {}
            Ok(body) => {
                assert!(is_json);
                if let Body::DeviceStatus(body) = body {
                    let _ = Config::default().read(body);
                }
            }
            Err(error) => explains_itself(*error, bytes, is_json),
        }
    }
    keeps_quiet(bytes);
    in_pieces(bytes);
});

fn explains_itself(error: BodyError, bytes: &[u8], is_json: bool) {
    assert!(error.to_string().len() < 200);
    match error {
        BodyError::NotUtf8 { position } => assert!(position < bytes.len() && !is_json),
        BodyError::NotJson { line, column } => {
            assert!(line + column <= bytes.len() + 2 && !is_json);
        }
        BodyError::Unsupported => panic!("bytes are supported"),
        _ => assert!(is_json),
    }
}

/// Nothing that is written where a value of the device's or a secret belongs is printed.
fn keeps_quiet(bytes: &[u8]) {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(bytes) else { return };
    object.insert("deviceSecret".into(), CANARY.into());
    for name in ["items", "checkFailedData", "payload", "data"] {
        if let Some(value) = object.get_mut(name) {
            plant(value);
        }
    }
    let planted = Value::from(object).to_string();
    for class in Class::ALL {
        let read = Body::parse(*class, planted.as_bytes());
        let explained = read.as_ref().err().map(BodyError::to_string);
        let printed = format!("{read:?} {explained:?}");
        assert!(!printed.contains(CANARY), "{printed}");
    }
}

/// Replaces every text by the canary.
fn plant(value: &mut Value) {
    match value {
        Value::String(text) => *text = CANARY.into(),
        Value::Array(array) => array.iter_mut().for_each(plant),
        Value::Object(object) => object.values_mut().for_each(plant),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// However a body is cut into sections, it is the same; what is not base64 stays as it came.
fn in_pieces(bytes: &[u8]) {
    let (one, two) = bytes.split_at(bytes.len() / 2);
    let sections = [one, two];
    let delivered = amqp::Message::new(&[], amqp::Body::Data(&sections));
    let message = Message::decode(&delivered, Options::default());
    assert_eq!(*message.payload, *bytes);
    let decoded = Message::decode(&delivered, Options::default().with_base64(true));
    assert!(!decoded.flags.contains(Flag::BadBase64) || *decoded.payload == *bytes);
}

const CANARY: &str = "canary \u{1F424}";
