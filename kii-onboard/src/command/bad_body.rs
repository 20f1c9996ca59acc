//! A body that is not what it should be.

use core::str;

use crate::{JsonError, raw::Raw};

/// Why a body cannot be read. Nothing of its text is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BadBody {
    /// It is not UTF-8.
    #[error("the body is not UTF-8 from byte {position}")]
    NotUtf8 {
        /// The first byte that is not, from 0.
        position: usize,
    },
    /// It is not JSON.
    #[error("the body is not JSON: line {line}, column {column}")]
    NotJson {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, in bytes from 1; 0 at the end of a line.
        column: usize,
    },
    /// A member is missing or has a value that it must not have.
    #[error("{field} is missing or not what it should be")]
    BadField {
        /// The member; `body` is the whole.
        field: &'static str,
    },
}

impl From<JsonError> for BadBody {
    fn from(JsonError { line, column }: JsonError) -> Self {
        Self::NotJson { line, column }
    }
}

/// The value that a body is.
pub(crate) fn raw(body: &[u8]) -> Result<Raw<'_>, BadBody> {
    let text =
        str::from_utf8(body).map_err(|error| BadBody::NotUtf8 { position: error.valid_up_to() })?;
    Ok(Raw::parse(text)?)
}

/// The members with these names of the object that a body is.
pub(crate) fn members<'a, const N: usize>(
    body: &'a [u8],
    names: [&str; N],
) -> Result<[Option<Raw<'a>>; N], BadBody> {
    raw(body)?.named(names).ok_or(BadBody::BadField { field: "body" })
}

/// What a member is read as; an error where it is missing.
pub(crate) fn required<'a, T>(
    field: &'static str,
    value: Option<Raw<'a>>,
    read: impl FnOnce(Raw<'a>) -> Option<T>,
) -> Result<T, BadBody> {
    value.and_then(read).ok_or(BadBody::BadField { field })
}

/// What a member is read as; none where it is missing or null.
pub(crate) fn optional<'a, T>(
    field: &'static str,
    value: Option<Raw<'a>>,
    read: impl FnOnce(Raw<'a>) -> Option<T>,
) -> Result<Option<T>, BadBody> {
    match value.filter(|value| !value.is_null()) {
        Some(value) => read(value).ok_or(BadBody::BadField { field }).map(Some),
        None => Ok(None),
    }
}
