//! What the vectors do not ask of units: aliases, refusals, limits.

use core::num::NonZeroUsize;

use iot_sansio::MonoTime;
use serde_json::json;
use smart_properties::{
    Body, Event, UnitId,
    gate::{
        Blocked, Evidence, GateConfig, GateError, Level, Operation, Permit, Unclear, UnitEffect,
        UnitState, Units,
    },
};

use crate::events::text;

fn unit(name: &str) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.{name}")).unwrap()
}

fn created(units: &mut Units, name: &str) -> Option<UnitEffect> {
    units.created(MonoTime::ORIGIN, &unit(name), Level::Deeper).unwrap()
}

fn activated(units: &mut Units, at: u64, name: &str) -> Option<UnitEffect> {
    let id = json!(unit(name).as_str());
    let text = text("E-07", &[("/header/entities/unit/id", &id)]);
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::Activation(activation) = event.body() else { panic!() };
    units.activated(MonoTime::from_millis(at), &activation, event.id()).unwrap()
}

fn small() -> Units {
    Units::new(GateConfig::default().with_capacity(NonZeroUsize::new(2).unwrap()))
}

#[test]
fn an_activation_under_another_id_counts_once_the_alias_is_known() {
    let mut units = Units::default();
    assert_eq!(created(&mut units, "REST"), None);
    let unmatched = activated(&mut units, 0, "CONSOLE");
    assert_eq!(unmatched, Some(UnitEffect::UnmatchedUnit(unit("CONSOLE"))));
    let effect = units.alias(MonoTime::ORIGIN, &unit("CONSOLE"), &unit("REST")).unwrap();
    assert!(matches!(effect, Some(UnitEffect::Unblocked(active)) if *active.id() == unit("REST")));
    assert_eq!(units.permits(&unit("CONSOLE"), Operation::CreateChild), Permit::Allowed);
    assert_eq!(units.active(&unit("CONSOLE")).unwrap().id(), &unit("REST"));

    // Once more, or the other way round, it is nothing new.
    let before = units.clone();
    assert_eq!(units.alias(MonoTime::ORIGIN, &unit("CONSOLE"), &unit("REST")), Ok(None));
    assert_eq!(units.alias(MonoTime::ORIGIN, &unit("REST"), &unit("CONSOLE")), Ok(None));
    assert_eq!(units.alias(MonoTime::ORIGIN, &unit("REST"), &unit("REST")), Ok(None));
    assert_eq!(units, before);

    units.forget(&unit("CONSOLE"));
    assert_eq!((units.state(&unit("REST")), units.state(&unit("CONSOLE"))), (None, None));
}

/// The answer to the create may come after the caller has found out what the other ID stands for.
#[test]
fn an_alias_may_be_known_before_its_unit() {
    for parked in ["A", "B", "C"] {
        let mut units = Units::default();
        let _ = activated(&mut units, 0, parked);
        assert_eq!(units.alias(MonoTime::ORIGIN, &unit("C"), &unit("B")), Ok(None));
        assert_eq!(units.alias(MonoTime::ORIGIN, &unit("B"), &unit("A")), Ok(None));
        assert_eq!(units.state(&unit("C")), None);
        assert_eq!(units.parked(), 1);
        assert!(matches!(created(&mut units, "A"), Some(UnitEffect::Unblocked(_))), "{parked}");
        for name in ["A", "B", "C"] {
            assert_eq!(units.active(&unit(name)).unwrap().id(), &unit("A"), "{parked}");
        }
        units.forget(&unit("B"));
        assert_eq!(units, Units::default());
    }
}

