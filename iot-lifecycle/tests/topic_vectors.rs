//! The vectors P01 to P22 of specification section 1.3, and property P7.

use iot_lifecycle::{Filter, RuleSqlError, Topic, TopicError, TopicKind};
use proptest::prelude::*;
use serde_json::Value;

const KINDS: [TopicKind; 5] = [
    TopicKind::Connected,
    TopicKind::Disconnected,
    TopicKind::ConnectFailed,
    TopicKind::Subscribed,
    TopicKind::Unsubscribed,
];

fn expected_error(vector: &Value) -> TopicError {
    match vector["error"].as_str().unwrap() {
        "NotLifecycle" => TopicError::NotLifecycle,
        "UnknownKind" => TopicError::UnknownKind {
            family: match vector["family"].as_str().unwrap() {
                "presence" => "presence",
                "subscriptions" => "subscriptions",
                other => panic!("no family {other}"),
            },
            kind: vector["member"].as_str().unwrap().into(),
        },
        "MissingClientId" => TopicError::MissingClientId,
        "EmptyClientId" => TopicError::EmptyClientId,
        "ClientIdTooLong" => TopicError::ClientIdTooLong {
            bytes: vector["bytes"].as_u64().unwrap().try_into().unwrap(),
        },
        "Wildcard" => TopicError::Wildcard,
        "Nul" => TopicError::Nul,
        other => panic!("no error {other}"),
    }
}

#[test]
fn every_topic_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/topics.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (id, name) = (vector["id"].as_str().unwrap(), vector["topic"].as_str().unwrap());
        match Topic::parse(name) {
            Ok(topic) => {
                assert_eq!(vector["kind"], topic.kind().event_type(), "{id}");
                assert_eq!(vector["clientId"], topic.client_id(), "{id}");
                assert_eq!(topic.to_string(), name, "{id}");
                let built = Topic::new(topic.kind(), topic.client_id());
                match vector.get("build") {
                    Some(_) => assert_eq!(built, Err(TopicError::ReservedClientId), "{id}"),
                    None => assert_eq!(built, Ok(topic), "{id}"),
                }
            }
            Err(error) => assert_eq!(error, expected_error(&vector), "{id}"),
        }
        if vector.get("filter").is_some() {
            let filter = Filter::KindOneLevel(TopicKind::Connected);
            assert_eq!(filter.to_string(), name, "{id}");
        }
        ids.push(id.to_owned());
    }
    let all: Vec<String> = (1..=22).map(|number| format!("P{number:02}")).collect();
    assert_eq!(ids, all);
}

#[test]
fn a_name_that_ends_early_or_has_no_kind_is_told_apart() {
    let error = |name| Topic::parse(name).unwrap_err();
    assert_eq!(error("$aws/events/presence"), TopicError::NotLifecycle);
    let no_kind = TopicError::UnknownKind { family: "presence", kind: String::new() };
    assert_eq!(error("$aws/events/presence/"), no_kind);
    assert_eq!(error(""), TopicError::NotLifecycle);
}

#[test]
fn filters_are_those_of_the_specification() {
    let client = Topic::new(TopicKind::Unsubscribed, "a/b").unwrap();
    let filters = [
        (Filter::Client(client), "$aws/events/subscriptions/unsubscribed/a/b"),
        (Filter::Kind(TopicKind::ConnectFailed), "$aws/events/presence/connect_failed/#"),
        (Filter::KindOneLevel(TopicKind::Subscribed), "$aws/events/subscriptions/subscribed/+"),
        (Filter::Presence, "$aws/events/presence/#"),
        (Filter::PresenceOneLevel, "$aws/events/presence/+/+"),
        (Filter::Subscriptions, "$aws/events/subscriptions/#"),
    ];
    for (filter, text) in filters {
        assert_eq!(filter.to_string(), text);
        assert_eq!(filter.rule_sql(None).unwrap(), format!("SELECT * FROM '{text}'"));
    }
}

#[test]
fn no_rule_lets_a_client_id_or_a_prefix_out_of_its_quotes() {
    let hostile = "x' OR clientId = 'y";
    let quote = Err(RuleSqlError::Unquotable { character: '\'' });
    let client = Filter::Client(Topic::new(TopicKind::Connected, hostile).unwrap());
    assert_eq!(client.rule_sql(None), quote);
    assert_eq!(Filter::Presence.rule_sql(Some(hostile)), quote);
    let backslash = Err(RuleSqlError::Unquotable { character: '\\' });
    assert_eq!(Filter::Presence.rule_sql(Some("x\\")), backslash);
}

proptest! {
    #[test]
    fn build_then_parse_is_the_identity_for_every_legal_client_id(
        kind in proptest::sample::select(&KINDS[..]),
        client_id in r"[^$+#\x00][^+#\x00]{0,31}|[^$+#\x00€][ -\x22$-*,-~]{0,127}",
    ) {
        prop_assume!(client_id.len() <= 128);
        let topic = Topic::new(kind, &client_id).unwrap();
        let name = topic.to_string();
        prop_assert_eq!(Topic::parse(&name), Ok(topic));
    }

    #[test]
    fn whatever_parses_prints_as_it_came(name in r"\$aws/events/(presence|subscriptions)/[a-z_]{0,14}/?.{0,9}|.{0,40}") {
        if let Ok(topic) = Topic::parse(&name) {
            prop_assert_eq!(topic.to_string(), name);
        }
    }
}
