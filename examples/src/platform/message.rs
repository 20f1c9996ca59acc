//! Messages and outcomes between the machine and the stack.

use amqp_auth::platform::Message;
use fe2o3_amqp::types::{
    definitions::{Error, ErrorCondition},
    messaging::{self, ApplicationProperties, Data, Header},
    primitives::{Binary, OrderedMap, SimpleValue, Symbol, Timestamp, Uuid},
};
use iot_sansio::amqp::{Outcome, Value};

pub(super) fn encode(message: Message) -> messaging::Message<Data> {
    let mut properties = OrderedMap::new();
    for (key, value) in message.application_properties {
        let value = match (&*key, value) {
            ("qos", Value::Signed(qos)) => {
                i32::try_from(qos).map_or(SimpleValue::Long(qos), SimpleValue::Int)
            }
            (_, value) => simple(value),
        };
        properties.insert(key.into_owned(), value);
    }
    // Zero is the default, and left out.
    let header = Header { delivery_count: message.delivery_count, ..Header::default() };
    messaging::Message {
        header: (message.delivery_count > 0).then_some(header),
        delivery_annotations: None,
        message_annotations: None,
        properties: None,
        application_properties: Some(ApplicationProperties(properties)),
        body: Data(Binary::from(message.body)),
        footer: None,
    }
}

pub(super) fn outcome(outcome: messaging::Outcome) -> Outcome {
    match outcome {
        messaging::Outcome::Accepted(_) => Outcome::Accepted,
        messaging::Outcome::Rejected(_) => Outcome::Rejected,
        messaging::Outcome::Released(_) => Outcome::Released,
        messaging::Outcome::Modified(modified) => Outcome::Modified {
            delivery_failed: modified.delivery_failed.unwrap_or(false),
            undeliverable_here: modified.undeliverable_here.unwrap_or(false),
        },
    }
}

/// A condition of AMQP as good as one of the platform's own.
pub(super) fn error(condition: String, description: String) -> Error {
    Error::new(ErrorCondition::Custom(Symbol::from(condition)), description, None)
}

fn simple(value: Value<'_>) -> SimpleValue {
    match value {
        Value::Boolean(value) => SimpleValue::Bool(value),
        Value::Unsigned(value) => SimpleValue::Ulong(value),
        Value::Signed(value) => SimpleValue::Long(value),
        Value::Float(bits) => SimpleValue::Float(f32::from_bits(bits).into()),
        Value::Double(bits) => SimpleValue::Double(f64::from_bits(bits).into()),
        Value::Timestamp(millis) => SimpleValue::Timestamp(Timestamp::from_milliseconds(millis)),
        Value::Uuid(bytes) => SimpleValue::Uuid(Uuid::from(bytes)),
        Value::Binary(bytes) => SimpleValue::Binary(Binary::from(bytes.into_owned())),
        Value::String(text) => SimpleValue::String(text.into_owned()),
        Value::Symbol(text) => SimpleValue::Symbol(Symbol::from(text.into_owned())),
        // What the vocabulary only names has no value to send.
        _ => SimpleValue::Null,
    }
}
