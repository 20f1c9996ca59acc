//! Amazon SNS, which delivers the events: envelopes, signatures, and the answers that SNS understands (specification
//! sections 4 to 6).

mod classifier;
mod envelope;
mod envelope_error;
mod headers;
mod members;
mod record;

pub use classifier::{Classifier, Delivery, Inbound, Raw, RawPolicy, Via};
pub use envelope::{Envelope, MessageType};
pub use envelope_error::{EnvelopeError, HeaderName};
pub use headers::Headers;
pub use record::{Record, RecordError, RecordErrorKind};
