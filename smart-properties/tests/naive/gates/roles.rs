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

/// A call, and whether it was accepted or its event has come.
#[derive(Clone, Copy)]
struct Request {
    operation: RoleOperation,
    propagate: bool,
    batch: bool,
    accepted: bool,
    done: bool,
}

#[derive(Default)]
struct Standing {
    unit: Option<RoleOperation>,
    sub_units: Option<RoleOperation>,
    request: Option<Request>,
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
        let pending = self.standing(self.facts.len()).request;
        let effect = match verdict {
            Verdict::Applied | Verdict::AppliedByTieBreak => match (pending, operation) {
                (Some(request), RoleOperation::Assign) if request.is_open_revocation() => None,
                (_, RoleOperation::Revoke) => Some(Effect::Revoked),
                (Some(Request { operation: RoleOperation::Assign, propagate: false, .. }), _) => {
                    Some(Effect::Assigned)
                }
                _ => Some(Effect::Propagated),
            },
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
        self.standing(self.facts.len()).request.is_some_and(|request| !request.done)
    }

    pub(crate) fn may_act(&self, extent: RoleExtent) -> Permit {
        if self.is_contradictory() {
            return Permit::Unknown(Unclear::Conflict);
        }
        let Standing { unit, sub_units, request } = self.standing(self.facts.len());
        let standing = match extent {
            RoleExtent::Unit => unit,
            RoleExtent::SubUnits => sub_units,
        };
        let pending = request.filter(|request| match extent {
            _ if request.done => false,
            RoleExtent::Unit => request.batch || !request.accepted,
            RoleExtent::SubUnits => request.propagate,
        });
        match (standing, pending.map(|request| request.operation)) {
            (Some(RoleOperation::Revoke), None | Some(RoleOperation::Revoke)) => {
                Permit::Blocked(Blocked::Revoked)
            }
            (_, Some(RoleOperation::Revoke)) => Permit::Unknown(Unclear::RevocationPending),
            (Some(RoleOperation::Assign), _) => Permit::Allowed,
            (_, Some(RoleOperation::Assign)) => Permit::Blocked(Blocked::RolePending),
            (None, None) => Permit::Unknown(Unclear::NotSeen),
        }
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
    fn is_contradictory(&self) -> bool {
        let listed = self.facts.iter().rposition(|fact| matches!(fact, Fact::Listed(_)));
        let events = self.events(self.facts.len());
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
                    let (accepted, done) = (false, false);
                    standing.request =
                        Some(Request { operation, propagate, batch, accepted, done });
                }
                Fact::Accepted => standing.accept(),
                Fact::Refused => {
                    standing.request = standing.request.filter(|request| !request.is_sent());
                }
                Fact::Listed(assigned) => {
                    let operation =
                        if assigned { RoleOperation::Assign } else { RoleOperation::Revoke };
                    standing = Standing { unit: Some(operation), ..Standing::default() };
                }
                Fact::Event { operation, published } => {
                    let before = published_of(&self.events(place));
                    match verdict(&before, published) {
                        Verdict::Applied | Verdict::AppliedByTieBreak => standing.apply(operation),
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
    fn accept(&mut self) {
        let Some(request) = self.request.as_mut().filter(|request| request.is_sent()) else {
            return;
        };
        request.accepted = true;
        request.done = !request.batch && !request.propagate;
        if !request.batch {
            self.unit = Some(request.operation);
        }
    }

    /// An assignment that was asked for has happened, and something after it.
    fn overtaken(&mut self) {
        if let Some(request @ Request { operation: RoleOperation::Assign, .. }) = &mut self.request
        {
            request.done = true;
        }
    }

    fn apply(&mut self, operation: RoleOperation) {
        let mut propagated = true;
        if let Some(request) = &mut self.request {
            if operation == RoleOperation::Assign && request.is_open_revocation() {
                return;
            }
            if request.operation == operation {
                request.done = true;
                propagated = request.propagate;
            }
        }
        self.unit = Some(operation);
        if propagated {
            self.sub_units = Some(operation);
        }
    }
}

impl Request {
    const fn is_sent(&self) -> bool {
        !self.accepted && !self.done
    }

    fn is_open_revocation(&self) -> bool {
        self.operation == RoleOperation::Revoke && !self.done
    }
}

fn published_of(events: &[(RoleOperation, Published)]) -> Vec<Published> {
    events.iter().map(|(_, published)| *published).collect()
}

fn newest_operation(events: &[(RoleOperation, Published)]) -> Option<RoleOperation> {
    let newest = newest(&published_of(events))?;
    events.iter().find(|(_, one)| *one == newest).map(|(operation, _)| *operation)
}
