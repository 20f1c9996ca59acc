//! What an event says, typed (specification sections 2.3 and 2.4).

use alloc::{borrow::Cow, vec::Vec};

use super::{ErrorType, Event, EventKind, Reason, Status};
use crate::{
    AnyId,
    extract::Extracted,
    id::{Automation, Endpoint, Principal, Role, Skill, Unit},
};

/// What an event says. Only of [`Completion`] are the members documented; those of the others are looked for, and
/// [`Extracted`] tells how sure the finding is.
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

/// What belongs to [`EventKind::Completion`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Completion<'a> {
    /// Which automation. There is no identifier of the run.
    pub automation: Extracted<'a, Automation>,
    /// The unit that it ran in.
    pub unit: Extracted<'a, Unit>,
    /// `status` of the result; none where it is absent or not a string.
    pub status: Option<Status<'a>>,
    /// `errors` of the result, at most 1,024 of them.
    pub errors: Vec<AutomationError<'a>>,
    /// Where the result is not as documented, if it is not: JSON Pointer to the first member of a wrong type, or that is
    /// there twice, or to the error that is one too many. Never take it for a success then.
    pub irregular: Option<Cow<'static, str>>,
}

/// One of the errors of an automation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AutomationError<'a> {
    /// `type`.
    pub error_type: Option<ErrorType<'a>>,
    /// `message`: for people.
    pub message: Option<Cow<'a, str>>,
    /// `id`: what it is about, in the sample a device.
    pub id: Option<AnyId<'a>>,
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
        match event.event_type().kind() {
            _ if event.is_other_version() => Self::Unknown,
            EventKind::Activation => Self::Activation(Activation {
                unit: Extracted::Missing,
                parent: Extracted::Missing,
            }),
            _ => Self::Unknown,
        }
    }
}
