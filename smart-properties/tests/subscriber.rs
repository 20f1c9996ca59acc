//! Deliveries of every kind through the whole way: what each is handed over as, and what is remembered of it.

use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    EventKind, Instant,
    dedupe::{Admission, Config},
    event::EventBuilder,
    order::OrderKey,
    sns::{
        Admitted, Answer, CertUrl, Classifier, Content, ControlError, Delivery, Digest, Envelope,
        Headers, Inbound, PathRule, Subscriber, SubscriberError, UrlError, Verifier, VerifyError,
        Via,
    },
};
use verifying::{
    pem,
    stand_in::{CERT_URL, StandIn, signed},
    topic,
};

#[expect(dead_code, reason = "no vectors are read here")]
mod verifying;

const NOW: UnixMillis = UnixMillis::new(1_714_557_604_000);
const MONO: MonoTime = MonoTime::ORIGIN;
const TIMESTAMP: &str = "2024-05-01T10:00:03.120Z";
const EVENT_TIME: &str = "2024-05-01T10:00:00Z";
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const OTHER_ID: &str = "bbbbbbbb-0001-5000-8000-000000000001";
const TOKEN: &str = "0123456789abcdef";

fn subscriber() -> Subscriber<StandIn> {
    let verifier = Verifier::new(Via::Http, [topic()]);
    let mut subscriber = Subscriber::new(verifier, Config::default(), StandIn);
    let url = CertUrl::parse(CERT_URL, &topic(), PathRule::Strict).unwrap();
    subscriber.fetched(url, pem("C-GOOD").as_bytes(), NOW).unwrap();
    subscriber
}

