//! `kii-topic`: the vectors of the specification, and what they leave open.

use serde_json::{Value, json};

use super::{assert_lines, feed, parsed, run};

/// Section 17.6, each in both stages. T13 is not one: it builds a topic.
#[test]
fn every_topic_of_the_specification_is_classified() {
    let vectors = parsed(include_str!("../../../kii-onboard/tests/vectors/topic.jsonl"));
    let mut not_run = Vec::new();
    for vector in &vectors {
        let Some(topic) = vector["topic"].as_str() else {
            not_run.push(vector["id"].as_str().unwrap());
            continue;
        };
        let lines = [1, 2].map(|stage| line(topic, stage));
        let (status, output) = run(&["kii-topic"], feed(lines));
        assert_eq!(status, 0, "{vector}");
        for (answer, stage) in output.iter().zip(["boot", "api"]) {
            let class = vector[stage].as_str().unwrap_or("api");
            let has_resource = matches!(class, "onboarding" | "api");
            let resource = topic.split_once("/app01/").map(|(_, resource)| resource);
            let told = json!({ "class": class, "resource": resource.filter(|_| has_resource) });
            assert_eq!(answer["ok"], told, "{vector}, {stage}");
        }
    }
    assert_eq!((vectors.len(), not_run), (13, vec!["T13"]));
}

fn line(topic: &str, stage: u8) -> Value {
    json!({ "app": "app01", "mqttTopic": "TT", "stage": stage, "topic": topic })
}

#[test]
fn a_resource_is_told_as_it_was_received() {
    let long = "x".repeat(9_000);
    for resource in ["onboardings", "targets/THING:a/states", "a?b=c&d", "é/ /:", &long] {
        let (status, output) =
            run(&["kii-topic"], feed([line(&format!("p/TT/thing-if/apps/app01/{resource}"), 2)]));
        let told = json!({ "class": "api", "resource": resource });
        assert_eq!((status, &output[0]["ok"]), (0, &told));
    }
    let unknown = json!({ "class": "unknown", "resource": null });
    for resource in ["", "/", "a/", "a//b", "a+", "#", "a\u{0}", "a\u{85}"] {
        let topic = format!("p/TT/thing-if/apps/app01/{resource}");
        let (_, output) = run(&["kii-topic"], feed([line(&topic, 2)]));
        assert_eq!(output[0]["ok"], unknown, "{topic:?}");
    }
    // The default broker onboards only.
    let (_, output) =
        run(&["kii-topic"], feed([line("p/anonymous/thing-if/apps/app01/things/x/end-nodes", 1)]));
    assert_eq!(output[0]["ok"], unknown);
}

#[test]
fn every_unusable_line_says_why_and_the_next_one_is_read() {
    let with = |name: &str, value: Value| {
        let mut line = line("TT", 2);
        line[name] = value;
        line.to_string()
    };
    let cases = [
        ("{}".to_owned(), "BadInput app"),
        ("[]".into(), "BadInput"),
        (with("app", Value::Null), "BadInput app"),
        (with("mqttTopic", json!(7)), "BadInput mqttTopic"),
        (with("topic", json!({})), "BadInput topic"),
        (with("topic", Value::Null), "BadInput topic"),
        (with("stage", Value::Null), "BadInput stage"),
        (with("stage", json!("1")), "BadInput stage"),
        (with("stage", json!(1.0)), "BadInput stage"),
        (with("stage", json!(0)), "BadInput stage"),
        (with("stage", json!(3)), "BadInput stage"),
        (with("app", json!("a&b")), "InvalidId app"),
        (with("app", json!("")), "InvalidId app"),
        (with("app", json!("a".repeat(129))), "InvalidId app"),
        (with("mqttTopic", json!("a/b")), "InvalidId mqttTopic"),
        (with("mqttTopic", json!("é".repeat(65))), "InvalidId mqttTopic"),
        (with("mqttTopic", json!("é".repeat(64))), "ok"),
        (with("topic", json!("")), "ok"),
    ];
    let cases: Vec<_> = cases.iter().map(|(line, expected)| (line.as_str(), *expected)).collect();
    assert_lines("kii-topic", &with("else", json!([1.5])), &cases);
}
