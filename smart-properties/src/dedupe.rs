//! Which messages were seen: SNS delivers at least once (specification section 10).

mod key;
mod window;

use core::time::Duration;

use iot_sansio::MonoTime;

pub use key::{Key, Keys};
pub use window::{Begin, Config, Window};

/// Both levels of deduplication: a message that SNS delivers again, and an event that Alexa publishes again.
///
/// What has begun is in flight until it is [committed](Self::commit), after it was handled, or
/// [aborted](Self::abort), where that failed: then it is fresh when it comes again. Nothing is taken for done on
/// arrival, as the process might end before it is handled.
///
/// ```
/// use iot_sansio::MonoTime;
/// use smart_properties::{Event, dedupe::{Admission, Config, Dedupe, Keys}};
///
/// let event = Event::decode(br#"{"header":{"version":"2.0","eventId":{"id":"e-1"},
///     "eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"}},"payload":{}}"#)?;
/// let now = MonoTime::ORIGIN;
/// let mut dedupe = Dedupe::new(Config::default());
/// let keys = Keys::of_event("aaaaaaaa-0003-5000-8000-000000000003", &event);
/// assert_eq!(dedupe.begin(now, &keys), Admission::Fresh);
/// dedupe.commit(now, &keys); // it was handled
///
/// // The same event in another message.
/// let keys = Keys::of_event("bbbbbbbb-0003-5000-8000-000000000003", &event);
/// assert!(matches!(dedupe.begin(now, &keys), Admission::DuplicateEvent { .. }));
/// # Ok::<(), smart_properties::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dedupe {
    messages: Window,
    events: Window,
}

/// Whether something is to be handled.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "each of two levels is fresh, in flight, done or full")]
pub enum Admission {
    /// Handle it, then commit or abort.
    Fresh,
    /// It is being handled: nothing to do, but it may yet fail.
    InFlight,
    /// SNS has delivered this message before.
    DuplicateMessage {
        /// How long ago it was handled.
        age: Duration,
    },
    /// Alexa has published this event before, in another message.
    DuplicateEvent {
        /// How long ago it was handled.
        age: Duration,
    },
    /// As many are in flight as the window holds.
    Full,
}

impl Dedupe {
    /// Nothing was seen; each level has a window of this size.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { messages: Window::new(config), events: Window::new(config) }
    }

    /// Whether this is to be handled. Both levels must be fresh; of a duplicate event the message counts as handled,
    /// too.
    pub fn begin(&mut self, now: MonoTime, keys: &Keys) -> Admission {
        match self.messages.look(now, keys.message) {
            Begin::Fresh => {}
            Begin::InFlight => return Admission::InFlight,
            Begin::Duplicate { age } => return Admission::DuplicateMessage { age },
            Begin::Full => return Admission::Full,
        }
        match keys.event.map(|event| self.events.begin(now, event)) {
            None | Some(Begin::Fresh) => {
                let _ = self.messages.begin(now, keys.message);
                Admission::Fresh
            }
            Some(Begin::InFlight) => Admission::InFlight,
            Some(Begin::Duplicate { age }) => {
                self.messages.commit(now, keys.message);
                Admission::DuplicateEvent { age }
            }
            Some(Begin::Full) => Admission::Full,
        }
    }

    /// It was handled.
    pub fn commit(&mut self, now: MonoTime, keys: &Keys) {
        self.messages.commit(now, keys.message);
        if let Some(event) = keys.event {
            self.events.commit(now, event);
        }
    }

    /// Handling it failed: it is fresh when it comes again.
    pub fn abort(&mut self, keys: &Keys) {
        self.messages.abort(keys.message);
        if let Some(event) = keys.event {
            self.events.abort(event);
        }
    }
}
