//! The key agreement (specification, section 5.4).

use core::{fmt, hash};

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use x25519_dalek::{PublicKey, StaticSecret, X25519_BASEPOINT_BYTES};
use zeroize::Zeroizing;

use super::Algorithm;
use crate::protect::SharedSecret;

/// An X25519 key pair, one for each registration. `Debug` leaves out the private key, which is wiped on drop.
///
/// ```
/// use aia_proto::registration::{Algorithm, KeyPair};
///
/// // 32 random bytes each, of a generator fit for keys.
/// let (device, service) = (KeyPair::from_random([1; 32]), KeyPair::from_random([2; 32]));
/// let algorithm = Algorithm::Curve25519With16BytesSha256;
/// let secret = device.agree(algorithm, &service.public_key())?;
/// assert_eq!(secret, service.agree(algorithm, &device.public_key())?);
/// assert_eq!(secret.len(), algorithm.key_len());
/// # Ok::<(), aia_proto::registration::KeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyPair {
    private: StaticSecret,
    public: [u8; 32],
}

/// Why two keys make no shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The other side's key is one that makes the secret zero, whatever the private key: refuse it, and register again
    /// (specification, Q43).
    #[error(
        "the public key of the other side makes a secret of zeros: register again with new keys"
    )]
    ZeroSecret,
}

impl KeyPair {
    /// The pair of 32 random bytes, as RFC 7748 makes a private key of them.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let private = StaticSecret::from(random);
        // The ladder that the agreement needs anyway: no second way of multiplying in the firmware.
        let public = private.diffie_hellman(&PublicKey::from(X25519_BASEPOINT_BYTES)).to_bytes();
        Self { private, public }
    }

    /// The public key, little-endian.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// The shared secret with the other side's public key, little-endian.
    ///
    /// # Errors
    /// The result of X25519 is zero.
    pub fn agree(
        &self,
        algorithm: Algorithm,
        peer_public: &[u8; 32],
    ) -> Result<SharedSecret, KeyError> {
        let shared = self.private.diffie_hellman(&PublicKey::from(*peer_public));
        if !shared.was_contributory() {
            return Err(KeyError::ZeroSecret);
        }
        Ok(match algorithm {
            Algorithm::Curve25519With32Bytes => SharedSecret::from(shared.as_bytes()),
            Algorithm::Curve25519With16BytesSha256 => {
                let mut derived = Zeroizing::new([0; 16]);
                // Refused only beyond 255 blocks of 32 bytes.
                let _ = Hkdf::<Sha256>::new(None, shared.as_bytes()).expand(&[], &mut *derived);
                SharedSecret::from(&*derived)
            }
        })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.public).finish_non_exhaustive()
    }
}

impl PartialEq for KeyPair {
    fn eq(&self, other: &Self) -> bool {
        self.private.as_bytes().ct_eq(other.private.as_bytes()).into()
    }
}

impl Eq for KeyPair {}

impl hash::Hash for KeyPair {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.public.hash(state);
    }
}
