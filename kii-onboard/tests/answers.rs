//! Answers: what the response to each call is read as.

use kii_onboard::{
    ErrorCode, Json,
    call::{Answer, AnswerError, CallKind, EndNode, EndNodes},
    command::{BadBody, CommandState},
    frame::{Response, Status},
};

const ALL: [CallKind; 21] = [
    CallKind::PutState,
    CallKind::PutTraitState,
    CallKind::PutAliasState,
    CallKind::PatchState,
    CallKind::BulkStates,
    CallKind::BulkPatchStates,
    CallKind::GetState,
    CallKind::GetAliasState,
    CallKind::ListCommands,
    CallKind::GetCommand,
    CallKind::SendCommand,
    CallKind::ReportResults,
    CallKind::GetFirmwareVersion,
    CallKind::SetFirmwareVersion,
    CallKind::GetThingType,
    CallKind::SetThingType,
    CallKind::SetEndNodeConnection,
    CallKind::ListEndNodes,
    CallKind::Onboard,
    CallKind::OnboardEndNode,
    CallKind::Custom,
];

fn answer(kind: CallKind, status: u16, body: &str) -> Result<Answer, AnswerError> {
    let status = Status::new(status).unwrap();
    let payload = Response::encode(status, [("X-Kii-RequestID", "1")], body.as_bytes()).unwrap();
    Answer::decode(kind, &Response::decode(&payload).unwrap())
}

fn ok(kind: CallKind, status: u16, body: &str) -> Answer {
    answer(kind, status, body).unwrap()
}

fn bad_field(kind: CallKind, body: &str) -> &'static str {
    match answer(kind, 200, body) {
        Err(AnswerError::BadBody(BadBody::BadField { field })) => field,
        other => panic!("{kind:?} {body}: {other:?}"),
    }
}

#[test]
fn a_state_is_stored_for_the_first_time_or_again() {
    for kind in [CallKind::PutState, CallKind::PutTraitState, CallKind::PutAliasState] {
        assert_eq!(ok(kind, 201, ""), Answer::StateStored { is_first: true });
        assert_eq!(ok(kind, 204, ""), Answer::StateStored { is_first: false });
        assert_eq!(ok(kind, 200, "<html>"), Answer::StateStored { is_first: false });
    }
}

#[test]
fn nothing_is_read_where_nothing_is_said() {
    let silent = [
        CallKind::PatchState,
        CallKind::BulkStates,
        CallKind::BulkPatchStates,
        CallKind::ReportResults,
        CallKind::SetFirmwareVersion,
        CallKind::SetThingType,
        CallKind::SetEndNodeConnection,
    ];
    for kind in silent {
        assert_eq!(ok(kind, 204, ""), Answer::Done);
        assert_eq!(ok(kind, 299, "whatever"), Answer::Done);
    }
}

