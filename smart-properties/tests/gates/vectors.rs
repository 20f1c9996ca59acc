//! The vectors G-01 to G-22: steps, each with the effects it must have.

use core::num::NonZeroUsize;

use iot_sansio::MonoTime;
use serde_json::Value;
use smart_properties::{
    AutomationId, Body, EndpointId, Event, Harvest, PrincipalId, RoleId, UnitId, call,
    gate::{
        ActiveUnit, Automations, DeviceEffect, DeviceState, Devices, Evidence, GateConfig,
        GateError, Level, Operation, Outcome, Permit, RoleEffect, RoleExtent, RoleKey,
        RoleOperation, RoleRequest, Roles, UnitEffect, UnitState, Units,
    },
};

use crate::events::{text, told};

#[test]
fn every_gate_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("../vectors/gates.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap().to_owned();
        let mut gates = Gates::new(vector["harvest"] == true);
        for step in vector["steps"].as_array().unwrap() {
            gates.step(step, &format!("{id}, {step}"));
        }
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids, (1..=22).map(|number| format!("G-{number:02}")).collect::<Vec<_>>());
}

struct Gates {
    units: Units,
    roles: Roles,
    automations: Automations,
    devices: Devices,
    key: RoleKey,
}

impl Gates {
    fn new(harvest: bool) -> Self {
        let harvest = if harvest { Harvest::Accept } else { Harvest::Refuse };
        let capacity = NonZeroUsize::new(10).unwrap();
        Self {
            units: Units::new(GateConfig::default().with_capacity(capacity).with_harvest(harvest)),
            roles: Roles::default(),
            automations: Automations::default(),
            devices: Devices::default(),
            key: RoleKey::new(
                &RoleId::new("amzn1.alexa.role.did.R1").unwrap(),
                &PrincipalId::new("amzn1.account.P1").unwrap(),
                &unit("PROP1"),
            ),
        }
    }

    /// Every step but a question says all of its effects: those it does not name must not come.
    fn step(&mut self, step: &Value, at: &str) {
        let now = MonoTime::from_millis(step["at"].as_u64().unwrap_or(0));
        let name = |member: &str| step[member].as_str().unwrap_or_else(|| panic!("{at}: {member}"));
        let has = |member: &str| step.get(member).is_some();
        if has("created") {
            let level = if step["level"] == "property" { Level::Property } else { Level::Deeper };
            let effect = self.units.created(now, &unit(name("created")), level);
            self.unit_effect(effect, step, at);
        } else if has("activated") {
            let renamed = step["unit"].as_str().map(|unit| format!("amzn1.alexa.unit.did.{unit}"));
            let event = text(
                name("activated"),
                &[
                    ("/header/entities/unit/id", &renamed.into()),
                    ("/header/eventId/id", &step["eventId"]),
                ],
            );
            let event = Event::decode(event.as_bytes()).unwrap();
            let Body::Activation(activation) = event.body() else { panic!("{at}") };
            let effect = self.units.activated(now, &activation, event.id());
            self.unit_effect(effect, step, at);
        } else if has("succeeded") {
            let effect = self.units.succeeded(&unit(name("unit")), operation(name("succeeded")));
            self.unit_effect(Ok(effect), step, at);
        } else if has("permits") && !has("device") {
            let id = unit(name("permits"));
            for allowed in step["allowed"].as_array().into_iter().flatten() {
                let permit = self.units.permits(&id, operation(allowed.as_str().unwrap()));
                assert_eq!(permit, Permit::Allowed, "{at}: {allowed}");
            }
            for (blocked, why) in step["blocked"].as_object().into_iter().flatten() {
                let permit = said(self.units.permits(&id, operation(blocked)));
                assert_eq!(permit, format!("Blocked {}", why.as_str().unwrap()), "{at}: {blocked}");
            }
        } else if has("unit") {
            assert_eq!(
                unit_state(self.units.state(&unit(name("unit"))).unwrap()),
                name("is"),
                "{at}"
            );
        } else if has("parked") {
            assert_eq!(self.units.parked() as u64, step["parked"].as_u64().unwrap(), "{at}");
        } else if has("ignored") {
            assert_eq!(self.units.ignored(), step["ignored"].as_u64().unwrap(), "{at}");
        } else if has("completed") {
            let event = text(
                name("completed"),
                &[
                    ("/header/eventId/id", &step["eventId"]),
                    ("/header/eventTime/timestamp", &step["time"]),
                ],
            );
            let event = Event::decode(event.as_bytes()).unwrap();
            let (Body::Completion(completion), order, id) = told(&event) else { panic!("{at}") };
            let verdict = self.automations.completed(&completion, order, id).unwrap();
            assert_eq!(format!("{verdict:?}"), name("verdict"), "{at}");
        } else if has("automation") {
            let automation = format!("amzn1.alexa.automation.{}", name("automation"));
            let automation = AutomationId::new(automation).unwrap();
            let outcome = match self.automations.outcome(&automation) {
                Some(Outcome::Succeeded) => "Succeeded",
                Some(Outcome::Failed { .. }) => "Failed",
                _ => panic!("{at}"),
            };
            assert_eq!(outcome, name("is"), "{at}");
        } else if has("setUp") || has("target") || has("associated") || has("device") {
            self.device_step(step, at);
        } else {
            self.role_step(step, at);
        }
    }

