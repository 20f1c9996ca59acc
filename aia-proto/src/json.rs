//! JSON: what the crate carries and does not read, and the strict reading of what it does.

use alloc::string::String;
use core::fmt;

mod read;
mod write;

pub(crate) use read::Value;
pub(crate) use write::{Member, Object};

/// A JSON value as it is written, without blanks around it. `Debug` shows its length only.
///
/// No object in it names a member twice (specification, Q47), and it nests at most 32 deep.
///
/// ```
/// use aia_proto::{Json, JsonFault};
///
/// let set = Json::new(r#" [{"type":"AisInterface"}] "#)?;
/// assert_eq!(set.as_str(), r#"[{"type":"AisInterface"}]"#);
/// assert_eq!(Json::new(r#"{"a":1,"\u0061":2}"#).map_err(|error| error.fault), Err(JsonFault::NamedTwice));
/// # Ok::<(), aia_proto::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(String);

/// A text is not JSON, or not JSON that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{fault}: line {line}, column {column}")]
#[non_exhaustive]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// The line of the fault, from 1.
    pub line: usize,
    /// The column of the fault, in bytes from 1; 0 at the end of a line.
    pub column: usize,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonFault {
    /// It is not one JSON value in UTF-8.
    NotJson,
    /// An object names a member twice; the place is that of the second value.
    NamedTwice,
    /// Arrays and objects nest too deep.
    TooDeep {
        /// How deep they may nest.
        limit: usize,
    },
}

impl Json {
    /// Takes a text that is one JSON value, with or without blanks around it.
    ///
    /// # Errors
    /// It is not, names a member twice, or nests too deep.
    pub fn new(text: &str) -> Result<Self, JsonError> {
        Value::parse(text.as_bytes()).map(Value::json)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json([{} bytes])", self.0.len())
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the text is not JSON"),
            Self::NamedTwice => f.write_str("an object names a member twice"),
            Self::TooDeep { limit } => {
                write!(f, "arrays and objects nest more than {limit} deep")
            }
        }
    }
}
