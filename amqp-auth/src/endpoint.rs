//! Where the platform listens.

use alloc::{format, string::String};
use core::{fmt, net::Ipv6Addr, str::FromStr};

/// A host and a port to reach over TLS (specification, section 2).
///
/// ```
/// use amqp_auth::{Endpoint, EndpointError};
///
/// let endpoint = Endpoint::for_instance("iot-060a0example")?;
/// assert_eq!(endpoint.to_string(), "amqps://iot-060a0example.amqp.iothub.aliyuncs.com:5671");
/// assert_eq!("amqps://h.example".parse(), Endpoint::new("h.example"));
/// assert_eq!("amqp://h.example".parse::<Endpoint>(), Err(EndpointError::TlsRequired));
/// assert_eq!(endpoint.with_port(61614), Err(EndpointError::UnsupportedPort(61614)));
/// # Ok::<(), EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// Why an endpoint is refused. No variant holds what was given but single characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The scheme asks for plain TCP.
    #[error("amqp:// asks for plain TCP, which the platform refuses: use amqps://")]
    TlsRequired,
    /// The scheme is missing or another.
    #[error("the scheme must be amqps://")]
    Scheme,
    /// The URL holds a user.
    #[error(
        "the URL holds a user: user name and password are signed for each attempt, give amqps://host:port"
    )]
    UserInfo,
    /// The port is known to speak something else.
    #[error("port {0} does not speak AMQP{hint}: AMQP is on 5671", hint = port_hint(*.0))]
    UnsupportedPort(u16),
    /// The port is not a number of 16 bits.
    #[error("the port must be a number from 1 to 65535")]
    BadPort,
    /// The host has no characters.
    #[error("the host is empty")]
    HostEmpty,
    /// The host holds what no host has: a control character, a space, or what separates the parts of a URL.
    #[error(
        "the host holds {ch:?} at byte {index}: give the name or address alone, without port, path or user"
    )]
    HostForbiddenChar {
        /// Where, in bytes of the host.
        index: usize,
        /// Which.
        ch: char,
    },
    /// An id that becomes part of a host name is empty.
    #[error("the {part} is empty")]
    #[non_exhaustive]
    Empty {
        /// Which.
        part: &'static str,
    },
    /// An id that becomes part of a host name holds something besides `A-Z a-z 0-9 _ -`.
    #[error("the {part} holds a character at byte {index} that is not A-Z a-z 0-9 _ -")]
    #[non_exhaustive]
    ForbiddenChar {
        /// Which.
        part: &'static str,
        /// Where, in bytes.
        index: usize,
    },
}

impl Endpoint {
    /// The port that speaks AMQP over TLS.
    pub const DEFAULT_PORT: u16 = 5671;

    /// This host, on port 5671.
    ///
    /// # Errors
    /// The host is empty, or holds a control character, a space or what separates the parts of a URL.
    pub fn new(host: impl Into<String>) -> Result<Self, EndpointError> {
        let host = host.into();
        check_host(&host)?;
        Ok(Self { host, port: Self::DEFAULT_PORT })
    }

    /// The host of an instance with an id: an Enterprise instance, or a public one opened since 2021-07-30.
    ///
    /// # Errors
    /// The id is empty or holds something besides `A-Z a-z 0-9 _ -`.
    pub fn for_instance(instance_id: &str) -> Result<Self, EndpointError> {
        check_id("instance id", instance_id)?;
        Self::new(format!("{instance_id}.amqp.iothub.aliyuncs.com"))
    }

    /// The host of a public instance without an id: the account's in a region, such as `cn-shanghai`.
    ///
    /// # Errors
    /// The account or the region are empty or hold something besides `A-Z a-z 0-9 _ -`.
    pub fn for_legacy_account(account_uid: &str, region_id: &str) -> Result<Self, EndpointError> {
        check_id("account uid", account_uid)?;
        check_id("region id", region_id)?;
        Self::new(format!("{account_uid}.iot-amqp.{region_id}.aliyuncs.com"))
    }

    /// On another port, for gateways and tests.
    ///
    /// # Errors
    /// The port is 0, or 61614, where the platform speaks STOMP.
    pub fn with_port(self, port: u16) -> Result<Self, EndpointError> {
        match port {
            0 => Err(EndpointError::BadPort),
            STOMP_PORT => Err(EndpointError::UnsupportedPort(port)),
            _ => Ok(Self { port, ..self }),
        }
    }

    /// The host: what the certificate must name, and what SNI says.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// As `amqps://host:port`, an IPv6 address in brackets.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "{SCHEME}[{host}]:{port}")
        } else {
            write!(f, "{SCHEME}{host}:{port}")
        }
    }
}

/// From `amqps://host` or `amqps://host:port`, an IPv6 address in brackets.
impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(url: &str) -> Result<Self, EndpointError> {
        let is_scheme = |scheme: &str| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if is_scheme(PLAIN_SCHEME) {
            return Err(EndpointError::TlsRequired);
        }
        if !is_scheme(SCHEME) {
            return Err(EndpointError::Scheme);
        }
        let authority = &url[SCHEME.len()..];
        if authority.contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, port) = match bracketed {
            Some((host, "")) => (host, None),
            Some((host, rest)) => {
                (host, Some(rest.strip_prefix(':').ok_or(EndpointError::BadPort)?))
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let endpoint = Self::new(host)?;
        let Some(port) = port else { return Ok(endpoint) };
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EndpointError::BadPort);
        }
        endpoint.with_port(port.parse().map_err(|_| EndpointError::BadPort)?)
    }
}

