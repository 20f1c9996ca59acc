//! Rows 1 and 2.

use aia_proto::{
    ClientId, Leaf,
    registration::{
        Algorithm, Authentication, ErrorCode, IotIdentity, KeyPair, RegistrationError, Request,
        read_answer,
    },
    service::{End, Event, ServiceError, State},
};
use serde_json::{Value, json};

use crate::bench::{
    ACCOUNT, Bench, ID, Peer, config, connect, established, id, publish, root, system,
};

const ALGORITHM: Algorithm = Algorithm::Curve25519With16BytesSha256;

fn request(client_id: &str) -> Request {
    let iot = IotIdentity::new(ACCOUNT, ClientId::new(client_id).unwrap(), "iot.example");
    let keys = KeyPair::from_random([3; 32]);
    Request::new(Authentication::new("canary-token", "lwa"), ALGORITHM, keys.public_key(), iot)
}

fn body(client_id: &str) -> Value {
    serde_json::from_slice(request(client_id).encode().expose()).unwrap()
}

#[test]
fn a_registered_device_shares_a_secret_and_connects() {
    let config = aia_proto::service::Config::new(root(), [7; 32]);
    let mut bench = Bench::new(config);
    assert_eq!(bench.service.state(&id()), State::Unknown);
    let answer = bench.service.register(bench.now, request(ID).encode().expose()).unwrap();
    bench.drain();
    assert_eq!(bench.take_events(), [Event::Registered { client_id: id() }]);
    let response = read_answer(answer.status, &answer.body).unwrap();
    assert_eq!(response.topic_root, root());
    let secret = KeyPair::from_random([3; 32]).agree(ALGORITHM, &response.public_key).unwrap();
    assert_eq!(secret.len(), 16);

    bench.clear_message(&connect("m-1"));
    let mut peer = Peer::new(&secret, 0);
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(2_000)));
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(bench.service.state(&id()), State::Active);
}

#[test]
fn two_registrations_have_keys_of_their_own() {
    let mut bench = Bench::new(config());
    let mut register = || bench.service.register(bench.now, request(ID).encode().expose()).unwrap();
    let [first, second] = [register(), register()].map(|it| read_answer(it.status, &it.body));
    assert_ne!(first.unwrap().public_key, second.unwrap().public_key);
}

#[test]
fn a_new_registration_drops_a_connection_in_silence_and_forgets_capabilities() {
    let (mut bench, mut peer) = Bench::active(config());
    assert!(bench.service.capabilities(&id()).is_some());
    bench.service.register(bench.now, request(ID).encode().expose()).unwrap();
    bench.drain();
    let ended = Event::Ended { client_id: id(), reason: End::Registration };
    assert_eq!(bench.take_events(), [ended, Event::Registered { client_id: id() }]);
    assert_eq!(bench.published, []);
    assert_eq!(bench.service.state(&id()), State::Idle);
    assert!(bench.service.capabilities(&id()).is_none());
    // The old secret does not count any more.
    bench.clear_message(&connect("m-2"));
    assert_eq!(bench.answers(), [established()]);
    bench.send_events(&mut peer, &[]);
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
}

#[test]
fn what_is_wrong_is_answered_by_its_code() {
    let with = |pointer: &str, value: Value| {
        let mut body = body(ID);
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let without = |object: &str, member: &str| {
        let mut body = body(ID);
        body[object].as_object_mut().unwrap().remove(member);
        body.to_string()
    };
    let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let cases = [
        ("{".to_owned(), ErrorCode::InvalidRequest),
        ("[]".to_owned(), ErrorCode::InvalidRequest),
        (without("iot", "endpoint"), ErrorCode::MissingParam),
        (without("authentication", "token"), ErrorCode::MissingParam),
        (with("/encryption/algorithm", json!("RSA")), ErrorCode::InvalidEncryptionAlgorithm),
        (with("/encryption/publicKey", json!("!")), ErrorCode::InvalidEncryptionData),
        (with("/encryption/publicKey", json!(zero)), ErrorCode::InvalidEncryptionData),
        (with("/iot/clientId", json!("a/b")), ErrorCode::InvalidRequest),
    ];
    for (text, expected) in cases {
        let (mut bench, _) = Bench::active(config());
        let answer = bench.service.register(bench.now, text.as_bytes()).unwrap();
        bench.drain();
        let error = read_answer(answer.status, &answer.body).unwrap_err();
        let RegistrationError::Refused { status, refusal } = error else { panic!("{text}") };
        assert_eq!((refusal.code, status), (expected.clone(), expected.status()), "{text}");
        assert_eq!(bench.take_events(), [Event::NotRegistered { code: expected }]);
        // Row 2: the same state.
        assert_eq!(bench.service.state(&id()), State::Active, "{text}");
    }
}

#[test]
fn one_device_more_than_may_be_is_refused_and_a_known_one_is_not() {
    let mut bench = Bench::new(config().with_max_devices(1));
    let answer = bench.service.register(bench.now, request("other").encode().expose()).unwrap();
    assert_eq!(answer.status, 500);
    let answer = bench.service.register(bench.now, request(ID).encode().expose()).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(bench.service.devices().collect::<Vec<_>>(), [&id()]);
}

#[test]
fn a_full_queue_refuses_a_registration() {
    let mut bench = Bench::closed(config().with_max_queued(1));
    let body = request(ID).encode();
    bench.service.register(bench.now, body.expose()).unwrap();
    let full = Err(ServiceError::QueueFull { limit: 1 });
    assert_eq!(bench.service.register(bench.now, body.expose()), full);
}
