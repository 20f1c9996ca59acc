//! The event that is documented, read in one pass. Whatever differs from it is left to the careful decoder.

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{AutomationError, Completion, ErrorType, MAX_ERRORS, Status};
use crate::{AnyId, AutomationId, UnitId, extract::Extracted};

/// The event of the documentation's sample, with no member more and, but for `errors`, none less. A name twice, and a type
/// that does not fit, are errors, which say no more than that.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Root<'a> {
    #[serde(borrow)]
    pub(super) header: Object<Header<'a>>,
    #[serde(borrow)]
    pub(super) payload: Object<Payload<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) version: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) event_id: Object<Id<'a>>,
    #[serde(borrow)]
    pub(super) event_type: Object<TypeNames<'a>>,
    #[serde(borrow)]
    pub(super) event_time: Object<EventTime<'a>>,
    #[serde(borrow)]
    pub(super) entities: Object<Entities<'a>>,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entities<'a> {
    #[serde(borrow)]
    pub(super) unit: Object<Entity<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entity<'a> {
    #[serde(borrow, rename = "type")]
    _type: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload<'a> {
    #[serde(borrow)]
    automation: Object<Id<'a>>,
    #[serde(borrow)]
    result: Object<Outcome<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    errors: Vec<Object<Failure<'a>>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure<'a> {
    #[serde(borrow, rename = "type")]
    error_type: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Id<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
}

/// What the sample says beside its header, for the case that the event is of the sample's type.
#[derive(Clone)]
pub(super) struct Content<'a> {
    unit: Cow<'a, str>,
    automation: Cow<'a, str>,
    status: Cow<'a, str>,
    errors: Vec<Object<Failure<'a>>>,
}

impl<'a> Content<'a> {
    /// None when there are more errors than are listed.
    #[inline]
    pub(super) fn new(unit: Entity<'a>, payload: Payload<'a>) -> Option<Self> {
        let Payload { automation: Object(automation), result: Object(result) } = payload;
        let Outcome { status, errors } = result;
        let content = Self { unit: unit.id, automation: automation.id, status, errors };
        (content.errors.len() <= MAX_ERRORS).then_some(content)
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

/// Reads the event in the form of the sample; none when it has any other.
#[inline]
pub(super) fn read(text: &str) -> Option<Root<'_>> {
    let Object(root) = serde_json::from_str::<Object<Root<'_>>>(text).ok()?;
    Some(root)
}
