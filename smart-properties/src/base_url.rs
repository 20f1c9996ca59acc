//! Where an API is: scheme, host and port (specification section 7.1).

use alloc::{borrow::Cow, string::String};
use core::fmt;

/// Scheme, host and port of an API, without a path: `https://{host}` or `https://{host}:{port}`.
///
/// ```
/// use smart_properties::{BaseUrl, BaseUrlError};
///
/// assert_eq!(BaseUrl::new("https://gateway.example:8443")?.as_str(), "https://gateway.example:8443");
/// // The access token would go over the line in the clear.
/// assert_eq!(BaseUrl::new("http://gateway.example"), Err(BaseUrlError::NotHttps));
/// # Ok::<(), BaseUrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BaseUrl(Cow<'static, str>);

impl BaseUrl {
    /// `https://api.amazonalexa.com`: the Event Messenger API, and the others for Canada and the US.
    pub const ALEXA: Self = Self(Cow::Borrowed("https://api.amazonalexa.com"));
    /// `https://api.eu.amazonalexa.com`: the other APIs for Germany, Spain, France, Italy and the UK.
    pub const ALEXA_EUROPE: Self = Self(Cow::Borrowed("https://api.eu.amazonalexa.com"));
    /// `https://api.fe.amazonalexa.com`: the other APIs for Japan.
    pub const ALEXA_FAR_EAST: Self = Self(Cow::Borrowed("https://api.fe.amazonalexa.com"));
    /// `https://api.amazon.com`: the profile of an account.
    pub const AMAZON: Self = Self(Cow::Borrowed("https://api.amazon.com"));

    /// Reads where another API is: a host name or an IPv4 address, with a port from 1 to 65535 where there is one.
    ///
    /// # Errors
    /// It does not begin with `https://`, the host or the port is none, or more follows: a `/` at the end is too much.
    pub fn new(url: impl Into<String>) -> Result<Self, BaseUrlError> {
        let url = url.into();
        let authority = url.strip_prefix("https://").ok_or(BaseUrlError::NotHttps)?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        if host.len() > MAX_HOST_BYTES || !host.split('.').all(is_label) {
            return Err(BaseUrlError::BadHost);
        }
        let is_port = |port: &str| {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port != 0)
        };
        if !port.is_none_or(is_port) {
            return Err(BaseUrlError::BadPort);
        }
        Ok(Self(Cow::Owned(url)))
    }

    /// The URL, which does not end with `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for BaseUrl {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Why a text does not say where an API is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlError {
    /// It does not begin with `https://` in lower case.
    #[error(
        "the base URL does not begin with https://, without which the access token could be read on the way"
    )]
    NotHttps,
    /// User information, a path or a query stand in it, or the host is not made of labels of `[A-Za-z0-9-]`.
    #[error(
        "the base URL has no host name of at most {MAX_HOST_BYTES} bytes and nothing else behind https://"
    )]
    BadHost,
    /// Not 1 to 65535, or more follows.
    #[error("the port of the base URL is not 1 to 65535 with nothing behind it")]
    BadPort,
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

const MAX_HOST_BYTES: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_and_a_port_stand_behind_the_scheme() {
        for known in
            [BaseUrl::ALEXA, BaseUrl::ALEXA_EUROPE, BaseUrl::ALEXA_FAR_EAST, BaseUrl::AMAZON]
        {
            assert_eq!(BaseUrl::new(known.as_str()), Ok(known));
        }
        assert!(BaseUrl::new("https://192.0.2.1:65535").is_ok());
        for scheme in ["", "http://a.example", "HTTPS://a.example", "//a.example", "a.example"] {
            assert_eq!(BaseUrl::new(scheme), Err(BaseUrlError::NotHttps), "{scheme}");
        }
        for host in [
            "", "a..b", ".a", "a.", "-a", "a-", "a/", "a/b", "u@a", "a?b", "a#b", "a b", "a\u{e9}",
            "[::1]",
        ] {
            let url = alloc::format!("https://{host}");
            assert_eq!(BaseUrl::new(&*url), Err(BaseUrlError::BadHost), "{url}");
        }
        for port in ["", "0", "65536", "+1", "1/", "1:2", "x", " 1"] {
            let url = alloc::format!("https://a.example:{port}");
            assert_eq!(BaseUrl::new(&*url), Err(BaseUrlError::BadPort), "{url}");
        }
    }
}
