//! Amazon SNS, which delivers the events: envelopes, signatures, and the answers that SNS understands (specification
//! sections 4 to 6).

mod answer;
mod canonical;
mod cert_url;
mod certificate;
mod certificates;
mod classifier;
mod control;
mod envelope;
mod envelope_error;
mod headers;
mod members;
mod record;
#[cfg(feature = "ring")]
mod ring;
mod rsa;
mod subscriber;
mod url;
mod verified;
mod verifier;

pub use answer::Answer;
pub use cert_url::{CertUrl, PathRule};
pub use certificate::{Certificate, CertificateError};
pub use certificates::CertificateCache;
pub use classifier::{Classifier, Delivery, Inbound, Raw, RawPolicy, Via};
pub use control::{Confirm, ControlError};
pub use envelope::{Envelope, MessageType};
pub use envelope_error::{EnvelopeError, HeaderName};
pub use headers::Headers;
pub use record::{Record, RecordError, RecordErrorKind};
#[cfg(feature = "ring")]
pub use ring::Ring;
pub use rsa::{Digest, RsaPublicKey, RsaVerify};
pub use subscriber::{Admitted, Fresh, Subscriber, SubscriberError};
pub use url::UrlError;
pub use verified::{Content, Verified};
pub use verifier::{SignaturePolicy, SignatureVersion, Unverified, Verifier, VerifyError};
