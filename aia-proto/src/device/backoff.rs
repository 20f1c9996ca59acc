//! How long a device waits before it sends the next `Connect` (specification, sections 6.6 and 14.9).

use core::time::Duration;

/// The upper bound of the wait, when so many `Connect` were sent since the connection was last stable.
pub(super) fn backoff_bound(base: Duration, connects: u32) -> Duration {
    let factor = 2_u32.checked_pow(connects.max(1)).unwrap_or(u32::MAX);
    base.saturating_mul(factor).min(CAP)
}

/// A wait in whole milliseconds, each below the bound equally likely, from a random number.
pub(super) fn backoff(base: Duration, connects: u32, random: u64) -> Duration {
    let bound = backoff_bound(base, connects).as_millis();
    let millis = (bound * u128::from(random)) >> u64::BITS;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

const CAP: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(1);

    /// Vectors of section 14.9.
    #[test]
    fn the_bound_doubles_up_to_an_hour() {
        let bounds = [
            (0, 2_000),
            (1, 2_000),
            (2, 4_000),
            (3, 8_000),
            (4, 16_000),
            (5, 32_000),
            (6, 64_000),
            (7, 128_000),
            (8, 256_000),
            (9, 512_000),
            (10, 1_024_000),
            (11, 2_048_000),
            (12, 3_600_000),
            (13, 3_600_000),
            (u32::MAX, 3_600_000),
        ];
        for (connects, millis) in bounds {
            assert_eq!(backoff_bound(BASE, connects).as_millis(), millis, "{connects}");
        }
    }

    #[test]
    fn a_wait_stays_below_its_bound() {
        assert_eq!(backoff(BASE, 3, u64::MAX / 2 + 1), Duration::from_millis(4_000));
        assert_eq!(backoff(BASE, 3, 0), Duration::ZERO);
        assert_eq!(backoff(BASE, 1, u64::MAX), Duration::from_millis(1_999));
    }
}
