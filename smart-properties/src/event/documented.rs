//! An event in the documented form, read in one pass. Whatever differs from it is left to the careful decoder.

use alloc::borrow::Cow;
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use crate::json::Value;

/// The event as far as the header goes. A name twice, a type that does not fit and, inside the header, a name that is
/// not documented are errors, which say no more than that.
#[derive(Deserialize)]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) header: Object<Header<'a>>,
    #[serde(borrow, default)]
    pub(super) payload: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) version: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) event_id: Object<EventId<'a>>,
    #[serde(borrow)]
    pub(super) event_type: Object<TypeNames<'a>>,
    #[serde(borrow)]
    pub(super) event_time: Object<EventTime<'a>>,
    #[serde(borrow)]
    pub(super) entities: Raw<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventId<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypeNames<'a> {
    #[serde(borrow)]
    pub(super) namespace: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventTime<'a> {
    #[serde(borrow)]
    pub(super) timestamp: Cow<'a, str>,
}

/// `entities` as the sample has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneUnit<'a> {
    #[serde(borrow, rename = "unit")]
    _unit: Object<Entity<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entity<'a> {
    #[serde(borrow, rename = "type")]
    _type: Cow<'a, str>,
    #[serde(borrow, rename = "id")]
    _id: Cow<'a, str>,
}

/// Read from an object only: what serde derives takes arrays, too.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A member as it is written, `null` among it; none when it is absent.
#[derive(Default)]
pub(super) struct Raw<'a>(pub(super) Option<Value<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(value)?.get();
        Ok(Self(Some(Value { raw })))
    }
}

/// Reads the documented form; none when it is anything else.
#[inline]
pub(super) fn read(text: &str) -> Option<Root<'_>> {
    let Object(root) = serde_json::from_str::<Object<Root<'_>>>(text).ok()?;
    Some(root)
}

/// Whether `entities` is in the form of the sample: a unit and nothing else.
#[inline]
pub(super) fn is_one_unit(entities: &str) -> bool {
    serde_json::from_str::<Object<OneUnit<'_>>>(entities).is_ok()
}
