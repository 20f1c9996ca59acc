//! Vectors B-01 to B-20 of specification section 13.7, run by id as far as they are about telling what was delivered.
//!
//! Rows with a member `verified` go on where a signature is needed: the tests of the verifier take them up from there.

use serde_json::Value;
use smart_properties::{
    Event, EventError,
    sns::{
        Classifier, Delivery, EnvelopeError, Headers, Inbound, RawPolicy, Record, RecordError,
        RecordErrorKind, Via,
    },
};

#[test]
fn every_vector_is_what_it_says() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/classification.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let mut body = vector["body"].as_str().unwrap().as_bytes().to_vec();
        if let Some(length) = vector["padded_to"].as_u64() {
            body.resize(usize::try_from(length).unwrap(), b' ');
        }
        let pairs = vector["headers"].as_array().unwrap().iter();
        let pairs = pairs.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
        let headers = Headers::from_pairs(pairs);
        let classifier = Classifier::new(via(&vector["via"]));
        let inbound = classifier.classify(&body, &headers);
        assert_eq!(outcome(&inbound), vector["expect"], "{id}");
        if vector.get("accepted").is_some() {
            let accepting = classifier.with_raw_policy(RawPolicy::Accept);
            let inbound = accepting.classify(&body, &headers);
            assert_eq!(outcome(&inbound), vector["accepted"], "{id}: accepted");
        }
        if vector.get("padded_to").is_some() {
            let inbound = classifier.classify(&body[..body.len() - 1], &headers);
            assert_eq!(outcome(&inbound), Value::from("Notification"), "{id}: at the limit");
        }
        if let Some(event) = vector.get("event") {
            assert_eq!(&event_of(&inbound.unwrap()), event, "{id}: event");
        }
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=20).map(|number| format!("B-{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn every_signed_envelope_is_told_as_what_it_is() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/envelopes.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let body = vector["body"].to_string();
        let classifier = Classifier::new(via(&vector["via"]));
        let inbound = classifier.classify(body.as_bytes(), &Headers::default()).unwrap();
        let expected = &vector["body"];
        match inbound {
            Inbound::Envelope(envelope) => {
                assert_eq!(envelope.message(), expected["Message"], "{id}");
                assert_eq!(envelope.signature(), expected["Signature"], "{id}");
                assert_eq!(envelope.subject(), expected["Subject"].as_str(), "{id}");
                assert_eq!(envelope.token(), expected["Token"].as_str(), "{id}");
                let written: Value = serde_json::from_slice(&envelope.encode()).unwrap();
                assert_eq!(&written, expected, "{id}");
            }
            Inbound::Records(records) => assert_eq!(records.len(), 1, "{id}"),
            Inbound::Raw(_) => panic!("{id}"),
        }
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=13).map(|number| format!("S-{number:02}")).collect();
    assert_eq!(ids, expected);
}

fn via(via: &Value) -> Via {
    match via.as_str().unwrap() {
        "Http" => Via::Http,
        "SqsBody" => Via::SqsBody,
        "LambdaEvent" => Via::LambdaEvent,
        other => panic!("{other}"),
    }
}

fn outcome(inbound: &Result<Inbound<'_>, EnvelopeError>) -> Value {
    match inbound {
        Ok(Inbound::Envelope(envelope)) => envelope.message_type().as_str().into(),
        Ok(Inbound::Raw(_)) => "Raw".into(),
        Ok(Inbound::Records(records)) => records.iter().map(record).collect(),
        Err(error) => name(error).into(),
    }
}

fn record(record: &Result<Record<'_>, RecordError>) -> String {
    match record {
        Ok(Record { delivery: Delivery::Envelope(envelope), .. }) => {
            envelope.message_type().to_string()
        }
        Ok(_) => "Raw".into(),
        Err(RecordError { index, kind: RecordErrorKind::UnknownRecord, .. }) => {
            format!("UnknownRecord({index})")
        }
        Err(error) => panic!("{error}"),
    }
}

fn name(error: &EnvelopeError) -> String {
    match error {
        EnvelopeError::TooLong { limit, .. } => format!("TooLong({limit})"),
        EnvelopeError::DuplicateMember { name } => format!("DuplicateMember({name})"),
        EnvelopeError::ConflictingMember { member } => format!("ConflictingMember({member})"),
        EnvelopeError::HeaderMismatch { header } => format!("HeaderMismatch({header})"),
        plain => format!("{plain:?}"),
    }
}

/// What the decoder of events says about the message.
fn event_of(inbound: &Inbound<'_>) -> String {
    let bytes = match inbound {
        Inbound::Envelope(envelope) => envelope.message().as_bytes(),
        Inbound::Raw(raw) => raw.bytes(),
        Inbound::Records(_) => panic!("more than one"),
    };
    match Event::decode(bytes) {
        Ok(_) => "Ok".into(),
        Err(EventError::Malformed { .. }) => "Malformed".into(),
        Err(EventError::Missing { pointer }) => format!("Missing({pointer})"),
        Err(error) => panic!("{error}"),
    }
}
