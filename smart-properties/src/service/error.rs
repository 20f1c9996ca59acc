//! Why a topic refuses an input or a command.

use super::SubscriptionArn;
use crate::sns::EnvelopeError;

/// Why a [`Topic`](super::Topic) refuses an input or a command; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then try again")]
    QueueFull {
        /// How many may be.
        limit: usize,
    },
    /// There are as many subscriptions as may be.
    #[error("the topic has {limit} subscriptions: end some, or allow more")]
    TooManySubscriptions {
        /// How many may be.
        limit: usize,
    },
    /// As many deliveries are open as may.
    #[error("{open} deliveries are open and {more} would be: at most {limit} are allowed")]
    TooManyDeliveries {
        /// How many are.
        open: usize,
        /// How many this would add.
        more: usize,
        /// How many may be.
        limit: usize,
    },
    /// The message is empty, or has too many bytes.
    #[error("the message has {bytes} bytes: 1 to {limit} are allowed")]
    MessageSize {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        limit: usize,
    },
    /// The subject has a control character in it.
    #[error("no message of SNS can be made of this: {0}")]
    BadPublication(#[from] EnvelopeError),
    /// The wall clock reads a year that messages cannot have.
    #[error("the wall clock reads a year that does not have four digits: set it")]
    NoDate,
    /// No subscription waits for this token.
    #[error("no subscription can be confirmed by this token: subscribe again for a new one")]
    UnknownToken,
    /// There is no such subscription, or it is not confirmed.
    #[error("there is no confirmed subscription {subscription}")]
    UnknownSubscription {
        /// The subscription.
        subscription: SubscriptionArn,
    },
}
