//! Keep alive: when a client pings, and when either side gives the other up (specification, section 11.2).

use core::time::Duration;

use iot_sansio::MonoTime;

/// The longest silence that a client promises in CONNECT; zero switches the promise off.
///
/// An MQTT client keeps it by itself. The rule stands here for those who write one, or a broker.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::MonoTime;
/// use kii_onboard::KeepAlive;
///
/// let keep_alive = KeepAlive::new(Duration::from_secs(60));
/// let last_received = MonoTime::ORIGIN;
/// assert!(!keep_alive.is_dead(last_received, MonoTime::from_millis(90_000)));
/// assert!(keep_alive.is_dead(last_received, MonoTime::from_millis(90_001)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeepAlive(Duration);

impl KeepAlive {
    /// No promise.
    pub const OFF: Self = Self(Duration::ZERO);

    /// This long; none at all switches it off.
    #[must_use]
    pub const fn new(period: Duration) -> Self {
        Self(period)
    }

    /// How long the client may be silent.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.0
    }

    /// The broker's rule: the client is dead once it has been silent for *more* than one and a half periods.
    #[must_use]
    pub fn is_dead(self, last_received: MonoTime, now: MonoTime) -> bool {
        self.alive_until(last_received).is_some_and(|until| until < now)
    }

    /// The last moment at which a broker still takes the client for alive; none when the promise is off.
    #[must_use]
    pub fn alive_until(self, last_received: MonoTime) -> Option<MonoTime> {
        (!self.0.is_zero()).then(|| last_received.after(self.0).after(self.0 / 2))
    }
}

/// The client's rule: what to do about a silent connection, and when. So a dead one is noticed exactly one and a half
/// periods after the last useful packet was sent.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::MonoTime;
/// use kii_onboard::{KeepAlive, Ping, Pings};
///
/// let at = MonoTime::from_millis;
/// let mut pings = Pings::new(KeepAlive::new(Duration::from_secs(60)), at(0));
/// assert_eq!(pings.due(), Some(at(60_000)));
/// assert_eq!(pings.poll(at(60_000)), Some(Ping::Send));
/// assert_eq!(pings.poll(at(90_000)), Some(Ping::Dead), "no PINGRESP came");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pings {
    keep_alive: KeepAlive,
    last_sent: MonoTime,
    /// When the PINGREQ was sent that waits for its PINGRESP.
    unanswered: Option<MonoTime>,
}

/// What a client has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the rule has these two ends")]
pub enum Ping {
    /// Send PINGREQ.
    Send,
    /// The connection is dead: close it.
    Dead,
}

impl Pings {
    /// The client sent its CONNECT now.
    #[must_use]
    pub const fn new(keep_alive: KeepAlive, now: MonoTime) -> Self {
        Self { keep_alive, last_sent: now, unanswered: None }
    }

    /// The client sent a packet.
    pub fn sent(&mut self, now: MonoTime) {
        self.last_sent = self.last_sent.max(now);
    }

    /// PINGRESP arrived. Nothing else answers a PINGREQ.
    pub const fn answered(&mut self) {
        self.unanswered = None;
    }

    /// When there is something to do; none when the promise is off.
    #[must_use]
    pub fn due(&self) -> Option<MonoTime> {
        let period = self.keep_alive.period();
        let due = match self.unanswered {
            Some(sent) => sent.after(period / 2),
            None => self.last_sent.after(period),
        };
        (!period.is_zero()).then_some(due)
    }

    /// What there is to do now. A PINGREQ counts as sent.
    pub fn poll(&mut self, now: MonoTime) -> Option<Ping> {
        self.due().filter(|due| *due <= now)?;
        if self.unanswered.is_some() {
            return Some(Ping::Dead);
        }
        self.unanswered = Some(now);
        self.sent(now);
        Some(Ping::Send)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_goes_backwards_brings_no_ping_nearer() {
        let at = MonoTime::from_millis;
        let mut pings = Pings::new(KeepAlive::new(Duration::from_secs(60)), at(10_000));
        pings.sent(at(5_000));
        assert_eq!(pings.due(), Some(at(70_000)));
    }
}
