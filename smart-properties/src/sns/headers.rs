//! What SNS says beside the body of an HTTP request (specification section 4.2).

use crate::sns::{Envelope, EnvelopeError, HeaderName};

/// The headers of an HTTP request that SNS sends. They are not signed: they may contradict the body, and nothing else.
///
/// ```
/// use smart_properties::sns::Headers;
///
/// let headers = Headers::from_pairs([
///     ("Content-Type", "text/plain; charset=UTF-8"),
///     ("X-Amz-Sns-Message-Type", "Notification"),
///     ("X-Amz-Sns-Rawdelivery", "TRUE"),
/// ]);
/// assert!(headers.is_raw_delivery());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    message_type: Header<'a>,
    message_id: Header<'a>,
    topic_arn: Header<'a>,
    raw_delivery: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Header<'a> {
    #[default]
    Absent,
    Once(&'a str),
    /// It is there again, and says something else.
    Twice,
}

impl<'a> Headers<'a> {
    /// Takes what it knows out of the headers of a request; names may be in any case, as they are in HTTP.
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            let header = if name.eq_ignore_ascii_case(MESSAGE_TYPE) {
                &mut headers.message_type
            } else if name.eq_ignore_ascii_case(MESSAGE_ID) {
                &mut headers.message_id
            } else if name.eq_ignore_ascii_case(TOPIC_ARN) {
                &mut headers.topic_arn
            } else {
                // One that says so is enough: a raw delivery is what gets less trust.
                headers.raw_delivery |=
                    name.eq_ignore_ascii_case(RAW_DELIVERY) && value.eq_ignore_ascii_case("true");
                continue;
            };
            *header = match *header {
                Header::Absent => Header::Once(value),
                Header::Once(first) if first == value => Header::Once(value),
                _ => Header::Twice,
            };
        }
        headers
    }

    /// Whether SNS says that the body is the published text alone, without envelope and signature.
    #[must_use]
    pub const fn is_raw_delivery(&self) -> bool {
        self.raw_delivery
    }

    /// Compares them with the body they came with; absent ones agree with everything.
    pub(crate) fn agree(&self, envelope: &Envelope<'_>) -> Result<(), EnvelopeError> {
        let pairs = [
            (HeaderName::Type, self.message_type, envelope.message_type().as_str()),
            (HeaderName::MessageId, self.message_id, envelope.message_id()),
            (HeaderName::Topic, self.topic_arn, envelope.topic_arn()),
        ];
        for (header, found, expected) in pairs {
            let agrees = match found {
                Header::Absent => true,
                Header::Once(value) => value == expected,
                Header::Twice => false,
            };
            if !agrees {
                return Err(EnvelopeError::HeaderMismatch { header });
            }
        }
        Ok(())
    }
}

impl Envelope<'_> {
    /// The headers that SNS sends with it over HTTP, names in lower case: for tests and for SNS's own side.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 3] {
        [
            (MESSAGE_TYPE, self.message_type().as_str()),
            (MESSAGE_ID, self.message_id()),
            (TOPIC_ARN, self.topic_arn()),
        ]
    }
}

const MESSAGE_TYPE: &str = "x-amz-sns-message-type";
const MESSAGE_ID: &str = "x-amz-sns-message-id";
const TOPIC_ARN: &str = "x-amz-sns-topic-arn";
const RAW_DELIVERY: &str = "x-amz-sns-rawdelivery";
