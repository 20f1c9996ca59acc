//! Writing JSON: objects with their members in a given order.

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use super::Json;

/// An object with these members, in order.
pub(crate) struct Object<'a>(Vec<(&'static str, Member<'a>)>);

/// The value of a member.
pub(crate) enum Member<'a> {
    Text(&'a str),
    Integer(u64),
    Json(&'a Json),
    Object(Object<'a>),
}

impl<'a> Object<'a> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, name: &'static str, value: Member<'a>) {
        self.0.push((name, value));
    }

    /// A member that is left out where there is no text.
    pub(crate) fn push_text(&mut self, name: &'static str, text: Option<&'a str>) {
        self.0.extend(text.map(|text| (name, Member::Text(text))));
    }

    /// A member that is left out where there is no value.
    pub(crate) fn push_json(&mut self, name: &'static str, json: Option<&'a Json>) {
        self.0.extend(json.map(|json| (name, Member::Json(json))));
    }

    /// A member that is left out where there is no number.
    pub(crate) fn push_integer(&mut self, name: &'static str, integer: Option<u64>) {
        self.0.extend(integer.map(|integer| (name, Member::Integer(integer))));
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        // Texts, integers and well-formed JSON, into memory: nothing can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
    }
}

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Integer(integer) => integer.serialize(serializer),
            Self::Json(json) => json.as_raw().serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}
