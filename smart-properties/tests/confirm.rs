//! Which questions for a confirmation are handed on, signed though they are all.

use iot_sansio::{MonoTime, UnixMillis};
use proptest::prelude::*;
use smart_properties::{
    dedupe,
    sns::{
        Admitted, Answer, CertUrl, Content, ControlError, Delivery, Digest, Envelope, PathRule,
        Subscriber, SubscriberError, UrlError, Verified, Verifier, Via,
    },
};
use verifying::{
    TOPIC, certificate, pem,
    stand_in::{CERT_URL, StandIn, signed},
    topic,
};

#[path = "naive/url.rs"]
#[expect(dead_code, reason = "the other rule is that of certificates")]
mod naive;
#[expect(dead_code, reason = "the data of the specification is not needed here")]
mod verifying;

const HOST: &str = "sns.us-east-1.amazonaws.com";
const TOKEN: &str = "0123456789abcdef";

#[test]
fn the_url_asks_for_this_confirmation_and_nothing_else() {
    let good = format!("https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}");
    assert_eq!(confirm(&good), Ok(good.clone()));
    // In any order, and with parameters that change nothing about what is asked for.
    let other = format!(
        "https://{HOST}/?Token={TOKEN}&TopicArn={TOPIC}&Version=2010-03-31&Action=ConfirmSubscription"
    );
    assert_eq!(confirm(&other), Ok(other.clone()));

    let mismatch = |parameter| ControlError::Mismatch { parameter };
    let url = ControlError::SubscribeUrl;
    for (from, to, error) in [
        ("https://", "http://", url(UrlError::NotHttps)),
        (HOST, "sns.eu-west-1.amazonaws.com", url(UrlError::HostMismatch)),
        (HOST, "sns.us-east-1.amazonaws.com.evil.example", url(UrlError::HostMismatch)),
        (HOST, "sns.us-east-1.amazonaws.com@evil.example", url(UrlError::BadAuthority)),
        (HOST, "user@sns.us-east-1.amazonaws.com", url(UrlError::BadAuthority)),
        (HOST, "sns.us-east-1.amazonaws.com:443", url(UrlError::BadAuthority)),
        ("/?", "?", url(UrlError::BadPath)),
        ("/?", "/x?", url(UrlError::BadPath)),
        ("/?", "/#?", url(UrlError::BadPath)),
        ("Action=ConfirmSubscription&", "", mismatch("Action")),
        ("ConfirmSubscription", "DeleteTopic", mismatch("Action")),
        ("ConfirmSubscription", "ConfirmSubscription2", mismatch("Action")),
        ("Action=", "action=", mismatch("Action")),
        ("?", "?Action=Unsubscribe&", mismatch("Action")),
        ("?", "?Action=ConfirmSubscription&", mismatch("Action")),
        ("?", "?Action&", mismatch("Action")),
        ("asp-events", "other", mismatch("TopicArn")),
        ("&Token=", "&TopicArn=&Token=", mismatch("TopicArn")),
        (TOKEN, "0123", mismatch("Token")),
        ("&Token=", "&token=", mismatch("Token")),
        ("Action", "%41ction", ControlError::BadQuery),
        (TOKEN, "0123456789abcdef#", ControlError::BadQuery),
        (TOKEN, "0123456789abcdef;Action=Unsubscribe", ControlError::BadQuery),
        (TOKEN, "0123456789abcdef+", ControlError::BadQuery),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert_eq!(confirm(&bad), Err(error), "{bad}");
        assert_eq!(error.answer(), Answer::Refuse);
        assert!(!error.to_string().contains(TOKEN));
    }
}

#[test]
fn the_limit_is_exact() {
    let start =
        format!("https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}&x=");
    let longest = start.clone() + &"x".repeat(2048 - start.len());
    assert!(confirm(&longest).is_ok());
    let too_long = UrlError::TooLong { bytes: 2049, max: 2048 };
    assert_eq!(confirm(&(longest + "x")), Err(ControlError::SubscribeUrl(too_long)));
}

