//! What identifies a message.

use alloc::{borrow::Cow, string::ToString as _};
use core::fmt;

use iot_sansio::amqp::Value;

/// The id of a message: 1 to 256 bytes. Messages with equal ids are copies of one.
///
/// How it is typed on the wire is not documented (specification, section 7); so an integer is its decimal text, and a
/// text is itself, leading zeros and all. It is never a floating-point number: 19 digits would not survive. Unlike in the
/// specification a negative integer keeps its `-`, as −5 and 5 would be one message without it.
///
/// ```
/// use amqp_auth::message::MessageId;
/// use iot_sansio::amqp::Value;
///
/// let long = Value::Signed(1_351_123_456_789_012_345);
/// let text = Value::String("1351123456789012345".into());
/// assert_eq!(MessageId::from_value(&long), MessageId::from_value(&text));
/// assert_eq!(MessageId::from_value(&Value::Null), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId<'a>(Cow<'a, str>);

impl<'a> MessageId<'a> {
    /// The id that this value is; none for one that is neither a text of 1 to 256 bytes nor an integer.
    #[must_use]
    pub fn from_value(value: &'a Value<'_>) -> Option<Self> {
        let text = match value {
            Value::String(text) | Value::Symbol(text) => Cow::Borrowed(&**text),
            Value::Unsigned(number) => number.to_string().into(),
            Value::Signed(number) => number.to_string().into(),
            _ => return None,
        };
        (1..=MAX_LEN).contains(&text.len()).then_some(Self(text))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same id, which borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> MessageId<'static> {
        MessageId(self.0.into_owned().into())
    }
}

impl fmt::Display for MessageId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whoever remembers ids needs a bound; the platform's have 19 digits.
const MAX_LEN: usize = 256;
