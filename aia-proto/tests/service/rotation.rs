//! Rows 29 and 31 to 33, questions Q19 to Q22, scenarios 6 and 7 of section 14.10.

use std::time::Duration;

use aia_proto::{
    Leaf,
    protect::SharedSecret,
    service::{Event, Ignored, ServiceError, State},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::bench::{
    Bench, Peer, config, connect, event, events, id, json, publish, secret, system,
};

fn rotated(event_number: u32, microphone: u32) -> Value {
    let numbers =
        json!({"eventSequenceNumber": event_number, "microphoneSequenceNumber": microphone});
    event("SecretRotated", &numbers)
}

/// Rotates, and gives the device's side with the new secret, and the payload of `RotateSecret`.
fn rotate(bench: &mut Bench, peer: &Peer) -> (Peer, Value, u32) {
    bench.service.rotate(bench.now, &id()).unwrap();
    bench.drain();
    let (number, body) = bench.opened(Leaf::Directive, peer).remove(0);
    let directive = json(&body)["directives"][0].clone();
    assert_eq!(directive["header"]["name"], "RotateSecret");
    let payload = directive["payload"].clone();
    let secret = STANDARD.decode(payload["newSecret"].as_str().unwrap()).unwrap();
    let new = Peer::new(&SharedSecret::from_bytes(&secret).unwrap(), 100);
    (new, payload, number)
}

fn directive(bench: &mut Bench) -> Vec<u8> {
    bench.service.send_directive(bench.now, &id(), "Any", None).unwrap();
    bench.drain();
    bench.take(Leaf::Directive).remove(0)
}

/// Scenario 6.
#[test]
fn each_topic_changes_at_its_number_and_the_next_connection_begins_with_the_new_secret() {
    let (mut bench, mut peer) = Bench::active(config());
    for _ in 0..9 {
        directive(&mut bench);
    }
    for _ in 0..37 {
        bench.service.send_speaker(bench.now, &id(), b"s").unwrap();
    }
    for _ in 0..3 {
        bench.send_events(&mut peer, &[]);
    }
    bench.drain();
    bench.forget();
    let (new, payload, number) = rotate(&mut bench, &peer);
    assert_eq!(number, 9);
    assert_eq!(payload["directiveSequenceNumber"], 12);
    assert_eq!(payload["speakerSequenceNumber"], 40);
    assert!(bench.service.is_rotating(&id()));

    bench.send_events(&mut peer, &[rotated(8, 105)]);
    assert!(bench.events.contains(&Event::Rotated { client_id: id() }));
    assert!(!bench.service.is_rotating(&id()));
    bench.forget();
    for number in 4..12 {
        let sealing = if number < 8 { &peer } else { &new };
        let message = sealing.seal_as(Leaf::Event, number, &events(&[event("E", &json!({}))]));
        bench.message(Leaf::Event, &message);
    }
    assert_eq!(bench.events.len(), 8);
    for number in 10..15 {
        let opening = if number < 12 { &peer } else { &new };
        assert_eq!(opening.open(directive(&mut bench)).0, number);
    }
    for number in 37..43 {
        bench.service.send_speaker(bench.now, &id(), b"s").unwrap();
        bench.drain();
        let opening = if number < 40 { &peer } else { &new };
        assert_eq!(bench.opened(Leaf::Speaker, opening)[0].0, number);
    }
    // Q19: capabilities keep the secret that the connection began with.
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(6_000)));
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(bench.opened(Leaf::CapabilitiesAcknowledge, &peer)[0].0, 1);

    bench.clear_message(&connect("m-2"));
    bench.forget();
    let message = new.seal_as(Leaf::Event, 0, &events(&[]));
    bench.message(Leaf::Event, &message);
    assert_eq!((bench.service.state(&id()), &bench.events[..]), (State::Active, &[][..]));
    assert_eq!(new.open(directive(&mut bench)).0, 0);
}

/// The new secret may be in use before the message that says so is in order.
#[test]
fn events_under_the_new_secret_may_overtake_the_answer() {
    let (mut bench, mut peer) = Bench::active(config());
    let (new, ..) = rotate(&mut bench, &peer);
    let message = new.seal_as(Leaf::Event, 1, &events(&[event("Early", &json!({}))]));
    bench.message(Leaf::Event, &message);
    bench.send_events(&mut peer, &[rotated(1, 0)]);
    let names = bench.events.iter().filter_map(|event| match event {
        Event::Received(it) => Some(it.name.as_str()),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), ["SecretRotated", "Early"]);
    assert_eq!(bench.published, []);
}

