//! Automations: how each ended the last time (specification section 9.3).

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::num::NonZeroUsize;

use super::GateError;
use crate::{
    AutomationId,
    event::{AutomationError, Completion, ErrorType, Status},
    extract::Harvest,
    order::{LastWriter, OrderKey, Verdict},
};

/// The last outcome of each automation.
///
/// An event names no run, so outcomes are told apart by automation and the time of the event alone. Duplicates and order
/// change nothing; of two that nothing tells apart the worse one stays.
///
/// ```
/// use smart_properties::{Event, event::Body, gate::{Advice, Automations, Outcome}, order::OrderKey};
///
/// let event = Event::decode(br#"{"header":{"version":"2.0","eventId":{"id":"e-1"},
///     "eventType":{"namespace":"Alexa.Automation.Execution","name":"Completion"}},
///     "payload":{"automation":{"id":"amzn1.alexa.automation.AUTO1"},"result":{"status":"FAILURE",
///     "errors":[{"type":"ENDPOINT_NOT_FOUND","message":"endpoint missing","id":"amzn1.alexa.endpoint.EP1"}]}}}"#)?;
/// let Body::Completion(completion) = event.body() else { unreachable!() };
/// let mut automations = Automations::default();
/// automations.completed(&completion, OrderKey::new(event.time(), None), event.id())?;
///
/// let automation = completion.automation.accept(Default::default())?;
/// let Some(Outcome::Failed { errors, .. }) = automations.outcome(automation) else { unreachable!() };
/// assert_eq!(Advice::of(&errors[0]), Advice::FixConfiguration { guessed: false });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Automations {
    config: AutomationsConfig,
    automations: BTreeMap<AutomationId<'static>, Automation>,
}

/// How many [`Automations`] are kept, and what they believe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AutomationsConfig {
    capacity: NonZeroUsize,
    harvest: Harvest,
    success: BTreeSet<String>,
}

/// How an automation ended. It says what was reported, not what state a device is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It was reported complete.
    Succeeded,
    /// There were failures.
    Failed {
        /// What went wrong, as far as the event says it.
        errors: Vec<AutomationError<'static>>,
        /// The event lists errors and yet does not call it a failure.
        contradiction: bool,
    },
    /// It has a status that is not known and no errors, or is not formed as documented.
    Indeterminate {
        /// The status, if there is one.
        status: Option<Status<'static>>,
    },
}

/// What to do about an error. There is no call that runs an automation again: what can be repeated is the call to the
/// device, or one waits for the next trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// The automation names something that does not exist: correct it.
    FixConfiguration {
        /// Whether that is a guess, from the name of an error that is not documented.
        guessed: bool,
    },
    /// It may work another time.
    MayRetry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Automation {
    last: LastWriter,
    outcome: Outcome,
}

impl Automations {
    /// No outcome is known.
    #[must_use]
    pub const fn new(config: AutomationsConfig) -> Self {
        Self { config, automations: BTreeMap::new() }
    }

    /// A completion event came, with this key and `eventId`.
    ///
    /// # Errors
    /// [`GateError::Id`] where the event does not say which automation it is about, and [`GateError::Full`].
    pub fn completed(
        &mut self,
        completion: &Completion<'_>,
        order: OrderKey,
        event_id: &str,
    ) -> Result<Verdict, GateError> {
        let id = completion.automation.accept(self.config.harvest)?.borrowed().into_owned();
        let outcome = self.config.outcome(completion);
        let limit = self.config.capacity.get();
        if !self.automations.contains_key(&id) && self.automations.len() >= limit {
            return Err(GateError::Full { limit });
        }
        let automation = self.automations.entry(id).or_insert_with(|| Automation {
            last: LastWriter::default(),
            outcome: outcome.clone(),
        });
        let was_tied = automation.last.is_tied();
        let verdict = automation.last.observe(order, event_id);
        let replaces = match verdict {
            Verdict::Applied | Verdict::AppliedByTieBreak => true,
            Verdict::Conflict => outcome.severity() > automation.outcome.severity(),
            // It has come in a message that is newer than the worse one.
            Verdict::Duplicate => was_tied && !automation.last.is_tied(),
            Verdict::Stale => false,
        };
        if replaces {
            automation.outcome = outcome;
        }
        Ok(verdict)
    }

    /// How an automation ended the last time; none where nothing was heard of it.
    #[must_use]
    pub fn outcome(&self, automation: &AutomationId<'_>) -> Option<&Outcome> {
        let automation = automation.borrowed().into_owned();
        self.automations.get(&automation).map(|automation| &automation.outcome)
    }

    /// Forgets an automation.
    pub fn forget(&mut self, automation: &AutomationId<'_>) {
        self.automations.remove(&automation.borrowed().into_owned());
    }
}

impl Outcome {
    /// Of two that cannot be ordered, the worse one is believed.
    const fn severity(&self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Indeterminate { .. } => 1,
            Self::Failed { .. } => 2,
        }
    }
}

impl Advice {
    /// What to do about an error.
    #[must_use]
    pub fn of(error: &AutomationError<'_>) -> Self {
        match &error.error_type {
            Some(ErrorType::EndpointNotFound) => Self::FixConfiguration { guessed: false },
            Some(other)
                if ["UNIT", "NOT_FOUND"].iter().all(|part| other.as_str().contains(part)) =>
            {
                Self::FixConfiguration { guessed: true }
            }
            _ => Self::MayRetry,
        }
    }
}

impl Default for Automations {
    fn default() -> Self {
        Self::new(AutomationsConfig::default())
    }
}

impl AutomationsConfig {
    /// Room for this many automations.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether an identifier counts that an event names where no table says it would.
    #[must_use]
    pub const fn with_harvest(mut self, harvest: Harvest) -> Self {
        self.harvest = harvest;
        self
    }

    /// The statuses that mean success, instead of `SUCCESS`: no source says which they are. `FAILURE` never does.
    #[must_use]
    pub fn with_success<T: Into<String>>(mut self, statuses: impl IntoIterator<Item = T>) -> Self {
        self.success = statuses.into_iter().map(Into::into).collect();
        self
    }

    /// How an automation ended, by one event alone (the table of specification section 9.3).
    #[must_use]
    pub fn outcome(&self, completion: &Completion<'_>) -> Outcome {
        let status = completion.status.as_ref();
        let failure = status == Some(&Status::Failure);
        if failure || !completion.errors.is_empty() {
            let errors =
                completion.errors.iter().cloned().map(AutomationError::into_owned).collect();
            return Outcome::Failed { errors, contradiction: !failure };
        }
        let success = status.is_some_and(|status| self.success.contains(status.as_str()));
        if success && completion.irregular.is_none() {
            return Outcome::Succeeded;
        }
        Outcome::Indeterminate { status: status.cloned().map(Status::into_owned) }
    }
}

impl Default for AutomationsConfig {
    fn default() -> Self {
        Self {
            capacity: super::DEFAULT_CAPACITY,
            harvest: Harvest::Refuse,
            success: ["SUCCESS".into()].into(),
        }
    }
}
