//! The key that the embedded SNS signs with, and its certificates.

use std::sync::atomic::{AtomicUsize, Ordering};

use fastrand::Rng;
use rcgen::{CertificateParams, DnType, KeyPair, SigningKey as _};
use smart_properties::{service::Signer, sns::Digest};

use super::HOST;

/// A key of RSA with two certificates, of which one is in use.
pub(super) struct SigningKey {
    pair: KeyPair,
    certificates: [Certificate; 2],
    in_use: AtomicUsize,
}

struct Certificate {
    url: String,
    pem: String,
}

/// Why there is nothing to sign with.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a certificate to sign with: {0}")]
pub struct SigningKeyError(#[from] rcgen::Error);

impl SigningKey {
    /// Reads the key that everybody has, and makes its certificates.
    pub(super) fn load(seed: u64) -> Result<Self, SigningKeyError> {
        let pair = KeyPair::from_pem(TEST_ONLY_KEY)?;
        let mut random = Rng::with_seed(seed);
        let mut certificate = || -> Result<_, rcgen::Error> {
            let mut params = CertificateParams::new([NAME.to_owned()])?;
            params.distinguished_name.push(DnType::CommonName, NAME);
            let pem = params.self_signed(&pair)?.pem();
            let file = format!("SimpleNotificationService-{:032x}.pem", random.u128(..));
            Ok(Certificate { url: format!("https://{HOST}/{file}"), pem })
        };
        let certificates = [certificate()?, certificate()?];
        Ok(Self { pair, certificates, in_use: AtomicUsize::new(0) })
    }

    /// The certificate at this URL, in PEM.
    pub(super) fn certificate(&self, url: &str) -> Option<&str> {
        let found = self.certificates.iter().find(|certificate| certificate.url == url);
        found.map(|certificate| certificate.pem.as_str())
    }

    /// Where the certificate in use is.
    pub(super) fn url(&self) -> &str {
        let [first, second] = &self.certificates;
        let in_use = if self.in_use.load(Ordering::Relaxed) == 0 { first } else { second };
        &in_use.url
    }

    /// Takes the other certificate into use.
    pub(super) fn rotate(&self) {
        self.in_use.fetch_xor(1, Ordering::Relaxed);
    }
}

impl Signer for SigningKey {
    fn sign(&self, digest: Digest, string_to_sign: &[u8]) -> Vec<u8> {
        match digest {
            Digest::Sha256 => self.pair.sign(string_to_sign).unwrap_or_default(),
            // Nothing that is vetted signs with SHA-1 any more: what should be is not signed at all.
            _ => Vec::new(),
        }
    }

    fn certificate_url(&self) -> &str {
        self.url()
    }
}

/// Public, and made for this alone: the file says how.
const TEST_ONLY_KEY: &str = include_str!("test-only-signing-key.pem");
/// What SNS calls itself in its certificates, in most regions.
const NAME: &str = "sns.amazonaws.com";
