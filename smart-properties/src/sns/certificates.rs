//! Certificates that were fetched before (specification section 5.5).

use alloc::vec::Vec;

use iot_sansio::UnixMillis;

use super::{
    cert_url::CertUrl,
    certificate::{Certificate, CertificateError},
};

/// Up to ten certificates by the whole URL they came from, each until it expires.
///
/// A failure is never kept: what is asked for again can be fetched again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CertificateCache {
    /// The one that was not asked for longest comes first.
    entries: Vec<(CertUrl, Certificate)>,
}

impl CertificateCache {
    /// Holds nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The certificate from this URL, if it is there and valid.
    pub fn get(&mut self, url: &CertUrl, now: UnixMillis) -> Option<&Certificate> {
        let at = self.entries.iter().position(|(known, _)| known == url)?;
        let entry = self.entries.remove(at);
        if entry.1.check(url, now).is_err() {
            return None;
        }
        self.entries.push(entry);
        self.entries.last().map(|(_, certificate)| certificate)
    }

    /// Keeps a certificate that was fetched from this URL. When there are ten, the one that was not asked for longest
    /// goes.
    ///
    /// # Errors
    /// It is not one to check a signature with, and is not kept.
    pub fn insert(
        &mut self,
        url: CertUrl,
        certificate: Certificate,
        now: UnixMillis,
    ) -> Result<(), CertificateError> {
        certificate.check(&url, now)?;
        self.entries.retain(|(known, kept)| *known != url && now <= kept.not_after());
        if self.entries.len() >= CAPACITY {
            self.entries.remove(0);
        }
        self.entries.push((url, certificate));
        Ok(())
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

const CAPACITY: usize = 10;
