//! An event with nothing odd in it, read in one pass. Whatever could need an explanation is left to the careful
//! decoder.

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{AutomationError, Completion, ErrorType, Status};
use crate::{AnyId, AutomationId, UnitId, extract::Extracted};

/// An event whose header has the documented members and entities, and no others; of its payload, what the documented
/// one has. A name that is looked for and there twice, null, and a type that does not fit are errors, which say no more
/// than that.
#[derive(Deserialize)]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) header: Object<Header<'a>>,
    #[serde(borrow, default, deserialize_with = "there")]
    pub(super) payload: Option<Object<Payload<'a>>>,
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
    #[serde(borrow, default, deserialize_with = "there")]
    pub(super) event_time: Option<Object<EventTime<'a>>>,
    #[serde(borrow, default, deserialize_with = "there")]
    pub(super) entities: Option<Object<Entities<'a>>>,
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

/// The kinds of entities that are known (specification section 2.2).
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Entities<'a> {
    #[serde(borrow, deserialize_with = "there")]
    unit: Option<Object<Unit<'a>>>,
    #[serde(rename = "skill", deserialize_with = "there")]
    _skill: Option<Object<Entity>>,
    #[serde(rename = "resource", deserialize_with = "there")]
    _resource: Option<Object<Entity>>,
    #[serde(rename = "group", deserialize_with = "there")]
    _group: Option<Object<Entity>>,
    #[serde(rename = "user", deserialize_with = "there")]
    _user: Option<Object<Entity>>,
    #[serde(rename = "endpoint", deserialize_with = "there")]
    _endpoint: Option<Object<Entity>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unit<'a> {
    #[serde(rename = "type", deserialize_with = "there")]
    _type: Option<Skipped>,
    #[serde(borrow, deserialize_with = "there")]
    id: Option<Kept<'a>>,
    #[serde(rename = "parent", deserialize_with = "there")]
    _parent: Option<Object<Entity>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entity {
    #[serde(rename = "type", deserialize_with = "there")]
    _type: Option<Skipped>,
    #[serde(rename = "id", deserialize_with = "there")]
    _id: Option<Skipped>,
    #[serde(rename = "resourceType", deserialize_with = "there")]
    _resource_type: Option<Skipped>,
    #[serde(rename = "resourceId", deserialize_with = "there")]
    _resource_id: Option<Skipped>,
}

#[derive(Deserialize)]
pub(super) struct Payload<'a> {
    #[serde(borrow, default, deserialize_with = "there")]
    automation: Option<Object<Automation<'a>>>,
    #[serde(borrow, default, deserialize_with = "there")]
    result: Option<Object<Outcome<'a>>>,
}

#[derive(Deserialize)]
struct Automation<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    errors: Vec<Object<Failure<'a>>>,
}

#[derive(Clone, Deserialize)]
struct Failure<'a> {
    #[serde(borrow, rename = "type")]
    error_type: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

/// What an event says of the end of an automation, if that is what it is about.
#[derive(Clone)]
pub(super) struct Ended<'a> {
    unit: Cow<'a, str>,
    automation: Cow<'a, str>,
    status: Cow<'a, str>,
    errors: Vec<Object<Failure<'a>>>,
}

impl<'a> Ended<'a> {
    /// None when a part is missing. There are no more errors than are listed: each would be a bracket too many.
    #[inline]
    pub(super) fn new(entities: Entities<'a>, payload: Payload<'a>) -> Option<Self> {
        let Object(Unit { id, .. }) = entities.unit?;
        let Object(automation) = payload.automation?;
        let Object(Outcome { status, errors }) = payload.result?;
        let Kept(unit) = id?;
        Some(Self { unit, automation: automation.id, status, errors })
    }

    /// None when an identifier is not where it should be, so that it has to be looked for.
    #[inline]
    pub(super) fn completion(&self) -> Option<Completion<'a>> {
        let errors = self.errors.iter().map(|Object(error)| AutomationError {
            error_type: Some(ErrorType::from(error.error_type.clone())),
            message: Some(error.message.clone()),
            id: Some(AnyId::new(error.id.clone())),
        });
        Some(Completion {
            automation: Extracted::Known(AutomationId::new(self.automation.clone()).ok()?),
            unit: Extracted::Known(UnitId::new(self.unit.clone()).ok()?),
            status: Some(Status::from(self.status.clone())),
            errors: errors.collect(),
            irregular: None,
        })
    }
}

/// Read from an object only: what serde derives takes arrays, too.
#[derive(Clone)]
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

/// Serde borrows a `Cow` only where it is the field itself.
#[derive(Deserialize)]
#[serde(transparent)]
struct Kept<'a>(#[serde(borrow)] Cow<'a, str>);

/// A text that nobody asks for now.
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_str(Self)
    }
}

impl Visitor<'_> for Skipped {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    #[inline]
    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// Null is not as good as absent.
#[inline]
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// Reads an event; none when there is anything odd about it.
#[inline]
pub(super) fn read(text: &str) -> Option<Root<'_>> {
    let Object(root) = serde_json::from_str::<Object<Root<'_>>>(text).ok()?;
    Some(root)
}
