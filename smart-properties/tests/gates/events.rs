//! The event vectors, with a member changed here and there.

use serde_json::Value;
use smart_properties::{Body, Event, Instant, order::OrderKey};

/// An event of specification section 13.5 as text, with other values at some pointers.
pub(crate) fn text(id: &str, changes: &[(&str, &Value)]) -> String {
    let mut event = include_str!("../vectors/events.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|vector| vector["id"] == id)
        .unwrap_or_else(|| panic!("there is no event {id}"))["event"]
        .take();
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
