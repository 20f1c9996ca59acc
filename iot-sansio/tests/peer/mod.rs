//! An honest guest: hands its items to the other peer over a connection that may lose, duplicate and reorder them.

use alloc::collections::VecDeque;
use core::time::Duration;

use iot_sansio::{
    InputOf, Machine, MonoTime, Output, Secret,
    mqtt::{Action, Input, Link, Mqtt, Publish, Qos, Subscribe, Token},
};

/// How many outputs may queue.
pub(crate) const CAPACITY: usize = 16;

/// Sends its items one by one until each is acknowledged, takes those of the other, and ends when both are through and
/// nothing was heard for a while.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Peer {
    own: &'static str,
    other: &'static str,
    items: Vec<u8>,
    key: Secret,
    now: MonoTime,
    link: Option<Link>,
    token: Token,
    subscribing: Option<Token>,
    ready: bool,
    /// How many of the own items have arrived.
    acknowledged: u8,
    /// How many of the other's items have arrived.
    received: u8,
    other_done: bool,
    retry_at: Option<MonoTime>,
    resend_at: Option<MonoTime>,
    quiet_at: Option<MonoTime>,
    ended: bool,
    queue: VecDeque<Output<Action, Event>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    Received(u8),
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Refused {
    Full,
    Forged,
    Running,
}

impl core::fmt::Display for Refused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, f)
    }
}

impl core::error::Error for Refused {}

impl Peer {
    pub(crate) fn new(own: &'static str, other: &'static str, items: &[u8], key: &str) -> Self {
        Self {
            own,
            other,
            items: items.into(),
            key: key.into(),
            now: MonoTime::ORIGIN,
            link: None,
            token: Token::new(0),
            subscribing: None,
            ready: false,
            acknowledged: 0,
            received: 0,
            other_done: false,
            retry_at: None,
            resend_at: None,
            quiet_at: None,
            ended: false,
            queue: VecDeque::new(),
        }
    }

    /// Begins again, once it has ended.
    pub(crate) fn restart(&mut self, now: MonoTime) -> Result<(), Refused> {
        if !self.ended {
            return Err(Refused::Running);
        }
        let key = core::str::from_utf8(self.key.expose()).unwrap_or_default();
        *self = Self {
            now: self.now.max(now),
            token: self.token,
            queue: core::mem::take(&mut self.queue),
            ..Self::new(self.own, self.other, &self.items, key)
        };
        Ok(())
    }

    /// A frame as the peer that holds this key sends it.
    pub(crate) fn frame(kind: u8, number: u8, item: u8, key: &[u8]) -> [u8; 4] {
        let check = key.iter().fold(kind ^ number ^ item, |sum, byte| sum.rotate_left(1) ^ byte);
        [kind, number, item, check]
    }

    fn open(&self, link: Link, payload: &[u8]) -> Result<Option<(u8, u8, u8)>, Refused> {
        if self.link != Some(link) {
            return Ok(None);
        }
        match *payload {
            [kind, number, item, _]
                if payload == Self::frame(kind, number, item, self.key.expose()) =>
            {
                Ok(Some((kind, number, item)))
            }
            _ => Err(Refused::Forged),
        }
    }

    fn has_room(&self) -> bool {
        self.queue.len() + MOST_PER_STEP <= CAPACITY
    }

    fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        let due = |deadline: Option<MonoTime>| deadline.is_some_and(|at| at <= self.now);
        let (retry, resend, quiet) = (due(self.retry_at), due(self.resend_at), due(self.quiet_at));
        if retry {
            self.subscribe();
        }
        if resend {
            self.send_item();
        }
        if quiet {
            self.ended = true;
            (self.retry_at, self.resend_at, self.quiet_at) = (None, None, None);
            self.queue.push_back(Output::Event(Event::Ended));
        }
    }

    fn subscribe(&mut self) {
        self.retry_at = None;
        let Some(link) = self.link else { return };
        self.token = self.token.next();
        self.subscribing = Some(self.token);
        let subscribe = Subscribe::new(link, self.token, self.other, Qos::AtLeastOnce);
        self.queue.push_back(Output::Action(subscribe.into()));
    }

    fn send_item(&mut self) {
        self.resend_at = None;
        let left = self.items.len() - usize::from(self.acknowledged);
        if let (true, Some(&item)) = (self.ready, self.items.get(usize::from(self.acknowledged))) {
            let kind = if left == 1 { LAST_ITEM } else { ITEM };
            self.publish(kind, self.acknowledged, item);
            self.resend_at = Some(self.now.after(RESEND));
        }
    }

    fn publish(&mut self, kind: u8, number: u8, item: u8) {
        let Some(link) = self.link else { return };
        self.token = self.token.next();
        let frame = Self::frame(kind, number, item, self.key.expose());
        let publish = Publish::new(link, self.token, self.own, frame, Qos::AtMostOnce);
        self.queue.push_back(Output::Action(publish.into()));
    }

    fn take(&mut self, (kind, number, item): (u8, u8, u8)) {
        if kind == ACKNOWLEDGED {
            if number == self.acknowledged && usize::from(number) < self.items.len() {
                self.acknowledged += 1;
                self.send_item();
            }
        } else if number <= self.received {
            if number == self.received && !self.other_done {
                self.received += 1;
                self.other_done = kind == LAST_ITEM;
                self.queue.push_back(Output::Event(Event::Received(item)));
            }
            self.publish(ACKNOWLEDGED, number, 0);
        }
        let through = usize::from(self.acknowledged) == self.items.len() && self.other_done;
        self.quiet_at = through.then(|| self.now.after(LINGER));
    }
}

impl Machine for Peer {
    type Vocabulary = Mqtt;
    type Event = Event;
    type Error = Refused;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), Refused> {
        if self.ended {
            return Ok(());
        }
        let frame = match input {
            Input::Message(message) => self.open(message.link, message.payload)?,
            _ => None,
        };
        if !self.has_room() {
            return Err(Refused::Full);
        }
        self.advance(now);
        match input {
            _ if self.ended => {}
            Input::Opened(opened) => {
                (self.link, self.ready) = (Some(opened.link), false);
                self.subscribe();
            }
            Input::Closed(closed) if self.link == Some(closed.link) => {
                (self.link, self.ready, self.subscribing) = (None, false, None);
                (self.retry_at, self.resend_at) = (None, None);
            }
            Input::Done(done) if self.link == Some(done.link) => {
                if self.subscribing == Some(done.token) {
                    (self.ready, self.subscribing) = (true, None);
                    self.send_item();
                }
            }
            Input::Failed(failed) if self.link == Some(failed.link) => {
                if self.subscribing == Some(failed.token) {
                    self.subscribing = None;
                    self.retry_at = Some(self.now.after(RETRY));
                }
            }
            _ => frame.into_iter().for_each(|frame| self.take(frame)),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        if !self.ended && self.has_room() {
            self.advance(now);
        }
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        let deadlines = [self.retry_at, self.resend_at, self.quiet_at];
        let deadline = deadlines.into_iter().flatten().min();
        self.queue.pop_front().unwrap_or(Output::Idle(deadline))
    }

    fn is_finished(&self) -> bool {
        self.ended && self.queue.is_empty()
    }
}

pub(crate) const ITEM: u8 = 0;
pub(crate) const LAST_ITEM: u8 = 1;
pub(crate) const ACKNOWLEDGED: u8 = 2;

/// Three timers, and two outputs of an input.
const MOST_PER_STEP: usize = 5;

const RETRY: Duration = Duration::from_secs(5);
const RESEND: Duration = Duration::from_secs(2);
const LINGER: Duration = Duration::from_secs(60);
