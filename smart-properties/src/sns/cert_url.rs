//! Where the certificate is to be fetched from, and nowhere else (specification section 5.4).

use alloc::string::String;
use core::fmt;

use super::url::{UrlError, path_on_sns};
use crate::{Partition, TopicArn};

/// A `SigningCertURL` that leads to SNS in the region of the topic.
///
/// It can be put together again, byte for byte, from the region and the name of the file: nothing else comes through.
/// Fetch it over HTTPS, with the roots that you trust, and follow no redirect.
///
/// ```
/// use smart_properties::{
///     TopicArn,
///     sns::{CertUrl, PathRule, UrlError},
/// };
///
/// let topic = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let url = "https://sns.us-east-1.amazonaws.com/\
///     SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
/// assert_eq!(CertUrl::parse(url, &topic, PathRule::Strict).unwrap().as_str(), url);
///
/// let elsewhere = url.replace(".amazonaws.com", ".amazonaws.com.evil.example");
/// let refused = CertUrl::parse(&elsewhere, &topic, PathRule::Strict);
/// assert_eq!(refused, Err(UrlError::HostMismatch));
/// # Ok::<(), smart_properties::TopicArnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertUrl {
    url: String,
    partition: Partition,
    region: String,
}

/// Which names the file of a certificate may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PathRule {
    /// `SimpleNotificationService-`, 32 lower-case hexadecimal digits, `.pem`: the form of every sample there is.
    #[default]
    Strict,
    /// One level of `[A-Za-z0-9._-]` that ends in `.pem`, in case SNS gives its files other names one day.
    AnyPem,
}

impl CertUrl {
    /// Checks a URL against the region of the topic.
    ///
    /// # Errors
    /// Says which part of it is not as SNS writes it.
    pub fn parse(url: &str, topic: &TopicArn, rule: PathRule) -> Result<Self, UrlError> {
        let path = path_on_sns(url, MAX_BYTES, topic)?;
        let file = path.strip_prefix('/').and_then(|file| file.strip_suffix(PEM));
        if !file.is_some_and(|file| rule.allows(file)) {
            return Err(UrlError::BadPath);
        }
        Ok(Self { url: url.into(), partition: topic.partition(), region: topic.region().into() })
    }

    /// The URL, as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The region whose SNS it leads to, for example `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The partition of that region.
    #[must_use]
    pub const fn partition(&self) -> Partition {
        self.partition
    }
}

impl PathRule {
    /// The name of the file without `.pem`.
    fn allows(self, file: &str) -> bool {
        match self {
            Self::Strict => file.strip_prefix(FILE).is_some_and(|hex| {
                hex.len() == HEX_DIGITS
                    && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }),
            Self::AnyPem => file
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')),
        }
    }
}

impl fmt::Display for CertUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.url)
    }
}

impl AsRef<str> for CertUrl {
    fn as_ref(&self) -> &str {
        &self.url
    }
}

const MAX_BYTES: usize = 512;
const FILE: &str = "SimpleNotificationService-";
const HEX_DIGITS: usize = 32;
const PEM: &str = ".pem";
