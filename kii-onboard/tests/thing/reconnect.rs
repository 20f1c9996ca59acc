//! Rows 29 to 58 of section 14.3: at the second broker, and what ends a connection to it.

use core::time::Duration;
use iot_sansio::{
    Jitter, Machine as _, MonoTime,
    mqtt::{ConnectOptions, Link, Opened, Transport, Version},
};
use kii_onboard::{
    KeepAlive, RequestId, TransportKind,
    call::Call,
    frame::Limits,
    thing::{CommandError, Thing},
};

use crate::run::{
    BOOT_TOPIC, MQTT_TOPIC, NOT_READY, ONBOARDED, Run, config, onboarded, onboarded_with,
};

/// A thing that asks for a connection to the second broker, link 2.
fn connecting() -> Run {
    let mut run = Run::onboarding(config());
    run.message(1, BOOT_TOPIC, ONBOARDED);
    run
}

/// A thing that waits for the second broker, whose endpoint is good for a minute.
fn connecting_for_a_minute() -> Run {
    let mut run = Run::onboarding(config());
    run.message(1, BOOT_TOPIC, onboarded_with("2147483647", "60"));
    run
}

/// The options of the first connection that a thing asks for.
fn options(mut thing: Thing, start: impl Fn(&mut Thing)) -> ConnectOptions {
    use iot_sansio::{Output, mqtt::Action};
    start(&mut thing);
    match thing.poll_output() {
        Output::Action(Action::Open(open)) => *open.options,
        other => panic!("no connection: {other:?}"),
    }
}

#[test]
fn both_connect_parameter_sets() {
    let thing = |config| Thing::new(config, 1).unwrap();
    let boot = options(thing(config()), |thing| thing.start(MonoTime::ORIGIN).unwrap());
    let credentials = boot.credentials.unwrap();
    assert_eq!(credentials.user_name, "type=oauth2&client_id=app01", "C01");
    assert_eq!(credentials.password.expose_str(), Ok("client_secret=key01"), "C01");
    assert_eq!((boot.client_id.as_str(), boot.clean_session), ("anonymous", true));
    assert_eq!((boot.transport, boot.version), (Transport::Tls, Version::V3_1_1));
    assert_eq!(boot.keep_alive, Duration::from_secs(60));

    let restore = |thing: &mut Thing| {
        thing.restore(MonoTime::ORIGIN, onboarded(), Duration::ZERO).unwrap();
    };
    let api = options(thing(config()), restore);
    let credentials = api.credentials.unwrap();
    assert_eq!(credentials.user_name, "app01-user01");
    assert_eq!(credentials.password.expose_str(), Ok("pw01"));
    assert_eq!((api.client_id.as_str(), api.clean_session), (MQTT_TOPIC, true));
    assert_eq!((api.host.as_str(), api.port), ("broker2.example.test", 8883));
    assert_eq!(api.keep_alive, Duration::from_secs(300));

    let other = config()
        .with_transport(TransportKind::Tcp)
        .with_api_transport(TransportKind::Wss)
        .with_websocket_path("/ws")
        .with_mqtt_3_1()
        .with_api_keep_alive(KeepAlive::OFF);
    let api = options(thing(other), restore);
    assert_eq!((api.transport, api.port), (Transport::Wss { path: "/ws".into() }, 12473));
    assert_eq!((api.version, api.keep_alive), (Version::V3_1, Duration::ZERO));
}

#[test]
fn rows_30_and_36_the_second_broker_cannot_be_reached() {
    let mut run = connecting();
    assert_eq!(run.lost(2), ["retrying api 1 1000 Unreachable"]);
    run.at(1_000);
    assert_eq!(run.at(21_000), ["close 3", "retrying api 2 2000 ConnectTimeout"]);
    assert_eq!(run.at(23_000), [format!("open 4 broker2.example.test:8883 {MQTT_TOPIC}")]);
}

#[test]
fn row_32_a_thing_may_do_without_pushes() {
    let mut run = Run::onboarding(config().without_pushes());
    run.message(1, BOOT_TOPIC, ONBOARDED);
    assert_eq!(run.opened(2), ["ready"]);
}

