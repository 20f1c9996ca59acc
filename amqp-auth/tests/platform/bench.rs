//! A platform with its own time.

use core::time::Duration;

use amqp_auth::{
    Login,
    platform::{
        Config, Disconnect, Event, MessageId, Platform, Push,
        server::{
            Action, Attached, Connected, Credit, Deliver, Input, Opened, Role, SaslInit, Settled,
        },
    },
};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    amqp::{Connection, DeliveryId, Outcome, Transport, Value},
};

use crate::peer::{self, CLOCK};

pub(crate) const ONE: Connection = Connection::new(1);
pub(crate) const TWO: Connection = Connection::new(2);
pub(crate) const LINK: u32 = 1;
pub(crate) const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// A platform with its own time, whose outputs are kept.
pub(crate) struct Bench {
    pub(crate) platform: Platform,
    pub(crate) now: MonoTime,
    pub(crate) actions: Vec<Action>,
    pub(crate) events: Vec<Event>,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        let platform = Platform::new(config, CLOCK);
        Self { platform, now: MonoTime::ORIGIN, actions: Vec::new(), events: Vec::new() }
    }

    /// With a client that is linked and has this much credit.
    pub(crate) fn linked(config: Config, credit: u32) -> Self {
        let mut bench = Self::new(config);
        bench.link(ONE, "G", credit);
        bench
    }

    pub(crate) fn feed<'a>(&mut self, input: impl Into<Input<'a>>) {
        self.platform.handle_input(self.now, input.into()).unwrap();
        self.drain();
    }

    /// Time goes to this many milliseconds after the origin.
    pub(crate) fn tick(&mut self, millis: u64) {
        self.now = at(millis);
        self.platform.handle_timeout(self.now);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.platform.poll_output() {
                Output::Action(action) => self.actions.push(action),
                Output::Event(event) => self.events.push(event),
                Output::Idle(_) => break,
            }
        }
    }

    pub(crate) fn connect(&mut self, connection: Connection) {
        self.feed(Connected::new(connection, Transport::Tls));
    }

    pub(crate) fn log_in(&mut self, connection: Connection, login: &Login) {
        let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
        self.feed(SaslInit::new(connection, user_name, password));
    }

    /// Connects and logs in, with a timestamp of now.
    pub(crate) fn enter(&mut self, connection: Connection, group: &str) {
        let millis = i64::try_from(self.now.as_millis()).unwrap();
        self.connect(connection);
        self.log_in(connection, &peer::login(group, millis));
    }

    pub(crate) fn link(&mut self, connection: Connection, group: &str, credit: u32) {
        self.enter(connection, group);
        self.feed(Opened::new(connection, MINUTE));
        self.feed(Attached::new(connection, LINK, Role::Receiver));
        self.feed(Credit::new(connection, credit));
        self.actions.clear();
        self.events.clear();
    }

    pub(crate) fn push(&mut self, body: &str) -> MessageId {
        let id = self.platform.push(self.now, "G", Push::new("/a/b/user/c", body)).unwrap();
        self.drain();
        id
    }

    pub(crate) fn settle(&mut self, id: DeliveryId, outcome: Outcome) {
        self.feed(Settled::new(id, outcome));
    }

    /// What was sent since the last look.
    pub(crate) fn deliveries(&mut self) -> Vec<Deliver> {
        let actions = core::mem::take(&mut self.actions);
        let deliver = |action| if let Action::Deliver(it) = action { Some(it) } else { None };
        actions.into_iter().filter_map(deliver).collect()
    }

    /// The one delivery since the last look.
    pub(crate) fn delivery(&mut self) -> Deliver {
        let mut deliveries = self.deliveries();
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries.remove(0)
    }

    /// Why connections ended since the last look.
    pub(crate) fn ends(&mut self) -> Vec<(Connection, Disconnect)> {
        let events = core::mem::take(&mut self.events);
        let end = |event| match event {
            Event::Disconnected { connection, reason, .. } => Some((connection, reason)),
            _ => None,
        };
        events.into_iter().filter_map(end).collect()
    }

    pub(crate) fn closed_with(&self, condition: &str) -> bool {
        let last = self.actions.last();
        matches!(last, Some(Action::Close(close)) if close.condition == condition)
    }
}

pub(crate) fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

pub(crate) fn property(deliver: &Deliver, key: &str) -> Option<Value<'static>> {
    let properties = &deliver.message.application_properties;
    properties.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
}

pub(crate) fn id_of(deliver: &Deliver) -> MessageId {
    match property(deliver, "messageId") {
        Some(Value::String(text)) => MessageId::new(text.parse().unwrap()),
        other => panic!("no text as message id: {other:?}"),
    }
}
