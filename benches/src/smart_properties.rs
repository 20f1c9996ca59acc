//! `smart-properties`, beside two passes of serde_json.

use std::{borrow::Cow, fmt::Write as _, hint::black_box, str};

use serde::Deserialize;
use serde_json::value::RawValue;
use smart_properties::{
    Body, Event,
    event::Completion,
    sns::{Classifier, Headers, Inbound, Via},
};

/// The envelope of vector S-02 around the event of vector E-01, as it is posted.
///
/// # Panics
/// If there is no such vector, which a benchmark cannot go on without.
#[must_use]
pub fn notification() -> Vec<u8> {
    #[derive(Deserialize)]
    struct Vector<'a> {
        id: &'a str,
        #[serde(borrow)]
        body: &'a RawValue,
    }
    let vectors = include_str!("../../smart-properties/tests/vectors/envelopes.jsonl").lines();
    let mut bodies = vectors.filter_map(|line| {
        let vector: Vector<'_> = serde_json::from_str(line).ok()?;
        (vector.id == "S-02").then(|| vector.body.get().into())
    });
    bodies.next().expect("vector S-02")
}

/// An envelope as whoever has only serde_json would take it: borrowed, nothing checked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members of the envelope")]
pub struct PlainEnvelope<'a> {
    #[serde(borrow)]
    pub r#type: Text<'a>,
    pub message_id: Text<'a>,
    pub topic_arn: Text<'a>,
    pub subject: Option<Text<'a>>,
    pub message: Text<'a>,
    pub timestamp: Text<'a>,
    pub token: Option<Text<'a>>,
    #[serde(rename = "SubscribeURL")]
    pub subscribe_url: Option<Text<'a>>,
    pub signature_version: Text<'a>,
    pub signature: Text<'a>,
    #[serde(rename = "SigningCertURL")]
    pub signing_cert_url: Text<'a>,
    #[serde(rename = "UnsubscribeURL")]
    pub unsubscribe_url: Option<Text<'a>>,
    #[serde(borrow)]
    pub message_attributes: Option<&'a RawValue>,
}

/// The event, likewise.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of the event")]
pub struct PlainEvent<'a> {
    #[serde(borrow)]
    pub header: PlainHeader<'a>,
    #[serde(borrow)]
    pub payload: PlainPayload<'a>,
}

/// Its header.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members of the header")]
pub struct PlainHeader<'a> {
    #[serde(borrow)]
    pub version: Text<'a>,
    pub event_id: PlainEventId<'a>,
    pub event_type: PlainEventType<'a>,
    pub event_time: Option<PlainEventTime<'a>>,
    pub entities: PlainEntities<'a>,
}

/// What is different for every event.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "it has one member")]
pub struct PlainEventId<'a> {
    #[serde(borrow)]
    pub id: Text<'a>,
}

/// What happened.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the two names")]
pub struct PlainEventType<'a> {
    #[serde(borrow)]
    pub namespace: Text<'a>,
    pub name: Text<'a>,
}

/// When.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "it has one member")]
pub struct PlainEventTime<'a> {
    #[serde(borrow)]
    pub timestamp: Text<'a>,
}

/// Where.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "it has one member")]
pub struct PlainEntities<'a> {
    #[serde(borrow)]
    pub unit: Option<PlainEntity<'a>>,
}

/// The unit.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of an entity")]
pub struct PlainEntity<'a> {
    #[serde(borrow)]
    pub r#type: Text<'a>,
    pub id: Text<'a>,
}

/// How an automation ended.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of the payload")]
pub struct PlainPayload<'a> {
    #[serde(borrow)]
    pub automation: PlainEventId<'a>,
    pub result: PlainResult<'a>,
}

/// Its result.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of the result")]
pub struct PlainResult<'a> {
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow, default)]
    pub errors: Vec<PlainError<'a>>,
}

/// One of its errors.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of an error")]
pub struct PlainError<'a> {
    #[serde(borrow)]
    pub r#type: Text<'a>,
    pub message: Text<'a>,
    pub id: Option<Text<'a>>,
}

/// serde borrows a `Cow` only where it is a field of its own, not inside an `Option`: hence the newtype.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Decodes envelope and event of [`notification`] so many times, down to how the automation ended.
///
/// # Panics
/// If that is not what they say, which a benchmark cannot go on without.
pub fn decode(times: usize) {
    let (classifier, body) = (Classifier::new(Via::Http), notification());
    for _ in 0..times {
        let headers = Headers::default();
        let inbound = classifier.classify(black_box(&body), &headers);
        let Ok(Inbound::Envelope(envelope)) = black_box(inbound) else { panic!("no envelope") };
        _ = black_box(completion(envelope.message()));
    }
}

/// Has serde_json do the same so many times.
///
/// # Panics
/// If it is not what the derive expects, which a benchmark cannot go on without.
pub fn decode_plain(times: usize) {
    let body = notification();
    for _ in 0..times {
        // Cheaper than `from_slice`, which looks at each text whether it is UTF-8.
        let text = str::from_utf8(black_box(&body)).expect("UTF-8");
        let envelope: PlainEnvelope<'_> = serde_json::from_str(text).expect("an envelope");
        let envelope = black_box(envelope);
        _ = black_box(plain_completion(&envelope.message.0));
    }
}

/// Decodes the event alone so many times.
///
/// # Panics
/// If it is none, which a benchmark cannot go on without.
pub fn decode_event(times: usize) {
    let message = message();
    for _ in 0..times {
        _ = black_box(completion(black_box(&message)));
    }
}

/// Has serde_json decode the event alone so many times.
///
/// # Panics
/// If it is none, which a benchmark cannot go on without.
pub fn decode_event_plain(times: usize) {
    let message = message();
    for _ in 0..times {
        _ = black_box(plain_completion(black_box(&message)));
    }
}

/// An activation with so many members before the unit, which stands where nobody knows it.
#[must_use]
pub fn activation(members: usize) -> String {
    let mut event = String::from(concat!(
        r#"{"header":{"version":"2.0","eventId":{"id":"a-1"},"#,
        r#""eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"}},"payload":{"#,
    ));
    for member in 0..members {
        _ = write!(event, r#""member-{member}":{{"text":"of no meaning","number":{member}}},"#);
    }
    event.push_str(r#""subject":{"ref":"amzn1.alexa.unit.did.ROOM402"}}}"#);
    event
}

fn message() -> String {
    let body = notification();
    let envelope: PlainEnvelope<'_> = serde_json::from_slice(&body).expect("an envelope");
    envelope.message.0.into_owned()
}

fn completion(message: &str) -> Completion<'_> {
    let event = black_box(Event::parse(message).expect("an event"));
    let Body::Completion(completion) = event.body() else { panic!("another event") };
    completion
}

fn plain_completion(message: &str) -> PlainEvent<'_> {
    serde_json::from_str(message).expect("an event")
}
