//! A command that an owner sends.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Action, Actions, BadBody, Command, InvalidCommand, TraitActions,
    action::WrittenActions,
    bad_body::{members, optional, required},
};
use crate::{
    Json,
    call::media_type::{JSON, NEW_TRAIT_COMMAND},
    json::Value,
    onboarding::Owner,
};

/// A command that an owner sends to a thing (specification, section 12.2). `Debug` shows no title, description or
/// metadata.
///
/// ```
/// use kii_onboard::{Json, command::{Action, NewCommand}, onboarding::Owner};
///
/// let power = Action::new("turnPower", Json::new(r#"{"power":true}"#)?);
/// let command = NewCommand::plain(Owner::user("u-1")?, "SmartLight", 1, [power])?.with_title("Light on")?;
/// assert_eq!(command.content_type(), "application/json");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NewCommand {
    issuer: Owner,
    schema: Option<(String, i64)>,
    actions: Actions,
    title: Option<String>,
    description: Option<String>,
    metadata: Option<Json>,
}

/// Why a command is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NewCommandError {
    /// There is nothing to do. The cloud would answer `WRONG_COMMAND`.
    #[error("the command, or a trait in it, has no actions: give at least one")]
    NoActions,
    /// The title is too long.
    #[error("the title has more than {limit} characters: shorten it")]
    TitleTooLong {
        /// How many characters it may have.
        limit: usize,
    },
    /// What was received is no command.
    #[error(transparent)]
    BadBody(#[from] BadBody),
}

impl NewCommand {
    /// A command for a thing without traits. The issuer must own the thing.
    ///
    /// # Errors
    /// There are no actions.
    pub fn plain(
        issuer: Owner,
        schema: impl Into<String>,
        schema_version: i64,
        actions: impl IntoIterator<Item = Action>,
    ) -> Result<Self, NewCommandError> {
        let actions = Actions::Plain(actions.into_iter().collect());
        Self::new(issuer, Some((schema.into(), schema_version)), actions)
    }

    /// A command for a thing with traits. The issuer must own the thing.
    ///
    /// # Errors
    /// There are no actions, in all or of one trait.
    pub fn with_traits(
        issuer: Owner,
        actions: impl IntoIterator<Item = TraitActions>,
    ) -> Result<Self, NewCommandError> {
        Self::new(issuer, None, Actions::Trait(actions.into_iter().collect()))
    }

    fn new(
        issuer: Owner,
        schema: Option<(String, i64)>,
        actions: Actions,
    ) -> Result<Self, NewCommandError> {
        if actions.lacks_actions() {
            return Err(NewCommandError::NoActions);
        }
        Ok(Self { issuer, schema, actions, title: None, description: None, metadata: None })
    }

    /// With a title for people, of at most 50 characters.
    ///
    /// # Errors
    /// It is longer.
    pub fn with_title(self, title: impl Into<String>) -> Result<Self, NewCommandError> {
        let title = title.into();
        if title.chars().nth(MAX_TITLE).is_some() {
            return Err(NewCommandError::TitleTooLong { limit: MAX_TITLE });
        }
        Ok(Self { title: Some(title), ..self })
    }

    /// With a description for people.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// With data of the application.
    #[must_use]
    pub fn with_metadata(self, metadata: Json) -> Self {
        Self { metadata: Some(metadata), ..self }
    }

    /// Reads the body of a request to create a command, as the cloud does; `is_trait` is what its media type says.
    ///
    /// # Errors
    /// It is no such body, or has no actions, or too long a title.
    pub fn decode(is_trait: bool, body: &[u8]) -> Result<Self, NewCommandError> {
        let names =
            ["actions", "issuer", "schema", "schemaVersion", "title", "description", "metadata"];
        let [actions, issuer, schema, version, title, description, metadata] =
            members(Value::parse(body).map_err(BadBody::from)?, names)?;
        let issuer = required("issuer", issuer, |issuer| Owner::parse(&issuer.text()?).ok())?;
        let schema = match is_trait {
            true => None,
            false => Some((
                required("schema", schema, Value::owned_text)?,
                required("schemaVersion", version, Value::signed)?,
            )),
        };
        let elements = required("actions", actions, Value::elements)?;
        if elements.is_empty() {
            return Err(NewCommandError::NoActions);
        }
        let bad_actions = BadBody::BadField { field: "actions" };
        let actions = Actions::read(&elements, schema.is_some()).map_err(|_| bad_actions)?;
        if is_trait != matches!(actions, Actions::Trait(_)) {
            return Err(bad_actions.into());
        }
        let mut command = Self::new(issuer, schema, actions)?;
        if let Some(title) = optional("title", title, Value::owned_text)? {
            command = command.with_title(title)?;
        }
        command.description = optional("description", description, Value::owned_text)?;
        command.metadata = metadata.map(Value::json);
        Ok(command)
    }

    /// The command that comes of it, with the id that the cloud gives it.
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn to_command(&self, id: impl Into<String>) -> Result<Command, InvalidCommand> {
        let command = Command::new(id, self.actions.clone())?.with_issuer(self.issuer.to_string());
        Ok(match &self.schema {
            Some((schema, version)) => command.with_schema(&**schema, *version),
            None => command,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Who asks.
    #[must_use]
    pub const fn issuer(&self) -> &Owner {
        &self.issuer
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// The description.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The application's data.
    #[must_use]
    pub const fn metadata(&self) -> Option<&Json> {
        self.metadata.as_ref()
    }

    /// The media type of the body.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        match self.actions {
            Actions::Plain(_) => JSON,
            Actions::Trait(_) => NEW_TRAIT_COMMAND,
        }
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let body = Written {
            actions: WrittenActions(&self.actions),
            issuer: &self.issuer.to_string(),
            schema: self.schema.as_ref().map(|(schema, _)| schema.as_str()),
            schema_version: self.schema.as_ref().map(|(_, version)| *version),
            title: self.title(),
            description: self.description(),
            metadata: self.metadata.as_ref().map(Json::as_raw),
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// A body in the order of the sources.
#[derive(Serialize)]
struct Written<'a> {
    actions: WrittenActions<'a>,
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a str>,
    #[serde(rename = "schemaVersion", skip_serializing_if = "Option::is_none")]
    schema_version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
}

impl fmt::Debug for NewCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCommand")
            .field("issuer", &self.issuer)
            .field("schema", &self.schema)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// The most characters of a title (specification, section 6.5).
const MAX_TITLE: usize = 50;
