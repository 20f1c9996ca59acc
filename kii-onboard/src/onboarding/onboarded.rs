//! What the cloud answers to an onboarding.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::{fmt, time::Duration};

use iot_sansio::Secret;

use crate::{
    JsonError, MqttEndpoint, MqttTopic, Ports,
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

/// Why a body is no answer to an onboarding. The body is not repeated: it holds secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardedError {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] JsonError),
    /// Arrays and objects nest too deep in it.
    #[error("arrays and objects nest more than {limit} deep")]
    TooDeep {
        /// How deep they may nest.
        limit: usize,
    },
    /// A member is missing, or does not hold what it should.
    #[error("`{field}` is not {expected}")]
    BadField {
        /// Its name on the wire; `body` is the whole.
        field: &'static str,
        /// What it should hold.
        expected: Expected,
    },
}

/// What a member of an answer should hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An object.
    Object,
    /// An object, or null.
    ObjectOrNull,
    /// A string.
    Text,
    /// A string that is not empty.
    NonEmptyText,
    /// A topic: 1 to 64 characters, none of them `/ + #` or a control.
    Topic,
    /// A host: a string that is not empty, without blanks and controls.
    Host,
    /// An integer from 1 to 65,535, or null.
    PortOrNull,
    /// An integer from 0, or null.
    SecondsOrNull,
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

impl MqttEndpoint {
    fn read(endpoint: Value<'_>) -> Result<Self, OnboardedError> {
        if !endpoint.is_object() {
            return Err(bad(MQTT_ENDPOINT, Expected::ObjectOrNull));
        }
        let [tcp_field, ssl_field, ws_field, wss_field] = PORTS;
        let [tcp, ssl, ws, wss] = endpoint.members(PORTS);
        let names = [
            INSTALLATION_ID,
            USER_NAME,
            USER_NAME_ALIAS,
            PASSWORD,
            MQTT_TOPIC,
            HOST,
            TTL,
            TTL_ALIAS,
        ];
        let [installation_id, user_name, aliased_name, password, topic, host, ttl, aliased_ttl] =
            endpoint.members(names);
        let (user_name_field, user_name) =
            either(USER_NAME, user_name, USER_NAME_ALIAS, aliased_name);
        let (ttl_field, ttl) = either(TTL, ttl, TTL_ALIAS, aliased_ttl);
        Ok(Self {
            installation_id: match installation_id {
                Some(id) => Some(text(INSTALLATION_ID, id, Expected::Text)?),
                None => None,
            },
            user_name: non_empty(user_name_field, user_name)?,
            password: non_empty(PASSWORD, password)?.into(),
            mqtt_topic: topic
                .and_then(|topic| MqttTopic::new(topic.text()?).ok())
                .ok_or(bad(MQTT_TOPIC, Expected::Topic))?,
            host: host
                .and_then(|host| Some(host.text()?.into_owned()))
                .filter(|host| is_host(host))
                .ok_or(bad(HOST, Expected::Host))?,
            ports: Ports {
                tcp: port(tcp_field, tcp)?,
                ssl: port(ssl_field, ssl)?,
                ws: port(ws_field, ws)?,
                wss: port(wss_field, wss)?,
            },
            ttl: integer(ttl_field, ttl, Expected::SecondsOrNull, Some)?.map(Duration::from_secs),
        })
    }

    fn write(&self) -> Object<'_> {
        let Ports { tcp, ssl, ws, wss } = self.ports;
        let mut endpoint = Object::new();
        endpoint.push_text(INSTALLATION_ID, self.installation_id.as_deref());
        endpoint.push(USER_NAME, Member::Text(&self.user_name));
        endpoint.push_text(PASSWORD, self.password.expose_str().ok());
        endpoint.push(MQTT_TOPIC, Member::Text(self.mqtt_topic.as_str()));
        endpoint.push(HOST, Member::Text(&self.host));
        for (name, port) in PORTS.into_iter().zip([tcp, ssl, ws, wss]) {
            endpoint.push_integer(name, port.map(u64::from));
        }
        endpoint.push_integer(TTL, self.ttl.map(|ttl| ttl.as_secs()));
        endpoint
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

const fn bad(field: &'static str, expected: Expected) -> OnboardedError {
    OnboardedError::BadField { field, expected }
}

/// The first where it is there at all, else the second, with the name that it has.
fn either<'a>(
    name: &'static str,
    value: Option<Value<'a>>,
    alias: &'static str,
    aliased: Option<Value<'a>>,
) -> (&'static str, Option<Value<'a>>) {
    if value.is_none() && aliased.is_some() { (alias, aliased) } else { (name, value) }
}

fn text(
    field: &'static str,
    value: Value<'_>,
    expected: Expected,
) -> Result<String, OnboardedError> {
    value.text().map(|text| text.to_string()).ok_or(bad(field, expected))
}

fn non_empty(field: &'static str, value: Option<Value<'_>>) -> Result<String, OnboardedError> {
    let expected = Expected::NonEmptyText;
    match value {
        Some(value) => text(field, value, expected).and_then(|text| match text.is_empty() {
            true => Err(bad(field, expected)),
            false => Ok(text),
        }),
        None => Err(bad(field, expected)),
    }
}

fn port(field: &'static str, value: Option<Value<'_>>) -> Result<Option<u16>, OnboardedError> {
    let in_range = |number| u16::try_from(number).ok().filter(|port| *port != 0);
    integer(field, value, Expected::PortOrNull, in_range)
}

/// A number that may be absent or null.
fn integer<T>(
    field: &'static str,
    value: Option<Value<'_>>,
    expected: Expected,
    in_range: impl Fn(u64) -> Option<T>,
) -> Result<Option<T>, OnboardedError> {
    match value.filter(|value| !value.is_null()) {
        Some(value) => match value.integer().and_then(in_range) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(field, expected)),
        },
        None => Ok(None),
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && !host.contains(|ch: char| ch.is_whitespace() || ch.is_control())
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::ObjectOrNull => "an object or null",
            Self::Text => "a string",
            Self::NonEmptyText => "a string with something in it",
            Self::Topic => "a topic of 1 to 64 characters without `/ + #` and controls",
            Self::Host => "a host without blanks and controls",
            Self::PortOrNull => "an integer from 1 to 65535 or null",
            Self::SecondsOrNull => "an integer from 0 or null",
        })
    }
}

/// Levels of arrays and objects (specification, section 9.2).
const MAX_DEPTH: usize = 32;
const BODY: &str = "body";
const ACCESS_TOKEN: &str = "accessToken";
const THING_ID: &str = "thingID";
const END_NODE_THING_ID: &str = "endNodeThingID";
const MQTT_ENDPOINT: &str = "mqttEndpoint";
const INSTALLATION_ID: &str = "installationID";
const USER_NAME: &str = "username";
/// Seen in an SDK and in a mock server.
const USER_NAME_ALIAS: &str = "userName";
const PASSWORD: &str = "password";
const MQTT_TOPIC: &str = "mqttTopic";
const HOST: &str = "host";
const PORTS: [&str; 4] = ["portTCP", "portSSL", "portWS", "portWSS"];
const TTL: &str = "ttl";
/// The name in the REST API.
const TTL_ALIAS: &str = "X-MQTT-TTL";
