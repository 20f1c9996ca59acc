//! How often a consumer group logs in.

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
};
use core::time::Duration;

use iot_sansio::MonoTime;

/// When each group logged in within the last minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LoginRate(BTreeMap<String, VecDeque<MonoTime>>);

impl LoginRate {
    /// Whether the group may log in once more now; if so, it counts.
    pub(super) fn admit(&mut self, group: &str, now: MonoTime, limit: usize) -> bool {
        let logins = self.0.entry(group.into()).or_default();
        while logins.front().is_some_and(|first| now.since(*first) >= MINUTE) {
            logins.pop_front();
        }
        let is_admitted = logins.len() < limit;
        if is_admitted {
            logins.push_back(now);
        }
        is_admitted
    }
}

const MINUTE: Duration = Duration::from_secs(60);
