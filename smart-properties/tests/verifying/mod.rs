//! What the tests of signatures share: the data of the specification, and a signer.

use std::{collections::BTreeMap, fs};

use smart_properties::{
    TopicArn,
    sns::{Certificate, CertificateError},
};

pub(crate) mod stand_in;

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:asp-events";

pub(crate) fn topic() -> TopicArn {
    TopicArn::new(TOPIC).unwrap()
}

/// By its name in the specification, or of those made for these tests.
pub(crate) fn certificate(name: &str) -> Result<Certificate, CertificateError> {
    Certificate::from_pem(pem(name).as_bytes())
}

pub(crate) fn pem(name: &str) -> String {
    let path = format!("{}/tests/vectors/certificates/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).unwrap()
}

/// The lines of a data file by their `id`.
pub(crate) fn by_id(lines: &str) -> BTreeMap<String, serde_json::Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|vector| (vector["id"].as_str().unwrap().to_owned(), vector))
        .collect()
}
