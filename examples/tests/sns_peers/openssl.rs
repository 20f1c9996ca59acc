//! Signatures of both versions, by OpenSSL and for OpenSSL.

use data_encoding::BASE64;
use examples::peers::OpenSsl;
use serde_json::Value;
use smart_properties::sns::VerifyError;

use crate::{
    SIGNER,
    ours::{self, Refusal, classify},
    signed::{self, VERSIONS},
    vectors,
};

#[test]
fn openssl_verifies_the_vectors_over_our_text() {
    let Some(openssl) = OpenSsl::generate(SIGNER) else { return };
    let key = openssl.public_key(&vectors::certificate_pem());
    for (id, message) in vectors::good() {
        assert!(is_good(&openssl, &key, &message), "{id}");
        for changed in changed_by_a_byte(&message) {
            assert!(!is_good(&openssl, &key, &changed), "{id}: {changed}");
        }
    }
}

/// Those whose signature is wrong, and not its form: there OpenSSL is asked about bytes that it gets from us.
#[test]
fn openssl_refuses_the_vectors_with_a_bad_signature() {
    let Some(openssl) = OpenSsl::generate(SIGNER) else { return };
    let pem = vectors::certificate_pem();
    let (key, certificate) = (openssl.public_key(&pem), ours::certificate(&pem));
    let mut refused = Vec::new();
    for (id, message) in vectors::changed() {
        match ours::judge(&message, &certificate) {
            Ok(()) => assert!(is_good(&openssl, &key, &message), "{id}"),
            Err(Refusal::Verify(VerifyError::BadSignature)) => {
                assert!(!is_good(&openssl, &key, &message), "{id}");
                refused.push(id);
            }
            Err(_) => {}
        }
    }
    assert_eq!(refused, ["N-S1", "N-S3", "N-S3", "N-S5", "N-S6", "N-S7", "N-S12"]);
}

#[test]
fn we_verify_what_openssl_signs_and_nothing_else() {
    let Some(openssl) = OpenSsl::generate(SIGNER) else { return };
    let pem = openssl.certificate_pem();
    let (key, certificate) = (openssl.public_key(&pem), ours::certificate(&pem));
    for signed in signed::messages(&openssl, SEED, CASES) {
        let message = &signed.message;
        assert_eq!(ours::judge(message, &certificate), Ok(()), "{message}");
        let body = message.to_string();
        let text = classify(body.as_bytes()).expect("an envelope").string_to_sign();
        assert_eq!(text, signed.text);
        for changed in changed_by_a_byte(message) {
            let refusal = ours::judge(&changed, &certificate);
            assert_eq!(refusal, Err(Refusal::Verify(VerifyError::BadSignature)), "{changed}");
            assert!(!is_good(&openssl, &key, &changed), "{changed}");
        }
        // Under the other version.
        let other = VERSIONS.iter().find(|(_, digest)| *digest != signed.digest);
        let (version, digest) = other.expect("there are two");
        let mut message = message.clone();
        message["SignatureVersion"] = Value::from(*version);
        let refusal = ours::judge(&message, &certificate);
        assert_eq!(refusal, Err(Refusal::Verify(VerifyError::BadSignature)));
        assert!(!openssl.verifies(&key, digest, text.as_bytes(), &signed.signature));
    }
}

/// Whether OpenSSL finds the signature of the message to be one over our text of it.
fn is_good(openssl: &OpenSsl, public_key: &str, message: &Value) -> bool {
    let body = message.to_string();
    let envelope = classify(body.as_bytes()).expect("an envelope");
    let digest = VERSIONS.iter().find(|(version, _)| *version == envelope.signature_version());
    let (_, digest) = digest.expect("one of both");
    let signature = BASE64.decode(envelope.signature().as_bytes()).expect("base64");
    openssl.verifies(public_key, digest, envelope.string_to_sign().as_bytes(), &signature)
}

/// The message with a byte more in a text, or another one in its signature.
fn changed_by_a_byte(message: &Value) -> Vec<Value> {
    let mut changed = Vec::new();
    for member in ["Message", "Timestamp"] {
        let text = message[member].as_str().expect("text");
        let mut longer = message.clone();
        longer[member] = format!("{text} ").into();
        changed.push(longer);
    }
    let mut signature =
        BASE64.decode(message["Signature"].as_str().expect("text").as_bytes()).expect("base64");
    signature[100] ^= 1;
    let mut other = message.clone();
    other["Signature"] = BASE64.encode(&signature).into();
    changed.push(other);
    changed
}

const SEED: u64 = 2010;
const CASES: usize = 30;
