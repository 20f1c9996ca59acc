//! How a thing behaves.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use iot_sansio::{
    Backoff, Jitter,
    mqtt::{ConnectOptions, Version},
};

use super::FailReason;
use crate::{
    App, DefaultBroker, KeepAlive, MqttEndpoint, RequestId, Stage, TransportKind, frame::Limits,
    onboarding::ThingOnboarding, topic::BOOT_CLIENT_ID,
};

/// How a thing behaves (specification, sections 2 to 4, 7, 11 and 14.2).
///
/// ```
/// use core::time::Duration;
/// use kii_onboard::{App, KeepAlive, Location, TransportKind, VendorThingId};
/// use kii_onboard::{onboarding::ThingOnboarding, thing::Config};
///
/// let app = App::new("app01", "key01")?;
/// let onboarding = ThingOnboarding::with_vendor_thing_id(VendorThingId::new("v1")?, "p1")?;
/// let config = Config::new(app, Location::Jp, onboarding)
///     .with_transport(TransportKind::Wss)
///     .with_api_keep_alive(KeepAlive::new(Duration::from_secs(120)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) app: App,
    pub(super) broker: DefaultBroker,
    pub(super) onboarding: ThingOnboarding,
    pub(super) onboarding_request_id: Option<RequestId>,
    boot_transport: TransportKind,
    api_transport: TransportKind,
    websocket_path: String,
    version: Version,
    boot_keep_alive: KeepAlive,
    api_keep_alive: KeepAlive,
    trusted_hosts: Vec<String>,
    pub(super) subscribe: bool,
    pub(super) connect_timeout: Duration,
    pub(super) onboarding_timeout: Duration,
    pub(super) subscribe_timeout: Duration,
    pub(super) request_timeout: Duration,
    backoff: Backoff,
    pub(super) max_retry_after: Duration,
    pub(super) max_boot_attempts: Option<u32>,
    pub(super) max_api_attempts: u32,
    pub(super) limits: Limits,
    pub(super) max_pending: usize,
    pub(super) max_queued: usize,
}

impl Config {
    /// A thing of this application that onboards so, at this default broker: over TLS, MQTT 3.1.1, keep alive of 60 s and
    /// then 300 s, with the deadlines of the specification's section 14.2.
    #[must_use]
    pub fn new(app: App, broker: impl Into<DefaultBroker>, onboarding: ThingOnboarding) -> Self {
        Self {
            app,
            broker: broker.into(),
            onboarding,
            onboarding_request_id: None,
            boot_transport: TransportKind::Tls,
            api_transport: TransportKind::Tls,
            websocket_path: "/mqtt".into(),
            version: Version::V3_1_1,
            boot_keep_alive: KeepAlive::new(Duration::from_secs(60)),
            api_keep_alive: KeepAlive::new(Duration::from_secs(300)),
            trusted_hosts: Vec::new(),
            subscribe: true,
            connect_timeout: Duration::from_secs(20),
            onboarding_timeout: Duration::from_secs(30),
            subscribe_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            backoff: Backoff::new(Duration::from_secs(1), Duration::from_secs(30), Jitter::None),
            max_retry_after: Duration::from_secs(3_600),
            max_boot_attempts: None,
            max_api_attempts: 5,
            limits: Limits::DEFAULT,
            max_pending: 32,
            max_queued: 256,
        }
    }

    /// Sets the kind of transport to both brokers. Default: TLS. No other kind is ever taken instead.
    #[must_use]
    pub fn with_transport(self, kind: TransportKind) -> Self {
        Self { boot_transport: kind, api_transport: kind, ..self }
    }

    /// Sets the kind of transport to the second broker alone. Default: that to the default broker.
    #[must_use]
    pub fn with_api_transport(self, kind: TransportKind) -> Self {
        Self { api_transport: kind, ..self }
    }

    /// Sets the path of a WebSocket. Default: `/mqtt`, as clients are seen to use; it is documented nowhere. Nor is the
    /// subprotocol, which is the MQTT client's to ask for: `mqtt`, or `mqttv3.1` with MQTT 3.1.
    #[must_use]
    pub fn with_websocket_path(self, path: impl Into<String>) -> Self {
        Self { websocket_path: path.into(), ..self }
    }

    /// Speaks MQTT 3.1, to which the documentation refers, instead of 3.1.1. Its client ids have at most 23 characters.
    #[must_use]
    pub fn with_mqtt_3_1(self) -> Self {
        Self { version: Version::V3_1, ..self }
    }

    /// Sets the keep alive on the default broker. Default: 60 s.
    #[must_use]
    pub fn with_boot_keep_alive(self, keep_alive: KeepAlive) -> Self {
        Self { boot_keep_alive: keep_alive, ..self }
    }

    /// Sets the keep alive on the second broker. Default: 300 s; very short ones load the broker.
    #[must_use]
    pub fn with_api_keep_alive(self, keep_alive: KeepAlive) -> Self {
        Self { api_keep_alive: keep_alive, ..self }
    }

    /// Connects to a second broker only if its host is one of these domains or below one of them. Default: to any, as the
    /// default broker says.
    #[must_use]
    pub fn with_trusted_hosts<H: Into<String>>(self, domains: impl IntoIterator<Item = H>) -> Self {
        Self { trusted_hosts: domains.into_iter().map(Into::into).collect(), ..self }
    }

