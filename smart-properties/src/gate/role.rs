//! Roles: who may act where (specification section 9.2).

use alloc::collections::BTreeMap;
use core::num::NonZeroUsize;

use super::{Blocked, GateError, Permit, PropagatedRole, Unclear};
use crate::{
    PrincipalId, RoleId, UnitId,
    event::RoleChange,
    extract::Harvest,
    order::{LastWriter, OrderKey, Verdict},
};

/// The role assignments of an organization, each with where it is effective.
///
/// | | at the unit itself | at the units below |
/// | --- | --- | --- |
/// | assigned alone, no propagation, accepted | effective | not affected |
/// | assigned alone, with propagation, accepted | effective | pending until the event |
/// | assigned in a batch, accepted | pending until the event | pending until the event |
/// | event | effective | effective, unless asked for without propagation |
/// | refused | unchanged | unchanged |
///
/// Of a revocation the same holds, with "no longer effective". While one is under way nobody can tell, and it is never
/// called done before its event; what is pending may stay so for ever, as there is no event for a failure.
///
/// Tell it of a [request](Self::requested) before it is sent: the event may overtake the answer. Events alone give the
/// same in any order, however often they come.
///
/// ```
/// use smart_properties::{PrincipalId, RoleId, UnitId};
/// use smart_properties::gate::{Blocked, Permit, RoleKey, RoleRequest, RoleExtent, Roles};
///
/// let key = RoleKey::new(
///     &RoleId::new("amzn1.alexa.role.did.R1")?,
///     &PrincipalId::new("amzn1.account.P1")?,
///     &UnitId::new("amzn1.alexa.unit.did.PROP1")?,
/// );
/// let mut roles = Roles::default();
/// roles.requested(&key, RoleRequest::assign(true))?;
/// roles.accepted(&key);
/// assert_eq!(roles.may_act(&key, RoleExtent::Unit), Permit::Allowed);
/// assert_eq!(roles.may_act(&key, RoleExtent::SubUnits), Permit::Blocked(Blocked::RolePending));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Roles {
    config: RolesConfig,
    roles: BTreeMap<RoleKey, Role>,
}

/// How many assignments [`Roles`] keep, and what they believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RolesConfig {
    capacity: NonZeroUsize,
    harvest: Harvest,
}

/// One role of one principal on one unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct RoleKey {
    /// The role.
    pub role: RoleId<'static>,
    /// Who has it.
    pub principal: PrincipalId<'static>,
    /// Where.
    pub unit: UnitId<'static>,
}

/// What is done with a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two events")]
pub enum RoleOperation {
    /// It is assigned.
    Assign,
    /// It is revoked.
    Revoke,
}

/// A call that assigns or revokes a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleRequest {
    operation: RoleOperation,
    propagate: bool,
    batch: bool,
}

/// Which units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is the unit or those below it")]
pub enum RoleExtent {
    /// The unit that the role is assigned on.
    Unit,
    /// The units below it.
    SubUnits,
}

/// What follows from what roles were told.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleEffect {
    /// The role is effective, in the units below also.
    Propagated(PropagatedRole),
    /// The role is effective at its unit; whether below was not asked for.
    Assigned(RoleKey),
    /// The role is no longer effective.
    Revoked(RoleKey),
    /// Nobody can tell: list the assignments of the role on this unit, and [tell](Roles::listed) what it says.
    VerifyByListing(RoleKey),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Role {
    unit: Standing,
    sub_units: Standing,
    request: Option<(RoleRequest, Progress)>,
    last: LastWriter,
    last_operation: Option<RoleOperation>,
    conflict: bool,
}

/// What is known of a role in a scope. None: nothing.
type Standing = Option<RoleOperation>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Progress {
    Sent,
    Accepted,
    Done,
}

impl Roles {
    /// No assignment is known.
    #[must_use]
    pub const fn new(config: RolesConfig) -> Self {
        Self { config, roles: BTreeMap::new() }
    }

    /// A call is about to be sent. One before it, if any, no longer counts.
    ///
    /// # Errors
    /// [`GateError::Full`]
    pub fn requested(&mut self, key: &RoleKey, request: RoleRequest) -> Result<(), GateError> {
        self.entry(key)?.request = Some((request, Progress::Sent));
        Ok(())
    }

