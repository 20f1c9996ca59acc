//! What arrives on the topic of pushes.

use alloc::{string::String, vec::Vec};
use core::str;

use serde::Serialize;

use super::{
    Actions, BadBody,
    action::WrittenActions,
    bad_body::{optional, required},
};
use crate::{IdKind, InvalidId, Json, frame::Limits, raw::Raw, topic::check_level};

/// What arrives on the topic of pushes (specification, section 13.2).
///
/// Members that are not known are ignored; of a name that is there twice the last one counts, but an action with two
/// members of any name is none.
///
/// ```
/// use kii_onboard::command::{Actions, Push};
///
/// let payload = br#"{"commandID":"c1","actions":[{"turnPower":{"power":true}}],"schema":"S","schemaVersion":1}"#;
/// let Push::Command(command) = Push::decode(payload)? else { unreachable!() };
/// let Actions::Plain(actions) = &command.actions else { unreachable!() };
/// assert_eq!((command.id.as_str(), actions[0].name.as_str()), ("c1", "turnPower"));
/// assert_eq!(actions[0].value.as_str(), r#"{"power":true}"#);
/// # Ok::<(), kii_onboard::command::PushError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is a command or it is not")]
pub enum Push {
    /// A command for this thing.
    Command(Command),
    /// Another push: an object.
    Other(Json),
}

/// A command as a thing receives it.
///
/// The same command may arrive twice (specification, section 13.2): what to do then is the application's to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Command {
    /// Its id, which can stand in a topic.
    pub id: String,
    /// What to do, in order.
    pub actions: Actions,
    /// Who asks: `user:{id}` or `group:{id}`.
    pub issuer: Option<String>,
    /// The schema of plain actions; never beside those of traits.
    pub schema: Option<String>,
    /// The version of the schema.
    pub schema_version: Option<i64>,
}

/// Why a push is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// It is no push.
    #[error("the payload is no push: {0}")]
    BadPush(#[source] BadPush),
    /// It is a command that cannot be carried out or answered.
    #[error("the push is no good command: {0}")]
    BadCommand(#[source] BadCommand),
}

/// Why a payload is no push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BadPush {
    /// There are too many bytes.
    #[error("it has {len} bytes, at most {limit} are read")]
    TooLarge {
        /// How many.
        len: usize,
        /// How many are read.
        limit: usize,
    },
    /// It is not UTF-8.
    #[error("it is not UTF-8 from byte {position}")]
    NotUtf8 {
        /// The first byte that is not, from 0.
        position: usize,
    },
    /// It is not JSON.
    #[error("it is not JSON: line {line}, column {column}")]
    NotJson {
        /// The line of the fault, from 1.
        line: usize,
        /// The column of the fault, in bytes from 1; 0 at the end of a line.
        column: usize,
    },
    /// It is JSON of another type.
    #[error("it is {found}, not an object")]
    NotAnObject {
        /// The type it has.
        found: &'static str,
    },
}

/// Why a command is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BadCommand {
    /// Its id cannot stand in a topic, where the results would go.
    #[error(transparent)]
    InvalidId(InvalidId),
    /// Its id holds half of a surrogate pair.
    #[error("commandID holds half of a surrogate pair")]
    IdWithoutText,
    /// An action is not an object with exactly one member, or its name holds half of a surrogate pair.
    #[error("action {index} is not an object with one member that has a name")]
    BadAction {
        /// Which one, from 0.
        index: usize,
    },
}

impl Push {
    /// Reads a payload of the topic of pushes.
    ///
    /// # Errors
    /// It is no push, or a command that cannot be carried out or answered: ignore it, and report it.
    pub fn decode(payload: &[u8]) -> Result<Self, PushError> {
        let raw = object(payload).map_err(PushError::BadPush)?;
        let [id, actions, issuer, schema, version] = raw.named(NAMES).unwrap_or([None; 5]);
        let id = id.filter(|id| id.is_text());
        let (Some(id), Some(actions)) = (id, actions.and_then(Raw::elements)) else {
            return Ok(Self::Other(raw.to_json()));
        };
        let read = || {
            let id = id.text().ok_or(BadCommand::IdWithoutText)?;
            check_level(IdKind::CommandId, &id).map_err(BadCommand::InvalidId)?;
            let actions = Actions::read(&actions, schema.is_some())
                .map_err(|index| BadCommand::BadAction { index })?;
            Ok(Command {
                id,
                actions,
                issuer: issuer.and_then(Raw::text),
                schema: schema.and_then(Raw::text),
                schema_version: version.and_then(Raw::integer),
            })
        };
        read().map(Self::Command).map_err(PushError::BadCommand)
    }
}

