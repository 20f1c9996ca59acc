//! The contract of machines on a device, with scripts that mostly go somewhere.

use aia_proto::{
    ApiVersion, ClientId, Json,
    device::{CommandError, Device, Event, InputError},
    registration::{Authentication, KeyPair, Response},
};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{Action, CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
    sim::Contract,
};
use proptest::{collection::vec, prelude::*};

use crate::run::{
    OLD, Run, SET, acknowledge_capabilities, capabilities, config, registration, secret,
};

#[derive(Clone, Debug)]
enum Step {
    Register,
    /// HTTP status, and whether the body is good.
    Answered(u16, bool),
    NotAnswered,
    Connect,
    Disconnect,
    Change(bool),
    Correct(bool),
    Forget,
    Send(u8),
    Microphone,
    Opened(u32),
    Closed(u32),
    Done(u32, u64),
    Failed(u32, u64),
    Message(u32, &'static str, Vec<u8>),
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

const MAX_QUEUED: usize = 16;

fn make() -> Device {
    let config = config().with_max_queued(MAX_QUEUED).with_max_message(400);
    Device::new(config, Some(registration()), [7; 32])
}

const fn is_command(step: &Step) -> bool {
    !matches!(
        step,
        Step::Opened(_) | Step::Closed(_) | Step::Done(..) | Step::Failed(..) | Step::Message(..)
    )
}

fn take(device: &mut Device, now: MonoTime, step: &Step) -> Result<(), Refused> {
    let input: Input<'_> = match step {
        Step::Register => {
            let authentication = Authentication::new("canary-token", "client.example");
            let registered = device.register(now, authentication, ApiVersion::V1);
            return registered.map_err(Refused::Command);
        }
        Step::Answered(status, good) => {
            let root = aia_proto::TopicRoot::new("$aws/alexa").unwrap();
            let service = KeyPair::from_random([9; 32]);
            let body = Response::new(service.public_key(), root).encode();
            let body = if *good { body } else { b"{\"code\":\"NEW_CODE\"}".into() };
            return device.registration_answered(now, *status, &body).map_err(Refused::Command);
        }
        Step::NotAnswered => return device.registration_failed(now).map_err(Refused::Command),
        Step::Connect => return device.connect(now).map_err(Refused::Command),
        Step::Disconnect => return device.disconnect(now).map_err(Refused::Command),
        Step::Change(speaker) => {
            let set = if *speaker { SET.into() } else { SET.replace("Speaker", "Clock") };
            return device.change_capabilities(now, capabilities(&set)).map_err(Refused::Command);
        }
        Step::Correct(same) => {
            let account = if *same { "123456789012" } else { "000000000000" };
            let client_id = ClientId::new("my-thing-01").unwrap();
            return device.correct(now, account, client_id).map_err(Refused::Command);
        }
        Step::Forget => return device.forget(now).map_err(Refused::Command),
        Step::Send(size) => {
            let payload =
                Json::new(&format!("{{\"x\":\"{}\"}}", "x".repeat((*size).into()))).unwrap();
            let sent = device.send_event(now, "Anything", Some(&payload));
            return sent.map(drop).map_err(Refused::Command);
        }
        Step::Microphone => {
            return device.send_microphone(now, b"canary-audio").map_err(Refused::Command);
        }
        Step::Opened(link) => Opened::new(Link::new(*link), false).into(),
        Step::Closed(link) => Closed::new(Link::new(*link), CloseReason::Lost).into(),
        Step::Done(link, token) => Done::new(Link::new(*link), Token::new(*token)).into(),
        Step::Failed(link, token) => Failed::new(Link::new(*link), Token::new(*token)).into(),
        Step::Message(link, leaf, payload) => {
            let topic = format!("$aws/alexa/ais/v1/my-thing-01/{leaf}");
            let message = Message::new(Link::new(*link), &topic, payload);
            return device.handle_input(now, message.into()).map_err(Refused::Input);
        }
    };
    device.handle_input(now, input).map_err(Refused::Input)
}

/// What the service might say to a device that stands like this.
fn message(run: &Run, what: u8, which: u8, number: u32) -> (&'static str, Vec<u8>) {
    let plain = |text: String| ("connection/fromservice", text.into_bytes());
    let directive = |name: &str, payload: &str| {
        let body = format!(
            r#"{{"directives":[{{"header":{{"name":"{name}","messageId":"i"}},"payload":{payload}}}]}}"#
        );
        ("directive", run.seal(number, &body))
    };
    match what {
        0..=5 => {
            let codes = [
                "CONNECTION_ESTABLISHED",
                "UNKNOWN_FAILURE",
                "INVALID_ACCOUNT_ID",
                "ENCRYPTION_ERROR",
            ];
            let code = codes[if which < 200 { 0 } else { usize::from(which) % 4 }];
            let id = &run.connect_id;
            plain(format!(
                r#"{{"header":{{"name":"Acknowledge","messageId":"s"}},"payload":{{"connectMessageId":"{id}","code":"{code}"}}}}"#
            ))
        }
        6 => {
            let codes = ["GOING_OFFLINE", "ENCRYPTION_ERROR", "API_VERSION_DEPRECATED", "NEW"];
            let code = codes[usize::from(which) % 4];
            plain(format!(
                r#"{{"header":{{"name":"Disconnect","messageId":"s"}},"payload":{{"code":"{code}"}}}}"#
            ))
        }
        7..=9 => {
            let code = if which < 220 { "CAPABILITIES_ACCEPTED" } else { "CAPABILITIES_REJECTED" };
            let body = acknowledge_capabilities(&run.published_id, code);
            ("capabilities/acknowledge", run.seal(0, &body))
        }
        10 => directive("OpenSpeaker", r#"{"token":"canary-payload"}"#),
        11 => directive(
            "RotateSecret",
            r#"{"newSecret":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","directiveSequenceNumber":9,"speakerSequenceNumber":9}"#,
        ),
        12 => ("speaker", run.seal(number, "canary-audio")),
        13 => ("directive", vec![which; usize::from(which % 40)]),
        _ => {
            let (leaf, mut message) = directive("Anything", "null");
            message[usize::from(which) % 40] ^= 1;
            (leaf, message)
        }
    }
}

/// Turns dice into a script: mostly what a device waits for, sometimes anything.
fn script(dice: &[(u64, u8, u8)]) -> Vec<(MonoTime, Step)> {
    let (mut run, mut now) = (Run::of(make()), 0_u64);
    let (mut link, mut token, mut number) = (0, 0, 0);
    let mut script = Vec::new();
    run.secret = secret(OLD);
    for &(span, what, which) in dice {
        let old = u32::from(which % 16 == 15);
        let step = match what {
            0 => Step::Register,
            1 => Step::Answered([200, 200, 500, 403][usize::from(which) / 64], which % 4 != 3),
            2 if which < 90 => Step::Register,
            2 if which < 160 => Step::NotAnswered,
            2 => Step::Correct(which % 2 == 0),
            3 if which < 60 => Step::Disconnect,
            3 if which < 70 => Step::Forget,
            3 => Step::Connect,
            4 if which < 40 => Step::Change(which % 2 == 0),
            4..=6 => Step::Send(which),
            7 => Step::Microphone,
            8..=10 => {
                if which > 60 || link == 0 {
                    link += 1;
                }
                Step::Opened(link)
            }
            11 => Step::Closed(link - old.min(link)),
            12..=27 => Step::Done(link, token.max(4) - u64::from(which % 4)),
            28 => Step::Failed(link, token),
            _ => {
                let (leaf, payload) = message(&run, what - 29, which, number);
                number = if what == 39 || what == 41 { number + 1 } else { number };
                Step::Message(link, leaf, payload)
            }
        };
        // Short steps, long ones, and some into the past.
        now = match which % 8 {
            0 => now.saturating_sub(span / 10),
            1 if which < 40 => now + span,
            _ => now + span / 1_000,
        };
        let time = MonoTime::from_millis(now);
        let _ = take(&mut run.device, time, &step);
        run.now = time;
        for output in drain(&mut run) {
            if let Some(asked) = output {
                token = token.max(asked.get());
            } else {
                number = 0;
            }
        }
        script.push((time, step));
    }
    script
}

/// The tokens that were asked for, and none for each `Connect`.
fn drain(run: &mut Run) -> Vec<Option<Token>> {
    let mut tokens = Vec::new();
    loop {
        match run.device.poll_output() {
            Output::Action(action) => {
                tokens.push(action.token());
                if let Action::Publish(publish) = &action {
                    let text = String::from_utf8_lossy(&publish.payload);
                    let id = text.split(r#""messageId":""#).nth(1).and_then(|rest| rest.get(..36));
                    if text.contains(r#""name":"Connect""#) {
                        run.connect_id = id.unwrap().into();
                        tokens.push(None);
                    }
                    if publish.topic.ends_with("capabilities/publish") {
                        let mut message = publish.payload.clone();
                        let cipher = aia_proto::protect::Cipher::new(&run.secret);
                        if let Ok(opened) = cipher.open_in_place(&mut message) {
                            let text = String::from_utf8_lossy(opened.body).into_owned();
                            let rest = text.split(r#""messageId":""#).nth(1).unwrap();
                            run.published_id = rest[..36].into();
                        }
                    }
                }
            }
            Output::Event(_) => {}
            Output::Idle(_) => return tokens,
        }
    }
}

const SECRETS: [&str; 3] = ["canary", "AQEBAQEBAQEBAQEB", "1, 1, 1, 1, 1, 1"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_device_keeps_the_contract(dice in vec((0_u64..80_000, 0_u8..44, any::<u8>()), 1..60)) {
        let contract = Contract::new(make, take, Device::clone, MAX_QUEUED + 24)
            .with_terminal(|event| matches!(event, Event::Closed))
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
    for _ in 0..600 {
        let mut dice = || (rng.u64(0..80_000), rng.u8(0..44), rng.u8(..));
        let dice: Vec<_> = (0..60).map(|_| dice()).collect();
        let mut device = make();
        for (now, step) in script(&dice) {
            let _ = take(&mut device, now, &step);
            loop {
                match device.poll_output() {
                    Output::Idle(_) => break,
                    Output::Action(action) => {
                        let name = format!("{action:?}");
                        seen.insert(name.split(['(', ' ']).next().unwrap().to_owned());
                    }
                    Output::Event(event) => {
                        let name = format!("{event:?}");
                        seen.insert(name.split(['(', ' ']).next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    let expected = [
        "Blocked",
        "Closed",
        "Connected",
        "Directive",
        "Disconnected",
        "Erase",
        "MqttWanted",
        "Publish",
        "Registered",
        "RegistrationNeeded",
        "RegistrationRejected",
        "RegistrationWanted",
        "Retrying",
        "Save",
        "Security",
        "Speaker",
        "Subscribe",
        "Unsubscribe",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
