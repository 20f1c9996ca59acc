//! When the next attempt to connect may be made.

use core::time::Duration;

use fastrand::Rng;
use iot_sansio::{Backoff, Jitter, MonoTime};

use super::FailureClass;

/// Counts attempts and failures: the wait after a failure, and the limit of attempts a minute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attempts {
    normal: Backoff,
    slow: Backoff,
    /// Of the generator that jitter comes from.
    seed: u64,
    /// Up to where the allowance is used: one attempt moves it on by [`INTERVAL`].
    used_until: MonoTime,
}

impl Attempts {
    pub(super) const fn new(seed: u64) -> Self {
        let (normal, slow) = (FailureClass::Normal.backoff(), FailureClass::Slow.backoff());
        Self { normal, slow, seed, used_until: MonoTime::ORIGIN }
    }

    /// Takes one attempt from the allowance, or tells when there will be one.
    pub(super) fn take(&mut self, now: MonoTime) -> Result<(), MonoTime> {
        let free = self.free_at();
        if now < free {
            return Err(free);
        }
        self.used_until = self.used_until.max(now).after(INTERVAL);
        Ok(())
    }

    /// When to try again after a failure.
    pub(super) fn retry_at(&mut self, now: MonoTime, class: FailureClass) -> MonoTime {
        let mut rng = Rng::with_seed(self.seed);
        let random = rng.u64(..);
        self.seed = rng.get_seed();
        // Both count the failures, whichever wait is taken.
        let (normal, slow) = (self.normal.next(random), self.slow.next(random));
        let wait = match class {
            FailureClass::Normal => normal,
            FailureClass::Slow => slow,
        };
        now.after(wait).max(self.free_at())
    }

    /// Starts the waits anew, after a connection that was stable.
    pub(super) fn reset(&mut self) {
        self.normal.reset();
        self.slow.reset();
    }

    fn free_at(&self) -> MonoTime {
        let beyond = self.used_until.after(INTERVAL).since(MonoTime::ORIGIN.after(MINUTE));
        MonoTime::from_origin(beyond)
    }
}

impl FailureClass {
    /// The waits of this class, before chance takes up to half of each (specification, section 6.6).
    #[must_use]
    pub const fn backoff(self) -> Backoff {
        match self {
            Self::Normal => Backoff::new(Duration::from_secs(1), MINUTE, Jitter::Equal),
            Self::Slow => {
                Backoff::new(Duration::from_secs(30), Duration::from_secs(300), Jitter::Equal)
            }
        }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Twenty attempts a minute: a fifth of what the platform allows a consumer group.
const INTERVAL: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_first_attempt_within_a_minute_waits() {
        let (mut attempts, start) = (Attempts::new(1), MonoTime::from_millis(90_000));
        for _ in 0..20 {
            assert_eq!(attempts.take(start), Ok(()));
        }
        let free = start.after(INTERVAL);
        assert_eq!(attempts.take(start), Err(free));
        assert_eq!(attempts.take(free), Ok(()));
        assert_eq!(attempts.take(free), Err(free.after(INTERVAL)));
    }

    #[test]
    fn a_retry_waits_for_the_allowance_too() {
        let (mut attempts, start) = (Attempts::new(1), MonoTime::ORIGIN);
        while attempts.take(start).is_ok() {}
        assert_eq!(attempts.retry_at(start, FailureClass::Normal), start.after(INTERVAL));
    }
}
