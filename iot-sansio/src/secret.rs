//! Bytes that must not be printed.

use alloc::{string::String, vec::Vec};
use core::{fmt, hash, str};

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// A password, key or token.
///
/// `Debug` is redacted, there is no `Display`, equality takes constant time for equal lengths, and the bytes are wiped
/// on drop. The only way to them is [`expose`](Self::expose).
///
/// ```
/// use iot_sansio::Secret;
///
/// let password = Secret::from("hunter2");
/// assert_eq!(format!("{password:?}"), "Secret([redacted])");
/// assert_eq!(password.expose(), b"hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The bytes themselves. Do not print them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, for clients that want a string. Do not print it.
    ///
    /// # Errors
    /// The bytes are not UTF-8; the error tells the position, not the bytes.
    pub fn expose_str(&self) -> Result<&str, str::Utf8Error> {
        str::from_utf8(&self.0)
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl hash::Hash for Secret {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_shows_neither_bytes_nor_length() {
        let short = format!("{:?}", Secret::from("canary"));
        let long = format!("{:#?}", Secret::from("canary, and then some more"));
        assert!(!short.contains("canary"));
        assert_eq!(short, long);
    }

    #[test]
    fn equality_is_by_bytes() {
        assert_eq!(Secret::from("a"), Secret::from(b"a".as_slice()));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert_ne!(Secret::from("a"), Secret::from("aa"));
    }

    #[test]
    fn text_is_only_given_for_text() {
        assert_eq!(Secret::from("é").expose_str(), Ok("é"));
        assert!(Secret::from(b"\xff".as_slice()).expose_str().is_err());
    }
}
