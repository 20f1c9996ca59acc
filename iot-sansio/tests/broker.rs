//! The broker model: filters against a naive reference, and what each action is answered with.

use iot_sansio::{
    mqtt::{
        Action, Close, CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Link,
        Message, Open, Opened, Publish, Qos, Subscribe, Token, Transport, Unsubscribe,
    },
    sim::{Broker, OwnedInput, filter_matches},
};
use proptest::prelude::*;

/// The rules of MQTT 3.1.1 section 4.7 word by word, for valid filters and topics.
fn naive_matches(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        ([], []) | (["#"], _) => true,
        (["+", filter @ ..], [_, topic @ ..]) => naive_matches(filter, topic),
        ([wanted, filter @ ..], [level, topic @ ..]) => {
            wanted == level && naive_matches(filter, topic)
        }
        _ => false,
    }
}

fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b", "$SYS", "a$", "ab"])
}

fn topic() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(level(), 1..5)
        .prop_filter("a topic has a character", |levels| levels != &[""])
}

fn filter() -> impl Strategy<Value = Vec<&'static str>> {
    let level = prop_oneof![3 => level(), 2 => Just("+")];
    (prop::collection::vec(level, 0..5), any::<bool>())
        .prop_map(|(mut levels, hash)| {
            levels.extend(hash.then_some("#"));
            levels
        })
        .prop_filter("a filter has a character", |levels| !levels.is_empty() && levels != &[""])
}

proptest! {
    #[test]
    fn filters_match_as_the_naive_reference_says(filter in filter(), topic in topic()) {
        let wild = filter[0] == "+" || filter[0] == "#";
        let expected = naive_matches(&filter, &topic) && !(wild && topic[0].starts_with('$'));
        prop_assert_eq!(filter_matches(&filter.join("/"), &topic.join("/")), expected);
    }

    #[test]
    fn a_topic_matches_itself_and_the_all_of_its_root(topic in topic()) {
        let topic = topic.join("/");
        prop_assert!(filter_matches(&topic, &topic));
        prop_assert_eq!(filter_matches("#", &topic), !topic.starts_with('$'));
    }

    #[test]
    fn any_text_is_a_filter_or_none(filter in "[a+#/$]{0,8}", topic in "[a+#/$]{0,8}") {
        let valid = |filter: &str| {
            let levels: Vec<_> = filter.split('/').collect();
            let last = levels.len() - 1;
            let fits = |(at, level): (usize, &&str)| {
                !level.contains(['+', '#']) || *level == "+" || (*level == "#" && at == last)
            };
            !filter.is_empty() && levels.iter().enumerate().all(fits)
        };
        let mut broker = connected(1);
        let subscribe = Subscribe::new(LINK, Token::new(1), filter.as_str(), Qos::AtMostOnce);
        let told = &told(&mut broker, 0, subscribe)[0];
        prop_assert_eq!(matches!(told.1, OwnedInput::Done(_)), valid(&filter));
        if filter_matches(&filter, &topic) {
            prop_assert!(valid(&filter) && !topic.contains(['+', '#']));
        }
    }
}

#[test]
fn known_cases_of_filters() {
    for (filter, topic, expected) in [
        ("a/#", "a", true),
        ("a/#", "a/", true),
        ("a/#", "a/b/c", true),
        ("a/#", "ab", false),
        ("#", "a", true),
        ("#", "/", true),
        ("#", "$aws/events", false),
        ("+/x", "a/x", true),
        ("+/x", "$a/x", false),
        ("+/x", "/x", true),
        ("+", "a", true),
        ("+", "/a", false),
        ("/+", "/a", true),
        ("+/+", "/a", true),
        ("a/+", "a", false),
        ("a/+", "a/", true),
        ("a/+", "a/b/c", false),
        ("a/+/c", "a/b/c", true),
        ("$aws/#", "$aws/events", true),
        ("$aws/+", "$aws/events", true),
        ("a/$b", "a/$b", true),
        ("a/+", "a/$b", true),
        ("a", "A", false),
        ("a/", "a", false),
        ("é/+", "é/ü", true),
        // Not filters, and not topics.
        ("", "", false),
        ("a/#/b", "a/b/b", false),
        ("a#", "a", false),
        ("a+", "ab", false),
        ("a", "a\0", false),
        ("#", "a/+", false),
        ("a/+", "a/+", false),
    ] {
        assert_eq!(filter_matches(filter, topic), expected, "{filter} {topic}");
    }
    let longest = "a".repeat(65_535);
    assert!(filter_matches("+", &longest));
    assert!(!filter_matches("+", &(longest + "a")));
}

