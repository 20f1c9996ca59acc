//! What really happened, kept in the simplest way.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use iot_sansio::UnixMillis;
use smart_properties::{
    AutomationId, EndpointId, PrincipalId, RoleId, SkillId, UnitId,
    gate::{
        Automations, Blocked, DeviceState, Devices, Outcome, Permit, RoleExtent, RoleKey, Roles,
        Unclear, UnitState, Units,
    },
    service::Occurrence,
};

pub(super) const ROOMS: usize = 6;
pub(super) const ROLES: usize = 5;
pub(super) const AUTOMATIONS: usize = 5;
pub(super) const DEVICES: usize = 6;

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    Active(usize),
    Role(usize, bool),
    Automation(usize, bool),
    SetUp(usize),
    SkillFailed,
    /// No event: somebody else's text, which imitates members of an envelope.
    Text,
}

/// Which facts stand against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Active(usize),
    Role(usize),
    Automation(usize),
    SetUp(usize),
    None,
}

impl Fact {
    pub(super) fn random(rng: &mut Rng) -> Self {
        match rng.u8(0..12) {
            0..=1 => Self::Active(rng.usize(..ROOMS)),
            2..=5 => Self::Role(rng.usize(..ROLES), rng.bool()),
            6..=8 => Self::Automation(rng.usize(..AUTOMATIONS), rng.bool()),
            9 => Self::SetUp(rng.usize(..DEVICES)),
            10 => Self::SkillFailed,
            _ => Self::Text,
        }
    }

    fn key(self) -> Key {
        match self {
            Self::Active(room) => Key::Active(room),
            Self::Role(role, _) => Key::Role(role),
            Self::Automation(automation, _) => Key::Automation(automation),
            Self::SetUp(device) => Key::SetUp(device),
            Self::SkillFailed | Self::Text => Key::None,
        }
    }

    /// What is published of it.
    pub(super) fn text(self, id: &str, at: UnixMillis) -> String {
        let seconds = at.get().div_euclid(1_000).rem_euclid(86_400);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        // No run takes longer than its first day.
        let timestamp = format!("2024-05-01T{hour:02}:{minute:02}:{second:02}Z");
        let it = Occurrence::new(id, &timestamp);
        let text = match self {
            Self::Active(number) => it.activation(&room(number), None),
            Self::Role(number, assigned) => {
                let (role, principal) = (role(), principal(number));
                match assigned {
                    true => it.assignment(&role, &principal, &room(0)),
                    false => it.revocation(&role, &principal, &room(0)),
                }
            }
            Self::Automation(number, true) => it.success(&room(0), &automation(number)),
            Self::Automation(number, false) => {
                it.failure(&room(0), &automation(number), &device(0))
            }
            Self::SetUp(number) => it.setup_completion(&device(number)),
            Self::SkillFailed => it.skill_failure(&room(0), &skill(), "TIMEOUT_LIKE"),
            Self::Text => {
                let lines = "MessageId\nbbbbbbbb-000b-5000-8000-00000000000b\nSubject\nz";
                return format!("{id}\n{lines}");
            }
        };
        text.unwrap()
    }
}

/// What happened, by the text that was published of it.
#[derive(Debug, Default)]
pub(super) struct Truth {
    events: BTreeMap<String, Happened>,
    /// Which facts are told apart by the second they happened in alone, and which by the time of their message also.
    seconds: BTreeMap<(Key, i64), bool>,
}

#[derive(Clone, Copy, Debug)]
struct Happened {
    fact: Fact,
    event_second: i64,
    published: UnixMillis,
}

impl Truth {
    /// Takes notice of an event. False where it could not be told from another one: it must not be published then.
    pub(super) fn happened(
        &mut self,
        fact: Fact,
        at: UnixMillis,
        published: UnixMillis,
        again: bool,
    ) -> bool {
        let key = fact.key();
        let event_second = at.get().div_euclid(1_000);
        if key != Key::None {
            let known = self.seconds.get(&(key, event_second)).copied();
            let same_time = self.events.values().any(|it| {
                it.fact.key() == key && it.event_second == event_second && it.published == published
            });
            // What is published again has two times of its own, so it must be alone in its second.
            if known == Some(true) || (again && known.is_some()) || same_time {
                return false;
            }
            self.seconds.insert((key, event_second), again);
        }
        true
    }

