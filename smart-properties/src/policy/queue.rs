//! The statement that lets a topic send to a queue (specification section 8).

use alloc::{format, string::String};
use core::fmt;

use serde::Serialize;

use super::{
    Merged, PolicyError,
    merge::{merge, whole},
};
use crate::{TopicArn, request::json};

/// The Amazon Resource Name of an SQS queue: `arn:{partition}:sqs:{region}:{account}:{queue}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueArn(String);

/// Why a text is not the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum QueueArnError {
    /// It names something of another service.
    #[error("the ARN is not that of an SQS queue")]
    NotSqs,
    /// A field is not as it must be, or there are not six of them.
    #[error(
        "not arn:PARTITION:sqs:REGION:ACCOUNT:QUEUE with a queue of at most {MAX_NAME_BYTES} bytes"
    )]
    BadQueueArn,
}

impl QueueArn {
    /// Reads the name of a queue.
    ///
    /// # Errors
    /// It names something else, or one of its fields is not as it must be.
    pub fn new(arn: impl Into<String>) -> Result<Self, QueueArnError> {
        let arn = arn.into();
        // All fields but the service are as in the name of a topic.
        let mut fields = arn.splitn(4, ':');
        let (scheme, partition) = (fields.next(), fields.next());
        let (service, rest) = (fields.next(), fields.next());
        let (Some(scheme), Some(partition), Some(service), Some(rest)) =
            (scheme, partition, service, rest)
        else {
            return Err(QueueArnError::BadQueueArn);
        };
        if service != "sqs" {
            return Err(QueueArnError::NotSqs);
        }
        match TopicArn::new(format!("{scheme}:{partition}:sns:{rest}")) {
            Ok(alike) if alike.name().len() <= MAX_NAME_BYTES => Ok(Self(arn)),
            _ => Err(QueueArnError::BadQueueArn),
        }
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueueArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for QueueArn {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The statement that lets a topic send to a queue that is subscribed to it.
///
/// ```
/// use smart_properties::{TopicArn, policy::{QueueArn, QueueStatement}};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let queue = QueueArn::new("arn:aws:sqs:us-east-1:123456789012:asp-queue")?;
/// let statement = QueueStatement::new(&topic, &queue);
/// assert_eq!(statement.to_json(), concat!(
///     r#"{"Sid":"grant-sns-us-east-1-123456789012-asp-events","Effect":"Allow","#,
///     r#""Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","#,
///     r#""Resource":"arn:aws:sqs:us-east-1:123456789012:asp-queue","#,
///     r#""Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:123456789012:asp-events"}}}"#,
/// ));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QueueStatement {
    topic: TopicArn,
    queue: QueueArn,
}

impl QueueStatement {
    /// The statement for this topic and this queue.
    #[must_use]
    pub fn new(topic: &TopicArn, queue: &QueueArn) -> Self {
        Self { topic: topic.clone(), queue: queue.clone() }
    }

    /// What the statement is called: another name for each topic, as a queue may be subscribed to several.
    #[must_use]
    pub fn sid(&self) -> String {
        let (region, account) = (self.topic.region(), self.topic.account());
        format!("grant-sns-{region}-{account}-{}", self.topic.name())
    }

    /// The statement: one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        json(&Body {
            sid: &self.sid(),
            effect: "Allow",
            principal: Principal { service: "sns.amazonaws.com" },
            action: "sqs:SendMessage",
            resource: self.queue.as_str(),
            condition: Condition { arn_equals: SourceArn { topic: self.topic.as_str() } },
        })
    }

    /// A whole policy with this statement alone.
    #[must_use]
    pub fn to_policy(&self) -> String {
        whole(&self.to_json())
    }

    /// The policy of the queue with this statement in it, see [`AlexaStatement::merge`](super::AlexaStatement::merge).
    ///
    /// # Errors
    /// It is not a policy that can be read, several statements have our `Sid`, or it would become too long.
    pub fn merge(&self, existing: Option<&str>) -> Result<Merged, PolicyError> {
        merge(existing, &self.sid(), &self.to_json())
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
    condition: Condition<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Principal<'a> {
    service: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition<'a> {
    arn_equals: SourceArn<'a>,
}

#[derive(Serialize)]
struct SourceArn<'a> {
    #[serde(rename = "aws:SourceArn")]
    topic: &'a str,
}

const MAX_NAME_BYTES: usize = 80;
