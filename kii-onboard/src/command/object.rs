//! A command as the cloud keeps it.

use alloc::{string::String, vec::Vec};
use core::fmt;

use iot_sansio::UnixMillis;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    ActionResults, BadBody, Command, CommandState,
    bad_body::{optional, required},
    push::WrittenCommand,
    result::WrittenResults,
};
use crate::{Json, json::Value};

/// A command as the cloud keeps it and GET answers it (specification, section 12.1). `Debug` shows no title,
/// description or metadata.
///
/// ```
/// use kii_onboard::command::{CommandObject, CommandState};
///
/// let body = br#"{"commandID":"c1","actions":[{"alias1":[{"turnPower":true}]}],"commandState":"INCOMPLETE",
///                 "target":"thing:th.1","createdAt":1500000000000}"#;
/// let object = CommandObject::decode(body)?;
/// assert_eq!((object.command.id.as_str(), object.state), ("c1", CommandState::Incomplete));
/// # Ok::<(), kii_onboard::command::BadBody>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CommandObject {
    /// What was asked.
    pub command: Command,
    /// Of whom: `thing:{id}`.
    pub target: Option<String>,
    /// How far it has come.
    pub state: CommandState,
    /// What became of its actions, of some or of all.
    pub action_results: Option<ActionResults>,
    /// When it was made.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub modified_at: Option<UnixMillis>,
    /// The trigger that made it.
    pub fired_by_trigger_id: Option<String>,
    /// The title, for people.
    pub title: Option<String>,
    /// The description, for people.
    pub description: Option<String>,
    /// Data of the application.
    pub metadata: Option<Json>,
}

impl CommandObject {
    /// A command in this state, with nothing else known of it.
    #[must_use]
    pub const fn new(command: Command, state: CommandState) -> Self {
        Self {
            command,
            target: None,
            state,
            action_results: None,
            created_at: None,
            modified_at: None,
            fired_by_trigger_id: None,
            title: None,
            description: None,
            metadata: None,
        }
    }

    /// Reads a body. Members that are not known are ignored.
    ///
    /// # Errors
    /// It is not JSON; `commandID`, `actions` or `commandState` is missing; a member is of another type.
    pub fn decode(body: &[u8]) -> Result<Self, BadBody> {
        let object = Value::parse(body)?;
        let command = Command::read(object)?;
        let [
            target,
            state,
            results,
            created_at,
            modified_at,
            trigger,
            title,
            description,
            metadata,
        ] = object.members(NAMES);
        let millis = |value: Value<'_>| value.signed().map(UnixMillis::new);
        let action_results = match results.filter(|results| !results.is_null()) {
            Some(results) => Some(ActionResults::read(&command.actions, results)?),
            None => None,
        };
        Ok(Self {
            command,
            target: optional("target", target, Value::owned_text)?,
            state: required("commandState", state, Value::owned_text)?.into(),
            action_results,
            created_at: optional("createdAt", created_at, millis)?,
            modified_at: optional("modifiedAt", modified_at, millis)?,
            fired_by_trigger_id: optional("firedByTriggerID", trigger, Value::owned_text)?,
            title: optional("title", title, Value::owned_text)?,
            description: optional("description", description, Value::owned_text)?,
            metadata: metadata.map(Value::json),
        })
    }

    /// Writes a body, as the cloud does.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let body = Written {
            command: self.command.written(),
            target: self.target.as_deref(),
            state: self.state.as_str(),
            action_results: self.action_results.as_ref().map(WrittenResults),
            created_at: self.created_at.map(UnixMillis::get),
            modified_at: self.modified_at.map(UnixMillis::get),
            fired_by_trigger_id: self.fired_by_trigger_id.as_deref(),
            title: self.title.as_deref(),
            description: self.description.as_deref(),
            metadata: self.metadata.as_ref().map(Json::as_raw),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    command: WrittenCommand<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'a str>,
    #[serde(rename = "commandState")]
    state: &'a str,
    #[serde(rename = "actionResults", skip_serializing_if = "Option::is_none")]
    action_results: Option<WrittenResults<'a>>,
    #[serde(rename = "createdAt", skip_serializing_if = "Option::is_none")]
    created_at: Option<i64>,
    #[serde(rename = "modifiedAt", skip_serializing_if = "Option::is_none")]
    modified_at: Option<i64>,
    #[serde(rename = "firedByTriggerID", skip_serializing_if = "Option::is_none")]
    fired_by_trigger_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
}

impl fmt::Debug for CommandObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandObject")
            .field("command", &self.command)
            .field("target", &self.target)
            .field("state", &self.state)
            .field("action_results", &self.action_results)
            .field("created_at", &self.created_at)
            .field("modified_at", &self.modified_at)
            .field("fired_by_trigger_id", &self.fired_by_trigger_id)
            .finish_non_exhaustive()
    }
}

const NAMES: [&str; 9] = [
    "target",
    "commandState",
    "actionResults",
    "createdAt",
    "modifiedAt",
    "firedByTriggerID",
    "title",
    "description",
    "metadata",
];
