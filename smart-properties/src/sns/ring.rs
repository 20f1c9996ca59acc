//! The RSA step by the crate `ring`.

use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};

use super::rsa::{Digest, RsaPublicKey, RsaVerify};

/// Checks signatures with the crate `ring`.
///
/// Its name for RSA with SHA-1 says "legacy use only": that is what version 1 of the signatures of SNS is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it has no state")]
pub struct Ring;

impl RsaVerify for Ring {
    fn verify(
        &self,
        key: &RsaPublicKey<'_>,
        digest: Digest,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let algorithm = match digest {
            Digest::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, key.pkcs1_der()).verify(message, signature).is_ok()
    }
}
