//! The number of a message on its topic.

use core::fmt;

/// The number of a message on its topic: from 0 in each connection, and 0 again after 4294967295.
///
/// There is no order among all numbers, because they wrap: see [`distance_from`](Self::distance_from).
///
/// ```
/// use aia_proto::sequence::SequenceNumber;
///
/// let last = SequenceNumber::new(u32::MAX);
/// assert_eq!(last.next(), SequenceNumber::FIRST);
/// assert_eq!(last.next().distance_from(last), 1);
/// assert!(last.is_before(last.next()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SequenceNumber(u32);

impl SequenceNumber {
    /// The first of each connection: 0.
    pub const FIRST: Self = Self(0);

    /// This number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// As the header has it.
    #[must_use]
    pub const fn from_le_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// The number itself.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }

    /// The number so many steps after this one.
    #[must_use]
    pub const fn plus(self, steps: u32) -> Self {
        Self(self.0.wrapping_add(steps))
    }

    /// How many steps this number is after the expected one; more than 2^31 when it is before it.
    #[must_use]
    pub const fn distance_from(self, expected: Self) -> u32 {
        self.0.wrapping_sub(expected.0)
    }

    /// Whether this number comes before the other: the age test of section 4.4. At a distance of just 2^31 it does not.
    #[must_use]
    pub const fn is_before(self, other: Self) -> bool {
        self.distance_from(other) > 1 << 31
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
