//! `amqp-parse`: the vectors of the specification, and the other things that can be wrong with a user name.

use data_encoding::{HEXLOWER, HEXUPPER};
use serde_json::{Value, json};

use super::{amqp_sign::signatures, feed, kinds, run};

/// Section 15.C.
#[test]
fn every_user_name_of_the_specification_is_judged() {
    let vectors = super::parsed(include_str!("../../../amqp-auth/tests/vectors/parse.jsonl"));
    assert_eq!(vectors.len(), 23);
    for vector in vectors {
        let of = |member: &str| vector[member].as_array().cloned().unwrap_or_default();
        let names = of("userNames").into_iter().map(|name| json!({ "userName": name }));
        let lines = names.chain(of("hex").into_iter().map(|hex| json!({ "userNameHex": hex })));
        let (status, output) = run(&["amqp-parse"], feed(lines));
        assert!(!output.is_empty(), "{vector}");
        for answer in output {
            let Some(error) = vector["error"].as_str() else {
                assert_eq!(status, 0, "{vector}: {answer}");
                for (name, value) in vector["ok"].as_object().unwrap() {
                    assert_member(&answer["ok"], name, value);
                }
                continue;
            };
            assert_eq!(answer["error"]["kind"], kind(error), "{vector}");
        }
    }
}

/// The kind of an error that a vector has as Rust prints it.
pub(super) fn kind(error: &str) -> &str {
    let inner = error.trim_start_matches("Malformed(");
    inner.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap()
}

/// A member of a vector, which names and types some things otherwise.
#[track_caller]
fn assert_member(ok: &Value, name: &str, value: &Value) {
    match name {
        "instanceId" => assert_eq!(ok["iotInstanceId"], *value),
        "securityToken" => assert_eq!(ok["securityToken"], value.is_string()),
        "extensions" => {
            let pairs = ok["extensions"].as_object().unwrap().iter();
            let pairs: Vec<_> = pairs.map(|(key, value)| json!([key, value])).collect();
            assert_eq!(pairs, *value.as_array().unwrap());
        }
        _ => assert_eq!(ok[name], *value),
    }
}

/// `$` stands for parameters that are all right.
#[test]
fn what_the_specification_does_not_judge_has_names_too() {
    let cases: Vec<(String, &str)> = vec![
        ("c|$|".into(), "ok"),
        ("c||".into(), "EmptyParam"),
        ("c|$,|".into(), "EmptyParam"),
        ("c|$,a-b=1|".into(), "BadKey"),
        ("c|$,encode=|".into(), "Empty extension"),
        ("c|$,encode=a,encode=b|".into(), "DuplicateKey encode"),
        (changed("authId=K", "authId="), "Empty authId"),
        (changed("authId=K,", ""), "Missing authId"),
        ("c|$,securityToken=t|".into(), "UnexpectedSecurityToken"),
        (changed("timestamp=1", "timestamp=9223372036854775808"), "BadTimestamp"),
        (changed("timestamp=1", "timestamp=0000000000000000001"), "ok"),
        (
            format!("c|${}|", (0..60).map(|n| format!(",k{n}=v")).collect::<String>()),
            "TooManyParams",
        ),
        ("c|$,k=".to_owned() + &"v".repeat(16 * 1024) + "|", "TooLong"),
    ];
    let lines = cases.iter().map(|(name, _)| json!({ "userName": name.replace('$', REST) }));
    let (status, output) = run(&["amqp-parse"], feed(lines));
    assert_eq!(status, 1);
    for (index, (answer, case)) in kinds(&output).iter().zip(&cases).enumerate() {
        assert_eq!(*answer, format!("{} {}", index + 1, case.1), "{case:?}");
    }
}

#[test]
fn a_user_name_is_told_with_its_types() {
    let name = "host=a,b|timestamp=0001573489088171,encode=base64,iotInstanceId=,authId=STS.K,\
        securityToken=canary==,consumerGroupId=G,x=y=z,signMethod=HMACSHA256,authMode=ststoken|";
    let expected = json!({
        "clientId": "host=a,b", "iotInstanceId": null, "authMode": "ststoken", "signMethod": "hmacsha256",
        "consumerGroupId": "G", "authId": "STS.K", "timestamp": 1_573_489_088_171_i64, "securityToken": true,
        "extensions": { "encode": "base64", "x": "y=z" },
    });
    let hex = [HEXLOWER.encode(name.as_bytes()), HEXUPPER.encode(name.as_bytes())];
    let [lower, upper] = hex.map(|hex| json!({ "userName": null, "userNameHex": hex }));
    let (status, output) = run(&["amqp-parse"], feed([json!({ "userName": name }), lower, upper]));
    assert_eq!(status, 0);
    for (index, answer) in output.iter().enumerate() {
        assert_eq!(*answer, json!({ "line": index + 1, "ok": expected }));
    }
    assert!(!Value::from(output).to_string().contains("canary"));
}

#[test]
fn the_names_of_the_signature_vectors_are_read() {
    for vector in signatures() {
        let (status, output) =
            run(&["amqp-parse"], feed([json!({ "userName": vector["userName"] })]));
        assert_eq!(status, 0, "{vector}");
        let ok = &output[0]["ok"];
        let sts = vector["stringToSign"].as_str().unwrap().contains("&securityToken=");
        assert_eq!(ok["securityToken"], sts, "{vector}");
        assert_eq!(ok["authMode"], if sts { "ststoken" } else { "aksign" }, "{vector}");
        let signed = format!("authId={}&", ok["authId"].as_str().unwrap());
        assert!(vector["stringToSign"].as_str().unwrap().starts_with(&signed), "{vector}");
        let signed = format!("&timestamp={}", ok["timestamp"]);
        assert!(vector["stringToSign"].as_str().unwrap().ends_with(&signed), "{vector}");
    }
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let cases = [
        ("{}", "BadInput userName"),
        ("[]", "BadInput"),
        (r#"{"userName":7}"#, "BadInput userName"),
        (r#"{"userName":null}"#, "BadInput userName"),
        (r#"{"userName":{}}"#, "BadInput userName"),
        (r#"{"userName":"\ud800"}"#, "BadInput userName"),
        (r#"{"userName":"","userNameHex":""}"#, "BadInput"),
        (r#"{"userNameHex":"0"}"#, "BadInput userNameHex"),
        (r#"{"userNameHex":"0g"}"#, "BadInput userNameHex"),
        (r#"{"userNameHex":[]}"#, "BadInput userNameHex"),
        (r#"{"userNameHex":""}"#, "MissingOpeningBar"),
    ];
    let good = json!({ "userName": format!("c|{REST}|"), "else": 1.5 });
    let input: String = cases.iter().map(|(line, _)| format!("{line}\n\n{good}\n")).collect();
    let (status, output) = run(&["amqp-parse"], input);
    assert_eq!(status, 1);
    let expected = cases.iter().enumerate().flat_map(|(index, (_, expected))| {
        [format!("{} {expected}", 3 * index + 1), format!("{} ok", 3 * index + 3)]
    });
    assert_eq!(kinds(&output), expected.collect::<Vec<_>>());
}

/// A good user name in which this was replaced.
fn changed(what: &str, by: &str) -> String {
    assert!(REST.contains(what));
    format!("c|{}|", REST.replace(what, by))
}

const REST: &str =
    "authMode=aksign,signMethod=hmacsha1,consumerGroupId=DEFAULT_GROUP,authId=K,timestamp=1";
