//! Many units, and the activations that came before anyone knew their unit (specification section 9.1).

use alloc::{borrow::ToOwned as _, collections::BTreeMap, string::String};
use core::{num::NonZeroUsize, time::Duration};

use iot_sansio::MonoTime;

use super::{
    ActiveUnit, Blocked, Evidence, GateError, Level, Operation, Permit, Unclear, UnitState,
};
use crate::{UnitId, event::Activation, extract::Harvest};

/// The units of an organization, each with what may be done with it now.
///
/// ```text
///               created                 activation event, or a gated call succeeds
///  (nothing) ────────────► Created ──────────────────────────────────────────────► Active
///      │                      │                                                      │
///      │ activation event     └──────────────► Deleted ◄─────────────────────────────┘
///      └───► parked for 10 minutes, until it is created      delete succeeded
/// ```
///
/// While a unit is being created it has no ID yet, so there is nothing to ask about; the activation may overtake the
/// answer and is parked. Duplicates and the order of events of different units change nothing.
///
/// ```
/// use iot_sansio::MonoTime;
/// use smart_properties::{Event, UnitId, event::Body};
/// use smart_properties::gate::{Blocked, Level, Operation, Permit, UnitEffect, Units};
///
/// let mut units = Units::default();
/// let now = MonoTime::ORIGIN;
/// let property = UnitId::new("amzn1.alexa.unit.did.PROP1")?;
/// units.created(now, &property, Level::Property)?;
/// let blocked = Permit::Blocked(Blocked::UnitInactive);
/// assert_eq!(units.permits(&property, Operation::CreateChild), blocked);
///
/// let event = Event::decode(br#"{"header":{"version":"2.0","eventId":{"id":"a-1"},
///     "eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"},
///     "entities":{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.PROP1"}}},"payload":{}}"#)?;
/// let Body::Activation(activation) = event.body() else { unreachable!() };
/// let effect = units.activated(now, &activation, event.id())?;
/// assert!(matches!(effect, Some(UnitEffect::Unblocked(unit)) if unit.id() == &property));
/// assert_eq!(units.permits(&property, Operation::CreateChild), Permit::Allowed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Units {
    config: UnitsConfig,
    now: MonoTime,
    units: BTreeMap<UnitId<'static>, Unit>,
    aliases: BTreeMap<UnitId<'static>, UnitId<'static>>,
    parked: BTreeMap<UnitId<'static>, Parked>,
    ignored: u64,
}

/// How much [`Units`] keep, and what they believe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitsConfig {
    capacity: NonZeroUsize,
    harvest: Harvest,
}

