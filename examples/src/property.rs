//! All gates of an organization with Alexa devices, told by its events. Copy it together with `sns_endpoint.rs`, or
//! write your own: it is short, and what an event leads to is the application's choice.

use std::fmt;

use iot_sansio::MonoTime;
use smart_properties::{
    AutomationId, Body, Event, Request, call,
    gate::{
        Advice, Automations, DeviceEffect, Devices, GateError, Outcome, RoleEffect, RoleOperation,
        Roles, SkillFailureKey, SkillFailures, UnitEffect, Units,
    },
    order::{OrderKey, Verdict},
};

/// The gates. They live in memory: after a start, tell them what the API lists.
#[derive(Debug, Default)]
pub struct Property {
    /// What may be done with units.
    pub units: Units,
    /// Who may act where.
    pub roles: Roles,
    /// Which devices have their unit.
    pub devices: Devices,
    /// How each automation ended.
    pub automations: Automations,
    /// How often skills failed.
    pub skill_failures: SkillFailures,
}

/// What an event led to.
#[derive(Clone, Debug)]
pub enum Effect {
    /// At a unit.
    Unit(UnitEffect),
    /// At a device.
    Device(DeviceEffect),
    /// At a role.
    Role(RoleEffect),
    /// An automation ended so.
    Automation(AutomationId<'static>, Outcome),
    /// A skill failed, and did so this often in the last hour.
    SkillFailure(SkillFailureKey, usize),
    /// Nothing: a newer event has come before it, or nothing tells which is newer.
    NotNewer(Verdict),
    /// Nothing that is known here.
    Unknown,
}

impl Property {
    /// Tells the gates an event. None of its effects: it changed nothing, as what it says was known.
    ///
    /// # Errors
    /// It does not say for certain what it is about, which a person has to look at; or there is no room.
    pub fn apply(
        &mut self,
        now: MonoTime,
        event: &Event<'_>,
        order: OrderKey,
    ) -> Result<Vec<Effect>, GateError> {
        Ok(match event.body() {
            Body::Activation(activation) => {
                let effect = self.units.activated(now, &activation, event.id())?;
                self.follow(effect)
            }
            Body::SetupCompletion(setup) => {
                let effects = self.devices.set_up(&setup, order, event.id(), &self.units)?;
                effects.into_iter().map(Effect::Device).collect()
            }
            Body::RoleAssignment(change) => {
                role(self.roles.event(RoleOperation::Assign, &change, order, event.id())?)
            }
            Body::RoleRevocation(change) => {
                role(self.roles.event(RoleOperation::Revoke, &change, order, event.id())?)
            }
            Body::Completion(completion) => {
                let verdict = self.automations.completed(&completion, order, event.id())?;
                let automation = completion.automation.accept(Default::default())?;
                match (verdict, self.automations.outcome(automation)) {
                    (Verdict::Applied | Verdict::AppliedByTieBreak, Some(outcome)) => {
                        vec![Effect::Automation(automation.clone().into_owned(), outcome.clone())]
                    }
                    _ => vec![Effect::NotNewer(verdict)],
                }
            }
            Body::SkillFailure(failure) => {
                let Some(at) = event.time().or(order.sns_time) else { return Ok(Vec::new()) };
                let key = self.skill_failures.failed(&failure, at, event.id())?;
                let count = self.skill_failures.count(&key, at);
                vec![Effect::SkillFailure(key, count)]
            }
            _ => vec![Effect::Unknown],
        })
    }

