//! The decoder said again, in no hurry: specification section 2.5 over a `serde_json::Value`.

use iot_lifecycle::{
    ConnectFailed, Connected, Decoder, Disconnected, Event, EventKind, PrincipalIdentifier, Topic,
    Topics,
};
use iot_sansio::UnixMillis;
use serde_json::{Value, json};

/// What a decoder in this mode reads, on this topic if there is one. None is refusal, whatever the reason.
///
/// A `Value` has forgotten which names came twice: what is read here in strict mode, a decoder may still refuse for
/// that. Without serde_json's `arbitrary_precision` it has also forgotten how numbers were written: `-0` is a float then.
pub(crate) fn decode(
    payload: &Value,
    strict: bool,
    topic: Option<&Topic<'_>>,
) -> Option<Event<'static>> {
    let object = payload.as_object()?;
    let get = |name: &str| object.get(name).filter(|value| strict || !value.is_null());
    let text = |name: &str| match get(name) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let integer = |name: &str| {
        let float = |float: f64| {
            // Written out, a float without a fraction is a decimal number.
            let whole = float.fract() == 0.0 && float.abs() < 2_f64.powi(53);
            whole.then(|| format!("{float:.0}").parse().ok()).flatten()
        };
        match get(name) {
            None => Some(None),
            Some(Value::String(digits)) if strict || digits.starts_with('+') => None,
            Some(Value::String(digits)) => digits.parse().ok().map(Some),
            Some(Value::Number(number)) => match number.as_i64() {
                Some(integer) => Some(Some(integer)),
                None if strict || number.is_u64() => None,
                None => float(number.as_f64()?).map(Some),
            },
            Some(_) => None,
        }
    };
    let version = || integer("versionNumber").filter(|version| version.is_none_or(|v| v >= 0));
    let by_client = || match get("clientInitiatedDisconnect") {
        None => Some(None),
        Some(Value::Bool(value)) => Some(Some(*value)),
        Some(Value::String(text)) if text == "true" && !strict => Some(Some(true)),
        Some(Value::String(text)) if text == "false" && !strict => Some(Some(false)),
        Some(_) => None,
    };
    let topics = || {
        let topics = get("topics")?.as_array()?.iter();
        topics
            .map(|topic| topic.as_str().map(String::from))
            .collect::<Option<Vec<_>>>()
            .map(Topics::new)
    };
    let client_id = text("clientId")??;
    if client_id.is_empty() || client_id.len() > 128 || client_id.contains(['+', '#', '\0']) {
        return None;
    }
    let event_type = match (text("eventType")?, topic) {
        (Some(event_type), _) => event_type,
        (None, Some(topic)) if !strict => topic.kind().event_type().into(),
        (None, _) => return None,
    };
    let agrees = |topic: &Topic<'_>| {
        topic.client_id() == client_id && topic.kind().event_type() == event_type
    };
    if !topic.is_none_or(agrees) {
        return None;
    }
    let timestamp = integer("timestamp")?.filter(|millis| *millis >= 100_000_000_000)?;
    let kind = match event_type.as_str() {
        "connected" => {
            let mut connected = Connected::default();
            connected.version_number = version()?;
            EventKind::Connected(connected)
        }
        "disconnected" => {
            let mut disconnected = Disconnected::default();
            disconnected.version_number = version()?;
            disconnected.client_initiated_disconnect = by_client()?;
            disconnected.disconnect_reason = text("disconnectReason")?.map(Into::into);
            EventKind::Disconnected(disconnected)
        }
        "connect_failed" => {
            let reason = text("connectFailureReason")?;
            EventKind::ConnectFailed(reason.map_or_else(ConnectFailed::default, ConnectFailed::new))
        }
        "subscribed" => EventKind::Subscribed(topics()?),
        "unsubscribed" => EventKind::Unsubscribed(topics()?),
        // Only decoding makes an unknown kind, so the least payload with that name is decoded.
        name => {
            let least =
                json!({"clientId": "d", "timestamp": 100_000_000_000_i64, "eventType": name});
            Decoder::strict().decode(least.to_string().as_bytes()).ok()?.into_owned().kind
        }
    };
    let mut event = Event::new(client_id, UnixMillis::new(timestamp), kind);
    event.session_identifier = text("sessionIdentifier")?.map(Into::into);
    event.principal_identifier = text("principalIdentifier")?.map(PrincipalIdentifier::new);
    event.ip_address = text("ipAddress")?.filter(|text| strict || !text.is_empty()).map(Into::into);
    event.thing_name = text("thingName")?.map(Into::into);
    Some(event)
}
