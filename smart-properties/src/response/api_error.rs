//! What the API reports instead of a success (specification section 7.4).

use alloc::{borrow::ToOwned as _, string::String};
use core::{fmt, time::Duration};

use crate::json::Value;

/// A status other than 200 to 299.
///
/// ```
/// use core::time::Duration;
/// use smart_properties::{ApiError, ErrorBody, Response};
///
/// let error = Response::new(429, b"slow down").success().unwrap_err();
/// assert!(error.retryable());
/// assert_eq!(*error.body(), ErrorBody::Text("slow down".into()));
///
/// // Before the first retry, before the second …
/// assert_eq!(ApiError::WAITS[..2], [Duration::from_secs(2), Duration::from_secs(3)]);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the API answered {status}{}: {}", RequestId(request_id.as_deref()), advice(*status))]
pub struct ApiError {
    status: u16,
    request_id: Option<String>,
    body: ErrorBody,
}

/// The body of an [`ApiError`]. Its members are not documented.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorBody {
    /// One JSON value, as it is written.
    Json(String),
    /// Anything else; what is not UTF-8 is replaced by U+FFFD, and of a long text the first 64 KiB are kept.
    Text(String),
    /// Nothing, or only space.
    Empty,
}

impl ApiError {
    /// How long to wait before each retry: 2, 3, 5, 8, 13 and 21 s; then give up. These are the waits of Amazon's own
    /// command line client.
    pub const WAITS: [Duration; 6] = [
        Duration::from_secs(2),
        Duration::from_secs(3),
        Duration::from_secs(5),
        Duration::from_secs(8),
        Duration::from_secs(13),
        Duration::from_secs(21),
    ];

    pub(crate) fn new(status: u16, request_id: Option<&str>, body: &[u8]) -> Self {
        let long = body.len() > MAX_BODY_BYTES;
        let request_id = request_id.map(|id| id.chars().take(MAX_REQUEST_ID_CHARS).collect());
        let body = match core::str::from_utf8(body) {
            Ok(text) if text.trim().is_empty() => ErrorBody::Empty,
            Ok(text) if !long && Value::parse(text).is_ok() => ErrorBody::Json(text.to_owned()),
            _ => {
                let kept = body.get(..MAX_BODY_BYTES).unwrap_or(body);
                ErrorBody::Text(String::from_utf8_lossy(kept).into_owned())
            }
        };
        Self { status, request_id, body }
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The header `X-Amzn-RequestId`, at most 256 characters of it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// What came with it.
    #[must_use]
    pub const fn body(&self) -> &ErrorBody {
        &self.body
    }

    /// Whether the same request may succeed later: 429, 500 and 503. Wait in between, see [`WAITS`](Self::WAITS).
    ///
    /// A create may have succeeded in spite of a 500 or 503: list first, see
    /// [`messenger::Existing`](crate::messenger::Existing).
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self.status, 429 | 500 | 503)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, request_id, body } = self;
        f.debug_struct("ApiError")
            .field("status", status)
            .field("request_id", request_id)
            .field("body", body)
            .finish()
    }
}

impl fmt::Debug for ErrorBody {
    /// Without the body, which may repeat what was sent; of it the length is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Empty => f.write_str("Empty"),
        }
    }
}

struct RequestId<'a>(Option<&'a str>);

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " to request {id:?}"))
    }
}

const fn advice(status: u16) -> &'static str {
    match status {
        400 => "correct the request",
        401 => "get a new access token",
        403 => "check the scope of the access token and the role in the unit",
        404 => "there is nothing of this ID",
        429 => "wait and repeat, slower",
        500 | 503 => "wait and repeat; a create may have happened, so list first",
        _ => "see its body",
    }
}

const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_REQUEST_ID_CHARS: usize = 256;
