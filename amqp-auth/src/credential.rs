//! What the account gives to sign with.

use alloc::string::String;
use core::fmt;

use iot_sansio::{Secret, UnixMillis};

/// Who signs: an AccessKey, or what AssumeRole of the Security Token Service (STS) returned.
///
/// ```
/// use amqp_auth::{AuthMode, Credential};
///
/// let credential = Credential::key("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001");
/// assert_eq!(credential.auth_mode(), AuthMode::AkSign);
/// assert!(!format!("{credential:?}").contains("ExampleSecret"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Credential {
    /// An AccessKey: of the account, or of a RAM user with the permission `iot:sub`. Mode `aksign`.
    Key(KeyCredential),
    /// A temporary one of a RAM role. Mode `ststoken`.
    Sts(StsCredential),
}

/// An AccessKey.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeyCredential {
    /// The AccessKey id.
    pub access_key_id: String,
    /// The AccessKey secret.
    pub access_key_secret: Secret,
}

/// The three texts of one AssumeRole answer.
///
/// That they belong together is what we take for granted: the token is bound to the temporary pair, but the vendor's page
/// speaks of the RAM user's own id and secret, which no program that we know of settles (specification, Q4). Where this
/// triple is refused, give that pair with the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StsCredential {
    /// The temporary AccessKey id.
    pub access_key_id: String,
    /// The temporary AccessKey secret.
    pub access_key_secret: Secret,
    /// The token.
    pub security_token: Secret,
    /// When the token expires, if that is known.
    pub expires_at: Option<UnixMillis>,
}

impl Credential {
    /// An AccessKey.
    #[must_use]
    pub fn key(access_key_id: impl Into<String>, access_key_secret: impl Into<Secret>) -> Self {
        Self::Key(KeyCredential {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
        })
    }

    /// What AssumeRole returned: id, secret and token, and when the token expires, if that is known.
    #[must_use]
    pub fn sts(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<Secret>,
        security_token: impl Into<Secret>,
        expires_at: Option<UnixMillis>,
    ) -> Self {
        Self::Sts(StsCredential {
            access_key_id: access_key_id.into(),
            access_key_secret: access_key_secret.into(),
            security_token: security_token.into(),
            expires_at,
        })
    }

    /// The mode it signs in.
    #[must_use]
    pub const fn auth_mode(&self) -> AuthMode {
        match self {
            Self::Key(_) => AuthMode::AkSign,
            Self::Sts(_) => AuthMode::StsToken,
        }
    }

    /// The AccessKey id: parameter `authId`.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        match self {
            Self::Key(key) => &key.access_key_id,
            Self::Sts(sts) => &sts.access_key_id,
        }
    }

    /// The AccessKey secret.
    #[must_use]
    pub const fn access_key_secret(&self) -> &Secret {
        match self {
            Self::Key(key) => &key.access_key_secret,
            Self::Sts(sts) => &sts.access_key_secret,
        }
    }

    /// The token; none in mode `aksign`.
    #[must_use]
    pub const fn security_token(&self) -> Option<&Secret> {
        match self {
            Self::Key(_) => None,
            Self::Sts(sts) => Some(&sts.security_token),
        }
    }

    /// When it expires, if that is known.
    #[must_use]
    pub const fn expires_at(&self) -> Option<UnixMillis> {
        match self {
            Self::Key(_) => None,
            Self::Sts(sts) => sts.expires_at,
        }
    }
}

/// Parameter `authMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AuthMode {
    /// `aksign`: an AccessKey signs.
    AkSign,
    /// `ststoken`: a temporary AccessKey signs, and its token comes along.
    StsToken,
}

impl AuthMode {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AkSign => "aksign",
            Self::StsToken => "ststoken",
        }
    }

    /// The mode that is written so: case counts.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        match text {
            "aksign" => Some(Self::AkSign),
            "ststoken" => Some(Self::StsToken),
            _ => None,
        }
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
