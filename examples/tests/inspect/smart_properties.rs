//! `smart-properties`: the vectors of the specification, and what they leave open.

use std::iter;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run, run_raw};

/// Section 13.7. B-19 is longer than a line may be, and what is verified is for `sns-verify`.
#[test]
fn every_body_of_the_specification_is_told_or_refused() {
    let vectors = parsed(CLASSIFICATION);
    for (index, vector) in vectors.iter().enumerate() {
        assert_eq!(vector["id"], format!("B-{:02}", index + 1));
        let body = vector["body"].as_str().unwrap();
        let lines = lines(&line(vector), body);
        let (status, output) = run(&["smart-properties"], feed(lines.clone()));
        assert_eq!(output.len(), lines.len());
        if vector["id"] == "B-19" {
            continue;
        }
        for answer in &output {
            let told = match answer.get("ok") {
                Some(ok) if ok["envelope"] == "Records" => {
                    ok["records"].as_array().unwrap().iter().map(outcome).collect()
                }
                _ => Value::from(outcome(answer)),
            };
            assert_eq!(told, vector["expect"], "{vector}");
            assert_eq!(status, u8::from(answer.get("ok").is_none()), "{vector}");
        }
    }
    assert_eq!(vectors.len(), 20);
}

/// As the specification writes it.
fn outcome(answer: &Value) -> String {
    let error = &answer["error"];
    match (answer.get("ok"), error["field"].as_str(), error["index"].as_u64()) {
        (Some(ok), ..) => ok["envelope"].as_str().unwrap().to_owned(),
        (_, Some(field), _) => format!("{}({field})", error["kind"].as_str().unwrap()),
        (.., Some(index)) => format!("{}({index})", error["kind"].as_str().unwrap()),
        _ => error["kind"].as_str().unwrap().to_owned(),
    }
}

/// How a body of the classifier's vectors came.
fn line(vector: &Value) -> Value {
    let via = match vector["via"].as_str().unwrap() {
        "Http" => "http",
        "SqsBody" => "sqs",
        "LambdaEvent" => "lambda",
        other => panic!("no way {other}"),
    };
    let headers = vector["headers"].as_array().unwrap().iter();
    let headers = headers.map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone()));
    json!({ "via": via, "headers": Value::Object(headers.collect()) })
}

/// This line with a body in every form that it can have.
fn lines(line: &Value, body: &str) -> Vec<Value> {
    let with = |name: &str, payload: Value| {
        let mut line = line.clone();
        line[name] = payload;
        line
    };
    let mut lines = vec![
        with("payload", body.into()),
        with("payloadHex", HEXLOWER.encode(body.as_bytes()).into()),
    ];
    // Not where something is there twice, or spelled in another way.
    let object = serde_json::from_str(body).ok().filter(Value::is_object);
    if object.as_ref().map(Value::to_string).as_deref() == Some(body) {
        lines.extend(object.map(|object| with("payload", object)));
    }
    lines
}

#[test]
fn a_message_that_is_no_event_says_why_and_a_question_is_none() {
    let vectors = parsed(CLASSIFICATION);
    let told = |id: &str| {
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        let mut line = line(vector);
        line["payload"] = vector["body"].clone();
        let (status, output) = run(&["smart-properties"], feed([line]));
        assert_eq!(status, 0, "{id}");
        output[0]["ok"].clone()
    };
    for id in ["B-01", "B-06"] {
        let ok = told(id);
        assert_eq!((&ok["event"]["kind"], ok.get("eventError")), (&json!("Completion"), None));
    }
    for (id, kind, field) in [
        ("B-07", "Malformed", Value::Null),
        ("B-17", "Malformed", Value::Null),
        ("B-18", "Missing", "/header".into()),
    ] {
        let ok = told(id);
        let error = &ok["eventError"];
        assert_eq!((&ok["event"], &error["kind"]), (&Value::Null, &json!(kind)), "{id}");
        assert_eq!(error["field"], field, "{id}");
    }
    for id in ["B-02", "B-03"] {
        let ok = told(id);
        assert!(ok["event"].is_null() && ok.get("eventError").is_none(), "{id}: {ok}");
    }
    let ok = told("B-12");
    assert_eq!(ok["records"][0]["ok"]["event"]["kind"], "Completion");
}