#[test]
fn rows_33_to_35_connack_codes_of_the_second_broker() {
    for code in [3, 6, 128] {
        let told = connecting().refused(2, code);
        assert_eq!(told, [format!("retrying api 1 1000 Unavailable(ConnackCode({code}))")]);
    }
    for code in [2, 4, 5] {
        let mut run = connecting();
        let told = run.refused(2, code);
        assert_eq!(told, [format!("retrying boot 1 1000 EndpointRefused(ConnackCode({code}))")]);
        assert_eq!(run.at(1_000), ["open 3 broker1.example.test:8883 anonymous"]);
    }
    assert_eq!(connecting().refused(2, 1), ["gave up ProtocolVersion"]);
}

#[test]
fn rows_38_and_39_the_subscription_is_not_granted() {
    let mut run = Run::subscribing(config());
    assert_eq!(run.failed(2, 2), ["close 2", "retrying api 1 1000 SubscribeRefused"]);
    let mut run = Run::subscribing(config());
    assert!(run.at(9_999).is_empty());
    assert_eq!(run.at(10_000), ["close 2", "retrying api 1 1000 SubscribeTimeout"]);
    let mut run = Run::subscribing(config());
    assert!(run.done(2, 9).is_empty(), "another token");
    assert_eq!(run.lost(2), ["retrying api 1 1000 ConnectionLost"]);
}

#[test]
fn every_connection_is_subscribed_anew() {
    let mut run = Run::ready(config());
    run.lost(2);
    run.at(1_000);
    assert_eq!(run.opened(3), [format!("subscribe 3 {MQTT_TOPIC}")]);
}

#[test]
fn being_ready_starts_the_counts_anew() {
    let mut run = Run::ready(config());
    run.lost(2);
    run.at(1_000);
    run.opened(3);
    run.done(3, 3);
    assert_eq!(run.lost(3), ["retrying api 1 1000 ConnectionLost"]);
}

/// Only readiness resets them: a thing that is onboarded and refused for ever waits longer and longer.
#[test]
fn onboarding_alone_does_not_start_the_counts_anew() {
    let mut run = connecting();
    let mut now = 0;
    for (round, secs) in [(1_u32, 1_u64), (2, 2), (3, 4), (4, 8)] {
        let link = round * 2;
        let told = run.refused(link, 5);
        assert!(
            told[0].starts_with(&format!("retrying boot {round} {} ", secs * 1_000)),
            "{told:?}"
        );
        now += secs * 1_000;
        run.at(now);
        run.opened(link + 1);
        run.message(link + 1, BOOT_TOPIC, ONBOARDED);
    }
}

#[test]
fn row_51a_the_endpoint_expires_before_the_thing_is_ready() {
    let mut run = connecting_for_a_minute();
    run.opened(2);
    // The subscription is refused again and again, until the time is over in the midst of it.
    run.failed(2, 2);
    let mut now = 1_000;
    for (link, delay) in [(3, 2), (4, 4), (5, 8), (6, 16)] {
        run.at(now);
        run.opened(link);
        let token = u64::from(link);
        run.failed(link, token);
        now += delay * 1_000;
    }
    assert_eq!(now, 31_000);
    run.at(50_000);
    run.opened(7);
    assert!(run.at(59_999).is_empty());
    assert_eq!(run.at(60_000), ["expired", "close 7", "retrying boot 1 1000 EndpointExpired"]);
}

#[test]
fn an_endpoint_that_expires_while_a_connection_is_asked_for() {
    let mut run = connecting_for_a_minute();
    run.lost(2);
    run.at(55_000);
    assert_eq!(run.at(60_000), ["expired", "close 3", "retrying boot 1 1000 EndpointExpired"]);
}

#[test]
fn row_55_the_endpoint_expires_while_the_thing_waits() {
    let mut run = connecting_for_a_minute();
    run.at(10_000);
    run.lost(2);
    assert_eq!(run.deadline(), Some(11_000));
    assert_eq!(run.at(70_000), ["expired", "open 3 broker1.example.test:8883 anonymous"]);
}

#[test]
fn row_56_nothing_is_heard_while_the_thing_waits() {
    let mut run = connecting();
    run.lost(2);
    assert!(run.opened(2).is_empty());
    assert!(run.lost(2).is_empty());
    assert!(run.message(2, MQTT_TOPIC, "{}").is_empty());
}

