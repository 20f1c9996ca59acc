//! What became of the actions of a command.

use alloc::{string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    Action, Actions, BadBody, TraitActions,
    action::{Member, Place},
    bad_body::{members as body_members, optional, required},
};
use crate::{
    Json,
    call::media_type::{JSON, TRAIT_RESULTS},
    json::Value,
};

/// What became of one action. `Debug` shows neither the message nor the data.
#[derive(Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an action succeeds or fails")]
pub enum ActionResult {
    /// It was done.
    #[non_exhaustive]
    Succeeded {
        /// Any JSON value for whoever asked.
        data: Option<Json>,
    },
    /// It was not done.
    #[non_exhaustive]
    Failed {
        /// Why, for a person.
        message: Option<String>,
        /// Any JSON value for whoever asked.
        data: Option<Json>,
    },
}

/// What became of the actions of a command, in the order and nesting of these (specification, section 13.3).
///
/// ```
/// use kii_onboard::command::{ActionResult, ActionResults, Push};
///
/// let payload = br#"{"commandID":"c","actions":[{"alias1":[{"turnPower":true},{"setTemp":23}]}]}"#;
/// let Push::Command(command) = Push::decode(payload)? else { unreachable!() };
/// let results = [ActionResult::succeeded(), ActionResult::failed("stuck")];
/// let results = ActionResults::new(&command.actions, results)?;
/// assert_eq!(results.content_type(), "application/vnd.kii.CommandResultsUpdateRequest+json");
/// assert_eq!(
///     results.encode(),
///     b"{\"actionResults\":[{\"alias1\":[{\"turnPower\":{\"succeeded\":true}},\
///       {\"setTemp\":{\"succeeded\":false,\"errorMessage\":\"stuck\"}}]}]}"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these two forms")]
pub enum ActionResults {
    /// Of plain actions.
    Plain(Vec<NamedResult>),
    /// Of the actions of traits.
    Trait(Vec<TraitResults>),
}

/// What became of the action with a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NamedResult {
    /// The name of the action.
    pub name: String,
    /// What became of it.
    pub result: ActionResult,
}

/// What became of the actions of one trait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TraitResults {
    /// The alias of the trait.
    pub alias: String,
    /// What became of its actions.
    pub results: Vec<NamedResult>,
}

/// There are not as many results as actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("there are {given} results for {expected} actions: give one for each, in their order")]
#[non_exhaustive]
pub struct WrongCount {
    /// How many actions there are.
    pub expected: usize,
    /// How many results there are, counted no further than one too many.
    pub given: usize,
}

impl ActionResult {
    /// It was done.
    #[must_use]
    pub const fn succeeded() -> Self {
        Self::Succeeded { data: None }
    }

    /// It was not done, for this reason.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: Some(message.into()), data: None }
    }

    /// It was not done, for no reason that is told.
    #[must_use]
    pub const fn failed_silently() -> Self {
        Self::Failed { message: None, data: None }
    }

    /// With a JSON value for whoever asked.
    #[must_use]
    pub fn with_data(self, data: Json) -> Self {
        let data = Some(data);
        match self {
            Self::Succeeded { .. } => Self::Succeeded { data },
            Self::Failed { message, .. } => Self::Failed { message, data },
        }
    }

    /// Whether it was done.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Succeeded { .. })
    }

    fn read(value: Value<'_>) -> Result<Self, BadBody> {
        let [succeeded, message, data] = value.members(["succeeded", "errorMessage", "data"]);
        let data = data.map(Value::json);
        Ok(match required("succeeded", succeeded, Value::boolean)? {
            true => Self::Succeeded { data },
            false => Self::Failed {
                message: optional("errorMessage", message, Value::owned_text)?,
                data,
            },
        })
    }

    fn written(&self) -> Written<'_> {
        let (error_message, data) = match self {
            Self::Succeeded { data } => (None, data),
            Self::Failed { message, data } => (message.as_deref(), data),
        };
        let data = data.as_ref().map(Json::as_raw);
        Written { succeeded: self.is_success(), error_message, data }
    }
}

impl ActionResults {
    /// Results for these actions, one for each, in their order over all traits.
    ///
    /// # Errors
    /// There are more or fewer results than actions.
    pub fn new(
        actions: &Actions,
        results: impl IntoIterator<Item = ActionResult>,
    ) -> Result<Self, WrongCount> {
        let expected = actions.len();
        let results: Vec<_> = results.into_iter().take(expected.saturating_add(1)).collect();
        if results.len() != expected {
            return Err(WrongCount { expected, given: results.len() });
        }
        let mut results = results.into_iter();
        let mut named = |actions: &[Action]| -> Vec<_> {
            let pairs = actions.iter().zip(&mut results);
            pairs
                .map(|(action, result)| NamedResult { name: action.name.clone(), result })
                .collect()
        };
        let of_trait = |of_trait: &TraitActions| {
            let TraitActions { alias, actions } = of_trait;
            TraitResults { alias: alias.clone(), results: named(actions) }
        };
        Ok(match actions {
            Actions::Trait(traits) => Self::Trait(traits.iter().map(of_trait).collect()),
            Actions::Plain(actions) => Self::Plain(named(actions)),
        })
    }