#[test]
fn the_end_of_a_subscription_has_no_url() {
    let url = "https://evil.example/";
    let envelope =
        Envelope::unsubscribe_confirmation(&TOPIC_ARN, ID, TIMESTAMP, "You chose", TOKEN, url);
    let verified = verified(envelope.unwrap());
    let content = verified.content();
    assert!(matches!(content, Ok(Content::Unsubscribed)));
    assert!(!format!("{verified:?} {content:?}").contains("evil"));
}

/// Signed though it is, and from the right topic.
#[test]
fn a_subscriber_refuses_a_question_whose_url_asks_for_something_else() {
    let mut subscriber =
        Subscriber::new(Verifier::new(Via::Http, [topic()]), dedupe::Config::default(), StandIn);
    let url = CertUrl::parse(CERT_URL, &TOPIC_ARN, PathRule::default()).unwrap();
    let wall = UnixMillis::new(1_714_557_604_000);
    subscriber.fetched(url, pem("C-GOOD").as_bytes(), wall).unwrap();
    let mut admit = |url: &str| {
        let envelope =
            Envelope::subscription_confirmation(&TOPIC_ARN, ID, TIMESTAMP, "You chose", TOKEN, url);
        let envelope = signed(envelope.unwrap(), Digest::Sha256).into_owned();
        subscriber.admit(MonoTime::ORIGIN, wall, Delivery::Envelope(envelope))
    };
    let good = format!("https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}");
    assert!(matches!(admit(&good), Ok(Admitted::Control(_))));
    let error = admit(&good.replace("Confirm", "Delete")).unwrap_err();
    let mismatch = ControlError::Mismatch { parameter: "Action" };
    assert_eq!((error, error.answer()), (SubscriberError::Control(mismatch), Answer::Refuse));
}

proptest! {
    #[test]
    fn only_what_can_be_put_together_again_is_handed_on(pieces in pieces()) {
        let url = pieces.concat();
        let is_good = naive::subscribe_url(&url, HOST, TOPIC, TOKEN);
        prop_assert_eq!(confirm(&url).is_ok(), is_good, "{}", url);
    }
}

/// The parts of a good URL, with a few that are not.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    let good = [
        "https://",
        HOST,
        "/?",
        "Action=ConfirmSubscription",
        "&",
        "TopicArn=",
        TOPIC,
        "&",
        "Token=",
        TOKEN,
    ];
    let other = prop::sample::select(
        &[
            "",
            "&",
            "=",
            "Action=ConfirmSubscription",
            "&Action",
            "&Action=",
            "&Token=",
            "TopicArn=",
            "&x=1",
            "?",
            "/",
            "#",
            "%",
            "+",
            "@",
            ".",
            "x",
            "&&",
        ][..],
    );
    let change = prop::option::of((0..good.len(), any::<bool>(), other));
    prop::collection::vec(change, 0..3).prop_map(move |changes| {
        let mut pieces = good.map(String::from).to_vec();
        for (at, instead, other) in changes.into_iter().flatten() {
            if instead {
                pieces[at] = other.into();
            } else {
                pieces.insert(at + 1, other.into());
            }
        }
        pieces
    })
}

fn confirm(url: &str) -> Result<String, ControlError> {
    let envelope =
        Envelope::subscription_confirmation(&TOPIC_ARN, ID, TIMESTAMP, "You chose", TOKEN, url);
    match verified(envelope.unwrap()).content()? {
        Content::Confirm(confirm) => {
            assert_eq!((confirm.topic(), confirm.token()), (&*TOPIC_ARN, TOKEN));
            Ok(confirm.url().into())
        }
        other => panic!("{other:?}"),
    }
}

fn verified(envelope: Envelope<'_>) -> Verified<'_> {
    let envelope = signed(envelope, Digest::Sha256);
    let unverified = Verifier::new(Via::Http, [topic()]).check(envelope).unwrap();
    let now = UnixMillis::new(1_714_557_604_000);
    unverified.verify(&certificate("C-GOOD").unwrap(), &StandIn, now).unwrap()
}

const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";
const TIMESTAMP: &str = "2024-05-01T10:00:03.120Z";
static TOPIC_ARN: std::sync::LazyLock<smart_properties::TopicArn> = std::sync::LazyLock::new(topic);
