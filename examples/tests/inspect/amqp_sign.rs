//! `amqp-sign`: the vectors of the specification, and everything that can be wrong with what is to be signed.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{feed, kinds, run};

#[test]
fn every_signature_of_the_specification_comes_out() {
    let vectors = signatures();
    assert_eq!(vectors.len(), 20);
    for vector in &vectors {
        let id = vector["id"].as_str().unwrap();
        // As written where nothing in it could be written otherwise.
        let written = match id {
            // An empty iotInstanceId counts as absent.
            "A08" => signature("A07"),
            // A method is written in lower case.
            "A16" => signature("A02"),
            // There is no member for parameters that the crate does not know.
            "A17" => signature("A02"),
            _ => vector.clone(),
        };
        let (status, output) = run(&["amqp-sign"], feed([line(vector)]));
        let (user_name, password) = (&written["userName"], &written["password"]);
        let plain = format!("\0{}\0{}", user_name.as_str().unwrap(), password.as_str().unwrap());
        assert_eq!(plain.len(), written["plain_len"], "{id}");
        let expected = json!({
            "userName": user_name,
            "stringToSign": vector["stringToSign"],
            "password": vector["password"],
            "saslPlainHex": HEXLOWER.encode(plain.as_bytes()),
        });
        assert_eq!((status, output), (0, vec![json!({ "line": 1, "ok": expected })]), "{id}");
    }
}

#[test]
fn what_cannot_be_signed_says_why() {
    let good = || {
        json!({
            "clientId": "c", "iotInstanceId": "i", "consumerGroupId": "G", "accessKeyId": "K",
            "accessSecret": "S", "securityToken": "T", "signMethod": "hmacsha1", "timestamp": 1,
        })
    };
    let cases = [
        ("clientId", json!("x".repeat(64)), "ok"),
        ("clientId", json!("é".repeat(64)), "ok"),
        ("clientId", json!(" host=a,b "), "ok"),
        ("clientId", json!(""), "ClientIdEmpty"),
        ("clientId", json!("x".repeat(65)), "ClientIdTooLong"),
        ("clientId", json!("a|b"), "ClientIdForbiddenChar"),
        ("clientId", json!("a\0b"), "ClientIdForbiddenChar"),
        ("clientId", json!("a\u{85}"), "ClientIdForbiddenChar"),
        ("clientId", Value::Null, "BadInput clientId"),
        ("clientId", json!(7), "BadInput clientId"),
        ("iotInstanceId", Value::Null, "ok"),
        ("iotInstanceId", json!(""), "ok"),
        ("iotInstanceId", json!("\"\""), "ForbiddenChar iotInstanceId"),
        ("iotInstanceId", json!(" "), "ForbiddenChar iotInstanceId"),
        ("iotInstanceId", json!([]), "BadInput iotInstanceId"),
        ("consumerGroupId", json!(""), "Empty consumerGroupId"),
        ("consumerGroupId", json!("a,b"), "ForbiddenChar consumerGroupId"),
        ("consumerGroupId", Value::Null, "BadInput consumerGroupId"),
        ("accessKeyId", json!(""), "Empty authId"),
        ("accessKeyId", json!("a|b"), "ForbiddenChar authId"),
        ("accessKeyId", json!(true), "BadInput accessKeyId"),
        ("accessSecret", json!("\0 any, text|"), "ok"),
        ("accessSecret", json!(""), "Empty accessSecret"),
        ("accessSecret", json!(["S"]), "BadInput accessSecret"),
        ("securityToken", Value::Null, "ok"),
        ("securityToken", json!("a=b=="), "ok"),
        ("securityToken", json!(""), "MissingSecurityToken"),
        ("securityToken", json!("a\nb"), "ForbiddenChar securityToken"),
        ("securityToken", json!(0), "BadInput securityToken"),
        ("securityToken", json!("t".repeat(16 << 10)), "TooLong"),
        ("signMethod", json!("HmacMD5"), "ok"),
        ("signMethod", json!("hmacsha512"), "UnknownSignMethod"),
        ("signMethod", json!(""), "UnknownSignMethod"),
        ("signMethod", json!({}), "BadInput signMethod"),
        ("timestamp", json!(i64::MAX), "ok"),
        ("timestamp", json!(-1), "BadTimestamp timestamp"),
        ("timestamp", json!(u64::MAX), "BadInput timestamp"),
        ("timestamp", json!(1.5), "BadInput timestamp"),
        ("timestamp", json!("1"), "BadInput timestamp"),
        ("else", json!([{}]), "ok"),
    ];
    let lines = cases.iter().map(|(name, value, _)| {
        let mut line = good();
        line[*name] = value.clone();
        line
    });
    let (status, output) = run(&["amqp-sign"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, case)) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {}", index + 1, case.2), "{case:?}");
    }
    for name in ["clientId", "consumerGroupId", "accessKeyId", "signMethod", "timestamp"] {
        let mut line = good();
        line.as_object_mut().unwrap().remove(name);
        let (_, output) = run(&["amqp-sign"], feed([line]));
        assert_eq!(kinds(&output), [format!("1 BadInput {name}")]);
    }
}

