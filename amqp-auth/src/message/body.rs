//! A body, read as its class says.

use core::fmt;

use super::{
    BatchBody, Class, EventBody, LifecycleBody, OtaJobBody, OtaUpgradeBody, OtaVersionBody,
    PropertyBody, ReplyBody, StatusBody, SubDeviceBody, TagBody, TopologyBody, json,
};

/// The body of a message (specification, sections 8.2 and 8.3).
///
/// Fields that are not known are ignored, and all that are known may be absent. A number may come as a text and a text
/// as a number; integers are exact. Of a name that is there twice the last one counts. `Debug` shows neither the values
/// that a device reported nor bytes nor secrets.
///
/// What a body is about, who it is about and when that was must be readable, or the body is an error. Any other field
/// that is not is absent, and named in `unread`.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// Of [`Class::DeviceStatus`].
    DeviceStatus(StatusBody<'a>),
    /// Of [`Class::PropertyPost`] and [`Class::PropertyHistory`].
    Property(PropertyBody<'a>),
    /// Of [`Class::PropertyBatch`] and [`Class::EventBatch`].
    Batch(BatchBody<'a>),
    /// Of [`Class::Event`] and [`Class::EventHistory`].
    Event(EventBody<'a>),
    /// Of [`Class::Lifecycle`].
    Lifecycle(LifecycleBody<'a>),
    /// Of [`Class::TopologyLifecycle`].
    TopologyLifecycle(TopologyBody<'a>),
    /// Of [`Class::SubDeviceFound`].
    SubDeviceFound(SubDeviceBody<'a>),
    /// Of [`Class::DownlinkReply`].
    DownlinkReply(ReplyBody<'a>),
    /// Of [`Class::OtaUpgrade`].
    OtaUpgrade(OtaUpgradeBody<'a>),
    /// Of [`Class::OtaModuleVersion`].
    OtaModuleVersion(OtaVersionBody<'a>),
    /// Of [`Class::OtaJobStatus`].
    OtaJobStatus(OtaJobBody<'a>),
    /// Of [`Class::TagChange`].
    TagChange(TagBody<'a>),
    /// Of [`Class::Custom`] and [`Class::Unknown`]: the bytes as they came.
    Bytes(&'a [u8]),
}

/// Why a body cannot be read. The message is delivered all the same, with its bytes; no variant holds any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The body came in a form that is not read: see [`Flag::UnsupportedBody`](super::Flag::UnsupportedBody).
    #[error("the body is neither data nor a binary or text value: it is not read")]
    Unsupported,
    /// It is not UTF-8.
    #[error("the body is not UTF-8 from byte {position}")]
    NotUtf8 {
        /// The first byte that is not, counted from 0.
        position: usize,
    },
    /// It is not JSON.
    #[error("the body is not JSON at line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// It is JSON of another type.
    #[error("the body is {found}, not an object")]
    NotAnObject {
        /// The type it has.
        found: &'static str,
    },
    /// A field, or an element of it, is of another type.
    #[error("{field} is {found}, not {expected}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// The type it should have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// A field has a fraction, an exponent or letters, or more than an `i64` can hold.
    #[error("{field} is not an integer of 64 bits")]
    NotAnInteger {
        /// The field.
        field: &'static str,
    },
    /// A text, or the name of a member, holds half of a surrogate pair, for which there is no UTF-8.
    #[error("{field} holds half of a surrogate pair")]
    UnpairedSurrogate {
        /// The field, or that with the name in it.
        field: &'static str,
    },
}

impl<'a> Body<'a> {
    /// Reads bytes as a body of this class.
    ///
    /// ```
    /// use amqp_auth::message::{Body, Class};
    ///
    /// let bytes = br#"{"items":{"voltage":{"value":229.8,"time":1714986489250}}}"#;
    /// let Body::Property(body) = Body::parse(Class::PropertyPost, bytes)? else { unreachable!() };
    /// assert_eq!((&*body.items[0].name, body.items[0].value.as_str()), ("voltage", "229.8"));
    /// # Ok::<(), amqp_auth::message::BodyError>(())
    /// ```
    ///
    /// # Errors
    /// [`BodyError`], which names the field or the position. Custom and unknown classes have none.
    pub fn parse(class: Class, bytes: &'a [u8]) -> Result<Self, BodyError> {
        if matches!(class, Class::Custom | Class::Unknown) {
            return Ok(Self::Bytes(bytes));
        }
        let text = json::text(bytes)?;
        Ok(match class {
            Class::DeviceStatus => Self::DeviceStatus(StatusBody::parse(text)?),
            Class::PropertyPost | Class::PropertyHistory => {
                Self::Property(PropertyBody::parse(text)?)
            }
            Class::PropertyBatch | Class::EventBatch => Self::Batch(BatchBody::parse(text)?),
            Class::Event | Class::EventHistory => Self::Event(EventBody::parse(text)?),
            Class::Lifecycle => Self::Lifecycle(LifecycleBody::parse(text)?),
            Class::TopologyLifecycle => Self::TopologyLifecycle(TopologyBody::parse(text)?),
            Class::SubDeviceFound => Self::SubDeviceFound(SubDeviceBody::parse(text)?),
            Class::DownlinkReply => Self::DownlinkReply(ReplyBody::parse(text)?),
            Class::OtaUpgrade => Self::OtaUpgrade(OtaUpgradeBody::parse(text)?),
            Class::OtaModuleVersion => Self::OtaModuleVersion(OtaVersionBody::parse(text)?),
            Class::OtaJobStatus => Self::OtaJobStatus(OtaJobBody::parse(text)?),
            Class::TagChange => Self::TagChange(TagBody::parse(text)?),
            Class::Custom | Class::Unknown => Self::Bytes(bytes),
        })
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceStatus(body) => body.fmt(f),
            Self::Property(body) => body.fmt(f),
            Self::Batch(body) => body.fmt(f),
            Self::Event(body) => body.fmt(f),
            Self::Lifecycle(body) => body.fmt(f),
            Self::TopologyLifecycle(body) => body.fmt(f),
            Self::SubDeviceFound(body) => body.fmt(f),
            Self::DownlinkReply(body) => body.fmt(f),
            Self::OtaUpgrade(body) => body.fmt(f),
            Self::OtaModuleVersion(body) => body.fmt(f),
            Self::OtaJobStatus(body) => body.fmt(f),
            Self::TagChange(body) => body.fmt(f),
            Self::Bytes(bytes) => write!(f, "Bytes([{} bytes])", bytes.len()),
        }
    }
}
