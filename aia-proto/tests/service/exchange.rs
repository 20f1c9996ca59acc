//! Rows 18 to 24, 28 and 30.

use std::time::Duration;

use aia_proto::{
    Json, Leaf, MessageId,
    protect::SharedSecret,
    sequence,
    service::{Directive, End, Event, ExceptionCode, Malformed, ServiceError, State},
};
use serde_json::{Value, json};

use crate::bench::{Bench, Peer, config, event, events, id, json, secret};

/// Row 18.
#[test]
fn what_cannot_be_opened_ends_the_connection() {
    let (mut bench, mut peer) = Bench::active(config());
    let mut message = peer.seal(Leaf::Event, &events(&[event("Any", &json!({}))]));
    *message.last_mut().unwrap() ^= 1;
    bench.message(Leaf::Event, &message);
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
    let reason = End::EncryptionError { leaf: Leaf::Event };
    assert_eq!(bench.events, [Event::Ended { client_id: id(), reason }]);
    assert_eq!(bench.service.state(&id()), State::Idle);

    let (mut bench, _) = Bench::active(config());
    let mut other = Peer::new(&SharedSecret::from(&[1; 32]), 0);
    bench.send_events(&mut other, &[]);
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
}

/// Row 19.
#[test]
fn a_message_whose_numbers_differ_ends_the_connection() {
    let (mut bench, mut peer) = Bench::active(config());
    let mut message = peer.seal(Leaf::Event, &events(&[event("Any", &json!({}))]));
    message[0] = 1;
    bench.message(Leaf::Event, &message);
    assert_eq!(bench.answers(), ["Disconnect MESSAGE_TAMPERED"]);
    let [Event::Ended { reason: End::Tampered { leaf: Leaf::Event, outer, inner }, .. }] =
        bench.events[..]
    else {
        panic!("{:?}", bench.events);
    };
    assert_eq!((outer.get(), inner.get()), (1, 0));
}

/// Row 20.
#[test]
fn a_lost_message_ends_the_connection_when_the_time_is_over() {
    let order = sequence::Config::default().with_gap_time(Duration::from_secs(3));
    let (mut bench, mut peer) = Bench::active(config().with_order(order));
    peer.skip(Leaf::Event);
    bench.send_events(&mut peer, &[event("Any", &json!({}))]);
    assert_eq!(bench.deadline, Some(bench.now.after(Duration::from_secs(3))));
    bench.sleep(Duration::from_millis(2_999));
    assert_eq!((&bench.published[..], &bench.events[..]), (&[][..], &[][..]));
    bench.sleep(Duration::from_millis(1));
    assert_eq!(bench.answers(), ["Disconnect UNEXPECTED_SEQUENCE_NUMBER"]);
    let [Event::Ended { reason: End::Lost { leaf: Leaf::Event, expected }, .. }] = bench.events[..]
    else {
        panic!("{:?}", bench.events);
    };
    assert_eq!(expected.get(), 0);
    assert_eq!(bench.deadline, None);
}

/// P2 of the contract: what time would do counts, and does not happen.
#[test]
fn a_command_that_comes_too_late_is_refused() {
    let (mut bench, mut peer) = Bench::active(config());
    peer.skip(Leaf::Event);
    bench.send_events(&mut peer, &[]);
    let deadline = bench.deadline.unwrap();
    let before = bench.service.clone();
    let late = bench.service.send_directive(deadline, &id(), "Any", None);
    assert_eq!(late, Err(ServiceError::NotConnected { client_id: id() }));
    assert_eq!(bench.service, before);
}

/// Row 20.
#[test]
fn a_number_beyond_the_window_ends_the_connection_at_once() {
    let order = sequence::Config::default().with_window(4);
    for (number, is_over) in [(4, false), (5, true)] {
        let (mut bench, peer) = Bench::active(config().with_order(order));
        let message = peer.seal_as(Leaf::Event, number, &events(&[]));
        bench.message(Leaf::Event, &message);
        let expected = if is_over { State::Idle } else { State::Active };
        assert_eq!(bench.service.state(&id()), expected, "{number}");
    }
}

#[test]
fn messages_are_taken_in_order_and_once() {
    let (mut bench, mut peer) = Bench::active(config());
    let names = ["a", "b", "c"].map(|name| events(&[event(name, &json!({}))]));
    let [a, b, c] = names.map(|body| peer.seal(Leaf::Event, &body));
    for message in [&c, &a, &a, &b, &c] {
        bench.message(Leaf::Event, message);
    }
    let taken = bench.events.iter().map(|event| match event {
        Event::Received(it) => (it.sequence.get(), it.name.as_str()),
        other => panic!("{other:?}"),
    });
    assert_eq!(taken.collect::<Vec<_>>(), [(0, "a"), (1, "b"), (2, "c")]);
}

