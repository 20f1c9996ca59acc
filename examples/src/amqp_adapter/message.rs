//! Messages of the stack as the machine wants them.

use std::borrow::Cow;

use fe2o3_amqp::types::{
    messaging::{self, Data, MessageId},
    primitives,
};
use iot_sansio::amqp::{Body, Connection, Delivery, DeliveryId, Input, Message, Value};

/// A message as the stack decodes it.
pub(super) type Decoded = messaging::Message<messaging::Body<primitives::Value>>;

/// A message, taken over from the stack.
pub(super) struct Received {
    number: u64,
    settled: bool,
    delivery_count: u32,
    message_id: Option<Value<'static>>,
    properties: Vec<(Cow<'static, str>, Value<'static>)>,
    body: Content,
}

enum Content {
    Data(Vec<Data>),
    Value(Value<'static>),
    Sequence,
}

impl Received {
    pub(super) fn new(number: u64, settled: bool, message: Option<Decoded>) -> Self {
        let body = Content::Sequence;
        let mut received = Self {
            number,
            settled,
            delivery_count: 0,
            message_id: None,
            properties: Vec::new(),
            body,
        };
        let Some(message) = message else {
            return received;
        };
        received.delivery_count = message.header.map_or(0, |header| header.delivery_count);
        received.message_id = message.properties.and_then(|sent| sent.message_id).map(identity);
        let properties = message.application_properties.map(|sent| sent.0.into_inner());
        received.properties = properties
            .into_iter()
            .flatten()
            .map(|(key, sent)| (key.into(), value(sent.into())))
            .collect();
        received.body = match message.body {
            messaging::Body::Data(sections) => Content::Data(sections.into_inner()),
            messaging::Body::Value(sent) => Content::Value(value(sent.0)),
            messaging::Body::Sequence(_) => Content::Sequence,
            messaging::Body::Empty => Content::Data(Vec::new()),
        };
        received
    }

    pub(super) fn tell<T>(&self, connection: Connection, tell: impl FnOnce(Input<'_>) -> T) -> T {
        let sections: Vec<&[u8]>;
        let body = match &self.body {
            Content::Data(data) => {
                sections = data.iter().map(|section| section.0.as_ref()).collect();
                Body::Data(&sections)
            }
            Content::Value(value) => Body::Value(value),
            Content::Sequence => Body::Sequence,
        };
        let mut message =
            Message::new(&self.properties, body).with_delivery_count(self.delivery_count);
        if let Some(message_id) = &self.message_id {
            message = message.with_message_id(message_id);
        }
        let id = DeliveryId::new(connection, self.number);
        tell(Delivery::new(id, message).with_settled(self.settled).into())
    }
}

fn identity(id: MessageId) -> Value<'static> {
    match id {
        MessageId::Ulong(id) => Value::Unsigned(id),
        MessageId::Uuid(id) => Value::Uuid(id.into_inner()),
        MessageId::Binary(id) => Value::Binary(id.into_vec().into()),
        MessageId::String(id) => Value::String(id.into()),
    }
}

fn value(sent: primitives::Value) -> Value<'static> {
    use primitives::Value as Sent;
    let other = |name| Value::Other(Cow::Borrowed(name));
    match sent {
        Sent::Null => Value::Null,
        Sent::Bool(value) => Value::Boolean(value),
        Sent::Ubyte(value) => Value::Unsigned(value.into()),
        Sent::Ushort(value) => Value::Unsigned(value.into()),
        Sent::Uint(value) => Value::Unsigned(value.into()),
        Sent::Ulong(value) => Value::Unsigned(value),
        Sent::Byte(value) => Value::Signed(value.into()),
        Sent::Short(value) => Value::Signed(value.into()),
        Sent::Int(value) => Value::Signed(value.into()),
        Sent::Long(value) => Value::Signed(value),
        Sent::Float(value) => Value::Float(value.0.to_bits()),
        Sent::Double(value) => Value::Double(value.0.to_bits()),
        Sent::Timestamp(value) => Value::Timestamp(value.into_inner()),
        Sent::Uuid(value) => Value::Uuid(value.into_inner()),
        Sent::Binary(value) => Value::Binary(value.into_vec().into()),
        Sent::String(value) => Value::String(value.into()),
        Sent::Symbol(value) => Value::Symbol(value.into_inner().into()),
        Sent::Decimal32(_) => other("decimal32"),
        Sent::Decimal64(_) => other("decimal64"),
        Sent::Decimal128(_) => other("decimal128"),
        Sent::Char(_) => other("char"),
        Sent::List(_) => other("list"),
        Sent::Map(_) => other("map"),
        Sent::Array(_) => other("array"),
        Sent::Described(_) => other("described"),
    }
}
