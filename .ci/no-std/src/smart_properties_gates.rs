//! `smart-properties`: what may be done now.

use alloc::{boxed::Box, format};
use core::{error::Error, num::NonZeroUsize, time::Duration};

use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    AutomationId, Body, EndpointId, Event, Harvest, Instant, PrincipalId, RoleId, SkillId, call,
    gate::{
        Advice, Automations, AutomationsConfig, DeviceEffect, Devices, DevicesConfig, FailureClass,
        Level, Operation, Outcome, Permit, RoleEffect, RoleExtent, RoleKey, RoleOperation,
        RoleRequest, Roles, RolesConfig, SkillFailures, SkillFailuresConfig, UnitEffect, UnitState,
        Units, UnitsConfig,
    },
    order::OrderKey,
    service::Occurrence,
};

use crate::smart_properties::{activation, unit};

const NOW: MonoTime = MonoTime::ORIGIN;
const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
const HAPPENED: Occurrence<'_> = Occurrence::new("g-1", "2024-05-01T10:00:00Z");

pub(crate) fn units() -> Result<(), Box<dyn Error>> {
    let config = UnitsConfig::default().with_capacity(TWO).with_harvest(Harvest::Accept);
    let (mut units, unit) = (Units::new(config), unit()?);
    let _ = units.created(NOW, &unit, Level::Property)?;
    let text = activation()?;
    let event = Event::decode(text.as_bytes())?;
    if let Body::Activation(activation) = event.body() {
        match units.activated(NOW, &activation, event.id())? {
            Some(UnitEffect::Unblocked(active)) => {
                let skill = SkillId::new("amzn1.ask.skill.1")?;
                let _ =
                    (call::create_child_unit(&active, "n"), call::enable_skill(&active, &skill));
            }
            other => drop(format!("{other:?}")),
        }
    }
    let _ = format!("{:?}", units.alias(NOW, &unit, &unit)?);
    let _ = format!("{:?}", units.succeeded(&unit, Operation::CreateChild));
    let _ = format!("{:?} {:?}", units.set_active(&unit), units.forbidden(&unit));
    let _ = (units.waited(&unit), units.active(&unit), units.ignored(), units.parked());
    let _ = UnitState::Created.permits(Level::Deeper, Operation::Other).is_allowed();
    let _ = units.state(&unit).map(|state| format!("{state:?}"));
    match units.permits(&unit, Operation::EnableSkill) {
        Permit::Allowed => {}
        Permit::Blocked(why) => drop(format!("{why}")),
        Permit::Unknown(why) => drop(format!("{why} {}", Operation::Read.is_gated())),
    }
    units.forget(&unit);
    Ok(())
}

pub(crate) fn roles() -> Result<(), Box<dyn Error>> {
    let config = RolesConfig::default().with_capacity(TWO).with_harvest(Harvest::Refuse);
    let mut roles = Roles::new(config);
    let role = RoleId::new("amzn1.alexa.role.did.R1")?;
    let principal = PrincipalId::new("amzn1.account.P1")?;
    let key = RoleKey::new(&role, &principal, &unit()?);
    roles.requested(&key, RoleRequest::assign(true).batched())?;
    roles.accepted(&key);
    roles.refused(&key);
    roles.requested(&key, RoleRequest::revoke(false))?;
    roles.listed(&key, true)?;
    let _ = (roles.waited(&key), roles.may_act(&key, RoleExtent::Unit).is_allowed());
    for text in [
        HAPPENED.assignment(&role, &principal, &unit()?)?,
        HAPPENED.revocation(&role, &principal, &unit()?)?,
    ] {
        let event = Event::decode(text.as_bytes())?;
        let Body::RoleAssignment(change) = event.body() else { continue };
        let order = OrderKey::new(event.time(), None);
        if let (_, Some(RoleEffect::Propagated(role))) =
            roles.event(RoleOperation::Assign, &change, order, event.id())?
        {
            let _ = (role.role(), role.principal(), role.unit());
        }
    }
    if let Err(permit) = roles.propagated(&key) {
        drop(format!("{permit:?}"));
    }
    roles.forget(&key);
    Ok(())
}

pub(crate) fn devices() -> Result<(), Box<dyn Error>> {
    let config = DevicesConfig::default().with_capacity(TWO).with_harvest(Harvest::Accept);
    let (mut devices, units) = (Devices::new(config), Units::default());
    let device = EndpointId::new("amzn1.alexa.endpoint.EP9")?;
    let text = HAPPENED.setup_completion(&device)?;
    let event = Event::decode(text.as_bytes())?;
    if let Body::SetupCompletion(setup) = event.body() {
        let order = OrderKey::new(event.time(), None);
        for effect in devices.set_up(&setup, order, event.id(), &units)? {
            if let DeviceEffect::Associate { endpoint, unit } = effect {
                let _ = (call::associate_device(&unit, &endpoint), devices.unblocked(&unit));
            }
        }
    }
    let _ = format!("{:?}", devices.set_target(&device, &unit()?, &units)?);
    let _ = (devices.associated(&device, &device), devices.failed(&device, Some(500)));
    let _ = (devices.retry(&device, &units), devices.state(&device), devices.current(&device));
    let _ = devices.permits(&device, &units).is_allowed();
    devices.forget(&device);
    Ok(())
}

pub(crate) fn outcomes() -> Result<(), Box<dyn Error>> {
    let automation = AutomationId::new("amzn1.alexa.automation.AUTO1")?;
    let config = AutomationsConfig::default()
        .with_capacity(TWO)
        .with_harvest(Harvest::Refuse)
        .with_success(["SUCCESS"]);
    let mut automations = Automations::new(config.clone());
    let text =
        HAPPENED.failure(&unit()?, &automation, &EndpointId::new("amzn1.alexa.endpoint.E")?)?;
    let event = Event::decode(text.as_bytes())?;
    if let Body::Completion(completion) = event.body() {
        let order = OrderKey::new(event.time(), None);
        let _ = automations.completed(&completion, order, event.id())?;
        let _ = config.outcome(&completion);
    }
    if let Some(Outcome::Failed { errors, .. }) = automations.outcome(&automation) {
        let _ = errors.iter().map(Advice::of).count();
    }
    automations.forget(&automation);

    let config = SkillFailuresConfig::default()
        .with_capacity(TWO)
        .with_window(Duration::from_secs(60))
        .with_harvest(Harvest::Refuse)
        .with_class("TIMEOUT", FailureClass::Timeout);
    let mut failures = SkillFailures::new(config);
    let skill = SkillId::new("amzn1.ask.skill.1")?;
    let text = HAPPENED.skill_failure(&unit()?, &skill, "TIMEOUT")?;
    let event = Event::decode(text.as_bytes())?;
    let at = Instant::from(UnixMillis::new(1));
    if let Body::SkillFailure(failure) = event.body() {
        let key = failures.failed(&failure, at, event.id())?;
        let _ = (failures.count(&key, at), SkillFailures::DELIVERED_WITHIN);
    }
    failures.forget_before(at);
    Ok(())
}
