//! Where events go to: the requests about subscription configurations (specification sections 7.2 and 7.3).

use alloc::vec::Vec;

use serde::Serialize;

use super::IdempotencyToken;
use crate::{
    Method, NextToken, Partition, Request, SubscriptionConfigurationId, TopicArn, request::Target,
};

/// A subscription configuration to be created: the topics that events go to.
///
/// There is no update: to change one, see [`Replacement`](super::Replacement).
///
/// ```
/// use smart_properties::{TopicArn, messenger::CreateConfiguration};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let request = CreateConfiguration::new([topic])?.request();
/// assert_eq!(request.path_and_query(), "/v1/eventMessenger/subscriptionConfigurations");
/// assert_eq!(
///     request.body(),
///     Some(r#"{"deliveryChannels":[{"type":"SNS","id":"arn:aws:sns:us-east-1:123456789012:asp-events"}]}"#),
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CreateConfiguration {
    topics: Vec<TopicArn>,
    idempotency_token: Option<IdempotencyToken>,
}

/// Why events cannot go there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// There is no topic at all.
    #[error("a subscription configuration needs at least one topic")]
    NoChannel,
    /// Messages of FIFO topics are said to carry no signature.
    #[error(
        "the topic is a FIFO topic, whose messages could not be verified: use a standard topic"
    )]
    FifoTopic,
    /// Who publishes is in the partition `aws`, and cannot publish in another one.
    #[error("the topic is in the partition {}, events come from aws: use a topic there", found.as_str())]
    WrongPartition {
        /// That of the topic.
        found: Partition,
    },
}

impl CreateConfiguration {
    /// Events go to all of these topics.
    ///
    /// # Errors
    /// There is none, or one that Alexa cannot publish to, or whose messages could not be verified.
    pub fn new(topics: impl IntoIterator<Item = TopicArn>) -> Result<Self, ChannelError> {
        let topics: Vec<_> = topics.into_iter().collect();
        if topics.is_empty() {
            return Err(ChannelError::NoChannel);
        }
        topics.iter().try_for_each(check_topic)?;
        Ok(Self { topics, idempotency_token: None })
    }

    /// Adds the member `idempotencyToken`.
    #[must_use]
    pub fn with_idempotency_token(mut self, token: IdempotencyToken) -> Self {
        self.idempotency_token = Some(token);
        self
    }

    /// The topics: at least one.
    #[must_use]
    pub fn topics(&self) -> &[TopicArn] {
        &self.topics
    }

    /// The request. Its answer is read by [`Created::read`](crate::Created::read).
    #[must_use]
    pub fn request(&self) -> Request {
        let channel = |topic| Channel { kind: SNS, id: TopicArn::as_str(topic) };
        Request::new(Method::Post, Target::new(PATH)).with_json(&Body {
            idempotency_token: self.idempotency_token.as_ref().map(IdempotencyToken::as_str),
            delivery_channels: self.topics.iter().map(channel).collect(),
        })
    }
}

/// Reads one configuration. Its answer is read by [`Resource::read`](crate::Resource::read).
#[must_use]
pub fn get_configuration(id: &SubscriptionConfigurationId<'_>) -> Request {
    Request::new(Method::Get, one(id))
}

/// Deletes one configuration. Whether it succeeded, [`Response::success`](crate::Response::success) tells.
#[must_use]
pub fn delete_configuration(id: &SubscriptionConfigurationId<'_>) -> Request {
    Request::new(Method::Delete, one(id))
}

/// Which configurations to list: those of the caller, which its access token's customer created.
///
/// ```
/// use smart_properties::messenger::ListConfigurations;
///
/// let request = ListConfigurations::default().with_max_results(100).request();
/// assert_eq!(
///     request.path_and_query(),
///     "/v1/eventMessenger/subscriptionConfigurations?owner=~caller&maxResults=100",
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ListConfigurations {
    max_results: Option<u32>,
    next_token: Option<NextToken<'static>>,
}

impl ListConfigurations {
    /// At most so many a page. What the service allows is not documented; its command line client asks for 100.
    #[must_use]
    pub const fn with_max_results(mut self, max_results: u32) -> Self {
        self.max_results = Some(max_results);
        self
    }

    /// The page behind the one that ended with this token.
    #[must_use]
    pub fn after(mut self, token: NextToken<'_>) -> Self {
        self.next_token = Some(token.into_owned());
        self
    }

    /// The request. Its answer is read by [`Page::read`](crate::Page::read).
    #[must_use]
    pub fn request(&self) -> Request {
        let target = Target::new(PATH).query("owner", "~caller");
        Request::new(Method::Get, page(target, self.max_results, self.next_token.as_ref()))
    }
}

/// Whether events can go to a topic.
pub(crate) fn check_topic(topic: &TopicArn) -> Result<(), ChannelError> {
    match topic.partition() {
        Partition::Aws if topic.is_fifo() => Err(ChannelError::FifoTopic),
        Partition::Aws => Ok(()),
        found => Err(ChannelError::WrongPartition { found }),
    }
}

/// What both lists end with.
pub(super) fn page(
    target: Target,
    max_results: Option<u32>,
    next_token: Option<&NextToken<'_>>,
) -> Target {
    let max_results = max_results.map(|max| alloc::format!("{max}"));
    target
        .maybe_query("maxResults", max_results.as_deref())
        .maybe_query("nextToken", next_token.map(NextToken::as_str))
}

fn one(id: &SubscriptionConfigurationId<'_>) -> Target {
    Target::new(alloc::format!("{PATH}/{id}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_token: Option<&'a str>,
    delivery_channels: Vec<Channel<'a>>,
}

#[derive(Serialize)]
struct Channel<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
}

/// The only type of delivery channel there is.
pub(super) const SNS: &str = "SNS";
const PATH: &str = "/v1/eventMessenger/subscriptionConfigurations";
