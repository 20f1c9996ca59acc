//! Skill failures, counted (specification section 9.4): they open nothing and feed alarms.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
};
use core::time::Duration;

use super::{GateConfig, GateError};
use crate::{
    Instant, SkillId, UnitId,
    event::{Reason, SkillFailure},
};

/// How often each skill failed in each unit, by the times of the events.
///
/// An event may come ten minutes after the failure ([`DELIVERED_WITHIN`](Self::DELIVERED_WITHIN)), so silence in the last
/// ten minutes proves nothing. Duplicates and order change nothing.
///
/// ```
/// use smart_properties::{Event, Instant, event::Body, gate::{SkillFailures, FailureClass}};
///
/// let event = Event::decode(br#"{"header":{"version":"2.0","eventId":{"id":"s-1"},
///     "eventType":{"namespace":"Alexa.Skill.Interaction","name":"Failure"},
///     "eventTime":{"timestamp":"2024-05-01T10:07:00Z"},
///     "entities":{"skill":{"type":"Skill","id":"amzn1.ask.skill.11111111-2222-4333-8444-555555555555"}}},
///     "payload":{}}"#)?;
/// let Body::SkillFailure(failure) = event.body() else { unreachable!() };
/// let mut failures = SkillFailures::default();
/// let at = event.time().unwrap();
/// let key = failures.failed(&failure, at, event.id())?;
/// assert_eq!((failures.count(&key, at), key.class), (1, FailureClass::Unspecified));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SkillFailures {
    config: SkillFailuresConfig,
    failures: BTreeMap<SkillFailureKey, BTreeSet<(Instant, String)>>,
    /// The same, the oldest first.
    by_time: BTreeSet<(Instant, String, SkillFailureKey)>,
}

/// How much [`SkillFailures`] keep, and what the reasons mean.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SkillFailuresConfig {
    gate: GateConfig,
    window: Duration,
    classes: BTreeMap<String, FailureClass>,
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct SkillFailureKey {
    /// The skill.
    pub skill: SkillId<'static>,
    /// The unit, where the event says it.
    pub unit: Option<UnitId<'static>>,
    /// What kind of failure.
    pub class: FailureClass,
}

/// What kind of failure, in the words of the documentation. Which literals mean which is not known: see
/// [`SkillFailuresConfig::with_class`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// The skill did not answer in time.
    Timeout,
    /// It named a device that does not exist.
    EndpointMissing,
    /// It raised an exception.
    Exception,
    /// Its answer held invalid SSML.
    InvalidSsml,
    /// Its answer was invalid in another way.
    InvalidResponse,
    /// The event does not say, or in words that are not known.
    Unspecified,
}

impl SkillFailures {
    /// An event comes at most this long after the failure.
    pub const DELIVERED_WITHIN: Duration = Duration::from_secs(600);

    /// Nothing has failed.
    #[must_use]
    pub const fn new(config: SkillFailuresConfig) -> Self {
        Self { config, failures: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// A failure event came, about this moment and with this `eventId`. Where there is no room, the oldest of all goes.
    ///
    /// # Errors
    /// [`GateError::Id`] where the event does not say which skill it is about.
    pub fn failed(
        &mut self,
        failure: &SkillFailure<'_>,
        at: Instant,
        event_id: &str,
    ) -> Result<SkillFailureKey, GateError> {
        let harvest = self.config.gate.harvest;
        let key = SkillFailureKey {
            skill: failure.skill.accept(harvest)?.borrowed().into_owned(),
            unit: failure.unit.accept(harvest).ok().map(|unit| unit.borrowed().into_owned()),
            class: self.config.class(failure.reason.as_ref()),
        };
        let event_id = String::from(event_id);
        self.failures.entry(key.clone()).or_default().insert((at, event_id.clone()));
        self.by_time.insert((at, event_id, key.clone()));
        while self.by_time.len() > self.config.gate.capacity() {
            self.forget_oldest();
        }
        Ok(key)
    }

    /// How many failures there were in the window that ends at this moment, both ends included.
    #[must_use]
    pub fn count(&self, key: &SkillFailureKey, until: Instant) -> usize {
        let Some(failures) = self.failures.get(key) else { return 0 };
        let from = (until.before(self.config.window), String::new());
        failures.range(from..).take_while(|(at, _)| *at <= until).count()
    }

    /// Forgets what happened before this moment.
    pub fn forget_before(&mut self, moment: Instant) {
        while self.by_time.first().is_some_and(|(at, ..)| *at < moment) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((at, event_id, key)) = self.by_time.pop_first() else { return };
        if let Some(failures) = self.failures.get_mut(&key) {
            failures.remove(&(at, event_id));
            if failures.is_empty() {
                self.failures.remove(&key);
            }
        }
    }
}

impl Default for SkillFailures {
    fn default() -> Self {
        Self::new(SkillFailuresConfig::default())
    }
}

impl SkillFailuresConfig {
    /// How many are kept, and whether harvested identifiers count.
    #[must_use]
    pub const fn with_gate(mut self, gate: GateConfig) -> Self {
        self.gate = gate;
        self
    }

    /// How far back failures are counted.
    #[must_use]
    pub const fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// What a reason means, as seen in a live event.
    #[must_use]
    pub fn with_class(mut self, reason: impl Into<String>, class: FailureClass) -> Self {
        self.classes.insert(reason.into(), class);
        self
    }

    fn class(&self, reason: Option<&Reason<'_>>) -> FailureClass {
        let known = reason.and_then(|reason| self.classes.get(reason.as_str()));
        known.copied().unwrap_or(FailureClass::Unspecified)
    }
}

impl Default for SkillFailuresConfig {
    fn default() -> Self {
        Self {
            gate: GateConfig::default(),
            window: Duration::from_secs(3600),
            classes: BTreeMap::new(),
        }
    }
}