/// What follows from what units were told.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnitEffect {
    /// What was blocked on this unit may be done now.
    Unblocked(ActiveUnit),
    /// An activation names a unit that is not known. It is parked; if the unit goes by another ID here, get the unit and
    /// register the [`alias`](Units::alias).
    UnmatchedUnit(UnitId<'static>),
    /// The unit is still not active: no source says how long to wait, so ask, or try.
    PollSuggested(UnitId<'static>),
    /// Who creates a unit becomes its administrator some seconds later: try once more.
    RetryOnce(UnitId<'static>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Unit {
    level: Level,
    state: UnitState,
    /// Whether the one retry after a refusal was spent.
    retried: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Parked {
    at: MonoTime,
    event_id: String,
}

impl Units {
    /// No unit is known.
    #[must_use]
    pub const fn new(config: UnitsConfig) -> Self {
        Self {
            config,
            now: MonoTime::ORIGIN,
            units: BTreeMap::new(),
            aliases: BTreeMap::new(),
            parked: BTreeMap::new(),
            ignored: 0,
        }
    }

    /// A unit was created (201), or is known to exist. One that is known already stays as it is.
    ///
    /// # Errors
    /// [`GateError::Full`]; an activation that was parked for it stays parked.
    pub fn created(
        &mut self,
        now: MonoTime,
        unit: &UnitId<'_>,
        level: Level,
    ) -> Result<Option<UnitEffect>, GateError> {
        let unit = self.canonical(unit);
        if self.units.contains_key(&unit) {
            return Ok(None);
        }
        self.has_room(self.units.len())?;
        self.advance(now);
        let created = Unit { level, state: UnitState::Created, retried: false };
        self.units.insert(unit.clone(), created);
        Ok(self.unpark(&unit.clone(), &unit))
    }

    /// An activation event came, with this `eventId`.
    ///
    /// # Errors
    /// [`GateError::Id`] where the event does not say for certain which unit it is about.
    pub fn activated(
        &mut self,
        now: MonoTime,
        activation: &Activation<'_>,
        event_id: &str,
    ) -> Result<Option<UnitEffect>, GateError> {
        let named = activation.unit.accept(self.config.harvest)?.borrowed().into_owned();
        self.advance(now);
        let unit = self.canonical(&named);
        if self.units.contains_key(&unit) {
            return Ok(self.activate(&unit, Evidence::Event(event_id.to_owned())));
        }
        self.park(named.clone(), event_id);
        Ok(Some(UnitEffect::UnmatchedUnit(named)))
    }

    /// A call succeeded on a unit: [`Operation::Delete`] deletes it, a gated operation shows that it is active.
    pub fn succeeded(&mut self, unit: &UnitId<'_>, operation: Operation) -> Option<UnitEffect> {
        let unit = self.canonical(unit);
        if operation == Operation::Delete {
            self.units.get_mut(&unit)?.state = UnitState::Deleted;
            return None;
        }
        let shown = operation.is_gated();
        shown.then(|| self.activate(&unit, Evidence::ObservedSuccess(operation))).flatten()
    }

    /// The caller knows that a unit is active.
    pub fn set_active(&mut self, unit: &UnitId<'_>) -> Option<UnitEffect> {
        let unit = self.canonical(unit);
        self.activate(&unit, Evidence::Override)
    }

    /// A call on a unit was refused with 403. Once after its activation it is worth another try.
    pub fn forbidden(&mut self, unit: &UnitId<'_>) -> Option<UnitEffect> {
        let unit = self.canonical(unit);
        let known = self.units.get_mut(&unit)?;
        let active = matches!(known.state, UnitState::Active { .. });
        (active && !core::mem::replace(&mut known.retried, true))
            .then_some(UnitEffect::RetryOnce(unit))
    }

    /// The caller has waited for the activation of a unit as long as it cares to.
    #[must_use]
    pub fn waited(&self, unit: &UnitId<'_>) -> Option<UnitEffect> {
        let unit = self.canonical(unit);
        let waiting = self.units.get(&unit)?.state == UnitState::Created;
        waiting.then_some(UnitEffect::PollSuggested(unit))
    }

    /// Another ID of a known unit, as another client of Alexa has it. What was parked under it counts for the unit.
    ///
    /// # Errors
    /// [`GateError::Full`] where there are as many aliases as units may be.
    pub fn alias(
        &mut self,
        now: MonoTime,
        alias: &UnitId<'_>,
        unit: &UnitId<'_>,
    ) -> Result<Option<UnitEffect>, GateError> {
        let (alias, unit) = (alias.borrowed().into_owned(), self.canonical(unit));
        if self.units.contains_key(&alias) || !self.units.contains_key(&unit) {
            return Ok(None);
        }
        if !self.aliases.contains_key(&alias) {
            self.has_room(self.aliases.len())?;
        }
        self.advance(now);
        self.aliases.insert(alias.clone(), unit.clone());
        Ok(self.unpark(&alias, &unit))
    }

    /// Forgets a unit and its aliases.
    pub fn forget(&mut self, unit: &UnitId<'_>) {
        let unit = self.canonical(unit);
        self.units.remove(&unit);
        self.aliases.retain(|_, of| *of != unit);
    }

    /// Whether an operation may be done on a unit now.
    pub fn permits(&self, unit: &UnitId<'_>, operation: Operation) -> Permit {
        match self.units.get(&self.canonical(unit)) {
            Some(unit) => unit.state.permits(unit.level, operation),
            None => Permit::Unknown(Unclear::NotSeen),
        }
    }

    /// How far a unit is; none where it is not known.
    #[must_use]
    pub fn state(&self, unit: &UnitId<'_>) -> Option<&UnitState> {
        self.units.get(&self.canonical(unit)).map(|unit| &unit.state)
    }

    /// The proof that a unit is active, which the calls take that are blocked before.
    ///
    /// # Errors
    /// Why it is not: blocked, or not known.
    pub fn active(&self, unit: &UnitId<'_>) -> Result<ActiveUnit, Permit> {
        let unit = self.canonical(unit);
        match self.units.get(&unit).map(|unit| &unit.state) {
            Some(UnitState::Active { .. }) => Ok(ActiveUnit::new(unit)),
            Some(UnitState::Created) => Err(Permit::Blocked(Blocked::UnitInactive)),
            Some(UnitState::Deleted) => Err(Permit::Blocked(Blocked::Deleted)),
            None => Err(Permit::Unknown(Unclear::NotSeen)),
        }
    }

    /// How many events came for units that were deleted.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// How many activations are parked.
    #[must_use]
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    fn activate(&mut self, unit: &UnitId<'static>, evidence: Evidence) -> Option<UnitEffect> {
        let known = self.units.get_mut(unit)?;
        match known.state {
            UnitState::Created => {
                known.state = UnitState::Active { evidence };
                Some(UnitEffect::Unblocked(ActiveUnit::new(unit.clone())))
            }
            UnitState::Active { .. } => None,
            UnitState::Deleted => {
                let is_event = matches!(evidence, Evidence::Event(_));
                self.ignored = self.ignored.saturating_add(is_event.into());
                None
            }
        }
    }

    /// Where there are too many, the oldest makes room.
    fn park(&mut self, unit: UnitId<'static>, event_id: &str) {
        if self.parked.len() >= MAX_PARKED && !self.parked.contains_key(&unit) {
            let oldest = self.parked.iter().min_by_key(|(_, parked)| parked.at);
            if let Some(oldest) = oldest.map(|(unit, _)| unit.clone()) {
                self.parked.remove(&oldest);
            }
        }
        self.parked.insert(unit, Parked { at: self.now, event_id: event_id.to_owned() });
    }

    fn unpark(&mut self, named: &UnitId<'static>, unit: &UnitId<'static>) -> Option<UnitEffect> {
        let parked = self.parked.remove(named)?;
        self.activate(unit, Evidence::Event(parked.event_id))
    }

    fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        let now = self.now;
        self.parked.retain(|_, parked| now.since(parked.at) <= PARKED_FOR);
    }

    /// The ID that a unit goes by here.
    fn canonical(&self, unit: &UnitId<'_>) -> UnitId<'static> {
        let unit = unit.borrowed().into_owned();
        self.aliases.get(&unit).cloned().unwrap_or(unit)
    }

    fn has_room(&self, used: usize) -> Result<(), GateError> {
        let limit = self.config.capacity.get();
        if used < limit { Ok(()) } else { Err(GateError::Full { limit }) }
    }
}

impl Default for Units {
    fn default() -> Self {
        Self::new(UnitsConfig::default())
    }
}

impl UnitsConfig {
    /// Room for this many units, the deleted ones that were not forgotten among them, and for as many aliases.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether a unit counts that an event names where no table says it would.
    #[must_use]
    pub const fn with_harvest(mut self, harvest: Harvest) -> Self {
        self.harvest = harvest;
        self
    }
}

impl Default for UnitsConfig {
    fn default() -> Self {
        Self { capacity: super::DEFAULT_CAPACITY, harvest: Harvest::Refuse }
    }
}

const MAX_PARKED: usize = 1024;
const PARKED_FOR: Duration = Duration::from_secs(600);
