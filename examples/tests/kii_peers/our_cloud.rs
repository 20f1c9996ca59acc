//! Our thing on a foreign client, through foreign brokers, at our cloud.

use iot_sansio::mqtt::ConnackCode;
use kii_onboard::{
    Stage, TransportKind,
    call::{Answer, Call},
    cloud,
    command::{Action, ActionResult, ActionResults, Actions, CommandState, NewCommand},
    frame::{Method, Status},
    onboarding::Owner,
    thing::{Cause, Config, Event},
};

use crate::{
    our_thing::{OurThing, STATE, json},
    world::World,
};

const ISSUER: &str = "user:u-1";

#[tokio::test]
async fn they_converse_over_tls() {
    converse(TransportKind::Tls, |config| config).await;
}

#[tokio::test]
async fn they_converse_over_tls_in_the_version_of_the_documentation() {
    converse(TransportKind::Tls, Config::with_mqtt_3_1).await;
}

#[tokio::test]
async fn they_converse_over_websocket() {
    converse(TransportKind::Ws, |config| config).await;
}

#[tokio::test]
async fn they_converse_over_websocket_over_tls() {
    converse(TransportKind::Wss, |config| config).await;
}

#[tokio::test]
async fn things_onboard_one_after_the_other_and_work_side_by_side() {
    let Some(world) = World::start(0).await else { return };
    let mut things = Vec::new();
    for vendor_id in ["v1", "v2"] {
        let config = world.brokers.thing(vendor_id, TransportKind::Tls);
        let Some(mut thing) = OurThing::start(&world.brokers, config).await else { return };
        let thing_id = thing.onboarded().await.thing_id;
        thing.ready().await;
        things.push((thing, thing_id));
    }
    assert_ne!(things[0].1, things[1].1);
    // Each hears of its own command, and of nothing else.
    for (thing, thing_id) in &mut things {
        thing.upload(thing_id).await;
        let command_id = send_command(&world, thing_id).await;
        assert_eq!(thing.command().await.id, command_id);
    }
    for (thing, _) in things {
        thing.stop().await;
    }
}

#[tokio::test]
async fn what_was_saved_spares_a_second_onboarding() {
    let Some(mut world) = World::start(0).await else { return };
    let config = world.brokers.thing("v1", TransportKind::Tls);
    let Some(mut thing) = OurThing::start(&world.brokers, config.clone()).await else { return };
    let onboarded = thing.onboarded().await;
    thing.ready().await;
    thing.stop().await;

    let saved = onboarded.encode();
    let Some(mut thing) = OurThing::restore(&world.brokers, config, &saved).await else { return };
    thing.ready().await;
    thing.upload(&onboarded.thing_id).await;
    let onboarding = (Some(Method::Post), "onboardings".to_string(), Status::OK);
    let states = (Some(Method::Put), states(&onboarded.thing_id), Status::CREATED);
    assert_eq!(world.answered(2).await, [onboarding, states]);
}

#[tokio::test]
async fn a_thing_onboards_again_when_the_second_broker_refuses_its_endpoint() {
    let Some(mut world) = World::start(1).await else { return };
    let config = world.brokers.thing("v1", TransportKind::Tls);
    let Some(mut thing) = OurThing::start(&world.brokers, config).await else { return };
    let first = thing.onboarded().await;
    let Some(Event::Retrying(retrying)) = thing.event().await else { panic!("it goes on") };
    assert_eq!(retrying.stage, Stage::Boot);
    assert_eq!(retrying.cause, Cause::EndpointRefused(ConnackCode::NOT_AUTHORIZED));
    let second = thing.onboarded().await;
    assert_eq!(second.thing_id, first.thing_id);
    thing.ready().await;
    thing.upload(&second.thing_id).await;
    let onboarding = (Some(Method::Post), "onboardings".to_string(), Status::OK);
    let states = (Some(Method::Put), states(&second.thing_id), Status::CREATED);
    assert_eq!(world.answered(3).await, [onboarding.clone(), onboarding, states]);
}

