//! Rows 1 to 28 of section 14.3: at the default broker.

use core::time::Duration;
use kii_onboard::{
    DefaultBroker, RequestId, TransportKind,
    thing::{CommandError, Config},
};

use iot_sansio::MonoTime;

use crate::run::{
    BOOT_TOPIC, MQTT_TOPIC, NOT_READY, ONBOARDED, Run, config, config_at, onboarded, onboarded_with,
};

const BODY_AT: &str = "200\r\n\r\n";

/// What a thing with this configuration does about an answer to its onboarding request.
fn answered(config: Config, payload: impl AsRef<[u8]>) -> Vec<String> {
    Run::onboarding(config).message(1, BOOT_TOPIC, payload)
}

#[test]
fn row_2_a_saved_endpoint_needs_no_onboarding() {
    let mut run = Run::new(config());
    assert_eq!(
        run.restore(onboarded(), 1_000),
        [format!("open 1 broker2.example.test:8883 {MQTT_TOPIC}")]
    );
    assert_eq!(run.opened(1), [format!("subscribe 1 {MQTT_TOPIC}")]);
    assert_eq!(run.done(1, 1), ["ready"]);
    assert_eq!(run.thing.onboarded(), Some(&onboarded()));
}

#[test]
fn row_3_a_saved_endpoint_that_has_expired_is_not_tried() {
    let mut saved = onboarded();
    saved.endpoint.as_mut().unwrap().ttl = Some(Duration::from_secs(60));
    let mut run = Run::new(config());
    assert_eq!(
        run.restore(saved.clone(), 60),
        ["expired", "open 1 broker1.example.test:8883 anonymous"]
    );
    let mut run = Run::new(config());
    run.restore(saved, 59);
    run.opened(1);
    run.done(1, 1);
    assert!(run.at(999).is_empty());
    assert_eq!(run.at(1_000)[0], "expired", "what is left of its time counts");
}

#[test]
fn row_4_a_saved_endpoint_without_the_port_ends_the_thing() {
    let mut saved = onboarded();
    saved.endpoint.as_mut().unwrap().ports.ssl = None;
    let mut run = Run::new(config());
    assert_eq!(
        run.restore(saved, 0),
        ["gave up PortUnavailable { stage: Api, unavailable: PortUnavailable { kind: Tls } }"]
    );
}

#[test]
fn a_default_broker_without_the_port_ends_the_thing() {
    let mut broker = DefaultBroker::new("broker1.example.test");
    broker.ports.ws = None;
    let config = config_at(broker).with_transport(TransportKind::Ws);
    assert_eq!(
        Run::new(config).start(),
        ["gave up PortUnavailable { stage: Boot, unavailable: PortUnavailable { kind: Ws } }"]
    );
}

#[test]
fn what_was_saved_must_name_an_endpoint() {
    let mut saved = onboarded();
    saved.endpoint = None;
    let mut run = Run::new(config());
    let now = MonoTime::ORIGIN;
    let refused = run.thing.restore(now, saved, Duration::ZERO);
    assert_eq!(refused, Err(CommandError::NoEndpoint));
    assert_eq!(run.start().len(), 1, "it can still be started");
}

#[test]
fn row_5a_a_thing_is_started_once() {
    let mut run = Run::started(config());
    let now = MonoTime::ORIGIN;
    assert_eq!(run.thing.start(now), Err(CommandError::AlreadyStarted));
    let again = run.thing.restore(now, onboarded(), Duration::ZERO);
    assert_eq!(again, Err(CommandError::AlreadyStarted));
}

#[test]
fn row_6_old_links_are_not_heard() {
    let mut run = Run::onboarding(config());
    run.message(1, BOOT_TOPIC, ONBOARDED);
    assert!(run.lost(1).is_empty());
    assert!(run.message(1, BOOT_TOPIC, ONBOARDED).is_empty());
    assert!(run.opened(1).is_empty());
    assert!(run.opened(9).is_empty());
    assert_eq!(run.opened(2).len(), 1);
}

#[test]
fn rows_9_and_13_the_default_broker_cannot_be_reached() {
    let mut run = Run::started(config());
    assert_eq!(run.lost(1), ["retrying boot 1 1000 Unreachable"]);
    run.at(1_000);
    assert!(run.at(20_999).is_empty());
    assert_eq!(run.at(21_000), ["close 2", "retrying boot 2 2000 ConnectTimeout"]);
}

#[test]
fn rows_11_and_12_connack_codes_of_the_default_broker() {
    for code in [1, 2, 4, 5] {
        let told = Run::started(config()).refused(1, code);
        assert_eq!(told, [format!("gave up BootRefused(ConnackCode({code}))")]);
    }
    for code in [3, 6, 128, 255] {
        let told = Run::started(config()).refused(1, code);
        assert_eq!(told, [format!("retrying boot 1 1000 Unavailable(ConnackCode({code}))")]);
    }
}

#[test]
fn row_14_nothing_is_read_before_the_broker_has_accepted() {
    let mut run = Run::started(config());
    let told = run.message(1, BOOT_TOPIC, ONBOARDED);
    assert_eq!(told, [format!("ignored {BOOT_TOPIC} NotConnected")]);
}

