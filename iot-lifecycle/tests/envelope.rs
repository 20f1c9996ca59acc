//! Every path of specification section 2.6, with one delivery each as its service writes it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

extern crate alloc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_lifecycle::{
    DecodeError, Decoder, EventKind, JsonType,
    envelope::{Envelope, EnvelopeError, ImageError, Record, RecordError, RecordErrorKind},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const EVENT: &str = r#"{"clientId":"186b5","timestamp":1573002340451,"eventType":"disconnected","sessionIdentifier":"00000000-0000-0000-0000-000000000000","principalIdentifier":"12345678901234567890123456789012","clientInitiatedDisconnect":true,"disconnectReason":"CLIENT_INITIATED_DISCONNECT","versionNumber":0}"#;

fn records(body: &str) -> Vec<Result<Record<'_>, RecordError>> {
    Envelope::parse(body.as_bytes()).unwrap().records().collect()
}

/// The only record of a body, which must hold the event.
fn only(body: &Value) -> (Option<String>, Option<String>) {
    let body = body.to_string();
    let mut records = records(&body);
    assert_eq!(records.len(), 1, "{body}");
    let record = records.remove(0).unwrap();
    let expected = Decoder::strict().decode(EVENT.as_bytes()).unwrap();
    assert_eq!(record.decode(&Decoder::lenient()).as_ref(), Ok(&expected), "{body}");
    let owned = |text: Option<_>| text.map(alloc::borrow::Cow::into_owned);
    (owned(record.item_identifier), owned(record.topic))
}

fn only_error(body: &Value) -> RecordErrorKind {
    let body = body.to_string();
    let error = records(&body).remove(0).unwrap_err();
    assert_eq!(error.index, 0);
    error.kind
}

fn sqs(body: &str) -> Value {
    json!({
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJ", "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1573002340500"},
        "messageAttributes": {}, "md5OfBody": "e4e6", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:queue", "awsRegion": "eu-west-1",
    })
}

fn notification(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "95df01b4", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:topic",
        "Message": message, "Timestamp": "2019-11-06T01:05:40.500Z", "SignatureVersion": "1",
    })
}

fn kinesis(data: &str) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0", "partitionKey": "186b5", "sequenceNumber": "49590338271490256608",
            "data": data, "approximateArrivalTimestamp": 1573002340.5,
        },
        "eventSource": "aws:kinesis", "eventID": "shardId-000000000006:49590338271490256608",
    })
}

fn error_action(topic: &str) -> Value {
    json!({
        "ruleName": "presence", "topic": topic, "cloudwatchTraceId": "7e146a2c", "clientId": "186b5",
        "base64OriginalPayload": STANDARD.encode(EVENT),
        "failures": [{"failedAction": "SqsAction", "failedResource": "queue", "errorMessage": "denied"}],
    })
}

fn dynamodb(image: &Value) -> Value {
    json!({
        "eventID": "c4ca", "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": {"SequenceNumber": "4421584500000000017450439091", "NewImage": image, "SizeBytes": 26},
    })
}

#[test]
fn mqtt_and_rule_to_lambda_deliver_the_object_itself() {
    let envelope = Envelope::parse(EVENT.as_bytes()).unwrap();
    assert!(!envelope.is_batch());
    let record = envelope.records().next().unwrap().unwrap();
    assert!(
        matches!(record.payload, alloc::borrow::Cow::Borrowed(payload) if payload == EVENT.as_bytes())
    );
    assert_eq!(only(&serde_json::from_str(EVENT).unwrap()), (None, None));
}

#[test]
fn sqs_delivers_text_or_base64() {
    let id = Some("059f36b4-87a3-44ab-83d2-661975830a7d".into());
    assert_eq!(only(&json!({"Records": [sqs(EVENT)]})), (id.clone(), None));
    assert_eq!(only(&json!({"Records": [sqs(&STANDARD.encode(EVENT))]})), (id, None));
}

