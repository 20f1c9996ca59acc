//! Pushes: the vectors P01 to P13 of specification section 17.5, and their rules against a naive reading.

use std::fmt::Write as _;

use kii_onboard::{
    IdRule, Json,
    command::{
        Action, ActionResult, ActionResults, Actions, BadCommand, BadPush, Command, InvalidCommand,
        MAX_PUSH, Push, PushError, TraitActions,
    },
};
use naive::Node;
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "naive/push.rs"]
mod naive;

fn payload(vector: &Value) -> Vec<u8> {
    match (vector["payload"].as_str(), vector["bytes"].as_array()) {
        (Some(text), _) => text.into(),
        (None, Some(bytes)) => {
            bytes.iter().map(|byte| u8::try_from(byte.as_u64().unwrap()).unwrap()).collect()
        }
        (None, None) => panic!("a vector without payload"),
    }
}

fn command(payload: &[u8]) -> Command {
    match Push::decode(payload) {
        Ok(Push::Command(command)) => command,
        other => panic!("{other:?}"),
    }
}

fn listed(actions: &[Action]) -> Value {
    actions.iter().map(|action| json!([action.name, action.value.as_str()])).collect()
}

fn described(command: &Command) -> Value {
    let (form, actions) = match &command.actions {
        Actions::Plain(actions) => ("plain", listed(actions)),
        Actions::Trait(traits) => {
            let traits = traits.iter().map(|of| json!([of.alias, listed(&of.actions)]));
            ("traits", traits.collect())
        }
    };
    json!({
        "id": command.id, form: actions, "issuer": command.issuer,
        "schema": [command.schema, command.schema_version],
    })
}

#[test]
fn every_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/push.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        let payload = payload(&vector);
        if let Some(results) = vector["results"].as_array() {
            let results = results.iter().map(|result| match result.as_str() {
                Some(message) => ActionResult::failed(message),
                None => ActionResult::succeeded(),
            });
            let results = ActionResults::new(&command(&payload).actions, results).unwrap();
            assert_eq!(results.encode(), vector["body"].as_str().unwrap().as_bytes(), "{id}");
        } else {
            match Push::decode(&payload) {
                Ok(Push::Command(command)) => {
                    assert_eq!(described(&command), vector["command"], "{id}");
                }
                Ok(Push::Other(object)) => {
                    assert_eq!(vector["other"], true, "{id}");
                    assert_eq!(object.as_str().as_bytes(), payload, "{id}");
                }
                Err(PushError::BadPush(_)) => assert_eq!(vector["error"], "BadPush", "{id}"),
                Err(PushError::BadCommand(_)) => assert_eq!(vector["error"], "BadCommand", "{id}"),
                Err(other) => panic!("{id}: {other}"),
            }
        }
        ids.push(id);
    }
    let all: Vec<_> = (1..=13).map(|number| format!("P{number:02}")).collect();
    assert_eq!(ids, all);
}

#[test]
fn an_error_names_the_place() {
    let error = |payload: &[u8]| Push::decode(payload).unwrap_err();
    let bad_command = |payload: &str| match error(payload.as_bytes()) {
        PushError::BadCommand(bad) => bad,
        other => panic!("{other:?}"),
    };
    let BadCommand::InvalidId(invalid) = bad_command(r#"{"commandID":"a/b","actions":[]}"#) else {
        panic!("another fault")
    };
    assert_eq!(invalid.rule, IdRule::ForbiddenChar { index: 1 });
    let second = r#"{"commandID":"c","actions":[{"a":1},{"a":1,"a":1}]}"#;
    assert_eq!(bad_command(second), BadCommand::BadAction { index: 1 });
    let empty = error(b"");
    assert!(matches!(empty, PushError::BadPush(BadPush::NotJson(_))), "{empty:?}");
    let array = error(b"[]");
    assert_eq!(array, PushError::BadPush(BadPush::NotAnObject { found: "an array" }));
    assert_eq!(array.to_string(), "the payload is no push: it is an array, not an object");
}