#[test]
fn rows_15_and_16_other_topics_and_echoes_are_ignored() {
    let mut run = Run::onboarding(config());
    assert_eq!(run.message(1, MQTT_TOPIC, "{}"), [format!("ignored {MQTT_TOPIC} UnknownTopic")]);
    let states = "p/anonymous/thing-if/apps/app01/targets/thing:th.0001/states";
    assert_eq!(run.message(1, states, ONBOARDED), [format!("ignored {states} UnknownTopic")]);
    let echo = "POST\r\n\r\n{}";
    assert_eq!(run.message(1, BOOT_TOPIC, echo), [format!("ignored {BOOT_TOPIC} Echo")]);
    assert_eq!(run.message(1, BOOT_TOPIC, ONBOARDED)[0], "onboarded th.0001");
}

#[test]
fn row_18_a_response_with_another_request_id_is_not_ours() {
    let config = config().with_onboarding_request_id(RequestId::new("v1 onboardings").unwrap());
    let mut run = Run::started(config);
    assert!(run.opened(1)[0].contains("X-Kii-RequestID: v1 onboardings"));
    let with_id = |id| onboarded_with("200\r\n", &format!("200\r\nX-Kii-RequestID:{id}\r\n"));
    let told = run.message(1, BOOT_TOPIC, with_id("v2 onboardings"));
    assert_eq!(told, [format!("ignored {BOOT_TOPIC} Unmatched")]);
    assert_eq!(run.message(1, BOOT_TOPIC, with_id("v1 onboardings"))[0], "onboarded th.0001");
}

#[test]
fn a_response_without_the_request_id_is_ours() {
    let config = config().with_onboarding_request_id(RequestId::new("1").unwrap());
    assert_eq!(answered(config.clone(), ONBOARDED)[0], "onboarded th.0001");
    let unasked = onboarded_with("200\r\n", "200\r\nX-Kii-RequestID:7\r\n");
    assert_eq!(answered(self::config(), unasked)[0], "onboarded th.0001", "none was sent");
}

#[test]
fn row_20_a_body_that_cannot_be_used() {
    let not_json = answered(config(), format!("{BODY_AT}<html>"));
    assert!(not_json[1].starts_with("retrying boot 1 1000 BadBody(NotJson"), "{not_json:?}");
    let bad = answered(config(), onboarded_with("\"portTCP\" : 1883", "\"portTCP\" : 0"));
    assert!(bad[1].contains("BadField") && bad[0] == "close 1", "{bad:?}");
}

#[test]
fn rows_21_and_21a_no_endpoint_yet_or_one_without_time() {
    let body = r#"{"accessToken":"t","thingID":"th.1"}"#;
    let told = answered(config(), format!("{BODY_AT}{body}"));
    assert_eq!(told, ["close 1", "retrying boot 1 1000 EndpointNotReady"]);
    let told = answered(config(), onboarded_with("2147483647", "0"));
    assert_eq!(told, ["close 1", "retrying boot 1 1000 EndpointExpired"]);
}

#[test]
fn rows_23_to_25_classes_of_status() {
    for status in [429, 500, 502, 599] {
        let told = answered(config(), format!("{status}\r\n\r\n"));
        assert!(told[1].starts_with("retrying boot 1 1000 Status("), "{status}: {told:?}");
    }
    for status in [400, 401, 404, 409, 499] {
        let told = answered(config(), format!("{status}\r\n\r\n"));
        assert!(told[1].starts_with("gave up OnboardRejected("), "{status}: {told:?}");
    }
    for status in [100, 199, 300, 399] {
        let told = answered(config(), format!("{status}\r\n\r\n"));
        assert!(told[1].starts_with("gave up UnexpectedStatus("), "{status}: {told:?}");
    }
}

#[test]
fn a_response_cannot_make_a_thing_wait_for_ever() {
    let for_ever = NOT_READY.replace("5}", "4000000000}");
    let told = answered(config(), &for_ever);
    assert!(told[1].starts_with("retrying boot 1 3600000 "), "{told:?}");
}

#[test]
fn rows_26_and_27_no_answer() {
    let mut run = Run::onboarding(config());
    assert!(run.at(29_999).is_empty());
    assert_eq!(run.at(30_000), ["close 1", "retrying boot 1 1000 OnboardTimeout"]);
    let mut run = Run::onboarding(config());
    assert_eq!(run.lost(1), ["retrying boot 1 1000 ConnectionLost"]);
}

#[test]
fn a_client_that_cannot_send_the_request_is_told() {
    let mut run = Run::onboarding(config());
    assert!(run.failed(1, 7).is_empty(), "not this publish");
    assert_eq!(run.failed(1, 1), ["close 1", "retrying boot 1 1000 NotSent"]);
}

#[test]
fn attempts_to_onboard_can_be_limited() {
    let mut run = Run::started(config().with_max_boot_attempts(2));
    run.lost(1);
    run.at(1_000);
    run.lost(2);
    run.at(3_000);
    assert_eq!(run.lost(3), ["gave up RetriesExhausted { attempts: 3, cause: Unreachable }"]);
    assert_eq!(run.start(), ["open 4 broker1.example.test:8883 anonymous"], "row 57");
    assert_eq!(run.lost(4), ["retrying boot 1 1000 Unreachable"], "counted anew");
}

#[test]
fn a_second_broker_can_be_checked_by_its_host() {
    let trusting = |domain: &str| answered(config().with_trusted_hosts([domain]), ONBOARDED);
    for domain in ["broker2.example.test", "example.test", "EXAMPLE.test", "test"] {
        assert_eq!(trusting(domain)[0], "onboarded th.0001", "{domain}");
    }
    for domain in ["kii.com", "ample.test", "a.broker2.example.test", "broker2.example"] {
        let told = trusting(domain);
        assert_eq!(
            told,
            ["close 1", "gave up UntrustedHost { host: \"broker2.example.test\" }"],
            "{domain}"
        );
    }
}