    /// What follows from an effect at a unit, whoever told it: devices that waited for the unit.
    pub fn follow(&mut self, effect: Option<UnitEffect>) -> Vec<Effect> {
        let waited = match &effect {
            Some(UnitEffect::Unblocked(unit)) => self.devices.unblocked(unit),
            _ => Vec::new(),
        };
        let effect = effect.into_iter().map(Effect::Unit);
        effect.chain(waited.into_iter().map(Effect::Device)).collect()
    }
}

impl Effect {
    /// The call that it asks for, to be sent with an access token; its answer goes to the gate that asked.
    #[must_use]
    pub fn call(&self) -> Option<Request> {
        match self {
            Self::Device(DeviceEffect::Associate { endpoint, unit, .. }) => {
                Some(call::associate_device(unit, endpoint))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(effect) => match effect {
                UnitEffect::Unblocked(unit) => write!(f, "{} is active", unit.id()),
                UnitEffect::UnmatchedUnit(unit) => {
                    write!(f, "{unit} is active, and not known: kept until it is created")
                }
                UnitEffect::PollSuggested(unit) => write!(f, "{unit} is still not active: ask"),
                UnitEffect::RetryOnce(unit) => write!(f, "{unit}: try once more"),
                other => write!(f, "{other:?}"),
            },
            Self::Device(effect) => match effect {
                DeviceEffect::Ready(device) => write!(f, "{} is set up", device.id()),
                DeviceEffect::Associate { endpoint, unit, .. } => {
                    write!(f, "{} goes to {}", endpoint.id(), unit.id())
                }
                DeviceEffect::EndpointRenamed { old, new, .. } => {
                    write!(f, "{old} is called {new} now")
                }
                DeviceEffect::KeepPowered(time) => {
                    write!(f, "keep it powered for {} s, and see that it restarts", time.as_secs())
                }
                DeviceEffect::ApplySettings(device) => {
                    write!(f, "apply the settings of the unit to {device}, not before")
                }
                DeviceEffect::SetUpAgain(device) => {
                    write!(f, "{device} was set up anew: name its unit again")
                }
                DeviceEffect::RetryLater(device) => write!(f, "{device}: try again later"),
                DeviceEffect::NeedsAttention(device) => write!(f, "{device} needs attention"),
                other => write!(f, "{other:?}"),
            },
            Self::Role(effect) => match effect {
                RoleEffect::Propagated(role) => {
                    write!(
                        f,
                        "{} has {} on {} and below",
                        role.principal(),
                        role.role(),
                        role.unit()
                    )
                }
                RoleEffect::Assigned(key) => write!(f, "{} has {}", key.principal, key.role),
                RoleEffect::Revoked(key) => {
                    write!(f, "{} no longer has {} on {}", key.principal, key.role, key.unit)
                }
                RoleEffect::VerifyByListing(key) => {
                    write!(f, "list who has {} on {}: nothing else tells", key.role, key.unit)
                }
                other => write!(f, "{other:?}"),
            },
            Self::Automation(automation, outcome) => match outcome {
                Outcome::Succeeded => write!(f, "{automation} succeeded"),
                Outcome::Failed { errors, .. } => {
                    write!(f, "{automation} failed")?;
                    for error in errors {
                        let kind = error.error_type.as_ref().map(|kind| kind.as_str());
                        let advice = match Advice::of(error) {
                            Advice::FixConfiguration { .. } => "correct the automation",
                            _ => "it may work another time",
                        };
                        write!(f, ": {}: {advice}", kind.unwrap_or("no reason"))?;
                    }
                    Ok(())
                }
                _ => write!(f, "{automation} ended, nobody can say how"),
            },
            Self::SkillFailure(key, count) => {
                write!(f, "{} has failed {count} times in an hour", key.skill)
            }
            Self::NotNewer(Verdict::Stale) => f.write_str("a newer event came before it"),
            Self::NotNewer(verdict) => write!(f, "it is not the newest: {verdict:?}"),
            Self::Unknown => f.write_str("of a type that is not known here"),
        }
    }
}

fn role((verdict, effect): (Verdict, Option<RoleEffect>)) -> Vec<Effect> {
    match (verdict, effect) {
        (_, Some(effect)) => vec![Effect::Role(effect)],
        (Verdict::Applied | Verdict::AppliedByTieBreak, None) => Vec::new(),
        (verdict, None) => vec![Effect::NotNewer(verdict)],
    }
}