#[test]
fn what_two_ids_were_told_counts_for_the_one_unit() {
    let mut units = Units::default();
    created(&mut units, "REST");
    created(&mut units, "CONSOLE");
    let _ = activated(&mut units, 0, "CONSOLE");
    assert!(units.forbidden(&unit("CONSOLE")).is_some());
    let effect = units.alias(MonoTime::ORIGIN, &unit("CONSOLE"), &unit("REST")).unwrap();
    assert!(matches!(effect, Some(UnitEffect::Unblocked(active)) if *active.id() == unit("REST")));
    assert!(units.active(&unit("REST")).is_ok());
    assert_eq!(units.forbidden(&unit("REST")), None, "it was tried once more");

    created(&mut units, "GONE");
    assert_eq!(units.succeeded(&unit("GONE"), Operation::Delete), None);
    assert_eq!(units.alias(MonoTime::ORIGIN, &unit("GONE"), &unit("REST")), Ok(None));
    assert_eq!(units.active(&unit("CONSOLE")), Err(Permit::Blocked(Blocked::Deleted)));
    assert_eq!(units.ignored(), 0);
}

#[test]
fn only_events_are_counted_that_come_for_a_deleted_unit() {
    let mut units = Units::default();
    created(&mut units, "R");
    assert_eq!(units.succeeded(&unit("R"), Operation::Delete), None);
    assert_eq!(units.succeeded(&unit("R"), Operation::CreateChild), None);
    assert_eq!(units.set_active(&unit("R")), None);
    assert_eq!(units.ignored(), 0);
    let _ = activated(&mut units, 0, "R");
    assert_eq!(units.ignored(), 1);
    assert_eq!(units.state(&unit("R")), Some(&UnitState::Deleted));
}

#[test]
fn there_are_no_more_aliases_than_units_may_be() {
    let mut units = small();
    created(&mut units, "R");
    for name in ["A", "B"] {
        assert_eq!(units.alias(MonoTime::ORIGIN, &unit(name), &unit("R")), Ok(None));
    }
    let before = units.clone();
    let full = units.alias(MonoTime::from_millis(5), &unit("C"), &unit("R"));
    assert_eq!(full, Err(GateError::Full { limit: 2 }));
    assert_eq!(units, before);
}

#[test]
fn a_refusal_after_the_activation_is_worth_one_more_try() {
    let mut units = Units::default();
    assert_eq!(units.forbidden(&unit("R")), None);
    created(&mut units, "R");
    assert_eq!(units.forbidden(&unit("R")), None, "it is not active yet");
    let _ = activated(&mut units, 0, "R");
    assert_eq!(units.forbidden(&unit("R")), Some(UnitEffect::RetryOnce(unit("R"))));
    assert_eq!(units.forbidden(&unit("R")), None);
}

/// The table of specification section 9.1, row by row: a property that was created, a deeper unit, an active unit.
#[test]
fn every_operation_may_be_done_when_the_table_says_so() {
    use Operation as Op;
    let blocked = Permit::Blocked;
    let undocumented = Permit::Unknown(Unclear::Undocumented);
    let inactive = blocked(Blocked::UnitInactive);
    let (inherited, has_one) = (blocked(Blocked::Inherited), blocked(Blocked::OneSubscription));
    let allowed = Permit::Allowed;
    for (operation, property, deeper, active) in [
        (Op::Read, allowed, allowed, allowed),
        (Op::ListChildren, allowed, allowed, allowed),
        (Op::Update, allowed, allowed, allowed),
        (Op::Delete, allowed, allowed, allowed),
        (Op::ManageRoles, allowed, undocumented, allowed),
        (Op::EnableSubscription, allowed, inherited, has_one),
        (Op::EnableSkill, inactive, inactive, allowed),
        (Op::CreateChild, inactive, inactive, allowed),
        (Op::AssociateDevice, inactive, inactive, allowed),
        (Op::Other, undocumented, undocumented, allowed),
    ] {
        for (level, created) in [(Level::Property, property), (Level::Deeper, deeper)] {
            let mut units = Units::default();
            units.created(MonoTime::ORIGIN, &unit("U"), level).unwrap();
            assert_eq!(units.permits(&unit("U"), operation), created, "{level:?} {operation:?}");
            // What is blocked before has not happened if it did not show that the unit is active.
            let shows = units.clone().succeeded(&unit("U"), operation).is_some();
            assert_eq!(shows, created == inactive, "{level:?} {operation:?}");
            let _ = activated(&mut units, 0, "U");
            assert_eq!(units.permits(&unit("U"), operation), active, "{level:?} {operation:?}");
            assert_eq!(units.succeeded(&unit("U"), Op::Delete), None);
            let deleted = units.permits(&unit("U"), operation);
            assert_eq!(deleted, blocked(Blocked::Deleted), "{level:?} {operation:?}");
            let not_seen = units.permits(&unit("V"), operation);
            assert_eq!(not_seen, Permit::Unknown(Unclear::NotSeen), "{operation:?}");
        }
    }
}

