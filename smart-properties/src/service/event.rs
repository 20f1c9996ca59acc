//! What a topic tells whoever tests with it.

use alloc::string::String;
use core::fmt;

use super::{Attempt, DeliveryId, SubscriptionArn};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A subscription was confirmed: it gets what is published from now on.
    Confirmed {
        /// The subscription.
        subscription: SubscriptionArn,
    },
    /// An attempt has failed; another one follows, or [`GivenUp`](Self::GivenUp).
    AttemptFailed {
        /// The attempt.
        attempt: Attempt,
        /// Why.
        failure: Failure,
    },
    /// An endpoint took a message.
    Delivered(Ended),
    /// A message will not be sent to this subscription any more.
    GivenUp {
        /// Which.
        ended: Ended,
        /// Why.
        reason: GivenUp,
    },
}

/// A delivery that is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ended {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The message.
    pub message_id: MessageId,
    /// The subscription.
    pub subscription: SubscriptionArn,
    /// How many attempts there were.
    pub attempts: u32,
}

/// The id of a message, a UUID: the same for all subscriptions and attempts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub(super) String);

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The endpoint could not be reached, or the connection broke.
    Unreachable,
    /// The endpoint did not answer in time.
    Timeout,
    /// The endpoint answered with this status, outside 200 to 499.
    Status(u16),
}

/// Why a delivery was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GivenUp {
    /// The endpoint answered with this status, 300 to 499: it will not take the message, however often it is sent.
    Refused(u16),
    /// Every attempt that the policy allows has failed, the last for this reason.
    Exhausted(Failure),
    /// The subscription ended first.
    Unsubscribed,
}

impl MessageId {
    /// The UUID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
