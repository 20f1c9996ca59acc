//! Our thing on a foreign client, through foreign brokers, at a cloud of which not a line is ours.

use examples::peers::Script;
use iot_sansio::mqtt::ConnackCode;
use kii_onboard::{
    App, Ports, TransportKind,
    call::{Answer, Call},
    command::{Action, ActionResult, ActionResults, Actions},
    thing::{Config, Event, FailReason},
};
use serde_json::{Value, json};
use tokio::join;

use crate::{
    brokers::{APP_ID, Brokers, CLOUD, HOST},
    our_thing::{self, OurThing, STATE},
};

#[tokio::test]
async fn they_converse_over_tls() {
    converse(TransportKind::Tls, |config| config).await;
}

#[tokio::test]
async fn they_converse_over_tls_in_the_version_of_the_documentation() {
    converse(TransportKind::Tls, Config::with_mqtt_3_1).await;
}

#[tokio::test]
async fn they_converse_over_websocket_over_tls() {
    converse(TransportKind::Wss, |config| config).await;
}

#[tokio::test]
async fn a_wrong_application_key_ends_a_thing() {
    let Some(brokers) = Brokers::start() else { return };
    let app = App::new(APP_ID, "key02").expect("a good id and key");
    for kind in TransportKind::ALL {
        let config = brokers.thing_of(app.clone(), "v1", kind);
        let Some(mut thing) = OurThing::start(&brokers, config).await else { return };
        let failed = Event::Failed(FailReason::BootRefused(ConnackCode::NOT_AUTHORIZED));
        assert_eq!(thing.event().await, Some(failed), "over {kind}");
        assert_eq!(thing.event().await, None, "over {kind}");
    }
}

/// Onboards, uploads its state, obeys a command and reports the result.
async fn converse(kind: TransportKind, configure: impl Fn(Config) -> Config) {
    let Some(brokers) = Brokers::start() else { return };
    let Some(mut cloud) = start(&brokers).await else { return };
    let config = configure(brokers.thing("v1", kind));
    let Some(mut thing) = OurThing::start(&brokers, config).await else { return };

    let (onboarded, user_name) = join!(thing.onboarded(), admit(&brokers, &mut cloud));
    let endpoint = onboarded.endpoint.expect("an endpoint");
    assert_eq!((endpoint.user_name.as_str(), endpoint.host.as_str()), (&*user_name, HOST));
    assert_eq!(endpoint.ports, brokers.second_ports());
    thing.ready().await;

    let thing_id = onboarded.thing_id;
    thing.upload(&thing_id).await;
    let states = format!("targets/thing:{thing_id}/states");
    let state: Value = serde_json::from_str(STATE).expect("JSON");
    let called =
        json!({"called": format!("PUT {states}"), "type": "application/json", "body": &state});
    assert_eq!(line(&mut cloud).await, called);
    let get = Call::get_state(&thing_id).expect("a good id");
    // It comes in lines of its own.
    let Answer::State(stored) = thing.call(&get).await else { panic!("a state") };
    assert_eq!(serde_json::from_str::<Value>(stored.as_str()).expect("JSON"), state);
    let called = json!({"called": format!("GET {states}"), "type": null, "body": null});
    assert_eq!(line(&mut cloud).await, called);

    let push = json!({
        "schema": "SmartLight",
        "schemaVersion": 1,
        "commandID": "03675d40-7509-11e6-b753-22000b07265b",
        "actions": [{"turnPower": {"power": true}}, {"setFanSpeed": {"fanSpeed": 5}}],
        "issuer": "user:u-1",
    });
    cloud.tell(&json!({"to": thing_id, "push": push}).to_string()).await;
    let command = thing.command().await;
    assert_eq!(command.id, push["commandID"]);
    let turn = Action::new("turnPower", our_thing::json(r#"{"power":true}"#));
    let set = Action::new("setFanSpeed", our_thing::json(r#"{"fanSpeed":5}"#));
    assert_eq!(command.actions, Actions::Plain(vec![turn, set]));
    let results = [ActionResult::succeeded(), ActionResult::failed("stuck")];
    let results = ActionResults::new(&command.actions, results).expect("one for each action");
    let report = Call::report_results(&thing_id, &command.id, &results).expect("good ids");
    assert_eq!(thing.call(&report).await, Answer::Done);
    let path = format!("targets/thing:{thing_id}/commands/{}/action-results", command.id);
    let results = json!({"actionResults": [
        {"turnPower": {"succeeded": true}},
        {"setFanSpeed": {"succeeded": false, "errorMessage": "stuck"}},
    ]});
    let called =
        json!({"called": format!("PUT {path}"), "type": "application/json", "body": results});
    assert_eq!(line(&mut cloud).await, called);
    thing.stop().await;
}

/// Starts the cloud, and waits until it hears both brokers.
///
/// None when Node or MQTT.js is not installed: that is printed.
async fn start(brokers: &Brokers) -> Option<Script> {
    let mut cloud = Script::mqttjs("kii_cloud.js")?;
    let Ports { tcp, ssl, ws, wss } = brokers.second_ports();
    let endpoint =
        json!({"host": HOST, "portTCP": tcp, "portSSL": ssl, "portWS": ws, "portWSS": wss});
    let address = |ports: Ports| json!({"host": HOST, "port": ports.ssl});
    let settings = json!({
        "ca": brokers.ca_pem(),
        "userName": CLOUD.0,
        "password": CLOUD.1,
        "appId": APP_ID,
        "brokers": [address(brokers.default_ports()), address(brokers.second_ports())],
        "endpoint": endpoint,
    });
    cloud.tell(&settings.to_string()).await;
    assert_eq!(line(&mut cloud).await, json!({"ready": true}));
    Some(cloud)
}

/// Admits to the second broker whom the cloud sends there, which waits with its answer until then. Their user name.
async fn admit(brokers: &Brokers, cloud: &mut Script) -> String {
    let issued = line(cloud).await;
    let [user_name, password] = ["issued", "password"].map(|key| issued[key].as_str());
    let (user_name, password) = (user_name.expect("a text"), password.expect("a text"));
    brokers.second().admit(user_name, password).expect("a password file");
    cloud.tell(r#"{"admitted":true}"#).await;
    user_name.into()
}

async fn line(script: &mut Script) -> Value {
    let line = script.line().await.expect("it goes on");
    serde_json::from_str(&line).expect("JSON")
}
