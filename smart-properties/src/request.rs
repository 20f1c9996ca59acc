//! What to send over HTTP (specification sections 7.1 and 7.2).

use alloc::string::String;
use core::fmt;

use serde::Serialize;

use crate::BaseUrl;

/// A request of one of Amazon's APIs, for whichever HTTP client there is.
///
/// The client adds the header `Authorization: Bearer {access token}`: a request never holds the token. Where there is a
/// body it also adds `Content-Type`, see [`content_type`](Self::content_type).
///
/// ```
/// use smart_properties::{BaseUrl, Method, SubscriptionId, messenger};
///
/// let subscription = SubscriptionId::new("amzn1.alexa.aem.subscription.123")?;
/// let request = messenger::delete_subscription(&subscription);
/// assert_eq!(request.method(), Method::Delete);
/// assert_eq!(
///     request.url(),
///     "https://api.amazonalexa.com/v1/eventMessenger/subscriptions/amzn1.alexa.aem.subscription.123",
/// );
///
/// // Through a gateway of one's own.
/// let request = request.with_base(BaseUrl::new("https://gateway.example")?);
/// assert!(request.url().starts_with("https://gateway.example/v1/eventMessenger/"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Request {
    method: Method,
    base: BaseUrl,
    target: String,
    body: Option<String>,
}

/// The method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`: may be repeated.
    Get,
    /// `POST`: not to be repeated blindly, see [`messenger::Existing`](crate::messenger::Existing).
    Post,
    /// `PUT`: may be repeated.
    Put,
    /// `DELETE`: may be repeated, and may then find nothing.
    Delete,
}

impl Request {
    pub(crate) fn new(method: Method, target: Target) -> Self {
        Self { method, base: BaseUrl::ALEXA, target: target.0, body: None }
    }

    /// The body is made of texts, numbers and raw JSON, in members with names for keys.
    pub(crate) fn with_json(mut self, body: &impl Serialize) -> Self {
        self.body = Some(json(body));
        self
    }

    /// The same for another host: another of Amazon's, or a gateway.
    ///
    /// Amazon lists [`BaseUrl::ALEXA`] alone for the Event Messenger API, which is available in the US.
    #[must_use]
    pub fn with_base(mut self, base: BaseUrl) -> Self {
        self.base = base;
        self
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Scheme, host and port.
    #[must_use]
    pub const fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// What stands in the request line: the path, which begins with `/`, and the query if there is one, percent-encoded.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.target
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        alloc::format!("{}{}", self.base, self.target)
    }

    /// The body: one JSON value without spaces.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// What goes into the header `Content-Type`: `application/json` where there is a body.
    #[must_use]
    pub fn content_type(&self) -> Option<&'static str> {
        self.body.as_ref().map(|_| "application/json")
    }
}

impl fmt::Debug for Request {
    /// Without the values of the query and without the body, of which it prints the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("base", &self.base)
            .field("path", &path)
            .field("body_bytes", &self.body.as_ref().map(String::len))
            .finish_non_exhaustive()
    }
}

impl Method {
    /// As it stands in the request line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A path and its query, in the making.
pub(crate) struct Target(String);

impl Target {
    /// The path is written as it is: literals, and identifiers, whose bytes all stand for themselves.
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// Adds a member to the query. Names are ours and stand for themselves.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        percent_encode(value, &mut self.0);
        self
    }

    pub(crate) fn maybe_query(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> String {
    // Neither writing to memory nor an object with names for keys can fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// Only what RFC 3986 calls unreserved stays.
fn percent_encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 15] {
                out.extend(
                    char::from_digit(half.into(), 16).map(|digit| digit.to_ascii_uppercase()),
                );
            }
        }
    }
}
