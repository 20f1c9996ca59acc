//! The two forms of the key agreement.

use core::{fmt, str::FromStr};

/// How both sides make the shared secret of Z, the result of X25519 (specification, section 5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// `ECDH_CURVE_25519_32_BYTE`: Z itself, 32 bytes, for AES-256-GCM.
    Curve25519With32Bytes,
    /// `ECDH_CURVE_25519_16_BYTE_SHA256`: the first 16 bytes of HKDF-SHA-256 of Z without salt and info, for
    /// AES-128-GCM.
    Curve25519With16BytesSha256,
}

/// A name is none of an algorithm that the crate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the algorithm is none of those known: take one of `Algorithm::ALL`")]
#[non_exhaustive]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Curve25519With32Bytes, Self::Curve25519With16BytesSha256];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Curve25519With32Bytes => "ECDH_CURVE_25519_32_BYTE",
            Self::Curve25519With16BytesSha256 => "ECDH_CURVE_25519_16_BYTE_SHA256",
        }
    }

    /// The length of the shared secret, in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Curve25519With32Bytes => 32,
            Self::Curve25519With16BytesSha256 => 16,
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
