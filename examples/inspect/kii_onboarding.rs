//! `kii-onboarding`: what did Kii Cloud answer to this onboarding?

use clap::Args;
use kii_onboard::{
    MqttEndpoint, Ports,
    onboarding::{EndNodeOnboarded, Onboarded, OnboardedError},
};
use serde_json::{Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Tells what the answer to an onboarding with Kii Cloud holds.
///
/// Reads {"payload":…,"endNode":true?}: the body of the response, a text, an object, or "payloadHex"; with endNode the
/// one that a gateway gets for an end node. Token and password must be there and are not shown. The mqttEndpoint is null
/// while the second broker is not ready, and so is each of its members that is absent.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let body = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    if members.boolean("endNode")?.unwrap_or_default() {
        let onboarded = EndNodeOnboarded::decode(&body).map_err(|error| failure(&error))?;
        return Ok(json!({ "endNodeThingID": onboarded.end_node_thing_id }));
    }
    let onboarded = Onboarded::decode(&body).map_err(|error| failure(&error))?;
    Ok(json!({
        "thingID": onboarded.thing_id,
        "mqttEndpoint": onboarded.endpoint.as_ref().map(told),
    }))
}

fn told(endpoint: &MqttEndpoint) -> Value {
    let Ports { tcp, ssl, ws, wss } = endpoint.ports;
    json!({
        "installationID": endpoint.installation_id,
        "username": endpoint.user_name,
        "mqttTopic": endpoint.mqtt_topic.as_str(),
        "host": endpoint.host,
        "portTCP": tcp,
        "portSSL": ssl,
        "portWS": ws,
        "portWSS": wss,
        "ttl": endpoint.ttl.map(|ttl| ttl.as_secs()),
    })
}

fn failure(error: &OnboardedError) -> Failure {
    let failure = Failure::new(onboarded_error_name(error), error.to_string());
    match error {
        OnboardedError::NotJson(error) => {
            failure.with("jsonLine", error.line).with("jsonColumn", error.column)
        }
        OnboardedError::TooDeep { limit } => failure.with("limit", *limit),
        OnboardedError::BadField { field, .. } => failure.in_field(field),
        _ => failure,
    }
}

variant_names! {
    onboarded_error_name: OnboardedError {
        NotJson,
        TooDeep,
        BadField,
    }
}

const EXAMPLE: &str = r#"Example:
  echo '{"payload":{"accessToken":"tok-0001","thingID":"th.0001","mqttEndpoint":{"username":"app01-user01","password":"pw01","mqttTopic":"Tp1c","host":"broker2.example","portSSL":8883,"ttl":2147483647}}}' |
    inspect kii-onboarding"#;
