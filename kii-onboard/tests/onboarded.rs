//! Answers to onboardings: the vectors J01 to J23 of specification section 17.4, the rules of section 9 against a naive
//! reading, and what is never printed.

use std::time::Duration;

use iot_sansio::MonoTime;
use kii_onboard::{
    MqttEndpoint, MqttTopic, Ports, TransportKind,
    onboarding::{EndNodeOnboarded, Expected, Onboarded, OnboardedError},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

#[path = "naive/onboarded.rs"]
mod naive;

/// What a decoded answer holds, by the names of the specification.
fn members(onboarded: &Onboarded) -> Value {
    let mut members = json!({
        "accessToken": onboarded.access_token.expose_str().unwrap(),
        "thingID": onboarded.thing_id,
    });
    if let Some(endpoint) = &onboarded.endpoint {
        let all = [
            ("installationID", endpoint.installation_id.as_deref().map(Value::from)),
            ("username", Some(endpoint.user_name.as_str().into())),
            ("password", Some(endpoint.password.expose_str().unwrap().into())),
            ("mqttTopic", Some(endpoint.mqtt_topic.as_str().into())),
            ("host", Some(endpoint.host.as_str().into())),
            ("portTCP", endpoint.ports.tcp.map(Value::from)),
            ("portSSL", endpoint.ports.ssl.map(Value::from)),
            ("portWS", endpoint.ports.ws.map(Value::from)),
            ("portWSS", endpoint.ports.wss.map(Value::from)),
            ("ttl", endpoint.ttl.map(|ttl| ttl.as_secs().into())),
        ];
        let told = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        members["mqttEndpoint"] = Value::Object(told.collect());
    }
    members
}

#[test]
fn every_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/onboarded.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let body = vector["body"].as_str().unwrap().as_bytes();
        if let Some(expected) = vector.get("endNodeOnboarded") {
            let onboarded = EndNodeOnboarded::decode(body).unwrap();
            assert_eq!(onboarded.end_node_thing_id, expected["endNodeThingID"], "{id}");
            let token = onboarded.access_token.expose_str().unwrap();
            assert_eq!(token, expected["accessToken"], "{id}");
        } else if let Some(expected) = vector.get("onboarded") {
            let onboarded = Onboarded::decode(body).unwrap();
            assert_eq!(members(&onboarded), *expected, "{id}");
            if let Some(member) = vector["portUnavailable"].as_str() {
                let ports = onboarded.endpoint.as_ref().unwrap().ports;
                let missing = ports.get(TransportKind::Wss).unwrap_err();
                assert_eq!((missing.kind, missing.kind.member()), (TransportKind::Wss, member));
            }
            if let Some(millis) = vector["expiresAfterMillis"].as_u64() {
                let (now, ttl) = (MonoTime::from_millis(7), onboarded.endpoint.unwrap().ttl);
                assert_eq!(now.after(ttl.unwrap()).as_millis(), 7 + millis, "{id}");
            }
        } else {
            match (Onboarded::decode(body), vector["badField"].as_str()) {
                (Err(OnboardedError::BadField { field, .. }), Some(name)) => {
                    assert_eq!(field, name, "{id}");
                }
                (Err(OnboardedError::NotJson(_)), None) => assert_eq!(vector["notJson"], true),
                (read, _) => panic!("{id}: {read:?}"),
            }
        }
        ids.push(id.to_owned());
    }
    assert_eq!(ids, (1..=23).map(|number| format!("J{number:02}")).collect::<Vec<_>>());
}

