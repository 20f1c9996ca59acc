//! The classifier said again, in no hurry: specification section 4.5 over maps of raw values.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserializer as _,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use smart_properties::sns::{Delivery, EnvelopeError, Inbound, Via};

/// What was delivered, an envelope as its texts by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Envelope(BTreeMap<String, String>),
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
    let envelope = match delivery {
        Delivery::Envelope(envelope) => envelope,
        Delivery::Raw(raw) => return Seen::Raw(raw.bytes().to_vec()),
    };
    let says = [
        ("Type", Some(envelope.message_type().as_str())),
        ("MessageId", Some(envelope.message_id())),
        ("TopicArn", Some(envelope.topic_arn())),
        ("Subject", envelope.subject()),
        ("Message", Some(envelope.message())),
        ("Timestamp", Some(envelope.timestamp())),
        ("Token", envelope.token()),
        ("SubscribeURL", envelope.subscribe_url()),
        ("SignatureVersion", Some(envelope.signature_version())),
        ("Signature", Some(envelope.signature())),
        ("SigningCertURL", Some(envelope.signing_cert_url())),
        ("UnsubscribeURL", envelope.unsubscribe_url()),
        ("MessageAttributes", envelope.message_attributes()),
    ];
    let says = says.into_iter().filter_map(|(name, text)| Some((name.into(), text?.into())));
    Seen::Envelope(says.collect())
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
    let mut pairs = Vec::new();
    let is_object = read(item.as_bytes(), &mut pairs);
    // Of a name that is there twice, the last; the record is refused for it then.
    let all: BTreeMap<String, String> = pairs.iter().cloned().collect();
    let id = all.get("messageId").and_then(|raw| serde_json::from_str(raw).ok());
    let delivery = || {
        if !is_object {
            return None;
        }
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

fn envelope(members: &BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
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
    let mut says = BTreeMap::new();
    for name in required {
        let text: String = serde_json::from_str(members.get(name)?).ok()?;
        says.insert(name.into(), text);
    }
    for name in optional {
        let lambda = name.replace("URL", "Url");
        let spellings = if lambda == name { vec![name] } else { vec![name, &lambda] };
        for spelling in spellings {
            let Some(raw) = members.get(spelling) else { continue };
            let Some(text) = serde_json::from_str::<Option<String>>(raw).ok()? else { continue };
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
        let mut text = says.get(name).into_iter().flat_map(|text| text.chars());
        if text.any(char::is_control) {
            return None;
        }
    }
    let shape = |c: char| {
        if c.is_ascii_hexdigit() {
            'x'
        } else if c == '-' {
            c
        } else {
            '?'
        }
    };
    let shape: String = says["MessageId"].chars().map(shape).collect();
    if shape != "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" {
        return None;
    }
    if let Some(raw) = members.get("MessageAttributes").filter(|_| kind == "Notification") {
        match raw.chars().next()? {
            'n' => {}
            '{' => {
                if object(raw.as_bytes()) != Some(Vec::new()) {
                    says.insert("MessageAttributes".into(), raw.clone());
                }
            }
            _ => return None,
        }
    }
    Some(says)
}

/// The members as they come; none when it is no JSON object.
fn object(text: &[u8]) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    read(text, &mut pairs).then_some(pairs)
}

/// Whether it is a JSON object; what comes before an error is read in any case.
fn read(text: &[u8], pairs: &mut Vec<(String, String)>) -> bool {
    let mut json = serde_json::Deserializer::from_slice(text);
    json.deserialize_map(Pairs(pairs)).and_then(|()| json.end()).is_ok()
}

struct Pairs<'p>(&'p mut Vec<(String, String)>);

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            self.0.push((name, value.get().to_owned()));
        }
        Ok(())
    }
}

/// None when a name is there twice.
fn unique(pairs: Vec<(String, String)>) -> Option<BTreeMap<String, String>> {
    let length = pairs.len();
    let members: BTreeMap<_, _> = pairs.into_iter().collect();
    (members.len() == length).then_some(members)
}
