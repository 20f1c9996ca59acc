//! What holds of every message that is signed, with a stand-in for the key that nobody outside SNS has.

use std::{collections::BTreeMap, error::Error as _, time::Duration};

use iot_sansio::UnixMillis;
use naive::{SIGNED, read_from_the_end, splits_of};
use proptest::prelude::*;
use serde_json::{Map, Value};
use smart_properties::{
    TopicArn,
    sns::{
        Answer, Certificate, CertificateError, Classifier, Digest, Envelope, Headers, Inbound,
        MessageType, PathRule, Ring, RsaVerify, SignaturePolicy, UrlError, Verifier, VerifyError,
        Via,
    },
};
use verifying::{
    by_id, certificate,
    stand_in::{CERT_URL, StandIn, signed},
    topic,
};

#[path = "naive/signed_text.rs"]
mod naive;
mod verifying;

/// A day later: without a limit of the age, that does not matter.
const NOW: UnixMillis = UnixMillis::new(1_714_644_000_000);
const TIMESTAMP: &str = "2024-05-01T10:00:03.120Z";

/// A message that was signed.
#[derive(Clone, Debug)]
struct Signed {
    members: Map<String, Value>,
    text: String,
}

#[test]
fn the_honest_form_of_an_imitation_is_the_only_one() {
    let lines = "a\nMessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz";
    let envelope = Envelope::notification(&TOPIC, ID, TIMESTAMP, lines).unwrap();
    let honest = sign(envelope);
    let others: Vec<_> = splits_of(&honest.text);
    // The honest one, that of vector N-S14, and one with all those lines in its `MessageId`.
    assert_eq!(others.len(), 3);
    let accepted = others.iter().filter(|members| accepts(&honest.with(members)));
    assert_eq!(accepted.collect::<Vec<_>>(), [&honest.signed_members()]);
}

#[test]
fn no_character_of_a_signed_value_can_be_changed() {
    let envelopes = by_id(include_str!("vectors/envelopes.jsonl"));
    let certificate = certificate("C-GOOD").unwrap();
    for (id, names) in [("S-03", 1), ("S-04", 1), ("S-08", 2), ("S-09", 2)] {
        let body = envelopes[id]["body"].as_object().unwrap();
        assert!(accepts_with(body, &Ring, &certificate), "{id}");
        for name in SIGNED[names] {
            let value = body[*name].as_str().unwrap();
            for at in 0..value.len() {
                let mut changed = value.to_owned().into_bytes();
                changed[at] ^= 1;
                let mut body = body.clone();
                body[*name] = String::from_utf8(changed).unwrap().into();
                assert!(!accepts_with(&body, &Ring, &certificate), "{id}: {name} at {at}");
            }
        }
    }
}

#[test]
fn other_spellings_of_the_same_signature_are_refused() {
    let envelopes = by_id(include_str!("vectors/envelopes.jsonl"));
    let body = envelopes["S-02"]["body"].as_object().unwrap();
    let certificate = certificate("C-GOOD").unwrap();
    let signature = body["Signature"].as_str().unwrap();
    let (most, last) = signature.split_at(signature.len() - 3);
    assert_eq!(last, "A==");
    for other in [format!("{most}B=="), format!(" {signature}"), format!("{signature}=")] {
        let mut body = body.clone();
        body["Signature"] = other.into();
        assert!(!accepts_with(&body, &Ring, &certificate));
    }
}

#[test]
fn a_time_that_cannot_be_read_has_no_age() {
    let certificate = stand_in_certificate();
    let envelope = Envelope::notification(&TOPIC, ID, "yesterday", "m").unwrap();
    let envelope = signed(envelope, Digest::Sha256);
    let verify = |verifier: Verifier| {
        let unverified = verifier.check(envelope.clone()).unwrap();
        unverified.verify(&certificate, &StandIn, NOW).map(|verified| verified.sns_time())
    };
    let over_http = || Verifier::new(Via::Http, [topic()]);
    let from_queue = || Verifier::new(Via::SqsBody, [topic()]);
    assert_eq!(verify(over_http()), Err(VerifyError::BadTimestamp));
    assert_eq!(verify(over_http().with_max_age(None)), Ok(None));
    assert_eq!(verify(from_queue()), Ok(None));
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(verify(from_queue().with_max_age(day)), Err(VerifyError::BadTimestamp));
}

#[test]
fn each_rule_is_the_one_that_was_set() {
    let check = |verifier: Verifier, version: &str, url: &str| {
        let envelope = Envelope::notification(&TOPIC, ID, TIMESTAMP, "m").unwrap();
        verifier
            .check(envelope.signed(version, "", url))
            .map(|unverified| unverified.certificate_url().to_string())
    };
    let verifier = || Verifier::new(Via::Http, [topic()]);
    let any_pem = "https://sns.us-east-1.amazonaws.com/any.pem";
    let bad_path = Err(VerifyError::SigningCertUrl(UrlError::BadPath));
    assert_eq!(check(verifier(), "2", any_pem), bad_path);
    let lenient = verifier().with_path_rule(PathRule::AnyPem);
    assert_eq!(check(lenient, "2", any_pem), Ok(any_pem.into()));
    assert_eq!(check(verifier(), "1", CERT_URL), Ok(CERT_URL.into()));
    let strict = || verifier().with_signature_policy(SignaturePolicy::V2Only);
    assert_eq!(check(strict(), "1", CERT_URL), Err(VerifyError::VersionNotAllowed));
    // In this order.
    let nobody = || Verifier::new(Via::Http, []).with_signature_policy(SignaturePolicy::V2Only);
    assert_eq!(check(nobody(), "3", any_pem), Err(VerifyError::UnsupportedVersion));
    assert_eq!(check(nobody(), "1", any_pem), Err(VerifyError::VersionNotAllowed));
    assert_eq!(check(nobody(), "2", any_pem), Err(VerifyError::TopicNotAllowed));
}

