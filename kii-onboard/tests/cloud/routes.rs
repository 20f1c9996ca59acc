//! States, attributes and end nodes, route by route (specification, sections 12 and 15.4).

use kii_onboard::{cloud::Event, frame::Method, onboarding::EndNodeOnboarded};

use crate::bench::{Bench, JSON, OWNER_TOKEN, Peer, body_of, config, error_of, status_of};

const TRAITS: Option<&str> = Some("application/vnd.kii.MultipleTraitState+json");
const PATCH: Option<&str> = Some("application/vnd.kii.MultipleTraitStatePatch+json");
const TRAIT: Option<&str> = Some("application/vnd.kii.TraitState+json");

fn code(text: &str) -> Option<String> {
    Some(text.into())
}

#[test]
fn the_first_state_is_created_and_the_next_one_replaces_it() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states");
    let none = bench.call(&peer, Method::Get, &path, None, "");
    assert_eq!(error_of(&none), (404, code("STATE_NOT_FOUND")));
    let thing_id = String::from(peer.thing_id());
    for (state, status, is_first) in
        [(" {\"b\":1,\n\"a\":2} ", 201, true), (r#"{"c":3}"#, 204, false)]
    {
        bench.forget();
        let response = bench.call(&peer, Method::Put, &path, JSON, state);
        assert_eq!((status_of(&response), body_of(&response)), (status, ""));
        let stored = Event::StateStored { thing_id: thing_id.clone(), is_first };
        assert_eq!(bench.events[0], stored);
        let response = bench.call(&peer, Method::Get, &path, None, "");
        assert_eq!((status_of(&response), body_of(&response)), (200, state.trim()));
        assert_eq!(bench.cloud.state(&thing_id).unwrap().as_str(), state.trim());
    }
}

#[test]
fn a_state_is_an_object_of_at_most_10_kilobytes() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states");
    let of_size = |size: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(size - 8));
    let too_large = bench.call(&peer, Method::Put, &path, JSON, &of_size(10_241));
    assert_eq!(error_of(&too_large), (400, code("INVALID_INPUT_DATA")));
    assert!(body_of(&too_large).contains("10241 bytes"));
    let fits = bench.call(&peer, Method::Put, &path, JSON, &of_size(10_240));
    assert_eq!(status_of(&fits), 201);
    for body in ["1", "[]", "null", r#""a""#, r#"{"\ud800":1}"#] {
        let response = bench.call(&peer, Method::Put, &path, JSON, body);
        assert_eq!(error_of(&response), (400, code("INVALID_INPUT_DATA")), "{body}");
    }
    let response = bench.call(&peer, Method::Put, &path, TRAITS, r#"{"a":{},"b":1}"#);
    assert!(body_of(&response).contains(r#""invalidFields":{"b":"an object"}"#));
    assert_eq!(bench.cloud.state(peer.thing_id()).unwrap().as_str().len(), 10_240);
}

#[test]
fn a_patch_merges_the_top_level() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states");
    let none = bench.call(&peer, Method::Patch, &path, PATCH, r#"{"a":{}}"#);
    assert_eq!(error_of(&none), (404, code("STATE_NOT_FOUND")));
    bench.call(&peer, Method::Put, &path, TRAITS, r#"{"a":{"x":1,"y":2},"b":{"z":1.50}}"#);
    let patched =
        bench.call(&peer, Method::Patch, &path, PATCH, r#"{"c":{},"a":{"x":3},"a":{"x":4}}"#);
    assert_eq!(status_of(&patched), 204);
    let state = bench.cloud.state(peer.thing_id()).unwrap();
    assert_eq!(state.as_str(), r#"{"a":{"x":4},"b":{"z":1.50},"c":{}}"#);
    let bad = bench.call(&peer, Method::Patch, &path, PATCH, r#"{"a":1}"#);
    assert_eq!(error_of(&bad), (400, code("INVALID_INPUT_DATA")));
    let large = format!(r#"{{"d":{{"x":"{}"}}}}"#, "x".repeat(10_200));
    let large = bench.call(&peer, Method::Patch, &path, PATCH, &large);
    assert_eq!(error_of(&large), (400, code("INVALID_INPUT_DATA")));
}

#[test]
fn the_state_of_one_trait_is_a_member_of_the_whole() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states/aliases/air");
    let none = bench.call(&peer, Method::Get, &path, None, "");
    assert_eq!(error_of(&none), (404, code("STATE_NOT_FOUND")));
    for (body, status) in [(r#"{"x":1}"#, 201), (r#"{"x":2}"#, 204)] {
        let response = bench.call(&peer, Method::Put, &path, TRAIT, body);
        assert_eq!(status_of(&response), status);
        assert_eq!(body_of(&bench.call(&peer, Method::Get, &path, None, "")), body);
    }
    assert_eq!(bench.cloud.state(peer.thing_id()).unwrap().as_str(), r#"{"air":{"x":2}}"#);
    let other = peer.target("states/aliases/other");
    let none = bench.call(&peer, Method::Get, &other, None, "");
    assert_eq!(error_of(&none), (404, code("STATE_NOT_FOUND")));
    let bad = bench.call(&peer, Method::Put, &path, TRAIT, "1");
    assert_eq!(error_of(&bad), (400, code("INVALID_INPUT_DATA")));
}

#[test]
fn bulk_states_are_taken_unread() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    for media_type in ["StateBulkUploadRequest", "StatePatchBulkUploadRequest"] {
        bench.forget();
        let content_type = format!("application/vnd.kii.{media_type}+json");
        let path = peer.target("states-bulk");
        let response =
            bench.call(&peer, Method::Post, &path, Some(&content_type), r#"{"states":[]}"#);
        assert_eq!(status_of(&response), 204);
        let thing_id = peer.thing_id().into();
        assert_eq!(bench.events[0], Event::BulkUploaded { thing_id, size: 13 });
    }
    assert_eq!(bench.cloud.state(peer.thing_id()), None);
}

#[test]
fn firmware_version_and_thing_type_are_set_and_read() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let rows = [
        (
            "firmware-version",
            "firmwareVersion",
            "ThingFirmwareVersionUpdateRequest",
            "THING_WITHOUT_FIRMWARE_VERSION",
        ),
        ("thing-type", "thingType", "ThingTypeUpdateRequest", "THING_WITHOUT_THING_TYPE"),
    ];
    for (resource, member, media_type, unset) in rows {
        let path = format!("things/{}/{resource}", peer.thing_id());
        let content_type = format!("application/vnd.kii.{media_type}+json");
        let content_type = Some(content_type.as_str());
        let response = bench.call(&peer, Method::Get, &path, None, "");
        assert_eq!(error_of(&response), (404, code(unset)));
        for body in [
            "{}",
            "[]",
            r#"{"firmwareVersion":1,"thingType":""}"#,
            r#"{"firmwareVersion":"a b","thingType":"a/b"}"#,
        ] {
            let response = bench.call(&peer, Method::Put, &path, content_type, body);
            assert_eq!(error_of(&response), (400, code("INVALID_INPUT_DATA")), "{body}");
        }
        let body = format!(r#"{{"{member}":"v1.0_a-b"}}"#);
        bench.forget();
        assert_eq!(status_of(&bench.call(&peer, Method::Put, &path, content_type, &body)), 204);
        let (thing_id, value) = (peer.thing_id().to_owned(), "v1.0_a-b".to_owned());
        assert_eq!(
            bench.events[0],
            match resource {
                "thing-type" => Event::ThingTypeSet { thing_id, thing_type: value },
                _ => Event::FirmwareVersionSet { thing_id, firmware_version: value },
            }
        );
        let response = bench.call(&peer, Method::Get, &path, None, "");
        assert_eq!((status_of(&response), body_of(&response)), (200, body.as_str()));
    }
}

fn end_node(bench: &mut Bench, gateway: &Peer, vendor_id: &str) -> EndNodeOnboarded {
    let content_type = "application/vnd.kii.OnboardingEndNodeWithGatewayThingID+json";
    let body = format!(
        r#"{{"gatewayThingID":"{}","endNodeVendorThingID":"{vendor_id}","endNodePassword":"ep","owner":"user:u-1"}}"#,
        gateway.thing_id()
    );
    let response =
        bench.call_as(OWNER_TOKEN, gateway, Method::Post, "onboardings", Some(content_type), &body);
    assert_eq!(status_of(&response), 200);
    EndNodeOnboarded::decode(response.as_response().body).unwrap()
}

#[test]
fn a_gateway_tells_whether_its_end_nodes_are_connected() {
    let mut bench = Bench::new(config());
    let gateway = bench.thing(1, "gw");
    let node = end_node(&mut bench, &gateway, "n1");
    let connection = |id: &str| format!("things/{}/end-nodes/{id}/connection", gateway.thing_id());
    let path = connection(&node.end_node_thing_id);
    for online in [true, false] {
        let body = format!(r#"{{"online":{online}}}"#);
        assert_eq!(status_of(&bench.call(&gateway, Method::Put, &path, JSON, &body)), 204);
        assert_eq!(bench.cloud.is_online(&node.end_node_thing_id), online);
    }
    let bad = bench.call(&gateway, Method::Put, &path, JSON, r#"{"online":"yes"}"#);
    assert_eq!(error_of(&bad), (400, code("INVALID_INPUT_DATA")));
    let other = bench.thing(2, "v2");
    for stranger in [other.thing_id(), "th.nobody"] {
        let response =
            bench.call(&gateway, Method::Put, &connection(stranger), JSON, r#"{"online":true}"#);
        let expected = code("THING_END_NODE_DOES_NOT_BELONG_TO_GATEWAY");
        assert_eq!(error_of(&response), (404, expected));
    }
}

#[test]
fn a_gateway_lists_its_end_nodes_and_uses_their_states() {
    let mut bench = Bench::new(config());
    let gateway = bench.thing(1, "gw");
    let other = bench.thing(2, "v2");
    let path = format!("things/{}/end-nodes", gateway.thing_id());
    assert_eq!(body_of(&bench.call(&gateway, Method::Get, &path, None, "")), r#"{"results":[]}"#);
    let node = end_node(&mut bench, &gateway, "n1");
    let expected = format!(
        r#"{{"results":[{{"thingID":"{}","vendorThingID":"n1"}}]}}"#,
        node.end_node_thing_id
    );
    assert_eq!(body_of(&bench.call(&gateway, Method::Get, &path, None, "")), expected);

    let state = format!("targets/thing:{}/states", node.end_node_thing_id);
    assert_eq!(status_of(&bench.call(&gateway, Method::Put, &state, JSON, "{}")), 201);
    let own = node.access_token.expose_str().unwrap();
    assert_eq!(status_of(&bench.call_as(own, &gateway, Method::Put, &state, JSON, "{}")), 204);
    assert_eq!(
        status_of(&bench.call_as(OWNER_TOKEN, &gateway, Method::Get, &state, None, "")),
        200
    );
    // The end node's token is good for the end node alone, and over its gateway's connection alone.
    let states = gateway.target("states");
    let response = bench.call_as(own, &gateway, Method::Put, &states, JSON, "{}");
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
    let response = bench.call_as(own, &other, Method::Put, &state, JSON, "{}");
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
    let response = bench.call(&other, Method::Put, &state, JSON, "{}");
    assert_eq!(error_of(&response), (403, code("WRONG_TOKEN")));
}

#[test]
fn each_path_knows_its_methods_alone() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let id = peer.thing_id();
    use Method::{Get, Patch, Post, Put};
    let rows: [(String, &[Method]); 11] = [
        ("onboardings".into(), &[Post]),
        (peer.target("states"), &[Put, Patch, Get]),
        (peer.target("states/aliases/a"), &[Put, Get]),
        (peer.target("states-bulk"), &[Post]),
        (peer.target("commands"), &[Post, Get]),
        (peer.target("commands/c"), &[Get]),
        (peer.target("commands/c/action-results"), &[Put]),
        (format!("things/{id}/firmware-version"), &[Get, Put]),
        (format!("things/{id}/thing-type"), &[Get, Put]),
        (format!("things/{id}/end-nodes"), &[Get]),
        (format!("things/{id}/end-nodes/n/connection"), &[Put]),
    ];
    for (path, known) in rows {
        for method in Method::ALL {
            let response = bench.call(&peer, method, &path, JSON, "");
            assert_eq!(status_of(&response) != 405, known.contains(&method), "{method} {path}");
        }
    }
}
