//! How long a connection may be silent.

use core::time::Duration;

/// The idle timeout that the client's `open` names: how long a connection may be silent before the platform closes it
/// (specification, section 6.1).
///
/// The platform takes 30,000 to 300,000 ms *on the wire*. Many AMQP stacks write half of what they are configured with:
/// see [`Stack`](crate::Stack).
///
/// ```
/// use core::time::Duration;
/// use amqp_auth::{IdleOutOfRange, IdleTimeout, Stack};
///
/// let idle = IdleTimeout::new(Duration::from_secs(30))?;
/// assert_eq!(idle.on_wire(), Duration::from_secs(30));
/// assert_eq!(idle.configured_for(Stack::FE2O3_AMQP.halves), Duration::from_secs(60));
/// assert!(IdleTimeout::new(Duration::from_secs(15)).is_err());
/// # Ok::<(), IdleOutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdleTimeout(Duration);

/// An idle timeout that the platform does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error(
    "an idle timeout of {given:?} on the wire: the platform takes 30000 to 300000 ms, and a stack \
     that halves is told twice as much"
)]
#[non_exhaustive]
pub struct IdleOutOfRange {
    /// What was given.
    pub given: Duration,
}

impl IdleTimeout {
    /// The shortest: 30,000 ms.
    pub const MIN: Self = Self(Duration::from_millis(30_000));
    /// The longest: 300,000 ms.
    pub const MAX: Self = Self(Duration::from_millis(300_000));
    /// Where nothing else is asked for: 60,000 ms.
    pub const DEFAULT: Self = Self(Duration::from_millis(60_000));

    /// So long on the wire, in whole milliseconds: what is beyond them is left out.
    ///
    /// # Errors
    /// It is shorter than [`MIN`](Self::MIN) or longer than [`MAX`](Self::MAX).
    pub fn new(on_wire: Duration) -> Result<Self, IdleOutOfRange> {
        if on_wire < Self::MIN.0 || on_wire > Self::MAX.0 {
            return Err(IdleOutOfRange { given: on_wire });
        }
        let beyond = Duration::from_nanos(u64::from(on_wire.subsec_nanos() % NANOS_PER_MILLI));
        Ok(Self(on_wire - beyond))
    }

    /// What `open` must carry.
    #[must_use]
    pub const fn on_wire(self) -> Duration {
        self.0
    }

    /// What an AMQP stack is told, so that this stands on the wire: twice as much where it writes half of it.
    #[must_use]
    pub fn configured_for(self, stack_halves: bool) -> Duration {
        if stack_halves { self.0 * 2 } else { self.0 }
    }
}

impl Default for IdleTimeout {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<Duration> for IdleTimeout {
    type Error = IdleOutOfRange;

    fn try_from(on_wire: Duration) -> Result<Self, IdleOutOfRange> {
        Self::new(on_wire)
    }
}

const NANOS_PER_MILLI: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn millis(millis: u64) -> Result<IdleTimeout, IdleOutOfRange> {
        IdleTimeout::new(Duration::from_millis(millis))
    }

    #[test]
    fn both_limits_are_allowed_and_nothing_beyond_them() {
        assert_eq!(millis(30_000), Ok(IdleTimeout::MIN));
        assert_eq!(millis(300_000), Ok(IdleTimeout::MAX));
        for given in [
            Duration::ZERO,
            Duration::from_nanos(29_999_999_999),
            Duration::from_nanos(300_000_000_001),
            Duration::MAX,
        ] {
            assert_eq!(IdleTimeout::new(given), Err(IdleOutOfRange { given }));
        }
    }

    #[test]
    fn the_refusal_names_both_limits_and_what_was_given() {
        let message = millis(29_999).unwrap_err().to_string();
        for part in ["29.999s", "30000", "300000"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_wire_has_whole_milliseconds() {
        let idle = IdleTimeout::new(Duration::from_micros(45_000_999)).unwrap();
        assert_eq!(idle.on_wire(), Duration::from_millis(45_000));
    }
}
