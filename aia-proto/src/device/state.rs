//! Where a device stands, and until when.

use alloc::vec::Vec;

use iot_sansio::{MonoTime, Secret, mqtt::Token};

use super::{Blocked, RegistrationNeed};
use crate::{ApiVersion, Leaf, MessageId, registration::Authentication};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// There is no secret.
    Unregistered,
    /// The service was asked for one, or will be.
    Registering(Registering),
    /// There is no MQTT connection.
    Offline,
    /// The topics of the service are subscribed to.
    Subscribing { waiting: Vec<(Token, Leaf)>, until: MonoTime },
    /// `Connect` was sent.
    Connecting {
        id: MessageId,
        until: MonoTime,
        /// What a `Disconnect` of an earlier connection asked for meanwhile (row 20).
        remembered: Option<RegistrationNeed>,
    },
    /// For the next `Connect`.
    Backoff { until: MonoTime },
    /// Connected; the set of capabilities was sent.
    AwaitCapsAck { id: MessageId, until: MonoTime },
    /// Connected; the waits begin anew at that time.
    Ready { stable_at: Option<MonoTime> },
    /// The application must correct something.
    Blocked(Blocked),
    /// The application must register the device again.
    NeedsRegistration(RegistrationNeed),
    /// The application asked for it.
    Closed,
}

/// A registration under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Registering {
    pub(super) authentication: Authentication,
    pub(super) version: ApiVersion,
    /// What the key pair is made of.
    pub(super) random: Secret,
    /// When the request is repeated; none while its answer is awaited.
    pub(super) until: Option<MonoTime>,
    /// How many requests have failed for now.
    pub(super) failures: u32,
    /// The service refused the key once already (row 4).
    pub(super) is_key_refused: bool,
}

impl State {
    /// When something happens by itself.
    pub(super) const fn until(&self) -> Option<MonoTime> {
        match self {
            Self::Subscribing { until, .. }
            | Self::Connecting { until, .. }
            | Self::Backoff { until }
            | Self::AwaitCapsAck { until, .. } => Some(*until),
            Self::Ready { stable_at } => *stable_at,
            Self::Registering(registering) => registering.until,
            Self::Unregistered
            | Self::Offline
            | Self::Blocked(_)
            | Self::NeedsRegistration(_)
            | Self::Closed => None,
        }
    }

    /// Whether the service has accepted a connection.
    pub(super) const fn is_connected(&self) -> bool {
        matches!(self, Self::AwaitCapsAck { .. } | Self::Ready { .. })
    }
}
