//! JSON as a tree.

use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value, with all members in their order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// A number; its value when it is an integer of 64 bits without sign.
    Number(Option<u64>),
    Boolean,
    Null,
}

impl Node {
    /// None when a text is not JSON, or some that a tree cannot hold: very deep, with half of a surrogate pair, with a
    /// number beyond all bounds, or with the names through which serde_json passes numbers.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let private = b"$serde_json::private";
        if text.windows(private.len()).any(|name| name == private) {
            return None;
        }
        serde_json::from_slice(text).ok()
    }

    /// What it breaks of the rules beyond the grammar.
    pub(crate) fn check(&self, depth: usize) -> Result<(), String> {
        if depth > 32 && matches!(self, Self::Array(_) | Self::Object(_)) {
            return Err("TooDeep".into());
        }
        match self {
            Self::Array(elements) => elements.iter().try_for_each(|value| value.check(depth + 1)),
            Self::Object(members) => {
                members.iter().enumerate().try_for_each(|(index, (name, value))| {
                    if members[..index].iter().any(|(other, _)| other == name) {
                        return Err("NamedTwice".into());
                    }
                    value.check(depth + 1)
                })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Boolean)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(Some(number)))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = array.next_element()? {
            elements.push(element);
        }
        Ok(Node::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Node, A::Error> {
        let mut members: Vec<(String, Node)> = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        // With `arbitrary_precision` a number comes so.
        match members.first() {
            Some((name, Node::Text(number))) if name.starts_with("$serde_json::private") => {
                Ok(Node::Number(number.parse().ok()))
            }
            _ => Ok(Node::Object(members)),
        }
    }
}