impl Command {
    /// A command without issuer and schema.
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn new(id: impl Into<String>, actions: Actions) -> Result<Self, InvalidId> {
        let id = id.into();
        check_level(IdKind::CommandId, &id)?;
        Ok(Self { id, actions, issuer: None, schema: None, schema_version: None })
    }

    /// With who asks: `user:{id}` or `group:{id}`.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// With the schema of its plain actions.
    #[must_use]
    pub fn with_schema(self, schema: impl Into<String>, version: i64) -> Self {
        Self { schema: Some(schema.into()), schema_version: Some(version), ..self }
    }

    /// Writes a push, as the cloud does.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.written()).unwrap_or_default()
    }

    /// Reads the members of a command that the cloud keeps.
    pub(super) fn read(raw: Raw<'_>) -> Result<Self, BadBody> {
        let [id, actions, issuer, schema, version] =
            raw.named(NAMES).ok_or(BadBody::BadField { field: "body" })?;
        let id = required("commandID", id, Raw::text)?;
        let bad = |field| move |_| BadBody::BadField { field };
        check_level(IdKind::CommandId, &id).map_err(bad("commandID"))?;
        let actions = required("actions", actions, Raw::elements)?;
        Ok(Self {
            id,
            actions: Actions::read(&actions, schema.is_some())
                .map_err(|_| BadBody::BadField { field: "actions" })?,
            issuer: optional("issuer", issuer, Raw::text)?,
            schema: optional("schema", schema, Raw::text)?,
            schema_version: optional("schemaVersion", version, Raw::integer)?,
        })
    }

    pub(super) fn written(&self) -> WrittenCommand<'_> {
        let schema = match (&self.actions, &self.schema) {
            (Actions::Trait(_), _) => None,
            (Actions::Plain(_), Some(schema)) => Some(Some(schema.as_str())),
            (plain, None) => plain.looks_like_traits().then_some(None),
        };
        WrittenCommand {
            schema,
            schema_version: self.schema_version,
            id: &self.id,
            actions: WrittenActions(&self.actions),
            issuer: self.issuer.as_deref(),
        }
    }
}

/// The members of a command, in the order of the sources.
#[derive(Serialize)]
pub(super) struct WrittenCommand<'a> {
    /// Null keeps plain actions from being read as those of traits.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Option<&'a str>>,
    #[serde(rename = "schemaVersion", skip_serializing_if = "Option::is_none")]
    schema_version: Option<i64>,
    #[serde(rename = "commandID")]
    id: &'a str,
    actions: WrittenActions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
}

fn object(payload: &[u8]) -> Result<Raw<'_>, BadPush> {
    let len = payload.len();
    if len > MAX_PUSH {
        return Err(BadPush::TooLarge { len, limit: MAX_PUSH });
    }
    let text = str::from_utf8(payload)
        .map_err(|error| BadPush::NotUtf8 { position: error.valid_up_to() })?;
    let raw = Raw::parse(text)
        .map_err(|error| BadPush::NotJson { line: error.line, column: error.column })?;
    match raw.type_name() {
        "an object" => Ok(raw),
        found => Err(BadPush::NotAnObject { found }),
    }
}

const NAMES: [&str; 5] = ["commandID", "actions", "issuer", "schema", "schemaVersion"];

/// The most bytes of a push that are read, as of any payload; the cloud sends 4,096 (specification, section 6.5).
pub const MAX_PUSH: usize = Limits::DEFAULT.max_payload;
