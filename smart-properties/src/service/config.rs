//! What a topic is like.

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
    pub(super) retries: RetryPolicy,
    pub(super) max_subscriptions: usize,
    pub(super) max_deliveries: usize,
    pub(super) max_queued: usize,
    pub(super) seed: u64,
}

impl Config {
    /// A topic of this name that signs with version 2 and retries as SNS does over HTTP; there may be 100 subscriptions,
    /// 10,000 deliveries and 1,024 outputs.
    #[must_use]
    pub const fn new(arn: TopicArn) -> Self {
        Self {
            arn,
            signature_version: SignatureVersion::V2,
            retries: RetryPolicy::http(),
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

    /// Sets how deliveries are retried, [`RetryPolicy::http`] by default.
    #[must_use]
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        Self { retries, ..self }
    }

    /// Sets how many subscriptions there may be, confirmed or not, 100 by default: one more is refused.
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
