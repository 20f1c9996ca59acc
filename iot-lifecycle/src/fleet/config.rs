//! What bounds a fleet, and how it decodes and orders.

use alloc::{
    string::{String, ToString as _},
    vec,
    vec::Vec,
};
use core::time::Duration;

use crate::{Decoder, Filter, presence};

/// The settings of a [`Fleet`](super::Fleet).
///
/// ```
/// use core::time::Duration;
/// use iot_lifecycle::{fleet, presence};
///
/// let config = fleet::Config::default()
///     .with_presence(presence::Config::with_suggested_waits())
///     .with_max_clients(5_000_000)
///     .with_retention(Duration::from_secs(30 * 24 * 60 * 60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    presence: presence::Config,
    decoder: Decoder,
    filters: Vec<String>,
    max_clients: usize,
    max_queued: usize,
    retention: Duration,
}

impl Default for Config {
    /// The defaults of presence and decoder, all presence topics, 1,000,000 clients, 1,024 queued outputs, and the
    /// shortest retention that is safe.
    fn default() -> Self {
        Self {
            presence: presence::Config::default(),
            decoder: Decoder::default(),
            filters: vec![Filter::Presence.to_string()],
            max_clients: 1_000_000,
            max_queued: 1_024,
            retention: Duration::ZERO,
        }
    }
}

impl Config {
    /// With this admission, order and wait of each client.
    #[must_use]
    pub fn with_presence(self, presence: presence::Config) -> Self {
        Self { presence, ..self }
    }

    /// With this decoder of messages that come over MQTT.
    #[must_use]
    pub fn with_decoder(self, decoder: Decoder) -> Self {
        Self { decoder, ..self }
    }

    /// With these topic filters to subscribe to after every [`Opened`](iot_sansio::mqtt::Opened).
    #[must_use]
    pub fn with_filters(self, filters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { filters: filters.into_iter().map(Into::into).collect(), ..self }
    }

    /// With at most this many clients, 1 at least. When a new one needs a place, the one whose newest event is the oldest
    /// among those offline is forgotten, and from then on events of unknown clients that could be older than that event
    /// are refused; see [`ApplyError::BelowWatermark`](super::ApplyError::BelowWatermark).
    #[must_use]
    pub fn with_max_clients(self, max_clients: usize) -> Self {
        Self { max_clients: max_clients.clamp(1, LAST_SLOT), ..self }
    }

    /// With at most this many queued outputs, beyond which inputs are refused; room for one at least, and for the
    /// subscriptions.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued, ..self }
    }

    /// With this time after its last event at which [`Fleet::evict`](super::Fleet::evict) forgets a client that is
    /// offline. What is shorter than the oldest event that is admitted plus Θ counts as that: less would not be safe.
    #[must_use]
    pub fn with_retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// Admission, order and wait of each client.
    #[must_use]
    pub const fn presence(&self) -> &presence::Config {
        &self.presence
    }

    pub(super) const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    pub(super) fn filters(&self) -> &[String] {
        &self.filters
    }

    pub(super) const fn max_clients(&self) -> usize {
        self.max_clients
    }

    pub(super) fn max_queued(&self) -> usize {
        self.max_queued.max(self.filters.len()).max(1)
    }

    pub(super) fn retention(&self) -> Duration {
        let safe = self.presence.max_age().saturating_add(self.presence.order().theta());
        self.retention.max(safe)
    }
}

/// Slots are numbered with 32 bits.
const LAST_SLOT: usize = u32::MAX as usize;
