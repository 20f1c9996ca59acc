//! Reading a message: strict where something depends on a member, lenient elsewhere.

use alloc::{borrow::Cow, string::String};

use super::{
    ACKNOWLEDGE, AWS_ACCOUNT_ID, Acknowledge, CLIENT_ID, CODE, CONNECT, CONNECT_MESSAGE_ID,
    Connect, DESCRIPTION, DISCONNECT, Disconnect, Expected, HEADER, MAX_MESSAGE, MESSAGE_ID,
    Message, MessageError, NAME, PAYLOAD, cut,
};
use crate::{Direction, MessageId, json::Value};

pub(super) fn decode(direction: Direction, text: &[u8]) -> Result<Message, MessageError> {
    if text.len() > MAX_MESSAGE {
        return Err(MessageError::TooLong { len: text.len(), limit: MAX_MESSAGE });
    }
    let message = Value::parse(text)?;
    let [header, payload] = object("message", Some(message))?.members([HEADER, PAYLOAD]);
    let [name, id] = object("header", header)?.members([NAME, MESSAGE_ID]);
    let name = string("header.name", name)?;
    let message_id = || message_id("header.messageId", id);
    // A payload that is none is like one that is missing: it has no members.
    let members = |names: [&str; 2]| payload.map_or([None; 2], |payload| payload.members(names));
    let [code, description] = members([CODE, DESCRIPTION]);
    let description = description.and_then(Value::text).map(|text| cut(&text).into());
    match (direction, &*name) {
        (Direction::ToService, CONNECT) => {
            let [aws_account_id, client_id] = members([AWS_ACCOUNT_ID, CLIENT_ID]);
            Ok(Message::Connect(Connect {
                message_id: message_id()?,
                aws_account_id: optional(aws_account_id),
                client_id: optional(client_id),
            }))
        }
        (Direction::ToDevice, ACKNOWLEDGE) => {
            let [connect_message_id, code] = members([CONNECT_MESSAGE_ID, CODE]);
            Ok(Message::Acknowledge(Acknowledge {
                message_id: message_id().ok(),
                connect_message_id: self::message_id(
                    "payload.connectMessageId",
                    connect_message_id,
                )?,
                code: string("payload.code", code)?.into(),
                description,
            }))
        }
        (_, DISCONNECT) => {
            let message_id = match direction {
                Direction::ToService => Some(message_id()?),
                Direction::ToDevice => message_id().ok(),
            };
            let code = optional(code).map(Into::into);
            Ok(Message::Disconnect(Disconnect { message_id, code, description }))
        }
        (Direction::ToService, _) => {
            Err(MessageError::OtherName { expected: [CONNECT, DISCONNECT] })
        }
        (Direction::ToDevice, _) => {
            Err(MessageError::OtherName { expected: [ACKNOWLEDGE, DISCONNECT] })
        }
    }
}

fn object<'a>(field: &'static str, value: Option<Value<'a>>) -> Result<Value<'a>, MessageError> {
    let expected = Expected::Object;
    value.filter(|value| value.is_object()).ok_or(MessageError::BadField { field, expected })
}

fn string<'a>(field: &'static str, value: Option<Value<'a>>) -> Result<Cow<'a, str>, MessageError> {
    let expected = Expected::Text;
    value.and_then(Value::text).ok_or(MessageError::BadField { field, expected })
}

fn message_id(field: &'static str, value: Option<Value<'_>>) -> Result<MessageId, MessageError> {
    optional(value)
        .and_then(|text| MessageId::new(text).ok())
        .ok_or(MessageError::BadField { field, expected: Expected::MessageId })
}

fn optional(value: Option<Value<'_>>) -> Option<String> {
    value.and_then(Value::text).map(Cow::into_owned)
}