#[test]
fn time_that_goes_back_shortens_no_wait() {
    let mut units = Units::default();
    let _ = activated(&mut units, 700_000, "A");
    let _ = activated(&mut units, 0, "B");
    let at = MonoTime::from_millis(1_300_000);
    assert!(units.created(at, &unit("B"), Level::Deeper).unwrap().is_some());
}

#[test]
fn a_poll_is_suggested_only_while_a_unit_waits() {
    let mut units = Units::default();
    assert_eq!(units.waited(&unit("R")), None);
    created(&mut units, "R");
    assert_eq!(units.waited(&unit("R")), Some(UnitEffect::PollSuggested(unit("R"))));
    assert!(units.set_active(&unit("R")).is_some());
    assert_eq!(units.state(&unit("R")), Some(&UnitState::Active { evidence: Evidence::Override }));
    assert_eq!(units.waited(&unit("R")), None);
}

#[test]
fn success_of_what_is_always_allowed_shows_nothing() {
    let mut units = Units::default();
    created(&mut units, "R");
    for operation in [Operation::Read, Operation::Update, Operation::ManageRoles, Operation::Other]
    {
        assert_eq!(units.succeeded(&unit("R"), operation), None);
    }
    assert_eq!(units.active(&unit("R")), Err(Permit::Blocked(Blocked::UnitInactive)));
    assert_eq!(units.succeeded(&unit("R"), Operation::Delete), None);
    assert_eq!(units.active(&unit("R")), Err(Permit::Blocked(Blocked::Deleted)));
    assert_eq!(units.permits(&unit("R"), Operation::Read), Permit::Blocked(Blocked::Deleted));
    assert_eq!(units.active(&unit("S")), Err(Permit::Unknown(Unclear::NotSeen)));
}

#[test]
fn a_parked_activation_lasts_ten_minutes_and_not_longer() {
    for (at, active) in [(600_000, true), (600_001, false)] {
        let mut units = Units::default();
        let _ = activated(&mut units, 0, "R");
        let at = MonoTime::from_millis(at);
        units.created(at, &unit("R"), Level::Deeper).unwrap();
        assert_eq!(units.active(&unit("R")).is_ok(), active);
    }
}

#[test]
fn as_many_are_parked_as_may_be_and_the_oldest_goes() {
    let mut units = Units::default();
    for number in 0..1_025_u64 {
        let _ = activated(&mut units, number, &format!("R{number}"));
    }
    assert_eq!(units.parked(), 1_024);
    // One that waits already needs no room.
    let _ = activated(&mut units, 2_000, "R1024");
    assert_eq!(units.parked(), 1_024);
    assert_eq!(created(&mut units, "R0"), None);
    assert!(created(&mut units, "R1").is_some());
}

#[test]
fn beyond_its_capacity_a_unit_is_refused_and_loses_nothing() {
    let mut units = small();
    created(&mut units, "A");
    created(&mut units, "B");
    let _ = activated(&mut units, 0, "C");
    let before = units.clone();
    let full = units.created(MonoTime::from_millis(5), &unit("C"), Level::Deeper);
    assert_eq!(full, Err(GateError::Full { limit: 2 }));
    assert_eq!(units, before);
    // One that is known is no more of them.
    assert_eq!(created(&mut units, "A"), None);
    units.forget(&unit("A"));
    assert!(created(&mut units, "C").is_some());
}
