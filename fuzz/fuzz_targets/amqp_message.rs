//! Any bytes as the body of a message of every class, read by the crate and by a naive reading that goes through
//! `serde_json::Value`.

#![no_main]

use core::fmt;

use amqp_auth::{
    message::{Body, BodyError, Class, Flag, Message, Options},
    status::Config,
};
use iot_sansio::amqp;
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, value::RawValue};

#[path = "../../amqp-auth/tests/naive/body.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let is_json = serde_json::from_slice::<&RawValue>(bytes).is_ok();
    let value = value(bytes);
    for class in Class::ALL {
        let read = Body::parse(*class, bytes);
        if let Some(value) = &value {
            naive::check(*class, value, &read);
        }
        match &read {
            Ok(Body::Bytes(same)) => assert_eq!(*same, bytes),
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

/// None when it is not JSON, or some of which a `Value` does not tell all: with a name that comes twice, deeper than
/// 128 levels, with half of a surrogate pair, or with one of the names through which serde_json passes numbers and raw
/// values.
fn value(bytes: &[u8]) -> Option<Value> {
    let private = b"$serde_json::private";
    if bytes.windows(private.len()).any(|name| name == private) {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let Names(names) = serde_json::from_slice(bytes).ok()?;
    (names == count(&value)).then_some(value)
}

/// How many members a value and what is in it have.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(count).sum(),
        Value::Object(members) => members.len() + members.values().map(count).sum::<usize>(),
        _ => 0,
    }
}

/// The same, of names that come twice both times.
struct Names(usize);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(CountNames)
    }
}

struct CountNames;

impl<'de> Visitor<'de> for CountNames {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_unit<E>(self) -> Result<Names, E> {
        Ok(Names(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Names, A::Error> {
        let mut count = 0;
        while let Some(names) = array.next_element::<Names>()? {
            count += names.0;
        }
        Ok(Names(count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Names, A::Error> {
        let mut count = 0;
        while let Some(name) = object.next_key::<String>()? {
            count += object.next_value::<Names>()?.0;
            // With `arbitrary_precision`, a number comes as a map.
            count += usize::from(!name.starts_with("$serde_json::private"));
        }
        Ok(Names(count))
    }
}

const CANARY: &str = "canary \u{1F424}";