    pub(super) fn add(&mut self, text: String, fact: Fact, at: UnixMillis, published: UnixMillis) {
        let event_second = at.get().div_euclid(1_000);
        self.events.insert(text, Happened { fact, event_second, published });
    }

    pub(super) fn is_true(&self, text: &str) -> bool {
        self.events.contains_key(text)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.events.keys().map(String::as_str)
    }

    /// Checks that gates which were told these events, in whatever order, say what they amount to.
    pub(super) fn check(&self, told: &BTreeSet<String>, gates: &super::receiver::Gates) -> usize {
        let mut last: BTreeMap<Key, Happened> = BTreeMap::new();
        for (_, it) in self.events.iter().filter(|(text, _)| told.contains(*text)) {
            let newest = last.entry(it.fact.key()).or_insert(*it);
            if (it.event_second, it.published) > (newest.event_second, newest.published) {
                *newest = *it;
            }
        }
        let fact = |key| last.get(&key).map(|it| it.fact);
        let mut active = 0;
        for number in 0..ROOMS {
            let expected = fact(Key::Active(number)).is_some();
            active += usize::from(expected);
            assert_eq!(is_active(&gates.units, number), expected, "room {number}");
        }
        for number in 0..ROLES {
            let expected = match fact(Key::Role(number)) {
                Some(Fact::Role(_, true)) => Permit::Allowed,
                Some(_) => Permit::Blocked(Blocked::Revoked),
                None => Permit::Unknown(Unclear::NotSeen),
            };
            for scope in [RoleExtent::Unit, RoleExtent::SubUnits] {
                assert_eq!(permit(&gates.roles, number, scope), expected, "role {number}");
            }
        }
        for number in 0..AUTOMATIONS {
            let expected = fact(Key::Automation(number));
            assert_eq!(outcome(&gates.automations, number), expected, "automation {number}");
        }
        for number in 0..DEVICES {
            let expected = fact(Key::SetUp(number)).is_some();
            assert_eq!(is_set_up(&gates.devices, number), expected, "device {number}");
        }
        active
    }
}

fn is_active(units: &Units, number: usize) -> bool {
    matches!(units.state(&room(number)), Some(UnitState::Active { .. }))
}

fn permit(roles: &Roles, number: usize, scope: RoleExtent) -> Permit {
    roles.may_act(&RoleKey::new(&role(), &principal(number), &room(0)), scope)
}

fn outcome(automations: &Automations, number: usize) -> Option<Fact> {
    automations.outcome(&automation(number)).map(|outcome| match outcome {
        Outcome::Succeeded => Fact::Automation(number, true),
        Outcome::Failed { errors, .. } if errors.len() == 1 => Fact::Automation(number, false),
        other => panic!("{other:?}"),
    })
}

fn is_set_up(devices: &Devices, number: usize) -> bool {
    matches!(devices.state(&device(number)), Some(DeviceState::SetUp))
}

pub(super) fn room(number: usize) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.ROOM{number}")).unwrap()
}

fn device(number: usize) -> EndpointId<'static> {
    EndpointId::new(format!("amzn1.alexa.endpoint.EP{number}")).unwrap()
}

fn automation(number: usize) -> AutomationId<'static> {
    AutomationId::new(format!("amzn1.alexa.automation.AUTO{number}")).unwrap()
}

fn principal(number: usize) -> PrincipalId<'static> {
    PrincipalId::new(format!("amzn1.account.P{number}")).unwrap()
}

fn role() -> RoleId<'static> {
    RoleId::new("amzn1.alexa.role.did.R1").unwrap()
}

fn skill() -> SkillId<'static> {
    SkillId::new("amzn1.ask.skill.11111111-2222-4333-8444-555555555555").unwrap()
}