/// Question Q23.
#[test]
fn a_replay_from_an_earlier_connection_is_dropped() {
    let (mut bench, mut peer) = Bench::active(config());
    let replayed = peer.seal(Leaf::Event, &events(&[event("Old", &json!({}))]));
    bench.message(Leaf::Event, &replayed);
    let mut peer = bench.reconnect(&secret(), 1);
    bench.message(Leaf::Event, &replayed);
    assert_eq!((&bench.published[..], &bench.events[..]), (&[][..], &[][..]));
    assert_eq!(bench.service.state(&id()), State::Fresh, "it is no first message");
    bench.send_events(&mut peer, &[event("New", &json!({}))]);
    let [Event::Received(received)] = &bench.events[..] else { panic!("{:?}", bench.events) };
    assert_eq!((received.name.as_str(), received.sequence.get()), ("New", 0));
}

/// Row 21.
#[test]
fn a_message_shorter_than_the_header_is_told_off() {
    let (mut bench, mut peer) = Bench::active(config());
    for (len, number) in [(0, None), (3, None), (4, Some(7)), (35, Some(7))] {
        let mut message = vec![0; len];
        if let Some(first) = message.first_mut() {
            *first = 7;
        }
        bench.message(Leaf::Event, &message);
        assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"]);
        let events = bench.take_events();
        let [Event::Malformed { sequence, index: None, fault, .. }] = events[..] else {
            panic!("{events:?}");
        };
        assert_eq!((sequence.map(|it| it.get()), fault), (number, Malformed::TooShort { len }));
    }
    bench.send_events(&mut peer, &[event("Any", &json!({}))]);
    assert!(matches!(bench.events[..], [Event::Received(_)]));
}

