//! The envelope that SNS puts around a message (specification sections 4.1 and 4.3).

mod encode;

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use crate::{
    JsonType, TopicArn,
    json::Value,
    sns::{
        EnvelopeError,
        members::{Member, Members, Slot},
    },
};

/// A message of SNS in its envelope.
///
/// What can be checked without a key has been: the members that its type must have are there, no signed text but
/// [`message`](Self::message) has a control character in it, and [`message_id`](Self::message_id) is a UUID. Who has
/// sent it is not known before its signature is verified.
///
/// It is also built here, for tests and for SNS's own side:
///
/// ```
/// use smart_properties::{TopicArn, sns::{Classifier, Envelope, Headers, Inbound, Via}};
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let id = "aaaaaaaa-0001-5000-8000-000000000001";
/// let envelope = Envelope::notification(&topic, id, "2024-05-01T10:00:03.120Z", "{}")?
///     .with_subject("Alexa event")?
///     .signed("2", "c2lnbmF0dXJl", "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem");
/// let body = envelope.encode();
///
/// let headers = Headers::from_pairs(envelope.headers());
/// let inbound = Classifier::new(Via::Http).classify(&body, &headers)?;
/// assert_eq!(inbound, Inbound::Envelope(envelope));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Envelope<'a> {
    message_type: MessageType,
    message_id: Cow<'a, str>,
    topic_arn: Cow<'a, str>,
    subject: Option<Cow<'a, str>>,
    message: Cow<'a, str>,
    timestamp: Cow<'a, str>,
    confirmation: Option<Confirmation<'a>>,
    signature: Option<Signature<'a>>,
    unsubscribe_url: Option<Cow<'a, str>>,
    message_attributes: Option<Cow<'a, str>>,
}

/// What only the two confirmations have.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Confirmation<'a> {
    token: Cow<'a, str>,
    subscribe_url: Cow<'a, str>,
}

/// None before one is built whole.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Signature<'a> {
    version: Cow<'a, str>,
    text: Cow<'a, str>,
    cert_url: Cow<'a, str>,
}

/// What a message of SNS is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageType {
    /// A published message.
    Notification,
    /// A subscription waits for being confirmed.
    SubscriptionConfirmation,
    /// A subscription has ended.
    UnsubscribeConfirmation,
}

