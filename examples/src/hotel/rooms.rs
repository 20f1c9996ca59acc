//! The second half of the story: units, devices and roles, where events say what may be called next.

use smart_properties::{
    EndpointId, PrincipalId, Request, Response, RoleId, SkillId, UnitId,
    call::{self, AssociatedEndpoint},
    gate::{DeviceEffect, DeviceState, Level, Operation, Permit, RoleExtent, RoleKey, RoleRequest},
    service::{Occurrence, Publication},
};

use super::{Delivered, Hotel};
use crate::{lifecycle::Failure, property::Effect};

/// Something that was called, told or asked on the way, in order.
#[derive(Debug)]
pub enum Step {
    /// A call of the API: method, path and body.
    Call(String),
    /// What the API answered.
    Answer(&'static str),
    /// An event came, with these effects.
    Event(String, Vec<String>),
    /// What the gates say may be done.
    Permit(&'static str, Permit),
    /// What followed from an answer.
    Effect(String),
}

/// How a property and its first room became active.
#[derive(Debug)]
pub struct Opened {
    /// What happened.
    pub steps: Vec<Step>,
    /// Whether a room might be created in the property before its activation, and after it.
    pub permits: [Permit; 2],
    /// Whether the room was active as soon as its creation was answered.
    pub is_active_at_once: bool,
}

/// How a device got its room.
#[derive(Debug)]
pub struct Placed {
    /// What happened.
    pub steps: Vec<Step>,
    /// Whether it might be associated when it was set up.
    pub permit: Permit,
    /// How many associations were called.
    pub calls: usize,
    /// How far it is, by its old ID and its new one.
    pub states: [Option<DeviceState>; 2],
}

/// How a role was assigned and revoked.
#[derive(Debug)]
pub struct Revoked {
    /// What happened.
    pub steps: Vec<Step>,
    /// Whether its holder might act below the unit: after the call, and at the end.
    pub permits: [Permit; 2],
}

impl Hotel {
    /// Creates a property and a room; the room's activation overtakes the answer to its creation.
    ///
    /// # Errors
    /// An event is not delivered.
    pub async fn open(&mut self) -> Result<Opened, Failure> {
        let [organization, property, room] = [ORGANIZATION, PROPERTY, ROOM_402].map(UnitId::new);
        let (organization, property, room) = (organization?, property?, room?);
        let skill = SkillId::new(SUBSCRIPTION_SKILL)?;
        let may_create = |hotel: &Self| {
            hotel.ask(|gates, _| gates.units.permits(&property, Operation::CreateChild))
        };
        let mut steps = vec![
            called(&call::create_property(&organization, "Hotel by the Sea")),
            Step::Answer("201, PROP1"),
        ];
        self.ask(|gates, now| gates.units.created(now, &property, Level::Property))?;
        let before = may_create(self);
        steps.push(Step::Permit("a room in it", before));
        steps.push(called(&call::enable_subscription_skill(&property, &skill)));
        steps.push(Step::Answer("200"));

        let activation = Occurrence::new("a-1", "2024-05-01T10:01:00Z");
        let activated = self.happen(activation.activation(&property, None)?).await?;
        let after = may_create(self);
        steps.push(came(&activated));
        steps.push(Step::Permit("a room in it", after));
        let active = self.ask(|gates, _| gates.units.active(&property));
        let active = active.map_err(|permit| format!("not active: {permit:?}"))?;
        steps.push(called(&call::create_child_unit(&active, "Room 402")));
        let activation = Occurrence::new("a-2", "2024-05-01T10:02:00Z");
        let early = self.happen(activation.activation(&room, Some(&property))?).await?;
        steps.push(came(&early));
        steps.push(Step::Answer("201, ROOM402"));
        let effects = self.ask(|gates, now| {
            let effect = gates.units.created(now, &room, Level::Deeper)?;
            Ok::<_, Failure>(gates.follow(effect))
        })?;
        steps.extend(effects.iter().map(|effect| Step::Effect(effect.to_string())));
        let is_active_at_once = self.ask(|gates, _| gates.units.active(&room)).is_ok();
        Ok(Opened { steps, permits: [before, after], is_active_at_once })
    }

    /// Sets a device up whose room becomes active only later.
    ///
    /// # Errors
    /// An event is not delivered.
    pub async fn place(&mut self) -> Result<Placed, Failure> {
        let (property, room) = (UnitId::new(PROPERTY)?, UnitId::new(ROOM_403)?);
        let [before, after] = [DEVICE, DEVICE_IN_ROOM].map(EndpointId::new);
        let (before, after) = (before?, after?);
        self.ask(|gates, now| {
            gates.units.created(now, &room, Level::Deeper)?;
            gates.devices.set_target(&before, &room, &gates.units)
        })?;
        let setup = Occurrence::new("d-1", "2024-05-01T10:03:00Z").setup_completion(&before)?;
        let set_up = self.happen(setup).await?;
        let permit = self.ask(|gates, _| gates.devices.permits(&before, &gates.units));
        let mut steps = vec![came(&set_up), Step::Permit("its association", permit)];

        let activation = Occurrence::new("a-3", "2024-05-01T10:04:00Z");
        let activated = self.happen(activation.activation(&room, Some(&property))?).await?;
        steps.push(came(&activated));
        let effects = || [&set_up, &activated].into_iter().flat_map(|it| &it.handled);
        let requests: Vec<_> =
            effects().flat_map(|handled| &handled.effects).filter_map(Effect::call).collect();
        steps.extend(requests.iter().map(called));
        // The API is not here: this is what it says where a device gets another ID.
        steps.push(Step::Answer("200, EP77"));
        let answer = format!(r#"{{"id":"{DEVICE_IN_ROOM}"}}"#);
        let response = Response::new(200, answer.as_bytes());
        let AssociatedEndpoint::Named(named) = AssociatedEndpoint::read(&response, &before)? else {
            return Err("the answer names no device".into());
        };
        let effects = self.ask(|gates, _| gates.devices.associated(&before, &named));
        steps.extend(effects.into_iter().map(told));
        let states = [before, after]
            .map(|device| self.ask(|gates, _| gates.devices.state(&device).cloned()));
        Ok(Placed { steps, permit, calls: requests.len(), states })
    }

    /// Assigns a role, and has the event of its revocation arrive before that of its assignment.
    ///
    /// # Errors
    /// An event is not delivered.
    pub async fn revoke(&mut self) -> Result<Revoked, Failure> {
        let (role, principal) = (RoleId::new(ROLE)?, PrincipalId::new(PRINCIPAL)?);
        let property = UnitId::new(PROPERTY)?;
        let key = RoleKey::new(&role, &principal, &property);
        let may_act =
            |hotel: &Self| hotel.ask(|gates, _| gates.roles.may_act(&key, RoleExtent::SubUnits));
        self.ask(|gates, _| gates.roles.requested(&key, RoleRequest::assign(true)))?;
        let mut steps = vec![called(&call::assign_role(&role, &principal, true))];
        self.ask(|gates, _| gates.roles.accepted(&key));
        steps.push(Step::Answer("200"));
        let pending = may_act(self);
        steps.push(Step::Permit("work in the rooms", pending));
        let later = Occurrence::new("r-2", "2024-05-01T10:06:00Z");
        let revocation = later.revocation(&role, &principal, &property)?;
        steps.push(came(&self.happen(revocation).await?));
        let earlier = Occurrence::new("r-1", "2024-05-01T10:05:00Z");
        let assignment = earlier.assignment(&role, &principal, &property)?;
        steps.push(came(&self.happen(assignment).await?));
        let revoked = may_act(self);
        steps.push(Step::Permit("work in the rooms", revoked));
        Ok(Revoked { steps, permits: [pending, revoked] })
    }

    async fn happen(&mut self, event: String) -> Result<Delivered, Failure> {
        self.publish(&Publication::new(event)).await
    }

    fn ask<T>(
        &self,
        ask: impl FnOnce(&mut crate::property::Property, iot_sansio::MonoTime) -> T,
    ) -> T {
        self.endpoint.handler().property(ask)
    }
}

fn called(request: &Request) -> Step {
    let [method, path] = [request.method().as_str(), request.path_and_query()];
    Step::Call(format!("{method} {path} {}", request.body().unwrap_or_default()))
}

fn came(delivered: &Delivered) -> Step {
    let types = delivered.handled.iter().filter_map(|handled| handled.event_type.as_deref());
    let effects = delivered.handled.iter().flat_map(|handled| &handled.effects);
    Step::Event(types.collect(), effects.map(ToString::to_string).collect())
}

fn told(effect: DeviceEffect) -> Step {
    Step::Effect(Effect::Device(effect).to_string())
}

const ORGANIZATION: &str = "amzn1.alexa.unit.did.ORG1";
const PROPERTY: &str = "amzn1.alexa.unit.did.PROP1";
const ROOM_402: &str = "amzn1.alexa.unit.did.ROOM402";
const ROOM_403: &str = "amzn1.alexa.unit.did.ROOM403";
const SUBSCRIPTION_SKILL: &str = "amzn1.ask.skill.11111111-2222-4333-8444-555555555555";
const DEVICE: &str = "amzn1.alexa.endpoint.EP9";
const DEVICE_IN_ROOM: &str = "amzn1.alexa.endpoint.EP77";
const ROLE: &str = "amzn1.alexa.role.did.R1";
const PRINCIPAL: &str = "amzn1.account.P1";
