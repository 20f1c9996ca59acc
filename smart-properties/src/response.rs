//! What came back over HTTP (specification section 7.4).

mod answer_error;
mod api_error;
mod created;
mod page;
mod resource;

use core::fmt;

pub use answer_error::AnswerError;
pub(crate) use answer_error::text;
pub use api_error::{ApiError, ErrorBody};
pub use created::Created;
pub use page::{NextToken, Page};
pub use resource::Resource;
pub(crate) use resource::{member, text_member};

/// The answer to a [`Request`](crate::Request): status, body, and the two headers that count.
///
/// ```
/// use smart_properties::Response;
///
/// let response = Response::new(429, b"slow down").with_headers([("x-amzn-requestid", "r-1")]);
/// let error = response.success().unwrap_err();
/// assert_eq!((error.status(), error.request_id()), (429, Some("r-1")));
/// assert!(error.retryable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Response<'a> {
    status: u16,
    location: Option<&'a str>,
    request_id: Option<&'a str>,
    body: &'a [u8],
}

impl<'a> Response<'a> {
    /// An answer without headers.
    #[must_use]
    pub const fn new(status: u16, body: &'a [u8]) -> Self {
        Self { status, location: None, request_id: None, body }
    }

    /// Takes `Location` and `X-Amzn-RequestId` from all the headers, whose names may be in any case. Of a header that
    /// comes twice the first counts.
    #[must_use]
    pub fn with_headers(mut self, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("Location") {
                self.location.get_or_insert(value);
            } else if name.eq_ignore_ascii_case("X-Amzn-RequestId") {
                self.request_id.get_or_insert(value);
            }
        }
        self
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The header `Location`.
    #[must_use]
    pub const fn location(&self) -> Option<&'a str> {
        self.location
    }

    /// The header `X-Amzn-RequestId`, which Amazon's support asks for.
    #[must_use]
    pub const fn request_id(&self) -> Option<&'a str> {
        self.request_id
    }

    /// The body, at most as long as the caller let it become.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The body of a success, which a status from 200 to 299 is. All there is to know of a delete, an enablement or an
    /// assignment.
    ///
    /// # Errors
    /// The error that the API reports.
    pub fn success(&self) -> Result<&'a [u8], ApiError> {
        match self.status {
            200..=299 => Ok(self.body),
            _ => Err(ApiError::new(self.status, self.request_id, self.body)),
        }
    }
}

impl fmt::Debug for Response<'_> {
    /// Without the body, of which it prints the length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("location", &self.location)
            .field("request_id", &self.request_id)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
