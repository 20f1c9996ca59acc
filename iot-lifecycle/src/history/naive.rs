//! Two ways that look right and are not.

use alloc::collections::BTreeMap;

use crate::{Event, EventKind};

/// A tracker as one would write it first, to show what it gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "for contrast only, two will do")]
pub enum Naive {
    /// The event that arrived last counts. Delivery is not in order.
    LastArrival,
    /// The event with the largest timestamp counts. Timestamps are within about two minutes of the truth.
    LargestTimestamp,
}

impl Naive {
    /// Which clients it takes for connected after this feed, by client id.
    #[must_use]
    pub fn connected<'a>(self, feed: &'a [Event<'_>]) -> BTreeMap<&'a str, bool> {
        let mut last = BTreeMap::new();
        for event in feed {
            let connected = match event.kind {
                EventKind::Connected(_) => true,
                EventKind::Disconnected(_) => false,
                _ => continue,
            };
            let known = last.entry(&*event.client_id).or_insert((event.timestamp, connected));
            if self == Self::LastArrival || event.timestamp >= known.0 {
                *known = (event.timestamp, connected);
            }
        }
        last.into_iter().map(|(client_id, (_, connected))| (client_id, connected)).collect()
    }
}
