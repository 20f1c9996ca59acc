//! Members of bodies and records: reading each with its rule.

use alloc::{borrow::Cow, string::String};
use core::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_sansio::Secret;
use zeroize::Zeroizing;

use super::Algorithm;
use crate::{ClientId, TopicRoot, json::Value, protect::SharedSecret};

/// A member is missing, or does not hold what it must. What it holds is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("`{field}` is {}{expected}", if *.is_missing { "missing: it must be " } else { "not " })]
#[non_exhaustive]
pub struct FieldError {
    /// Where it belongs, such as `iot.topicRoot`; `body` is the whole.
    pub field: &'static str,
    /// Whether it is not there at all.
    pub is_missing: bool,
    /// What it must hold.
    pub expected: Expected,
}

/// What a member must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// An object.
    Object,
    /// A string with something in it and without controls.
    Text,
    /// The name of an algorithm.
    Algorithm,
    /// Standard base64 with padding of this many bytes.
    Base64 {
        /// How many.
        len: usize,
    },
    /// A root of topics: not empty, no `/` at its end, without `+`, `#` and controls.
    TopicRoot,
    /// A client id: not empty, without `/`, `+`, `#` and controls.
    ClientId,
    /// An integer from 0 to 65,535.
    Version,
    /// The number of this format.
    Format {
        /// It.
        number: u64,
    },
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object => f.write_str("an object"),
            Self::Text => f.write_str("a string with something in it and without controls"),
            Self::Algorithm => f.write_str("the name of an algorithm"),
            Self::Base64 { len } => write!(f, "standard base64 with padding of {len} bytes"),
            Self::TopicRoot => {
                f.write_str("a root of topics, without `+`, `#`, controls and `/` at its end")
            }
            Self::ClientId => f.write_str("a client id, without `/`, `+`, `#` and controls"),
            Self::Version => f.write_str("an integer from 0 to 65535"),
            Self::Format { number } => write!(f, "{number}, the format that is known"),
        }
    }
}

/// A member with the name that an error tells.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) name: &'static str,
    pub(super) value: Option<Value<'a>>,
}

impl<'a> Field<'a> {
    /// The same; null is like missing.
    pub(super) fn new(name: &'static str, value: Option<Value<'a>>) -> Self {
        Self { name, value: value.filter(|value| !value.is_null()) }
    }

    pub(super) fn object(self) -> Result<Value<'a>, FieldError> {
        self.read(Expected::Object, |value| value.is_object().then_some(value))
    }

    /// A text that is not empty.
    pub(super) fn text(self) -> Result<String, FieldError> {
        self.read(Expected::Text, |value| {
            value.text().filter(|text| is_plain(text)).map(Cow::into_owned)
        })
    }

    pub(super) fn secret_text(self) -> Result<Secret, FieldError> {
        self.text().map(Secret::from)
    }

    pub(super) fn algorithm(self) -> Result<Algorithm, FieldError> {
        self.read(Expected::Algorithm, |value| value.text()?.parse().ok())
    }

    pub(super) fn topic_root(self) -> Result<TopicRoot, FieldError> {
        self.read(Expected::TopicRoot, |value| TopicRoot::new(value.text()?).ok())
    }

    pub(super) fn client_id(self) -> Result<ClientId, FieldError> {
        self.read(Expected::ClientId, |value| ClientId::new(value.text()?).ok())
    }

    pub(super) fn integer(self, expected: Expected) -> Result<u64, FieldError> {
        self.read(expected, Value::integer)
    }

    pub(super) fn bytes(self) -> Result<[u8; 32], FieldError> {
        self.read(Expected::Base64 { len: 32 }, |value| {
            let bytes = Zeroizing::new(STANDARD.decode(&*value.text()?).ok()?);
            bytes.as_slice().try_into().ok()
        })
    }

    /// A secret of as many bytes as the algorithm says.
    pub(super) fn shared_secret(self, algorithm: Algorithm) -> Result<SharedSecret, FieldError> {
        let len = algorithm.key_len();
        self.read(Expected::Base64 { len }, |value| {
            let bytes = Zeroizing::new(STANDARD.decode(&*value.text()?).ok()?);
            SharedSecret::from_bytes(&bytes).ok().filter(|secret| secret.len() == len)
        })
    }

    /// What `read` makes of it; none when it is not there.
    pub(super) fn optional<T>(
        self,
        read: impl FnOnce(Self) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        self.value.is_some().then(|| read(self)).transpose()
    }

    fn read<T>(
        self,
        expected: Expected,
        read: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<T, FieldError> {
        let (field, is_missing) = (self.name, self.value.is_none());
        self.value.and_then(read).ok_or(FieldError { field, is_missing, expected })
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

pub(super) fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}
