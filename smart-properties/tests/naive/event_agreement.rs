//! An event beside the naive reading of the same bytes: shared by the properties and the fuzz target.

use std::str;

use serde_json::value::RawValue;
use smart_properties::{
    Body, Event, EventError, Extracted, Instant,
    event::{Version, Warning},
    id::IdKind,
};

use crate::naive::{self, Finding};

/// Checks all that can be told about any bytes.
///
/// # Panics
/// Where the two differ.
pub(crate) fn check(bytes: &[u8]) {
    let decoded = Event::decode(bytes);
    match &decoded {
        Ok(event) => {
            keeps_everything(event, bytes);
            // Bodies of what the tree cannot hold are made, too.
            let _ = event.body();
        }
        Err(error) => explains_itself(error, bytes),
    }
    let Some((expected, json)) = naive::decode(bytes) else { return };
    let (event, header) = match (decoded, expected) {
        (Ok(event), Ok(header)) => (event, header),
        (Err(error), Err((name, pointer))) => {
            let (found, at) = named(&error);
            assert_eq!(found, name, "{error}");
            assert!(pointer.is_none() || at == pointer, "{error}");
            return;
        }
        (decoded, expected) => panic!("{decoded:?} {expected:?}"),
    };
    let json = json.expect("what is an event is a tree");
    let version = match event.version() {
        Version::V2 => "2.0",
        Version::Other(version) => version,
        other => panic!("{other:?}"),
    };
    assert_eq!((version, event.id()), (&*header.version, &*header.id));
    let names = event.event_type();
    assert_eq!((names.namespace(), names.name()), (&*header.namespace, &*header.name));
    assert_eq!(event.timestamp(), header.timestamp.as_deref());
    let unreadable = header.timestamp.as_deref().map(|text| Instant::parse(text).is_none());
    let has = |warning| event.warnings().any(|found| found == warning);
    assert_eq!(has(Warning::BadTimestamp), unreadable.unwrap_or(header.unreadable_time));
    assert_eq!(has(Warning::MissingPayload), !header.has_payload);
    let expected = naive::findings(&header, &json);
    assert_eq!(findings(&event.body(), &json), expected);
}

/// What a body says, in the words of the naive reading; and the rest of it is compared at once.
fn findings(body: &Body<'_>, json: &naive::Json) -> Vec<(&'static str, Finding)> {
    match body {
        Body::Activation(body) => {
            vec![("unit", finding(&body.unit)), ("parent", finding(&body.parent))]
        }
        Body::Completion(body) => {
            let (status, errors, regular) = naive::result(json);
            assert_eq!(body.status.as_ref().map(|status| status.as_str()), status.as_deref());
            assert_eq!(body.irregular.is_none(), regular, "{:?}", body.irregular);
            let found: Vec<naive::AutomationError> = body
                .errors
                .iter()
                .map(|error| {
                    let error_type = error.error_type.as_ref().map(|name| name.as_str().into());
                    let message = error.message.as_deref().map(String::from);
                    [error_type, message, error.id.as_ref().map(|id| id.as_str().into())]
                })
                .collect();
            assert_eq!(found, errors);
            vec![("automation", finding(&body.automation)), ("unit", finding(&body.unit))]
        }
        Body::SkillFailure(body) => {
            let reason = body.reason.as_ref().map(|reason| String::from(reason.as_str()));
            assert_eq!(reason, naive::reason(json));
            vec![
                ("skill", finding(&body.skill)),
                ("unit", finding(&body.unit)),
                ("endpoint", finding(&body.endpoint)),
            ]
        }
        Body::RoleAssignment(body) | Body::RoleRevocation(body) => vec![
            ("unit", finding(&body.unit)),
            ("role", finding(&body.role)),
            ("principal", finding(&body.principal)),
        ],
        Body::SetupCompletion(body) => vec![("endpoint", finding(&body.endpoint))],
        Body::Unknown => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn finding<K: IdKind>(extracted: &Extracted<'_, K>) -> Finding {
    let place = |pointer: &str, id: &str| (pointer.to_owned(), id.to_owned());
    match extracted {
        Extracted::Known(id) => {
            let pointer = match K::TYPE {
                smart_properties::IdType::Unit => "/header/entities/unit/id",
                _ => "/payload/automation/id",
            };
            ("Known", vec![place(pointer, id.as_str())])
        }
        Extracted::Inferred { id, pointer } => ("Inferred", vec![place(pointer, id.as_str())]),
        Extracted::Harvested { id, pointer } => ("Harvested", vec![place(pointer, id.as_str())]),
        Extracted::Ambiguous(found) => {
            let places = found.iter().map(|(pointer, id)| place(pointer, id.as_str()));
            ("Ambiguous", places.collect())
        }
        Extracted::Missing => ("Missing", Vec::new()),
        other => panic!("{other:?}"),
    }
}

/// The text is the input, and its parts are parts of it that are JSON.
fn keeps_everything(event: &Event<'_>, bytes: &[u8]) {
    assert_eq!(event.as_str().as_bytes(), bytes);
    for part in [event.entities(), event.payload()] {
        assert!(part == "{}" || event.as_str().contains(part));
        assert!(part.starts_with('{') && serde_json::from_str::<&RawValue>(part).is_ok());
    }
    assert_eq!(Event::decode(event.as_str().as_bytes()).as_ref(), Ok(event));
}

fn explains_itself(error: &EventError, bytes: &[u8]) {
    let printed = error.to_string();
    // A pointer has at most 32 names of 32 characters, each at most `\u{10ffff}` when escaped.
    assert!((1..33 * 33 * 10 + 200).contains(&printed.len()), "{} bytes", printed.len());
    assert!(!printed.contains(char::is_control), "{printed:?}");
    let is_json =
        str::from_utf8(bytes).is_ok() && serde_json::from_slice::<&RawValue>(bytes).is_ok();
    match error {
        EventError::TooLong { pointer, .. } if pointer.is_empty() => {
            assert!(bytes.len() > smart_properties::event::MAX_EVENT_BYTES);
        }
        EventError::Malformed { line, column } => {
            assert!(!is_json && line + column <= bytes.len() + 2, "{error}");
        }
        _ => assert!(is_json, "{error}"),
    }
}

fn named(error: &EventError) -> (&'static str, Option<String>) {
    let (name, pointer) = match error {
        EventError::TooLong { pointer, .. } => ("TooLong", pointer),
        EventError::Malformed { .. } => return ("Malformed", None),
        EventError::NotAnObject { .. } => return ("NotAnObject", None),
        EventError::TooDeep { .. } => return ("TooDeep", None),
        EventError::DuplicateMember { pointer } => ("DuplicateMember", pointer),
        EventError::Missing { pointer } => ("Missing", pointer),
        EventError::WrongType { pointer, .. } => ("WrongType", pointer),
        EventError::Empty { pointer } => ("Empty", pointer),
        EventError::BadCharacter { pointer, .. } => ("BadCharacter", pointer),
        EventError::UnpairedSurrogate { pointer } => ("UnpairedSurrogate", pointer),
        other => panic!("{other} is new"),
    };
    (name, Some(pointer.to_string()))
}