impl MessageType {
    /// As `Type` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "Notification",
            Self::SubscriptionConfirmation => "SubscriptionConfirmation",
            Self::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }

    fn of(text: &str) -> Option<Self> {
        [Self::Notification, Self::SubscriptionConfirmation, Self::UnsubscribeConfirmation]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'a> Envelope<'a> {
    /// A published message, not yet signed. The identifier is a UUID, the time as in `2024-05-01T10:00:03.120Z`.
    ///
    /// # Errors
    /// [`EnvelopeError::ControlCharacter`] and [`EnvelopeError::BadMessageId`].
    pub fn notification(
        topic: &'a TopicArn,
        message_id: impl Into<Cow<'a, str>>,
        timestamp: impl Into<Cow<'a, str>>,
        message: impl Into<Cow<'a, str>>,
    ) -> Result<Self, EnvelopeError> {
        Self {
            message_type: MessageType::Notification,
            message_id: message_id.into(),
            topic_arn: Cow::Borrowed(topic.as_str()),
            subject: None,
            message: message.into(),
            timestamp: timestamp.into(),
            confirmation: None,
            signature: None,
            unsubscribe_url: None,
            message_attributes: None,
        }
        .checked()
    }

    /// What SNS sends when a subscription is made, not yet signed. Identifier and time as of a
    /// [`notification`](Self::notification), the message is for people.
    ///
    /// # Errors
    /// [`EnvelopeError::ControlCharacter`] and [`EnvelopeError::BadMessageId`].
    pub fn subscription_confirmation(
        topic: &'a TopicArn,
        message_id: impl Into<Cow<'a, str>>,
        timestamp: impl Into<Cow<'a, str>>,
        message: impl Into<Cow<'a, str>>,
        token: impl Into<Cow<'a, str>>,
        subscribe_url: impl Into<Cow<'a, str>>,
    ) -> Result<Self, EnvelopeError> {
        let confirmation =
            Confirmation { token: token.into(), subscribe_url: subscribe_url.into() };
        Self {
            message_type: MessageType::SubscriptionConfirmation,
            confirmation: Some(confirmation),
            ..Self::notification(topic, message_id, timestamp, message)?
        }
        .checked()
    }

    /// What SNS sends when a subscription has ended, not yet signed; as
    /// [`subscription_confirmation`](Self::subscription_confirmation).
    ///
    /// # Errors
    /// [`EnvelopeError::ControlCharacter`] and [`EnvelopeError::BadMessageId`].
    pub fn unsubscribe_confirmation(
        topic: &'a TopicArn,
        message_id: impl Into<Cow<'a, str>>,
        timestamp: impl Into<Cow<'a, str>>,
        message: impl Into<Cow<'a, str>>,
        token: impl Into<Cow<'a, str>>,
        subscribe_url: impl Into<Cow<'a, str>>,
    ) -> Result<Self, EnvelopeError> {
        Ok(Self {
            message_type: MessageType::UnsubscribeConfirmation,
            ..Self::subscription_confirmation(
                topic,
                message_id,
                timestamp,
                message,
                token,
                subscribe_url,
            )?
        })
    }

    /// Sets the subject.
    ///
    /// # Errors
    /// [`EnvelopeError::ControlCharacter`], and [`EnvelopeError::Misplaced`] if it is not a notification.
    pub fn with_subject(mut self, subject: impl Into<Cow<'a, str>>) -> Result<Self, EnvelopeError> {
        if self.message_type != MessageType::Notification {
            return Err(EnvelopeError::Misplaced { member: Member::Subject.name() });
        }
        self.subject = Some(subject.into());
        self.checked()
    }

    /// Sets the link by which a subscription ends, which is not signed.
    ///
    /// # Errors
    /// [`EnvelopeError::Misplaced`] if it is not a notification.
    pub fn with_unsubscribe_url(
        mut self,
        url: impl Into<Cow<'a, str>>,
    ) -> Result<Self, EnvelopeError> {
        if self.message_type != MessageType::Notification {
            return Err(EnvelopeError::Misplaced { member: Member::UnsubscribeUrl.name() });
        }
        self.unsubscribe_url = Some(url.into());
        Ok(self)
    }

    /// Sets the signature, in base64; its version, `1` or `2`; and where the certificate is.
    #[must_use]
    pub fn signed(
        mut self,
        version: impl Into<Cow<'a, str>>,
        signature: impl Into<Cow<'a, str>>,
        cert_url: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.signature = Some(Signature {
            version: version.into(),
            text: signature.into(),
            cert_url: cert_url.into(),
        });
        self
    }

    /// `Type`: what it is about.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// `MessageId`: a UUID, the same when SNS sends the message again.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// `TopicArn`: the name of the topic, not yet looked into.
    #[must_use]
    pub fn topic_arn(&self) -> &str {
        &self.topic_arn
    }

    /// `Subject` of a notification, if it has one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `Message`: what was published, or in a confirmation a text for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `Message` without copying it.
    #[must_use]
    pub fn into_message(self) -> Cow<'a, str> {
        self.message
    }

    /// `Timestamp`: when it was published, as it is written.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// `Token` of a confirmation: whoever has it can confirm the subscription.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.confirmation.as_ref().map(|confirmation| &*confirmation.token)
    }

    /// `SubscribeURL` of a confirmation, not yet looked into.
    #[must_use]
    pub fn subscribe_url(&self) -> Option<&str> {
        self.confirmation.as_ref().map(|confirmation| &*confirmation.subscribe_url)
    }

    /// `SignatureVersion`, not yet looked into; empty in one that was built and not signed.
    #[must_use]
    pub fn signature_version(&self) -> &str {
        self.signature.as_ref().map_or("", |signature| &signature.version)
    }

    /// `Signature`, not yet looked into; empty in one that was built and not signed.
    #[must_use]
    pub fn signature(&self) -> &str {
        self.signature.as_ref().map_or("", |signature| &signature.text)
    }

    /// `SigningCertURL`, not yet looked into; empty in one that was built and not signed.
    #[must_use]
    pub fn signing_cert_url(&self) -> &str {
        self.signature.as_ref().map_or("", |signature| &signature.cert_url)
    }

    /// `UnsubscribeURL` of a notification, if it has one. **It is not signed**: anybody on the way can have set it.
    #[must_use]
    pub fn unsubscribe_url(&self) -> Option<&str> {
        self.unsubscribe_url.as_deref()
    }

    /// `MessageAttributes` of a notification, if it has any: an object in JSON. **They are not signed**: anybody on the
    /// way can have set them.
    #[must_use]
    pub fn message_attributes(&self) -> Option<&str> {
        self.message_attributes.as_deref()
    }

    /// The body of an HTTP request, or of an SQS message. One that is not signed has no members for a signature.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode::object(self)
    }

    /// The event that a Lambda function is called with: one record.
    #[must_use]
    pub fn encode_lambda(&self, subscription_arn: &str) -> Vec<u8> {
        encode::lambda_event(self, subscription_arn)
    }

    /// The same, borrowing from nothing.
    #[must_use]
    pub fn into_owned(self) -> Envelope<'static> {
        Envelope {
            message_type: self.message_type,
            message_id: owned(self.message_id),
            topic_arn: owned(self.topic_arn),
            subject: self.subject.map(owned),
            message: owned(self.message),
            timestamp: owned(self.timestamp),
            confirmation: self.confirmation.map(|confirmation| Confirmation {
                token: owned(confirmation.token),
                subscribe_url: owned(confirmation.subscribe_url),
            }),
            signature: self.signature.map(|signature| Signature {
                version: owned(signature.version),
                text: owned(signature.text),
                cert_url: owned(signature.cert_url),
            }),
            unsubscribe_url: self.unsubscribe_url.map(owned),
            message_attributes: self.message_attributes.map(owned),
        }
    }

    /// Reads an object that has a `Type`. Members that its type does not have are ignored, whatever they are.
    pub(super) fn from_members(members: &mut Members<'a>) -> Result<Self, EnvelopeError> {
        let message_type =
            MessageType::of(&required(members, Member::Type)?).ok_or(EnvelopeError::UnknownType)?;
        let is_notification = message_type == MessageType::Notification;
        let confirmation = if is_notification {
            None
        } else {
            Some(Confirmation {
                token: required(members, Member::Token)?,
                subscribe_url: required(members, Member::SubscribeUrl)?,
            })
        };
        let (mut subject, mut unsubscribe_url, mut message_attributes) = (None, None, None);
        if is_notification {
            subject = optional(members, Member::Subject)?;
            unsubscribe_url =
                either(members, Member::UnsubscribeUrl, Member::UnsubscribeUrlLambda)?;
            message_attributes = attributes(members)?;
        }
        Self {
            message_type,
            message_id: required(members, Member::MessageId)?,
            topic_arn: required(members, Member::TopicArn)?,
            subject,
            message: required(members, Member::Message)?,
            timestamp: required(members, Member::Timestamp)?,
            confirmation,
            signature: Some(signature(members)?),
            unsubscribe_url,
            message_attributes,
        }
        .checked()
    }

    /// What is signed is written line by line, so a line break in a value would let it pass for two.
    fn checked(self) -> Result<Self, EnvelopeError> {
        let lines = [
            (Member::MessageId, Some(self.message_id())),
            (Member::TopicArn, Some(self.topic_arn())),
            (Member::Subject, self.subject()),
            (Member::Timestamp, Some(self.timestamp())),
            (Member::Token, self.token()),
            (Member::SubscribeUrl, self.subscribe_url()),
        ];
        for (member, text) in lines {
            if text.is_some_and(has_control) {
                return Err(EnvelopeError::ControlCharacter { member: member.name() });
            }
        }
        if !is_uuid(&self.message_id) {
            return Err(EnvelopeError::BadMessageId);
        }
        Ok(self)
    }
}

