//! Something that the API keeps (specification section 7.4).

use alloc::borrow::Cow;
use core::fmt;

use super::{AnswerError, Response, answer_error::text};
use crate::{
    Id,
    id::IdKind,
    json::{JsonType, Malformed, Value, members},
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
#[derive(Clone, PartialEq, Eq, Hash)]
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
        let id = text_member(member, value, "id")?.ok_or(AnswerError::Missing { member: "id" })?;
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
        member(self.json, name)
    }
}

impl<K> fmt::Debug for Resource<'_, K> {
    /// Without what is said about it, of which it prints the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Resource");
        debug.field("id", &self.id).field("json_bytes", &self.json.len()).finish()
    }
}

/// The member of this name of an object; none where it is absent or comes twice, or where this is no object.
pub(crate) fn member<'a>(json: &'a str, name: &str) -> Option<Value<'a>> {
    let (mut found, mut count) = (None, 0);
    members(json, |member, value| -> Result<(), Malformed> {
        if member == name {
            found = Some(value);
            count += 1;
        }
        Ok(())
    })
    .ok()?;
    found.filter(|_| count == 1)
}

/// A text that is a member of what has to be an object, `null` being none.
pub(crate) fn text_member<'a>(
    what: &'static str,
    value: Value<'a>,
    member: &'static str,
) -> Result<Option<Cow<'a, str>>, AnswerError> {
    let wrong = |member, expected, found| AnswerError::WrongType { member, expected, found };
    let found = value.json_type();
    if found != JsonType::Object {
        return Err(wrong(what, JsonType::Object, found));
    }
    let mut text = None;
    members(value.raw, |name, value| {
        if name != member {
            return Ok(());
        }
        match text.replace(value) {
            Some(_) => Err(AnswerError::DuplicateMember { member }),
            None => Ok(()),
        }
    })?;
    let Some(text) = text.filter(|text| text.json_type() != JsonType::Null) else {
        return Ok(None);
    };
    match text.string() {
        Some(text) => Ok(Some(text)),
        None => Err(wrong(member, JsonType::String, text.json_type())),
    }
}
