//! What a service is told before it begins.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::time::Duration;

use iot_sansio::mqtt::Qos;

use crate::{
    ApiVersion, ClientId, TopicRoot,
    connection::AcknowledgeCode,
    protect::{IvGenerator, SharedSecret},
    sequence,
};

/// The settings of a [`Service`](super::Service).
///
/// ```
/// use core::time::Duration;
/// use aia_proto::{ClientId, TopicRoot, protect::SharedSecret, sequence, service::Config};
///
/// // A test that does not want to register: the device is known, and lost messages are missed within a second.
/// let seed = [7; 32]; // of a generator fit for keys
/// let config = Config::new(TopicRoot::new("$aws/alexa")?, seed)
///     .with_device("123456789012", ClientId::new("my-thing-01")?, SharedSecret::from(&[1; 32]))
///     .with_order(sequence::Config::default().with_gap_time(Duration::from_secs(1)));
/// # Ok::<(), aia_proto::InvalidTopicPart>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) topic_root: TopicRoot,
    pub(super) generator: IvGenerator,
    pub(super) versions: Vec<ApiVersion>,
    pub(super) devices: BTreeMap<ClientId, (String, SharedSecret)>,
    pub(super) unknown_device: Option<AcknowledgeCode>,
    pub(super) order: sequence::Config,
    pub(super) remembered_ivs: usize,
    pub(super) max_rate: Option<usize>,
    pub(super) rotation_margin: u32,
    pub(super) rotation_timeout: Duration,
    pub(super) kept_speaker: usize,
    pub(super) redrive_interval: Duration,
    pub(super) publish_qos: Qos,
    pub(super) subscribe_qos: Qos,
    pub(super) max_devices: usize,
    pub(super) max_faults: usize,
    pub(super) max_queued: usize,
}

impl Config {
    /// A service behind this root, which serves version 1. From the seed comes all that it makes up: keys, IVs, message
    /// ids. So take 32 bytes of a generator fit for keys, and no seed twice.
    #[must_use]
    pub fn new(topic_root: TopicRoot, seed: [u8; 32]) -> Self {
        Self {
            topic_root,
            generator: IvGenerator::new(seed),
            versions: Vec::from([ApiVersion::V1]),
            devices: BTreeMap::new(),
            unknown_device: Some(AcknowledgeCode::InvalidClientId),
            order: sequence::Config::default(),
            remembered_ivs: 256,
            max_rate: Some(20),
            rotation_margin: 2,
            rotation_timeout: Duration::from_secs(60),
            kept_speaker: 32,
            redrive_interval: Duration::from_millis(250),
            publish_qos: Qos::AtMostOnce,
            subscribe_qos: Qos::AtLeastOnce,
            max_devices: 10_000,
            max_faults: 100,
            max_queued: 1_024,
        }
    }

    /// Sets the versions that are subscribed to and served, version 1 by default.
    /// [`deprecate_version`](super::Service::deprecate_version) takes one out, and goes on answering for it.
    #[must_use]
    pub fn with_versions(self, versions: impl Into<Vec<ApiVersion>>) -> Self {
        Self { versions: versions.into(), ..self }
    }

    /// Adds a device that has registered already: its AWS account, its client id and the secret that it shares with the
    /// service. There is none by default.
    #[must_use]
    pub fn with_device(
        mut self,
        aws_account_id: impl Into<String>,
        client_id: ClientId,
        secret: SharedSecret,
    ) -> Self {
        self.devices.insert(client_id, (aws_account_id.into(), secret));
        self
    }

    /// Sets how the `Connect` of a device that never registered is answered, `INVALID_CLIENT_ID` by default. Real devices
    /// were answered `ENCRYPTION_ERROR` after their user had removed them, and others were not answered at all.
    #[must_use]
    pub fn with_unknown_device(self, answer: Option<AcknowledgeCode>) -> Self {
        Self { unknown_device: answer, ..self }
    }

    /// Sets how far and how long messages of a device may be out of order.
    #[must_use]
    pub fn with_order(self, order: sequence::Config) -> Self {
        Self { order, ..self }
    }

    /// Sets how many IVs are remembered of each topic of a device, against replays from an earlier connection: 256 by
    /// default, and none with 0.
    #[must_use]
    pub fn with_remembered_ivs(self, remembered_ivs: usize) -> Self {
        Self { remembered_ivs, ..self }
    }

    /// Sets how many messages a device may send on a topic in a second, 20 by default; none is as many as it likes, for
    /// networks that delay messages and deliver them in bursts.
    #[must_use]
    pub fn with_max_rate(self, max_rate: Option<usize>) -> Self {
        Self { max_rate, ..self }
    }

    /// Sets how many more messages of each topic the old secret protects after a `RotateSecret`, which can be sent before it
    /// is answered: 2 by default.
    #[must_use]
    pub fn with_rotation_margin(self, rotation_margin: u32) -> Self {
        Self { rotation_margin, ..self }
    }

    /// Sets how long `SecretRotated` is waited for before messages go out under the new secret, 60 s by default.
    #[must_use]
    pub fn with_rotation_timeout(self, rotation_timeout: Duration) -> Self {
        Self { rotation_timeout, ..self }
    }

    /// Sets how many messages of `speaker` are kept for a device that has no room for them, 32 by default.
    #[must_use]
    pub fn with_kept_speaker(self, kept_speaker: usize) -> Self {
        Self { kept_speaker, ..self }
    }

    /// Sets the time before each message of `speaker` that is sent again, 250 ms by default.
    #[must_use]
    pub fn with_redrive_interval(self, redrive_interval: Duration) -> Self {
        Self { redrive_interval, ..self }
    }

    /// Sets the quality of service, to publish with and to subscribe with: 0 and 1 by default.
    #[must_use]
    pub fn with_qos(self, publish: Qos, subscribe: Qos) -> Self {
        Self { publish_qos: publish, subscribe_qos: subscribe, ..self }
    }

    /// Sets how many devices may be registered, 10,000 by default: one more is answered `INTERNAL_SERVER_ERROR`.
    #[must_use]
    pub fn with_max_devices(self, max_devices: usize) -> Self {
        Self { max_devices, ..self }
    }

    /// Sets how many faults of each device may wait, 100 by default.
    #[must_use]
    pub fn with_max_faults(self, max_faults: usize) -> Self {
        Self { max_faults, ..self }
    }

    /// Sets the number of queued outputs from which on inputs and commands are refused, 1 at least and 1,024 by default.
    ///
    /// What one of them says, and what comes by itself as time passes, may come on top.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }
}
