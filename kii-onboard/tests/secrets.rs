//! Nothing that can be printed shows a secret or a body: neither as text nor as the numbers of its bytes.

use core::{
    fmt::{Debug, Display},
    time::Duration,
};

use iot_sansio::{
    Machine as _, MonoTime, Output, Secret, UnixMillis,
    mqtt::{self, CloseReason},
};
use kii_onboard::{
    ApiError, App, AppKey, DefaultBroker, Json, MqttEndpoint, MqttTopic, RequestId, Stage,
    VendorThingId,
    call::{Answer, Call, CallKind, EndNodes},
    cloud::{
        self, Cloud, CloudError, Effect, Fault, Requests,
        server::{Connect, Deliver, Publish, Subscribe},
    },
    command::{
        Action, ActionResult, ActionResults, Actions, Command, CommandObject, CommandState,
        NewCommand, Push, TraitActions,
    },
    frame::{Method, Request, Response, Status},
    onboarding::{
        EndNodeOnboarded, EndNodeOnboarding, Onboarded, Onboarding, Owner, ThingOnboarding,
    },
    thing::{Config, Event, Thing},
};

const KEY: &str = "canary-key";
const PASSWORD: &str = "canary-password";
const TOKEN: &str = "canary-token";
const OWNER_TOKEN: &str = "canary-owner";
const BODY: &str = "canary-body";

fn check(printed: &str) {
    check_for(printed, "canary");
}

/// Looks for a part of a secret, as text, as decimal numbers and in hexadecimal ones.
fn check_for(printed: &str, secret: &str) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    let numbers = secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(",");
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    for canary in [secret, &numbers, &hex] {
        assert!(!printed.contains(canary) && !compact.contains(canary), "{printed}");
    }
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

fn explains_itself<T>(result: Result<T, impl Debug + Display>) {
    let Err(error) = result else { panic!("no error") };
    check(&error.to_string());
    keeps_quiet(&error);
}

fn app() -> App {
    App::new("app01", KEY).unwrap()
}

fn vendor_id() -> VendorThingId {
    VendorThingId::new("v1").unwrap()
}

fn owner() -> Owner {
    Owner::user("u-1").unwrap()
}

fn json() -> Json {
    Json::new(&format!("{{\"a\":{{\"b\":\"{BODY}\"}}}}")).unwrap()
}

fn thing_onboarding() -> ThingOnboarding {
    let thing = ThingOnboarding::with_vendor_thing_id(vendor_id(), PASSWORD).unwrap();
    thing.with_thing_properties(json()).unwrap()
}

fn end_node_onboarding() -> EndNodeOnboarding {
    let (id, owner) = (vendor_id(), owner());
    let node = EndNodeOnboarding::with_gateway_thing_id("th.1", id, PASSWORD, owner, OWNER_TOKEN);
    node.unwrap().with_thing_properties(json()).unwrap()
}

fn onboarded() -> Onboarded {
    let topic = MqttTopic::new("TT").unwrap();
    let endpoint = MqttEndpoint::new("broker2.example", "user", PASSWORD, topic);
    Onboarded::new("th.1", TOKEN).with_endpoint(endpoint)
}

fn new_command() -> NewCommand {
    let command = NewCommand::plain(owner(), "S", 1, [Action::new("turnPower", json())]).unwrap();
    command.with_title(BODY).unwrap().with_description(BODY).with_metadata(json())
}

fn results(actions: &Actions) -> ActionResults {
    ActionResults::new(actions, [ActionResult::failed(BODY).with_data(json())]).unwrap()
}

#[test]
fn the_canaries_would_be_seen() {
    for leak in [
        format!("{:?}", String::from_utf8_lossy(onboarded().access_token.expose())),
        format!("{:?}", onboarded().encode()),
        format!("{:#?}", json().as_str().as_bytes()),
        format!("{:x?}", PASSWORD.as_bytes()).replace(", ", ""),
    ] {
        assert!(std::panic::catch_unwind(|| check(&leak)).is_err(), "{leak}");
    }
}

#[test]
fn credentials_keep_quiet() {
    let parts: [&dyn Debug; 8] = [
        &app(),
        &app().key,
        &app().password(),
        &onboarded(),
        &onboarded().endpoint,
        &EndNodeOnboarded::new("th.2", TOKEN),
        &Secret::from(TOKEN),
        &json(),
    ];
    parts.into_iter().for_each(keeps_quiet);
    explains_itself(AppKey::new("canary key"));
    explains_itself(App::new("app01", "canary\u{7f}"));
    explains_itself(Json::new("{\"canary\":canary}"));
}

