//! `kii-topic`: what does this topic carry?

use clap::Args;
use kii_onboard::{
    AppId, InvalidId, MqttTopic,
    topic::{Topic, Topics},
};
use serde_json::{Value, json};

use super::jsonl::{Failure, Members};

/// Tells what topics carry on a connection to Kii Cloud.
///
/// Reads {"app","mqttTopic","stage":1|2,"topic"}. Stage 1 is the default broker, which onboards only, and stage 2 the
/// second broker, where mqttTopic is the topic of pushes. A thing ignores what is unknown.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let app = members.required_text("app")?;
    let mqtt_topic = members.required_text("mqttTopic")?;
    let stage = members.required_integer(STAGE)?;
    let name = members.required_text("topic")?;
    let is_first = match stage {
        1 => true,
        2 => false,
        _ => return Err(Failure::bad_member(STAGE, "is not 1 or 2")),
    };
    let app = AppId::new(app).map_err(|error| id_failure("app", &error))?;
    let mqtt_topic = MqttTopic::new(mqtt_topic).map_err(|error| id_failure("mqttTopic", &error))?;
    let topics = if is_first { Topics::boot(&app) } else { Topics::api(&app, &mqtt_topic) };
    let class = match topics.classify(&name) {
        Topic::Onboarding => "onboarding",
        Topic::Api(_) => "api",
        Topic::Push => "push",
        _ => "unknown",
    };
    let has_resource = matches!(class, "onboarding" | "api");
    let resource = name.splitn(LEVELS_BEFORE_RESOURCE + 1, '/').nth(LEVELS_BEFORE_RESOURCE);
    Ok(json!({ "class": class, "resource": resource.filter(|_| has_resource) }))
}

fn id_failure(field: &str, error: &InvalidId) -> Failure {
    Failure::new("InvalidId", error.to_string()).in_field(field)
}

/// `p/{client}/thing-if/apps/{app}`
const LEVELS_BEFORE_RESOURCE: usize = 5;
const STAGE: &str = "stage";

const EXAMPLE: &str = r#"Example:
  echo '{"app":"app01","mqttTopic":"Tp1c","stage":2,"topic":"p/Tp1c/thing-if/apps/app01/targets/thing:th.1/states"}' |
    inspect kii-topic"#;