/// Row 22, and row 28: what is well-formed is the application's.
#[test]
fn elements_that_are_malformed_are_told_off_and_the_others_taken() {
    let (mut bench, mut peer) = Bench::active(config());
    let elements = [
        event("First", &json!({"n": 18_446_744_073_709_551_615_u64})),
        json!({"header": {"messageId": "e"}}),
        json!({"header": {"name": "NoId"}}),
        json!({"header": {"name": "LongId", "messageId": "m".repeat(257)}}),
        event("BadPayload", &json!([])),
        json!(7),
        json!({"header": {"name": "NoPayload", "messageId": "e-2"}}),
        event("Null", &Value::Null),
        event("BufferStateChanged", &json!({})),
        event("SecretRotated", &json!({"eventSequenceNumber": -1})),
    ];
    bench.send_events(&mut peer, &elements);
    assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"; 7]);
    let mut faults = Vec::new();
    let mut taken = Vec::new();
    for event in bench.take_events() {
        match event {
            Event::Received(it) => {
                assert_eq!(it.sequence.get(), 0);
                taken.push((it.index, it.name, it.payload.map(|it| it.as_str().to_owned())));
            }
            Event::Malformed { index: Some(index), fault, leaf: Leaf::Event, .. } => {
                faults.push((index, fault));
            }
            other => panic!("{other:?}"),
        }
    }
    let bad_field = |field| Malformed::BadField { field };
    let expected = [
        (1, Malformed::NoName),
        (2, Malformed::NoMessageId),
        (3, Malformed::NoMessageId),
        (4, Malformed::BadPayload),
        (5, Malformed::NoName),
        (8, bad_field("state")),
        (9, bad_field("eventSequenceNumber")),
    ];
    assert_eq!(faults, expected);
    let payload = Some(r#"{"n":18446744073709551615}"#.to_owned());
    let expected = [
        (0, "First".to_owned(), payload),
        (6, "NoPayload".to_owned(), None),
        (7, "Null".to_owned(), None),
    ];
    assert_eq!(taken, expected);
}

/// Row 22, the whole message.
#[test]
fn a_message_without_events_is_told_off_and_an_empty_one_is_not() {
    let long: Vec<_> = (0..65).map(|_| event("Any", &json!({}))).collect();
    let bodies: [(Vec<u8>, Option<Malformed>); 5] = [
        (events(&[]), None),
        (b"{}".to_vec(), Some(Malformed::NoEvents)),
        (br#"{"events":{}}"#.to_vec(), Some(Malformed::NoEvents)),
        (br#"{"directives":[]}"#.to_vec(), Some(Malformed::NoEvents)),
        (events(&long), Some(Malformed::TooManyEvents { limit: 64 })),
    ];
    for (body, expected) in bodies {
        let (mut bench, mut peer) = Bench::active(config());
        let message = peer.seal(Leaf::Event, &body);
        bench.message(Leaf::Event, &message);
        let faults = bench.events.iter().map(|event| match event {
            Event::Malformed { index: None, fault, .. } => *fault,
            other => panic!("{other:?}"),
        });
        assert_eq!(faults.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
    let (mut bench, mut peer) = Bench::active(config());
    bench.send_events(&mut peer, &long[..64]);
    assert_eq!(bench.events.len(), 64);
    for body in [&b""[..], b"[", b"\xff", b"[]x", br#"{"events":[],"events":[]}"#] {
        let (mut bench, mut peer) = Bench::active(config());
        let message = peer.seal(Leaf::Event, body);
        bench.message(Leaf::Event, &message);
        let [Event::Malformed { index: None, fault: Malformed::BadJson(_), .. }] = bench.events[..]
        else {
            panic!("{body:?}");
        };
        assert_eq!(bench.exceptions(&peer), ["INVALID_REQUEST"]);
    }
}

/// Row 23.
#[test]
fn more_than_20_messages_a_second_are_told_off() {
    let (mut bench, mut peer) = Bench::active(config());
    // At just the documented pace nothing happens.
    for _ in 0..60 {
        bench.send_events(&mut peer, &[]);
        bench.sleep(Duration::from_millis(50));
    }
    assert_eq!((&bench.published[..], &bench.events[..]), (&[][..], &[][..]));
    // Another topic counts for itself.
    for leaf in [Leaf::Event, Leaf::Microphone] {
        for _ in 0..20 {
            let message = peer.seal(leaf, &events(&[]));
            bench.message(leaf, &message);
        }
    }
    // Some of the 20 at the slow pace were in the same second.
    let throttled = |leaf| Event::Throttled { client_id: id(), leaf };
    let told: Vec<_> =
        bench.take_events().into_iter().filter(|it| !matches!(it, Event::Microphone(_))).collect();
    assert_eq!(told, [throttled(Leaf::Event)]);
    assert_eq!(bench.exceptions(&peer), ["THROTTLING"]);
    let message = peer.seal(Leaf::Microphone, b"x");
    bench.message(Leaf::Microphone, &message);
    assert!(matches!(&bench.take_events()[..], [Event::Microphone(it), told]
        if it.body == b"x" && *told == throttled(Leaf::Microphone)));
}

/// Rows 23 and 30.
#[test]
fn a_device_that_goes_on_too_fast_is_disconnected() {
    let (mut bench, mut peer) = Bench::active(config());
    let mut said = Vec::new();
    for _ in 0..200 {
        if bench.service.state(&id()) == State::Active {
            bench.send_events(&mut peer, &[]);
            said.extend(bench.exceptions(&peer));
            bench.sleep(Duration::from_millis(25));
        }
    }
    let expected = ["THROTTLING"; 4].into_iter().chain(["Disconnect GOING_OFFLINE"]);
    assert_eq!(said, expected.collect::<Vec<_>>());
    let reason = End::Fatal(ExceptionCode::Throttling);
    assert_eq!(bench.events.last(), Some(&Event::Ended { client_id: id(), reason }));
}

#[test]
fn a_rate_without_limit_is_never_too_fast() {
    let (mut bench, mut peer) = Bench::active(config().with_max_rate(None));
    for _ in 0..1_000 {
        bench.send_events(&mut peer, &[]);
    }
    assert_eq!((&bench.published[..], &bench.events[..]), (&[][..], &[][..]));
}

#[test]
fn directives_go_out_in_one_message_in_their_order() {
    let (mut bench, peer) = Bench::active(config());
    let volume = Json::new(r#"{"volume":40}"#).unwrap();
    let directives =
        [Directive::new("SetVolume").with_payload(volume), Directive::new("CloseMicrophone")];
    let sent = bench.service.send_directives(bench.now, &id(), &directives).unwrap();
    bench.drain();
    let [(number, body)] = &bench.opened(Leaf::Directive, &peer)[..] else { panic!() };
    assert_eq!(*number, sent.sequence.get());
    let [first, second] = [0, 1].map(|index: usize| sent.message_ids[index].as_str());
    assert_ne!(first, second);
    let expected = json!({"directives": [
        {"header": {"name": "SetVolume", "messageId": first}, "payload": {"volume": 40}},
        {"header": {"name": "CloseMicrophone", "messageId": second}},
    ]});
    assert_eq!(json(body), expected);
    assert_eq!(MessageId::new(first).unwrap(), sent.message_ids[0]);
}

/// Section 14.5: a message of a vector opens, and its event arrives.
#[test]
fn the_event_of_vector_e1_is_taken() {
    let line = include_str!("../vectors/protect.jsonl").lines();
    let line = line.map(|line| json(line.as_bytes())).find(|vector| vector["id"] == "E1").unwrap();
    let bytes = |hex: &str| -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
    };
    let message = bytes(line["message"].as_str().unwrap());
    let k32 = bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    let k32 = SharedSecret::from_bytes(&k32).unwrap();
    let config = aia_proto::service::Config::new(crate::bench::root(), [7; 32]);
    let mut bench = Bench::new(config.with_device(crate::bench::ACCOUNT, id(), k32.clone()));
    bench.clear_message(&crate::bench::connect("m-1"));
    let mut peer = Peer::new(&k32, 0);
    let publish = crate::bench::publish(&crate::bench::system(6_000));
    let publish = peer.seal(Leaf::CapabilitiesPublish, &publish);
    bench.message(Leaf::CapabilitiesPublish, &publish);
    bench.forget();
    bench.message(Leaf::Event, &message);
    let [Event::Received(received)] = &bench.events[..] else { panic!("{:?}", bench.events) };
    assert_eq!(
        (received.name.as_str(), received.message_id.as_str()),
        ("SynchronizeState", "e-0001")
    );
}
