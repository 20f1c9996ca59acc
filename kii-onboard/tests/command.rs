//! Commands as owners send them and the cloud keeps them, and what became of their actions.

use iot_sansio::UnixMillis;
use kii_onboard::{
    Json,
    command::{
        Action, ActionResult, ActionResults, Actions, BadBody, Command, CommandObject,
        CommandState, NewCommand, NewCommandError, Push, TraitActions,
    },
    onboarding::Owner,
};
use proptest::prelude::*;

fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

fn action(name: &str) -> Action {
    Action::new(name, json("{}"))
}

fn owner() -> Owner {
    Owner::group("g-1").unwrap()
}

fn of_traits() -> Actions {
    Actions::Trait(vec![
        TraitActions::new("a", [action("x"), action("y")]),
        TraitActions::new("b", [action("x")]),
        TraitActions::new("a", [action("x")]),
    ])
}

fn plain() -> Actions {
    Actions::Plain(vec![action("x"), action("y"), action("x")])
}

fn field(read: Result<impl std::fmt::Debug, BadBody>) -> &'static str {
    match read {
        Err(BadBody::BadField { field }) => field,
        other => panic!("{other:?}"),
    }
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

#[test]
fn a_result_is_written_with_what_it_has_and_no_more() {
    let results = [
        ActionResult::succeeded().with_data(json("null")),
        ActionResult::failed("com \"err\"").with_data(json(r#"{"t":23}"#)),
        ActionResult::failed_silently(),
    ];
    let results = ActionResults::new(&plain(), results).unwrap();
    assert_eq!(results.content_type(), "application/json");
    let body = text(results.encode());
    assert_eq!(
        body,
        r#"{"actionResults":[{"x":{"succeeded":true,"data":null}},{"y":{"succeeded":false,"errorMessage":"com \"err\"","data":{"t":23}}},{"x":{"succeeded":false}}]}"#
    );
    assert_eq!(ActionResults::decode(&plain(), body.as_bytes()), Ok(results));
}

#[test]
fn there_is_one_result_for_every_action() {
    for (actions, expected) in [(plain(), 3), (of_traits(), 4), (Actions::Plain(vec![]), 0)] {
        for given in 0..7 {
            let made = ActionResults::new(&actions, vec![ActionResult::succeeded(); given]);
            match made {
                Ok(results) => assert_eq!((results.len(), given), (expected, expected)),
                Err(wrong) => {
                    assert_ne!(given, expected);
                    assert_eq!((wrong.expected, wrong.given), (expected, given.min(expected + 1)));
                }
            }
        }
    }
    let endless = std::iter::repeat(ActionResult::succeeded());
    assert!(ActionResults::new(&plain(), endless).is_err());
}

#[test]
fn results_of_traits_may_come_flat() {
    let flat = br#"{"actionResults":[{"x":{"succeeded":true}},{"y":{"succeeded":true}},{"x":{"succeeded":true}},{"x":{"succeeded":true}}]}"#;
    let all = ActionResults::new(&of_traits(), vec![ActionResult::succeeded(); 4]).unwrap();
    assert_eq!(ActionResults::decode(&of_traits(), flat), Ok(all));
}

#[test]
fn some_results_answer_some_actions() {
    let last =
        br#"{"actionResults":[{"a":[{"y":{"succeeded":true}}]},{"a":[{"x":{"succeeded":true}}]}]}"#;
    let results = ActionResults::decode(&of_traits(), last).unwrap();
    assert_eq!((results.len(), of_traits().len()), (2, 4));
    assert_eq!(results.encode(), last);
    let none = ActionResults::decode(&plain(), br#"{"actionResults":[]}"#).unwrap();
    assert!(none.is_empty());
}

#[test]
fn a_result_that_answers_nothing_is_refused() {
    let bad = [
        ("{}", "actionResults"),
        ("[]", "body"),
        (r#"{"actionResults":{}}"#, "actionResults"),
        (r#"{"actionResults":[1]}"#, "actionResults"),
        (r#"{"actionResults":[{"z":{"succeeded":true}}]}"#, "actionResults"),
        // In another order.
        (
            r#"{"actionResults":[{"b":[{"x":{"succeeded":true}}]},{"a":[{"y":{"succeeded":true}}]}]}"#,
            "actionResults",
        ),
        // Of another trait.
        (r#"{"actionResults":[{"b":[{"y":{"succeeded":true}}]}]}"#, "actionResults"),
        (r#"{"actionResults":[{"x":{}}]}"#, "succeeded"),
        (r#"{"actionResults":[{"x":true}]}"#, "succeeded"),
        (r#"{"actionResults":[{"x":{"succeeded":"true"}}]}"#, "succeeded"),
        (r#"{"actionResults":[{"x":{"succeeded":false,"errorMessage":1}}]}"#, "errorMessage"),
    ];
    for (body, expected) in bad {
        let read = ActionResults::decode(&of_traits(), body.as_bytes());
        assert_eq!(field(read), expected, "{body}");
    }
    let nested = br#"{"actionResults":[{"a":[{"x":{"succeeded":true}}]}]}"#;
    assert_eq!(field(ActionResults::decode(&plain(), nested)), "actionResults");
}

#[test]
fn a_message_comes_only_with_failure() {
    let body = br#"{"actionResults":[{"x":{"succeeded":true,"errorMessage":"m"}}]}"#;
    let results = ActionResults::decode(&plain(), body).unwrap();
    assert_eq!(results.encode(), br#"{"actionResults":[{"x":{"succeeded":true}}]}"#);
}

#[test]
fn a_command_to_send_has_all_that_it_was_given() {
    let command = NewCommand::plain(owner(), "Light", 2, [action("x")]).unwrap();
    let command = command.with_title("t").unwrap().with_description("d").with_metadata(json("[1]"));
    assert_eq!(command.content_type(), "application/json");
    let body = r#"{"actions":[{"x":{}}],"issuer":"group:g-1","schema":"Light","schemaVersion":2,"title":"t","description":"d","metadata":[1]}"#;
    assert_eq!(text(command.encode()), body);
    assert_eq!(NewCommand::decode(false, body.as_bytes()), Ok(command.clone()));
    let given = command.to_command("c1").unwrap();
    assert_eq!(
        given,
        Command::new("c1", Actions::Plain(vec![action("x")]))
            .unwrap()
            .with_issuer("group:g-1")
            .with_schema("Light", 2)
    );
}

#[test]
fn a_command_without_actions_is_not_sent() {
    let refused = Err(NewCommandError::NoActions);
    assert_eq!(NewCommand::plain(owner(), "S", 1, []), refused);
    assert_eq!(NewCommand::with_traits(owner(), []), refused);
    let half = [TraitActions::new("a", [action("x")]), TraitActions::new("b", [])];
    assert_eq!(NewCommand::with_traits(owner(), half), refused);
    let body = br#"{"actions":[],"issuer":"user:u","schema":"S","schemaVersion":1}"#;
    assert_eq!(NewCommand::decode(false, body), refused);
    assert_eq!(NewCommand::decode(true, body), refused);
}

#[test]
fn a_title_has_50_characters() {
    let command = NewCommand::plain(owner(), "S", 1, [action("x")]).unwrap();
    assert!(command.clone().with_title("\u{e9}".repeat(50)).is_ok());
    let too_long = command.with_title("\u{e9}".repeat(51));
    assert_eq!(too_long, Err(NewCommandError::TitleTooLong { limit: 50 }));
}

#[test]
fn a_command_to_create_names_what_it_lacks() {
    let bad = [
        (false, r#"{"issuer":"user:u","schema":"S","schemaVersion":1}"#, "actions"),
        (false, r#"{"actions":[1],"issuer":"user:u","schema":"S","schemaVersion":1}"#, "actions"),
        (false, r#"{"actions":[{"x":1}],"schema":"S","schemaVersion":1}"#, "issuer"),
        (false, r#"{"actions":[{"x":1}],"issuer":"u","schema":"S","schemaVersion":1}"#, "issuer"),
        (false, r#"{"actions":[{"x":1}],"issuer":"user:u","schemaVersion":1}"#, "schema"),
        (false, r#"{"actions":[{"x":1}],"issuer":"user:u","schema":"S"}"#, "schemaVersion"),
        (
            false,
            r#"{"actions":[{"x":1}],"issuer":"user:u","schema":"S","schemaVersion":1.0}"#,
            "schemaVersion",
        ),
        (
            false,
            r#"{"actions":[{"x":1}],"issuer":"user:u","schema":"S","schemaVersion":1,"title":1}"#,
            "title",
        ),
        (true, r#"{"actions":[{"x":1}],"issuer":"user:u"}"#, "actions"),
        (true, r#"{"actions":[{"x":[]}],"issuer":"user:u"}"#, "actions"),
        (true, "1", "body"),
    ];
    for (is_trait, body, expected) in bad {
        match NewCommand::decode(is_trait, body.as_bytes()) {
            Err(NewCommandError::BadBody(bad)) => {
                assert_eq!(field(Err::<(), _>(bad)), expected, "{body}")
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    let long = format!(
        r#"{{"actions":[{{"a":[{{"x":1}}]}}],"issuer":"user:u","title":"{}"}}"#,
        "t".repeat(51)
    );
    let refused = Err(NewCommandError::TitleTooLong { limit: 50 });
    assert_eq!(NewCommand::decode(true, long.as_bytes()), refused);
}

#[test]
fn a_command_object_is_read_whole() {
    let body = r#"{"schema":"S","schemaVersion":1,"commandID":"c1","actions":[{"x":{}}],"issuer":"user:u","target":"thing:th.1","commandState":"INCOMPLETE","actionResults":[{"x":{"succeeded":true}}],"createdAt":1500000000000,"modifiedAt":1500000000001,"firedByTriggerID":"tr","title":"t","description":"d","metadata":{"k":1}}"#;
    let object = CommandObject::decode(body.as_bytes()).unwrap();
    assert_eq!(object.command.schema.as_deref(), Some("S"));
    assert_eq!(object.target.as_deref(), Some("thing:th.1"));
    assert_eq!(object.state, CommandState::Incomplete);
    assert_eq!(object.action_results.as_ref().map(ActionResults::len), Some(1));
    assert_eq!(object.created_at, Some(UnixMillis::new(1_500_000_000_000)));
    assert_eq!(object.modified_at, Some(UnixMillis::new(1_500_000_000_001)));
    assert_eq!(object.fired_by_trigger_id.as_deref(), Some("tr"));
    assert_eq!((object.title.as_deref(), object.description.as_deref()), (Some("t"), Some("d")));
    assert_eq!(object.metadata, Some(json(r#"{"k":1}"#)));
    assert_eq!(text(object.encode()), body);
}

#[test]
fn a_command_object_needs_little() {
    let body = br#"{"commandID":"c","actions":[{"a":[{"x":1}]}],"commandState":"ARCHIVED","title":null,"more":{}}"#;
    let object = CommandObject::decode(body).unwrap();
    assert_eq!(object.state.as_str(), "ARCHIVED");
    let Actions::Trait(_) = &object.command.actions else { panic!("not of traits") };
    let same = CommandObject::new(object.command.clone(), object.state.clone());
    assert_eq!(object, same);
    let bad = [
        ("[]", "body"),
        (r#"{"actions":[],"commandState":"DONE"}"#, "commandID"),
        (r#"{"commandID":"a/b","actions":[],"commandState":"DONE"}"#, "commandID"),
        (r#"{"commandID":"c","commandState":"DONE"}"#, "actions"),
        (r#"{"commandID":"c","actions":[{}],"commandState":"DONE"}"#, "actions"),
        (r#"{"commandID":"c","actions":[]}"#, "commandState"),
        (r#"{"commandID":"c","actions":[],"commandState":"DONE","createdAt":"1"}"#, "createdAt"),
        (r#"{"commandID":"c","actions":[],"commandState":"DONE","modifiedAt":1e3}"#, "modifiedAt"),
        (
            r#"{"commandID":"c","actions":[],"commandState":"DONE","actionResults":1}"#,
            "actionResults",
        ),
        (r#"{"commandID":"c","actions":[],"commandState":"DONE","issuer":1}"#, "issuer"),
    ];
    for (body, expected) in bad {
        assert_eq!(field(CommandObject::decode(body.as_bytes())), expected, "{body}");
    }
}

#[test]
fn a_state_of_a_command_is_known_or_kept() {
    let names: Vec<_> = CommandState::ALL.iter().map(CommandState::as_str).collect();
    assert_eq!(names, ["SENDING", "DELIVERED", "SEND_FAILED", "INCOMPLETE", "DONE"]);
    for (name, state) in names.iter().zip(CommandState::ALL) {
        assert_eq!(CommandState::from(*name), *state);
    }
    assert_eq!(CommandState::from("done").as_str(), "done");
}

#[test]
fn nothing_that_is_printed_shows_what_is_asked_or_told() {
    let canary = json(r#""canary""#);
    let new = NewCommand::plain(owner(), "S", 1, [Action::new("x", canary.clone())]).unwrap();
    let new = new.with_title("canary").unwrap().with_description("canary");
    let new = new.with_metadata(canary.clone());
    let command = new.to_command("c").unwrap();
    let result = ActionResult::failed("canary").with_data(canary);
    let results = ActionResults::new(&command.actions, [result]).unwrap();
    let push = Push::decode(&command.encode()).unwrap();
    let other = Push::decode(br#"{"canary":1}"#).unwrap();
    let printed = format!("{new:?} {command:?} {results:?} {push:?} {other:?}");
    assert!(printed.contains("\"x\"") && !printed.contains("canary"), "{printed}");
    let errors = format!(
        "{:?} {:?}",
        Push::decode(br#"{"commandID":"canary/","actions":[]}"#),
        Push::decode(b"canary")
    );
    assert!(!errors.contains("canary"), "{errors}");
}

fn actions() -> impl Strategy<Value = Actions> {
    let value = prop_oneof![Just("null"), Just("23"), Just(r#"[{"b":1}]"#), Just("{}")];
    let action = ("[a-c]", value).prop_map(|(name, value)| Action::new(name, json(value)));
    let plain = prop::collection::vec(action.clone(), 0..5).prop_map(Actions::Plain);
    let of_trait = ("[a-b]", prop::collection::vec(action, 1..4))
        .prop_map(|(alias, actions)| TraitActions::new(alias, actions));
    prop_oneof![plain, prop::collection::vec(of_trait, 1..4).prop_map(Actions::Trait)]
}

fn result() -> impl Strategy<Value = ActionResult> {
    let data = prop::option::of(prop_oneof![Just("null"), Just("[1]"), Just("1.50")]);
    let result = prop_oneof![
        Just(ActionResult::succeeded()),
        Just(ActionResult::failed_silently()),
        "\\PC{0,5}".prop_map(ActionResult::failed),
    ];
    (result, data).prop_map(|(result, data)| match data {
        Some(data) => result.with_data(json(data)),
        None => result,
    })
}

proptest! {
    #[test]
    fn commands_and_results_survive_the_wire(
        actions in actions(),
        results in prop::collection::vec(result(), 20),
        issuer in prop::option::of("\\PC{0,4}"),
        schema in prop::option::of(("\\PC{0,4}", any::<i64>())),
    ) {
        let mut command = Command::new("c", actions.clone()).unwrap();
        command.issuer = issuer;
        if let (Some((schema, version)), Actions::Plain(_)) = (schema, &actions) {
            command = command.with_schema(schema, version);
        }
        prop_assert_eq!(Push::decode(&command.encode()), Ok(Push::Command(command.clone())));

        let results = ActionResults::new(&actions, results.into_iter().take(actions.len())).unwrap();
        prop_assert_eq!(ActionResults::decode(&actions, &results.encode()), Ok(results.clone()));

        let mut object = CommandObject::new(command, CommandState::from("\u{e9}"));
        object.action_results = Some(results);
        prop_assert_eq!(CommandObject::decode(&object.encode()), Ok(object));
    }
}
