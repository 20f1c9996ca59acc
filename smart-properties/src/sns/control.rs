//! The question whether a subscription is wanted (specification sections 5.4 and 6).

use core::fmt;

use super::url::{UrlError, path_on_sns};
use crate::TopicArn;

/// The subscription of a topic of ours waits to be confirmed: by a GET on the URL, or by the action
/// `ConfirmSubscription` with the topic and the token. Either is an effect, and up to the caller.
///
/// The URL leads to SNS in the region of the topic and asks for nothing else than this confirmation. Whoever has the
/// token can confirm, so neither is shown by `Debug`.
///
/// ```
/// use smart_properties::sns::{Content, ControlError, Verified};
///
/// fn effect(verified: &Verified<'_>) -> Result<(), ControlError> {
///     if let Content::Confirm(confirm) = verified.content()? {
///         println!("a subscription of {} waits", confirm.topic());
///         // Now, or after a person agreed, as long as the token is good. Never write it to a log.
///         get(confirm.url());
///     }
///     Ok(())
/// }
/// # fn get(_: &str) {}
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Confirm<'a> {
    topic: &'a TopicArn,
    token: &'a str,
    url: &'a str,
}

impl<'a> Confirm<'a> {
    pub(crate) fn new(
        topic: &'a TopicArn,
        token: Option<&'a str>,
        url: Option<&'a str>,
    ) -> Result<Self, ControlError> {
        let token = token.ok_or(ControlError::Missing { member: "Token" })?;
        let url = url.ok_or(ControlError::Missing { member: "SubscribeURL" })?;
        let query = path_on_sns(url, MAX_BYTES, topic)
            .and_then(|path| path.strip_prefix("/?").ok_or(UrlError::BadPath))
            .map_err(ControlError::SubscribeUrl)?;
        // The characters that are never escaped in it: so no two readers see two different queries.
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'=' | b'&')
        };
        if !query.bytes().all(plain) {
            return Err(ControlError::BadQuery);
        }
        let expected = [("Action", ACTION), ("TopicArn", topic.as_str()), ("Token", token)];
        for (parameter, value) in expected {
            let mut found = query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .filter(|(name, _)| *name == parameter);
            if (found.next(), found.next()) != (Some((parameter, value)), None) {
                return Err(ControlError::Mismatch { parameter });
            }
        }
        Ok(Self { topic, token, url })
    }

    /// What the endpoint is to be subscribed to.
    #[must_use]
    pub const fn topic(&self) -> &'a TopicArn {
        self.topic
    }

    /// What proves to SNS that the endpoint got this message.
    #[must_use]
    pub const fn token(&self) -> &'a str {
        self.token
    }

    /// A GET here confirms.
    #[must_use]
    pub const fn url(&self) -> &'a str {
        self.url
    }
}

impl fmt::Debug for Confirm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Confirm").field("topic", self.topic).finish_non_exhaustive()
    }
}

/// Why a question is not answered, although SNS has signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A part of the question.
    #[error("the {member} is missing")]
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// It leads elsewhere.
    #[error("the SubscribeURL is not one of SNS: {0}")]
    SubscribeUrl(UrlError),
    /// It has a character that the confirmation of a subscription does not need, such as an escape.
    #[error("the query of the SubscribeURL has a character that SNS does not use in it")]
    BadQuery,
    /// It asks for something else.
    #[error(
        "the {parameter} in the SubscribeURL is missing, there twice, or not that of the message"
    )]
    Mismatch {
        /// `Action`, `TopicArn` or `Token`.
        parameter: &'static str,
    },
}

const ACTION: &str = "ConfirmSubscription";
const MAX_BYTES: usize = 2048;
