//! JSON as bodies have it: fields that are found and checked by serde_json, and open values that stay text.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{fmt, marker::PhantomData, str};

use iot_sansio::UnixMillis;
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, value::RawValue};

use super::BodyError;

/// A JSON value as it is written, well-formed and without blanks around it. `Debug` shows its length only.
///
/// What a product's model says of its values is not this crate's to know: give the text to a JSON library, which
/// decides how numbers are read.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json<'a>(Cow<'a, str>);

impl<'a> Json<'a> {
    pub(super) const fn new(raw: &'a str) -> Self {
        Self(Cow::Borrowed(raw))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same value, which borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        Json(self.0.into_owned().into())
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json([{} bytes])", self.0.len())
    }
}

/// One value and the name of the field it stands in, for errors.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    name: &'static str,
    /// None where it is absent.
    raw: Option<&'a str>,
}

/// Reads fields that come beside what a body is about: one that cannot be read is left out, and its name is kept.
#[derive(Default)]
pub(super) struct Aside(Vec<&'static str>);

/// The fields with these names of the object that is this text. Others are ignored; of a name that is there twice the
/// last one counts.
pub(super) fn fields<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Field<'a>; N], BodyError> {
    let mut fields = names.map(|name| Field { name, raw: None });
    let mut json = Deserializer::from_str(text);
    let read = json.deserialize_map(ReadFields(&mut fields)).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(fields),
        Err(_) => Err(explain(text)),
    }
}

/// The text that a body is.
pub(super) fn text(body: &[u8]) -> Result<&str, BodyError> {
    str::from_utf8(body).map_err(|error| BodyError::NotUtf8 { position: error.valid_up_to() })
}

/// The elements of an array; a value that is none stands for itself.
pub(super) fn elements(raw: &str) -> Vec<&str> {
    let mut elements = Vec::new();
    match Deserializer::from_str(raw).deserialize_seq(ReadElements(&mut elements)) {
        Ok(()) => elements,
        Err(_) => [raw].into(),
    }
}

/// A decimal number, with a sign or without, and nothing else.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

impl<'a> Field<'a> {
    /// An element of the array that this field is.
    pub(super) const fn element(name: &'static str, raw: &'a str) -> Self {
        Self { name, raw: Some(raw) }
    }

    /// The fields with these names of the object that it is.
    pub(super) fn fields<const N: usize>(
        self,
        names: [&'static str; N],
    ) -> Result<[Self; N], BodyError> {
        match self.raw {
            Some(raw) if raw.starts_with('{') => fields(raw, names),
            _ => Err(self.wrong_type("an object")),
        }
    }

    /// How it is written; none where it is absent or null.
    fn given(self) -> Option<&'a str> {
        self.raw.filter(|raw| *raw != "null")
    }

    /// This, or where it is absent or null the other.
    pub(super) fn or(self, other: Self) -> Self {
        if self.given().is_some() || other.raw.is_none() { self } else { other }
    }