const LINK: Link = Link::new(1);

fn open(link: Link, clean_session: bool) -> Open {
    let options = ConnectOptions::new("broker.example", 1883, Transport::Tcp, "client");
    Open::new(link, options.with_clean_session(clean_session))
}

/// A broker with clients 0, 1, 2.. on it, all with clean sessions.
fn connected(clients: usize) -> Broker {
    let mut broker = Broker::new();
    for client in 0..clients {
        broker.handle(client, open(LINK, true).into());
    }
    broker
}

fn told(broker: &mut Broker, client: usize, action: impl Into<Action>) -> Vec<(usize, OwnedInput)> {
    let deliveries = broker.handle(client, action.into());
    let told = |delivery: iot_sansio::sim::Delivery| (delivery.client, delivery.input);
    deliveries.into_iter().map(told).collect()
}

fn publish(topic: &str, payload: &str, qos: Qos) -> Publish {
    Publish::new(LINK, Token::new(9), topic, payload, qos)
}

fn subscribe(filter: &str, qos: Qos) -> Subscribe {
    Subscribe::new(LINK, Token::new(8), filter, qos)
}

fn done(token: u64) -> OwnedInput {
    OwnedInput::Done(Done::new(LINK, Token::new(token)))
}

fn failed(token: u64) -> OwnedInput {
    OwnedInput::Failed(Failed::new(LINK, Token::new(token)))
}

fn opened(link: Link, session_present: bool) -> OwnedInput {
    OwnedInput::Opened(Opened::new(link, session_present))
}

fn closed(link: Link, reason: CloseReason) -> OwnedInput {
    OwnedInput::Closed(Closed::new(link, reason))
}

fn message(topic: &str, payload: &str, retain: bool) -> OwnedInput {
    let message = Message::new(LINK, topic, payload.as_bytes()).with_retain(retain);
    OwnedInput::from(iot_sansio::mqtt::Input::from(message))
}

#[test]
fn a_refused_connect_is_closed_with_its_code_until_it_is_accepted() {
    let mut broker = Broker::new();
    broker.refuse_connect(0, Some(ConnackCode::NOT_AUTHORIZED));
    let refused = CloseReason::Refused(ConnackCode::NOT_AUTHORIZED);
    assert_eq!(told(&mut broker, 0, open(LINK, true)), [(0, closed(LINK, refused))]);
    assert_eq!(told(&mut broker, 1, open(LINK, true)), [(1, opened(LINK, false))]);
    broker.refuse_connect(0, None);
    let next = LINK.next();
    assert_eq!(told(&mut broker, 0, open(next, true)), [(0, opened(next, false))]);
    assert_eq!(broker.link(0), Some(next));
}

#[test]
fn a_message_reaches_each_matching_client_once_by_the_lower_quality_of_service() {
    let mut broker = connected(3);
    for (client, filter, qos) in [
        (0, "a/#", Qos::AtMostOnce),
        (0, "a/b", Qos::AtLeastOnce),
        (1, "b", Qos::AtLeastOnce),
        (2, "+/b", Qos::AtMostOnce),
    ] {
        assert_eq!(told(&mut broker, client, subscribe(filter, qos)), [(client, done(8))]);
    }
    let deliveries = broker.handle(1, publish("a/b", "x", Qos::ExactlyOnce).into());
    let deliveries: Vec<_> = deliveries.into_iter().map(|d| (d.client, d.input, d.qos)).collect();
    let expected = [
        (1, done(9), Qos::ExactlyOnce),
        (0, message("a/b", "x", false), Qos::AtLeastOnce),
        (2, message("a/b", "x", false), Qos::AtMostOnce),
    ];
    assert_eq!(deliveries, expected);
}

