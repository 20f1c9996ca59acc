//! Units, read out of their whole history for every question.

use smart_properties::gate::{Blocked, Level, Operation, Permit, Unclear};

use super::names::NAMES;

/// Which unit: an alias of one is a number as well.
pub(crate) type Name = u8;

/// What units were told and took notice of. Names are those that units went by at the time; of an activation, the one in
/// the event.
#[derive(Clone, Debug)]
enum Fact {
    Created {
        unit: Name,
        level: Level,
        at: u64,
    },
    Activated {
        named: Name,
        at: u64,
    },
    /// A call has succeeded that needs an active unit, or the caller knows it.
    Shown(Name),
    Deleted(Name),
    Aliased {
        alias: Name,
        unit: Name,
        at: u64,
    },
    /// While it was active.
    Forbidden(Name),
    Forgotten(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Created,
    Active,
    Deleted,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Unblocked(Name),
    Unmatched(Name),
    Full,
}

#[derive(Clone, Debug)]
pub(crate) struct Units {
    capacity: usize,
    now: u64,
    facts: Vec<Fact>,
}

impl Units {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, now: 0, facts: Vec::new() }
    }

    pub(crate) fn created(&mut self, now: u64, named: Name, level: Level) -> Effect {
        let unit = self.canonical(named);
        if self.state(unit).is_some() {
            return Effect::Nothing;
        }
        if self.known() >= self.capacity {
            return Effect::Full;
        }
        self.now = self.now.max(now);
        self.tell(unit, Fact::Created { unit, level, at: self.now })
    }

    pub(crate) fn activated(&mut self, now: u64, named: Name) -> Effect {
        self.now = self.now.max(now);
        let unit = self.canonical(named);
        let fact = Fact::Activated { named, at: self.now };
        if self.state(unit).is_some() {
            return self.tell(unit, fact);
        }
        self.facts.push(fact);
        Effect::Unmatched(named)
    }

    pub(crate) fn shown(&mut self, named: Name) -> Effect {
        let unit = self.canonical(named);
        self.tell(unit, Fact::Shown(unit))
    }

    pub(crate) fn deleted(&mut self, named: Name) {
        let unit = self.canonical(named);
        self.facts.push(Fact::Deleted(unit));
    }

    /// Whether it is worth another try.
    pub(crate) fn forbidden(&mut self, named: Name) -> bool {
        let unit = self.canonical(named);
        let fresh = self.state(unit) == Some(State::Active)
            && !self
                .since_created(unit)
                .any(|(_, fact)| matches!(fact, Fact::Forbidden(one) if *one == unit));
        if fresh {
            self.facts.push(Fact::Forbidden(unit));
        }
        fresh
    }

    pub(crate) fn alias(&mut self, now: u64, alias: Name, named: Name) -> Effect {
        let unit = self.canonical(named);
        let is_unit = self.state_at(alias, self.facts.len()).is_some();
        if is_unit || self.state(unit).is_none() {
            return Effect::Nothing;
        }
        let aliases = (0..NAMES).filter(|name| self.canonical(*name) != *name).count();
        if self.canonical(alias) == alias && aliases >= self.capacity {
            return Effect::Full;
        }
        self.now = self.now.max(now);
        self.tell(unit, Fact::Aliased { alias, unit, at: self.now })
    }

    pub(crate) fn forget(&mut self, named: Name) {
        let unit = self.canonical(named);
        self.facts.push(Fact::Forgotten(unit));
    }

    /// The number of units, the deleted ones among them.
    pub(crate) fn known(&self) -> usize {
        (0..NAMES).filter(|name| self.state_at(*name, self.facts.len()).is_some()).count()
    }

    /// How many activations wait for their unit.
    pub(crate) fn parked(&self) -> usize {
        (0..NAMES).filter(|name| self.is_parked(*name, self.facts.len(), self.now)).count()
    }

    /// How many events came for units that were deleted.
    pub(crate) fn ignored(&self) -> u64 {
        let ignored = |&at: &usize| match self.facts[at] {
            Fact::Activated { named, .. } => {
                self.state_at(self.canonical_at(named, at), at) == Some(State::Deleted)
            }
            Fact::Aliased { alias, unit, at: time } => {
                self.state_at(unit, at) == Some(State::Deleted) && self.is_parked(alias, at, time)
            }
            _ => false,
        };
        (0..self.facts.len()).filter(ignored).count() as u64
    }

    pub(crate) fn canonical(&self, name: Name) -> Name {
        self.canonical_at(name, self.facts.len())
    }

    /// By any of its names; none where it is not known.
    pub(crate) fn state(&self, name: Name) -> Option<State> {
        self.state_at(self.canonical(name), self.facts.len())
    }

    pub(crate) fn is_active(&self, name: Name) -> bool {
        self.state(name) == Some(State::Active)
    }

    /// The table of specification section 9.1.
    pub(crate) fn permits(&self, name: Name, operation: Operation) -> Permit {
        let unit = self.canonical(name);
        let Some(state) = self.state(unit) else { return Permit::Unknown(Unclear::NotSeen) };
        let level = self.since_created(unit).find_map(|(_, fact)| match fact {
            Fact::Created { level, .. } => Some(*level),
            _ => None,
        });
        let is_property = level == Some(Level::Property);
        match operation {
            _ if state == State::Deleted => Permit::Blocked(Blocked::Deleted),
            Operation::EnableSubscription if state == State::Active => {
                Permit::Blocked(Blocked::OneSubscription)
            }
            _ if state == State::Active => Permit::Allowed,
            Operation::Read | Operation::ListChildren | Operation::Update | Operation::Delete => {
                Permit::Allowed
            }
            Operation::EnableSubscription if !is_property => Permit::Blocked(Blocked::Inherited),
            Operation::EnableSubscription => Permit::Allowed,
            Operation::ManageRoles if is_property => Permit::Allowed,
            Operation::EnableSkill | Operation::CreateChild | Operation::AssociateDevice => {
                Permit::Blocked(Blocked::UnitInactive)
            }
            _ => Permit::Unknown(Unclear::Undocumented),
        }
    }

    /// Whether this makes the unit active.
    fn tell(&mut self, unit: Name, fact: Fact) -> Effect {
        let before = self.state(unit);
        self.facts.push(fact);
        if before != Some(State::Active) && self.state(unit) == Some(State::Active) {
            return Effect::Unblocked(unit);
        }
        Effect::Nothing
    }

    /// What was told from the creation of a unit on, with its place in the history.
    fn since_created(&self, unit: Name) -> impl Iterator<Item = (usize, &Fact)> {
        let is_created =
            |fact: &Fact| matches!(fact, Fact::Created { unit: one, .. } if *one == unit);
        let from = self.facts.iter().rposition(is_created).unwrap_or(self.facts.len());
        self.facts.iter().enumerate().skip(from)
    }

    /// By the first so many facts.
    fn canonical_at(&self, name: Name, count: usize) -> Name {
        let mut unit = name;
        for fact in &self.facts[..count] {
            match fact {
                Fact::Aliased { alias, unit: of, .. } if *alias == name => unit = *of,
                Fact::Forgotten(one) if *one == unit => unit = name,
                _ => {}
            }
        }
        unit
    }

    fn state_at(&self, unit: Name, count: usize) -> Option<State> {
        let mut state = None;
        for (place, fact) in self.facts[..count].iter().enumerate() {
            let says_active = match fact {
                Fact::Created { unit: one, at, .. } if *one == unit => {
                    state = Some(State::Created);
                    self.is_parked(unit, place, *at)
                }
                Fact::Aliased { alias, unit: one, at } if *one == unit => {
                    self.is_parked(*alias, place, *at)
                }
                Fact::Activated { named, .. } => self.canonical_at(*named, place) == unit,
                Fact::Shown(one) => *one == unit,
                Fact::Deleted(one) if *one == unit => {
                    state = state.map(|_| State::Deleted);
                    false
                }
                Fact::Forgotten(one) if *one == unit => {
                    state = None;
                    false
                }
                _ => false,
            };
            if says_active && state == Some(State::Created) {
                state = Some(State::Active);
            }
        }
        state
    }

    /// Whether an activation under this name waits for its unit, by the first so many facts and at this time.
    fn is_parked(&self, name: Name, count: usize, now: u64) -> bool {
        let takes = |fact: &Fact| match fact {
            Fact::Activated { named, .. } => *named == name,
            Fact::Created { unit, .. } => *unit == name,
            Fact::Aliased { alias, .. } => *alias == name,
            _ => false,
        };
        let last = self.facts[..count].iter().rposition(takes);
        last.is_some_and(|place| match self.facts[place] {
            Fact::Activated { at, .. } => {
                let unit = self.canonical_at(name, place);
                now - at <= TEN_MINUTES && self.state_at(unit, place).is_none()
            }
            _ => false,
        })
    }
}

/// In milliseconds.
const TEN_MINUTES: u64 = 600_000;
