//! Registration with the service over HTTPS, and the shared secret that comes of it (specification, section 5).
//!
//! The application makes the HTTP exchange: it posts [`Request::encode`] to [`Request::url`] and hands status and body
//! of the answer to [`read_answer`]. [`KeyPair::agree`] makes the secret, and a [`Registration`] is what to save.

mod advice;
mod algorithm;
mod answer;
mod error_code;
mod field;
mod key_pair;
mod record;
mod refusal;
mod request;
mod response;

pub use advice::Advice;
pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use answer::{RegistrationError, read_answer};
pub use error_code::ErrorCode;
pub use field::{Expected, FieldError};
pub use key_pair::{KeyError, KeyPair};
pub use record::{RecordError, Registration};
pub use refusal::Refusal;
pub use request::{Authentication, IotIdentity, Request, RequestError};
pub use response::{Response, ResponseError};
