//! `aia-topic`: the vectors of the specification, and what they leave open.

use serde_json::{Value, json};

use super::{assert_lines, feed, kinds, parsed, run};

/// Section 14.1. A client id or root that is no good is looked at in a topic of it.
#[test]
fn every_topic_of_the_specification_is_told_or_refused() {
    let vectors = parsed(include_str!("../../../aia-proto/tests/vectors/topic.jsonl"));
    let mut not_run = Vec::new();
    for (index, vector) in vectors.iter().enumerate() {
        let id = vector["id"].as_str().unwrap();
        assert_eq!(id, format!("T{:02}", index + 1));
        let text = |name: &str| vector[name].as_str();
        let (topic, expected) = if let Some(topic) = text("topic") {
            (topic.to_owned(), None)
        } else if let Some(topic) = text("foreign") {
            (topic.to_owned(), text("error"))
        } else if let Some(client_id) = text("clientId") {
            // What stands after a slash in it is taken for the client id, and the rest for the version.
            let expected = if client_id.contains('/') { "NoVersion" } else { "BadPart clientId" };
            (format!("$aws/alexa/ais/v1/{client_id}/speaker"), Some(expected))
        } else {
            let root = text("root").unwrap();
            if root.ends_with("/ais") || root.ends_with("/ais/v1") {
                not_run.push(id);
                continue;
            }
            (format!("{root}/ais/v1/my-thing-01/speaker"), Some("BadPart root"))
        };
        let (status, output) = run(&["aia-topic"], feed([json!({ "topic": topic })]));
        let kind = kinds(&output).remove(0);
        match expected {
            None => assert_eq!((status, &*kind), (0, "1 ok"), "{id}"),
            Some(expected) => {
                assert_eq!(status, 1, "{id}");
                assert!(kind.starts_with(&format!("1 {expected}")), "{id}: {kind}");
            }
        }
        if let Some(rule) = text("rule").and_then(|rule| rule.split(' ').next()) {
            let found = &output[0]["error"];
            assert!(found["kind"] == "NoVersion" || found["rule"] == rule, "{id}: {found}");
        }
        if vector["topic"].is_string() {
            let told = json!({
                "root": text("root").unwrap().trim_end_matches("/v1").trim_end_matches("/ais"),
                "version": "v1",
                "clientId": vector["clientId"],
                "leaf": vector["leaf"],
                "direction": direction(text("leaf").unwrap()),
                "encrypted": !text("leaf").unwrap().starts_with("connection/"),
            });
            assert_eq!(output[0]["ok"], told, "{id}");
        }
    }
    // The end of these roots is not repeated in a topic, and so no topic shows what stands before it.
    assert_eq!((vectors.len(), not_run), (34, vec!["T15", "T16", "T17"]));
}

/// Section 2.2.
#[test]
fn every_leaf_has_a_direction_and_two_are_not_encrypted() {
    for (leaf, direction, encrypted) in [
        ("connection/fromclient", "toService", false),
        ("connection/fromservice", "toDevice", false),
        ("capabilities/publish", "toService", true),
        ("capabilities/acknowledge", "toDevice", true),
        ("directive", "toDevice", true),
        ("event", "toService", true),
        ("microphone", "toService", true),
        ("speaker", "toDevice", true),
    ] {
        let topic = format!("$aws/alexa/ais/v2/c:é 1/{leaf}");
        let (_, output) = run(&["aia-topic"], feed([json!({ "topic": topic })]));
        let told = json!({
            "root": "$aws/alexa", "version": "v2", "clientId": "c:é 1", "leaf": leaf,
            "direction": direction, "encrypted": encrypted,
        });
        assert_eq!(output[0]["ok"], told);
    }
}

#[test]
fn what_breaks_a_rule_is_placed() {
    let (long, client) = ("x".repeat(257), "é".repeat(128));
    let cases = [
        (format!("{}/ais/v1/c/event", &long[1..]), Value::Null),
        (
            format!("{long}/ais/v1/c/event"),
            json!({ "field": "root", "rule": "AtMost", "limit": 256 }),
        ),
        (format!("r/ais/v1/{client}/event"), Value::Null),
        (
            format!("r/ais/v1/{client}x/event"),
            json!({ "field": "clientId", "rule": "AtMost", "limit": 256 }),
        ),
        ("é+/ais/v1/c/event".into(), json!({ "field": "root", "rule": "Without", "index": 2 })),
        (
            "r/ais/v1/é\u{85}/event".into(),
            json!({ "field": "clientId", "rule": "Without", "index": 2 }),
        ),
        // The last parts are looked at first.
        ("+/ais/v1//event".into(), json!({ "field": "clientId", "rule": "NotEmpty" })),
    ];
    let (_, output) =
        run(&["aia-topic"], feed(cases.iter().map(|(topic, _)| json!({ "topic": topic }))));
    for (answer, (topic, expected)) in output.iter().zip(&cases) {
        let Value::Object(expected) = expected else {
            assert!(answer["ok"].is_object(), "{topic}: {answer}");
            continue;
        };
        assert_eq!(answer["error"]["kind"], "BadPart", "{topic}");
        for (name, value) in expected {
            assert_eq!(answer["error"][name], *value, "{topic}");
        }
    }
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let good = r#"{"topic":"r/ais/v1/c/event","else":[1.5]}"#;
    assert_lines(
        "aia-topic",
        good,
        &[
            ("{}", "BadInput topic"),
            ("[]", "BadInput"),
            (r#"{"topic":null}"#, "BadInput topic"),
            (r#"{"topic":7}"#, "BadInput topic"),
            (r#"{"topic":"\ud800"}"#, "BadInput topic"),
            (r#"{"topic":""}"#, "NoLeaf"),
            (r#"{"topic":"r/ais/v1/c/EVENT"}"#, "NoLeaf"),
            (r#"{"topic":"r/ais/1/c/event"}"#, "NoVersion"),
            (r#"{"topic":"r/Ais/v1/c/event"}"#, "NoAis"),
            (r#"{"topic":"r/ais/v1/#/event"}"#, "BadPart clientId"),
            (r#"{"topic":"r//ais/v1/c/event"}"#, "BadPart root"),
        ],
    );
}

fn direction(leaf: &str) -> &str {
    match leaf {
        "connection/fromclient" | "event" => "toService",
        "connection/fromservice" | "capabilities/acknowledge" | "speaker" => "toDevice",
        _ => panic!("{leaf}"),
    }
}
