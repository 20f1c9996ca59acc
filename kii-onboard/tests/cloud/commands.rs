//! Commands and other pushes (specification, sections 13 and 15.4).

use kii_onboard::{
    Json,
    cloud::{CloudError, Event, server::Closed},
    command::{
        Action, ActionResult, ActionResults, Command, CommandObject, CommandState, NewCommand,
        Push, TraitActions,
    },
    frame::Method,
    onboarding::EndNodeOnboarded,
};

use crate::bench::{Bench, JSON, OWNER_TOKEN, Peer, body_of, config, error_of, owner, status_of};

fn code(text: &str) -> Option<String> {
    Some(text.into())
}

fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

fn plain() -> NewCommand {
    let actions = ["turnPower", "setSpeed"].map(|name| Action::new(name, json("{}")));
    NewCommand::plain(owner(), "Lamp", 1, actions).unwrap()
}

fn of_traits() -> NewCommand {
    let actions = |names: &[&str]| -> Vec<_> {
        names.iter().map(|name| Action::new(*name, json("1"))).collect()
    };
    let traits = [
        TraitActions::new("air", actions(&["on", "cool"])),
        TraitActions::new("light", actions(&["off"])),
    ];
    NewCommand::with_traits(owner(), traits).unwrap()
}

impl Bench {
    fn send(&mut self, peer: &Peer, command: &NewCommand) -> String {
        let id = self.cloud.send_command(self.now, peer.thing_id(), command).unwrap();
        self.drain();
        id
    }

    fn state_of(&self, peer: &Peer, id: &str) -> CommandState {
        self.cloud.command(peer.thing_id(), id).unwrap().state.clone()
    }

    /// What was pushed to the thing since the last look.
    fn pushed(&mut self, peer: &Peer) -> Vec<Push> {
        let delivered = self.delivered();
        let pushes =
            delivered.iter().filter(|it| it.link == peer.link && it.topic == peer.push_topic());
        pushes.map(|it| Push::decode(&it.payload).unwrap()).collect()
    }

    fn pushed_command(&mut self, peer: &Peer) -> Command {
        let pushes = self.pushed(peer);
        let [Push::Command(command)] = &pushes[..] else { panic!("not one command: {pushes:?}") };
        command.clone()
    }
}

#[test]
fn a_command_is_pushed_to_a_thing_that_listens() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    for new in [plain(), of_traits()] {
        let id = bench.send(&peer, &new);
        let command = bench.pushed_command(&peer);
        assert_eq!((&command.id, &command.actions), (&id, new.actions()));
        assert_eq!(command.issuer.as_deref(), Some("user:u-1"));
        assert_eq!(bench.state_of(&peer, &id), CommandState::Delivered);
        let thing_id = peer.thing_id().into();
        let told = Event::CommandDelivered { thing_id, command_id: id, link: peer.link };
        assert_eq!(bench.events.last(), Some(&told));
    }
}

#[test]
fn a_command_for_a_thing_that_does_not_listen_fails_and_is_not_sent_later() {
    let mut bench = Bench::new(config());
    let peer = Peer { link: iot_sansio::mqtt::Link::new(1), onboarded: bench.onboard("v1") };
    let offline = bench.send(&peer, &plain());
    bench.enter_api(peer.link, &peer.onboarded, kii_onboard::KeepAlive::OFF);
    let deaf = bench.send(&peer, &plain());
    for id in [offline, deaf] {
        assert_eq!(bench.state_of(&peer, &id), CommandState::SendFailed);
        let thing_id = peer.thing_id().into();
        assert!(bench.events.contains(&Event::CommandSendFailed { thing_id, command_id: id }));
    }
    bench.subscribe(&peer);
    assert!(bench.pushed(&peer).is_empty());
}

#[test]
fn results_end_a_command_when_all_actions_have_one() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    for new in [plain(), of_traits()] {
        let id = bench.send(&peer, &new);
        let command = bench.pushed_command(&peer);
        let results = (0..command.actions.len()).map(|_| ActionResult::succeeded());
        let results = ActionResults::new(&command.actions, results).unwrap();
        let path = peer.target(&format!("commands/{id}/action-results"));
        let body = String::from_utf8(results.encode()).unwrap();
        let response = bench.call(&peer, Method::Put, &path, Some(results.content_type()), &body);
        assert_eq!((status_of(&response), body_of(&response)), (204, ""));
        assert_eq!(bench.state_of(&peer, &id), CommandState::Done);
        let object = bench.cloud.command(peer.thing_id(), &id).unwrap();
        assert_eq!(object.action_results.as_ref(), Some(&results));
        let (thing_id, state) = (peer.thing_id().into(), CommandState::Done);
        let told = Event::ResultsReported { thing_id, command_id: id, state };
        assert!(bench.events.contains(&told));
    }
}

