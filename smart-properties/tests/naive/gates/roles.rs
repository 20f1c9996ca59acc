//! The standing of one role, read out of its whole history for every question.

use smart_properties::{
    gate::{Blocked, Permit, RoleExtent, RoleOperation, Unclear},
    order::Verdict,
};

use super::newest::{Published, newest, verdict};

/// What was told of one role of one principal on one unit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact {
    Requested { operation: RoleOperation, propagate: bool, batch: bool },
    Accepted,
    Refused,
    Event { operation: RoleOperation, published: Published },
    Listed(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Propagated,
    Assigned,
    Revoked,
    VerifyByListing,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    facts: Vec<Fact>,
}

/// A call, and what became of it.
#[derive(Clone, Copy)]
struct Call {
    operation: RoleOperation,
    propagate: bool,
    /// Whether its answer tells nothing of the unit: it was one of a batch, contradicted, or not there.
    waits: bool,
    /// Whether an event said otherwise before the answer.
    contradicted: bool,
    answered: bool,
    done: bool,
    /// Refused, or another one came after it.
    over: bool,
}

#[derive(Default)]
struct Standing {
    unit: Option<RoleOperation>,
    sub_units: Option<RoleOperation>,
    calls: Vec<Call>,
}

impl Role {
    pub(crate) fn tell(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// What follows from an event that is told now.
    pub(crate) fn event(
        &mut self,
        operation: RoleOperation,
        published: Published,
    ) -> (Verdict, Option<Effect>) {
        let events = self.events(self.facts.len());
        let verdict = verdict(&published_of(&events), published);
        let mut standing = self.standing(self.facts.len());
        let effect = match verdict {
            Verdict::Applied | Verdict::AppliedByTieBreak => standing.apply(operation),
            Verdict::Conflict => {
                (newest_operation(&events) != Some(operation)).then_some(Effect::VerifyByListing)
            }
            Verdict::Stale | Verdict::Duplicate => None,
        };
        self.facts.push(Fact::Event { operation, published });
        (verdict, effect)
    }

    /// Whether the event of a call is still to come.
    pub(crate) fn waits(&self) -> bool {
        self.standing(self.facts.len()).waits()
    }

    pub(crate) fn may_act(&self, extent: RoleExtent) -> Permit {
        if self.is_contradictory(self.facts.len()) {
            return Permit::Unknown(Unclear::Conflict);
        }
        self.standing(self.facts.len()).may_act(extent)
    }

    /// Whether somebody has said at all that the role is held there: of the units below only an event does.
    pub(crate) fn is_justified(&self, extent: RoleExtent) -> bool {
        let mut asked = None;
        self.facts.iter().any(|fact| match *fact {
            Fact::Event { operation, .. } => operation == RoleOperation::Assign,
            Fact::Requested { operation, .. } => {
                asked = Some(operation);
                false
            }
            Fact::Accepted => extent == RoleExtent::Unit && asked == Some(RoleOperation::Assign),
            Fact::Listed(assigned) => extent == RoleExtent::Unit && assigned,
            Fact::Refused => false,
        })
    }

    /// Whether events since the last list say two things of the newest moment of all.
    fn is_contradictory(&self, count: usize) -> bool {
        let facts = &self.facts[..count];
        let listed = facts.iter().rposition(|fact| matches!(fact, Fact::Listed(_)));
        let events = self.events(count);
        let before = self.events(listed.unwrap_or(0)).len();
        let Some(last) = newest(&published_of(&events)) else { return false };
        events.iter().skip(before).any(|(operation, one)| {
            (one.at, one.sns) == (last.at, last.sns)
                && Some(*operation) != newest_operation(&events)
        })
    }

    fn events(&self, count: usize) -> Vec<(RoleOperation, Published)> {
        let event = |fact: &Fact| match *fact {
            Fact::Event { operation, published } => Some((operation, published)),
            _ => None,
        };
        self.facts[..count].iter().filter_map(event).collect()
    }

    fn standing(&self, count: usize) -> Standing {
        let mut standing = Standing::default();
        for (place, fact) in self.facts[..count].iter().enumerate() {
            match *fact {
                Fact::Requested { operation, propagate, batch } => {
                    standing.request(operation, propagate, batch);
                }
                Fact::Accepted => standing.accept(),
                Fact::Refused => standing.sent().into_iter().for_each(|call| call.over = true),
                Fact::Listed(assigned) => {
                    let below = standing.sub_units.filter(|_| {
                        let is_open = !standing.open(RoleExtent::SubUnits).is_empty();
                        assigned && !is_open && !self.is_contradictory(place)
                    });
                    let operation =
                        if assigned { RoleOperation::Assign } else { RoleOperation::Revoke };
                    let (unit, calls) = (Some(operation), Vec::new());
                    standing = Standing { unit, sub_units: below, calls };
                }
                Fact::Event { operation, published } => {
                    let before = published_of(&self.events(place));
                    match verdict(&before, published) {
                        Verdict::Applied | Verdict::AppliedByTieBreak => {
                            let _ = standing.apply(operation);
                        }
                        Verdict::Stale if operation == RoleOperation::Assign => {
                            standing.overtaken();
                        }
                        _ => {}
                    }
                }
            }
        }
        standing
    }
}

impl Standing {
    /// The last call, where it was not answered.
    fn sent(&mut self) -> Option<&mut Call> {
        self.calls.last_mut().filter(|call| !call.answered && !call.over)
    }