/// Sections 13.5 and 13.6: alone, published raw to a queue, and in an envelope.
#[test]
fn every_event_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../smart-properties/tests/vectors/events.jsonl"));
    let mut ids = Vec::new();
    for vector in &vectors {
        let text = match vector.get("event") {
            Some(event) => event.to_string(),
            None => vector["text"].as_str().unwrap().to_owned(),
        };
        let length = vector["padTo"].as_u64().map_or(text.len(), |len| len.try_into().unwrap());
        let text = text.clone() + &" ".repeat(length - text.len());
        let mut lines = lines(&json!({ "via": "raw" }), &text);
        if let Some(spoil) = vector["spoil"].as_str() {
            let digits = HEXLOWER.encode(spoil.as_bytes());
            let whole = HEXLOWER.encode(text.as_bytes());
            let spoiled = whole.replacen(&digits, &digits.replacen("65", "ff", 1), 1);
            assert_ne!(spoiled, whole);
            lines = vec![json!({ "via": "raw", "payloadHex": spoiled })];
        }
        let (status, output) = run(&["smart-properties"], feed(lines.clone()));
        assert_eq!(output.len(), lines.len());
        for answer in &output {
            match vector["error"].as_str() {
                Some(kind) => {
                    let field = vector["pointer"].as_str().filter(|pointer| !pointer.is_empty());
                    let error = &answer["error"];
                    assert_eq!((status, &error["kind"]), (1, &json!(kind)), "{vector}");
                    if field.is_some() || !["TooDeep", "DuplicateMember"].contains(&kind) {
                        assert_eq!(error["field"].as_str(), field, "{vector}");
                    }
                }
                None => {
                    let ok = &answer["ok"];
                    assert_eq!((status, &ok["envelope"]), (0, &json!("Raw")), "{vector}");
                    assert_eq!(ok["event"], told(vector, &text), "{vector}");
                    assert_eq!(ok["warnings"], vector["expect"]["warnings"], "{vector}");
                }
            }
        }
        if vector.get("spoil").is_none() {
            assert_same_in_an_envelope(&text, &output[0]);
        }
        ids.push(vector["id"].as_str().unwrap());
    }
    ids.dedup();
    let numbers = |letter: char, last| (1..=last).map(move |n| format!("{letter}-{n:02}"));
    assert_eq!(ids, numbers('E', 24).chain(numbers('X', 16)).collect::<Vec<_>>());
}

/// What must be told of an event. One of another version is known by its names only.
fn told(vector: &Value, text: &str) -> Value {
    let event: Value = serde_json::from_str(text).unwrap();
    let (header, expect) = (&event["header"], &vector["expect"]);
    let kind = match expect["version"].as_str() {
        Some(_) => "Unknown",
        None => expect["kind"].as_str().unwrap_or("Completion"),
    };
    json!({
        "kind": kind,
        "namespace": header["eventType"]["namespace"],
        "name": header["eventType"]["name"],
        "eventId": header["eventId"]["id"],
        "timestamp": header["eventTime"]["timestamp"],
        "payload": event["payload"],
    })
}

