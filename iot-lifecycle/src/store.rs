//! Presence in a database: the write that takes effect only if it is newer, as text and parameters (specification
//! section 7).
//!
//! One item a client holds `v` (version), `t` (timestamp, milliseconds since the Unix epoch), `k` (kind: 0 connect,
//! 1 disconnect) and `s` (session in its written form, empty when unknown). The write of an event E takes effect when
//! the item is absent, or when
//!
//! | rule of [`Order`](crate::Order) | condition on the stored item; `hi` = E.t + Θ, `lo` = E.t − Θ |
//! | --- | --- |
//! | 1a | `v` = E.v, `s` = E.s, both sessions known, `k` < E.k |
//! | 1b | `v` = E.v, `s` ≠ E.s, both sessions known, and `t` < E.t; on a tie `k` > E.k; on a tie `s` < E.s |
//! | 1c, 1d | `v` = E.v, a session unknown, and (`t` < `lo`, or `t` <= `hi` and `k` < E.k) |
//! | 2a | `v` > E.v and `t` < `lo` |
//! | 2b | `v` < E.v and `t` <= `hi` |
//!
//! That is [`Order::newer`](crate::Order::newer) under [`Order::Versioned`](crate::Order::Versioned), exactly. The
//! bounds saturate at the ends of `i64`, where they are as good as the true ones: no `t` is above `i64::MAX`, so
//! `t` <= `hi` holds for every item as it should, and none is below `i64::MIN`, so `t` < `lo` holds for none.
//!
//! - Store with this condition in the write, never read first: between the two another worker writes.
//! - A refused write is a stale or repeated event and not an error; do not retry it.
//! - All writers of a table use the same Θ.
//! - [`Order::head`](crate::Order::head) gives the head of an event. Heads under
//!   [`Order::TimestampOnly`](crate::Order::TimestampOnly) have no version and do not belong here.
//! - What else you keep of the event goes into the same write, as further attributes next to the four.
//! - Whoever waits before calling a client offline remembers the four values of the disconnect, and marks the item
//!   afterwards on the condition that all four are still equal.
//! - Offline items may expire once they are older than the longest delay of your queue plus Θ (section 6.3); online
//!   items never.

use alloc::string::{String, ToString as _};
use core::time::Duration;

use crate::{Head, HeadKind};

pub mod dynamodb;
pub mod postgres;
pub mod redis;

/// What every database is told of a head.
struct Write {
    version: i64,
    timestamp: i64,
    kind: i16,
    session: String,
    hi: i64,
    lo: i64,
}

impl Write {
    fn new(head: &Head<'_>, theta: Duration) -> Self {
        Self {
            version: head.version,
            timestamp: head.timestamp.get(),
            kind: match head.kind {
                HeadKind::Connect => 0,
                HeadKind::Disconnect => 1,
            },
            session: head.session.as_ref().map_or_else(String::new, |session| session.to_string()),
            hi: head.timestamp.after(theta).get(),
            lo: head.timestamp.before(theta).get(),
        }
    }
}