#[test]
fn a_state_is_an_object() {
    for kind in [CallKind::GetState, CallKind::GetAliasState] {
        let state = Json::new(r#"{"power" : true}"#).unwrap();
        assert_eq!(ok(kind, 200, "{\"power\" : true}\r\n"), Answer::State(state));
        assert_eq!(bad_field(kind, "[]"), "body");
    }
}

#[test]
fn commands_are_told_as_they_come() {
    let list = r#"{"commands":[]}"#;
    assert_eq!(ok(CallKind::ListCommands, 200, list), Answer::Commands(Json::new(list).unwrap()));
    let sent = Answer::CommandSent { command_id: "c-1".into() };
    assert_eq!(ok(CallKind::SendCommand, 201, r#"{"commandID":"c-1"}"#), sent);
    assert_eq!(bad_field(CallKind::SendCommand, r#"{"commandID":1}"#), "commandID");
    let body = r#"{"commandID":"c","actions":[],"commandState":"DONE"}"#;
    let Answer::Command(object) = ok(CallKind::GetCommand, 200, body) else { panic!("no command") };
    assert_eq!((object.command.id.as_str(), &object.state), ("c", &CommandState::Done));
    assert_eq!(
        bad_field(CallKind::GetCommand, r#"{"commandID":"c","actions":[]}"#),
        "commandState"
    );
}

#[test]
fn what_is_told_of_a_thing_is_read() {
    let version = Answer::FirmwareVersion("v2".into());
    assert_eq!(ok(CallKind::GetFirmwareVersion, 200, r#"{"firmwareVersion":"v2"}"#), version);
    assert_eq!(bad_field(CallKind::GetFirmwareVersion, "{}"), "firmwareVersion");
    let thing_type = Answer::ThingType("light".into());
    assert_eq!(ok(CallKind::GetThingType, 200, r#"{"thingType":"light"}"#), thing_type);
    assert_eq!(bad_field(CallKind::GetThingType, r#"{"thingType":null}"#), "thingType");
    assert_eq!(bad_field(CallKind::GetThingType, "1"), "body");
}

#[test]
fn end_nodes_come_in_pages() {
    let page = EndNodes::new(
        [EndNode::new("th.1", Some("v1".into())), EndNode::new("th.2", None)],
        Some("key".into()),
    );
    let body = r#"{"results":[{"thingID":"th.1","vendorThingID":"v1"},{"thingID":"th.2"}],"nextPaginationKey":"key"}"#;
    assert_eq!(page.encode(), body.as_bytes());
    assert_eq!(ok(CallKind::ListEndNodes, 200, body), Answer::EndNodes(page));
    let last = r#"{"results":[],"nextPaginationKey":null,"more":1}"#;
    assert_eq!(ok(CallKind::ListEndNodes, 200, last), Answer::EndNodes(EndNodes::default()));
    let bad = [
        ("{}", "results"),
        (r#"{"results":{}}"#, "results"),
        (r#"{"results":[1]}"#, "thingID"),
        (r#"{"results":[{}]}"#, "thingID"),
        (r#"{"results":[{"thingID":"a","vendorThingID":1}]}"#, "vendorThingID"),
        (r#"{"results":[],"nextPaginationKey":1}"#, "nextPaginationKey"),
    ];
    for (body, field) in bad {
        assert_eq!(bad_field(CallKind::ListEndNodes, body), field, "{body}");
    }
}

#[test]
fn onboarding_is_answered_with_ids_and_tokens() {
    let body = r#"{"accessToken":"t","thingID":"th.1"}"#;
    let Answer::Onboarded(thing) = ok(CallKind::Onboard, 200, body) else { panic!("no thing") };
    assert_eq!(thing.thing_id, "th.1");
    let body = r#"{"accessToken":"t","endNodeThingID":"th.2"}"#;
    let Answer::EndNodeOnboarded(node) = ok(CallKind::OnboardEndNode, 200, body) else {
        panic!("no end node")
    };
    assert_eq!(node.end_node_thing_id, "th.2");
    for kind in [CallKind::Onboard, CallKind::OnboardEndNode] {
        assert!(matches!(answer(kind, 200, "{}"), Err(AnswerError::BadOnboarded(_))));
    }
}

#[test]
fn any_other_answer_is_told_as_it_comes() {
    let Answer::Custom(response) = ok(CallKind::Custom, 202, "\u{1}") else { panic!("not custom") };
    let response = response.as_response();
    assert_eq!((response.status.get(), response.body), (202, &b"\x01"[..]));
    assert_eq!(response.headers.request_id(), Some("1"));
}

#[test]
fn a_status_of_failure_is_an_error_of_the_cloud_whatever_the_call() {
    for kind in ALL {
        let Err(AnswerError::Api(error)) = answer(kind, 404, r#"{"errorCode":"THING_NOT_FOUND"}"#)
        else {
            panic!("{kind:?} succeeded")
        };
        assert_eq!(error.code, Some(ErrorCode::ThingNotFound));
        for status in [100, 199, 300, 503] {
            assert!(matches!(answer(kind, status, ""), Err(AnswerError::Api(_))), "{status}");
        }
    }
}

#[test]
fn what_must_have_a_body_says_where_it_is_not_json() {
    let reading = [
        CallKind::GetState,
        CallKind::ListCommands,
        CallKind::GetCommand,
        CallKind::SendCommand,
        CallKind::GetFirmwareVersion,
        CallKind::GetThingType,
        CallKind::ListEndNodes,
    ];
    for kind in reading {
        for body in ["", "<html>", "{", "{}x"] {
            let error = answer(kind, 204, body).unwrap_err();
            assert!(matches!(error, AnswerError::BadBody(BadBody::NotJson(_))), "{kind:?} {body}");
        }
    }
    let error = answer(CallKind::GetState, 200, "{").unwrap_err().to_string();
    let expected =
        "the call succeeded, and its answer cannot be read: the text is not JSON: line 1, column 1";
    assert_eq!(error, expected);
}

#[test]
fn nothing_that_is_printed_shows_what_was_answered() {
    let bodies = [
        (CallKind::GetState, r#"{"canary":1}"#),
        (CallKind::ListCommands, r#"{"canary":1}"#),
        (CallKind::Onboard, r#"{"accessToken":"canary","thingID":"th.1"}"#),
        (CallKind::OnboardEndNode, r#"{"accessToken":"canary","endNodeThingID":"th.1"}"#),
        (CallKind::Custom, "canary"),
        (CallKind::GetFirmwareVersion, r#"{"canary":"canary"}"#),
        (
            CallKind::GetCommand,
            r#"{"commandID":"c","actions":[{"a":"canary"}],"commandState":"DONE","title":"canary",
                "description":"canary","metadata":"canary",
                "actionResults":[{"a":{"succeeded":false,"errorMessage":"canary","data":"canary"}}]}"#,
        ),
    ];
    for (kind, body) in bodies {
        let answered = answer(kind, 200, body);
        assert!(!format!("{answered:?} {answered:#?}").contains("canary"), "{kind:?}");
        let Err(error) = answer(kind, 400, "canary") else { panic!("{kind:?} succeeded") };
        assert!(!format!("{error} {error:?}").contains("canary"), "{kind:?}");
    }
}
