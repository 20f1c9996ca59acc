//! A device: a machine in the MQTT vocabulary (specification, sections 4, 6 and 11).

mod backoff;
pub(crate) mod capabilities;
mod config;
mod connecting;
mod event;
mod exchange;
mod outbox;
mod registering;
mod state;

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};
use core::{mem, time::Duration};

use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{Action, Input, Link, Mqtt, Publish, Qos, Token, Unsubscribe},
};

pub use self::{
    capabilities::{Capabilities, CapabilitiesError},
    config::Config,
    event::{
        Blocked, CommandError, Directive, DisconnectCause, Disconnected, Event, HttpRequest,
        InputError, RegistrationNeed, Retrying, Security, Speaker,
    },
};
use self::{outbox::Outbox, state::State};
use crate::{
    ClientId, Direction, Json, Leaf, MessageId, Topics,
    channel::{Channel, Seen},
    connection::{Disconnect, DisconnectCode, Message},
    protect::IvGenerator,
    registration::Registration,
};

/// Registers with the service, connects to it over the application's MQTT connection, tells what it can do, and then hands
/// over directives and sends events, all of them protected. It connects again after every failure that a repetition may
/// mend.
///
/// ```text
///  unregistered ◄── refused for good ───┐
///       │ register                      │
///  registering ─────────────────────────┘
///       │ answered
///  offline ◄─────── Closed, from all below
///       │ Opened
///  subscribing ──── too late ──────────────────────────┐
///       │ all granted                                  │
///  connecting ◄──── its time has come ──── backoff ◄───┤
///       │      └─── no answer, refused for now ────────┤
///       │ accepted                                     │
///  awaiting the capability acknowledgement ─ too late ─┤
///       │ taken, now or before                         │
///  ready ────────── lost, tampered, disconnected ──────┘
/// ```
///
/// A code that only another registration mends leads to *needs registration*, which [`register`](Self::register) leaves;
/// one that only a person mends leads to *blocked*, which [`correct`](Self::correct) or
/// [`change_capabilities`](Self::change_capabilities) leaves. [`disconnect`](Self::disconnect) leads from anywhere to
/// *closed*, which [`connect`](Self::connect) leaves, and [`forget`](Self::forget) to *unregistered*.
///
/// - It is a guest: the application keeps the MQTT connection and tells `Opened` and `Closed`. The device subscribes.
/// - [`Event::Save`] carries all that a restart needs, in one piece; nothing that depends on it is sent before.
/// - A message is handed over when it has verified and all before it have come. One that does not verify, or is lost, ends
///   the connection with the code that says so.
/// - A topic carries 20 messages a second: events that wait are sent together.
///
/// ```
/// use aia_proto::{ApiVersion, ClientId, Json, device::{Capabilities, Config, Device, Event}};
/// use aia_proto::registration::Authentication;
/// use iot_sansio::{Machine, MonoTime, Output};
///
/// let set = Json::new(r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#)?;
/// let client_id = ClientId::new("my-thing-01")?;
/// let config = Config::new("123456789012", client_id, "example-ats.iot.example", Capabilities::new(set)?);
/// let mut device = Device::new(config, None, [7; 32]); // in earnest: 32 random bytes, and what was saved
///
/// let authentication = Authentication::new("refresh-token", "amzn1.application-oa2-client.example");
/// device.register(MonoTime::ORIGIN, authentication, ApiVersion::V1)?;
/// let Output::Event(Event::RegistrationWanted(request)) = device.poll_output() else { unreachable!() };
/// assert_eq!(request.url, "https://api.amazonalexa.com/v1/ais/registration");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    config: Config,
    random: IvGenerator,
    now: MonoTime,
    state: State,
    registration: Option<Registration>,
    topics: Option<Topics>,
    /// The MQTT connection, while it is up.
    link: Option<Link>,
    /// Whether the topics of the service are subscribed to on it.
    is_subscribed: bool,
    /// The protected messages of the connection, from `Connect` on.
    channel: Option<Channel>,
    seen: Seen,
    /// Since when the service has accepted the connection.
    connected_at: MonoTime,
    /// How many `Connect` were sent since the connection was last stable.
    connects: u32,
    /// The other stored secret was tried since the connection was last stable.
    is_previous_tried: bool,
    /// How often in a row messages were tampered with, and when the last time was.
    tampered: (u32, MonoTime),
    outbox: Outbox,
    next_token: Token,
    outputs: VecDeque<Output<Action, Event>>,
}

