//! The name of what was created (specification section 7.4).

use core::fmt;

use super::{AnswerError, Response, answer_error::text, resource::text_member};
use crate::{Id, id::IdKind, json::Value};

/// What a create made.
///
/// The ID stands in the body and in the header `Location`, there as it is or at the end of a URL. The body goes first;
/// where it does not hold one, the header does.
///
/// ```
/// use smart_properties::{AnswerError, Created, Response, id::SubscriptionConfiguration};
///
/// let location = [("Location", "amzn1.alexa.aem.subscription.configuration.123")];
/// let response = Response::new(201, b"").with_headers(location);
/// let created = Created::<SubscriptionConfiguration>::read(&response)?;
/// assert_eq!(created.id().as_str(), location[0].1);
///
/// let other = br#"{"id":"amzn1.alexa.aem.subscription.configuration.124"}"#;
/// let response = Response::new(201, other).with_headers(location);
/// let created = Created::<SubscriptionConfiguration>::read(&response);
/// assert_eq!(created, Err(AnswerError::IdMismatch));
/// # Ok::<(), AnswerError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Created<'a, K> {
    id: Id<'a, K>,
    json: Option<&'a str>,
}

impl<'a, K: IdKind> Created<'a, K> {
    /// Reads the answer to a create.
    ///
    /// # Errors
    /// The request did not succeed; the body and the header name different things, or something of another kind, or
    /// nothing. In the last three cases something was created: list before creating again.
    pub fn read(response: &Response<'a>) -> Result<Self, AnswerError> {
        let body = response.success()?;
        let location = response.location().map(last_segment).filter(|id| !id.is_empty());
        let value = text(body).and_then(|body| Ok(Value::parse(body)?));
        let in_body = value.and_then(|value| {
            let id = text_member("the body", value, "id")?;
            Ok((id.ok_or(AnswerError::Missing { member: "id" })?, value.raw))
        });
        let (id, json) = match (in_body, location) {
            (Ok((id, _)), Some(location)) if id != location => {
                // Something of another kind is the better explanation.
                Id::<K>::new(id).map_err(AnswerError::WrongKind)?;
                return Err(AnswerError::IdMismatch);
            }
            (Ok((id, json)), _) => (id, Some(json)),
            (Err(_), Some(location)) => (location.into(), None),
            (Err(_), None) if body.iter().all(u8::is_ascii_whitespace) => {
                return Err(AnswerError::Missing { member: "id" });
            }
            (Err(error), None) => return Err(error),
        };
        Ok(Self { id: Id::new(id).map_err(AnswerError::WrongKind)?, json })
    }
}

impl<'a, K> Created<'a, K> {
    /// What it is called.
    #[must_use]
    pub const fn id(&self) -> &Id<'a, K> {
        &self.id
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_id(self) -> Id<'a, K> {
        self.id
    }

    /// The body as it is written, with members that nobody knows; none where the ID is from the header.
    #[must_use]
    pub const fn json(&self) -> Option<&'a str> {
        self.json
    }
}

impl<K> fmt::Debug for Created<'_, K> {
    /// Without the body, of which it prints the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.json.map(str::len);
        f.debug_struct("Created").field("id", &self.id).field("json_bytes", &bytes).finish()
    }
}

/// An ID as it is, or the last segment of a URL's path.
fn last_segment(location: &str) -> &str {
    let path = location.trim().split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    path.rsplit('/').next().unwrap_or_default()
}
