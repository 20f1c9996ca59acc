//! What a topic sends to each kind of endpoint, and who gets it (specification, sections 4 and 6).

use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis};
use smart_properties::{
    service::{
        Endpoint, Event, Form, GivenUp, Publication, ServiceError, Topic,
        transport::{Answered, Deliver, Visited},
    },
    sns::{
        Certificate, Classifier, Content, Delivery, Envelope, Headers, Inbound, MessageType,
        SignatureVersion, Verified, Verifier, Via,
    },
};

use crate::peer::{
    CERTIFICATE, START, StandIn, StandInVerify, arn, at, config, drain, http, topic,
};

/// What a receiver makes of a delivery that is enveloped.
fn open(deliver: &Deliver) -> Envelope<'static> {
    let via = match deliver.endpoint {
        Endpoint::Http(_) => Via::Http,
        Endpoint::Queue(_) => Via::SqsBody,
        _ => Via::LambdaEvent,
    };
    let headers = Headers::from_pairs(deliver.headers());
    let envelope = match Classifier::new(via).classify(&deliver.body, &headers).unwrap() {
        Inbound::Envelope(envelope) => envelope,
        Inbound::Records(mut records) => match records.remove(0).unwrap().delivery {
            Delivery::Envelope(envelope) => envelope,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    envelope.into_owned()
}

fn verify(envelope: Envelope<'static>) -> Verified<'static> {
    let unverified = Verifier::new(Via::Http, [arn()]).check(envelope).unwrap();
    let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
    unverified.verify(&certificate, &StandInVerify, START).unwrap()
}

fn header<'d>(deliver: &'d Deliver, name: &str) -> Option<&'d str> {
    deliver.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn accept(topic: &mut Topic<StandIn>, now: MonoTime, delivers: &[Deliver]) -> Vec<Event> {
    for deliver in delivers {
        topic.handle_input(now, Answered::new(deliver.attempt, 200).into()).unwrap();
    }
    drain(topic).1
}

/// A topic with this one endpoint of HTTP, confirmed.
fn confirmed(form: Form) -> Topic<StandIn> {
    let mut topic = topic(config());
    topic.subscribe(at(0), http(1), form).unwrap();
    let (delivers, _) = drain(&mut topic);
    visit(&mut topic, at(0), &delivers[0]).unwrap();
    accept(&mut topic, at(0), &delivers);
    topic
}

fn visit(
    topic: &mut Topic<StandIn>,
    now: MonoTime,
    deliver: &Deliver,
) -> Result<Vec<Event>, ServiceError> {
    let envelope = open(deliver);
    topic.handle_input(now, Visited::new(envelope.subscribe_url().unwrap()).into())?;
    Ok(drain(topic).1)
}

#[test]
fn nothing_is_delivered_before_the_url_was_visited() {
    let mut topic = topic(config());
    let subscription = topic.subscribe(at(0), http(1), Form::Envelope).unwrap();
    let (delivers, _) = drain(&mut topic);
    let [asked] = &delivers[..] else { panic!("{delivers:?}") };
    assert_eq!(header(asked, "x-amz-sns-message-type"), Some("SubscriptionConfirmation"));
    assert_eq!(header(asked, "x-amz-sns-subscription-arn"), None);
    let verified = verify(open(asked));
    let Content::Confirm(confirm) = verified.content().unwrap() else { panic!() };

    topic.publish(at(1), &Publication::new("too early")).unwrap();
    assert_eq!(drain(&mut topic), (vec![], vec![]));

    let forged = format!("{}x", confirm.url());
    let visited = Visited::new(&forged).into();
    assert_eq!(topic.handle_input(at(2), visited), Err(ServiceError::UnknownToken));
    let elsewhere = confirm.url().replace("us-east-1.", "us-east-2.");
    let visited = Visited::new(&elsewhere).into();
    assert_eq!(topic.handle_input(at(2), visited), Err(ServiceError::UnknownToken));
    assert_eq!(topic.subscriptions().count(), 0);

    topic.handle_input(at(3), Visited::new(confirm.url()).into()).unwrap();
    let told = Event::Confirmed { subscription: subscription.clone() };
    assert_eq!(drain(&mut topic), (vec![], vec![told]));
    // Once more, or by the action instead, it stays confirmed.
    topic.handle_input(at(3), Visited::new(confirm.url()).into()).unwrap();
    assert_eq!(topic.confirm(at(3), confirm.token()), Ok(subscription));
    assert_eq!(drain(&mut topic), (vec![], vec![]));

    topic.publish(at(4), &Publication::new("hello")).unwrap();
    assert_eq!(drain(&mut topic).0.len(), 1);
}

#[test]
fn a_notification_says_the_same_to_every_kind_of_endpoint() {
    for version in [SignatureVersion::V1, SignatureVersion::V2] {
        let mut topic = topic(config().with_signature_version(version));
        topic.subscribe(at(0), http(1), Form::Envelope).unwrap();
        let (asked, _) = drain(&mut topic);
        visit(&mut topic, at(0), &asked[0]).unwrap();
        let queue = Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into());
        let function = "arn:aws:lambda:us-east-1:123456789012:function:f";
        topic.subscribe(at(0), queue, Form::Envelope).unwrap();
        topic.subscribe(at(0), Endpoint::Function(function.into()), Form::Raw).unwrap();
        let confirmed = drain(&mut topic).1;
        assert_eq!(confirmed.len(), 2, "a queue and a function need no visit");

        let publication = Publication::new("hello \"you\"\n\u{e9}").with_subject("greeting");
        let message_id = topic.publish(at(1), &publication).unwrap();
        let (delivers, _) = drain(&mut topic);
        assert_eq!(delivers.len(), 3);
        for deliver in &delivers {
            let envelope = open(deliver);
            assert_eq!(envelope.message_type(), MessageType::Notification);
            assert_eq!(envelope.timestamp(), "2024-05-01T10:00:01.000Z");
            let url = envelope.unsubscribe_url().unwrap().to_owned();
            assert!(url.starts_with("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&"));
            let verified = verify(envelope);
            assert_eq!(verified.message_id(), message_id.as_str());
            assert_eq!(verified.message(), "hello \"you\"\n\u{e9}");
            assert_eq!(verified.subject(), Some("greeting"));
            assert_eq!(verified.signature_version(), version);
            let is_http = matches!(deliver.endpoint, Endpoint::Http(_));
            assert_eq!(deliver.headers.is_empty(), !is_http);
            assert_eq!(header(deliver, "x-amz-sns-rawdelivery"), None);
            if is_http {
                let arn = header(deliver, "x-amz-sns-subscription-arn").unwrap();
                assert!(url.ends_with(arn));
                assert_eq!(header(deliver, "x-amz-sns-message-id"), Some(message_id.as_str()));
                assert_eq!(header(deliver, "content-type"), Some("text/plain; charset=UTF-8"));
            }
        }
    }
}