impl Device {
    /// A device with what was saved of its registration, if it is registered. `seed` is 32 bytes from a cryptographic
    /// source of randomness, fresh at each start and never saved: IVs and keys come from it. A clone draws the same ones, so
    /// only one of the two may send.
    #[must_use]
    pub fn new(config: Config, registration: Option<Registration>, seed: [u8; 32]) -> Self {
        let state = if registration.is_some() { State::Offline } else { State::Unregistered };
        Self {
            random: IvGenerator::new(seed),
            now: MonoTime::ORIGIN,
            state,
            topics: registration.as_ref().map(topics_of),
            registration,
            link: None,
            is_subscribed: false,
            channel: None,
            seen: Seen::new(config.recent_ivs),
            connected_at: MonoTime::ORIGIN,
            connects: 0,
            is_previous_tried: false,
            tampered: (0, MonoTime::ORIGIN),
            outbox: Outbox::new(config.max_message),
            next_token: Token::new(1),
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Connects, after [`disconnect`](Self::disconnect) or without an MQTT connection: [`Event::MqttWanted`] asks for
    /// that.
    ///
    /// # Errors
    /// The device is not registered, or connects already; too much waits to be drained.
    pub fn connect(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.command(now, |device| match device.state {
            _ if device.registration.is_none() => Err(CommandError::NotRegistered),
            State::Closed | State::Offline => {
                device.go_on();
                Ok(())
            }
            _ => Err(CommandError::NotClosed),
        })
    }

    /// Ends the connection, if there is one, and connects no more: [`Event::Closed`].
    ///
    /// # Errors
    /// The device is closed already; too much waits to be drained.
    pub fn disconnect(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.command(now, |device| {
            if device.state == State::Closed {
                return Err(CommandError::Closed);
            }
            if device.has_sent_connect() {
                device.send_disconnect(DisconnectCode::GoingOffline, None);
            }
            device.unsubscribe();
            device.leave();
            device.state = State::Closed;
            device.tell(Event::Closed);
            Ok(())
        })
    }

    /// Changes the set of capabilities: a connection that stands is ended and opened anew for it.
    ///
    /// # Errors
    /// Too much waits to be drained.
    pub fn change_capabilities(
        &mut self,
        now: MonoTime,
        capabilities: Capabilities,
    ) -> Result<(), CommandError> {
        self.command(now, |device| {
            // What the service accepts meanwhile would be a connection for the old set.
            let is_open = device.has_sent_connect();
            if is_open {
                device.send_disconnect(DisconnectCode::GoingOffline, None);
            }
            // By the old set, of which the new one may lack a topic.
            // Another set may have other topics too.
            let waits = matches!(
                device.state,
                State::Blocked(Blocked::Capabilities { .. } | Blocked::Subscription { .. })
            );
            if is_open || waits || device.is_subscribed {
                device.unsubscribe();
            }
            device.config.capabilities = capabilities;
            if is_open {
                device.leave();
                device.forget_capabilities();
                device.tell_disconnected(DisconnectCause::CapabilitiesChange);
            }
            if is_open || waits || matches!(device.state, State::Subscribing { .. }) {
                device.go_on();
            }
            Ok(())
        })
    }

    /// Changes the payload of `SynchronizeState`, for the next connections.
    pub fn set_state(&mut self, state: Option<Json>) {
        self.config.state = state;
    }

    /// Corrects who the device is, after [`Event::Blocked`]. With the registered values it goes on; with others the
    /// registration is forgotten, as both must equal what was registered.
    ///
    /// # Errors
    /// The device waits for no correction; too much waits to be drained.
    pub fn correct(
        &mut self,
        now: MonoTime,
        aws_account_id: &str,
        client_id: ClientId,
    ) -> Result<(), CommandError> {
        self.command(now, |device| {
            let (State::Blocked(_), Some(registration)) = (&device.state, &device.registration)
            else {
                return Err(CommandError::NotBlocked);
            };
            let is_registered = registration.aws_account_id == aws_account_id
                && registration.client_id == client_id;
            device.config.aws_account_id = aws_account_id.into();
            device.config.client_id = client_id;
            device.tampered.0 = 0;
            if is_registered {
                device.go_on();
            } else {
                device.erase();
            }
            Ok(())
        })
    }

    /// Forgets the registration: [`Event::Erase`].
    ///
    /// # Errors
    /// The device is not registered; too much waits to be drained.
    pub fn forget(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.command(now, |device| {
            if device.registration.is_none() {
                return Err(CommandError::NotRegistered);
            }
            if device.has_sent_connect() {
                device.send_disconnect(DisconnectCode::GoingOffline, None);
            }
            device.erase();
            Ok(())
        })
    }

    /// What is saved of the registration, if the device is registered.
    #[must_use]
    pub const fn registration(&self) -> Option<&Registration> {
        self.registration.as_ref()
    }

    /// Whether events can be sent.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.state.is_connected()
    }

    /// Does what a command asks for at that time, or leaves everything as it is: `run` changes nothing before it knows that
    /// it will not refuse.
    fn command<T>(
        &mut self,
        now: MonoTime,
        run: impl FnOnce(&mut Self) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let limit = self.config.max_queued;
        if self.outputs.len() >= limit {
            return Err(CommandError::QueueFull { limit });
        }
        let now = self.now.max(now);
        if self.is_due_at(now) {
            // What is due may forbid the command, and then nothing must have moved.
            let mut later = self.clone();
            later.advance(now);
            let done = run(&mut later)?;
            later.flush();
            *self = later;
            return Ok(done);
        }
        let before = mem::replace(&mut self.now, now);
        let done = run(self);
        match done {
            Ok(_) => self.flush(),
            Err(_) => self.now = before,
        }
        done
    }

    /// Before something else happens: all that is due comes first, whatever that makes of the queue.
    fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        while self.is_due() {
            self.fire();
        }
    }

