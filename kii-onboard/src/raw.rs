//! JSON that is looked into: its text is checked once, then taken apart without a tree.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{fmt, str};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};

use crate::{Json, JsonError};

/// One JSON value as it is written, well-formed and without blanks around it.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a>(&'a str);

/// The name of a member; none where it holds half of a surrogate pair, for which there is no text.
pub(crate) type Name<'a> = Option<Cow<'a, str>>;

impl<'a> Raw<'a> {
    /// The value that a text is.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JsonError> {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Ok(Self(raw.get())),
            Err(error) => Err(JsonError { line: error.line(), column: error.column() }),
        }
    }

    pub(crate) fn of(json: &'a Json) -> Self {
        Self(json.as_str())
    }

    /// Its type, as an error names it.
    pub(crate) fn type_name(self) -> &'static str {
        match self.0.as_bytes().first() {
            Some(b'"') => "a text",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b't' | b'f') => "a boolean",
            Some(b'-' | b'0'..=b'9') => "a number",
            _ => "null",
        }
    }

    /// The members of the object that it is, in order.
    pub(crate) fn members(self) -> Option<Vec<(Name<'a>, Self)>> {
        if !self.0.starts_with('{') {
            return None;
        }
        let mut members = Vec::new();
        Deserializer::from_str(self.0).deserialize_map(ReadMembers(&mut members)).ok()?;
        Some(members)
    }

    /// The members with these names of the object that it is; of a name that is there twice the last one counts.
    pub(crate) fn named<const N: usize>(self, names: [&str; N]) -> Option<[Option<Self>; N]> {
        let mut found = [None; N];
        for (name, value) in self.members()? {
            let place = names.iter().position(|known| name.as_deref() == Some(*known));
            if let Some(place) = place.and_then(|index| found.get_mut(index)) {
                *place = Some(value);
            }
        }
        Some(found)
    }

    /// The one member of the object that it is; none where there is no member, or a second one of any name.
    pub(crate) fn only_member(self) -> Option<(Name<'a>, Self)> {
        let mut members = self.members()?.into_iter();
        match (members.next(), members.next()) {
            (Some(member), None) => Some(member),
            _ => None,
        }
    }

    /// The elements of the array that it is.
    pub(crate) fn elements(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let mut elements = Vec::new();
        Deserializer::from_str(self.0).deserialize_seq(ReadElements(&mut elements)).ok()?;
        Some(elements)
    }

    pub(crate) fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    /// The text that it is; none too where it holds half of a surrogate pair.
    pub(crate) fn text(self) -> Option<String> {
        if self.is_text() { serde_json::from_str(self.0).ok() } else { None }
    }

    /// The integer that it is, exactly: a fraction or an exponent makes it another number.
    pub(crate) fn integer(self) -> Option<i64> {
        self.0.parse().ok()
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn to_json(self) -> Json {
        Json::from_checked(self.0)
    }
}

struct ReadMembers<'a, 'v>(&'v mut Vec<(Name<'a>, Raw<'a>)>);

impl<'de> Visitor<'de> for ReadMembers<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(ReadName)? {
            self.0.push((name, Raw(object.next_value::<&RawValue>()?.get())));
        }
        Ok(())
    }
}

struct ReadElements<'a, 'v>(&'v mut Vec<Raw<'a>>);

impl<'de> Visitor<'de> for ReadElements<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element::<&RawValue>()? {
            self.0.push(Raw(value.get()));
        }
        Ok(())
    }
}

/// Reads a name as bytes: one that has no text must not make the whole object unreadable.
struct ReadName;

impl<'de> DeserializeSeed<'de> for ReadName {
    type Value = Name<'de>;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for ReadName {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Self::Value, E> {
        Ok(str::from_utf8(name).ok().map(Cow::Borrowed))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(str::from_utf8(name).ok().map(|name| Cow::Owned(name.to_string())))
    }
}
