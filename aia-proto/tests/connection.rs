//! Messages of connections: agreement with a naive reading, bounds, and what is kept of texts.

use aia_proto::{
    Direction, Json, JsonFault, MessageId,
    connection::{
        Acknowledge, AcknowledgeCode, Connect, Disconnect, DisconnectCode, MAX_DESCRIPTION,
        MAX_MESSAGE, Message, MessageError,
    },
};
use naive::{
    connection::{found, read},
    node::Node,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

mod naive {
    pub(crate) mod connection;
    pub(crate) mod node;
}

fn id(text: &str) -> MessageId {
    MessageId::new(text).unwrap()
}

#[test]
fn a_message_that_is_too_long_is_not_read() {
    let text = Message::Disconnect(Disconnect::new(id("m"), DisconnectCode::GoingOffline)).encode();
    let mut padded = vec![b' '; MAX_MESSAGE - text.len()];
    padded.extend(&text);
    assert!(Message::decode(Direction::ToService, &padded).is_ok());
    padded.push(b' ');
    let error = Message::decode(Direction::ToService, &padded).unwrap_err();
    assert_eq!(error, too_long(padded.len()));
    assert_eq!(error.to_string(), "the message has 131073 bytes, more than 131072");
}

fn too_long(len: usize) -> MessageError {
    match Message::decode(Direction::ToDevice, &vec![b' '; len]) {
        Err(error @ MessageError::TooLong { .. }) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn deep_json_is_refused_wherever_it_stands() {
    let fault = |text: String| match Message::decode(Direction::ToDevice, text.as_bytes()) {
        Err(MessageError::BadJson(error)) => Some(error.fault),
        _ => None,
    };
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let member = |depth| format!(r#"{{"x":{}}}"#, nested(depth));
    assert_eq!(fault(member(31)), None);
    let too_deep = Some(JsonFault::TooDeep { limit: 32 });
    assert_eq!(fault(member(32)), too_deep);
    // However deep: neither stack nor time runs out.
    assert_eq!(fault(member(MAX_MESSAGE / 2 - 10)), too_deep);
    assert_eq!(fault("[".repeat(MAX_MESSAGE)), Some(JsonFault::NotJson));
    assert_eq!(fault(r#"{"x":"#.repeat(MAX_MESSAGE / 5)), Some(JsonFault::NotJson));
}

#[test]
fn a_name_is_refused_where_it_comes_twice_and_only_there() {
    let place =
        |text: &str| Json::new(text).err().map(|error| (error.fault, error.line, error.column));
    let twice = |line, column| Some((JsonFault::NamedTwice, line, column));
    assert_eq!(place(r#"{"a":1,"a":2}"#), twice(1, 12));
    assert_eq!(place("{\"b\":[0,{\"a\":1,\n \"\\u0061\": null}]}"), twice(2, 12));
    assert_eq!(place(r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#), None);
    // Halves of surrogate pairs are names, too.
    assert_eq!(place(r#"{"\ud800":1,"\ud801":2}"#), None);
    assert_eq!(place(r#"{"\ud800":1,"\ud800":2}"#), twice(1, 22));
    assert_eq!(place("{\"a\":\n}"), Some((JsonFault::NotJson, 2, 1)));
    assert_eq!(Json::new("\n 1e999 ").unwrap().as_str(), "1e999");
}

#[test]
fn many_members_take_time_in_proportion() {
    let members: Vec<_> = (0..12_000).map(|number| format!("\"{number:05}\":0")).collect();
    let mut text = format!("{{{}}}", members.join(","));
    assert!(text.len() < MAX_MESSAGE);
    assert!(Json::new(&text).is_ok());
    text = text.replace("\"11999\"", "\"00000\"");
    assert_eq!(Json::new(&text).unwrap_err().fault, JsonFault::NamedTwice);
}

#[test]
fn half_a_surrogate_pair_only_harms_the_member_that_it_stands_in() {
    let text = |description: &str, code: &str| {
        let payload =
            format!(r#"{{"connectMessageId":"m","description":{description},"code":{code}}}"#);
        format!(r#"{{"header":{{"name":"Acknowledge"}},"payload":{payload},"x":"\udfff"}}"#)
    };
    let decode = |text: String| Message::decode(Direction::ToDevice, text.as_bytes());
    let Ok(Message::Acknowledge(read)) = decode(text(r#""\ud800""#, r#""C""#)) else {
        panic!("the description does not matter")
    };
    assert_eq!((read.description, read.code.as_str()), (None, "C"));
    assert!(matches!(
        decode(text("null", r#""\ud800""#)),
        Err(MessageError::BadField { field: "payload.code", .. })
    ));
}

#[test]
fn a_description_is_cut_between_characters() {
    let long = format!("{}\u{e9}tail", "x".repeat(MAX_DESCRIPTION - 1));
    let disconnect = Disconnect::new(id("m"), DisconnectCode::GoingOffline).with_description(&long);
    let text = Message::Disconnect(disconnect).encode();
    let kept = "x".repeat(MAX_DESCRIPTION - 1);
    let untouched = String::from_utf8(text.clone()).unwrap().replace(&kept, &long);
    assert!(untouched.contains("tail"));
    for text in [text, untouched.into_bytes()] {
        let Ok(Message::Disconnect(read)) = Message::decode(Direction::ToService, &text) else {
            panic!("a long description does no harm")
        };
        assert!(read.description.unwrap() == kept);
    }
}

#[test]
fn an_error_says_what_is_wrong() {
    let said =
        |text: &str| Message::decode(Direction::ToDevice, text.as_bytes()).unwrap_err().to_string();
    assert_eq!(said("{"), "the text is not JSON: line 1, column 1");
    assert_eq!(said("[]"), "`message` is not an object");
    assert_eq!(said(r#"{"header":{"name":7}}"#), "`header.name` is not a string");
    let other = r#"{"header":{"name":"Connect"}}"#;
    assert_eq!(said(other), r#"`header.name` is none of ["Acknowledge", "Disconnect"]"#);
    let empty = r#"{"header":{"name":"Acknowledge"},"payload":{"connectMessageId":""}}"#;
    assert_eq!(said(empty), "`payload.connectMessageId` is not a string of 1 to 256 bytes");
}

#[test]
fn a_code_from_the_network_is_not_printed_as_it_is() {
    let code = AcknowledgeCode::from(format!("\u{1b}[2J{}", "x".repeat(1000)));
    assert_eq!(code.as_str().len(), 1004);
    let printed = code.to_string();
    assert!(printed.len() < 100 && !printed.contains(char::is_control), "{printed}");
    for code in AcknowledgeCode::ALL {
        assert_eq!(&AcknowledgeCode::from(code.as_str()), code);
    }
    for code in DisconnectCode::ALL {
        assert_eq!(&DisconnectCode::from(code.as_str()), code);
    }
}

/// A member that may be missing, be there twice or hold something odd.
fn member(name: &'static str, fit: &'static [&'static str]) -> impl Strategy<Value = String> {
    let odd = ["null", "\"\"", "5", "-1.5e3", "18446744073709551616", "[]", "true", "{\"x\":[{}]}"];
    let odd = [odd.as_slice(), &["\"m \"", "{\"a\":0,\"a\":0}", "\"Connect\"", "[{\"b\":[[1]]}]"]];
    let value = prop_oneof![12 => select(fit), 1 => select(odd.concat())];
    let count = prop_oneof![20 => Just(1), 2 => Just(0_usize), 1 => Just(2)];
    let name = match name {
        "code" => vec!["\"code\"", "\"code\"", "\"c\\u006fde\""],
        "header" => vec!["\"header\""],
        "payload" => vec!["\"payload\""],
        "name" => vec!["\"name\"", "\"n\\u0061me\""],
        "messageId" => vec!["\"messageId\""],
        "connectMessageId" => vec!["\"connectMessageId\""],
        "awsAccountId" => vec!["\"awsAccountId\""],
        "clientId" => vec!["\"clientId\""],
        "description" => vec!["\"description\""],
        _ => vec!["\"other\"", "\"\"", "\"Code\""],
    };
    let one = (select(name), value).prop_map(|(name, value)| format!("{name}:{value}"));
    count.prop_flat_map(move |count| vec(one.clone(), count)).prop_map(|members| members.join(","))
}

fn object(members: Vec<BoxedStrategy<String>>) -> impl Strategy<Value = String> {
    (Just(members), select(vec!["", " ", "\n\t"])).prop_flat_map(|(members, blank)| {
        members.prop_shuffle().prop_map(move |members| {
            let members: Vec<_> = members.into_iter().filter(|one| !one.is_empty()).collect();
            format!("{{{blank}{}{blank}}}", members.join(&format!("{blank},{blank}")))
        })
    })
}

fn message() -> impl Strategy<Value = String> {
    let names = &["\"Connect\"", "\"Acknowledge\"", "\"Disconnect\"", "\"\\u0044isconnect\""];
    let ids = &["\"m-7\"", "\"\\\"\\\\\"", "\"\u{e9}\\ud83d\\ude00\""];
    let codes =
        &["\"CONNECTION_ESTABLISHED\"", "\"GOING_OFFLINE\"", "\"NEW\"", "\"ENCRYPTION_ERROR\""];
    let header = object(vec![
        member("name", names).boxed(),
        member("messageId", ids).boxed(),
        member("other", ids).boxed(),
    ]);
    let payload = object(vec![
        member("connectMessageId", ids).boxed(),
        member("code", codes).boxed(),
        member("description", &["\"text\"", "null"]).boxed(),
        member("awsAccountId", &["\"123456789012\""]).boxed(),
        member("clientId", &["\"my-thing-01\""]).boxed(),
        member("other", ids).boxed(),
    ]);
    let odd = member("payload", &["null", "[]"]);
    let header = header.prop_map(|header| format!("\"header\":{header}"));
    let payload = payload.prop_map(|payload| format!("\"payload\":{payload}"));
    object(vec![
        prop_oneof![20 => header, 1 => member("header", &["[]"])].boxed(),
        prop_oneof![20 => payload, 1 => odd].boxed(),
        member("other", &["0", "{}"]).boxed(),
    ])
}

fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::ToDevice, Direction::ToService])
}

fn texts() -> impl Strategy<Value = MessageId> {
    ".{1,60}".prop_map(|text| MessageId::new(text).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_message_is_read_as_a_naive_reader_does(text in message(), direction in direction()) {
        let node = Node::of(text.as_bytes()).unwrap();
        prop_assert_eq!(found(direction, text.as_bytes()), read(direction, &node));
    }

    #[test]
    fn a_broken_message_is_not_json(text in message(), at in any::<prop::sample::Index>(), direction in direction()) {
        let text = text.as_bytes();
        let cut = &text[..at.index(text.len())];
        prop_assert_eq!(found(direction, cut), Err("NotJson".into()));
        for more in [&b"\0"[..], b"\xff", b"}", b"0", b"\xef\xbb\xbf"] {
            prop_assert_eq!(found(direction, &[text, more].concat()), Err("NotJson".into()));
        }
        prop_assert_eq!(found(direction, &[b"\xef\xbb\xbf", text].concat()), Err("NotJson".into()));
    }

    #[test]
    fn bytes_are_json_here_when_they_are_elsewhere(bytes in vec(select(b"{}[]\",:0 \n\\t\xc3\xa9".as_slice()), 0..12)) {
        let is_json = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
        prop_assert_eq!(found(Direction::ToDevice, &bytes) != Err("NotJson".into()), is_json);
    }

    #[test]
    fn what_is_written_is_read(ids in (texts(), texts()), text in ".{0,40}", texts in vec(option::of(".{0,300}"), 3)) {
        let mut connect = Connect::new(ids.0.clone(), "", "");
        (connect.aws_account_id, connect.client_id) = (texts[0].clone(), texts[1].clone());
        let mut acknowledge = Acknowledge::new(ids.0.clone(), ids.1, text.as_str().into());
        acknowledge.description.clone_from(&texts[2]);
        let mut disconnect = Disconnect::new(ids.0, text.into());
        disconnect.description.clone_from(&texts[2]);
        let sent = [
            (Direction::ToService, Message::Connect(connect)),
            (Direction::ToDevice, Message::Acknowledge(acknowledge)),
            (Direction::ToDevice, Message::Disconnect(disconnect.clone())),
            (Direction::ToService, Message::Disconnect(disconnect)),
        ];
        for (direction, message) in sent {
            prop_assert_eq!(Message::decode(direction, &message.encode()), Ok(message));
        }
    }
}
