//! `amqp-message`: the vectors of the specification as far as JSON can express them, and everything that can be odd.

use serde_json::{Value, json};

use super::{feed, kinds, run, run_raw};

/// Section 15.H. Left out are those with what a line cannot say: a timestamp as such (H03), several sections or another
/// form of body (H06, H07, H08), what `Debug` shows (H15: here bodies are printed whole), an aborted transfer (H16).
#[test]
fn every_message_of_the_specification_is_told() {
    let status = json!({ "status": "online" });
    let topic = "/as/mqtt/status/pk1/dn1";
    let all = |id: Value, time: Value| {
        json!({
            "properties": { "topic": topic, "messageId": id, "generateTime": time, "qos": 1 },
            "payload": status,
        })
    };
    let told = json!({
        "class": "DeviceStatus", "messageId": "1351123456789012345", "topic": topic,
        "generateTime": 1_535_680_948_195_i64, "body": status,
    });
    let id = 1_351_123_456_789_012_345_i64;
    let time = json!(1_535_680_948_195_i64);
    assert_told("H01", all(json!(id.to_string()), time.clone()), told.clone());
    assert_told("H02", all(json!(id), time), told.clone());
    assert_told("H04", all(json!(id), json!("1535680948195")), told);
    assert_told(
        "H05",
        json!({ "properties": {}, "payload": "\u{1}" }),
        json!({ "class": "Unknown", "messageId": null, "topic": null, "generateTime": null, "bodyHex": "01" }),
    );
    for (id, topic, class) in [
        ("H09", "/pk/dn/thing/event/batch/post", "EventBatch"),
        ("H10", "/pk/dn/thing/event/block:over/post", "Event"),
        ("H11", "/pk/pkg/job/ota/job/status", "OtaJobStatus"),
        ("H12", "/pk/dn/user/update/error", "Custom"),
        ("H13", "/sys/pk/dn/ota/upgrade", "OtaUpgrade"),
    ] {
        let line = json!({ "properties": { "topic": topic }, "payload": r#"{ "a" : 1.0 }"# });
        let told = json!({
            "class": class, "messageId": null, "topic": topic, "generateTime": null, "body": { "a": 1.0 },
        });
        assert_told(id, line, told);
    }
    let line = on_topic("/pk/dn/thing/event/property/post", json!("{\"a\":}"));
    let (status, output) = run(&["amqp-message"], feed([line]));
    let ok = &output[0]["ok"];
    assert_eq!((status, &ok["class"]), (0, &json!("PropertyPost")), "H14");
    assert_eq!((&ok["bodyHex"], ok.get("body")), (&json!("7b2261223a7d"), None), "H14");
    assert_eq!(ok["bodyError"]["kind"], "NotJson", "H14");
}

#[test]
fn every_class_of_the_specification_has_its_name() {
    for (topic, class) in [
        ("/as/mqtt/status/pk/dn", "DeviceStatus"),
        ("/sys/pk/dn/device/status/notify", "DeviceStatus"),
        ("/pk/dn/thing/event/property/post", "PropertyPost"),
        ("/pk/dn/thing/event/property/history/post", "PropertyHistory"),
        ("/pk/dn/thing/property/batch/post", "PropertyBatch"),
        ("/pk/dn/thing/event/batch/post", "EventBatch"),
        ("/pk/dn/thing/event/over/post", "Event"),
        ("/pk/dn/thing/event/over/history/post", "EventHistory"),
        ("/pk/dn/thing/lifecycle", "Lifecycle"),
        ("/pk/dn/thing/topo/lifecycle", "TopologyLifecycle"),
        ("/pk/dn/thing/list/found", "SubDeviceFound"),
        ("/pk/dn/thing/downlink/reply/message", "DownlinkReply"),
        ("/pk/dn/ota/upgrade", "OtaUpgrade"),
        ("/pk/dn/ota/version/post", "OtaModuleVersion"),
        ("/pk/package/job/ota/job/status", "OtaJobStatus"),
        ("/pk/dn/thing/deviceinfo/update", "TagChange"),
        ("/pk/dn/user/get", "Custom"),
        ("/pk/dn/else", "Unknown"),
        ("", "Unknown"),
    ] {
        let (_, output) = run(&["amqp-message"], feed([on_topic(topic, json!({}))]));
        assert_eq!(output[0]["ok"]["class"], class, "{topic}");
        assert_eq!(output[0]["ok"]["topic"], topic);
        assert!(output[0]["ok"].get("bodyError").is_none(), "{topic}");
    }
}

#[test]
fn a_body_is_told_as_far_as_it_can_be() {
    let status = "/as/mqtt/status/pk/dn";
    let custom = "/pk/dn/user/get";
    for (topic, payload, body, error) in [
        // Exact where it is JSON, and otherwise in bytes.
        (custom, r#"{"n":9223372036854775807,"deviceSecret":"whole"}"#, "body", ""),
        (custom, "[1]", "bodyHex", ""),
        (custom, "", "bodyHex", ""),
        (status, "", "bodyHex", "NotJson"),
        (status, "[1]", "bodyHex", "NotAnObject"),
        (status, "{}{}", "bodyHex", "NotJson"),
        (status, " {\"a\":0}\r\n", "body", ""),
        (status, "\u{a0}{}", "bodyHex", "NotJson"),
        (status, "\u{feff}{}", "bodyHex", "NotJson"),
        // An object that is not what the class has.
        (status, r#"{"status":{}}"#, "body", "WrongType status"),
        (status, r#"{"status":"offline","offlineReasonCode":"","clientIp":{}}"#, "body", ""),
    ] {
        let (exit, output) = run(&["amqp-message"], feed([on_topic(topic, json!(payload))]));
        let ok = &output[0]["ok"];
        assert_eq!(exit, 0, "{payload}: {output:?}");
        let told = ["body", "bodyHex"].into_iter().filter(|name| ok.get(name).is_some());
        assert_eq!(told.collect::<Vec<_>>(), [body], "{payload}");
        let told = ["kind", "field"].iter().filter_map(|name| ok["bodyError"][name].as_str());
        assert_eq!(told.collect::<Vec<_>>().join(" "), error, "{payload}");
    }
    let whole = r#"{"n":9223372036854775807,"deviceSecret":"whole"}"#;
    let (_, output) = run(&["amqp-message"], feed([on_topic(custom, json!(whole))]));
    assert_eq!(output[0]["ok"]["body"], json!({ "n": i64::MAX, "deviceSecret": "whole" }));
    let line = json!({ "properties": { "topic": status }, "payloadHex": "7BFF7d" });
    let (_, output) = run(&["amqp-message"], feed([line]));
    assert_eq!(output[0]["ok"]["bodyHex"], "7bff7d");
    assert_eq!(output[0]["ok"]["bodyError"]["kind"], "NotUtf8");
}

#[test]
fn a_body_is_told_as_it_came() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(1_000), "]".repeat(1_000));
    for body in [
        r#"{"n":123456789012345678901234567890,"a":1.10,"b":1E5,"c":-0,"d":-0.0,"e":1e400}"#,
        r#"{"z":1,"a":2,"z":3}"#,
        r#"{"a":"\ud800","\udc00":"\/\u0041\""}"#,
        r#"{"$serde_json::private::RawValue":"[\"forged\"]"}"#,
        r#"{"a":{"$serde_json::private::Number":"5"}}"#,
        &deep,
    ] {
        let spaced = format!(" {{\t\r\n{} ", &body[1..]);
        for payload in [json!(body).to_string(), json!(spaced).to_string(), body.to_owned()] {
            let line = format!(r#"{{"properties":{{}},"payload":{payload}}}"#);
            let (status, output, _) = run_raw(&["amqp-message"], line.as_bytes());
            let told =
                output.split_once(r#""body":"#).and_then(|(_, told)| told.strip_suffix("}}\n"));
            assert_eq!((status, told), (0, Some(body)), "{payload}");
        }
    }
}

#[test]
fn ids_and_times_are_exact_in_every_type_that_they_come_in() {
    for (written, id) in [
        ("18446744073709551615", json!("18446744073709551615")),
        ("9223372036854775807", json!("9223372036854775807")),
        ("-0", json!("0")),
        ("\"01\"", json!("01")),
        ("\"\"", Value::Null),
        ("1.5", Value::Null),
        ("1e3", Value::Null),
        ("true", Value::Null),
        ("null", Value::Null),
    ] {
        let line = format!(r#"{{"properties":{{"messageId":{written}}},"payload":""}}"#);
        let (_, output) = run(&["amqp-message"], line);
        assert_eq!(output[0]["ok"]["messageId"], id, "{written}");
    }
    for (written, time) in [
        ("9223372036854775807", json!(i64::MAX)),
        ("-1", json!(-1)),
        ("-0", json!(0)),
        ("9223372036854775808", Value::Null),
        ("1535680948195.5", Value::Null),
        ("\"soon\"", Value::Null),
        ("null", Value::Null),
    ] {
        let line = format!(r#"{{"properties":{{"generateTime":{written}}},"payload":""}}"#);
        let (_, output) = run(&["amqp-message"], line);
        assert_eq!(output[0]["ok"]["generateTime"], time, "{written}");
    }
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let properties = |written: &str| format!(r#"{{"properties":{written},"payload":""}}"#);
    let cases = [
        ("{}".into(), "BadInput properties"),
        ("[]".into(), "BadInput"),
        (r#"{"payload":""}"#.into(), "BadInput properties"),
        (r#"{"properties":{}}"#.into(), "BadInput payload"),
        (r#"{"properties":{},"payload":7}"#.into(), "BadInput payload"),
        (r#"{"properties":{},"payload":"","payloadHex":""}"#.into(), "BadInput"),
        (r#"{"properties":{},"payloadHex":"0"}"#.into(), "BadInput payloadHex"),
        (properties("null"), "BadInput properties"),
        (properties("[]"), "BadInput properties"),
        (properties("\"\""), "BadInput properties"),
        (properties(r#"{"a":{}}"#), "BadInput properties"),
        (properties(r#"{"a":[1]}"#), "BadInput properties"),
        (properties(r#"{"a":{"$serde_json::private::Number":"5"}}"#), "BadInput properties"),
        (properties(r#"{"a":{"$serde_json::private::RawValue":"5"}}"#), "BadInput properties"),
        (properties(r#"{"a":"\ud800"}"#), "BadInput properties"),
        (properties(r#"{"\ud800":"a"}"#), "BadInput properties"),
        (properties(r#"{"a":18446744073709551616}"#), "BadInput properties"),
        (properties(r#"{"a":-9223372036854775809}"#), "BadInput properties"),
        (properties(r#"{"a":1e999}"#), "BadInput properties"),
        (properties(r#"{"a":-9223372036854775808,"b":null,"c":false,"d":-0.5,"é":""}"#), "ok"),
    ];
    let good = on_topic("/pk/dn/user/get", json!({}));
    let input: String = cases.iter().map(|(line, _)| format!("{line}\n\n{good}\n")).collect();
    let (status, output) = run(&["amqp-message"], input);
    assert_eq!(status, 1);
    let expected = cases.iter().enumerate().flat_map(|(index, (_, expected))| {
        [format!("{} {expected}", 3 * index + 1), format!("{} ok", 3 * index + 3)]
    });
    assert_eq!(kinds(&output), expected.collect::<Vec<_>>());
}

fn on_topic(topic: &str, payload: Value) -> Value {
    json!({ "properties": { "topic": topic }, "payload": payload })
}

#[track_caller]
fn assert_told(id: &str, line: Value, told: Value) {
    let (status, output) = run(&["amqp-message"], feed([line]));
    assert_eq!((status, output), (0, vec![json!({ "line": 1, "ok": told })]), "{id}");
}