    fn role_step(&mut self, step: &Value, at: &str) {
        let name = |member: &str| step[member].as_str().unwrap_or_else(|| panic!("{at}: {member}"));
        let key = self.key.clone();
        let effect = if step.get("request").is_some() {
            let propagate = step["propagate"] == true;
            let request = match name("request") {
                "assign" => RoleRequest::assign(propagate),
                _ => RoleRequest::revoke(propagate),
            };
            let request = if step["batch"] == true { request.batched() } else { request };
            self.roles.requested(&key, request).unwrap();
            None
        } else if step.get("answer").is_some() {
            self.roles.accepted(&key);
            None
        } else if step.get("waited").is_some() {
            self.roles.waited(&key)
        } else if step.get("mayAct").is_some() {
            let scope =
                if step["mayAct"] == "unit" { RoleExtent::Unit } else { RoleExtent::SubUnits };
            assert_eq!(said(self.roles.may_act(&key, scope)), name("is"), "{at}");
            None
        } else {
            let event = text(name("role"), &[]);
            let event = Event::decode(event.as_bytes()).unwrap();
            let (body, order, id) = told(&event);
            let (operation, change) = match &body {
                Body::RoleAssignment(change) => (RoleOperation::Assign, change),
                Body::RoleRevocation(change) => (RoleOperation::Revoke, change),
                _ => panic!("{at}"),
            };
            let (verdict, effect) = self.roles.event(operation, change, order, id).unwrap();
            assert_eq!(format!("{verdict:?}"), name("verdict"), "{at}");
            effect
        };
        let effect = effect.map(|effect| match effect {
            RoleEffect::Propagated(role) => {
                assert_eq!((role.role(), role.unit()), (&key.role, &key.unit), "{at}");
                "Propagated"
            }
            RoleEffect::Assigned(_) => "Assigned",
            RoleEffect::Revoked(_) => "Revoked",
            RoleEffect::VerifyByListing(_) => "VerifyByListing",
            _ => panic!("{at}"),
        });
        assert_eq!(effect, step["effect"].as_str(), "{at}");
    }

    fn device_step(&mut self, step: &Value, at: &str) {
        let name = |member: &str| step[member].as_str().unwrap_or_else(|| panic!("{at}: {member}"));
        let effects = if step.get("setUp").is_some() {
            let event = text(name("setUp"), &[]);
            let event = Event::decode(event.as_bytes()).unwrap();
            let (Body::SetupCompletion(setup), order, id) = told(&event) else { panic!("{at}") };
            match self.devices.set_up(&setup, order, id, &self.units) {
                Ok(effects) => effects,
                Err(error) => return assert_eq!(refusal(&error), name("refused"), "{at}"),
            }
        } else if step.get("target").is_some() {
            let target = unit(name("target"));
            let effect = self.devices.set_target(&endpoint(name("of")), &target, &self.units);
            effect.unwrap().into_iter().collect()
        } else if step.get("associated").is_some() {
            let device = endpoint(name("associated"));
            self.devices.associated(&device, &endpoint(name("answered")), &self.units)
        } else {
            let device = endpoint(name("device"));
            let now = match step.get("permits") {
                Some(_) => said(self.devices.permits(&device, &self.units)),
                None => device_state(self.devices.state(&device).unwrap()),
            };
            let expected = if step.get("permits").is_some() { name("permits") } else { name("is") };
            return assert_eq!(now, expected, "{at}");
        };
        device_effects(&effects, step, at);
    }

