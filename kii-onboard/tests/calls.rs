//! Calls: what each of the catalogue of specification section 12 writes, byte for byte.

use iot_sansio::Secret;
use kii_onboard::{
    AppId, IdKind, Json, MqttTopic, RequestId, VendorThingId,
    call::{Call, CallError, CallKind, MAX_STATE},
    command::{Action, ActionResult, ActionResults, Actions, NewCommand, TraitActions},
    frame::{EncodeError, Method},
    onboarding::{EndNodeOnboarding, Onboarding, Owner, ThingOnboarding},
    topic::{Topic, Topics},
};

type Made = Result<Call, CallError>;

fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

fn id(text: &str) -> RequestId {
    RequestId::new(text).unwrap()
}

fn power() -> Action {
    Action::new("turnPower", json(r#"{"power":true}"#))
}

fn owner() -> Owner {
    Owner::user("u-1").unwrap()
}

fn results(actions: &Actions) -> ActionResults {
    ActionResults::new(actions, [ActionResult::succeeded()]).unwrap()
}

fn plain() -> Actions {
    Actions::Plain(vec![power()])
}

fn of_trait() -> Actions {
    Actions::Trait(vec![TraitActions::new("light", [power()])])
}

/// The payload with the token `tok-0001` and the request id 1.
fn payload(call: &Call) -> String {
    let payload = call.encode(&Secret::from("tok-0001"), &id("1")).unwrap();
    String::from_utf8(payload).unwrap()
}

/// What every request begins with, and its media type and body.
fn expected(method: &str, token: &str, body: Option<(&str, &str)>) -> String {
    let head = format!("{method}\r\nAuthorization: Bearer {token}\r\nX-Kii-RequestID: 1\r\n");
    match body {
        Some((media_type, body)) => format!("{head}Content-Type: {media_type}\r\n\r\n{body}"),
        None => format!("{head}\r\n"),
    }
}

fn check(kind: CallKind, call: Made, method: &str, path: &str, body: Option<(&str, &str)>) {
    let call = call.unwrap();
    assert_eq!((call.kind(), call.path(), call.method().as_str()), (kind, path, method));
    assert_eq!(payload(&call), expected(method, "tok-0001", body), "{kind:?}");
    let topics = Topics::api(&AppId::new("app01").unwrap(), &MqttTopic::new("TT").unwrap());
    let topic = topics.build(call.resource()).unwrap();
    assert_eq!(topic, format!("p/TT/thing-if/apps/app01/{path}"));
    assert!(matches!(topics.classify(&topic), Topic::Api(_)));
}

#[test]
fn the_full_example_is_written_byte_for_byte() {
    let state = json(r#"{"power":true,"presetTemperature":25}"#);
    let call = Call::put_state("th.0001", &state).unwrap();
    let topics = Topics::api(
        &AppId::new("app01").unwrap(),
        &MqttTopic::new("Tp1cTp1cTp1cTp1cTp1cTp1").unwrap(),
    );
    assert_eq!(
        topics.build(call.resource()).unwrap(),
        "p/Tp1cTp1cTp1cTp1cTp1cTp1/thing-if/apps/app01/targets/thing:th.0001/states"
    );
    assert_eq!(
        payload(&call),
        "PUT\r\nAuthorization: Bearer tok-0001\r\nX-Kii-RequestID: 1\r\nContent-Type: application/json\r\n\r\n\
         {\"power\":true,\"presetTemperature\":25}"
    );
}

#[test]
fn every_state_call_is_written_as_the_catalogue_says() {
    let (states, alias) = ("targets/thing:th.1/states", "targets/thing:th.1/states/aliases/light");
    let bulk = "targets/thing:th.1/states-bulk";
    let (object, array) = (json(r#"{"light":{"on":true}}"#), json("[1]"));
    let with = |media_type| Some((media_type, object.as_str()));
    let bulk_with = |media_type| Some((media_type, "[1]"));
    check(
        CallKind::PutState,
        Call::put_state("th.1", &object),
        "PUT",
        states,
        with("application/json"),
    );
    check(
        CallKind::PutTraitState,
        Call::put_trait_state("th.1", &object),
        "PUT",
        states,
        with("application/vnd.kii.MultipleTraitState+json"),
    );
    check(
        CallKind::PutAliasState,
        Call::put_alias_state("th.1", "light", &object),
        "PUT",
        alias,
        with("application/vnd.kii.TraitState+json"),
    );
    check(
        CallKind::PatchState,
        Call::patch_state("th.1", &object),
        "PATCH",
        states,
        with("application/vnd.kii.MultipleTraitStatePatch+json"),
    );
    check(
        CallKind::BulkStates,
        Call::bulk_states("th.1", &array),
        "POST",
        bulk,
        bulk_with("application/vnd.kii.StateBulkUploadRequest+json"),
    );
    check(
        CallKind::BulkPatchStates,
        Call::bulk_patch_states("th.1", &array),
        "POST",
        bulk,
        bulk_with("application/vnd.kii.StatePatchBulkUploadRequest+json"),
    );
    check(CallKind::GetState, Call::get_state("th.1"), "GET", states, None);
    check(CallKind::GetAliasState, Call::get_alias_state("th.1", "light"), "GET", alias, None);
}

#[test]
fn every_command_call_is_written_as_the_catalogue_says() {
    let (commands, one) = ("targets/thing:th.1/commands", "targets/thing:th.1/commands/c1");
    let answered = "targets/thing:th.1/commands/c1/action-results";
    check(CallKind::ListCommands, Call::list_commands("th.1"), "GET", commands, None);
    check(CallKind::GetCommand, Call::get_command("th.1", "c1"), "GET", one, None);
    let command = NewCommand::plain(owner(), "SmartLight", 1, [power()]).unwrap();
    let body = r#"{"actions":[{"turnPower":{"power":true}}],"issuer":"user:u-1","schema":"SmartLight","schemaVersion":1}"#;
    let call = Call::send_command("th.1", &command);
    check(CallKind::SendCommand, call, "POST", commands, Some(("application/json", body)));
    let command =
        NewCommand::with_traits(owner(), [TraitActions::new("light", [power()])]).unwrap();
    // The sample of section 12.2 has the issuer first, which means nothing in JSON.
    let body = r#"{"actions":[{"light":[{"turnPower":{"power":true}}]}],"issuer":"user:u-1"}"#;
    let media_type = "application/vnd.kii.CommandCreationRequest+json";
    let call = Call::send_command("th.1", &command);
    check(CallKind::SendCommand, call, "POST", commands, Some((media_type, body)));
    let body = r#"{"actionResults":[{"turnPower":{"succeeded":true}}]}"#;
    let call = Call::report_results("th.1", "c1", &results(&plain()));
    check(CallKind::ReportResults, call, "PUT", answered, Some(("application/json", body)));
    let body = r#"{"actionResults":[{"light":[{"turnPower":{"succeeded":true}}]}]}"#;
    let media_type = "application/vnd.kii.CommandResultsUpdateRequest+json";
    let call = Call::report_results("th.1", "c1", &results(&of_trait()));
    check(CallKind::ReportResults, call, "PUT", answered, Some((media_type, body)));
}

#[test]
fn every_thing_call_is_written_as_the_catalogue_says() {
    let (firmware, thing_type) = ("things/th.1/firmware-version", "things/th.1/thing-type");
    check(CallKind::GetFirmwareVersion, Call::get_firmware_version("th.1"), "GET", firmware, None);
    check(
        CallKind::SetFirmwareVersion,
        Call::set_firmware_version("th.1", "v2.0"),
        "PUT",
        firmware,
        Some((
            "application/vnd.kii.ThingFirmwareVersionUpdateRequest+json",
            r#"{"firmwareVersion":"v2.0"}"#,
        )),
    );
    check(CallKind::GetThingType, Call::get_thing_type("th.1"), "GET", thing_type, None);
    check(
        CallKind::SetThingType,
        Call::set_thing_type("th.1", "light"),
        "PUT",
        thing_type,
        Some(("application/vnd.kii.ThingTypeUpdateRequest+json", r#"{"thingType":"light"}"#)),
    );
    for (online, body) in [(true, r#"{"online":true}"#), (false, r#"{"online":false}"#)] {
        check(
            CallKind::SetEndNodeConnection,
            Call::set_end_node_connection("th.gw", "th.1", online),
            "PUT",
            "things/th.gw/end-nodes/th.1/connection",
            Some(("application/json", body)),
        );
    }
    let nodes = "things/th.gw/end-nodes";
    check(CallKind::ListEndNodes, Call::list_end_nodes("th.gw"), "GET", nodes, None);
}

#[test]
fn onboarding_goes_with_the_token_of_the_owner_where_there_is_one() {
    let vendor = |text| VendorThingId::new(text).unwrap();
    let thing = ThingOnboarding::with_vendor_thing_id(vendor("v1"), "p1").unwrap();
    let call = Ok(Call::onboard(&Onboarding::Thing(thing.clone())));
    let body = r#"{"vendorThingID":"v1","thingPassword":"p1"}"#;
    let media_type = "application/vnd.kii.OnboardingWithVendorThingIDByThing+json";
    check(CallKind::Onboard, call, "POST", "onboardings", Some((media_type, body)));

    let owned = thing.owned_by(owner(), "tok-owner").unwrap();
    let call = Call::onboard(&Onboarding::Thing(owned));
    let body = r#"{"vendorThingID":"v1","thingPassword":"p1","owner":"user:u-1"}"#;
    let media_type = "application/vnd.kii.OnboardingWithVendorThingIDByOwner+json";
    assert_eq!(payload(&call), expected("POST", "tok-owner", Some((media_type, body))));

    let node =
        EndNodeOnboarding::with_gateway_thing_id("th.gw", vendor("v2"), "p2", owner(), "tok-owner");
    let call = Call::onboard(&Onboarding::EndNode(node.unwrap()));
    assert_eq!(call.kind(), CallKind::OnboardEndNode);
    let body = r#"{"gatewayThingID":"th.gw","endNodeVendorThingID":"v2","endNodePassword":"p2","owner":"user:u-1"}"#;
    let media_type = "application/vnd.kii.OnboardingEndNodeWithGatewayThingID+json";
    assert_eq!(payload(&call), expected("POST", "tok-owner", Some((media_type, body))));
}

#[test]
fn any_other_request_is_written_as_it_is_given() {
    let call = Call::custom(Method::Post, "triggers", Some("text/plain"), "b");
    check(CallKind::Custom, call, "POST", "triggers", Some(("text/plain", "b")));
    let call = Call::custom(Method::Delete, "things/th.1/x?y=z", None, "");
    check(CallKind::Custom, call, "DELETE", "things/th.1/x?y=z", None);
    let call = Call::custom(Method::Post, "triggers", Some("text/plain"), "");
    check(CallKind::Custom, call, "POST", "triggers", None);
    // E10: a body without a media type.
    let call = Call::custom(Method::Get, "a", None, "b").unwrap();
    assert_eq!(payload(&call), expected("GET", "tok-0001", None) + "b");
}

#[test]
fn headers_follow_those_that_every_request_has() {
    let call = Call::put_state("th.1", &json("{}")).unwrap();
    let call = call.with_header("X-Kii-AppID", "app01").unwrap();
    let call = call.with_header("X-Kii-AppKey", "key01").unwrap();
    assert_eq!(
        payload(&call),
        "PUT\r\nAuthorization: Bearer tok-0001\r\nX-Kii-RequestID: 1\r\nContent-Type: application/json\r\n\
         X-Kii-AppID: app01\r\nX-Kii-AppKey: key01\r\n\r\n{}"
    );
    for name in ["authorization", "X-KII-REQUESTID", "content-Type"] {
        assert_eq!(call.clone().with_header(name, "v"), Err(CallError::ReservedHeader), "{name}");
    }
    for (name, value) in [("a b", "v"), ("", "v"), ("A", "v\r\nB: w"), ("A", " v"), ("A", "\0")] {
        let refused = Err(CallError::Header(EncodeError::InvalidHeader { index: 0 }));
        assert_eq!(call.clone().with_header(name, value), refused, "{name:?} {value:?}");
    }
}

#[test]
fn a_token_cannot_bring_headers_with_it() {
    let call = Call::get_state("th.1").unwrap();
    let with = |token: &[u8]| call.encode(&Secret::from(token), &id("1"));
    let refused = Err(EncodeError::InvalidHeader { index: 0 });
    for token in [&b"t\r\nX: y"[..], b"", b"\xff", b"t "] {
        assert_eq!(with(token), refused);
    }
    let owned = call.clone().with_bearer("t\n");
    assert_eq!(owned.encode(&Secret::from("tok"), &id("1")), refused);
    let owned = call.with_bearer("tok-owner");
    assert_eq!(payload(&owned), expected("GET", "tok-owner", None));
}

#[test]
fn a_query_is_appended_as_it_is() {
    let call = Call::list_commands("th.1").unwrap();
    let call = call.with_query("bestEffortLimit=10").unwrap();
    assert_eq!(call.path(), "targets/thing:th.1/commands?bestEffortLimit=10");
    let call = call.with_query("paginationKey=a%2Fb").unwrap();
    assert_eq!(call.path(), "targets/thing:th.1/commands?bestEffortLimit=10&paginationKey=a%2Fb");
    for query in ["", "a=b/c", "a=+", "a=#", "a=\n"] {
        let Err(CallError::InvalidId(invalid)) = call.clone().with_query(query) else {
            panic!("{query:?} was taken")
        };
        assert_eq!(invalid.kind, IdKind::Query);
    }
}

#[test]
fn a_request_id_of_the_caller_is_kept() {
    let call = Call::get_state("th.1").unwrap();
    assert_eq!(call.request_id(), None);
    let call = call.with_request_id(id("v1 states"));
    assert_eq!(call.request_id(), Some(&id("v1 states")));
}

#[test]
fn a_state_is_an_object_of_limited_size() {
    type Make = fn(&Json) -> Made;
    let makers: [Make; 4] = [
        |state| Call::put_state("th.1", state),
        |state| Call::put_trait_state("th.1", state),
        |state| Call::put_alias_state("th.1", "a", state),
        |state| Call::patch_state("th.1", state),
    ];
    let sized = |len: usize| json(&format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8)));
    for make in makers {
        for other in ["[]", "1", "null", r#""{}""#] {
            assert_eq!(make(&json(other)), Err(CallError::NotAnObject), "{other}");
        }
        assert!(make(&sized(MAX_STATE)).is_ok());
        let (len, limit) = (10_241, 10_240);
        assert_eq!(make(&sized(len)), Err(CallError::StateTooLarge { len, limit }));
    }
}

#[test]
fn what_cannot_stand_in_a_topic_is_refused() {
    type Make = fn(&str) -> Made;
    let makers: [(IdKind, Make); 20] = [
        (IdKind::ThingId, |bad| Call::put_state(bad, &json("{}"))),
        (IdKind::ThingId, |bad| Call::put_trait_state(bad, &json("{}"))),
        (IdKind::ThingId, |bad| Call::put_alias_state(bad, "a", &json("{}"))),
        (IdKind::Alias, |bad| Call::put_alias_state("th.1", bad, &json("{}"))),
        (IdKind::ThingId, |bad| Call::patch_state(bad, &json("{}"))),
        (IdKind::ThingId, |bad| Call::bulk_states(bad, &json("{}"))),
        (IdKind::ThingId, |bad| Call::bulk_patch_states(bad, &json("{}"))),
        (IdKind::ThingId, Call::get_state),
        (IdKind::Alias, |bad| Call::get_alias_state("th.1", bad)),
        (IdKind::ThingId, Call::list_commands),
        (IdKind::CommandId, |bad| Call::get_command("th.1", bad)),
        (IdKind::CommandId, |bad| Call::report_results("th.1", bad, &results(&plain()))),
        (IdKind::ThingId, Call::get_firmware_version),
        (IdKind::ThingId, |bad| Call::set_firmware_version(bad, "1")),
        (IdKind::FirmwareVersion, |bad| Call::set_firmware_version("th.1", bad)),
        (IdKind::ThingId, |bad| Call::set_thing_type(bad, "1")),
        (IdKind::ThingType, |bad| Call::set_thing_type("th.1", bad)),
        (IdKind::ThingId, |bad| Call::set_end_node_connection("th.gw", bad, true)),
        (IdKind::ThingId, Call::list_end_nodes),
        (IdKind::ThingId, |bad| {
            Call::send_command(bad, &NewCommand::plain(owner(), "s", 1, [power()]).unwrap())
        }),
    ];
    for (kind, make) in makers {
        for bad in ["", "a/b", "a+b", "#", "a\0"] {
            match make(bad) {
                Err(CallError::InvalidId(invalid)) => assert_eq!(invalid.kind, kind, "{bad:?}"),
                other => panic!("{kind} {bad:?}: {other:?}"),
            }
        }
    }
    assert!(Call::custom(Method::Get, "a//b", None, "").is_err());
    assert!(Call::custom(Method::Get, "a", Some("text\n"), "").is_err());
    assert!(Call::set_thing_type("th.1", &"t".repeat(100)).is_ok());
    assert!(Call::set_thing_type("th.1", &"t".repeat(101)).is_err());
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let call = Call::put_state("th.1", &json(r#"{"canary-state":1}"#)).unwrap();
    let call = call.with_bearer("canary-token").with_header("X-Kii-AppKey", "canary-key").unwrap();
    let printed = format!("{call:?} {call:#?}");
    assert!(printed.contains("X-Kii-AppKey") && !printed.contains("canary"), "{printed}");
    let refused = call.with_header("canary name", "canary value").unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("canary"));
}
