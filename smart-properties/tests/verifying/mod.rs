//! What the tests of signatures share: the data of the specification, and a signer where there is no private key.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use smart_properties::{
    TopicArn,
    sns::{Certificate, CertificateError, Digest, Envelope, RsaPublicKey, RsaVerify},
};

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";
pub(crate) const CERT_URL: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

pub(crate) fn topic() -> TopicArn {
    TopicArn::new(TOPIC).unwrap()
}

/// By its name in the specification, or of those made for these tests.
pub(crate) fn certificate(name: &str) -> Result<Certificate, CertificateError> {
    let path = format!("{}/tests/vectors/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    Certificate::from_pem(&std::fs::read(path).unwrap())
}

/// The lines of a data file by their `id`.
pub(crate) fn by_id(lines: &str) -> BTreeMap<String, serde_json::Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|vector| (vector["id"].as_str().unwrap().to_owned(), vector))
        .collect()
}

/// Signs with a hash, over and over up to the length of the modulus: every bit of the message counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandIn;

impl RsaVerify for StandIn {
    fn verify(
        &self,
        key: &RsaPublicKey<'_>,
        digest: Digest,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        signature.len() == key.modulus_len() && signature == stand_in_signature(digest, message)
    }
}

pub(crate) fn signed(envelope: Envelope<'_>, digest: Digest) -> Envelope<'_> {
    let signature = stand_in_signature(digest, envelope.string_to_sign().as_bytes());
    let version = if digest == Digest::Sha1 { "1" } else { "2" };
    envelope.signed(version, STANDARD.encode(signature), CERT_URL)
}

fn stand_in_signature(digest: Digest, message: &[u8]) -> Vec<u8> {
    let hash = Sha256::new_with_prefix(format!("{digest:?}")).chain_update(message).finalize();
    hash.iter().copied().cycle().take(256).collect()
}
