//! Reading JSON: values that are found and checked by serde_json, and converted by whoever knows their type.
//!
//! So an error can name the member, a number is exact, and a build that changes how serde_json reads numbers
//! (`arbitrary_precision`) changes nothing here.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, marker::PhantomData, str};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};

use super::{Json, JsonError};

/// One value, well-formed, without blanks around it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The one value in a body, with or without blanks around it.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, JsonError> {
        let text = str::from_utf8(body).map_err(|error| {
            let before = body.get(..error.valid_up_to()).unwrap_or_default();
            let (mut line, mut column) = (1, 1);
            for byte in before {
                (line, column) = if *byte == b'\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            JsonError { line, column }
        })?;
        match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Ok(Self(raw.get())),
            Err(error) => Err(JsonError { line: error.line(), column: error.column() }),
        }
    }

    /// A value that is kept.
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

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// What a string says; none for other values, and when half of a surrogate pair stands alone in it.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        if inner.contains('\\') {
            serde_json::from_str::<String>(self.0).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }

    /// The same, which borrows nothing.
    pub(crate) fn owned_text(self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// A number that is written as an integer and is not negative, as `-0` is not; none for other values, and beyond 64
    /// bits.
    pub(crate) fn integer(self) -> Option<u64> {
        let number: i128 = self.0.parse().ok()?;
        u64::try_from(number).ok()
    }

    /// The same, also below zero.
    pub(crate) fn signed(self) -> Option<i64> {
        self.0.parse().ok()
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }

    pub(crate) fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    /// Whatever it is, as it is written.
    pub(crate) fn json(self) -> Json {
        Json(self.0.into())
    }

    /// The members with these names, as far as they are there; of a name that is there twice the last one counts. None
    /// at all when this is not an object.
    pub(crate) fn members<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut members = [None; N];
        self.each_member(|name, value| {
            if let Some(index) = names.iter().position(|known| known.as_bytes() == name) {
                members[index] = Some(value);
            }
        });
        members
    }

    /// Calls `each` with the name and the value of every member; with none when this is not an object. A name is UTF-8
    /// but for halves of surrogate pairs.
    pub(crate) fn each_member(self, each: impl FnMut(&[u8], Self)) {
        if self.is_object() {
            // The text is well-formed, and names are read as bytes: nothing can fail.
            let _ = Deserializer::from_str(self.0).deserialize_map(Members(each));
        }
    }

    /// The one member of an object, where a second one of the same name counts too. Its name is none when half of a
    /// surrogate pair stands alone in it.
    pub(crate) fn only_member(self) -> Option<(Option<String>, Self)> {
        let (mut only, mut count) = (None, 0_usize);
        self.each_member(|name, value| {
            count += 1;
            if count == 1 {
                only = Some((str::from_utf8(name).ok().map(String::from), value));
            }
        });
        only.filter(|_| count == 1)
    }

    /// The elements of an array; none at all for other values.
    pub(crate) fn elements(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let mut elements = Vec::new();
        // The text is well-formed: nothing can fail.
        let _ = Deserializer::from_str(self.0)
            .deserialize_seq(Elements(|element| elements.push(element)));
        Some(elements)
    }

    /// Whether arrays and objects nest in it more than `limit` deep.
    pub(crate) fn is_deeper_than(self, limit: usize) -> bool {
        let Some(inner) = self.0.strip_prefix(['{', '[']) else { return false };
        let Some(limit) = limit.checked_sub(1) else { return true };
        // Most often there is nothing below to look at.
        if !inner.contains(['{', '[']) {
            return false;
        }
        let mut is_deeper = false;
        let look = |value: Self| is_deeper = is_deeper || value.is_deeper_than(limit);
        let mut json = Deserializer::from_str(self.0);
        let _ = if self.is_object() {
            let mut look = look;
            json.deserialize_map(Members(|_: &[u8], value| look(value)))
        } else {
            json.deserialize_seq(Elements(look))
        };
        is_deeper
    }
}

struct Members<F>(F);

impl<'de, F: FnMut(&[u8], Value<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(Name(PhantomData))? {
            let value = object.next_value::<&RawValue>()?;
            (self.0)(&name, Value(value.get()));
        }
        Ok(())
    }
}

struct Elements<F>(F);

impl<'de, F: FnMut(Value<'de>)> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element::<&RawValue>()? {
            (self.0)(Value(value.get()));
        }
        Ok(())
    }
}

/// The name of a member, borrowed unless it has escapes; as bytes, so that half of a surrogate pair is no fault.
struct Name<'de>(PhantomData<&'de [u8]>);

impl<'de> DeserializeSeed<'de> for Name<'de> {
    type Value = Cow<'de, [u8]>;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for Name<'de> {
    type Value = Cow<'de, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_bytes<E>(self, name: &'de [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}
