//! What the crate says of a message.

use iot_sansio::UnixMillis;
use serde_json::Value;
use smart_properties::{
    TopicArn,
    sns::{
        Certificate, Classifier, Envelope, EnvelopeError, Headers, Inbound, Ring, Verifier,
        VerifyError, Via,
    },
};

use crate::TOPIC;

#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    Envelope(EnvelopeError),
    Verify(VerifyError),
}

/// Judges by everything but the age. The certificate is valid from its first moment on: that is now, or when the message
/// was sent if that is later.
pub(crate) fn judge(message: &Value, certificate: &Certificate) -> Result<(), Refusal> {
    let body = message.to_string();
    let envelope = classify(body.as_bytes()).map_err(Refusal::Envelope)?;
    let verifier = Verifier::new(Via::SqsBody, [topic()]);
    let unverified = verifier.check(envelope).map_err(Refusal::Verify)?;
    let now = certificate.not_before().max(SENT);
    unverified.verify(certificate, &Ring, now).map(drop).map_err(Refusal::Verify)
}

/// The envelope in a body of HTTP or SQS.
pub(crate) fn classify(body: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    match Classifier::new(Via::Http).classify(body, &Headers::default())? {
        Inbound::Envelope(envelope) => Ok(envelope),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn topic() -> TopicArn {
    TopicArn::new(TOPIC).expect("a topic")
}

pub(crate) fn certificate(pem: &str) -> Certificate {
    Certificate::from_pem(pem.as_bytes()).expect("a certificate")
}

/// Later than every message of the vectors, 2024-05-02T00:00:00Z.
const SENT: UnixMillis = UnixMillis::new(1_714_608_000_000);