#[test]
fn a_raw_delivery_is_the_text_alone() {
    let mut topic = confirmed(Form::Raw);
    let queue = Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into());
    topic.subscribe(at(0), queue, Form::Raw).unwrap();
    let publication = Publication::new("{\"header\":{}}").with_subject("lost");
    topic.publish(at(0), &publication).unwrap();
    let (delivers, _) = drain(&mut topic);
    assert!(delivers.iter().all(|deliver| deliver.body == b"{\"header\":{}}"));
    let raw: Vec<_> =
        delivers.iter().map(|deliver| header(deliver, "x-amz-sns-rawdelivery")).collect();
    assert!(raw.contains(&Some("true")) && raw.contains(&None), "a queue has no headers");
}

#[test]
fn an_endpoint_is_subscribed_once_and_asked_again() {
    let mut topic = topic(config());
    let first = topic.subscribe(at(0), http(1), Form::Envelope).unwrap();
    let again = topic.subscribe(at(5), http(1), Form::Envelope).unwrap();
    assert_eq!(first, again);
    let (delivers, _) = drain(&mut topic);
    assert_eq!(delivers.len(), 2);
    let tokens: Vec<_> = delivers.iter().map(|it| open(it).token().map(str::to_owned)).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(open(&delivers[0]).message_id(), open(&delivers[1]).message_id());
    visit(&mut topic, at(6), &delivers[1]).unwrap();
    assert_eq!(topic.subscribe(at(7), http(1), Form::Envelope), Ok(first));
    assert_eq!(drain(&mut topic), (vec![], vec![]));
}

