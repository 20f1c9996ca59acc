//! Messages of connections read again, in no hurry: specification, sections 6 and 14.3, over a tree.

use aia_proto::{
    Direction, JsonFault, MessageId,
    connection::{Acknowledge, Connect, Disconnect, Message, MessageError},
};
use serde_json::{Value, json};

use super::node::Node;

/// What both readings found: the members, or what is wrong.
pub(crate) type Found = Result<Value, String>;

/// By the crate; what it read is written and read again.
pub(crate) fn found(direction: Direction, text: &[u8]) -> Found {
    let message = Message::decode(direction, text).map_err(|error| label(&error))?;
    assert_eq!(Message::decode(direction, &message.encode()).as_ref(), Ok(&message));
    let id = |id: &Option<MessageId>| id.as_ref().map(|id| id.as_str().to_owned());
    let name = message.name();
    Ok(match message {
        Message::Connect(Connect { message_id, aws_account_id, client_id, .. }) => {
            let id = message_id.as_str();
            json!({"name": name, "messageId": id, "awsAccountId": aws_account_id, "clientId": client_id})
        }
        Message::Acknowledge(Acknowledge {
            message_id,
            connect_message_id,
            code,
            description,
            ..
        }) => json!({
            "name": name, "messageId": id(&message_id), "connectMessageId": connect_message_id.as_str(),
            "code": code.as_str(), "description": description,
        }),
        Message::Disconnect(Disconnect { message_id, code, description, .. }) => {
            let code = code.as_ref().map(|code| code.as_str());
            json!({"name": name, "messageId": id(&message_id), "code": code, "description": description})
        }
        other => panic!("{other:?}"),
    })
}

fn label(error: &MessageError) -> String {
    assert!(error.to_string().len() < 200);
    match error {
        MessageError::TooLong { .. } => "TooLong".into(),
        MessageError::BadJson(error) => match error.fault {
            JsonFault::NotJson => "NotJson".into(),
            JsonFault::NamedTwice => "NamedTwice".into(),
            JsonFault::TooDeep { .. } => "TooDeep".into(),
            other => panic!("{other}"),
        },
        MessageError::BadField { field, .. } => format!("BadField {field}"),
        MessageError::OtherName { .. } => "OtherName".into(),
        other => panic!("{other}"),
    }
}

/// By a walk through the tree of a text that is JSON.
pub(crate) fn read(direction: Direction, message: &Node) -> Found {
    message.check(1)?;
    let bad = |field: &str| format!("BadField {field}");
    if !matches!(message, Node::Object(_)) {
        return Err(bad("message"));
    }
    let Some(header @ Node::Object(_)) = message.get("header") else { return Err(bad("header")) };
    let name = text(header, "name").ok_or_else(|| bad("header.name"))?;
    let id = text(header, "messageId").filter(|id| (1..=256).contains(&id.len()));
    let nothing = Node::Object(Vec::new());
    let payload = message.get("payload").unwrap_or(&nothing);
    let description = text(payload, "description").map(|text| {
        let mut kept = String::new();
        for ch in text.chars() {
            if kept.len() + ch.len_utf8() > 1024 {
                break;
            }
            kept.push(ch);
        }
        kept
    });
    match (direction, name) {
        (Direction::ToService, "Connect" | "Disconnect") if id.is_none() => {
            Err(bad("header.messageId"))
        }
        (Direction::ToService, "Connect") => Ok(json!({
            "name": name, "messageId": id,
            "awsAccountId": text(payload, "awsAccountId"), "clientId": text(payload, "clientId"),
        })),
        (Direction::ToDevice, "Acknowledge") => {
            let connect =
                text(payload, "connectMessageId").filter(|id| (1..=256).contains(&id.len()));
            let connect = connect.ok_or_else(|| bad("payload.connectMessageId"))?;
            let code = text(payload, "code").ok_or_else(|| bad("payload.code"))?;
            Ok(json!({
                "name": name, "messageId": id, "connectMessageId": connect, "code": code,
                "description": description,
            }))
        }
        (_, "Disconnect") => Ok(json!({
            "name": name, "messageId": id, "code": text(payload, "code"), "description": description,
        })),
        _ => Err("OtherName".into()),
    }
}

fn text<'n>(object: &'n Node, name: &str) -> Option<&'n str> {
    match object.get(name) {
        Some(Node::Text(text)) => Some(text),
        _ => None,
    }
}
