//! Rows 13 to 17.

use aia_proto::{
    Leaf,
    connection::DisconnectCode,
    device::CapabilitiesError,
    service::{Event, Malformed, Rejection, ServiceError, State},
};
use serde_json::{Value, json};

use crate::bench::{Bench, Peer, config, event, id, json, publish, secret, system};

fn accept(set: &Value) -> (Bench, Peer) {
    let (mut bench, mut peer) = Bench::connected(config());
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(set));
    bench.message(Leaf::CapabilitiesPublish, &message);
    (bench, peer)
}

fn code(bench: &mut Bench, peer: &Peer) -> (u32, String) {
    let (number, body) = bench.opened(Leaf::CapabilitiesAcknowledge, peer).remove(0);
    let body = json(&body);
    assert_eq!(body["header"]["name"], "Acknowledge");
    assert_eq!(body["payload"]["publishMessageId"], "c-1");
    let code = body["payload"]["code"].as_str().unwrap();
    assert_eq!(body["payload"]["description"].is_string(), code == "CAPABILITIES_REJECTED");
    (number, code.to_owned())
}

/// Row 13.
#[test]
fn a_full_set_as_the_first_message_is_accepted() {
    let (mut bench, peer) = accept(&system(6_000));
    assert_eq!(code(&mut bench, &peer), (0, "CAPABILITIES_ACCEPTED".to_owned()));
    assert_eq!(bench.service.state(&id()), State::Active);
    let capabilities = bench.service.capabilities(&id()).unwrap().clone();
    assert!(capabilities.has("System"));
    assert_eq!(bench.events, [Event::CapabilitiesAccepted { client_id: id(), capabilities }]);
}

/// Row 14.
#[test]
fn a_bad_set_is_rejected_and_an_earlier_one_stays() {
    let size = |size: Value| {
        let mut set = system(1_500);
        *set.pointer_mut("/0/configurations/mqtt/message/maxSizeInBytes").unwrap() = size;
        set
    };
    let no_interface = CapabilitiesError::NoInterface { index: 1 };
    let cases = [
        (json!({}), Rejection::BadSet(CapabilitiesError::NotAnArray)),
        (json!([]), Rejection::BadSet(CapabilitiesError::NoSystem)),
        (json!([{"interface": "Clock"}]), Rejection::BadSet(CapabilitiesError::NoSystem)),
        (json!([{"interface": "System"}, {"interface": 1}]), Rejection::BadSet(no_interface)),
        (json!([{"interface": "System"}, "Clock"]), Rejection::BadSet(no_interface)),
        (size(json!(1_499)), Rejection::MaxSize),
        (size(json!(128_001)), Rejection::MaxSize),
        (size(json!(6_000.5)), Rejection::MaxSize),
        (size(json!("6000")), Rejection::MaxSize),
    ];
    for (set, reason) in cases {
        let (mut bench, _) = Bench::active(config());
        let mut peer = bench.reconnect(&secret(), 1);
        let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&set));
        bench.message(Leaf::CapabilitiesPublish, &message);
        assert_eq!(code(&mut bench, &peer), (0, "CAPABILITIES_REJECTED".to_owned()), "{set}");
        assert_eq!(bench.take_events(), [Event::CapabilitiesRejected { client_id: id(), reason }]);
        assert_eq!(bench.service.state(&id()), State::NoCapabilities);

        let mut peer = bench.reconnect(&secret(), 2);
        bench.send_events(&mut peer, &[]);
        assert_eq!(bench.service.state(&id()), State::Active, "{set}");
    }
}

#[test]
fn the_limits_of_the_size_are_accepted_and_it_may_be_left_out() {
    for set in [system(1_500), system(128_000), json!([{"interface": "System"}])] {
        let (mut bench, peer) = accept(&set);
        assert_eq!(code(&mut bench, &peer).1, "CAPABILITIES_ACCEPTED", "{set}");
    }
}

#[test]
fn what_is_no_publish_cannot_be_answered_as_one() {
    let bodies = [
        (r"{", None),
        (r#"{"header":{"name":"Acknowledge","messageId":"c"}}"#, Some(Malformed::NotPublish)),
        (r#"{"header":{"name":"Publish"}}"#, Some(Malformed::NoMessageId)),
        (r#"{"header":{"name":"Publish","messageId":""}}"#, Some(Malformed::NoMessageId)),
    ];
    for (body, expected) in bodies {
        let (mut bench, mut peer) = Bench::connected(config());
        let message = peer.seal(Leaf::CapabilitiesPublish, body.as_bytes());
        bench.message(Leaf::CapabilitiesPublish, &message);
        assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"]);
        assert_eq!(bench.service.state(&id()), State::NoCapabilities);
        let [Event::Malformed { fault, .. }] = bench.events[..] else { panic!() };
        match expected {
            Some(expected) => assert_eq!(fault, expected),
            None => assert!(matches!(fault, Malformed::BadJson(_))),
        }
    }
}

/// Row 15 is in `connections.rs`. Row 16, and scenario 10 of section 14.10 with row 17.
#[test]
fn without_a_set_another_first_message_is_told_off_and_a_late_publish_rejected() {
    for leaf in [Leaf::Event, Leaf::Microphone] {
        let (mut bench, mut peer) = Bench::connected(config());
        let body = crate::bench::events(&[event("SynchronizeState", &json!({}))]);
        let message = peer.seal(leaf, &body);
        bench.message(leaf, &message);
        assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"]);
        let missing = Event::CapabilitiesMissing { client_id: id(), leaf };
        assert_eq!(bench.take_events(), [missing], "it is not handed over");
        assert_eq!(bench.service.state(&id()), State::NoCapabilities);

        let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(6_000)));
        bench.message(Leaf::CapabilitiesPublish, &message);
        assert_eq!(code(&mut bench, &peer).1, "CAPABILITIES_REJECTED");
        let reason = Rejection::TooLate;
        assert_eq!(bench.take_events(), [Event::CapabilitiesRejected { client_id: id(), reason }]);
        // Only the first message is not taken.
        bench.send_events(&mut peer, &[event("ExceptionEncountered", &json!({}))]);
        assert!(matches!(bench.events[..], [Event::Received(_)]));
    }
}

/// Row 17.
#[test]
fn a_second_publish_is_rejected_and_the_first_goes_on_to_count() {
    let (mut bench, mut peer) = Bench::active(config());
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(2_000)));
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(code(&mut bench, &peer), (1, "CAPABILITIES_REJECTED".to_owned()));
    assert_eq!(bench.service.state(&id()), State::Active);
    bench.service.send_speaker(bench.now, &id(), &[0; 5_964]).unwrap();
}

