//! Amazon SNS, which delivers the events: envelopes, signatures, and the answers that SNS understands (specification
//! sections 4 to 6).

mod answer;
mod cert_url;
mod certificate;
mod certificates;
#[cfg(feature = "ring")]
mod ring;
mod rsa;
mod url;

pub use answer::Answer;
pub use cert_url::{CertUrl, PathRule};
pub use certificate::{Certificate, CertificateError};
pub use certificates::CertificateCache;
#[cfg(feature = "ring")]
pub use ring::Ring;
pub use rsa::{Digest, RsaPublicKey, RsaVerify};
pub use url::UrlError;
