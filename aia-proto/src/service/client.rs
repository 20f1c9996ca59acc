//! One device, as the service knows it.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use iot_sansio::MonoTime;

use super::{Config, fault::Faults, rate::Rate, speaker::Speaker};
use crate::{
    ApiVersion, Leaf,
    channel::{Channel, Seen},
    device::Capabilities,
    protect::SharedSecret,
};

/// A device that registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client {
    pub(super) aws_account_id: String,
    /// The newest.
    pub(super) secret: SharedSecret,
    /// The one before the last rotation, which the device may have still.
    pub(super) previous: Option<SharedSecret>,
    /// Those that were accepted last.
    pub(super) capabilities: Option<Capabilities>,
    /// The largest message that they allow.
    pub(super) max_size: usize,
    pub(super) connection: Option<Connection>,
    /// The version of a connection that ended without a word to the device.
    pub(super) left: Option<ApiVersion>,
    pub(super) seen: Seen,
    pub(super) faults: Faults,
    last_sent: BTreeMap<Leaf, Sealed>,
}

/// A connection of a device.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    pub(super) version: ApiVersion,
    pub(super) since: MonoTime,
    pub(super) phase: Phase,
    /// Whether a message has shown which secret the device has.
    pub(super) is_decided: bool,
    pub(super) channel: Channel,
    /// Until when `SecretRotated` is waited for.
    pub(super) rotation_deadline: Option<MonoTime>,
    /// The largest message that the device takes, in bytes.
    pub(super) max_size: usize,
    pub(super) rates: BTreeMap<Leaf, Rate>,
    pub(super) speaker: Speaker,
}

/// What the device has sent on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Nothing.
    Fresh,
    /// Its capabilities are accepted.
    Active,
    /// Something else than capabilities that are accepted.
    NoCapabilities,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Sealed(Vec<u8>);

impl Client {
    pub(super) fn new(aws_account_id: String, secret: SharedSecret, config: &Config) -> Self {
        Self {
            aws_account_id,
            secret,
            previous: None,
            capabilities: None,
            max_size: MIN_SIZE,
            connection: None,
            left: None,
            seen: Seen::new(config.remembered_ivs),
            faults: Faults::default(),
            last_sent: BTreeMap::new(),
        }
    }

    pub(super) fn deadline(&self) -> Option<MonoTime> {
        let connection = self.connection.as_ref()?;
        let deadlines = [
            connection.channel.deadline(),
            connection.rotation_deadline,
            connection.speaker.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub(super) fn last_sent(&self, leaf: Leaf) -> Option<&[u8]> {
        self.last_sent.get(&leaf).map(|message| message.0.as_slice())
    }

    pub(super) fn set_last_sent(&mut self, leaf: Leaf, message: Vec<u8>) {
        self.last_sent.insert(leaf, Sealed(message));
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

/// What every device takes, in bytes: the least that `maxSizeInBytes` may be.
pub(super) const MIN_SIZE: usize = 1_500;
/// The most that `maxSizeInBytes` may be.
pub(super) const MAX_SIZE: usize = 128_000;
