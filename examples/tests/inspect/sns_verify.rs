//! `sns-verify`: the vectors of the specification, and what they leave open.

use std::{collections::BTreeMap, fs};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use smart_properties::Instant;

use super::{assert_lines, feed, kinds, parsed, run};

/// Section 13.2.
#[test]
fn every_signature_of_the_specification_is_good() {
    let texts = by_id(include_str!("../../../smart-properties/tests/vectors/canonical.jsonl"));
    let envelopes = by_id(ENVELOPES);
    for (id, vector) in &envelopes {
        let body = &vector["body"];
        let with = |name: &str, payload: Value| {
            let mut line = line(body);
            line.as_object_mut().unwrap().remove("payload");
            line[name] = payload;
            line
        };
        let text = body.to_string();
        let lines = [
            line(body),
            with("payload", text.as_str().into()),
            with("payloadHex", HEXLOWER.encode(text.as_bytes()).into()),
        ];
        let (status, output) = run(&["sns-verify"], feed(lines));
        let version = if ["S-01", "S-04", "S-07"].contains(&&**id) { "1" } else { "2" };
        let told = json!({ "signatureVersion": version, "stringToSign": texts[id]["text"] });
        assert_eq!((status, output.len()), (0, 3), "{id}");
        output.iter().for_each(|answer| assert_eq!(answer["ok"], told, "{id}"));
    }
    let expected: Vec<_> = (1..=13).map(|number| format!("S-{number:02}")).collect();
    assert!(envelopes.keys().eq(&expected) && texts.keys().eq(&expected));
}

