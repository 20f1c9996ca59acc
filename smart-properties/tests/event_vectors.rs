//! The vectors E-01 to E-24 and X-01 to X-16 of specification sections 13.5 and 13.6.
//!
//! Outcomes, advice and classes are the gates' to tell, whose vectors begin with the same events.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use smart_properties::{
    AnyId, Body, Event, EventError, EventKind, Extracted, IdType, JsonType,
    event::{AutomationError, EventBuilder, EventType, Version, Warning},
    id::IdKind,
};

fn vectors() -> Vec<Value> {
    let lines = include_str!("vectors/events.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("a vector is JSON")).collect()
}

#[test]
fn every_event_vector_is_there() {
    let vectors = vectors();
    let mut ids: Vec<&str> = vectors.iter().map(|vector| vector["id"].as_str().unwrap()).collect();
    ids.dedup();
    let events = (1..=24).map(|number| format!("E-{number:02}"));
    let all: Vec<String> = events.chain((1..=16).map(|number| format!("X-{number:02}"))).collect();
    assert_eq!(ids, all);
}

#[test]
fn every_event_that_must_parse_does() {
    for line in include_str!("vectors/events.jsonl").lines() {
        let Vector { id, event: Some(event), expect } = serde_json::from_str(line).unwrap() else {
            continue;
        };
        let text = event.get();
        let event = Event::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(event.as_str(), text, "{id}");
        let is_unknown = matches!(event.body(), Body::Unknown);
        assert_eq!(event.kind() == EventKind::Unknown, is_unknown, "{id}");
        for (what, expected) in expect.as_object().unwrap() {
            assert_eq!(&said(&event, what), expected, "{id}: {what}");
        }
    }
}

/// With the event as it is written, which a tree would not keep.
#[derive(Deserialize)]
struct Vector<'a> {
    id: &'a str,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(default)]
    expect: Value,
}

