//! `kii-onboard`, the cloud's side.

use alloc::{boxed::Box, format, string::String};
use core::{error::Error, time::Duration};

use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{ConnackCode, Link, Token},
};
use kii_onboard::{
    App, AppId, Json, KeepAlive, Ports, Stage, TransportKind,
    cloud::{
        Cloud, Config, Effect, Event, Fault, Requests,
        server::{Action, Closed, Connect, Input, Ping, Publish, Subscribe, Unsubscribe},
    },
    command::{self, NewCommand},
    frame::{Method, Status},
    onboarding::{Onboarding, Owner, ThingOnboarding},
    topic::{BOOT_CLIENT_ID, Topics},
};

use crate::kii::vendor_id;

const NOW: MonoTime = MonoTime::ORIGIN;
const ONE: Link = Link::new(1);

pub(crate) fn connections() -> Result<(), Box<dyn Error>> {
    let mut cloud = cloud()?;
    let _ = onboard(&mut cloud)?;
    let inputs: [Input<'_>; 4] = [
        Subscribe::new(ONE, Token::new(1), "TT").into(),
        Unsubscribe::new(ONE, Token::new(2), "TT").into(),
        Ping::new(ONE).into(),
        Closed::new(ONE).into(),
    ];
    for input in inputs {
        let _ = format!("{input:?}");
        cloud.handle_input(NOW, input)?;
        drain(&mut cloud);
    }
    Ok(())
}

pub(crate) fn things() -> Result<(), Box<dyn Error>> {
    let mut cloud = cloud()?;
    let thing_id = onboard(&mut cloud)?;
    let action = command::Action::new("turnPower", Json::new("true")?);
    let command = NewCommand::plain(Owner::user("u-1")?, "SmartLight", 1, [action])?;
    let command_id = cloud.send_command(NOW, &thing_id, &command)?;
    cloud.push(NOW, &thing_id, &Json::new("{}")?)?;
    cloud.expire_endpoint(NOW, &thing_id)?;
    drain(&mut cloud);
    let _ = (cloud.things().count(), cloud.is_online(&thing_id), cloud.state(&thing_id));
    let _ = (cloud.command(&thing_id, &command_id), cloud.commands(&thing_id).count());
    Ok(())
}

pub(crate) fn faults() -> Result<(), Box<dyn Error>> {
    let mut cloud = cloud()?;
    let second = Duration::from_secs(1);
    let states = Requests::any().at(Stage::Api).with_method(Method::Put).ending("/states");
    let effects = [
        Effect::Drop,
        Effect::Delay(second),
        Effect::Duplicate,
        Effect::WrongTopic("x/y".into()),
        Effect::NoRequestId,
        Effect::Payload("200\r\n\r\n".into()),
        Effect::Status(Status::SERVICE_UNAVAILABLE, "{}".into()),
        Effect::NoEndpoint,
        Effect::NoPort(TransportKind::Tls),
        Effect::Ttl(second),
        Effect::CloseBefore,
        Effect::CloseAfter,
        Effect::LineFeeds,
    ];
    for fault in [
        Fault::refuse_connect(Stage::Boot, ConnackCode::SERVER_UNAVAILABLE),
        Fault::swallow_ping(Stage::Api).skip(1),
        Fault::delay_suback(second).times(2),
        Fault::on_request(states, effects),
    ] {
        let _ = format!("{fault:?}");
        cloud.inject(NOW, fault)?;
    }
    let _ = (cloud.faults(), cloud.misdirected(), cloud.is_finished());
    cloud.clear_faults(NOW)?;
    cloud.close(NOW, ONE)?;
    cloud.close_all(NOW, Stage::Boot)?;
    cloud.handle_timeout(MonoTime::MAX);
    let _ = cloud.connections(Stage::Boot);
    Ok(())
}

fn cloud() -> Result<Cloud, Box<dyn Error>> {
    let config = Config::new(App::new("app01", "key01")?, "broker2.example")
        .with_app(App::new("app02", "key02")?)
        .with_owner(Owner::user("u-1")?, "token")
        .with_ports(Ports::DEFAULT)
        .with_ttl(None)
        .with_seed_headers(true)
        .with_max_connections(10)
        .with_max_things(10)
        .with_max_commands(10)
        .with_max_faults(10)
        .with_max_queued(10)
        .with_seed(7);
    Ok(Cloud::new(config))
}

/// Gives the id of the thing.
fn onboard(cloud: &mut Cloud) -> Result<String, Box<dyn Error>> {
    let app = App::new("app01", "key01")?;
    let (user_name, password) = (app.user_name(), app.password());
    let connect = Connect::new(ONE, Stage::Boot, BOOT_CLIENT_ID)
        .with_credentials(&user_name, password.expose())
        .with_keep_alive(KeepAlive::new(Duration::from_secs(60)));
    cloud.handle_input(NOW, connect.into())?;
    let thing = ThingOnboarding::with_vendor_thing_id(vendor_id()?, "p1")?;
    let payload = Onboarding::Thing(thing).encode(None)?;
    let topic = Topics::boot(&app.id).onboardings();
    cloud.handle_input(NOW, Publish::new(ONE, &topic, &payload).into())?;
    drain(cloud);
    let thing_id = cloud.thing_id(&AppId::new("app01")?, &vendor_id()?);
    Ok(thing_id.unwrap_or_default().into())
}

fn drain(cloud: &mut Cloud) {
    loop {
        let told = match cloud.poll_output() {
            Output::Action(Action::Deliver(deliver)) => format!("{deliver:?}"),
            Output::Action(action) => format!("{:?}", action.link()),
            Output::Event(Event::Refused { reason, .. }) => format!("{reason} {:?}", reason.code()),
            Output::Event(Event::Disconnected { reason, .. }) => format!("{reason}"),
            Output::Event(event) => format!("{event:?}"),
            Output::Idle(_) => return,
        };
        let _ = told;
    }
}
