//! The three methods, and the password that each makes.

use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroize as _;

/// Parameter `signMethod`: the hash that HMAC runs on. Written in lower case, read in any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SignMethod {
    /// `hmacmd5`: a MAC of 16 bytes, a password of 24 characters.
    HmacMd5,
    /// `hmacsha1`: a MAC of 20 bytes, a password of 28 characters.
    HmacSha1,
    /// `hmacsha256`: a MAC of 32 bytes, a password of 44 characters.
    HmacSha256,
}

/// The longest password that any method makes, in bytes: base64 of 32 bytes.
pub const MAX_PASSWORD_LEN: usize = 44;

impl SignMethod {
    /// All of them, in the order of their lengths.
    pub const ALL: [Self; 3] = [Self::HmacMd5, Self::HmacSha1, Self::HmacSha256];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacMd5 => "hmacmd5",
            Self::HmacSha1 => "hmacsha1",
            Self::HmacSha256 => "hmacsha256",
        }
    }

    /// The length of a MAC, in bytes.
    #[must_use]
    pub const fn mac_len(self) -> usize {
        match self {
            Self::HmacMd5 => 16,
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
        }
    }

    /// The length of a password, in bytes: base64 with padding of the MAC.
    #[must_use]
    pub const fn password_len(self) -> usize {
        self.mac_len().div_ceil(3) * 4
    }

    /// The method of this name, in any case: the vendor's Go sample writes `Hmacsha1`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for SignMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// HMAC with its key expanded, and what was fed to it so far.
#[derive(Clone)]
pub(crate) enum Mac {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl Mac {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    pub(crate) fn new(method: SignMethod, secret: &[u8]) -> Self {
        const ANY_LENGTH: &str = "a key of any length";
        match method {
            SignMethod::HmacMd5 => Self::Md5(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            SignMethod::HmacSha1 => Self::Sha1(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            SignMethod::HmacSha256 => Self::Sha256(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
        }
    }

    #[inline]
    pub(crate) fn update(&mut self, text: &[u8]) {
        match self {
            Self::Md5(mac) => mac.update(text),
            Self::Sha1(mac) => mac.update(text),
            Self::Sha256(mac) => mac.update(text),
        }
    }

    /// The password: base64 of the MAC over all that was fed.
    #[inline]
    pub(crate) fn into_password(self, out: &mut PasswordBuffer) -> &str {
        match self {
            Self::Md5(mac) => encode(&mac.finalize().into_bytes(), out),
            Self::Sha1(mac) => encode(&mac.finalize().into_bytes(), out),
            Self::Sha256(mac) => encode(&mac.finalize().into_bytes(), out),
        }
    }
}

/// Room for the password of any method.
pub(crate) type PasswordBuffer = [u8; MAX_PASSWORD_LEN];

/// The password for a raw MAC of at most 32 bytes.
pub(crate) fn encode<'b>(mac: &[u8], out: &'b mut PasswordBuffer) -> &'b str {
    // Neither can fail: the room is that of the longest MAC, and base64 is ASCII.
    let len = STANDARD.encode_slice(mac, out).unwrap_or_default();
    core::str::from_utf8(&out[..len]).unwrap_or_default()
}

/// A password that is wiped when it is dropped.
pub(crate) struct Password(pub(crate) PasswordBuffer);

impl Password {
    pub(crate) const fn empty() -> Self {
        Self([0; MAX_PASSWORD_LEN])
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