    /// What units were blocked for is told to the devices, as an application does.
    fn unit_effect(
        &mut self,
        effect: Result<Option<UnitEffect>, GateError>,
        step: &Value,
        at: &str,
    ) {
        let effect = match effect {
            Ok(effect) => effect,
            Err(error) => {
                return assert_eq!(Some(refusal(&error)), step["refused"].as_str(), "{at}");
            }
        };
        assert_eq!(step.get("refused"), None, "{at}");
        if let Some(UnitEffect::Unblocked(active)) = &effect {
            let effects = self.devices.unblocked(active, &self.units);
            device_effects(&effects, step, at);
        }
        let short = |unit: &UnitId<'_>| unit.as_str().rsplit('.').next().unwrap().to_owned();
        let effect = effect.map(|effect| match effect {
            UnitEffect::Unblocked(unit) => format!("Unblocked {}", short(unit.id())),
            UnitEffect::UnmatchedUnit(unit) => format!("UnmatchedUnit {}", short(&unit)),
            other => panic!("{at}: {other:?}"),
        });
        assert_eq!(effect.as_deref(), step["effect"].as_str(), "{at}");
    }
}

fn device_effects(effects: &[DeviceEffect], step: &Value, at: &str) {
    let short = |id: &EndpointId<'_>| id.as_str().rsplit('.').next().unwrap().to_owned();
    let active = |unit: &ActiveUnit| unit.id().as_str().rsplit('.').next().unwrap().to_owned();
    let told: Vec<_> = effects
        .iter()
        .map(|effect| match effect {
            DeviceEffect::Ready(device) => format!("Ready {}", short(device.id())),
            DeviceEffect::Associate { endpoint, unit } => {
                format!("Associate {} {}", short(endpoint.id()), active(unit))
            }
            DeviceEffect::EndpointRenamed { old, new } => {
                format!("EndpointRenamed {} {}", short(old), short(new))
            }
            DeviceEffect::KeepPowered(span) => format!("KeepPowered {}", span.as_secs()),
            DeviceEffect::ApplySettings(device) => format!("ApplySettings {}", short(device)),
            other => panic!("{at}: {other:?}"),
        })
        .collect();
    let expected: Vec<_> = step["effects"].as_array().into_iter().flatten().collect();
    assert_eq!(told.iter().collect::<Vec<_>>(), expected, "{at}");
    if let Some(expected) = step.get("request") {
        let [DeviceEffect::Associate { endpoint, unit }] = effects else { panic!("{at}") };
        let request = call::associate_device(unit, endpoint);
        assert_eq!(request.method().as_str(), expected["method"], "{at}");
        assert_eq!(request.path_and_query(), expected["path"], "{at}");
        let body: Value = serde_json::from_str(request.body().unwrap()).unwrap();
        assert_eq!(body, expected["body"], "{at}");
    }
}

fn unit(name: &str) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.{name}")).unwrap()
}

fn endpoint(name: &str) -> EndpointId<'static> {
    EndpointId::new(format!("amzn1.alexa.endpoint.{name}")).unwrap()
}

fn operation(name: &str) -> Operation {
    use Operation as Op;
    let all = [
        Op::Read,
        Op::ManageRoles,
        Op::EnableSubscription,
        Op::EnableSkill,
        Op::CreateChild,
        Op::AssociateDevice,
        Op::Delete,
    ];
    all.into_iter().find(|known| format!("{known:?}") == name).unwrap()
}

fn said(permit: Permit) -> String {
    match permit {
        Permit::Allowed => "Allowed".into(),
        Permit::Blocked(why) => format!("Blocked {why:?}"),
        Permit::Unknown(why) => format!("Unknown {why:?}"),
    }
}

fn unit_state(state: &UnitState) -> String {
    match state {
        UnitState::Active { evidence: Evidence::Event(id) } => format!("Active by event {id}"),
        UnitState::Active { evidence: Evidence::ObservedSuccess(operation) } => {
            format!("Active by success of {operation:?}")
        }
        other => format!("{other:?}"),
    }
}

fn device_state(state: &DeviceState) -> String {
    let short = |unit: &UnitId<'_>| unit.as_str().rsplit('.').next().unwrap().to_owned();
    match state {
        DeviceState::Associating { unit } => format!("Associating {}", short(unit)),
        DeviceState::Associated { unit } => format!("Associated {}", short(unit)),
        other => format!("{other:?}"),
    }
}

fn refusal(error: &GateError) -> &'static str {
    use smart_properties::IdRefused;
    match error {
        GateError::Id(IdRefused::Harvested { .. }) => "Harvested",
        GateError::Id(IdRefused::Ambiguous { .. }) => "Ambiguous",
        GateError::Id(IdRefused::Missing { .. }) => "MissingId",
        other => panic!("{other:?}"),
    }
}
