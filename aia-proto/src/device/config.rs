//! How a device behaves.

use alloc::string::String;
use core::time::Duration;

use iot_sansio::mqtt::Qos;

use super::{Capabilities, backoff::backoff_bound};
use crate::{ClientId, Json, protect::LegacyInnerSequence, registration::Algorithm, sequence};

/// Who a device is to AWS, and how it behaves (specification, sections 2, 4, 11 and 13).
///
/// ```
/// use aia_proto::{ClientId, Json, device::{Capabilities, Config}};
///
/// let set = Json::new(r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#)?;
/// let capabilities = Capabilities::new(set)?;
/// let config = Config::new("123456789012", ClientId::new("my-thing-01")?, "example-ats.iot.example", capabilities);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) aws_account_id: String,
    pub(super) client_id: ClientId,
    pub(super) endpoint: String,
    pub(super) capabilities: Capabilities,
    pub(super) state: Option<Json>,
    pub(super) algorithm: Algorithm,
    pub(super) subscribe_qos: Qos,
    pub(super) ack_timeout: Duration,
    pub(super) capability_timeout: Duration,
    pub(super) subscribe_timeout: Duration,
    pub(super) stable_after: Duration,
    pub(super) backoff_base: Duration,
    pub(super) order: sequence::Config,
    pub(super) legacy: LegacyInnerSequence,
    pub(super) recent_ivs: usize,
    pub(super) max_message: usize,
    pub(super) max_queued: usize,
}

impl Config {
    /// This client of this AWS account, at this data endpoint, with these capabilities: 32-byte secrets, subscriptions
    /// with QoS 1, and the deadlines of the specification's section 11.3.
    #[must_use]
    pub fn new(
        aws_account_id: impl Into<String>,
        client_id: ClientId,
        endpoint: impl Into<String>,
        capabilities: Capabilities,
    ) -> Self {
        Self {
            aws_account_id: aws_account_id.into(),
            client_id,
            endpoint: endpoint.into(),
            capabilities,
            state: None,
            algorithm: Algorithm::Curve25519With32Bytes,
            subscribe_qos: Qos::AtLeastOnce,
            ack_timeout: TEN_SECONDS,
            capability_timeout: TEN_SECONDS,
            subscribe_timeout: TEN_SECONDS,
            stable_after: Duration::from_secs(60),
            backoff_base: Duration::from_secs(1),
            order: sequence::Config::default(),
            legacy: LegacyInnerSequence::Refuse,
            recent_ivs: 256,
            max_message: 6_000,
            max_queued: 256,
        }
    }

    /// Sets the payload of `SynchronizeState`, which every connection begins with. Default: none. Change it later with
    /// [`Device::set_state`](super::Device::set_state).
    #[must_use]
    pub fn with_state(self, state: Json) -> Self {
        Self { state: Some(state), ..self }
    }

    /// Sets the algorithm of the next registration. Default: 32-byte secrets.
    #[must_use]
    pub fn with_algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// Sets the quality of service of subscriptions. Default: at least once; copies are dropped.
    #[must_use]
    pub fn with_subscribe_qos(self, qos: Qos) -> Self {
        Self { subscribe_qos: qos, ..self }
    }

    /// Sets how long the answer to `Connect` may take. Default: 10 s.
    #[must_use]
    pub fn with_ack_timeout(self, timeout: Duration) -> Self {
        Self { ack_timeout: timeout, ..self }
    }

    /// Sets how long the answer to the set of capabilities may take. Default: 10 s.
    #[must_use]
    pub fn with_capability_timeout(self, timeout: Duration) -> Self {
        Self { capability_timeout: timeout, ..self }
    }

    /// Sets how long the subscriptions may take. Default: 10 s.
    #[must_use]
    pub fn with_subscribe_timeout(self, timeout: Duration) -> Self {
        Self { subscribe_timeout: timeout, ..self }
    }

    /// Sets after how long a connection is stable: only then do the waits begin anew. Default: 60 s.
    #[must_use]
    pub fn with_stable_after(self, span: Duration) -> Self {
        Self { stable_after: span, ..self }
    }

    /// Sets what the waits between attempts are made of. Default: 1 s, so that the first is below 2 s, the next below 4 s,
    /// and so on up to an hour.
    #[must_use]
    pub fn with_backoff_base(self, base: Duration) -> Self {
        Self { backoff_base: base, ..self }
    }

    /// The upper bound of the wait, when so many `Connect` were sent since the connection was last stable.
    #[must_use]
    pub fn backoff_bound(&self, connects: u32) -> Duration {
        backoff_bound(self.backoff_base, connects)
    }

    /// Sets how much comes out of order, and for how long. Default: 16 messages, 24,000 bytes, 10 s.
    #[must_use]
    pub fn with_order(self, order: sequence::Config) -> Self {
        Self { order, ..self }
    }

    /// Sets what happens to a message with the header of 32 bytes. Default: it is refused.
    #[must_use]
    pub fn with_legacy_inner_sequence(self, legacy: LegacyInnerSequence) -> Self {
        Self { legacy, ..self }
    }

    /// Sets how many IVs of each topic are remembered against replays from an earlier connection. Default: 256; 0 is none.
    #[must_use]
    pub fn with_recent_ivs(self, recent_ivs: usize) -> Self {
        Self { recent_ivs, ..self }
    }

    /// Sets how large a message with events or microphone data becomes at most, in bytes. Default: 6,000.
    #[must_use]
    pub fn with_max_message(self, max_message: usize) -> Self {
        Self { max_message, ..self }
    }

    /// Sets how many outputs may wait to be drained before inputs and commands are refused, at least 1. Default: 256.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }
}

const TEN_SECONDS: Duration = Duration::from_secs(10);
