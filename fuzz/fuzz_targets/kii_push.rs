//! Any bytes as a push, read by the crate and by a naive reading of a tree; what is a command is written again, answered
//! and the answer read.

#![no_main]

use core::fmt;

use kii_onboard::command::{
    Action, ActionResult, ActionResults, Actions, Command, Push, PushError,
};
use libfuzzer_sys::fuzz_target;
use naive::Node;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

#[path = "../../kii-onboard/tests/naive/push.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let read = Push::decode(bytes);
    if let Some(node) = node(bytes) {
        agrees(&read, naive::read(&node));
    }
    let is_object =
        serde_json::from_slice::<&RawValue>(bytes).is_ok_and(|value| value.get().starts_with('{'));
    match read {
        Err(error @ PushError::BadPush(_)) => {
            assert!(!is_object);
            assert!(error.to_string().len() < 200);
        }
        Err(error) => assert!(is_object && error.to_string().len() < 200),
        Ok(Push::Other(object)) => assert!(is_object && object.is_object()),
        Ok(Push::Command(command)) => {
            assert!(is_object);
            survives_writing(&command);
            can_be_answered(&command);
        }
    }
});

fn agrees(read: &Result<Push, PushError>, expected: naive::Push) {
    match (read, expected) {
        (Err(PushError::BadPush(_)), naive::Push::Nothing)
        | (Err(PushError::BadCommand(_)), naive::Push::BadCommand)
        | (Ok(Push::Other(_)), naive::Push::Other) => {}
        (Ok(Push::Command(command)), naive::Push::Command(expected)) => {
            assert_eq!(command.id, expected.id);
            assert_eq!(listed(&command.actions), (expected.is_trait, expected.actions));
            assert_eq!(command.issuer, expected.issuer);
            assert_eq!(command.schema, expected.schema);
            assert_eq!(command.schema_version, expected.schema_version);
        }
        (read, expected) => panic!("{read:?} instead of {expected:?}"),
    }
}

fn listed(actions: &Actions) -> (bool, Vec<(String, String, Node)>) {
    let one = |alias: &str, action: &Action| {
        let value = node(action.value.as_str().as_bytes());
        (alias.to_owned(), action.name.clone(), value.expect("a part of what was read before"))
    };
    match actions {
        Actions::Plain(actions) => (false, actions.iter().map(|action| one("", action)).collect()),
        Actions::Trait(traits) => {
            let pairs = traits.iter().flat_map(|of_trait| {
                of_trait.actions.iter().map(|action| one(&of_trait.alias, action))
            });
            (true, pairs.collect())
        }
    }
}

/// Written again a command is the same, unless it has become too long by escapes that it did not need.
fn survives_writing(command: &Command) {
    let payload = command.encode();
    if payload.len() <= kii_onboard::command::MAX_PUSH {
        assert_eq!(Push::decode(&payload).as_ref(), Ok(&Push::Command(command.clone())));
    }
}

fn can_be_answered(command: &Command) {
    let results = (0..command.actions.len()).map(|index| match index % 2 {
        0 => ActionResult::succeeded(),
        _ => ActionResult::failed("e"),
    });
    let results = ActionResults::new(&command.actions, results).expect("one for each");
    assert_eq!(ActionResults::decode(&command.actions, &results.encode()), Ok(results));
}

/// None when it is not JSON, or some that a tree does not tell: deeper than 128 levels, with half of a surrogate pair, or
/// with the name through which serde_json passes numbers.
fn node(bytes: &[u8]) -> Option<Node> {
    if bytes.windows(NUMBER.len()).any(|name| name == NUMBER.as_bytes()) {
        return None;
    }
    serde_json::from_slice(bytes).ok().map(|Tree(node)| node)
}

struct Tree(Node);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(ReadTree).map(Self)
    }
}

struct ReadTree;

impl<'de> Visitor<'de> for ReadTree {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain("null".into()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Plain(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(Tree(element)) = array.next_element()? {
            elements.push(element);
        }
        Ok(Node::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            if name == NUMBER {
                return object.next_value().map(Node::Plain);
            }
            let Tree(value) = object.next_value()?;
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }
}

/// With `arbitrary_precision`, a number is a map with this one name.
const NUMBER: &str = "$serde_json::private::Number";
