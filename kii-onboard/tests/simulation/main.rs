//! Things against the cloud, under everything that can go wrong between them.

mod world;

use std::{collections::BTreeMap, time::Duration};

use iot_sansio::{Jitter, mqtt::ConnackCode, sim::Faults};
use kii_onboard::{
    KeepAlive, Stage, TransportKind,
    cloud::{Effect, Fault, Requests},
    frame::{Method, Status},
    thing::{Config, FailReason},
};
use world::World;

const MINUTE: Duration = Duration::from_secs(60);

fn quick(config: Config) -> Config {
    config.with_api_keep_alive(KeepAlive::new(Duration::from_secs(30))).with_backoff(
        Duration::from_secs(1),
        Duration::from_secs(30),
        Jitter::Equal,
    )
}

/// From now on nothing goes wrong: every thing gets ready, is who it is, and calls and commands work.
fn assert_recovers(world: &mut World, context: &str) {
    world.calm();
    world.run_for(3 * MINUTE, 0.0);
    world.set_busy(false);
    world.run_for(MINUTE, 0.0);
    for side in &world.sides {
        assert!(
            side.thing.is_ready(),
            "{context}: {} is not ready: {:?}",
            side.vendor_id,
            side.thing
        );
        assert!(side.is_who_it_is(&world.cloud), "{context}: {}", side.vendor_id);
        assert!(!side.has_open_calls(), "{context}: {} has calls without an end", side.vendor_id);
        let thing_id = &side.thing.onboarded().unwrap().thing_id;
        assert!(world.cloud.is_online(thing_id), "{context}: {} is not online", side.vendor_id);
    }
    world.commands.clear();
    world.send_commands();
    world.run_for(MINUTE, 0.0);
    let reported: Vec<u32> = world.commands.values().copied().collect();
    assert_eq!(reported, vec![1; world.sides.len()], "{context}: each command is done once");
    assert_eq!(
        world.cloud.misdirected(),
        0,
        "{context}: nothing was published where it must not be"
    );
}

