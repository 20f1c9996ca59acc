//! Reading JSON: values that are found and checked by serde_json, and converted by whoever knows their type.
//!
//! Values are passed on as they are written. So a number is exact, and a build that changes how serde_json reads
//! numbers or orders members (`arbitrary_precision`, `preserve_order`) changes nothing here.

use alloc::{borrow::Cow, collections::BTreeSet, string::String, vec::Vec};
use core::{fmt, marker::PhantomData, str};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};

use super::{Json, JsonError, JsonFault};

/// One value, well-formed, without blanks around it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// The one value in a body, with or without blanks around it.
    ///
    /// # Errors
    /// The body is not JSON, names a member twice anywhere, or nests too deep.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, JsonError> {
        let text = str::from_utf8(body)
            .map_err(|error| error_at(body, error.valid_up_to(), JsonFault::NotJson))?;
        let value = match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Self(raw.get()),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                return Err(JsonError { fault: JsonFault::NotJson, line, column });
            }
        };
        value.check(MAX_DEPTH).map_err(|(fault, at)| {
            error_at(body, at.as_ptr().addr().saturating_sub(text.as_ptr().addr()), fault)
        })?;
        Ok(value)
    }

    /// A value that is kept.
    pub(crate) fn of(json: &'a Json) -> Self {
        Self(json.as_str())
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
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

    /// A number that is written as an integer and is not negative; none for other values, and beyond 64 bits.
    pub(crate) fn integer(self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// Whatever it is, as it is written.
    pub(crate) fn json(self) -> Json {
        Json(self.0.into())
    }

    /// The members with these names, as far as they are there; none at all when this is not an object.
    pub(crate) fn members<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut members = [None; N];
        self.each_member(|name, value| {
            if let Some(index) = names.iter().position(|known| known.as_bytes() == &*name) {
                members[index] = Some(value);
            }
        });
        members
    }

    /// Calls `each` with the name and the value of every member; with none when this is not an object. A name is UTF-8
    /// but for halves of surrogate pairs.
    fn each_member(self, each: impl FnMut(Cow<'a, [u8]>, Self)) {
        if self.is_object() {
            // The text is well-formed, and names are read as bytes: nothing can fail.
            let _ = Deserializer::from_str(self.0).deserialize_map(Members(each));
        }
    }

    /// The elements of an array; none at all for other values.
    pub(crate) fn elements(self) -> Option<Vec<Self>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let mut elements = Vec::new();
        // The text is well-formed: nothing can fail.
        let each = |element| elements.push(element);
        let _ = Deserializer::from_str(self.0).deserialize_seq(Elements(each));
        Some(elements)
    }

    /// Whether it holds to the rules beyond the grammar: what it breaks, and where.
    fn check(self, depth: usize) -> Result<(), (JsonFault, &'a str)> {
        if !self.0.starts_with(['{', '[']) {
            return Ok(());
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err((JsonFault::TooDeep { limit: MAX_DEPTH }, self.0));
        };
        let mut checked = Ok(());
        if self.is_object() {
            let mut names = BTreeSet::new();
            self.each_member(|name, value| {
                if checked.is_ok() {
                    checked = match names.insert(name) {
                        true => value.check(depth),
                        false => Err((JsonFault::NamedTwice, value.0)),
                    };
                }
            });
        } else {
            let each = |element: Self| {
                if checked.is_ok() {
                    checked = element.check(depth);
                }
            };
            let _ = Deserializer::from_str(self.0).deserialize_seq(Elements(each));
        }
        checked
    }
}

fn error_at(body: &[u8], offset: usize, fault: JsonFault) -> JsonError {
    let (mut line, mut column) = (1, 1);
    for byte in body.iter().take(offset) {
        (line, column) = if *byte == b'\n' { (line + 1, 1) } else { (line, column + 1) };
    }
    JsonError { fault, line, column }
}

struct Members<F>(F);

impl<'de, F: FnMut(Cow<'de, [u8]>, Value<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(Name(PhantomData))? {
            let value = object.next_value::<&RawValue>()?;
            (self.0)(name, Value(value.get()));
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

/// Levels of arrays and objects.
const MAX_DEPTH: usize = 32;