#[test]
fn a_thing_onboards_again_when_it_is_told_to() {
    let again = "open 3 broker1.example.test:8883 anonymous";
    assert_eq!(Run::ready(config()).onboard_again(), ["close 2", again]);
    assert_eq!(connecting().onboard_again(), ["close 2", again]);
    let mut waiting = connecting();
    waiting.lost(2);
    assert_eq!(waiting.onboard_again(), [again]);

    let mut run = Run::onboarding(config());
    let refused = run.thing.onboard_again(MonoTime::ORIGIN);
    assert_eq!(refused, Err(CommandError::NotOnboarded));
    run.stop();
    let refused = run.thing.onboard_again(MonoTime::ORIGIN);
    assert_eq!(refused, Err(CommandError::NotStarted));
}

#[test]
fn rows_7_57_and_58_stop_and_start_again() {
    let mut run = Run::new(config());
    assert_eq!(run.thing.stop(MonoTime::ORIGIN), Err(CommandError::NotStarted));
    run.start();
    assert_eq!(run.stop(), ["close 1", "stopped"]);
    assert_eq!(run.thing.stop(MonoTime::ORIGIN), Err(CommandError::NotStarted));
    assert!(run.lost(1).is_empty() && run.opened(1).is_empty() && run.at(1_000_000).is_empty());
    assert_eq!(run.start(), ["open 2 broker1.example.test:8883 anonymous"]);
    run.stop();
    assert_eq!(
        run.restore(onboarded(), 0),
        [format!("open 3 broker2.example.test:8883 {MQTT_TOPIC}")]
    );
    let mut waiting = connecting();
    waiting.lost(2);
    assert_eq!(waiting.stop(), ["stopped"]);
}

/// The last deadline that passes before a stop may end the thing: that is the one end that is told.
#[test]
fn a_stop_that_comes_too_late_is_refused_and_moves_nothing() {
    let mut run = Run::started(config().with_max_boot_attempts(0));
    let before = run.thing.clone();
    let late = MonoTime::from_millis(20_000);
    assert_eq!(run.thing.stop(late), Err(CommandError::NotStarted));
    assert_eq!(run.thing, before);
    assert_eq!(
        run.at(20_000),
        ["close 1", "gave up RetriesExhausted { attempts: 1, cause: ConnectTimeout }"]
    );
}

#[test]
fn the_end_of_time_is_reached_without_going_round_in_circles() {
    for (state, mut run) in
        [Run::started(config()), Run::onboarding(config()), Run::ready(config())]
            .into_iter()
            .enumerate()
    {
        run.thing.handle_timeout(MonoTime::MAX);
        let stale = Opened::new(Link::new(u32::MAX), false);
        run.thing.handle_input(MonoTime::MAX, stale.into()).unwrap();
        assert!(run.drain().len() < 8, "{state}");
        run.thing.stop(MonoTime::MAX).unwrap();
        assert_eq!(run.drain().last().map(String::as_str), Some("stopped"), "{state}");
    }
}

#[test]
fn being_ready_starts_the_count_at_the_default_broker_anew_too() {
    let mut run = Run::started(config());
    assert_eq!(run.lost(1), ["retrying boot 1 1000 Unreachable"]);
    run.at(1_000);
    run.opened(2);
    run.message(2, BOOT_TOPIC, ONBOARDED);
    run.opened(3);
    assert_eq!(run.done(3, 2), ["ready"]);
    run.onboard_again();
    assert_eq!(run.lost(4), ["retrying boot 1 1000 Unreachable"]);
}

#[test]
fn every_wait_has_a_chance_of_its_own() {
    let second = Duration::from_secs(1);
    let mut run = Run::started(config().with_backoff(second, second, Jitter::Full));
    let mut waits = std::collections::BTreeSet::new();
    for link in 1..9 {
        let told = run.lost(link);
        waits.insert(told[0].split(' ').nth(3).unwrap().to_owned());
        run.at(u64::from(link) * 1_000);
    }
    assert!(waits.len() > 4, "{waits:?}");
}

