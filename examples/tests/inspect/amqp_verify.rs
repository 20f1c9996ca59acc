//! `amqp-verify`: the vectors of the specification, and the lines that cannot be used.

use serde_json::{Value, json};

use super::{
    amqp_parse::kind,
    amqp_sign::{signature, signatures},
    feed, kinds, run,
};

/// Section 15.D. The secret belongs to whatever id the name carries: an unknown one (D12) is one with another secret.
#[test]
fn every_login_of_the_specification_is_judged() {
    let vectors = super::parsed(include_str!("../../../amqp-auth/tests/vectors/verify.jsonl"));
    assert_eq!(vectors.len(), 25);
    let lines = vectors.iter().map(|vector| {
        let mut line = login(vector["credential"].as_str().unwrap());
        line["now"] = vector["now"].clone();
        for member in ["userName", "password"] {
            if let Some(other) = vector.get(member) {
                line[member] = other.clone();
            }
        }
        if vector["policy"] == "none" {
            line["windowMs"] = Value::Null;
        }
        line
    });
    let (status, output) = run(&["amqp-verify"], feed(lines));
    assert_eq!(status, 1);
    for (vector, answer) in vectors.iter().zip(&output) {
        // Who may read which group (D22) is not judged here.
        match vector["expected"].as_str().unwrap() {
            "accept" => assert!(answer["ok"].is_object(), "{vector}: {answer}"),
            error => assert_eq!(answer["error"]["kind"], kind(error), "{vector}"),
        }
    }
    assert_eq!(output[2]["error"]["ageMs"], 600_001);
    assert_eq!(output[4]["error"]["aheadMs"], 600_001);
    assert_eq!(output[22]["error"]["chars"], 65);
    let ok = json!({
        "authId": "LTAI5tEXAMPLEKEY00000001", "clientId": "client-01", "consumerGroupId": "DEFAULT_GROUP",
    });
    assert_eq!(output[0]["ok"], ok);
}

#[test]
fn the_window_is_inclusive_and_a_token_has_an_end() {
    let unwindowed = |line: Value| with(line, "windowMs", Value::Null);
    let cases = [
        // The last moment of a token, and one that nobody knows the end of.
        (unwindowed(login("A05")), TOKEN_LIFE - 1, "ok"),
        (with(unwindowed(login("A05")), "tokenExpiresAt", Value::Null), TOKEN_LIFE, "ok"),
        // A key has no token to expire.
        (unwindowed(login("A02")), TOKEN_LIFE, "ok"),
        (with(login("A02"), "windowMs", json!(0)), 0, "ok"),
        (with(login("A02"), "windowMs", json!(0)), 1, "Stale"),
        (with(login("A02"), "windowMs", json!(u64::MAX)), TOKEN_LIFE, "ok"),
        (with(login("A02"), "accessSecret", json!("another")), 0, "BadCredentials"),
    ];
    let lines =
        cases.iter().map(|(line, after, _)| with(line.clone(), "now", json!(SIGNED_AT + after)));
    let (status, output) = run(&["amqp-verify"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, case)) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {}", index + 1, case.2), "{case:?}");
    }
}

#[test]
fn every_signature_of_the_specification_verifies() {
    let lines = signatures().into_iter().map(|vector| {
        json!({
            "userName": vector["userName"], "password": vector["password"], "accessSecret": vector["secret"],
            "now": i64::MIN,
        })
    });
    let (status, output) = run(&["amqp-verify"], feed(lines));
    assert_eq!((status, output.len()), (0, 20));
}

#[test]
fn a_malformed_name_has_the_kind_of_the_parser() {
    let line = json!({ "userNameHex": "ff", "password": "", "accessSecret": "", "now": 0 });
    let (_, output) = run(&["amqp-verify"], feed([line]));
    assert_eq!(kinds(&output), ["1 NotUtf8"]);
    assert_eq!(output[0]["error"]["index"], 0);
}

#[test]
fn every_unusable_line_says_why_and_tells_no_secret() {
    let cases = [
        ("userName", Value::Null, "BadInput userName"),
        ("userName", json!(1), "BadInput userName"),
        ("userNameHex", json!("00"), "BadInput"),
        ("password", Value::Null, "BadInput password"),
        ("password", json!(["canary"]), "BadInput password"),
        ("password", json!("canary"), "BadCredentials"),
        ("accessSecret", Value::Null, "BadInput accessSecret"),
        ("accessSecret", json!({ "canary": 1 }), "BadInput accessSecret"),
        ("accessSecret", json!("canary"), "BadCredentials"),
        ("now", Value::Null, "BadInput now"),
        ("now", json!("1573489088171"), "BadInput now"),
        ("now", json!(u64::MAX), "BadInput now"),
        ("windowMs", json!(-1), "BadInput windowMs"),
        ("windowMs", json!(0.5), "BadInput windowMs"),
        ("windowMs", json!("600000"), "BadInput windowMs"),
        ("tokenExpiresAt", json!(true), "BadInput tokenExpiresAt"),
        ("tokenExpiresAt", json!(SIGNED_AT), "TokenExpired"),
        ("else", json!("canary"), "ok"),
    ];
    let lines = cases.iter().map(|(name, value, _)| with(login("A05"), name, value.clone()));
    let (status, output) = run(&["amqp-verify"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, case)) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {}", index + 1, case.2), "{case:?}");
    }
    let said = Value::from(output).to_string();
    for secret in ["canary", "CAISEXAMPLETOKEN", "ExampleTempSecret"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_window_may_be_zero_with_a_sign() {
    let plus = with(login("A02"), "windowMs", json!(0)).to_string();
    let minus = plus.replace(r#""windowMs":0"#, r#""windowMs":-0"#);
    assert_ne!(plus, minus);
    assert_eq!(kinds(&run(&["amqp-verify"], minus).1), ["1 ok"]);
}

/// The login of a signature vector, at the time it was signed, with the window of the strict policy.
fn login(id: &str) -> Value {
    let vector = signature(id);
    json!({
        "userName": vector["userName"], "password": vector["password"], "accessSecret": vector["secret"],
        "now": SIGNED_AT, "windowMs": 600_000, "tokenExpiresAt": SIGNED_AT + TOKEN_LIFE,
    })
}

fn with(mut line: Value, member: &str, value: Value) -> Value {
    line[member] = value;
    line
}

const SIGNED_AT: i64 = 1_573_489_088_171;
const TOKEN_LIFE: i64 = 3_600_000;
