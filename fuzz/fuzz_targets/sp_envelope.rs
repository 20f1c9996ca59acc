//! Any bytes, told by the classifier whichever way they come, and by a naive one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use smart_properties::sns::{
    Classifier, Delivery, Envelope, EnvelopeError, Headers, Inbound, RawPolicy, RecordErrorKind,
    Via,
};

#[path = "../../smart-properties/tests/naive/classify.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    for via in [Via::Http, Via::SqsBody, Via::LambdaEvent] {
        for (policy, accept) in [(RawPolicy::Accept, true), (RawPolicy::Reject, false)] {
            let classifier = Classifier::new(via).with_raw_policy(policy);
            let inbound = classifier.classify(bytes, &Headers::default());
            assert_eq!(naive::seen(&inbound), naive::classify(via, accept, bytes), "{inbound:?}");
            match inbound {
                Ok(Inbound::Envelope(envelope)) => survives_its_own_encoding(&envelope),
                Ok(Inbound::Raw(raw)) => assert!(accept && raw.bytes() == bytes),
                Ok(Inbound::Records(records)) => {
                    for record in records {
                        match record.map(|record| record.delivery) {
                            Ok(Delivery::Envelope(envelope)) => {
                                survives_its_own_encoding(&envelope)
                            }
                            Ok(Delivery::Raw(_)) => assert!(accept),
                            Err(error) => match &error.kind {
                                RecordErrorKind::Envelope(kind) => explains_itself(kind),
                                _ => assert!(!error.to_string().is_empty()),
                            },
                        }
                    }
                }
                Err(error) => explains_itself(&error),
            }
        }
    }
});

fn survives_its_own_encoding(envelope: &Envelope<'_>) {
    let body = envelope.encode();
    let headers = Headers::from_pairs(envelope.headers());
    for via in [Via::Http, Via::SqsBody] {
        let inbound = Classifier::new(via).classify(&body, &headers);
        assert_eq!(inbound, Ok(Inbound::Envelope(envelope.clone())));
    }
    let event = envelope.encode_lambda("arn");
    let inbound = Classifier::new(Via::LambdaEvent).classify(&event, &Headers::default());
    let Ok(Inbound::Records(records)) = inbound else { panic!("{inbound:?}") };
    let record = records.into_iter().next().expect("one record").expect("a good one");
    assert_eq!(record.delivery, Delivery::Envelope(envelope.clone()));
    // Nothing that is signed can be taken for two lines of what is signed.
    let signed = [Some(envelope.message_id()), envelope.subject(), Some(envelope.timestamp())];
    assert!(signed.into_iter().flatten().all(|text| !text.contains('\n')));
}

fn explains_itself(error: &EnvelopeError) {
    let printed = error.to_string();
    // A name of 32 characters, each at most `\u{10ffff}` when escaped, and a sentence around it.
    assert!((1..32 * 10 + 200).contains(&printed.len()), "{} bytes", printed.len());
    assert!(!printed.contains(char::is_control), "{printed:?}");
}
