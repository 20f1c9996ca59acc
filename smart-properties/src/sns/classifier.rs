//! What a delivered body is (specification section 4.5).

use alloc::{borrow::Cow, vec::Vec};
use core::{fmt, str};

use crate::{
    JsonType,
    json::{Value, elements},
    sns::{
        Envelope, EnvelopeError, Headers, Record, RecordError,
        members::{Member, Members},
        record,
    },
};

/// Tells what was delivered, before anything is believed: plain configuration, one for any number of bodies.
///
/// | body | is |
/// | --- | --- |
/// | object with an array `Records` | [`Inbound::Records`]: `Sns` objects, or the texts of an SQS queue |
/// | object with texts `Type`, `MessageId`, `TopicArn` and `Message` | [`Inbound::Envelope`] |
/// | object with objects `header` and `payload`, without `Type` | [`Inbound::Raw`]: a bare event |
/// | no object, in a queue; anything, with the header of raw delivery | [`Inbound::Raw`] |
/// | anything else | an error |
///
/// Texts are borrowed from the body unless they have escapes in them.
///
/// ```
/// use smart_properties::sns::{Classifier, EnvelopeError, Headers, Inbound, MessageType, Via};
///
/// let body = br#"{
///     "Type": "Notification",
///     "MessageId": "aaaaaaaa-0001-5000-8000-000000000001",
///     "TopicArn": "arn:aws:sns:us-east-1:123456789012:asp-events",
///     "Message": "{}",
///     "Timestamp": "2024-05-01T10:00:03.120Z",
///     "SignatureVersion": "2",
///     "Signature": "",
///     "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem"
/// }"#;
/// let classifier = Classifier::new(Via::Http);
/// let Inbound::Envelope(envelope) = classifier.classify(body, &Headers::default())? else { unreachable!() };
/// assert_eq!(envelope.message_type(), MessageType::Notification);
///
/// // Over HTTP, anybody could send a bare event.
/// let bare = br#"{"header":{},"payload":{}}"#;
/// assert_eq!(classifier.classify(bare, &Headers::default()), Err(EnvelopeError::RawRejected));
/// # Ok::<(), EnvelopeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Classifier {
    via: Via,
    raw_policy: RawPolicy,
}

/// How a body came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Via {
    /// The body of a request that SNS, or anybody else, has posted.
    Http,
    /// The body of a message that was received from an SQS queue.
    SqsBody,
    /// The event that a Lambda function is called with.
    LambdaEvent,
}

/// What to do with messages that have no envelope, and so no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RawPolicy {
    /// Hand them over, for whoever trusts the way they came: the policy of a queue, the permissions of a function.
    Accept,
    /// Refuse them.
    Reject,
}

/// What was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a body is one of these, or an error")]
#[expect(clippy::large_enum_variant, reason = "the large one is the ordinary one")]
pub enum Inbound<'a> {
    /// A message of SNS in its envelope, not yet verified.
    Envelope(Envelope<'a>),
    /// A published text alone.
    Raw(Raw<'a>),
    /// What a Lambda function is called with, in order. A record that is no message does not keep the others back.
    Records(Vec<Result<Record<'a>, RecordError>>),
}

/// A message, with or without its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it has an envelope or it has none")]
#[expect(clippy::large_enum_variant, reason = "the large one is the ordinary one")]
pub enum Delivery<'a> {
    /// A message of SNS in its envelope, not yet verified.
    Envelope(Envelope<'a>),
    /// A published text alone.
    Raw(Raw<'a>),
}

/// A published text without its envelope. It cannot be authenticated: it is worth as much as the way it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Raw<'a> {
    bytes: Cow<'a, [u8]>,
}

impl Classifier {
    /// Refuses what cannot be authenticated if it comes over HTTP; otherwise the queue or the function decides who may
    /// send.
    #[must_use]
    pub const fn new(via: Via) -> Self {
        let raw_policy = match via {
            Via::Http => RawPolicy::Reject,
            Via::SqsBody | Via::LambdaEvent => RawPolicy::Accept,
        };
        Self { via, raw_policy }
    }

    /// Sets what happens to messages without envelope, also to those within records.
    #[must_use]
    pub const fn with_raw_policy(mut self, raw_policy: RawPolicy) -> Self {
        self.raw_policy = raw_policy;
        self
    }

    /// Tells what a body is, and checks all that can be checked without a key. Only HTTP has headers; without any, give
    /// the default.
    ///
    /// # Errors
    /// Says what is wrong with the body, or where headers and body contradict each other.
    pub fn classify<'a>(
        &self,
        body: &'a [u8],
        headers: &Headers<'_>,
    ) -> Result<Inbound<'a>, EnvelopeError> {
        let limit = match self.via {
            Via::Http | Via::SqsBody => MAX_ENVELOPE_BYTES,
            Via::LambdaEvent => MAX_LAMBDA_BYTES,
        };
        within(limit, body)?;
        if self.via == Via::Http && headers.is_raw_delivery() {
            return self.raw(body).map(Inbound::Raw);
        }
        match open(body) {
            Ok(Object::Envelope(envelope)) => {
                if self.via == Via::Http {
                    headers.agree(&envelope)?;
                }
                Ok(Inbound::Envelope(envelope))
            }
            Ok(Object::Event) => self.raw(body).map(Inbound::Raw),
            Ok(Object::Records(records)) => self.records(records).map(Inbound::Records),
            Err(error) if self.via == Via::SqsBody && is_text(&error) => {
                self.raw(body).map(Inbound::Raw)
            }
            Err(error) => Err(error),
        }
    }

    /// A body within a record, which is of an SQS message.
    pub(super) fn body<'a>(&self, body: &'a [u8]) -> Result<Option<Delivery<'a>>, EnvelopeError> {
        within(MAX_ENVELOPE_BYTES, body)?;
        match open(body) {
            Ok(Object::Envelope(envelope)) => Ok(Some(Delivery::Envelope(envelope))),
            Ok(Object::Records(_)) => Ok(None),
            Ok(Object::Event) => self.raw(body).map(|raw| Some(Delivery::Raw(raw))),
            Err(error) if is_text(&error) => self.raw(body).map(|raw| Some(Delivery::Raw(raw))),
            Err(error) => Err(error),
        }
    }

    fn raw<'a>(&self, bytes: &'a [u8]) -> Result<Raw<'a>, EnvelopeError> {
        if self.raw_policy == RawPolicy::Reject {
            return Err(EnvelopeError::RawRejected);
        }
        within(MAX_RAW_BYTES, bytes)?;
        Ok(Raw { bytes: Cow::Borrowed(bytes) })
    }

    fn records<'a>(
        &self,
        records: Value<'a>,
    ) -> Result<Vec<Result<Record<'a>, RecordError>>, EnvelopeError> {
        let mut read = Vec::new();
        elements(records.raw, |item| {
            if read.len() == MAX_RECORDS {
                return Err(EnvelopeError::TooManyRecords { limit: MAX_RECORDS });
            }
            read.push(record::read(self, read.len(), item));
            Ok(())
        })?;
        Ok(read)
    }
}

