//! The key that device and service share.

use iot_sansio::Secret;
use thiserror::Error;

/// The secret that registration or a rotation gave: 16 bytes for AES-128, 32 bytes for AES-256 (sections 4.2 and 5.4).
///
/// `Debug` is redacted, equality takes constant time for equal lengths, and the bytes are wiped on drop.
///
/// ```
/// use aia_proto::protect::{KeyLength, SharedSecret};
///
/// let secret = SharedSecret::from_bytes(&[7; 16])?;
/// assert_eq!(secret.len(), 16);
/// assert_eq!(SharedSecret::from_bytes(&[7; 24]), Err(KeyLength { len: 24 }));
/// # Ok::<(), KeyLength>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SharedSecret(Secret);

/// Bytes that cannot be a [`SharedSecret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a shared secret of {len} bytes: it must have 16 or 32")]
#[expect(clippy::exhaustive_structs, reason = "only the length can be wrong")]
pub struct KeyLength {
    /// How many bytes there are.
    pub len: usize,
}

impl SharedSecret {
    /// The secret of these bytes.
    ///
    /// # Errors
    /// There are neither 16 nor 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyLength> {
        match bytes.len() {
            16 | 32 => Ok(Self(bytes.into())),
            len => Err(KeyLength { len }),
        }
    }

    /// Its length: 16 or 32 bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.0.expose().len()
    }

    /// The bytes themselves. Do not print them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl From<&[u8; 16]> for SharedSecret {
    fn from(bytes: &[u8; 16]) -> Self {
        Self(bytes.as_slice().into())
    }
}

impl From<&[u8; 32]> for SharedSecret {
    fn from(bytes: &[u8; 32]) -> Self {
        Self(bytes.as_slice().into())
    }
}
