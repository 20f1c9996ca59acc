//! Rows 40 to 47 of section 14.3 and the rules of section 7: calls and their responses, pushes.

use iot_sansio::MonoTime;
use kii_onboard::{Json, RequestId, call::Call, frame::Limits, thing::CommandError};

use crate::run::{BOOT_TOPIC, MQTT_TOPIC, Run, config, onboarded_with};

const PREFIX: &str = "p/Tp1cTp1cTp1cTp1cTp1cTp1/thing-if/apps/app01/";

fn states() -> String {
    format!("{PREFIX}targets/thing:th.1/states")
}

fn get() -> Call {
    Call::get_state("th.1").unwrap()
}

fn put() -> Call {
    Call::put_state("th.1", &Json::new("{}").unwrap()).unwrap()
}

fn get_as(id: &str) -> Call {
    get().with_request_id(RequestId::new(id).unwrap())
}

#[test]
fn row_5_calls_need_a_thing_that_is_ready() {
    let mut runs = [
        Run::new(config()),
        Run::started(config()),
        Run::onboarding(config()),
        Run::subscribing(config()),
    ];
    for run in &mut runs {
        assert_eq!(run.try_call(&get()), Err(CommandError::NotReady));
        assert!(run.drain().is_empty());
    }
}

#[test]
fn ids_count_over_reconnections() {
    let mut run = Run::ready(config());
    run.call(&get());
    run.lost(2);
    run.at(1_000);
    run.opened(3);
    run.done(3, 4);
    let published = run.call(&get());
    assert!(published[0].contains("X-Kii-RequestID: 2"), "{published:?}");
}

#[test]
fn a_caller_may_choose_the_id() {
    let mut run = Run::ready(config());
    let published = run.call(&get_as("v1 states"));
    assert!(published[0].contains("X-Kii-RequestID: v1 states"), "{published:?}");
    let told = run.message(2, &states(), "200\r\nX-Kii-RequestID:v1 states\r\n\r\n{}");
    assert_eq!(told, ["response 1 200"]);
}

#[test]
fn an_id_waits_once_on_its_topic() {
    let mut run = Run::ready(config());
    run.call(&get_as("2"));
    let id = RequestId::new("2").unwrap();
    assert_eq!(run.try_call(&get_as("2")), Err(CommandError::DuplicateRequestId { id }));
    let firmware = Call::get_firmware_version("th.1").unwrap();
    let elsewhere = firmware.with_request_id(RequestId::new("2").unwrap());
    assert!(run.try_call(&elsewhere).is_ok(), "another topic");
    run.drain();
    let published = run.call(&get());
    assert!(published[0].contains("X-Kii-RequestID: 3"), "a number is not given twice");
    run.message(2, &states(), "200\r\nX-Kii-RequestID:2\r\n\r\n{}");
    assert!(run.try_call(&get_as("2")).is_ok(), "answered, so free again");
}

#[test]
fn a_response_without_an_id_is_for_the_only_call_on_its_topic() {
    let mut run = Run::ready(config());
    run.call(&get());
    assert_eq!(run.message(2, &states(), "200\r\n\r\n{}"), ["response 1 200"]);
    run.call(&get());
    run.call(&put());
    let told = run.message(2, &states(), "200\r\n\r\n{}");
    assert_eq!(told, [format!("ignored {} Unmatched", states())], "one of two");
}

#[test]
fn a_response_must_come_on_the_topic_of_its_request() {
    let mut run = Run::ready(config());
    run.call(&get());
    let response = "200\r\nX-Kii-RequestID:1\r\n\r\n{}";
    let elsewhere = format!("{PREFIX}targets/thing:th.2/states");
    let told = run.message(2, &elsewhere, response);
    assert_eq!(told, [format!("ignored {elsewhere} Unmatched")]);
    let other_app = states().replace("app01", "app02");
    let told = run.message(2, &other_app, response);
    assert_eq!(told, [format!("ignored {other_app} UnknownTopic")]);
    assert_eq!(run.message(2, &states(), response), ["response 1 200"]);
}

