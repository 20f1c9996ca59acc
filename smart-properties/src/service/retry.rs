//! How often a delivery is tried, and when (specification section 6).

use core::time::Duration;

/// When an attempt has failed, and whether another one follows.
///
/// ```
/// use core::time::Duration;
/// use smart_properties::service::RetryPolicy;
///
/// let hasty = RetryPolicy::http().with_retries(1).with_delay(Duration::from_millis(100));
/// assert_ne!(hasty, RetryPolicy::http());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryPolicy {
    pub(super) patience: Duration,
    pub(super) retries: u32,
    pub(super) delay: Duration,
}

impl RetryPolicy {
    /// As SNS does it for HTTP by default: 15 s for an answer, three retries 20 s apart. It may take an hour in all,
    /// whatever is set.
    ///
    /// SNS tries queues and functions 100,015 times in 23 days; here they are tried no longer than the others.
    #[must_use]
    pub const fn http() -> Self {
        Self { patience: Duration::from_secs(15), retries: 3, delay: Duration::from_secs(20) }
    }

    /// Sets how long an endpoint may take to answer, 15 s by default and 1 ms at least: after that the attempt has
    /// failed.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: patience.max(Duration::from_millis(1)), ..self }
    }

    /// Sets how many attempts may follow the first.
    #[must_use]
    pub const fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// Sets the pause from the failure of an attempt to the next, 20 s by default.
    #[must_use]
    pub const fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Whether another attempt may follow `attempts` of them, `since` the first.
    pub(super) fn allows(&self, attempts: u32, since_first: Duration) -> bool {
        attempts <= self.retries && since_first.saturating_add(self.delay) <= MAX_SPAN
    }
}

/// The longest time that a policy for HTTP may take in all.
const MAX_SPAN: Duration = Duration::from_secs(3_600);
