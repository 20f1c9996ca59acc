//! What SNS delivers and what it signs, against a reading in another language that was written from the specification
//! alone.

use std::{collections::BTreeMap, process::Command};

use examples::peers::installed;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use super::run_raw;

#[test]
fn python_reads_deliveries_as_we_do() {
    let kinds = ["Activation", "Completion", "Failure", "Assignment", "Revocation"];
    let kinds = [&kinds[..], &["SetupCompletion", "Unknown"]].concat();
    let events = kinds.iter().map(|kind| format!("ok Notification {kind}"));
    let raw = kinds.iter().map(|kind| format!("ok Raw {kind}"));
    let told = ["ok SubscriptionConfirmation", "ok UnsubscribeConfirmation", "ok Records"];
    assert_told(
        "smart-properties",
        told.map(String::from).into_iter().chain(events).chain(raw),
        DELIVERIES,
    );
}

#[test]
fn python_verifies_signatures_as_we_do() {
    let told = ["ok 1", "ok 2", "ok records"].map(String::from);
    assert_told("sns-verify", told, SIGNATURES);
}

/// An input and what must come of it, or a line of the output, or a record in it.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    ok: Option<Ok<'a>>,
    error: Option<Map<String, Value>>,
}

/// What either command says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Ok<'a> {
    envelope: Option<String>,
    #[serde(borrow)]
    event: Option<Event<'a>>,
    event_error: Option<Map<String, Value>>,
    warnings: Option<Vec<String>>,
    item_identifier: Option<String>,
    signature_version: Option<String>,
    string_to_sign: Option<String>,
    #[serde(borrow)]
    records: Option<Vec<Told<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Event<'a> {
    kind: String,
    namespace: String,
    name: String,
    event_id: String,
    timestamp: Option<String>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

impl Told<'_> {
    /// As the reference says it, for which the payload is a text. It is told to the letter.
    fn value(self) -> Value {
        let Some(ok) = self.ok else { return json!({ "error": self.error }) };
        let event = ok.event.map(|event| {
            json!({
                "kind": event.kind, "namespace": event.namespace, "name": event.name,
                "eventId": event.event_id, "timestamp": event.timestamp,
                "payload": event.payload.get(),
            })
        });
        let records = ok.records.map(|records| records.into_iter().map(Told::value).collect());
        let members = [
            ("envelope", ok.envelope.map(Value::from)),
            ("event", event),
            ("eventError", ok.event_error.map(Value::from)),
            ("warnings", ok.warnings.map(Value::from)),
            ("itemIdentifier", ok.item_identifier.map(Value::from)),
            ("signatureVersion", ok.signature_version.map(Value::from)),
            ("stringToSign", ok.string_to_sign.map(Value::from)),
            ("records", records),
        ];
        let members =
            members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        json!({ "ok": Value::Object(members.collect()) })
    }
}

/// Errors may say more than the reference, and what is null may be absent.
fn agrees(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let is_error = expected.contains_key("kind") && !expected.contains_key("eventId");
            let null = Value::Null;
            let said = |name| agrees(&expected[name], found.get(name).unwrap_or(&null));
            expected.keys().all(|name| said(name.as_str()))
                && (is_error || found.keys().all(|name| expected.contains_key(name)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(expected, found)| agrees(expected, found))
        }
        _ => expected == found,
    }
}

