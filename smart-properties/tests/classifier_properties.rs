//! Agreement of the classifier with a naive one, and what is built is read back.

#[path = "naive/classify.rs"]
mod naive;

use std::fmt::Write as _;

use naive::{classify, seen};
use proptest::{collection::vec, option, prelude::*, sample::select};
use smart_properties::{
    TopicArn,
    sns::{Classifier, Delivery, Envelope, Headers, Inbound, RawPolicy, Via},
};

const NAMES: [&str; 23] = [
    "Type",
    "MessageId",
    "TopicArn",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "SigningCertUrl",
    "UnsubscribeURL",
    "UnsubscribeUrl",
    "Subject",
    "Token",
    "SubscribeURL",
    "MessageAttributes",
    "SequenceNumber",
    "Records",
    "header",
    "payload",
    "Sns",
    "body",
    "eventSource",
    "messageId",
];

/// The value that makes most of a member, written as JSON.
fn ordinary(name: &str) -> &'static str {
    match name {
        "MessageId" => r#""aaaaaaaa-0001-5000-8000-00000000000F""#,
        "MessageAttributes" | "header" | "payload" => "{}",
        "Records" => "[]",
        "eventSource" => r#""aws:sqs""#,
        _ => r#""text""#,
    }
}

fn value() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "null",
        "true",
        "-0",
        "1e999",
        "[[]]",
        "{}",
        r#"{ "a" : { } }"#,
        r#""""#,
        r#""\u0041\n""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        r#""\u0000""#,
        r#""\u0085""#,
        r#""\u2028""#,
        "\"\u{7f}\"",
        r#""Notification""#,
        r#""SubscriptionConfirmation""#,
        r#""x""#,
        "t",
        "\"\n\"",
    ]);
    prop_oneof![4 => odd.prop_map(String::from), 1 => "[ -~]{0,5}"]
}

/// Members of an object as they might come: mostly those of an envelope, a few of them changed.
fn object() -> impl Strategy<Value = String> {
    let kind = select(vec!["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]);
    let present = vec(prop::bool::weighted(0.97), 8);
    let changes = vec((select(NAMES.to_vec()), option::of(value())), 0..4);
    let extra = vec(("[a-c]|\\\\u0061|Typ\\\\u0065", value()), 0..3);
    (kind, present, changes, extra, prop::bool::weighted(0.9)).prop_map(
        |(kind, present, changes, extra, whole)| {
            let mut members: Vec<(String, String)> = NAMES[..8]
                .iter()
                .chain(if kind == "Notification" || !whole { &[][..] } else { &NAMES[12..14] })
                .enumerate()
                .filter(|(index, _)| present.get(*index).is_none_or(|present| *present))
                .map(|(_, name)| ((*name).into(), ordinary(name).into()))
                .collect();
            for (name, value) in &mut members {
                if name == "Type" {
                    *value = format!("{kind:?}");
                }
            }
            for (name, value) in changes {
                let value = value.unwrap_or_else(|| ordinary(name).into());
                match members.iter_mut().find(|(known, _)| known == name) {
                    Some(member) => member.1 = value,
                    None => members.push((name.into(), value)),
                }
            }
            members.extend(extra);
            written(&members)
        },
    )
}

fn written(members: &[(String, String)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in members.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(text, "{comma}\"{name}\" :{value}").unwrap();
    }
    text.push('}');
    text
}

/// A body of any kind, with objects in records and texts in them.
fn body() -> impl Strategy<Value = String> {
    let string = |text: String| serde_json::to_string(&text).unwrap();
    let record = prop_oneof![
        2 => object().prop_map(|sns| format!(r#"{{"EventSource":"aws:sns","Sns":{sns}}}"#)),
        2 => object().prop_map(move |body| format!(
            r#"{{"messageId":"q-1","body":{},"eventSource":"aws:sqs"}}"#, string(body))),
        1 => object().prop_map(move |body| format!(
            r#"{{"messageId":"q-2","eventSource":"aws:sqs","body":{}}}"#,
            string(format!(r#"{{"Records":[{{"Sns":{body}}}]}}"#)))),
        1 => value(),
        1 => object(),
    ];
    prop_oneof![
        4 => object(),
        2 => vec(record, 0..4).prop_map(|items| format!(r#" {{"Records":[{}]}} "#, items.join(","))),
        1 => value(),
    ]
}

fn builder() -> impl Strategy<Value = Envelope<'static>> {
    let line = r#"[^\x00-\x1F\x7F-\u{9F}]{0,12}"#;
    let id = "[0-9a-fA-F]{8}(-[0-9a-f]{4}){3}-[0-9A-F]{12}";
    let text = prop_oneof![".{0,20}", r#"["\\\n\t\x00-\x1F\x7F€😀]{0,9}"#];
    let confirmation = (line, line);
    let rest = (option::of(line), option::of(line), (line, line, line));
    (0..3, id, line, text, confirmation, rest).prop_map(
        |(kind, id, timestamp, message, (token, link), (subject, unsubscribe, signature))| {
            let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap();
            let envelope = match kind {
                0 => {
                    let mut envelope =
                        Envelope::notification(&topic, id, timestamp, message).unwrap();
                    if let Some(subject) = subject {
                        envelope = envelope.with_subject(subject).unwrap();
                    }
                    if let Some(url) = unsubscribe {
                        envelope = envelope.with_unsubscribe_url(url).unwrap();
                    }
                    envelope
                }
                1 => {
                    Envelope::subscription_confirmation(&topic, id, timestamp, message, token, link)
                        .unwrap()
                }
                _ => {
                    Envelope::unsubscribe_confirmation(&topic, id, timestamp, message, token, link)
                        .unwrap()
                }
            };
            let (version, signature, cert_url) = signature;
            envelope.signed(version, signature, cert_url).into_owned()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_body_is_told_as_the_naive_one_tells_it(body in body(), accept in any::<bool>()) {
        for via in [Via::Http, Via::SqsBody, Via::LambdaEvent] {
            let policy = if accept { RawPolicy::Accept } else { RawPolicy::Reject };
            let classifier = Classifier::new(via).with_raw_policy(policy);
            let inbound = classifier.classify(body.as_bytes(), &Headers::default());
            prop_assert_eq!(seen(&inbound), classify(via, accept, body.as_bytes()), "{:?}", inbound);
        }
    }

    #[test]
    fn what_is_built_is_read_back(envelope in builder()) {
        let body = envelope.encode();
        let headers = Headers::from_pairs(envelope.headers());
        for via in [Via::Http, Via::SqsBody] {
            let inbound = Classifier::new(via).classify(&body, &headers);
            prop_assert_eq!(inbound, Ok(Inbound::Envelope(envelope.clone())));
        }
        let body = envelope.encode_lambda("arn");
        let event = Classifier::new(Via::LambdaEvent).classify(&body, &Headers::default());
        let Ok(Inbound::Records(records)) = event else { panic!("{event:?}") };
        let [Ok(record)] = &records[..] else { panic!("{records:?}") };
        prop_assert_eq!(&record.delivery, &Delivery::Envelope(envelope));
    }

    #[test]
    fn no_bytes_do_harm(body in vec(any::<u8>(), 0..200)) {
        for via in [Via::Http, Via::SqsBody, Via::LambdaEvent] {
            let inbound = Classifier::new(via).classify(&body, &Headers::default());
            let accept = via != Via::Http;
            prop_assert_eq!(seen(&inbound), classify(via, accept, &body));
        }
    }
}
