//! What an event says, typed (specification sections 2.3 and 2.4).

use super::{Completion, Event, EventKind, Reason};
use crate::{
    extract::{Extracted, extract, pointers, values_at},
    id::{Endpoint, Principal, Role, Skill, Unit},
    json::Value,
};

/// What an event says. Only of [`Completion`] are the members documented; those of the others are looked for, and
/// [`Extracted`] tells how sure the finding is.
///
/// ```
/// use smart_properties::{Body, Event};
///
/// let event = Event::decode(
///     br#"{"header":{"version":"2.0","eventId":{"id":"r-1"},
///         "eventType":{"namespace":"Alexa.Role.Management","name":"Assignment"},
///         "entities":{"resource":{"type":"Resource","resourceType":"Unit",
///         "resourceId":"amzn1.alexa.unit.did.PROP1"}}},
///         "payload":{"role":{"id":"amzn1.alexa.role.did.R1"},"principal":{"id":"amzn1.account.P1"}}}"#,
/// )?;
/// let Body::RoleAssignment(change) = event.body() else { unreachable!() };
/// let unit = change.unit.accept(Default::default())?;
/// assert_eq!(unit.as_str(), "amzn1.alexa.unit.did.PROP1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Body<'a> {
    /// The subscription of a new unit is active: what was blocked is open.
    Activation(Activation<'a>),
    /// An automation has ended, well or not.
    Completion(Completion<'a>),
    /// A skill timed out or answered with something invalid.
    SkillFailure(SkillFailure<'a>),
    /// A role has been assigned, in the units below also if that was asked for.
    RoleAssignment(RoleChange<'a>),
    /// A role has been revoked, in the units below also if that was asked for.
    RoleRevocation(RoleChange<'a>),
    /// A device went through its setup.
    SetupCompletion(SetupCompletion<'a>),
    /// An event of a type or version that this version of the crate does not know.
    Unknown,
}

/// What belongs to [`EventKind::Activation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Activation<'a> {
    /// The unit that is active now.
    pub unit: Extracted<'a, Unit>,
    /// The unit above it.
    pub parent: Extracted<'a, Unit>,
}

/// What belongs to [`EventKind::Failure`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SkillFailure<'a> {
    /// The skill that failed.
    pub skill: Extracted<'a, Skill>,
    /// The unit in which it was spoken to.
    pub unit: Extracted<'a, Unit>,
    /// The device through which it was spoken to.
    pub endpoint: Extracted<'a, Endpoint>,
    /// Why it failed, where the event says it.
    pub reason: Option<Reason<'a>>,
}

/// What belongs to [`EventKind::Assignment`] and [`EventKind::Revocation`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RoleChange<'a> {
    /// The unit on which the role was assigned or revoked.
    pub unit: Extracted<'a, Unit>,
    /// The role.
    pub role: Extracted<'a, Role>,
    /// Whose role it is.
    pub principal: Extracted<'a, Principal>,
}

/// What belongs to [`EventKind::SetupCompletion`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SetupCompletion<'a> {
    /// The device, which can be associated with a unit now.
    pub endpoint: Extracted<'a, Endpoint>,
}

impl<'a> Body<'a> {
    pub(super) fn of(event: &Event<'a>) -> Self {
        match event.kind() {
            EventKind::Activation => Self::Activation(Activation {
                unit: extract(event, &pointers::activation::UNIT),
                parent: extract(event, &pointers::activation::PARENT),
            }),
            EventKind::Completion => Self::Completion(Completion::of(event)),
            EventKind::Failure => Self::SkillFailure(SkillFailure {
                skill: extract(event, &pointers::skill_failure::SKILL),
                unit: extract(event, &pointers::skill_failure::UNIT),
                endpoint: extract(event, &pointers::skill_failure::ENDPOINT),
                reason: reason(event),
            }),
            EventKind::Assignment => Self::RoleAssignment(RoleChange::of(event)),
            EventKind::Revocation => Self::RoleRevocation(RoleChange::of(event)),
            EventKind::SetupCompletion => Self::SetupCompletion(SetupCompletion {
                endpoint: extract(event, &pointers::setup_completion::ENDPOINT),
            }),
            EventKind::Unknown => Self::Unknown,
        }
    }
}

impl<'a> RoleChange<'a> {
    fn of(event: &Event<'a>) -> Self {
        Self {
            unit: extract(event, &pointers::role_change::UNIT),
            role: extract(event, &pointers::role_change::ROLE),
            principal: extract(event, &pointers::role_change::PRINCIPAL),
        }
    }
}

/// The first text at one of the pointers.
fn reason<'a>(event: &Event<'a>) -> Option<Reason<'a>> {
    let values = pointers::skill_failure::REASON.iter().flat_map(|at| values_at(event, at));
    values.filter_map(Value::string).next().map(Reason::from)
}
