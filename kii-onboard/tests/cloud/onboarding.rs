//! Onboarding, route by route (specification, section 15.4).

use core::time::Duration;

use iot_sansio::mqtt::Link;
use kii_onboard::{
    KeepAlive, MqttEndpoint, Ports, Stage, TransportKind,
    cloud::{
        Disconnect, Event,
        server::{Action, Publish},
    },
    frame::{Method, Response},
    onboarding::{
        EndNodeOnboarded, EndNodeOnboarding, Onboarded, Onboarding, Owner, ThingOnboarding,
    },
};

use crate::bench::{
    Bench, JSON, OWNER_TOKEN, PASSWORD, Peer, at, by_thing, config, error_of, owner, request,
    status_of,
};

fn code(text: &str) -> Option<String> {
    Some(text.into())
}

fn endpoint(onboarded: &Onboarded) -> &MqttEndpoint {
    onboarded.endpoint.as_ref().unwrap()
}

/// An onboarding at the second broker, with this token.
fn ask(
    bench: &mut Bench,
    peer: &Peer,
    token: &str,
    onboarding: &Onboarding,
) -> kii_onboard::frame::OwnedResponse {
    let body = String::from_utf8(onboarding.body()).unwrap();
    let content_type = Some(onboarding.content_type());
    bench.call_as(token, peer, Method::Post, "onboardings", content_type, &body)
}

fn by_owner(vendor_id: &str, owner: Owner) -> Onboarding {
    let Onboarding::Thing(thing) = by_thing(vendor_id, PASSWORD) else { unreachable!() };
    Onboarding::Thing(thing.owned_by(owner, OWNER_TOKEN).unwrap())
}

fn end_node(gateway: &str, vendor_id: &str, password: &str) -> Onboarding {
    let vendor_id = kii_onboard::VendorThingId::new(vendor_id).unwrap();
    let end_node = EndNodeOnboarding::with_gateway_thing_id(
        gateway,
        vendor_id,
        password,
        owner(),
        OWNER_TOKEN,
    );
    Onboarding::EndNode(end_node.unwrap())
}

#[test]
fn a_new_thing_is_created_with_what_is_seen_in_the_wild() {
    let ports = Ports::default().with(TransportKind::Tls, Some(9_883));
    let mut bench = Bench::new(config().with_ports(ports));
    let onboarded = bench.onboard("v1");
    let endpoint = endpoint(&onboarded);
    assert_eq!(onboarded.access_token.expose().len(), 43);
    assert_eq!((endpoint.host.as_str(), endpoint.ports), ("broker2.example", ports));
    assert_eq!(endpoint.mqtt_topic.as_str().len(), 23);
    assert_eq!(endpoint.user_name.split_once('-').map(|(app, _)| app), Some("app01"));
    assert_eq!(endpoint.ttl, Some(Duration::from_secs(2_147_483_647)));
    let thing_id = onboarded.thing_id;
    assert_eq!(bench.cloud.things().collect::<Vec<_>>(), [&*thing_id]);
    assert!(bench.events.contains(&Event::Onboarded { thing_id, is_new: true }));
}

#[test]
fn an_endpoint_for_ever_has_no_ttl() {
    let mut bench = Bench::new(config().with_ttl(None));
    assert_eq!(endpoint(&bench.onboard("v1")).ttl, None);
}

#[test]
fn onboarding_again_gives_another_token_and_the_same_endpoint() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.now = at(1_500);
    let again = bench.onboard("v1");
    assert_eq!(again.thing_id, peer.thing_id());
    assert_ne!(again.access_token, peer.onboarded.access_token);
    let (old, new) = (endpoint(&peer.onboarded), endpoint(&again));
    assert_eq!((&old.mqtt_topic, &old.password), (&new.mqtt_topic, &new.password));
    // What is left, in whole seconds.
    assert_eq!(new.ttl, Some(Duration::from_secs(2_147_483_645)));
    let told = Event::Onboarded { thing_id: again.thing_id.clone(), is_new: false };
    assert!(bench.events.contains(&told));
    // Both tokens count, and the connection goes on.
    for token in [&peer.onboarded.access_token, &again.access_token] {
        let token = token.expose_str().unwrap();
        let path = peer.target("states");
        let response = bench.call_as(token, &peer, Method::Put, &path, JSON, "{}");
        assert!(response.as_response().status.is_success());
    }
}

#[test]
fn the_last_eight_tokens_count() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    for _ in 0..7 {
        bench.onboard("v1");
    }
    let path = peer.target("states");
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, "{}")), 201);
    bench.onboard("v1");
    assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, JSON, "{}")), 403);
}

