//! TLS for the clients of the examples. Copy this file together with the example that uses it; `Cargo.toml` needs:
//!
//! ```toml
//! rustls-native-certs = "0.8"
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring", "tls12"] }
//! ```

use std::{error::Error, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, ConfigBuilder, RootCertStore,
    client::WantsClientCert,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// TLS of a client that trusts the system's certificates, or those of a PEM file and no others.
///
/// # Errors
/// The file is not to be had, or has something else in it.
pub fn client(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    Ok(Arc::new(trusting(ca)?.with_no_client_auth()))
}

/// The same of a client that shows a certificate: a PEM file has it, and its private key.
///
/// # Errors
/// A file is not to be had, or has something else in it.
pub fn client_with_identity(
    ca: Option<&Path>,
    identity: &Path,
) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(identity)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(identity)?;
    Ok(Arc::new(trusting(ca)?.with_client_auth_cert(chain, key)?))
}

fn trusting(
    ca: Option<&Path>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
        None => {
            // One that cannot be read is no reason to do without the others.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots))
}
