//! The traces of section 17.8, in the vocabulary of MQTT clients: a client connects and pings by itself, so `opened` stands
//! for a transport and CONNACK 0, and `close` for DISCONNECT and the end of the transport. Credentials C09 to C11 as well.

use kii_onboard::{Json, TransportKind, call::Call};

use crate::run::{
    BOOT_TOPIC, INVALID, MQTT_TOPIC, NOT_READY, ONBOARDED, Run, config, onboarded_with,
};

const STATES: &str = "p/Tp1cTp1cTp1cTp1cTp1cTp1/thing-if/apps/app01/targets/thing:th.0001/states";
const SEED_REQUEST: &str =
    "POST | Content-Type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json";

fn put_states() -> Call {
    Call::put_state("th.0001", &Json::new(r#"{"power":true}"#).unwrap()).unwrap()
}

fn get_states() -> Call {
    Call::get_state("th.0001").unwrap()
}

#[test]
fn s01_happy_path() {
    let mut run = Run::new(config());
    assert_eq!(run.start(), ["open 1 broker1.example.test:8883 anonymous"]);
    assert_eq!(run.opened(1), [format!("publish 1 {BOOT_TOPIC} {SEED_REQUEST}")]);
    assert_eq!(
        run.message(1, BOOT_TOPIC, ONBOARDED),
        [
            "onboarded th.0001".into(),
            "close 1".into(),
            format!("open 2 broker2.example.test:8883 {MQTT_TOPIC}")
        ]
    );
    assert!(run.lost(1).is_empty());
    assert_eq!(run.opened(2), [format!("subscribe 2 {MQTT_TOPIC}")]);
    assert_eq!(run.done(2, 2), ["ready"]);
    assert_eq!(
        run.call(&put_states()),
        [format!(
            "publish 2 {STATES} PUT | Authorization: Bearer tok-0001 | X-Kii-RequestID: 1 | \
             Content-Type: application/json"
        )]
    );
    assert_eq!(run.message(2, STATES, "204\r\nX-Kii-RequestID:1\r\n\r\n"), ["response 1 204"]);
}

#[test]
fn s02_unknown_topic_first() {
    let mut run = Run::onboarding(config());
    assert_eq!(run.message(1, "x/y", "{}"), ["ignored x/y UnknownTopic"]);
    assert_eq!(run.message(1, BOOT_TOPIC, ONBOARDED)[0], "onboarded th.0001");
}

#[test]
fn s03_onboarding_is_not_ready() {
    let mut run = Run::onboarding(config());
    let told = run.message(1, BOOT_TOPIC, NOT_READY);
    assert_eq!(told[0], "close 1");
    assert!(told[1].starts_with("retrying boot 1 5000 Status("), "{told:?}");
    assert!(run.at(4_999).is_empty());
    assert_eq!(run.at(5_000), ["open 2 broker1.example.test:8883 anonymous"]);
}

#[test]
fn s04_onboarding_is_rejected() {
    let mut run = Run::onboarding(config());
    let told = run.message(1, BOOT_TOPIC, INVALID);
    assert_eq!(told[0], "close 1");
    assert!(told[1].starts_with("gave up OnboardRejected("), "{told:?}");
    assert!(told[1].contains("Status(400)") && told[1].contains("INVALID_INPUT_DATA"), "{told:?}");
    assert!(run.at(1_000_000).is_empty());
}

#[test]
fn s05_the_answer_cannot_be_read() {
    let mut run = Run::onboarding(config());
    assert_eq!(
        run.message(1, BOOT_TOPIC, "200\r\nNoColon\r\n\r\n"),
        ["close 1", "retrying boot 1 1000 BadPayload(BadHeader { position: 5 })"]
    );
}

#[test]
fn s06_the_endpoint_is_refused() {
    let mut run = Run::onboarding(config());
    run.message(1, BOOT_TOPIC, ONBOARDED);
    assert_eq!(run.refused(2, 5), ["retrying boot 1 1000 EndpointRefused(ConnackCode(5))"]);
    assert!(run.thing.onboarded().is_none());
    assert_eq!(run.at(1_000), ["open 3 broker1.example.test:8883 anonymous"]);
}

#[test]
fn s07_responses_come_in_another_order_and_twice() {
    let mut run = Run::ready(config());
    run.call(&get_states());
    run.call(&get_states());
    assert_eq!(run.message(2, STATES, "200\r\nX-Kii-RequestID:2\r\n\r\n{}"), ["response 2 200"]);
    assert_eq!(run.message(2, STATES, "200\r\nX-Kii-RequestID:1\r\n\r\n{}"), ["response 1 200"]);
    assert_eq!(
        run.message(2, STATES, "200\r\nX-Kii-RequestID:2\r\n\r\n{}"),
        [format!("ignored {STATES} Unmatched")]
    );
}

#[test]
fn s08_the_connection_is_lost() {
    let mut run = Run::ready(config());
    run.call(&get_states());
    run.call(&put_states());
    assert_eq!(
        run.lost(2),
        [
            "failed 1 ConnectionLost",
            "failed 2 ConnectionLost",
            "retrying api 1 1000 ConnectionLost"
        ]
    );
    let mut now = 0;
    for (attempt, delay) in [(1, 1), (2, 2), (3, 4), (4, 8)] {
        now += delay * 1_000;
        let link = attempt + 2;
        assert_eq!(run.at(now), [format!("open {link} broker2.example.test:8883 {MQTT_TOPIC}")]);
        let next = delay * 2_000;
        assert_eq!(
            run.lost(link),
            [format!("retrying api {} {next} Unreachable", attempt + 1)],
            "after attempt {attempt}"
        );
    }
    run.at(now + 16_000);
    assert_eq!(run.lost(7), ["retrying boot 1 1000 Unreachable"], "the fifth further failure");
    assert_eq!(run.at(now + 17_000), ["open 8 broker1.example.test:8883 anonymous"]);
}

#[test]
fn s09_the_endpoint_expires() {
    let mut run = Run::started(config());
    run.at(1_000);
    run.opened(1);
    run.message(1, BOOT_TOPIC, onboarded_with("2147483647", "60"));
    run.opened(2);
    run.done(2, 2);
    assert!(run.at(60_999).is_empty());
    assert_eq!(
        run.at(61_000),
        ["expired", "close 2", "open 3 broker1.example.test:8883 anonymous"]
    );
}

#[test]
fn s10_the_chosen_transport_has_no_port() {
    let mut run = Run::new(config().with_transport(TransportKind::Wss));
    assert_eq!(run.start(), ["open 1 broker1.example.test:12473 anonymous"]);
    run.opened(1);
    let without = onboarded_with("    \"portWS\" : 12470,\n    \"portWSS\" : 12473,\n", "");
    assert_eq!(
        run.message(1, BOOT_TOPIC, without),
        [
            "close 1",
            "gave up PortUnavailable { stage: Api, unavailable: PortUnavailable { kind: Wss } }"
        ]
    );
}

#[test]
fn s11_a_push_comes_before_the_subscription_is_granted() {
    let mut run = Run::subscribing(config());
    let command = r#"{"commandID":"c1","actions":[{"turnPower":{"power":true}}]}"#;
    assert_eq!(run.message(2, MQTT_TOPIC, command), ["command c1"]);
    assert!(!run.thing.is_ready());
    assert_eq!(run.done(2, 2), ["ready"]);
}

#[test]
fn s12_a_thing_is_stopped_while_a_call_waits() {
    let mut run = Run::ready(config());
    run.call(&get_states());
    assert_eq!(run.stop(), ["close 2", "failed 1 ConnectionLost", "stopped"]);
    assert_eq!(run.deadline(), None);
}

#[test]
fn c09_attempts_wait_longer_and_longer() {
    let mut run = Run::started(config());
    let mut now = 0;
    for (link, secs) in (1..).zip([1, 2, 4, 8, 16, 30, 30]) {
        assert_eq!(run.lost(link), [format!("retrying boot {link} {} Unreachable", secs * 1_000)]);
        now += secs * 1_000;
        run.at(now);
    }
}

/// C10 and C11: the longer of the wait and what the response asks for.
#[test]
fn c10_c11_a_response_can_make_the_wait_longer_and_not_shorter() {
    for (id, attempt, secs) in [("C10", 1, 5), ("C11", 5, 16)] {
        let mut run = Run::started(config());
        let mut now = 0;
        for link in 1..attempt {
            run.lost(link);
            now += 60_000;
            run.at(now);
        }
        run.opened(attempt);
        let told = run.message(attempt, BOOT_TOPIC, NOT_READY);
        let expected = format!("retrying boot {attempt} {} Status(", secs * 1_000);
        assert!(told[1].starts_with(&expected), "{id}: {told:?}");
    }
}