    /// The call was accepted: 200 of a single one, 202 of a batch.
    pub fn accepted(&mut self, key: &RoleKey) {
        let Some(role) = self.roles.get_mut(key) else { return };
        if let Some((request, progress @ Progress::Sent)) = &mut role.request {
            let under_way = request.batch || request.propagate;
            *progress = if under_way { Progress::Accepted } else { Progress::Done };
            if !request.batch {
                role.unit = Some(request.operation);
            }
        }
    }

    /// The call was refused: all is as it was.
    pub fn refused(&mut self, key: &RoleKey) {
        let Some(role) = self.roles.get_mut(key) else { return };
        if matches!(role.request, Some((_, Progress::Sent))) {
            role.request = None;
        }
    }

    /// A role event came, with this key and `eventId`.
    ///
    /// # Errors
    /// [`GateError::Id`] where the event does not say for certain what it is about, and [`GateError::Full`].
    pub fn event(
        &mut self,
        operation: RoleOperation,
        change: &RoleChange<'_>,
        order: OrderKey,
        event_id: &str,
    ) -> Result<(Verdict, Option<RoleEffect>), GateError> {
        let harvest = self.config.harvest;
        let key = RoleKey::new(
            change.role.accept(harvest)?,
            change.principal.accept(harvest)?,
            change.unit.accept(harvest)?,
        );
        let role = self.entry(&key)?;
        let verdict = role.last.observe(order, event_id);
        let effect = match verdict {
            Verdict::Applied | Verdict::AppliedByTieBreak => role.apply(operation, key),
            Verdict::Conflict if role.last_operation != Some(operation) => {
                role.conflict = true;
                Some(RoleEffect::VerifyByListing(key))
            }
            Verdict::Stale => {
                role.overtaken(operation);
                None
            }
            Verdict::Duplicate if !role.last.is_tied() => {
                // It has come in a message that is newer than the event which contradicted it.
                role.conflict = false;
                None
            }
            Verdict::Conflict | Verdict::Duplicate => None,
        };
        Ok((verdict, effect))
    }

    /// The caller has waited for the event of a call as long as it cares to.
    #[must_use]
    pub fn waited(&self, key: &RoleKey) -> Option<RoleEffect> {
        let (_, progress) = self.roles.get(key)?.request?;
        (progress != Progress::Done).then(|| RoleEffect::VerifyByListing(key.clone()))
    }

    /// The assignments of the role on the unit were listed, and the principal was among them or not. Of the units below
    /// that says something only where it was revoked.
    ///
    /// # Errors
    /// [`GateError::Full`]
    pub fn listed(&mut self, key: &RoleKey, assigned: bool) -> Result<(), GateError> {
        let role = self.entry(key)?;
        role.conflict = false;
        role.request = None;
        role.unit = Some(if assigned { RoleOperation::Assign } else { RoleOperation::Revoke });
        role.sub_units = None;
        Ok(())
    }

    /// Forgets an assignment.
    pub fn forget(&mut self, key: &RoleKey) {
        self.roles.remove(key);
    }

    /// Whether the principal may act in the role.
    pub fn may_act(&self, key: &RoleKey, scope: RoleExtent) -> Permit {
        match self.roles.get(key) {
            Some(role) => role.may_act(scope),
            None => Permit::Unknown(Unclear::NotSeen),
        }
    }

    /// The proof that a role has reached the units below its unit.
    ///
    /// # Errors
    /// Why it has not: blocked, or not known.
    pub fn propagated(&self, key: &RoleKey) -> Result<PropagatedRole, Permit> {
        match self.may_act(key, RoleExtent::SubUnits) {
            Permit::Allowed => Ok(key.propagated()),
            permit => Err(permit),
        }
    }

    fn entry(&mut self, key: &RoleKey) -> Result<&mut Role, GateError> {
        let limit = self.config.capacity.get();
        if !self.roles.contains_key(key) && self.roles.len() >= limit {
            return Err(GateError::Full { limit });
        }
        Ok(self.roles.entry(key.clone()).or_default())
    }
}

