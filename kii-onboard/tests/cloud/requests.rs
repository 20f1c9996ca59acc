//! What every request goes through, in order (specification, section 15.3).

use iot_sansio::mqtt::Link;
use kii_onboard::{
    App, KeepAlive, Stage,
    cloud::{
        Event,
        server::{Connect, Publish},
    },
    frame::{Method, Response, Status},
    onboarding::Onboarded,
};

use crate::bench::{
    BOOT_ONBOARDINGS, BY_VENDOR_ID, Bench, JSON, KEY, OWNER_TOKEN, PASSWORD, body_of, by_thing,
    config, error_of, request, status_of,
};

/// What is sent, with what path, token, method, media type and body, and what is answered.
type Row<'a> =
    (&'a str, &'a str, Option<&'a str>, Method, Option<&'a str>, &'a str, u16, Option<&'a str>);

/// Each request breaks what the one before it breaks but for the first rule, and so on: the first rule decides.
#[test]
fn conditions_are_checked_in_order() {
    let mut bench = Bench::new(config());
    let (one, two) = (bench.thing(1, "v1"), bench.thing(2, "v2"));
    let bearer =
        |onboarded: &Onboarded| format!("Bearer {}", onboarded.access_token.expose_str().unwrap());
    let (own, other) = (bearer(&one.onboarded), bearer(&two.onboarded));
    let states = |thing_id: &str| format!("targets/thing:{thing_id}/states");
    let (mine, theirs) = (states(one.thing_id()), states(two.thing_id()));
    let nobodys = states("th.nobody");
    let text = Some("text/plain");
    let xml = Some("application/xml");
    let rows: [Row<'_>; 15] = [
        (
            "unknown path",
            "newthing/x",
            None,
            Method::Delete,
            text,
            "{",
            404,
            Some("TARGET_NOT_FOUND"),
        ),
        (
            "a target without id",
            "targets/thing:/states",
            None,
            Method::Delete,
            text,
            "{",
            404,
            Some("TARGET_NOT_FOUND"),
        ),
        ("method", &nobodys, None, Method::Delete, text, "{", 405, None),
        ("no token", &nobodys, None, Method::Put, text, "{", 401, Some("UNAUTHORIZED")),
        (
            "another scheme",
            &nobodys,
            Some("Basic YTpi"),
            Method::Put,
            text,
            "{",
            401,
            Some("UNAUTHORIZED"),
        ),
        (
            "no token behind the scheme",
            &nobodys,
            Some("Bearer"),
            Method::Put,
            text,
            "{",
            401,
            Some("UNAUTHORIZED"),
        ),
        (
            "unknown token",
            &nobodys,
            Some("Bearer unknown"),
            Method::Put,
            text,
            "{",
            403,
            Some("WRONG_TOKEN"),
        ),
        (
            "the token of another thing",
            &nobodys,
            Some(&other),
            Method::Put,
            text,
            "{",
            403,
            Some("WRONG_TOKEN"),
        ),
        (
            "the token of another thing",
            &mine,
            Some(&other),
            Method::Put,
            text,
            "{",
            403,
            Some("WRONG_TOKEN"),
        ),
        (
            "a token for another thing",
            &theirs,
            Some(&own),
            Method::Put,
            text,
            "{",
            403,
            Some("WRONG_TOKEN"),
        ),
        (
            "unknown thing",
            &nobodys,
            Some(&own),
            Method::Put,
            text,
            "{",
            404,
            Some("THING_NOT_FOUND"),
        ),
        ("not JSON", &mine, Some(&own), Method::Put, text, "{", 400, Some("INVALID_JSON")),
        ("content type", &mine, Some(&own), Method::Put, xml, "[]", 415, None),
        ("member", &mine, Some(&own), Method::Put, JSON, "[]", 400, Some("INVALID_INPUT_DATA")),
        ("nothing", &mine, Some(&own), Method::Put, JSON, "{}", 201, None),
    ];
    for (broken, path, authorization, method, content_type, body, status, code) in rows {
        let payload = request(authorization, method, content_type, body);
        let topic = one.topic(path);
        let delivered = bench.publish(one.link, &topic, &payload);
        assert_eq!(delivered.len(), 1, "{broken}");
        assert_eq!(delivered[0].topic, topic, "{broken}");
        let response = Response::decode(&delivered[0].payload).unwrap();
        assert_eq!(response.headers.request_id(), Some("r-1"), "{broken}");
        assert_eq!(error_of(&response.to_owned()), (status, code.map(String::from)), "{broken}");
        let status = Status::new(status).unwrap();
        let answered =
            Event::Answered { link: one.link, method: Some(method), path: path.into(), status };
        assert_eq!(bench.events.last(), Some(&answered));
    }
}

