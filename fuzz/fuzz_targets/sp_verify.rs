//! Any message that was signed, sent again with every other way to cut the text that the signature is over: none but
//! the honest one is accepted. Then any members with that signature: whatever is accepted is what was signed.

#![no_main]

use std::{collections::BTreeMap, sync::LazyLock};

use arbitrary::Arbitrary;
use iot_sansio::UnixMillis;
use libfuzzer_sys::fuzz_target;
use naive::{SIGNED, read_from_the_end, splits_of};
use serde_json::{Map, Value};
use smart_properties::{
    TopicArn,
    sns::{Certificate, Classifier, Digest, Envelope, Headers, Inbound, Verifier, Via},
};
use stand_in::{StandIn, signed};

#[path = "../../smart-properties/tests/naive/signed_text.rs"]
mod naive;
#[path = "../../smart-properties/tests/verifying/stand_in.rs"]
mod stand_in;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    message: &'a str,
    subject: Option<&'a str>,
    /// The token and the URL of a confirmation.
    confirmation: Option<(&'a str, &'a str)>,
    /// Which member to change, and to what.
    changes: Vec<(u8, &'a str)>,
}

fuzz_target!(|input: Input<'_>| {
    // The ways to cut grow with every line.
    if input.message.matches('\n').count() > 24 {
        return;
    }
    let Some(envelope) = envelope(&input) else { return };
    let text = envelope.string_to_sign();
    let body = signed(envelope, Digest::Sha256).encode();
    let honest: Map<String, Value> = serde_json::from_slice(&body).expect("it was written");
    let signed_members = read_from_the_end(&text);
    let mut found = false;
    for members in splits_of(&text) {
        let is_honest = members == signed_members;
        let members = members.into_iter().map(|(name, value)| (name, value.into()));
        let unsigned = honest.iter().filter(|(name, _)| UNSIGNED.contains(&&***name));
        let unsigned = unsigned.map(|(name, value)| (name.clone(), value.clone()));
        assert_eq!(accepted(&members.chain(unsigned).collect()).is_some(), is_honest);
        found |= is_honest;
    }
    assert!(found);

    let mut changed = honest;
    for (which, value) in input.changes {
        let names = SIGNED.concat();
        let name = names[usize::from(which) % names.len()];
        changed.insert(name.to_owned(), value.into());
    }
    if let Some(accepted) = accepted(&changed) {
        assert_eq!(accepted, signed_members);
    }
});

fn envelope<'a>(input: &Input<'a>) -> Option<Envelope<'a>> {
    let envelope = match (input.confirmation, input.subject) {
        (Some((token, url)), _) => {
            Envelope::subscription_confirmation(&TOPIC, ID, TIMESTAMP, input.message, token, url)
        }
        (None, None) => Envelope::notification(&TOPIC, ID, TIMESTAMP, input.message),
        (None, Some(subject)) => Envelope::notification(&TOPIC, ID, TIMESTAMP, input.message)
            .and_then(|envelope| envelope.with_subject(subject)),
    };
    envelope.ok()
}

/// The signed values as whoever reads the message sees them.
fn accepted(members: &Map<String, Value>) -> Option<BTreeMap<String, String>> {
    let body = serde_json::to_vec(members).expect("it has text keys");
    let inbound = Classifier::new(Via::SqsBody).classify(&body, &Headers::default()).ok()?;
    let Inbound::Envelope(envelope) = inbound else { return None };
    let text = envelope.string_to_sign();
    let unverified = Verifier::new(Via::SqsBody, [TOPIC.clone()]).check(envelope).ok()?;
    let verified = unverified.verify(&CERTIFICATE, &StandIn, NOW).ok()?;
    let seen = read_from_the_end(&text);
    assert_eq!(verified.message(), seen["Message"]);
    assert_eq!(verified.message_id(), seen["MessageId"]);
    assert_eq!(verified.topic().as_str(), seen["TopicArn"]);
    assert_eq!(verified.message_type().as_str(), seen["Type"]);
    assert_eq!(verified.subject(), seen.get("Subject").map(String::as_str));
    Some(seen)
}

static TOPIC: LazyLock<TopicArn> = LazyLock::new(|| {
    TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").expect("it is one")
});
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let pem = include_bytes!("../../smart-properties/tests/vectors/certificates/C-GOOD.pem");
    Certificate::from_pem(pem).expect("it is one")
});
const UNSIGNED: [&str; 3] = ["SignatureVersion", "Signature", "SigningCertURL"];
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const TIMESTAMP: &str = "2024-05-01T10:00:03.120Z";
const NOW: UnixMillis = UnixMillis::new(1_714_557_604_000);
