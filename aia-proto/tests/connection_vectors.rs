//! The vectors A1 to A16, X1 to X6 and F1 to F14 of specification section 14.3, run by id as far as the messages decide
//! them, and the codes of sections 6.2 to 6.4.
//!
//! The machines run the same file: `state` is what they are in before, `expect` what becomes of it, and `expectAgain`
//! what becomes of the same message once more.

use std::str;

use aia_proto::{
    ApiVersion, ClientId, Direction, Leaf, MessageId, TopicRoot, Topics,
    connection::{
        Acknowledge, AcknowledgeCode, Advice, Connect, Disconnect, DisconnectCode, Message,
    },
};
use naive::{
    connection::{found, read},
    node::Node,
};
use serde_json::Value;

mod naive {
    pub(crate) mod connection;
    pub(crate) mod node;
}

#[test]
fn every_message_is_read_as_its_vector_says() {
    let mut ids: Vec<String> = Vec::new();
    each("connection.jsonl", |vector, id| {
        let (direction, text) = (direction(vector), text(vector));
        let expected = match vector["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(vector["decoded"].clone()),
        };
        assert_eq!(found(direction, &text), expected, "{id}");
        if let Some(node) = Node::of(&text) {
            assert_eq!(read(direction, &node), expected, "{id}, naive");
        }
        let id = vector["id"].as_str().unwrap();
        if ids.last().is_none_or(|last| last != id) {
            ids.push(id.to_owned());
        }
    });
    let all = [("A", 16), ("X", 6), ("F", 14)];
    let all = all.map(|(letter, count)| (1..=count).map(move |id| format!("{letter}{id}")));
    assert_eq!(ids, all.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn every_message_asks_for_what_its_vector_says() {
    each("connection.jsonl", |vector, id| {
        let message = Message::decode(direction(vector), &text(vector)).ok();
        let advice = message.as_ref().map(|message| message.advice(direction(vector)).as_str());
        assert_eq!(advice, vector["advice"].as_str(), "{id}");
        let state = vector["state"].as_str().unwrap();
        let expect = match direction(vector) {
            Direction::ToDevice => device(state, message.as_ref()),
            Direction::ToService => service(state, message.as_ref()),
        };
        assert_eq!(expect, vector["expect"], "{id}");
    });
}

/// What a device does that waits for the answer to m-7, is connected, or closed.
fn device(state: &str, message: Option<&Message>) -> String {
    let advice = match (state, message) {
        (
            "connecting",
            Some(Message::Acknowledge(Acknowledge { connect_message_id, code, .. })),
        ) if connect_message_id.as_str() == "m-7" => code.advice(),
        ("connected", Some(Message::Disconnect(disconnect))) => disconnect.advice(),
        _ => return "ignored".into(),
    };
    let expect = match advice {
        Advice::Proceed => "connected",
        Advice::CorrectAccountId => "blocked:accountId",
        Advice::CorrectClientId => "blocked:clientId",
        Advice::UpgradeVersion => "needsRegistration:apiVersion",
        Advice::Retry | Advice::Reconnect => "backoff",
        Advice::Register => "needsRegistration:secret",
        other => panic!("{other}"),
    };
    assert_eq!(advice.needs_registration(), expect.starts_with("needsRegistration"));
    assert_eq!(advice.may_repeat(), expect == "backoff");
    expect.into()
}

/// What the service does that knows one client of one account.
fn service(state: &str, message: Option<&Message>) -> String {
    let code = match message {
        Some(Message::Connect(_)) if state == "deprecated" => AcknowledgeCode::ApiVersionDeprecated,
        Some(Message::Connect(Connect { aws_account_id, client_id, .. })) => {
            match (aws_account_id.as_deref(), client_id.as_deref()) {
                (Some("123456789012"), Some("my-thing-01")) => {
                    AcknowledgeCode::ConnectionEstablished
                }
                (Some("123456789012"), _) => AcknowledgeCode::InvalidClientId,
                _ => AcknowledgeCode::InvalidAccountId,
            }
        }
        Some(Message::Disconnect(_)) if state == "connected" => return "idle".into(),
        _ => return "ignored".into(),
    };
    format!("ack:{code}")
}

#[test]
fn the_id_of_a_connect_is_given_back_as_it_came() {
    each("connection.jsonl", |vector, id| {
        let Ok(Message::Connect(connect)) = Message::decode(direction(vector), &text(vector))
        else {
            return;
        };
        let own = MessageId::from_random([0; 16]);
        let code = AcknowledgeCode::ConnectionEstablished;
        let answer = Message::Acknowledge(Acknowledge::new(own, connect.message_id, code)).encode();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer["payload"]["connectMessageId"], vector["decoded"]["messageId"], "{id}");
    });
}

#[test]
fn messages_are_written_as_the_specification_shows_them() {
    let id = |text| MessageId::new(text).unwrap();
    let code = AcknowledgeCode::ConnectionEstablished;
    let written = [
        Message::Connect(Connect::new(id("m-7"), "123456789012", "my-thing-01")),
        Message::Acknowledge(Acknowledge::new(id("s-1"), id("m-7"), code)),
        Message::Disconnect(Disconnect::new(id("m-8"), DisconnectCode::GoingOffline)),
    ];
    for (message, vector) in written.iter().zip(["F1", "A1", "F11"]) {
        let mut is_there = false;
        each("connection.jsonl", |other, _| {
            if other["id"] == vector {
                assert_eq!(message.encode(), text(other), "{vector}");
                is_there = true;
            }
        });
        assert!(is_there, "{vector}");
    }
    let described = Disconnect::new(id("51aa"), DisconnectCode::GoingOffline);
    let described = Message::Disconnect(described.with_description("user pressed off"));
    assert_eq!(
        described.encode(),
        concat!(
            r#"{"header":{"name":"Disconnect","messageId":"51aa"},"#,
            r#""payload":{"code":"GOING_OFFLINE","description":"user pressed off"}}"#,
        )
        .as_bytes()
    );
}

#[test]
fn every_code_stands_as_the_specification_lists_it() {
    let (mut acknowledge, mut disconnect) = (Vec::new(), Vec::new());
    each("code.jsonl", |vector, id| {
        let text = vector["code"].as_str().unwrap();
        let standing = |standing: fn(&str, Direction) -> String| {
            [Direction::ToService, Direction::ToDevice].map(|direction| standing(text, direction))
        };
        let (advice, standing, expect) = if id.starts_with("acknowledge ") {
            let code = AcknowledgeCode::from(text);
            acknowledge.push(code.clone());
            let standing = standing(|text, direction| {
                format!("{:?}", AcknowledgeCode::from(text).standing(direction))
            });
            (code.advice(), standing, None)
        } else {
            let code = DisconnectCode::from(text);
            disconnect.push(code.clone());
            let standing = standing(|text, direction| {
                format!("{:?}", DisconnectCode::from(text).standing(direction))
            });
            (code.advice(), standing, Some(format!("{:?}", code.expect())))
        };
        assert_eq!(advice.as_str(), vector["advice"], "{id}");
        let from_device = vector["fromDevice"].as_str().unwrap_or("Unknown");
        assert_eq!(standing, [from_device, vector["fromService"].as_str().unwrap()], "{id}");
        assert_eq!(expect.as_deref(), vector["expect"].as_str(), "{id}");
    });
    acknowledge.pop();
    disconnect.pop();
    assert_eq!(acknowledge, AcknowledgeCode::ALL);
    assert_eq!(disconnect, DisconnectCode::ALL);
}

#[test]
fn the_two_topics_carry_the_two_directions() {
    let (root, client_id) =
        (TopicRoot::new("$aws/alexa").unwrap(), ClientId::new("my-thing-01").unwrap());
    let topics = Topics::new(&root, ApiVersion::V1, &client_id);
    let direction = |leaf| topics.classify(&topics.topic(leaf)).unwrap().direction();
    assert_eq!(direction(Leaf::ConnectionFromClient), Direction::ToService);
    assert_eq!(direction(Leaf::ConnectionFromService), Direction::ToDevice);
}

fn each(file: &str, mut run: impl FnMut(&Value, &str)) {
    let lines = match file {
        "code.jsonl" => include_str!("vectors/code.jsonl"),
        _ => include_str!("vectors/connection.jsonl"),
    };
    for line in lines.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let mut id = vector["id"].as_str().unwrap().to_owned();
        if let Some(case) = vector["case"].as_str() {
            id = format!("{id}, {case}");
        }
        run(&vector, &id);
    }
}

fn direction(vector: &Value) -> Direction {
    match vector["to"].as_str() {
        Some("device") => Direction::ToDevice,
        Some("service") => Direction::ToService,
        other => panic!("to {other:?}"),
    }
}

fn text(vector: &Value) -> Vec<u8> {
    match vector["hex"].as_str() {
        Some(hex) => hex
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect(),
        None => vector["text"].as_str().unwrap().into(),
    }
}