#[test]
fn another_refusal_is_not_that_of_the_subscription() {
    let mut run = Run::subscribing(config());
    assert!(run.failed(2, 7).is_empty());
    assert_eq!(run.done(2, 2), ["ready"]);
}

#[test]
fn what_has_ended_ignores_inputs_whatever_is_queued() {
    let mut run = Run::started(config().with_max_queued(1));
    run.thing.stop(MonoTime::ORIGIN).unwrap();
    let late = Opened::new(Link::new(1), false);
    assert_eq!(run.thing.handle_input(MonoTime::ORIGIN, late.into()), Ok(()));
    assert_eq!(run.drain(), ["close 1", "stopped"]);
}

#[test]
fn deadlines_and_limits_can_be_set() {
    let secs = Duration::from_secs;
    let config = config()
        .with_connect_timeout(secs(1))
        .with_onboarding_timeout(secs(2))
        .with_subscribe_timeout(secs(3))
        .with_request_timeout(secs(4))
        .with_max_retry_after(secs(3))
        .with_max_api_attempts(0);
    let mut run = Run::started(config.clone());
    assert_eq!(run.deadline(), Some(1_000));
    run.opened(1);
    assert_eq!(run.deadline(), Some(2_000));
    let not_ready = run.message(1, BOOT_TOPIC, NOT_READY);
    assert!(not_ready[1].starts_with("retrying boot 1 3000 "), "{not_ready:?}");

    let mut run = Run::onboarding(config);
    run.message(1, BOOT_TOPIC, ONBOARDED);
    run.opened(2);
    assert_eq!(run.deadline(), Some(3_000));
    run.done(2, 2);
    run.call(&Call::get_state("th.1").unwrap());
    assert_eq!(run.deadline(), Some(4_000));
    let told = run.lost(2);
    assert_eq!(told.last().map(String::as_str), Some("retrying boot 1 1000 ConnectionLost"));
}

#[test]
fn frames_are_read_within_the_limits_that_were_set() {
    let config = config().with_limits(Limits::DEFAULT.with_max_headers(0));
    let mut run = Run::onboarding(config.clone());
    let told = run.message(1, BOOT_TOPIC, ONBOARDED);
    assert_eq!(told[1], "retrying boot 1 1000 BadPayload(TooManyHeaders { limit: 0 })");

    let body = ONBOARDED.split_once("\r\n\r\n").unwrap().1;
    let mut run = Run::onboarding(config);
    run.message(1, BOOT_TOPIC, format!("200\r\n\r\n{body}"));
    run.opened(2);
    run.done(2, 2);
    let topic = format!("p/{MQTT_TOPIC}/thing-if/apps/app01/targets/thing:th.1/states");
    let told = run.message(2, &topic, "200\r\nX-Kii-RequestID:1\r\n\r\n{}");
    assert_eq!(told, [format!("ignored {topic} BadPayload(TooManyHeaders {{ limit: 0 }})")]);
}

/// Without that an input would never return.
#[test]
fn one_moment_holds_no_endless_row_of_attempts() {
    let none = Duration::ZERO;
    let hasty = config().with_connect_timeout(none).with_backoff(none, none, Jitter::None);
    let mut run = Run::started(hasty);
    assert_eq!(run.opened(1), ["close 1", "retrying boot 1 1 ConnectTimeout"]);
    assert_eq!(run.deadline(), Some(1));

    let mut run = Run::started(config());
    run.thing.stop(MonoTime::MAX).unwrap();
    assert_eq!(run.drain(), ["close 1", "retrying boot 1 1000 ConnectTimeout", "stopped"]);
}

#[test]
fn calls_wait_and_endpoints_hold_at_the_end_of_time() {
    let mut run = Run::onboarding(config());
    run.message(1, BOOT_TOPIC, onboarded_with("2147483647", &u64::MAX.to_string()));
    run.opened(2);
    run.done(2, 2);
    let id = RequestId::new("v1").unwrap();
    let call = Call::get_state("th.1").unwrap().with_request_id(id.clone());
    assert!(run.thing.call(MonoTime::MAX, &call).is_ok());
    let again = run.thing.call(MonoTime::MAX, &call);
    assert_eq!(again, Err(CommandError::DuplicateRequestId { id }));
}
