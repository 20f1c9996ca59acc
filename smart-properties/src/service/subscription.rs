//! Who receives what is published.

use alloc::{format, string::String};
use core::fmt;

use iot_sansio::Secret;

use crate::TopicArn;

/// Where deliveries go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// A URL of HTTP or HTTPS that takes a POST.
    Http(String),
    /// An SQS queue, by its ARN.
    Queue(String),
    /// A Lambda function, by its ARN.
    Function(String),
}

/// What an endpoint gets of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The message in its envelope, signed.
    #[default]
    Envelope,
    /// The text alone; a function gets the envelope all the same, as SNS has nothing else for it.
    Raw,
}

/// The name of a subscription: the topic's ARN, a colon, and a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionArn(String);

impl SubscriptionArn {
    pub(super) fn new(topic: &TopicArn, uuid: &str) -> Self {
        Self(format!("{topic}:{uuid}"))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriptionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Subscription {
    pub(super) endpoint: Endpoint,
    pub(super) form: Form,
    /// What confirms it: of its first confirmation, or after an unsubscription of that one.
    pub(super) token: Secret,
    pub(super) is_confirmed: bool,
}

/// The URL that confirms a subscription when someone visits it.
pub(super) fn subscribe_url(topic: &TopicArn, token: &str) -> String {
    let host = host(topic);
    format!("https://{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}")
}

/// The URL that ends a subscription; it is in every notification, and nobody signs it.
pub(super) fn unsubscribe_url(topic: &TopicArn, subscription: &SubscriptionArn) -> String {
    format!("https://{}/?Action=Unsubscribe&SubscriptionArn={subscription}", host(topic))
}

/// The host of SNS in the region of a topic.
pub(super) fn host(topic: &TopicArn) -> String {
    format!("sns.{}.{}", topic.region(), topic.partition().domain())
}
