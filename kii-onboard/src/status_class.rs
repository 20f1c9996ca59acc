//! What a status says, whatever the body.

use crate::frame::Status;

/// What a status says about the request (specification, section 10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every status is one of these")]
pub enum StatusClass {
    /// It is done: 200 to 299.
    Success,
    /// It may succeed later: 429, and 500 to 599.
    Temporary,
    /// It will not succeed as it is: the others from 400 to 499.
    Permanent,
    /// It is not documented at all: below 200, and 300 to 399.
    Odd,
}

impl StatusClass {
    /// That of a status.
    ///
    /// ```
    /// use kii_onboard::{StatusClass, frame::Status};
    ///
    /// assert_eq!(Status::new(429).map(StatusClass::of), Some(StatusClass::Temporary));
    /// ```
    #[must_use]
    pub const fn of(status: Status) -> Self {
        match status.get() {
            200..=299 => Self::Success,
            429 | 500..=599 => Self::Temporary,
            400..=499 => Self::Permanent,
            _ => Self::Odd,
        }
    }
}