#[test]
fn encoded_members_stand_in_the_order_of_the_specification_under_their_primary_names() {
    let body = br#"{"mqttEndpoint":{"X-MQTT-TTL":60,"portWSS":4,"portWS":null,"portSSL":2,"portTCP":1,"host":"h",
        "mqttTopic":"T","password":"p\n\"","userName":"u","installationID":"i"},"thingID":"th.1","accessToken":"t"}"#;
    let encoded = Onboarded::decode(body).unwrap().encode();
    let expected = r#"{"accessToken":"t","thingID":"th.1","mqttEndpoint":{"installationID":"i","username":"u","password":"p\n\"","mqttTopic":"T","host":"h","portTCP":1,"portSSL":2,"portWSS":4,"ttl":60}}"#;
    assert_eq!(String::from_utf8(encoded).unwrap(), expected);
    let node = EndNodeOnboarded::new("th.2", "t").encode();
    assert_eq!(node, br#"{"accessToken":"t","endNodeThingID":"th.2"}"#);
}

fn body_with(endpoint_members: &str) -> String {
    format!(
        r#"{{"accessToken":"t","thingID":"th.1","mqttEndpoint":{{"username":"u","password":"p","mqttTopic":"T","host":"h"{endpoint_members}}}}}"#
    )
}

