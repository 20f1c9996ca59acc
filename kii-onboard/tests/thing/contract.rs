//! The contract of machines on a thing, with scripts that mostly go somewhere.

use core::time::Duration;

use iot_sansio::{
    Machine as _, MonoTime,
    mqtt::{CloseReason, Closed, ConnackCode, Done, Failed, Input, Link, Message, Opened, Token},
    sim::Contract,
};
use kii_onboard::{
    Json, RequestId,
    call::Call,
    thing::{CommandError, Event, InputError, Thing},
};
use proptest::{collection::vec, prelude::*};

use crate::run::{
    BOOT_TOPIC, INVALID, MQTT_TOPIC, NOT_READY, ONBOARDED, Run, config, onboarded, onboarded_with,
};

#[derive(Clone, Debug)]
enum Step {
    Start,
    /// With an endpoint that was told so many seconds ago.
    Restore(u64),
    OnboardAgain,
    Stop,
    Get,
    Put(&'static str),
    Opened(u32),
    Closed(u32, CloseReason),
    Done(u32, u64),
    Failed(u32, u64),
    Message(u32, String, Vec<u8>),
}

#[derive(Debug)]
enum Refused {
    Input(InputError),
    Command(CommandError),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(error) => error.fmt(f),
            Self::Command(error) => error.fmt(f),
        }
    }
}

const MAX_QUEUED: usize = 12;
const MAX_PENDING: usize = 3;

fn make() -> Thing {
    let config = config()
        .with_max_queued(MAX_QUEUED)
        .with_max_pending(MAX_PENDING)
        .with_max_boot_attempts(6)
        .with_backoff(Duration::from_secs(1), Duration::from_secs(30), iot_sansio::Jitter::Equal);
    Thing::new(config, 7).unwrap()
}

const fn is_command(step: &Step) -> bool {
    use Step::{Get, OnboardAgain, Put, Restore, Start, Stop};
    matches!(step, Start | Restore(_) | OnboardAgain | Stop | Get | Put(_))
}

fn take(thing: &mut Thing, now: MonoTime, step: &Step) -> Result<(), Refused> {
    let link = |link: &u32| Link::new(*link);
    let input: Input<'_> = match step {
        Step::Start => return thing.start(now).map_err(Refused::Command),
        Step::Restore(age) => {
            let mut saved = onboarded();
            saved.endpoint.as_mut().unwrap().ttl = Some(Duration::from_secs(100));
            let age = Duration::from_secs(*age);
            return thing.restore(now, saved, age).map_err(Refused::Command);
        }
        Step::OnboardAgain => return thing.onboard_again(now).map_err(Refused::Command),
        Step::Stop => return thing.stop(now).map_err(Refused::Command),
        Step::Get => {
            let call = Call::get_state("th.0001").unwrap();
            return thing.call(now, &call).map(drop).map_err(Refused::Command);
        }
        Step::Put(id) => {
            let state = Json::new(r#"{"power":"canary-state"}"#).unwrap();
            let call = Call::put_state("th.0001", &state).unwrap();
            let call = call.with_request_id(RequestId::new(*id).unwrap());
            return thing.call(now, &call).map(drop).map_err(Refused::Command);
        }
        Step::Opened(on) => Opened::new(link(on), false).into(),
        Step::Closed(on, reason) => Closed::new(link(on), *reason).into(),
        Step::Done(on, token) => Done::new(link(on), Token::new(*token)).into(),
        Step::Failed(on, token) => Failed::new(link(on), Token::new(*token)).into(),
        Step::Message(on, topic, payload) => Message::new(link(on), topic, payload).into(),
    };
    thing.handle_input(now, input).map_err(Refused::Input)
}

fn states() -> String {
    format!("p/{MQTT_TOPIC}/thing-if/apps/app01/targets/thing:th.0001/states")
}

/// An answer to the onboarding request.
fn answer(which: u8) -> Vec<u8> {
    match which % 16 {
        0..=7 => onboarded_with("2147483647", &u32::from(which).to_string()),
        8..=10 => ONBOARDED.into(),
        11 => NOT_READY.into(),
        12 => "200\r\n\r\n{\"accessToken\":\"canary-token\",\"thingID\":\"t\"}".into(),
        13 => "POST\r\n\r\ncanary-body".into(),
        14 => "200\r\nNoColon\r\n\r\n".into(),
        _ => INVALID.into(),
    }
    .into_bytes()
}

