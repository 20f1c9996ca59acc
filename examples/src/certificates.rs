//! Throw-away certificates for servers on this machine.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};

/// A certificate authority, and one certificate of it, for `localhost` and 127.0.0.1 or another host. Both are made
/// anew each time.
///
/// ```
/// use examples::certificates::Certificates;
///
/// let certificates = Certificates::generate()?;
/// assert!(certificates.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), examples::certificates::Error>(())
/// ```
pub struct Certificates {
    ca: CertificateDer<'static>,
    ca_pem: String,
    server: CertificateDer<'static>,
    server_pem: String,
    server_key: PrivateKeyDer<'static>,
    server_key_pem: String,
}

/// Why there are no certificates or no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// They cannot be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// They do not serve for TLS.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Certificates {
    /// Makes them, for this machine.
    ///
    /// # Errors
    /// There is no randomness, or nothing to sign with.
    pub fn generate() -> Result<Self, Error> {
        Self::for_names(&["localhost", "127.0.0.1"])
    }

    /// Makes them, for a server that stands in for this host.
    ///
    /// # Errors
    /// There is no randomness, or nothing to sign with.
    pub fn for_host(host: &str) -> Result<Self, Error> {
        Self::for_names(&[host])
    }

    /// The first one is the common name, too.
    fn for_names(names: &[&str]) -> Result<Self, Error> {
        // With the same common name in both, OpenSSL takes the server's for signed by itself.
        let mut ca_params = CertificateParams::new(Vec::new())?;
        ca_params.distinguished_name.push(DnType::CommonName, "Throw-away authority");
        ca_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_key = KeyPair::generate()?;
        let ca = ca_params.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca_params, ca_key);

        let mut params =
            CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let common_name = names.first().copied().unwrap_or_default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let server = params.signed_by(&key, &issuer)?;
        Ok(Self {
            ca: ca.der().clone(),
            ca_pem: ca.pem(),
            server: server.der().clone(),
            server_pem: server.pem(),
            server_key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            server_key_pem: key.serialize_pem(),
        })
    }

    /// The authority's certificate, for clients to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The server's certificate, for servers that are not of this process.
    #[must_use]
    pub fn server_pem(&self) -> &str {
        &self.server_pem
    }

    /// The private key of the server's certificate.
    #[must_use]
    pub fn server_key_pem(&self) -> &str {
        &self.server_key_pem
    }

    /// TLS of a server that shows the certificate and asks for none.
    ///
    /// # Errors
    /// The certificate does not serve for TLS.
    pub fn server(&self) -> Result<Arc<ServerConfig>, Error> {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.server.clone()], self.server_key.clone_key())?;
        Ok(Arc::new(config))
    }

    /// TLS of a client that trusts the authority and nobody else.
    ///
    /// # Errors
    /// The authority's certificate does not serve for TLS.
    pub fn client(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.clone())?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