#[test]
fn a_wrong_password_has_no_effect() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    let response = bench.ask_to_onboard(&by_thing("v1", "wrong"));
    assert_eq!(error_of(&response), (401, code("WRONG_PASSWORD")));
    let by_id = ThingOnboarding::with_thing_id(&*onboarded.thing_id, "wrong").unwrap();
    let response = bench.ask_to_onboard(&Onboarding::Thing(by_id));
    assert_eq!(error_of(&response), (401, code("WRONG_PASSWORD")));
    assert_eq!(endpoint(&bench.onboard("v1")).mqtt_topic, endpoint(&onboarded).mqtt_topic);
}

#[test]
fn an_expired_endpoint_is_replaced_and_its_connection_closed() {
    let mut bench = Bench::new(config().with_ttl(Some(Duration::from_secs(60))));
    let peer = bench.thing(1, "v1");
    // Less than a second is no time to tell.
    bench.now = at(59_000);
    let kept = bench.onboard("v1");
    assert_eq!(endpoint(&kept).ttl, Some(Duration::from_secs(1)));
    assert_eq!(endpoint(&kept).mqtt_topic, endpoint(&peer.onboarded).mqtt_topic);
    bench.now = at(59_001);
    bench.forget();
    let renewed = bench.onboard("v1");
    assert_ne!(endpoint(&renewed).mqtt_topic, endpoint(&peer.onboarded).mqtt_topic);
    assert_eq!(endpoint(&renewed).ttl, Some(Duration::from_secs(60)));
    assert!(bench.ends().contains(&(peer.link, Disconnect::EndpointReplaced)));
    assert!(!bench.cloud.is_online(peer.thing_id()));
    // The old client id is nobody's now.
    bench.enter_api(Link::new(2), &peer.onboarded, KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(2)), Some(2));
    bench.enter_api(Link::new(3), &renewed, KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(3)), None);
}

/// The answer goes down the connection that asked, which ends behind it.
#[test]
fn a_thing_that_onboards_over_its_old_endpoint_hears_of_the_new_one() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.cloud.expire_endpoint(bench.now, peer.thing_id()).unwrap();
    let token = peer.onboarded.access_token.expose_str().unwrap();
    let onboarding = by_thing("v1", PASSWORD);
    let body = String::from_utf8(onboarding.body()).unwrap();
    let bearer = format!("Bearer {token}");
    let content_type = onboarding.content_type();
    let payload = request(Some(&bearer), Method::Post, Some(content_type), &body);
    bench.forget();
    let topic = peer.topic("onboardings");
    bench.feed(Publish::new(peer.link, &topic, &payload));
    let [Action::Deliver(deliver), Action::Close(close)] = &bench.actions[..] else {
        panic!("{:?}", bench.actions);
    };
    assert_eq!((deliver.link, close.link), (peer.link, peer.link));
    let response = Response::decode(&deliver.payload).unwrap();
    let renewed = Onboarded::decode(response.body).unwrap();
    assert_ne!(endpoint(&renewed).mqtt_topic, endpoint(&peer.onboarded).mqtt_topic);
    assert_eq!(bench.ends(), [(peer.link, Disconnect::EndpointReplaced)]);
}

#[test]
fn an_endpoint_expires_on_command() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.cloud.expire_endpoint(bench.now, peer.thing_id()).unwrap();
    assert_eq!(bench.cloud.connections(Stage::Api), [peer.link]);
    bench.enter_api(Link::new(2), &peer.onboarded, KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(2)), Some(5));
    let renewed = bench.onboard("v1");
    bench.enter_api(Link::new(3), &renewed, KeepAlive::OFF);
    assert_eq!(bench.connack(Link::new(3)), None);
    assert!(bench.cloud.expire_endpoint(bench.now, "th.nobody").is_err());
}

#[test]
fn a_thing_is_onboarded_by_the_id_of_the_cloud_if_it_is_known() {
    let mut bench = Bench::new(config());
    let onboarded = bench.onboard("v1");
    let by_id = |id: &str| Onboarding::Thing(ThingOnboarding::with_thing_id(id, PASSWORD).unwrap());
    let response = bench.ask_to_onboard(&by_id(&onboarded.thing_id));
    let again = Onboarded::decode(response.as_response().body).unwrap();
    assert_eq!(again.thing_id, onboarded.thing_id);
    let response = bench.ask_to_onboard(&by_id("th.nobody"));
    assert_eq!(error_of(&response), (404, code("THING_NOT_FOUND")));
}

#[test]
fn the_default_broker_onboards_for_no_owner() {
    let mut bench = Bench::new(config());
    let gateway = bench.onboard("gw");
    for onboarding in [by_owner("v1", owner()), end_node(&gateway.thing_id, "n1", "p")] {
        let response = bench.ask_to_onboard(&onboarding);
        assert_eq!(error_of(&response), (401, code("UNAUTHORIZED")));
    }
    assert_eq!(bench.cloud.things().count(), 1);
}

