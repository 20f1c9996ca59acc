//! Devices, each with a list of what happened to it.

use smart_properties::{
    gate::{Blocked, Permit, Unclear},
    order::Verdict,
};

use super::{
    newest::{Published, verdict},
    units::{self, Units},
};

pub(crate) type Name = u8;

#[derive(Clone, Copy, Debug)]
enum Fact {
    /// Whether it was newer than the setups before.
    SetUp {
        newer: bool,
    },
    Target(units::Name),
    Began(units::Name),
    Associated,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Unseen,
    SetUp,
    Associating(units::Name),
    Associated(units::Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Ready(Name),
    Associate(Name, units::Name),
    Renamed(Name, Name),
    KeepPowered,
    ApplySettings(Name),
    RetryLater(Name),
    NeedsAttention(Name),
    SetUpAgain(Name),
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

#[derive(Clone, Debug)]
pub(crate) struct Devices {
    capacity: usize,
    all: Vec<Device>,
}

#[derive(Clone, Debug)]
struct Device {
    name: Name,
    former: Option<Name>,
    facts: Vec<Fact>,
    setups: Vec<Published>,
}

/// How far a device is, and whether it was set up anew since it was associated.
struct Now {
    state: State,
    target: Option<units::Name>,
    reset: bool,
}

impl Devices {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, all: Vec::new() }
    }

    pub(crate) fn set_up(
        &mut self,
        named: Name,
        published: Published,
        units: &Units,
    ) -> Result<Vec<Effect>, Full> {
        let device = self.entry(named)?;
        let before = device.now();
        let verdict = verdict(&device.setups, published);
        let newer = matches!(verdict, Verdict::Applied | Verdict::AppliedByTieBreak);
        device.setups.push(published);
        device.facts.push(Fact::SetUp { newer });
        Ok(match before.state {
            State::Unseen => {
                let ready = Effect::Ready(device.name);
                core::iter::once(ready).chain(device.associate(units)).collect()
            }
            State::Associated(_) if newer => vec![Effect::SetUpAgain(device.name)],
            _ => Vec::new(),
        })
    }

    pub(crate) fn set_target(
        &mut self,
        named: Name,
        unit: units::Name,
        units: &Units,
    ) -> Result<Option<Effect>, Full> {
        let device = self.entry(named)?;
        device.facts.push(Fact::Target(unit));
        Ok(device.associate(units))
    }

    pub(crate) fn unblocked(&mut self, unit: units::Name) -> Vec<Effect> {
        self.all.sort_by_key(|device| device.name);
        let waits = |device: &&mut Device| {
            let Now { state, target, .. } = device.now();
            state == State::SetUp && target == Some(unit)
        };
        let waiting = self.all.iter_mut().filter(waits);
        waiting.map(|device| device.begin(unit)).collect()
    }

    pub(crate) fn associated(&mut self, named: Name, answered: Name) -> Vec<Effect> {
        let Some(at) = self.find(named) else { return Vec::new() };
        if !matches!(self.all[at].now().state, State::Associating(_)) {
            return Vec::new();
        }
        let old = self.all[at].name;
        self.all[at].facts.push(Fact::Associated);
        let mut effects = vec![Effect::KeepPowered, Effect::ApplySettings(answered)];
        if old != answered {
            self.all[at].name = answered;
            self.all[at].former = Some(old);
            effects.insert(0, Effect::Renamed(old, answered));
            // Whatever else goes or went by that name is this device.
            for device in &mut self.all {
                device.former = device.former.filter(|former| *former != answered);
            }
            let mut place = 0;
            self.all.retain(|device| {
                place += 1;
                place - 1 == at || device.name != answered
            });
        }
        effects
    }

