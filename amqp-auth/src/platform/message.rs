//! What is pushed, and what is sent of it.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use iot_sansio::amqp::Value;

/// What a device said, for one consumer group. `Debug` shows no content of the body.
///
/// ```
/// use amqp_auth::platform::Push;
///
/// let push = Push::new("/as/mqtt/status/a1Example01/meter-7", br#"{"status":"online"}"#)
///     .with_generate_time(1_535_680_948_195)
///     .with_qos(1);
/// assert!(!format!("{push:?}").contains("online"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Push {
    /// The application property `topic`.
    pub topic: String,
    /// The body: any bytes.
    pub body: Vec<u8>,
    /// The application property `generateTime`, in milliseconds since the Unix epoch; none takes the time of the push.
    pub generate_time: Option<i64>,
    /// The application property `qos`, if there is one.
    pub qos: Option<u8>,
    /// More application properties, after those.
    pub properties: Vec<(String, Value<'static>)>,
}

impl Push {
    /// What came on this topic.
    #[must_use]
    pub fn new(topic: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            topic: topic.into(),
            body: body.into(),
            generate_time: None,
            qos: None,
            properties: Vec::new(),
        }
    }

    /// Sets `generateTime`, in milliseconds since the Unix epoch; by default it is the time of the push.
    #[must_use]
    pub fn with_generate_time(self, millis: i64) -> Self {
        Self { generate_time: Some(millis), ..self }
    }

    /// Sets `qos`, the quality of service; by default it is absent.
    #[must_use]
    pub fn with_qos(self, qos: u8) -> Self {
        Self { qos: Some(qos), ..self }
    }

    /// Adds an application property after the others, of which there is none by default.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: Value<'static>) -> Self {
        self.properties.push((key.into(), value));
        self
    }

    /// The bytes that the texts and binaries in it hold.
    pub(super) fn size(&self) -> usize {
        let value_size = |value: &Value<'_>| match value {
            Value::Binary(bytes) => bytes.len(),
            Value::String(text) | Value::Symbol(text) | Value::Other(text) => text.len(),
            _ => size_of::<u64>(),
        };
        let properties = self.properties.iter().map(|(key, value)| key.len() + value_size(value));
        self.topic.len() + self.body.len() + properties.sum::<usize>()
    }

    /// What is sent of it.
    pub(super) fn message(&self, id: MessageId, form: MessageIdForm, pushed_at: i64) -> Message {
        let id = match form {
            MessageIdForm::String => Value::String(id.to_string().into()),
            MessageIdForm::Long => Value::Signed(id.get()),
        };
        let generate_time = self.generate_time.unwrap_or(pushed_at);
        let known = [
            ("topic", Value::String(self.topic.clone().into())),
            ("messageId", id),
            ("generateTime", Value::Signed(generate_time)),
        ];
        let qos = self.qos.map(|qos| ("qos", Value::Signed(qos.into())));
        let known = known.into_iter().chain(qos).map(|(key, value)| (key.into(), value));
        let more = self.properties.iter().cloned().map(|(key, value)| (key.into(), value));
        Message::new(known.chain(more), self.body.as_slice())
    }
}

/// Names a message: it is pushed again under the same id. Written as 19 decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(i64);

impl MessageId {
    /// The one with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the application property `messageId` is on the wire: which one the platform takes is not documented.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageIdForm {
    /// A `string` of 19 digits.
    #[default]
    String,
    /// A `long`.
    Long,
}

/// A message as it is sent. `Debug` shows no content of the body.
///
/// [`Value::Signed`] is a `long` on the wire, but for `qos`, which is an `int`.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message {
    /// `delivery-count` of the header: how many attempts have failed before.
    pub delivery_count: u32,
    /// The application properties, in their order; as [`iot_sansio::amqp::Message`] has them.
    pub application_properties: Vec<(Cow<'static, str>, Value<'static>)>,
    /// The body, for one `data` section.
    pub body: Vec<u8>,
}

impl Message {
    /// A first attempt, with these application properties and this body.
    #[must_use]
    pub fn new(
        application_properties: impl IntoIterator<Item = (Cow<'static, str>, Value<'static>)>,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let application_properties = application_properties.into_iter().collect();
        Self { delivery_count: 0, application_properties, body: body.into() }
    }

    /// The same message after so many attempts that failed.
    #[must_use]
    pub fn with_delivery_count(self, delivery_count: u32) -> Self {
        Self { delivery_count, ..self }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("topic", &self.topic)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .field("generate_time", &self.generate_time)
            .field("qos", &self.qos)
            .field("properties", &self.properties)
            .finish()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("delivery_count", &self.delivery_count)
            .field("application_properties", &self.application_properties)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}