#[test]
fn results_of_some_actions_leave_a_command_incomplete() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let id = bench.send(&peer, &plain());
    let path = peer.target(&format!("commands/{id}/action-results"));
    let one = r#"{"actionResults":[{"turnPower":{"succeeded":true}}]}"#;
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, one)), 204);
    assert_eq!(bench.state_of(&peer, &id), CommandState::Incomplete);
    let both = r#"{"actionResults":[{"turnPower":{"succeeded":true}},{"setSpeed":{"succeeded":false,"errorMessage":"stuck"}}]}"#;
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, both)), 204);
    assert_eq!(bench.state_of(&peer, &id), CommandState::Done);
}

#[test]
fn results_of_traits_may_come_flat() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let id = bench.send(&peer, &of_traits());
    let path = peer.target(&format!("commands/{id}/action-results"));
    let flat = r#"{"actionResults":[{"on":{"succeeded":true}},{"cool":{"succeeded":true}},{"off":{"succeeded":true}}]}"#;
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, flat)), 204);
    assert_eq!(bench.state_of(&peer, &id), CommandState::Done);
}

#[test]
fn results_that_answer_nothing_are_refused() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let id = bench.send(&peer, &plain());
    let unknown = peer.target("commands/nobody/action-results");
    let response = bench.call(&peer, Method::Put, &unknown, JSON, "{}");
    assert_eq!(error_of(&response), (404, code("COMMAND_NOT_FOUND")));
    let path = peer.target(&format!("commands/{id}/action-results"));
    for body in [
        "{}",
        "[]",
        r#"{"actionResults":{}}"#,
        r#"{"actionResults":[{"turnPower":{"succeeded":"yes"}}]}"#,
        r#"{"actionResults":[{"setSpeed":{"succeeded":true}},{"turnPower":{"succeeded":true}}]}"#,
    ] {
        let response = bench.call(&peer, Method::Put, &path, JSON, body);
        assert_eq!(error_of(&response), (400, code("INVALID_INPUT_DATA")), "{body}");
        assert!(body_of(&response).contains("invalidFields"), "{body}");
    }
    assert_eq!(bench.state_of(&peer, &id), CommandState::Delivered);
}

