//! Each fault, and how faults take turns (specification, section 15.5).

use core::time::Duration;

use iot_sansio::{
    Machine as _,
    mqtt::{ConnackCode, Link, Token},
};
use kii_onboard::{
    Json, KeepAlive, PortUnavailable, Stage, TransportKind,
    cloud::{
        CloudError, Disconnect, Effect, Event, Fault, Refusal, Requests,
        server::{Action, Close, Closed, Deliver, Ping, Pong, Publish, Suback, Subscribe},
    },
    frame::{Method, Response, Status},
    onboarding::Onboarded,
};

use crate::bench::{Bench, JSON, Peer, at, by_thing, config, request, status_of};

const ONE: Link = Link::new(1);

impl Bench {
    fn inject(&mut self, fault: Fault) {
        self.cloud.inject(self.now, fault).unwrap();
    }

    fn inject_on_requests(&mut self, effects: impl IntoIterator<Item = Effect>) {
        self.inject(Fault::on_request(Requests::any(), effects));
    }

    fn put_state(&mut self, peer: &Peer) -> Vec<Deliver> {
        let token = peer.onboarded.access_token.expose_str().unwrap();
        let payload = request(Some(&format!("Bearer {token}")), Method::Put, JSON, "{}");
        self.events.clear();
        self.publish(peer.link, &peer.topic(&peer.target("states")), &payload)
    }

    fn has_faulted(&self) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Faulted { .. }))
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_dropped_answer_leaves_its_effect() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Drop]);
    assert!(bench.put_state(&peer).is_empty());
    assert!(bench.has_faulted());
    assert!(bench.cloud.state(peer.thing_id()).is_some());
    assert_eq!(bench.put_state(&peer).len(), 1, "it strikes once");
    assert!(!bench.has_faulted());
}

#[test]
fn a_delayed_answer_comes_at_its_time_unless_the_connection_ends() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject(Fault::on_request(Requests::any(), [Effect::Delay(millis(500))]).times(2));
    assert!(bench.put_state(&peer).is_empty());
    assert!(bench.cloud.state(peer.thing_id()).is_some());
    assert_eq!(bench.drain(), Some(at(500)));
    bench.tick(499);
    assert!(bench.delivered().is_empty());
    bench.tick(500);
    assert_eq!(bench.delivered().len(), 1);
    assert_eq!(bench.drain(), None);
    assert!(bench.put_state(&peer).is_empty());
    bench.feed(Closed::new(peer.link));
    assert_eq!(bench.drain(), None);
}

#[test]
fn as_many_answers_are_late_as_outputs_may_queue() {
    let mut bench = Bench::new(config().with_max_queued(3));
    let onboarded = bench.onboard("v1");
    let peer = Peer { link: ONE, onboarded };
    bench.enter_api(peer.link, &peer.onboarded, KeepAlive::OFF);
    bench.inject(Fault::on_request(Requests::any(), [Effect::Delay(millis(1))]).times(9));
    for _ in 0..5 {
        bench.put_state(&peer);
    }
    bench.tick(1);
    assert_eq!(bench.delivered().len(), 3);
}

#[test]
fn a_doubled_answer_comes_twice() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Duplicate]);
    let delivered = bench.put_state(&peer);
    assert_eq!((delivered.len(), &delivered[0]), (2, &delivered[1]));
}

#[test]
fn an_answer_comes_on_another_topic() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::WrongTopic("p/other".into())]);
    let delivered = bench.put_state(&peer);
    assert_eq!((delivered.len(), delivered[0].topic.as_str()), (1, "p/other"));
}

#[test]
fn an_answer_does_not_repeat_the_request_id() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::NoRequestId]);
    assert_eq!(bench.put_state(&peer)[0].payload, b"201\r\n\r\n");
}

#[test]
fn an_answer_is_other_bytes() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Payload(b"200\r\nNoColon\r\n\r\n".into())]);
    assert_eq!(bench.put_state(&peer)[0].payload, b"200\r\nNoColon\r\n\r\n");
    assert!(bench.cloud.state(peer.thing_id()).is_some());
}

#[test]
fn another_status_is_answered_in_place_of_the_request() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let body = br#"{"errorCode":"MQTT_ENDPOINT_NOT_READY","message":"not ready","retryAfter":5}"#;
    bench.inject_on_requests([Effect::Status(Status::SERVICE_UNAVAILABLE, body.into())]);
    let delivered = bench.put_state(&peer);
    let response = Response::decode(&delivered[0].payload).unwrap();
    assert_eq!((response.status.get(), response.body), (503, &body[..]));
    assert_eq!(response.headers.request_id(), Some("r-1"));
    assert_eq!(bench.cloud.state(peer.thing_id()), None);
}

