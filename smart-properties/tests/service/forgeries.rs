//! What nobody should believe, and what each is refused for (specification, section 13.3).

use core::time::Duration;

use smart_properties::{
    dedupe,
    service::{Attacker, Forged, Forgery, Form, Publication, Topic, transport::Deliver},
    sns::{
        Admitted, Answer, Classifier, Delivery, EnvelopeError, Headers, Inbound, RecordErrorKind,
        Subscriber, SubscriberError, Verifier, VerifyError, Via,
    },
};

use crate::peer::{
    CERTIFICATE, START, StandIn, StandInVerify, arn, at, config, drain, http, topic,
};

const LIE: &str = r#"{"header":{"version":"2.0","eventId":{"id":"lie"},
    "eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"}},"payload":{}}"#;

/// A message of S-10: it imitates the members behind it.
const IMITATION: &str = "a\nMessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz";

/// What a receiver that has the certificate does.
#[derive(Debug, PartialEq)]
enum Fate {
    Handled,
    Unreadable(EnvelopeError),
    Record(RecordErrorKind),
    Untrusted(SubscriberError),
}

fn receive(forged: &Forged) -> (Fate, Option<Answer>) {
    receive_in(forged.headers(), &forged.body)
}

fn receive_in<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    body: &'a [u8],
) -> (Fate, Option<Answer>) {
    let classifier = Classifier::new(Via::Http);
    let envelope = match classifier.classify(body, &Headers::from_pairs(headers)) {
        Ok(Inbound::Envelope(envelope)) => envelope,
        Ok(Inbound::Records(mut records)) => {
            let error = records.remove(0).expect_err("nobody signed it");
            return (Fate::Record(error.kind), None);
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            let answer = error.answer();
            return (Fate::Unreadable(error), Some(answer));
        }
    };
    let verifier = Verifier::new(Via::Http, [arn()]);
    let mut subscriber = Subscriber::new(verifier, dedupe::Config::default(), StandInVerify);
    let mut admitted = subscriber.admit(at(1), START, Delivery::Envelope(envelope));
    if let Ok(Admitted::CertificateWanted { url, envelope, .. }) = admitted {
        assert!(StandIn::of_sns().is_place(url.as_str()), "never anywhere else");
        subscriber.fetched(url, CERTIFICATE, START).unwrap();
        admitted = subscriber.admit(at(1), START, Delivery::Envelope(envelope));
    }
    match admitted {
        Ok(Admitted::Fresh(_)) => (Fate::Handled, None),
        Ok(other) => panic!("{other:?}"),
        Err(error) => (Fate::Untrusted(error), Some(error.answer())),
    }
}

/// What a confirmed endpoint gets of a publication.
fn published(publication: &Publication) -> (Topic<StandIn>, Deliver) {
    let mut topic = topic(config());
    topic.subscribe(at(0), http(1), Form::Envelope).unwrap();
    let (asked, _) = drain(&mut topic);
    let members: serde_json::Value = serde_json::from_slice(&asked[0].body).unwrap();
    topic.confirm(at(0), members["Token"].as_str().unwrap()).unwrap();
    topic.publish(at(0), publication).unwrap();
    let (mut delivers, _) = drain(&mut topic);
    (topic, delivers.remove(0))
}

fn attacker() -> Attacker<StandIn> {
    Attacker::new(StandIn::of_attacker(), LIE)
}

fn verify(error: VerifyError) -> Fate {
    Fate::Untrusted(SubscriberError::Verify(error))
}

