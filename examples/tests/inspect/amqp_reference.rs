//! Logins against an implementation that shares nothing with ours: another language, and its own crypto.

use std::{collections::BTreeMap, process::Command};

use examples::peers::installed;
use serde_json::Value;

use super::{parsed, run};

#[test]
fn python_signs_as_we_do() {
    let tally = compare("sign");
    let kinds =
        ["ClientIdEmpty", "ClientIdTooLong", "ClientIdForbiddenChar", "Empty", "ForbiddenChar"];
    assert_tally(tally, &[&kinds[..], &["MissingSecurityToken", "BadTimestamp"]].concat());
}

#[test]
fn python_reads_as_we_do() {
    let tally = compare("parse");
    let kinds =
        ["NotUtf8", "ForbiddenChar", "TrailingData", "DuplicateKey", "Missing", "BadTimestamp"];
    assert_tally(tally, &kinds);
}

#[test]
fn python_verifies_as_we_do() {
    let tally = compare("verify");
    assert_tally(tally, &["BadCredentials", "Stale", "Future", "TokenExpired", "UnknownAuthMode"]);
}

/// Compares all answers of a command; how many there were of each kind. None without Python.
#[track_caller]
fn compare(command: &str) -> Option<BTreeMap<String, usize>> {
    let python = installed(&["python3"])?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inspect/amqp_reference.py");
    let done = Command::new(python).args([script, command, &INPUTS.to_string()]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cases = parsed(&String::from_utf8(done.stdout).unwrap());
    assert_eq!(cases.len(), INPUTS);

    let input: String =
        cases.iter().map(|case| case["input"].as_str().unwrap().to_owned() + "\n").collect();
    let (_, output) = run(&[&format!("amqp-{command}")], input);
    assert_eq!(output.len(), INPUTS);
    let mut tally = BTreeMap::new();
    for (index, (case, answer)) in cases.iter().zip(&output).enumerate() {
        assert_eq!(answer["line"], index + 1);
        let error = &answer["error"];
        let agrees = match case["errors"].as_array() {
            None => answer.get("ok") == case.get("ok"),
            Some(errors) if command == "sign" => *errors == [without_message(error)],
            Some(errors) => errors.iter().any(|expected| is_part_of(expected, error)),
        };
        assert!(agrees, "{case}\n{answer}");
        *tally.entry(error["kind"].as_str().unwrap_or("ok").to_owned()).or_default() += 1;
    }
    Some(tally)
}

/// What an error says to programs.
fn without_message(error: &Value) -> Value {
    let mut error = error.clone();
    error.as_object_mut().and_then(|members| members.remove("message"));
    error
}

/// Whether an error has these members among others.
fn is_part_of(expected: &Value, error: &Value) -> bool {
    let mut members = expected.as_object().unwrap().iter();
    members.all(|(name, value)| error.get(name) == Some(value))
}

/// The inputs must have been of all kinds, or little was compared.
#[track_caller]
fn assert_tally(tally: Option<BTreeMap<String, usize>>, kinds: &[&str]) {
    let Some(tally) = tally else { return };
    assert!(tally["ok"] > INPUTS / 4, "{tally:?}");
    for kind in kinds.iter().chain(&["BadInput", "UnknownSignMethod"]) {
        assert!(tally[*kind] > INPUTS / 100, "{kind}: {tally:?}");
    }
}

const INPUTS: usize = 10_000;
