//! What to answer SNS over HTTP (specification section 6).

use super::{
    certificate::CertificateError, control::ControlError, envelope_error::EnvelopeError,
    verifier::VerifyError,
};

/// What SNS is answered.
///
/// It retries what is not answered within 15 seconds or with a status outside 200 to 499: by default three times, 20
/// seconds apart, with a custom policy for an hour at most.
///
/// | what came of the message | answer |
/// | --- | --- |
/// | accepted, a duplicate, or verified and nothing this crate knows | [`Answer::Accept`] |
/// | it cannot be read | [`Answer::Malformed`] |
/// | it is not what SNS sent, or not for us | [`Answer::Refuse`] |
/// | its certificate could not be fetched | [`Answer::Retry`] |
/// | the memory for duplicates is full, its first copy is in work, the handler failed | [`Answer::Retry`] |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// It is done with: 200.
    Accept,
    /// It cannot be read, and would not be when it came again: 400, no retry.
    Malformed,
    /// It is not trusted, and would not be when it came again: 403, no retry.
    Refuse,
    /// Something on our side is missing: 503, SNS shall send it again.
    Retry,
}

impl Answer {
    /// The status of HTTP.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Accept => 200,
            Self::Malformed => 400,
            Self::Refuse => 403,
            Self::Retry => 503,
        }
    }

    /// Whether SNS sends the message again.
    #[must_use]
    pub const fn is_retried(self) -> bool {
        matches!(self, Self::Retry)
    }
}

impl EnvelopeError {
    /// What to answer.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Unsigned | Self::RawRejected | Self::HeaderMismatch { .. } => Answer::Refuse,
            _ => Answer::Malformed,
        }
    }
}

impl VerifyError {
    /// What to answer.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        match self {
            Self::Certificate(error) => error.answer(),
            _ => Answer::Refuse,
        }
    }
}

impl CertificateError {
    /// What to answer: [`Answer::Retry`] where what was fetched is no certificate at all, as with the page of an error.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        match self {
            Self::TooLong { .. } | Self::Malformed { .. } => Answer::Retry,
            _ => Answer::Refuse,
        }
    }
}

impl ControlError {
    /// What to answer.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        Answer::Refuse
    }
}
