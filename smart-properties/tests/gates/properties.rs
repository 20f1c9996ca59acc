//! Neither the order in which events arrive nor how often they come changes what a gate says.

use std::collections::{BTreeMap, BTreeSet};

use iot_sansio::MonoTime;
use proptest::{prelude::*, sample::subsequence};
use serde_json::{Value, json};
use smart_properties::{
    AutomationId, Body, EndpointId, Event, Instant, UnitId,
    gate::{
        Automations, Blocked, DeviceEffect, DeviceState, Devices, Level, Operation, Outcome,
        Permit, RoleExtent, RoleKey, RoleOperation, RoleRequest, Roles, SkillFailures, UnitEffect,
        Units,
    },
    order::{OrderKey, Verdict},
};

use crate::events::text;

const OPERATIONS: [Operation; 10] = [
    Operation::Read,
    Operation::ListChildren,
    Operation::Update,
    Operation::Delete,
    Operation::ManageRoles,
    Operation::EnableSubscription,
    Operation::EnableSkill,
    Operation::CreateChild,
    Operation::AssociateDevice,
    Operation::Other,
];
const UNITS: usize = 3;

fn unit(number: usize) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.U{number}")).unwrap()
}

/// Every element of `of` in any order, each up to three times.
fn shuffled<T: Clone + core::fmt::Debug + 'static>(of: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let copies = subsequence([&of[..], &of[..]].concat(), 0..=2 * of.len());
    copies.prop_map(move |copies| [&of[..], &copies[..]].concat()).prop_shuffle()
}

#[derive(Clone, Debug)]
enum UnitInput {
    Created(usize),
    Activated(usize, String),
    /// By another ID.
    ActivatedOther(usize, String),
    /// The other ID becomes known.
    Alias(usize),
}

fn unit_inputs() -> impl Strategy<Value = (Vec<UnitInput>, [bool; UNITS])> {
    prop::array::uniform3((any::<bool>(), 0..3_usize, any::<bool>())).prop_flat_map(|plan| {
        let mut inputs = Vec::new();
        for (number, (created, activations, other)) in plan.into_iter().enumerate() {
            inputs.extend(created.then_some(UnitInput::Created(number)));
            inputs.extend(other.then_some(UnitInput::Alias(number)));
            for copy in 0..activations {
                let id = format!("a-{number}-{copy}");
                inputs.push(match other {
                    true => UnitInput::ActivatedOther(number, id),
                    false => UnitInput::Activated(number, id),
                });
            }
        }
        let active = plan.map(|(created, activations, _)| created && activations > 0);
        (shuffled(inputs), Just(active))
    })
}

#[derive(Clone, Debug)]
struct RoleEvent {
    operation: RoleOperation,
    /// Seconds: few, so that some are the same.
    at: i64,
    sns: i64,
    id: String,
}

impl RoleEvent {
    fn order(&self) -> OrderKey {
        order(self.at, self.sns)
    }
}

fn order(at: i64, sns: i64) -> OrderKey {
    let instant = |seconds: i64| Instant::from(iot_sansio::UnixMillis::new(seconds * 1_000));
    OrderKey::new(Some(instant(at)), Some(instant(sns)))
}

fn role_events() -> impl Strategy<Value = Vec<RoleEvent>> {
    let event = (any::<bool>(), 0..6_i64, 0..3_i64);
    prop::collection::vec(event, 1..6).prop_flat_map(|events| {
        let events = events.into_iter().enumerate().map(|(number, (assign, at, sns))| RoleEvent {
            operation: if assign { RoleOperation::Assign } else { RoleOperation::Revoke },
            at,
            sns,
            id: format!("r-{number}"),
        });
        shuffled(events.collect())
    })
}

fn tell(roles: &mut Roles, event: &RoleEvent) -> (RoleKey, Verdict) {
    let text = text("E-12", &[]);
    let parsed = Event::decode(text.as_bytes()).unwrap();
    let Body::RoleAssignment(change) = parsed.body() else { unreachable!() };
    let key = RoleKey::new(
        change.role.accept(Default::default()).unwrap(),
        change.principal.accept(Default::default()).unwrap(),
        change.unit.accept(Default::default()).unwrap(),
    );
    (key, roles.event(event.operation, &change, event.order(), &event.id).unwrap().0)
}

