//! What a command asks for.

use alloc::{string::String, vec::Vec};

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

use crate::{Json, json::Value};

/// What a command asks for, in the order it is to be done (specification, section 13.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has these two forms")]
pub enum Actions {
    /// Of a thing without traits.
    Plain(Vec<Action>),
    /// Of a thing with traits.
    Trait(Vec<TraitActions>),
}

/// One thing to do. `Debug` shows the length of its value only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Action {
    /// What to do.
    pub name: String,
    /// How: any JSON value.
    pub value: Json,
}

/// Things to do that belong to one trait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TraitActions {
    /// The alias of the trait.
    pub alias: String,
    /// What to do.
    pub actions: Vec<Action>,
}

/// Where an action stands.
pub(super) struct Place<'a> {
    /// Which element of the outer array.
    pub(super) element: usize,
    /// The alias of its trait, if it has one.
    pub(super) alias: Option<&'a str>,
    pub(super) action: &'a Action,
}

impl Action {
    /// An action with this name and value.
    #[must_use]
    pub fn new(name: impl Into<String>, value: Json) -> Self {
        Self { name: name.into(), value }
    }
}

impl TraitActions {
    /// Actions of the trait with this alias.
    #[must_use]
    pub fn new(alias: impl Into<String>, actions: impl IntoIterator<Item = Action>) -> Self {
        Self { alias: alias.into(), actions: actions.into_iter().collect() }
    }
}

impl Actions {
    /// How many actions there are, over all traits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every action in order, and where it stands.
    pub(super) fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let (plain, traits) = match self {
            Self::Plain(actions) => (actions.as_slice(), &[][..]),
            Self::Trait(traits) => (&[][..], traits.as_slice()),
        };
        let plain = plain.iter().enumerate();
        let plain = plain.map(|(element, action)| Place { element, alias: None, action });
        plain.chain(traits.iter().enumerate().flat_map(|(element, of_trait)| {
            let alias = Some(of_trait.alias.as_str());
            of_trait.actions.iter().map(move |action| Place { element, alias, action })
        }))
    }

    /// Reads them by rules 4 to 6 of section 13.2; an error is the index of the action that is none.
    pub(super) fn read(elements: &[Value<'_>], has_schema: bool) -> Result<Self, usize> {
        let members = elements.iter().enumerate();
        let members = members.map(|(index, element)| element.only_member().ok_or(index));
        let members: Vec<_> = members.collect::<Result<_, _>>()?;
        let lists: Option<Vec<_>> = if has_schema || members.is_empty() {
            None
        } else {
            members.iter().map(|(_, value)| one_member_objects(*value)).collect()
        };
        let Some(lists) = lists else {
            let actions = members.into_iter().enumerate();
            let actions = actions.map(|(index, member)| Action::read(member).ok_or(index));
            return actions.collect::<Result<_, _>>().map(Self::Plain);
        };
        let traits = members.into_iter().zip(lists).enumerate();
        let traits = traits.map(|(index, ((alias, _), list))| {
            let actions: Option<_> = list.into_iter().map(Action::read).collect();
            let read = alias.zip(actions).map(|(alias, actions)| TraitActions { alias, actions });
            read.ok_or(index)
        });
        traits.collect::<Result<_, _>>().map(Self::Trait)
    }

    /// Whether plain actions would be read as those of traits if no schema stood beside them.
    pub(super) fn looks_like_traits(&self) -> bool {
        let Self::Plain(actions) = self else { return false };
        let is_list = |action: &Action| one_member_objects(Value::of(&action.value)).is_some();
        !actions.is_empty() && actions.iter().all(is_list)
    }

    /// Whether there is nothing to do, in all or for one trait.
    pub(super) fn lacks_actions(&self) -> bool {
        match self {
            Self::Plain(actions) => actions.is_empty(),
            Self::Trait(traits) => {
                traits.is_empty() || traits.iter().any(|of_trait| of_trait.actions.is_empty())
            }
        }
    }
}

impl Action {
    fn read((name, value): (Option<String>, Value<'_>)) -> Option<Self> {
        Some(Self { name: name?, value: value.json() })
    }
}

/// The members of a non-empty array of objects with one member each.
fn one_member_objects(value: Value<'_>) -> Option<Vec<(Option<String>, Value<'_>)>> {
    let elements = value.elements().filter(|elements| !elements.is_empty())?;
    elements.into_iter().map(Value::only_member).collect()
}

/// Actions as they are written into a body.
pub(super) struct WrittenActions<'a>(pub(super) &'a Actions);

impl Serialize for WrittenActions<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Actions::Plain(actions) => to.collect_seq(members(actions)),
            Actions::Trait(traits) => to.collect_seq(
                traits.iter().map(|of_trait| Member(&of_trait.alias, members(&of_trait.actions))),
            ),
        }
    }
}

fn members(actions: &[Action]) -> Vec<Member<&String, &RawValue>> {
    actions.iter().map(|action| Member(&action.name, action.value.as_raw())).collect()
}

/// An object with one member.
pub(super) struct Member<N, T>(pub(super) N, pub(super) T);

impl<N: Serialize, T: Serialize> Serialize for Member<N, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(Some(1))?;
        object.serialize_entry(&self.0, &self.1)?;
        object.end()
    }
}
