//! The contract of machines on a session, with scripts that mostly go somewhere.

mod sessions;

use amqp_auth::session::{CommandError, Event, InputError, Session};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    amqp::{Action, Body, Connection, Delivery, DeliveryId, Message, Value},
    sim::Contract,
};
use proptest::{collection::vec, prelude::*};
use sessions::{EPOCH, SECRET, TOKEN, clock, config, key, signed_elsewhere, token, try_feed};

#[derive(Clone, Debug)]
enum Step {
    Start,
    Stop,
    Key,
    /// With a token that expires so many milliseconds after the epoch of the session.
    Token(i64),
    /// Signed elsewhere, so many milliseconds after the epoch of the session.
    Login(i64),
    NoCredential,
    Accept(DeliveryId),
    Fail(DeliveryId),
    Release(DeliveryId),
    SetClock(i64),
    Delivery {
        id: DeliveryId,
        message_id: u8,
        settled: bool,
    },
    Input(Connection, &'static [&'static str]),
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

fn is_command(step: &Step) -> bool {
    !matches!(step, Step::Delivery { .. } | Step::Input(..))
}

fn take(session: &mut Session, now: MonoTime, step: &Step) -> Result<(), Refused> {
    match step {
        Step::Start => session.start(now),
        Step::Stop => session.stop(now),
        Step::Key => session.provide(now, key()),
        Step::Token(expires_at) => session.provide(now, token(*expires_at)),
        Step::Login(at) => session.provide_login(now, signed_elsewhere(EPOCH + at)),
        Step::NoCredential => session.credential_failed(now),
        Step::Accept(id) => session.accept(now, *id),
        Step::Fail(id) => session.fail(now, *id),
        Step::Release(id) => session.release(now, *id),
        Step::SetClock(by) => {
            session.set_wall_clock(now, UnixMillis::new(EPOCH + by));
            Ok(())
        }
        Step::Delivery { id, message_id, settled } => {
            let text = message_id.to_string();
            let properties = [("messageId".into(), Value::String(text.into()))];
            let properties = if *message_id == 0 { &properties[..0] } else { &properties };
            let message = Message::new(properties, Body::Data(&[b"canary-body"]));
            let delivery = Delivery::new(*id, message).with_settled(*settled);
            return session.handle_input(now, delivery.into()).map_err(Refused::Input);
        }
        Step::Input(connection, words) => {
            return try_feed(session, now, *connection, words).map_err(Refused::Input);
        }
    }
    .map_err(Refused::Command)
}

fn make() -> Session {
    Session::new(config().with_credit(3).unwrap().with_max_queued(12), clock(), 11)
}

/// Turns dice into a script: mostly what a session waits for, sometimes anything.
fn script(dice: &[(u64, u8, u8)]) -> Vec<(MonoTime, Step)> {
    let (mut session, mut now) = (make(), 0_u64);
    let mut connection = Connection::new(1);
    let mut open = Vec::new();
    let mut script = Vec::new();
    for (number, &(span, what, which)) in (1..).zip(dice) {
        // Some numbers come again.
        let number = if which % 16 == 15 { number / 2 } else { number };
        let id = DeliveryId::new(connection, number);
        let known = open.get(usize::from(which) % (open.len() + 1)).copied().unwrap_or(id);
        let step = match what {
            0..=3 => Step::Start,
            4 => Step::Stop,
            5..=8 => Step::Key,
            9 => Step::Token(i64::from(which) * 4_000),
            10 => Step::Login(i64::try_from(now).unwrap() + i64::from(which % 4) * 3_000 - 3_000),
            11 => Step::NoCredential,
            12..=13 => Step::Accept(known),
            14 => Step::Fail(known),
            15 => Step::Release(known),
            16 => Step::SetClock(i64::from(which) * 1_000 - 100_000),
            17..=22 => Step::Delivery { id, message_id: which % 4, settled: which > 240 },
            23..=26 => Step::Input(connection, &["connected", "tls"]),
            27..=30 => Step::Input(connection, &["opened"]),
            31..=34 => Step::Input(connection, &["attached"]),
            _ => Step::Input(connection, ENDS[usize::from(which) % ENDS.len()]),
        };
        // Short steps, long ones, and some into the past.
        now = match which % 8 {
            0 => now.saturating_sub(span / 10),
            1..=2 => now + span,
            _ => now + span / 1_000,
        };
        let time = MonoTime::from_millis(now);
        let _ = take(&mut session, time, &step);
        for output in sessions::drain(&mut session) {
            match output {
                Output::Action(Action::Dial(dial)) => connection = dial.connection,
                Output::Event(Event::Message(received)) => open.push(received.id),
                _ => {}
            }
        }
        script.push((time, step));
    }
    script
}

const ENDS: [&[&str]; 8] = [
    &["closed", "lost"],
    &["closed", "requested"],
    &["closed", "refused", "1"],
    &["closed", "refused", "4"],
    &["closed", "peer", "amqp:resource-limit-exceeded"],
    &["detached", "amqp:unauthorized-access"],
    &["connected", "tcp"],
    &["closed", "version"],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_session_keeps_the_contract(dice in vec((0_u64..80_000, 0_u8..37, any::<u8>()), 1..60)) {
        let contract = Contract::new(make, take, Session::clone, 12 + 16 + 2 * 3)
            .with_terminal(|event| matches!(event, Event::Stopped(_)))
            .with_commands(is_command)
            .with_canaries(&[SECRET, TOKEN, "canary-body"]);
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
        let mut dice = || (rng.u64(0..80_000), rng.u8(0..37), rng.u8(..));
        let dice: Vec<_> = (0..60).map(|_| dice()).collect();
        let mut session = make();
        for (now, step) in script(&dice) {
            let _ = take(&mut session, now, &step);
            for output in sessions::texts(&mut session) {
                seen.insert(output.split(' ').next().unwrap().to_owned());
            }
        }
    }
    let expected = [
        "abort",
        "attach",
        "close",
        "connected",
        "dial",
        "disconnected",
        "flow",
        "late",
        "message",
        "open",
        "overflow",
        "retry",
        "settle",
        "stopped",
        "want",
    ];
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