#[derive(Clone, Debug)]
struct Run {
    at: i64,
    sns: i64,
    result: Value,
    severity: u8,
    id: String,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let run = (0..6_i64, 0..3_i64, 0..3_u8);
    prop::collection::vec(run, 1..6).prop_flat_map(|runs| {
        let runs = runs.into_iter().enumerate().map(|(number, (at, sns, severity))| Run {
            at,
            sns,
            result: match severity {
                0 => json!({"status": "SUCCESS"}),
                1 => json!({"status": "PARTIAL"}),
                _ => json!({"status": "FAILURE"}),
            },
            severity,
            id: format!("e-{number}"),
        });
        shuffled(runs.collect())
    })
}

#[derive(Clone, Debug)]
enum DeviceInput {
    SetUp(usize, i64),
    Target(usize, usize),
    /// The call succeeded, and gave the second ID.
    Associated(usize, usize),
    Failed(usize),
    Retry(usize),
    Active(usize),
    Alias(usize),
    Forget(usize),
}

const DEVICES: usize = 4;

fn device_inputs() -> impl Strategy<Value = Vec<DeviceInput>> {
    let device = || 0..DEVICES;
    let room = || 0..2 * UNITS;
    let input = prop_oneof![
        4 => (device(), 0..9_i64).prop_map(|(device, at)| DeviceInput::SetUp(device, at)),
        4 => (device(), room()).prop_map(|(device, room)| DeviceInput::Target(device, room)),
        4 => (device(), device()).prop_map(|(device, new)| DeviceInput::Associated(device, new)),
        1 => device().prop_map(DeviceInput::Failed),
        1 => device().prop_map(DeviceInput::Retry),
        3 => (0..UNITS).prop_map(DeviceInput::Active),
        1 => (0..UNITS).prop_map(DeviceInput::Alias),
        1 => device().prop_map(DeviceInput::Forget),
    ];
    prop::collection::vec(input, 1..60)
}

proptest! {
    /// A device is associated only after its setup and only with an active unit, waits for none that is active, and leaves
    /// nothing behind.
    #[test]
    fn no_device_is_associated_too_early_or_forgotten_in_part(inputs in device_inputs()) {
        let (mut units, mut devices) = (Units::default(), Devices::default());
        for number in 0..UNITS {
            units.created(MonoTime::ORIGIN, &unit(number), Level::Deeper).unwrap();
        }
        let id = |number: usize| EndpointId::new(format!("amzn1.alexa.endpoint.EP{number}")).unwrap();
        let (mut ready, mut failed) = (BTreeSet::new(), BTreeSet::new());
        for input in inputs {
            let effects = match input {
                DeviceInput::SetUp(number, at) => {
                    let text = text("E-14", &[("/payload/endpoint/id", &json!(id(number).as_str()))]);
                    let event = Event::decode(text.as_bytes()).unwrap();
                    let Body::SetupCompletion(setup) = event.body() else { unreachable!() };
                    ready.insert(devices.current(&id(number)));
                    devices.set_up(&setup, order(at, 0), &format!("d-{number}-{at}"), &units).unwrap()
                }
                DeviceInput::Target(number, room) => {
                    let effect = devices.set_target(&id(number), &unit(room), &units).unwrap();
                    effect.into_iter().collect()
                }
                DeviceInput::Associated(number, new) => {
                    devices.associated(&id(number), &id(new), &units)
                }
                DeviceInput::Failed(number) => {
                    failed.insert(devices.current(&id(number)));
                    devices.failed(&id(number), Some(503)).into_iter().collect()
                }
                DeviceInput::Retry(number) => {
                    devices.retry(&id(number), &units).into_iter().collect()
                }
                DeviceInput::Active(number) | DeviceInput::Alias(number) => {
                    let effect = match input {
                        DeviceInput::Active(_) => units.set_active(&unit(number)),
                        _ => units
                            .alias(MonoTime::ORIGIN, &unit(number + UNITS), &unit(number))
                            .unwrap(),
                    };
                    match effect {
                        Some(UnitEffect::Unblocked(active)) => devices.unblocked(&active, &units),
                        _ => Vec::new(),
                    }
                }
                DeviceInput::Forget(number) => {
                    ready.remove(&devices.current(&id(number)));
                    devices.forget(&id(number));
                    Vec::new()
                }
            };
            for effect in effects {
                match effect {
                    DeviceEffect::Associate { endpoint, unit } => {
                        prop_assert!(ready.contains(endpoint.id()), "{:?}", endpoint);
                        prop_assert!(units.active(unit.id()).is_ok());
                        let under_way = DeviceState::Associating { unit: unit.id().clone() };
                        prop_assert_eq!(devices.state(endpoint.id()), Some(&under_way));
                    }
                    DeviceEffect::EndpointRenamed { old, new } => {
                        prop_assert!(ready.remove(&old));
                        ready.insert(new);
                    }
                    _ => {}
                }
            }
            // What may go to its unit has gone, but for what has failed.
            for number in 0..DEVICES {
                if devices.permits(&id(number), &units).is_allowed() {
                    prop_assert!(failed.contains(&devices.current(&id(number))), "{}", number);
                }
            }
        }
        for number in 0..DEVICES {
            devices.forget(&id(number));
        }
        prop_assert_eq!(devices, Devices::default());
    }
}