/// Every fault of the cloud, by itself, at the first, second and third occasion.
#[test]
fn things_get_over_every_fault_of_the_cloud() {
    let onboarding = || Requests::any().at(Stage::Boot);
    let call = || Requests::any().at(Stage::Api);
    let put = || call().with_method(Method::Put);
    let not_ready =
        br#"{"errorCode":"MQTT_ENDPOINT_NOT_READY","message":"not ready","retryAfter":5}"#;
    let status = |number, body: &[u8]| Effect::Status(Status::new(number).unwrap(), body.into());
    let refuse = |stage, code| Fault::refuse_connect(stage, ConnackCode::new(code));
    let effects = [
        Effect::Drop,
        Effect::Delay(Duration::from_secs(12)),
        Effect::Delay(Duration::from_secs(45)),
        Effect::Duplicate,
        Effect::WrongTopic("x/y".into()),
        Effect::NoRequestId,
        Effect::Payload(b"200\r\nNoColon\r\n\r\n".into()),
        Effect::Payload(b"\xff\x00".into()),
        Effect::Payload(Vec::new()),
        status(503, not_ready),
        status(429, b""),
        status(500, b"<html>oops</html>"),
        status(401, br#"{"errorCode":"UNAUTHORIZED"}"#),
        status(301, b""),
        Effect::NoEndpoint,
        Effect::NoPort(TransportKind::Tls),
        Effect::NoPort(TransportKind::Ws),
        Effect::Ttl(Duration::ZERO),
        Effect::Ttl(Duration::from_secs(20)),
        Effect::CloseBefore,
        Effect::CloseAfter,
        Effect::LineFeeds,
    ];
    let mut faults = BTreeMap::new();
    for effect in effects {
        for (name, requests) in [("onboarding", onboarding()), ("call", call()), ("put", put())] {
            let fault = Fault::on_request(requests, [effect.clone()]);
            faults.insert(format!("{effect:?} at {name}"), fault);
        }
    }
    for stage in [Stage::Boot, Stage::Api] {
        for code in [1, 2, 3, 4, 5, 9] {
            faults.insert(format!("CONNACK {code} at {stage}"), refuse(stage, code));
        }
        faults.insert(format!("no PINGRESP at {stage}"), Fault::swallow_ping(stage));
    }
    for secs in [5, 15] {
        let fault = Fault::delay_suback(Duration::from_secs(secs));
        faults.insert(format!("SUBACK after {secs} s"), fault);
    }
    let mut struck = 0;
    for (name, fault) in &faults {
        for skip in 0..3 {
            let mut world = World::new(2, 1, Faults::none(), quick);
            world.inject(fault.clone().skip(skip).times(2));
            world.run_for(2 * MINUTE, 0.0);
            world.restart(Stage::Api);
            world.run_for(3 * MINUTE, 0.0);
            struck += world.strikes;
            assert_recovers(&mut world, &format!("{name}, skipped {skip}"));
        }
    }
    println!("{} faults struck {struck} times", faults.len());
    assert!(struck > 2 * u32::try_from(faults.len()).unwrap(), "faults strike: {struck}");
}

/// What ends a thing is told with its reason, and nothing else ends one.
#[test]
fn things_end_for_the_reasons_that_no_repetition_mends() {
    type IsExpected = fn(&FailReason) -> bool;
    let cases: [(Fault, IsExpected); 5] = [
        (Fault::refuse_connect(Stage::Boot, ConnackCode::NOT_AUTHORIZED), |reason| {
            *reason == FailReason::BootRefused(ConnackCode::NOT_AUTHORIZED)
        }),
        (Fault::refuse_connect(Stage::Api, ConnackCode::new(1)), |reason| {
            *reason == FailReason::ProtocolVersion
        }),
        (
            Fault::on_request(
                Requests::any(),
                [Effect::Status(Status::new(401).unwrap(), b"{}".into())],
            ),
            |reason| matches!(reason, FailReason::OnboardRejected(_)),
        ),
        (
            Fault::on_request(
                Requests::any(),
                [Effect::Status(Status::new(302).unwrap(), b"{}".into())],
            ),
            |reason| matches!(reason, FailReason::UnexpectedStatus(_)),
        ),
        (Fault::on_request(Requests::any(), [Effect::NoPort(TransportKind::Tls)]), |reason| {
            matches!(reason, FailReason::PortUnavailable { stage: Stage::Api, .. })
        }),
    ];
    for (fault, is_expected) in cases {
        let mut world = World::new(1, 1, Faults::none(), quick);
        world.inject(fault);
        world.run_for(MINUTE / 2, 0.0);
        let failures = &world.sides[0].told.failures;
        assert!(failures.len() == 1 && is_expected(&failures[0]), "{failures:?}");
        assert!(!world.sides[0].thing.is_ready());
    }
    let mut world = World::new(3, 1, Faults::none(), quick);
    world.run_for(5 * MINUTE, 1.0);
    assert!(world.sides.iter().all(|side| side.told.failures.is_empty()));
}

/// Loss, delay, duplication, reordering, broken connections and restarted brokers, all at once.
#[test]
fn things_work_through_bad_lines_and_recover_from_them() {
    let (mut totals, mut seen) = ([0_u32; 7], BTreeMap::new());
    for seed in 0..40 {
        let lines = Faults::none()
            .with_delay(Duration::from_millis(20)..=Duration::from_millis(3_000))
            .with_loss(0.08)
            .with_duplication(0.08)
            .with_reordering(true);
        let mut world = World::new(3, seed, lines, quick);
        for round in 0..4 {
            world.run_for(2 * MINUTE, 1.0);
            world.send_commands();
            world.expire(round % 3);
            world.restart(if seed % 3 == 0 { Stage::Boot } else { Stage::Api });
        }
        assert_recovers(&mut world, &format!("seed {seed}"));
        for side in &world.sides {
            let told = &side.told;
            assert!(told.failures.is_empty(), "seed {seed}: {:?}", told.failures);
            let counts = [
                told.onboarded,
                told.ready,
                told.responses,
                told.timeouts,
                told.lost,
                told.retries,
                u32::try_from(told.commands.len()).unwrap(),
            ];
            for (total, count) in totals.iter_mut().zip(counts) {
                *total += count;
            }
            for (why, count) in &told.ignored {
                *seen.entry(why.clone()).or_insert(0) += count;
            }
        }
    }
    let [onboarded, ready, responses, timeouts, lost, retries, commands] = totals;
    println!(
        "{onboarded} onboardings, {ready} times ready, {responses} responses, {timeouts} calls timed out, \
         {lost} lost with their connection, {retries} retries, {commands} commands, ignored {seen:?}"
    );
    assert!(totals.iter().all(|total| *total > 0), "everything that can happen did: {totals:?}");
}

/// An endpoint that lasts a minute is renewed every minute, and nothing is lost by it but calls that wait.
#[test]
fn endpoints_that_expire_are_renewed() {
    let mut world = World::new(2, 1, Faults::none(), quick);
    let every =
        Fault::on_request(Requests::any().at(Stage::Boot), [Effect::Ttl(Duration::from_secs(60))]);
    world.inject(every.times(u32::MAX));
    world.run_for(10 * MINUTE, 0.0);
    for side in &world.sides {
        assert!((9..=10).contains(&side.told.expired), "{} times", side.told.expired);
        assert_eq!(side.told.retries, 0, "an expiry is no failure");
    }
    assert_recovers(&mut world, "expiry");
}
