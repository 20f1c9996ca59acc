//! Whether something may be done.

use core::fmt;

/// Whether an operation may be done now.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it may, it may not, or nobody can tell")]
pub enum Permit {
    /// It may.
    Allowed,
    /// It may not: it would be refused, or act on what is not there yet.
    Blocked(Blocked),
    /// Nothing that was seen tells. Best taken for blocked.
    Unknown(Unclear),
}

/// Why an operation may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Blocked {
    /// The subscription of the unit is not active yet: wait for the activation event.
    UnitInactive,
    /// The unit was deleted.
    Deleted,
    /// Only the property, the level-one unit, has a subscription of its own; a deeper unit inherits it.
    Inherited,
    /// A unit has one subscription at a time, and this one has it.
    OneSubscription,
    /// The role assignment has not reached here yet: wait for its event.
    RolePending,
    /// The role was revoked.
    Revoked,
    /// The device was not set up yet: wait for the setup event.
    NotSetUp,
    /// No unit was named for the device.
    NoTarget,
    /// The device is being associated: wait for the answer.
    Associating,
    /// The device has its unit.
    Associated,
}

/// Why nobody can tell whether an operation may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unclear {
    /// Nothing was heard of it.
    NotSeen,
    /// No source says.
    Undocumented,
    /// A revocation is under way: it may or may not have come here.
    RevocationPending,
    /// Two events contradict each other, and nothing tells which is newer: list the assignments.
    Conflict,
}

impl Permit {
    /// Whether it may be done for certain.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UnitInactive => {
                "the subscription of the unit is not active: wait for its activation event"
            }
            Self::Deleted => "the unit was deleted",
            Self::Inherited => {
                "a unit below the property inherits its subscription: enable it on the property"
            }
            Self::OneSubscription => "a unit has one subscription at a time: it has one",
            Self::RolePending => "the role has not reached here: wait for its assignment event",
            Self::Revoked => "the role was revoked",
            Self::NotSetUp => "the device was not set up: wait for its setup event",
            Self::NoTarget => "no unit was named for the device",
            Self::Associating => "the device is being associated: wait for the answer",
            Self::Associated => "the device has its unit",
        })
    }
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NotSeen => "nothing was heard of it",
            Self::Undocumented => "no source says whether it may be done",
            Self::RevocationPending => "a revocation is under way: wait for its event",
            Self::Conflict => "two events contradict each other: list the assignments",
        })
    }
}
