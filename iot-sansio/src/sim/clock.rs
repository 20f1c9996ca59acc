//! Time that only moves when it is told to.

use core::time::Duration;

use crate::{MonoTime, UnixMillis, WallClock};

/// A virtual clock: monotonic time from the origin on, and a wall clock that can be set like a real one.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::{MonoTime, UnixMillis, sim::Clock};
///
/// let mut clock = Clock::new(UnixMillis::new(1_700_000_000_000));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), MonoTime::from_millis(2_000));
/// assert_eq!(clock.unix(), UnixMillis::new(1_700_000_002_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    now: MonoTime,
    wall: WallClock,
}

impl Clock {
    /// A clock at the origin, while the wall clock reads `unix`.
    #[must_use]
    pub const fn new(unix: UnixMillis) -> Self {
        Self { now: MonoTime::ORIGIN, wall: WallClock::new(MonoTime::ORIGIN, unix) }
    }

    /// Monotonic time.
    #[must_use]
    pub const fn now(&self) -> MonoTime {
        self.now
    }

    /// What the wall clock reads now.
    #[must_use]
    pub const fn unix(&self) -> UnixMillis {
        self.wall.at(self.now)
    }

    /// The pair of both, as a machine is told it.
    #[must_use]
    pub const fn wall(&self) -> WallClock {
        WallClock::new(self.now, self.unix())
    }

    /// Lets this much time pass.
    pub const fn advance(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    /// Lets time pass until `time`; a time that has passed changes nothing.
    pub fn advance_to(&mut self, time: MonoTime) {
        self.now = self.now.max(time);
    }

    /// Sets the wall clock, as an operator or a time server does; monotonic time goes on.
    pub const fn set_unix(&mut self, unix: UnixMillis) {
        self.wall = WallClock::new(self.now, unix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monotonic_time_never_goes_back() {
        let mut clock = Clock::new(UnixMillis::new(0));
        clock.advance_to(MonoTime::from_millis(9));
        clock.advance_to(MonoTime::from_millis(3));
        assert_eq!(clock.now(), MonoTime::from_millis(9));
    }

    #[test]
    fn setting_the_wall_clock_leaves_monotonic_time_alone() {
        let mut clock = Clock::new(UnixMillis::new(5_000));
        clock.advance(Duration::from_millis(10));
        clock.set_unix(UnixMillis::new(100));
        clock.advance(Duration::from_millis(1));
        assert_eq!(clock.now(), MonoTime::from_millis(11));
        assert_eq!(clock.unix(), UnixMillis::new(101));
        assert_eq!(clock.wall().at(MonoTime::ORIGIN), UnixMillis::new(90));
    }
}
