//! The service's side as a machine, for tests without an AWS account (specification, section 12).
//!
//! [`Service`] is a guest on an MQTT connection that the application keeps, and serves any number of devices over it. The
//! HTTP server for registrations is the application's too: see [`Service::register`].

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec::Vec,
};

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Input, Link, Message, Mqtt, Opened, Publish, Subscribe, Token},
};

mod capabilities;
mod client;
mod command;
mod config;
mod connect;
mod directive;
mod error;
mod event;
mod exception;
mod fault;
mod protected;
mod rate;
mod register;
mod rotation;
mod speaker;

pub use command::Sent;
pub use config::Config;
pub use directive::Directive;
pub use error::ServiceError;
pub use event::{End, Event, Ignored, Microphone, Received, Rejection};
pub use exception::{ExceptionCode, Malformed};
pub use fault::Fault;
pub use register::Answer;

use self::client::{Client, Connection, Phase};
use crate::{
    ApiVersion, ClientId, Direction, Leaf, MessageId, Topic,
    connection::{Disconnect, DisconnectCode, Message as ConnectionMessage},
    device::Capabilities,
    protect::IvGenerator,
    sequence::SequenceNumber,
};

/// The service of AIA, with all devices that registered.
///
/// For each device it is in one of these states. What ends a connection is told by one [`Event::Ended`]:
///
/// ```text
///          register            Connect, answered CONNECTION_ESTABLISHED
///  unknown ────────► idle ───────────────────────────────────────────────► fresh
///
///         first message: Publish that is accepted, or another
///         one from a device whose capabilities are known            RotateSecret
///  fresh ───────────────────────────────────────────────────► active ◄────────────► rotating
///    │    any other first message                                    SecretRotated
///    └───────────────────────────────► no capabilities
///
///  fresh, active, rotating, no capabilities ── Connect ─────────────────────────────► fresh
///  fresh, active, rotating, no capabilities ── Disconnect of either side, register ─► idle
///  any ─────────────────────────────────────── unlink ──────────────────────────────► unknown
/// ```
///
/// What real services do is known in parts only. Where nothing is known it is decided so:
///
/// - A connection is replaced in silence by a newer one, and dropped in silence by a new registration.
/// - All connections end with the MQTT connection of the service. Their devices are sent `GOING_OFFLINE` when it is there
///   again, so that they do not talk to nobody for ever.
/// - Capabilities and the payloads of events are taken as they are, but for what the connection itself depends on:
///   `maxSizeInBytes`, `SecretRotated` and the `OVERRUN` of `BufferStateChanged`. To react to the others, to
///   `SynchronizeState` first of all, is the application's.
/// - The first message of a connection shows whether the device has the new secret of the last rotation. With the old one
///   only a message numbered 0 shows it, or one that comes later than 10 s: all else may be late and of an earlier
///   connection.
/// - Until a device has answered `RotateSecret`, commands send it nothing under the new secret.
/// - A device that is told three times to send less, at least a second apart, and goes on, is disconnected.
///
/// What goes wrong is up to the test: see [`Fault`].
///
/// ```
/// use aia_proto::{
///     ClientId, Direction, MessageId, TopicRoot, connection::{AcknowledgeCode, Connect, Message}, protect::SharedSecret,
///     service::{Config, Event, Service},
/// };
/// use iot_sansio::{Machine, MonoTime, Output, mqtt::{self, Action, Link, Opened}};
///
/// let client_id = ClientId::new("my-thing-01")?;
/// let config = Config::new(TopicRoot::new("$aws/alexa")?, [7; 32])
///     .with_device("123456789012", client_id.clone(), SharedSecret::from(&[1; 32]));
/// let mut service = Service::new(config);
///
/// let (now, link) = (MonoTime::ORIGIN, Link::new(1));
/// service.handle_input(now, Opened::new(link, false).into())?;
/// let connect = Message::Connect(Connect::new(MessageId::new("m-7")?, "123456789012", "my-thing-01"));
/// let topic = "$aws/alexa/ais/v1/my-thing-01/connection/fromclient";
/// service.handle_input(now, mqtt::Message::new(link, topic, &connect.encode()).into())?;
///
/// let (mut filters, mut answers, mut events) = (Vec::new(), Vec::new(), Vec::new());
/// loop {
///     match service.poll_output() {
///         Output::Action(Action::Subscribe(subscribe)) => filters.push(subscribe.filter),
///         Output::Action(Action::Publish(publish)) => answers.push(publish),
///         Output::Action(_) => {}
///         Output::Event(event) => events.push(event),
///         Output::Idle(_) => break,
///     }
/// }
/// assert_eq!(filters[0], "$aws/alexa/ais/v1/+/connection/fromclient");
/// let Message::Acknowledge(answer) = Message::decode(Direction::ToDevice, &answers[0].payload)? else { panic!() };
/// assert_eq!((answer.connect_message_id.as_str(), answer.code), ("m-7", AcknowledgeCode::ConnectionEstablished));
/// assert!(matches!(&events[0], Event::Connected { client_id: it, .. } if *it == client_id));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Service {
    config: Config,
    now: MonoTime,
    generator: IvGenerator,
    /// The MQTT connection that is up.
    link: Option<Link>,
    last_token: Token,
    /// Subscriptions that are not granted yet, and their filters.
    subscribing: BTreeMap<Token, String>,
    deprecated: BTreeSet<ApiVersion>,
    devices: BTreeMap<ClientId, Client>,
    misdirected: u64,
    outputs: VecDeque<Output<Action, Event>>,
}

