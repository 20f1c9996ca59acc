//! What the vectors do not ask of roles: answers that come late, lists, limits.

use core::num::NonZeroUsize;

use serde_json::{Value, json};
use smart_properties::{
    Body, Event, Instant, PrincipalId, RoleId, UnitId,
    gate::{
        Blocked, GateError, Permit, RoleEffect, RoleExtent, RoleKey, RoleOperation, RoleRequest,
        Roles, RolesConfig, Unclear,
    },
    order::{OrderKey, Verdict},
};

use crate::events::{text, told};

const TIME: &str = "2024-05-01T10:05:00Z";
const ALLOWED: Permit = Permit::Allowed;
const NOT_SEEN: Permit = Permit::Unknown(Unclear::NotSeen);
const PENDING: Permit = Permit::Blocked(Blocked::RolePending);
const REVOKED: Permit = Permit::Blocked(Blocked::Revoked);
const REVOKING: Permit = Permit::Unknown(Unclear::RevocationPending);

fn key(unit: &str) -> RoleKey {
    RoleKey::new(
        &RoleId::new("amzn1.alexa.role.did.R1").unwrap(),
        &PrincipalId::new("amzn1.account.P1").unwrap(),
        &UnitId::new(format!("amzn1.alexa.unit.did.{unit}")).unwrap(),
    )
}

fn permits(roles: &Roles) -> (Permit, Permit) {
    let key = key("PROP1");
    (roles.may_act(&key, RoleExtent::Unit), roles.may_act(&key, RoleExtent::SubUnits))
}

/// The assignment E-12 or the revocation E-13 at another time.
fn event(roles: &mut Roles, vector: &str, time: &str) -> (Verdict, Option<RoleEffect>) {
    changed(
        roles,
        vector,
        &[
            ("/header/eventTime/timestamp", &json!(time)),
            ("/header/eventId/id", &json!(format!("{vector} {time}"))),
        ],
    )
    .unwrap()
}

fn changed(
    roles: &mut Roles,
    vector: &str,
    changes: &[(&str, &Value)],
) -> Result<(Verdict, Option<RoleEffect>), GateError> {
    let text = text(vector, changes);
    let event = Event::decode(text.as_bytes()).unwrap();
    let (body, order, id) = told(&event);
    match &body {
        Body::RoleAssignment(change) => roles.event(RoleOperation::Assign, change, order, id),
        Body::RoleRevocation(change) => roles.event(RoleOperation::Revoke, change, order, id),
        _ => panic!("{vector}"),
    }
}

#[test]
fn an_event_that_overtakes_the_answer_completes_the_request() {
    let mut roles = Roles::default();
    roles.requested(&key("PROP1"), RoleRequest::assign(true)).unwrap();
    assert_eq!(permits(&roles), (PENDING, PENDING));
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    assert_eq!(permits(&roles), (ALLOWED, ALLOWED));
    roles.accepted(&key("PROP1"));
    assert_eq!(permits(&roles), (ALLOWED, ALLOWED), "nothing is pending any more");
    assert_eq!(roles.waited(&key("PROP1")), None);
}

#[test]
fn a_refused_request_leaves_everything_as_it_was() {
    let mut roles = Roles::default();
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    roles.requested(&key("PROP1"), RoleRequest::revoke(true)).unwrap();
    assert_eq!(permits(&roles), (REVOKING, REVOKING));
    roles.refused(&key("PROP1"));
    assert_eq!(permits(&roles), (ALLOWED, ALLOWED));
    // An answer too many, or to nothing, does nothing.
    roles.refused(&key("PROP1"));
    roles.accepted(&key("PROP1"));
    roles.accepted(&key("PROP2"));
    assert_eq!(permits(&roles), (ALLOWED, ALLOWED));
}

#[test]
fn a_revocation_in_a_batch_is_not_done_before_its_event() {
    let mut roles = Roles::default();
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    roles.requested(&key("PROP1"), RoleRequest::revoke(false).batched()).unwrap();
    roles.accepted(&key("PROP1"));
    assert_eq!(permits(&roles), (REVOKING, ALLOWED));
    let (_, effect) = event(&mut roles, "E-13", "2024-05-01T10:06:00Z");
    assert_eq!(effect, Some(RoleEffect::Revoked(key("PROP1"))));
    assert_eq!(permits(&roles), (REVOKED, ALLOWED), "below it was not asked for");
}

#[test]
fn an_assignment_without_propagation_stays_at_its_unit_after_the_event_too() {
    let mut roles = Roles::default();
    roles.requested(&key("PROP1"), RoleRequest::assign(false)).unwrap();
    roles.accepted(&key("PROP1"));
    let (_, effect) = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    assert_eq!(effect, Some(RoleEffect::Assigned(key("PROP1"))));
    assert_eq!(permits(&roles), (ALLOWED, NOT_SEEN));
    assert_eq!(roles.propagated(&key("PROP1")), Err(NOT_SEEN));
}

#[test]
fn an_old_assignment_does_not_undo_a_revocation_under_way() {
    let mut roles = Roles::default();
    roles.requested(&key("PROP1"), RoleRequest::revoke(true)).unwrap();
    roles.accepted(&key("PROP1"));
    assert_eq!(permits(&roles), (REVOKED, REVOKING));
    let (verdict, effect) = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    assert_eq!((verdict, effect), (Verdict::Applied, None));
    assert_eq!(permits(&roles), (REVOKED, REVOKING));
    let _ = event(&mut roles, "E-13", "2024-05-01T10:06:00Z");
    assert_eq!(permits(&roles), (REVOKED, REVOKED));
}

