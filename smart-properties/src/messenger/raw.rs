//! Event types and entities that this crate has no types for.

use alloc::borrow::Cow;
use core::fmt;

use crate::{
    EventType,
    json::{JsonType, Value},
};

/// The member `entities` in a form of the caller's: one JSON object, at most 64 KiB. `Debug` shows its length only.
///
/// ```
/// use smart_properties::messenger::{RawEntities, RoleScope, Selection};
///
/// let entities = RawEntities::new(r#"{"group":{"type":"AlexaGroup","id":"g"}}"#)?;
/// let selection = Selection::RoleAssignment(RoleScope::Raw(entities));
/// assert_eq!(selection.entities(), r#"{"group":{"type":"AlexaGroup","id":"g"}}"#);
/// # Ok::<(), smart_properties::messenger::RawError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawEntities<'a>(Cow<'a, str>);

/// Any event type, with its entities as they are written.
///
/// ```
/// use smart_properties::{EventType, messenger::{RawEntities, RawSelection, Selection}};
///
/// let voice = EventType::new("Alexa.Enterprise.Endpoint.Activity", "Voice")?;
/// let entities = RawEntities::new(r#"{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}"#)?;
/// let selection = Selection::Raw(RawSelection::new(voice, entities));
/// assert_eq!(selection.name(), "Voice");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawSelection<'a> {
    event_type: EventType<'a>,
    entities: RawEntities<'a>,
}

/// Why entities cannot be sent as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// Not JSON.
    #[error("the entities are not JSON, see line {line}, column {column}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// JSON of another type.
    #[error("the entities are {found}, not an object")]
    NotAnObject {
        /// What they are.
        found: JsonType,
    },
    /// Longer than this crate allows.
    #[error("the entities have {bytes} bytes, at most {MAX_ENTITIES_BYTES} are allowed")]
    TooLong {
        /// Their length.
        bytes: usize,
    },
}

impl<'a> RawEntities<'a> {
    /// Checks that it is one JSON object.
    ///
    /// # Errors
    /// It is not JSON, not an object, or too long.
    pub fn new(json: impl Into<Cow<'a, str>>) -> Result<Self, RawError> {
        let json = json.into();
        let bytes = json.len();
        if bytes > MAX_ENTITIES_BYTES {
            return Err(RawError::TooLong { bytes });
        }
        let value = Value::parse(&json)
            .map_err(|at| RawError::Malformed { line: at.line, column: at.column })?;
        match value.json_type() {
            JsonType::Object => Ok(Self(json)),
            found => Err(RawError::NotAnObject { found }),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> RawEntities<'static> {
        RawEntities(Cow::Owned(self.0.into_owned()))
    }
}

impl fmt::Debug for RawEntities<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawEntities({} bytes)", self.0.len())
    }
}

impl<'a> RawSelection<'a> {
    /// These events, about these entities.
    #[must_use]
    pub const fn new(event_type: EventType<'a>, entities: RawEntities<'a>) -> Self {
        Self { event_type, entities }
    }

    /// The event type.
    #[must_use]
    pub const fn event_type(&self) -> &EventType<'a> {
        &self.event_type
    }

    /// The entities as they are written.
    #[must_use]
    pub fn entities(&self) -> &str {
        self.entities.as_str()
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> RawSelection<'static> {
        RawSelection {
            event_type: self.event_type.into_owned(),
            entities: self.entities.into_owned(),
        }
    }
}

const MAX_ENTITIES_BYTES: usize = 64 * 1024;
