//! What gates say that were told of events and of nothing else.

use std::collections::BTreeMap;

use iot_sansio::MonoTime;
use smart_properties::{
    Body, Harvest,
    gate::{
        Automations, AutomationsConfig, DeviceState, Devices, DevicesConfig, Level, Outcome,
        Permit, RoleExtent, RoleOperation, Roles, RolesConfig, SkillFailureKey, SkillFailures,
        SkillFailuresConfig, Units, UnitsConfig,
    },
};

use super::{
    MOMENTS,
    event::Told,
    names::{NAMES, automation_id, endpoint_id, instant, order, role_key, unit_id},
};

/// What gates say that were told of events alone, with room for all of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Alone {
    units: Vec<bool>,
    roles: Vec<[Permit; 2]>,
    devices: Vec<Option<DeviceState>>,
    automations: Vec<Option<u8>>,
    failures: BTreeMap<SkillFailureKey, Vec<usize>>,
}

impl Alone {
    pub(crate) fn told(events: &[Told], harvest: Harvest) -> Self {
        let mut units = Units::new(UnitsConfig::default().with_harvest(harvest));
        for name in 0..NAMES {
            let _ = units.created(MonoTime::ORIGIN, &unit_id(name), Level::Deeper);
        }
        let mut roles = Roles::new(RolesConfig::default().with_harvest(harvest));
        let mut devices = Devices::new(DevicesConfig::default().with_harvest(harvest));
        let mut automations = Automations::new(AutomationsConfig::default().with_harvest(harvest));
        let mut failures = SkillFailures::new(SkillFailuresConfig::default().with_harvest(harvest));
        let mut keys = BTreeMap::new();
        for told in events {
            let event = told.event();
            let (order, id) = (order(told.published), event.id());
            // What is refused is refused in every order.
            match event.body() {
                Body::Activation(activation) => {
                    let _ = units.activated(MonoTime::ORIGIN, &activation, id);
                }
                Body::RoleAssignment(change) => {
                    let _ = roles.event(RoleOperation::Assign, &change, order, id);
                }
                Body::RoleRevocation(change) => {
                    let _ = roles.event(RoleOperation::Revoke, &change, order, id);
                }
                Body::Completion(completion) => {
                    let _ = automations.completed(&completion, order, id);
                }
                Body::SkillFailure(failure) => {
                    let at = instant(told.published.at);
                    keys.extend(failures.failed(&failure, at, id).ok().map(|key| (key, ())));
                }
                Body::SetupCompletion(setup) => {
                    let _ = devices.set_up(&setup, order, id, &units);
                }
                other => panic!("{other:?}"),
            }
        }
        let names = || 0..NAMES;
        let count = |key: &SkillFailureKey| {
            (0..MOMENTS).map(|until| failures.count(key, instant(until))).collect()
        };
        Self {
            units: names().map(|name| units.active(&unit_id(name)).is_ok()).collect(),
            roles: names()
                .map(role_key)
                .map(|key| {
                    [RoleExtent::Unit, RoleExtent::SubUnits].map(|at| roles.may_act(&key, at))
                })
                .collect(),
            devices: names().map(|name| devices.state(&endpoint_id(name)).cloned()).collect(),
            automations: names()
                .map(|name| automations.outcome(&automation_id(name)).map(severity))
                .collect(),
            failures: keys.into_keys().map(|key| (key.clone(), count(&key))).collect(),
        }
    }
}

pub(crate) fn severity(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Succeeded => 0,
        Outcome::Indeterminate { .. } => 1,
        _ => 2,
    }
}
