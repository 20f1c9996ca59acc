//! The second broker, as the answer to an onboarding names it.

use alloc::string::String;
use core::time::Duration;

use iot_sansio::Secret;

use crate::{MqttTopic, Ports};

/// The second broker, and who the thing is there (specification, section 9.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MqttEndpoint {
    /// The id of the installation; only the REST API asks for it.
    pub installation_id: Option<String>,
    /// The user name, in `username`.
    pub user_name: String,
    /// The password.
    pub password: Secret,
    /// The topic of pushes, which is also the client id.
    pub mqtt_topic: MqttTopic,
    /// The host.
    pub host: String,
    /// The ports.
    pub ports: Ports,
    /// How long all this holds from the moment it was told, in whole seconds on the wire; none holds for ever.
    pub ttl: Option<Duration>,
}

impl MqttEndpoint {
    /// An endpoint with the documented ports, without installation id, for ever.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        user_name: impl Into<String>,
        password: impl Into<Secret>,
        mqtt_topic: MqttTopic,
    ) -> Self {
        Self {
            installation_id: None,
            user_name: user_name.into(),
            password: password.into(),
            mqtt_topic,
            host: host.into(),
            ports: Ports::DEFAULT,
            ttl: None,
        }
    }
}
