//! The vectors of specification section 14.1, run by id, and topics against a naive reading of their levels.

use aia_proto::{
    ApiVersion, ClientId, Direction, Leaf, Topic, TopicError, TopicPart, TopicRoot, TopicRule,
    Topics,
};
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn every_topic_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/topic.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        let text = |name: &str| vector[name].as_str();
        if let Some(topic) = text("topic") {
            let client_id = text("clientId").unwrap();
            let topics = topics(text("root").unwrap(), 1, client_id);
            let leaf = Leaf::parse(text("leaf").unwrap()).unwrap();
            assert_eq!(topics.topic(leaf), topic, "{id}");
            assert_eq!(topics.classify(topic), Some(leaf), "{id}");
            let parsed = Topic::parse(topic).unwrap();
            assert_eq!((parsed.client_id, parsed.leaf), (client_id, leaf), "{id}");
            assert_eq!(parsed.version, ApiVersion::V1, "{id}");
            assert_eq!(parsed.root, topic.split("/ais/").next().unwrap(), "{id}");
        } else if let Some(topic) = text("foreign") {
            assert_eq!(topics("$aws/alexa", 1, "my-thing-01").classify(topic), None, "{id}");
            let error = Topic::parse(topic).err().map(|error| match error {
                TopicError::NoLeaf => "NoLeaf",
                TopicError::NoVersion => "NoVersion",
                TopicError::NoAis => "NoAis",
                TopicError::BadPart(_) => "BadPart",
                other => panic!("{other}"),
            });
            assert_eq!(error, text("error"), "{id}");
        } else {
            let (part, error) = match (text("root"), text("clientId")) {
                (Some(root), _) => (TopicPart::Root, TopicRoot::new(root).unwrap_err()),
                (_, Some(client_id)) => {
                    (TopicPart::ClientId, ClientId::new(client_id).unwrap_err())
                }
                _ => panic!("{id}"),
            };
            let rule = match error.rule {
                TopicRule::NotEmpty => "NotEmpty".to_owned(),
                TopicRule::Without { index } => format!("Without {index}"),
                TopicRule::NoSlashAtEnd => "NoSlashAtEnd".to_owned(),
                other => panic!("{other}"),
            };
            assert_eq!((error.part, Some(rule.as_str())), (part, text("rule")), "{id}");
        }
        ids.push(id);
    }
    assert_eq!(ids, (1..=34).map(|number| format!("T{number:02}")).collect::<Vec<_>>());
}

#[test]
fn every_leaf_goes_where_the_specification_says() {
    let to_service = ["connection/fromclient", "capabilities/publish", "event", "microphone"];
    for leaf in Leaf::ALL {
        assert_eq!(Leaf::parse(leaf.as_str()), Some(leaf));
        let is_to_service = leaf.direction() == Direction::ToService;
        assert_eq!(is_to_service, to_service.contains(&leaf.as_str()), "{leaf}");
        assert_eq!(leaf.is_protected(), !leaf.as_str().starts_with("connection/"), "{leaf}");
    }
}

#[test]
fn a_part_has_at_most_256_bytes() {
    let long = "a".repeat(257);
    let rule = TopicRule::AtMost { limit: 256 };
    assert!(TopicRoot::new(&long[1..]).is_ok() && ClientId::new(&long[1..]).is_ok());
    let error = TopicRoot::new(long.as_str()).unwrap_err();
    assert_eq!((error.part, error.rule), (TopicPart::Root, rule));
    assert_eq!(error.to_string(), "the topic root has more than 256 bytes");
    assert_eq!(ClientId::new(long.as_str()).unwrap_err().rule, rule);
}

#[test]
fn a_root_that_names_another_version_is_not_doubled_either() {
    let topic = "$aws/alexa/ais/v2/c/event";
    assert_eq!(topics("$aws/alexa/ais/v1", 2, "c").topic(Leaf::Event), topic);
    assert_eq!(topics("$aws/alexa/ais/v2", 2, "c").topic(Leaf::Event), topic);
    // It is a name like others where it does not stand at the end.
    assert_eq!(topics("x/ais/y", 1, "c").topic(Leaf::Event), "x/ais/y/ais/v1/c/event");
    assert_eq!(topics("xais", 1, "c").topic(Leaf::Event), "xais/ais/v1/c/event");
    assert_eq!(topics("x/v1", 1, "c").topic(Leaf::Event), "x/v1/ais/v1/c/event");
}

