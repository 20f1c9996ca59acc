//! The classifier said again, in no hurry: specification section 4.5 over maps of raw values.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json, value::RawValue};
use smart_properties::sns::{Delivery, EnvelopeError, Inbound, Via};

/// What was delivered, an envelope as the JSON of what it says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Envelope(Value),
    Raw(Vec<u8>),
    /// With the identifier of each; none is a record that is refused.
    Records(Vec<(Option<String>, Option<Self>)>),
}

/// What the classifier said. None is refusal, whatever the reason.
pub(crate) fn seen(inbound: &Result<Inbound<'_>, EnvelopeError>) -> Option<Seen> {
    match inbound.as_ref().ok()?.clone() {
        Inbound::Envelope(envelope) => Some(of(&Delivery::Envelope(envelope))),
        Inbound::Raw(raw) => Some(of(&Delivery::Raw(raw))),
        Inbound::Records(records) => {
            let records = records.iter().map(|record| match record {
                Ok(record) => {
                    let id = record.item_identifier.as_deref().map(String::from);
                    (id, Some(of(&record.delivery)))
                }
                Err(error) => (error.item_identifier.clone(), None),
            });
            Some(Seen::Records(records.collect()))
        }
    }
}

fn of(delivery: &Delivery<'_>) -> Seen {
    match delivery {
        Delivery::Envelope(envelope) => {
            Seen::Envelope(serde_json::from_slice(&envelope.encode()).unwrap())
        }
        Delivery::Raw(raw) => Seen::Raw(raw.bytes().to_vec()),
    }
}

/// What a classifier must say. Bodies that are too long, and headers, are not looked at.
pub(crate) fn classify(via: Via, accept_raw: bool, body: &[u8]) -> Option<Seen> {
    let raw = || accept_raw.then(|| Seen::Raw(body.to_vec()));
    let Some(members) = object(body) else {
        return if via == Via::SqsBody { raw() } else { None };
    };
    let members = unique(members)?;
    let is = |name: &str, first: char| members.get(name).is_some_and(|raw| raw.starts_with(first));
    if is("Records", '[') {
        let records: Vec<&RawValue> = serde_json::from_str(&members["Records"]).unwrap();
        let records = records.iter().map(|item| record(accept_raw, item.get()));
        return Some(Seen::Records(records.collect()));
    }
    if members.contains_key("Type") {
        return envelope(&members).map(Seen::Envelope);
    }
    if is("header", '{') && is("payload", '{') { raw() } else { None }
}

fn record(accept_raw: bool, item: &str) -> (Option<String>, Option<Seen>) {
    let Some(pairs) = object(item.as_bytes()) else { return (None, None) };
    // Of a name that is there twice, the last; the record is refused for it then.
    let all: BTreeMap<String, String> = pairs.iter().cloned().collect();
    let id = all.get("messageId").and_then(|raw| serde_json::from_str(raw).ok());
    let delivery = || {
        let members = unique(pairs)?;
        if let Some(sns) = members.get("Sns").filter(|sns| sns.starts_with('{')) {
            return envelope(&unique(object(sns.as_bytes())?)?).map(Seen::Envelope);
        }
        let source: String = serde_json::from_str(members.get("eventSource")?).ok()?;
        let body: String = serde_json::from_str(members.get("body")?).ok()?;
        if source != "aws:sqs" {
            return None;
        }
        classify(Via::SqsBody, accept_raw, body.as_bytes())
            .filter(|seen| !matches!(seen, Seen::Records(_)))
    };
    (id, delivery())
}

fn envelope(members: &BTreeMap<String, String>) -> Option<Value> {
    let kind: String = serde_json::from_str(members.get("Type")?).ok()?;
    let mut required = vec!["Type", "MessageId", "TopicArn", "Message", "Timestamp"];
    let mut optional = vec!["SignatureVersion", "Signature", "SigningCertURL"];
    match &*kind {
        "Notification" => optional.extend(["Subject", "UnsubscribeURL"]),
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            required.extend(["Token", "SubscribeURL"]);
        }
        _ => return None,
    }
    let mut says = Map::new();
    for name in required {
        let text: String = serde_json::from_str(members.get(name)?).ok()?;
        says.insert(name.into(), text.into());
    }
    for name in optional {
        let lambda = name.replace("URL", "Url");
        let spellings = if lambda == name { vec![name] } else { vec![name, &lambda] };
        for spelling in spellings {
            let Some(raw) = members.get(spelling) else { continue };
            let Some(text) = serde_json::from_str::<Option<String>>(raw).ok()? else { continue };
            let text = Value::from(text);
            if says.insert(name.into(), text.clone()).is_some_and(|other| other != text) {
                return None;
            }
        }
    }
    if !["SignatureVersion", "Signature", "SigningCertURL"]
        .iter()
        .all(|name| says.contains_key(*name))
    {
        return None;
    }
    for name in ["MessageId", "TopicArn", "Subject", "Timestamp", "Token", "SubscribeURL"] {
        let text = says.get(name).and_then(Value::as_str).unwrap_or_default();
        if text.chars().any(char::is_control) {
            return None;
        }
    }
    let shape: String = says["MessageId"]
        .as_str()?
        .chars()
        .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
        .collect();
    if shape != "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" {
        return None;
    }
    if let Some(raw) = members.get("MessageAttributes").filter(|_| kind == "Notification") {
        match raw.chars().next()? {
            'n' => {}
            '{' => {
                if object(raw.as_bytes()) != Some(Vec::new()) {
                    says.insert("MessageAttributes".into(), attributes(raw));
                }
            }
            _ => return None,
        }
    }
    Some(says.into())
}

/// As a value, if it can be one; serde_json gives up on what is too deep or too large.
fn attributes(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| json!(raw))
}

/// The members as they come; none when it is no JSON object.
fn object(text: &[u8]) -> Option<Vec<(String, String)>> {
    struct Pairs(Vec<(String, String)>);
    impl<'de> serde::Deserialize<'de> for Pairs {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Pairs;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Pairs, A::Error> {
                    let mut pairs = Vec::new();
                    while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                        pairs.push((name, value.get().to_owned()));
                    }
                    Ok(Pairs(pairs))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    serde_json::from_slice::<Pairs>(text).ok().map(|Pairs(pairs)| pairs)
}

/// None when a name is there twice.
fn unique(pairs: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
    let length = pairs.len();
    let members: BTreeMap<_, _> = pairs.into_iter().collect();
    (members.len() == length).then_some(members)
}
