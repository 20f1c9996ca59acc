//! The second broker in the answer to an onboarding.

use core::time::Duration;

use super::{
    onboarded::{MQTT_ENDPOINT, bad, non_empty, text},
    onboarded_error::{Expected, OnboardedError},
};
use crate::{
    MqttEndpoint, MqttTopic, Ports, TransportKind,
    json::{Member, Object, Value},
};

impl MqttEndpoint {
    pub(super) fn read(endpoint: Value<'_>) -> Result<Self, OnboardedError> {
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

    pub(super) fn write(&self) -> Object<'_> {
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

/// The first where it is there at all, else the second, with the name that it has.
fn either<'a>(
    name: &'static str,
    value: Option<Value<'a>>,
    alias: &'static str,
    aliased: Option<Value<'a>>,
) -> (&'static str, Option<Value<'a>>) {
    if value.is_none() && aliased.is_some() { (alias, aliased) } else { (name, value) }
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

const INSTALLATION_ID: &str = "installationID";
const USER_NAME: &str = "username";
/// Seen in an SDK and in a mock server.
const USER_NAME_ALIAS: &str = "userName";
const PASSWORD: &str = "password";
const MQTT_TOPIC: &str = "mqttTopic";
const HOST: &str = "host";
const PORTS: [&str; 4] = [
    TransportKind::Tcp.member(),
    TransportKind::Tls.member(),
    TransportKind::Ws.member(),
    TransportKind::Wss.member(),
];
const TTL: &str = "ttl";
/// The name in the REST API.
const TTL_ALIAS: &str = "X-MQTT-TTL";