/// Row 29. A device that misses `RotateSecret` must not get what it cannot open.
#[test]
fn nothing_is_sent_under_the_new_secret_before_it_is_answered_or_given_up() {
    let timeout = Duration::from_secs(5);
    let config = || config().with_rotation_margin(1).with_rotation_timeout(timeout);
    for is_answered in [true, false] {
        let (mut bench, mut peer) = Bench::active(config());
        let (new, payload, _) = rotate(&mut bench, &peer);
        assert_eq!(payload["directiveSequenceNumber"], 2);
        assert_eq!(payload["speakerSequenceNumber"], 2);
        assert_eq!(peer.open(directive(&mut bench)).0, 1);
        let rotating = ServiceError::Rotating { client_id: id() };
        let refused = bench.service.send_directive(bench.now, &id(), "Any", None);
        assert_eq!(refused, Err(rotating.clone()));
        // The other topic has messages left.
        for number in 0..2 {
            bench.service.send_speaker(bench.now, &id(), b"s").unwrap();
            bench.drain();
            assert_eq!(bench.opened(Leaf::Speaker, &peer)[0].0, number);
        }
        assert_eq!(bench.service.send_speaker(bench.now, &id(), b"s"), Err(rotating));
        if is_answered {
            bench.send_events(&mut peer, &[rotated(1, 0)]);
        } else {
            bench.now = bench.now.after(timeout);
        }
        assert_eq!(new.open(directive(&mut bench)).0, 2);
        bench.service.send_speaker(bench.now, &id(), b"s").unwrap();
        bench.drain();
        assert_eq!(bench.opened(Leaf::Speaker, &new)[0].0, 2);
    }
}

/// What the service must say itself cannot wait.
#[test]
fn an_exception_goes_out_under_the_new_secret() {
    let (mut bench, mut peer) = Bench::active(config().with_rotation_margin(0));
    let (new, ..) = rotate(&mut bench, &peer);
    bench.send_events(&mut peer, &[json!(1)]);
    assert_eq!(bench.exceptions(&new), ["INVALID_REQUEST"]);
}

/// Row 33, and what else may stand in the way.
#[test]
fn a_second_rotation_has_to_wait() {
    let (mut bench, mut peer) = Bench::active(config());
    let (_, _, _) = rotate(&mut bench, &peer);
    let rotating = Err(ServiceError::Rotating { client_id: id() });
    assert_eq!(bench.service.rotate(bench.now, &id()), rotating);
    bench.send_events(&mut peer, &[rotated(1, 0)]);
    assert_eq!(bench.service.rotate(bench.now, &id()), Ok(()));

    let (mut bench, mut peer) = Bench::connected(config());
    let not_ready = Err(ServiceError::NotReady { client_id: id() });
    assert_eq!(bench.service.rotate(bench.now, &id()), not_ready);
    bench.send_events(&mut peer, &[]);
    let none = Err(ServiceError::NoCapabilities { client_id: id() });
    assert_eq!(bench.service.rotate(bench.now, &id()), none);
}

/// A topic that nothing is sent on keeps all secrets.
#[test]
fn a_connection_uses_six_secrets_at_most() {
    let (mut bench, mut peer) = Bench::active(config().with_rotation_margin(0));
    for next in 0..5 {
        let (mut new, ..) = rotate(&mut bench, &peer);
        let answer = peer.seal_as(Leaf::Event, next, &events(&[rotated(next + 1, 0)]));
        bench.message(Leaf::Event, &answer);
        std::mem::swap(&mut peer, &mut new);
    }
    let full = Err(ServiceError::TooManySecrets { client_id: id(), limit: 6 });
    assert_eq!(bench.service.rotate(bench.now, &id()), full);
}

#[test]
fn the_new_secret_is_as_long_as_the_old() {
    let short = SharedSecret::from(&[5; 16]);
    let config = config().with_device(crate::bench::ACCOUNT, id(), short.clone());
    let mut bench = Bench::new(config);
    let mut peer = bench.reconnect(&short, 0);
    let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(1_500)));
    bench.message(Leaf::CapabilitiesPublish, &message);
    let (new, ..) = rotate(&mut bench, &peer);
    assert_eq!(new.cipher.secret().len(), 16);
    assert_ne!(new.cipher.secret(), &short);
}

/// Row 32.
#[test]
fn an_answer_that_does_not_come_is_told_and_may_come_late() {
    let timeout = Duration::from_secs(5);
    let (mut bench, mut peer) = Bench::active(config().with_rotation_timeout(timeout));
    rotate(&mut bench, &peer);
    assert_eq!(bench.deadline, Some(bench.now.after(timeout)));
    bench.sleep(timeout);
    assert_eq!(bench.take_events(), [Event::RotationUnanswered { client_id: id() }]);
    assert_eq!(bench.deadline, None);
    let rotating = Err(ServiceError::Rotating { client_id: id() });
    assert_eq!(bench.service.rotate(bench.now, &id()), rotating);
    bench.send_events(&mut peer, &[rotated(1, 0)]);
    assert!(bench.events.contains(&Event::Rotated { client_id: id() }));
}