fn push(which: u8) -> Vec<u8> {
    let push: &[u8] = match which % 4 {
        0 => br#"{"commandID":"c1","actions":[{"turnPower":{"power":"canary-body"}}]}"#,
        1 => br#"{"bucketID":"canary-body"}"#,
        2 => br#"{"commandID":"a/b","actions":[]}"#,
        _ => b"\xff",
    };
    push.into()
}

/// Turns dice into a script: mostly what a thing waits for, sometimes anything.
fn script(dice: &[(u64, u8, u8)]) -> Vec<(MonoTime, Step)> {
    let (mut thing, mut now) = (make(), 0_u64);
    let (mut link, mut token) = (1, 1);
    let mut script = Vec::new();
    for &(span, what, which) in dice {
        let link_or_old = if which % 16 == 15 { link - 1 } else { link };
        let message = |topic: &str, payload| Step::Message(link_or_old, topic.into(), payload);
        let step = match what {
            0..=3 => Step::Start,
            4 => Step::Stop,
            5 => Step::Restore(which.into()),
            6 if which < 60 => Step::OnboardAgain,
            6..=8 => Step::Get,
            9..=10 => Step::Put(["1", "2", "v1 states"][usize::from(which) % 3]),
            11..=19 => Step::Opened(link_or_old),
            20..=24 => Step::Done(link_or_old, token - 1),
            25 => Step::Failed(link_or_old, token - 1),
            26..=30 => message(BOOT_TOPIC, answer(which)),
            31 => message(MQTT_TOPIC, push(which)),
            32..=33 => {
                let response = format!("204\r\nX-Kii-RequestID:{}\r\n\r\ncanary-body", which % 8);
                message(&states(), response.into_bytes())
            }
            34 => message("x/y", b"canary-body".into()),
            35 if which < 128 => {
                Step::Closed(link_or_old, CloseReason::Refused(ConnackCode::new(which % 8)))
            }
            _ => Step::Closed(link_or_old, CloseReason::Lost),
        };
        // Short steps, long ones, and some into the past.
        now = match which % 8 {
            0 => now.saturating_sub(span / 10),
            1 => now + span,
            _ => now + span / 1_000,
        };
        let time = MonoTime::from_millis(now);
        let _ = take(&mut thing, time, &step);
        let mut run = Run::of(thing, time);
        for output in run.drain() {
            let words: Vec<_> = output.split(' ').collect();
            match words[..] {
                ["open", number, ..] => link = number.parse().unwrap(),
                ["publish" | "subscribe", ..] => token += 1,
                _ => {}
            }
        }
        thing = run.thing;
        script.push((time, step));
    }
    script
}

const SECRETS: [&str; 5] = ["key01", "tok-0001", "pw01", "\"p1\"", "canary"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_thing_keeps_the_contract(dice in vec((0_u64..80_000, 0_u8..38, any::<u8>()), 1..60)) {
        let contract = Contract::new(make, take, Thing::clone, MAX_QUEUED + 8 + MAX_PENDING)
            .with_terminal(|event| matches!(event, Event::Failed(_) | Event::Stopped))
            .with_commands(is_command)
            .with_canaries(&SECRETS);
        if let Err(violation) = contract.check(&script(&dice)) {
            prop_assert!(false, "{violation}");
        }
    }
}

#[test]
fn scripts_reach_every_kind_of_output() {
    let mut seen = std::collections::BTreeSet::new();
    // Seeded: this test asks whether the generator is any good.
    let mut rng = fastrand::Rng::with_seed(1);
    for _ in 0..300 {
        let mut dice = || (rng.u64(0..80_000), rng.u8(0..38), rng.u8(..));
        let dice: Vec<_> = (0..60).map(|_| dice()).collect();
        let mut run = Run::of(make(), MonoTime::ORIGIN);
        for (now, step) in script(&dice) {
            let _ = take(&mut run.thing, now, &step);
            for output in run.drain() {
                seen.insert(output.split(' ').next().unwrap().to_owned());
            }
        }
    }
    let expected = [
        "close",
        "command",
        "expired",
        "failed",
        "gave",
        "ignored",
        "onboarded",
        "open",
        "publish",
        "push",
        "ready",
        "response",
        "retrying",
        "stopped",
        "subscribe",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
