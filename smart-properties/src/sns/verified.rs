//! A message from SNS, and what it says (specification sections 5.3 and 6).

use core::fmt;

use super::{
    control::{Confirm, ControlError},
    envelope::{Envelope, MessageType},
    verifier::SignatureVersion,
};
use crate::{Event, EventError, Instant, TopicArn};

/// A message that SNS has signed, for one of our topics, with nothing in it that is not signed.
///
/// Only [`Unverified::verify`](super::Unverified::verify) makes one. What no signature covers is left behind: the
/// attributes of the message, and the URL at which anybody could unsubscribe.
#[derive(Clone, Debug)]
pub struct Verified<'a> {
    envelope: Envelope<'a>,
    topic: TopicArn,
    version: SignatureVersion,
    sns_time: Option<Instant>,
}

/// What a message says. Its text is not shown by `Debug`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Content<'a> {
    /// An event.
    Event(Event<'a>),
    /// A notification that is not an event: somebody else publishes to the topic, or Alexa in a form that is not known.
    /// Keep it, and answer as if it were one: it is not better the next time.
    NonEvent {
        /// The whole text.
        message: &'a str,
        /// Why it is not an event.
        reason: EventError,
    },
    /// SNS asks whether the subscription is wanted; nothing comes before it is confirmed.
    Confirm(Confirm<'a>),
    /// The endpoint was unsubscribed. The message has a URL that subscribes it again, which is not handed on: whoever
    /// unsubscribed it had a reason.
    Unsubscribed,
}

impl<'a> Verified<'a> {
    pub(crate) const fn new(
        envelope: Envelope<'a>,
        topic: TopicArn,
        version: SignatureVersion,
        sns_time: Option<Instant>,
    ) -> Self {
        Self { envelope, topic, version, sns_time }
    }

    /// What kind of message it is.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        self.envelope.message_type()
    }

    /// The UUID of the message, the same each time SNS sends it.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.envelope.message_id()
    }

    /// Where it was published.
    #[must_use]
    pub const fn topic(&self) -> &TopicArn {
        &self.topic
    }

    /// When it was published; none when SNS wrote no date of RFC 3339.
    #[must_use]
    pub const fn sns_time(&self) -> Option<Instant> {
        self.sns_time
    }

    /// The subject, if whoever published it set one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.envelope.subject()
    }

    /// The text that was published; of the other kinds, a sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        self.envelope.message()
    }

    /// How it was signed.
    #[must_use]
    pub const fn signature_version(&self) -> SignatureVersion {
        self.version
    }

    /// Reads what the message says.
    ///
    /// # Errors
    /// It asks for a confirmation at a URL that is not one of SNS for this topic.
    pub fn content(&self) -> Result<Content<'_>, ControlError> {
        Ok(match self.message_type() {
            MessageType::Notification => match Event::parse(self.message()) {
                Ok(event) => Content::Event(event),
                Err(reason) => Content::NonEvent { message: self.message(), reason },
            },
            MessageType::SubscriptionConfirmation => Content::Confirm(Confirm::new(
                &self.topic,
                self.envelope.token(),
                self.envelope.subscribe_url(),
            )?),
            MessageType::UnsubscribeConfirmation => Content::Unsubscribed,
        })
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => f.debug_tuple("Event").field(event).finish(),
            Self::NonEvent { reason, .. } => {
                f.debug_struct("NonEvent").field("reason", reason).finish_non_exhaustive()
            }
            Self::Confirm(confirm) => f.debug_tuple("Confirm").field(confirm).finish(),
            Self::Unsubscribed => f.write_str("Unsubscribed"),
        }
    }
}
