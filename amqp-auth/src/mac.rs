//! The three methods, and the password that each makes.

use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::Sha256;

use crate::UserName;

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
        match name {
            // Nearly all are written so.
            "hmacsha1" => Some(Self::HmacSha1),
            _ => Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name)),
        }
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
    pub(crate) fn new(method: SignMethod, secret: &[u8]) -> Self {
        match method {
            SignMethod::HmacMd5 => Self::Md5(keyed(secret)),
            SignMethod::HmacSha1 => Self::Sha1(keyed(secret)),
            SignMethod::HmacSha256 => Self::Sha256(keyed(secret)),
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

    /// The password for all that was fed and this rest.
    #[inline]
    pub(crate) fn password<'b>(&self, rest: &[u8], out: &'b mut [u8]) -> &'b [u8] {
        match self {
            Self::Md5(mac) => finish(mac.clone(), rest, out),
            Self::Sha1(mac) => finish(mac.clone(), rest, out),
            Self::Sha256(mac) => finish(mac.clone(), rest, out),
        }
    }
}

/// The password that a key used once gives for what the user name signs: without [`Mac`], whose moves would cost as
/// much as the rest.
#[inline]
pub(crate) fn password_once<'b>(
    user_name: &UserName<'_>,
    secret: &[u8],
    out: &'b mut PasswordBuffer,
) -> &'b [u8] {
    match user_name.sign_method() {
        SignMethod::HmacMd5 => sign::<Hmac<Md5>>(user_name, secret, out),
        SignMethod::HmacSha1 => sign::<Hmac<Sha1>>(user_name, secret, out),
        SignMethod::HmacSha256 => sign::<Hmac<Sha256>>(user_name, secret, out),
    }
}

#[inline]
fn sign<'b, M: hmac::Mac + hmac::KeyInit>(
    user_name: &UserName<'_>,
    secret: &[u8],
    out: &'b mut [u8],
) -> &'b [u8] {
    let mut mac = keyed::<M>(secret);
    user_name.feed_signed(|text| mac.update(text));
    encode(&mac.finalize().into_bytes(), out)
}

#[inline]
fn finish<'b>(mut mac: impl hmac::Mac, rest: &[u8], out: &'b mut [u8]) -> &'b [u8] {
    mac.update(rest);
    encode(&mac.finalize().into_bytes(), out)
}

#[inline]
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn keyed<M: hmac::KeyInit>(secret: &[u8]) -> M {
    M::new_from_slice(secret).expect("a key of any length")
}

/// Room for the password of any method.
pub(crate) type PasswordBuffer = [u8; MAX_PASSWORD_LEN];

/// The password for a raw MAC, into room for the password of its method.
#[inline]
pub(crate) fn encode<'b>(mac: &[u8], out: &'b mut [u8]) -> &'b [u8] {
    // It does not fail: there is room.
    let len = STANDARD.encode_slice(mac, out).unwrap_or_default();
    &out[..len]
}
