//! How a client's events are admitted, ordered and waited for.

use alloc::vec::Vec;
use core::time::Duration;

use iot_sansio::UnixMillis;

use super::{Note, Notes};
use crate::{DisconnectReason, Order};

/// How a client's events are admitted, ordered and waited for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    order: Order,
    wait: Duration,
    wait_by_reason: Vec<(DisconnectReason<'static>, Duration)>,
    max_age: Duration,
    max_future: Option<Duration>,
}

impl Default for Config {
    /// Θ 300 s, a wait of 5 s for every reason, events up to 4 days old and up to Θ in the future.
    fn default() -> Self {
        Self {
            order: Order::default(),
            wait: Duration::from_secs(5),
            wait_by_reason: Vec::new(),
            max_age: Duration::from_secs(4 * 24 * 60 * 60),
            max_future: None,
        }
    }
}

impl Config {
    /// The defaults, with the longer waits that section 5.1 suggests for reasons after which clients tend to come back:
    /// 30 s for a takeover, an expired WebSocket or custom session and throttling, 60 s for the server's own disconnects.
    #[must_use]
    pub fn with_suggested_waits() -> Self {
        let (short, long) = (Duration::from_secs(30), Duration::from_secs(60));
        Self::default()
            .with_wait_for(DisconnectReason::DuplicateClientId, short)
            .with_wait_for(DisconnectReason::WebsocketTtlExpiration, short)
            .with_wait_for(DisconnectReason::CustomauthTtlExpiration, short)
            .with_wait_for(DisconnectReason::Throttled, short)
            .with_wait_for(DisconnectReason::ServerInitiatedDisconnect, long)
    }

    /// With this order of events.
    #[must_use]
    pub fn with_order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// With this wait between a disconnect and the word that the client is offline; zero says so at once.
    #[must_use]
    pub fn with_wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }

    /// With another wait for this reason; the last one given counts.
    #[must_use]
    pub fn with_wait_for(
        mut self,
        reason: impl Into<DisconnectReason<'static>>,
        wait: Duration,
    ) -> Self {
        let reason = reason.into();
        self.wait_by_reason.retain(|(known, _)| *known != reason);
        self.wait_by_reason.push((reason, wait));
        self
    }

    /// With this age beyond which events are refused: the longest that an event can stay on its way to the tracker.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// With this bound on timestamps ahead of the wall clock. Unless given it is Θ, or 300 s where timestamps alone
    /// decide: then no admitted event can fake a reset against a fresh head (section 6.2).
    #[must_use]
    pub fn with_max_future(self, max_future: Duration) -> Self {
        Self { max_future: Some(max_future), ..self }
    }

    /// How events are ordered.
    #[must_use]
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// The wait where no reason has its own.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }

    /// The age beyond which events are refused.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    /// The wait after a disconnect for this reason.
    pub(super) fn wait_for(&self, reason: Option<&DisconnectReason<'_>>) -> Duration {
        self.wait_by_reason
            .iter()
            .find(|(known, _)| Some(known) == reason)
            .map_or(self.wait, |(_, wait)| *wait)
    }

    /// Whether an event may take part in the order (section 6.2).
    pub(crate) fn admit(&self, timestamp: UnixMillis, wall: UnixMillis, notes: &mut Notes) -> bool {
        let max_future = self.max_future.unwrap_or(match self.order {
            Order::Versioned { theta } => theta,
            Order::TimestampOnly => Order::default().theta(),
        });
        let future = timestamp > wall.after(max_future);
        let too_old = timestamp < wall.before(self.max_age);
        notes.add_if(future, Note::Future);
        notes.add_if(too_old && !future, Note::TooOld);
        !future && !too_old
    }
}