/// In an envelope, and in the record of a queue that gets it raw, an event is told as alone.
fn assert_same_in_an_envelope(text: &str, alone: &Value) {
    let envelope = notification(text);
    let record =
        json!({ "eventSource": "aws:sqs", "messageId": "q-1", "body": envelope.to_string() });
    let lines = [
        json!({ "via": "http", "payload": envelope }),
        json!({ "via": "lambda", "payload": { "Records": [{ "Sns": envelope }, record] } }),
    ];
    let (status, output) = run(&["smart-properties"], feed(lines));
    assert_eq!(status, 0);
    let records = &output[1]["ok"]["records"];
    assert_eq!(records[1]["ok"]["itemIdentifier"], "q-1");
    for ok in [&output[0]["ok"], &records[0]["ok"], &records[1]["ok"]] {
        assert_eq!(ok["envelope"], "Notification");
        assert_eq!(ok["event"], alone["ok"]["event"]);
        assert_eq!(ok["eventError"], alone["error"]);
    }
}

fn notification(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "aaaaaaaa-0001-5000-8000-000000000001",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:asp-events", "Message": message,
        "Timestamp": "2024-05-01T10:00:03.120Z", "SignatureVersion": "2", "Signature": "",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/a.pem",
    })
}

#[test]
fn a_payload_is_told_to_the_letter() {
    let odd = r#"{"b":1.00,"a":12345678901234567890123,"a":1e999,"é":"\ud800\u00e9 x","$":[ ]}"#;
    let event = format!(
        r#"{{"payload": {odd} ,"header":{{"version":"2.0","eventId":{{"id":"i"}},"eventType":{{"namespace":"N","name":"n"}}}}}}"#
    );
    let line = format!(r#"{{"via":"raw","payload":{event}}}"#);
    let (status, output, _) = run_raw(&["smart-properties"], line.as_bytes());
    assert_eq!(status, 0);
    assert!(output.contains(&odd.replace("[ ]", "[]")), "{output}");
}

#[test]
fn headers_are_compared_over_http_alone_and_in_any_case() {
    let envelope = notification("{}");
    let line =
        |via: &str, headers: Value| json!({ "via": via, "headers": headers, "payload": envelope });
    let lines = [
        line("http", Value::Null),
        line("http", json!({})),
        line(
            "http",
            json!({ "Content-Type": "text/plain", "X-AMZ-SNS-MESSAGE-TYPE": "Notification" }),
        ),
        line("http", json!({ "X-Amz-Sns-Message-Id": "aaaaaaaa-0001-5000-8000-000000000002" })),
        line("sqs", json!({ "X-Amz-Sns-Message-Id": "aaaaaaaa-0001-5000-8000-000000000002" })),
        line("http", json!({ "x-amz-sns-topic-arn": "a", "x-amz-sns-message-type": "b" })),
        line("http", json!({ "X-Amz-Sns-Rawdelivery": "TRUE" })),
        line("lambda", json!({ "X-Amz-Sns-Rawdelivery": "TRUE" })),
    ];
    let (_, output) = run(&["smart-properties"], feed(lines));
    assert_eq!(
        kinds(&output),
        [
            "1 ok",
            "2 ok",
            "3 ok",
            "4 HeaderMismatch id",
            "5 ok",
            "6 HeaderMismatch type",
            "7 RawRejected",
            "8 ok",
        ]
    );
}

/// What is not JSON at all has one name in the specification, and where it ends is told beside.
#[test]
fn what_is_no_object_says_where_it_ends() {
    let lines = ["http", "lambda"].map(|via| json!({ "via": via, "payload": "{\n\"a\":" }));
    let (_, output) = run(&["smart-properties"], feed(lines));
    for answer in output {
        let error = &answer["error"];
        assert_eq!((&error["kind"], &error["jsonLine"]), (&json!("NotAnObject"), &json!(2)));
    }
    let lines = ["http", "sqs"].map(|via| json!({ "via": via, "payloadHex": "7bff7d" }));
    let (_, output) = run(&["smart-properties"], feed(lines));
    assert_eq!(kinds(&output), ["1 NotAnObject", "2 ok"]);
    assert_eq!(output[0]["error"]["position"], 1);
    assert_eq!(output[1]["ok"]["eventError"]["kind"], "Malformed");
}

#[test]
fn records_have_bounds_and_their_own_errors() {
    let records =
        |count: usize| json!({ "via": "lambda", "payload": { "Records": vec![0; count] } });
    let nested = json!({ "Records": [{ "eventSource": "aws:sqs", "messageId": "q-7", "body": "{\"Records\":[]}" }] });
    let lines =
        [records(0), records(10_000), records(10_001), json!({ "via": "sqs", "payload": nested })];
    let (status, output) = run(&["smart-properties"], feed(lines));
    assert_eq!(
        (status, kinds(&output)),
        (1, ["1 ok", "2 ok", "3 TooManyRecords", "4 ok"].map(String::from).into())
    );
    assert_eq!(output[0]["ok"], json!({ "envelope": "Records", "records": [] }));
    let last = &output[1]["ok"]["records"][9_999]["error"];
    assert_eq!((&last["kind"], &last["index"]), (&json!("UnknownRecord"), &json!(9_999)));
    let only = &output[3]["ok"]["records"][0]["error"];
    assert_eq!((&only["kind"], &only["itemIdentifier"]), (&json!("NestedRecord"), &json!("q-7")));
}

/// Tokens and links with them are the crate's to keep back; the tool says no more.
#[test]
fn what_is_refused_is_not_repeated() {
    let mut body = notification("{}");
    body["Type"] = "SubscriptionConfirmation".into();
    for (member, value) in
        [("Token", "canary"), ("SubscribeURL", "https://canary.example/"), ("MessageId", "canary")]
    {
        body[member] = value.into();
    }
    let (_, output) = run(&["smart-properties"], feed([json!({ "via": "http", "payload": body })]));
    assert_eq!(output[0]["error"]["kind"], "BadMessageId");
    body["MessageId"] = "aaaaaaaa-0001-5000-8000-000000000001".into();
    let told = run(&["smart-properties"], feed([json!({ "via": "http", "payload": body })])).1;
    assert_eq!(told[0]["ok"], json!({ "envelope": "SubscriptionConfirmation", "event": null }));
    for answer in iter::once(output).chain([told]) {
        assert!(!Value::from(answer).to_string().contains("canary"));
    }
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    assert_lines(
        "smart-properties",
        &json!({ "via": "sqs", "payload": "hello", "else": [1.5] }).to_string(),
        &[
            ("{}", "BadInput via"),
            ("[]", "BadInput"),
            (r#"{"via":"sqs"}"#, "BadInput payload"),
            (r#"{"via":"SQS","payload":""}"#, "BadInput via"),
            (r#"{"via":5,"payload":""}"#, "BadInput via"),
            (r#"{"via":null,"payload":""}"#, "BadInput via"),
            (r#"{"via":"http","payload":"","headers":[]}"#, "BadInput headers"),
            (r#"{"via":"http","payload":"","headers":"x"}"#, "BadInput headers"),
            (r#"{"via":"raw","payload":"","headers":{"a":1}}"#, "BadInput headers"),
            (r#"{"via":"http","payload":"","headers":{"a":null}}"#, "BadInput headers"),
            (r#"{"via":"http","payload":"","headers":{"\ud800":"x"}}"#, "BadInput headers"),
            (r#"{"via":"http","payload":"","headers":{"x":"\ud800"}}"#, "BadInput headers"),
            (r#"{"via":"http","payload":[]}"#, "BadInput payload"),
            (r#"{"via":"http","payload":"","payloadHex":""}"#, "BadInput"),
            (r#"{"via":"http","payloadHex":"0"}"#, "BadInput payloadHex"),
            (r#"{"via":"http","payload":""}"#, "NotAnObject"),
            (r#"{"via":"raw","payload":""}"#, "Malformed"),
            (r#"{"via":"raw","payload":{}}"#, "Missing /header"),
        ],
    );
}

const CLASSIFICATION: &str =
    include_str!("../../../smart-properties/tests/vectors/classification.jsonl");