#[test]
fn sns_delivers_to_sqs_and_to_lambda() {
    let through_sqs = sqs(&notification(EVENT).to_string());
    assert!(only(&json!({"Records": [through_sqs]})).0.is_some());
    let to_lambda =
        json!({"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(EVENT)});
    assert_eq!(only(&json!({"Records": [to_lambda]})), (None, None));
}

#[test]
fn kinesis_delivers_base64() {
    let body = json!({"Records": [kinesis(&STANDARD.encode(EVENT))]});
    assert_eq!(only(&body), (Some("49590338271490256608".into()), None));
}

#[test]
fn a_dynamodb_stream_delivers_typed_attributes() {
    let image = json!({
        "clientId": {"S": "186b5"}, "timestamp": {"N": "1573002340451"}, "eventType": {"S": "disconnected"},
        "sessionIdentifier": {"S": "00000000-0000-0000-0000-000000000000"},
        "principalIdentifier": {"S": "12345678901234567890123456789012"},
        "clientInitiatedDisconnect": {"BOOL": true}, "disconnectReason": {"S": "CLIENT_INITIATED_DISCONNECT"},
        "versionNumber": {"N": "0"}, "ipAddress": {"NULL": true},
    });
    let id = Some("4421584500000000017450439091".into());
    assert_eq!(only(&json!({"Records": [dynamodb(&image)]})), (id, None));
}

#[test]
fn every_attribute_type_is_mapped_back() {
    let image = json!({
        "s": {"S": "a\"\n"}, "n": {"N": "-1.5"}, "b": {"B": "AQI="}, "bool": {"BOOL": false}, "null": {"NULL": true},
        "m": {"M": {"x": {"N": "1"}, "y": {"M": {}}}}, "l": {"L": [{"S": "a"}, {"L": []}]},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AQ=="]},
    });
    let body = json!({"Records": [dynamodb(&image)]}).to_string();
    let record = records(&body).remove(0).unwrap();
    let mapped: Value = serde_json::from_slice(&record.payload).unwrap();
    assert_eq!(
        mapped,
        json!({
            "s": "a\"\n", "n": -1.5, "b": "AQI=", "bool": false, "null": null,
            "m": {"x": 1, "y": {}}, "l": ["a", []], "ss": ["a", "b"], "ns": [1, 2], "bs": ["AQ=="],
        })
    );
}

#[test]
fn an_image_that_is_not_typed_names_its_attribute() {
    for (image, attribute) in [
        (json!({"clientId": "plain"}), "clientId"),
        (json!({"a": {"S": "x"}, "b": {"S": 1}}), "b"),
        (json!({"b": {"N": "1,5"}}), "b"),
        (json!({"b": {"N": "\"1\""}}), "b"),
        (json!({"b": {"BOOL": "true"}}), "b"),
        (json!({"b": {"S": "x", "N": "1"}}), "b"),
        (json!({"b": {}}), "b"),
        (json!({"b": {"M": "{}"}}), "b"),
        (json!({"b": {"L": [{"Q": 1}]}}), "b"),
        (json!("{}"), ""),
    ] {
        let error = only_error(&json!({"Records": [dynamodb(&image)]}));
        let wanted = ImageError::BadAttribute { attribute: attribute.into() };
        assert_eq!(error, RecordErrorKind::Image(wanted), "{image}");
    }
    let deep = (0..70).fold(json!({"NULL": true}), |inner, _| json!({"L": [inner]}));
    let error = only_error(&json!({"Records": [dynamodb(&json!({"deep": deep}))]}));
    assert_eq!(
        error,
        RecordErrorKind::Image(ImageError::BadAttribute { attribute: "deep".into() })
    );
}

#[test]
fn iot_events_delivers_messages() {
    let body = json!({"messages": [{"messageId": "7", "inputName": "presence", "payload": EVENT}]});
    assert_eq!(only(&body), (Some("7".into()), None));
    assert!(Envelope::parse(body.to_string().as_bytes()).unwrap().is_batch());
    let event = EVENT.replacen('{', r#"{"messages":[],"#, 1);
    assert!(!Envelope::parse(event.as_bytes()).unwrap().is_batch());
}

#[test]
fn an_error_action_gives_the_topic_too_on_any_path() {
    let topic = "$aws/events/presence/disconnected/186b5";
    let action = error_action(topic);
    assert_eq!(only(&action), (None, Some(topic.into())));
    let through_sqs = json!({"Records": [sqs(&action.to_string())]});
    assert_eq!(only(&through_sqs).1, Some(topic.into()));
    let through_sns = json!({"Records": [sqs(&notification(&action.to_string()).to_string())]});
    assert_eq!(only(&through_sns).1, Some(topic.into()));
    let through_kinesis = json!({"Records": [kinesis(&STANDARD.encode(action.to_string()))]});
    assert_eq!(only(&through_kinesis).1, Some(topic.into()));
    assert_eq!(only(&error_action("republished/186b5")).1, Some("republished/186b5".into()));
}

#[test]
fn the_topic_of_an_envelope_must_agree_with_the_payload() {
    let body = error_action("$aws/events/presence/connected/186b5").to_string();
    let record = records(&body).remove(0).unwrap();
    let error = record.decode(&Decoder::lenient()).unwrap_err();
    assert!(matches!(error, DecodeError::KindMismatch { .. }), "{error}");
    let body = error_action("$aws/events/presence/newer/186b5").to_string();
    let error = records(&body).remove(0).unwrap().decode(&Decoder::lenient()).unwrap_err();
    assert!(matches!(error, DecodeError::Topic(_)), "{error}");
}

#[test]
fn managed_integrations_delivers_numbers_as_text() {
    let mut payload: Value = serde_json::from_str(EVENT).unwrap();
    payload["timestamp"] = "1573002340451".into();
    payload["versionNumber"] = "0".into();
    let message = json!({
        "version": "1.0.0", "messageId": "91e9", "messageType": "DEVICE_LIFE_CYCLE", "source": ["aws.iotmi"],
        "customerAccountId": "123456789012", "timestamp": "1573002340500", "payload": payload,
    });
    assert_eq!(only(&message), (None, None));
    let body = json!({"Records": [kinesis(&STANDARD.encode(message.to_string()))]});
    assert!(only(&body).0.is_some());
    let mut other = message;
    other["messageType"] = "DEVICE_EVENT".into();
    let error = RecordErrorKind::OtherMessageType { message_type: "DEVICE_EVENT".into() };
    assert_eq!(only_error(&other), error);
}

#[test]
fn an_empty_batch_is_a_batch() {
    for body in [r#"{"Records":[]}"#, r#"{"Records":[],"clientId":"d"}"#] {
        let envelope = Envelope::parse(body.as_bytes()).unwrap();
        assert!(envelope.is_batch());
        assert_eq!(envelope.records().count(), 0);
    }
}

#[test]
fn one_bad_record_of_each_kind_keeps_the_rest() {
    let not_utf8 = STANDARD.encode(b"{\"\xFF\"}");
    let nested = |times: usize| {
        (0..times).fold(EVENT.to_owned(), |inner, _| notification(&inner).to_string())
    };
    let surrogate: Value = json!({"messageId": "m"});
    let bad = [
        (json!(7), RecordErrorKind::NotAnObject { found: JsonType::Number }, false),
        (json!({"s3": {}}), RecordErrorKind::UnknownSource, false),
        (json!({"Sns": {}}), RecordErrorKind::MissingKey { key: "Sns.Message" }, false),
        (
            json!({"kinesis": "{}"}),
            RecordErrorKind::WrongType { key: "kinesis", found: JsonType::String },
            false,
        ),
        (
            json!({"dynamodb": {"SequenceNumber": "1", "OldImage": {}}}),
            RecordErrorKind::MissingKey { key: "dynamodb.NewImage" },
            true,
        ),
        (
            json!({"body": 1, "messageId": "m"}),
            RecordErrorKind::WrongType { key: "body", found: JsonType::Number },
            true,
        ),
        (sqs("{\"clientId\":}"), RecordErrorKind::NotJson { line: 1, column: 13 }, true),
        (sqs("not base64"), RecordErrorKind::NeitherObjectNorBase64, true),
        (sqs(""), RecordErrorKind::NeitherObjectNorBase64, true),
        (kinesis(&not_utf8), RecordErrorKind::NotUtf8 { position: 2 }, true),
        (sqs(&nested(6)), RecordErrorKind::TooDeep, true),
        (
            dynamodb(&json!({"a": 1})),
            RecordErrorKind::Image(ImageError::BadAttribute { attribute: "a".into() }),
            true,
        ),
        (
            sqs(r#"{"messageType":"X","payload":{}}"#),
            RecordErrorKind::OtherMessageType { message_type: "X".into() },
            true,
        ),
        (surrogate, RecordErrorKind::UnpairedSurrogate { key: "body" }, true),
    ];
    let mut batch = Vec::new();
    for (record, ..) in &bad {
        batch.extend([record.clone(), sqs(EVENT)]);
    }
    // serde_json does not write half a surrogate pair.
    let body = json!({"Records": batch}).to_string();
    let body = body.replace(r#"{"messageId":"m"}"#, r#"{"messageId":"m","body":"\ud800"}"#);
    let records = records(&body);
    assert_eq!(records.len(), 2 * bad.len());
    for (at, (_, kind, identified)) in bad.into_iter().enumerate() {
        let error = records[2 * at].as_ref().unwrap_err();
        assert_eq!((error.index, &error.kind), (2 * at, &kind));
        assert_eq!(error.item_identifier.is_some(), identified, "{kind}");
        let good = records[2 * at + 1].as_ref().unwrap();
        assert!(good.decode(&Decoder::strict()).is_ok());
    }
    assert!(records[0].as_ref().unwrap_err().to_string().starts_with("record 0: "));
}

#[test]
fn a_record_that_cannot_be_unwrapped_is_named_by_all_that_is_known() {
    let number = json!({"SequenceNumber": "7", "sequenceNumber": "7"});
    let named = [
        (json!({"messageId": "m", "body": null}), "m"),
        (json!({"messageId": "m"}), "m"),
        (json!({"messageId": "m", "kinesis": "{}"}), "m"),
        (json!({"messageId": "m", "dynamodb": 1}), "m"),
        (json!({"messageId": "m", "kinesis": number}), "7"),
        (json!({"messageId": "m", "dynamodb": number}), "7"),
        (json!({"messageId": "m", "kinesis": {"sequenceNumber": null}}), "m"),
    ];
    let body = json!({"Records": named.each_ref().map(|(record, _)| record)}).to_string();
    for (record, (given, name)) in records(&body).into_iter().zip(&named) {
        assert_eq!(record.unwrap_err().item_identifier.as_deref(), Some(*name), "{given}");
    }
}

#[test]
fn layers_are_counted_up_to_a_limit() {
    let nested = |times: usize| {
        (0..times).fold(EVENT.to_owned(), |inner, _| notification(&inner).to_string())
    };
    assert!(only(&json!({"Records": [sqs(&nested(5))]})).0.is_some());
    let body = json!({"Records": [sqs(&nested(6))]});
    assert_eq!(only_error(&body), RecordErrorKind::TooDeep);
}

#[test]
fn a_body_that_holds_no_records_says_why() {
    let error = |body: &[u8]| Envelope::parse(body).unwrap_err();
    assert_eq!(error(b"{\"\xFF\":1}"), EnvelopeError::NotUtf8 { position: 2 });
    assert_eq!(error(b"{\"Records\":[}"), EnvelopeError::NotJson { line: 1, column: 13 });
    assert_eq!(error(b"[]"), EnvelopeError::NotAnObject { found: JsonType::Array });
    let not_an_array = EnvelopeError::NotAnArray { key: "Records", found: JsonType::Object };
    assert_eq!(error(b"{\"Records\":{}}"), not_an_array);
}

#[test]
fn sizes_and_counts_are_bounded() {
    let padded = |length: usize| format!("{}{EVENT}", " ".repeat(length - EVENT.len()));
    assert!(Envelope::parse(padded(6 * 1024 * 1024).as_bytes()).is_ok());
    let bytes = 6 * 1024 * 1024 + 1;
    let error = Envelope::parse(padded(bytes).as_bytes()).unwrap_err();
    assert_eq!(error, EnvelopeError::TooLarge { bytes });
    let many = |count: usize| format!(r#"{{"Records":[{}1]}}"#, "1,".repeat(count - 1));
    assert_eq!(records(&many(10_000)).len(), 10_000);
    let error = Envelope::parse(many(10_001).as_bytes()).unwrap_err();
    assert_eq!(error, EnvelopeError::TooManyRecords);
}

fn anything() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("Records"),
        Just("messages"),
        Just("body"),
        Just("Sns"),
        Just("Message"),
        Just("TopicArn"),
        Just("kinesis"),
        Just("data"),
        Just("dynamodb"),
        Just("NewImage"),
        Just("S"),
        Just("M"),
        Just("L"),
        Just("messageType"),
        Just("payload"),
        Just("base64OriginalPayload"),
        Just("topic"),
        Just("clientId"),
    ];
    let text = prop_oneof![
        Just(EVENT.to_owned()),
        Just(STANDARD.encode(EVENT)),
        Just("DEVICE_LIFE_CYCLE".to_owned()),
        ".{0,9}",
    ];
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(Value::Null)
    ];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner.clone()), 0..4).prop_map(|members| {
                members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
            inner.clone().prop_map(|inner| Value::from(inner.to_string())),
            inner.prop_map(|inner| Value::from(STANDARD.encode(inner.to_string()))),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_delivered_no_record_panics_and_each_payload_is_an_object(body in anything(), wrap: bool) {
        let body = if wrap { json!({"Records": [body]}) } else { body };
        let body = body.to_string();
        if let Ok(envelope) = Envelope::parse(body.as_bytes()) {
            for record in envelope.records() {
                match record {
                    Ok(record) => {
                        let payload: Value = serde_json::from_slice(&record.payload).unwrap();
                        prop_assert!(payload.is_object());
                        let _ = record.decode(&Decoder::lenient());
                    }
                    Err(error) => prop_assert!(!error.to_string().is_empty()),
                }
            }
        }
    }

    #[test]
    fn a_batch_of_events_gives_each_in_its_place(timestamps in proptest::collection::vec(100_000_000_000_i64.., 0..9)) {
        let event = |timestamp: &i64| {
            sqs(&json!({"clientId": "d", "timestamp": timestamp, "eventType": "connected"}).to_string())
        };
        let body = json!({"Records": timestamps.iter().map(event).collect::<Vec<_>>()}).to_string();
        let decoder = Decoder::lenient();
        let mut decoded = Vec::new();
        for record in Envelope::parse(body.as_bytes()).unwrap().records() {
            let record = record.unwrap();
            let event = record.decode(&decoder).unwrap();
            prop_assert!(matches!(event.kind, EventKind::Connected(_)));
            decoded.push(event.timestamp.get());
        }
        prop_assert_eq!(decoded, timestamps);
    }
}