/// Scenario 7: the device saved the new secret and crashed.
#[test]
fn a_device_may_come_back_with_the_new_secret() {
    let (mut bench, peer) = Bench::active(config());
    let (new, ..) = rotate(&mut bench, &peer);
    let mut peer = bench.reconnect(new.cipher.secret(), 1);
    bench.send_events(&mut peer, &[event("New", &json!({}))]);
    assert!(matches!(bench.events[..], [Event::Received(_)]));
    assert_eq!(peer.open(directive(&mut bench)).0, 0);
}

/// Scenario 7, the mirror case: it crashed before it saved the secret.
#[test]
fn a_device_may_come_back_with_the_old_secret_and_the_new_one_is_given_up() {
    let (mut bench, peer) = Bench::active(config());
    let (new, ..) = rotate(&mut bench, &peer);
    let mut peer = bench.reconnect(&secret(), 1);
    bench.send_events(&mut peer, &[event("Old", &json!({}))]);
    assert_eq!(bench.events[0], Event::RotationLost { client_id: id() });
    assert!(matches!(bench.events[1..], [Event::Received(_)]));
    assert_eq!(peer.open(directive(&mut bench)).0, 0);

    bench.reconnect(&secret(), 2);
    let message = new.seal_as(Leaf::Event, 0, &events(&[]));
    bench.message(Leaf::Event, &message);
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
}

/// Question Q22.
#[test]
fn late_messages_of_an_earlier_connection_are_dropped_for_ten_seconds() {
    let (mut bench, mut peer) = Bench::active(config());
    let seen = peer.seal(Leaf::Event, &events(&[]));
    bench.message(Leaf::Event, &seen);
    let (new, ..) = rotate(&mut bench, &peer);
    let late = peer.seal(Leaf::Event, &events(&[]));
    let mut new = bench.reconnect(new.cipher.secret(), 1);
    let ignored =
        Event::Ignored { client_id: id(), leaf: Leaf::Event, reason: Ignored::EarlierSecret };
    // Before the device has said anything, and a replay at any time.
    bench.message(Leaf::Event, &late);
    bench.message(Leaf::Event, &seen);
    assert_eq!(bench.take_events(), [ignored.clone(), ignored.clone()]);
    // And afterwards.
    bench.send_events(&mut new, &[]);
    bench.sleep(Duration::from_millis(9_999));
    bench.message(Leaf::Event, &late);
    assert_eq!((bench.take_events(), &bench.published[..]), (vec![ignored], &[][..]));
    bench.sleep(Duration::from_millis(1));
    bench.message(Leaf::Event, &late);
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
}

#[test]
fn a_replay_under_the_old_secret_shows_nothing_at_any_time() {
    let (mut bench, mut peer) = Bench::active(config());
    let seen = peer.seal(Leaf::Event, &events(&[]));
    bench.message(Leaf::Event, &seen);
    let (new, ..) = rotate(&mut bench, &peer);
    let mut new = bench.reconnect(new.cipher.secret(), 1);
    bench.sleep(Duration::from_secs(20));
    bench.message(Leaf::Event, &seen);
    let reason = Ignored::EarlierSecret;
    assert_eq!(
        bench.take_events(),
        [Event::Ignored { client_id: id(), leaf: Leaf::Event, reason }]
    );
    bench.send_events(&mut new, &[]);
    assert_eq!(bench.service.state(&id()), State::Active);
}

/// The first message under the old secret was lost: the connection has a gap, and no wrong secret.
#[test]
fn after_ten_seconds_any_number_shows_the_old_secret() {
    let (mut bench, peer) = Bench::active(config());
    rotate(&mut bench, &peer);
    let mut peer = bench.reconnect(&secret(), 1);
    peer.skip(Leaf::Event);
    bench.sleep(Duration::from_secs(10));
    bench.send_events(&mut peer, &[]);
    assert_eq!(bench.take_events(), [Event::RotationLost { client_id: id() }]);
    bench.sleep(Duration::from_secs(10));
    assert_eq!(bench.answers(), ["Disconnect UNEXPECTED_SEQUENCE_NUMBER"]);
}

#[test]
fn while_the_secret_is_open_a_short_message_is_not_answered() {
    let (mut bench, peer) = Bench::active(config());
    rotate(&mut bench, &peer);
    bench.reconnect(&secret(), 1);
    bench.message(Leaf::Event, &[0; 35]);
    let reason = Ignored::TooShort;
    assert_eq!(bench.events, [Event::Ignored { client_id: id(), leaf: Leaf::Event, reason }]);
    assert_eq!(bench.published, []);
}
