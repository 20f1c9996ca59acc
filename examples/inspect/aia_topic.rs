//! `aia-topic`: what does this topic carry, of which device, and which way?

use aia_proto::{Direction, InvalidTopicPart, Topic, TopicError, TopicPart, TopicRule};
use clap::Args;
use serde_json::{Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Takes topics of AIA apart.
///
/// Reads {"topic"}. Root is what stands before /ais/. Where encrypted is true, aia-open opens the messages; the others
/// are read by aia-connection.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let topic = members.required_text("topic")?;
    let topic = Topic::parse(&topic).map_err(|error| failure(&error))?;
    Ok(json!({
        "root": topic.root,
        "version": topic.version.to_string(),
        "clientId": topic.client_id,
        "leaf": topic.leaf.as_str(),
        "direction": match topic.leaf.direction() {
            Direction::ToService => "toService",
            Direction::ToDevice => "toDevice",
        },
        "encrypted": topic.leaf.is_protected(),
    }))
}

fn failure(error: &TopicError) -> Failure {
    let failure = Failure::new(topic_error_name(error), error.to_string());
    let TopicError::BadPart(InvalidTopicPart { part, rule, .. }) = error else {
        return failure;
    };
    let failure = failure.in_field(topic_part_name(part)).with("rule", topic_rule_name(rule));
    match rule {
        TopicRule::AtMost { limit } => failure.with("limit", *limit),
        TopicRule::Without { index } => failure.with("index", *index),
        _ => failure,
    }
}

/// The member of the answer that has no good value.
const fn topic_part_name(part: &TopicPart) -> &'static str {
    match part {
        TopicPart::Root => "root",
        TopicPart::ClientId => "clientId",
        _ => "topic",
    }
}

variant_names! {
    topic_error_name: TopicError {
        NoLeaf,
        NoVersion,
        NoAis,
        BadPart,
    }
}

variant_names! {
    topic_rule_name: TopicRule {
        NotEmpty,
        AtMost,
        Without,
        NoSlashAtEnd,
    }
}

const EXAMPLE: &str = r#"Example:
  echo '{"topic":"$aws/alexa/ais/v1/my-thing-01/connection/fromservice"}' |
    inspect aia-topic"#;
