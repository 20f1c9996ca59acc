//! `amqp-message`: what did Alibaba Cloud's platform push?

use std::{borrow::Cow, str};

use amqp_auth::message::{self, BodyError, Message};
use clap::Args;
use data_encoding::HEXLOWER;
use iot_sansio::{UnixMillis, amqp};
use serde_json::{Map, Value, json, value::RawValue};

use super::jsonl::{Failure, Members, variant_names};

/// Tells what messages of Alibaba Cloud's AMQP endpoint are about.
///
/// Reads {"properties":{…},"payload":…}: the application properties, of which texts, integers, numbers with a fraction,
/// booleans and null become string, long, double, boolean and null, and the body, a text, an object, or "payloadHex".
/// A body that is not a JSON object is answered as "bodyHex"; where it cannot be read as the class of the topic
/// demands, "bodyError" says why. Bodies are printed whole.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let properties = members.object(PROPERTIES)?.ok_or_else(|| Failure::missing(PROPERTIES))?;
    let properties = properties.all().map(property).collect::<Result<Vec<_>, _>>()?;
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;

    let sections = [&*payload];
    let delivered = amqp::Message::new(&properties, amqp::Body::Data(&sections));
    let message = Message::decode(&delivered, message::Options::default());
    let attributes = &message.attributes;
    let mut told = json!({
        "class": message.topic().class().as_str(),
        "messageId": attributes.message_id.as_ref().map(|id| id.as_str()),
        "topic": attributes.topic,
        "generateTime": attributes.generate_time.map(UnixMillis::get),
    });
    let shown = serde_json::from_slice::<Map<_, _>>(&message.payload);
    let problem = match (message.body(), &shown) {
        (Err(error), _) => Some(body_failure(&error)),
        // Half of a surrogate pair, or a depth or number that is more than is told here.
        (Ok(body), Err(error)) if !matches!(body, message::Body::Bytes(_)) => {
            let (line, column) = (error.line(), error.column());
            let problem = format!("the body cannot be shown, from line {line}, column {column} on");
            Some(Failure::new("NotJson", problem))
        }
        _ => None,
    };
    match shown {
        Ok(body) => told["body"] = body.into(),
        Err(_) => told["bodyHex"] = HEXLOWER.encode(&message.payload).into(),
    }
    if let Some(problem) = problem {
        told["bodyError"] = json!(problem);
    }
    Ok(told)
}

/// An application property, as the stack would have decoded it.
fn property<'a>(
    (name, raw): (&[u8], &RawValue),
) -> Result<(Cow<'a, str>, amqp::Value<'a>), Failure> {
    let bad = |problem: &str| Failure::bad_member(PROPERTIES, problem);
    let name = str::from_utf8(name).map_err(|_| bad("has a name that is not a text"))?;
    let value = match serde_json::from_str(raw.get()) {
        Ok(Value::Null) => amqp::Value::Null,
        Ok(Value::Bool(value)) => amqp::Value::Boolean(value),
        Ok(Value::String(text)) => amqp::Value::String(text.into()),
        Ok(Value::Number(number)) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(long), _, _) => amqp::Value::Signed(long),
            (None, Some(long), _) => amqp::Value::Unsigned(long),
            // An integer would not be what was written.
            (None, None, Some(double)) if raw.get().contains(['.', 'e', 'E']) => {
                amqp::Value::Double(double.to_bits())
            }
            _ => return Err(bad(&format!("has an integer of more than 64 bits: {name}"))),
        },
        _ => return Err(bad(&format!("has what no application property can be: {name}"))),
    };
    Ok((name.to_owned().into(), value))
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
