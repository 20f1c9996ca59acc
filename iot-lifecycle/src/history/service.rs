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

/// Publishes events on their topics, each until the broker has answered it, as the service would.
///
/// A guest on a connection of the application: it starts when it is opened, and publishes again what was not answered
/// when the connection was lost, so that subscribers see duplicates. What the broker refuses is not tried again: it would
/// be refused for ever. It ends with [`Published`] once all is answered; without events, as soon as it is opened.
///
/// ```text
///            Opened                  all answered
///   idle ───────────► publishing ───────────────► finished
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
    events: VecDeque<Dispatch>,
    open: BTreeMap<Token, Dispatch>,
    window: usize,
    interval: Duration,
    /// When the next event may be published.
    due: MonoTime,
    now: MonoTime,
    link: Option<Link>,
    next_token: Token,
    acknowledged: usize,
    refused: usize,
    outputs: VecDeque<Output<Action, Published>>,
    finished: bool,
}

/// An event and the name of its topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Dispatch {
    topic: String,
    event: Event<'static>,
}

/// The terminal event: the broker has answered every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Published {
    /// How many events the broker has acknowledged.
    pub events: usize,
    /// How many events it has refused.
    pub refused: usize,
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
    /// Publishes these events in this order, without pauses, at most 100 of them unanswered. Events of unknown kinds, or of
    /// clients that cannot have a topic, are left out.
    #[must_use]
    pub fn new(events: Vec<Event<'static>>) -> Self {
        Self {
            events: events.into_iter().filter_map(Dispatch::new).collect(),
            open: BTreeMap::new(),
            window: 100,
            interval: Duration::ZERO,
            due: MonoTime::ORIGIN,
            now: MonoTime::ORIGIN,
            link: None,
            next_token: Token::new(1),
            acknowledged: 0,
            refused: 0,
            outputs: VecDeque::new(),
            finished: false,
        }
    }

    /// With at most this many events unanswered, 1 at least.
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
            let Some(dispatch) = self.events.pop_front() else { break };
            let token = self.next_token;
            self.next_token = token.next();
            let (topic, payload) = (dispatch.topic.as_str(), dispatch.event.encode());
            let publish = Publish::new(link, token, topic, payload, Qos::AtLeastOnce);
            self.outputs.push_back(Output::Action(publish.into()));
            self.open.insert(token, dispatch);
            self.due = self.due.after(self.interval);
        }
    }

    fn opened(&mut self, link: Link) {
        self.link = Some(link);
        self.due = self.now;
        for (_, dispatch) in core::mem::take(&mut self.open).into_iter().rev() {
            self.events.push_front(dispatch);
        }
    }

    fn answered(&mut self, link: Link, token: Token, acknowledged: bool) {
        if self.link == Some(link) && self.open.remove(&token).is_some() {
            match acknowledged {
                true => self.acknowledged += 1,
                false => self.refused += 1,
            }
        }
    }
}

impl Dispatch {
    /// None for unknown kinds and ids that no client can have.
    fn new(event: Event<'static>) -> Option<Self> {
        let kind = TopicKind::from_event_type(event.kind.event_type())?;
        let topic = Topic::new(kind, &event.client_id).ok()?.to_string();
        Some(Self { topic, event })
    }
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
            let published = Published { events: self.acknowledged, refused: self.refused };
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
