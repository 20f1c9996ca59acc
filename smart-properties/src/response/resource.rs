//! Something that the API keeps (specification section 7.4).

use alloc::borrow::Cow;

use super::{AnswerError, Response, answer_error::text};
use crate::{
    Id,
    id::IdKind,
    json::{JsonType, Value, members},
};

/// Something that the API keeps: its ID, and all that is said about it as it is written.
///
/// Only the ID is documented, so the rest is [`member`](Self::member) by member.
///
/// ```
/// use smart_properties::{Resource, Response, id::SubscriptionConfiguration};
///
/// let body = br#"{"id":"amzn1.alexa.aem.subscription.configuration.123","state":"NEW"}"#;
/// let resource = Resource::<SubscriptionConfiguration>::read(&Response::new(200, body))?;
/// assert_eq!(resource.id().as_str(), "amzn1.alexa.aem.subscription.configuration.123");
/// assert_eq!(resource.member("state"), Some(r#""NEW""#));
/// # Ok::<(), smart_properties::AnswerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource<'a, K> {
    id: Id<'a, K>,
    json: &'a str,
}

impl<'a, K: IdKind> Resource<'a, K> {
    /// Reads the answer to a get.
    ///
    /// # Errors
    /// The request did not succeed, or the body is not an object with an `id` of this kind.
    pub fn read(response: &Response<'a>) -> Result<Self, AnswerError> {
        let body = text(response.success()?)?;
        Self::new("the body", Value::parse(body)?)
    }

    pub(super) fn new(member: &'static str, value: Value<'a>) -> Result<Self, AnswerError> {
        let id = id_member(member, value)?.ok_or(AnswerError::Missing { member: "id" })?;
        Ok(Self { id: Id::new(id).map_err(AnswerError::WrongKind)?, json: value.raw })
    }
}

impl<'a, K> Resource<'a, K> {
    /// What it is called.
    #[must_use]
    pub const fn id(&self) -> &Id<'a, K> {
        &self.id
    }

    /// All of it, as it is written.
    #[must_use]
    pub const fn json(&self) -> &'a str {
        self.json
    }

    /// A member as it is written; none where it is absent or comes twice.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&'a str> {
        self.value(name).map(|value| value.raw)
    }

    pub(crate) fn value(&self, name: &str) -> Option<Value<'a>> {
        member(self.json, name).ok().flatten()
    }
}

/// The member of this name of an object.
pub(crate) fn member<'a>(json: &'a str, name: &str) -> Result<Option<Value<'a>>, AnswerError> {
    let mut found = None;
    let mut twice = false;
    members(json, |member, value| -> Result<(), AnswerError> {
        if member == name {
            twice |= found.replace(value).is_some();
        }
        Ok(())
    })?;
    if twice {
        return Err(AnswerError::DuplicateMember { member: "a member" });
    }
    Ok(found)
}

/// The member `id` of what has to be an object, `null` being none.
pub(super) fn id_member<'a>(
    what: &'static str,
    value: Value<'a>,
) -> Result<Option<Cow<'a, str>>, AnswerError> {
    let wrong = |member, expected, found| AnswerError::WrongType { member, expected, found };
    let found = value.json_type();
    if found != JsonType::Object {
        return Err(wrong(what, JsonType::Object, found));
    }
    let mut id = None;
    members(value.raw, |name, value| {
        if name != "id" {
            return Ok(());
        }
        match id.replace(value) {
            Some(_) => Err(AnswerError::DuplicateMember { member: "id" }),
            None => Ok(()),
        }
    })?;
    let Some(id) = id.filter(|id| id.json_type() != JsonType::Null) else { return Ok(None) };
    match id.string() {
        Some(id) => Ok(Some(id)),
        None => Err(wrong("id", JsonType::String, id.json_type())),
    }
}
