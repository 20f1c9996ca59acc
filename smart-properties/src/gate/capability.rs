//! Proofs that something may be done, which only gates hand out.

use crate::{EndpointId, PrincipalId, RoleId, UnitId};

/// A unit whose subscription is active: it may have children, skills and devices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActiveUnit {
    id: UnitId<'static>,
}

/// A device that is set up: it may be associated with a unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadyEndpoint {
    id: EndpointId<'static>,
}

/// A role assignment that has reached the units below its unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PropagatedRole {
    role: RoleId<'static>,
    principal: PrincipalId<'static>,
    unit: UnitId<'static>,
}

impl ActiveUnit {
    pub(crate) const fn new(id: UnitId<'static>) -> Self {
        Self { id }
    }

    /// The unit.
    #[must_use]
    pub const fn id(&self) -> &UnitId<'static> {
        &self.id
    }
}

impl ReadyEndpoint {
    pub(crate) const fn new(id: EndpointId<'static>) -> Self {
        Self { id }
    }

    /// The device.
    #[must_use]
    pub const fn id(&self) -> &EndpointId<'static> {
        &self.id
    }
}

impl PropagatedRole {
    pub(crate) const fn new(
        role: RoleId<'static>,
        principal: PrincipalId<'static>,
        unit: UnitId<'static>,
    ) -> Self {
        Self { role, principal, unit }
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> &RoleId<'static> {
        &self.role
    }

    /// Who has it.
    #[must_use]
    pub const fn principal(&self) -> &PrincipalId<'static> {
        &self.principal
    }

    /// The unit that it was assigned on.
    #[must_use]
    pub const fn unit(&self) -> &UnitId<'static> {
        &self.unit
    }
}
