//! The vectors A01 to A20 and C01 to C23 of specification sections 15.A and 15.C, run by id.

use amqp_auth::{Consumer, Credential, Login, SignMethod, Signer, UnsignedLogin, UserName, sasl};
use iot_sansio::UnixMillis;
use serde_json::{Value, json};

#[path = "naive/user_name.rs"]
mod naive;

/// A08 writes an empty instance id and A16 a method in mixed case: read, but never written.
const READ_ONLY: [&str; 2] = ["A08", "A16"];

#[test]
fn every_signature_vector_is_built_and_read() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/signatures.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| vector[key].as_str().unwrap();
        let (id, user_name, secret) = (text("id"), text("userName"), text("secret"));
        let parts = naive::parse(user_name.as_bytes()).unwrap();
        let parsed = UserName::parse(user_name.as_bytes()).unwrap();
        assert_eq!(parsed.client_id(), parts.client_id, "{id}");

        let (consumer, credential, method) =
            (consumer(&parts), credential(&parts, secret), parsed.sign_method());
        let signer = Signer::new(&consumer, &credential, method).unwrap();
        let timestamp = parsed.timestamp();
        let login = signer.login(timestamp).unwrap();
        let to_sign = signer.unsigned().string_to_sign(timestamp).unwrap();
        assert_eq!(to_sign.expose_str(), Ok(text("stringToSign")), "{id}");
        assert_eq!(login.password(), text("password"), "{id}");
        if READ_ONLY.contains(&id) {
            assert_ne!(login.user_name(), user_name, "{id}");
        } else {
            assert_eq!(login.user_name(), user_name, "{id}");
        }

        assert_eq!(string_to_sign(&parts), text("stringToSign"), "{id}");

        // A signer elsewhere returns the raw MAC.
        let token = parts.get("securityToken");
        let unsigned =
            UnsignedLogin::new(&consumer, credential.auth_mode(), parsed.auth_id(), token, method);
        let elsewhere = unsigned.unwrap().login(timestamp, &from_hex(text("mac_hex"))).unwrap();
        assert_eq!(elsewhere.user_name(), login.user_name(), "{id}");
        assert_eq!(elsewhere.password(), login.password(), "{id}");

        let password = login.password();
        let plain = sasl::plain_response(user_name, password).unwrap();
        assert_eq!(plain.expose().len(), vector["plain_len"], "{id}");
        let init = sasl::encode_init(user_name, password, None).unwrap();
        assert_eq!(init.expose().len(), vector["sasl_init_len"], "{id}");
        let own_init_len = sasl::init_len(login.user_name().len(), password.len());
        assert_eq!(login.report().sasl_init_len, own_init_len, "{id}");
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=20).map(|number| format!("A{number:02}")).collect();
    assert_eq!(ids, expected);
}

#[test]
fn the_two_spellings_are_read_as_what_they_stand_for() {
    for (line, what) in [("A08", "A07"), ("A16", "A02")] {
        let (other, usual) = (login_of(line), login_of(what));
        assert_eq!(other.user_name(), usual.user_name());
        assert_eq!(other.password(), usual.password());
    }
}

#[test]
fn every_parse_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/parse.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let texts = vector["userNames"].as_array().into_iter().flatten();
        let texts = texts.map(|text| text.as_str().unwrap().as_bytes().to_vec());
        let bytes = vector["hex"].as_array().into_iter().flatten();
        let bytes = bytes.map(|hex| from_hex(hex.as_str().unwrap()));
        let inputs: Vec<Vec<u8>> = texts.chain(bytes).collect();
        assert!(!inputs.is_empty(), "{id}");
        for input in inputs {
            match UserName::parse(&input) {
                Ok(user_name) => holds(id, &user_name, &vector["ok"]),
                Err(error) => {
                    let expected = vector["error"].as_str().unwrap();
                    let printed = format!("{error:?}");
                    let is_expected =
                        printed == expected || printed.starts_with(&format!("{expected} {{"));
                    assert!(is_expected, "{id}: {printed} instead of {expected}");
                }
            }
        }
        ids.push(id.to_owned());
    }
    let expected: Vec<String> = (1..=23).map(|number| format!("C{number:02}")).collect();
    assert_eq!(ids, expected);
}

fn holds(id: &str, user_name: &UserName<'_>, expected: &Value) {
    let expected = expected.as_object().unwrap_or_else(|| panic!("{id}: accepted"));
    for (key, value) in expected {
        let found = match key.as_str() {
            "clientId" => json!(user_name.client_id()),
            "instanceId" => json!(user_name.instance_id()),
            "signMethod" => json!(user_name.sign_method().as_str()),
            "consumerGroupId" => json!(user_name.consumer_group_id()),
            "securityToken" => json!(user_name.security_token()),
            "extensions" => json!(user_name.extensions().collect::<Vec<_>>()),
            other => panic!("{id}: no part {other}"),
        };
        assert_eq!(found, *value, "{id}: {key}");
    }
}

fn consumer(parts: &naive::UserName) -> Consumer {
    let group_id = parts.get("consumerGroupId").unwrap();
    let mut consumer = Consumer::new(parts.client_id.as_str(), group_id).unwrap();
    consumer = consumer.with_instance_id(parts.get("iotInstanceId").unwrap_or_default()).unwrap();
    for (key, value) in parts.extensions() {
        consumer = consumer.with_extension(key, value).unwrap();
    }
    consumer
}

fn credential(parts: &naive::UserName, secret: &str) -> Credential {
    let auth_id = parts.get("authId").unwrap();
    match parts.get("securityToken") {
        None => Credential::key(auth_id, secret),
        Some(token) => Credential::sts(auth_id, secret, token, None),
    }
}

/// The rule of section 3.4: the signed parameters by the order of their keys.
fn string_to_sign(parts: &naive::UserName) -> String {
    let keys = ["authId", "securityToken", "timestamp"];
    let pairs = keys.iter().filter_map(|key| Some(format!("{key}={}", parts.get(key)?)));
    pairs.collect::<Vec<_>>().join("&")
}

/// What is built from the parts of a vector.
fn login_of(id: &str) -> Login {
    let vectors = include_str!("vectors/signatures.jsonl").lines();
    let mut vectors = vectors.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let vector = vectors.find(|vector| vector["id"] == id).unwrap();
    let parts = naive::parse(vector["userName"].as_str().unwrap().as_bytes()).unwrap();
    let credential = credential(&parts, vector["secret"].as_str().unwrap());
    let method = SignMethod::from_name(parts.get("signMethod").unwrap()).unwrap();
    let timestamp = UnixMillis::new(parts.get("timestamp").unwrap().parse().unwrap());
    Signer::new(&consumer(&parts), &credential, method).unwrap().login(timestamp).unwrap()
}

fn from_hex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
