//! The names of what a credential is made of.

use core::fmt;

/// A part of a credential: the client id, a parameter of the user name, or the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// The client id, before the first bar.
    ClientId,
    /// Parameter `iotInstanceId`.
    IotInstanceId,
    /// Parameter `authMode`.
    AuthMode,
    /// Parameter `securityToken`.
    SecurityToken,
    /// Parameter `signMethod`.
    SignMethod,
    /// Parameter `consumerGroupId`.
    ConsumerGroupId,
    /// Parameter `authId`: the AccessKey id.
    AuthId,
    /// Parameter `timestamp`.
    Timestamp,
    /// A parameter that is none of these.
    Extension,
    /// The AccessKey secret, which is in no user name.
    AccessKeySecret,
}

impl Field {
    /// Its name, for a parameter as it is written in a user name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientId => "clientId",
            Self::IotInstanceId => "iotInstanceId",
            Self::AuthMode => "authMode",
            Self::SecurityToken => "securityToken",
            Self::SignMethod => "signMethod",
            Self::ConsumerGroupId => "consumerGroupId",
            Self::AuthId => "authId",
            Self::Timestamp => "timestamp",
            Self::Extension => "extension",
            Self::AccessKeySecret => "accessKeySecret",
        }
    }

    /// The parameter with this key; none for the key of an extension. Keys are case-sensitive.
    #[must_use]
    pub(crate) fn from_key(key: &str) -> Option<Self> {
        Some(match key {
            "iotInstanceId" => Self::IotInstanceId,
            "authMode" => Self::AuthMode,
            "securityToken" => Self::SecurityToken,
            "signMethod" => Self::SignMethod,
            "consumerGroupId" => Self::ConsumerGroupId,
            "authId" => Self::AuthId,
            "timestamp" => Self::Timestamp,
            _ => return None,
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
