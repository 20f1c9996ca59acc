//! JSON as it is written: the members of an object and the elements of an array, found and checked by serde_json.
//!
//! Values are converted by whoever knows their type: so an error can name the field, a number is exact, and a build
//! that changes how serde_json reads numbers (`arbitrary_precision`, `float_roundtrip`) changes nothing here.

use alloc::{borrow::Cow, string::String};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer as _,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Deserializer, value::RawValue};

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "JSON has six types")]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number, with or without a fraction.
    Number,
    /// A text.
    String,
    /// `[…]`.
    Array,
    /// `{…}`.
    Object,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// The text is not JSON, or not of the type that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In bytes, counted from 1.
    pub(crate) column: usize,
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

/// One value, well-formed, without space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// As it is written.
    pub(crate) raw: &'a str,
}

impl<'a> Value<'a> {
    /// The one value in a text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        Ok(Self { raw: serde_json::from_str::<&RawValue>(text)?.get() })
    }

    #[inline]
    pub(crate) fn json_type(self) -> JsonType {
        match self.raw.as_bytes().first() {
            Some(b'"') => JsonType::String,
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::Array,
            Some(b't' | b'f') => JsonType::Boolean,
            Some(b'-' | b'0'..=b'9') => JsonType::Number,
            _ => JsonType::Null,
        }
    }

    /// Whether more than `limit` objects and arrays stand within each other.
    ///
    /// What has no more brackets than `limit` is not looked into, and nothing is looked into more than `limit` times.
    pub(crate) fn is_deeper_than(self, limit: usize) -> Result<bool, Malformed> {
        if !self.is_container() || self.brackets() <= limit {
            return Ok(false);
        }
        let Some(limit) = limit.checked_sub(1) else {
            return Ok(true);
        };
        let mut deeper = false;
        self.children(|child| {
            deeper = deeper || child.is_deeper_than(limit)?;
            Ok(())
        })?;
        Ok(deeper)
    }

    /// How many brackets open in it, those in texts among them: it is no deeper than that.
    #[inline]
    pub(crate) fn brackets(self) -> usize {
        self.raw.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count()
    }

    /// Whether it is an object or an array.
    #[inline]
    pub(crate) fn is_container(self) -> bool {
        matches!(self.json_type(), JsonType::Object | JsonType::Array)
    }

    /// Calls `each` with every value right inside this one.
    fn children(self, each: impl FnMut(Self) -> Result<(), Malformed>) -> Result<(), Malformed> {
        match self.json_type() {
            // Whatever their names are, even half of a surrogate pair.
            JsonType::Object => Ok(Deserializer::from_str(self.raw).deserialize_map(Values(each))?),
            JsonType::Array => elements(self.raw, each),
            _ => Ok(()),
        }
    }

    /// What a string says; none for other types, too.
    pub(crate) fn string(self) -> Option<Cow<'a, str>> {
        (self.json_type() == JsonType::String).then(|| self.text()).flatten()
    }

    /// What a string says; none when half of a surrogate pair stands alone in it. Meaningless on other types.
    #[inline]
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        match self.plain_text() {
            Some(text) => Some(Cow::Borrowed(text)),
            None => serde_json::from_str::<String>(self.raw).ok().map(Cow::Owned),
        }
    }

    /// What a string says that has no escapes in it. Meaningless on other types.
    #[inline]
    pub(crate) fn plain_text(self) -> Option<&'a str> {
        let text = self.raw.get(1..self.raw.len().saturating_sub(1))?;
        (!text.as_bytes().contains(&b'\\')).then_some(text)
    }
}

/// Calls `each` with the name and the value of every member of the object that is this text.
#[inline]
pub(crate) fn members<'a, E: From<Malformed>>(
    text: &'a str,
    each: impl FnMut(Cow<'a, str>, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut error = None;
    let mut json = Deserializer::from_str(text);
    let visitor = Members { each, error: &mut error };
    let read = json.deserialize_map(visitor).and_then(|()| json.end());
    match error {
        Some(error) => Err(error),
        None => read.map_err(|error| Malformed::from(error).into()),
    }
}

/// Calls `each` with every element of the array that is this text.
pub(crate) fn elements<'a, E: From<Malformed>>(
    text: &'a str,
    each: impl FnMut(Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut error = None;
    let mut json = Deserializer::from_str(text);
    let visitor = Elements { each, error: &mut error };
    let read = json.deserialize_seq(visitor).and_then(|()| json.end());
    match error {
        Some(error) => Err(error),
        None => read.map_err(|error| Malformed::from(error).into()),
    }
}

/// Keeps the caller's own error, which serde cannot carry.
struct Members<'e, F, E> {
    each: F,
    error: &'e mut Option<E>,
}

impl<'de, E, F: FnMut(Cow<'de, str>, Value<'de>) -> Result<(), E>> Visitor<'de>
    for Members<'_, F, E>
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(PhantomData))? {
            let value = Value { raw: map.next_value::<&RawValue>()?.get() };
            keep((self.each)(name, value), self.error)?;
        }
        Ok(())
    }
}

/// The values of an object alone.
struct Values<F>(F);

impl<'de, F: FnMut(Value<'de>) -> Result<(), Malformed>> Visitor<'de> for Values<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(AnyName) = map.next_key()? {
            let value = Value { raw: map.next_value::<&RawValue>()?.get() };
            (self.0)(value).map_err(|_| de::Error::custom("stopped"))?;
        }
        Ok(())
    }
}

/// A name that nobody looks at: as bytes it need not be text.
struct AnyName;

impl<'de> Deserialize<'de> for AnyName {
    fn deserialize<D: de::Deserializer<'de>>(name: D) -> Result<Self, D::Error> {
        name.deserialize_bytes(Self)
    }
}

impl Visitor<'_> for AnyName {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Self, E> {
        Ok(self)
    }
}

struct Elements<'e, F, E> {
    each: F,
    error: &'e mut Option<E>,
}

impl<'de, E, F: FnMut(Value<'de>) -> Result<(), E>> Visitor<'de> for Elements<'_, F, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element::<&RawValue>()? {
            keep((self.each)(Value { raw: value.get() }), self.error)?;
        }
        Ok(())
    }
}

#[inline]
fn keep<E, D: de::Error>(result: Result<(), E>, error: &mut Option<E>) -> Result<(), D> {
    result.map_err(|caught| {
        *error = Some(caught);
        D::custom("stopped")
    })
}

/// The name of a member, borrowed unless it has escapes.
struct Name<'de>(PhantomData<&'de str>);

impl<'de> DeserializeSeed<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: de::Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}
