//! What is published to a topic.

use alloc::string::String;
use core::fmt;

/// A message for everyone who has subscribed. `Debug` shows the length of its text only.
///
/// ```
/// use smart_properties::service::Publication;
///
/// let publication = Publication::new("{}").with_subject("Alexa event");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Publication {
    pub(super) message: String,
    pub(super) subject: Option<String>,
    pub(super) times: usize,
}

impl Publication {
    /// This text, without a subject.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self { message, subject: None, times: 1 }
    }

    /// With a subject, which is signed.
    #[must_use]
    pub fn with_subject(self, subject: impl Into<String>) -> Self {
        Self { subject: Some(subject.into()), ..self }
    }

    /// Delivered twice, with the same message id, as SNS may do with any message.
    #[must_use]
    pub fn delivered_twice(self) -> Self {
        Self { times: 2, ..self }
    }
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("message", &format_args!("[{} bytes]", self.message.len()))
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
