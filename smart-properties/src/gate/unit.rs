//! One unit: what may be done with it (specification section 9.1).

use alloc::string::String;

use super::{Blocked, Permit, Unclear};

/// Where a unit stands in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Directly below the organization: a level-one unit, on which a subscription is enabled.
    Property,
    /// Below a property, which it inherits the subscription from.
    Deeper,
}

/// What can be done with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Get it.
    Read,
    /// List its children.
    ListChildren,
    /// Change it.
    Update,
    /// Delete it.
    Delete,
    /// Get, assign, revoke or delete a role on it, or list the assignments of one.
    ManageRoles,
    /// Enable the skill that is the subscription itself.
    EnableSubscription,
    /// Enable any other skill.
    EnableSkill,
    /// Create a unit below it.
    CreateChild,
    /// Associate a device with it.
    AssociateDevice,
    /// Whatever else the API has.
    Other,
}

/// How far a unit is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnitState {
    /// It exists, and its subscription is not active yet.
    Created,
    /// Its subscription is active.
    Active {
        /// How this is known.
        evidence: Evidence,
    },
    /// It was deleted.
    Deleted,
}

/// How it is known that the subscription of a unit is active.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// The activation event with this ID said so.
    Event(String),
    /// This operation succeeded, which it does not before.
    ObservedSuccess(Operation),
    /// The caller knows it from elsewhere.
    Override,
}

impl UnitState {
    /// How far it is: no unit goes back.
    pub(super) const fn progress(&self) -> u8 {
        match self {
            Self::Created => 0,
            Self::Active { .. } => 1,
            Self::Deleted => 2,
        }
    }

    /// Whether an operation may be done on a unit of this level.
    ///
    /// | | property, created | deeper, created | active |
    /// | --- | --- | --- | --- |
    /// | read, list children, update, delete | allowed | allowed | allowed |
    /// | roles | allowed | unknown | allowed |
    /// | enable the subscription | allowed: this starts the activation | blocked: inherited | blocked: it has one |
    /// | enable another skill, create a child, associate a device | blocked | blocked | allowed |
    /// | anything else | unknown | unknown | allowed |
    pub const fn permits(&self, level: Level, operation: Operation) -> Permit {
        use Operation as Op;
        match (self, operation, level) {
            (Self::Deleted, _, _) => Permit::Blocked(Blocked::Deleted),
            (Self::Active { .. }, Op::EnableSubscription, _) => {
                Permit::Blocked(Blocked::OneSubscription)
            }
            (Self::Active { .. }, _, _)
            | (Self::Created, Op::Read | Op::ListChildren | Op::Update | Op::Delete, _)
            | (Self::Created, Op::ManageRoles | Op::EnableSubscription, Level::Property) => {
                Permit::Allowed
            }
            (Self::Created, Op::EnableSubscription, Level::Deeper) => {
                Permit::Blocked(Blocked::Inherited)
            }
            (Self::Created, Op::EnableSkill | Op::CreateChild | Op::AssociateDevice, _) => {
                Permit::Blocked(Blocked::UnitInactive)
            }
            (Self::Created, Op::ManageRoles, Level::Deeper) | (Self::Created, Op::Other, _) => {
                Permit::Unknown(Unclear::Undocumented)
            }
        }
    }
}

impl Operation {
    /// Whether it succeeds on active units only, so that its success shows that a unit is active.
    #[must_use]
    pub const fn is_gated(self) -> bool {
        matches!(self, Self::EnableSkill | Self::CreateChild | Self::AssociateDevice)
    }
}
