//! Where to connect, and why that is refused.

use alloc::string::String;
use core::time::Duration;

use crate::Secret;

/// Where to connect, and what CONNECT says.
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::mqtt::{ConnectOptions, Transport};
///
/// let options = ConnectOptions::new("broker.example", 8883, Transport::Tls, "device-1")
///     .with_credentials("user", "password")
///     .with_keep_alive(Duration::from_secs(300));
/// assert!(!format!("{options:?}").contains("\"password\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ConnectOptions {
    /// Host name or address of the broker.
    pub host: String,
    /// TCP port of the broker.
    pub port: u16,
    /// What MQTT runs over.
    pub transport: Transport,
    /// Version of the protocol. Default: 3.1.1.
    pub version: Version,
    /// The client identifier.
    pub client_id: String,
    /// User name and password. Default: none.
    pub credentials: Option<Credentials>,
    /// The longest silence that the client promises; zero switches the promise off. Default: 60 s.
    pub keep_alive: Duration,
    /// Clean session (3.1, 3.1.1) or clean start (5). Default: true.
    pub clean_session: bool,
}

/// User name and password of a CONNECT.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// The user name.
    pub user_name: String,
    /// The password; `Debug` does not show it.
    pub password: Secret,
}

/// What MQTT runs over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over TCP.
    Ws {
        /// Path of the WebSocket, `/mqtt` for most brokers.
        path: String,
    },
    /// WebSocket over TLS.
    Wss {
        /// Path of the WebSocket, `/mqtt` for most brokers.
        path: String,
    },
}

/// Version of the MQTT protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// MQTT 3.1.
    V3_1,
    /// MQTT 3.1.1.
    V3_1_1,
    /// MQTT 5.
    V5,
}

impl ConnectOptions {
    /// MQTT 3.1.1, a clean session, 60 s of keep alive, no credentials.
    #[must_use]
    pub fn new(
        host: impl Into<String>,
        port: u16,
        transport: Transport,
        client_id: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            port,
            transport,
            version: Version::V3_1_1,
            client_id: client_id.into(),
            credentials: None,
            keep_alive: Duration::from_secs(60),
            clean_session: true,
        }
    }

    /// With this user name and password.
    #[must_use]
    pub fn with_credentials(
        self,
        user_name: impl Into<String>,
        password: impl Into<Secret>,
    ) -> Self {
        let credentials = Credentials { user_name: user_name.into(), password: password.into() };
        Self { credentials: Some(credentials), ..self }
    }

    /// With this version of the protocol.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// With this keep alive, in whole seconds on the wire; zero switches it off.
    #[must_use]
    pub fn with_keep_alive(self, keep_alive: Duration) -> Self {
        Self { keep_alive, ..self }
    }

    /// With a clean session or not.
    #[must_use]
    pub fn with_clean_session(self, clean_session: bool) -> Self {
        Self { clean_session, ..self }
    }
}

/// The code of a refusing CONNACK: a return code of MQTT 3.1.1 (1 to 5) or a reason code of MQTT 5 (from 128).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnackCode(u8);

impl ConnackCode {
    /// MQTT 3.1.1: the level of the protocol is not supported.
    pub const UNACCEPTABLE_PROTOCOL_VERSION: Self = Self(1);
    /// MQTT 3.1.1: the client identifier is not allowed.
    pub const IDENTIFIER_REJECTED: Self = Self(2);
    /// MQTT 3.1.1: the service is not available.
    pub const SERVER_UNAVAILABLE: Self = Self(3);
    /// MQTT 3.1.1: the user name or password is malformed or wrong.
    pub const BAD_USER_NAME_OR_PASSWORD: Self = Self(4);
    /// MQTT 3.1.1: the client is not authorized to connect.
    pub const NOT_AUTHORIZED: Self = Self(5);

    /// The code with this value on the wire.
    #[must_use]
    pub const fn new(code: u8) -> Self {
        Self(code)
    }

    /// Its value on the wire.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}