#[test]
fn each_topic_of_a_list_is_found_in_whatever_order_it_came() {
    let topics = ["c", "a", "d", "b"]
        .map(|name| TopicArn::new(format!("arn:aws:sns:us-east-1:123456789012:{name}")).unwrap());
    let verifier = Verifier::new(Via::Http, topics.clone());
    let check = |topic: &TopicArn| {
        let envelope = Envelope::notification(topic, ID, TIMESTAMP, "m").unwrap();
        verifier.check(envelope.signed("2", "", CERT_URL)).map(drop)
    };
    for topic in &topics {
        assert_eq!(check(topic), Ok(()), "{topic}");
    }
    assert_eq!(check(&TOPIC), Err(VerifyError::TopicNotAllowed));
}

#[test]
fn only_over_http_is_there_an_age_by_itself() {
    let certificate = stand_in_certificate();
    for (via, expected) in [(Via::Http, false), (Via::SqsBody, true), (Via::LambdaEvent, true)] {
        let envelope = Envelope::notification(&TOPIC, ID, TIMESTAMP, "m").unwrap();
        let unverified = Verifier::new(via, [topic()]).check(signed(envelope, Digest::Sha256));
        let verified = unverified.unwrap().verify(&certificate, &StandIn, NOW);
        assert_eq!(verified.is_ok(), expected, "{via:?}");
    }
}

#[test]
fn an_error_says_each_thing_once_and_nothing_of_the_message() {
    let url = VerifyError::SigningCertUrl(UrlError::HostMismatch);
    assert!(url.to_string().ends_with(&UrlError::HostMismatch.to_string()));
    let certificate = VerifyError::Certificate(CertificateError::WrongName);
    assert_eq!(certificate.to_string(), CertificateError::WrongName.to_string());
    for error in [url, certificate] {
        assert!(error.source().is_none(), "it is what is said already");
        assert_eq!(error.answer(), Answer::Refuse);
    }
}

proptest! {
    #[test]
    fn no_other_split_of_a_signed_message_is_accepted(honest in signed_messages()) {
        let mut found = 0;
        for members in splits_of(&honest.text) {
            let is_honest = members == honest.signed_members();
            prop_assert_eq!(accepts(&honest.with(&members)), is_honest, "{:?}", members);
            found += usize::from(is_honest);
        }
        prop_assert_eq!(found, 1, "the honest one is among them");
    }

    #[test]
    fn the_text_determines_every_signed_value(honest in signed_messages()) {
        prop_assert_eq!(read_from_the_end(&honest.text), honest.signed_members());
    }

    #[test]
    fn a_changed_value_is_refused(
        honest in signed_messages(),
        which: prop::sample::Index,
        at: prop::sample::Index,
        other: char,
    ) {
        let members = honest.signed_members();
        let (name, value) = members.iter().nth(which.index(members.len())).unwrap();
        let characters: Vec<char> = value.chars().collect();
        let at = at.index(characters.len() + 1);
        let spliced = |skip: usize| -> String {
            let rest = characters.iter().skip(at + skip);
            characters[..at].iter().chain([&other]).chain(rest).collect()
        };
        for changed in [spliced(0), spliced(1)] {
            let mut body = honest.members.clone();
            body[name] = changed.clone().into();
            prop_assert_eq!(accepts(&body), changed == *value, "{}: {:?}", name, changed);
        }
        let mut body = honest.members.clone();
        body.remove(name);
        prop_assert!(!accepts(&body), "without {}", name);
    }

    #[test]
    fn what_is_not_signed_changes_nothing(
        honest in signed_messages(),
        url: String,
        name in "[a-z]{1,9}",
        value: String,
    ) {
        let mut body = honest.members.clone();
        body.insert(name, value.clone().into());
        body.insert("MessageAttributes".into(), serde_json::json!({ value: { "Type": "String", "Value": url } }));
        body.insert("UnsubscribeURL".into(), url.clone().into());
        if body["Type"] == "Notification" {
            body.insert("Token".into(), url.clone().into());
            body.insert("SubscribeURL".into(), url.into());
        }
        let shown = |members: &Map<String, Value>| verified(members, &StandIn, &stand_in_certificate());
        prop_assert!(shown(&body).is_some());
        prop_assert_eq!(shown(&body), shown(&honest.members));
    }

    #[test]
    fn a_signature_of_one_version_is_none_of_the_other(honest in signed_messages()) {
        let mut body = honest.members.clone();
        let other = if body["SignatureVersion"] == "1" { "2" } else { "1" };
        body["SignatureVersion"] = other.into();
        prop_assert!(!accepts(&body));
    }
}

