//! What things and cloud say, against a reading in another language that was written from the specification alone.

use std::{collections::BTreeMap, iter, process::Command};

use examples::peers::installed;
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::run_raw;

#[test]
fn python_reads_requests_as_we_do() {
    assert_told("request", &[KINDS_OF_FRAMES, &["UnknownMethod"]].concat());
}

#[test]
fn python_reads_responses_as_we_do() {
    assert_told("response", &[KINDS_OF_FRAMES, &["BadStatus"]].concat());
}

#[test]
fn python_reads_onboardings_as_we_do() {
    let fields = [
        "accessToken",
        "thingID",
        "endNodeThingID",
        "mqttEndpoint",
        "installationID",
        "username",
        "userName",
        "password",
        "mqttTopic",
        "host",
        "portTCP",
        "portSSL",
        "portWS",
        "portWSS",
        "ttl",
        "X-MQTT-TTL",
        "body",
    ];
    let fields = fields.map(|field| format!("BadField {field}"));
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    assert_told("onboarding", &[&fields[..], &["NotJson", "TooDeep", "BadInput endNode"]].concat());
}

#[test]
fn python_reads_pushes_as_we_do() {
    let kinds = ["ok command plain", "ok command trait", "ok push", "BadPush"];
    let refused = ["BadCommand commandID", "BadCommand actions"];
    assert_told("push", &[&kinds[..], &refused].concat());
}

#[test]
fn python_reads_topics_as_we_do() {
    let classes = ["ok onboarding", "ok api", "ok push", "ok unknown"];
    let refused = ["InvalidId app", "InvalidId mqttTopic", "BadInput stage", "BadInput topic"];
    assert_told("topic", &[&classes[..], &refused].concat());
}

/// An input and what must come of it, or a line of the output.
#[derive(Deserialize)]
struct Told<'a> {
    input: Option<String>,
    #[serde(borrow)]
    ok: Option<BTreeMap<&'a str, &'a RawValue>>,
    error: Option<Map<String, Value>>,
}

/// Compares all answers of a command, if there is Python. These must be among them, or little was compared.
#[track_caller]
fn assert_told(command: &str, kinds: &[&str]) {
    let Some(python) = installed(&["python3"]) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inspect/kii_reference.py");
    // Without -B it would leave its compiled modules beside the script.
    let inputs = INPUTS.to_string();
    let done = Command::new(python).args(["-B", script, command, &inputs]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cases = String::from_utf8(done.stdout).unwrap();
    let cases: Vec<Told<'_>> =
        cases.lines().map(|case| serde_json::from_str(case).unwrap()).collect();
    assert_eq!(cases.len(), INPUTS);

    let input: String = cases.iter().map(|case| case.input.clone().unwrap() + "\n").collect();
    let (_, output, _) = run_raw(&[&format!("kii-{command}")], input.as_bytes());
    assert_eq!(output.lines().count(), INPUTS);
    let mut tally = BTreeMap::new();
    for (case, line) in cases.iter().zip(output.lines()) {
        let answer: Told<'_> = serde_json::from_str(line).unwrap();
        let agrees = match (&case.ok, &answer.ok, &case.error, &answer.error) {
            (Some(expected), Some(ok), ..) => {
                expected.keys().eq(ok.keys())
                    && expected.iter().all(|(name, value)| is_same(name, value, ok[name]))
            }
            // It may say more.
            (None, None, Some(expected), Some(error)) => {
                expected.iter().all(|(name, value)| error.get(name) == Some(value))
            }
            _ => false,
        };
        assert!(agrees, "{:?}\n{:?} {:?}\n{line}", case.input, case.ok, case.error);
        *tally.entry(kind(case)).or_insert(0) += 1;
    }
    for kind in kinds.iter().chain(&["BadInput"]) {
        assert!(tally.get(*kind).is_some_and(|count| *count >= ENOUGH), "{kind}: {tally:?}");
    }
    let good: usize =
        tally.iter().filter(|(kind, _)| kind.starts_with("ok")).map(|all| all.1).sum();
    assert!(good > INPUTS / 4, "{tally:?}");
}

/// Actions are told as they came, and so to the letter.
fn is_same(name: &str, expected: &RawValue, found: &RawValue) -> bool {
    let value = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).unwrap();
    expected.get() == found.get() || (name != "actions" && value(expected) == value(found))
}

/// What kind of case this is.
fn kind(case: &Told<'_>) -> String {
    let Some(ok) = &case.ok else {
        let error = case.error.as_ref().unwrap();
        let words = ["kind", "field"].map(|name| error.get(name).and_then(Value::as_str));
        return words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    };
    let words = ["type", "class", "trait"].map(|name| match ok.get(name)?.get() {
        "true" => Some("trait"),
        "false" => Some("plain"),
        word => Some(word.trim_matches('"')),
    });
    iter::once("ok").chain(words.into_iter().flatten()).collect::<Vec<_>>().join(" ")
}

const INPUTS: usize = 5_000;
/// Of one kind, to be sure that it was compared.
const ENOUGH: usize = 3;
const KINDS_OF_FRAMES: &[&str] = &[
    "Empty",
    "TooLarge",
    "BadStartLine",
    "HeadTooLarge",
    "MissingBlankLine",
    "NotUtf8",
    "ControlChar",
    "BadHeader",
    "TooManyHeaders",
    "BadInput payload",
    "BadInput payloadHex",
];
