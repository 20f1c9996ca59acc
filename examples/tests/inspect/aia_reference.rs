//! What topics and connection messages say, against a reading in another language that was written from the
//! specification alone.

use std::{collections::BTreeMap, process::Command};

use examples::peers::installed;
use serde_json::Value;

use super::{aia_connection::without_text, parsed, run};

#[test]
fn python_reads_topics_as_we_do() {
    let rules = ["NotEmpty", "AtMost", "Without", "NoSlashAtEnd"];
    let roots = rules.map(|rule| format!("BadPart root {rule}"));
    let client_ids = rules[..3].iter().map(|rule| format!("BadPart clientId {rule}"));
    let kinds = ["ok", "NoLeaf", "NoVersion", "NoAis", "BadInput", "BadInput topic"];
    assert_told("topic", kinds.map(String::from).into_iter().chain(roots).chain(client_ids));
}

#[test]
fn python_reads_connection_messages_as_we_do() {
    let told =
        ["proceed", "correctAccountId", "correctClientId", "upgradeVersion", "retry", "register"]
            .map(|advice| format!("ok Acknowledge {advice}"));
    let closed = ["reconnect", "register", "upgradeVersion", "none"]
        .map(|advice| format!("ok Disconnect {advice}"));
    let fields = [
        "message",
        "header",
        "header.name",
        "header.messageId",
        "payload.connectMessageId",
        "payload.code",
    ];
    let fields = fields.map(|field| format!("BadField {field}"));
    let kinds = ["ok Connect none", "NotJson", "NamedTwice", "TooDeep", "TooLong", "OtherName"];
    let lines = ["BadInput", "BadInput payload", "BadInput payloadHex", "BadInput from"];
    let kinds = kinds.into_iter().chain(lines).map(String::from);
    assert_told("connection", kinds.chain(told).chain(closed).chain(fields));
}

/// Compares all answers of a command, if there is Python. These must be among them, or little was compared.
#[track_caller]
fn assert_told(command: &str, kinds: impl IntoIterator<Item = String>) {
    let Some(python) = installed(&["python3"]) else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inspect/aia_reference.py");
    // Without -B it would leave its compiled modules beside the script.
    let inputs = INPUTS.to_string();
    let done = Command::new(python).args(["-B", script, command, &inputs]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let cases = parsed(&String::from_utf8(done.stdout).unwrap());
    assert_eq!(cases.len(), INPUTS);

    let input: String =
        cases.iter().map(|case| case["input"].as_str().unwrap().to_owned() + "\n").collect();
    let (_, output) = run(&[&format!("aia-{command}")], input);
    assert_eq!(output.len(), INPUTS);
    let mut tally = BTreeMap::new();
    for (case, answer) in cases.iter().zip(&output) {
        let agrees = match (case.get("ok"), answer.get("ok")) {
            (Some(expected), Some(ok)) if command == "connection" => *expected == without_text(ok),
            (Some(expected), Some(ok)) => expected == ok,
            // It may say more.
            (None, None) => {
                let mut expected = case["error"].as_object().unwrap().iter();
                expected.all(|(name, value)| answer["error"].get(name) == Some(value))
            }
            _ => false,
        };
        assert!(agrees, "{case}\n{answer}");
        *tally.entry(kind(case)).or_insert(0) += 1;
    }
    for kind in kinds {
        assert!(tally.get(&kind).is_some_and(|count| *count >= ENOUGH), "{kind}: {tally:?}");
    }
    let good = cases.iter().filter(|case| case["ok"].is_object()).count();
    assert!(good > INPUTS / 4, "{tally:?}");
}

/// What kind of case this is.
fn kind(case: &Value) -> String {
    let members = match case.get("ok") {
        Some(ok) => [Some("ok"), ok["name"].as_str(), ok["advice"].as_str()],
        None => ["kind", "field", "rule"].map(|name| case["error"][name].as_str()),
    };
    members.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

const INPUTS: usize = 10_000;
/// Of one kind, to be sure that it was compared.
const ENOUGH: usize = 3;
