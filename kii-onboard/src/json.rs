//! JSON that this crate carries and does not read.

use alloc::string::String;
use core::fmt;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

mod read;
mod write;

pub(crate) use read::Value;
pub(crate) use write::{Member, Object};

/// A JSON value as it is written, well-formed and without blanks around it. `Debug` shows its length only.
///
/// What a thing's states and actions mean is the application's to know: give the text to a JSON library.
///
/// ```
/// use kii_onboard::Json;
///
/// let state = Json::new(r#" {"power":true} "#)?;
/// assert_eq!(state.as_str(), r#"{"power":true}"#);
/// assert!(state.is_object() && Json::new("{").is_err());
/// # Ok::<(), kii_onboard::JsonError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(String);

/// A text is not one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the text is not JSON: line {line}, column {column}")]
#[non_exhaustive]
pub struct JsonError {
    /// The line of the fault, from 1.
    pub line: usize,
    /// The column of the fault, in bytes from 1; 0 at the end of a line.
    pub column: usize,
}

impl Json {
    /// Takes a text that is one JSON value, with or without blanks around it.
    ///
    /// # Errors
    /// It is not.
    pub fn new(text: &str) -> Result<Self, JsonError> {
        let checked: Result<IgnoredAny, _> = serde_json::from_str(text);
        match checked {
            Ok(_) => Ok(Self(text.trim_ascii().into())),
            Err(error) => Err(JsonError { line: error.line(), column: error.column() }),
        }
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

    /// The same, as it is written into another value.
    pub(crate) fn as_raw(&self) -> &RawValue {
        serde_json::from_str(&self.0).unwrap_or(RawValue::NULL)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json([{} bytes])", self.0.len())
    }
}
