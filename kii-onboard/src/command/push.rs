//! What arrives on the topic of pushes.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::{
    Actions, BadBody,
    action::WrittenActions,
    bad_body::{members, optional, required},
};
use crate::{IdKind, InvalidId, Json, JsonError, frame::Limits, json::Value, topic::check_level};

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

/// Why a command is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCommand {
    /// Its id cannot stand in a topic, where the results would go.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The actions are those of traits, and there are none, in all or of one trait: a thing would read them otherwise.
    #[error("the command, or a trait in it, has no actions: give at least one")]
    NoActions,
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
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] JsonError),
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
        let object = read(payload).map_err(PushError::BadPush)?;
        let [id, actions, issuer, schema, version] = object.members(NAMES);
        let id = id.filter(|id| id.is_text());
        let (Some(id), Some(actions)) = (id, actions.and_then(Value::elements)) else {
            return Ok(Self::Other(object.json()));
        };
        let read = || {
            let id = id.owned_text().ok_or(BadCommand::IdWithoutText)?;
            check_level(IdKind::CommandId, &id).map_err(BadCommand::InvalidId)?;
            let actions = Actions::read(&actions, schema.is_some())
                .map_err(|index| BadCommand::BadAction { index })?;
            Ok(Command {
                id,
                actions,
                issuer: issuer.and_then(Value::owned_text),
                schema: schema.and_then(Value::owned_text),
                schema_version: version.and_then(Value::signed),
            })
        };
        read().map(Self::Command).map_err(PushError::BadCommand)
    }
}

impl Command {
    /// A command without issuer and schema, as the cloud makes one.
    ///
    /// # Errors
    /// The id cannot stand in a topic; the actions are those of traits, and a trait has none.
    pub fn new(id: impl Into<String>, actions: Actions) -> Result<Self, InvalidCommand> {
        let id = id.into();
        check_level(IdKind::CommandId, &id)?;
        if matches!(actions, Actions::Trait(_)) && actions.lacks_actions() {
            return Err(InvalidCommand::NoActions);
        }
        Ok(Self { id, actions, issuer: None, schema: None, schema_version: None })
    }

    /// With who asks: `user:{id}` or `group:{id}`.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// With the schema of its plain actions; it is not written beside those of traits.
    #[must_use]
    pub fn with_schema(self, schema: impl Into<String>, version: i64) -> Self {
        Self { schema: Some(schema.into()), schema_version: Some(version), ..self }
    }

    /// Writes a push, as the cloud does. The cloud sends no more than 4,096 bytes.
    ///
    /// ```
    /// use kii_onboard::{Json, command::{Action, Actions, Command, Push}};
    ///
    /// let actions = Actions::Plain(vec![Action::new("turnPower", Json::new("true")?)]);
    /// let command = Command::new("c1", actions)?.with_schema("SmartLight", 1).with_issuer("user:u-1");
    /// assert_eq!(Push::decode(&command.encode())?, Push::Command(command));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.written()).unwrap_or_default()
    }

    /// Reads the members of a command that the cloud keeps.
    pub(super) fn read(object: Value<'_>) -> Result<Self, BadBody> {
        let [id, actions, issuer, schema, version] = members(object, NAMES)?;
        let id = required("commandID", id, Value::owned_text)?;
        let bad = |field| move |_| BadBody::BadField { field };
        check_level(IdKind::CommandId, &id).map_err(bad("commandID"))?;
        let actions = required("actions", actions, Value::elements)?;
        Ok(Self {
            id,
            actions: Actions::read(&actions, schema.is_some())
                .map_err(|_| BadBody::BadField { field: "actions" })?,
            issuer: optional("issuer", issuer, Value::owned_text)?,
            schema: optional("schema", schema, Value::owned_text)?,
            schema_version: optional("schemaVersion", version, Value::signed)?,
        })
    }

    pub(super) fn written(&self) -> WrittenCommand<'_> {
        let (schema, schema_version) = match (&self.actions, &self.schema) {
            (Actions::Trait(_), Some(_)) => (None, None),
            (Actions::Plain(_), Some(schema)) => (Some(Some(schema.as_str())), self.schema_version),
            (actions, None) => (actions.looks_like_traits().then_some(None), self.schema_version),
        };
        WrittenCommand {
            schema,
            schema_version,
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

fn read(payload: &[u8]) -> Result<Value<'_>, BadPush> {
    let len = payload.len();
    if len > MAX_PUSH {
        return Err(BadPush::TooLarge { len, limit: MAX_PUSH });
    }
    let value = Value::parse(payload)?;
    match value.is_object() {
        true => Ok(value),
        false => Err(BadPush::NotAnObject { found: value.type_name() }),
    }
}

const NAMES: [&str; 5] = ["commandID", "actions", "issuer", "schema", "schemaVersion"];

/// The most bytes of a push that are read, as of any payload; the cloud sends 4,096 (specification, section 6.5).
pub const MAX_PUSH: usize = Limits::DEFAULT.max_payload;
