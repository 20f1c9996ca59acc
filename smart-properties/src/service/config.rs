//! What a topic is like.

use core::time::Duration;

use super::RetryPolicy;
use crate::{TopicArn, sns::SignatureVersion};

/// The settings of a [`Topic`](super::Topic).
///
/// ```
/// use smart_properties::{TopicArn, service::Config, sns::SignatureVersion};
///
/// let arn = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let config = Config::new(arn).with_signature_version(SignatureVersion::V1).with_seed(7);
/// # Ok::<(), smart_properties::TopicArnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) arn: TopicArn,
    pub(super) signature_version: SignatureVersion,
    pub(super) http_retries: RetryPolicy,
    pub(super) queue_retries: RetryPolicy,
    pub(super) confirmation_window: Duration,
    pub(super) max_subscriptions: usize,
    pub(super) max_deliveries: usize,
    pub(super) max_queued: usize,
    pub(super) seed: u64,
}

impl Config {
    /// A topic of this name that signs with version 2 and retries as SNS does; a subscription may be confirmed for
    /// three days, and there may be 100 of them, 10,000 deliveries and 1,024 outputs.
    #[must_use]
    pub const fn new(arn: TopicArn) -> Self {
        Self {
            arn,
            signature_version: SignatureVersion::V2,
            http_retries: RetryPolicy::http(),
            queue_retries: RetryPolicy::queue(),
            confirmation_window: Duration::from_secs(3 * 24 * 60 * 60),
            max_subscriptions: 100,
            max_deliveries: 10_000,
            max_queued: 1_024,
            seed: 0,
        }
    }

    /// Sets how messages are signed, version 2 by default; a real topic starts with version 1.
    #[must_use]
    pub fn with_signature_version(self, signature_version: SignatureVersion) -> Self {
        Self { signature_version, ..self }
    }

    /// Sets how deliveries over HTTP are retried, [`RetryPolicy::http`] by default.
    #[must_use]
    pub fn with_http_retries(self, http_retries: RetryPolicy) -> Self {
        Self { http_retries, ..self }
    }

    /// Sets how deliveries to queues and functions are retried, [`RetryPolicy::queue`] by default.
    #[must_use]
    pub fn with_queue_retries(self, queue_retries: RetryPolicy) -> Self {
        Self { queue_retries, ..self }
    }

    /// Sets how long a subscription waits to be confirmed, three days by default: after that it is gone.
    #[must_use]
    pub fn with_confirmation_window(self, confirmation_window: Duration) -> Self {
        Self { confirmation_window, ..self }
    }

    /// Sets how many subscriptions there may be, 100 by default: one more is refused.
    #[must_use]
    pub fn with_max_subscriptions(self, max_subscriptions: usize) -> Self {
        Self { max_subscriptions, ..self }
    }

    /// Sets how many deliveries may be open, 10,000 by default: more are refused.
    #[must_use]
    pub fn with_max_deliveries(self, max_deliveries: usize) -> Self {
        Self { max_deliveries, ..self }
    }

    /// Sets the number of queued outputs from which on inputs and commands are refused, 1 at least and 1,024 by
    /// default.
    ///
    /// What one of them says, and what is due before it, may come on top.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    /// Sets the seed of ids and tokens, 0 by default: with the same one all is the same.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}