impl Raw<'_> {
    /// The text as it was published; nobody has said that it is an event, nor that it is text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same, borrowing from nothing.
    #[must_use]
    pub fn into_owned(self) -> Raw<'static> {
        Raw { bytes: Cow::Owned(self.bytes.into_owned()) }
    }
}

impl Delivery<'_> {
    /// The same, borrowing from nothing.
    #[must_use]
    pub fn into_owned(self) -> Delivery<'static> {
        match self {
            Self::Envelope(envelope) => Delivery::Envelope(envelope.into_owned()),
            Self::Raw(raw) => Delivery::Raw(raw.into_owned()),
        }
    }
}

/// Without the text.
impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw").field("len", &self.bytes.len()).finish()
    }
}

#[expect(clippy::large_enum_variant, reason = "the large one is the ordinary one")]
enum Object<'a> {
    Envelope(Envelope<'a>),
    Event,
    Records(Value<'a>),
}

fn open(body: &[u8]) -> Result<Object<'_>, EnvelopeError> {
    let text = str::from_utf8(body)
        .map_err(|error| EnvelopeError::NotUtf8 { position: error.valid_up_to() })?;
    let mut members = Members::read(text)?;
    if let Some(records) = members.get(Member::Records).value(JsonType::Array) {
        return Ok(Object::Records(records));
    }
    let told_by = [Member::Type, Member::MessageId, Member::TopicArn, Member::Message];
    let Some(lacking) = told_by.into_iter().find(|member| !members.get(*member).is_text()) else {
        return Envelope::from_members(&mut members).map(Object::Envelope);
    };
    let is_object = |member| members.get(member).value(JsonType::Object).is_some();
    if is_object(Member::Header) && is_object(Member::Payload) && !members.has(Member::Type) {
        return Ok(Object::Event);
    }
    Err(EnvelopeError::Unrecognised { member: lacking.name() })
}

/// Whether the body is no JSON object at all, which is what a raw message may be.
const fn is_text(error: &EnvelopeError) -> bool {
    matches!(
        error,
        EnvelopeError::NotUtf8 { .. }
            | EnvelopeError::Malformed { .. }
            | EnvelopeError::NotAnObject
    )
}

const fn within(limit: usize, body: &[u8]) -> Result<(), EnvelopeError> {
    if body.len() > limit {
        return Err(EnvelopeError::TooLong { bytes: body.len(), limit });
    }
    Ok(())
}

/// A message of 256 KiB, every byte of which may take six in JSON, and its envelope.
const MAX_ENVELOPE_BYTES: usize = 2 * 1024 * 1024;

/// The largest message that SNS takes.
const MAX_RAW_BYTES: usize = 256 * 1024;

/// 6 MiB, the largest event that a function is called with: a batch of a queue may have that much.
const MAX_LAMBDA_BYTES: usize = 6 * 1024 * 1024;

/// The largest batch that can be configured for a queue.
const MAX_RECORDS: usize = 10_000;
