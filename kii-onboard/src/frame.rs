//! The HTTP-like text in every PUBLISH but a push: requests and responses (specification, section 6).
//!
//! A request has the method but no path and no version; a response has the status but no version and no reason: MQTT
//! carries the rest.

use alloc::{string::String, vec::Vec};
use core::fmt;

mod decode;
mod encode;
mod error;
mod headers;
mod limits;
mod method;
mod status;
mod text;

pub use error::{DecodeError, EncodeError};
pub use headers::Headers;
pub use limits::Limits;
pub use method::Method;
pub use status::Status;

/// A request, as it stands in a payload.
///
/// ```
/// use kii_onboard::frame::{Method, Request};
///
/// let payload = Request::encode(Method::Get, [("X-Kii-RequestID", "1")], b"")?;
/// assert_eq!(payload, b"GET\r\nX-Kii-RequestID: 1\r\n\r\n");
/// let request = Request::decode(&payload)?;
/// assert_eq!((request.method, request.headers.get("x-kii-requestid")), (Method::Get, Some("1")));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request<'a> {
    /// What is asked for.
    pub method: Method,
    /// The headers, in order.
    pub headers: Headers<'a>,
    /// All that follows the blank line.
    pub body: &'a [u8],
}

/// A response, as it stands in a payload.
///
/// ```
/// use kii_onboard::frame::Response;
///
/// let response = Response::decode(b"204\r\nX-Kii-RequestID:1\r\n\r\n")?;
/// assert!(response.status.is_success() && response.body.is_empty());
/// assert_eq!(response.headers.request_id(), Some("1"));
/// # Ok::<(), kii_onboard::frame::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Response<'a> {
    /// How it went.
    pub status: Status,
    /// The headers, in order.
    pub headers: Headers<'a>,
    /// All that follows the blank line.
    pub body: &'a [u8],
}

/// A [`Response`] that owns its data. `Debug` shows the length of its body only.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OwnedResponse {
    status: Status,
    headers: String,
    body: Vec<u8>,
}

impl<'a> Request<'a> {
    /// Reads a payload, whatever its line endings, within the default [`Limits`].
    ///
    /// # Errors
    /// It is not a request.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_within(payload, Limits::DEFAULT)
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// It is not a request.
    pub fn decode_within(payload: &'a [u8], limits: Limits) -> Result<Self, DecodeError> {
        let (method, headers, body) = decode::request(payload, limits)?;
        Ok(Self { method, headers, body })
    }

    /// Writes a payload: `Name: value`, CRLF, the blank line also without a body. The headers are gone through
    /// twice, so that there is one allocation.
    ///
    /// # Errors
    /// A header cannot be written; the payload would pass the default [`Limits`].
    pub fn encode<'h>(
        method: Method,
        headers: impl IntoIterator<Item = (&'h str, &'h str), IntoIter: Clone>,
        body: &[u8],
    ) -> Result<Vec<u8>, EncodeError> {
        encode::frame(method.as_str().as_bytes(), b": ", headers, body)
    }
}

impl<'a> Response<'a> {
    /// Reads a payload, whatever its line endings, within the default [`Limits`].
    ///
    /// # Errors
    /// It is not a response.
    pub fn decode(payload: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_within(payload, Limits::DEFAULT)
    }

    /// The same within other limits.
    ///
    /// # Errors
    /// It is not a response.
    pub fn decode_within(payload: &'a [u8], limits: Limits) -> Result<Self, DecodeError> {
        let (status, headers, body) = decode::response(payload, limits)?;
        Ok(Self { status, headers, body })
    }

    /// Writes a payload as the cloud does: `Name:value`, CRLF, the blank line also without a body. The headers are gone
    /// through twice, so that there is one allocation.
    ///
    /// # Errors
    /// A header cannot be written; the payload would pass the default [`Limits`].
    pub fn encode<'h>(
        status: Status,
        headers: impl IntoIterator<Item = (&'h str, &'h str), IntoIter: Clone>,
        body: &[u8],
    ) -> Result<Vec<u8>, EncodeError> {
        encode::frame(&status.digits(), b":", headers, body)
    }

    /// The same response, which borrows nothing.
    #[must_use]
    pub fn to_owned(&self) -> OwnedResponse {
        OwnedResponse {
            status: self.status,
            headers: self.headers.as_str().into(),
            body: self.body.into(),
        }
    }
}

impl OwnedResponse {
    /// The response.
    #[must_use]
    pub fn as_response(&self) -> Response<'_> {
        Response { status: self.status, headers: Headers::new(&self.headers), body: &self.body }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &self.headers)
            .field("body", &Body(self.body.len()))
            .finish()
    }
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &Body(self.body.len()))
            .finish()
    }
}

impl fmt::Debug for OwnedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_response().fmt(f)
    }
}

/// Stands for a body of this many bytes: it may hold what must not be printed.
struct Body(usize);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0)
    }
}

/// The header that ties a response to its request (specification, section 7).
pub const REQUEST_ID: &str = "X-Kii-RequestID";
