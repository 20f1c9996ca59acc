//! How fast a device sends on a topic.

use alloc::collections::VecDeque;
use core::time::Duration;

use iot_sansio::MonoTime;

/// The messages of the last second on one topic of one device, and the warnings it got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Rate {
    /// At most as many as are allowed.
    times: VecDeque<MonoTime>,
    last_warning: Option<MonoTime>,
    /// In a row.
    warnings: u32,
}

/// What to do about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    Warn,
    Disconnect,
}

impl Rate {
    /// Counts a message that came now. Of those beyond the limit only one a second matters.
    pub(super) fn count(&mut self, now: MonoTime, limit: usize) -> Verdict {
        while self.times.front().is_some_and(|first| now.since(*first) >= SECOND) {
            self.times.pop_front();
        }
        if self.times.len() < limit {
            self.times.push_back(now);
            return Verdict::Fine;
        }
        self.times.pop_front();
        self.times.push_back(now);
        let since_warning = self.last_warning.map(|last| now.since(last));
        if since_warning.is_some_and(|since| since < SECOND) {
            return Verdict::Fine;
        }
        let goes_on = since_warning.is_some_and(|since| since < SECOND * 2);
        self.warnings = if goes_on { self.warnings.saturating_add(1) } else { 1 };
        self.last_warning = Some(now);
        if self.warnings > MAX_WARNINGS { Verdict::Disconnect } else { Verdict::Warn }
    }
}

const SECOND: Duration = Duration::from_secs(1);
const MAX_WARNINGS: u32 = 3;