#[test]
fn the_second_broker_onboards_for_the_owner_whose_token_it_is() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let stranger = Owner::group("g-1").unwrap();
    let response = ask(&mut bench, &peer, OWNER_TOKEN, &by_owner("v2", stranger));
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
    let own = peer.onboarded.access_token.expose_str().unwrap();
    let response = ask(&mut bench, &peer, own, &by_owner("v2", owner()));
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
    let response = ask(&mut bench, &peer, OWNER_TOKEN, &by_owner("v2", owner()));
    assert!(Onboarded::decode(response.as_response().body).unwrap().endpoint.is_some());
    // A thing's own variants need no owner.
    let response = ask(&mut bench, &peer, own, &by_thing("v3", "p3"));
    assert_eq!(status_of(&response), 200);
    assert_eq!(bench.cloud.things().count(), 3);
}

#[test]
fn an_end_node_is_created_under_its_gateway() {
    let mut bench = Bench::new(config());
    let gateway = bench.thing(1, "gw");
    let other = bench.thing(2, "gw2");
    let id = gateway.thing_id();
    bench.forget();
    let response = ask(&mut bench, &gateway, OWNER_TOKEN, &end_node(id, "n1", "p"));
    assert_eq!(status_of(&response), 200);
    let node = EndNodeOnboarded::decode(response.as_response().body).unwrap();
    let thing_id = node.end_node_thing_id.clone();
    let told = Event::EndNodeOnboarded { thing_id, gateway_id: id.into(), is_new: true };
    assert_eq!(bench.events[0], told);

    let vendor_id = |id| kii_onboard::VendorThingId::new(id).unwrap();
    let by_vendor_id = EndNodeOnboarding::with_gateway_vendor_thing_id(
        vendor_id("gw"),
        vendor_id("n1"),
        "p",
        owner(),
        OWNER_TOKEN,
    );
    let by_vendor_id = Onboarding::EndNode(by_vendor_id.unwrap());
    let response = ask(&mut bench, &gateway, OWNER_TOKEN, &by_vendor_id);
    let again = EndNodeOnboarded::decode(response.as_response().body).unwrap();
    assert_eq!(again.end_node_thing_id, node.end_node_thing_id);

    let rows = [
        (end_node(id, "n1", "wrong"), 401, "WRONG_PASSWORD"),
        (end_node("th.nobody", "n1", "p"), 404, "THING_NOT_FOUND"),
        (end_node(other.thing_id(), "n1", "p"), 409, "THING_END_NODE_ALREADY_BELONGS_TO_GATEWAY"),
        (end_node(id, "gw2", "p"), 409, "THING_ALREADY_EXISTS"),
    ];
    for (onboarding, status, error) in rows {
        let response = ask(&mut bench, &gateway, OWNER_TOKEN, &onboarding);
        assert_eq!(error_of(&response), (status, code(error)));
    }
    // It has no connection of its own.
    let response = bench.ask_to_onboard(&by_thing("n1", "p"));
    let expected = code("THING_END_NODE_ALREADY_BELONGS_TO_GATEWAY");
    assert_eq!(error_of(&response), (409, expected));
    let token = bench.onboard("gw").access_token;
    let response = ask(&mut bench, &gateway, token.expose_str().unwrap(), &end_node(id, "n2", "p"));
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
}

#[test]
fn type_and_firmware_version_are_those_of_the_first_onboarding() {
    let mut bench = Bench::new(config());
    let typed = |thing_type, version| {
        let Onboarding::Thing(thing) = by_thing("v1", PASSWORD) else { unreachable!() };
        let thing = thing.with_thing_type(thing_type).unwrap();
        Onboarding::Thing(thing.with_firmware_version(version).unwrap())
    };
    bench.ask_to_onboard(&typed("lamp", "1"));
    bench.ask_to_onboard(&typed("door", "2"));
    let peer = bench.thing(1, "v1");
    for (resource, body) in [
        ("thing-type", r#"{"thingType":"lamp"}"#),
        ("firmware-version", r#"{"firmwareVersion":"1"}"#),
    ] {
        let path = format!("things/{}/{resource}", peer.thing_id());
        assert_eq!(crate::bench::body_of(&bench.call(&peer, Method::Get, &path, None, "")), body);
    }
}

#[test]
fn one_thing_too_many_has_to_wait() {
    let mut bench = Bench::new(config().with_max_things(1));
    bench.onboard("v1");
    let response = bench.ask_to_onboard(&by_thing("v2", "p"));
    assert_eq!(error_of(&response), (503, code("RESOURCE_TEMPORARILY_UNAVAILABLE")));
    bench.onboard("v1");
}

#[test]
fn a_seed_decides_all_that_is_made_up() {
    let onboard = |seed| Bench::new(config().with_seed(seed)).onboard("v1");
    assert_eq!(onboard(1), onboard(1));
    assert_ne!(onboard(1).thing_id, onboard(2).thing_id);
}
