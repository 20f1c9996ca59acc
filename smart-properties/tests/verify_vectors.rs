//! The signatures S-01 to S-13 and N-S1 to N-S19 of specification sections 13.2 and 13.3, and those of section 13.7
//! that end after them, run by id.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use iot_sansio::UnixMillis;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use smart_properties::{
    Instant, TopicArn,
    sns::{
        Answer, CertificateError, Classifier, Content, ControlError, Delivery, Digest, Envelope,
        EnvelopeError, HeaderName, Headers, Inbound, RecordErrorKind, Ring, RsaVerify,
        SignaturePolicy, Verified, Verifier, VerifyError, Via,
    },
};
use verifying::{
    by_id, certificate,
    stand_in::{CERT_URL, StandIn, signed},
};

mod verifying;

const ENVELOPES: &str = include_str!("vectors/envelopes.jsonl");

#[test]
fn every_signature_holds_over_exactly_this_text() {
    let texts = by_id(include_str!("vectors/canonical.jsonl"));
    let envelopes = by_id(ENVELOPES);
    for (id, vector) in &envelopes {
        let body = vector["body"].to_string();
        let [envelope] = &envelopes_in(&body, via(vector)).unwrap()[..] else { panic!("{id}") };
        let text = envelope.as_ref().unwrap().string_to_sign();
        assert_eq!(text, texts[id]["text"], "{id}");
        assert_eq!(text.len(), text.capacity(), "{id}: allocated once");
        assert_eq!(text.len(), vector["canonical_bytes"], "{id}");
        let hash: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, vector["canonical_sha256"], "{id}");

        let verified = Case::of(vector, &envelopes).verify(envelope.clone().unwrap(), &Ring);
        let verified = verified.unwrap_or_else(|error| panic!("{id}: {error}"));
        let version = if ["S-01", "S-04", "S-07"].contains(&&**id) { "1" } else { "2" };
        assert_eq!(verified.signature_version().as_str(), version, "{id}");
    }
    let expected: Vec<_> = (1..=13).map(|number| format!("S-{number:02}")).collect();
    assert!(envelopes.keys().eq(&expected));
    assert!(texts.keys().eq(&expected));
}

#[test]
fn escapes_are_not_signed() {
    let vector = &by_id(ENVELOPES)["S-05"];
    let (plain, mut escaped) = (vector["body"].to_string(), String::new());
    assert!(!plain.is_ascii());
    for unit in plain.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("\\u{unit:04x}")),
        }
    }
    let texts = [plain, escaped].map(|body| {
        let [Ok(envelope)] = &envelopes_in(&body, Via::Http).unwrap()[..] else { panic!() };
        envelope.string_to_sign()
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn every_verify_vector_holds() {
    let envelopes = by_id(ENVELOPES);
    let mut ids = BTreeSet::new();
    for (number, line) in include_str!("vectors/verify.jsonl").lines().enumerate() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let case = Case::of(&vector, &envelopes);
        assert_eq!(case.run()[0].name, vector["expected"], "{id}, line {}", number + 1);
        ids.insert(id.to_owned());
    }
    assert_eq!(ids, (1..=19).map(|number| format!("N-S{number}")).collect());
}

/// The rows of section 13.7 that go on after the envelope is told.
#[test]
fn every_classification_vector_ends_as_it_says() {
    let mut ids = Vec::new();
    for (id, mut vector) in by_id(include_str!("vectors/classification.jsonl")) {
        let Some(verified) = vector["verified"].as_str().map(str::to_owned) else { continue };
        vector["body"] = serde_json::from_str(vector["body"].as_str().unwrap()).unwrap();
        let mut case = Case::of(&vector, &BTreeMap::new());
        let (first, again) = match verified.split_once("; ") {
            Some((first, again)) => (first, again.strip_suffix(" when signed again")),
            None => (&*verified, None),
        };
        let expected = |name: &str| match name {
            "Event" | "NonEvent" | "Confirm" | "Unsubscribed" => (name.to_owned(), None),
            _ => (name.to_owned(), Some(Answer::Refuse)),
        };
        let outcomes = case.run();
        assert_eq!((outcomes[0].name.clone(), outcomes[0].refused), expected(first), "{id}");
        let others: Vec<_> = outcomes[1..].iter().map(|outcome| &*outcome.name).collect();
        assert_eq!(others, if id == "B-12" { &["UnknownRecord"][..] } else { &[] }, "{id}");
        if let Some(name) = again {
            case.sign_again = true;
            let found = &case.run()[0];
            assert_eq!((found.name.clone(), found.refused), expected(name), "{id}");
        }
        ids.push(id);
    }
    assert_eq!(ids, ["B-02", "B-03", "B-12", "B-17", "B-20"]);
}

#[test]
fn a_topic_or_version_that_is_refused_asks_for_no_certificate() {
    let envelopes = by_id(ENVELOPES);
    let vectors = include_str!("vectors/verify.jsonl").lines();
    let mut refused = 0;
    for vector in vectors.map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let case = Case::of(&vector, &envelopes);
        let expected = vector["expected"].as_str().unwrap_or_default();
        if !["TopicNotAllowed", "VersionNotAllowed", "UnsupportedVersion"].contains(&expected) {
            continue;
        }
        let body = case.body.to_string();
        let [Ok(envelope)] = &envelopes_in(&body, case.via).unwrap()[..] else { panic!() };
        assert!(case.verifier().check(envelope.clone()).is_err(), "{expected}");
        refused += 1;
    }
    assert_eq!(refused, 5);
}

