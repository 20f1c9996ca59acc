//! Why a payload is not an event.

use alloc::string::String;

use crate::{Field, FieldNames, JsonType, TopicError, TopicKind, json::Malformed};

/// Why a payload is not an event.
///
/// Names are shown escaped and shortened to 32 characters; values are not shown, but for those the message is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It cannot have come from the broker.
    #[error("the payload has {bytes} bytes, at most {MAX_PAYLOAD_BYTES} are allowed")]
    PayloadTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// JSON is UTF-8.
    #[error("the payload is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that is not.
        position: usize,
    },
    /// Not well-formed, perhaps cut off.
    #[error("the payload is not JSON at line {line} column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Well-formed, but not an object.
    #[error("the payload is {found}, not an object")]
    NotAnObject {
        /// What it is.
        found: JsonType,
    },
    /// [`FieldMap::container`](crate::FieldMap::container) names a member that is not there.
    #[error(
        "{container:?} is missing, which should hold the event: check the rule's SQL; there are: {arrived}"
    )]
    MissingContainer {
        /// Its name.
        container: String,
        /// What there is.
        arrived: FieldNames,
    },
    /// A name twice in one object; only a strict decoder minds.
    #[error("the name {key:?} is there twice")]
    DuplicateKey {
        /// The name.
        key: String,
    },
    /// A field without which there is no event.
    #[error("{field} is missing: check the rule's SQL; there are: {arrived}")]
    MissingField {
        /// Which.
        field: Field,
        /// What there is.
        arrived: FieldNames,
    },
    /// A value of another type than the documented one, and none that a lenient decoder reads as it.
    #[error("{field} holds {found} where {expected} is expected; there are: {arrived}")]
    WrongType {
        /// Which field; for `topics` also one of its elements.
        field: Field,
        /// The documented type.
        expected: JsonType,
        /// What came.
        found: JsonType,
        /// The fields that came.
        arrived: FieldNames,
    },
    /// A number with a fraction, or a text other than decimal digits: RFC 3339, for example.
    #[error("{field} is not a whole decimal number")]
    NotAnInteger {
        /// Which.
        field: Field,
    },
    /// Beyond `i64`; for `versionNumber` also below zero; with fraction or exponent, 2^53 and beyond.
    #[error("{field} is out of range")]
    OutOfRange {
        /// Which.
        field: Field,
    },
    /// Below 10^11, which as milliseconds lies before March 1973.
    #[error("timestamp {timestamp} looks like seconds: send milliseconds, or set accept_seconds")]
    TimestampLooksLikeSeconds {
        /// The value.
        timestamp: i64,
    },
    /// An escape for one half of a pair, which is no character.
    #[error("{field} holds half of a surrogate pair")]
    UnpairedSurrogate {
        /// Which.
        field: Field,
    },
    /// A client id that no lifecycle event is about.
    #[error("clientId: {0}")]
    ClientId(#[from] TopicError),
    /// The topic that came with the payload ([`FieldMap::topic`](crate::FieldMap::topic), or an envelope) is none of a known kind.
    #[error("topic: {0}")]
    Topic(#[source] TopicError),
    /// Topic and payload contradict each other.
    #[error("the topic says {topic}, the payload says {payload:?}")]
    KindMismatch {
        /// The kind in the topic.
        topic: TopicKind,
        /// The `eventType` in the payload.
        payload: String,
    },
    /// Topic and payload contradict each other.
    #[error("the topic is of client {topic:?}, the payload of {payload:?}")]
    ClientIdMismatch {
        /// The client id in the topic.
        topic: String,
        /// The `clientId` in the payload.
        payload: String,
    },
}

impl From<Malformed> for DecodeError {
    fn from(malformed: Malformed) -> Self {
        Self::NotJson { line: malformed.line, column: malformed.column }
    }
}

/// 128 KiB, the broker's limit.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 128 * 1024;
