//! Roles: who may act where (specification section 9.2).

use alloc::collections::BTreeMap;

use super::{Blocked, GateConfig, GateError, Permit, PropagatedRole, Unclear};
use crate::{
    PrincipalId, RoleId, UnitId,
    event::RoleChange,
    order::{LastWriter, OrderKey, Verdict},
};

/// The role assignments of an organization, each with where it is effective.
///
/// | | at the unit itself | at the units below |
/// | --- | --- | --- |
/// | assigned alone, no propagation, accepted | effective | not affected |
/// | assigned alone, with propagation, accepted | effective | pending until the event |
/// | assigned in a batch, accepted | pending until the event | pending until the event, if it propagates |
/// | event | effective | effective, unless asked for without propagation |
/// | refused | unchanged | unchanged |
///
/// Of a revocation the same holds, with "no longer effective". While one is under way nobody can tell, and it is never
/// called done before its event; what is pending may stay so for ever, as there is no event for a failure.
///
/// Tell it of a [request](Self::requested) before it is sent: the event may overtake the answer. Events alone give the
/// same in any order, however often they come. An answer has no time, so where events contradict it the role is not
/// allowed before a newer event or a [list](Self::listed) says so.
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
    config: GateConfig,
    roles: BTreeMap<RoleKey, Role>,
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
    /// The call whose answer has not come.
    sent: Option<Sent>,
    /// The last call that was accepted.
    accepted: Option<Accepted>,
    last: LastWriter,
    last_operation: Option<RoleOperation>,
    conflict: bool,
}

