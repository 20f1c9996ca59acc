//! Rows 1 to 5 and 48, and what a restart finds.

use aia_proto::{
    ApiVersion,
    device::{CommandError, Device, Event},
    registration::{Authentication, KeyPair, Registration, Request, Response},
};
use iot_sansio::{Machine as _, MonoTime, Output};

use crate::run::{Run, acknowledge_capabilities, config, registration};

const NOW: MonoTime = MonoTime::ORIGIN;

fn authentication() -> Authentication {
    Authentication::new("canary-token", "amzn1.application-oa2-client.example")
}

/// A device that waits for the answer to its registration, and the request.
fn registering() -> (Device, Request) {
    let mut device = Device::new(config(), None, [7; 32]);
    device.register(NOW, authentication(), ApiVersion::V1).unwrap();
    let request = request(&mut device);
    (device, request)
}

fn request(device: &mut Device) -> Request {
    match device.poll_output() {
        Output::Event(Event::RegistrationWanted(wanted)) => {
            assert!(!format!("{wanted:?}").contains("canary"));
            Request::decode(wanted.body.expose()).unwrap()
        }
        other => panic!("no request: {other:?}"),
    }
}

/// What the service answers: its public key.
fn response(service: &KeyPair) -> Vec<u8> {
    let root = aia_proto::TopicRoot::new("$aws/alexa").unwrap();
    Response::new(service.public_key(), root).encode()
}

#[test]
fn row_2_a_registration_is_saved_in_one_piece() {
    let (mut device, request) = registering();
    let service = KeyPair::from_random([9; 32]);
    device.registration_answered(NOW, 200, &response(&service)).unwrap();
    assert!(matches!(device.poll_output(), Output::Event(Event::Registered)));
    let Output::Event(Event::Save(saved)) = device.poll_output() else { panic!("not saved") };
    let secret = service.agree(request.algorithm, &request.public_key).unwrap();
    assert_eq!(saved.secret, secret);
    assert_eq!(
        (saved.topic_root.as_str(), saved.client_id.as_str()),
        ("$aws/alexa", "my-thing-01")
    );
    assert!(matches!(device.poll_output(), Output::Event(Event::MqttWanted)));
    let restarted = Registration::decode(saved.encode().expose()).unwrap();
    assert_eq!(Run::new(config(), Some(restarted)).up().len(), 4, "it subscribes");
}

#[test]
fn scenario_1_first_boot() {
    let mut run = Run::new(config(), None);
    run.device.register(NOW, authentication(), ApiVersion::V1).unwrap();
    let (service, request) = (KeyPair::from_random([9; 32]), request(&mut run.device));
    run.secret = service.agree(request.algorithm, &request.public_key).unwrap();
    run.device.registration_answered(NOW, 200, &response(&service)).unwrap();
    assert_eq!(run.drain(), ["registered", "save digest=false previous=false", "mqtt wanted"]);
    assert_eq!(run.up().len(), 4);
    assert_eq!(run.grant(), ["Connect 123456789012"]);
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);
    let accepted = acknowledge_capabilities(&run.published_id.clone(), "CAPABILITIES_ACCEPTED");
    assert_eq!(
        run.protected("capabilities/acknowledge", 0, &accepted),
        ["save digest=true previous=false", "event 0 SynchronizeState null", "connected"]
    );
    run.down();
    run.after(50);
    assert_eq!(run.connected(), ["event 0 SynchronizeState null", "connected"]);
}

#[test]
fn row_48_nothing_is_left_of_topics_that_are_others_now() {
    let mut run = Run::ready(config());
    run.disconnect("ENCRYPTION_ERROR");
    run.device.register(run.now, authentication(), ApiVersion::new(2)).unwrap();
    run.drain();
    let service = KeyPair::from_random([9; 32]);
    run.device.registration_answered(run.now, 200, &response(&service)).unwrap();
    let outputs = core::iter::from_fn(|| match run.device.poll_output() {
        Output::Idle(_) => None,
        output => Some(format!("{output:?}")),
    });
    let left: Vec<_> = outputs.filter(|output| output.contains("/ais/v1/")).collect();
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.iter().all(|output| output.contains("Unsubscribe")), "{left:?}");
}