impl Signed {
    fn signed_members(&self) -> BTreeMap<String, String> {
        let kind = self.members["Type"].as_str().unwrap();
        let names = match (kind, self.members.contains_key("Subject")) {
            ("Notification", false) => SIGNED[0],
            ("Notification", true) => SIGNED[1],
            _ => SIGNED[2],
        };
        let value =
            |name: &&str| (String::from(*name), self.members[*name].as_str().unwrap().into());
        names.iter().map(value).collect()
    }

    /// The same signature with other values.
    fn with(&self, members: &BTreeMap<String, String>) -> Map<String, Value> {
        let unsigned = ["SignatureVersion", "Signature", "SigningCertURL"];
        let unsigned = unsigned.map(|name| (name.to_owned(), self.members[name].clone()));
        let members = members.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        members.chain(unsigned).collect()
    }
}

fn accepts(members: &Map<String, Value>) -> bool {
    accepts_with(members, &StandIn, &stand_in_certificate())
}

fn accepts_with(
    members: &Map<String, Value>,
    rsa: &dyn RsaVerify,
    certificate: &Certificate,
) -> bool {
    verified(members, rsa, certificate).is_some()
}

/// All that can be seen of a message that is accepted.
fn verified(
    members: &Map<String, Value>,
    rsa: &dyn RsaVerify,
    certificate: &Certificate,
) -> Option<String> {
    let body = Value::Object(members.clone()).to_string();
    let classifier = Classifier::new(Via::SqsBody);
    let inbound = classifier.classify(body.as_bytes(), &Headers::default()).ok()?;
    let Inbound::Envelope(envelope) = inbound else { return None };
    let unverified = Verifier::new(Via::SqsBody, [topic()]).check(envelope).ok()?;
    let verified = unverified.verify(certificate, rsa, NOW).ok()?;
    let subject = verified.subject();
    Some(format!(
        "{:?} {} {} {:?} {subject:?} {} {:?} {:?}",
        verified.message_type(),
        verified.message_id(),
        verified.topic(),
        verified.sns_time(),
        verified.message(),
        verified.signature_version(),
        verified.content()
    ))
}

fn stand_in_certificate() -> Certificate {
    static CERTIFICATE: std::sync::OnceLock<Certificate> = std::sync::OnceLock::new();
    CERTIFICATE.get_or_init(|| certificate("C-GOOD").unwrap()).clone()
}

fn sign(envelope: Envelope<'_>) -> Signed {
    sign_with(envelope, Digest::Sha256)
}

fn sign_with(envelope: Envelope<'_>, digest: Digest) -> Signed {
    let text = envelope.string_to_sign();
    let body = signed(envelope, digest).encode();
    Signed { members: serde_json::from_slice(&body).unwrap(), text }
}

/// Messages of every type, most with lines as those of the text that is signed.
fn signed_messages() -> impl Strategy<Value = Signed> {
    const LINES: &[&str] = &[
        "",
        "Message",
        "MessageId",
        "Subject",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
        "Notification",
        "SubscriptionConfirmation",
        "a",
        "b",
        ID,
        TIMESTAMP,
        verifying::TOPIC,
        CERT_URL,
        "\u{2028}\u{e9}\r",
    ];
    let lines = prop::collection::vec(prop::sample::select(LINES), 0..14)
        .prop_map(|lines| lines.join("\n"));
    let one_line = || {
        prop_oneof![prop::sample::select(LINES).prop_map(str::to_owned), "[ -~\u{e9}]{0,9}"]
            .prop_map(|line| line.replace('\r', ""))
    };
    let types = prop::sample::select(
        &[
            MessageType::Notification,
            MessageType::SubscriptionConfirmation,
            MessageType::UnsubscribeConfirmation,
        ][..],
    );
    let digests = prop::sample::select(&[Digest::Sha1, Digest::Sha256][..]);
    let subject = prop::option::of(one_line());
    (types, digests, lines, subject, one_line(), one_line()).prop_map(
        |(kind, digest, message, subject, token, url)| {
            let envelope = match (kind, subject) {
                (MessageType::Notification, None) => {
                    Envelope::notification(&TOPIC, ID, TIMESTAMP, message)
                }
                (MessageType::Notification, Some(subject)) => {
                    Envelope::notification(&TOPIC, ID, TIMESTAMP, message)
                        .and_then(|envelope| envelope.with_subject(subject))
                }
                (MessageType::SubscriptionConfirmation, _) => {
                    Envelope::subscription_confirmation(&TOPIC, ID, TIMESTAMP, message, token, url)
                }
                _ => Envelope::unsubscribe_confirmation(&TOPIC, ID, TIMESTAMP, message, token, url),
            };
            sign_with(envelope.unwrap(), digest)
        },
    )
}

const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
static TOPIC: std::sync::LazyLock<TopicArn> = std::sync::LazyLock::new(topic);
