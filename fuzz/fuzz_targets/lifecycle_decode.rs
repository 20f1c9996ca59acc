//! Any bytes, read by both decoders, with a topic and without, and by a naive decoder that goes through
//! `serde_json::Value`.

#![no_main]

use iot_lifecycle::{DecodeError, Decoder, Event, EventKind, Topic, TopicKind};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};

#[path = "../../iot-lifecycle/tests/naive/decode.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let kind = KINDS[bytes.len() % KINDS.len()];
    let topic = Topic::new(kind, "d").expect("a legal client id");
    let value = value(bytes);
    let is_json = serde_json::from_slice::<&RawValue>(bytes).is_ok();
    for topic in [None, Some(&topic)] {
        let lenient = decode(false, topic, bytes);
        let strict = decode(true, topic, bytes);
        if let Some(value) = &value {
            agrees(false, &lenient, naive::decode(value, false, topic), bytes);
            agrees(true, &strict, naive::decode(value, true, topic), bytes);
            keeps_quiet(value, topic);
        }
        strict_accepts_no_more(&strict, &lenient);
        for (decoded, decoder) in [(lenient, Decoder::lenient()), (strict, Decoder::strict())] {
            match decoded {
                Ok(event) => {
                    assert!(is_json);
                    survives_its_own_encoding(&event, &decoder);
                }
                Err(error) => explains_itself(&error, bytes, is_json),
            }
        }
    }
});

/// None when it is not JSON, or some that serde_json does not take for what it is: deeper than 128 levels, with half of
/// a surrogate pair, or with one of the names through which it passes numbers and raw values.
fn value(bytes: &[u8]) -> Option<Value> {
    let private = b"$serde_json::private";
    if bytes.windows(private.len()).any(|name| name == private) {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

fn decode<'a>(
    strict: bool,
    topic: Option<&Topic<'_>>,
    bytes: &'a [u8],
) -> Result<Event<'a>, DecodeError> {
    let decoder = if strict { Decoder::strict() } else { Decoder::lenient() };
    match topic {
        Some(topic) => decoder.decode_with_topic(topic, bytes),
        None => decoder.decode(bytes),
    }
}

/// Strict mode differs in one value only.
fn strict_accepts_no_more(
    strict: &Result<Event<'_>, DecodeError>,
    lenient: &Result<Event<'_>, DecodeError>,
) {
    let Ok(strict) = strict else { return };
    let mut expected = strict.clone();
    expected.ip_address = expected.ip_address.filter(|address| !address.is_empty());
    assert_eq!(lenient.as_ref(), Ok(&expected));
}

fn agrees(
    strict: bool,
    decoded: &Result<Event<'_>, DecodeError>,
    expected: Option<Event<'static>>,
    bytes: &[u8],
) {
    match (decoded, expected) {
        (Ok(event), expected) => assert_eq!(Some(event), expected.as_ref()),
        (Err(DecodeError::DuplicateKey { key }), _) => {
            assert!(strict, "a lenient decoder takes the last");
            // All that a `Value` cannot tell is that a name came twice; escaped it may not look the same.
            let text = String::from_utf8_lossy(bytes);
            assert!(text.contains('\\') || text.matches(key.as_str()).count() > 1, "{key:?}");
        }
        (Err(error), expected) => assert_eq!(expected, None, "{error}"),
    }
}

/// An error prints no value that it is not about, whichever field it stands in.
fn keeps_quiet(value: &Value, topic: Option<&Topic<'_>>) {
    let mut value = value.clone();
    let Some(object) = value.as_object_mut() else { return };
    for (name, value) in object {
        if name != "clientId" && name != "eventType" {
            plant(value);
        }
    }
    let payload = value.to_string();
    for strict in [false, true] {
        if let Err(error) = decode(strict, topic, payload.as_bytes()) {
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains(CANARY), "{printed}");
        }
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

fn survives_its_own_encoding(event: &Event<'_>, decoder: &Decoder) {
    let encoded = event.encode();
    assert_eq!(decoder.decode(&encoded).as_ref(), Ok(event));
    let topic = match &event.kind {
        EventKind::Unknown(_) => return,
        kind => KINDS.into_iter().find(|topic| topic.event_type() == kind.event_type()),
    };
    // Building refuses the ids that are the service's own.
    let Ok(topic) = Topic::new(topic.expect("a known kind"), &event.client_id) else { return };
    assert_eq!(decoder.decode_with_topic(&topic, &encoded).as_ref(), Ok(event));
}

fn explains_itself(error: &DecodeError, bytes: &[u8], is_json: bool) {
    let printed = error.to_string();
    // 16 names of 32 characters, each at most `\u{10ffff}` when escaped, and a sentence around them.
    assert!((1..16 * 32 * 10 + 400).contains(&printed.len()), "{} bytes", printed.len());
    assert!(!printed.contains(char::is_control), "{printed:?}");
    match error {
        DecodeError::NotUtf8 { position } => assert!(*position < bytes.len()),
        DecodeError::NotJson { line, column } => assert!(line + column <= bytes.len() + 2),
        _ => assert!(core::str::from_utf8(bytes).is_ok()),
    }
    let says_so = !matches!(error, DecodeError::NotUtf8 { .. } | DecodeError::NotJson { .. });
    // A strict decoder may stop at a name that comes twice; and half of a surrogate pair spoils a name, which whoever
    // reads no names does not notice.
    let stopped = matches!(error, DecodeError::DuplicateKey { .. });
    let spoilt = || bytes.windows(2).any(|pair| pair == b"\\u");
    assert!(if is_json { says_so || spoilt() } else { !says_so || stopped }, "{error}");
}

const KINDS: [TopicKind; 5] = [
    TopicKind::Connected,
    TopicKind::Disconnected,
    TopicKind::ConnectFailed,
    TopicKind::Subscribed,
    TopicKind::Unsubscribed,
];

const CANARY: &str = "canary \u{1F424}";