#[test]
fn an_assignment_that_its_revocation_overtakes_is_not_waited_for() {
    let (early, late) = (("E-12", "2024-05-01T10:05:00Z"), ("E-13", "2024-05-01T10:06:00Z"));
    for order in [[early, late], [late, early]] {
        for request in [RoleRequest::assign(true), RoleRequest::assign(true).batched()] {
            let mut roles = Roles::default();
            roles.requested(&key("PROP1"), request).unwrap();
            roles.accepted(&key("PROP1"));
            for (vector, time) in order {
                let _ = event(&mut roles, vector, time);
            }
            assert_eq!(permits(&roles), (REVOKED, REVOKED), "{order:?}");
            assert_eq!(roles.waited(&key("PROP1")), None);
        }
    }
}

#[test]
fn two_events_of_one_moment_are_settled_by_a_list() {
    let mut roles = Roles::default();
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    let (verdict, effect) = event(&mut roles, "E-13", "2024-05-01T10:05:00Z");
    assert_eq!(verdict, Verdict::Conflict);
    assert_eq!(effect, Some(RoleEffect::VerifyByListing(key("PROP1"))));
    let conflict = Permit::Unknown(Unclear::Conflict);
    assert_eq!(permits(&roles), (conflict, conflict));
    roles.listed(&key("PROP1"), true).unwrap();
    assert_eq!(permits(&roles), (ALLOWED, NOT_SEEN));
    // Or by a newer event.
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    let _ = event(&mut roles, "E-13", "2024-05-01T10:07:00Z");
    assert_eq!(permits(&roles), (REVOKED, REVOKED));
}

#[test]
fn a_contradiction_ends_when_one_event_comes_again_in_a_newer_message() {
    let text = |vector| text(vector, &[("/header/eventTime/timestamp", &json!(TIME))]);
    let (assignment, revocation) = (text("E-12"), text("E-13"));
    let (assignment, revocation) = (
        Event::decode(assignment.as_bytes()).unwrap(),
        Event::decode(revocation.as_bytes()).unwrap(),
    );
    let (Body::RoleAssignment(assigned), Body::RoleRevocation(revoked)) =
        (assignment.body(), revocation.body())
    else {
        panic!()
    };
    let order = |sns| OrderKey::new(assignment.time(), Instant::parse(sns));
    let (first, second) = ("2024-05-01T10:10:00.000Z", "2024-05-01T10:11:00.000Z");
    let told = |second_message| {
        let mut roles = Roles::default();
        let assign = |roles: &mut Roles, sns| {
            roles.event(RoleOperation::Assign, &assigned, order(sns), assignment.id()).unwrap()
        };
        let (verdict, _) = assign(&mut roles, first);
        assert_eq!(verdict, Verdict::Applied);
        let other = roles.event(RoleOperation::Revoke, &revoked, order(first), revocation.id());
        assert_eq!(other.unwrap().0, Verdict::Conflict);
        assert_eq!(assign(&mut roles, second_message), (Verdict::Duplicate, None));
        permits(&roles)
    };
    let conflict = Permit::Unknown(Unclear::Conflict);
    assert_eq!(told(first), (conflict, conflict));
    // As it is when the revocation comes last, or first.
    assert_eq!(told(second), (ALLOWED, ALLOWED));
}

#[test]
fn an_event_of_another_unit_says_something_of_that_unit_only() {
    let mut roles = Roles::default();
    roles.requested(&key("PROP1"), RoleRequest::assign(true)).unwrap();
    roles.accepted(&key("PROP1"));
    let room = json!("amzn1.alexa.unit.did.ROOM401");
    let resource = "/header/entities/resource/resourceId";
    let (_, effect) = changed(&mut roles, "E-12", &[(resource, &room)]).unwrap();
    assert!(matches!(effect, Some(RoleEffect::Propagated(_))));
    assert_eq!(roles.may_act(&key("ROOM401"), RoleExtent::Unit), ALLOWED);
    assert_eq!(permits(&roles), (ALLOWED, PENDING));
}

#[test]
fn beyond_its_capacity_an_assignment_is_refused() {
    let config = RolesConfig::default().with_capacity(NonZeroUsize::MIN);
    let mut roles = Roles::new(config);
    let _ = event(&mut roles, "E-12", "2024-05-01T10:05:00Z");
    let before = roles.clone();
    let full = Err(GateError::Full { limit: 1 });
    assert_eq!(roles.requested(&key("PROP2"), RoleRequest::assign(true)), full);
    assert_eq!(roles.listed(&key("PROP2"), true), full);
    let room = json!("amzn1.alexa.unit.did.ROOM401");
    let event = changed(&mut roles, "E-12", &[("/header/entities/resource/resourceId", &room)]);
    assert_eq!(event, Err(GateError::Full { limit: 1 }));
    assert_eq!(roles, before);
    roles.forget(&key("PROP1"));
    assert_eq!(roles.requested(&key("PROP2"), RoleRequest::assign(true)), Ok(()));
}
