//! Heads to try every pair of.

use core::time::Duration;

use iot_lifecycle::{Head, HeadKind, SessionId};
use iot_sansio::UnixMillis;

pub(crate) const THETA: Duration = Duration::from_secs(300);

/// 126 heads around every boundary of the rules, 15,876 ordered pairs.
pub(crate) fn universe() -> Vec<Head<'static>> {
    heads(&[0, 1, 2], &[0, 1, 299_999, 300_000, 300_001, 600_000, 600_001], &["", "A", "B"])
}

/// 108 heads at the ends of `i64`, where floating point gives up, and with sessions that locales sort otherwise.
pub(crate) fn edges() -> Vec<Head<'static>> {
    heads(
        &[1 << 53, (1 << 53) + 1, i64::MAX],
        &[i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX],
        &["", "B", "a"],
    )
}

/// Every ordered pair of each of the two.
pub(crate) fn pairs() -> Vec<(Head<'static>, Head<'static>)> {
    let of = |heads: Vec<Head<'static>>| -> Vec<_> {
        let with = |x: &Head<'static>| heads.iter().map(|y| (x.clone(), y.clone())).collect();
        heads.iter().flat_map(|x| -> Vec<_> { with(x) }).collect()
    };
    [of(universe()), of(edges())].concat()
}

fn heads(versions: &[i64], timestamps: &[i64], sessions: &[&'static str]) -> Vec<Head<'static>> {
    let mut heads = Vec::new();
    for kind in [HeadKind::Connect, HeadKind::Disconnect] {
        for &version in versions {
            for &timestamp in timestamps {
                for &session in sessions {
                    heads.push(Head {
                        kind,
                        version,
                        session: SessionId::new(session),
                        timestamp: UnixMillis::new(timestamp),
                    });
                }
            }
        }
    }
    heads
}