/// Question Q15: it is the order of numbers that counts on a topic, and of arrival among topics.
#[test]
fn a_publish_that_comes_after_another_topic_is_late() {
    let (mut bench, mut peer) = Bench::connected(config());
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(6_000)));
    bench.send_events(&mut peer, &[]);
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(code(&mut bench, &peer).1, "CAPABILITIES_REJECTED");
}

#[test]
fn messages_keep_to_the_size_that_the_device_takes() {
    let (mut bench, mut peer) = Bench::connected(config());
    let sent = bench.service.send_speaker(bench.now, &id(), &[]);
    assert_eq!(sent, Err(ServiceError::NotReady { client_id: id() }));
    bench.send_events(&mut peer, &[]);
    let no_speaker = Err(ServiceError::NoSpeaker { client_id: id() });
    assert_eq!(bench.service.send_speaker(bench.now, &id(), &[]), no_speaker);
    let too_large = |size, limit| ServiceError::TooLarge { client_id: id(), size, limit };
    let empty = r#"{"directives":[{"header":{"name":"","messageId":""}}]}"#.len();
    // The header and the id have 36 bytes each.
    let name = |size: usize| "N".repeat(size - 36 - 36 - empty);
    let mut send = |size| bench.service.send_directive(bench.now, &id(), &name(size), None);
    assert_eq!(send(1_501), Err(too_large(1_501, 1_500)));
    assert!(send(1_500).is_ok());

    let (mut bench, _) = Bench::active(config());
    let mut send = |len| bench.service.send_speaker(bench.now, &id(), &vec![0; len]);
    assert_eq!(send(5_965), Err(too_large(6_001, 6_000)));
    assert!(send(5_964).is_ok());

    // It counts from the beginning of the next connection that goes on with the set.
    let mut peer = bench.reconnect(&secret(), 1);
    bench.send_events(&mut peer, &[]);
    assert!(bench.service.send_speaker(bench.now, &id(), &[0; 5_964]).is_ok());
    let payload = aia_proto::Json::new(&format!("\"{}\"", "x".repeat(6_000))).unwrap();
    let sent = bench.service.send_directive(bench.now, &id(), "Any", Some(&payload));
    let Err(ServiceError::TooLarge { size, .. }) = sent else { panic!("{sent:?}") };
    bench.drain();
    let sent = bench.service.send_directive(bench.now, &id(), "Any", None);
    assert!(sent.is_ok());
    bench.drain();
    let (topic, message) = bench.published.last().unwrap();
    assert!(topic.ends_with("/directive"));
    // The payload and `,"payload":` make the difference.
    assert_eq!(size - message.len(), 6_002 + 11);
}

/// Scenarios 1 and 9 of section 14.10, the service's part.
#[test]
fn a_set_changes_with_a_connection_of_its_own() {
    let (mut bench, mut peer) = accept(&system(2_000));
    bench.send_events(&mut peer, &[event("SynchronizeState", &json!({}))]);
    // The same set: no Publish.
    let mut peer = bench.reconnect(&secret(), 1);
    bench.send_events(&mut peer, &[event("SynchronizeState", &json!({}))]);
    assert!(matches!(bench.events[..], [Event::Received(_)]));
    assert_eq!((bench.service.state(&id()), &bench.published[..]), (State::Active, &[][..]));
    // Another set.
    bench.disconnect(DisconnectCode::GoingOffline);
    let mut peer = bench.reconnect(&secret(), 2);
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(6_000)));
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(code(&mut bench, &peer), (0, "CAPABILITIES_ACCEPTED".to_owned()));
    assert!(bench.service.send_speaker(bench.now, &id(), &[0; 5_964]).is_ok());
}

#[test]
fn a_device_without_speaker_is_sent_no_audio() {
    let (mut bench, _) = accept(&json!([{"interface": "System"}]));
    let no_speaker = Err(ServiceError::NoSpeaker { client_id: id() });
    assert_eq!(bench.service.send_speaker(bench.now, &id(), b"s"), no_speaker);
}