#[test]
fn what_is_no_request_is_answered_without_request_id() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.enter_boot(Link::new(2), KeepAlive::OFF);
    let topic = peer.topic("newthing/x");
    let payloads: [&[u8]; 6] = [
        b"",
        b"\xff\xfe",
        b"{}",
        b"200\r\nX-Kii-RequestID:r-1\r\n\r\n",
        b"PUT\r\nX-Kii-RequestID: r-1\r\n",
        b"FETCH\r\nX-Kii-RequestID: r-1\r\n\r\n",
    ];
    for (link, topic) in [(peer.link, topic.as_str()), (Link::new(2), BOOT_ONBOARDINGS)] {
        for payload in payloads {
            let delivered = bench.publish(link, topic, payload);
            let response = Response::decode(&delivered[0].payload).unwrap();
            assert_eq!(response.headers.request_id(), None);
            let code = Some("INVALID_INPUT_DATA".into());
            assert_eq!(error_of(&response.to_owned()), (400, code), "{payload:?}");
            let last = bench.events.last();
            assert!(matches!(last, Some(Event::Answered { method: None, .. })), "{last:?}");
        }
    }
}

#[test]
fn the_default_broker_asks_for_no_token_but_for_all_else() {
    let mut bench = Bench::new(config());
    let link = Link::new(1);
    bench.enter_boot(link, KeepAlive::OFF);
    let body = r#"{"vendorThingID":"v1","thingPassword":"p1"}"#;
    let json = Some(BY_VENDOR_ID);
    let rows = [
        (Method::Get, json, body, 405, None),
        (Method::Post, json, "{", 400, Some("INVALID_JSON")),
        (Method::Post, JSON, "{}", 415, None),
        (Method::Post, None, "{}", 415, None),
        (Method::Post, json, "{}", 400, Some("INVALID_INPUT_DATA")),
        (Method::Post, json, body, 200, None),
    ];
    for (method, content_type, body, status, code) in rows {
        let payload = request(None, method, content_type, body);
        let delivered = bench.publish(link, BOOT_ONBOARDINGS, &payload);
        let response = Response::decode(&delivered[0].payload).unwrap().to_owned();
        assert_eq!(error_of(&response), (status, code.map(String::from)));
        if body == "{}" && status == 400 {
            let fields =
                r#""invalidFields":{"thingPassword":"is required","vendorThingID":"is required"}"#;
            assert!(body_of(&response).contains(fields), "{}", body_of(&response));
        }
    }
}

#[test]
fn content_types_count_in_any_case_and_without_parameters() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let path = peer.target("states");
    for content_type in [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
        "application/json ; charset=UTF-8",
        "application/vnd.kii.multipletraitstate+json",
    ] {
        let response = bench.call(&peer, Method::Put, &path, Some(content_type), "{}");
        assert!(response.as_response().status.is_success(), "{content_type}");
    }
    for content_type in ["application/jsonx", "json", "application/vnd.kii.TraitState+json"] {
        let response = bench.call(&peer, Method::Put, &path, Some(content_type), "{}");
        assert_eq!(status_of(&response), 415, "{content_type}");
    }
}

#[test]
fn the_answer_is_on_the_topic_that_was_asked_on() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    for kind in ["thing", "THING", "Thing"] {
        let path = format!("targets/{kind}:{}/states", peer.thing_id());
        // The topic is compared in there.
        let response = bench.call(&peer, Method::Put, &path, JSON, "{}");
        assert!(response.as_response().status.is_success());
    }
    let path = format!("{}?bestEffortLimit=1", peer.target("commands"));
    assert_eq!(status_of(&bench.call(&peer, Method::Get, &path, None, "")), 200);
}

#[test]
fn a_request_id_is_repeated_trimmed() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    let token = peer.onboarded.access_token.expose_str().unwrap();
    let topic = peer.topic(&peer.target("states"));
    let ask = |bench: &mut Bench, header: &str| {
        let payload = format!("GET\nAuthorization: Bearer {token}\n{header}\n");
        let delivered = bench.publish(peer.link, &topic, payload.as_bytes());
        let response = Response::decode(&delivered[0].payload).unwrap();
        response.headers.request_id().map(String::from)
    };
    let id = ask(&mut bench, "x-kii-requestid: \t v1 onboardings \n");
    assert_eq!(id.as_deref(), Some("v1 onboardings"));
    assert_eq!(ask(&mut bench, "").as_deref(), None);
    assert_eq!(ask(&mut bench, "X-Kii-RequestID:\n").as_deref(), Some(""));
    let twice = ask(&mut bench, "X-Kii-RequestID: a\nX-Kii-RequestID: b\n");
    assert_eq!(twice.as_deref(), Some("a"));
}

#[test]
fn a_request_id_that_leaves_no_room_for_the_answer_is_given_up() {
    let mut bench = Bench::new(config().with_seed_headers(true));
    let link = Link::new(1);
    bench.enter_boot(link, KeepAlive::OFF);
    let payload = format!("POST\nX-Kii-RequestID:{}\n\n", "i".repeat(8_160));
    let delivered = bench.publish(link, BOOT_ONBOARDINGS, payload.as_bytes());
    assert_eq!(delivered[0].payload, b"500\r\n\r\n");
}