#[test]
fn onboarding_keeps_quiet() {
    let owned = thing_onboarding().owned_by(owner(), OWNER_TOKEN).unwrap();
    let all = [
        Onboarding::Thing(thing_onboarding()),
        Onboarding::Thing(owned),
        Onboarding::EndNode(end_node_onboarding()),
    ];
    for onboarding in all {
        keeps_quiet(&onboarding);
        keeps_quiet(&onboarding.owner_token());
        let payload = onboarding.encode(None).unwrap();
        let request = Request::decode(&payload).unwrap();
        keeps_quiet(&request);
        keeps_quiet(&Onboarding::decode(&request).unwrap());
    }
    explains_itself(ThingOnboarding::with_thing_id("canary/id", PASSWORD));
    explains_itself(thing_onboarding().owned_by(owner(), "canary token"));
    explains_itself(thing_onboarding().with_thing_type("canary type"));
    explains_itself(thing_onboarding().with_thing_properties(Json::new("\"canary\"").unwrap()));
    explains_itself(Owner::parse("canary:u-1"));
    explains_itself(Owner::user("canary/"));
}

#[test]
fn requests_and_answers_that_cannot_be_read_keep_quiet() {
    let media_type = "application/vnd.kii.OnboardingWithVendorThingIDByThing+json";
    for body in [
        "canary",
        "\"canary\"",
        r#"{"vendorThingID":"canary/","thingPassword":"canary"}"#,
        r#"{"vendorThingID":"v1","thingPassword":["canary"],"thingType":"canary canary"}"#,
    ] {
        let payload =
            Request::encode(Method::Post, [("Content-Type", media_type)], body.as_bytes());
        explains_itself(Onboarding::decode(&Request::decode(&payload.unwrap()).unwrap()));
    }
    for body in [
        "canary",
        r#"{"accessToken":["canary"],"thingID":"canary"}"#,
        r#"{"accessToken":"canary"}"#,
        r#"{"accessToken":"canary","thingID":"t","mqttEndpoint":"canary"}"#,
        r#"{"accessToken":"canary","thingID":"t","mqttEndpoint":{"username":"canary","password":1}}"#,
        r#"{"accessToken":"canary","thingID":"t","mqttEndpoint":{"username":"u","password":"canary","mqttTopic":"canary/"}}"#,
    ] {
        explains_itself(Onboarded::decode(body.as_bytes()));
        explains_itself(EndNodeOnboarded::decode(body.as_bytes()));
        explains_itself(CommandObject::decode(body.as_bytes()));
        explains_itself(EndNodes::decode(body.as_bytes()));
        explains_itself(NewCommand::decode(false, body.as_bytes()));
    }
    let payload = format!(
        "400\r\nX-Own:{BODY}\r\n\r\n{{\"errorCode\":\"WRONG_TOKEN\",\"message\":\"{BODY}\",\
         \"invalidFields\":{{\"thingPassword\":\"{BODY}\"}}}}"
    );
    let response = Response::decode(payload.as_bytes()).unwrap();
    let error = ApiError::decode(&response);
    keeps_quiet(&error.advice());
    check(&error.advice().to_string());
    explains_itself::<()>(Err(error));
    explains_itself(Answer::decode(CallKind::GetState, &response));
    let response = Response::decode(b"200\r\n\r\n\"canary\"").unwrap();
    explains_itself(Answer::decode(CallKind::GetState, &response));
    explains_itself(Answer::decode(CallKind::Onboard, &response));
}