#[test]
fn commands_are_created_read_and_listed_over_the_api() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("commands");
    let empty = bench.call(&peer, Method::Get, &path, None, "");
    assert_eq!(body_of(&empty), r#"{"commands":[]}"#);
    let mut ids = Vec::new();
    for new in [plain(), of_traits()] {
        bench.forget();
        let new = new.with_title("title").unwrap();
        let body = String::from_utf8(new.encode()).unwrap();
        let response = bench.call(&peer, Method::Post, &path, Some(new.content_type()), &body);
        assert_eq!(status_of(&response), 201);
        let id = body_of(&response).strip_prefix(r#"{"commandID":""#).unwrap();
        let id = id.strip_suffix(r#""}"#).unwrap().to_owned();
        let thing_id = peer.thing_id().into();
        let told = Event::CommandDelivered { thing_id, command_id: id.clone(), link: peer.link };
        assert!(bench.events.contains(&told));

        let response = bench.call(&peer, Method::Get, &format!("{path}/{id}"), None, "");
        let object = CommandObject::decode(response.as_response().body).unwrap();
        assert_eq!(Some(&object), bench.cloud.command(peer.thing_id(), &id));
        assert_eq!(object.target, Some(format!("thing:{}", peer.thing_id())));
        assert_eq!((&object.command.id, object.title.as_deref()), (&id, Some("title")));
        ids.push(id);
    }
    let response = bench.call(&peer, Method::Get, &path, None, "");
    let listed = body_of(&response);
    assert!(listed.find(&ids[0]) < listed.find(&ids[1]), "{listed}");
    let response = bench.call(&peer, Method::Get, &format!("{path}/nobody"), None, "");
    assert_eq!(error_of(&response), (404, code("COMMAND_NOT_FOUND")));
}

#[test]
fn a_command_that_is_none_is_not_created() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("commands");
    let rest = r#""issuer":"user:u-1","schema":"S","schemaVersion":1"#;
    let long = "x".repeat(4_100);
    let rows = [
        (format!(r#"{{"actions":[],{rest}}}"#), "WRONG_COMMAND"),
        (format!(r#"{{{rest}}}"#), "INVALID_INPUT_DATA"),
        (format!(r#"{{"actions":[{{"a":1,"b":2}}],{rest}}}"#), "INVALID_INPUT_DATA"),
        (r#"{"actions":[{"a":1}],"issuer":"user:u-1"}"#.into(), "INVALID_INPUT_DATA"),
        (
            format!(r#"{{"actions":[{{"a":1}}],"title":"{}",{rest}}}"#, "t".repeat(51)),
            "INVALID_INPUT_DATA",
        ),
        (format!(r#"{{"actions":[{{"a":"{long}"}}],{rest}}}"#), "INVALID_INPUT_DATA"),
    ];
    for (body, error) in rows {
        let response = bench.call(&peer, Method::Post, &path, JSON, &body);
        assert_eq!(error_of(&response), (400, code(error)), "{body}");
    }
    assert_eq!(bench.cloud.commands(peer.thing_id()).count(), 0);
}

#[test]
fn the_oldest_command_is_forgotten_for_one_too_many() {
    let mut bench = Bench::new(config().with_max_commands(2));
    let peer = bench.thing(1, "v1");
    let ids = [(); 3].map(|()| bench.send(&peer, &plain()));
    let kept: Vec<_> =
        bench.cloud.commands(peer.thing_id()).map(|it| it.command.id.clone()).collect();
    assert_eq!(kept, ids[1..]);
    let path = peer.target(&format!("commands/{}", ids[0]));
    assert_eq!(status_of(&bench.call(&peer, Method::Get, &path, None, "")), 404);
}

#[test]
fn another_push_goes_to_a_thing_that_listens() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let push = json(r#"{"bucketID":"b"}"#);
    bench.cloud.push(bench.now, peer.thing_id(), &push).unwrap();
    bench.drain();
    assert_eq!(bench.pushed(&peer), [Push::Other(push.clone())]);
    let thing_id = String::from(peer.thing_id());
    let told = Event::Pushed { thing_id: thing_id.clone(), link: peer.link };
    assert_eq!(bench.events.last(), Some(&told));
    bench.feed(Closed::new(peer.link));
    bench.cloud.push(bench.now, peer.thing_id(), &push).unwrap();
    bench.drain();
    assert_eq!(bench.events.last(), Some(&Event::PushLost { thing_id }));
}

#[test]
fn what_cannot_be_sent_is_refused_and_changes_nothing() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let before = bench.cloud.clone();
    let long = format!("\"{}\"", "x".repeat(4_095));
    let action = Action::new("a", json(&long));
    let large = NewCommand::plain(owner(), "S", 1, [action]).unwrap();
    let sent = bench.cloud.send_command(bench.now, peer.thing_id(), &large);
    assert!(matches!(sent, Err(CloudError::PushTooLarge { size, limit: 4_096 }) if size > 4_096));
    let pushed = bench.cloud.push(bench.now, peer.thing_id(), &json(&long));
    assert_eq!(pushed, Err(CloudError::PushTooLarge { size: 4_097, limit: 4_096 }));
    let unknown = CloudError::UnknownThing { thing_id: "th.nobody".into() };
    let sent = bench.cloud.send_command(bench.now, "th.nobody", &plain());
    assert_eq!(sent, Err(unknown.clone()));
    assert_eq!(bench.cloud.push(bench.now, "th.nobody", &json("{}")), Err(unknown));
    assert_eq!(bench.cloud, before);
    bench.cloud.push(bench.now, peer.thing_id(), &json(&long[1..].replacen('x', "\"", 1))).unwrap();
}

#[test]
fn a_command_for_an_end_node_goes_down_the_connection_of_its_gateway() {
    let mut bench = Bench::new(config());
    let gateway = bench.thing(1, "gw");
    let content_type = "application/vnd.kii.OnboardingEndNodeWithGatewayVendorThingID+json";
    let body = r#"{"gatewayVendorThingID":"gw","endNodeVendorThingID":"n1","endNodePassword":"p","owner":"user:u-1"}"#;
    let response =
        bench.call_as(OWNER_TOKEN, &gateway, Method::Post, "onboardings", Some(content_type), body);
    let node = EndNodeOnboarded::decode(response.as_response().body).unwrap().end_node_thing_id;
    bench.forget();
    let id = bench.cloud.send_command(bench.now, &node, &plain()).unwrap();
    bench.drain();
    assert_eq!(bench.pushed_command(&gateway).id, id);
    let path = format!("targets/thing:{node}/commands/{id}/action-results");
    let body = r#"{"actionResults":[{"turnPower":{"succeeded":true}}]}"#;
    assert_eq!(status_of(&bench.call(&gateway, Method::Put, &path, JSON, body)), 204);
    assert_eq!(bench.cloud.command(&node, &id).unwrap().state, CommandState::Incomplete);
}
