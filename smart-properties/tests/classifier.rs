//! What the vectors leave open: types, spellings, limits, headers, records, and what nobody may get to see.
//!
//! All of it also holds in a build that changes how serde_json keeps numbers and members:
//! `cargo test -p smart-properties --features serde_json/arbitrary_precision,serde_json/preserve_order`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use smart_properties::{
    JsonType, TopicArn,
    sns::{
        Classifier, Delivery, Envelope, EnvelopeError, HeaderName, Headers, Inbound, MessageType,
        RawPolicy, Record, RecordError, RecordErrorKind, Via,
    },
};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const EVENT: &str = r#"{"header":{},"payload":{}}"#;

fn notification() -> Value {
    json!({
        "Type": "Notification", "MessageId": ID, "TopicArn": TOPIC, "Message": "secret one",
        "Timestamp": "2024-05-01T10:00:03.120Z", "SignatureVersion": "2", "Signature": "secret two",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/a.pem",
    })
}

fn confirmation() -> Value {
    let mut body = notification();
    body["Type"] = "SubscriptionConfirmation".into();
    body["Token"] = "secret three".into();
    body["SubscribeURL"] = "https://sns.us-east-1.amazonaws.com/?secret-four".into();
    body
}

fn without(mut body: Value, member: &str) -> String {
    body.as_object_mut().unwrap().remove(member).unwrap();
    body.to_string()
}

fn with(mut body: Value, member: &str, value: impl Into<Value>) -> String {
    body[member] = value.into();
    body.to_string()
}

/// A notification with one more member, as it is written.
fn and(member: &str) -> String {
    let body = notification().to_string();
    format!("{},{member}}}", &body[..body.len() - 1])
}

fn http(body: &str) -> Result<Inbound<'_>, EnvelopeError> {
    Classifier::new(Via::Http).classify(body.as_bytes(), &Headers::default())
}

fn envelope(body: &str) -> Envelope<'_> {
    match http(body).unwrap() {
        Inbound::Envelope(envelope) => envelope,
        other => panic!("{other:?}"),
    }
}

fn refused(body: &str) -> EnvelopeError {
    http(body).unwrap_err()
}

fn records(via: Via, body: &str) -> Vec<Result<Record<'_>, RecordError>> {
    match Classifier::new(via).classify(body.as_bytes(), &Headers::default()).unwrap() {
        Inbound::Records(records) => records,
        other => panic!("{other:?}"),
    }
}

fn sqs(bodies: &[&str]) -> String {
    let records = bodies.iter().enumerate().map(|(index, body)| {
        json!({"eventSource": "aws:sqs", "messageId": format!("q-{index}"), "body": body})
    });
    json!({"Records": records.collect::<Value>()}).to_string()
}

#[test]
fn every_required_member_is_missed_by_name() {
    for member in ["Timestamp", "SignatureVersion", "Signature", "SigningCertURL"] {
        assert_eq!(refused(&without(notification(), member)), EnvelopeError::Missing { member });
        assert_eq!(refused(&without(confirmation(), member)), EnvelopeError::Missing { member });
    }
    for member in ["Token", "SubscribeURL"] {
        assert_eq!(refused(&without(confirmation(), member)), EnvelopeError::Missing { member });
    }
}