/// What an event says of one thing, in the form of the vectors.
fn said(event: &Event<'_>, what: &str) -> Value {
    let body = event.body();
    let none = || panic!("{body:?} says nothing of {what}");
    match (what, &body) {
        ("kind", _) => json!(format!("{:?}", event.event_type().kind())),
        ("version", _) => match event.version() {
            Version::Other(version) => json!(version),
            _ => json!("2.0"),
        },
        ("body", Body::Unknown) => json!("Unknown"),
        ("timestamp", _) => json!(event.timestamp()),
        ("instantMillis", _) => json!(event.time().map(|time| time.unix_millis().get())),
        ("warnings", _) => json!(event.warnings().map(warning).collect::<Vec<_>>()),
        ("payload", _) => json!(event.payload()),
        ("keeps", _) => json!(event.as_str().contains(r#""traceId":"t-1""#).then_some(TRACE)),
        ("unit", Body::Completion(body)) => extracted(&body.unit),
        ("automation", Body::Completion(body)) => extracted(&body.automation),
        ("status", Body::Completion(body)) => json!(body.status.as_ref().map(|s| s.as_str())),
        ("errors", Body::Completion(body)) => {
            assert_eq!(body.irregular, None);
            body.errors.iter().map(error).collect()
        }
        ("unit", Body::Activation(body)) => extracted(&body.unit),
        ("parent", Body::Activation(body)) => extracted(&body.parent),
        ("unit", Body::RoleAssignment(body) | Body::RoleRevocation(body)) => extracted(&body.unit),
        ("role", Body::RoleAssignment(body) | Body::RoleRevocation(body)) => extracted(&body.role),
        ("principal", Body::RoleAssignment(body) | Body::RoleRevocation(body)) => {
            extracted(&body.principal)
        }
        ("endpoint", Body::SetupCompletion(body)) => extracted(&body.endpoint),
        ("skill", Body::SkillFailure(body)) => extracted(&body.skill),
        ("unit", Body::SkillFailure(body)) => extracted(&body.unit),
        ("endpoint", Body::SkillFailure(body)) => extracted(&body.endpoint),
        ("reason", Body::SkillFailure(body)) => json!(body.reason.as_ref().map(|r| r.as_str())),
        _ => none(),
    }
}

fn extracted<K: IdKind>(extracted: &Extracted<'_, K>) -> Value {
    match extracted {
        Extracted::Known(id) => json!(["Known", id.as_str()]),
        Extracted::Inferred { id, pointer } => json!(["Inferred", id.as_str(), pointer]),
        Extracted::Harvested { id, pointer } => json!(["Harvested", id.as_str(), pointer]),
        Extracted::Ambiguous(found) => {
            let places =
                found.iter().flat_map(|(pointer, id)| [json!(pointer), json!(id.as_str())]);
            [json!("Ambiguous")].into_iter().chain(places).collect()
        }
        Extracted::Missing => json!(["Missing"]),
        _ => panic!("{extracted:?} is new"),
    }
}

fn error(error: &AutomationError<'_>) -> Value {
    let id = error.id.as_ref().expect("every error has an id");
    let kind = match id {
        AnyId::Other(_) => "Other".into(),
        id => format!("{:?}", IdType::of(id.as_str()).expect("a known prefix")),
    };
    json!([error.error_type.as_ref().map(|e| e.as_str()), error.message, kind, id.as_str()])
}

fn warning(warning: Warning) -> String {
    format!("{warning:?}")
}

#[test]
fn every_event_that_must_be_refused_is() {
    for vector in vectors() {
        let Some(text) = vector.get("text") else { continue };
        let id = &vector["id"];
        let mut bytes = text.as_str().unwrap().as_bytes().to_vec();
        if let Some(length) = vector.get("padTo") {
            bytes.resize(length.as_u64().unwrap().try_into().unwrap(), b' ');
        }
        if let Some(word) = vector.get("spoil") {
            let word = word.as_str().unwrap().as_bytes();
            let at = bytes.windows(word.len()).position(|part| part == word).unwrap();
            bytes[at] = 0xff;
        }
        let decoded = Event::decode(&bytes);
        let Some(expected) = vector.get("error") else {
            assert!(decoded.is_ok(), "{id}: {decoded:?}");
            continue;
        };
        let (name, pointer) = named(&decoded.expect_err("it must be refused"));
        assert_eq!(expected, name, "{id}");
        if let Some(expected) = vector.get("pointer") {
            assert_eq!(*expected, pointer.unwrap(), "{id}");
        }
    }
}

fn named(error: &EventError) -> (&'static str, Option<String>) {
    match error {
        EventError::TooLong { pointer, .. } => ("TooLong", Some(pointer.to_string())),
        EventError::Malformed { .. } => ("Malformed", None),
        EventError::NotAnObject { .. } => ("NotAnObject", None),
        EventError::TooDeep { .. } => ("TooDeep", None),
        EventError::DuplicateMember { pointer } => ("DuplicateMember", Some(pointer.to_string())),
        EventError::Missing { pointer } => ("Missing", Some(pointer.to_string())),
        EventError::WrongType { pointer, .. } => ("WrongType", Some(pointer.to_string())),
        EventError::Empty { pointer } => ("Empty", Some(pointer.to_string())),
        other => panic!("no vector expects {other}"),
    }
}

/// The rules of section 3 have numbers: of several that an event breaks, the first is told.
#[test]
fn the_first_rule_that_is_broken_is_told() {
    let mut event = json!({ "header": { "version": 2, "entities": [] }, "payload": [] });
    let complete =
        vectors().into_iter().find(|vector| vector["id"] == "E-01").unwrap()["event"].clone();
    for (pointer, error) in [
        ("/header/eventId", "Missing"),
        ("/header/eventType", "Missing"),
        ("/header/version", "WrongType"),
        ("/header/entities", "WrongType"),
        ("/payload", "WrongType"),
    ] {
        let text = event.to_string();
        let found = named(&Event::decode(text.as_bytes()).unwrap_err());
        assert_eq!(found, (error, Some(pointer.to_owned())));
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[name] = complete.pointer(pointer).unwrap().clone();
    }
    assert!(Event::decode(event.to_string().as_bytes()).is_ok());
}

/// Names in the payload are nobody's business, however many brackets there are to look behind for the depth.
#[test]
fn a_name_that_is_no_text_is_as_deep_as_any() {
    let header = &vectors()[0]["event"]["header"];
    for brackets in [0, 40] {
        let text = "{".repeat(brackets);
        let event =
            format!(r#"{{"header":{header},"payload":{{"\ud800":[{{"\udc00":"{text}"}}]}}}}"#);
        assert!(Event::decode(event.as_bytes()).is_ok(), "{event}");
    }
    let (open, close) = ("[".repeat(31), "]".repeat(31));
    let event = format!(r#"{{"header":{header},"payload":{{"\ud800":{open}{close}}}}}"#);
    assert_eq!(named(&Event::decode(event.as_bytes()).unwrap_err()), ("TooDeep", None));
}

#[test]
fn the_length_counts_first() {
    let too_long = |bytes| EventError::TooLong { pointer: "".into(), bytes, limit: 262_144 };
    let text = " ".repeat(262_145);
    assert_eq!(Event::parse(&text), Err(too_long(262_145)));
    assert!(matches!(Event::parse(&text[1..]), Err(EventError::Malformed { .. })));
    assert_eq!(Event::decode(&[0xff; 262_145]), Err(too_long(262_145)));
    assert!(matches!(Event::decode(&[0xff; 262_144]), Err(EventError::Malformed { .. })));
}

#[test]
fn every_text_of_the_header_is_checked_and_the_first_flaw_told() {
    let event = |id: &str, namespace: &str, name: &str, more: &str| {
        let text = format!(
            r#"{{"header":{{"version":"2.0","eventId":{{"id":{id:?}}},"eventType":{{"namespace":{namespace:?},"name":{name:?}}}{more}}}}}"#
        );
        Event::decode(text.as_bytes()).map(|event| event.id().len())
    };
    let long = "a".repeat(257);
    assert_eq!(event(&long[1..], &long[1..], &long[1..], ""), Ok(256));
    assert_eq!(event("\u{e9} ~", "A.b.9", "C", ""), Ok(4));
    for (place, pointer) in
        ["/header/eventId/id", "/header/eventType/namespace", "/header/eventType/name"]
            .into_iter()
            .enumerate()
    {
        let with = |text: &str| {
            let mut texts = ["a"; 3];
            texts[place] = text;
            event(texts[0], texts[1], texts[2], "")
        };
        let at = || pointer.into();
        assert_eq!(with(""), Err(EventError::Empty { pointer: at() }));
        let too_long = EventError::TooLong { pointer: at(), bytes: 257, limit: 256 };
        assert_eq!(with(&long), Err(too_long));
        let bad = |position| Err(EventError::BadCharacter { pointer: at(), position });
        assert_eq!(with("ab\n\n"), bad(2));
        if place > 0 {
            for odd in ["ab-", "ab_", "ab ", "ab\u{e9}", "ab/"] {
                assert_eq!(with(odd), bad(2), "{odd}");
            }
        }
    }
    let wrong = |name: &str| EventError::WrongType {
        pointer: format!("/header/entities/{name}").into(),
        expected: JsonType::Object,
        found: JsonType::Null,
    };
    assert_eq!(event("a", "a", "a", r#","entities":{"x":null,"y":null}"#), Err(wrong("x")));
    let twice = r#"{"payload":{},"header":{},"header":{},"payload":{}}"#;
    let twice = Event::decode(twice.as_bytes()).map(drop);
    assert_eq!(twice, Err(EventError::DuplicateMember { pointer: "/header".into() }));
}

#[test]
fn every_event_can_be_built_to_the_byte() {
    for line in include_str!("vectors/events.jsonl").lines() {
        let Vector { id, event: Some(text), .. } = serde_json::from_str(line).unwrap() else {
            continue;
        };
        let event = Event::decode(text.get().as_bytes()).unwrap();
        let names = event.event_type();
        let event_type = EventType::new(names.namespace(), names.name()).unwrap();
        let mut builder = EventBuilder::new(event_type, event.id()).with_payload(event.payload());
        if let Version::Other(version) = event.version() {
            builder = builder.with_version(version);
        }
        if let Some(timestamp) = event.timestamp() {
            builder = builder.with_timestamp(timestamp);
        }
        if text.get().contains("\"entities\"") {
            builder = builder.with_entities(event.entities());
        }
        if text.get().contains("\"traceId\"") {
            builder = builder.with_header_member("traceId", "\"t-1\"");
        }
        assert_eq!(builder.encode().unwrap(), text.get(), "{id}");
    }
}

const TRACE: &str = r#""traceId":"t-1""#;
