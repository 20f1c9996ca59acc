//! What a delivery carries.

use alloc::borrow::Cow;
use core::fmt;

/// A message as the stack decoded it.
///
/// Of the sections of a message it has what receivers of IoT clouds read; what else there is stays with the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Message<'a> {
    /// `delivery-count` of the header: how many earlier attempts there were, 0 where it is absent.
    pub delivery_count: u32,
    /// `message-id` of the properties.
    pub message_id: Option<&'a Value<'a>>,
    /// The application properties, in their order.
    pub application_properties: &'a [(Cow<'a, str>, Value<'a>)],
    /// The body.
    pub body: Body<'a>,
}

/// The body of a message (AMQP 1.0, 3.2). `Debug` shows no content: it may be secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// One or more `data` sections, or none.
    Data(&'a [&'a [u8]]),
    /// An `amqp-value` section.
    Value(&'a Value<'a>),
    /// One or more `amqp-sequence` sections, whose content is not modelled.
    Sequence,
}

/// A value of one of AMQP's primitive types (AMQP 1.0, 1.6).
///
/// Floating-point numbers are kept as their IEEE 754 bits, so that values compare and hash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `boolean`.
    Boolean(bool),
    /// `ubyte`, `ushort`, `uint` and `ulong`.
    Unsigned(u64),
    /// `byte`, `short`, `int` and `long`.
    Signed(i64),
    /// `float`, as `f32::to_bits` has it.
    Float(u32),
    /// `double`, as `f64::to_bits` has it.
    Double(u64),
    /// `timestamp`: milliseconds since the Unix epoch.
    Timestamp(i64),
    /// `uuid`.
    Uuid([u8; 16]),
    /// `binary`.
    Binary(Cow<'a, [u8]>),
    /// `string`.
    String(Cow<'a, str>),
    /// `symbol`.
    Symbol(Cow<'a, str>),
    /// A value of another type, by the type's name, such as `decimal64`, `char` or `map`.
    Other(Cow<'a, str>),
}

impl<'a> Message<'a> {
    /// A first attempt, with these application properties and this body.
    #[must_use]
    pub const fn new(
        application_properties: &'a [(Cow<'a, str>, Value<'a>)],
        body: Body<'a>,
    ) -> Self {
        Self { delivery_count: 0, message_id: None, application_properties, body }
    }

    /// The same message after so many earlier attempts.
    #[must_use]
    pub const fn with_delivery_count(self, delivery_count: u32) -> Self {
        Self { delivery_count, ..self }
    }

    /// The same message with this `message-id` in its properties.
    #[must_use]
    pub const fn with_message_id(self, message_id: &'a Value<'a>) -> Self {
        Self { message_id: Some(message_id), ..self }
    }
}

impl Value<'_> {
    /// The same value, borrowing from `self`.
    #[must_use]
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Unsigned(value) => Value::Unsigned(*value),
            Self::Signed(value) => Value::Signed(*value),
            Self::Float(bits) => Value::Float(*bits),
            Self::Double(bits) => Value::Double(*bits),
            Self::Timestamp(millis) => Value::Timestamp(*millis),
            Self::Uuid(bytes) => Value::Uuid(*bytes),
            Self::Binary(bytes) => Value::Binary(Cow::Borrowed(bytes)),
            Self::String(text) => Value::String(Cow::Borrowed(text)),
            Self::Symbol(text) => Value::Symbol(Cow::Borrowed(text)),
            Self::Other(name) => Value::Other(Cow::Borrowed(name)),
        }
    }

    /// The same value, which borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Boolean(value) => Value::Boolean(value),
            Self::Unsigned(value) => Value::Unsigned(value),
            Self::Signed(value) => Value::Signed(value),
            Self::Float(bits) => Value::Float(bits),
            Self::Double(bits) => Value::Double(bits),
            Self::Timestamp(millis) => Value::Timestamp(millis),
            Self::Uuid(bytes) => Value::Uuid(bytes),
            Self::Binary(bytes) => Value::Binary(bytes.into_owned().into()),
            Self::String(text) => Value::String(text.into_owned().into()),
            Self::Symbol(text) => Value::Symbol(text.into_owned().into()),
            Self::Other(name) => Value::Other(name.into_owned().into()),
        }
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(sections) => {
                let bytes: usize = sections.iter().map(|section| section.len()).sum();
                write!(f, "Data([{bytes} bytes])")
            }
            Self::Value(_) => f.write_str("Value(..)"),
            Self::Sequence => f.write_str("Sequence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_body_is_not_printed() {
        let data = Message::new(&[], Body::Data(&[b"can", b"ary"]));
        assert!(format!("{data:?}").contains("body: Data([6 bytes])"));
        let value = Value::String("canary".into());
        assert!(!format!("{:?}", Message::new(&[], Body::Value(&value))).contains("canary"));
    }
}