    /// Subscribes to no pushes: for a thing that only calls the API.
    #[must_use]
    pub fn without_pushes(self) -> Self {
        Self { subscribe: false, ..self }
    }

    /// Sends this request id with the onboarding request. Default: none, as the seed page has it.
    #[must_use]
    pub fn with_onboarding_request_id(self, id: RequestId) -> Self {
        Self { onboarding_request_id: Some(id), ..self }
    }

    /// Sets how long it may take until a broker has accepted CONNECT. Default: 20 s, which is 10 s for the transport and
    /// 10 s for CONNACK.
    #[must_use]
    pub fn with_connect_timeout(self, timeout: Duration) -> Self {
        Self { connect_timeout: timeout, ..self }
    }

    /// Sets how long the answer to the onboarding request may take. Default: 30 s.
    #[must_use]
    pub fn with_onboarding_timeout(self, timeout: Duration) -> Self {
        Self { onboarding_timeout: timeout, ..self }
    }

    /// Sets how long SUBACK may take. Default: 10 s.
    #[must_use]
    pub fn with_subscribe_timeout(self, timeout: Duration) -> Self {
        Self { subscribe_timeout: timeout, ..self }
    }

    /// Sets how long the response to a call may take. Default: 30 s.
    #[must_use]
    pub fn with_request_timeout(self, timeout: Duration) -> Self {
        Self { request_timeout: timeout, ..self }
    }

    /// Sets the waits between attempts, each at least 1 ms. Default: 1 s, doubled up to 30 s, without jitter.
    ///
    /// Where many things may lose their broker at the same moment, take [`Jitter::Equal`] or [`Jitter::Full`].
    #[must_use]
    pub fn with_backoff(self, base: Duration, cap: Duration, jitter: Jitter) -> Self {
        Self { backoff: Backoff::new(base, cap, jitter), ..self }
    }

    /// Sets how long a thing waits at most because a response asks it to. Default: an hour.
    #[must_use]
    pub fn with_max_retry_after(self, limit: Duration) -> Self {
        Self { max_retry_after: limit, ..self }
    }

    /// Sets after how many failed attempts to onboard another one still follows: one failure more, and the thing gives up.
    /// Default: it never does.
    #[must_use]
    pub fn with_max_boot_attempts(self, attempts: u32) -> Self {
        Self { max_boot_attempts: Some(attempts), ..self }
    }

    /// Sets after how many failures at the second broker, the loss of a connection included, it is still tried again: one
    /// failure more, and the thing onboards again. Default: 5.
    #[must_use]
    pub fn with_max_api_attempts(self, attempts: u32) -> Self {
        Self { max_api_attempts: attempts, ..self }
    }

    /// Sets how large a received frame may be. A push has at most 65,536 bytes, whatever is set.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sets how many calls may wait for their responses. Default: 32.
    #[must_use]
    pub fn with_max_pending(self, max_pending: usize) -> Self {
        Self { max_pending, ..self }
    }

    /// Sets how many outputs may wait to be drained before inputs and commands are refused, at least 1. Default: 256.
    ///
    /// What is taken last adds at most eight, and one for each call that waits for its response.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    pub(super) fn backoff(&self) -> Backoff {
        self.backoff.clone()
    }

    /// How to connect to the default broker.
    pub(super) fn boot_options(&self) -> Result<ConnectOptions, FailReason> {
        let (kind, broker) = (self.boot_transport, &self.broker);
        let port = broker.ports.get(kind).map_err(|unavailable| FailReason::PortUnavailable {
            stage: Stage::Boot,
            unavailable,
        })?;
        let transport = kind.transport(&self.websocket_path);
        let options = ConnectOptions::new(broker.host.as_str(), port, transport, BOOT_CLIENT_ID)
            .with_credentials(self.app.user_name(), self.app.password())
            .with_keep_alive(self.boot_keep_alive.period());
        Ok(options.with_version(self.version))
    }

    /// How to connect to the second broker.
    pub(super) fn api_options(
        &self,
        endpoint: &MqttEndpoint,
    ) -> Result<ConnectOptions, FailReason> {
        let (kind, host) = (self.api_transport, endpoint.host.as_str());
        if !self.trusts(host) {
            return Err(FailReason::UntrustedHost { host: host.into() });
        }
        let port = endpoint.ports.get(kind).map_err(|unavailable| FailReason::PortUnavailable {
            stage: Stage::Api,
            unavailable,
        })?;
        let transport = kind.transport(&self.websocket_path);
        let options = ConnectOptions::new(host, port, transport, endpoint.mqtt_topic.as_str())
            .with_credentials(endpoint.user_name.as_str(), endpoint.password.clone())
            .with_keep_alive(self.api_keep_alive.period());
        Ok(options.with_version(self.version))
    }

    fn trusts(&self, host: &str) -> bool {
        let is_in = |domain: &String| {
            let above =
                host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
            above.is_some_and(|(above, rest)| {
                rest.eq_ignore_ascii_case(domain) && (above.is_empty() || above.ends_with('.'))
            })
        };
        self.trusted_hosts.is_empty() || self.trusted_hosts.iter().any(is_in)
    }
}
