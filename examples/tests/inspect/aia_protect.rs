//! `aia-open` and `aia-seal`: the vectors of the specification, and what they leave open.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run};

/// Section 14.5, and the cases that are derived from its messages.
#[test]
fn every_message_of_the_specification_is_opened_and_sealed() {
    let vectors = parsed(include_str!("../../../aia-proto/tests/vectors/protect.jsonl"));
    let (mut messages, mut not_sealed) = (BTreeMap::new(), Vec::new());
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        let (name, message) = match vector["from"].as_str() {
            Some(from) => {
                let (name, message): &(&str, Vec<u8>) = &messages[from];
                (vector["key"].as_str().unwrap_or(name), changed(vector, message.clone()))
            }
            None => (
                vector["key"].as_str().unwrap(),
                HEXLOWER.decode(vector["message"].as_str().unwrap().as_bytes()).unwrap(),
            ),
        };
        let line = json!({ "keyHex": key(name), "payloadHex": HEXLOWER.encode(&message) });
        let (status, output) = run(&["aia-open"], feed([line]));
        let kind = match vector["open"].as_str() {
            None => "ok",
            Some("MALFORMED_MESSAGE") => "TooShort",
            Some("ENCRYPTION_ERROR") => "BadTag",
            Some("MESSAGE_TAMPERED") => "Tampered",
            other => panic!("{other:?}"),
        };
        assert_eq!((status, kinds(&output)), (u8::from(kind != "ok"), vec![format!("1 {kind}")]));
        if kind == "ok" {
            let (body, name) = match vector["body"].as_str() {
                Some(body) => (body.to_owned(), "body"),
                None => (vector["body_hex"].as_str().unwrap().to_owned(), "body_hex"),
            };
            let told = &output[0]["ok"];
            assert_eq!(told["sequence"], vector["sequence"], "{id}");
            assert_eq!(
                body_hex(told),
                if name == "body" { HEXLOWER.encode(body.as_bytes()) } else { body }
            );
            assert_eq!(sealed(vector), HEXLOWER.encode(&message), "{id}");
        } else if vector["from"].is_null() {
            not_sealed.push(id);
            assert_eq!(output[0]["error"]["outer"], vector["sequence"], "{id}");
            assert_eq!(output[0]["error"]["inner"], vector["inner"], "{id}");
            let is_legacy = vector["legacy"].as_bool().unwrap_or_default();
            assert_eq!(output[0]["error"]["legacyHeader"], is_legacy, "{id}");
        }
        messages.insert(id, (name, message));
    }
    // Nothing seals a wrong inner number, or without one.
    assert_eq!((vectors.len(), not_sealed), (25, vec!["T1", "L1"]));
}

fn changed(vector: &Value, mut message: Vec<u8>) -> Vec<u8> {
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    if let Some([byte, bit]) = vector["flip"].as_array().map(Vec::as_slice) {
        message[index(byte)] ^= 1 << index(bit);
    }
    if let Some(cut) = vector["cut"].as_u64() {
        message.truncate(message.len() - usize::try_from(cut).unwrap());
    }
    message
}

fn sealed(vector: &Value) -> String {
    let mut line = json!({
        "keyHex": key(vector["key"].as_str().unwrap()),
        "ivHex": vector["iv"],
        "sequence": vector["sequence"],
    });
    let (name, member) = match vector["body"].is_string() {
        true => ("payload", "body"),
        false => ("payloadHex", "body_hex"),
    };
    line[name] = vector[member].clone();
    let (_, output) = run(&["aia-seal"], feed([line]));
    output[0]["ok"]["messageHex"].as_str().unwrap().to_owned()
}

/// The bytes of a body that was told as text or as hex.
fn body_hex(told: &Value) -> String {
    match (told["body"].as_str(), told["bodyHex"].as_str()) {
        (Some(body), None) => HEXLOWER.encode(body.as_bytes()),
        (None, Some(digits)) => digits.to_owned(),
        _ => panic!("{told}"),
    }
}

