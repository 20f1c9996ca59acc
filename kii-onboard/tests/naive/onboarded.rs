//! Answers to onboardings said again, in no hurry: specification, section 9, over a `serde_json::Value`.

use kii_onboard::onboarding::{EndNodeOnboarded, Onboarded, OnboardedError};
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// What both readings found: the members with their primary names, or the name of the bad one.
pub(crate) type Found = Result<Value, String>;

/// By the crate. None when a text is not JSON.
pub(crate) fn thing(body: &[u8]) -> Option<Found> {
    found(Onboarded::decode(body).map(|onboarded| {
        let encoded = onboarded.encode();
        assert_eq!(Onboarded::decode(&encoded), Ok(onboarded));
        encoded
    }))
}

/// By the crate. None when a text is not JSON.
pub(crate) fn end_node(body: &[u8]) -> Option<Found> {
    found(EndNodeOnboarded::decode(body).map(|onboarded| {
        let encoded = onboarded.encode();
        assert_eq!(EndNodeOnboarded::decode(&encoded), Ok(onboarded));
        encoded
    }))
}

fn found(read: Result<Vec<u8>, OnboardedError>) -> Option<Found> {
    match read {
        Ok(encoded) => Some(Ok(serde_json::from_slice(&encoded).unwrap())),
        Err(OnboardedError::NotJson(_)) => None,
        Err(OnboardedError::TooDeep { limit }) => Some(Err(format!("deeper than {limit}"))),
        Err(OnboardedError::BadField { field, .. }) => Some(Err(field.into())),
        Err(other) => panic!("{other}"),
    }
}

/// The answer to the onboarding of a thing.
pub(crate) fn read_thing(body: &Value) -> Found {
    let body = object(body)?;
    let mut read = Object::new();
    put(&mut read, "accessToken", non_empty(body, "accessToken")?.into());
    put(&mut read, "thingID", non_empty(body, "thingID")?.into());
    match body.get("mqttEndpoint") {
        None | Some(Value::Null) => {}
        Some(Value::Object(endpoint)) => put(&mut read, "mqttEndpoint", read_endpoint(endpoint)?),
        Some(_) => return Err("mqttEndpoint".into()),
    }
    Ok(read.into())
}

/// The answer to the onboarding of an end node.
pub(crate) fn read_end_node(body: &Value) -> Found {
    let body = object(body)?;
    let mut read = Object::new();
    put(&mut read, "accessToken", non_empty(body, "accessToken")?.into());
    put(&mut read, "endNodeThingID", non_empty(body, "endNodeThingID")?.into());
    Ok(read.into())
}

fn object(body: &Value) -> Result<&Object, String> {
    if depth(body) > 32 {
        return Err("deeper than 32".into());
    }
    body.as_object().ok_or_else(|| "body".into())
}

fn read_endpoint(endpoint: &Object) -> Found {
    let mut read = Object::new();
    match endpoint.get("installationID") {
        None => {}
        Some(Value::String(id)) => put(&mut read, "installationID", id.as_str().into()),
        Some(_) => return Err("installationID".into()),
    }
    let name = primary_or_alias(endpoint, "username", "userName");
    put(&mut read, "username", non_empty(endpoint, name)?.into());
    put(&mut read, "password", non_empty(endpoint, "password")?.into());
    let topic = non_empty(endpoint, "mqttTopic")?;
    if topic.chars().count() > 64 || topic.contains(['/', '+', '#']) || has_control(topic) {
        return Err("mqttTopic".into());
    }
    put(&mut read, "mqttTopic", topic.into());
    let host = non_empty(endpoint, "host")?;
    if host.split_whitespace().next() != Some(host) || has_control(host) {
        return Err("host".into());
    }
    put(&mut read, "host", host.into());
    for port in ["portTCP", "portSSL", "portWS", "portWSS"] {
        if let Some(number) = integer(endpoint, port, 1, 65_535)? {
            put(&mut read, port, number.into());
        }
    }
    let name = primary_or_alias(endpoint, "ttl", "X-MQTT-TTL");
    if let Some(seconds) = integer(endpoint, name, 0, u64::MAX)? {
        put(&mut read, "ttl", seconds.into());
    }
    Ok(read.into())
}

fn primary_or_alias<'n>(object: &Object, primary: &'n str, alias: &'n str) -> &'n str {
    if object.contains_key(alias) && !object.contains_key(primary) { alias } else { primary }
}

fn non_empty<'o>(object: &'o Object, name: &str) -> Result<&'o str, String> {
    match object.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        _ => Err(name.into()),
    }
}

/// Without serde_json's `arbitrary_precision` a `Value` has forgotten how numbers were written: `-0` is a float then.
fn integer(object: &Object, name: &str, least: u64, most: u64) -> Result<Option<u64>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            let number = number.to_string().parse().ok().and_then(|all: i128| all.try_into().ok());
            match number {
                Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
                _ => Err(name.into()),
            }
        }
        Some(_) => Err(name.into()),
    }
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn put(object: &mut Object, name: &str, value: Value) {
    object.insert(name.into(), value);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