impl Role {
    fn apply(&mut self, operation: RoleOperation, key: RoleKey) -> Option<RoleEffect> {
        self.last_operation = Some(operation);
        self.conflict = false;
        let mut propagate = true;
        match &mut self.request {
            // Whether the assignment is older than the revocation that was asked for, nothing tells.
            Some((request, Progress::Sent | Progress::Accepted))
                if request.operation == RoleOperation::Revoke
                    && operation == RoleOperation::Assign =>
            {
                return None;
            }
            Some((request, progress)) if request.operation == operation => {
                *progress = Progress::Done;
                propagate = request.propagate;
            }
            _ => {}
        }
        self.unit = Some(operation);
        if propagate {
            self.sub_units = Some(operation);
        }
        Some(match operation {
            RoleOperation::Revoke => RoleEffect::Revoked(key),
            RoleOperation::Assign if propagate => RoleEffect::Propagated(key.propagated()),
            RoleOperation::Assign => RoleEffect::Assigned(key),
        })
    }

    /// An event came that is older than the newest. An assignment that was asked for is not waited for any longer then: it
    /// has happened, and something after it. A revocation is: it may be an earlier one.
    fn overtaken(&mut self, operation: RoleOperation) {
        match &mut self.request {
            Some((request, progress))
                if request.operation == RoleOperation::Assign
                    && operation == RoleOperation::Assign =>
            {
                *progress = Progress::Done;
            }
            _ => {}
        }
    }

    fn may_act(&self, scope: RoleExtent) -> Permit {
        if self.conflict {
            return Permit::Unknown(Unclear::Conflict);
        }
        let standing = match scope {
            RoleExtent::Unit => self.unit,
            RoleExtent::SubUnits => self.sub_units,
        };
        match (standing, self.pending(scope)) {
            (Some(RoleOperation::Revoke), None | Some(RoleOperation::Revoke)) => {
                Permit::Blocked(Blocked::Revoked)
            }
            (_, Some(RoleOperation::Revoke)) => Permit::Unknown(Unclear::RevocationPending),
            (Some(RoleOperation::Assign), _) => Permit::Allowed,
            (_, Some(RoleOperation::Assign)) => Permit::Blocked(Blocked::RolePending),
            (None, None) => Permit::Unknown(Unclear::NotSeen),
        }
    }

    /// What is under way in a scope.
    fn pending(&self, scope: RoleExtent) -> Option<RoleOperation> {
        let (request, progress) = self.request?;
        let pending = match (progress, scope) {
            (Progress::Done, _) => false,
            (Progress::Sent, RoleExtent::Unit) => true,
            (Progress::Accepted, RoleExtent::Unit) => request.batch,
            (_, RoleExtent::SubUnits) => request.propagate,
        };
        pending.then_some(request.operation)
    }
}

impl RoleKey {
    /// This role of this principal on this unit.
    #[must_use]
    pub fn new(role: &RoleId<'_>, principal: &PrincipalId<'_>, unit: &UnitId<'_>) -> Self {
        Self {
            role: role.borrowed().into_owned(),
            principal: principal.borrowed().into_owned(),
            unit: unit.borrowed().into_owned(),
        }
    }

    fn propagated(&self) -> PropagatedRole {
        PropagatedRole::new(self.role.clone(), self.principal.clone(), self.unit.clone())
    }
}

impl RoleRequest {
    /// A call that assigns the role, in the units below also if `propagate`.
    #[must_use]
    pub const fn assign(propagate: bool) -> Self {
        Self { operation: RoleOperation::Assign, propagate, batch: false }
    }

    /// A call that revokes the role, in the units below also if `propagate`.
    #[must_use]
    pub const fn revoke(propagate: bool) -> Self {
        Self { operation: RoleOperation::Revoke, propagate, batch: false }
    }

    /// The call is one of a batch, which is done in the background.
    #[must_use]
    pub const fn batched(mut self) -> Self {
        self.batch = true;
        self
    }
}

impl Default for Roles {
    fn default() -> Self {
        Self::new(RolesConfig::default())
    }
}

impl RolesConfig {
    /// Room for this many assignments, revoked ones that were not forgotten among them.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether an identifier counts that an event names where no table says it would.
    #[must_use]
    pub const fn with_harvest(mut self, harvest: Harvest) -> Self {
        self.harvest = harvest;
        self
    }
}

impl Default for RolesConfig {
    fn default() -> Self {
        Self { capacity: super::DEFAULT_CAPACITY, harvest: Harvest::Refuse }
    }
}