#[test]
fn an_onboarding_is_answered_without_endpoint() {
    let mut bench = Bench::new(config());
    bench.inject_on_requests([Effect::NoEndpoint]);
    let response = bench.ask_to_onboard(&by_thing("v1", crate::bench::PASSWORD));
    assert!(crate::bench::body_of(&response).contains(r#""mqttEndpoint":null"#));
    let onboarded = Onboarded::decode(response.as_response().body).unwrap();
    assert_eq!(onboarded.endpoint, None);
    assert!(bench.onboard("v1").endpoint.is_some());
}

#[test]
fn an_onboarding_is_answered_without_some_ports() {
    let mut bench = Bench::new(config());
    let (tls, wss) = (TransportKind::Tls, TransportKind::Wss);
    bench.inject_on_requests([Effect::NoPort(tls), Effect::NoPort(wss)]);
    let ports = bench.onboard("v1").endpoint.unwrap().ports;
    for kind in [tls, wss] {
        assert!(matches!(ports.get(kind), Err(PortUnavailable { .. })));
    }
    assert_eq!(ports.get(TransportKind::Tcp), Ok(1883));
    assert_eq!(bench.onboard("v1").endpoint.unwrap().ports.get(tls), Ok(8883));
}

#[test]
fn an_endpoint_expires_sooner() {
    let mut bench = Bench::new(config());
    bench.inject_on_requests([Effect::Ttl(Duration::from_secs(2))]);
    let onboarded = bench.onboard("v1");
    assert_eq!(onboarded.endpoint.as_ref().unwrap().ttl, Some(Duration::from_secs(2)));
    for (link, millis, refused) in [(1, 1_999, None), (2, 2_000, Some(5))] {
        bench.now = at(millis);
        bench.enter_api(Link::new(link), &onboarded, KeepAlive::OFF);
        assert_eq!(bench.connack(Link::new(link)), refused);
    }
    bench.inject_on_requests([Effect::Ttl(Duration::ZERO)]);
    assert_eq!(bench.onboard("v1").endpoint.unwrap().ttl, Some(Duration::ZERO));
}

#[test]
fn a_connection_closes_in_place_of_the_request() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::CloseBefore]);
    bench.put_state(&peer);
    assert_eq!(bench.ends(), [(peer.link, Disconnect::Fault)]);
    assert_eq!(bench.cloud.state(peer.thing_id()), None);
    assert!(!bench.cloud.is_online(peer.thing_id()));
}

#[test]
fn a_connection_closes_behind_the_answer() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::CloseAfter, Effect::Delay(millis(10))]);
    bench.put_state(&peer);
    bench.actions.clear();
    bench.tick(10);
    let [Action::Deliver(_), close] = &bench.actions[..] else { panic!("{:?}", bench.actions) };
    assert_eq!(*close, Close::new(peer.link).into());
    assert_eq!(bench.ends(), [(peer.link, Disconnect::Fault)]);
}

#[test]
fn a_connection_closes_in_place_of_the_answer() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Drop, Effect::CloseAfter]);
    assert!(bench.put_state(&peer).is_empty());
    assert_eq!(bench.ends(), [(peer.link, Disconnect::Fault)]);
    assert!(bench.cloud.state(peer.thing_id()).is_some());
}

#[test]
fn a_connect_is_refused_with_any_code() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    for number in 1..=5 {
        let code = ConnackCode::new(number);
        bench.inject(Fault::refuse_connect(Stage::Api, code));
        bench.forget();
        let link = Link::new(number.into());
        bench.enter_api(link, &onboarded, KeepAlive::OFF);
        assert_eq!(bench.connack(link), Some(number));
        assert_eq!(bench.refusals(), [Refusal::Fault(code)]);
    }
    bench.inject(Fault::refuse_connect(Stage::Api, ConnackCode::new(0)));
    bench.inject(Fault::refuse_connect(Stage::Boot, ConnackCode::new(3)));
    bench.enter_api(Link::new(9), &onboarded, KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(9)), None, "code 0 refuses none, and the other broker");
    bench.enter_boot(Link::new(10), KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(10)), Some(3));
}

#[test]
fn a_ping_is_swallowed() {
    let mut bench = Bench::new(config());
    bench.enter_boot(ONE, crate::bench::secs(60));
    bench.inject(Fault::swallow_ping(Stage::Api));
    bench.inject(Fault::swallow_ping(Stage::Boot));
    bench.forget();
    bench.now = at(60_000);
    bench.feed(Ping::new(ONE));
    assert!(bench.actions.is_empty() && bench.has_faulted());
    assert_eq!(bench.drain().map(|due| due.as_millis()), Some(150_000), "it was a sign of life");
    bench.feed(Ping::new(ONE));
    assert_eq!(bench.actions, [Pong::new(ONE).into()]);
    assert_eq!(bench.cloud.faults(), 1);
}