fn decode_with(endpoint_members: &str) -> Result<MqttEndpoint, &'static str> {
    match Onboarded::decode(body_with(endpoint_members).as_bytes()) {
        Ok(onboarded) => Ok(onboarded.endpoint.unwrap()),
        Err(OnboardedError::BadField { field, .. }) => Err(field),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_primary_name_beats_its_alias_wherever_it_stands() {
    let ttl = |members| decode_with(members).unwrap().ttl.map(|ttl| ttl.as_secs());
    assert_eq!(ttl(r#","X-MQTT-TTL":1,"ttl":2"#), Some(2));
    assert_eq!(ttl(r#","ttl":2,"X-MQTT-TTL":1"#), Some(2));
    assert_eq!(ttl(r#","X-MQTT-TTL":1,"ttl":null"#), None);
    assert_eq!(ttl(r#","ttl":2,"X-MQTT-TTL":"no""#), Some(2));
    assert_eq!(decode_with(r#","userName":5"#).unwrap().user_name, "u");
    assert_eq!(decode_with(r#","X-MQTT-TTL":"no""#), Err("X-MQTT-TTL"));
    assert_eq!(decode_with(r#","username":null,"userName":"a""#), Err("username"));
}

#[test]
fn numbers_are_integers_however_the_build_reads_them() {
    for refused in ["8883.0", "8.883e3", "8883e0", "-0.0", "-1", "1e999", "true", "[8883]", "{}"] {
        assert_eq!(decode_with(&format!(r#","portSSL":{refused}"#)), Err("portSSL"), "{refused}");
        assert_eq!(decode_with(&format!(r#","ttl":{refused}"#)), Err("ttl"), "{refused}");
    }
    let private = r#","portSSL":{"$serde_json::private::Number":"8883"}"#;
    assert_eq!(decode_with(private), Err("portSSL"));
    let most = decode_with(r#","ttl":18446744073709551615"#).unwrap();
    assert_eq!(most.ttl, Some(Duration::from_secs(u64::MAX)));
    assert_eq!(decode_with(r#","ttl":18446744073709551616"#), Err("ttl"));
    for zero in ["0", "-0"] {
        let endpoint = decode_with(&format!(r#","ttl":{zero}"#)).unwrap();
        assert_eq!(endpoint.ttl, Some(Duration::ZERO), "{zero}");
        assert_eq!(decode_with(&format!(r#","portTCP":{zero}"#)), Err("portTCP"), "{zero}");
    }
    assert_eq!(decode_with(r#","portWS":65535,"portTCP":1"#).unwrap().ports.ws, Some(65_535));
}

#[test]
fn arrays_and_objects_nest_up_to_32_deep() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"accessToken":"t","thingID":"th.1","x":{open}{close}}}"#)
    };
    assert!(Onboarded::decode(nested(31).as_bytes()).is_ok());
    let too_deep = Err(OnboardedError::TooDeep { limit: 32 });
    assert_eq!(Onboarded::decode(nested(32).as_bytes()), too_deep);
    assert_eq!(Onboarded::decode(nested(100_000).as_bytes()), too_deep);
    // The end of a wide body is looked at, and a bracket in a text is none.
    let wide = |last: &str| format!(r#"{{"x":["{}",{{"y":{last}}}]}}"#, "[".repeat(40));
    let missing =
        OnboardedError::BadField { field: "accessToken", expected: Expected::NonEmptyText };
    assert_eq!(Onboarded::decode(wide("0").as_bytes()), Err(missing));
    assert_eq!(Onboarded::decode(wide(&nested(31)).as_bytes()), too_deep);
    // So is what comes after the deepest place.
    let followed = format!("[{}{},0]", "[".repeat(33), "]".repeat(33));
    assert_eq!(Onboarded::decode(followed.as_bytes()), too_deep);
}

#[test]
fn half_a_surrogate_pair_only_harms_the_member_that_it_stands_in() {
    let ignored = r#","\ud800":"\udfff","x":["\ud800"],"\u0074tl":5"#;
    assert_eq!(decode_with(ignored).unwrap().ttl, Some(Duration::from_secs(5)));
    assert_eq!(decode_with(r#","host":"\ud800""#), Err("host"));
}

#[test]
fn what_is_not_json_is_told_by_its_place() {
    let place = |body: &[u8]| match Onboarded::decode(body) {
        Err(OnboardedError::NotJson(error)) => (error.line, error.column),
        read => panic!("{read:?}"),
    };
    assert_eq!(place(b"{\n\"accessToken\":\n  x}"), (3, 3));
    assert_eq!(place(b"{\n\"accessToken\":\"t\xff\"}"), (2, 17));
    assert_eq!(place(b""), (1, 0));
    assert_eq!(place(body_with("").replace("}}", "}} x").as_bytes()).0, 1);
    assert_eq!(place(b"{}\0"), (1, 3));
}

#[test]
fn an_error_says_what_a_member_should_hold() {
    let error = Onboarded::decode(body_with(r#","portWS":"12470""#).as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "`portWS` is not an integer from 1 to 65535 or null");
    let error = EndNodeOnboarded::decode(br#"{"accessToken":""}"#).unwrap_err();
    assert_eq!(error.to_string(), "`accessToken` is not a string with something in it");
}

#[test]
fn secrets_are_not_printed() {
    let body = body_with("").replace(r#""t""#, r#""canary""#).replace(r#""p""#, r#""canary""#);
    let onboarded = Onboarded::decode(body.as_bytes()).unwrap();
    assert_eq!(onboarded.access_token.expose(), b"canary");
    assert_eq!(onboarded.endpoint.as_ref().unwrap().password.expose(), b"canary");
    let node = EndNodeOnboarded::new("th.2", "canary");
    let bad = Onboarded::decode(body.replace(r#""h""#, r#""canary canary""#).as_bytes());
    let not_json = Onboarded::decode(body.replace("}}", "canary").as_bytes());
    let said = [&bad, &not_json].map(|read| read.as_ref().unwrap_err().to_string());
    let printed = format!("{onboarded:?} {onboarded:#?} {node:?} {bad:?} {not_json:?} {said:?}");
    assert!(!printed.contains("canary"), "{printed}");
    assert!(!printed.contains("99, 97, 110"), "{printed}");
}

/// A member, or none, or one that comes twice, from values that fit and values that do not.
fn member(name: &'static str, fit: &'static [&'static str]) -> impl Strategy<Value = String> {
    let odd = ["null", "\"\"", "5", "-1", "0", "1.0", "1e3", "99999", "\"a b\"", "\"a/b\"", "[]"];
    let odd = ["{\"x\":[[]]}", "true", "\"\\u0007\"", "\"\u{a0}\"", "18446744073709551616"]
        .into_iter()
        .chain(odd)
        .collect::<Vec<_>>();
    let value = prop_oneof![12 => select(fit), 1 => select(odd)];
    let count = prop_oneof![12 => Just(1), 1 => Just(0_usize), 1 => Just(2)];
    count
        .prop_flat_map(move |count| vec(value.clone(), count))
        .prop_map(move |values| values.iter().map(|value| format!("\"{name}\":{value},")).collect())
}

/// Of such members, none of which may be there.
fn rare(name: &'static str, fit: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => member(name, fit)]
}

/// An object with such members in any order.
fn object_of(members: Vec<BoxedStrategy<String>>) -> impl Strategy<Value = String> {
    members.prop_shuffle().prop_map(|members| {
        let members = members.concat();
        format!("{{{}}}", members.trim_end_matches(','))
    })
}

const TEXT: &[&str] = &["\"a\"", "\"b.c\"", "\"\\u00e9\\n\"", "\"\u{e9}\""];
const NAME: &[&str] = &["\"h1\"", "\"b.example\"", "\"\u{e9}\""];
const PORT: &[&str] = &["1", "8883", "65535", "null"];

fn endpoint() -> impl Strategy<Value = String> {
    let object = object_of(vec![
        rare("installationID", TEXT).boxed(),
        member("username", TEXT).boxed(),
        rare("userName", TEXT).boxed(),
        member("password", TEXT).boxed(),
        member("mqttTopic", NAME).boxed(),
        member("host", NAME).boxed(),
        rare("portTCP", PORT).boxed(),
        rare("portSSL", PORT).boxed(),
        rare("portWS", PORT).boxed(),
        rare("portWSS", PORT).boxed(),
        rare("ttl", PORT).boxed(),
        rare("X-MQTT-TTL", PORT).boxed(),
        rare("unknown", PORT).boxed(),
    ]);
    prop_oneof![20 => object, 1 => select(vec!["null", "[]", "\"\""]).prop_map(String::from)]
}

fn answer() -> impl Strategy<Value = String> {
    let endpoint = endpoint().prop_map(|endpoint| format!("\"mqttEndpoint\":{endpoint},"));
    object_of(vec![
        member("accessToken", TEXT).boxed(),
        member("thingID", TEXT).boxed(),
        rare("endNodeThingID", TEXT).boxed(),
        endpoint.boxed(),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_answer_is_read_as_a_naive_reader_does(body in answer()) {
        let value = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(naive::thing(body.as_bytes()), Some(naive::read_thing(&value)));
        prop_assert_eq!(naive::end_node(body.as_bytes()), Some(naive::read_end_node(&value)));
    }

    #[test]
    fn bytes_are_json_here_when_they_are_elsewhere(bytes in vec(select(b"{}[]\",:0 \n\\t\xc3\xa9".as_slice()), 0..12)) {
        let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
        prop_assert_eq!(naive::thing(&bytes).is_some(), is_json);
    }

    #[test]
    fn what_is_saved_is_what_is_restored(
        texts in vec(".{1,20}", 4),
        topic in "[^/+#\\p{Cc}]{1,64}",
        host in "[a-z0-9.:-]{1,40}",
        ports in vec(proptest::option::of(1_u16..), 4),
        ttl in proptest::option::of(any::<u64>()),
        has_endpoint: bool,
    ) {
        let topic = MqttTopic::new(topic).unwrap();
        let mut endpoint = MqttEndpoint::new(host, &texts[0], texts[1].as_str(), topic);
        endpoint.ports = Ports { tcp: ports[0], ssl: ports[1], ws: ports[2], wss: ports[3] };
        endpoint.ttl = ttl.map(Duration::from_secs);
        endpoint.installation_id = ttl.map(|_| texts[2].clone());
        let onboarded = Onboarded::new(&texts[2], texts[3].as_str());
        let onboarded = if has_endpoint { onboarded.with_endpoint(endpoint) } else { onboarded };
        prop_assert_eq!(Onboarded::decode(&onboarded.encode()), Ok(onboarded));
    }
}
