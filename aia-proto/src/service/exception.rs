//! What a device did wrong, and how it is told.

use core::fmt;

use super::{Event, Service, directive::envelope};
use crate::{
    ClientId, JsonError, Leaf,
    code::codes,
    envelope::message,
    json::{Member, Object},
    sequence::SequenceNumber,
};

codes! {
    /// What the directive `Exception` says (specification, section 8.1).
    ///
    /// ```
    /// use aia_proto::service::ExceptionCode;
    ///
    /// assert_eq!(ExceptionCode::from("THROTTLING"), ExceptionCode::Throttling);
    /// assert_eq!(ExceptionCode::from("NEW").as_str(), "NEW");
    /// ```
    ExceptionCode {
        /// A message was not understood.
        InvalidRequest = "INVALID_REQUEST",
        /// The service does not support what was asked for.
        UnsupportedApi = "UNSUPPORTED_API",
        /// The device sends too much.
        Throttling = "THROTTLING",
        /// The service failed.
        InternalService = "INTERNAL_SERVICE",
        /// The service cannot be reached.
        AisUnavailable = "AIS_UNAVAILABLE",
    }
}

/// What is wrong with a message, or with an element of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Malformed {
    /// It is shorter than the header.
    TooShort {
        /// How many bytes it has.
        len: usize,
    },
    /// It is not JSON that is taken.
    BadJson(JsonError),
    /// It has no array `events`.
    NoEvents,
    /// It has too many elements.
    TooManyEvents {
        /// How many it may have.
        limit: usize,
    },
    /// It has no `header.name`.
    NoName,
    /// It has no `header.messageId` of 1 to 256 bytes.
    NoMessageId,
    /// Its `payload` is not an object.
    BadPayload,
    /// A member of its `payload` is missing, or does not hold what it must.
    BadField {
        /// Its name.
        field: &'static str,
    },
    /// It is not `Publish`, the only message on `capabilities/publish`.
    NotPublish,
}

impl Service {
    /// Sends the directive `Exception`.
    pub(super) fn except(
        &mut self,
        client_id: &ClientId,
        code: ExceptionCode,
        description: Option<&str>,
    ) {
        let id = self.new_id();
        let payload = Object::new([("code", Member::Text(code.as_str()))]);
        let description = description.map(crate::connection::cut);
        let payload = payload.with_text("description", description);
        let exception = message("Exception", &id, Some(Member::Object(payload)));
        self.send(client_id, Leaf::Directive, &envelope([exception.to_vec()]));
    }

    /// Tells the device and the application of something malformed.
    pub(super) fn malformed(
        &mut self,
        client_id: &ClientId,
        leaf: Leaf,
        sequence: Option<SequenceNumber>,
        index: Option<usize>,
        fault: Malformed,
    ) {
        let description = match (sequence, index) {
            (Some(sequence), Some(index)) => {
                alloc::format!("{leaf} {sequence}, element {index}: {fault}")
            }
            (Some(sequence), None) => alloc::format!("{leaf} {sequence}: {fault}"),
            _ => alloc::format!("{leaf}: {fault}"),
        };
        self.except(client_id, ExceptionCode::InvalidRequest, Some(&description));
        let client_id = client_id.clone();
        self.tell(Event::Malformed { client_id, leaf, sequence, index, fault });
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { len } => write!(f, "{len} bytes are less than the header has"),
            Self::BadJson(error) => error.fmt(f),
            Self::NoEvents => f.write_str("there is no array `events`"),
            Self::TooManyEvents { limit } => write!(f, "there are more than {limit} events"),
            Self::NoName => f.write_str("`header.name` is not a text"),
            Self::NoMessageId => f.write_str("`header.messageId` is not a text of 1 to 256 bytes"),
            Self::BadPayload => f.write_str("`payload` is not an object"),
            Self::BadField { field } => write!(f, "`payload.{field}` is not what it must be"),
            Self::NotPublish => f.write_str("only `Publish` is sent on this topic"),
        }
    }
}
