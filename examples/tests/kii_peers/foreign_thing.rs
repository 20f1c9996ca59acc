//! A thing of which not a line is ours, through foreign brokers, at our cloud.

use examples::peers::Script;
use kii_onboard::{
    TransportKind, cloud,
    command::CommandState,
    frame::{Method, Status},
};
use serde_json::{Value, json};

use crate::{
    brokers::{APP_ID, APP_KEY, Brokers, HOST, THING_PASSWORD},
    our_cloud::send_command,
    world::World,
};

/// How the thing comes; by default over TLS, as it should.
#[derive(Clone, Copy)]
struct Settings {
    kind: TransportKind,
    app_key: &'static str,
    password: &'static str,
    /// How it ends the lines of its requests.
    eol: &'static str,
}

const GOOD: Settings =
    Settings { kind: TransportKind::Tls, app_key: APP_KEY, password: THING_PASSWORD, eol: "\r\n" };

#[tokio::test]
async fn it_converses_over_tls() {
    converse(GOOD).await;
}

#[tokio::test]
async fn it_converses_over_websocket() {
    converse(Settings { kind: TransportKind::Ws, ..GOOD }).await;
}

#[tokio::test]
async fn it_converses_over_websocket_over_tls() {
    converse(Settings { kind: TransportKind::Wss, ..GOOD }).await;
}

#[tokio::test]
async fn it_may_end_its_lines_as_things_in_the_wild_do() {
    converse(Settings { eol: "\n", ..GOOD }).await;
}

#[tokio::test]
async fn it_is_told_that_its_password_is_wrong() {
    let Some(world) = World::start(0).await else { return };
    let Some(mut first) = start(&world.brokers, GOOD).await else { return };
    assert!(line(&mut first).await["onboarded"].is_string());
    drop(first);
    let wrong = Settings { password: "another", ..GOOD };
    let Some(mut thing) = start(&world.brokers, wrong).await else { return };
    let rejected = json!({"rejected": 401, "errorCode": "WRONG_PASSWORD"});
    assert_eq!(line(&mut thing).await, rejected);
    assert_eq!(thing.line().await, None);
}

#[tokio::test]
async fn it_is_refused_with_a_wrong_application_key() {
    let Some(brokers) = Brokers::start() else { return };
    let wrong = Settings { app_key: "key02", ..GOOD };
    let Some(mut thing) = start(&brokers, wrong).await else { return };
    assert_eq!(line(&mut thing).await, json!({"refused": 5}));
    assert_eq!(thing.line().await, None);
}

/// Onboards, uploads its state and reads it, obeys a command and reports the result.
async fn converse(settings: Settings) {
    let Some(mut world) = World::start(0).await else { return };
    let Some(mut thing) = start(&world.brokers, settings).await else { return };
    let onboarded = line(&mut thing).await;
    let thing_id = onboarded["onboarded"].as_str().expect("an id").to_string();

    let states = format!("targets/thing:{thing_id}/states");
    let put = json!({"answered": format!("PUT {states}"), "status": 201, "body": null});
    assert_eq!(line(&mut thing).await, put);
    let get = json!({"answered": format!("GET {states}"), "status": 200, "body": state()});
    assert_eq!(line(&mut thing).await, get);

    let command_id = send_command(&world, &thing_id).await;
    let actions = json!([{"turnPower": {"power": true}}, {"setFanSpeed": {"fanSpeed": 5}}]);
    assert_eq!(line(&mut thing).await, json!({"command": command_id, "actions": actions}));
    let results = format!("targets/thing:{thing_id}/commands/{command_id}/action-results");
    let reported = json!({"answered": format!("PUT {results}"), "status": 204, "body": null});
    assert_eq!(line(&mut thing).await, reported);
    assert_eq!(thing.line().await, None);

    let told = world.until(|event| match event {
        cloud::Event::ResultsReported { command_id, state, .. } => Some((command_id, state)),
        _ => None,
    });
    assert_eq!(told.await, (command_id, CommandState::Done));
    let expected = [
        (Some(Method::Post), "onboardings".to_string(), Status::OK),
        (Some(Method::Put), states.clone(), Status::CREATED),
        (Some(Method::Get), states, Status::OK),
        (Some(Method::Put), results, Status::NO_CONTENT),
    ];
    assert_eq!(world.answered(expected.len()).await, expected);
}

/// None when Node or MQTT.js is not installed: that is printed.
async fn start(brokers: &Brokers, settings: Settings) -> Option<Script> {
    let mut script = Script::mqttjs("kii_thing.js")?;
    let transport = match settings.kind {
        TransportKind::Tcp => "tcp",
        TransportKind::Tls => "tls",
        TransportKind::Ws => "ws",
        TransportKind::Wss => "wss",
    };
    let told = json!({
        "ca": brokers.ca_pem(),
        "transport": transport,
        "host": HOST,
        "port": brokers.default_ports().get(settings.kind).expect("it has all four"),
        "appId": APP_ID,
        "appKey": settings.app_key,
        "vendorThingId": "v1",
        "thingPassword": settings.password,
        "eol": settings.eol,
        "state": state(),
    });
    script.tell(&told.to_string()).await;
    Some(script)
}

async fn line(script: &mut Script) -> Value {
    let line = script.line().await.expect("it goes on");
    serde_json::from_str(&line).expect("JSON")
}

fn state() -> Value {
    json!({"power": true, "presetTemperature": 25})
}
