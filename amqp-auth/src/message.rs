//! What the platform pushes: attributes, topics and bodies (specification, sections 7 and 8).
//!
//! Reading never fails a delivery: what is odd about a message is [flagged](Flag), and a body that does not parse is
//! still there as bytes. A message that is never acknowledged would come again and again.

use alloc::borrow::Cow;
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_sansio::amqp;

mod attributes;
mod body;
mod device;
mod flag;
mod id;
mod json;
mod ota;
mod property;
mod status_body;
mod topic;
mod unknown;

pub use attributes::Attributes;
pub use body::{Body, BodyError};
pub use device::{
    LifecycleAction, LifecycleBody, ReplyBody, ReplyCode, RequestId, SubDevice, SubDeviceBody, Tag,
    TagBody, TopologyBody,
};
pub use flag::{Flag, Flags};
pub use id::MessageId;
pub use json::Json;
pub use ota::{OtaJobBody, OtaJobState, OtaOutcome, OtaUpgradeBody, OtaVersionBody};
pub use property::{BatchBody, EventBody, Item, PropertyBody};
pub use status_body::{StatusBody, StatusName};
pub use topic::{Class, Topic};
pub use unknown::UnknownName;

/// One message of the platform. `Debug` shows how long the body is, and nothing of it.
///
/// It borrows from what the AMQP stack decoded. A body in one section is not copied; one in several is put together.
///
/// ```
/// use amqp_auth::message::{Body, Class, Message, Options, StatusName};
/// use iot_sansio::amqp;
///
/// let properties = [
///     ("topic".into(), amqp::Value::String("/as/mqtt/status/pk1/dn1".into())),
///     ("messageId".into(), amqp::Value::Signed(1_351_123_456_789_012_345)),
/// ];
/// let sections: [&[u8]; 1] = [br#"{"status":"online"}"#];
/// let delivered = amqp::Message::new(&properties, amqp::Body::Data(&sections));
///
/// let message = Message::decode(&delivered, Options::default());
/// assert_eq!(message.attributes.message_id.as_ref().map(|id| id.as_str()), Some("1351123456789012345"));
/// let topic = message.topic();
/// assert_eq!((topic.class(), topic.device_name()), (Class::DeviceStatus, Some("dn1")));
/// let Body::DeviceStatus(body) = message.body()? else { unreachable!() };
/// assert_eq!(body.status, Some(StatusName::Online));
/// # Ok::<(), amqp_auth::message::BodyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message<'a> {
    /// What came beside the body.
    pub attributes: Attributes<'a>,
    /// The body as bytes; empty when it has a form that is not read.
    pub payload: Cow<'a, [u8]>,
    /// What is odd about the message.
    pub flags: Flags,
}

/// How to read a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    base64: bool,
}

impl Options {
    /// Whether bodies come in base64: the login asked for it with the extension `encode=base64`. By default they do
    /// not.
    #[must_use]
    pub const fn with_base64(self, base64: bool) -> Self {
        Self { base64 }
    }
}

impl<'a> Message<'a> {
    /// Reads what an AMQP stack decoded.
    #[must_use]
    pub fn decode(message: &amqp::Message<'a>, options: Options) -> Self {
        let mut flags = Flags::default();
        let attributes = Attributes::read(message, &mut flags);
        let mut payload = payload(message.body, &mut flags);
        if options.base64 {
            match STANDARD.decode(&payload) {
                Ok(decoded) => payload = decoded.into(),
                Err(_) => flags.insert(Flag::BadBase64),
            }
        }
        Self { attributes, payload, flags }
    }

    /// Its topic, classified. A message without one has the class [`Class::Unknown`] and an empty name.
    #[must_use]
    pub fn topic(&self) -> Topic<'_> {
        Topic::classify(self.attributes.topic.as_deref().unwrap_or_default())
    }

    /// The body, read as its class says. Nothing is read before this is called, and a failure leaves the bytes.
    ///
    /// # Errors
    /// [`BodyError`], which names the field or the position.
    pub fn body(&self) -> Result<Body<'_>, BodyError> {
        if self.flags.contains(Flag::UnsupportedBody) {
            return Err(BodyError::Unsupported);
        }
        Body::parse(self.topic().class(), &self.payload)
    }

    /// The same message, which borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        Message {
            attributes: self.attributes.into_owned(),
            payload: self.payload.into_owned().into(),
            flags: self.flags,
        }
    }
}

fn payload<'a>(body: amqp::Body<'a>, flags: &mut Flags) -> Cow<'a, [u8]> {
    let value = match body {
        amqp::Body::Data([section]) => return Cow::Borrowed(section),
        amqp::Body::Data(sections) => return sections.concat().into(),
        amqp::Body::Value(value) => value,
        _ => {
            flags.insert(Flag::UnsupportedBody);
            return Cow::Borrowed(&[]);
        }
    };
    flags.insert(Flag::ValueBody);
    match value {
        amqp::Value::Binary(bytes) => Cow::Borrowed(bytes),
        amqp::Value::String(text) => Cow::Borrowed(text.as_bytes()),
        amqp::Value::Null => Cow::Borrowed(&[]),
        _ => {
            flags.insert(Flag::UnsupportedBody);
            Cow::Borrowed(&[])
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("attributes", &self.attributes)
            .field("payload", &format_args!("[{} bytes]", self.payload.len()))
            .field("flags", &self.flags)
            .finish()
    }
}
