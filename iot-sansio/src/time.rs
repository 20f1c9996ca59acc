//! Time as machines are told it: monotonic for deadlines, wall clock for dates.

use core::{fmt, time::Duration};

/// Monotonic time: the span since an origin that the driver picked, for example the start of the process.
///
/// Kept as nanoseconds in 64 bits, which lasts 584 years; every operation saturates.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::MonoTime;
///
/// let now = MonoTime::from_origin(Duration::from_secs(10));
/// let deadline = now.after(Duration::from_millis(5));
/// assert_eq!(deadline.since(now), Duration::from_millis(5));
/// assert_eq!(now.since(deadline), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonoTime(u64);

impl MonoTime {
    /// The origin itself.
    pub const ORIGIN: Self = Self(0);

    /// The last moment that can be told apart.
    pub const MAX: Self = Self(u64::MAX);

    /// The moment this long after the origin; [`MonoTime::MAX`] beyond 584 years.
    #[must_use]
    pub const fn from_origin(span: Duration) -> Self {
        let nanos = span.as_nanos();
        if nanos > u64::MAX as u128 {
            return Self::MAX;
        }
        #[expect(clippy::cast_possible_truncation, reason = "compared with u64::MAX above")]
        Self(nanos as u64)
    }

    /// The moment this many milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(NANOS_PER_MILLI))
    }

    /// The span since the origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// Whole milliseconds since the origin, rounded down.
    ///
    /// A driver with a coarse clock rounds `now` down and a deadline up, else it spins.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / NANOS_PER_MILLI
    }

    /// The moment this much later, at most [`MonoTime::MAX`].
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(Self::from_origin(span).0))
    }

    /// The span since an earlier moment; zero when that moment is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The time of `now` on a clock whose origin is the `Instant` `origin`; the origin when `now` is earlier.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn from_instants(origin: std::time::Instant, now: std::time::Instant) -> Self {
        Self::from_origin(now.saturating_duration_since(origin))
    }
}

/// Wall-clock time: milliseconds since the Unix epoch, negative before it; every operation saturates.
///
/// It appears only where something is signed, dated or admitted. Deadlines use [`MonoTime`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// The moment this many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The moment this much later, in whole milliseconds.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(span)))
    }

    /// The moment this much earlier, in whole milliseconds.
    #[must_use]
    pub const fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(span)))
    }

    /// The distance to another moment, whichever is later, in milliseconds.
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> u64 {
        self.0.abs_diff(other.0)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "std")]
impl From<std::time::SystemTime> for UnixMillis {
    fn from(time: std::time::SystemTime) -> Self {
        match time.duration_since(std::time::SystemTime::UNIX_EPOCH) {
            Ok(since) => Self(millis_of(since)),
            Err(before) => Self(0).before(before.duration()),
        }
    }
}

/// The wall clock as a machine knows it: what it read at one monotonic moment.
///
/// A driver tells the pair when it makes the machine, and again whenever the wall clock was set.
///
/// ```
/// use iot_sansio::{MonoTime, UnixMillis, WallClock};
///
/// let clock = WallClock::new(MonoTime::from_millis(5), UnixMillis::new(1_700_000_000_000));
/// assert_eq!(clock.at(MonoTime::from_millis(8)), UnixMillis::new(1_700_000_000_003));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WallClock {
    mono: MonoTime,
    unix: UnixMillis,
}

impl WallClock {
    /// The wall clock read `unix` at the monotonic moment `mono`.
    #[must_use]
    pub const fn new(mono: MonoTime, unix: UnixMillis) -> Self {
        Self { mono, unix }
    }

    /// The monotonic moment at which the pair was taken.
    #[must_use]
    pub const fn taken_at(&self) -> MonoTime {
        self.mono
    }

    /// What the wall clock reads at a monotonic moment, also one before the pair was taken.
    #[must_use]
    pub const fn at(&self, now: MonoTime) -> UnixMillis {
        if now.0 >= self.mono.0 {
            self.unix.after(now.since(self.mono))
        } else {
            self.unix.before(self.mono.since(now))
        }
    }

    /// The monotonic moment at which the wall clock reads `unix`; the origin when that lies before it.
    #[must_use]
    pub const fn when(&self, unix: UnixMillis) -> MonoTime {
        let distance = Duration::from_millis(unix.abs_diff(self.unix));
        if unix.0 >= self.unix.0 {
            self.mono.after(distance)
        } else {
            MonoTime::from_origin(self.mono.since_origin().saturating_sub(distance))
        }
    }
}

/// Whole milliseconds of a span, at most `i64::MAX`.
const fn millis_of(span: Duration) -> i64 {
    let millis = span.as_millis();
    if millis > i64::MAX as u128 {
        return i64::MAX;
    }
    #[expect(clippy::cast_possible_truncation, reason = "compared with i64::MAX above")]
    let millis = millis as i64;
    millis
}

const NANOS_PER_MILLI: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_saturates_at_both_ends() {
        assert_eq!(MonoTime::from_origin(Duration::MAX), MonoTime::MAX);
        assert_eq!(MonoTime::MAX.after(Duration::from_nanos(1)), MonoTime::MAX);
        assert_eq!(MonoTime::ORIGIN.after(Duration::MAX), MonoTime::MAX);
        assert_eq!(MonoTime::ORIGIN.since(MonoTime::MAX), Duration::ZERO);
        assert_eq!(MonoTime::from_millis(u64::MAX), MonoTime::MAX);
    }

    #[test]
    fn wall_clock_saturates_at_both_ends() {
        let (first, last) = (UnixMillis::new(i64::MIN), UnixMillis::new(i64::MAX));
        assert_eq!(last.after(Duration::MAX), last);
        assert_eq!(first.before(Duration::MAX), first);
        assert_eq!(last.abs_diff(first), u64::MAX);
    }

    #[test]
    fn the_wall_clock_runs_in_both_directions_from_its_pair() {
        let clock = WallClock::new(MonoTime::from_millis(100), UnixMillis::new(1_000));
        assert_eq!(clock.at(MonoTime::from_millis(250)), UnixMillis::new(1_150));
        assert_eq!(clock.at(MonoTime::ORIGIN), UnixMillis::new(900));
    }

    #[test]
    fn the_moment_of_a_reading_is_where_the_wall_clock_reads_it() {
        let clock = WallClock::new(MonoTime::from_millis(100), UnixMillis::new(1_000));
        for unix in [950, 1_000, 1_001, 5_000].map(UnixMillis::new) {
            assert_eq!(clock.at(clock.when(unix)), unix);
        }
        assert_eq!(clock.when(UnixMillis::new(i64::MIN)), MonoTime::ORIGIN);
        assert_eq!(clock.when(UnixMillis::new(i64::MAX)), MonoTime::MAX);
    }

    #[cfg(feature = "std")]
    #[test]
    fn system_time_before_the_epoch_is_negative() {
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let before = epoch - Duration::from_millis(1_500);
        assert_eq!(UnixMillis::from(before), UnixMillis::new(-1_500));
        assert_eq!(UnixMillis::from(epoch), UnixMillis::new(0));
    }
}
