//! `amqp-message`: what did Alibaba Cloud's platform push?

use std::{borrow::Cow, str};

use amqp_auth::message::{self, BodyError, Message};
use clap::Args;
use data_encoding::HEXLOWER;
use iot_sansio::{UnixMillis, amqp};
use serde::Serialize;
use serde_json::value::RawValue;

use super::jsonl::{Failure, Members, compact, integer, variant_names};

/// Tells what messages of Alibaba Cloud's AMQP endpoint are about.
///
/// Reads {"properties":{…},"payload":…}: the application properties, of which texts, integers, numbers with a fraction,
/// booleans and null become string, long, double, boolean and null, and the body, a text, an object, or "payloadHex".
/// A body that is a JSON object is printed whole and as it came, to the last digit, but for the space in it. Any other is
/// answered as "bodyHex". Where it cannot be read as the class of the topic demands, "bodyError" says why.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

/// What is told of a message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    class: &'static str,
    message_id: Option<String>,
    topic: Option<String>,
    generate_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_error: Option<Failure>,
}

pub(super) fn answer(members: &Members<'_>) -> Result<Told, Failure> {
    let properties = members.object(PROPERTIES)?.ok_or_else(|| Failure::missing(PROPERTIES))?;
    let properties = properties.all().map(property).collect::<Result<Vec<_>, _>>()?;
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;

    let sections = [&*payload];
    let delivered = amqp::Message::new(&properties, amqp::Body::Data(&sections));
    let message = Message::decode(&delivered, message::Options::default());
    let attributes = &message.attributes;
    let body = object(&message.payload);
    Ok(Told {
        class: message.topic().class().as_str(),
        message_id: attributes.message_id.as_ref().map(|id| id.as_str().to_owned()),
        topic: attributes.topic.as_ref().map(|topic| topic.to_string()),
        generate_time: attributes.generate_time.map(UnixMillis::get),
        body_hex: body.is_none().then(|| HEXLOWER.encode(&message.payload)),
        body,
        body_error: message.body().err().map(|error| body_failure(&error)),
    })
}

/// A JSON object as it came, but for the space in it: read into values it would be told with other numbers, and what
/// no value can hold, such as half of a surrogate pair, not at all.
fn object(payload: &[u8]) -> Option<Box<RawValue>> {
    let json: &RawValue = serde_json::from_slice(payload).ok()?;
    let json = json.get().starts_with('{').then(|| compact(json.get()))?;
    RawValue::from_string(json).ok()
}

/// An application property, as the stack would have decoded it.
fn property<'a>(
    (name, raw): (&[u8], &RawValue),
) -> Result<(Cow<'a, str>, amqp::Value<'a>), Failure> {
    let bad = |problem: &str| Failure::bad_member(PROPERTIES, problem);
    let name = str::from_utf8(name).map_err(|_| bad("has a name that is not a text"))?;
    let raw = raw.get();
    // Not as any value: serde_json takes objects of certain names for numbers.
    let value = match raw.as_bytes() {
        b"null" => Some(amqp::Value::Null),
        b"true" => Some(amqp::Value::Boolean(true)),
        b"false" => Some(amqp::Value::Boolean(false)),
        [b'"', ..] => {
            serde_json::from_str::<String>(raw).ok().map(|text| amqp::Value::String(text.into()))
        }
        [b'{' | b'[', ..] => None,
        // An integer would not be what was written.
        _ if raw.contains(['.', 'e', 'E']) => {
            let double = raw.parse().ok().filter(|double: &f64| double.is_finite());
            double.map(|double| amqp::Value::Double(double.to_bits()))
        }
        _ => integer(raw).map(amqp::Value::Signed).or(integer(raw).map(amqp::Value::Unsigned)),
    };
    match value {
        Some(value) => Ok((name.to_owned().into(), value)),
        None => Err(bad(&format!("has what no application property can be: {name}"))),
    }
}

fn body_failure(error: &BodyError) -> Failure {
    let failure = Failure::new(body_error_name(error), error.to_string());
    match error {
        BodyError::WrongType { field, .. }
        | BodyError::NotAnInteger { field, .. }
        | BodyError::UnpairedSurrogate { field, .. } => failure.in_field(field),
        _ => failure,
    }
}

variant_names! {
    body_error_name: BodyError {
        Unsupported,
        NotUtf8,
        NotJson,
        NotAnObject,
        WrongType,
        NotAnInteger,
        UnpairedSurrogate,
    }
}

const PROPERTIES: &str = "properties";

const EXAMPLE: &str = r#"Example:
  echo '{"properties":{"topic":"/as/mqtt/status/a1Example01/meter-7","messageId":1351123456789012345},"payload":{"status":"online"}}' |
    inspect amqp-message"#;
