//! `kii-onboarding`: the vectors of the specification, and what they leave open.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run};

/// Section 17.4. Of J02 and J08 only the body is looked at: which port is chosen and when the endpoint ends is the
/// thing's to do.
#[test]
fn every_body_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../kii-onboard/tests/vectors/onboarded.jsonl"));
    for (index, vector) in vectors.iter().enumerate() {
        assert_eq!(vector["id"], format!("J{:02}", index + 1));
        let (body, end_node) = (vector["body"].as_str().unwrap(), &vector["endNodeOnboarded"]);
        let mut lines = vec![
            json!({ "payload": body }),
            json!({ "payloadHex": HEXLOWER.encode(body.as_bytes()), "endNode": false }),
        ];
        if let Ok(object @ Value::Object(_)) = serde_json::from_str(body) {
            lines.push(json!({ "payload": object, "endNode": null }));
        }
        if end_node.is_object() {
            lines.iter_mut().for_each(|line| line["endNode"] = true.into());
        }
        let (status, output) = run(&["kii-onboarding"], feed(lines.clone()));
        let answer = if let Some(field) = vector["badField"].as_str() {
            format!("BadField {field}")
        } else if vector["notJson"] == true {
            "NotJson".to_owned()
        } else {
            "ok".to_owned()
        };
        let expected = (1..=lines.len()).map(|line| format!("{line} {answer}"));
        assert_eq!(kinds(&output), expected.collect::<Vec<_>>(), "{vector}");
        assert_eq!(status, u8::from(answer != "ok"), "{vector}");
        if answer == "ok" {
            let told = if end_node.is_object() {
                json!({ "endNodeThingID": end_node["endNodeThingID"] })
            } else {
                told(&vector["onboarded"])
            };
            output.iter().for_each(|answer| assert_eq!(answer["ok"], told, "{vector}"));
        }
    }
    assert_eq!(vectors.len(), 23);
}

/// What must be told of what a vector reads: all members but the secrets, the absent ones as null.
fn told(onboarded: &Value) -> Value {
    let mut endpoint = onboarded["mqttEndpoint"].clone();
    if let Value::Object(members) = &mut endpoint {
        members.remove("password");
        let optional = ["installationID", "portTCP", "portSSL", "portWS", "portWSS", "ttl"];
        optional.into_iter().for_each(|name| {
            members.entry(name).or_insert(Value::Null);
        });
    }
    json!({ "thingID": onboarded["thingID"], "mqttEndpoint": endpoint })
}

#[test]
fn what_the_specification_leaves_open_has_names_too() {
    let with = |members: &str| {
        format!(
            r#"{{"accessToken":"t","thingID":"th.1","mqttEndpoint":{{"username":"u","password":"p","mqttTopic":"T","host":"h"{members}}}}}"#
        )
    };
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"accessToken":"t","thingID":"th.1","x":{open}{close}}}"#)
    };
    let cases = [
        (with(""), "ok"),
        (with(r#","userName":5"#), "ok"),
        (with(r#","username":null,"userName":"u""#), "BadField username"),
        (with(r#","ttl":null,"X-MQTT-TTL":"x""#), "ok"),
        (with(r#","X-MQTT-TTL":"x""#), "BadField X-MQTT-TTL"),
        (with(r#","ttl":18446744073709551615"#), "ok"),
        (with(r#","ttl":18446744073709551616"#), "BadField ttl"),
        (with(r#","ttl":60.0"#), "BadField ttl"),
        (with(r#","ttl":-0"#), "ok"),
        (with(r#","portWS":8883,"portWS":0"#), "BadField portWS"),
        (with(r#","installationID":null"#), "BadField installationID"),
        (with(r#","host":"a b""#), "BadField host"),
        (with(r#","host":"\ud800""#), "BadField host"),
        (with(r#","\ud800":"\udc00""#), "ok"),
        // The order of the tables decides.
        (with(r#","ttl":-1,"portTCP":0,"mqttTopic":"","password":1"#), "BadField password"),
        (r#"{"mqttEndpoint":[]}"#.into(), "BadField accessToken"),
        (nested(31), "ok"),
        (nested(32), "TooDeep"),
        (nested(200), "TooDeep"),
        (nested(31) + "x", "NotJson"),
        ("\u{feff}{}".into(), "NotJson"),
        ("null".into(), "BadField body"),
    ];
    let lines = cases.iter().map(|(body, _)| json!({ "payload": body }));
    let (status, output) = run(&["kii-onboarding"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, (body, expected))) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {expected}", index + 1), "{body}");
    }
    assert_eq!(output[5]["ok"]["mqttEndpoint"]["ttl"], u64::MAX);
    let not_json = run(&["kii-onboarding"], feed([json!({ "payload": "{\n \"a\": }" })])).1;
    assert_eq!(
        (&not_json[0]["error"]["jsonLine"], &not_json[0]["error"]["jsonColumn"]),
        (&json!(2), &json!(7))
    );
}

#[test]
fn an_end_node_needs_no_endpoint_and_a_thing_no_end_node() {
    let body = json!({ "accessToken": "t", "endNodeThingID": "th.2", "mqttEndpoint": 7 });
    let lines = [
        json!({ "payload": body, "endNode": true }),
        json!({ "payload": body, "endNode": false }),
        json!({ "payload": { "accessToken": "t", "thingID": "th.1" }, "endNode": true }),
        json!({ "payload": [], "endNode": true }),
        json!({ "payload": "[]", "endNode": true }),
    ];
    assert_eq!(
        kinds(&run(&["kii-onboarding"], feed(lines)).1),
        [
            "1 ok",
            "2 BadField thingID",
            "3 BadField endNodeThingID",
            "4 BadInput payload",
            "5 BadField body"
        ]
    );
}

#[test]
fn token_and_password_are_not_repeated() {
    let body = |host: &str| {
        json!({
            "accessToken": "canary", "thingID": "th.1",
            "mqttEndpoint": { "username": "u", "password": "canary", "mqttTopic": "T", "host": host },
        })
    };
    let lines = [
        json!({ "payload": body("h") }),
        json!({ "payload": body("") }),
        json!({ "payload": body("h").to_string() + "canary" }),
        json!({ "payload": { "accessToken": "canary", "endNodeThingID": "n" }, "endNode": true }),
    ];
    let (_, output) = run(&["kii-onboarding"], feed(lines));
    assert_eq!(kinds(&output), ["1 ok", "2 BadField host", "3 NotJson", "4 ok"]);
    assert!(!Value::from(output).to_string().contains("canary"));
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = json!({ "payload": { "accessToken": "t", "thingID": "th.1" }, "else": 1.5 });
    assert_lines(
        "kii-onboarding",
        &good.to_string(),
        &[
            ("{}", "BadInput payload"),
            ("7", "BadInput"),
            (r#"{"payload":null,"payloadHex":null}"#, "BadInput payload"),
            (r#"{"payload":true}"#, "BadInput payload"),
            (r#"{"payload":{},"payloadHex":""}"#, "BadInput"),
            (r#"{"payload":{},"endNode":1}"#, "BadInput endNode"),
            (r#"{"payload":{},"endNode":"true"}"#, "BadInput endNode"),
            (r#"{"payloadHex":"7"}"#, "BadInput payloadHex"),
            (r#"{"payloadHex":"ff"}"#, "NotJson"),
            (r#"{"payload":""}"#, "NotJson"),
            (r#"{"payload":{}}"#, "BadField accessToken"),
        ],
    );
}
