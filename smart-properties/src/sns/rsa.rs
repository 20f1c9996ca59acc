//! The RSA step, which others do (specification section 5.1).

/// Checks signatures of RSA, PKCS#1 version 1.5. With the feature `ring`, [`Ring`](super::Ring) is one that is made.
///
/// ```
/// use smart_properties::sns::{Digest, RsaPublicKey, RsaVerify};
///
/// /// Hands the work to whatever the platform has.
/// struct Hardware;
///
/// impl RsaVerify for Hardware {
///     fn verify(&self, key: &RsaPublicKey<'_>, digest: Digest, message: &[u8], signature: &[u8]) -> bool {
///         let hash = match digest {
///             Digest::Sha1 => "SHA-1",
///             Digest::Sha256 => "SHA-256",
///             _ => return false,
///         };
///         hardware_verify(key.spki_der(), hash, message, signature)
///     }
/// }
/// # fn hardware_verify(_: &[u8], _: &str, _: &[u8], _: &[u8]) -> bool { false }
/// ```
pub trait RsaVerify {
    /// Whether the signature over the message, which this hashes, is one of the key's. Anything else, also a key that
    /// cannot be used, is false.
    ///
    /// The signature is as long as the modulus.
    fn verify(
        &self,
        key: &RsaPublicKey<'_>,
        digest: Digest,
        message: &[u8],
        signature: &[u8],
    ) -> bool;
}

/// What is hashed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digest {
    /// SHA-1, in signatures of version 1.
    Sha1,
    /// SHA-256, in signatures of version 2.
    Sha256,
}

/// The public key of a certificate: RSA, with a modulus of 2,048 to 8,192 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RsaPublicKey<'a> {
    pub(crate) spki: &'a [u8],
    pub(crate) pkcs1: &'a [u8],
    pub(crate) modulus_len: usize,
}

impl<'a> RsaPublicKey<'a> {
    /// The key as a `SubjectPublicKeyInfo` in DER, the algorithm with it.
    #[must_use]
    pub const fn spki_der(&self) -> &'a [u8] {
        self.spki
    }

    /// The key as an `RSAPublicKey` of PKCS#1 in DER, modulus and exponent alone.
    #[must_use]
    pub const fn pkcs1_der(&self) -> &'a [u8] {
        self.pkcs1
    }

    /// The length of the modulus and of every signature, in bytes.
    #[must_use]
    pub const fn modulus_len(&self) -> usize {
        self.modulus_len
    }
}
