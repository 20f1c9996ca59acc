//! Calls of the API over the second broker, and their answers (specification, section 12).

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use iot_sansio::Secret;

use crate::{
    IdKind, RequestId,
    frame::{EncodeError, Method, REQUEST_ID, Request},
    onboarding::{AUTHORIZATION, BEARER, CONTENT_TYPE},
    topic::{Resource, check_level},
};

mod answer;
mod catalogue;
mod end_nodes;
mod error;
mod kind;
pub(crate) mod media_type;

pub use answer::{Answer, AnswerError};
pub use catalogue::MAX_STATE;
pub use end_nodes::{EndNode, EndNodes};
pub use error::CallError;
pub use kind::CallKind;

/// One request of the API, made by the constructor of its kind.
///
/// It goes with the thing's access token unless [`with_bearer`](Self::with_bearer) gives it another. `Debug` shows
/// neither tokens nor values of headers nor the body.
///
/// ```
/// use iot_sansio::Secret;
/// use kii_onboard::{Json, RequestId, call::Call};
///
/// let state = Json::new(r#"{"power":true,"presetTemperature":25}"#)?;
/// let call = Call::put_state("th.0001", &state)?;
/// assert_eq!(call.path(), "targets/thing:th.0001/states");
/// let payload = call.encode(&Secret::from("tok-0001"), &RequestId::new("1")?)?;
/// assert_eq!(
///     payload,
///     b"PUT\r\nAuthorization: Bearer tok-0001\r\nX-Kii-RequestID: 1\r\nContent-Type: application/json\r\n\r\n\
///       {\"power\":true,\"presetTemperature\":25}"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Call {
    kind: CallKind,
    method: Method,
    /// With the query, if it has one.
    path: String,
    content_type: Option<Cow<'static, str>>,
    body: Vec<u8>,
    request_id: Option<RequestId>,
    /// A value may be a key.
    headers: Vec<(String, Secret)>,
    bearer: Option<Secret>,
}

impl Call {
    fn new(kind: CallKind, method: Method, resource: Resource<'_>) -> Result<Self, CallError> {
        resource.check()?;
        Ok(Self::checked(kind, method, resource))
    }

    /// A call of a resource that can stand in a topic.
    fn checked(kind: CallKind, method: Method, resource: Resource<'_>) -> Self {
        Self {
            kind,
            method,
            path: resource.to_string(),
            content_type: None,
            body: Vec::new(),
            request_id: None,
            headers: Vec::new(),
            bearer: None,
        }
    }

    fn with_body(self, content_type: impl Into<Cow<'static, str>>, body: Vec<u8>) -> Self {
        Self { content_type: Some(content_type.into()), body, ..self }
    }

    /// With a request id of the caller's. Without one, an id is generated when the call is made.
    #[must_use]
    pub fn with_request_id(self, id: RequestId) -> Self {
        Self { request_id: Some(id), ..self }
    }

    /// With a header more, after those that every request has.
    ///
    /// # Errors
    /// The name is no token, or one that every request has; the value has a control character or a blank at either end.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, CallError> {
        if CANONICAL.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return Err(CallError::ReservedHeader);
        }
        Request::encode(self.method, [(name, value)], b"")?;
        self.headers.push((name.into(), value.into()));
        Ok(self)
    }

    /// With a query, such as `bestEffortLimit=10&paginationKey=k`, which is appended as it is. A second one follows the
    /// first after a `&`. Whether the cloud takes a query in a topic is not known (specification, section 5).
    ///
    /// # Errors
    /// It is empty, or has one of `/ + #` or a control, which cannot stand in a topic.
    pub fn with_query(mut self, query: &str) -> Result<Self, CallError> {
        check_level(IdKind::Query, query)?;
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(query);
        Ok(self)
    }

    /// With another token than the thing's, such as an owner's.
    #[must_use]
    pub fn with_bearer(self, token: impl Into<Secret>) -> Self {
        Self { bearer: Some(token.into()), ..self }
    }

    /// Which call it is.
    #[must_use]
    pub const fn kind(&self) -> CallKind {
        self.kind
    }

    /// What it asks for.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// What follows the app id in its topic, with the query if it has one.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it is about; [`Topics::build`](crate::topic::Topics::build) makes its topic of it.
    #[must_use]
    pub fn resource(&self) -> Resource<'_> {
        Resource::Other(&self.path)
    }

    /// The caller's request id.
    #[must_use]
    pub const fn request_id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }

    /// Writes the payload, with this request id, and with the thing's access token unless the call has another.
    ///
    /// # Errors
    /// The token cannot stand in a header; the payload would be too large.
    pub fn encode(&self, access_token: &Secret, id: &RequestId) -> Result<Vec<u8>, EncodeError> {
        let token = self.bearer.as_ref().unwrap_or(access_token);
        let unreadable = |index| move |_| EncodeError::InvalidHeader { index };
        let token = token.expose_str().map_err(unreadable(0))?;
        let authorization = format!("{BEARER} {token}");
        let mut headers = Vec::with_capacity(3 + self.headers.len());
        headers.extend([(AUTHORIZATION, authorization.as_str()), (REQUEST_ID, id.as_str())]);
        if let Some(content_type) = self.content_type.as_ref().filter(|_| !self.body.is_empty()) {
            headers.push((CONTENT_TYPE, content_type));
        }
        for (name, value) in &self.headers {
            let value = value.expose_str().map_err(unreadable(headers.len()))?;
            headers.push((name, value));
        }
        Request::encode(self.method, headers, &self.body)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Call")
            .field("kind", &self.kind)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("content_type", &self.content_type)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("request_id", &self.request_id)
            .field("headers", &headers)
            .field("bearer", &self.bearer)
            .finish()
    }
}

/// Those that every request has.
const CANONICAL: [&str; 3] = [AUTHORIZATION, REQUEST_ID, CONTENT_TYPE];
