//! Entities and event types that this crate has no types for.

use alloc::{borrow::Cow, string::String};

use crate::json::{JsonType, Value};

/// The member `entities` in a form of the caller's: one JSON object, at most 64 KiB.
///
/// ```
/// use smart_properties::messenger::{RawEntities, RoleScope, Selection};
///
/// let entities = RawEntities::new(r#"{"group":{"type":"AlexaGroup","id":"g"}}"#)?;
/// let selection = Selection::RoleAssignment(RoleScope::Raw(entities));
/// assert_eq!(selection.entities(), r#"{"group":{"type":"AlexaGroup","id":"g"}}"#);
/// # Ok::<(), smart_properties::messenger::RawError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawEntities<'a>(Cow<'a, str>);

/// An event type by its two names, with its entities as they are written.
///
/// ```
/// use smart_properties::messenger::{RawEntities, RawSelection, Selection};
///
/// let entities = RawEntities::new(r#"{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}"#)?;
/// let selection = RawSelection::new("Alexa.Enterprise.Endpoint.Activity", "Voice", entities)?;
/// assert_eq!(Selection::Raw(selection).name(), "Voice");
/// # Ok::<(), smart_properties::messenger::RawError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RawSelection<'a> {
    namespace: Cow<'a, str>,
    name: Cow<'a, str>,
    entities: RawEntities<'a>,
}

/// Why something cannot be sent as it is written.
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
    #[error("{field} has {bytes} bytes, at most {max} are allowed")]
    TooLong {
        /// `entities`, `namespace` or `name`.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Not 1 or more of `[A-Za-z0-9.]`.
    #[error(
        "the {field} of the event type is empty or has characters other than A-Z, a-z, 0-9 and the dot"
    )]
    BadName {
        /// `namespace` or `name`.
        field: &'static str,
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
            return Err(RawError::TooLong { field: "entities", bytes, max: MAX_ENTITIES_BYTES });
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

impl<'a> RawSelection<'a> {
    /// Both names, each 1 to 256 bytes of `[A-Za-z0-9.]`, and the entities.
    ///
    /// # Errors
    /// A name is empty, too long, or has other characters.
    pub fn new(
        namespace: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
        entities: RawEntities<'a>,
    ) -> Result<Self, RawError> {
        let (namespace, name) = (namespace.into(), name.into());
        check_name("namespace", &namespace)?;
        check_name("name", &name)?;
        Ok(Self { namespace, name, entities })
    }

    /// The namespace of the event type.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name of the event type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The entities as they are written.
    #[must_use]
    pub fn entities(&self) -> &str {
        self.entities.as_str()
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> RawSelection<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(String::from(text));
        RawSelection {
            namespace: owned(self.namespace),
            name: owned(self.name),
            entities: self.entities.into_owned(),
        }
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), RawError> {
    let bytes = name.len();
    if bytes > MAX_NAME_BYTES {
        return Err(RawError::TooLong { field, bytes, max: MAX_NAME_BYTES });
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    if name.is_empty() || !name.bytes().all(allowed) {
        return Err(RawError::BadName { field });
    }
    Ok(())
}

const MAX_ENTITIES_BYTES: usize = 64 * 1024;
const MAX_NAME_BYTES: usize = 256;