fn notification(id: &'static str, message: &str) -> Delivery<'static> {
    let topic = topic();
    let envelope = Envelope::notification(&topic, id, TIMESTAMP, message).unwrap();
    Delivery::Envelope(signed(envelope, Digest::Sha256).into_owned())
}

fn event() -> String {
    let event_type = EventKind::SetupCompletion.event_type().unwrap();
    let builder = EventBuilder::new(event_type, "d-1").with_timestamp(EVENT_TIME);
    builder.with_payload("{}").encode().unwrap()
}

fn raw(body: &str) -> Delivery<'_> {
    match Classifier::new(Via::SqsBody).classify(body.as_bytes(), &Headers::default()) {
        Ok(Inbound::Raw(raw)) => Delivery::Raw(raw),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_is_one_whichever_message_brings_it() {
    let (mut subscriber, event) = (subscriber(), event());
    let Admitted::Fresh(fresh) = subscriber.admit(MONO, NOW, notification(ID, &event)).unwrap()
    else {
        panic!()
    };
    let order = fresh.order(&fresh.event().unwrap());
    assert_eq!(order, OrderKey::new(Instant::parse(EVENT_TIME), Instant::parse(TIMESTAMP)));
    assert_eq!(fresh.verified().unwrap().message_id(), ID);

    let again = subscriber.admit(MONO, NOW, notification(OTHER_ID, &event)).unwrap();
    assert!(matches!(again, Admitted::Seen(Admission::InFlight)), "{again:?}");
    let again = subscriber.admit(MONO, NOW, raw(&event)).unwrap();
    assert!(matches!(again, Admitted::Seen(Admission::InFlight)), "{again:?}");
    subscriber.commit(MONO, &fresh);
    let again = subscriber.admit(MONO, NOW, notification(OTHER_ID, &event)).unwrap();
    assert!(matches!(again, Admitted::Seen(Admission::DuplicateEvent { .. })), "{again:?}");
    let spaced = format!(" {event}");
    let again = subscriber.admit(MONO, NOW, raw(&spaced)).unwrap();
    assert!(matches!(again, Admitted::Seen(Admission::DuplicateEvent { .. })), "{again:?}");
}

#[test]
fn a_text_is_one_by_its_message_or_by_its_bytes() {
    let mut subscriber = subscriber();
    let mut is_fresh = |delivery| {
        let admitted = subscriber.admit(MONO, NOW, delivery).unwrap();
        matches!(admitted, Admitted::Fresh(_))
    };
    assert!(is_fresh(notification(ID, "hello")));
    assert!(is_fresh(notification(OTHER_ID, "hello")));
    assert!(!is_fresh(notification(ID, "hello")));
    assert!(is_fresh(raw("hello")));
    assert!(is_fresh(raw("hello ")));
    assert!(!is_fresh(raw("hello")));
}

#[test]
fn what_is_raw_is_handed_over_unverified() {
    let (mut subscriber, event) = (subscriber(), event());
    let Admitted::Fresh(fresh) = subscriber.admit(MONO, NOW, raw(&event)).unwrap() else {
        panic!()
    };
    assert!(fresh.verified().is_none());
    assert_eq!(fresh.bytes(), event.as_bytes());
    let order = fresh.order(&fresh.event().unwrap());
    assert_eq!(order, OrderKey::new(Instant::parse(EVENT_TIME), None));
    subscriber.abort(&fresh);
    let again = subscriber.admit(MONO, NOW, raw(&event)).unwrap();
    assert!(matches!(again, Admitted::Fresh(_)), "{again:?}");
}

#[test]
fn control_messages_are_told_each_time_and_never_fresh() {
    let (mut subscriber, topic) = (subscriber(), topic());
    let url = |host: &str| {
        format!("https://{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token={TOKEN}")
    };
    let (good, bad) = (url("sns.us-east-1.amazonaws.com"), url("evil.example"));
    let question =
        |url| Envelope::subscription_confirmation(&topic, ID, TIMESTAMP, "m", TOKEN, url).unwrap();
    let end =
        |url| Envelope::unsubscribe_confirmation(&topic, ID, TIMESTAMP, "m", TOKEN, url).unwrap();
    let mut admit = |envelope| {
        let delivery = Delivery::Envelope(signed(envelope, Digest::Sha256));
        let admitted = subscriber.admit(MONO, NOW, delivery)?;
        let Admitted::Control(verified) = admitted else { panic!("{admitted:?}") };
        let content = verified.content().unwrap();
        Ok::<_, SubscriberError>(match content {
            Content::Confirm(confirm) => Some(confirm.url().to_owned()),
            Content::Unsubscribed => None,
            other => panic!("{other:?}"),
        })
    };
    for _ in 0..2 {
        assert_eq!(admit(question(&good)), Ok(Some(good.clone())));
        // Its URL would subscribe again, wherever it leads.
        assert_eq!(admit(end(&good)), Ok(None));
        assert_eq!(admit(end(&bad)), Ok(None));
    }
    let refused = ControlError::SubscribeUrl(UrlError::HostMismatch);
    assert_eq!(admit(question(&bad)), Err(SubscriberError::Control(refused)));
    assert_eq!(SubscriberError::Control(refused).answer(), Answer::Refuse);
}

#[test]
fn nothing_is_remembered_of_what_is_refused() {
    let mut subscriber = subscriber();
    let fresh = subscriber.clone();
    let topic = topic();
    let envelope = || Envelope::notification(&topic, ID, TIMESTAMP, "hello").unwrap();
    let forged = signed(envelope(), Digest::Sha256).with_subject("other").unwrap();
    let refused = subscriber.admit(MONO, NOW, Delivery::Envelope(forged)).map(drop);
    assert_eq!(refused, Err(SubscriberError::Verify(VerifyError::BadSignature)));
    assert_eq!(subscriber, fresh);

    let elsewhere = CERT_URL.replace("abcdef.pem", "abcde0.pem");
    let unknown = envelope().signed("2", "", &*elsewhere);
    let admitted = subscriber.admit(MONO, NOW, Delivery::Envelope(unknown.clone())).unwrap();
    let Admitted::CertificateWanted { url, envelope } = admitted else { panic!("{admitted:?}") };
    assert_eq!((url.as_str(), envelope), (&*elsewhere, unknown));
    assert!(subscriber.fetched(url, b"<html>", NOW).is_err());
    assert_eq!(subscriber, fresh);
}