#[test]
fn each_forgery_is_refused_for_its_own_reason() {
    let publication = Publication::new("{}").with_subject("Alexa event");
    let (_, seen) = published(&publication);
    assert_eq!(receive_in(seen.headers(), &seen.body).0, Fate::Handled, "as it came");
    for forgery in Forgery::ALL {
        let forged = attacker().forge(&seen, forgery).unwrap();
        let (fate, answer) = receive(&forged);
        match (forgery, &fate) {
            (
                Forgery::Signature
                | Forgery::Message
                | Forgery::Timestamp
                | Forgery::Version
                | Forgery::Key,
                fate,
            ) => assert_eq!(*fate, verify(VerifyError::BadSignature), "{forgery:?}"),
            (Forgery::Topic, fate) => assert_eq!(*fate, verify(VerifyError::TopicNotAllowed)),
            (
                Forgery::CertificateUrl,
                Fate::Untrusted(SubscriberError::Verify(VerifyError::SigningCertUrl(_))),
            )
            | (Forgery::Header, Fate::Unreadable(EnvelopeError::HeaderMismatch { .. }))
            | (Forgery::Resplit, Fate::Unreadable(EnvelopeError::ControlCharacter { .. }))
            | (Forgery::Bare | Forgery::Raw, Fate::Unreadable(EnvelopeError::RawRejected))
            | (
                Forgery::Record,
                Fate::Record(RecordErrorKind::Envelope(EnvelopeError::RawRejected)),
            ) => {}
            _ => panic!("{forgery:?}: {fate:?}"),
        }
        let is_refused = |answer| matches!(answer, Answer::Refuse | Answer::Malformed);
        assert!(answer.is_none_or(is_refused), "{forgery:?}: {answer:?}");
    }
}

/// The members that are signed, written as the specification says, without a look at what is in them.
fn naive_string_to_sign(body: &[u8]) -> String {
    let members: serde_json::Value = serde_json::from_slice(body).unwrap();
    let names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
    let line =
        |name: &str| members.get(name).map(|it| format!("{name}\n{}\n", it.as_str().unwrap()));
    names.iter().filter_map(|name| line(name)).collect()
}

#[test]
fn a_message_that_is_cut_at_other_places_keeps_its_signature() {
    for publication in
        [Publication::new(IMITATION), Publication::new("one line").with_subject("Alexa event")]
    {
        let (_, seen) = published(&publication);
        let forged = attacker().forge(&seen, Forgery::Resplit).unwrap();
        assert_ne!(forged.body, seen.body);
        assert_eq!(naive_string_to_sign(&forged.body), naive_string_to_sign(&seen.body));
        let (fate, _) = receive(&forged);
        assert!(
            matches!(fate, Fate::Unreadable(EnvelopeError::ControlCharacter { .. })),
            "{fate:?}"
        );
    }
    let (_, seen) = published(&Publication::new("one line, no subject"));
    assert_eq!(attacker().forge(&seen, Forgery::Resplit), None, "nothing to cut");
}

#[test]
fn a_delivery_without_an_envelope_is_not_forged() {
    let mut topic = topic(config());
    topic.subscribe(at(0), http(1), Form::Raw).unwrap();
    let (asked, _) = drain(&mut topic);
    let members: serde_json::Value = serde_json::from_slice(&asked[0].body).unwrap();
    topic.confirm(at(0), members["Token"].as_str().unwrap()).unwrap();
    topic.publish(at(0), &Publication::new("{}")).unwrap();
    let (delivers, _) = drain(&mut topic);
    for forgery in Forgery::ALL {
        assert_eq!(attacker().forge(&delivers[0], forgery), None);
    }
}

#[test]
fn what_is_played_again_is_too_old_after_75_minutes() {
    let (_, seen) = published(&Publication::new("{}"));
    let Ok(Inbound::Envelope(envelope)) =
        Classifier::new(Via::Http).classify(&seen.body, &Headers::default())
    else {
        panic!()
    };
    let mut subscriber = Subscriber::new(
        Verifier::new(Via::Http, [arn()]),
        dedupe::Config::default(),
        StandInVerify,
    );
    let later = |minutes: u64| START.after(Duration::from_secs(60 * minutes));
    let unverified = Verifier::new(Via::Http, [arn()]).check(envelope.clone()).unwrap();
    let url = unverified.certificate_url().clone();
    subscriber.fetched(url, CERTIFICATE, START).unwrap();
    let admitted = subscriber.admit(at(0), later(76), Delivery::Envelope(envelope.clone()));
    assert!(matches!(admitted, Err(SubscriberError::Verify(VerifyError::TooOld { .. }))));
    let admitted = subscriber.admit(at(0), later(75), Delivery::Envelope(envelope));
    assert!(matches!(admitted, Ok(Admitted::Fresh(_))));
}