/// Without message, token, links and signature.
impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("message_type", &self.message_type)
            .field("message_id", &self.message_id)
            .field("topic_arn", &self.topic_arn)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

fn required<'a>(members: &mut Members<'a>, member: Member) -> Result<Cow<'a, str>, EnvelopeError> {
    let text = members.take(member).text(member)?;
    text.ok_or(EnvelopeError::Missing { member: member.name() })
}

/// Null is how Lambda says that there is none.
fn optional<'a>(
    members: &mut Members<'a>,
    member: Member,
) -> Result<Option<Cow<'a, str>>, EnvelopeError> {
    match members.take(member) {
        Slot::Null => Ok(None),
        slot => slot.text(member),
    }
}

/// One member that has two spellings.
fn either<'a>(
    members: &mut Members<'a>,
    http: Member,
    lambda: Member,
) -> Result<Option<Cow<'a, str>>, EnvelopeError> {
    match (optional(members, http)?, optional(members, lambda)?) {
        (Some(one), Some(other)) if one != other => {
            Err(EnvelopeError::ConflictingMember { member: http.name() })
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn signature<'a>(members: &mut Members<'a>) -> Result<Signature<'a>, EnvelopeError> {
    let version = optional(members, Member::SignatureVersion)?;
    let text = optional(members, Member::Signature)?;
    let cert_url = either(members, Member::SigningCertUrl, Member::SigningCertUrlLambda)?;
    if version.is_none() && text.is_none() && cert_url.is_none() {
        return Err(EnvelopeError::Unsigned);
    }
    let missing = |member: Member| EnvelopeError::Missing { member: member.name() };
    Ok(Signature {
        version: version.ok_or(missing(Member::SignatureVersion))?,
        text: text.ok_or(missing(Member::Signature))?,
        cert_url: cert_url.ok_or(missing(Member::SigningCertUrl))?,
    })
}

fn attributes<'a>(members: &mut Members<'a>) -> Result<Option<Cow<'a, str>>, EnvelopeError> {
    let member = Member::MessageAttributes.name();
    let found = match members.take(Member::MessageAttributes) {
        Slot::Absent | Slot::Null => return Ok(None),
        Slot::Text(_) | Slot::Unpaired => JsonType::String,
        Slot::Other(Value { raw }) if raw.starts_with('{') => {
            // Lambda says so when there are none.
            let is_empty = raw.trim_matches(['{', '}']).trim_ascii().is_empty();
            return Ok((!is_empty).then_some(Cow::Borrowed(raw)));
        }
        Slot::Other(value) => value.json_type(),
    };
    Err(EnvelopeError::WrongType { member, found })
}

fn has_control(text: &str) -> bool {
    // Most texts are printable ASCII, which is seen without taking characters apart.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (b' '..=b'~').contains(&byte));
    !is_plain && text.contains(char::is_control)
}

/// Four hyphens where they belong, and digits else.
fn is_uuid(text: &str) -> bool {
    let text = text.as_bytes();
    text.len() == 36
        && [8, 13, 18, 23].iter().all(|at| text.get(*at) == Some(&b'-'))
        && text.iter().map(|byte| u8::from(byte.is_ascii_hexdigit())).sum::<u8>() == 32
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