    fn accepted(&self) -> Option<usize> {
        self.calls.iter().rposition(|call| call.answered && !call.over)
    }

    fn request(&mut self, operation: RoleOperation, propagate: bool, batch: bool) {
        if let Some(call) = self.sent() {
            if call.operation == RoleOperation::Revoke {
                // It may have happened.
                (call.answered, call.waits) = (true, true);
                self.only_last_counts();
            } else {
                call.over = true;
            }
        }
        let (contradicted, answered, done, over) = (false, false, false, false);
        let waits = batch;
        self.calls.push(Call { operation, propagate, waits, contradicted, answered, done, over });
    }

    fn accept(&mut self) {
        let Some(Call { operation, .. }) = self.sent().copied() else { return };
        let before = self.accepted().map(|at| self.calls[at]);
        if let Some(before) = before.filter(|call| call.is_open(RoleOperation::Revoke)) {
            self.unit = self.unit.filter(|_| !before.waits);
            self.sub_units = self.sub_units.filter(|_| !before.propagate);
        }
        let waits = self.sent().is_some_and(|call| {
            call.answered = true;
            call.waits |= call.contradicted;
            call.waits
        });
        self.only_last_counts();
        if !waits {
            self.unit = Some(operation);
        }
    }

    fn only_last_counts(&mut self) {
        if let Some((_, before)) = self.calls.split_last_mut() {
            before.iter_mut().for_each(|call| call.over = true);
        }
    }

    /// An assignment that was asked for has happened, and something after it.
    fn overtaken(&mut self) {
        let accepted = self.accepted();
        let is_assignment = |call: &Call| call.operation == RoleOperation::Assign;
        if let Some(call) = self.sent().filter(|call| is_assignment(call) && call.contradicted) {
            call.over = true;
        }
        if let Some(at) = accepted.filter(|at| is_assignment(&self.calls[*at])) {
            self.calls[at].done = true;
        }
    }

    fn apply(&mut self, operation: RoleOperation) -> Option<Effect> {
        let accepted = self.accepted();
        let call = accepted.map(|at| self.calls[at]);
        let revoking = call.filter(|call| call.is_open(RoleOperation::Revoke));
        if let Some(revoking) = revoking.filter(|_| operation == RoleOperation::Assign) {
            if revoking.waits {
                self.unit = Some(operation);
            }
            self.sub_units = Some(operation);
            return (!self.waits()).then_some(Effect::VerifyByListing);
        }
        let asked = self.sent().is_some_and(|sent| sent.operation == operation);
        let propagate = if let Some(at) = accepted.filter(|at| self.calls[*at].is_open(operation)) {
            self.calls[at].done = true;
            self.calls[at].propagate
        } else if asked {
            self.only_last_counts();
            let at = self.calls.len() - 1;
            (self.calls[at].answered, self.calls[at].done) = (true, true);
            self.calls[at].propagate
        } else if let Some(call) = call.filter(|call| call.operation == operation) {
            operation == RoleOperation::Revoke || call.propagate
        } else {
            if let Some(at) = accepted.filter(|at| self.calls[*at].done) {
                self.calls[at].over = true;
            }
            self.sent().into_iter().for_each(|sent| sent.contradicted = true);
            true
        };
        self.unit = Some(operation);
        if propagate {
            self.sub_units = Some(operation);
        }
        match (operation, propagate) {
            (RoleOperation::Revoke, _) => Some(Effect::Revoked),
            _ if self.may_act(RoleExtent::Unit) != Permit::Allowed => None,
            (_, true) => Some(Effect::Propagated),
            (_, false) => Some(Effect::Assigned),
        }
    }

    fn waits(&self) -> bool {
        [RoleExtent::Unit, RoleExtent::SubUnits].into_iter().any(|at| !self.open(at).is_empty())
    }

    /// What is under way.
    fn open(&self, extent: RoleExtent) -> Vec<RoleOperation> {
        let calls = self.calls.iter().filter(|call| !call.over && !call.done);
        let reaching = calls.filter(|call| match extent {
            RoleExtent::Unit => call.waits || !call.answered,
            RoleExtent::SubUnits => call.propagate,
        });
        reaching.map(|call| call.operation).collect()
    }

    fn may_act(&self, extent: RoleExtent) -> Permit {
        let standing = match extent {
            RoleExtent::Unit => self.unit,
            RoleExtent::SubUnits => self.sub_units,
        };
        let open = self.open(extent);
        let is_revoking = open.contains(&RoleOperation::Revoke);
        match standing {
            Some(RoleOperation::Revoke) if is_revoking || open.is_empty() => {
                Permit::Blocked(Blocked::Revoked)
            }
            _ if is_revoking => Permit::Unknown(Unclear::RevocationPending),
            Some(RoleOperation::Assign) => Permit::Allowed,
            _ if !open.is_empty() => Permit::Blocked(Blocked::RolePending),
            _ => Permit::Unknown(Unclear::NotSeen),
        }
    }
}

impl Call {
    fn is_open(&self, operation: RoleOperation) -> bool {
        self.answered && !self.done && self.operation == operation
    }
}

fn published_of(events: &[(RoleOperation, Published)]) -> Vec<Published> {
    events.iter().map(|(_, published)| *published).collect()
}

fn newest_operation(events: &[(RoleOperation, Published)]) -> Option<RoleOperation> {
    let newest = newest(&published_of(events))?;
    events.iter().find(|(_, one)| *one == newest).map(|(operation, _)| *operation)
}
