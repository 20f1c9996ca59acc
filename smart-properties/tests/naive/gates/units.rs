//! Units as lists of names that mean the same, gone through for every question.

use smart_properties::gate::{Blocked, Level, Operation, Permit, Unclear};

use super::names::NAMES;

/// Which unit: an alias of one is a number as well.
pub(crate) type Name = u8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Every name is in one of them.
    all: Vec<Unit>,
    ignored: u64,
}

/// What is known of one unit, or of one that may come.
#[derive(Clone, Debug, Default)]
struct Unit {
    /// The one that it goes by is the first.
    names: Vec<Name>,
    known: Option<(Level, State)>,
    retried: bool,
    /// When an activation came for it, while it is not known.
    activated: Option<u64>,
}

impl Units {
    pub(crate) fn new(capacity: usize) -> Self {
        let all = (0..NAMES).map(Unit::of).collect();
        Self { capacity, now: 0, all, ignored: 0 }
    }

    pub(crate) fn created(&mut self, now: u64, named: Name, level: Level) -> Effect {
        if self.state(named).is_some() {
            return Effect::Nothing;
        }
        if self.known() >= self.capacity {
            return Effect::Full;
        }
        self.pass(now);
        let unit = self.unit(named);
        unit.known = Some((level, State::Created));
        match unit.activated.take() {
            Some(_) => unit.activate(),
            None => Effect::Nothing,
        }
    }

    pub(crate) fn activated(&mut self, now: u64, named: Name) -> Effect {
        self.pass(now);
        let now = self.now;
        let unit = self.unit(named);
        match unit.known {
            None => {
                unit.activated = Some(now);
                Effect::Unmatched(named)
            }
            Some((_, State::Deleted)) => {
                self.ignored += 1;
                Effect::Nothing
            }
            Some(_) => unit.activate(),
        }
    }

    pub(crate) fn shown(&mut self, named: Name) -> Effect {
        self.unit(named).activate()
    }

    pub(crate) fn deleted(&mut self, named: Name) {
        if let Some((_, state)) = &mut self.unit(named).known {
            *state = State::Deleted;
        }
    }

    /// Whether it is worth another try.
    pub(crate) fn forbidden(&mut self, named: Name) -> bool {
        let fresh = self.is_active(named) && !self.unit(named).retried;
        self.unit(named).retried |= fresh;
        fresh
    }

    pub(crate) fn alias(&mut self, now: u64, one: Name, other: Name) -> Effect {
        if self.canonical(one) == self.canonical(other) {
            return Effect::Nothing;
        }
        if self.all.iter().map(|unit| unit.names.len() - 1).sum::<usize>() >= self.capacity {
            return Effect::Full;
        }
        self.pass(now);
        let at = self.all.iter().position(|unit| unit.names.contains(&one)).expect("in one");
        let gone = self.all.remove(at);
        let unit = self.unit(other);
        // A unit that is known goes by its own name.
        let keeps = unit.known.is_some() || gone.known.is_none();
        let (first, second) = if keeps { (unit.clone(), gone) } else { (gone, unit.clone()) };
        let level = first.known.or(second.known).map(|(level, _)| level);
        let state = first.known.map(|(_, state)| state).max(second.known.map(|(_, state)| state));
        *unit = Unit {
            names: [first.names, second.names].concat(),
            known: level.zip(state),
            retried: first.retried || second.retried,
            activated: first.activated.or(second.activated),
        };
        match (unit.known, unit.activated) {
            (Some((_, State::Deleted)), Some(_)) => {
                unit.activated = None;
                self.ignored += 1;
            }
            (Some(_), Some(_)) => {
                unit.activated = None;
                let _ = unit.activate();
            }
            _ => {}
        }
        if self.is_active(other) {
            Effect::Unblocked(self.canonical(other))
        } else {
            Effect::Nothing
        }
    }

    pub(crate) fn forget(&mut self, named: Name) {
        let unit = self.unit(named);
        let aliases = unit.names.split_off(1);
        // An activation that waits goes on waiting for the name that it waits for.
        *unit = Unit { activated: unit.activated, ..Unit::of(unit.names[0]) };
        self.all.extend(aliases.into_iter().map(Unit::of));
    }

    /// The number of units, the deleted ones among them.
    pub(crate) fn known(&self) -> usize {
        self.all.iter().filter(|unit| unit.known.is_some()).count()
    }

    /// How many activations wait for their unit.
    pub(crate) fn parked(&self) -> usize {
        self.all.iter().filter(|unit| unit.activated.is_some()).count()
    }

    /// How many events came for units that were deleted.
    pub(crate) const fn ignored(&self) -> u64 {
        self.ignored
    }

    pub(crate) fn canonical(&self, name: Name) -> Name {
        self.find(name).names[0]
    }

    /// By any of its names; none where it is not known.
    pub(crate) fn state(&self, name: Name) -> Option<State> {
        self.find(name).known.map(|(_, state)| state)
    }

    pub(crate) fn is_active(&self, name: Name) -> bool {
        self.state(name) == Some(State::Active)
    }

    /// The table of specification section 9.1.
    pub(crate) fn permits(&self, name: Name, operation: Operation) -> Permit {
        let Some((level, state)) = self.find(name).known else {
            return Permit::Unknown(Unclear::NotSeen);
        };
        let is_property = level == Level::Property;
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

    fn find(&self, name: Name) -> &Unit {
        self.all.iter().find(|unit| unit.names.contains(&name)).expect("every name is in one")
    }

    fn unit(&mut self, name: Name) -> &mut Unit {
        self.all.iter_mut().find(|unit| unit.names.contains(&name)).expect("every name is in one")
    }

    fn pass(&mut self, now: u64) {
        self.now = self.now.max(now);
        for unit in &mut self.all {
            unit.activated = unit.activated.filter(|at| self.now - at <= TEN_MINUTES);
        }
    }
}

impl Unit {
    fn of(name: Name) -> Self {
        Self { names: vec![name], ..Self::default() }
    }

    fn activate(&mut self) -> Effect {
        match &mut self.known {
            Some((_, state @ State::Created)) => {
                *state = State::Active;
                Effect::Unblocked(self.names[0])
            }
            _ => Effect::Nothing,
        }
    }
}

/// In milliseconds.
const TEN_MINUTES: u64 = 600_000;
