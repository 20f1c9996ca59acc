//! Writing JSON: objects with their members in a given order.

use alloc::vec::Vec;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

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
    pub(crate) fn new<const N: usize>(members: [(&'static str, Member<'a>); N]) -> Self {
        Self(members.into())
    }

    /// A member more, where there is a text.
    pub(crate) fn with_text(mut self, name: &'static str, text: Option<&'a str>) -> Self {
        self.0.extend(text.map(|text| (name, Member::Text(text))));
        self
    }

    pub(crate) fn with(mut self, name: &'static str, value: Member<'a>) -> Self {
        self.0.push((name, value));
        self
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
            Self::Json(json) => serde_json::from_str::<&RawValue>(json.as_str())
                .unwrap_or(RawValue::NULL)
                .serialize(serializer),
            Self::Object(object) => object.serialize(serializer),
        }
    }
}
