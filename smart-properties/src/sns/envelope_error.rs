//! Why a body is not what SNS delivers.

use alloc::string::String;
use core::fmt;

use crate::{JsonType, json::Malformed};

/// Why a body is not what SNS delivers.
///
/// Names of members are shown, those that are not known escaped and shortened to 32 characters; values are not.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Longer than anything SNS sends that way.
    #[error("the body has {bytes} bytes, at most {limit} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is allowed: of a raw message, of an envelope, or of an event of Lambda.
        limit: usize,
    },
    /// JSON is UTF-8. In a queue, this would be a raw message.
    #[error("the body is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that is not.
        position: usize,
    },
    /// An object that is not well-formed, perhaps cut off. In a queue, this would be a raw message.
    #[error("the body is not JSON at line {line} column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Something other than an object, or no JSON at all. In a queue, this would be a raw message.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// A name twice in one object, so that two readers could see two different messages.
    #[error("the member {name:?} is there twice")]
    DuplicateMember {
        /// At most 32 characters of the name.
        name: String,
    },
    /// The two spellings of the name of a URL are both there and say different things.
    #[error("{member} is there in two spellings that say different things")]
    ConflictingMember {
        /// As it is spelled over HTTP.
        member: &'static str,
    },
    /// A member that every message of its type has.
    #[error("{member} is missing")]
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member that is a text in every message, or an object in the case of `MessageAttributes`.
    #[error("{member} is {found}, not {}", expected(member))]
    WrongType {
        /// Its name.
        member: &'static str,
        /// What it is.
        found: JsonType,
    },
    /// Half of a surrogate pair, which no text can hold, so it cannot have been signed.
    #[error("{member} has half of a surrogate pair in it")]
    UnpairedSurrogate {
        /// Its name.
        member: &'static str,
    },
    /// Neither a notification nor one of the two confirmations.
    #[error("the Type is none of Notification, SubscriptionConfirmation, UnsubscribeConfirmation")]
    UnknownType,
    /// A control character, by which one signature could be made to fit two messages.
    #[error("{member} has a control character in it")]
    ControlCharacter {
        /// Its name.
        member: &'static str,
    },
    /// The message cannot be told from others.
    #[error("the MessageId is not a UUID")]
    BadMessageId,
    /// No signature at all, so anybody can have sent it.
    #[error(
        "the message is not signed: a FIFO topic is said to send such, subscribe to a standard topic"
    )]
    Unsigned,
    /// A header says something else than the body, or two things.
    #[error("the header of the {header} does not agree with the body")]
    HeaderMismatch {
        /// Which.
        header: HeaderName,
    },
    /// A message without envelope, and so without signature, where none is accepted.
    #[error(
        "the message came without envelope and cannot be authenticated: \
         switch raw message delivery off at the subscription"
    )]
    RawRejected,
    /// An object of some other kind: no message of SNS, which has the texts `Type`, `MessageId`, `TopicArn` and
    /// `Message`.
    #[error(
        "the object is no SNS message, as its {member} is missing or no string, \
         nor an event of Lambda with Records, nor a bare event with header and payload"
    )]
    Unrecognised {
        /// The first of the four that is not there as a text.
        member: &'static str,
    },
    /// More than Lambda hands over at once.
    #[error("there are more than {limit} records")]
    TooManyRecords {
        /// The most that is allowed.
        limit: usize,
    },
    /// A text was set that messages of this type do not have; only when one is built.
    #[error("a message of this type has no {member}")]
    Misplaced {
        /// Its name.
        member: &'static str,
    },
}

/// A header that the body must agree with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderName {
    /// `x-amz-sns-message-type`
    Type,
    /// `x-amz-sns-message-id`
    MessageId,
    /// `x-amz-sns-topic-arn`
    Topic,
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Type => "type",
            Self::MessageId => "message id",
            Self::Topic => "topic",
        })
    }
}

fn expected(member: &str) -> JsonType {
    match member {
        "MessageAttributes" => JsonType::Object,
        _ => JsonType::String,
    }
}

impl From<Malformed> for EnvelopeError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed { line: malformed.line, column: malformed.column }
    }
}
