//! The vectors of signatures (specification, 13.2 to 13.4), as other software can be asked about them.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

/// The certificate whose key has signed them.
pub(crate) fn certificate_pem() -> String {
    read("certificates/C-GOOD.pem")
}

/// S-01 to S-13 by id, without the record that is around S-11 and S-13.
pub(crate) fn good() -> BTreeMap<String, Value> {
    let vectors: BTreeMap<_, _> = lines("envelopes.jsonl")
        .map(|mut vector| (text(&vector, "id"), unpacked(vector["body"].take())))
        .collect();
    assert_eq!(vectors.len(), 13);
    vectors
}

/// Those of N-S1 to N-S14 that nothing but the message decides. A vector with several messages has them all.
pub(crate) fn changed() -> Vec<(String, Value)> {
    let (good, known) = (good(), ["id", "base", "set", "remove", "expected"]);
    let vectors = lines("verify.jsonl").filter(|vector| {
        let members = vector.as_object().expect("an object");
        text(vector, "id").starts_with("N-S")
            && members.keys().all(|member| known.contains(&member.as_str()))
    });
    vectors
        .map(|vector| {
            let mut message = good[&text(&vector, "base")].clone();
            let members = message.as_object_mut().expect("an object");
            for (member, value) in vector["set"].as_object().into_iter().flatten() {
                members.insert(member.clone(), value.clone());
            }
            for member in vector["remove"].as_array().into_iter().flatten() {
                members.shift_remove(member.as_str().expect("text"));
            }
            (text(&vector, "id"), message)
        })
        .collect()
}

/// U-01 to U-24: the URLs that are for the topic of the messages, or for none.
pub(crate) fn certificate_urls() -> Vec<(String, String)> {
    let of_topic = lines("cert_urls.jsonl").filter(|vector| vector.get("topic").is_none());
    of_topic.map(|vector| (text(&vector, "id"), text(&vector, "url"))).collect()
}

fn unpacked(body: Value) -> Value {
    let Some(record) = body.pointer("/Records/0") else { return body };
    match record.get("Sns") {
        Some(message) => message.clone(),
        None => serde_json::from_str(&text(record, "body")).expect("JSON"),
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().expect("text").into()
}

fn lines(file: &str) -> impl Iterator<Item = Value> {
    let values: Result<Vec<_>, _> = read(file).lines().map(serde_json::from_str).collect();
    values.expect("JSON").into_iter()
}

fn read(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../smart-properties/tests/vectors");
    fs::read_to_string(folder.join(file)).expect("it is there")
}