#[test]
fn calls_and_commands_keep_quiet() {
    let command = new_command();
    let results = results(command.actions());
    let received = command.to_command("c1").unwrap();
    let mut object = CommandObject::new(received.clone(), CommandState::Done);
    object.action_results = Some(results.clone());
    (object.title, object.description) = (Some(BODY.into()), Some(BODY.into()));
    (object.metadata, object.created_at) = (Some(json()), Some(UnixMillis::new(1)));
    let traits = [TraitActions::new("alias", [Action::new("turnPower", json())])];
    let traits = NewCommand::with_traits(owner(), traits).unwrap();
    let onboarding = Onboarding::EndNode(end_node_onboarding());
    let onboard = Call::onboard(&onboarding);
    let put = Call::put_state("th.1", &json()).unwrap().with_bearer(TOKEN);
    let put = put.with_header("X-Own", BODY).unwrap();
    let report = Call::report_results("th.1", "c1", &results).unwrap();
    let custom = Call::custom(Method::Post, "a", None, BODY).unwrap();
    let response = Response::decode(b"200\r\nX-Own:canary\r\n\r\n{\"a\":\"canary\"}").unwrap();
    let answers = [CallKind::GetState, CallKind::ListCommands, CallKind::Custom]
        .map(|kind| Answer::decode(kind, &response).unwrap());
    let parts: [&dyn Debug; 15] = [
        &command,
        &traits,
        &traits.to_command("c1").unwrap(),
        &results,
        &received,
        &object,
        &CommandObject::decode(&object.encode()).unwrap(),
        &Push::decode(&received.encode()).unwrap(),
        &Push::decode(json().as_str().as_bytes()).unwrap(),
        &[&onboard, &put, &report, &custom],
        &Call::send_command("th.1", &command).unwrap(),
        &response,
        &response.to_owned(),
        &answers,
        &ActionResult::failed(BODY),
    ];
    parts.into_iter().for_each(keeps_quiet);
    for payload in [
        "canary",
        "\"canary\"",
        r#"{"commandID":"canary/","actions":[{"a":"canary"}]}"#,
        r#"{"commandID":"c1","actions":[{"canary":"canary","b":"canary"}]}"#,
        r#"{"commandID":"c1","actions":["canary"]}"#,
    ] {
        explains_itself(Push::decode(payload.as_bytes()));
    }
    explains_itself(Command::new("canary/", command.actions().clone()));
    explains_itself(Call::get_state("canary/"));
    explains_itself(Call::put_state("th.1", &Json::new("\"canary\"").unwrap()));
    explains_itself(Call::get_state("th.1").unwrap().with_header("X-Own", "canary\n"));
    explains_itself(Call::get_state("th.1").unwrap().with_query("canary/"));
    explains_itself(
        put.with_bearer("canary\n").encode(&TOKEN.into(), &RequestId::new("1").unwrap()),
    );
}

#[test]
fn a_whole_conversation_keeps_quiet() {
    let mut talk = Talk::new();
    talk.thing.start(talk.now).unwrap();
    talk.carry_all();
    assert!(talk.thing.is_ready(), "{:?}", talk.thing);
    let thing_id = talk.thing.onboarded().unwrap().thing_id.clone();
    talk.cloud.send_command(talk.now, &thing_id, &new_command()).unwrap();
    talk.cloud.push(talk.now, &thing_id, &json()).unwrap();
    let refused = talk.cloud.push(talk.now, "th.none", &json());
    explains_itself(refused);
    let calls = [
        Call::put_state(&thing_id, &json()),
        Call::get_state(&thing_id),
        Call::list_commands(&thing_id),
        Call::set_thing_type(&thing_id, "lamp"),
    ];
    for call in calls {
        talk.thing.call(talk.now, &call.unwrap()).unwrap();
    }
    talk.print();
    talk.carry_all();
    let states = Requests::any().ending("states");
    let effect = Effect::Status(Status::FORBIDDEN, BODY.into());
    keeps_quiet(&[Effect::Payload(BODY.into()), effect.clone()]);
    talk.cloud.inject(talk.now, Fault::on_request(states, [effect])).unwrap();
    talk.print();
    talk.thing.call(talk.now, &Call::get_state(&thing_id).unwrap()).unwrap();
    talk.carry_all();
    // A cloud that is restarted, with calls in flight.
    talk.thing.call(talk.now, &Call::put_state(&thing_id, &json()).unwrap()).unwrap();
    talk.cloud.close_all(talk.now, Stage::Api).unwrap();
    talk.carry_all();
    explains_itself(talk.thing.call(talk.now, &Call::get_state(&thing_id).unwrap()));
    talk.now = talk.now.after(Duration::from_secs(1));
    talk.thing.handle_timeout(talk.now);
    talk.carry_all();
    let seen = ["Onboarded", "Ready", "Command", "Push", "Response", "CallFailed", "Retrying"];
    for name in seen {
        assert!(talk.told.iter().any(|told| told.starts_with(name)), "{name}: {:?}", talk.told);
    }
    assert!(talk.secrets.len() >= 2, "a token and a password were made up");
    assert!(!talk.cloud.commands(&thing_id).next().unwrap().command.actions.is_empty());
}