#[tokio::test]
async fn a_thing_whose_endpoint_is_withdrawn_tries_it_once_more_and_then_onboards_again() {
    let Some(mut world) = World::start(0).await else { return };
    let config = world.brokers.thing("v1", TransportKind::Tls);
    let Some(mut thing) = OurThing::start(&world.brokers, config).await else { return };
    let first = thing.onboarded().await;
    thing.ready().await;

    let endpoint = first.endpoint.expect("an endpoint");
    // The broker cuts whom it would not admit any more.
    world.brokers.second().admit(&endpoint.user_name, "another password").expect("a file");
    let causes = [
        (Stage::Api, Cause::ConnectionLost),
        (Stage::Boot, Cause::EndpointRefused(ConnackCode::NOT_AUTHORIZED)),
    ];
    for cause in causes {
        let Some(Event::Retrying(retrying)) = thing.event().await else { panic!("it goes on") };
        assert_eq!((retrying.stage, retrying.cause), cause);
    }
    let second = thing.onboarded().await;
    thing.ready().await;
    thing.upload(&second.thing_id).await;
    let onboarding = (Some(Method::Post), "onboardings".to_string(), Status::OK);
    let states = (Some(Method::Put), states(&second.thing_id), Status::CREATED);
    assert_eq!(world.answered(3).await, [onboarding.clone(), onboarding, states]);
}

/// Onboards, uploads its state, obeys a command and reports the result.
async fn converse(kind: TransportKind, configure: impl Fn(Config) -> Config) {
    let Some(mut world) = World::start(0).await else { return };
    let config = configure(world.brokers.thing("v1", kind));
    let Some(mut thing) = OurThing::start(&world.brokers, config).await else { return };
    let thing_id = thing.onboarded().await.thing_id;
    thing.ready().await;

    thing.upload(&thing_id).await;
    let id = thing_id.clone();
    let state = world.command(move |cloud, _| cloud.state(&id).cloned()).await;
    assert_eq!(state, Some(json(STATE)));

    let command_id = send_command(&world, &thing_id).await;
    let command = thing.command().await;
    assert_eq!((&command.id, command.issuer.as_deref()), (&command_id, Some(ISSUER)));
    assert_eq!(command.actions, Actions::Plain(actions()));

    let results = [ActionResult::succeeded(), ActionResult::failed("stuck")];
    let results = ActionResults::new(&command.actions, results).expect("one for each action");
    let report = Call::report_results(&thing_id, &command.id, &results).expect("good ids");
    assert_eq!(thing.call(&report).await, Answer::Done);
    let told = world.until(|event| match event {
        cloud::Event::ResultsReported { command_id, state, .. } => Some((command_id, state)),
        _ => None,
    });
    assert_eq!(told.await, (command_id.clone(), CommandState::Done));

    // Nothing was asked twice, and no answer was taken for a request.
    let results = format!("targets/thing:{thing_id}/commands/{command_id}/action-results");
    let expected = [
        (Some(Method::Post), "onboardings".to_string(), Status::OK),
        (Some(Method::Put), states(&thing_id), Status::CREATED),
        (Some(Method::Put), results, Status::NO_CONTENT),
    ];
    assert_eq!(world.answered(expected.len()).await, expected);
    thing.stop().await;
}

/// Has the cloud send a command; its id.
pub(crate) async fn send_command(world: &World, thing_id: &str) -> String {
    let issuer = Owner::user("u-1").expect("a good id");
    let new = NewCommand::plain(issuer, "SmartLight", 1, actions()).expect("a good command");
    let thing_id = thing_id.to_string();
    let sent = world.command(move |cloud, now| cloud.send_command(now, &thing_id, &new)).await;
    sent.expect("the cloud knows the thing")
}

fn actions() -> Vec<Action> {
    let turn = Action::new("turnPower", json(r#"{"power":true}"#));
    vec![turn, Action::new("setFanSpeed", json(r#"{"fanSpeed":5}"#))]
}

fn states(thing_id: &str) -> String {
    format!("targets/thing:{thing_id}/states")
}
