//! `kii-onboard`: calls of the API, commands, and the thing that makes and gets them.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use iot_sansio::{
    Jitter, Machine as _, MonoTime, Output,
    mqtt::{Input, Link, Opened},
};
use kii_onboard::{
    App, Json, KeepAlive, Location, RequestId, TransportKind,
    call::{Answer, Call, CallKind, EndNode, EndNodes, MAX_STATE},
    command::{
        Action, ActionResult, ActionResults, Actions, Command, CommandObject, CommandState,
        MAX_PUSH, NewCommand, Push, TraitActions,
    },
    frame::{Limits, Method, Response},
    onboarding::{Onboarding, Owner, ThingOnboarding},
    thing::{Config, Event, Thing},
};

use crate::kii::{onboarded, vendor_id};

const NOW: MonoTime = MonoTime::ORIGIN;

pub(crate) fn calls() -> Result<(), Box<dyn Error>> {
    let (thing, object) = ("th.1", Json::new("{}")?);
    let command = new_command()?;
    let results = ActionResults::new(command.actions(), [ActionResult::succeeded()])?;
    let onboarding = ThingOnboarding::with_vendor_thing_id(vendor_id()?, "p1")?;
    let calls = [
        Call::put_state(thing, &object)?,
        Call::put_trait_state(thing, &object)?,
        Call::put_alias_state(thing, "alias", &object)?,
        Call::patch_state(thing, &object)?,
        Call::bulk_states(thing, &object)?,
        Call::bulk_patch_states(thing, &object)?,
        Call::get_state(thing)?,
        Call::get_alias_state(thing, "alias")?,
        Call::list_commands(thing)?.with_query("bestEffortLimit=10")?,
        Call::get_command(thing, "c1")?,
        Call::send_command(thing, &command)?.with_bearer("token"),
        Call::report_results(thing, "c1", &results)?,
        Call::get_firmware_version(thing)?,
        Call::set_firmware_version(thing, "1.0")?,
        Call::get_thing_type(thing)?,
        Call::set_thing_type(thing, "lamp")?,
        Call::set_end_node_connection(thing, "th.2", true)?,
        Call::list_end_nodes(thing)?,
        Call::onboard(&Onboarding::Thing(onboarding)),
        Call::custom(Method::Get, "a/b", Some("text/plain"), "")?.with_header("X-Own", "1")?,
    ];
    for call in calls {
        let call = call.with_request_id(RequestId::new("1")?);
        let payload = call.encode(&"token".into(), &RequestId::new("1")?)?;
        let _ = format!("{call:?} {:?} {} {}", call.method(), call.resource(), payload.len());
        let _ = (call.kind(), call.path(), call.request_id());
        match Answer::decode(call.kind(), &Response::decode(b"204\r\n\r\n")?) {
            Ok(answer) => drop(format!("{answer:?}")),
            Err(error) => drop(format!("{error}")),
        }
    }
    let end_nodes = EndNodes::new([EndNode::new(thing, None)], Some("key".into()));
    let _ = (EndNodes::decode(&end_nodes.encode())?, MAX_STATE, CallKind::Custom);
    Ok(())
}

