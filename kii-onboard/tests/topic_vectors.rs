//! The vectors T01 to T13 of specification section 17.6, run by id.

use kii_onboard::{
    AppId, IdKind, IdRule, MqttTopic,
    topic::{Resource, Topic, Topics},
};
use serde_json::Value;

#[test]
fn every_topic_vector_holds() {
    let app = AppId::new("app01").unwrap();
    let (boot, api) = (Topics::boot(&app), Topics::api(&app, &MqttTopic::new("TT").unwrap()));
    let mut ids = Vec::new();
    for line in include_str!("vectors/topic.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        if let Some(topic) = vector["topic"].as_str() {
            assert_eq!(boot.classify(topic), expected(&vector["boot"]), "{id}, stage 1");
            assert_eq!(api.classify(topic), expected(&vector["api"]), "{id}, stage 2");
        } else {
            let error = api.build(resource(&vector["build"])).unwrap_err();
            assert_eq!(vector["error"], "InvalidId", "{id}");
            let rule = IdRule::ForbiddenChar { index: 1 };
            assert_eq!((error.kind, error.rule), (IdKind::ThingId, rule), "{id}");
        }
        ids.push(id);
    }
    assert_eq!(ids, (1..=13).map(|number| format!("T{number:02}")).collect::<Vec<_>>());
}

/// Only what is built has a limit of this crate (specification, section 5).
#[test]
fn topics_are_read_however_long_they_are() {
    let topics = Topics::api(&AppId::new("app01").unwrap(), &MqttTopic::new("TT").unwrap());
    let long = "x".repeat(5_000);
    for path in [long.clone(), format!("a/{long}"), format!("{long}/{long}")] {
        let topic = format!("p/TT/thing-if/apps/app01/{path}");
        assert_eq!(topics.classify(&topic), Topic::Api(Resource::Other(&path)));
        assert_eq!(topics.build(Resource::Other(&path)).unwrap_err().kind, IdKind::Path);
    }
    let states = format!("p/TT/thing-if/apps/app01/targets/thing:{long}/states");
    assert_eq!(topics.classify(&states), Topic::Api(Resource::States { thing_id: &long }));
}

fn expected(vector: &Value) -> Topic<'_> {
    match vector.as_str() {
        Some("unknown") => Topic::Unknown,
        Some("onboarding") => Topic::Onboarding,
        Some("push") => Topic::Push,
        Some(other) => panic!("no topic {other}"),
        None => Topic::Api(resource(vector)),
    }
}

fn resource(vector: &Value) -> Resource<'_> {
    let text = |key: &str| vector[key].as_str().unwrap();
    match text("resource") {
        "onboardings" => Resource::Onboardings,
        "states" => Resource::States { thing_id: text("thing") },
        "action-results" => {
            Resource::ActionResults { thing_id: text("thing"), command_id: text("command") }
        }
        "other" => Resource::Other(text("path")),
        other => panic!("no resource {other}"),
    }
}

#[test]
fn a_topic_has_1024_bytes_at_most() {
    let topics = Topics::api(&AppId::new("app01").unwrap(), &MqttTopic::new("TT").unwrap());
    let around = topics.build(Resource::FirmwareVersion { thing_id: "" });
    assert!(around.is_err(), "an id is not empty");
    let around = topics.build(Resource::FirmwareVersion { thing_id: "x" }).unwrap().len() - 1;
    // Two bytes a character: the limit counts bytes.
    let longest = "\u{e9}".repeat((1_024 - around) / 2) + if around % 2 == 1 { "x" } else { "" };
    let built = |thing_id: &str| topics.build(Resource::FirmwareVersion { thing_id });
    assert_eq!(built(&longest).unwrap().len(), 1_024);
    let error = built(&(longest + "x")).unwrap_err();
    assert!(matches!((error.kind, error.rule), (IdKind::Path, IdRule::TooLong { .. })), "{error}");
}
