//! The name of an SNS topic (specification sections 1 and 5.4).

use alloc::string::String;
use core::fmt;

/// The Amazon Resource Name of an SNS topic: `arn:{partition}:sns:{region}:{account}:{topic}`.
///
/// ```
/// use smart_properties::{Partition, TopicArn};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// assert_eq!(topic.partition(), Partition::Aws);
/// assert_eq!((topic.region(), topic.name()), ("us-east-1", "asp-events"));
/// # Ok::<(), smart_properties::TopicArnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicArn(String);

/// A group of AWS regions with its own host names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-us-gov`: GovCloud.
    AwsUsGov,
    /// `aws-cn`: China.
    AwsCn,
}

impl TopicArn {
    /// Reads the name of a topic.
    ///
    /// # Errors
    /// Says which of its six fields is not as it must be.
    pub fn new(arn: impl Into<String>) -> Result<Self, TopicArnError> {
        let arn = arn.into();
        let [scheme, partition, service, region, account, name] = fields(&arn)
            .filter(|_| arn.split(':').count() == FIELDS)
            .ok_or(TopicArnError::BadTopicArn { field: "arn" })?;
        if scheme != "arn" {
            return Err(TopicArnError::BadTopicArn { field: "arn" });
        }
        if service != "sns" {
            return Err(TopicArnError::NotSns);
        }
        if Partition::of(partition).is_none() {
            return Err(TopicArnError::UnknownPartition);
        }
        if !is_region(region) {
            return Err(TopicArnError::BadTopicArn { field: "region" });
        }
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TopicArnError::BadTopicArn { field: "account" });
        }
        let stem = name.strip_suffix(FIFO).unwrap_or(name);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if stem.is_empty() || name.len() > MAX_NAME_BYTES || !stem.bytes().all(allowed) {
            return Err(TopicArnError::BadTopicArn { field: "topic" });
        }
        Ok(Self(arn))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The group of regions.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition::of(self.field(1)).unwrap_or(Partition::Aws)
    }

    /// The region, for example `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.field(3)
    }

    /// The account: 12 digits.
    #[must_use]
    pub fn account(&self) -> &str {
        self.field(4)
    }

    /// The topic's own name, 1 to 256 bytes.
    #[must_use]
    pub fn name(&self) -> &str {
        self.field(5)
    }

    /// Whether it is a FIFO topic, whose messages are said to carry no signature.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.0.ends_with(FIFO)
    }

    fn field(&self, index: usize) -> &str {
        self.0.split(':').nth(index).unwrap_or_default()
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for TopicArn {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Partition {
    /// As it is written in an ARN.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        }
    }

    /// What its host names end in.
    #[must_use]
    pub const fn domain(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Aws, Self::AwsUsGov, Self::AwsCn].into_iter().find(|known| known.as_str() == text)
    }
}

/// Why a text is not the name of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TopicArnError {
    /// A field is not as it must be, or there are not six of them (`arn`).
    #[error("not arn:PARTITION:sns:REGION:ACCOUNT:TOPIC, see its {field}")]
    BadTopicArn {
        /// Which one.
        field: &'static str,
    },
    /// It names something of another service, for example a queue.
    #[error("the ARN is not that of an SNS topic")]
    NotSns,
    /// The host names of its partition are not known.
    #[error("the partition of the topic is none of aws, aws-us-gov, aws-cn")]
    UnknownPartition,
}

fn fields(arn: &str) -> Option<[&str; FIELDS]> {
    let mut fields = arn.splitn(FIELDS, ':');
    let mut found = [""; FIELDS];
    for slot in &mut found {
        *slot = fields.next()?;
    }
    Some(found)
}

/// `[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}`
fn is_region(region: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let digits = |part: &str| {
        (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = region.split('-');
    let first = parts.next().is_some_and(|part| letters(part) && (2..=4).contains(&part.len()));
    let last = parts.next_back().is_some_and(digits);
    let between = parts.clone().count();
    first && last && (1..=2).contains(&between) && parts.all(letters)
}

const FIELDS: usize = 6;
const FIFO: &str = ".fifo";
const MAX_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn each_field_is_checked() {
        let bad = |arn: &str| match TopicArn::new(arn) {
            Err(TopicArnError::BadTopicArn { field }) => field,
            other => panic!("{arn}: {other:?}"),
        };
        assert_eq!(bad(""), "arn");
        assert_eq!(bad("urn:aws:sns:us-east-1:123456789012:t"), "arn");
        assert_eq!(bad("arn:aws:sns:us-east-1:123456789012"), "arn");
        assert_eq!(bad("arn:aws:sns:us-east-1:123456789012:t:11111111"), "arn");
        for region in [
            "",
            "us",
            "us-east",
            "us-1",
            "US-east-1",
            "us-east-123",
            "us-east-",
            "us-a-b-c-1",
            "us--1",
            "u-a-1",
            "local-a-1",
        ] {
            assert_eq!(bad(&format!("arn:aws:sns:{region}:123456789012:t")), "region");
        }
        for account in ["", "12345678901", "1234567890123", "12345678901a", "12345678901\u{e9}"] {
            assert_eq!(bad(&format!("arn:aws:sns:us-east-1:{account}:t")), "account");
        }
        let longest = format!("arn:aws:sns:us-east-1:123456789012:{}.fifo", "t".repeat(251));
        assert_eq!(TopicArn::new(&*longest).unwrap().name().len(), 256);
        assert_eq!(bad(&longest.replace(":t", ":tt")), "topic");
        for name in ["", ".fifo", "a.b", "a/b", "\u{e9}"] {
            assert_eq!(bad(&format!("arn:aws:sns:us-east-1:123456789012:{name}")), "topic");
        }
        let queue = TopicArn::new("arn:aws:sqs:us-east-1:123456789012:q");
        assert_eq!(queue, Err(TopicArnError::NotSns));
        let isolated = TopicArn::new("arn:aws-iso:sns:us-iso-east-1:123456789012:t");
        assert_eq!(isolated, Err(TopicArnError::UnknownPartition));
    }

    #[test]
    fn fields_are_read_back() {
        let topic = TopicArn::new("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t.fifo").unwrap();
        assert_eq!(topic.partition(), Partition::AwsUsGov);
        assert_eq!((topic.region(), topic.account()), ("us-gov-west-1", "123456789012"));
        assert_eq!((topic.name(), topic.is_fifo()), ("t.fifo", true));
        let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:fifo").unwrap();
        assert!(!topic.is_fifo());
    }
}