#[test]
fn seed_headers_are_those_of_the_seed_page() {
    let mut bench = Bench::new(config().with_seed_headers(true));
    let response = bench.ask_to_onboard(&by_thing("v1", "p1"));
    let response = response.as_response();
    let names: Vec<_> = response.headers.iter().map(|(name, _)| name).collect();
    let expected = ["Accept-Ranges", "Age", "Cache-Control", "Content-Type", "Date", "Connection"];
    assert_eq!(names, expected);
    assert_eq!(response.headers.get("Age"), Some("0"));
    let mut bench = Bench::new(config());
    let response = bench.ask_to_onboard(&by_thing("v1", "p1"));
    let names: Vec<_> = response.as_response().headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Content-Type"]);
}

#[test]
fn an_owner_may_use_what_it_owns_over_any_connection() {
    let mut bench = Bench::new(config());
    let (one, two) = (bench.thing(1, "v1"), bench.thing(2, "v2"));
    let path = two.target("states");
    let token = OWNER_TOKEN;
    let response = bench.call_as(token, &one, Method::Put, &path, JSON, "{}");
    assert_eq!(error_of(&response), (403, Some("WRONG_TOKEN".into())), "it owns nothing yet");
    let body = r#"{"vendorThingID":"v2","thingPassword":"canary-password-02","owner":"USER:u-1"}"#;
    let by_owner = "application/vnd.kii.OnboardingWithVendorThingIDByOwner+json";
    let onboarding = bench.call_as(token, &one, Method::Post, "onboardings", Some(by_owner), body);
    assert_eq!(status_of(&onboarding), 200);
    let response = bench.call_as(token, &one, Method::Put, &path, JSON, r#"{"a":1}"#);
    assert_eq!(status_of(&response), 201);
    assert_eq!(bench.cloud.state(two.thing_id()).unwrap().as_str(), r#"{"a":1}"#);
}

#[test]
fn what_a_gone_connection_asked_is_not_carried_out() {
    let mut bench = Bench::new(config());
    let peer = bench.thing(1, "v1");
    bench.cloud.close_all(bench.now, Stage::Api).unwrap();
    bench.drain();
    bench.forget();
    let token = format!("Bearer {}", peer.onboarded.access_token.expose_str().unwrap());
    let payload = request(Some(&token), Method::Put, JSON, "{}");
    bench.feed(Publish::new(peer.link, &peer.topic(&peer.target("states")), &payload));
    assert!(bench.actions.is_empty() && bench.events.is_empty());
    assert_eq!(bench.cloud.state(peer.thing_id()), None);
}

#[test]
fn an_application_does_not_see_the_things_of_another() {
    let other = App::new("app02", KEY).unwrap();
    let mut bench = Bench::new(config().with_app(other.clone()));
    let one = bench.thing(1, "v1");
    let body = r#"{"vendorThingID":"v1","thingPassword":"canary-password-02","owner":"user:u-1"}"#;
    let by_owner = "application/vnd.kii.OnboardingWithVendorThingIDByOwner+json";
    bench.call_as(OWNER_TOKEN, &one, Method::Post, "onboardings", Some(by_owner), body);

    // The same vendor thing id in the other application is another thing.
    let (boot, password) = (Link::new(2_000), other.password());
    let user_name = other.user_name();
    let connect = Connect::new(boot, Stage::Boot, "anonymous");
    bench.feed(connect.with_credentials(&user_name, password.expose()));
    let topic = "p/anonymous/thing-if/apps/app02/onboardings";
    let body = r#"{"vendorThingID":"v1","thingPassword":"another"}"#;
    let payload = request(None, Method::Post, Some(BY_VENDOR_ID), body);
    let delivered = bench.publish(boot, topic, &payload);
    let onboarded =
        Onboarded::decode(Response::decode(&delivered[0].payload).unwrap().body).unwrap();
    assert_ne!(onboarded.thing_id, one.thing_id());

    // Nor is the first one there by the cloud's id, with its password or its owner's token.
    let by_thing_id = "application/vnd.kii.OnboardingWithThingIDByThing+json";
    let body = format!(r#"{{"thingID":"{}","thingPassword":"{PASSWORD}"}}"#, one.thing_id());
    let payload = request(None, Method::Post, Some(by_thing_id), &body);
    let delivered = bench.publish(boot, topic, &payload);
    let response = Response::decode(&delivered[0].payload).unwrap().to_owned();
    assert_eq!(error_of(&response), (404, Some("THING_NOT_FOUND".into())));

    let link = Link::new(2);
    bench.enter_api(link, &onboarded, KeepAlive::OFF);
    let push_topic = onboarded.endpoint.unwrap().mqtt_topic;
    let topic = format!("p/{push_topic}/thing-if/apps/app02/{}", one.target("states"));
    let token = format!("Bearer {OWNER_TOKEN}");
    let delivered = bench.publish(link, &topic, &request(Some(&token), Method::Get, None, ""));
    let response = Response::decode(&delivered[0].payload).unwrap().to_owned();
    assert_eq!(error_of(&response), (404, Some("THING_NOT_FOUND".into())));
}
