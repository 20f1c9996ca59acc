//! Scripts for the gates and the deduplication, a few bytes a step, beside references that go through all that was told.

mod alone;
mod devices;
mod event;
mod names;
mod newest;
mod outcomes;
mod roles;
mod units;
#[path = "../window.rs"]
mod window;

use core::{num::NonZeroUsize, time::Duration};
use std::collections::BTreeMap;

use alone::{Alone, severity};
use event::{EventKinds, Sure, Told};
use iot_sansio::MonoTime;
use names::{
    NAMES, automation_id, endpoint_id, instant, number_of, order, role_key, skill_id, unit_id,
};
use newest::Published;
use smart_properties::{
    Body, EndpointId, Event, Harvest,
    dedupe::{self, Admission, Begin, Dedupe, Key, Keys},
    gate::{
        Automations, AutomationsConfig, DeviceEffect, DeviceState, Devices, FailureClass,
        GateConfig, GateError, Level, Operation, RoleEffect, RoleExtent, RoleKey, RoleOperation,
        RoleRequest, Roles, SkillFailureKey, SkillFailures, SkillFailuresConfig, UnitEffect,
        UnitState, Units,
    },
};
use window::Window;

/// What a step is made of.
pub(crate) type Step = [u8; 6];

/// Runs a script, and then what it told of events alone, in another order.
///
/// The first byte of `settings` says what the gates believe and whether messages have times, the second the other order.
pub(crate) fn run(settings: [u8; 2], steps: &[Step]) {
    let harvest = if settings[0] & 1 == 0 { Harvest::Refuse } else { Harvest::Accept };
    let mut script = Script::new(harvest, settings[0] & 2 == 0);
    for step in steps {
        script.step(*step);
        script.compare();
    }
    let mut shuffled: Vec<_> = [&script.told[..], &script.told[..]].concat();
    let mut number = u32::from(settings[1]);
    shuffled.sort_by_cached_key(|_| {
        number = number.wrapping_add(1).wrapping_mul(2_654_435_761).rotate_left(13);
        number
    });
    assert_eq!(Alone::told(&script.told, harvest), Alone::told(&shuffled, harvest));
}

struct Script {
    harvest: Harvest,
    has_sns: bool,
    now: u64,
    /// The events, for whoever is told nothing else.
    told: Vec<Told>,
    units: Units,
    roles: Roles,
    devices: Devices,
    automations: Automations,
    failures: SkillFailures,
    dedupe: Dedupe,
    naive: Naive,
}

struct Naive {
    units: units::Units,
    roles: BTreeMap<RoleKey, roles::Role>,
    devices: devices::Devices,
    automations: BTreeMap<u8, outcomes::Automation>,
    failures: outcomes::Failures<SkillFailureKey>,
    messages: Window,
    events: Window,
}

impl Script {
    fn new(harvest: Harvest, has_sns: bool) -> Self {
        let gate = GateConfig::default().with_harvest(harvest);
        let three = gate.with_capacity(THREE);
        let automations = AutomationsConfig::default().with_gate(gate.with_capacity(TWO));
        let room = usize::from(ROOM_FOR_FAILURES.get());
        let failures = SkillFailuresConfig::default()
            .with_gate(gate.with_capacity(ROOM_FOR_FAILURES.into()))
            .with_window(Duration::from_secs(WINDOW.into()))
            .with_class("TIMEOUT", FailureClass::Timeout);
        Self {
            harvest,
            has_sns,
            now: 0,
            told: Vec::new(),
            units: Units::new(three),
            roles: Roles::new(three),
            devices: Devices::new(three),
            automations: Automations::new(automations),
            failures: SkillFailures::new(failures),
            dedupe: Dedupe::new(dedupe::Config::new(THREE, LIFETIME)),
            naive: Naive {
                units: units::Units::new(THREE.get()),
                roles: BTreeMap::new(),
                devices: devices::Devices::new(THREE.get()),
                automations: BTreeMap::new(),
                failures: outcomes::Failures::new(room),
                messages: Window::new(THREE.get(), LIFETIME),
                events: Window::new(THREE.get(), LIFETIME),
            },
        }
    }