    fn is_due(&self) -> bool {
        self.is_due_at(self.now)
    }

    fn is_due_at(&self, now: MonoTime) -> bool {
        // At the end of time there is no later: what is set for it never comes.
        self.deadline().is_some_and(|at| at <= now && at < MonoTime::MAX)
    }

    fn deadline(&self) -> Option<MonoTime> {
        let connected = self.channel.as_ref().filter(|_| self.state.is_connected());
        let gap = connected.and_then(Channel::deadline);
        let send = connected.and_then(|_| self.outbox.deadline(self.is_ready()));
        [self.state.until(), gap, send].into_iter().flatten().min()
    }

    /// Does one thing that is due.
    fn fire(&mut self) {
        let connected = self.channel.as_ref().filter(|_| self.state.is_connected());
        if let Some((leaf, expected)) = connected.and_then(|channel| channel.expired(self.now)) {
            return self.messages_lost(leaf, expected);
        }
        if self.state.until().is_some_and(|until| until <= self.now) {
            return self.state_is_over();
        }
        self.flush();
    }

    fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    const fn has_sent_connect(&self) -> bool {
        matches!(self.state, State::Connecting { .. }) || self.state.is_connected()
    }

    /// Takes a registration into use and saves it.
    fn adopt(&mut self, registration: Registration) {
        let topics = topics_of(&registration);
        if self.topics.as_ref() != Some(&topics) {
            self.unsubscribe();
        }
        self.topics = Some(topics);
        self.tell(Event::Save(Box::new(registration.clone())));
        self.registration = Some(registration);
        self.is_subscribed = false;
        self.is_previous_tried = false;
        self.connects = 0;
        self.go_on();
    }

    fn save(&mut self) {
        if let Some(registration) = &self.registration {
            let save = Event::Save(Box::new(registration.clone()));
            self.tell(save);
        }
    }

    /// The service may have another set than the one it accepted last: the next connection tells it.
    fn forget_capabilities(&mut self) {
        let registration = self.registration.as_mut();
        if registration.and_then(|known| known.capabilities_digest.take()).is_some() {
            self.save();
        }
    }

