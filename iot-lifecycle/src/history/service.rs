//! The service as a machine: what publishes the events.

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::{String, ToString as _},
    vec::Vec,
};
use core::time::Duration;

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Input, Link, Mqtt, Publish, Qos, Token},
};

use crate::{Event, Topic, TopicKind};

/// Publishes events on their topics, each until the broker has acknowledged it, as the service would.
///
/// A guest on a connection of the application: it starts when it is opened, and publishes again what was not acknowledged
/// when the connection was lost, so that subscribers see duplicates. It ends with [`Published`] once all is acknowledged.
///
/// ```text
///            Opened                  all acknowledged
///   idle ───────────► publishing ───────────────────► finished
///     ▲     Closed     │
///     └────────────────┘ (what is open goes back to the front)
/// ```
///
/// ```
/// use iot_lifecycle::history::{History, Service};
/// use iot_sansio::{Machine, MonoTime, Output, UnixMillis, mqtt::{Link, Opened}};
///
/// let history = History::new(7, 10, UnixMillis::new(1_700_000_000_000));
/// let mut service = Service::new(history.feed());
/// service.handle_input(MonoTime::ORIGIN, Opened::new(Link::new(1), false).into())?;
/// assert!(matches!(service.poll_output(), Output::Action(_)));
/// # Ok::<(), iot_lifecycle::history::QueueFull>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    /// Not published yet, or to be published again.
    events: VecDeque<Event<'static>>,
    open: BTreeMap<Token, Event<'static>>,
    window: usize,
    interval: Duration,
    /// When the next event may be published.
    due: MonoTime,
    now: MonoTime,
    link: Option<Link>,
    next_token: Token,
    acknowledged: usize,
    outputs: VecDeque<Output<Action, Published>>,
    finished: bool,
}

/// The terminal event: the broker has acknowledged every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Published {
    /// How many events.
    pub events: usize,
}

/// Too much is waiting to be drained: drain the service, then feed the input again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{limit} outputs are queued: drain them, then feed the input again")]
#[non_exhaustive]
pub struct QueueFull {
    /// The window of the service.
    pub limit: usize,
}

impl Service {
    /// Publishes these events in this order, without pauses, at most 100 of them unacknowledged. Events of unknown kinds,
    /// or of clients that cannot have a topic, are left out.
    #[must_use]
    pub fn new(events: Vec<Event<'static>>) -> Self {
        Self {
            events: events.into(),
            open: BTreeMap::new(),
            window: 100,
            interval: Duration::ZERO,
            due: MonoTime::ORIGIN,
            now: MonoTime::ORIGIN,
            link: None,
            next_token: Token::new(1),
            acknowledged: 0,
            outputs: VecDeque::new(),
            finished: false,
        }
    }

    /// With at most this many events unacknowledged, 1 at least.
    #[must_use]
    pub fn with_window(self, window: usize) -> Self {
        Self { window: window.max(1), ..self }
    }

    /// With this much time from one event to the next.
    #[must_use]
    pub fn with_interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// How many events the broker has acknowledged.
    #[must_use]
    pub const fn acknowledged(&self) -> usize {
        self.acknowledged
    }

    /// Publishes what is due by `now`.
    fn pass(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        let Some(link) = self.link else { return };
        while self.due <= self.now && self.open.len() < self.window {
            let Some(event) = self.events.pop_front() else { break };
            let token = self.next_token;
            self.next_token = token.next();
            let Some(topic) = topic(&event) else { continue };
            let publish = Publish::new(link, token, topic, event.encode(), Qos::AtLeastOnce);
            self.outputs.push_back(Output::Action(publish.into()));
            self.open.insert(token, event);
            self.due = self.due.after(self.interval);
        }
    }

    fn opened(&mut self, link: Link) {
        self.link = Some(link);
        self.due = self.now;
        for (_, event) in core::mem::take(&mut self.open).into_iter().rev() {
            self.events.push_front(event);
        }
    }

    fn answered(&mut self, link: Link, token: Token, acknowledged: bool) {
        if self.link != Some(link) {
            return;
        }
        match self.open.remove(&token) {
            Some(_) if acknowledged => self.acknowledged += 1,
            Some(event) => self.events.push_back(event),
            None => {}
        }
    }
}

/// The name of the topic that an event is published on; none for unknown kinds and ids that no client can have.
fn topic(event: &Event<'_>) -> Option<String> {
    let kind = TopicKind::from_event_type(event.kind.event_type())?;
    Some(Topic::new(kind, &event.client_id).ok()?.to_string())
}

impl Machine for Service {
    type Vocabulary = Mqtt;
    type Event = Published;
    type Error = QueueFull;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), QueueFull> {
        if self.finished {
            return Ok(());
        }
        // Every answer lets more be published; whoever does not drain must not make it grow for ever.
        if self.outputs.len() >= self.window {
            return Err(QueueFull { limit: self.window });
        }
        self.pass(now);
        match input {
            Input::Opened(opened) => self.opened(opened.link),
            Input::Closed(closed) if self.link == Some(closed.link) => self.link = None,
            Input::Done(done) => self.answered(done.link, done.token, true),
            Input::Failed(failed) => self.answered(failed.link, failed.token, false),
            _ => {}
        }
        self.pass(now);
        if self.events.is_empty() && self.open.is_empty() && self.link.is_some() {
            self.finished = true;
            let published = Published { events: self.acknowledged };
            self.outputs.push_back(Output::Event(published));
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.pass(now);
    }

    fn poll_output(&mut self) -> Output<Action, Published> {
        let may_publish =
            self.link.is_some() && !self.events.is_empty() && self.open.len() < self.window;
        self.outputs.pop_front().unwrap_or(Output::Idle(may_publish.then_some(self.due)))
    }

    fn is_finished(&self) -> bool {
        self.finished && self.outputs.is_empty()
    }
}
