//! Rows 3 to 12, the vectors F1 to F14 of section 14.3, and the MQTT connection.

use std::collections::BTreeSet;

use aia_proto::{
    ApiVersion, ClientId, Direction, Leaf, Topics,
    connection::{AcknowledgeCode, DisconnectCode, Expect, Message},
    service::{End, Event, Ignored, Service, State},
};
use iot_sansio::{
    Machine as _,
    mqtt::{self, Action, Done, Failed, Link, Opened},
};
use serde_json::Value;

use crate::bench::{Bench, ID, LINK, answer, config, connect, established, events, id, root};

/// Those of 14.3 that the service receives.
#[test]
fn every_vector_gets_its_answer() {
    let mut ids = BTreeSet::new();
    for line in include_str!("../vectors/connection.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        if vector["to"] != "service" {
            continue;
        }
        let name = format!("{} {}", vector["id"], vector["case"]);
        ids.insert(vector["id"].as_str().unwrap().to_owned());
        let mut bench = Bench::new(config());
        match vector["state"].as_str().unwrap() {
            "idle" => {}
            "connected" => bench.clear_message(&connect("m-1")),
            "deprecated" => {
                bench.service.deprecate_version(bench.now, ApiVersion::V1).unwrap();
            }
            other => panic!("{name}: {other}"),
        }
        bench.forget();
        let before = bench.service.state(&id());
        let text = vector["text"].as_str().unwrap().as_bytes();
        for expect in ["expect", "expectAgain"] {
            let Some(expect) = vector[expect].as_str() else { continue };
            bench.clear_message(text);
            let answers = bench.take(Leaf::ConnectionFromService);
            let state = bench.service.state(&id());
            match expect.split_once(':') {
                Some(("ack", code)) => {
                    let [text] = &answers[..] else { panic!("{name}: {answers:?}") };
                    let Ok(Message::Acknowledge(it)) = Message::decode(Direction::ToDevice, text)
                    else {
                        panic!("{name}");
                    };
                    assert_eq!(it.code.as_str(), code, "{name}");
                    let sent = vector["decoded"]["messageId"].as_str();
                    assert_eq!(Some(it.connect_message_id.as_str()), sent, "{name}");
                    let is_established = code == "CONNECTION_ESTABLISHED";
                    let expected = if is_established { State::Fresh } else { before };
                    assert_eq!(state, expected, "{name}");
                }
                _ => {
                    assert!(answers.is_empty(), "{name}");
                    let expected = if expect == "idle" { State::Idle } else { before };
                    assert_eq!(state, expected, "{name}");
                    assert!(matches!(expect, "idle" | "ignored"), "{name}");
                }
            }
        }
    }
    let expected: BTreeSet<_> = (1..=14).map(|number| format!("F{number}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn it_subscribes_after_every_opening_and_tells_when_all_is_granted() {
    let v2 = ApiVersion::new(2);
    let mut bench = Bench::closed(config().with_versions([ApiVersion::V1, v2]));
    for link in [LINK, Link::new(2)] {
        bench.input(Opened::new(link, true));
        let filters: Vec<_> = bench.actions.drain(..).collect();
        let mut tokens = Vec::new();
        let mut texts = BTreeSet::new();
        for action in filters {
            let Action::Subscribe(subscribe) = action else { panic!("{action:?}") };
            assert_eq!(subscribe.link, link);
            tokens.push(subscribe.token);
            texts.insert(subscribe.filter);
        }
        let leaves = ["connection/fromclient", "capabilities/publish", "event", "microphone"];
        let expected = ["v1", "v2"]
            .into_iter()
            .flat_map(|version| leaves.map(|leaf| format!("$aws/alexa/ais/{version}/+/{leaf}")));
        assert_eq!(texts, expected.collect());
        for token in tokens {
            assert_eq!(bench.events, []);
            bench.input(Done::new(link, token));
        }
        assert_eq!(bench.take_events(), [Event::Listening { link }]);
    }
}

#[test]
fn a_refused_subscription_is_told() {
    let mut bench = Bench::closed(config());
    bench.input(Opened::new(LINK, false));
    let Action::Subscribe(first) = bench.actions.remove(0) else { panic!() };
    bench.input(Failed::new(LINK, first.token));
    assert_eq!(bench.events, [Event::NotSubscribed { link: LINK, filter: first.filter }]);
}

/// Row 3.
#[test]
fn a_message_without_name_or_id_is_dropped() {
    let mut bench = Bench::new(config());
    for text in ["", "{}", r#"{"header":{"messageId":"m"}}"#, r#"{"header":{"name":"Connect"}}"#] {
        bench.clear_message(text.as_bytes());
        assert_eq!(bench.published, [], "{text}");
        let events = bench.take_events();
        let reason = Ignored::BadMessage(
            Message::decode(Direction::ToService, text.as_bytes()).unwrap_err(),
        );
        assert_eq!(
            events,
            [Event::Ignored { client_id: id(), leaf: Leaf::ConnectionFromClient, reason }]
        );
    }
}

/// Rows 4 and 34.
#[test]
fn a_deprecated_version_is_answered_on_its_own_topics() {
    let (v1, v2) = (ApiVersion::V1, ApiVersion::new(2));
    let mut bench = Bench::new(config().with_versions([v1, v2]));
    bench.clear_message(&connect("m-1"));
    bench.forget();
    bench.service.deprecate_version(bench.now, v1).unwrap();
    bench.drain();
    assert_eq!(bench.answers(), ["Disconnect API_VERSION_DEPRECATED"]);
    assert_eq!(bench.service.state(&id()), State::Idle);

    bench.clear_message(&connect("m-2"));
    assert_eq!(bench.answers(), ["Acknowledge API_VERSION_DEPRECATED"]);
    bench.message_of(v2, Leaf::ConnectionFromClient, &connect("m-3"));
    let (topic, text) = bench.published.pop().unwrap();
    assert_eq!(topic, Topics::new(&root(), v2, &id()).topic(Leaf::ConnectionFromService));
    assert_eq!(answer(&text), established());
    // A goodbye on the topics of the other version is not this connection's.
    bench.disconnect(DisconnectCode::GoingOffline);
    assert_eq!(bench.service.state(&id()), State::Fresh);
    // A version that never was is like one that is no more, also for who never registered.
    let topic = "$aws/alexa/ais/v3/nobody/connection/fromclient";
    bench.input(mqtt::Message::new(LINK, topic, &connect("m-4")));
    assert_eq!(answer(&bench.published[0].1), "Acknowledge API_VERSION_DEPRECATED");
}

/// Row 5.
#[test]
fn an_unknown_device_is_answered_as_it_is_set() {
    let cases = [
        (config(), Some("Acknowledge INVALID_CLIENT_ID")),
        (
            config().with_unknown_device(Some(AcknowledgeCode::EncryptionError)),
            Some("Acknowledge ENCRYPTION_ERROR"),
        ),
        (config().with_unknown_device(None), None),
    ];
    for (config, expected) in cases {
        let mut bench = Bench::new(config);
        let topic = "$aws/alexa/ais/v1/nobody/connection/fromclient";
        bench.input(mqtt::Message::new(LINK, topic, &connect("m-1")));
        let answers: Vec<_> = bench.published.iter().map(|(_, text)| answer(text)).collect();
        assert_eq!(answers.first().map(String::as_str), expected);
        assert_eq!(bench.service.state(&ClientId::new("nobody").unwrap()), State::Unknown);
        if expected.is_none() {
            let leaf = Leaf::ConnectionFromClient;
            let client_id = ClientId::new("nobody").unwrap();
            let reason = Ignored::NotRegistered;
            assert_eq!(bench.events, [Event::Ignored { client_id, leaf, reason }]);
        }
    }
}

/// Rows 6 and 7.
#[test]
fn a_refused_connect_leaves_the_connection_as_it_is() {
    let (mut bench, mut peer) = Bench::active(config());
    let text = String::from_utf8(connect("m-2")).unwrap();
    for (from, to, code) in [
        ("123456789012", "000000000000", AcknowledgeCode::InvalidAccountId),
        (ID, "my-thing-02", AcknowledgeCode::InvalidClientId),
    ] {
        bench.clear_message(text.replace(from, to).as_bytes());
        assert_eq!(bench.answers(), [format!("Acknowledge {code}")]);
        let refused = Event::Refused { client_id: id(), version: ApiVersion::V1, code };
        assert_eq!(bench.take_events(), [refused]);
    }
    bench.send_events(&mut peer, &[]);
    assert_eq!((bench.service.state(&id()), bench.published), (State::Active, vec![]));
}

/// Rows 9 and 10, and vector Q-14.
#[test]
fn a_newer_connection_replaces_the_older_and_numbers_begin_again() {
    let (mut bench, mut peer) = Bench::active(config());
    bench.send_events(&mut peer, &[]);
    bench.service.send_directive(bench.now, &id(), "Any", None).unwrap();
    bench.drain();
    let (number, _) = bench.opened(Leaf::Directive, &peer)[0];
    assert_eq!(number, 0);
    bench.forget();

    bench.clear_message(&connect("m-1"));
    assert_eq!(bench.answers(), [established()]);
    let connected = Event::Connected { client_id: id(), version: ApiVersion::V1 };
    let replaced = Event::Ended { client_id: id(), reason: End::Replaced };
    assert_eq!(bench.take_events(), [replaced, connected]);
    // Row 15: it goes on with the set of before, from 0.
    let mut peer = crate::bench::Peer::new(&crate::bench::secret(), 1);
    bench.send_events(&mut peer, &[]);
    assert_eq!(bench.service.state(&id()), State::Active);
    let sent = bench.service.send_directive(bench.now, &id(), "Any", None).unwrap();
    assert_eq!(sent.sequence.get(), 0);
}

/// Row 11.
#[test]
fn a_goodbye_is_not_answered_and_says_what_to_expect() {
    for (code, expect) in [
        (DisconnectCode::EncryptionError, Expect::Registration),
        (DisconnectCode::UnexpectedSequenceNumber, Expect::Connect),
        (DisconnectCode::GoingOffline, Expect::Nothing),
        (DisconnectCode::from("SLEEPY"), Expect::Nothing),
    ] {
        let (mut bench, _) = Bench::active(config());
        bench.disconnect(code);
        assert_eq!((bench.service.state(&id()), &bench.published[..]), (State::Idle, &[][..]));
        let [Event::Ended { reason: End::Device { code: Some(code), .. }, .. }] = &bench.events[..]
        else {
            panic!("{:?}", bench.events);
        };
        assert_eq!(code.expect(), expect);
    }
}

/// Row 12 and question Q4.
#[test]
fn nothing_is_taken_from_who_is_not_connected() {
    let mut bench = Bench::new(config());
    let mut peer = crate::bench::Peer::new(&crate::bench::secret(), 0);
    for leaf in [Leaf::CapabilitiesPublish, Leaf::Event, Leaf::Microphone] {
        let message = peer.seal(leaf, &events(&[]));
        bench.message(leaf, &message);
        let ignored = Event::Ignored { client_id: id(), leaf, reason: Ignored::NotConnected };
        assert_eq!(bench.take_events(), [ignored]);
    }
    bench.disconnect(DisconnectCode::GoingOffline);
    assert_eq!(bench.published, []);
    // The counters did not move.
    bench.clear_message(&connect("m-1"));
    let message = peer.seal_as(
        Leaf::CapabilitiesPublish,
        0,
        &crate::bench::publish(&crate::bench::system(1_500)),
    );
    bench.message(Leaf::CapabilitiesPublish, &message);
    assert_eq!(bench.service.state(&id()), State::Active);
}

#[test]
fn connections_end_with_the_mqtt_connection_and_devices_are_told_later() {
    let (mut bench, _) = Bench::active(config());
    bench.close_link();
    assert_eq!(bench.take_events(), [Event::Ended { client_id: id(), reason: End::LinkClosed }]);
    assert_eq!((bench.service.state(&id()), &bench.published[..]), (State::Idle, &[][..]));
    bench.input(Opened::new(Link::new(2), false));
    assert_eq!(bench.answers(), ["Disconnect GOING_OFFLINE"]);
    // Once.
    bench.input(Opened::new(Link::new(3), false));
    assert_eq!(bench.answers(), Vec::<String>::new());
}

#[test]
fn what_is_not_for_the_service_or_old_is_dropped() {
    let mut bench = Bench::new(config());
    let connect = connect("m-1");
    let topic = "$aws/alexa/ais/v1/my-thing-01/connection/fromclient";
    bench.input(mqtt::Message::new(Link::new(9), topic, &connect));
    bench.input(mqtt::Message::new(LINK, topic, &connect).with_retain(true));
    let leaf = Leaf::ConnectionFromClient;
    let ignored = Event::Ignored { client_id: id(), leaf, reason: Ignored::Retained };
    assert_eq!(bench.take_events(), [ignored]);
    assert_eq!(bench.service.misdirected(), 0);
    for topic in [
        "a/b",
        "$aws/other/ais/v1/my-thing-01/connection/fromclient",
        "$aws/alexa/ais/v1/my-thing-01/connection/fromservice",
        "$aws/alexa/ais/v1/my-thing-01/directive",
        "$aws/alexa/ais/v1/a/b/event",
    ] {
        bench.input(mqtt::Message::new(LINK, topic, &connect));
    }
    assert_eq!((bench.service.misdirected(), &bench.events[..]), (5, &[][..]));
    assert_eq!((bench.service.state(&id()), bench.published), (State::Idle, vec![]));
}

/// Question Q1.
#[test]
fn a_root_with_ais_at_its_end_is_not_doubled() {
    let root = aia_proto::TopicRoot::new("$aws/alexa/ais").unwrap();
    let mut service = Service::new(aia_proto::service::Config::new(root, [7; 32]));
    let now = iot_sansio::MonoTime::ORIGIN;
    service.handle_input(now, Opened::new(LINK, false).into()).unwrap();
    let topic = "$aws/alexa/ais/v1/my-thing-01/connection/fromclient";
    service.handle_input(now, mqtt::Message::new(LINK, topic, &connect("m-1")).into()).unwrap();
    assert_eq!(service.misdirected(), 0);
}
