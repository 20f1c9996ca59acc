//! What the cloud answers to an onboarding.

use alloc::{string::String, vec::Vec};

use iot_sansio::Secret;

use super::onboarded_error::{Expected, OnboardedError};
use crate::{
    MqttEndpoint,
    json::{Member, Object, Value},
};

/// The answer to the onboarding of a thing (specification, sections 9.1 and 9.2).
///
/// ```
/// use kii_onboard::onboarding::{Onboarded, OnboardedError};
///
/// let body = br#"{
///     "accessToken" : "tok-0001",
///     "thingID" : "th.0001",
///     "mqttEndpoint" : {
///         "installationID" : "inst0001", "username" : "app01-user01", "password" : "pw01",
///         "mqttTopic" : "Tp1c", "host" : "broker2.example", "portSSL" : 8883, "ttl" : 2147483647
///     }
/// }"#;
/// let onboarded = Onboarded::decode(body)?;
/// assert_eq!(onboarded.thing_id, "th.0001");
/// assert_eq!(onboarded.endpoint.as_ref().and_then(|endpoint| endpoint.ports.ssl), Some(8883));
/// // To be saved over a reboot:
/// assert_eq!(Onboarded::decode(&onboarded.encode())?, onboarded);
/// # Ok::<(), OnboardedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Onboarded {
    /// The id that the cloud gave the thing.
    pub thing_id: String,
    /// The thing's access token, for the API.
    pub access_token: Secret,
    /// The second broker; none while it is not ready.
    pub endpoint: Option<MqttEndpoint>,
}

/// The answer to the onboarding of an end node (specification, section 9.3).
///
/// ```
/// use kii_onboard::onboarding::{EndNodeOnboarded, OnboardedError};
///
/// let onboarded = EndNodeOnboarded::decode(br#"{"accessToken":"t","endNodeThingID":"th.2"}"#)?;
/// assert_eq!(onboarded.end_node_thing_id, "th.2");
/// # Ok::<(), OnboardedError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EndNodeOnboarded {
    /// The id that the cloud gave the end node.
    pub end_node_thing_id: String,
    /// The end node's access token.
    pub access_token: Secret,
}

impl Onboarded {
    /// An answer without endpoint.
    #[must_use]
    pub fn new(thing_id: impl Into<String>, access_token: impl Into<Secret>) -> Self {
        Self { thing_id: thing_id.into(), access_token: access_token.into(), endpoint: None }
    }

    /// The same with an endpoint.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: MqttEndpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Reads a body. Unknown members are ignored; of a name that comes twice the last one counts.
    ///
    /// # Errors
    /// It is not JSON, nests too deep, or a member is missing or bad: the first one in the order of the specification.
    pub fn decode(body: &[u8]) -> Result<Self, OnboardedError> {
        let body = object(body)?;
        let names = [ACCESS_TOKEN, THING_ID, MQTT_ENDPOINT];
        let [access_token, thing_id, endpoint] = body.members(names);
        Ok(Self {
            access_token: non_empty(ACCESS_TOKEN, access_token)?.into(),
            thing_id: non_empty(THING_ID, thing_id)?,
            endpoint: match endpoint.filter(|endpoint| !endpoint.is_null()) {
                Some(endpoint) => Some(MqttEndpoint::read(endpoint)?),
                None => None,
            },
        })
    }

    /// The body, as the cloud writes it: also what to save, so that a reboot needs no onboarding. It holds secrets.
    ///
    /// Whole seconds of the lifetime are written; a token or password that is not UTF-8, which [`decode`](Self::decode)
    /// gives never, has no form in JSON and is left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Object::new();
        body.push_text(ACCESS_TOKEN, self.access_token.expose_str().ok());
        body.push(THING_ID, Member::Text(&self.thing_id));
        if let Some(endpoint) = &self.endpoint {
            body.push(MQTT_ENDPOINT, Member::Object(endpoint.write()));
        }
        body.to_vec()
    }
}

impl EndNodeOnboarded {
    /// The answer with these.
    #[must_use]
    pub fn new(end_node_thing_id: impl Into<String>, access_token: impl Into<Secret>) -> Self {
        let (end_node_thing_id, access_token) = (end_node_thing_id.into(), access_token.into());
        Self { end_node_thing_id, access_token }
    }

    /// Reads a body. Unknown members are ignored; of a name that comes twice the last one counts.
    ///
    /// # Errors
    /// It is not JSON, nests too deep, or a member is missing or bad: the first one in the order of the specification.
    pub fn decode(body: &[u8]) -> Result<Self, OnboardedError> {
        let [access_token, thing_id] = object(body)?.members([ACCESS_TOKEN, END_NODE_THING_ID]);
        Ok(Self {
            access_token: non_empty(ACCESS_TOKEN, access_token)?.into(),
            end_node_thing_id: non_empty(END_NODE_THING_ID, thing_id)?,
        })
    }

    /// The body, as the cloud writes it. It holds a secret; one that is not UTF-8 has no form in JSON and is left out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Object::new();
        body.push_text(ACCESS_TOKEN, self.access_token.expose_str().ok());
        body.push(END_NODE_THING_ID, Member::Text(&self.end_node_thing_id));
        body.to_vec()
    }
}

fn object(body: &[u8]) -> Result<Value<'_>, OnboardedError> {
    let body = Value::parse(body)?;
    if body.is_deeper_than(MAX_DEPTH) {
        Err(OnboardedError::TooDeep { limit: MAX_DEPTH })
    } else if body.is_object() {
        Ok(body)
    } else {
        Err(bad(BODY, Expected::Object))
    }
}

pub(super) const fn bad(field: &'static str, expected: Expected) -> OnboardedError {
    OnboardedError::BadField { field, expected }
}

pub(super) fn text(
    field: &'static str,
    value: Value<'_>,
    expected: Expected,
) -> Result<String, OnboardedError> {
    value.text().map(|text| text.into_owned()).ok_or(bad(field, expected))
}

pub(super) fn non_empty(
    field: &'static str,
    value: Option<Value<'_>>,
) -> Result<String, OnboardedError> {
    let expected = Expected::NonEmptyText;
    match value {
        Some(value) => text(field, value, expected).and_then(|text| match text.is_empty() {
            true => Err(bad(field, expected)),
            false => Ok(text),
        }),
        None => Err(bad(field, expected)),
    }
}

/// Levels of arrays and objects (specification, section 9.2).
const MAX_DEPTH: usize = 32;
const BODY: &str = "body";
const ACCESS_TOKEN: &str = "accessToken";
const THING_ID: &str = "thingID";
const END_NODE_THING_ID: &str = "endNodeThingID";
pub(super) const MQTT_ENDPOINT: &str = "mqttEndpoint";
