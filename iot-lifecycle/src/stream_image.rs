//! The image of a DynamoDB item in a stream record: typed attributes, mapped back to plain JSON.

use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, string::String, vec::Vec};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny},
};
use serde_json::value::RawValue;

use crate::{
    JsonType,
    json::{Malformed, Value, members},
};

/// Why the image of an item cannot be mapped back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// Not an object, or one in which an attribute is not an object with a single, known type.
    #[error("attribute {attribute:?} is not typed as a stream image types it")]
    BadAttribute {
        /// The top-level attribute; at most 32 characters of its name.
        attribute: String,
    },
}

impl From<Malformed> for ImageError {
    fn from(_: Malformed) -> Self {
        Self::BadAttribute { attribute: String::new() }
    }
}

/// The item as a JSON object, attributes in their order.
pub(crate) fn to_json(image: Value<'_>) -> Result<Vec<u8>, ImageError> {
    let mut item = Vec::new();
    members(image.raw, |name, value| {
        let attribute = serde_json::from_str::<Attribute>(value.raw)
            .map_err(|_| ImageError::BadAttribute { attribute: name.chars().take(32).collect() })?;
        item.push((name, attribute));
        Ok::<_, ImageError>(())
    })?;
    serde_json::to_vec(&Item(item)).map_err(|error| Malformed::from(error).into())
}

struct Item<'a>(Vec<(Cow<'a, str>, Attribute)>);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, attribute)| (name, attribute)))
    }
}

/// `{"S":"text"}` and its like, by the database's own names. serde_json bounds how deep they nest.
#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Attribute {
    S(String),
    B(String),
    N(Number),
    Bool(bool),
    Null(IgnoredAny),
    M(BTreeMap<String, Self>),
    L(Vec<Self>),
    Ss(Vec<String>),
    Bs(Vec<String>),
    Ns(Vec<Number>),
}

impl Serialize for Attribute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::S(text) | Self::B(text) => text.serialize(serializer),
            Self::N(number) => number.0.serialize(serializer),
            Self::Bool(boolean) => boolean.serialize(serializer),
            Self::Null(_) => serializer.serialize_unit(),
            Self::M(map) => map.serialize(serializer),
            Self::L(list) => list.serialize(serializer),
            Self::Ss(texts) | Self::Bs(texts) => texts.serialize(serializer),
            Self::Ns(numbers) => serializer.collect_seq(numbers.iter().map(|number| &number.0)),
        }
    }
}

/// Numbers come as text, so that none loses digits on the way.
struct Number(Box<RawValue>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = RawValue::from_string(String::deserialize(deserializer)?);
        match number {
            Ok(number) if (Value { raw: number.get() }).json_type() == JsonType::Number => {
                Ok(Self(number))
            }
            _ => Err(D::Error::custom("not a number")),
        }
    }
}