#[test]
fn a_push_comes_before_a_suback_that_is_late() {
    let mut bench = Bench::new(config());
    let peer = Peer { link: ONE, onboarded: bench.onboard("v1") };
    bench.enter_api(ONE, &peer.onboarded, KeepAlive::OFF);
    bench.inject(Fault::delay_suback(millis(100)));
    // One that is refused is none to delay.
    bench.forget();
    bench.feed(Subscribe::new(ONE, Token::new(1), "other"));
    assert_eq!(bench.actions, [Suback::new(ONE, Token::new(1), false).into()]);
    bench.forget();
    bench.feed(Subscribe::new(ONE, Token::new(2), peer.push_topic()));
    bench.cloud.push(bench.now, peer.thing_id(), &Json::new("{}").unwrap()).unwrap();
    bench.tick(100);
    let push = Deliver::new(ONE, peer.push_topic(), b"{}");
    assert_eq!(bench.actions, [push.into(), Suback::new(ONE, Token::new(2), true).into()]);
}

#[test]
fn the_head_of_an_answer_has_line_feeds() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states");
    bench.call(&peer, Method::Put, &path, JSON, "{\"a\":\r\n\r\n1}");
    bench.inject_on_requests([Effect::LineFeeds]);
    let token = peer.onboarded.access_token.expose_str().unwrap();
    let payload = request(Some(&format!("Bearer {token}")), Method::Get, None, "");
    let delivered = bench.publish(peer.link, &peer.topic(&path), &payload);
    let expected = b"200\nContent-Type:application/json\nX-Kii-RequestID:r-1\n\n{\"a\":\r\n\r\n1}";
    assert_eq!(delivered[0].payload, expected);
}

#[test]
fn a_fault_is_for_the_requests_with_its_marks() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let states = Requests::any().at(Stage::Api).with_method(Method::Put).ending("/states");
    let unmet = [
        states.clone().at(Stage::Boot),
        states.clone().with_method(Method::Get),
        states.clone().ending("/commands"),
        states.clone().ending("x/states"),
    ];
    for requests in unmet {
        bench.inject(Fault::on_request(requests, [Effect::Drop]));
    }
    assert_eq!(bench.put_state(&peer).len(), 1);
    bench.inject(Fault::on_request(states.clone(), [Effect::Drop]));
    // What is no request has no method.
    let topic = peer.topic(&peer.target("states"));
    assert_eq!(bench.publish(peer.link, &topic, b"").len(), 1);
    assert!(bench.put_state(&peer).is_empty());
    let whole = Requests::any().ending(peer.target("states"));
    bench.inject(Fault::on_request(whole, [Effect::Drop]));
    assert!(bench.publish(peer.link, &topic, b"").is_empty());
    assert_eq!(bench.cloud.faults(), 4);
}

#[test]
fn a_fault_skips_some_strikes_as_often_as_told_and_is_gone() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject(Fault::on_request(Requests::any(), [Effect::Drop]).skip(2).times(3));
    bench.inject(Fault::on_request(Requests::any(), [Effect::Drop]).times(0));
    let struck: Vec<_> = (0..7).map(|_| bench.put_state(&peer).is_empty()).collect();
    assert_eq!(struck, [false, false, true, true, true, false, false]);
    assert_eq!(bench.cloud.faults(), 0);
}

#[test]
fn the_oldest_fault_strikes_alone() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Drop]);
    bench.inject_on_requests([Effect::Duplicate]);
    let counts: Vec<_> = (0..3).map(|_| bench.put_state(&peer).len()).collect();
    assert_eq!(counts, [0, 2, 1]);
}

#[test]
fn faults_are_bounded_and_cleared() {
    let mut bench = Bench::new(config().with_max_faults(1));
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::Drop]);
    let second = Fault::swallow_ping(Stage::Api);
    let refused = bench.cloud.inject(bench.now, second);
    assert_eq!(refused, Err(CloudError::TooManyFaults { limit: 1 }));
    bench.cloud.clear_faults(bench.now).unwrap();
    assert_eq!(bench.cloud.faults(), 0);
    assert_eq!(bench.put_state(&peer).len(), 1);
}

#[test]
fn what_strikes_a_misdirected_message_is_nothing() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.inject_on_requests([Effect::CloseBefore]);
    bench.cloud.handle_input(bench.now, Publish::new(peer.link, "x/y", b"").into()).unwrap();
    bench.drain();
    assert_eq!(bench.cloud.faults(), 1);
    let response = bench.cloud.connections(Stage::Api);
    assert_eq!(response, [peer.link]);
}

#[test]
fn an_effect_prints_no_bytes() {
    let secret = "canary-body";
    let effects = [Effect::Payload(secret.into()), Effect::Status(Status::OK, secret.into())];
    let printed = format!("{effects:?}");
    assert_eq!(printed, "[Payload([11 bytes]), Status(200, [11 bytes])]");
}

#[test]
fn faults_of_onboarding_leave_other_answers_alone() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let effects =
        [Effect::NoEndpoint, Effect::Ttl(Duration::ZERO), Effect::NoPort(TransportKind::Tls)];
    bench.inject_on_requests(effects);
    let path = peer.target("states");
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, "{}")), 201);
}