#[test]
fn a_half_surrogate_counts_only_where_a_text_is_needed() {
    let bad = |payload: &str| match Push::decode(payload.as_bytes()) {
        Err(PushError::BadCommand(bad)) => bad,
        other => panic!("{other:?}"),
    };
    assert_eq!(bad(r#"{"commandID":"\ud800","actions":[]}"#), BadCommand::IdWithoutText);
    let action = r#"{"commandID":"c","actions":[{"a":[{"\udc00":1}]}]}"#;
    assert_eq!(bad(action), BadCommand::BadAction { index: 0 });
    let around =
        br#"{"\ud800":"\ud800","commandID":"c","issuer":"\ud800","actions":[{"a":"\ud800"}]}"#;
    let Actions::Plain(actions) = command(around).actions else { panic!("not of traits") };
    assert_eq!(actions[0].value.as_str(), r#""\ud800""#);
    assert_eq!(command(around).issuer, None);
}

#[test]
fn no_more_than_the_limit_is_read() {
    let mut payload = br#"{"commandID":"c","actions":[]}"#.to_vec();
    payload.resize(MAX_PUSH, b' ');
    assert_eq!(command(&payload).id, "c");
    payload.push(b' ');
    let too_large = BadPush::TooLarge { len: MAX_PUSH + 1, limit: MAX_PUSH };
    assert_eq!(Push::decode(&payload), Err(PushError::BadPush(too_large)));
}

#[test]
fn a_value_may_nest_as_deep_as_a_payload_is_long() {
    let depth = 30_000;
    let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let payload = format!(r#"{{"commandID":"c","actions":[{{"a":{value}}}]}}"#);
    let Actions::Plain(actions) = command(payload.as_bytes()).actions else { panic!("no traits") };
    assert_eq!(actions[0].value.as_str(), value);
}

#[test]
fn a_schema_is_not_written_beside_actions_of_traits() {
    let of_trait =
        TraitActions::new("light", [Action::new("turnPower", Json::new("true").unwrap())]);
    let command = Command::new("c", Actions::Trait(vec![of_trait])).unwrap().with_schema("S", 1);
    let payload = command.encode();
    assert_eq!(payload, br#"{"commandID":"c","actions":[{"light":[{"turnPower":true}]}]}"#);
}

#[test]
fn plain_actions_stay_plain_without_a_schema() {
    let ambiguous = Action::new("a", Json::new(r#"[{"b":1}]"#).unwrap());
    let command = Command::new("c", Actions::Plain(vec![ambiguous])).unwrap();
    let payload = command.encode();
    assert_eq!(payload, br#"{"schema":null,"commandID":"c","actions":[{"a":[{"b":1}]}]}"#);
    assert_eq!(Push::decode(&payload), Ok(Push::Command(command)));
}

#[test]
fn a_trait_without_actions_is_not_sent() {
    for traits in [vec![], vec![TraitActions::new("a", [])]] {
        assert_eq!(Command::new("c", Actions::Trait(traits)), Err(InvalidCommand::NoActions));
    }
    assert!(Command::new("c", Actions::Plain(vec![])).is_ok());
    assert!(matches!(
        Command::new("a+b", Actions::Plain(vec![])),
        Err(InvalidCommand::InvalidId(_))
    ));
}

/// Names that the rules are about, and some others.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("commandID".to_owned()),
        Just("actions".to_owned()),
        Just("schema".to_owned()),
        "[a-c]{0,2}",
        "\\PC{0,3}",
    ]
}

fn value() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        Just(Node::Plain("null".into())),
        Just(Node::Plain("true".into())),
        prop_oneof![Just("0"), Just("-7"), Just("1.5"), Just("1e2"), Just("9223372036854775808")]
            .prop_map(|number| Node::Plain(number.into())),
        "\\PC{0,4}".prop_map(Node::Text),
        "[a-z/\u{1}]{0,4}".prop_map(Node::Text),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Node::Array),
            prop::collection::vec((name(), inner.clone()), 0..3).prop_map(Node::Object),
            // One member, the shape of every action.
            (name(), inner).prop_map(|member| Node::Object(vec![member])),
        ]
    })
}

fn action() -> impl Strategy<Value = Node> {
    let of = |value: BoxedStrategy<Node>| {
        prop_oneof![
            12 => (name(), value.clone()).prop_map(|member| Node::Object(vec![member])),
            1 => (name(), value).prop_map(|member| Node::Object(vec![member.clone(), member])),
            1 => Just(Node::Object(vec![])),
        ]
        .boxed()
    };
    let plain = of(value().boxed());
    let list = prop::collection::vec(plain.clone(), 0..3).prop_map(Node::Array);
    prop_oneof![2 => plain, 3 => of(list.boxed()), 1 => value()]
}

/// Objects that are almost commands, and any others.
fn push() -> impl Strategy<Value = Node> {
    let actions = prop::collection::vec(action(), 0..4).prop_map(Node::Array);
    let id = prop_oneof![4 => "[a-z0-9-]{1,4}".prop_map(Node::Text), 1 => value()];
    let member = prop_oneof![
        4 => id.prop_map(|id| ("commandID".to_owned(), id)),
        4 => actions.prop_map(|actions| ("actions".to_owned(), actions)),
        1 => (prop_oneof![Just("schema"), Just("schemaVersion"), Just("issuer")], value())
            .prop_map(|(name, value)| (name.to_owned(), value)),
        1 => (name(), value()),
    ];
    prop_oneof![
        9 => prop::collection::vec(member, 0..6).prop_map(Node::Object),
        1 => value(),
    ]
}

/// With blanks that mean nothing.
fn written(node: &Node, blank: &str, to: &mut String) {
    let text = |text: &str| serde_json::to_string(text).unwrap();
    match node {
        Node::Plain(plain) => to.push_str(plain),
        Node::Text(inner) => to.push_str(&text(inner)),
        Node::Array(elements) => {
            to.push('[');
            for (index, element) in elements.iter().enumerate() {
                to.push_str(if index > 0 { "," } else { "" });
                to.push_str(blank);
                written(element, blank, to);
            }
            to.push(']');
        }
        Node::Object(members) => {
            to.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                write!(to, "{comma}{blank}{}:{blank}", text(name)).unwrap();
                written(value, blank, to);
            }
            to.push('}');
        }
    }
}