    fn step(&mut self, [what, a, b, c, sure, later]: Step) {
        self.now += PAUSES[usize::from(later) % PAUSES.len()];
        // A clock may go backwards for a step.
        let back = if later & 64 == 0 { 0 } else { 1_000 };
        let now = self.now.saturating_sub(back);
        match what % 8 {
            0 | 1 => self.unit_step(now, a, b, c),
            2 => self.role_step(a, b, c),
            3 | 4 => self.event(now, EventKinds::of(a), b, c, sure),
            5 => self.device_step(a, b, c),
            6 => self.outcome_step(a, b),
            _ => self.dedupe_step(now, a, b, c),
        }
    }

    fn unit_step(&mut self, now: u64, a: u8, b: u8, c: u8) {
        let (unit, other, at) = (b % NAMES, c % NAMES, MonoTime::from_millis(now));
        let (id, naive) = (unit_id(unit), &mut self.naive.units);
        let effect = match a % 8 {
            0 | 1 => {
                let level = if c & 1 == 0 { Level::Property } else { Level::Deeper };
                let before = self.units.clone();
                let said = self.units.created(at, &id, level);
                unchanged_if_refused(&said, &before, &self.units);
                said_of_unit(said, naive.created(now, unit, level))
            }
            2 => {
                let before = self.units.clone();
                let said = self.units.alias(at, &id, &unit_id(other));
                unchanged_if_refused(&said, &before, &self.units);
                said_of_unit(said, naive.alias(now, unit, other))
            }
            3 => {
                let operation = OPERATIONS[usize::from(c) % OPERATIONS.len()];
                let said = self.units.succeeded(&id, operation);
                let expected = match operation {
                    Operation::Delete => {
                        naive.deleted(unit);
                        units::Effect::Nothing
                    }
                    Operation::EnableSkill
                    | Operation::CreateChild
                    | Operation::AssociateDevice => naive.shown(unit),
                    _ => units::Effect::Nothing,
                };
                said_of_unit(Ok(said), expected)
            }
            4 => said_of_unit(Ok(self.units.set_active(&id)), naive.shown(unit)),
            5 => {
                let said = self.units.forbidden(&id);
                let expected = naive.forbidden(unit);
                assert_eq!(
                    said,
                    expected.then(|| UnitEffect::RetryOnce(unit_id(naive.canonical(unit))))
                );
                None
            }
            6 => {
                let waits = naive.state(unit) == Some(units::State::Created);
                let expected = UnitEffect::PollSuggested(unit_id(naive.canonical(unit)));
                assert_eq!(self.units.waited(&id), waits.then_some(expected));
                None
            }
            _ => {
                self.units.forget(&id);
                naive.forget(unit);
                None
            }
        };
        self.unblocked(effect);
    }

    fn role_step(&mut self, a: u8, b: u8, c: u8) {
        let key = role_key(b % NAMES);
        let before = self.roles.clone();
        let is_known = self.naive.roles.contains_key(&key);
        let has_room = is_known || self.naive.roles.len() < THREE.get();
        let full = Err(GateError::Full { limit: THREE.get() });
        match a % 6 {
            0 | 1 => {
                let (propagate, batch) = (c & 1 == 0, c & 2 == 0);
                let (operation, request) = match c & 4 {
                    0 => (RoleOperation::Assign, RoleRequest::assign(propagate)),
                    _ => (RoleOperation::Revoke, RoleRequest::revoke(propagate)),
                };
                let request = if batch { request.batched() } else { request };
                let said = self.roles.requested(&key, request);
                unchanged_if_refused(&said, &before, &self.roles);
                assert_eq!(said, if has_room { Ok(()) } else { full });
                if has_room {
                    let fact = roles::Fact::Requested { operation, propagate, batch };
                    self.naive.roles.entry(key).or_default().tell(fact);
                }
            }
            2 => {
                self.roles.accepted(&key);
                if let Some(role) = self.naive.roles.get_mut(&key) {
                    role.tell(roles::Fact::Accepted);
                }
            }
            3 => {
                self.roles.refused(&key);
                if let Some(role) = self.naive.roles.get_mut(&key) {
                    role.tell(roles::Fact::Refused);
                }
            }
            4 => {
                let said = self.roles.listed(&key, c & 1 == 0);
                unchanged_if_refused(&said, &before, &self.roles);
                assert_eq!(said, if has_room { Ok(()) } else { full });
                if has_room {
                    self.naive.roles.entry(key).or_default().tell(roles::Fact::Listed(c & 1 == 0));
                }
            }
            _ => {
                self.roles.forget(&key);
                self.naive.roles.remove(&key);
            }
        }
    }

