//! Where a session stands, and until when.

use alloc::boxed::Box;
use core::time::Duration;

use iot_sansio::{MonoTime, Secret, UnixMillis, amqp::Connection};

use super::FailureClass;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Not started yet.
    Idle,
    /// For the next attempt.
    Waiting {
        until: MonoTime,
    },
    /// `again` once an answer could not be used.
    CredentialWanted {
        at: UnixMillis,
        again: bool,
    },
    Dialing {
        connection: Connection,
        until: MonoTime,
        login: Box<(Secret, Secret)>,
    },
    Opening {
        connection: Connection,
        until: MonoTime,
    },
    Attaching {
        connection: Connection,
        until: MonoTime,
        peer_idle_timeout: Option<Duration>,
    },
    Running {
        connection: Connection,
        since: MonoTime,
    },
    Closing {
        connection: Connection,
        until: MonoTime,
        then: Then,
    },
    Stopped,
}

/// What comes after a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Then {
    Stop,
    Start,
    Retry(FailureClass),
}

impl State {
    /// When something happens by itself.
    pub(super) const fn until(&self) -> Option<MonoTime> {
        match self {
            Self::Waiting { until }
            | Self::Dialing { until, .. }
            | Self::Opening { until, .. }
            | Self::Attaching { until, .. }
            | Self::Closing { until, .. } => Some(*until),
            Self::Idle | Self::CredentialWanted { .. } | Self::Running { .. } | Self::Stopped => {
                None
            }
        }
    }

    /// The connection that there is, whatever its condition.
    pub(super) const fn connection(&self) -> Option<Connection> {
        match self {
            Self::Dialing { connection, .. }
            | Self::Opening { connection, .. }
            | Self::Attaching { connection, .. }
            | Self::Running { connection, .. }
            | Self::Closing { connection, .. } => Some(*connection),
            Self::Idle | Self::Waiting { .. } | Self::CredentialWanted { .. } | Self::Stopped => {
                None
            }
        }
    }
}