fn text_of(node: &Node, blank: &str) -> String {
    let mut text = String::new();
    written(node, blank, &mut text);
    text
}

fn actions_of(command: &Command) -> (bool, Vec<(String, String, String)>) {
    let triple = |alias: &str, action: &Action| {
        (alias.to_owned(), action.name.clone(), action.value.as_str().to_owned())
    };
    match &command.actions {
        Actions::Plain(actions) => (false, actions.iter().map(|one| triple("", one)).collect()),
        Actions::Trait(traits) => {
            let of = |of: &TraitActions| -> Vec<_> {
                of.actions.iter().map(|one| triple(&of.alias, one)).collect()
            };
            (true, traits.iter().flat_map(of).collect())
        }
    }
}

proptest! {
    #[test]
    fn every_object_is_read_as_the_rules_say(
        push in push(),
        blank in prop_oneof![Just(""), Just(" "), Just("\r\n\t")],
    ) {
        let text = text_of(&push, blank);
        match (Push::decode(text.as_bytes()), naive::read(&push)) {
            (Err(PushError::BadPush(_)), naive::Push::Nothing)
            | (Err(PushError::BadCommand(_)), naive::Push::BadCommand) => {}
            (Ok(Push::Other(object)), naive::Push::Other) => prop_assert_eq!(object.as_str(), text),
            (Ok(Push::Command(command)), naive::Push::Command(expected)) => {
                let actions = expected.actions.into_iter();
                let actions: Vec<_> = actions
                    .map(|(alias, name, value)| (alias, name, text_of(&value, blank)))
                    .collect();
                prop_assert_eq!(actions_of(&command), (expected.is_trait, actions));
                prop_assert_eq!(&command.id, &expected.id);
                prop_assert_eq!(&command.issuer, &expected.issuer);
                prop_assert_eq!(&command.schema, &expected.schema);
                prop_assert_eq!(command.schema_version, expected.schema_version);
                // What is read can be written, and is then read as the same.
                prop_assert_eq!(Push::decode(&command.encode()), Ok(Push::Command(command)));
            }
            (read, expected) => prop_assert!(false, "{text}: {read:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = Push::decode(&bytes) {
            prop_assert!(error.to_string().len() < 200);
        }
    }
}