#[test]
fn confirmations_name_topic_token_and_url() {
    let envelopes = by_id(ENVELOPES);
    let case = Case::of(&envelopes["S-08"], &envelopes);
    let body = case.body.to_string();
    let [Ok(envelope)] = &envelopes_in(&body, case.via).unwrap()[..] else { panic!() };
    let verified = case.verify(envelope.clone(), &Ring).unwrap();
    let Content::Confirm(confirm) = verified.content().unwrap() else { panic!() };
    assert_eq!(confirm.topic(), &verifying::topic());
    assert_eq!(confirm.token(), case.body["Token"]);
    assert_eq!(confirm.url(), case.body["SubscribeURL"]);
    for shown in
        [format!("{confirm:?}"), format!("{:?}", verified.content()), format!("{verified:?}")]
    {
        assert!(!shown.contains(confirm.token()), "{shown}");
    }
}

#[test]
fn the_age_counts_only_after_the_signature() {
    let envelopes = by_id(ENVELOPES);
    let mut case = Case::of(&envelopes["S-02"], &envelopes);
    case.body["Timestamp"] = "2020-01-01T00:00:00.000Z".into();
    assert_eq!(case.run()[0].name, "BadSignature");
    // And the certificate before it.
    case.certificate = "C-NAME".into();
    case.body["Signature"] = "not base64".into();
    assert_eq!(case.run()[0].name, "WrongName");
}

#[test]
fn limits_of_the_age_are_exact() {
    let envelopes = by_id(ENVELOPES);
    let mut case = Case::of(&envelopes["S-02"], &envelopes);
    let sent = case.now.before(Duration::from_secs(1));
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let moment = Duration::from_millis(1);
    for (now, name) in [
        (sent.after(minutes(75)), "Event"),
        (sent.after(minutes(75)).after(moment), "TooOld"),
        (sent.before(minutes(5)), "Event"),
        (sent.before(minutes(5)).before(moment), "FromTheFuture"),
    ] {
        case.now = now;
        assert_eq!(case.run()[0].name, name, "{now}");
    }
    // From a queue, too, nothing comes from the future.
    case.via = Via::SqsBody;
    assert_eq!(case.run()[0].name, "FromTheFuture");
}

#[test]
fn answers_have_these_statuses() {
    let answers = [
        (Answer::Accept, 200),
        (Answer::Malformed, 400),
        (Answer::Refuse, 403),
        (Answer::Retry, 503),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status(), status);
        // SNS sends again whatever is not 200 to 499.
        assert_eq!(answer.is_retried(), !(200..500).contains(&status));
    }
    assert_eq!(CertificateError::Malformed { part: "PEM" }.answer(), Answer::Retry);
    assert_eq!(CertificateError::WrongName.answer(), Answer::Refuse);
    assert_eq!(EnvelopeError::NotAnObject.answer(), Answer::Malformed);
    assert_eq!(EnvelopeError::Unsigned.answer(), Answer::Refuse);
    assert_eq!(EnvelopeError::RawRejected.answer(), Answer::Refuse);
    let mismatch = EnvelopeError::HeaderMismatch { header: HeaderName::Topic };
    assert_eq!(mismatch.answer(), Answer::Refuse);
}

struct Case {
    body: Value,
    via: Via,
    topics: Vec<String>,
    policy: SignaturePolicy,
    certificate: String,
    sign_again: bool,
    now: UnixMillis,
}

struct Outcome {
    name: String,
    /// None of what is handed on, or is about one record of several.
    refused: Option<Answer>,
}

