//! `aia-connection`: the vectors of the specification as far as one message goes, and what they leave open.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run};

/// Section 14.3: what is said, and what the device must do. What a side makes of it in its state is the machines'.
#[test]
fn every_message_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../aia-proto/tests/vectors/connection.jsonl"));
    let mut ids: Vec<&str> = Vec::new();
    for vector in &vectors {
        let from = if vector["to"] == "device" { "service" } else { "device" };
        let mut lines = Vec::new();
        if let Some(text) = vector["text"].as_str() {
            lines.push(json!({ "payload": text, "from": from }).to_string());
            lines.push(hex_line(text.as_bytes(), from));
            if vector["decoded"].is_object() && !text.contains('\n') {
                lines.push(format!(r#"{{"payload":{},"from":"{from}"}}"#, text.trim()));
            }
        } else {
            let digits = vector["hex"].as_str().unwrap();
            lines.push(json!({ "payloadHex": digits, "from": from }).to_string());
        }
        let (status, output) = run(&["aia-connection"], lines.join("\n"));
        let answer = vector["error"].as_str().unwrap_or("ok");
        let expected = (1..=lines.len()).map(|line| format!("{line} {answer}"));
        assert_eq!(kinds(&output), expected.collect::<Vec<_>>(), "{vector}");
        assert_eq!(status, u8::from(answer != "ok"), "{vector}");
        if answer == "ok" {
            let mut told = vector["decoded"].clone();
            told["advice"] = vector["advice"].clone();
            for answer in &output {
                assert_eq!(without_text(&answer["ok"]), told, "{vector}");
            }
        }
        let id = vector["id"].as_str().unwrap();
        if ids.last() != Some(&id) {
            ids.push(id);
        }
    }
    let acknowledges = (1..=16).map(|number| format!("A{number}"));
    let disconnects = (1..=6).map(|number| format!("X{number}"));
    let to_service = (1..=14).map(|number| format!("F{number}"));
    assert_eq!(ids, acknowledges.chain(disconnects).chain(to_service).collect::<Vec<_>>());
}

fn hex_line(message: &[u8], from: &str) -> String {
    json!({ "payloadHex": HEXLOWER.encode(message), "from": from }).to_string()
}

/// What is said to programs. To people it is said in words.
#[track_caller]
pub(super) fn without_text(ok: &Value) -> Value {
    let mut ok = ok.clone();
    let text = ok.as_object_mut().and_then(|members| members.remove("adviceText"));
    assert!(text.as_ref().and_then(Value::as_str).is_some_and(|text| !text.is_empty()), "{ok}");
    ok
}

/// Sections 6.2 to 6.4.
#[test]
fn every_code_has_its_advice_and_only_the_service_gives_any() {
    let codes = parsed(include_str!("../../../aia-proto/tests/vectors/code.jsonl"));
    for vector in &codes {
        let is_acknowledge = vector["id"].as_str().unwrap().starts_with("acknowledge");
        let name = if is_acknowledge { "Acknowledge" } else { "Disconnect" };
        let message = json!({
            "header": { "name": name, "messageId": "i" },
            "payload": { "connectMessageId": "m", "code": vector["code"] },
        });
        let lines = [
            json!({ "payload": message }),
            json!({ "payload": message, "from": null }),
            json!({ "payload": message, "from": "device" }),
        ];
        let (_, output) = run(&["aia-connection"], feed(lines));
        for answer in &output[..2] {
            assert_eq!(answer["ok"]["advice"], vector["advice"], "{vector}");
        }
        if is_acknowledge {
            assert_eq!(output[2]["error"]["kind"], "OtherName");
        } else {
            assert_eq!(output[2]["ok"]["advice"], "none", "{vector}");
        }
    }
    assert_eq!(codes.len(), 13);
    // Without a code, the connection is over all the same.
    let bare = json!({ "payload": { "header": { "name": "Disconnect" } } });
    let (_, output) = run(&["aia-connection"], feed([bare]));
    let told = json!({
        "name": "Disconnect", "messageId": null, "code": null, "description": null,
        "advice": "reconnect",
    });
    assert_eq!(without_text(&output[0]["ok"]), told);
}

#[test]
fn long_and_deep_messages_have_a_limit() {
    let with = |members: &str| {
        format!(r#"{{"header":{{"name":"Disconnect"}},"payload":{{"code":"NEW"{members}}}}}"#)
    };
    let nested =
        |levels: usize| with(&format!(r#","x":{}{}"#, "[".repeat(levels), "]".repeat(levels)));
    let full = with("");
    let full = full.clone() + &" ".repeat(128 * 1024 - full.len());
    let description = "é".repeat(512);
    let cases = [
        (nested(30), "ok"),
        (nested(31), "TooDeep"),
        (full.clone(), "ok"),
        (full + " ", "TooLong"),
        (with(&format!(r#","description":"{description}x""#)), "ok"),
        (with(r#","description":7"#), "ok"),
        (with(r#","code":"NEW""#), "NamedTwice"),
        (with("") + "\0", "NotJson"),
        ("null".into(), "BadField message"),
        (r#"{"header":{"messageId":"i"}}"#.into(), "BadField header.name"),
        (r#"{"header":{"name":"Acknowledge"}}"#.into(), "BadField payload.connectMessageId"),
    ];
    let lines = cases.iter().map(|(message, _)| json!({ "payload": message }));
    let (status, output) = run(&["aia-connection"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, (message, expected))) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {expected}", index + 1), "{message:.99}");
    }
    assert_eq!(output[4]["ok"]["description"], description);
    assert_eq!(output[1]["error"]["limit"], 32);
    let limits = (&output[3]["error"]["len"], &output[3]["error"]["limit"]);
    assert_eq!(limits, (&json!(131_073), &json!(131_072)));
    let broken = run(&["aia-connection"], feed([json!({ "payload": "{\n \"a\": }" })])).1;
    let place = (&broken[0]["error"]["jsonLine"], &broken[0]["error"]["jsonColumn"]);
    assert_eq!(place, (&json!(2), &json!(7)));
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = r#"{"payload":{"header":{"name":"Disconnect"},"x":1e999},"else":1.5}"#;
    assert_lines(
        "aia-connection",
        good,
        &[
            ("{}", "BadInput payload"),
            ("7", "BadInput"),
            (r#"{"payload":true}"#, "BadInput payload"),
            (r#"{"payload":[]}"#, "BadInput payload"),
            (r#"{"payload":{},"payloadHex":""}"#, "BadInput"),
            (r#"{"payloadHex":"7"}"#, "BadInput payloadHex"),
            (r#"{"payload":{},"from":"Service"}"#, "BadInput from"),
            (r#"{"payload":{},"from":1}"#, "BadInput from"),
            (r#"{"payload":{}}"#, "BadField header"),
            (r#"{"payload":""}"#, "NotJson"),
            (r#"{"payloadHex":"ff"}"#, "NotJson"),
            (r#"{"payload":{"header":{"name":"Connect","messageId":"m"}}}"#, "OtherName"),
        ],
    );
}