/// Section 14.2.
fn key(name: &str) -> &'static str {
    match name {
        "K32" => "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        "K16" => "ea1d8a20f476d1e1ec952ca42708b8f7",
        "KNEW" => "c98462d4a48994572be077ec1230ce426c6cf8f18b4260d83b4dc79ed76eacba",
        _ => panic!("{name}"),
    }
}

#[test]
fn the_first_check_that_fails_is_told() {
    let seal = |sequence: u32, payload: Value| {
        let mut line = json!({
            "keyHex": key("K16"), "ivHex": "000102030405060708090A0B", "sequence": sequence,
        });
        line["payload"] = payload;
        let (_, output) = run(&["aia-seal"], feed([line]));
        output[0]["ok"]["messageHex"].as_str().unwrap().to_owned()
    };
    let message = seal(7, json!({ "events": [] }));
    assert_eq!(message, seal(7, r#"{"events":[]}"#.into()));
    let open = |message: &str, expect: Value| {
        let line = json!({ "keyHex": key("K16"), "payloadHex": message, "expect": expect });
        let mut output = run(&["aia-open"], feed([line])).1;
        output.remove(0)
    };
    let told = json!({ "sequence": 7, "body": r#"{"events":[]}"# });
    for expect in [json!(7), Value::Null] {
        assert_eq!(open(&message.to_uppercase(), expect)["ok"], told);
    }
    // The number that is expected is the last thing that is looked at.
    let with_other_number = format!("08{}", &message[2..]);
    for (message, expect, kind) in [
        (&message[..70], 7, "TooShort"),
        ("", 7, "TooShort"),
        (&message[..72], 8, "BadTag"),
        (&with_other_number, 8, "Tampered"),
        (&with_other_number, 7, "Tampered"),
        (&message, 8, "UnexpectedSequence"),
        (&message, 6, "UnexpectedSequence"),
    ] {
        assert_eq!(open(message, expect.into())["error"]["kind"], kind, "{message} {expect}");
    }
    let error = &open(&with_other_number, Value::Null)["error"];
    assert_eq!((&error["outer"], &error["inner"]), (&json!(8), &json!(7)));
    assert_eq!(error["legacyHeader"], false);
    assert_eq!(open("00ff", Value::Null)["error"]["len"], 2);
    // Whether it is old or others must come first is said by the distance, which wraps.
    for (expect, old) in [(8, true), (6, false), (u32::MAX, false), (1 << 31 | 7, false)] {
        let error = &open(&message, expect.into())["error"];
        assert_eq!((&error["sequence"], &error["expected"]), (&json!(7), &json!(expect)));
        let said = error["message"].as_str().unwrap().contains("in silence");
        assert_eq!(said, old, "{error}");
    }
}

#[test]
fn a_body_that_is_no_text_is_told_in_hex() {
    let bodies = ["", "00", "c3a9", "ff", "c3", "7b7d00"];
    let lines = bodies.map(|body| {
        json!({
            "keyHex": key("K32"), "ivHex": "0".repeat(24), "sequence": u32::MAX,
            "payloadHex": body,
        })
    });
    let (_, output) = run(&["aia-seal"], feed(lines));
    let lines = output
        .iter()
        .map(|answer| json!({ "keyHex": key("K32"), "payloadHex": answer["ok"]["messageHex"] }));
    let (status, output) = run(&["aia-open"], feed(lines));
    assert_eq!(status, 0);
    for (answer, body) in output.iter().zip(bodies) {
        assert_eq!(body_hex(&answer["ok"]), body);
        assert_eq!(answer["ok"]["bodyHex"].is_string(), body == "ff" || body == "c3");
        assert_eq!(answer["ok"]["sequence"], u32::MAX);
    }
}

#[test]
fn the_key_is_not_repeated() {
    let canary = "c0ffee".repeat(4) + "c0ffee00";
    for bad in [canary.clone(), canary.clone() + "c0", canary.clone() + "x", canary.repeat(2)] {
        let lines = [
            json!({ "keyHex": bad, "payloadHex": "00".repeat(36), "expect": -1 }),
            json!({ "keyHex": bad, "payloadHex": "00".repeat(36) }),
            json!({ "keyHex": bad, "ivHex": "0", "sequence": 1, "payload": "" }),
            json!({ "keyHex": bad, "ivHex": "0".repeat(24), "sequence": 1, "payload": "" }),
            json!({ "keyHex": { "key": bad }, "payloadHex": "" }),
        ];
        for command in ["aia-open", "aia-seal"] {
            let (status, output) = run(&[command], feed(lines.clone()));
            assert_eq!(status, 1);
            assert!(!Value::from(output).to_string().contains("c0ffee"));
        }
    }
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = json!({
        "keyHex": key("K32"), "else": 1.5, "ivHex": "F0f1f2f3f4f5f6f7f8f9fafb", "sequence": 0,
        "payloadHex": "00000000f0f1f2f3f4f5f6f7f8f9fafb12ac122aa65b83196214a5d053789636e5d8c32a",
    });
    let with = |name: &str, value: Value| {
        let mut line = good.clone();
        line[name] = value;
        line.to_string()
    };
    let both = [
        ("{}".to_owned(), "BadInput keyHex"),
        ("[]".into(), "BadInput"),
        (with("keyHex", Value::Null), "BadInput keyHex"),
        (with("keyHex", json!(7)), "BadInput keyHex"),
        (with("keyHex", json!("")), "BadInput keyHex"),
        (with("keyHex", json!("0".repeat(48))), "BadInput keyHex"),
        (with("keyHex", json!("0".repeat(33))), "BadInput keyHex"),
        (with("keyHex", json!("0g".repeat(16))), "BadInput keyHex"),
        (with("keyHex", json!("00 ".repeat(16))), "BadInput keyHex"),
        (with("payloadHex", json!("0")), "BadInput payloadHex"),
        (with("payloadHex", json!({})), "BadInput payloadHex"),
        (with("payload", json!("")), "BadInput"),
    ];
    let open = [
        (with("payloadHex", Value::Null), "BadInput payloadHex"),
        (with("payloadHex", json!("00".repeat(35))), "TooShort"),
        (with("payloadHex", json!("00".repeat(36))), "BadTag"),
        (with("expect", json!("0")), "BadInput expect"),
        (with("expect", json!(-1)), "BadInput expect"),
        (with("expect", json!(0.0)), "BadInput expect"),
        (with("expect", json!(1_u64 << 32)), "BadInput expect"),
        (with("expect", json!(u32::MAX)), "UnexpectedSequence"),
        (with("expect", json!(0)), "ok"),
        (with("ivHex", json!(0)), "ok"),
    ];
    let seal = [
        (with("payloadHex", Value::Null), "BadInput payload"),
        (with("ivHex", Value::Null), "BadInput ivHex"),
        (with("ivHex", json!("0".repeat(22))), "BadInput ivHex"),
        (with("ivHex", json!("0".repeat(26))), "BadInput ivHex"),
        (with("ivHex", json!("-1".repeat(12))), "BadInput ivHex"),
        (with("sequence", Value::Null), "BadInput sequence"),
        (with("sequence", json!("0")), "BadInput sequence"),
        (with("sequence", json!(-1)), "BadInput sequence"),
        (with("sequence", json!(1_u64 << 32)), "BadInput sequence"),
        (with("sequence", json!(u32::MAX)), "ok"),
        (with("expect", json!("0")), "ok"),
    ];
    for (command, cases) in [("aia-open", &open[..]), ("aia-seal", &seal[..])] {
        let cases: Vec<_> =
            both.iter().chain(cases).map(|(line, expected)| (line.as_str(), *expected)).collect();
        assert_lines(command, &good.to_string(), &cases);
    }
}