    fn device_step(&mut self, a: u8, b: u8, c: u8) {
        let (device, naive, units) = (b % NAMES, &mut self.naive.devices, &self.naive.units);
        let id = endpoint_id(device);
        match a % 8 {
            0 | 1 => {
                let before = self.devices.clone();
                let said = self.devices.set_target(&id, &unit_id(c % NAMES), &self.units);
                unchanged_if_refused(&said, &before, &self.devices);
                match (said, naive.set_target(device, c % NAMES, units)) {
                    (Ok(effect), Ok(expected)) => {
                        assert_eq!(effect.as_ref().map(device_effect), expected);
                    }
                    (Err(GateError::Full { limit: 3 }), Err(devices::Full)) => {}
                    said => panic!("{said:?}"),
                }
            }
            2..=4 => {
                let effects = self.devices.associated(&id, &endpoint_id(c % NAMES), &self.units);
                assert_eq!(device_effects(&effects), naive.associated(device, c % NAMES, units));
            }
            5 => {
                let status = [None, Some(400), Some(408), Some(429), Some(503)][usize::from(c % 5)];
                let effect = self.devices.failed(&id, status);
                assert_eq!(effect.as_ref().map(device_effect), naive.failed(device, status));
            }
            6 => {
                let effect = self.devices.retry(&id, &self.units);
                assert_eq!(effect.as_ref().map(device_effect), naive.retry(device, units));
            }
            _ => {
                self.devices.forget(&id);
                naive.forget(device);
            }
        }
    }

    fn outcome_step(&mut self, a: u8, b: u8) {
        if a & 1 == 0 {
            self.automations.forget(&automation_id(b % NAMES));
            self.naive.automations.remove(&(b % NAMES));
        } else {
            self.failures.forget_before(instant(b % MOMENTS));
            self.naive.failures.forget_before(b % MOMENTS);
        }
    }

    fn dedupe_step(&mut self, now: u64, a: u8, b: u8, c: u8) {
        let at = MonoTime::from_millis(now);
        let text = EventKinds::SetUp.text(c % NAMES, c % NAMES, Sure::Missing);
        let event = Event::decode(text.as_bytes()).expect("it was written");
        let id = format!("m-{}", b % NAMES);
        let (keys, message, event) = if c & 32 == 0 {
            let key = Key::of_event(&event);
            (Keys::of_event(&id, &event), Key::of_message(&id), Some(key))
        } else {
            (Keys::of_message(&id), Key::of_message(&id), None)
        };
        let Naive { messages, events, .. } = &mut self.naive;
        match a % 4 {
            0 | 1 => {
                messages.advance(at);
                let before = messages.clone();
                let expected = match (messages.begin(at, message), event) {
                    (Begin::Fresh, Some(event)) => match events.begin(at, event) {
                        Begin::Fresh => Admission::Fresh,
                        Begin::Duplicate { age } => {
                            messages.commit(at, message);
                            Admission::DuplicateEvent { age }
                        }
                        refused => {
                            *messages = before;
                            if refused == Begin::Full {
                                Admission::Full
                            } else {
                                Admission::InFlight
                            }
                        }
                    },
                    (Begin::Fresh, None) => Admission::Fresh,
                    (Begin::Duplicate { age }, _) => Admission::DuplicateMessage { age },
                    (Begin::InFlight, _) => Admission::InFlight,
                    (Begin::Full, _) => Admission::Full,
                };
                assert_eq!(self.dedupe.begin(at, &keys), expected);
            }
            2 => {
                self.dedupe.commit(at, &keys);
                messages.commit(at, message);
                event.into_iter().for_each(|event| events.commit(at, event));
            }
            _ => {
                self.dedupe.abort(&keys);
                messages.abort(message);
                event.into_iter().for_each(|event| events.abort(event));
            }
        }
        assert!(messages.len() <= THREE.get() && events.len() <= THREE.get());
    }

