//! One thing from its first CONNECT to the results of a command, byte by byte.

use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{Link, Token},
};
use kii_onboard::{
    App, Json, Ports, Stage,
    cloud::{
        Cloud, Config, Event,
        server::{Action, Connack, Connect, Deliver, Input, Publish, Suback, Subscribe},
    },
    command::{self, NewCommand},
    onboarding::{Onboarded, Owner},
};

const NOW: MonoTime = MonoTime::ORIGIN;
const BOOT: Link = Link::new(1);
const API: Link = Link::new(2);

fn feed<'a>(cloud: &mut Cloud, input: impl Into<Input<'a>>) -> (Vec<Action>, Vec<Event>) {
    cloud.handle_input(NOW, input.into()).unwrap();
    drain(cloud)
}

fn drain(cloud: &mut Cloud) -> (Vec<Action>, Vec<Event>) {
    let (mut actions, mut events) = (Vec::new(), Vec::new());
    loop {
        match cloud.poll_output() {
            Output::Action(action) => actions.push(action),
            Output::Event(event) => events.push(event),
            Output::Idle(_) => return (actions, events),
        }
    }
}

#[test]
fn from_connect_to_results() {
    let config = Config::new(App::new("app01", "key01").unwrap(), "broker2.example.test")
        .with_ports(Ports::DEFAULT)
        .with_seed_headers(true);
    let mut cloud = Cloud::new(config);

    let connect = Connect::new(BOOT, Stage::Boot, "anonymous")
        .with_credentials("type=oauth2&client_id=app01", b"client_secret=key01");
    assert_eq!(feed(&mut cloud, connect).0, [Connack::new(BOOT, None).into()]);

    // As the seed page writes it.
    let topic = "p/anonymous/thing-if/apps/app01/onboardings";
    let request = b"POST\r\nContent-type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json\r\n\r\n{\r\n  \"vendorThingID\" : \"v1\",\r\n  \"thingPassword\" : \"p1\"\r\n}";
    let (actions, _) = feed(&mut cloud, Publish::new(BOOT, topic, request));
    let [Action::Deliver(deliver)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!((deliver.link, deliver.topic.as_str()), (BOOT, topic));
    let head = b"200\r\nAccept-Ranges:bytes\r\nAge:0\r\nCache-Control:max-age=0, no-cache, no-store\r\nContent-Type:application/json\r\nDate:Fri, 27 May 2016 05:44:17 GMT\r\nConnection:keep-alive\r\n\r\n";
    let body = deliver.payload.strip_prefix(head).expect("another head");
    let Onboarded { thing_id, access_token, endpoint, .. } = Onboarded::decode(body).unwrap();
    let endpoint = endpoint.unwrap();
    let text = std::str::from_utf8(body).unwrap();
    let token = access_token.expose_str().unwrap();
    assert_eq!(
        text,
        format!(
            r#"{{"accessToken":"{token}","thingID":"{thing_id}","mqttEndpoint":{{"installationID":"{}","username":"{}","password":"{}","mqttTopic":"{}","host":"broker2.example.test","portTCP":1883,"portSSL":8883,"portWS":12470,"portWSS":12473,"ttl":2147483647}}}}"#,
            endpoint.installation_id.as_deref().unwrap(),
            endpoint.user_name,
            endpoint.password.expose_str().unwrap(),
            endpoint.mqtt_topic,
        )
    );

    let mqtt_topic = endpoint.mqtt_topic.as_str();
    let connect = Connect::new(API, Stage::Api, mqtt_topic)
        .with_credentials(&endpoint.user_name, endpoint.password.expose());
    assert_eq!(feed(&mut cloud, connect).0, [Connack::new(API, None).into()]);
    let (actions, _) = feed(&mut cloud, Subscribe::new(API, Token::new(1), mqtt_topic));
    assert_eq!(actions, [Suback::new(API, Token::new(1), true).into()]);

    let action = command::Action::new("turnPower", Json::new(r#"{"power":true}"#).unwrap());
    let command =
        NewCommand::plain(Owner::user("u-1").unwrap(), "SmartLight", 1, [action]).unwrap();
    let id = cloud.send_command(NOW, &thing_id, &command).unwrap();
    let push = format!(
        r#"{{"schema":"SmartLight","schemaVersion":1,"commandID":"{id}","actions":[{{"turnPower":{{"power":true}}}}],"issuer":"user:u-1"}}"#
    );
    assert_eq!(drain(&mut cloud).0, [Deliver::new(API, mqtt_topic, push).into()]);

    let prefix = format!("p/{mqtt_topic}/thing-if/apps/app01/targets/thing:{thing_id}");
    let seed = "Accept-Ranges:bytes\r\nAge:0\r\nCache-Control:max-age=0, no-cache, no-store\r\n";
    let seed = [seed, "Date:Fri, 27 May 2016 05:44:17 GMT\r\nConnection:keep-alive\r\n"].concat();
    let results = format!("{prefix}/commands/{id}/action-results");
    let body = r#"{"actionResults":[{"turnPower":{"succeeded":true}}]}"#;
    let request = format!(
        "PUT\r\nAuthorization: Bearer {token}\r\nX-Kii-RequestID: 1\r\nContent-Type: application/json\r\n\r\n{body}"
    );
    let (actions, events) = feed(&mut cloud, Publish::new(API, &results, request.as_bytes()));
    let answer = format!("204\r\n{seed}X-Kii-RequestID:1\r\n\r\n");
    assert_eq!(actions, [Deliver::new(API, &*results, answer).into()]);
    assert!(matches!(&events[0], Event::ResultsReported { command_id, .. } if *command_id == id));

    let states = format!("{prefix}/states");
    let request = format!(
        "PUT\r\nAuthorization: Bearer {token}\r\nX-Kii-RequestID: 2\r\nContent-Type: application/json\r\n\r\n{{\"power\":true}}"
    );
    let (actions, _) = feed(&mut cloud, Publish::new(API, &states, request.as_bytes()));
    let answer = format!("201\r\n{seed}X-Kii-RequestID:2\r\n\r\n");
    assert_eq!(actions, [Deliver::new(API, &*states, answer).into()]);
    assert_eq!(cloud.state(&thing_id).unwrap().as_str(), r#"{"power":true}"#);
}
