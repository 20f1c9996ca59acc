//! A body that is not what it should be.

use crate::{JsonError, json::Value};

/// Why a body cannot be read. Nothing of its text is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BadBody {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] JsonError),
    /// A member is missing or has a value that it must not have.
    #[error("{field} is missing or not what it should be")]
    BadField {
        /// The member; `body` is the whole.
        field: &'static str,
    },
}

/// The members with these names of a body that should be an object.
pub(crate) fn members<'a, const N: usize>(
    body: Value<'a>,
    names: [&str; N],
) -> Result<[Option<Value<'a>>; N], BadBody> {
    match body.is_object() {
        true => Ok(body.members(names)),
        false => Err(BadBody::BadField { field: "body" }),
    }
}

/// What a member is read as; an error where it is missing.
pub(crate) fn required<'a, T>(
    field: &'static str,
    value: Option<Value<'a>>,
    read: impl FnOnce(Value<'a>) -> Option<T>,
) -> Result<T, BadBody> {
    value.and_then(read).ok_or(BadBody::BadField { field })
}

/// What a member is read as; none where it is missing or null.
pub(crate) fn optional<'a, T>(
    field: &'static str,
    value: Option<Value<'a>>,
    read: impl FnOnce(Value<'a>) -> Option<T>,
) -> Result<Option<T>, BadBody> {
    match value.filter(|value| !value.is_null()) {
        Some(value) => read(value).ok_or(BadBody::BadField { field }).map(Some),
        None => Ok(None),
    }
}
