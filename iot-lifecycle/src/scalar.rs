//! JSON values as they usually are: scalars that serde_json reads at once, and reads the same in every build.

use core::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use crate::{JsonType, json::Value};

/// A value that is read, where reading it loses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    /// A string without escapes.
    Text(&'a str),
    /// A number that is written as an `i64`.
    Integer(i64),
    Boolean(bool),
    Null,
    /// Anything else, as it is written.
    Odd(Value<'a>),
}

impl Scalar<'_> {
    #[inline]
    pub(crate) fn json_type(self) -> JsonType {
        match self {
            Self::Text(_) => JsonType::String,
            Self::Integer(_) => JsonType::Number,
            Self::Boolean(_) => JsonType::Boolean,
            Self::Null => JsonType::Null,
            Self::Odd(value) => value.json_type(),
        }
    }
}

impl<'a> From<Value<'a>> for Scalar<'a> {
    fn from(value: Value<'a>) -> Self {
        let integer = || value.raw.parse().map(Self::Integer).ok();
        let scalar = match value.json_type() {
            JsonType::Null => Some(Self::Null),
            JsonType::Boolean => Some(Self::Boolean(value.raw == "true")),
            JsonType::Number => integer(),
            JsonType::String => value.plain_text().map(Self::Text),
            JsonType::Array | JsonType::Object => None,
        };
        scalar.unwrap_or(Self::Odd(value))
    }
}

/// Reads any scalar but odd ones, at which it fails.
pub(crate) struct ReadScalar;

impl<'de> DeserializeSeed<'de> for ReadScalar {
    type Value = Scalar<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar that is not odd")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(text))
    }

    #[inline]
    fn visit_i64<E>(self, integer: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(integer))
    }

    #[inline]
    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Self::Value, E> {
        i64::try_from(integer).map(Scalar::Integer).map_err(E::custom)
    }

    #[inline]
    fn visit_bool<E>(self, boolean: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Boolean(boolean))
    }

    #[inline]
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }
}
