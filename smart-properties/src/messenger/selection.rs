//! Which events a subscription delivers: a type and the entities that go with it (specification section 7.3).

use alloc::string::String;

use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::value::RawValue;

use super::{RawEntities, RawSelection};
use crate::{PrincipalId, SkillId, UnitId};

/// Which events a subscription delivers. Each type comes with the entities that it takes and no others: what does not
/// belong together does not compile.
///
/// Whether a subscription for a unit also covers the units below it is not documented: name each.
///
/// ```
/// use smart_properties::{UnitId, messenger::Selection};
///
/// // Rooms become active below their property.
/// let property = UnitId::new("amzn1.alexa.unit.did.PROP1")?;
/// let selection = Selection::Activation { parent: property };
/// assert_eq!(
///     selection.entities(),
///     r#"{"unit":{"parent":{"type":"Unit","id":"amzn1.alexa.unit.did.PROP1"}}}"#,
/// );
/// # Ok::<(), smart_properties::IdError>(())
/// ```
///
/// An activation names the parent, never the unit itself, and a skill failure needs its skill:
///
/// ```compile_fail,E0559
/// # let unit = smart_properties::UnitId::new("amzn1.alexa.unit.did.ROOM401").unwrap();
/// let selection = smart_properties::messenger::Selection::Activation { unit };
/// ```
///
/// ```compile_fail,E0063
/// # let unit = smart_properties::UnitId::new("amzn1.alexa.unit.did.ROOM401").unwrap();
/// let selection = smart_properties::messenger::Selection::SkillFailure { unit };
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Selection<'a> {
    /// Units become active below this one: properties below the organization, rooms below a property.
    Activation {
        /// What they are created in.
        parent: UnitId<'a>,
    },
    /// Automations of this unit ended.
    AutomationCompletion {
        /// What they run in.
        unit: UnitId<'a>,
    },
    /// A skill failed in this unit. Amazon's command line client also enables a skill for premium events there; whether
    /// that is needed is not documented.
    SkillFailure {
        /// Where someone spoke to it.
        unit: UnitId<'a>,
        /// What failed.
        skill: SkillId<'a>,
    },
    /// Assignments of roles have finished.
    RoleAssignment(RoleScope<'a>),
    /// Revocations of roles have finished.
    RoleRevocation(RoleScope<'a>),
    /// Devices are set up.
    SetupCompletion(SetupScope<'a>),
    /// Another type, or a subscription that exists, as it is written.
    Raw(RawSelection<'a>),
}

/// What a subscription to role events is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleScope<'a> {
    /// Roles in this unit, in the form that Amazon's command line client sends; no page shows it.
    Unit(UnitId<'a>),
    /// The entities in another form.
    Raw(RawEntities<'a>),
}

/// What a subscription to set-up events is about. Amazon says that the user ID of the account that sets devices up has
/// to be given, not where; so the choice is the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SetupScope<'a> {
    /// Devices of this unit, as Amazon's command line client has it.
    Unit(UnitId<'a>),
    /// Devices that this account sets up: the likely form, unconfirmed. For the ID see
    /// [`call::user_profile`](crate::call::user_profile).
    User(PrincipalId<'a>),
    /// The entities in another form.
    Raw(RawEntities<'a>),
}

impl Selection<'_> {
    /// The namespace of the event type.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.names().0
    }

    /// The name of the event type.
    #[must_use]
    pub fn name(&self) -> &str {
        self.names().1
    }

    /// The member `entities`: a JSON object keyed by the kind of entity.
    #[must_use]
    pub fn entities(&self) -> String {
        crate::request::json(&Entities(self))
    }

    fn names(&self) -> (&str, &str) {
        match self {
            Self::Activation { .. } => ("Alexa.Enterprise.Subscription", "Activation"),
            Self::AutomationCompletion { .. } => ("Alexa.Automation.Execution", "Completion"),
            Self::SkillFailure { .. } => ("Alexa.Skill.Interaction", "Failure"),
            Self::RoleAssignment(_) => ("Alexa.Role.Management", "Assignment"),
            Self::RoleRevocation(_) => ("Alexa.Role.Management", "Revocation"),
            Self::SetupCompletion(_) => ("Alexa.Endpoint.Lifecycle", "SetupCompletion"),
            Self::Raw(raw) => (raw.event_type().namespace(), raw.event_type().name()),
        }
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Selection<'static> {
        let role = |scope| match scope {
            RoleScope::Unit(unit) => RoleScope::Unit(unit.into_owned()),
            RoleScope::Raw(raw) => RoleScope::Raw(raw.into_owned()),
        };
        match self {
            Self::Activation { parent } => Selection::Activation { parent: parent.into_owned() },
            Self::AutomationCompletion { unit } => {
                Selection::AutomationCompletion { unit: unit.into_owned() }
            }
            Self::SkillFailure { unit, skill } => {
                Selection::SkillFailure { unit: unit.into_owned(), skill: skill.into_owned() }
            }
            Self::RoleAssignment(scope) => Selection::RoleAssignment(role(scope)),
            Self::RoleRevocation(scope) => Selection::RoleRevocation(role(scope)),
            Self::SetupCompletion(scope) => Selection::SetupCompletion(match scope {
                SetupScope::Unit(unit) => SetupScope::Unit(unit.into_owned()),
                SetupScope::User(user) => SetupScope::User(user.into_owned()),
                SetupScope::Raw(raw) => SetupScope::Raw(raw.into_owned()),
            }),
            Self::Raw(raw) => Selection::Raw(raw.into_owned()),
        }
    }
}

/// As the member `entities` is written.
pub(super) struct Entities<'s>(pub(super) &'s Selection<'s>);

impl Serialize for Entities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one = |serializer: S, name, entity: &Entity<'_>| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(name, entity)?;
            map.end()
        };
        let role = |serializer: S, scope: &RoleScope<'_>| match scope {
            RoleScope::Unit(unit) => one(serializer, "resource", &Entity::unit_resource(unit)),
            RoleScope::Raw(raw) => as_written(raw.as_str()).serialize(serializer),
        };
        match self.0 {
            Selection::Activation { parent } => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("unit", &Parent { parent: Entity::of(UNIT, parent.as_str()) })?;
                map.end()
            }
            Selection::AutomationCompletion { unit }
            | Selection::SetupCompletion(SetupScope::Unit(unit)) => {
                one(serializer, "unit", &Entity::of(UNIT, unit.as_str()))
            }
            Selection::SkillFailure { unit, skill } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("unit", &Entity::of(UNIT, unit.as_str()))?;
                map.serialize_entry("skill", &Entity::of("Skill", skill.as_str()))?;
                map.end()
            }
            Selection::RoleAssignment(scope) | Selection::RoleRevocation(scope) => {
                role(serializer, scope)
            }
            Selection::SetupCompletion(SetupScope::User(user)) => {
                one(serializer, "user", &Entity::of("User", user.as_str()))
            }
            Selection::SetupCompletion(SetupScope::Raw(raw)) => {
                as_written(raw.as_str()).serialize(serializer)
            }
            Selection::Raw(raw) => as_written(raw.entities()).serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Parent<'a> {
    parent: Entity<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
}

impl<'a> Entity<'a> {
    const fn of(kind: &'a str, id: &'a str) -> Self {
        Self { kind, id: Some(id), resource_type: None, resource_id: None }
    }

    fn unit_resource(unit: &'a UnitId<'_>) -> Self {
        Self {
            kind: "Resource",
            id: None,
            resource_type: Some(UNIT),
            resource_id: Some(unit.as_str()),
        }
    }
}

/// It was checked when it came in.
fn as_written(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

const UNIT: &str = "Unit";
