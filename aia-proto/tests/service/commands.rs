//! Rows 30 and 34 to 37.

use aia_proto::{
    ClientId, Leaf,
    connection::{DisconnectCode, Message},
    service::{End, Event, ExceptionCode, Fault, Service, ServiceError, State},
};
use iot_sansio::MonoTime;

use crate::bench::{Bench, answer, config, connect, id, json};

type Command = fn(&mut Service, MonoTime, &ClientId) -> Result<(), ServiceError>;

/// All that need a connection.
const COMMANDS: [Command; 8] = [
    |service, now, id| service.send_directive(now, id, "Any", None).map(drop),
    |service, now, id| service.send_directives(now, id, &[]).map(drop),
    |service, now, id| service.send_speaker(now, id, b"s").map(drop),
    |service, now, id| service.rotate(now, id),
    |service, now, id| service.disconnect(now, id, DisconnectCode::GoingOffline, None),
    |service, now, id| service.fail(now, id, ExceptionCode::AisUnavailable, None),
    |service, now, id| service.client_gone(now, id),
    |service, now, id| service.replay(now, id, Leaf::Directive),
];

/// Row 30.
#[test]
fn something_fatal_is_an_exception_and_then_a_goodbye() {
    let (mut bench, peer) = Bench::active(config());
    let code = ExceptionCode::AisUnavailable;
    bench.service.fail(bench.now, &id(), code.clone(), Some("why")).unwrap();
    bench.drain();
    let order: Vec<_> = bench.published.iter().map(|(topic, _)| topic.clone()).collect();
    assert!(order[0].ends_with("/directive") && order[1].ends_with("/fromservice"));
    let (_, body) = bench.opened(Leaf::Directive, &peer).remove(0);
    let payload = &json(&body)["directives"][0]["payload"];
    assert_eq!(
        (&payload["code"], &payload["description"]),
        (&"AIS_UNAVAILABLE".into(), &"why".into())
    );
    let text = bench.take(Leaf::ConnectionFromService).remove(0);
    let Ok(Message::Disconnect(goodbye)) = Message::decode(aia_proto::Direction::ToDevice, &text)
    else {
        panic!();
    };
    assert_eq!(goodbye.code, Some(DisconnectCode::GoingOffline));
    let description = "Disconnecting due to a fatal exception.";
    assert_eq!(goodbye.description.as_deref(), Some(description));
    assert_eq!(bench.events, [Event::Ended { client_id: id(), reason: End::Fatal(code) }]);
}

/// Row 35.
#[test]
fn a_connection_is_ended_with_any_code_or_in_silence() {
    for code in [DisconnectCode::GoingOffline, DisconnectCode::from("NEW")] {
        let (mut bench, _) = Bench::connected(config());
        bench.service.disconnect(bench.now, &id(), code.clone(), Some("why")).unwrap();
        bench.drain();
        assert_eq!(bench.answers(), [format!("Disconnect {code}")]);
        assert_eq!(bench.events, [Event::Ended { client_id: id(), reason: End::Requested(code) }]);
    }
    let (mut bench, _) = Bench::connected(config());
    bench.service.client_gone(bench.now, &id()).unwrap();
    bench.drain();
    assert_eq!(bench.published, []);
    assert_eq!(bench.events, [Event::Ended { client_id: id(), reason: End::Gone }]);
}

/// Scenario 5 of section 14.10.
#[test]
fn goodbyes_that_cross_are_not_answered() {
    let (mut bench, _) = Bench::active(config());
    bench.service.disconnect(bench.now, &id(), DisconnectCode::GoingOffline, None).unwrap();
    bench.drain();
    bench.forget();
    bench.disconnect(DisconnectCode::GoingOffline);
    assert_eq!((bench.service.state(&id()), bench.published), (State::Idle, vec![]));
}

/// Row 36.
#[test]
fn nothing_is_done_to_who_is_not_connected_or_not_registered() {
    let mut bench = Bench::new(config());
    let unknown = ClientId::new("nobody").unwrap();
    for command in COMMANDS {
        let result = command(&mut bench.service, bench.now, &id());
        assert_eq!(result, Err(ServiceError::NotConnected { client_id: id() }));
        let result = command(&mut bench.service, bench.now, &unknown);
        assert_eq!(result, Err(ServiceError::NotRegistered { client_id: unknown.clone() }));
    }
    let not_registered = Err(ServiceError::NotRegistered { client_id: unknown.clone() });
    assert_eq!(bench.service.unlink(bench.now, &unknown), not_registered);
    assert_eq!(bench.service.inject(bench.now, &unknown, Fault::LoseConnect), not_registered);
    assert_eq!(bench.service.clear_faults(bench.now, &unknown), not_registered);
    bench.drain();
    assert_eq!((bench.published, bench.events), (vec![], vec![]));
}

/// Row 37, and the service's part in scenario 11 of section 14.10.
#[test]
fn an_unlinked_device_is_told_that_its_secret_is_over() {
    let (mut bench, _) = Bench::active(config());
    bench.service.unlink(bench.now, &id()).unwrap();
    bench.drain();
    assert_eq!(bench.answers(), ["Disconnect ENCRYPTION_ERROR"]);
    assert_eq!(bench.service.state(&id()), State::Unknown);
    assert_eq!(bench.events.last(), Some(&Event::Unlinked { client_id: id() }));
    bench.clear_message(&connect("m-2"));
    assert_eq!(bench.answers(), ["Acknowledge INVALID_CLIENT_ID"]);

    let mut bench = Bench::new(config());
    bench.service.unlink(bench.now, &id()).unwrap();
    bench.drain();
    assert_eq!(
        (bench.published, bench.events),
        (vec![], vec![Event::Unlinked { client_id: id() }])
    );
}

#[test]
fn devices_do_not_disturb_each_other() {
    let other = ClientId::new("other").unwrap();
    let secret = aia_proto::protect::SharedSecret::from(&[4; 32]);
    let (mut bench, _) = Bench::active(config().with_device("7", other.clone(), secret));
    let connect =
        aia_proto::connection::Connect::new(aia_proto::MessageId::new("m").unwrap(), "7", "other");
    let topic = "$aws/alexa/ais/v1/other/connection/fromclient";
    let text = Message::Connect(connect).encode();
    bench.input(iot_sansio::mqtt::Message::new(crate::bench::LINK, topic, &text));
    let (topic, text) = bench.published.remove(0);
    assert_eq!(topic, "$aws/alexa/ais/v1/other/connection/fromservice");
    assert_eq!(answer(&text), "Acknowledge CONNECTION_ESTABLISHED");
    bench.service.disconnect(bench.now, &other, DisconnectCode::GoingOffline, None).unwrap();
    assert_eq!(bench.service.state(&id()), State::Active);
    assert_eq!(bench.service.state(&other), State::Idle);
}