    /// Reads a body that answers these actions, as the cloud does: some or all of them, in their order. Those of traits
    /// may come nested or flat.
    ///
    /// # Errors
    /// It is not JSON, a member is missing or of another type, or a result answers no action.
    pub fn decode(actions: &Actions, body: &[u8]) -> Result<Self, BadBody> {
        let [results] = body_members(Value::parse(body)?, ["actionResults"])?;
        Self::read(actions, required("actionResults", results, Some)?)
    }

    /// Reads results, each of which must answer an action after that which the one before it answered.
    pub(super) fn read(actions: &Actions, results: Value<'_>) -> Result<Self, BadBody> {
        let mut asked = actions.places();
        let mut answered = Vec::new();
        for element in results.elements().ok_or(BAD_RESULTS)? {
            let Given { alias, results } = Given::read(element).ok_or(BAD_RESULTS)?;
            for (name, value) in results {
                let is_it = |place: &Place<'_>| {
                    place.action.name == name
                        && (alias.is_none() || place.alias == alias.as_deref())
                };
                let place = asked.find(is_it).ok_or(BAD_RESULTS)?;
                answered.push((place, NamedResult { name, result: ActionResult::read(value)? }));
            }
        }
        Ok(match actions {
            Actions::Plain(_) => {
                Self::Plain(answered.into_iter().map(|(_, named)| named).collect())
            }
            Actions::Trait(_) => Self::Trait(grouped(answered)),
        })
    }

    /// How many results there are, over all traits.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Plain(results) => results.len(),
            Self::Trait(traits) => traits.iter().map(|of_trait| of_trait.results.len()).sum(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The media type of the body.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Plain(_) => JSON,
            Self::Trait(_) => TRAIT_RESULTS,
        }
    }

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&Member("actionResults", WrittenResults(self))).unwrap_or_default()
    }
}

/// One element of the results in a body.
struct Given<'a> {
    /// None where they are not nested.
    alias: Option<String>,
    results: Vec<(String, Value<'a>)>,
}

impl<'a> Given<'a> {
    fn read(result: Value<'a>) -> Option<Self> {
        let (name, value) = result.only_member()?;
        match value.elements() {
            None => Some(Self { alias: None, results: [(name?, value)].into() }),
            Some(nested) => {
                let results = nested.into_iter().map(Self::named).collect::<Option<_>>()?;
                Some(Self { alias: Some(name?), results })
            }
        }
    }

    fn named(result: Value<'a>) -> Option<(String, Value<'a>)> {
        let (name, value) = result.only_member()?;
        Some((name?, value))
    }
}

/// Puts together what belongs to one element of the actions.
fn grouped(answered: Vec<(Place<'_>, NamedResult)>) -> Vec<TraitResults> {
    let mut traits: Vec<TraitResults> = Vec::new();
    let mut element = None;
    for (place, named) in answered {
        match traits.last_mut() {
            Some(of_trait) if element == Some(place.element) => of_trait.results.push(named),
            _ => {
                element = Some(place.element);
                let alias = place.alias.unwrap_or_default().into();
                traits.push(TraitResults { alias, results: [named].into() });
            }
        }
    }
    traits
}

#[derive(Serialize)]
struct Written<'a> {
    succeeded: bool,
    #[serde(rename = "errorMessage", skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

/// Results as they are written into a body.
pub(super) struct WrittenResults<'a>(pub(super) &'a ActionResults);

impl Serialize for WrittenResults<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ActionResults::Plain(results) => to.collect_seq(members(results)),
            ActionResults::Trait(traits) => to.collect_seq(
                traits.iter().map(|of_trait| Member(&of_trait.alias, members(&of_trait.results))),
            ),
        }
    }
}

fn members(results: &[NamedResult]) -> Vec<Member<&String, Written<'_>>> {
    results.iter().map(|named| Member(&named.name, named.result.written())).collect()
}

impl fmt::Debug for ActionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_success() { "Succeeded" } else { "Failed" })
    }
}

const BAD_RESULTS: BadBody = BadBody::BadField { field: "actionResults" };
