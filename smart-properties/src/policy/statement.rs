//! The statement that lets Alexa publish (specification section 8).

use alloc::string::String;

use serde::Serialize;

use super::{
    Grant, Merged, PolicyError,
    check::check,
    merge::{merge, whole},
};
use crate::{
    TopicArn,
    messenger::{ChannelError, check_topic},
    request::json,
};

/// The statement that lets Alexa publish events to a topic.
///
/// ```
/// use smart_properties::{TopicArn, policy::{AlexaStatement, Change, Grant}};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let statement = AlexaStatement::new(&topic)?;
/// // What the topic has, for example as `GetTopicAttributes` returned it.
/// let existing = r#"{"Version": "2008-10-17", "Statement": {"Sid": "d1", "Effect": "Allow",
///     "Principal": {"AWS": "*"}, "Action": "SNS:Subscribe", "Resource": "*"}}"#;
/// assert_eq!(statement.check(existing)?, Grant::No);
///
/// let merged = statement.merge(Some(existing))?;
/// assert_eq!(merged.change, Change::Added);
/// assert!(merged.policy.starts_with(r#"{"Version": "2008-10-17", "Statement": [{"Sid": "d1", "#));
/// assert_eq!(statement.check(&merged.policy)?, Grant::Yes);
/// assert_eq!(statement.merge(Some(&merged.policy))?.change, Change::Unchanged);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlexaStatement {
    topic: TopicArn,
}

impl AlexaStatement {
    /// What the statement is called.
    pub const SID: &str = "grant-alexa-event-sns-publish";
    /// The role that publishes.
    pub const PRINCIPAL: &str = "arn:aws:iam::006860194444:role/AlexaEventConsumerSnsIamRole";

    /// The statement for this topic.
    ///
    /// # Errors
    /// Alexa cannot publish there, or its messages could not be verified; see [`ChannelError`].
    pub fn new(topic: &TopicArn) -> Result<Self, ChannelError> {
        check_topic(topic)?;
        Ok(Self { topic: topic.clone() })
    }

    /// The topic.
    #[must_use]
    pub const fn topic(&self) -> &TopicArn {
        &self.topic
    }

    /// The statement: one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        json(&Body {
            sid: Self::SID,
            effect: "Allow",
            principal: Principal { aws: [Self::PRINCIPAL] },
            action: "sns:Publish",
            resource: self.topic.as_str(),
        })
    }

    /// A whole policy with this statement alone.
    #[must_use]
    pub fn to_policy(&self) -> String {
        whole(&self.to_json())
    }

    /// The policy of the topic with this statement in it; a statement is ours by its `Sid`. Without a policy it is a
    /// whole new one.
    ///
    /// Merging twice changes nothing the second time, also where the policy was stored with the one principal as a text
    /// instead of a list.
    ///
    /// # Errors
    /// It is not a policy that can be read, several statements have our `Sid`, or it would become too long.
    pub fn merge(&self, existing: Option<&str>) -> Result<Merged, PolicyError> {
        merge(existing, Self::SID, &self.to_json())
    }

    /// Whether a policy lets Alexa publish to the topic, by whichever statement.
    ///
    /// # Errors
    /// It is not a policy that can be read.
    pub fn check(&self, policy: &str) -> Result<Grant, PolicyError> {
        check(policy, &self.topic)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    sid: &'a str,
    effect: &'a str,
    principal: Principal<'a>,
    action: &'a str,
    resource: &'a str,
}

#[derive(Serialize)]
struct Principal<'a> {
    #[serde(rename = "AWS")]
    aws: [&'a str; 1],
}
