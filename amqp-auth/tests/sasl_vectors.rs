//! The vectors B01 to B34 of specification section 15.B, run by id.

use std::collections::BTreeMap;

use amqp_auth::sasl::{
    self, AMQP_HEADER, DEFAULT_LIMIT, DecodeError, Decoded, Frame, Header, SASL_HEADER, TLS_HEADER,
};
use iot_sansio::amqp::SaslCode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What is not run here, and why.
const NOT_OURS: [(&str, &str); 13] = [
    ("B17", STACK),
    ("B18", STACK),
    ("B19", STACK),
    ("B20", STACK),
    ("B21", STACK),
    ("B22", STACK),
    ("B23", STACK),
    ("B24", STACK),
    ("B25", STACK),
    ("B26", STACK),
    ("B27", "only a stack takes a message out of its sections; what it says is vector H01"),
    ("B28", STACK),
    ("B29", STACK),
];

const STACK: &str =
    "only a stack writes and reads it; its facts are checked on real stacks in examples/tests";

#[test]
fn every_wire_vector_is_written_and_read() {
    let vectors: Vec<Value> = include_str!("vectors/wire.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&str> = vectors.iter().map(|vector| vector["id"].as_str().unwrap()).collect();
    let expected: Vec<String> = (1..=34).map(|number| format!("B{number:02}")).collect();
    assert_eq!(ids, expected);
    let logins = logins();
    let mut not_run = Vec::new();
    for (id, vector) in ids.into_iter().zip(&vectors) {
        let login = |of: &str| logins[of].clone();
        match id {
            "B01" => header(vector, SASL_HEADER, Header::Sasl),
            "B02" => header(vector, AMQP_HEADER, Header::Amqp),
            "B03" => header(vector, TLS_HEADER, Header::Tls),
            "B04" => mechanisms(vector, &["PLAIN"], true),
            // A single symbol is read, but never written.
            "B05" => mechanisms(vector, &["PLAIN"], false),
            "B06" => mechanisms(vector, &["ANONYMOUS", "PLAIN"], true),
            "B07" => mechanisms(vector, &["ANONYMOUS", "EXTERNAL"], true),
            "B08" => init(vector, ("u".into(), "p".into()), None),
            "B09" => init(vector, ("u".into(), "p".into()), Some("h.example")),
            "B10" => init(vector, login("A02"), None),
            "B11" => init(vector, login("A07"), None),
            "B12" => outcome(vector, SaslCode::OK),
            "B13" => outcome(vector, SaslCode::AUTH),
            "B14" => outcome(vector, SaslCode::SYS),
            "B15" => outcome(vector, SaslCode::SYS_PERM),
            "B16" => outcome(vector, SaslCode::SYS_TEMP),
            "B30" | "B31" | "B32" | "B33" | "B34" => {
                init(vector, login(vector["of"].as_str().unwrap()), None);
            }
            _ => not_run.push(id),
        }
    }
    assert_eq!(not_run, NOT_OURS.map(|(id, _)| id));
}

#[test]
fn frames_of_amqp_are_told_apart_from_those_of_sasl() {
    for line in include_str!("vectors/wire.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        // The message alone is no frame.
        if id != "B27" && NOT_OURS.iter().any(|(not_ours, _)| *not_ours == id) {
            let decoded = sasl::decode(&bytes(&vector), DEFAULT_LIMIT).map(|_| ());
            assert_eq!(decoded, Err(DecodeError::NotSasl { frame_type: 0 }), "{id}");
        }
    }
}

fn header(vector: &Value, constant: [u8; 8], kind: Header) {
    assert_eq!(bytes(vector), constant, "{}", vector["id"]);
    assert_eq!(Header::of(constant), kind);
}

fn mechanisms(vector: &Value, names: &[&str], is_written: bool) {
    let bytes = bytes(vector);
    let Frame::Mechanisms(offered) = complete(&bytes) else { panic!("{}", vector["id"]) };
    assert_eq!(offered.iter().collect::<Vec<_>>(), names);
    assert_eq!(offered.offers_plain(), names.contains(&"PLAIN"));
    let written = sasl::encode_mechanisms(names).unwrap();
    if is_written {
        assert_eq!(written, bytes, "{}", vector["id"]);
    } else {
        assert_eq!(complete(&written), complete(&bytes), "{}", vector["id"]);
    }
}

fn init(vector: &Value, (user_name, password): (String, String), hostname: Option<&str>) {
    let id = &vector["id"];
    let written = sasl::encode_init(&user_name, &password, hostname).unwrap();
    let written = written.expose();
    assert_eq!(written.len(), vector["len"], "{id}");
    match vector.get("sha256") {
        None => assert_eq!(written, bytes(vector), "{id}"),
        Some(digest) => {
            let start = from_hex(vector["start"].as_str().unwrap());
            assert_eq!(written[..start.len()], start, "{id}");
            let hash = from_hex(digest.as_str().unwrap());
            assert_eq!(Sha256::digest(written).as_slice(), hash, "{id}");
        }
    }
    if hostname.is_none() {
        assert_eq!(sasl::init_len(user_name.len(), password.len()), written.len(), "{id}");
    }
    let Frame::Init(init) = complete(written) else { panic!("{id}") };
    let plain = init.plain().unwrap();
    assert_eq!((plain.user_name, plain.password), (user_name.as_bytes(), password.as_bytes()));
    assert_eq!((plain.authzid, init.hostname), (&b""[..], hostname), "{id}");
}

fn outcome(vector: &Value, code: SaslCode) {
    let bytes = bytes(vector);
    assert_eq!(sasl::encode_outcome(code)[..], bytes, "{}", vector["id"]);
    let Frame::Outcome(outcome) = complete(&bytes) else { panic!("{}", vector["id"]) };
    assert_eq!((outcome.code, outcome.additional_data), (code, None), "{}", vector["id"]);
}

fn complete(bytes: &[u8]) -> Frame<'_> {
    match sasl::decode(bytes, DEFAULT_LIMIT) {
        Ok(Decoded::Complete { frame, len }) => {
            assert_eq!(len, bytes.len());
            frame
        }
        other => panic!("{other:?}"),
    }
}

/// User name and password of each vector of section 15.A.
fn logins() -> BTreeMap<String, (String, String)> {
    let vectors = include_str!("vectors/signatures.jsonl").lines();
    let vectors = vectors.map(|line| serde_json::from_str::<Value>(line).unwrap());
    vectors
        .map(|vector| {
            let text = |key: &str| vector[key].as_str().unwrap().to_owned();
            (text("id"), (text("userName"), text("password")))
        })
        .collect()
}

fn bytes(vector: &Value) -> Vec<u8> {
    let bytes = from_hex(vector["hex"].as_str().unwrap());
    assert_eq!(bytes.len(), vector["len"], "{}", vector["id"]);
    bytes
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