/// Compares all answers of a command, if there is Python. These must be among them, or little was compared.
#[track_caller]
fn assert_told(command: &str, oks: impl IntoIterator<Item = String>, kinds: &[&str]) {
    let Some(python) = installed(&["python3"]) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inspect/sns_reference.py");
    // Without -B it would leave its compiled modules beside the script.
    let inputs = INPUTS.to_string();
    let done = Command::new(python).args(["-B", script, command, &inputs]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cases = String::from_utf8(done.stdout).unwrap();
    let cases: Vec<Value> = cases.lines().map(|case| serde_json::from_str(case).unwrap()).collect();
    assert_eq!(cases.len(), INPUTS);

    let input: String =
        cases.iter().map(|case| case["input"].as_str().unwrap().to_owned() + "\n").collect();
    let (_, output, _) = run_raw(&[command], input.as_bytes());
    assert_eq!(output.lines().count(), INPUTS);
    let mut tally = BTreeMap::new();
    for (case, line) in cases.iter().zip(output.lines()) {
        let answer = serde_json::from_str::<Told<'_>>(line).unwrap().value();
        let (name, expected) = match case.get("ok") {
            Some(ok) => ("ok", ok),
            None => ("error", &case["error"]),
        };
        let found = answer.get(name);
        assert!(found.is_some_and(|found| agrees(expected, found)), "{case}\n{line}");
        count(name, expected, &mut tally);
    }
    for kind in oks.into_iter().chain(kinds.iter().map(|kind| (*kind).to_owned())) {
        assert!(tally.get(&kind).is_some_and(|count| *count >= ENOUGH), "{kind}: {tally:#?}");
    }
    let good = cases.iter().filter(|case| case["ok"].is_object()).count();
    assert!(good > INPUTS / 4, "{tally:#?}");
}

/// Counts what kind of case this is, and those of its records.
fn count(name: &str, told: &Value, tally: &mut BTreeMap<String, usize>) {
    let words = match name {
        "ok" if told["records"].is_array() && told.get("envelope").is_none() => {
            vec!["ok", "records"]
        }
        "ok" => {
            let words = [&told["envelope"], &told["event"]["kind"], &told["signatureVersion"]];
            ["ok"].into_iter().chain(words.into_iter().filter_map(Value::as_str)).collect()
        }
        _ => ["kind", "field"].into_iter().filter_map(|name| told[name].as_str()).collect(),
    };
    *tally.entry(words.join(" ")).or_insert(0) += 1;
    if told["eventError"].is_object() {
        count("error", &told["eventError"], tally);
    }
    for record in told["records"].as_array().into_iter().flatten() {
        let name = if record.get("ok").is_some() { "ok" } else { "error" };
        count(name, &record[name], tally);
    }
}

const INPUTS: usize = 10_000;
/// Of one kind, to be sure that it was compared.
const ENOUGH: usize = 3;
const DELIVERIES: &[&str] = &[
    "BadInput",
    "BadInput via",
    "BadInput headers",
    "BadInput payload",
    "BadInput payloadHex",
    "NotAnObject",
    "DuplicateMember",
    "Unrecognised",
    "UnknownType",
    "ConflictingMember SigningCertURL",
    "ConflictingMember UnsubscribeURL",
    "Missing Timestamp",
    "Missing Token",
    "Missing SignatureVersion",
    "WrongType Subject",
    "WrongType SignatureVersion",
    "WrongType MessageAttributes",
    "UnpairedSurrogate Message",
    "Unsigned",
    "ControlCharacter MessageId",
    "ControlCharacter TopicArn",
    "ControlCharacter Timestamp",
    "BadMessageId",
    "HeaderMismatch type",
    "HeaderMismatch id",
    "HeaderMismatch topic",
    "RawRejected",
    "UnknownRecord",
    "NestedRecord",
    "Malformed",
    "TooDeep",
    "TooLong",
    "UnpairedSurrogate",
    "Missing /header",
    "Missing /header/eventId",
    "Missing /header/eventId/id",
    "Missing /header/eventType",
    "Missing /header/eventType/namespace",
    "Missing /header/eventType/name",
    "Missing /header/version",
    "WrongType /header",
    "WrongType /header/eventId",
    "WrongType /header/version",
    "WrongType /header/entities",
    "WrongType /header/entities/unit",
    "WrongType /payload",
    "Empty /header/eventId/id",
    "Empty /header/eventType/name",
    "TooLong /header/eventId/id",
    "BadCharacter /header/eventId/id",
    "BadCharacter /header/eventType/namespace",
];
const SIGNATURES: &[&str] = &[
    "BadInput",
    "BadInput payload",
    "BadInput certificatePem",
    "BadInput now",
    "BadInput topicArn",
    "BadInput maxAgeMs",
    "NotAnObject",
    "RawRejected",
    "Unsigned",
    "UnknownRecord",
    "NestedRecord",
    "TooManyRecords",
    "ControlCharacter Subject",
    "ControlCharacter Token",
    "UnsupportedVersion",
    "TopicNotAllowed",
    "BadCharacters",
    "NotHttps",
    "BadAuthority",
    "BadTopicArn",
    "UnknownPartition",
    "HostMismatch",
    "BadPath",
    "Malformed",
    "NotRsa",
    "KeyLength",
    "NotYetValid",
    "Expired",
    "WrongName",
    "BadBase64",
    "BadLength",
    "BadSignature",
    "BadTimestamp",
    "FromTheFuture",
    "TooOld",
];
