//! Where a thing stands, and until when.

use iot_sansio::{
    MonoTime,
    mqtt::{Link, Token},
};

use crate::Stage;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Not started yet.
    Idle,
    /// A broker was asked for a connection.
    Connecting {
        stage: Stage,
        link: Link,
        until: MonoTime,
    },
    /// The onboarding request is sent.
    Onboarding {
        link: Link,
        token: Token,
        until: MonoTime,
    },
    /// The subscription to pushes is asked for.
    Subscribing {
        link: Link,
        token: Token,
        until: MonoTime,
    },
    Ready {
        link: Link,
    },
    /// For the next attempt.
    Waiting {
        stage: Stage,
        until: MonoTime,
    },
    /// It gave up, or was stopped.
    Ended,
}

impl State {
    /// When something happens by itself.
    pub(super) const fn until(self) -> Option<MonoTime> {
        match self {
            Self::Connecting { until, .. }
            | Self::Onboarding { until, .. }
            | Self::Subscribing { until, .. }
            | Self::Waiting { until, .. } => Some(until),
            Self::Idle | Self::Ready { .. } | Self::Ended => None,
        }
    }

    /// The connection that there is, whatever its condition.
    pub(super) const fn link(self) -> Option<Link> {
        match self {
            Self::Connecting { link, .. }
            | Self::Onboarding { link, .. }
            | Self::Subscribing { link, .. }
            | Self::Ready { link } => Some(link),
            Self::Idle | Self::Waiting { .. } | Self::Ended => None,
        }
    }

    /// Whether there is a connection to the second broker, or one is asked for.
    pub(super) const fn is_at_api(self) -> bool {
        matches!(
            self,
            Self::Connecting { stage: Stage::Api, .. }
                | Self::Subscribing { .. }
                | Self::Ready { .. }
        )
    }
}