/// What is known of a role in a scope. None: nothing.
type Standing = Option<RoleOperation>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sent {
    request: RoleRequest,
    /// Whether an event has said otherwise: nothing tells which of it and the answer will be newer.
    is_contradicted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Accepted {
    request: RoleRequest,
    /// Whether the unit itself waits for the event as well.
    at_unit: bool,
    /// Whether the event has come.
    is_done: bool,
}

impl Roles {
    /// No assignment is known.
    #[must_use]
    pub const fn new(config: GateConfig) -> Self {
        Self { config, roles: BTreeMap::new() }
    }

    /// A call is about to be sent. One that was accepted before it counts until this one is; so does a revocation that was
    /// never answered, as it may have happened.
    ///
    /// # Errors
    /// [`GateError::Full`]
    pub fn requested(&mut self, key: &RoleKey, request: RoleRequest) -> Result<(), GateError> {
        let role = self.entry(key)?;
        let unanswered = role.sent.replace(Sent { request, is_contradicted: false });
        let unanswered = unanswered.map(|it| it.request);
        if let Some(request) = unanswered.filter(|it| it.operation == RoleOperation::Revoke) {
            role.accepted = Some(Accepted { request, at_unit: true, is_done: false });
        }
        Ok(())
    }

    /// The call was accepted: 200 of a single one, 202 of a batch.
    pub fn accepted(&mut self, key: &RoleKey) {
        let Some(role) = self.roles.get_mut(key) else { return };
        let Some(Sent { request, is_contradicted }) = role.sent.take() else { return };
        // How far a revocation came that this call takes the place of, nothing tells any more.
        for scope in [RoleExtent::Unit, RoleExtent::SubUnits] {
            if role.pending(scope) == Some(RoleOperation::Revoke) {
                *role.standing(scope) = None;
            }
        }
        let at_unit = request.batch || is_contradicted;
        if !at_unit {
            role.unit = Some(request.operation);
        }
        role.accepted = Some(Accepted { request, at_unit, is_done: false });
    }

    /// The call was refused: all is as if it had not been sent.
    pub fn refused(&mut self, key: &RoleKey) {
        if let Some(role) = self.roles.get_mut(key) {
            role.sent = None;
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
        let role = self.roles.get(key)?;
        role.is_pending().then(|| RoleEffect::VerifyByListing(key.clone()))
    }

    /// The assignments of the role on the unit were listed, and the principal was among them or not. Calls that were under
    /// way are over then; of the units below it says nothing. An event that comes later counts as newer.
    ///
    /// # Errors
    /// [`GateError::Full`]
    pub fn listed(&mut self, key: &RoleKey, assigned: bool) -> Result<(), GateError> {
        let role = self.entry(key)?;
        if !assigned || role.conflict || role.pending(RoleExtent::SubUnits).is_some() {
            role.sub_units = None;
        }
        role.unit = Some(if assigned { RoleOperation::Assign } else { RoleOperation::Revoke });
        (role.sent, role.accepted, role.conflict) = (None, None, false);
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
        if !self.roles.contains_key(key) {
            self.config.check_room(self.roles.len())?;
        }
        Ok(self.roles.entry(key.clone()).or_default())
    }
}

impl Role {
    fn apply(&mut self, operation: RoleOperation, key: RoleKey) -> Option<RoleEffect> {
        self.last_operation = Some(operation);
        self.conflict = false;
        let revoking = self.accepted.filter(|it| !it.is_done && it.is(RoleOperation::Revoke));
        if let Some(revoking) = revoking.filter(|_| operation == RoleOperation::Assign) {
            // Whether the assignment is older than the revocation that was asked for, nothing tells.
            if revoking.at_unit {
                self.unit = Some(operation);
            }
            self.sub_units = Some(operation);
            return (!self.is_pending()).then_some(RoleEffect::VerifyByListing(key));
        }
        let propagate = self.complete(operation);
        self.unit = Some(operation);
        if propagate {
            self.sub_units = Some(operation);
        }
        match operation {
            RoleOperation::Revoke => Some(RoleEffect::Revoked(key)),
            RoleOperation::Assign if !self.may_act(RoleExtent::Unit).is_allowed() => None,
            RoleOperation::Assign if propagate => Some(RoleEffect::Propagated(key.propagated())),
            RoleOperation::Assign => Some(RoleEffect::Assigned(key)),
        }
    }

    /// An event completes the call that asked for it. Whether it speaks of the units below also.
    fn complete(&mut self, operation: RoleOperation) -> bool {
        match (&mut self.accepted, &mut self.sent) {
            (Some(accepted), _) if accepted.is(operation) && !accepted.is_done => {
                accepted.is_done = true;
                accepted.request.propagate
            }
            (_, Some(Sent { request, .. })) if request.operation == operation => {
                let request = *request;
                self.sent = None;
                self.accepted = Some(Accepted { request, at_unit: request.batch, is_done: true });
                request.propagate
            }
            // The event once more, or of a call of somebody else's: the lesser right of both is believed.
            (Some(accepted), _) if accepted.is(operation) => {
                operation == RoleOperation::Revoke || accepted.request.propagate
            }
            (accepted, sent) => {
                if accepted.is_some_and(|it| it.is_done) {
                    *accepted = None;
                }
                if let Some(sent) = sent {
                    sent.is_contradicted = true;
                }
                true
            }
        }
    }

    /// An event came that is older than the newest. An assignment that was asked for is not waited for any longer then: it
    /// has happened, and something after it. A revocation is: it may be an earlier one.
    fn overtaken(&mut self, operation: RoleOperation) {
        if operation != RoleOperation::Assign {
            return;
        }
        if let Some(sent) = self.sent.filter(|it| it.is_contradicted) {
            if sent.request.operation == operation {
                self.sent = None;
            }
        }
        if let Some(accepted) = self.accepted.as_mut().filter(|it| it.is(operation)) {
            accepted.is_done = true;
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

    fn standing(&mut self, scope: RoleExtent) -> &mut Standing {
        match scope {
            RoleExtent::Unit => &mut self.unit,
            RoleExtent::SubUnits => &mut self.sub_units,
        }
    }

    /// What is under way in a scope; a revocation, if there is one.
    fn pending(&self, scope: RoleExtent) -> Option<RoleOperation> {
        let sent = self.sent.map(|it| (it.request, true));
        let accepted = self.accepted.filter(|it| !it.is_done).map(|it| (it.request, it.at_unit));
        let reaches = |(request, at_unit): (RoleRequest, bool)| match scope {
            RoleExtent::Unit => at_unit.then_some(request.operation),
            RoleExtent::SubUnits => request.propagate.then_some(request.operation),
        };
        let (sent, accepted) = (sent.and_then(reaches), accepted.and_then(reaches));
        accepted.filter(|it| *it == RoleOperation::Revoke).or(sent).or(accepted)
    }

    fn is_pending(&self) -> bool {
        [RoleExtent::Unit, RoleExtent::SubUnits].into_iter().any(|it| self.pending(it).is_some())
    }
}

impl Accepted {
    fn is(&self, operation: RoleOperation) -> bool {
        self.request.operation == operation
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
        Self::new(GateConfig::default())
    }
}
