//! The event vectors, with a member changed here and there.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::Value;
use smart_properties::{Body, Event, Instant, order::OrderKey};

static EVENTS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let vectors = include_str!("../vectors/events.jsonl").lines();
    let vectors = vectors.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let id = |vector: &Value| vector["id"].as_str().unwrap().to_owned();
    vectors.map(|mut vector| (id(&vector), vector["event"].take())).collect()
});

/// An event of specification section 13.5 as text, with other values at some pointers.
pub(crate) fn text(id: &str, changes: &[(&str, &Value)]) -> String {
    let mut event = EVENTS[id].clone();
    for (pointer, value) in changes.iter().filter(|(_, value)| !value.is_null()) {
        *event.pointer_mut(pointer).unwrap() = (*value).clone();
    }
    event.to_string()
}

/// What a gate is told of an event: its body, its place in the order, and its ID.
pub(crate) fn told<'a>(event: &'a Event<'_>) -> (Body<'a>, OrderKey, &'a str) {
    let order = OrderKey::new(event.time(), Instant::parse("2024-05-01T10:10:00.000Z"));
    (event.body(), order, event.id())
}