    /// An event: which one of its kind, about which thing, and how sure that is.
    fn event(&mut self, now: u64, kind: EventKinds, number: u8, about: u8, sure: u8) {
        let (number, name) = (number % NUMBERS, about % NAMES);
        let text = kind.text(number, name, Sure::of(sure));
        let event = Event::decode(text.as_bytes()).expect("it was written");
        // An event has one time; each message that brings it has its own.
        let sns = self.has_sns.then_some(about / 64);
        let published = Published { event: number * NAMES + name, at: number / 2, sns };
        self.told.push(Told { text: text.clone(), published });
        let order = order(published);
        let taken = kind.is_taken(Sure::of(sure), self.harvest);
        match event.body() {
            Body::Activation(activation) => {
                let before = self.units.clone();
                let said =
                    self.units.activated(MonoTime::from_millis(now), &activation, event.id());
                unchanged_if_refused(&said, &before, &self.units);
                if taken {
                    let expected = self.naive.units.activated(now, name);
                    let effect = said_of_unit(said, expected);
                    self.unblocked(effect);
                } else {
                    assert!(matches!(said, Err(GateError::Id(_))), "{said:?}");
                }
            }
            Body::RoleAssignment(change) | Body::RoleRevocation(change) => {
                let operation = kind.operation(number);
                let before = self.roles.clone();
                let said = self.roles.event(operation, &change, order, event.id());
                unchanged_if_refused(&said, &before, &self.roles);
                let key = role_key(name);
                let roles = &mut self.naive.roles;
                let has_room = roles.contains_key(&key) || roles.len() < THREE.get();
                match said {
                    Err(GateError::Id(_)) => assert!(!taken),
                    Err(GateError::Full { limit }) => assert!(taken && !has_room && limit == 3),
                    Ok((verdict, effect)) => {
                        assert!(taken && has_room);
                        let role = roles.entry(key.clone()).or_default();
                        let expected = role.event(operation, published);
                        let effect = effect.map(|effect| role_effect(&effect, &key));
                        assert_eq!((verdict, effect), expected);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            Body::Completion(completion) => {
                let before = self.automations.clone();
                let said = self.automations.completed(&completion, order, event.id());
                unchanged_if_refused(&said, &before, &self.automations);
                let known = &mut self.naive.automations;
                let has_room = known.contains_key(&name) || known.len() < TWO.get();
                match said {
                    Err(GateError::Id(_)) => assert!(!taken),
                    Err(GateError::Full { limit }) => assert!(taken && !has_room && limit == 2),
                    Ok(verdict) => {
                        assert!(taken && has_room);
                        let automation = known.entry(name).or_default();
                        assert_eq!(verdict, automation.tell(published, number % 3));
                    }
                    Err(other) => panic!("{other}"),
                }
            }
            Body::SkillFailure(failure) => {
                let before = self.failures.clone();
                let said = self.failures.failed(&failure, instant(published.at), event.id());
                unchanged_if_refused(&said, &before, &self.failures);
                match said {
                    Ok(key) => {
                        assert!(taken);
                        assert_eq!(key.skill.as_str(), skill_id(name));
                        let class = [FailureClass::Unspecified, FailureClass::Timeout];
                        assert_eq!(key.class, class[usize::from(number & 1)]);
                        self.naive.failures.tell(published.at, event.id(), &key);
                        for until in 0..MOMENTS {
                            let counted = self.failures.count(&key, instant(until));
                            assert_eq!(counted, self.naive.failures.count(&key, until, WINDOW));
                        }
                    }
                    Err(error) => assert!(!taken && matches!(error, GateError::Id(_)), "{error}"),
                }
            }
            Body::SetupCompletion(setup) => {
                let before = self.devices.clone();
                let said = self.devices.set_up(&setup, order, event.id(), &self.units);
                unchanged_if_refused(&said, &before, &self.devices);
                if !taken {
                    assert!(matches!(said, Err(GateError::Id(_))), "{said:?}");
                    return;
                }
                match (said, self.naive.devices.set_up(name, published, &self.naive.units)) {
                    (Ok(effects), Ok(expected)) => assert_eq!(device_effects(&effects), expected),
                    (Err(GateError::Full { limit: 3 }), Err(devices::Full)) => {}
                    said => panic!("{said:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whoever uses the gates tells the devices of every unit that becomes active.
    fn unblocked(&mut self, effect: Option<UnitEffect>) {
        let Some(UnitEffect::Unblocked(active)) = effect else { return };
        let Naive { units, devices, .. } = &mut self.naive;
        let mut expected = devices.unblocked(number_of(active.id().as_str()), units);
        let mut effects = device_effects(&self.devices.unblocked(&active, &self.units));
        expected.sort_unstable();
        effects.sort_unstable();
        assert_eq!(effects, expected);
    }

    /// All answers of all gates.
    fn compare(&self) {
        for name in 0..NAMES {
            let (unit, naive) = (unit_id(name), &self.naive.units);
            let state = self.units.state(&unit).map(|state| match state {
                UnitState::Created => units::State::Created,
                UnitState::Active { .. } => units::State::Active,
                _ => units::State::Deleted,
            });
            assert_eq!(state, naive.state(name));
            for operation in OPERATIONS {
                assert_eq!(self.units.permits(&unit, operation), naive.permits(name, operation));
            }
            let active = self.units.active(&unit).ok().map(|active| active.id().clone());
            assert_eq!(active, naive.is_active(name).then(|| unit_id(naive.canonical(name))));

            let key = role_key(name);
            let role = self.naive.roles.get(&key).cloned().unwrap_or_default();
            for extent in [RoleExtent::Unit, RoleExtent::SubUnits] {
                let permit = self.roles.may_act(&key, extent);
                assert_eq!(permit, role.may_act(extent));
                assert!(!permit.is_allowed() || role.is_justified(extent));
            }
            let allowed = role.may_act(RoleExtent::SubUnits).is_allowed();
            assert_eq!(self.roles.propagated(&key).is_ok(), allowed);
            let asked = role.waits().then(|| RoleEffect::VerifyByListing(key.clone()));
            assert_eq!(self.roles.waited(&key), asked);

            let (device, naive) = (endpoint_id(name), &self.naive.devices);
            assert_eq!(self.devices.current(&device), endpoint_id(naive.current(name)));
            assert_eq!(self.devices.state(&device), naive.state(name).map(device_state).as_ref());
            let permit = self.devices.permits(&device, &self.units);
            assert_eq!(permit, naive.permits(name, &self.naive.units));

            let outcome = self.automations.outcome(&automation_id(name)).map(severity);
            let automation = self.naive.automations.get(&name);
            assert_eq!(outcome, automation.and_then(outcomes::Automation::severity));
        }
        assert!(self.naive.units.known() <= THREE.get());
        assert_eq!(self.units.parked(), self.naive.units.parked());
        assert_eq!(self.units.ignored(), self.naive.units.ignored());
    }
}

fn unchanged_if_refused<T, G: PartialEq + core::fmt::Debug>(
    said: &Result<T, GateError>,
    before: &G,
    after: &G,
) {
    if said.is_err() {
        assert_eq!(before, after);
    }
}

fn said_of_unit(
    said: Result<Option<UnitEffect>, GateError>,
    expected: units::Effect,
) -> Option<UnitEffect> {
    match (&said, expected) {
        (Err(GateError::Full { limit: 3 }), units::Effect::Full)
        | (Ok(None), units::Effect::Nothing) => {}
        (Ok(Some(UnitEffect::Unblocked(active))), units::Effect::Unblocked(unit)) => {
            assert_eq!(*active.id(), unit_id(unit));
        }
        (Ok(Some(UnitEffect::UnmatchedUnit(found))), units::Effect::Unmatched(unit)) => {
            assert_eq!(*found, unit_id(unit));
        }
        _ => panic!("{said:?} instead of {expected:?}"),
    }
    said.ok().flatten()
}

fn role_effect(effect: &RoleEffect, key: &RoleKey) -> roles::Effect {
    match effect {
        RoleEffect::Propagated(role) => {
            assert_eq!(RoleKey::new(role.role(), role.principal(), role.unit()), *key);
            roles::Effect::Propagated
        }
        RoleEffect::Assigned(of) if of == key => roles::Effect::Assigned,
        RoleEffect::Revoked(of) if of == key => roles::Effect::Revoked,
        RoleEffect::VerifyByListing(of) if of == key => roles::Effect::VerifyByListing,
        other => panic!("{other:?}"),
    }
}

fn device_effect(effect: &DeviceEffect) -> devices::Effect {
    use devices::Effect;
    let endpoint = |id: &EndpointId<'_>| number_of(id.as_str());
    match effect {
        DeviceEffect::Ready(ready) => Effect::Ready(endpoint(ready.id())),
        DeviceEffect::Associate { endpoint: ready, unit } => {
            Effect::Associate(endpoint(ready.id()), number_of(unit.id().as_str()))
        }
        DeviceEffect::EndpointRenamed { old, new } => Effect::Renamed(endpoint(old), endpoint(new)),
        DeviceEffect::KeepPowered(_) => Effect::KeepPowered,
        DeviceEffect::ApplySettings(id) => Effect::ApplySettings(endpoint(id)),
        DeviceEffect::RetryLater(id) => Effect::RetryLater(endpoint(id)),
        DeviceEffect::NeedsAttention(id) => Effect::NeedsAttention(endpoint(id)),
        DeviceEffect::SetUpAgain(id) => Effect::SetUpAgain(endpoint(id)),
        other => panic!("{other:?}"),
    }
}

fn device_effects<'e>(effects: impl IntoIterator<Item = &'e DeviceEffect>) -> Vec<devices::Effect> {
    effects.into_iter().map(device_effect).collect()
}

fn device_state(state: devices::State) -> DeviceState {
    match state {
        devices::State::Unseen => DeviceState::Unseen,
        devices::State::SetUp => DeviceState::SetUp,
        devices::State::Associating(unit) => DeviceState::Associating { unit: unit_id(unit) },
        devices::State::Associated(unit) => DeviceState::Associated { unit: unit_id(unit) },
    }
}

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
/// How many events of a kind are about one thing; two at each moment.
const NUMBERS: u8 = 8;
const MOMENTS: u8 = NUMBERS / 2;
/// In seconds.
const WINDOW: u8 = 2;
const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const THREE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
const ROOM_FOR_FAILURES: core::num::NonZeroU8 = core::num::NonZeroU8::MIN.saturating_add(4);
const LIFETIME: Duration = Duration::from_secs(1);
/// In milliseconds: within and beyond what is kept for a second, and for ten minutes.
const PAUSES: [u64; 6] = [0, 0, 1, 400, 1_000, 601_000];