/// The order of the specification, section 3.3; the method comes after what says who connects.
#[test]
fn the_first_of_several_errors_is_told() {
    let mut line = json!({
        "clientId": "c|", "consumerGroupId": "", "accessKeyId": "", "accessSecret": "",
        "iotInstanceId": "\"\"", "securityToken": "", "signMethod": "none", "timestamp": -1,
    });
    for (name, mended, expected) in [
        ("else", json!(0), "ClientIdForbiddenChar"),
        ("clientId", json!("c"), "Empty consumerGroupId"),
        ("consumerGroupId", json!("a,b"), "Empty authId"),
        ("accessKeyId", json!("a,b"), "Empty accessSecret"),
        ("accessSecret", json!("S"), "ForbiddenChar consumerGroupId"),
        ("consumerGroupId", json!("G"), "ForbiddenChar iotInstanceId"),
        ("iotInstanceId", json!("i"), "UnknownSignMethod"),
        ("signMethod", json!("hmacmd5"), "ForbiddenChar authId"),
        ("accessKeyId", json!("K".repeat(20_000)), "MissingSecurityToken"),
        ("securityToken", json!(","), "ForbiddenChar securityToken"),
        ("securityToken", json!("T"), "TooLong"),
        ("accessKeyId", json!("K"), "BadTimestamp timestamp"),
        ("timestamp", json!(1), "ok"),
    ] {
        line[name] = mended;
        let (_, output) = run(&["amqp-sign"], feed([line.clone()]));
        assert_eq!(kinds(&output), [format!("1 {expected}")]);
    }
}

#[test]
fn an_error_carries_its_details_as_members() {
    let mut line = line(&signature("A02"));
    line["clientId"] = "é".repeat(65).into();
    let mut other = line.clone();
    other["clientId"] = "é|".into();
    let mut third = line.clone();
    (third["clientId"], third["consumerGroupId"]) = ("c".into(), "é,".into());
    let mut fourth = third.clone();
    (fourth["consumerGroupId"], fourth["accessKeyId"]) = ("G".into(), "K".repeat(20_000).into());
    let (_, output) = run(&["amqp-sign"], feed([line, other, third, fourth]));
    assert!(output[3]["error"]["len"].as_u64().unwrap() > 20_000);
    assert_eq!(output[0]["error"]["chars"], 65);
    assert_eq!(output[1]["error"]["index"], 2);
    assert_eq!(output[1]["error"]["ch"], "|");
    assert_eq!(output[2]["error"]["index"], 2);
    assert_eq!(output[2]["error"]["field"], "consumerGroupId");
}

#[test]
fn a_zero_may_have_a_sign() {
    let plus = line(&signature("A20")).to_string();
    let minus = plus.replace(r#""timestamp":0"#, r#""timestamp":-0"#);
    assert_ne!(plus, minus);
    assert_eq!(run(&["amqp-sign"], minus), run(&["amqp-sign"], plus));
}

#[test]
fn secrets_are_not_repeated() {
    let line = |name: &str, value: Value| {
        let mut line = json!({
            "clientId": "c", "consumerGroupId": "G", "accessKeyId": "K", "accessSecret": "canary-secret",
            "securityToken": "canary-token", "signMethod": "hmacsha1", "timestamp": 1,
        });
        line[name] = value;
        line
    };
    let (_, output) = run(&["amqp-sign"], feed([line("clientId", "c".into())]));
    // The token is part of what is computed.
    assert_eq!(kinds(&output), ["1 ok"]);
    assert!(!Value::from(output).to_string().contains("canary-secret"));
    let refused = [
        line("clientId", "".into()),
        line("securityToken", "canary-token,".into()),
        line("signMethod", "canary-method".into()),
        line("timestamp", (-1).into()),
        line("accessSecret", json!(["canary-secret"])),
        line("accessSecret", "".into()),
    ];
    let input = feed(refused) + r#"{"accessSecret":"canary-secret""# + "\n";
    let (_, output) = run(&["amqp-sign"], input);
    assert!(output.iter().all(|answer| answer["error"].is_object()));
    assert!(!Value::from(output).to_string().contains("canary"));
}

/// The signature with this id.
pub(super) fn signature(id: &str) -> Value {
    signatures().into_iter().find(|vector| vector["id"] == id).unwrap()
}

/// The signatures of the specification, section 15.A.
pub(super) fn signatures() -> Vec<Value> {
    super::parsed(include_str!("../../../amqp-auth/tests/vectors/signatures.jsonl"))
}

/// What must be given to sign a vector.
fn line(vector: &Value) -> Value {
    let (client_id, params) = vector["userName"].as_str().unwrap().split_once('|').unwrap();
    let param = |key: &str| {
        let pair =
            params.trim_end_matches('|').split(',').map(|pair| pair.split_once('=').unwrap());
        pair.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    json!({
        "clientId": client_id,
        "iotInstanceId": param("iotInstanceId"),
        "consumerGroupId": param("consumerGroupId"),
        "accessKeyId": param("authId"),
        "accessSecret": vector["secret"],
        "securityToken": param("securityToken"),
        "signMethod": param("signMethod"),
        "timestamp": param("timestamp").unwrap().parse::<i64>().unwrap(),
    })
}