/// Where the service stands with a device (specification, section 12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// The device is not registered.
    Unknown,
    /// It is registered, and has no connection.
    Idle,
    /// It connected, and sent nothing since.
    Fresh,
    /// It is connected, and its capabilities are accepted.
    Active,
    /// It is connected without accepted capabilities, and cannot publish any before its next connection.
    NoCapabilities,
}

impl Service {
    /// A service with these settings, which nobody is connected to.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let device = |(client_id, (account, secret)): (&ClientId, &(String, _))| {
            (client_id.clone(), Client::new(account.clone(), Clone::clone(secret), &config))
        };
        Self {
            devices: config.devices.iter().map(device).collect(),
            now: MonoTime::ORIGIN,
            generator: config.generator.clone(),
            link: None,
            last_token: Token::new(0),
            subscribing: BTreeMap::new(),
            deprecated: BTreeSet::new(),
            misdirected: 0,
            outputs: VecDeque::new(),
            config,
        }
    }

    /// The devices that are registered, in the order of their client ids.
    pub fn devices(&self) -> impl Iterator<Item = &ClientId> {
        self.devices.keys()
    }

    /// Where the service stands with a device.
    #[must_use]
    pub fn state(&self, client_id: &ClientId) -> State {
        let Some(device) = self.devices.get(client_id) else { return State::Unknown };
        match device.connection.as_ref().map(|connection| connection.phase) {
            None => State::Idle,
            Some(Phase::Fresh) => State::Fresh,
            Some(Phase::Active) => State::Active,
            Some(Phase::NoCapabilities) => State::NoCapabilities,
        }
    }

    /// Whether a device has not answered the last rotation of its connection yet.
    #[must_use]
    pub fn is_rotating(&self, client_id: &ClientId) -> bool {
        self.connection(client_id).is_some_and(|connection| connection.channel.is_rotating())
    }

    /// The capabilities of a device that were accepted last.
    #[must_use]
    pub fn capabilities(&self, client_id: &ClientId) -> Option<&Capabilities> {
        self.devices.get(client_id)?.capabilities.as_ref()
    }

    /// How many messages came on topics that are none of the service's.
    #[must_use]
    pub const fn misdirected(&self) -> u64 {
        self.misdirected
    }

    fn check_queue(&self) -> Result<(), ServiceError> {
        let limit = self.config.max_queued;
        match self.outputs.len() >= limit {
            true => Err(ServiceError::QueueFull { limit }),
            false => Ok(()),
        }
    }

    /// Lets time pass, and does what is due on the way, each at its time.
    fn pass(&mut self, now: MonoTime) {
        let end = self.now.max(now);
        while let Some(due) = self.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.fire();
        }
        self.now = end;
    }

    fn deadline(&self) -> Option<MonoTime> {
        self.devices.values().filter_map(Client::deadline).min()
    }

    fn fire(&mut self) {
        let now = self.now;
        let is_due = |device: &Client| device.deadline().is_some_and(|deadline| deadline <= now);
        let due = self.devices.iter().filter(|(_, device)| is_due(device));
        let due: Vec<_> = due.map(|(client_id, _)| client_id.clone()).collect();
        for client_id in due {
            let Some(connection) = self.connection(&client_id) else { continue };
            if let Some((leaf, expected)) = connection.channel.expired(now) {
                self.lose(&client_id, leaf, expected);
                continue;
            }
            self.end_wait_for_rotation(&client_id);
            self.redrive(&client_id);
        }
    }

    fn open(&mut self, opened: Opened) {
        self.close_link();
        self.link = Some(opened.link);
        for version in self.config.versions.clone() {
            for leaf in Leaf::ALL {
                if leaf.direction() == Direction::ToService {
                    let filter = self.config.topic_root.filter(version, leaf);
                    let token = self.next_token();
                    self.subscribing.insert(token, filter.clone());
                    let qos = self.config.subscribe_qos;
                    self.act(Subscribe::new(opened.link, token, filter, qos));
                }
            }
        }
        let left = self.devices.iter_mut();
        let left = left.filter_map(|(id, device)| Some((id.clone(), device.left.take()?)));
        for (client_id, version) in left.collect::<Vec<_>>() {
            let code = DisconnectCode::GoingOffline;
            self.say_goodbye(&client_id, version, code, Some("the service was offline"));
        }
    }

    fn close_link(&mut self) {
        if self.link.take().is_none() {
            return;
        }
        self.subscribing.clear();
        for client_id in self.connected(|_| true) {
            if let Some(device) = self.devices.get_mut(&client_id) {
                device.left = device.connection.as_ref().map(|connection| connection.version);
            }
            self.end(&client_id, End::LinkClosed);
        }
    }

    fn subscribed(&mut self, link: Link, token: Token, is_granted: bool) {
        let Some(filter) = self.subscribing.remove(&token) else { return };
        if !is_granted {
            return self.tell(Event::NotSubscribed { link, filter });
        }
        if self.subscribing.is_empty() {
            self.tell(Event::Listening { link });
        }
    }

    fn receive(&mut self, message: &Message<'_>) {
        let ours = Topic::parse(message.topic).ok().filter(|topic| {
            topic.leaf.direction() == Direction::ToService
                && self.config.topic_root.is_root_of(topic)
        });
        let client_id = ours.and_then(|topic| ClientId::new(topic.client_id).ok());
        let (Some(Topic { version, leaf, .. }), Some(client_id)) = (ours, client_id) else {
            self.misdirected = self.misdirected.saturating_add(1);
            return;
        };
        if message.retain {
            return self.ignore(client_id, leaf, Ignored::Retained);
        }
        match leaf {
            Leaf::ConnectionFromClient => self.receive_clear(&client_id, version, message.payload),
            leaf => self.receive_protected(&client_id, version, leaf, message.payload),
        }
    }

    /// Ends a connection, and tells the device.
    fn close(
        &mut self,
        client_id: &ClientId,
        code: DisconnectCode,
        description: Option<&str>,
        reason: End,
    ) {
        if let Some(version) = self.connection(client_id).map(|connection| connection.version) {
            self.say_goodbye(client_id, version, code, description);
            self.end(client_id, reason);
        }
    }

    fn say_goodbye(
        &mut self,
        client_id: &ClientId,
        version: ApiVersion,
        code: DisconnectCode,
        description: Option<&str>,
    ) {
        let id = self.new_id();
        let mut disconnect = Disconnect::new(id, code);
        disconnect.description = description.map(Into::into);
        self.say(client_id, version, &ConnectionMessage::Disconnect(disconnect));
    }

    /// Ends a connection, and tells nobody but the application.
    fn end(&mut self, client_id: &ClientId, reason: End) {
        let device = self.devices.get_mut(client_id);
        if device.and_then(|device| device.connection.take()).is_some() {
            self.tell(Event::Ended { client_id: client_id.clone(), reason });
        }
    }

    fn lose(&mut self, client_id: &ClientId, leaf: Leaf, expected: SequenceNumber) {
        let code = DisconnectCode::UnexpectedSequenceNumber;
        self.close(client_id, code, None, End::Lost { leaf, expected });
    }

    fn end_fatally(
        &mut self,
        client_id: &ClientId,
        code: ExceptionCode,
        description: Option<&str>,
    ) {
        // Until then it is open which secret the device could read it with.
        if self.connection(client_id).is_some_and(|connection| connection.is_decided) {
            self.except(client_id, code.clone(), description);
        }
        let description = Some("Disconnecting due to a fatal exception.");
        self.close(client_id, DisconnectCode::GoingOffline, description, End::Fatal(code));
    }

    fn connection(&self, client_id: &ClientId) -> Option<&Connection> {
        self.devices.get(client_id)?.connection.as_ref()
    }

    fn connection_mut(&mut self, client_id: &ClientId) -> Option<&mut Connection> {
        self.devices.get_mut(client_id)?.connection.as_mut()
    }

    fn connected(&self, filter: impl Fn(&Connection) -> bool) -> Vec<ClientId> {
        let is = |device: &Client| device.connection.as_ref().is_some_and(&filter);
        let devices = self.devices.iter().filter(|(_, device)| is(device));
        devices.map(|(client_id, _)| client_id.clone()).collect()
    }

    /// Publishes, if there is an MQTT connection.
    fn publish(&mut self, topic: String, payload: Vec<u8>) {
        if let Some(link) = self.link {
            let token = self.next_token();
            self.act(Publish::new(link, token, topic, payload, self.config.publish_qos));
        }
    }

    fn new_id(&mut self) -> MessageId {
        MessageId::from_random(self.generator.next_bytes())
    }

    fn next_token(&mut self) -> Token {
        self.last_token = self.last_token.next();
        self.last_token
    }

    fn ignore(&mut self, client_id: ClientId, leaf: Leaf, reason: Ignored) {
        self.tell(Event::Ignored { client_id, leaf, reason });
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }
}

impl Machine for Service {
    type Vocabulary = Mqtt;
    type Event = Event;
    type Error = ServiceError;

    fn handle_input(
        &mut self,
        now: MonoTime,
        input: InputOf<'_, Self>,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        self.pass(now);
        let is_current = |link| self.link == Some(link);
        match input {
            Input::Opened(opened) => self.open(opened),
            Input::Closed(closed) if is_current(closed.link) => self.close_link(),
            Input::Message(message) if is_current(message.link) => self.receive(&message),
            Input::Done(done) if is_current(done.link) => {
                self.subscribed(done.link, done.token, true);
            }
            Input::Failed(failed) if is_current(failed.link) => {
                self.subscribed(failed.link, failed.token, false);
            }
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.pass(now);
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.deadline()))
    }

    /// Never: a service goes on for as long as it is kept.
    fn is_finished(&self) -> bool {
        false
    }
}