#[test]
fn what_the_test_refuses_fails_until_it_is_allowed_again() {
    let mut broker = connected(1);
    broker.refuse_filter("a/#");
    broker.refuse_topics("b/+");
    assert_eq!(told(&mut broker, 0, subscribe("a/#", Qos::AtMostOnce)), [(0, failed(8))]);
    assert_eq!(told(&mut broker, 0, publish("b/c", "", Qos::AtLeastOnce)), [(0, failed(9))]);
    assert_eq!(told(&mut broker, 0, subscribe("b/c", Qos::AtMostOnce)), [(0, done(8))]);
    let handed_over = told(&mut broker, 0, publish("b/c", "", Qos::AtMostOnce));
    assert_eq!(handed_over, [(0, done(9))], "handed over, and it reached nobody");

    broker.allow_filter("a/#");
    broker.allow_topics("b/+");
    assert_eq!(told(&mut broker, 0, subscribe("a/#", Qos::AtMostOnce)), [(0, done(8))]);
    assert_eq!(told(&mut broker, 0, publish("b/c", "", Qos::AtMostOnce)).len(), 2);
}

#[test]
fn a_topic_with_wildcards_cannot_be_published_on() {
    let mut broker = connected(1);
    for topic in ["a/+", "#", ""] {
        assert_eq!(told(&mut broker, 0, publish(topic, "", Qos::AtMostOnce)), [(0, failed(9))]);
    }
}

#[test]
fn unsubscribed_is_silence() {
    let mut broker = connected(1);
    broker.handle(0, subscribe("a", Qos::AtMostOnce).into());
    let unsubscribe = Unsubscribe::new(LINK, Token::new(7), "a");
    assert_eq!(told(&mut broker, 0, unsubscribe), [(0, done(7))]);
    assert_eq!(told(&mut broker, 0, publish("a", "", Qos::AtMostOnce)), [(0, done(9))]);
}

#[test]
fn a_retained_message_meets_later_subscribers_until_it_is_cleared() {
    let mut broker = connected(2);
    let kept = publish("a/b", "x", Qos::AtMostOnce).with_retain(true);
    broker.handle(0, kept.into());
    let expected = [(1, done(8)), (1, message("a/b", "x", true))];
    assert_eq!(told(&mut broker, 1, subscribe("a/+", Qos::AtMostOnce)), expected);
    assert_eq!(
        told(&mut broker, 1, subscribe("a/+", Qos::AtMostOnce)),
        expected,
        "again, as 3.1.1 says"
    );

    let clear = publish("a/b", "", Qos::AtMostOnce).with_retain(true);
    let cleared = told(&mut broker, 0, clear);
    assert_eq!(cleared, [(0, done(9)), (1, message("a/b", "", false))]);
    assert_eq!(told(&mut broker, 1, subscribe("a/#", Qos::AtMostOnce)), [(1, done(8))]);
}

#[test]
fn a_session_keeps_subscriptions_and_promised_messages_while_its_client_is_away() {
    let (mut broker, next) = (connected(2), LINK.next());
    assert_eq!(told(&mut broker, 0, Close::new(LINK)), [(0, closed(LINK, CloseReason::Requested))]);
    assert_eq!(told(&mut broker, 0, open(LINK, false)), [(0, opened(LINK, false))]);
    broker.handle(0, subscribe("a", Qos::AtLeastOnce).into());
    let on_its_way = broker.handle(1, publish("a", "1", Qos::AtLeastOnce).into());
    broker.disconnect(0, on_its_way);
    for (payload, qos) in [("lost", Qos::AtMostOnce), ("2", Qos::AtLeastOnce)] {
        assert_eq!(told(&mut broker, 1, publish("a", payload, qos)), [(1, done(9))]);
    }
    let again = told(&mut broker, 0, open(next, false));
    assert_eq!(again[0], (0, opened(next, true)));
    let payloads: Vec<_> = again[1..]
        .iter()
        .map(|(_, input)| match input {
            OwnedInput::Message(message) => (message.link, message.payload.as_slice()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(payloads, [(next, b"1".as_slice()), (next, b"2")]);

    broker.disconnect(0, Vec::new());
    let clean = told(&mut broker, 0, open(next, true));
    assert_eq!(clean, [(0, opened(next, false))], "a clean session forgets the old one");
}

#[test]
fn actions_for_another_link_are_dropped_and_a_second_link_ends_the_first() {
    let (mut broker, next) = (connected(1), LINK.next());
    let stray = Subscribe::new(next, Token::new(8), "a", Qos::AtMostOnce);
    assert_eq!(told(&mut broker, 0, stray), []);
    assert_eq!(told(&mut broker, 7, Close::new(LINK)), []);
    let expected = [(0, closed(LINK, CloseReason::Lost)), (0, opened(next, false))];
    assert_eq!(told(&mut broker, 0, open(next, true)), expected);
}
