//! The pace of one topic, and what is sent together (specification sections 2.3 and 14.9).

mod batch;

use core::time::Duration;

use iot_sansio::MonoTime;

pub use batch::{Batch, BatchError};

/// Leaves a time between two messages on one topic: 50 ms by default.
///
/// ```
/// use aia_proto::pacer::Pacer;
/// use iot_sansio::MonoTime;
///
/// let at = MonoTime::from_millis;
/// let mut pacer = Pacer::default();
/// assert!(pacer.is_ready(at(5)));
/// pacer.sent(at(5));
/// assert!(!pacer.is_ready(at(54)));
/// assert_eq!(pacer.ready_at(), Some(at(55)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pacer {
    interval: Duration,
    ready_at: Option<MonoTime>,
}

impl Pacer {
    /// At least this long between two messages.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, ready_at: None }
    }

    /// Whether a message may be sent.
    #[must_use]
    pub fn is_ready(&self, now: MonoTime) -> bool {
        self.ready_at.is_none_or(|ready_at| ready_at <= now)
    }

    /// When the next message may be sent; none before the first, which may be sent at once.
    #[must_use]
    pub const fn ready_at(&self) -> Option<MonoTime> {
        self.ready_at
    }

    /// Tells that a message was sent.
    pub const fn sent(&mut self, now: MonoTime) {
        self.ready_at = Some(now.after(self.interval));
    }
}

impl Default for Pacer {
    /// 50 ms, which the vendors' devices keep (section 2.3).
    fn default() -> Self {
        Self::new(Duration::from_millis(50))
    }
}
