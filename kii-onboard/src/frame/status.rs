//! The status of a response.

use core::fmt;

/// The status of a response, 100 to 599 (specification, section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
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