pub(crate) fn commands() -> Result<(), Box<dyn Error>> {
    let data = Json::new("null")?;
    let command = new_command()?.with_title("title")?.with_description("text");
    let command = command.with_metadata(data.clone());
    let _ = (command.title(), command.description(), command.metadata(), command.issuer());
    let _ = format!("{:?}", NewCommand::decode(false, &command.encode())?);
    let _ = command.content_type();
    let owner = Owner::user("u-1")?;
    let actions = [Action::new("turnPower", data.clone())];
    let traits = NewCommand::with_traits(owner, [TraitActions::new("alias", actions)])?;
    for command in [command, traits] {
        let command = command.to_command("c1")?;
        let _ = (command.actions.len(), command.actions.is_empty());
        let given = [ActionResult::failed("stuck").with_data(data.clone())];
        let _ = given.iter().all(ActionResult::is_success);
        let results = ActionResults::new(&command.actions, given)?;
        let _ = ActionResults::decode(&command.actions, &results.encode())?;
        let _ = (results.len(), results.is_empty(), results.content_type());
        let _ = format!("{:?}", CommandState::ALL.iter().map(CommandState::as_str).count());
        let object = CommandObject::new(command.clone(), CommandState::from("DONE"));
        let _ = format!("{:?} {}", CommandObject::decode(&object.encode())?, object.state);
        match Push::decode(&command.encode())? {
            Push::Command(command) => drop(format!("{command:?}")),
            Push::Other(json) => drop(format!("{}", json.is_object())),
        }
    }
    let plain = Actions::Plain([Action::new("a", data)].into());
    let command = Command::new("c1", plain)?.with_issuer("user:u-1").with_schema("S", 1);
    let _ = (command.encode(), ActionResult::failed_silently(), MAX_PUSH);
    Ok(())
}

pub(crate) fn things() -> Result<(), Box<dyn Error>> {
    let mut thing = Thing::new(config()?, 7)?;
    thing.start(NOW)?;
    thing.handle_input(NOW, Input::Opened(Opened::new(Link::new(1), false)))?;
    thing.handle_timeout(MonoTime::from_millis(1));
    drain(&mut thing);
    thing.stop(NOW)?;
    thing.restore(NOW, onboarded()?, Duration::from_secs(1))?;
    let _ = (thing.onboarded().map(|onboarded| onboarded.encode()), thing.is_ready());
    if let Ok(call) = thing.call(NOW, &Call::get_state("th.1")?) {
        let _ = call.get();
    }
    thing.onboard_again(NOW)?;
    drain(&mut thing);
    let _ = thing.is_finished();
    Ok(())
}

fn config() -> Result<Config, Box<dyn Error>> {
    let app = App::new("app01", "key01")?;
    let onboarding = ThingOnboarding::with_vendor_thing_id(vendor_id()?, "p1")?;
    let second = Duration::from_secs(1);
    Ok(Config::new(app, Location::Jp, onboarding)
        .with_transport(TransportKind::Wss)
        .with_api_transport(TransportKind::Tls)
        .with_websocket_path("/mqtt")
        .with_mqtt_3_1()
        .with_boot_keep_alive(KeepAlive::new(second))
        .with_api_keep_alive(KeepAlive::OFF)
        .with_trusted_hosts(["broker2.example"])
        .without_pushes()
        .with_onboarding_request_id(RequestId::new("1")?)
        .with_connect_timeout(second)
        .with_onboarding_timeout(second)
        .with_subscribe_timeout(second)
        .with_request_timeout(second)
        .with_backoff(second, second, Jitter::Full)
        .with_max_retry_after(second)
        .with_max_boot_attempts(3)
        .with_max_api_attempts(3)
        .with_limits(Limits::DEFAULT)
        .with_max_pending(3)
        .with_max_queued(3))
}

fn new_command() -> Result<NewCommand, Box<dyn Error>> {
    let action = Action::new("turnPower", Json::new("true")?);
    Ok(NewCommand::plain(Owner::user("u-1")?, "SmartLight", 1, [action])?)
}

fn drain(thing: &mut Thing) {
    loop {
        let told = match thing.poll_output() {
            Output::Action(action) => format!("{:?}", action.link()),
            Output::Event(Event::Response(response)) => match response.answer() {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => format!("{error}"),
            },
            Output::Event(Event::CallFailed(failed)) => format!("{}", failed.cause),
            Output::Event(Event::Ignored(ignored)) => format!("{}", ignored.why),
            Output::Event(Event::Retrying(retrying)) => format!("{}", retrying.cause),
            Output::Event(Event::Failed(reason)) => format!("{reason}"),
            Output::Event(event) => format!("{event:?}"),
            Output::Idle(_) => return,
        };
        let _ = told;
    }
}