#[test]
fn whoever_is_unsubscribed_is_told_and_may_come_back() {
    let mut topic = confirmed(Form::Envelope);
    let subscription = topic.subscriptions().next().unwrap().clone();
    topic.publish(at(1), &Publication::new("on its way")).unwrap();
    drain(&mut topic);
    topic.unsubscribe(at(2), &subscription).unwrap();
    let (delivers, events) = drain(&mut topic);
    let [Event::GivenUp { reason: GivenUp::Unsubscribed, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    let [told] = &delivers[..] else { panic!("{delivers:?}") };
    assert_eq!(header(told, "x-amz-sns-message-type"), Some("UnsubscribeConfirmation"));
    assert!(matches!(verify(open(told)).content(), Ok(Content::Unsubscribed)));
    let unknown = Err(ServiceError::UnknownSubscription { subscription: subscription.clone() });
    assert_eq!(topic.unsubscribe(at(3), &subscription), unknown);
    topic.publish(at(3), &Publication::new("to nobody")).unwrap();
    assert_eq!(drain(&mut topic), (vec![], vec![]));

    let events = visit(&mut topic, at(4), told).unwrap();
    assert_eq!(events, [Event::Confirmed { subscription }]);
    topic.publish(at(5), &Publication::new("back")).unwrap();
    assert_eq!(drain(&mut topic).0.len(), 1);
}

#[test]
fn a_message_that_is_delivered_twice_has_one_id() {
    let mut topic = confirmed(Form::Envelope);
    topic.publish(at(1), &Publication::new("twice").delivered_twice()).unwrap();
    let (delivers, _) = drain(&mut topic);
    assert_eq!(delivers.len(), 2);
    assert_eq!(delivers[0].body, delivers[1].body);
    assert_ne!(delivers[0].attempt.delivery, delivers[1].attempt.delivery);
    assert_eq!(accept(&mut topic, at(1), &delivers).len(), 2);
}

#[test]
fn what_sns_would_not_take_is_refused_and_changes_nothing() {
    let mut topic = confirmed(Form::Envelope);
    let before = topic.clone();
    let limit = 262_144;
    let refused = topic.publish(at(1), &Publication::new(""));
    assert_eq!(refused, Err(ServiceError::MessageSize { bytes: 0, limit }));
    let refused = topic.publish(at(1), &Publication::new("x".repeat(limit + 1)));
    assert_eq!(refused, Err(ServiceError::MessageSize { bytes: limit + 1, limit }));
    let refused = topic.publish(at(1), &Publication::new("x").with_subject("two\nlines"));
    assert!(matches!(refused, Err(ServiceError::BadPublication(_))), "{refused:?}");
    assert_eq!(topic, before);
    assert!(topic.publish(at(1), &Publication::new("x".repeat(limit))).is_ok());

    topic.set_wall_clock(at(1), UnixMillis::new(i64::MAX));
    assert_eq!(topic.publish(at(1), &Publication::new("x")), Err(ServiceError::NoDate));
}

#[test]
fn limits_are_kept() {
    let config = config().with_max_subscriptions(2).with_max_deliveries(3).with_max_queued(4);
    let mut topic = topic(config);
    topic.subscribe(at(0), http(1), Form::Envelope).unwrap();
    topic.subscribe(at(0), http(2), Form::Envelope).unwrap();
    let refused = topic.subscribe(at(0), http(3), Form::Envelope);
    assert_eq!(refused, Err(ServiceError::TooManySubscriptions { limit: 2 }));
    let (delivers, _) = drain(&mut topic);
    visit(&mut topic, at(0), &delivers[0]).unwrap();
    visit(&mut topic, at(0), &delivers[1]).unwrap();
    let refused = topic.publish(at(0), &Publication::new("x"));
    let too_many = ServiceError::TooManyDeliveries { open: 2, more: 2, limit: 3 };
    assert_eq!(refused, Err(too_many));
    accept(&mut topic, at(0), &delivers);
    topic.publish(at(0), &Publication::new("x")).unwrap();
    let url = open(&delivers[0]).subscribe_url().unwrap().to_owned();
    topic.handle_input(at(0), Visited::new(&url).into()).unwrap();
    // Two deliveries and, when they are late, two failures.
    topic.handle_timeout(at(15));
    let refused = topic.handle_input(at(15), Visited::new(&url).into());
    assert_eq!(refused, Err(ServiceError::QueueFull { limit: 4 }));
    drain(&mut topic);
    assert_eq!(topic.handle_input(at(15), Visited::new(&url).into()), Ok(()));
}

/// What is due and waits for room comes before all that is told later.
#[test]
fn nothing_overtakes_what_a_full_queue_holds_back() {
    let mut topic = topic(config().with_max_queued(1));
    let queue = Endpoint::Queue("arn:aws:sqs:us-east-1:123456789012:q".into());
    topic.subscribe(at(0), queue, Form::Envelope).unwrap();
    drain(&mut topic);
    topic.publish(at(0), &Publication::new("x").delivered_twice()).unwrap();
    assert_eq!(drain(&mut topic).0.len(), 2);
    topic.handle_timeout(at(15));
    assert!(matches!(topic.poll_output(), Output::Event(Event::AttemptFailed { .. })));
    let refused = topic.publish(at(15), &Publication::new("y"));
    assert_eq!(refused, Err(ServiceError::QueueFull { limit: 1 }));
    assert_eq!(drain(&mut topic).1.len(), 1, "the other attempt has failed as well");
    assert!(topic.publish(at(15), &Publication::new("y")).is_ok());
}
