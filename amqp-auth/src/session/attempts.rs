//! When the next attempt to connect may be made.

use alloc::collections::VecDeque;
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
    /// When the last attempts were made, the oldest first.
    made: VecDeque<MonoTime>,
}

impl Attempts {
    pub(super) const fn new(seed: u64) -> Self {
        let (normal, slow) = (FailureClass::Normal.backoff(), FailureClass::Slow.backoff());
        Self { normal, slow, seed, made: VecDeque::new() }
    }

    /// Takes one attempt from the allowance, or tells when there will be one.
    pub(super) fn take(&mut self, now: MonoTime) -> Result<(), MonoTime> {
        let free = self.free_at();
        if now < free {
            return Err(free);
        }
        if self.made.len() == MAX_A_MINUTE {
            self.made.pop_front();
        }
        self.made.push_back(now);
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

    /// When the oldest of a full allowance is a minute ago.
    fn free_at(&self) -> MonoTime {
        match self.made.front() {
            Some(oldest) if self.made.len() == MAX_A_MINUTE => oldest.after(MINUTE),
            _ => MonoTime::ORIGIN,
        }
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
/// A fifth of what the platform allows a consumer group.
const MAX_A_MINUTE: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_twenty_attempts() {
        let mut attempts = Attempts::new(1);
        let at = |second: u64| MonoTime::from_millis(1_000 * second);
        for second in 0..20 {
            assert_eq!(attempts.take(at(second)), Ok(()));
        }
        assert_eq!(attempts.take(at(59)), Err(at(60)));
        assert_eq!(attempts.take(at(60)), Ok(()));
        assert_eq!(attempts.take(at(60)), Err(at(61)));
    }

    #[test]
    fn a_retry_waits_for_the_allowance_too() {
        let (mut attempts, start) = (Attempts::new(1), MonoTime::ORIGIN);
        while attempts.take(start).is_ok() {}
        assert_eq!(attempts.retry_at(start, FailureClass::Normal), start.after(MINUTE));
    }
}