impl Case {
    /// Of a line of `verify.jsonl`, which names an envelope and what is other, or of the envelope itself.
    fn of(vector: &Value, envelopes: &BTreeMap<String, Value>) -> Self {
        let base = vector.get("base").map_or(vector, |base| &envelopes[base.as_str().unwrap()]);
        let mut body = base["body"].clone();
        let timestamp = by_id(ENVELOPES)["S-02"]["body"]["Timestamp"].clone();
        let timestamp = body.get("Timestamp").unwrap_or(&timestamp).as_str().unwrap();
        let sent = Instant::parse(timestamp).unwrap().unix_millis();
        let after = vector.get("afterSeconds").map_or(1, |after| after.as_i64().unwrap());
        for (member, value) in vector["set"].as_object().into_iter().flatten() {
            assert_ne!(body.get(member), Some(value), "nothing changed");
            body[member] = value.clone();
        }
        for member in vector["remove"].as_array().into_iter().flatten() {
            body.as_object_mut().unwrap().remove(member.as_str().unwrap()).unwrap();
        }
        let topics = match vector["topics"].as_array() {
            Some(topics) => topics.iter().map(|topic| topic.as_str().unwrap().into()).collect(),
            None => vec![verifying::TOPIC.into()],
        };
        Self {
            body,
            via: via(base),
            topics,
            policy: match vector["policy"].as_str() {
                Some("V2Only") => SignaturePolicy::V2Only,
                None => SignaturePolicy::default(),
                Some(other) => panic!("no policy {other}"),
            },
            certificate: vector["certificate"].as_str().unwrap_or("C-GOOD").into(),
            sign_again: false,
            now: UnixMillis::new(sent.get() + after * 1000),
        }
    }

    fn verifier(&self) -> Verifier {
        let topics = self.topics.iter().map(|topic| TopicArn::new(&**topic).unwrap());
        Verifier::new(self.via, topics).with_signature_policy(self.policy)
    }

    fn verify<'a>(
        &self,
        envelope: Envelope<'a>,
        rsa: &dyn RsaVerify,
    ) -> Result<Verified<'a>, VerifyError> {
        let unverified = self.verifier().check(envelope)?;
        assert_eq!(unverified.certificate_url().as_str(), CERT_URL);
        unverified.verify(&certificate(&self.certificate)?, rsa, self.now)
    }

    fn run(&self) -> Vec<Outcome> {
        let body = self.body.to_string();
        match envelopes_in(&body, self.via) {
            Ok(envelopes) => envelopes.into_iter().map(|envelope| self.outcome(envelope)).collect(),
            Err(error) => {
                vec![Outcome { name: envelope_error(&error), refused: Some(error.answer()) }]
            }
        }
    }

    fn outcome(&self, envelope: Result<Envelope<'_>, RecordErrorKind>) -> Outcome {
        let outcome = |name, refused| Outcome { name, refused };
        let envelope = match envelope {
            Ok(envelope) if self.sign_again => signed(envelope, Digest::Sha256),
            Ok(envelope) => envelope,
            Err(kind) => return outcome(variant(&kind), None),
        };
        let rsa: &dyn RsaVerify = if self.sign_again { &StandIn } else { &Ring };
        let verified = match self.verify(envelope, rsa) {
            Ok(verified) => verified,
            Err(error @ VerifyError::Certificate(reason)) => {
                return outcome(variant(&reason), Some(error.answer()));
            }
            Err(error) => return outcome(variant(&error), Some(error.answer())),
        };
        match verified.content() {
            Ok(content) => outcome(variant(&content), None),
            Err(error @ ControlError::SubscribeUrl(reason)) => {
                outcome(variant(&reason), Some(error.answer()))
            }
            Err(error) => outcome(variant(&error), Some(error.answer())),
        }
    }
}

type Envelopes<'a> = Vec<Result<Envelope<'a>, RecordErrorKind>>;

fn envelopes_in(body: &str, via: Via) -> Result<Envelopes<'_>, EnvelopeError> {
    Ok(match Classifier::new(via).classify(body.as_bytes(), &Headers::default())? {
        Inbound::Envelope(envelope) => vec![Ok(envelope)],
        Inbound::Raw(_) => panic!("raw"),
        Inbound::Records(records) => records
            .into_iter()
            .map(|record| match record.map_err(|error| error.kind)?.delivery {
                Delivery::Envelope(envelope) => Ok(envelope),
                Delivery::Raw(_) => panic!("raw"),
            })
            .collect(),
    })
}

fn via(vector: &Value) -> Via {
    match vector["via"].as_str().unwrap() {
        "Http" => Via::Http,
        "SqsBody" => Via::SqsBody,
        "LambdaEvent" => Via::LambdaEvent,
        other => panic!("no way {other}"),
    }
}

fn envelope_error(error: &EnvelopeError) -> String {
    match error {
        EnvelopeError::ControlCharacter { member }
        | EnvelopeError::Missing { member }
        | EnvelopeError::WrongType { member, .. } => format!("{}({member})", variant(error)),
        _ => variant(error),
    }
}

/// The name alone.
fn variant(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap().into()
}