/// A thing and the cloud, each of which gets what the other one sends.
struct Talk {
    now: MonoTime,
    thing: Thing,
    cloud: Cloud,
    /// What the thing told.
    told: Vec<String>,
    /// What the cloud made up.
    secrets: Vec<String>,
}

impl Talk {
    fn new() -> Self {
        let config = Config::new(app(), DefaultBroker::new("broker1.example"), thing_onboarding());
        keeps_quiet(&config);
        let thing = Thing::new(config, 7).unwrap();
        let config = cloud::Config::new(app(), "broker2.example").with_owner(owner(), OWNER_TOKEN);
        keeps_quiet(&config);
        let (told, secrets) = (Vec::new(), Vec::new());
        Self { now: MonoTime::ORIGIN, thing, cloud: Cloud::new(config), told, secrets }
    }

    fn carry_all(&mut self) {
        loop {
            self.print();
            match self.thing.poll_output() {
                Output::Action(action) => {
                    self.check(&action);
                    self.feed_cloud(&action);
                }
                Output::Event(event) => self.hear(&event),
                Output::Idle(_) => match self.cloud.poll_output() {
                    Output::Action(action) => {
                        self.check(&action);
                        self.feed_thing(action);
                    }
                    Output::Event(event) => self.check(&event),
                    Output::Idle(_) => return,
                },
            }
        }
    }

    fn feed_cloud(&mut self, action: &mqtt::Action) {
        let (now, cloud) = (self.now, &mut self.cloud);
        let fed: Result<(), CloudError> = match action {
            mqtt::Action::Open(open) => {
                let options = &open.options;
                let stage = if options.client_id == "anonymous" { Stage::Boot } else { Stage::Api };
                let login = options.credentials.as_ref().unwrap();
                let connect = Connect::new(open.link, stage, &options.client_id)
                    .with_credentials(&login.user_name, login.password.expose());
                keeps_quiet(&connect);
                cloud.handle_input(now, connect.into())
            }
            mqtt::Action::Subscribe(subscribe) => {
                let subscribe = Subscribe::new(subscribe.link, subscribe.token, &subscribe.filter);
                cloud.handle_input(now, subscribe.into())
            }
            mqtt::Action::Publish(publish) => {
                let publish = Publish::new(publish.link, &publish.topic, &publish.payload);
                keeps_quiet(&publish);
                cloud.handle_input(now, publish.into())
            }
            mqtt::Action::Close(close) => {
                cloud.handle_input(now, cloud::server::Closed::new(close.link).into())
            }
            other => panic!("a thing does not do this: {other:?}"),
        };
        fed.unwrap();
    }

    fn feed_thing(&mut self, action: cloud::server::Action) {
        use cloud::server::Action;
        let (now, thing) = (self.now, &mut self.thing);
        let fed = match action {
            Action::Connack(connack) => {
                thing.handle_input(now, mqtt::Opened::new(connack.link, false).into())
            }
            Action::Suback(suback) => {
                thing.handle_input(now, mqtt::Done::new(suback.link, suback.token).into())
            }
            Action::Deliver(Deliver { link, topic, payload, .. }) => {
                let message = mqtt::Message::new(link, &topic, &payload);
                keeps_quiet(&message);
                thing.handle_input(now, message.into())
            }
            Action::Close(close) => {
                let closed = mqtt::Closed::new(close.link, CloseReason::Lost);
                thing.handle_input(now, closed.into())
            }
            _ => Ok(()),
        };
        fed.unwrap();
    }

    fn hear(&mut self, event: &Event) {
        if let Event::Onboarded(onboarded) = event {
            let password = &onboarded.endpoint.as_ref().unwrap().password;
            for secret in [&onboarded.access_token, password] {
                self.secrets.push(secret.expose_str().unwrap()[..16].into());
            }
        }
        if let Event::Response(response) = event {
            match response.answer() {
                Ok(answer) => self.check(&answer),
                Err(error) => {
                    check(&error.to_string());
                    self.check(&error);
                }
            }
        }
        self.check(event);
        self.told.push(format!("{event:?}"));
    }

    fn print(&self) {
        self.check(&self.thing);
        self.check(&self.cloud);
        for id in self.cloud.things() {
            self.check(&self.cloud.state(id));
            self.cloud.commands(id).for_each(|command| self.check(command));
        }
    }

    fn check(&self, value: &dyn Debug) {
        keeps_quiet(value);
        let printed = format!("{value:?}");
        self.secrets.iter().for_each(|secret| check_for(&printed, secret));
    }
}