    /// A text; a number stands for its digits.
    pub(super) fn text(self) -> Result<Option<Cow<'a, str>>, BodyError> {
        let Some(raw) = self.given() else { return Ok(None) };
        match raw.as_bytes().first() {
            Some(b'"') => match raw.get(1..raw.len().saturating_sub(1)) {
                Some(plain) if !plain.contains('\\') => Ok(Some(Cow::Borrowed(plain))),
                _ => match serde_json::from_str::<String>(raw) {
                    Ok(text) => Ok(Some(text.into())),
                    Err(_) => Err(BodyError::UnpairedSurrogate { field: self.name }),
                },
            },
            Some(b'-' | b'0'..=b'9') => Ok(Some(Cow::Borrowed(raw))),
            _ => Err(self.wrong_type("a text")),
        }
    }

    /// An integer, exactly; a text of digits stands for its number.
    pub(super) fn integer(self) -> Result<Option<i64>, BodyError> {
        let text = self.text().map_err(|error| match error {
            BodyError::WrongType { .. } => self.wrong_type("an integer"),
            other => other,
        })?;
        let not_one = BodyError::NotAnInteger { field: self.name };
        text.map(|text| decimal(&text).ok_or(not_one)).transpose()
    }

    /// A time in milliseconds.
    pub(super) fn millis(self) -> Result<Option<UnixMillis>, BodyError> {
        Ok(self.integer()?.map(UnixMillis::new))
    }

    /// Whatever it is, as it is written.
    pub(super) fn json(self) -> Option<Json<'a>> {
        self.raw.map(Json::new)
    }

    /// The names and values of the object that it is; none when it is absent.
    pub(super) fn members(self) -> Result<Vec<(Cow<'a, str>, &'a str)>, BodyError> {
        let mut members = Vec::new();
        match self.given() {
            // The text is well-formed: only a name can be wrong, by half of a surrogate pair.
            Some(raw) if raw.starts_with('{') => Deserializer::from_str(raw)
                .deserialize_map(ReadMembers(&mut members))
                .map_err(|_| BodyError::UnpairedSurrogate { field: self.name })?,
            Some(_) => return Err(self.wrong_type("an object")),
            None => {}
        }
        Ok(members)
    }

    /// The elements of the array that it is; none when it is absent.
    pub(super) fn array(self) -> Result<Vec<&'a str>, BodyError> {
        match self.given() {
            Some(raw) if raw.starts_with('[') => Ok(elements(raw)),
            Some(_) => Err(self.wrong_type("an array")),
            None => Ok(Vec::new()),
        }
    }

    fn wrong_type(self, expected: &'static str) -> BodyError {
        let found = self.raw.map_or("null", type_of);
        BodyError::WrongType { field: self.name, expected, found }
    }
}

impl Aside {
    pub(super) fn text<'a>(&mut self, field: Field<'a>) -> Option<Cow<'a, str>> {
        self.read(field, Field::text)
    }

    pub(super) fn integer(&mut self, field: Field<'_>) -> Option<i64> {
        self.read(field, Field::integer)
    }

    pub(super) fn millis(&mut self, field: Field<'_>) -> Option<UnixMillis> {
        self.read(field, Field::millis)
    }

    pub(super) fn read<'a, T: Default>(
        &mut self,
        field: Field<'a>,
        read: impl FnOnce(Field<'a>) -> Result<T, BodyError>,
    ) -> T {
        read(field).unwrap_or_else(|_| {
            // Once, however many elements of an array have it.
            if !self.0.contains(&field.name) {
                self.0.push(field.name);
            }
            T::default()
        })
    }

    /// The names of those that could not be read.
    pub(super) fn unread(self) -> Vec<&'static str> {
        self.0
    }
}

/// Why a text is no object: it is another value, or not JSON.
fn explain(text: &str) -> BodyError {
    match serde_json::from_str::<&RawValue>(text).map(|value| type_of(value.get())) {
        Ok(found) if found != "an object" => BodyError::NotAnObject { found },
        Ok(_) => BodyError::UnpairedSurrogate { field: "a name" },
        Err(error) => BodyError::NotJson { line: error.line(), column: error.column() },
    }
}

fn type_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a text",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "null",
    }
}

struct ReadFields<'a, 'v>(&'v mut [Field<'a>]);

impl<'de> Visitor<'de> for ReadFields<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(Name(PhantomData))? {
            match self.0.iter_mut().find(|field| field.name == name) {
                Some(field) => field.raw = Some(object.next_value::<&RawValue>()?.get()),
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct ReadMembers<'a, 'v>(&'v mut Vec<(Cow<'a, str>, &'a str)>);

impl<'de> Visitor<'de> for ReadMembers<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key_seed(Name(PhantomData))? {
            self.0.push((name, object.next_value::<&RawValue>()?.get()));
        }
        Ok(())
    }
}

struct ReadElements<'a, 'v>(&'v mut Vec<&'a str>);

impl<'de> Visitor<'de> for ReadElements<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element::<&RawValue>()? {
            self.0.push(value.get());
        }
        Ok(())
    }
}

/// The name of a member, borrowed unless it has escapes.
struct Name<'de>(PhantomData<&'de str>);

impl<'de> DeserializeSeed<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name<'de> {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_string()))
    }
}