#[test]
fn rows_43_to_46_what_is_ignored() {
    let mut run = Run::ready(config());
    run.call(&get());
    let topic = states();
    assert_eq!(run.message(2, &topic, "GET\r\n\r\n"), [format!("ignored {topic} Echo")]);
    assert_eq!(
        run.message(2, &topic, "200\r\nX-Kii-RequestID:7\r\n\r\n"),
        [format!("ignored {topic} Unmatched")]
    );
    assert_eq!(run.message(2, &topic, "{}"), [format!("ignored {topic} BadPayload(BadStartLine)")]);
    assert_eq!(run.message(2, BOOT_TOPIC, "{}"), [format!("ignored {BOOT_TOPIC} UnknownTopic")]);
    assert_eq!(run.at(30_000), ["failed 1 Timeout"], "the call still ran into its deadline");
    let late = run.message(2, &topic, "200\r\nX-Kii-RequestID:1\r\n\r\n");
    assert_eq!(late, [format!("ignored {topic} Unmatched")]);
    assert!(run.thing.is_ready());
}

#[test]
fn row_47_calls_end_by_age() {
    let mut run = Run::ready(config());
    run.call(&get());
    run.at(10_000);
    run.call(&put());
    assert_eq!(run.deadline(), Some(30_000));
    assert_eq!(run.at(39_999), ["failed 1 Timeout"]);
    assert_eq!(run.at(40_000), ["failed 2 Timeout"]);
}

#[test]
fn the_end_of_the_endpoint_comes_before_a_deadline_of_the_same_moment() {
    let mut run = Run::started(config());
    run.opened(1);
    run.message(1, BOOT_TOPIC, onboarded_with("2147483647", "60"));
    run.opened(2);
    run.done(2, 2);
    run.at(30_000);
    run.call(&get());
    let told = run.at(60_000);
    assert_eq!(told[..3], ["expired", "close 2", "failed 1 ConnectionLost"], "{told:?}");
}

#[test]
fn a_call_at_the_end_of_the_endpoint_is_refused_and_moves_nothing() {
    let mut run = Run::started(config());
    run.opened(1);
    run.message(1, BOOT_TOPIC, onboarded_with("2147483647", "60"));
    run.opened(2);
    run.done(2, 2);
    let before = run.thing.clone();
    let refused = run.thing.call(MonoTime::from_millis(60_000), &get());
    assert_eq!(refused, Err(CommandError::NotReady));
    assert_eq!(run.thing, before);
}

#[test]
fn so_many_calls_wait_and_no_more() {
    let mut run = Run::ready(config().with_max_pending(2));
    run.call(&get());
    run.call(&get());
    let full = Err(CommandError::TooManyPending { limit: 2 });
    assert_eq!(run.try_call(&get()), full);
    run.message(2, &states(), "200\r\nX-Kii-RequestID:1\r\n\r\n");
    assert!(run.try_call(&get()).is_ok());
    assert_eq!(run.try_call(&get()), full);
    run.drain();
    let later = run.thing.call(MonoTime::from_millis(30_000), &get());
    assert!(later.is_ok(), "those that wait too long make room: {later:?}");
}

#[test]
fn a_call_that_cannot_be_sent_is_told() {
    let mut run = Run::ready(config());
    run.call(&get());
    assert_eq!(run.failed(2, 3), ["failed 1 NotSent"]);
    assert!(run.failed(2, 3).is_empty());
    assert!(run.done(2, 3).is_empty());
}

#[test]
fn a_topic_that_would_be_too_long_is_refused() {
    let mut run = Run::ready(config());
    let long = "x".repeat(1_100);
    let refused = Call::get_state(&long).map(|call| run.try_call(&call));
    assert!(!matches!(refused, Ok(Ok(_))), "{refused:?}");
    assert!(run.drain().is_empty());
}

#[test]
fn row_40_commands_and_other_pushes() {
    let mut run = Run::ready(config());
    let command = r#"{"commandID":"c1","actions":[]}"#;
    assert_eq!(run.message(2, MQTT_TOPIC, command), ["command c1"]);
    assert_eq!(run.message(2, MQTT_TOPIC, command), ["command c1"], "no copy is taken out");
    let push = r#"{"bucketID":"b"}"#;
    assert_eq!(run.message(2, MQTT_TOPIC, push), [format!("push {push}")]);
    let told = run.message(2, MQTT_TOPIC, "200\r\n\r\n{}");
    assert!(told[0].starts_with(&format!("ignored {MQTT_TOPIC} BadPush(")), "{told:?}");
}

#[test]
fn a_push_beyond_the_limit_is_not_read() {
    let mut run = Run::ready(config().with_limits(Limits::DEFAULT.with_max_payload(600)));
    let push = format!(r#"{{"bucketID":"{}"}}"#, "b".repeat(586));
    let told = run.message(2, MQTT_TOPIC, push);
    let why = "BadPayload(TooLarge { len: 601, limit: 600 })";
    assert_eq!(told, [format!("ignored {MQTT_TOPIC} {why}")]);
}
