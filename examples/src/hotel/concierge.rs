//! The hotel's application: it tells the gates each event, and notes what followed.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use iot_sansio::MonoTime;
use smart_properties::sns::Fresh;

use crate::{
    property::{Effect, Property},
    sns_endpoint::{Handler, HandlerError, Report},
};

/// The handler of the endpoint.
pub struct Concierge {
    origin: Instant,
    notes: Mutex<Notes>,
}

/// A message that was handled.
#[derive(Clone, Debug)]
pub struct Handled {
    /// The type of its event, in full; none where it is not an event.
    pub event_type: Option<String>,
    /// What followed from it.
    pub effects: Vec<Effect>,
    /// The text, where nothing is known of it.
    pub kept: Option<String>,
}

#[derive(Default)]
struct Notes {
    property: Property,
    reports: Vec<String>,
    handled: Vec<Handled>,
    fails: bool,
}

impl Concierge {
    /// The next message cannot be handled.
    pub fn fail_once(&self) {
        self.lock().fails = true;
    }

    /// What was noted since the last time: reports, and what was handled.
    pub fn take(&self) -> (Vec<String>, Vec<Handled>) {
        let mut notes = self.lock();
        (mem::take(&mut notes.reports), mem::take(&mut notes.handled))
    }

    /// The gates, and the time that they are told.
    pub fn property<T>(&self, ask: impl FnOnce(&mut Property, MonoTime) -> T) -> T {
        ask(&mut self.lock().property, self.now())
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin, Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Concierge {
    fn default() -> Self {
        Self { origin: Instant::now(), notes: Mutex::default() }
    }
}

impl Handler for Concierge {
    async fn handle(&self, message: &Fresh<'_>) -> Result<(), HandlerError> {
        let mut notes = self.lock();
        if mem::take(&mut notes.fails) {
            return Err("the database is away".into());
        }
        let text = || Some(String::from_utf8_lossy(message.bytes()).into_owned());
        let handled = match message.event() {
            Ok(event) => {
                let effects = notes.property.apply(self.now(), &event, message.order(&event))?;
                let is_unknown = matches!(effects[..], [Effect::Unknown]);
                Handled {
                    event_type: Some(event.event_type().full_name()),
                    effects,
                    kept: is_unknown.then(text).flatten(),
                }
            }
            Err(_) => Handled { event_type: None, effects: Vec::new(), kept: text() },
        };
        notes.handled.push(handled);
        Ok(())
    }

    fn told(&self, report: &Report) {
        self.lock().reports.push(report.to_string());
    }
}
