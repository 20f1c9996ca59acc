//! `aia-connection`: what does this message of a connection topic say, and what must the device do?

use aia_proto::{
    Direction, JsonFault, MessageId,
    connection::{DisconnectCode, Message, MessageError},
};
use clap::Args;
use serde_json::{Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Tells what AIA's messages on connection/fromclient and connection/fromservice say, and what the device must do then.
///
/// Reads {"payload":…,"from":"service|device"?}: the message, a text, an object, or "payloadHex"; without from, the
/// service sent it. Members that are absent are null. The advice is one word for programs, and adviceText says it to
/// people; what a device sent asks nothing of it. What is an error is ignored by the other side, without an answer.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    let direction = match members.text(FROM)?.as_deref() {
        None | Some("service") => Direction::ToDevice,
        Some("device") => Direction::ToService,
        Some(_) => return Err(Failure::bad_member(FROM, "is neither service nor device")),
    };
    let message = Message::decode(direction, &payload).map_err(|error| failure(&error))?;
    let mut told = match &message {
        Message::Connect(connect) => json!({
            "messageId": connect.message_id.as_str(),
            "awsAccountId": connect.aws_account_id,
            "clientId": connect.client_id,
        }),
        Message::Acknowledge(acknowledge) => json!({
            "messageId": acknowledge.message_id.as_ref().map(MessageId::as_str),
            "connectMessageId": acknowledge.connect_message_id.as_str(),
            "code": acknowledge.code.as_str(),
            "description": acknowledge.description,
        }),
        Message::Disconnect(disconnect) => json!({
            "messageId": disconnect.message_id.as_ref().map(MessageId::as_str),
            "code": disconnect.code.as_ref().map(DisconnectCode::as_str),
            "description": disconnect.description,
        }),
        _ => json!({}),
    };
    let advice = message.advice(direction);
    told["name"] = message.name().into();
    told["advice"] = advice.as_str().into();
    told["adviceText"] = advice.to_string().into();
    Ok(told)
}

fn failure(error: &MessageError) -> Failure {
    let failure = |kind| Failure::new(kind, error.to_string());
    match error {
        MessageError::BadJson(json) => {
            let failure = failure(json_fault_name(&json.fault))
                .with("jsonLine", json.line)
                .with("jsonColumn", json.column);
            match json.fault {
                JsonFault::TooDeep { limit } => failure.with("limit", limit),
                _ => failure,
            }
        }
        MessageError::TooLong { len, limit } => {
            failure(message_error_name(error)).with("len", *len).with("limit", *limit)
        }
        MessageError::BadField { field, .. } => failure(message_error_name(error)).in_field(field),
        _ => failure(message_error_name(error)),
    }
}

variant_names! {
    message_error_name: MessageError {
        TooLong,
        BadJson,
        BadField,
        OtherName,
    }
}

variant_names! {
    json_fault_name: JsonFault {
        NotJson,
        NamedTwice,
        TooDeep,
    }
}

const FROM: &str = "from";

const EXAMPLE: &str = r#"Example:
  echo '{"payload":{"header":{"name":"Acknowledge","messageId":"s-1"},"payload":{"connectMessageId":"m-7","code":"INVALID_ACCOUNT_ID"}}}' |
    inspect aia-connection"#;