/// Section 13.3. Not to be said here: no topic at all (N-S15), and version 2 alone (N-S16).
#[test]
fn every_message_that_is_refused_says_which_rule_failed() {
    let envelopes = by_id(ENVELOPES);
    let mut ids = Vec::new();
    for vector in parsed(include_str!("../../../smart-properties/tests/vectors/verify.jsonl")) {
        let topics = vector["topics"].as_array();
        if topics.is_some_and(Vec::is_empty) || vector.get("policy").is_some() {
            continue;
        }
        let base = &envelopes[vector["base"].as_str().unwrap()];
        let mut body = base["body"].clone();
        let mut line = line(&body);
        if let Some(after) = vector["afterSeconds"].as_i64() {
            line["now"] = (sent(&body) + after * 1_000).into();
        }
        if base["via"] == "Http" {
            line["maxAgeMs"] = json!(75 * 60_000);
        }
        for (member, value) in vector["set"].as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        for member in vector["remove"].as_array().into_iter().flatten() {
            body.as_object_mut().unwrap().remove(member.as_str().unwrap()).unwrap();
        }
        line["payload"] = body;
        if let Some(topics) = topics {
            line["topicArn"] = topics.last().unwrap().clone();
        }
        if let Some(certificate) = vector["certificate"].as_str() {
            line["certificatePem"] = pem(certificate).into();
        }
        let (status, output) = run(&["sns-verify"], feed([line]));
        let answer = &output[0];
        let expected = match vector["expected"].as_str().unwrap() {
            "Event" => "ok",
            other => other,
        };
        assert_eq!(outcome(answer), expected, "{vector}");
        assert_eq!(status, u8::from(expected != "ok"), "{vector}");
        ids.push(vector["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    let expected = (1..=19).filter(|n| *n != 16).map(|number| format!("N-S{number}"));
    assert_eq!(ids, expected.collect::<Vec<_>>());
}

/// Section 13.7, as far as a line can hold it (B-19) and without a new signature (B-20). There are no headers here, what
/// is raw is refused, and what a message says does not matter.
#[test]
fn every_body_of_the_specification_is_verified_or_refused() {
    let vectors =
        parsed(include_str!("../../../smart-properties/tests/vectors/classification.jsonl"));
    let outcomes = [
        ("B-01", "ok"),
        ("B-02", "ok"),
        ("B-03", "ok"),
        ("B-04", "RawRejected"),
        ("B-05", "RawRejected"),
        ("B-06", "RawRejected"),
        ("B-07", "NotAnObject"),
        ("B-08", "NotAnObject"),
        ("B-09", "ok"),
        ("B-10", "ok"),
        ("B-11", "UnknownType"),
        ("B-12", "ok UnknownRecord"),
        ("B-13", "ConflictingMember"),
        ("B-14", "DuplicateMember"),
        ("B-15", "BadMessageId"),
        ("B-16", "Unsigned"),
        ("B-17", "ok"),
        ("B-18", "BadSignature"),
        ("B-20", "BadSignature"),
    ];
    for (id, expected) in outcomes {
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        let mut line = line(&json!({}));
        line["payload"] = vector["body"].clone();
        line["now"] = json!(1_714_561_200_000_i64);
        let (_, output) = run(&["sns-verify"], feed([line]));
        let answer = &output[0];
        let told = match answer["ok"]["records"].as_array() {
            Some(records) => records.iter().map(outcome).collect::<Vec<_>>().join(" "),
            None => outcome(answer),
        };
        assert_eq!(told, expected, "{id}");
    }
}

/// `ok`, or the kind, with the field where the specification writes one.
fn outcome(answer: &Value) -> String {
    if answer.get("ok").is_some() {
        return "ok".to_owned();
    }
    let error = &answer["error"];
    let kind = error["kind"].as_str().unwrap();
    match error["field"].as_str() {
        Some(field) if ["ControlCharacter", "Missing", "WrongType"].contains(&kind) => {
            format!("{kind}({field})")
        }
        _ => kind.to_owned(),
    }
}

/// Section 13.4: a URL that is good lets it come to the certificate, which is none. Whether the topic is allowed as the
/// message's own or by its name does not matter.
#[test]
fn every_url_of_the_specification_is_taken_or_refused() {
    let body = &by_id(ENVELOPES)["S-02"]["body"];
    let mut ids = Vec::new();
    for vector in parsed(include_str!("../../../smart-properties/tests/vectors/cert_urls.jsonl")) {
        let mut body = body.clone();
        body["SigningCertURL"] = vector["url"].clone();
        if let Some(topic) = vector.get("topic") {
            body["TopicArn"] = topic.clone();
        }
        let own = json!({ "payload": body, "certificatePem": "", "now": 0 });
        let mut named = own.clone();
        named["topicArn"] = body["TopicArn"].clone();
        let (_, output) = run(&["sns-verify"], feed([own, named]));
        for answer in output {
            let expected = match vector["expected"].as_str().unwrap() {
                "Ok" => ("Malformed", "certificatePem"),
                kind @ ("UnknownPartition" | "BadTopicArn") => (kind, "TopicArn"),
                kind => (kind, "SigningCertURL"),
            };
            let error = ["kind", "field"].map(|name| answer["error"][name].as_str().unwrap());
            assert_eq!(error, <[&str; 2]>::from(expected), "{vector}");
        }
        ids.push(vector["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids, (1..=26).map(|number| format!("U-{number:02}")).collect::<Vec<_>>());
}

/// Section 5.4: the topic is looked into after the authority of the URL, and before its host.
#[test]
fn of_a_bad_topic_and_a_bad_url_the_first_rule_is_told() {
    let body = &by_id(ENVELOPES)["S-02"]["body"];
    let long = format!("https://{}/", "a".repeat(600));
    for (url, kind) in [
        (&*long, "BadCharacters"),
        ("https://sns.us-east-1.amazonaws.com/a b", "BadCharacters"),
        ("http://sns.us-east-1.amazonaws.com/a.pem", "NotHttps"),
        ("https://sns.us-east-1.amazonaws.com:443/a.pem", "BadAuthority"),
        ("https://sns.us-east-1.amazonaws.com", "BadPath"),
        ("https://sns.us-east-1.amazonaws.com/a.pem", "BadTopicArn"),
        ("https://evil.example/", "BadTopicArn"),
        (body["SigningCertURL"].as_str().unwrap(), "BadTopicArn"),
    ] {
        let mut body = body.clone();
        body["SigningCertURL"] = url.into();
        body["TopicArn"] = "asp-events".into();
        let line = json!({ "payload": body, "certificatePem": "", "now": 0 });
        let mut other = line.clone();
        other["topicArn"] = "asp-event".into();
        let (_, output) = run(&["sns-verify"], feed([line, other]));
        assert_eq!(output[0]["error"]["kind"], kind, "{url}");
        assert_eq!(output[1]["error"]["kind"], "TopicNotAllowed", "{url}");
    }
}

/// Section 13.1.
#[test]
fn the_certificate_is_that_of_the_region_and_the_time() {
    let body = &by_id(ENVELOPES)["S-02"]["body"];
    let mut elsewhere = line(body);
    for member in ["TopicArn", "SigningCertURL"] {
        let here = body[member].as_str().unwrap();
        elsewhere["payload"][member] = here.replace("us-east-1", "ap-east-1").into();
    }
    let mut early = line(body);
    early["now"] = json!(1_704_067_199_000_i64);
    let (_, output) = run(&["sns-verify"], feed([elsewhere, early]));
    assert_eq!(kinds(&output), ["1 WrongName certificatePem", "2 NotYetValid certificatePem"]);
    assert_eq!(output[1]["error"]["notBefore"], 1_704_067_200_000_i64);
}

#[test]
fn the_age_counts_where_it_is_limited_and_the_future_always() {
    let body = &by_id(ENVELOPES)["S-12"]["body"];
    let at = |after: i64, max_age: Value| {
        let mut line = line(body);
        line["now"] = (sent(body) + after).into();
        line["maxAgeMs"] = max_age;
        line
    };
    let lines = [
        at(1_000, json!(1_000)),
        at(1_001, json!(1_000)),
        at(86_400_000, Value::Null),
        at(0, json!(0)),
        at(-300_000, json!(0)),
        at(-300_001, Value::Null),
    ];
    let (_, output) = run(&["sns-verify"], feed(lines));
    assert_eq!(kinds(&output), ["1 ok", "2 TooOld", "3 ok", "4 ok", "5 ok", "6 FromTheFuture"]);
    assert_eq!(output[1]["error"]["ageMs"], 1_001);
    assert_eq!(output[5]["error"]["aheadMs"], 300_001);
}

#[test]
fn one_record_is_answered_as_if_it_were_bare_and_several_each() {
    let envelopes = by_id(ENVELOPES);
    let good = &envelopes["S-02"]["body"];
    let record = &envelopes["S-11"]["body"]["Records"][0];
    let mut changed = record.clone();
    changed["Sns"]["Message"] = "x".into();
    let raw = json!({ "eventSource": "aws:sqs", "messageId": "q-2", "body": "hello" });
    let with = |records: Value| {
        let mut line = line(good);
        line["payload"] = json!({ "Records": records });
        line
    };
    let lines = [
        with(json!([])),
        with(json!([changed])),
        with(json!([raw])),
        with(json!([{}])),
        with(json!([record, changed, raw, {}])),
    ];
    let (status, output) = run(&["sns-verify"], feed(lines));
    assert_eq!(status, 1);
    assert_eq!(
        kinds(&output),
        ["1 ok", "2 BadSignature", "3 RawRejected", "4 UnknownRecord", "5 ok"]
    );
    assert_eq!(output[0]["ok"], json!({ "records": [] }));
    let records = output[4]["ok"]["records"].as_array().unwrap().iter().map(outcome);
    let expected = ["ok", "BadSignature", "RawRejected", "UnknownRecord"];
    assert_eq!(records.collect::<Vec<_>>(), expected);
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = line(&by_id(ENVELOPES)["S-02"]["body"]);
    assert_lines(
        "sns-verify",
        &good.to_string(),
        &[
            ("{}", "BadInput payload"),
            ("7", "BadInput"),
            (r#"{"payload":{}}"#, "BadInput certificatePem"),
            (r#"{"payload":{},"certificatePem":5}"#, "BadInput certificatePem"),
            (r#"{"payload":{},"certificatePem":""}"#, "BadInput now"),
            (r#"{"payload":{},"certificatePem":"","now":1.5}"#, "BadInput now"),
            (r#"{"payload":{},"certificatePem":"","now":1,"topicArn":[]}"#, "BadInput topicArn"),
            (r#"{"payload":{},"certificatePem":"","now":1,"maxAgeMs":-1}"#, "BadInput maxAgeMs"),
            (r#"{"payload":[],"certificatePem":"","now":1}"#, "BadInput payload"),
            (r#"{"payload":{},"payloadHex":"","certificatePem":"","now":1}"#, "BadInput"),
            (r#"{"payload":{},"certificatePem":"","now":1}"#, "Unrecognised"),
            (r#"{"payload":"hello","certificatePem":"","now":1}"#, "NotAnObject"),
            (
                r#"{"payload":{"header":{},"payload":{}},"certificatePem":"","now":1}"#,
                "RawRejected",
            ),
        ],
    );
}

/// A body with the good certificate, a second after it was sent.
fn line(body: &Value) -> Value {
    json!({ "payload": body, "certificatePem": pem("C-GOOD"), "now": sent(body) + 1_000 })
}

/// When a body was sent, or those of the vectors that are about records.
fn sent(body: &Value) -> i64 {
    let timestamp = body["Timestamp"].as_str().unwrap_or("2024-05-01T10:00:03.120Z");
    Instant::parse(timestamp).unwrap().unix_millis().get()
}

fn pem(name: &str) -> String {
    let vectors = "/../smart-properties/tests/vectors/certificates";
    fs::read_to_string(format!("{}{vectors}/{name}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn by_id(lines: &str) -> BTreeMap<String, Value> {
    let id = |vector: &Value| vector["id"].as_str().unwrap().to_owned();
    parsed(lines).into_iter().map(|vector| (id(&vector), vector)).collect()
}

const ENVELOPES: &str = include_str!("../../../smart-properties/tests/vectors/envelopes.jsonl");
