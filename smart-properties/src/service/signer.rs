//! How messages are signed.

use alloc::{sync::Arc, vec::Vec};

use crate::sns::Digest;

/// The key of SNS, or what stands in for it.
///
/// A real one signs with RSA PKCS#1 v1.5, which has no random part: the same text gives the same signature.
pub trait Signer {
    /// The signature of a string to sign, over this digest of it.
    fn sign(&self, digest: Digest, string_to_sign: &[u8]) -> Vec<u8>;

    /// Where the certificate of the key is: `SigningCertURL`.
    fn certificate_url(&self) -> &str;
}

impl<S: Signer + ?Sized> Signer for &S {
    fn sign(&self, digest: Digest, string_to_sign: &[u8]) -> Vec<u8> {
        (**self).sign(digest, string_to_sign)
    }

    fn certificate_url(&self) -> &str {
        (**self).certificate_url()
    }
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn sign(&self, digest: Digest, string_to_sign: &[u8]) -> Vec<u8> {
        (**self).sign(digest, string_to_sign)
    }

    fn certificate_url(&self) -> &str {
        (**self).certificate_url()
    }
}