#[test]
fn row_3_what_may_succeed_later_is_asked_again_with_new_keys() {
    let cases: [fn(&mut Device); 3] = [
        |device| device.registration_failed(NOW).unwrap(),
        |device| device.registration_answered(NOW, 502, b"<html>").unwrap(),
        |device| {
            let body = br#"{"code":"INTERNAL_SERVER_ERROR"}"#;
            device.registration_answered(NOW, 500, body).unwrap();
        },
    ];
    for fail in cases {
        let (mut device, first) = registering();
        fail(&mut device);
        let Output::Idle(Some(deadline)) = device.poll_output() else { panic!("no deadline") };
        assert!(deadline < MonoTime::from_millis(2_000), "{deadline:?}");
        device.handle_timeout(deadline);
        assert_ne!(request(&mut device).public_key, first.public_key);
    }
}

#[test]
fn row_4_a_refused_key_is_renewed_once() {
    let (mut device, first) = registering();
    let refusal = br#"{"code":"INVALID_ENCRYPTION_DATA"}"#;
    device.registration_answered(NOW, 400, refusal).unwrap();
    assert_ne!(request(&mut device).public_key, first.public_key);
    device.registration_answered(NOW, 400, refusal).unwrap();
    let rejected = device.poll_output();
    assert!(matches!(rejected, Output::Event(Event::RegistrationRejected(_))), "{rejected:?}");
}

#[test]
fn row_5_other_refusals_end_the_registration() {
    for (status, body) in [
        (403, r#"{"code":"INVALID_AWS_ACCOUNT"}"#),
        (401, r#"{"code":"INVALID_AUTHENTICATION_CREDENTIALS"}"#),
        (404, "<html>"),
        (200, "{}"),
    ] {
        let (mut device, _) = registering();
        device.registration_answered(NOW, status, body.as_bytes()).unwrap();
        let rejected = device.poll_output();
        assert!(matches!(rejected, Output::Event(Event::RegistrationRejected(_))), "{rejected:?}");
        assert!(device.register(NOW, authentication(), ApiVersion::V1).is_ok(), "row 1 again");
    }
}

#[test]
fn answers_without_a_question_are_refused() {
    let (mut device, _) = registering();
    device.registration_failed(NOW).unwrap();
    let refused = device.registration_answered(NOW, 200, b"{}");
    assert_eq!(refused, Err(CommandError::NotRegistering), "the next request is not out yet");
    let mut device = Device::new(config(), Some(registration()), [7; 32]);
    assert_eq!(device.registration_failed(NOW), Err(CommandError::NotRegistering));
    let refused = device.registration_answered(NOW, 200, b"{}");
    assert_eq!(refused, Err(CommandError::NotRegistering));
    let refused = device.register(NOW, authentication(), ApiVersion::V1);
    assert_eq!(refused, Err(CommandError::Registered));
}

#[test]
fn row_48_a_newer_version_is_in_the_url_and_in_the_topics() {
    let mut run = Run::new(config(), Some(registration()));
    run.connecting();
    let told = run.acknowledge("API_VERSION_DEPRECATED");
    assert_eq!(told.last().unwrap(), "needs registration: ApiVersion");
    run.device.register(run.now, authentication(), ApiVersion::new(2)).unwrap();
    assert_eq!(run.drain(), ["http https://api.amazonalexa.com/v2/ais/registration"]);
    let service = KeyPair::from_random([9; 32]);
    run.device.registration_answered(run.now, 200, &response(&service)).unwrap();
    let subscribed = core::iter::from_fn(|| match run.device.poll_output() {
        Output::Idle(_) => None,
        output => Some(format!("{output:?}")),
    });
    let subscribed: Vec<_> = subscribed.filter(|output| output.contains("filter")).collect();
    assert_eq!(subscribed.len(), 4);
    assert!(subscribed.iter().all(|filter| filter.contains("/ais/v2/")), "{subscribed:?}");
}
