//! Waits between attempts.

use core::time::Duration;

/// Exponential backoff with jitter: the wait doubles from `base` up to `cap`.
///
/// Plain state and no randomness of its own: each random number is an argument.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::{Backoff, Jitter};
///
/// let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30), Jitter::Equal);
/// assert_eq!(backoff.next(0), Duration::from_millis(500));
/// assert_eq!(backoff.next(0), Duration::from_secs(1));
/// backoff.reset();
/// assert_eq!(backoff.next(u64::MAX), Duration::from_secs(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    jitter: Jitter,
    attempts: u32,
}

/// How much of a wait is left to chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// None: the wait is the ceiling itself.
    None,
    /// Between half the ceiling and the ceiling: never hammers, still spreads a fleet.
    Equal,
    /// Between nothing and the ceiling: spreads a fleet best.
    Full,
}

impl Backoff {
    /// Waits with a ceiling of `base` doubled once an attempt, at most `cap`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration, jitter: Jitter) -> Self {
        Self { base, cap, jitter, attempts: 0 }
    }

    /// The wait before the next attempt. `random` is uniform over all of `u64`.
    pub fn next(&mut self, random: u64) -> Duration {
        let ceiling = self.ceiling();
        self.attempts = self.attempts.saturating_add(1);
        match self.jitter {
            Jitter::None => ceiling,
            Jitter::Equal => ceiling / 2 + scale(ceiling - ceiling / 2, random),
            Jitter::Full => scale(ceiling, random),
        }
    }

    /// The longest wait that [`next`](Self::next) may give now.
    #[must_use]
    pub fn ceiling(&self) -> Duration {
        let factor = 2_u32.checked_pow(self.attempts).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// How many waits were given since the last reset.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Starts again from `base`, after something worked.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// `span * (random / u64::MAX)`, in nanoseconds.
fn scale(span: Duration, random: u64) -> Duration {
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    let scaled = u128::from(nanos) * u128::from(random) / u128::from(u64::MAX);
    Duration::from_nanos(u64::try_from(scaled).unwrap_or(nanos))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Duration = Duration::from_secs(1);
    const CAP: Duration = Duration::from_secs(30);

    #[test]
    fn the_ceiling_doubles_up_to_the_cap_and_stays() {
        let mut backoff = Backoff::new(BASE, CAP, Jitter::None);
        let seconds: [u64; 7] = core::array::from_fn(|_| backoff.next(0).as_secs());
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn endless_attempts_do_not_overflow() {
        let mut backoff = Backoff::new(Duration::MAX, Duration::MAX, Jitter::None);
        backoff.attempts = u32::MAX;
        assert_eq!(backoff.next(0), Duration::MAX);
        assert_eq!(backoff.attempts(), u32::MAX);
    }

    proptest! {
        #[test]
        fn jitter_keeps_to_its_bounds(attempts in 0_u32..40, random: u64) {
            let at = |jitter| Backoff { attempts, ..Backoff::new(BASE, CAP, jitter) };
            let ceiling = at(Jitter::None).ceiling();
            prop_assert!(at(Jitter::Full).next(random) <= ceiling);
            let equal = at(Jitter::Equal).next(random);
            prop_assert!(ceiling / 2 <= equal && equal <= ceiling);
        }
    }
}
