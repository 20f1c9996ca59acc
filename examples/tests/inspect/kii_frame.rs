//! `kii-request` and `kii-response`: the vectors of the specification, and what is told beside them.

use data_encoding::{HEXLOWER, HEXUPPER};
use serde_json::{Value, json};

use super::{assert_lines, feed, parsed, run};

/// Sections 17.1 and 17.2, which are about the payload alone: as text where it is one, and as hex in either case.
#[test]
fn every_payload_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../kii-onboard/tests/vectors/frame.jsonl"));
    let numbers = |letter: char, last| (1..=last).map(move |n| format!("{letter}{n:02}"));
    let expected: Vec<_> =
        numbers('V', 25).chain(numbers('B', 2)).chain(numbers('X', 31)).collect();
    let ids = vectors.iter().map(|vector| vector["id"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), expected);
    for vector in &vectors {
        let payload = payload(vector);
        let digits = [HEXLOWER.encode(&payload), HEXUPPER.encode(&payload)];
        let mut lines = digits.map(|digits| json!({ "payloadHex": digits })).to_vec();
        if let Ok(text) = String::from_utf8(payload.clone()) {
            lines.push(json!({ "payload": text }));
        }
        let command = if vector["kind"] == "req" { "kii-request" } else { "kii-response" };
        let (status, output) = run(&[command], feed(lines.clone()));
        assert_eq!(output.len(), lines.len());
        for answer in &output {
            match vector.get("error") {
                Some(kind) => {
                    assert_eq!((status, &answer["error"]["kind"]), (1, kind), "{vector}");
                }
                None => {
                    let ok = &answer["ok"];
                    assert_eq!((status, ok), (0, &told(vector, &payload)), "{vector}");
                }
            }
        }
    }
}

/// What must be told of a vector that is read.
fn told(vector: &Value, payload: &[u8]) -> Value {
    let body = match vector["bodyLen"].as_u64() {
        Some(len) => payload[payload.len() - usize::try_from(len).unwrap()..].to_vec(),
        None => bytes(vector, "body"),
    };
    let start = vector["start"].as_str().unwrap();
    let (name, start) = match start.parse::<u16>() {
        Ok(status) => ("status", json!(status)),
        Err(_) => ("method", json!(start)),
    };
    json!({ name: start, "headers": vector["headers"], "bodyHex": HEXLOWER.encode(&body) })
}

/// As text, as hex where it is none, or in parts that repeat where it is long.
fn payload(vector: &Value) -> Vec<u8> {
    let Some(parts) = vector.get("parts") else { return bytes(vector, "payload") };
    let parts: Vec<(String, usize)> = serde_json::from_value(parts.clone()).unwrap();
    parts.into_iter().flat_map(|(part, times)| part.repeat(times).into_bytes()).collect()
}

fn bytes(vector: &Value, name: &str) -> Vec<u8> {
    match vector[format!("{name}Hex")].as_str() {
        Some(digits) => HEXLOWER.decode(digits.as_bytes()).unwrap(),
        None => vector[name].as_str().unwrap().as_bytes().to_vec(),
    }
}

#[test]
fn an_error_says_where_and_how_much() {
    let many = format!("200\r\n{}\r\n", "A:1\r\n".repeat(65));
    let cases = [
        ("200\r\nA:1\r\nB 2\r\n\r\n".into(), json!({ "kind": "BadHeader", "position": 10 })),
        ("200\nA:1\nB:\u{7f}\n\n".into(), json!({ "kind": "ControlChar", "position": 8 })),
        (many, json!({ "kind": "TooManyHeaders", "limit": 64 })),
        ("2".repeat(65_537), json!({ "kind": "TooLarge", "len": 65_537, "limit": 65_536 })),
        ("200 ".repeat(5_000), json!({ "kind": "HeadTooLarge", "limit": 8_192 })),
        ("200".into(), json!({ "kind": "MissingBlankLine" })),
    ];
    let lines = cases.iter().map(|(payload, _)| json!({ "payload": payload }));
    let (status, output) = run(&["kii-response"], feed(lines));
    assert_eq!(status, 1);
    for (answer, (_, expected)) in output.into_iter().zip(cases) {
        let mut error = answer["error"].clone();
        error.as_object_mut().unwrap().remove("message");
        assert_eq!(error, expected);
    }
}

/// What is not said of a token: that it is wrong, with the token. In a good head it is printed whole.
#[test]
fn a_refused_head_is_not_repeated() {
    let payload = "PUT\r\nAuthorization Bearer canary\r\n\r\n";
    let (_, output) = run(&["kii-request"], feed([json!({ "payload": payload })]));
    assert_eq!(output[0]["error"]["kind"], "BadHeader");
    assert!(!output[0].to_string().contains("canary"));
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    for (command, good) in [("kii-request", "GET\n\n"), ("kii-response", "200\n\n")] {
        assert_lines(
            command,
            &json!({ "payload": good, "payloadHex": null, "else": [1.5] }).to_string(),
            &[
                ("{}", "BadInput payload"),
                ("[]", "BadInput"),
                ("{", "BadInput"),
                (r#"{"payload":null}"#, "BadInput payload"),
                (r#"{"payload":7}"#, "BadInput payload"),
                // No frame is an object.
                (r#"{"payload":{}}"#, "BadInput payload"),
                (r#"{"payload":"\ud800"}"#, "BadInput payload"),
                (r#"{"payload":"","payloadHex":""}"#, "BadInput"),
                (r#"{"payloadHex":"0"}"#, "BadInput payloadHex"),
                (r#"{"payloadHex":"0g"}"#, "BadInput payloadHex"),
                (r#"{"payloadHex":[]}"#, "BadInput payloadHex"),
                (r#"{"payloadHex":""}"#, "Empty"),
                (r#"{"payload":"\ufeff"}"#, "BadStartLine"),
            ],
        );
    }
}