fn topics(root: &str, version: u16, client_id: &str) -> Topics {
    let (root, client_id) = (TopicRoot::new(root).unwrap(), ClientId::new(client_id).unwrap());
    Topics::new(&root, ApiVersion::new(version), &client_id)
}

/// Root, version, client id and leaf of a topic, level by level from its end.
fn naive(topic: &str) -> Option<(String, u16, String, String)> {
    let levels: Vec<&str> = topic.split('/').collect();
    (1..=2).find_map(|count| {
        let (before, leaf) = levels.split_at_checked(levels.len().checked_sub(count)?)?;
        let leaf = leaf.join("/");
        let known = Leaf::ALL.iter().any(|known| known.as_str() == leaf);
        let [root @ .., "ais", version, client_id] = before else { return None };
        let number: u16 = version.strip_prefix('v')?.parse().ok()?;
        let is_plain = format!("v{number}") == *version;
        let root = root.join("/");
        let is_clean = |text: &str| !text.contains(['+', '#']) && !text.contains(char::is_control);
        let is_root = !root.is_empty() && !root.ends_with('/') && is_clean(&root);
        let is_client_id = !client_id.is_empty() && is_clean(client_id);
        (known && is_plain && is_root && is_client_id)
            .then(|| (root, number, (*client_id).to_owned(), leaf))
    })
}

fn level() -> impl Strategy<Value = &'static str> {
    let levels = ["ais", "v1", "v2", "v01", "v+1", "", "c", "$aws", "+", "a#", "speaker", "event"];
    let rest = ["connection", "fromclient", "capabilities", "publish", "\u{7f}", "v65536"];
    proptest::sample::select([levels.as_slice(), rest.as_slice()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_topic_is_taken_apart_as_a_naive_reader_does(
        levels in proptest::collection::vec(level(), 0..5),
        is_whole: bool,
        client in level(),
        leaf in proptest::sample::select(Leaf::ALL.as_slice()),
    ) {
        let mut topic = levels.join("/");
        if is_whole {
            topic = format!("{topic}/ais/v1/{client}/{leaf}");
        }
        let parsed = Topic::parse(&topic).ok().map(|topic| {
            let client_id = topic.client_id.to_owned();
            (topic.root.to_owned(), topic.version.get(), client_id, topic.leaf.to_string())
        });
        prop_assert_eq!(&parsed, &naive(&topic));
        if let Some((root, version, client_id, leaf)) = parsed {
            let leaf = Leaf::parse(&leaf).unwrap();
            // A root that itself ends so stands for another.
            if TopicRoot::new(root.as_str()).is_ok() && !ends_in_ais(&root) {
                let topics = topics(&root, version, &client_id);
                prop_assert_eq!(topics.topic(leaf), topic.as_str());
                prop_assert_eq!(topics.classify(&topic), Some(leaf));
            }
        }
    }

    #[test]
    fn what_is_built_is_taken_apart(
        root in "[a-z$]{1,3}(/[a-z]{0,2}){0,2}(/ais)?(/v[0-9]{1,3})?",
        version: u16,
        client_id in "[a-zA-Z0-9:_ -]{1,20}",
    ) {
        let Ok(valid) = TopicRoot::new(root) else { return Ok(()) };
        let topics = Topics::new(&valid, ApiVersion::new(version), &ClientId::new(client_id.as_str()).unwrap());
        for leaf in Leaf::ALL {
            let built = topics.topic(leaf);
            let topic = Topic::parse(&built).unwrap();
            prop_assert_eq!((topic.version.get(), topic.client_id), (version, client_id.as_str()));
            prop_assert!(valid.as_str().starts_with(topic.root));
            prop_assert_eq!(topics.classify(&built), Some(leaf));
            for other in Leaf::ALL {
                let is_same = topics.topic(other) == built;
                prop_assert_eq!(is_same, other == leaf);
            }
        }
    }
}

fn ends_in_ais(root: &str) -> bool {
    let levels: Vec<&str> = root.split('/').collect();
    match levels.as_slice() {
        [.., "ais"] => true,
        [.., "ais", version] => ApiVersion::parse(version).is_some(),
        _ => false,
    }
}