proptest! {
    #[test]
    fn units_are_active_when_created_and_activated_in_whatever_order(
        (inputs, active) in unit_inputs(),
    ) {
        let mut units = Units::default();
        let mut unblocked = BTreeMap::new();
        for input in inputs {
            let effect = match input {
                UnitInput::Created(number) => {
                    units.created(MonoTime::ORIGIN, &unit(number), Level::Deeper).unwrap()
                }
                UnitInput::Alias(number) => {
                    units.alias(MonoTime::ORIGIN, &unit(number + UNITS), &unit(number)).unwrap()
                }
                UnitInput::Activated(number, ref event_id)
                | UnitInput::ActivatedOther(number, ref event_id) => {
                    let is_other = matches!(input, UnitInput::ActivatedOther(..));
                    let number = if is_other { number + UNITS } else { number };
                    let id = json!(unit(number).as_str());
                    let text = text("E-07", &[("/header/entities/unit/id", &id)]);
                    let event = Event::decode(text.as_bytes()).unwrap();
                    let Body::Activation(activation) = event.body() else { unreachable!() };
                    units.activated(MonoTime::ORIGIN, &activation, event_id).unwrap()
                }
            };
            if let Some(UnitEffect::Unblocked(active)) = effect {
                *unblocked.entry(active.id().clone()).or_insert(0) += 1;
            }
        }
        for (number, active) in active.into_iter().enumerate() {
            let id = unit(number);
            prop_assert_eq!(units.active(&id).is_ok(), active);
            prop_assert_eq!(unblocked.get(&id).copied().unwrap_or(0), i32::from(active));
            for operation in OPERATIONS {
                let permit = units.permits(&id, operation);
                let expected = active && operation != Operation::EnableSubscription;
                if operation.is_gated() || active {
                    prop_assert_eq!(permit.is_allowed(), expected, "{:?}", operation);
                }
            }
        }
    }

    /// The newest event decides; where two that differ are equally new, nobody can tell.
    #[test]
    fn roles_are_what_the_newest_event_says(events in role_events()) {
        let mut roles = Roles::default();
        let mut key = None;
        for event in &events {
            key = Some(tell(&mut roles, event).0);
        }
        let newest = events.iter().map(|event| (event.at, event.sns)).max().unwrap();
        let mut operations = events
            .iter()
            .filter(|event| (event.at, event.sns) == newest)
            .map(|event| event.operation);
        let first = operations.next().unwrap();
        let expected = match first {
            _ if operations.any(|other| other != first) => None,
            RoleOperation::Assign => Some(Permit::Allowed),
            RoleOperation::Revoke => Some(Permit::Blocked(Blocked::Revoked)),
        };
        for scope in [RoleExtent::Unit, RoleExtent::SubUnits] {
            let permit = roles.may_act(&key.clone().unwrap(), scope);
            match expected {
                Some(expected) => prop_assert_eq!(permit, expected),
                None => prop_assert!(matches!(permit, Permit::Unknown(_)), "{:?}", permit),
            }
        }
    }

    /// Whatever else comes, an assignment that was asked to be revoked is never allowed before the revocation's event.
    #[test]
    fn a_revocation_under_way_never_leaves_a_role_allowed(
        before in role_events(),
        after in role_events(),
        batch in any::<bool>(),
    ) {
        let mut roles = Roles::default();
        for event in &before {
            let _ = tell(&mut roles, event);
        }
        let key = tell(&mut roles, &before[0]).0;
        let request = RoleRequest::revoke(true);
        roles.requested(&key, if batch { request.batched() } else { request }).unwrap();
        roles.accepted(&key);
        for event in &after {
            // Whoever asks for an assignment meanwhile, and is refused or not answered, changes nothing.
            if event.operation == RoleOperation::Revoke {
                roles.requested(&key, RoleRequest::assign(event.at > 2)).unwrap();
                if event.sns > 0 {
                    roles.refused(&key);
                }
                continue;
            }
            let mut event = event.clone();
            event.id.push_str(" again");
            let _ = tell(&mut roles, &event);
            prop_assert!(!roles.may_act(&key, RoleExtent::Unit).is_allowed());
            prop_assert!(!roles.may_act(&key, RoleExtent::SubUnits).is_allowed());
        }
    }

    #[test]
    fn the_last_outcome_is_that_of_the_newest_event_and_of_equals_the_worst(runs in runs()) {
        let mut automations = Automations::default();
        for run in &runs {
            let text = text("E-01", &[("/payload/result", &run.result)]);
            let event = Event::decode(text.as_bytes()).unwrap();
            let Body::Completion(completion) = event.body() else { unreachable!() };
            let _ = automations.completed(&completion, order(run.at, run.sns), &run.id).unwrap();
        }
        let expected = runs.iter().map(|run| (run.at, run.sns, run.severity)).max().unwrap().2;
        let automation = AutomationId::new("amzn1.alexa.automation.AUTO1").unwrap();
        let severity = match automations.outcome(&automation).unwrap() {
            Outcome::Succeeded => 0,
            Outcome::Indeterminate { .. } => 1,
            _ => 2,
        };
        prop_assert_eq!(severity, expected);
    }

    #[test]
    fn failures_are_counted_once_each_in_whatever_order(
        failures in prop::collection::btree_set(0..20_u32, 1..10)
            .prop_flat_map(|failures| shuffled(failures.into_iter().collect())),
    ) {
        let text = text("E-17", &[]);
        let event = Event::decode(text.as_bytes()).unwrap();
        let Body::SkillFailure(failure) = event.body() else { unreachable!() };
        let mut counted = SkillFailures::default();
        let minute = |minute: u32| {
            Instant::from(iot_sansio::UnixMillis::new(i64::from(minute) * 10 * 60_000))
        };
        let mut key = None;
        for number in &failures {
            let id = format!("s-{number}");
            key = Some(counted.failed(&failure, minute(*number), &id).unwrap());
        }
        let key = key.unwrap();
        for until in 0..20_u32 {
            // An hour, both ends included.
            let mut expected: Vec<_> =
                failures.iter().filter(|at| **at <= until && **at + 6 >= until).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(counted.count(&key, minute(until)), expected.len());
        }
    }

    /// The setup, the unit's activation and the choice of the unit: whichever is last starts the one association.
    #[test]
    fn a_device_is_associated_once_all_is_known_in_whatever_order(
        inputs in shuffled(vec!["created", "activated", "set up", "target"]),
    ) {
        let (mut units, mut devices) = (Units::default(), Devices::default());
        let device = EndpointId::new("amzn1.alexa.endpoint.EP9").unwrap();
        let room = UnitId::new("amzn1.alexa.unit.did.ROOM402").unwrap();
        let (activated, set_up) = (text("E-07", &[]), text("E-14", &[]));
        let mut effects = Vec::new();
        for input in inputs {
            let unblocked = match input {
                "created" => units.created(MonoTime::ORIGIN, &room, Level::Deeper).unwrap(),
                "activated" => {
                    let event = Event::decode(activated.as_bytes()).unwrap();
                    let Body::Activation(activation) = event.body() else { unreachable!() };
                    units.activated(MonoTime::ORIGIN, &activation, event.id()).unwrap()
                }
                "set up" => {
                    let event = Event::decode(set_up.as_bytes()).unwrap();
                    let Body::SetupCompletion(setup) = event.body() else { unreachable!() };
                    let order = OrderKey::new(event.time(), None);
                    effects.extend(devices.set_up(&setup, order, event.id(), &units).unwrap());
                    None
                }
                _ => {
                    effects.extend(devices.set_target(&device, &room, &units).unwrap());
                    None
                }
            };
            if let Some(UnitEffect::Unblocked(active)) = unblocked {
                effects.extend(devices.unblocked(&active, &units));
            }
        }
        let associations =
            effects.iter().filter(|effect| matches!(effect, DeviceEffect::Associate { .. }));
        prop_assert_eq!(associations.count(), 1);
        prop_assert_eq!(effects.len(), 2, "and it became ready once: {:?}", effects);
        prop_assert_eq!(
            devices.state(&device),
            Some(&DeviceState::Associating { unit: room })
        );
    }
}
