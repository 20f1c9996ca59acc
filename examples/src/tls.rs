//! TLS for the clients of the examples. Copy this file together with the example that uses it; `Cargo.toml` needs:
//!
//! ```toml
//! rustls-native-certs = "0.8"
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring", "tls12"] }
//! ```

use std::{error::Error, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// TLS of a client that trusts the system's certificates, or those of a PEM file and no others.
///
/// # Errors
/// The file is not to be had, or has something else in it.
pub fn client(ca: Option<&Path>) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
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
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
