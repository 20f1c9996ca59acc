//! The contract of machines on a service, with scripts that mostly go somewhere.

use std::time::Duration;

use aia_proto::{
    ApiVersion, Leaf, Topics,
    connection::{AcknowledgeCode, DisconnectCode},
    protect::SharedSecret,
    registration::{Algorithm, Authentication, IotIdentity, KeyPair, Request},
    sequence,
    service::{ExceptionCode, Fault, Service, ServiceError},
};
use iot_sansio::{
    Machine as _, MonoTime,
    mqtt::{CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
    sim::Contract,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::bench::{
    ACCOUNT, ID, Peer, SECRET, config, connect, event, events, id, publish, root, secret, system,
};

#[derive(Clone, Debug)]
enum Step {
    Opened(u32),
    Closed(u32),
    Done(u64),
    Failed(u64),
    Message(Leaf, Vec<u8>, bool),
    Elsewhere(String, Vec<u8>),
    Register(bool),
    Directive(usize),
    Speaker(usize),
    Rotate,
    Disconnect,
    Fail,
    Gone,
    Deprecate(u16),
    Unlink,
    Replay(Leaf),
    Inject(Fault),
    Clear,
}

const MAX_QUEUED: usize = 24;
/// A message that closes a gap hands over at most a window of messages, of three elements with at most two outputs each.
const QUEUE_BOUND: usize = MAX_QUEUED + 5 * 3 * 2 + 16;

fn make() -> Service {
    let order = sequence::Config::default()
        .with_window(4)
        .with_max_bytes(2_000)
        .with_gap_time(Duration::from_millis(40));
    let config = config().with_order(order).with_max_queued(MAX_QUEUED).with_max_faults(2);
    let config = config
        .with_versions([ApiVersion::V1, ApiVersion::new(2)])
        .with_rotation_timeout(Duration::from_millis(60))
        .with_redrive_interval(Duration::from_millis(15))
        .with_kept_speaker(3)
        .with_max_rate(Some(4))
        .with_max_devices(2)
        .with_device("7", aia_proto::ClientId::new("other").unwrap(), SharedSecret::from(SECRET));
    Service::new(config)
}

fn feed(service: &mut Service, now: MonoTime, step: &Step) -> Result<(), ServiceError> {
    let (link, id) = (Link::new(1), id());
    let input: Input<'_> = match step {
        Step::Opened(link) => Opened::new(Link::new(*link), false).into(),
        Step::Closed(link) => Closed::new(Link::new(*link), CloseReason::Lost).into(),
        Step::Done(token) => Done::new(link, Token::new(*token)).into(),
        Step::Failed(token) => Failed::new(link, Token::new(*token)).into(),
        Step::Message(leaf, payload, retain) => {
            let topic = Topics::new(&root(), ApiVersion::V1, &id).topic(*leaf);
            let message = Message::new(link, &topic, payload).with_retain(*retain);
            return service.handle_input(now, message.into());
        }
        Step::Elsewhere(topic, payload) => Message::new(link, topic, payload).into(),
        Step::Register(is_good) => {
            let iot = IotIdentity::new(ACCOUNT, id, "iot.example");
            let authentication = Authentication::new("canary-token", "lwa");
            let keys = KeyPair::from_random([3; 32]);
            let algorithm = Algorithm::Curve25519With32Bytes;
            let request = Request::new(authentication, algorithm, keys.public_key(), iot);
            let body = request.encode();
            let body = if *is_good { body.expose() } else { b"{\"iot\":\"canary-token\"}" };
            return service.register(now, body).map(drop);
        }
        Step::Directive(len) => {
            let payload = json!({"canary-payload": "x".repeat(*len)}).to_string();
            let payload = aia_proto::Json::new(&payload).unwrap();
            return service.send_directive(now, &id, "Any", Some(&payload)).map(drop);
        }
        Step::Speaker(len) => {
            let body = [&b"canary-speaker"[..], &vec![0; *len]].concat();
            return service.send_speaker(now, &id, &body).map(drop);
        }
        Step::Rotate => return service.rotate(now, &id),
        Step::Disconnect => {
            return service.disconnect(now, &id, DisconnectCode::GoingOffline, Some("why"));
        }
        Step::Fail => return service.fail(now, &id, ExceptionCode::AisUnavailable, None),
        Step::Gone => return service.client_gone(now, &id),
        Step::Deprecate(version) => {
            return service.deprecate_version(now, ApiVersion::new(*version));
        }
        Step::Unlink => return service.unlink(now, &id),
        Step::Replay(leaf) => return service.replay(now, &id, *leaf),
        Step::Inject(fault) => return service.inject(now, &id, fault.clone()),
        Step::Clear => return service.clear_faults(now, &id),
    };
    service.handle_input(now, input)
}

/// Bodies that a device may send on `event`.
fn bodies() -> Vec<Vec<u8>> {
    let overrun = |number: u32| {
        let message = json!({"topic": "speaker", "sequenceNumber": number});
        event("BufferStateChanged", &json!({"message": message, "state": "OVERRUN"}))
    };
    let rotated = json!({"eventSequenceNumber": 3, "microphoneSequenceNumber": 1});
    vec![
        events(&[]),
        events(&[event("Any", &json!({"canary-payload": 1})), json!(1), json!({})]),
        events(&[overrun(0)]),
        events(&[overrun(1), overrun(7)]),
        events(&[event("SecretRotated", &rotated)]),
        b"{".to_vec(),
    ]
}

fn message() -> impl Strategy<Value = (Leaf, Vec<u8>)> {
    let sealed = |leaf: Leaf, number: u32, salt: u8, body: &[u8]| {
        (leaf, Peer::new(&secret(), salt).seal_as(leaf, number, body))
    };
    let connection = prop_oneof![
        4 => Just(connect("m-1")),
        1 => Just(br#"{"header":{"name":"Disconnect","messageId":"m-2"}}"#.to_vec()),
        1 => Just(br#"{"header":{"name":"Connect","messageId":"m-3"}}"#.to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ];
    let sets = select(vec![system(1_600), system(1), json!([])]);
    prop_oneof![
        4 => connection.prop_map(|text| (Leaf::ConnectionFromClient, text)),
        3 => (sets, 0..2_u32, 0..3_u8).prop_map(move |(set, number, salt)| {
            sealed(Leaf::CapabilitiesPublish, number, salt, &publish(&set))
        }),
        6 => (select(bodies()), 0..6_u32, 0..3_u8).prop_map(move |(body, number, salt)| {
            sealed(Leaf::Event, number, salt, &body)
        }),
        1 => (0..3_u32).prop_map(move |number| {
            sealed(Leaf::Microphone, number, 0, b"canary-microphone")
        }),
        1 => (0..6_u32, 0..40_usize).prop_map(move |(number, at)| {
            let (leaf, mut message) = sealed(Leaf::Event, number, 9, &events(&[]));
            message[at] ^= 1;
            (leaf, message)
        }),
        1 => (select(vec![Leaf::Event, Leaf::Microphone, Leaf::Directive]), vec(any::<u8>(), 0..40)),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    select(vec![
        Fault::Acknowledge(AcknowledgeCode::UnknownFailure),
        Fault::LoseConnect,
        Fault::LoseAcknowledge,
        Fault::Lose(Leaf::Directive),
        Fault::Duplicate(Leaf::Speaker),
        Fault::Tamper(Leaf::Directive),
        Fault::Corrupt(Leaf::CapabilitiesAcknowledge),
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = select(vec![Leaf::Directive, Leaf::Speaker, Leaf::CapabilitiesAcknowledge]);
    let message = (message(), prop::bool::weighted(0.05));
    let topics = select(vec![
        "$aws/alexa/ais/v2/my-thing-01/connection/fromclient".to_owned(),
        "$aws/alexa/ais/v1/nobody/connection/fromclient".to_owned(),
        format!("$aws/alexa/ais/v3/{ID}/event"),
        "canary".to_owned(),
    ]);
    prop_oneof![
        2 => (1..3_u32).prop_map(Step::Opened),
        1 => (1..3_u32).prop_map(Step::Closed),
        1 => (0..12_u64).prop_map(Step::Done),
        1 => (0..12_u64).prop_map(Step::Failed),
        24 => message.prop_map(|((leaf, payload), retain)| Step::Message(leaf, payload, retain)),
        2 => topics.prop_map(|topic| Step::Elsewhere(topic, connect("m-7"))),
        1 => any::<bool>().prop_map(Step::Register),
        3 => (0..1_600_usize).prop_map(Step::Directive),
        4 => (0..1_600_usize).prop_map(Step::Speaker),
        2 => Just(Step::Rotate),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Fail),
        1 => Just(Step::Gone),
        1 => (1..4_u16).prop_map(Step::Deprecate),
        1 => Just(Step::Unlink),
        1 => leaf.prop_map(Step::Replay),
        2 => fault().prop_map(Step::Inject),
        1 => Just(Step::Clear),
    ]
}

/// Begins with a device that is connected, so that most scripts come far.
fn script() -> impl Strategy<Value = Vec<(MonoTime, Step)>> {
    let steps = vec((step(), -5..30_i64), 0..40);
    (steps, any::<bool>()).prop_map(|(steps, is_active)| {
        let mut peer = Peer::new(&secret(), 50);
        let publish = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(1_600)));
        let start = [
            Step::Opened(1),
            Step::Message(Leaf::ConnectionFromClient, connect("m-0"), false),
            Step::Message(Leaf::CapabilitiesPublish, publish, false),
        ];
        let start = start.into_iter().take(if is_active { 3 } else { 1 }).map(|step| (step, 1));
        let mut now = 0_i64;
        let each = start.chain(steps).map(|(step, passed)| {
            now = (now + passed).max(0);
            (MonoTime::from_millis(now.unsigned_abs()), step)
        });
        each.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_service_keeps_the_contract(script in script()) {
        let secret = std::str::from_utf8(SECRET).unwrap();
        let canaries =
            [secret, "canary-token", "canary-payload", "canary-speaker", "canary-microphone"];
        let contract = Contract::new(make, feed, Service::clone, QUEUE_BOUND)
            .with_canaries(&canaries)
            .with_commands(|step| !matches!(step, Step::Opened(_) | Step::Closed(_) | Step::Done(_)
                | Step::Failed(_) | Step::Message(..) | Step::Elsewhere(..)));
        if let Err(violation) = contract.check(&script) {
            prop_assert!(false, "{violation}");
        }
    }
}

/// The scripts above come far: without that the property would say little.
#[test]
fn many_scripts_come_far() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let script = script().new_tree(&mut runner).unwrap().current();
        let mut service = make();
        for (now, step) in &script {
            let _ = feed(&mut service, *now, step);
            loop {
                match service.poll_output() {
                    iot_sansio::Output::Event(event) => {
                        let text = format!("{event:?}");
                        names.insert(text.split([' ', '(']).next().unwrap().to_owned());
                    }
                    iot_sansio::Output::Action(_) => {}
                    iot_sansio::Output::Idle(_) => break,
                }
            }
        }
    }
    // Not among them: `Listening` and `RotationLost`, which take longer scripts.
    let expected = [
        "CapabilitiesAccepted",
        "CapabilitiesMissing",
        "CapabilitiesRejected",
        "Connected",
        "Ended",
        "Faulted",
        "Ignored",
        "Malformed",
        "Microphone",
        "NotRegistered",
        "NotSubscribed",
        "Received",
        "Redriving",
        "Refused",
        "Registered",
        "Rotated",
        "RotationUnanswered",
        "Throttled",
        "Unlinked",
    ];
    for name in expected {
        assert!(names.contains(name), "{name}: {names:?}");
    }
}
