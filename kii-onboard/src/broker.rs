//! Where the brokers are, and over what they are reached.

use alloc::string::String;
use core::fmt;

use iot_sansio::mqtt::Transport;

/// A server location of Kii Cloud with a documented default broker (specification, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Location {
    /// Japan.
    Jp,
    /// United States.
    Us,
    /// China.
    Cn3,
    /// Singapore.
    Sg,
}

impl Location {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jp, Self::Us, Self::Cn3, Self::Sg];

    /// The host of its default broker.
    #[must_use]
    pub const fn host(self) -> &'static str {
        match self {
            Self::Jp => "mqtt-jp.kii.com",
            Self::Us => "mqtt-us.kii.com",
            Self::Cn3 => "mqtt-cn3.kii.com",
            Self::Sg => "mqtt-sg.kii.com",
        }
    }
}

/// What MQTT runs over. Nothing in this crate takes another one than it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is one port for each")]
pub enum TransportKind {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP: what things normally use.
    #[default]
    Tls,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS.
    Wss,
}

impl TransportKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Tls, Self::Ws, Self::Wss];

    /// As a connection is opened; `path` is that of the WebSocket.
    #[must_use]
    pub fn transport(self, path: &str) -> Transport {
        match self {
            Self::Tcp => Transport::Tcp,
            Self::Tls => Transport::Tls,
            Self::Ws => Transport::Ws { path: path.into() },
            Self::Wss => Transport::Wss { path: path.into() },
        }
    }

    /// The member of an endpoint that holds its port.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tcp => "portTCP",
            Self::Tls => "portSSL",
            Self::Ws => "portWS",
            Self::Wss => "portWSS",
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WebSocket",
            Self::Wss => "WebSocket over TLS",
        })
    }
}

/// The ports of one broker, as far as it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "there is one port for each kind of transport")]
pub struct Ports {
    /// Plain TCP.
    pub tcp: Option<u16>,
    /// TLS over TCP.
    pub ssl: Option<u16>,
    /// WebSocket over TCP.
    pub ws: Option<u16>,
    /// WebSocket over TLS.
    pub wss: Option<u16>,
}

impl Ports {
    /// What default brokers listen on, and second brokers are seen to (specification, section 2.1).
    pub const DEFAULT: Self =
        Self { tcp: Some(1883), ssl: Some(8883), ws: Some(12470), wss: Some(12473) };

    /// The port of one kind of transport.
    ///
    /// # Errors
    /// The broker has none: choose another kind; nothing falls back to one by itself.
    pub fn get(&self, kind: TransportKind) -> Result<u16, PortUnavailable> {
        let port = match kind {
            TransportKind::Tcp => self.tcp,
            TransportKind::Tls => self.ssl,
            TransportKind::Ws => self.ws,
            TransportKind::Wss => self.wss,
        };
        port.ok_or(PortUnavailable { kind })
    }

    /// The same ports but this one.
    #[must_use]
    pub fn with(mut self, kind: TransportKind, port: Option<u16>) -> Self {
        *match kind {
            TransportKind::Tcp => &mut self.tcp,
            TransportKind::Tls => &mut self.ssl,
            TransportKind::Ws => &mut self.ws,
            TransportKind::Wss => &mut self.wss,
        } = port;
        self
    }
}

/// A broker does not listen for the chosen kind of transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the broker has no port for {kind} ({}): choose a kind of transport that it has", .kind.member())]
#[non_exhaustive]
pub struct PortUnavailable {
    /// The chosen kind.
    pub kind: TransportKind,
}

/// The default broker: where a thing onboards.
///
/// ```
/// use kii_onboard::{DefaultBroker, Location, Ports, TransportKind};
///
/// let documented = DefaultBroker::from(Location::Jp);
/// assert_eq!((documented.host.as_str(), documented.ports.get(TransportKind::Tls)), ("mqtt-jp.kii.com", Ok(8883)));
///
/// let own = DefaultBroker::new("broker.example").with_port(TransportKind::Tcp, 1884);
/// assert_eq!(own.ports.get(TransportKind::Tcp), Ok(1884));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DefaultBroker {
    /// Its host.
    pub host: String,
    /// Its ports.
    pub ports: Ports,
}

impl DefaultBroker {
    /// The one on this host, with the documented ports.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), ports: Ports::DEFAULT }
    }

    /// The same broker with another port for this kind of transport.
    #[must_use]
    pub fn with_port(self, kind: TransportKind, port: u16) -> Self {
        Self { ports: self.ports.with(kind, Some(port)), ..self }
    }
}

impl From<Location> for DefaultBroker {
    fn from(location: Location) -> Self {
        Self::new(location.host())
    }
}
