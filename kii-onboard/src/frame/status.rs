//! The status of a response.

use core::fmt;

/// The status of a response, 100 to 599 (specification, section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// 200: done, with a body.
    pub const OK: Self = Self(200);
    /// 201: made.
    pub const CREATED: Self = Self(201);
    /// 204: done, without a body.
    pub const NO_CONTENT: Self = Self(204);
    /// 400: the request is not good.
    pub const BAD_REQUEST: Self = Self(400);
    /// 401: the caller is not known, or has a wrong password.
    pub const UNAUTHORIZED: Self = Self(401);
    /// 403: the caller may not do it.
    pub const FORBIDDEN: Self = Self(403);
    /// 404: there is no such thing.
    pub const NOT_FOUND: Self = Self(404);
    /// 405: the path does not know the method.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 409: something else is there already.
    pub const CONFLICT: Self = Self(409);
    /// 415: the path does not take bodies of this type.
    pub const UNSUPPORTED_MEDIA_TYPE: Self = Self(415);
    /// 500: the cloud failed.
    pub const INTERNAL_SERVER_ERROR: Self = Self(500);
    /// 503: not now.
    pub const SERVICE_UNAVAILABLE: Self = Self(503);

    /// The one with this number; none outside 100 to 599.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match number {
            100..=599 => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether it is one of 200 to 299.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self.0, 200..=299)
    }

    pub(super) fn digits(self) -> [u8; 3] {
        [self.0 / 100, self.0 / 10 % 10, self.0 % 10].map(|digit| b"0123456789"[usize::from(digit)])
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
