//! `kii-push`: the vectors of the specification, and what they leave open.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run, run_raw};

/// Section 17.5. Of P13 only the push is looked at: its results are the thing's to write.
#[test]
fn every_push_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../kii-onboard/tests/vectors/push.jsonl"));
    for (index, vector) in vectors.iter().enumerate() {
        let id = vector["id"].as_str().unwrap();
        assert_eq!(id, format!("P{:02}", index + 1));
        let payload: Vec<u8> = match vector["payload"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => serde_json::from_value(vector["bytes"].clone()).unwrap(),
        };
        let mut lines = vec![json!({ "payloadHex": HEXLOWER.encode(&payload) })];
        let value = serde_json::from_slice(&payload).unwrap_or(Value::Null);
        if let Ok(text) = String::from_utf8(payload) {
            lines.push(json!({ "payload": text }));
        }
        if value.is_object() {
            lines.push(json!({ "payload": value }));
        }
        let (status, output) = run(&["kii-push"], feed(lines));
        for answer in output {
            if let Some(kind) = vector.get("error") {
                assert_eq!((status, &answer["error"]["kind"]), (1, kind), "{id}");
            } else if vector["other"] == true {
                assert_eq!((status, &answer["ok"]), (0, &json!({ "type": "push" })), "{id}");
            } else {
                let told = json!({
                    "type": "command", "commandID": value["commandID"],
                    "trait": matches!(id, "P02" | "P13"), "actions": value["actions"],
                });
                assert_eq!((status, &answer["ok"]), (0, &told), "{id}");
            }
        }
    }
    assert_eq!(vectors.len(), 13);
}

/// Read into values they would be other ones.
#[test]
fn actions_are_told_as_they_came() {
    let actions = r#"[{"a":1.0},{"b":12345678901234567890123},{"c":"\ud800 \u0041 \" "},{"d":{"z":1,"a":1,"z":2}},{"e":1e999}]"#;
    let spaced = actions.replace(',', " ,\t").replace("\":", "\" : ");
    let lines = format!(
        "{{\"payload\":{{\"commandID\":\"c\",\"schema\":null,\"actions\":{spaced}}}}}\n{}\n",
        json!({ "payload": format!("{{\"commandID\":\"c\",\"actions\":7,\r\n\"actions\":{spaced}\n}} ") })
    );
    let (status, output, _) = run_raw(&["kii-push"], lines.as_bytes());
    let told = |line: u8| {
        format!(
            r#"{{"line":{line},"ok":{{"type":"command","commandID":"c","trait":false,"actions":{actions}}}}}"#
        )
    };
    assert_eq!((status, output), (0, format!("{}\n{}\n", told(1), told(2))));
}

#[test]
fn an_error_says_what_is_wrong_with_it() {
    let command =
        |id: &str, actions: &str| format!(r#"{{"commandID":"{id}","actions":{actions}}}"#);
    let bad_push = |reason: &str| json!({ "kind": "BadPush", "reason": reason });
    let bad_id =
        |reason: &str| json!({ "kind": "BadCommand", "reason": reason, "field": "commandID" });
    let bad_action = |index: u64| json!({ "kind": "BadCommand", "reason": "BadAction", "field": "actions", "index": index });
    let cases = [
        ("{".to_owned(), bad_push("NotJson")),
        ("[]".into(), bad_push("NotAnObject")),
        (" ".repeat(65_537), bad_push("TooLarge")),
        (command("", "[]"), bad_id("InvalidId")),
        (command("a\\u0085", "[]"), bad_id("InvalidId")),
        (command("\\udc00", "[]"), bad_id("IdWithoutText")),
        (command("c", r#"[{"a":1},{}]"#), bad_action(1)),
        (command("c", r#"[{"a":1,"a":1}]"#), bad_action(0)),
        (command("c", r#"[{"a":1},{"b":1},{"\ud800":1}]"#), bad_action(2)),
        (command("c", r#"[{"a":[{"\ud800":1}]}]"#), bad_action(0)),
    ];
    let lines = cases.iter().map(|(payload, _)| json!({ "payload": payload }));
    let (status, output) = run(&["kii-push"], feed(lines));
    assert_eq!((status, output.len()), (1, cases.len()));
    for (answer, (payload, expected)) in output.into_iter().zip(cases) {
        for (name, detail) in expected.as_object().unwrap() {
            assert_eq!(answer["error"][name], *detail, "{payload}: {answer}");
        }
    }
}

#[test]
fn what_looks_like_traits_is_one_by_all_its_actions_and_without_schema() {
    let traits = r#"[{"a":[{"x":1}]},{"b":[{"y":[]},{"z":null}]}]"#;
    let cases = [
        (traits, "", true),
        (traits, r#","schema":null"#, false),
        (traits, r#","schemaVersion":1"#, true),
        (r#"[{"a":[{"x":1}]},{"b":[]}]"#, "", false),
        (r#"[{"a":[{"x":1}]},{"b":[{"x":1,"y":1}]}]"#, "", false),
        (r#"[{"a":[{"x":1}]},{"b":{"x":1}}]"#, "", false),
        ("[]", "", false),
    ];
    let lines = cases.iter().map(|(actions, more, _)| {
        json!({ "payload": format!(r#"{{"commandID":"c","actions":{actions}{more}}}"#) })
    });
    let (status, output) = run(&["kii-push"], feed(lines));
    assert_eq!(status, 0);
    let found = output.iter().map(|answer| answer["ok"]["trait"].as_bool().unwrap());
    assert!(found.eq(cases.map(|(_, _, is_trait)| is_trait)), "{output:?}");
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = json!({ "payload": { "commandID": "c", "actions": [] }, "else": 1.5 }).to_string();
    assert_lines(
        "kii-push",
        &good,
        &[
            ("{}", "BadInput payload"),
            ("null", "BadInput"),
            (r#"{"payload":[]}"#, "BadInput payload"),
            (r#"{"payload":{},"payloadHex":""}"#, "BadInput"),
            (r#"{"payloadHex":"0"}"#, "BadInput payloadHex"),
            (r#"{"payloadHex":""}"#, "BadPush"),
            (r#"{"payload":"[]"}"#, "BadPush"),
            (r#"{"payload":{}}"#, "ok"),
        ],
    );
    assert_eq!(kinds(&run(&["kii-push"], good).1), ["1 ok"]);
}