    fn erase(&mut self) {
        self.unsubscribe();
        self.leave();
        self.registration = None;
        self.topics = None;
        self.state = State::Unregistered;
        self.tell(Event::Erase);
    }

    /// There is no connection any more: nothing of it counts.
    fn leave(&mut self) {
        self.channel = None;
        self.outbox.clear();
    }

    /// The one message that does not wait for its turn: what it says is urgent, and it comes once in a connection.
    fn send_disconnect(&mut self, code: DisconnectCode, description: Option<&str>) {
        let id = self.new_id();
        let mut disconnect = Disconnect::new(id, code);
        if let Some(description) = description {
            disconnect = disconnect.with_description(description);
        }
        self.publish(Leaf::ConnectionFromClient, Message::Disconnect(disconnect).encode());
    }

    fn unsubscribe(&mut self) {
        let (Some(link), Some(topics)) = (self.link, self.topics.clone()) else { return };
        let asked = matches!(self.state, State::Subscribing { .. });
        if !self.is_subscribed && !asked {
            return;
        }
        self.is_subscribed = false;
        for leaf in self.inbound_leaves() {
            let token = self.take_token();
            self.act(Unsubscribe::new(link, token, topics.topic(leaf)));
        }
    }

    /// The topics that the device listens to.
    fn inbound_leaves(&self) -> Vec<Leaf> {
        let mut leaves: Vec<Leaf> =
            Leaf::ALL.into_iter().filter(|leaf| leaf.direction() == Direction::ToDevice).collect();
        if !self.config.capabilities.has(capabilities::SPEAKER) {
            leaves.retain(|leaf| *leaf != Leaf::Speaker);
        }
        leaves
    }

    fn publish(&mut self, leaf: Leaf, payload: Vec<u8>) {
        let (Some(link), Some(topics)) = (self.link, &self.topics) else { return };
        let topic = topics.topic(leaf);
        let token = self.take_token();
        if leaf.is_protected() {
            self.outbox.sent(token, leaf, &payload);
        } else {
            self.outbox.connection_message_sent(self.now);
        }
        self.act(Publish::new(link, token, topic, payload, Qos::AtMostOnce));
    }

    fn tell_disconnected(&mut self, cause: DisconnectCause) {
        self.tell(Event::Disconnected(Disconnected { cause }));
    }

    fn new_id(&mut self) -> MessageId {
        MessageId::from_random(self.random.next_bytes())
    }

    const fn take_token(&mut self) -> Token {
        let token = self.next_token;
        self.next_token = token.next();
        token
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl Machine for Device {
    type Vocabulary = Mqtt;
    type Event = Event;
    type Error = InputError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), InputError> {
        // What has ended ignores inputs, and so has no need to refuse them.
        let limit = self.config.max_queued;
        if self.outputs.len() >= limit && !self.is_finished() {
            return Err(InputError::QueueFull { limit });
        }
        self.advance(now);
        match input {
            Input::Opened(opened) => self.mqtt_up(opened.link),
            Input::Closed(closed) if self.link == Some(closed.link) => self.mqtt_down(),
            Input::Message(message) if self.link == Some(message.link) => self.message(&message),
            Input::Done(done) if self.link == Some(done.link) => self.done(done.token),
            Input::Failed(failed) if self.link == Some(failed.link) => self.failed(failed.token),
            _ => {}
        }
        self.flush();
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        // Time cannot be refused: what is due while nobody drains waits for room.
        while self.is_due() && self.outputs.len() < self.config.max_queued {
            self.fire();
        }
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        self.outputs
            .pop_front()
            .unwrap_or_else(|| Output::Idle(self.deadline().filter(|at| *at < MonoTime::MAX)))
    }

    fn is_finished(&self) -> bool {
        self.state == State::Closed
    }
}

fn topics_of(registration: &Registration) -> Topics {
    Topics::new(&registration.topic_root, registration.version, &registration.client_id)
}

/// So many times in a row are too many (row 34).
const MAX_TAMPERED: u32 = 3;
/// What lies further apart is not in a row (row 34).
const TAMPERED_APART: Duration = Duration::from_secs(3_600);