    pub(crate) fn failed(&mut self, named: Name, status: Option<u16>) -> Option<Effect> {
        let at = self.find(named)?;
        let device = &mut self.all[at];
        if !matches!(device.now().state, State::Associating(_)) {
            return None;
        }
        device.facts.push(Fact::Failed);
        let later = status.is_none_or(|status| status == 408 || status == 429 || status >= 500);
        let effect = if later { Effect::RetryLater } else { Effect::NeedsAttention };
        Some(effect(device.name))
    }

    pub(crate) fn retry(&mut self, named: Name, units: &Units) -> Option<Effect> {
        let at = self.find(named)?;
        self.all[at].associate(units)
    }

    pub(crate) fn forget(&mut self, named: Name) {
        let name = self.current(named);
        self.all.retain(|device| device.name != name);
    }

    pub(crate) fn current(&self, named: Name) -> Name {
        let renamed = self.all.iter().find(|device| device.former == Some(named));
        renamed.map_or(named, |device| device.name)
    }

    pub(crate) fn state(&self, named: Name) -> Option<State> {
        self.find(named).map(|at| self.all[at].now().state)
    }

    pub(crate) fn permits(&self, named: Name, units: &Units) -> Permit {
        let now = self.find(named).map(|at| self.all[at].now());
        match now.map(|now| (now.state, now.target)) {
            None | Some((State::Unseen, _)) => Permit::Blocked(Blocked::NotSetUp),
            Some((State::Associating(_), _)) => Permit::Blocked(Blocked::Associating),
            Some((State::Associated(_), _)) => Permit::Blocked(Blocked::Associated),
            Some((State::SetUp, None)) => Permit::Blocked(Blocked::NoTarget),
            Some((State::SetUp, Some(unit))) => match units.state(unit) {
                Some(units::State::Active) => Permit::Allowed,
                Some(units::State::Created) => Permit::Blocked(Blocked::UnitInactive),
                Some(units::State::Deleted) => Permit::Blocked(Blocked::Deleted),
                None => Permit::Unknown(Unclear::NotSeen),
            },
        }
    }

    fn find(&self, named: Name) -> Option<usize> {
        let name = self.current(named);
        self.all.iter().position(|device| device.name == name)
    }

    fn entry(&mut self, named: Name) -> Result<&mut Device, Full> {
        let at = match self.find(named) {
            Some(at) => at,
            None if self.all.len() >= self.capacity => return Err(Full),
            None => {
                let (facts, setups) = (Vec::new(), Vec::new());
                self.all.push(Device { name: named, former: None, facts, setups });
                self.all.len() - 1
            }
        };
        Ok(&mut self.all[at])
    }
}

impl Device {
    fn now(&self) -> Now {
        let mut now = Now { state: State::Unseen, target: None, reset: false };
        for fact in &self.facts {
            match (*fact, now.state) {
                (Fact::SetUp { .. }, State::Unseen) => now.state = State::SetUp,
                (Fact::SetUp { newer }, State::Associated(_)) => now.reset |= newer,
                (Fact::SetUp { .. }, _) => {}
                (Fact::Target(unit), State::Associated(has)) => {
                    now.target = Some(unit);
                    if unit != has || now.reset {
                        now.state = State::SetUp;
                    }
                }
                (Fact::Target(unit), _) => now.target = Some(unit),
                (Fact::Began(unit), _) => now.state = State::Associating(unit),
                (Fact::Associated, State::Associating(unit)) => {
                    now.state = State::Associated(unit);
                    now.reset = false;
                }
                (Fact::Associated, _) => unreachable!("only what is under way can succeed"),
                (Fact::Failed, _) => now.state = State::SetUp,
            }
        }
        now
    }

    fn associate(&mut self, units: &Units) -> Option<Effect> {
        let Now { state, target, .. } = self.now();
        let unit = target.filter(|unit| state == State::SetUp && units.is_active(*unit))?;
        Some(self.begin(units.canonical(unit)))
    }

    fn begin(&mut self, unit: units::Name) -> Effect {
        self.facts.push(Fact::Began(unit));
        Effect::Associate(self.name, unit)
    }
}