fn check_host(host: &str) -> Result<(), EndpointError> {
    if host.is_empty() {
        return Err(EndpointError::HostEmpty);
    }
    let is_address = || host.parse::<Ipv6Addr>().is_ok();
    let is_forbidden = |ch: char| match ch {
        ':' => !is_address(),
        '/' | '\\' | '?' | '#' | '@' | '[' | ']' => true,
        _ => ch.is_control() || ch.is_whitespace(),
    };
    match host.char_indices().find(|(_, ch)| is_forbidden(*ch)) {
        Some((index, ch)) => Err(EndpointError::HostForbiddenChar { index, ch }),
        None => Ok(()),
    }
}

fn check_id(part: &'static str, id: &str) -> Result<(), EndpointError> {
    if id.is_empty() {
        return Err(EndpointError::Empty { part });
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match id.bytes().position(|byte| !is_allowed(byte)) {
        Some(index) => Err(EndpointError::ForbiddenChar { part, index }),
        None => Ok(()),
    }
}

fn port_hint(port: u16) -> &'static str {
    if port == STOMP_PORT { " but STOMP" } else { "" }
}

const SCHEME: &str = "amqps://";
const PLAIN_SCHEME: &str = "amqp://";
/// The vendor's samples for Python 3 and PHP use it.
const STOMP_PORT: u16 = 61614;

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn hosts_are_those_of_section_2() {
        let instance = Endpoint::for_instance("iot-cn-example").unwrap();
        assert_eq!(instance.host(), "iot-cn-example.amqp.iothub.aliyuncs.com");
        assert_eq!(instance.port(), 5671);
        let legacy = Endpoint::for_legacy_account("1234567890", "cn-shanghai").unwrap();
        assert_eq!(legacy.host(), "1234567890.iot-amqp.cn-shanghai.aliyuncs.com");
    }

    #[test]
    fn ids_that_would_change_the_host_are_refused() {
        let forbidden = |part, index| Err(EndpointError::ForbiddenChar { part, index });
        assert_eq!(Endpoint::for_instance(""), Err(EndpointError::Empty { part: "instance id" }));
        assert_eq!(Endpoint::for_instance("a.evil"), forbidden("instance id", 1));
        assert_eq!(Endpoint::for_instance("\"\""), forbidden("instance id", 0));
        let account = Endpoint::for_legacy_account("", "cn-shanghai");
        assert_eq!(account, Err(EndpointError::Empty { part: "account uid" }));
        assert_eq!(Endpoint::for_legacy_account("1", "cn/"), forbidden("region id", 2));
    }

    #[test]
    fn the_stomp_port_is_refused_with_a_hint_wherever_it_is_named() {
        let error = Endpoint::new("h.example").unwrap().with_port(61614).unwrap_err();
        assert_eq!(error, EndpointError::UnsupportedPort(61614));
        assert!(error.to_string().contains("STOMP"), "{error}");
        assert_eq!("amqps://h.example:61614".parse::<Endpoint>(), Err(error));
    }

    #[test]
    fn what_is_printed_is_parsed() {
        for (host, port) in [("h.example", 5671), ("192.0.2.1", 15671), ("2001:db8::1", 5671)] {
            let endpoint = Endpoint::new(host).unwrap().with_port(port).unwrap();
            assert_eq!(endpoint.to_string().parse(), Ok(endpoint));
        }
        assert_eq!("AMQPS://[2001:db8::1]".parse(), Endpoint::new("2001:db8::1"));
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        let host = |index, ch| EndpointError::HostForbiddenChar { index, ch };
        for (url, expected) in [
            ("", EndpointError::Scheme),
            ("h.example", EndpointError::Scheme),
            ("failover:(amqps://h.example:5671)", EndpointError::Scheme),
            ("AMQP://h.example", EndpointError::TlsRequired),
            ("amqp://h.example:5671", EndpointError::TlsRequired),
            ("amqps://", EndpointError::HostEmpty),
            ("amqps://:5671", EndpointError::HostEmpty),
            ("amqps://h.example:", EndpointError::BadPort),
            ("amqps://h.example:0", EndpointError::BadPort),
            ("amqps://h.example:+1", EndpointError::BadPort),
            ("amqps://h.example:65536", EndpointError::BadPort),
            ("amqps://h.example:5671/", EndpointError::BadPort),
            ("amqps://h.example/path", host(9, '/')),
            ("amqps://user:word@h.example", EndpointError::UserInfo),
            ("amqps://user@h.example:5671", EndpointError::UserInfo),
            ("amqps://[2001:db8::1", host(0, '[')),
            ("amqps://[2001:db8::1]5671", EndpointError::BadPort),
            ("amqps://h example", host(1, ' ')),
            ("amqps://h\u{0}", host(1, '\u{0}')),
        ] {
            assert_eq!(url.parse::<Endpoint>(), Err(expected), "{url:?}");
        }
    }
}
