//! `lifecycle-decode`: events, and everything that can be wrong with a line.

use data_encoding::{HEXLOWER, HEXUPPER};
use serde_json::{Value, json};

use super::{START, feed, kinds, run};

#[test]
fn an_event_is_told_under_its_wire_names_with_its_types() {
    let all = json!({
        "clientId": "site/7", "timestamp": "1700000000000", "eventType": "disconnected", "versionNumber": 4.0,
        "sessionIdentifier": "0000000A-0000-0000-0000-00000000000a", "principalIdentifier": "p",
        "clientInitiatedDisconnect": "true", "disconnectReason": "SOMETHING_NEW", "ipAddress": "192.0.2.456",
        "thingName": "t", "topics": null, "else": 1,
    });
    assert_decoded(
        json!({ "payload": all, "topic": "$aws/events/presence/disconnected/site/7" }),
        json!({
            "kind": "disconnected", "clientId": "site/7", "timestamp": START, "eventType": "disconnected",
            "versionNumber": 4, "sessionIdentifier": "0000000A-0000-0000-0000-00000000000a",
            "principalIdentifier": "p", "clientInitiatedDisconnect": true, "disconnectReason": "SOMETHING_NEW",
            "ipAddress": "192.0.2.456", "thingName": "t",
        }),
    );
    // Least and largest, as far as they may go.
    assert_decoded(
        json!({ "payload": r#"{"clientId":"é","timestamp":9223372036854775807,"eventType":"connected","versionNumber":9223372036854775807}"# }),
        json!({
            "kind": "connected", "clientId": "é", "timestamp": i64::MAX, "eventType": "connected",
            "versionNumber": i64::MAX,
        }),
    );
    assert_decoded(
        json!({ "topic": "$aws/events/presence/connect_failed/d", "payload": {
            "clientId": "d", "timestamp": 100_000_000_000_i64, "connectFailureReason": "AUTHORIZATION_FAILED",
            "ipAddress": "", "versionNumber": 3,
        }}),
        json!({
            "kind": "connect_failed", "clientId": "d", "timestamp": 100_000_000_000_i64,
            "eventType": "connect_failed", "connectFailureReason": "AUTHORIZATION_FAILED",
        }),
    );
    for kind in ["subscribed", "unsubscribed"] {
        assert_decoded(
            json!({ "payload": { "topics": ["a/+", "$share/g/b"], "eventType": kind, "timestamp": START, "clientId": "d" } }),
            json!({ "kind": kind, "clientId": "d", "timestamp": START, "eventType": kind, "topics": ["a/+", "$share/g/b"] }),
        );
    }
    // Both cases of hex; of a name that is there twice the last counts.
    let twice =
        br#"{"clientId":"c","clientId":"d","timestamp":1700000000000,"eventType":"connected"}"#;
    for hex in [HEXLOWER.encode(twice), HEXUPPER.encode(twice)] {
        assert_decoded(
            json!({ "payload": null, "payloadHex": hex }),
            json!({ "kind": "connected", "clientId": "d", "timestamp": START, "eventType": "connected" }),
        );
    }
}

#[test]
fn an_unknown_kind_keeps_the_documented_fields_that_can_be_read() {
    let line = |fields: Value| {
        let mut payload = json!({ "clientId": "d", "timestamp": START, "eventType": "hibernated" });
        payload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "payload": payload, "topic": "$aws/events/presence/hibernated/d" })
    };
    let told = |fields: Value| {
        let mut told = line(fields)["payload"].take();
        told["kind"] = "unknown".into();
        told
    };
    assert_decoded(line(json!({})), told(json!({})));
    let fields = json!({
        "versionNumber": i64::MAX.to_string(), "clientInitiatedDisconnect": "false", "topics": ["a", "b/+"],
        "disconnectReason": "NEW \" {}", "connectFailureReason": "SLEEPING", "ipAddress": "::1", "else": 1,
    });
    assert_decoded(
        line(fields),
        told(json!({
            "versionNumber": i64::MAX, "clientInitiatedDisconnect": false, "topics": ["a", "b/+"],
            "disconnectReason": "NEW \" {}", "connectFailureReason": "SLEEPING", "ipAddress": "::1",
        })),
    );
    // Each on its own: what is beside it does not matter.
    let fields = json!({
        "versionNumber": -1, "clientInitiatedDisconnect": 1, "topics": ["a", 2], "disconnectReason": "NEW",
        "connectFailureReason": null,
    });
    assert_decoded(line(fields), told(json!({ "disconnectReason": "NEW" })));
    assert_decoded(
        json!({ "payload": r#"{"versionNumber":1,"clientId":"d","timestamp":1700000000000,"eventType":"","versionNumber":2}"# }),
        json!({ "kind": "unknown", "clientId": "d", "timestamp": START, "eventType": "", "versionNumber": 2 }),
    );
    // Strict, a number is no text.
    let fields = json!({ "versionNumber": "1", "disconnectReason": "NEW" });
    let (_, output) = run(&["lifecycle-decode", "--strict"], feed([line(fields)]));
    assert_eq!(output[0]["ok"], told(json!({ "disconnectReason": "NEW" })));
}

#[test]
fn a_topic_of_an_unknown_kind_must_be_confirmed_by_its_payload() {
    let line = |topic: &str, event_type: Value| {
        json!({ "topic": format!("$aws/events/{topic}"), "payload": {
            "clientId": "a/b", "timestamp": START, "eventType": event_type, "topics": [], "versionNumber": 0,
        }})
    };
    for (topic, event_type, expected) in [
        ("presence/hibernated/a/b", json!("hibernated"), "1 ok"),
        ("subscriptions/hibernated/a/b", json!("hibernated"), "1 ok"),
        ("presence/hibernated/a/b", json!("connected"), "1 UnknownKind"),
        ("presence/hibernated/a/b", json!("resumed"), "1 UnknownKind"),
        ("presence/hibernated/a/b", Value::Null, "1 UnknownKind"),
        // Known, but not in this family.
        ("presence/subscribed/a/b", json!("subscribed"), "1 UnknownKind"),
        ("presence/hibernated/b", json!("hibernated"), "1 ClientIdMismatch clientId"),
        (
            "presence/hibernated/x/hibernated/a/b",
            json!("hibernated"),
            "1 ClientIdMismatch clientId",
        ),
        ("presence/hibernated", json!("hibernated"), "1 ClientIdMismatch clientId"),
        ("presence/hibernated/a/b", json!(7), "1 WrongType eventType"),
    ] {
        let (_, output) = run(&["lifecycle-decode"], feed([line(topic, event_type)]));
        assert_eq!(kinds(&output), [expected], "{topic}");
    }
}

#[track_caller]
fn assert_decoded(line: Value, expected: Value) {
    let (status, output) = run(&["lifecycle-decode"], feed([line]));
    assert_eq!((status, output), (0, vec![json!({ "line": 1, "ok": expected })]));
}

#[test]
fn strict_refuses_what_is_not_as_documented() {
    let event = |name: &str, value: Value| {
        let mut payload =
            json!({ "clientId": "d", "timestamp": START, "eventType": "disconnected" });
        payload[name] = value;
        json!({ "payload": payload })
    };
    let lines = [
        event("versionNumber", json!("0")),
        event("versionNumber", json!(0.0)),
        event("versionNumber", Value::Null),
        event("clientInitiatedDisconnect", json!("true")),
        event("eventType", Value::Null),
        json!({ "payload": r#"{"clientId":"d","x":1,"x":2}"# }),
        event("versionNumber", json!(0)),
    ];
    let (status, output) = run(&["lifecycle-decode", "--strict"], feed(lines.clone()));
    assert_eq!(status, 1);
    assert_eq!(
        kinds(&output),
        [
            "1 WrongType versionNumber",
            "2 NotAnInteger versionNumber",
            "3 WrongType versionNumber",
            "4 WrongType clientInitiatedDisconnect",
            "5 WrongType eventType",
            "6 DuplicateKey x",
            "7 ok",
        ]
    );
    let (_, output) = run(&["lifecycle-decode"], feed(lines));
    assert_eq!(
        kinds(&output),
        [
            "1 ok",
            "2 ok",
            "3 ok",
            "4 ok",
            "5 MissingField eventType",
            "6 MissingField eventType",
            "7 ok"
        ]
    );
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let event = |name: &str, value: &str| {
        let mut fields = vec![
            ("clientId", r#""d""#),
            ("timestamp", "1700000000000"),
            ("eventType", r#""connected""#),
        ];
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let payload = |name: &str, value: &str| format!(r#"{{"payload":{}}}"#, event(name, value));
    let on_topic = |topic: &str| format!(r#"{{"topic":{topic},"payload":{}}}"#, event("x", "0"));
    let padded = |bytes: usize| {
        let event = event("x", "0");
        json!({ "payload": event + &" ".repeat(bytes) }).to_string()
    };
    let fitting = MAX_PAYLOAD_BYTES - event("x", "0").len();
    let prefix = "$aws/events/presence/connected";
    let cases: Vec<(String, &str)> = vec![
        // The line.
        ("[]".into(), "BadInput"),
        ("null".into(), "BadInput"),
        (r#""secret""#.into(), "BadInput"),
        ("{".into(), "BadInput"),
        (r#"{"payload":{}} {}"#.into(), "BadInput"),
        (r#"{"payload":{"a":01}}"#.into(), "BadInput"),
        ("{}".into(), "BadInput payload"),
        (r#"{"payload":null}"#.into(), "BadInput payload"),
        (r#"{"payload":7}"#.into(), "BadInput payload"),
        (r#"{"payload":[]}"#.into(), "BadInput payload"),
        (r#"{"payload":"\ud800"}"#.into(), "BadInput payload"),
        (r#"{"payload":"{}","payloadHex":"7b7d"}"#.into(), "BadInput"),
        (r#"{"payloadHex":"7b7"}"#.into(), "BadInput payloadHex"),
        (r#"{"payloadHex":"7g7d"}"#.into(), "BadInput payloadHex"),
        (r#"{"payloadHex":"7b 7d"}"#.into(), "BadInput payloadHex"),
        (r#"{"payloadHex":{}}"#.into(), "BadInput payloadHex"),
        (on_topic("7"), "BadInput topic"),
        (format!(r#"{{"else":{}}}"#, "[".repeat(200) + &"]".repeat(200)), "BadInput payload"),
        (
            format!(r#"{{"payload":{{"x":{}}}}}"#, "[".repeat(200) + &"]".repeat(200)),
            "MissingField clientId",
        ),
        // The topic, before the payload.
        (on_topic(r#""""#), "NotLifecycle"),
        (on_topic(r#""$aws/events/thing/d/created""#), "NotLifecycle"),
        (on_topic(r#""$aws/events/presence/hibernated/d""#), "UnknownKind"),
        (on_topic(&format!("\"{prefix}\"")), "MissingClientId"),
        (on_topic(&format!("\"{prefix}/\"")), "EmptyClientId"),
        (on_topic(&format!("\"{prefix}/{}\"", "€".repeat(43))), "ClientIdTooLong"),
        (on_topic(&format!("\"{prefix}/+\"")), "Wildcard"),
        (on_topic(&format!("\"{prefix}/a\\u0000b\"")), "Nul"),
        (on_topic(&format!("\"{prefix}/other\"")), "ClientIdMismatch clientId"),
        (on_topic(r#""$aws/events/presence/disconnected/d""#), "KindMismatch eventType"),
        (on_topic(&format!("\"{prefix}/d\"")), "ok"),
        // The payload.
        (r#"{"payload":""}"#.into(), "NotJson"),
        (r#"{"payloadHex":""}"#.into(), "NotJson"),
        (r#"{"payload":"{\"a\":1,}"}"#.into(), "NotJson"),
        (r#"{"payload":"[1]"}"#.into(), "NotAnObject"),
        (r#"{"payloadHex":"7bff7d"}"#.into(), "NotUtf8"),
        (padded(fitting), "ok"),
        (padded(fitting + 1), "PayloadTooLarge"),
        (r#"{"payload":{}}"#.into(), "MissingField clientId"),
        (payload("eventType", "null"), "MissingField eventType"),
        (payload("eventType", r#""subscribed""#), "MissingField topics"),
        (payload("clientId", r#""a/b/ c""#), "ok"),
        (payload("clientId", "7"), "WrongType clientId"),
        (payload("clientId", r#""""#), "EmptyClientId clientId"),
        (payload("clientId", r##""a#""##), "Wildcard clientId"),
        (payload("clientId", &format!("\"{}\"", "a".repeat(129))), "ClientIdTooLong clientId"),
        (payload("clientId", r#""\ud800""#), "UnpairedSurrogate clientId"),
        (payload("timestamp", "1700000000"), "TimestampLooksLikeSeconds timestamp"),
        (payload("timestamp", "99999999999"), "TimestampLooksLikeSeconds timestamp"),
        (payload("timestamp", "-1700000000000"), "TimestampLooksLikeSeconds timestamp"),
        (payload("timestamp", "100000000000"), "ok"),
        (payload("timestamp", "9223372036854775807"), "ok"),
        (payload("timestamp", "9223372036854775808"), "OutOfRange timestamp"),
        (payload("timestamp", r#""2023-11-14T22:13:20Z""#), "NotAnInteger timestamp"),
        (payload("timestamp", "1700000000000.5"), "NotAnInteger timestamp"),
        (payload("timestamp", "1.7e12"), "ok"),
        (payload("timestamp", "true"), "WrongType timestamp"),
        (payload("versionNumber", "-1"), "OutOfRange versionNumber"),
        (payload("versionNumber", "9223372036854775807"), "ok"),
        (payload("versionNumber", "9223372036854775808"), "OutOfRange versionNumber"),
        (payload("versionNumber", "18446744073709551616"), "OutOfRange versionNumber"),
        (payload("versionNumber", "1e16"), "OutOfRange versionNumber"),
        (payload("versionNumber", r#""007""#), "ok"),
        (payload("versionNumber", r#""x""#), "NotAnInteger versionNumber"),
    ];
    let good = payload("versionNumber", "1");
    let input: String = cases.iter().map(|(line, _)| format!("{line}\n{good}\n")).collect();
    let (status, output) = run(&["lifecycle-decode"], &input);
    assert_eq!(status, 1);
    let kinds = kinds(&output);
    assert_eq!(kinds.len(), 2 * cases.len());
    for (index, (line, expected)) in cases.iter().enumerate() {
        let line: String = line.chars().take(200).collect();
        assert_eq!(kinds[2 * index], format!("{} {expected}", 2 * index + 1), "{line}");
        assert_eq!(kinds[2 * index + 1], format!("{} ok", 2 * index + 2), "after {line}");
    }
    assert!(!Value::from(output).to_string().contains("secret"));
}

#[test]
fn an_object_as_payload_keeps_its_texts_and_its_digits() {
    let line = r#" { "payload" : { "clientId" : "a \" b\\" , "timestamp":1700000000000,
        "eventType" : "connected", "thingName":"\u00e9 \n \\\" ", "versionNumber":[ 1 ] } } "#;
    let (_, output) =
        run(&["lifecycle-decode"], line.replace('\n', " ").replace("[ 1 ]", "12345678901234567"));
    let ok = &output[0]["ok"];
    assert_eq!(ok["clientId"], "a \" b\\");
    assert_eq!(ok["thingName"], "é \n \\\" ");
    assert_eq!(ok["versionNumber"], 12_345_678_901_234_567_i64);
}

const MAX_PAYLOAD_BYTES: usize = 128 * 1024;
