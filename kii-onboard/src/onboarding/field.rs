//! The members of a request, and what each may hold.

use alloc::string::String;
use core::fmt;

use iot_sansio::Secret;

use crate::{
    IdRule, Json, VendorThingId,
    id::{check_name, check_rule, is_segment_char},
    json::Value,
};

/// A member of a request that cannot be taken. What it holds is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("`{field}` {fault}")]
#[non_exhaustive]
pub struct InvalidField {
    /// Its name on the wire.
    pub field: &'static str,
    /// What is wrong; its text is fit for `invalidFields` of an answer.
    pub fault: FieldFault,
}

/// What is wrong with a member of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldFault {
    /// It is not there.
    Required,
    /// It is no text, or none that is UTF-8.
    NotText,
    /// It is not an object.
    NotAnObject,
    /// It is a text that breaks a rule.
    Rule(IdRule),
    /// It is a text that is none of those that are known.
    UnknownValue,
    /// It is too large.
    TooLarge {
        /// How many bytes it has.
        len: usize,
        /// How many it may have.
        limit: usize,
    },
    /// This variant of the request has no such member.
    NotTaken,
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("is required"),
            Self::NotText => f.write_str("is not a text"),
            Self::NotAnObject => f.write_str("is not an object"),
            Self::Rule(rule) => rule.fmt(f),
            Self::UnknownValue => f.write_str("is none of the known values"),
            Self::TooLarge { len, limit } => {
                write!(f, "has {len} bytes, at most {limit} are taken")
            }
            Self::NotTaken => f.write_str("is not taken by this variant of the request"),
        }
    }
}

/// What a member may hold, from a caller or from the wire.
pub(super) trait Field: Sized {
    fn from_text(text: &str) -> Result<Self, FieldFault>;

    fn from_value(value: Value<'_>) -> Result<Self, FieldFault> {
        Self::from_text(&value.text().ok_or(FieldFault::NotText)?)
    }
}

/// A thing's id, as the cloud gave it.
pub(super) struct ThingId(pub(super) String);

/// A name of the cloud's predefined fields.
pub(super) struct Name(pub(super) String);

/// A password: a text that is not empty.
pub(super) struct Password(pub(super) Secret);

/// An access token: what can stand in a header.
pub(super) struct Token(pub(super) Secret);

/// Custom fields of a thing.
pub(super) struct Properties(pub(super) Json);

impl Field for VendorThingId {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        Self::new(text).map_err(|error| FieldFault::Rule(error.rule))
    }
}

impl Field for ThingId {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        check_rule(text, MAX_THING_ID, is_segment_char).map_err(FieldFault::Rule)?;
        Ok(Self(text.into()))
    }
}

impl Field for Name {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        check_name(text).map_err(FieldFault::Rule)?;
        Ok(Self(text.into()))
    }
}

impl Field for Password {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        Self::new(text.into())
    }
}

impl Password {
    pub(super) fn new(password: Secret) -> Result<Self, FieldFault> {
        match password.expose_str() {
            Ok("") => Err(FieldFault::Rule(IdRule::Empty)),
            Ok(_) => Ok(Self(password)),
            Err(_) => Err(FieldFault::NotText),
        }
    }
}

impl Field for Token {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        let is_allowed = |ch: char| ch.is_ascii_graphic();
        check_rule(text, MAX_TOKEN, is_allowed).map_err(FieldFault::Rule)?;
        Ok(Self(text.into()))
    }
}

impl Token {
    pub(super) fn new(token: &Secret) -> Result<Self, FieldFault> {
        Self::from_text(token.expose_str().map_err(|_| FieldFault::NotText)?)
    }
}

impl Properties {
    pub(super) fn new(json: Json) -> Result<Self, FieldFault> {
        let (len, limit) = (json.as_str().len(), MAX_PROPERTIES);
        if !json.is_object() {
            Err(FieldFault::NotAnObject)
        } else if len > limit {
            Err(FieldFault::TooLarge { len, limit })
        } else {
            Ok(Self(json))
        }
    }
}

impl Field for Properties {
    fn from_text(_: &str) -> Result<Self, FieldFault> {
        Err(FieldFault::NotAnObject)
    }

    fn from_value(value: Value<'_>) -> Result<Self, FieldFault> {
        Self::new(value.json())
    }
}

/// As long as a topic may be, in which it comes to stand.
const MAX_THING_ID: usize = 1_024;
/// Half of a head.
const MAX_TOKEN: usize = 4_096;
/// Bytes (specification, section 6.5).
const MAX_PROPERTIES: usize = 63 * 1_024;
