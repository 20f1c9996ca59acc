//! One page of a list (specification section 7.4).

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use super::{AnswerError, Resource, Response, answer_error::text};
use crate::{
    id::IdKind,
    json::{JsonType, Value, elements, members},
};

/// One page of a list, and where the list goes on.
///
/// ```
/// use smart_properties::{Page, Response, id::Subscription, messenger::ListSubscriptions};
///
/// let body = br#"{"results":[{"id":"amzn1.alexa.aem.subscription.1","x":1}],
///                 "paginationContext":{"nextToken":"abc+/="}}"#;
/// let page = Page::<Subscription>::read(&Response::new(200, body))?;
/// let first = page.results()[0].as_ref().unwrap();
/// assert_eq!((first.id().as_str(), first.member("x")), ("amzn1.alexa.aem.subscription.1", Some("1")));
///
/// let next = page.next_token().unwrap().clone();
/// let request = ListSubscriptions::default().after(next).request();
/// assert!(request.path_and_query().ends_with("?nextToken=abc%2B%2F%3D"));
/// # Ok::<(), smart_properties::AnswerError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a, K> {
    results: Vec<Result<Resource<'a, K>, AnswerError>>,
    next_token: Option<NextToken<'a>>,
}

/// Where a list goes on: what one [`Page`] ends with and the next request begins at. Its text is the service's own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NextToken<'a>(Cow<'a, str>);

impl<'a, K: IdKind> Page<'a, K> {
    /// Reads the answer to a list. One result that cannot be read does not spoil the others.
    ///
    /// # Errors
    /// The request did not succeed, or the body is not an object with an array `results` and, if there is more, an
    /// object `paginationContext`.
    pub fn read(response: &Response<'a>) -> Result<Self, AnswerError> {
        let body = Value::parse(text(response.success()?)?)?;
        let body = typed("the body", body, JsonType::Object)?;
        let (mut results, mut context) = (None, None);
        members(body.raw, |name, value| match &*name {
            "results" => once("results", &mut results, value),
            "paginationContext" => once("paginationContext", &mut context, value),
            _ => Ok(()),
        })?;
        let list = results.ok_or(AnswerError::Missing { member: "results" })?;
        let mut results = Vec::new();
        elements(
            typed("results", list, JsonType::Array)?.raw,
            |value| -> Result<(), AnswerError> {
                results.push(Resource::new("a result", value));
                Ok(())
            },
        )?;
        let next_token = match context {
            Some(context) if context.json_type() != JsonType::Null => next_token(context)?,
            _ => None,
        };
        Ok(Self { results, next_token })
    }
}

impl<'a, K> Page<'a, K> {
    /// What is listed, or why it cannot be read.
    pub fn results(&self) -> &[Result<Resource<'a, K>, AnswerError>] {
        &self.results
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_results(self) -> Vec<Result<Resource<'a, K>, AnswerError>> {
        self.results
    }

    /// Where the list goes on; none on the last page.
    #[must_use]
    pub const fn next_token(&self) -> Option<&NextToken<'a>> {
        self.next_token.as_ref()
    }
}

impl NextToken<'_> {
    /// The text, as the service wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> NextToken<'static> {
        NextToken(Cow::Owned(String::from(self.0)))
    }
}

impl fmt::Debug for NextToken<'_> {
    /// Without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NextToken(..)")
    }
}

fn next_token(context: Value<'_>) -> Result<Option<NextToken<'_>>, AnswerError> {
    let context = typed("paginationContext", context, JsonType::Object)?;
    let mut token = None;
    members(context.raw, |name, value| match &*name {
        "nextToken" => once("nextToken", &mut token, value),
        _ => Ok(()),
    })?;
    let Some(token) = token.filter(|token| token.json_type() != JsonType::Null) else {
        return Ok(None);
    };
    match token.string() {
        // A page behind an empty token would be the first one again.
        Some(token) if token.is_empty() => Ok(None),
        Some(token) => Ok(Some(NextToken(token))),
        None => Err(wrong_type("nextToken", token, JsonType::String)),
    }
}

fn typed<'a>(
    member: &'static str,
    value: Value<'a>,
    expected: JsonType,
) -> Result<Value<'a>, AnswerError> {
    if value.json_type() == expected {
        return Ok(value);
    }
    Err(wrong_type(member, value, expected))
}

fn wrong_type(member: &'static str, value: Value<'_>, expected: JsonType) -> AnswerError {
    AnswerError::WrongType { member, expected, found: value.json_type() }
}

fn once<'a>(
    member: &'static str,
    slot: &mut Option<Value<'a>>,
    value: Value<'a>,
) -> Result<(), AnswerError> {
    match slot.replace(value) {
        Some(_) => Err(AnswerError::DuplicateMember { member }),
        None => Ok(()),
    }
}