/// Four texts make an object a message. In a record, it is its place that does.
#[test]
fn without_a_text_that_every_message_has_it_is_none() {
    for member in ["Type", "MessageId", "TopicArn", "Message"] {
        for body in [notification(), confirmation()] {
            let unrecognised = EnvelopeError::Unrecognised { member };
            assert_eq!(refused(&without(body.clone(), member)), unrecognised);
            for value in [json!(null), json!(2), json!(true), json!([]), json!({})] {
                let body = with(body.clone(), member, value);
                assert_eq!(refused(&body), unrecognised);
            }
            let body = without(body, member);
            let body = format!(r#"{{"Records":[{{"Sns":{body}}}]}}"#);
            let [Err(error)] = &records(Via::LambdaEvent, &body)[..] else { panic!("{member}") };
            assert_eq!(error.kind, EnvelopeError::Missing { member }.into());
        }
    }
    // What has a Type is no bare event.
    let event = r#"{"header":{},"payload":{},"Type":null}"#;
    assert_eq!(
        Classifier::new(Via::SqsBody).classify(event.as_bytes(), &Headers::default()),
        Err(EnvelopeError::Unrecognised { member: "Type" })
    );
}

#[test]
fn every_member_of_a_wrong_type_is_named() {
    let names =
        ["Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "Token", "SubscribeURL"];
    for member in names {
        for (value, found) in [
            (json!(2), JsonType::Number),
            (json!(true), JsonType::Boolean),
            (json!([]), JsonType::Array),
            (json!({}), JsonType::Object),
        ] {
            let body = with(confirmation(), member, value);
            assert_eq!(refused(&body), EnvelopeError::WrongType { member, found });
        }
    }
    for (member, value, found) in [
        ("Subject", json!(1), JsonType::Number),
        ("UnsubscribeURL", json!([]), JsonType::Array),
        ("MessageAttributes", json!("x"), JsonType::String),
        ("MessageAttributes", json!([]), JsonType::Array),
    ] {
        let body = with(notification(), member, value);
        assert_eq!(refused(&body), EnvelopeError::WrongType { member, found });
    }
    // Out of range for a float: no other error for it.
    let body = and(r#""Subject":1e999"#);
    let found = JsonType::Number;
    assert_eq!(refused(&body), EnvelopeError::WrongType { member: "Subject", found });
}

#[test]
fn null_is_absent_where_a_member_may_be() {
    for member in
        ["Subject", "UnsubscribeURL", "MessageAttributes", "SigningCertUrl", "SequenceNumber"]
    {
        let body = with(notification(), member, Value::Null);
        assert_eq!(envelope(&body), envelope(&notification().to_string()));
    }
    let mut body = notification();
    for member in ["SignatureVersion", "Signature", "SigningCertURL"] {
        body[member] = Value::Null;
    }
    assert_eq!(refused(&body.to_string()), EnvelopeError::Unsigned);
    for (member, first_missing) in [
        ("SignatureVersion", "Signature"),
        ("Signature", "SignatureVersion"),
        ("SigningCertURL", "SignatureVersion"),
    ] {
        let body = with(body.clone(), member, "alone");
        assert_eq!(refused(&body), EnvelopeError::Missing { member: first_missing });
    }
    for member in ["SignatureVersion", "Signature", "SigningCertURL"] {
        let body = with(notification(), member, Value::Null);
        assert_eq!(refused(&body), EnvelopeError::Missing { member });
    }
    let body = with(notification(), "Timestamp", Value::Null);
    let found = JsonType::Null;
    assert_eq!(refused(&body), EnvelopeError::WrongType { member: "Timestamp", found });
}

#[test]
fn what_a_type_does_not_have_is_ignored() {
    let plain = notification().to_string();
    for (member, value) in
        [("Token", json!(5)), ("SubscribeURL", json!("a\nb")), ("Records", json!({}))]
    {
        let body = with(notification(), member, value);
        assert_eq!(envelope(&body), envelope(&plain));
    }
    let plain = confirmation().to_string();
    for member in ["Subject", "UnsubscribeURL", "UnsubscribeUrl", "MessageAttributes"] {
        let body = with(confirmation(), member, 5);
        assert_eq!(envelope(&body), envelope(&plain));
    }
    // Numbers are not read, and nothing is recursive.
    for value in ["1e999".to_owned(), format!("{}{}", "[".repeat(500_000), "]".repeat(500_000))] {
        let body = and(&format!(r#""SequenceNumber":{value}"#));
        assert_eq!(envelope(&body), envelope(&notification().to_string()));
    }
}

#[test]
fn both_spellings_of_a_link_may_say_the_same() {
    for (http, lambda) in
        [("SigningCertURL", "SigningCertUrl"), ("UnsubscribeURL", "UnsubscribeUrl")]
    {
        let mut body = notification();
        body[http] = "https://a.example/".into();
        let one = body.to_string();
        body[lambda] = "https://a.example/".into();
        assert_eq!(envelope(&body.to_string()), envelope(&one));
        let other = without(body.clone(), http);
        assert_eq!(envelope(&other), envelope(&one));
        body[lambda] = "https://b.example/".into();
        let error = EnvelopeError::ConflictingMember { member: http };
        assert_eq!(refused(&body.to_string()), error);
    }
}

#[test]
fn a_name_is_there_once() {
    let twice = |name: &str| EnvelopeError::DuplicateMember { name: name.into() };
    assert_eq!(refused(&and(r#""Typ\u0065":"Notification""#)), twice("Type"));
    assert_eq!(refused(&and(r#""x":1,"y":2,"\u0078":1"#)), twice("x"));
    assert_eq!(refused(r#"{"Records":[],"Records":[]}"#), twice("Records"));
    assert_eq!(refused(r#"{"Type":"","Token":"","Token":"","Type":""}"#), twice("Token"));
    assert_eq!(refused(r#"{"header":{},"payload":{},"header":{}}"#), twice("header"));
    let long = "\u{e9}".repeat(40);
    let error = refused(&and(&format!(r#""{long}":1,"{long}":1"#)));
    assert_eq!(error, twice(&long[..64]));
    // Only of the object itself.
    envelope(&and(r#""x":{"a":1,"a":2}"#));
}

/// A comparison of each with each would take minutes.
#[test]
fn a_body_full_of_names_is_bounded_work() {
    let mut body = String::from("{");
    for number in 0..200_000 {
        write!(body, "\"{number:x}\":0,").unwrap();
    }
    let unrecognised = format!("{body}\"Typ\":0}}");
    assert!(unrecognised.len() > 1_900_000);
    assert_eq!(refused(&unrecognised), EnvelopeError::Unrecognised { member: "Type" });
    let twice = format!("{body}\"0\":0}}");
    assert_eq!(refused(&twice), EnvelopeError::DuplicateMember { name: "0".into() });
}

#[test]
fn half_a_surrogate_pair_is_no_text() {
    for member in ["Subject", "Message"] {
        let body = with(notification(), member, "?").replace(r#""?""#, r#""\ud83d""#);
        assert_eq!(refused(&body), EnvelopeError::UnpairedSurrogate { member });
    }
    assert!(matches!(refused(&and(r#""\udc00":1"#)), EnvelopeError::Malformed { .. }));
    // Where no text is read, it is as good as any.
    envelope(&and(r#""x":"\udc00""#));
}

#[test]
fn a_control_character_is_refused_where_it_could_split_a_line() {
    for control in ["\n", "\r", "\0", "\u{1f}", "\u{7f}", "\u{85}"] {
        for member in ["MessageId", "TopicArn", "Timestamp", "Token", "SubscribeURL"] {
            let body = with(confirmation(), member, format!("a{control}"));
            assert_eq!(refused(&body), EnvelopeError::ControlCharacter { member });
        }
        let body = with(notification(), "Subject", format!("{control}a"));
        assert_eq!(refused(&body), EnvelopeError::ControlCharacter { member: "Subject" });
        for member in ["Message", "Signature", "UnsubscribeURL"] {
            envelope(&with(notification(), member, control));
        }
    }
    let body = with(notification(), "Subject", "a\u{2028}b");
    assert_eq!(envelope(&body).subject(), Some("a\u{2028}b"));
}

#[test]
fn only_a_uuid_is_a_message_id() {
    for id in ["aaaaaaaa-0001-5000-8000-00000000000f", "AAAAAAAA-0001-5000-8000-00000000000F"] {
        assert_eq!(envelope(&with(notification(), "MessageId", id)).message_id(), id);
    }
    for id in [
        "",
        "aaaaaaaa0001500080000000000000001",
        "aaaaaaaa-0001-5000-8000-00000000000",
        "gaaaaaaa-0001-5000-8000-000000000001",
        "aaaaaaaa-0001-5000-80000000-00000001",
        "{aaaaaaa-0001-5000-8000-000000000001",
        "aaaaaaaa-0001-5000-8000-00000000000\u{e9}",
        "aaaaaaaa-0001-5000-8000-000000000001 ",
        "aaaaaaaa-0001-5000-8000-0000000000011",
    ] {
        assert_eq!(
            refused(&with(notification(), "MessageId", id)),
            EnvelopeError::BadMessageId,
            "{id}"
        );
    }
}

#[test]
fn headers_agree_or_are_absent() {
    let body = notification().to_string();
    let check = |pairs: &[(&'static str, &'static str)]| {
        let headers = Headers::from_pairs(pairs.iter().copied());
        Classifier::new(Via::Http).classify(body.as_bytes(), &headers).map(|_| ())
    };
    let mismatch = |header| Err(EnvelopeError::HeaderMismatch { header });
    let (kind, id, topic) =
        ("X-AMZ-SNS-MESSAGE-TYPE", "x-amz-sns-message-id", "X-Amz-Sns-Topic-Arn");
    assert_eq!(check(&[(kind, "Notification"), (id, ID), (topic, TOPIC)]), Ok(()));
    assert_eq!(check(&[(id, ID), (id, ID)]), Ok(()));
    assert_eq!(check(&[("content-type", "text/plain"), (topic, TOPIC)]), Ok(()));
    assert_eq!(check(&[(kind, "notification")]), mismatch(HeaderName::Type));
    assert_eq!(check(&[(id, "")]), mismatch(HeaderName::MessageId));
    for pairs in [[(id, ID), (id, "x")], [(id, "x"), (id, ID)]] {
        assert_eq!(check(&pairs), mismatch(HeaderName::MessageId));
    }
    assert_eq!(check(&[(topic, TOPIC), (topic, "x"), (topic, TOPIC)]), mismatch(HeaderName::Topic));
    // Only SNS over HTTP has headers.
    let headers = Headers::from_pairs([(id, "x"), ("x-amz-sns-rawdelivery", "true")]);
    let queue = Classifier::new(Via::SqsBody).classify(body.as_bytes(), &headers);
    assert!(matches!(queue, Ok(Inbound::Envelope(_))), "{queue:?}");
}

#[test]
fn a_raw_delivery_is_what_the_header_says_it_is() {
    let accepting = Classifier::new(Via::Http).with_raw_policy(RawPolicy::Accept);
    let body = notification().to_string();
    for (value, raw) in
        [("true", true), ("TRUE", true), ("false", false), ("", false), ("1", false)]
    {
        let headers = Headers::from_pairs([("X-Amz-Sns-RawDelivery", value)]);
        let inbound = accepting.classify(body.as_bytes(), &headers).unwrap();
        assert_eq!(matches!(inbound, Inbound::Raw(_)), raw, "{value}");
    }
    let headers = Headers::from_pairs([
        ("x-amz-sns-rawdelivery", "true"),
        ("x-amz-sns-rawdelivery", "false"),
    ]);
    let refused = Classifier::new(Via::Http).classify(body.as_bytes(), &headers);
    assert_eq!(refused, Err(EnvelopeError::RawRejected));
    let Ok(Inbound::Raw(raw)) = accepting.classify(b"\xff", &headers) else { panic!() };
    assert_eq!(raw.bytes(), b"\xff");
}

#[test]
fn what_is_no_object_is_raw_in_a_queue_only() {
    let queue = Classifier::new(Via::SqsBody);
    for body in ["", " ", "hello", "[]", "\"{}\"", "\u{feff}{}", "{", "{}x", "{\"a\":}"] {
        let inbound = queue.classify(body.as_bytes(), &Headers::default());
        assert!(matches!(&inbound, Ok(Inbound::Raw(raw)) if raw.bytes() == body.as_bytes()));
        let error = refused(body);
        if body.starts_with('{') {
            assert!(matches!(error, EnvelopeError::Malformed { .. }), "{body}: {error}");
        } else {
            assert_eq!(error, EnvelopeError::NotAnObject, "{body}");
        }
    }
    let error = Classifier::new(Via::LambdaEvent).classify(b"{\"\xff", &Headers::default());
    assert_eq!(error, Err(EnvelopeError::NotUtf8 { position: 2 }));
    let rejecting = queue.with_raw_policy(RawPolicy::Reject);
    let error = rejecting.classify(b"hello", &Headers::default());
    assert_eq!(error, Err(EnvelopeError::RawRejected));
    for body in ["{}", r#"{"header":{}}"#, r#"{"header":{},"payload":[]}"#, r#"{"Records":{}}"#] {
        let error = queue.classify(body.as_bytes(), &Headers::default());
        assert_eq!(error, Err(EnvelopeError::Unrecognised { member: "Type" }), "{body}");
    }
}

#[test]
fn limits_are_exact() {
    let padded = |body: &str, length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let over = |via: Via, body: &str| {
        let inbound = Classifier::new(via).classify(body.as_bytes(), &Headers::default());
        match inbound {
            Ok(_) => None,
            Err(EnvelopeError::TooLong { bytes, limit }) => {
                assert_eq!((bytes, bytes), (limit + 1, body.len()));
                Some(limit)
            }
            Err(error) => panic!("{error}"),
        }
    };
    let cases = [
        (Via::SqsBody, EVENT.to_owned(), 262_144),
        (Via::SqsBody, "hello".to_owned(), 262_144),
        (Via::SqsBody, notification().to_string(), 2_097_152),
        (Via::LambdaEvent, r#"{"Records":[]}"#.to_owned(), 6_291_456),
    ];
    for (via, body, limit) in cases {
        assert_eq!(over(via, &padded(&body, limit)), None);
        assert_eq!(over(via, &padded(&body, limit + 1)), Some(limit));
    }
    // Each record for itself.
    let good = notification().to_string();
    let event = sqs(&[&padded(&good, 2_097_152), &padded(&good, 2_097_153), EVENT]);
    let limit = 2_097_152;
    let kind = EnvelopeError::TooLong { bytes: limit + 1, limit }.into();
    let kinds: Vec<_> =
        records(Via::LambdaEvent, &event).into_iter().map(|r| r.err().map(|e| e.kind)).collect();
    assert_eq!(kinds, [None, Some(kind), None]);

    let many = format!(r#"{{"Records":[{}0]}}"#, "0,".repeat(9_999));
    assert_eq!(records(Via::LambdaEvent, &many).len(), 10_000);
    let more = format!(r#"{{"Records":[{}0]}}"#, "0,".repeat(10_000));
    assert_eq!(refused(&more), EnvelopeError::TooManyRecords { limit: 10_000 });
}

#[test]
fn one_bad_record_hides_no_other() {
    let good = notification().to_string();
    let (inner, other) = (sqs(&[&good]), with(notification(), "Type", "x"));
    let bodies = [&*good, "hello", EVENT, &inner, r#"{"a":1}"#, &other, "{"];
    let event = sqs(&bodies);
    let read = records(Via::LambdaEvent, &event);
    let kinds: Vec<_> = read
        .iter()
        .enumerate()
        .map(|(index, record)| match record {
            Ok(record) => {
                assert_eq!(record.item_identifier.as_deref(), Some(&*format!("q-{index}")));
                match &record.delivery {
                    Delivery::Envelope(_) => "envelope".to_owned(),
                    Delivery::Raw(raw) => String::from_utf8(raw.bytes().to_vec()).unwrap(),
                }
            }
            Err(error) => {
                assert_eq!(error.index, index);
                assert_eq!(error.item_identifier.as_deref(), Some(&*format!("q-{index}")));
                format!("{:?}", error.kind)
            }
        })
        .collect();
    let expected = [
        "envelope",
        "hello",
        EVENT,
        "Nested",
        "Envelope(Unrecognised { member: \"Type\" })",
        "Envelope(UnknownType)",
        "{",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn records_of_other_sources_are_unknown() {
    let event = json!({"Records": [
        0, null, {}, {"EventSource": "aws:sns", "Sns": "text"}, {"eventSource": "aws:kinesis", "body": "x"},
        {"eventSource": "aws:sns", "body": "x"}, {"EventSource": "aws:sqs", "body": "x"}, {"eventSource": "aws:sqs", "body": {}}, {"body": "x"},
        {"messageId": 5, "eventSource": "aws:sqs"},
    ]})
    .to_string();
    for (index, record) in records(Via::LambdaEvent, &event).into_iter().enumerate() {
        let error = record.unwrap_err();
        assert_eq!((error.index, error.item_identifier), (index, None));
        assert_eq!(error.kind, RecordErrorKind::UnknownRecord);
    }
    let twice = r#"{"Records":[{"messageId":"a","eventSource":"aws:sqs","body":"x","body":"y"}]}"#;
    let error = records(Via::LambdaEvent, twice).remove(0).unwrap_err();
    assert_eq!(error.kind, EnvelopeError::DuplicateMember { name: "body".into() }.into());
    assert_eq!(error.item_identifier.as_deref(), Some("a"));
}

/// Otherwise the signature could be left out by putting the event into a record.
#[test]
fn a_raw_message_in_a_record_is_rejected_where_one_alone_is() {
    let event = sqs(&[EVENT, "hello", &notification().to_string()]);
    let read = records(Via::Http, &event);
    for record in &read[..2] {
        let error = record.as_ref().unwrap_err();
        assert_eq!(error.kind, EnvelopeError::RawRejected.into());
    }
    assert!(read[2].is_ok());
}

#[test]
fn only_what_is_well_formed_is_built() {
    let topic = TopicArn::new(TOPIC).unwrap();
    let build = |id, timestamp| Envelope::notification(&topic, id, timestamp, "a\nb");
    assert_eq!(build("abc", "now"), Err(EnvelopeError::BadMessageId));
    let error = EnvelopeError::ControlCharacter { member: "Timestamp" };
    assert_eq!(build(ID, "now\n"), Err(error));
    let error = EnvelopeError::ControlCharacter { member: "Subject" };
    assert_eq!(build(ID, "now").unwrap().with_subject("a\nb"), Err(error));
    let confirm =
        |token, url| Envelope::subscription_confirmation(&topic, ID, "now", "m", token, url);
    let error = EnvelopeError::ControlCharacter { member: "Token" };
    assert_eq!(confirm("\t", "u"), Err(error));
    let error = EnvelopeError::ControlCharacter { member: "SubscribeURL" };
    assert_eq!(confirm("t", "u\n"), Err(error));
    let confirmation = confirm("t", "u").unwrap();
    let misplaced = |member| Err(EnvelopeError::Misplaced { member });
    assert_eq!(confirmation.clone().with_subject("s"), misplaced("Subject"));
    assert_eq!(confirmation.with_unsubscribe_url("u"), misplaced("UnsubscribeURL"));
}

#[test]
fn what_is_not_signed_is_written_without_a_signature() {
    let topic = TopicArn::new(TOPIC).unwrap();
    let unsigned = Envelope::notification(&topic, ID, "now", "m").unwrap();
    assert_eq!(
        String::from_utf8(unsigned.encode()).unwrap(),
        format!(
            r#"{{"Type":"Notification","MessageId":"{ID}","TopicArn":"{TOPIC}","Message":"m","Timestamp":"now"}}"#
        ),
    );
    let body = unsigned.encode();
    let error = Classifier::new(Via::Http).classify(&body, &Headers::default());
    assert_eq!(error, Err(EnvelopeError::Unsigned));
}

#[test]
fn texts_without_escapes_are_borrowed() {
    let body = confirmation().to_string();
    let envelope = envelope(&body);
    let borrowed = |text: &str| body.as_bytes().as_ptr_range().contains(&text.as_ptr());
    assert!(borrowed(envelope.message_id()) && borrowed(envelope.topic_arn()));
    assert!(borrowed(envelope.token().unwrap()) && borrowed(envelope.signature()));
    assert_eq!(envelope.message_type(), MessageType::SubscriptionConfirmation);
    assert!(borrowed(&envelope.into_message()));
}

#[test]
fn debug_and_errors_keep_quiet() {
    let mut shown = String::new();
    for body in [notification().to_string(), confirmation().to_string()] {
        write!(shown, "{:?}", http(&body)).unwrap();
        write!(shown, "{:?}", records(Via::LambdaEvent, &sqs(&[&body, "secret"]))).unwrap();
        for member in ["Type", "MessageId", "Timestamp"] {
            let mut body: Value = serde_json::from_str(&body).unwrap();
            for value in [json!("secret\n"), json!("secret"), json!({"secret": 1})] {
                body[member] = value;
                if let Err(error) = http(&body.to_string()) {
                    write!(shown, "{error} {error:?}").unwrap();
                }
            }
        }
    }
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn errors_say_what_to_do() {
    let texts = [
        refused(&with(notification(), "Subject", 1)).to_string(),
        refused(&with(notification(), "MessageAttributes", 1)).to_string(),
        refused(EVENT).to_string(),
        refused(&without(notification(), "TopicArn")).to_string(),
        records(Via::LambdaEvent, r#"{"Records":[{"EventSource":"aws:s3"}]}"#)
            .remove(0)
            .unwrap_err()
            .to_string(),
    ];
    assert_eq!(
        texts,
        [
            "Subject is a number, not a string",
            "MessageAttributes is a number, not an object",
            "the message came without envelope and cannot be authenticated: \
             switch raw message delivery off at the subscription",
            "the object is no SNS message, as its TopicArn is missing or no string, \
             nor an event of Lambda with Records, nor a bare event with header and payload",
            "record 0: neither of SNS nor of SQS, check what else calls this function",
        ]
    );
}
