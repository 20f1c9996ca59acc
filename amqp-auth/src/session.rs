//! One consumer's connection to the platform: a machine in the AMQP vocabulary (specification, sections 6, 7, 10, 11).

mod attempts;
mod config;
mod deliveries;
mod event;
mod login;
mod state;

use alloc::{boxed::Box, collections::VecDeque};
use core::{mem, time::Duration};

use iot_sansio::{
    InputOf, Machine, MonoTime, Output, UnixMillis, WallClock,
    amqp::{
        Abort, Action, Amqp, Attach, Close, CloseReason, Closed, Connection, Delivery, DeliveryId,
        Flow, Input, Open, OpenOptions, Outcome, Settle, Transport,
    },
};

use self::{
    attempts::Attempts,
    deliveries::{Admission, Deliveries},
    state::{State, Then},
};
pub use self::{
    config::{Config, CreditOutOfRange},
    event::{
        AckLate, Cause, CommandError, Condition, Connected, CredentialReason, CredentialWanted,
        Disconnected, Event, FailureClass, InputError, LoginWarning, Overflow, Received, RetryAt,
        StopReason, Stopped,
    },
};
use crate::{
    Credential,
    message::{Message, MessageId},
};

/// Keeps one receiver link to the platform: asks for credentials, connects, hands over messages once each, settles
/// them, and connects again after every failure. Several connections are several sessions, each with a client id of its
/// own.
///
/// ```text
///        start                 provide            Connected(TLS)        Opened            Attached
/// idle ────────► credential ───────────► dialing ───────────────► opening ──────► attaching ───────► running
///                  wanted                   │   Closed, or too late  │                │  Detached, 15 s  │
///                    ▲                      └──────────┬─────────────┘                └────────┬─────────┘
///                    │      its time has come          ▼              Closed, or 5 s           ▼
///                    └────────────────────────────── waiting ◄───────────────────────────── closing
///
/// stop, from anywhere: closing, and then stopped. A transport without TLS: stopped. start leaves stopped.
/// ```
///
/// - Every attempt is signed with the clock of that attempt; nothing is asked of a transport without TLS; there is one
///   receiver and no sender; at most twenty attempts are made a minute.
/// - A message is handed over in [`Event::Message`] and waits for [`accept`](Self::accept), [`fail`](Self::fail) or
///   [`release`](Self::release). Copies that come meanwhile are settled with it, copies that come later at once. A
///   message that could not be processed comes again.
/// - Answer within 30 s, or the platform sends the message again.
/// - [`stop`](Self::stop) gives back what was not answered. To process it all, answer first and then stop.
///
/// ```
/// use amqp_auth::{Consumer, Credential, Endpoint, session::{Config, Event, Session}};
/// use iot_sansio::{Machine, MonoTime, Output, UnixMillis, WallClock, amqp::Action};
///
/// let consumer = Consumer::new("client-01", "DEFAULT_GROUP")?.with_instance_id("iot-060a0example")?;
/// let config = Config::new(Endpoint::for_instance("iot-060a0example")?, consumer);
/// let clock = WallClock::new(MonoTime::ORIGIN, UnixMillis::new(1_700_000_000_000));
/// let mut session = Session::new(config, clock, 42); // in earnest: a random seed
///
/// let now = MonoTime::from_millis(5);
/// session.start(now)?;
/// let Output::Event(Event::CredentialWanted(_)) = session.poll_output() else { unreachable!() };
/// session.provide(now, Credential::key("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001"))?;
/// let Output::Action(Action::Dial(dial)) = session.poll_output() else { unreachable!() };
/// assert_eq!((dial.host.as_str(), dial.port), ("iot-060a0example.amqp.iothub.aliyuncs.com", 5671));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    config: Config,
    clock: WallClock,
    now: MonoTime,
    state: State,
    attempts: Attempts,
    deliveries: Deliveries,
    /// Given ahead, for the next attempt.
    ready: Option<Credential>,
    /// When to ask for the next credential while the connection runs.
    refresh_at: Option<UnixMillis>,
    /// When the credential of the connection expires.
    expires_at: Option<UnixMillis>,
    /// The platform refused the last credential, and has accepted none since.
    rejected: bool,
    next_connection: Connection,
    /// How often in a row the transport broke while the platform should have judged the credentials.
    unanswered_logins: u8,
    outputs: VecDeque<Output<Action, Event>>,
}

impl Session {
    /// A session that is not started yet. `seed` is random, and another one for each session.
    #[must_use]
    pub fn new(config: Config, clock: WallClock, seed: u64) -> Self {
        let deliveries = Deliveries::new(config.credit, config.deduplication);
        Self {
            config,
            clock,
            now: MonoTime::ORIGIN,
            state: State::Idle,
            attempts: Attempts::new(seed),
            deliveries,
            ready: None,
            refresh_at: None,
            expires_at: None,
            rejected: false,
            next_connection: Connection::new(1),
            unanswered_logins: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Tells that the wall clock was set, and reads this now: later attempts are signed with it.
    pub fn set_wall_clock(&mut self, now: MonoTime, wall: UnixMillis) {
        self.advance(now);
        self.clock = WallClock::new(self.now, wall);
        if let State::CredentialWanted { at, .. } = &mut self.state {
            *at = wall;
        }
    }

    /// Starts connecting. A session that is about to stop closes its connection first, and does not tell that it has
    /// stopped.
    ///
    /// # Errors
    /// The session is started already; too much waits to be drained.
    pub fn start(&mut self, now: MonoTime) -> Result<(), CommandError> {
        match self.state {
            State::Idle | State::Stopped | State::Closing { then: Then::Stop, .. } => {}
            _ => return Err(CommandError::Started),
        }
        self.begin_command(now)?;
        match &mut self.state {
            State::Closing { then, .. } => *then = Then::Start,
            _ => self.want_credential(),
        }
        Ok(())
    }

    /// Gives back what was not answered, closes the connection and ends with [`Event::Stopped`].
    ///
    /// # Errors
    /// The session is stopped already, or about to be; too much waits to be drained.
    pub fn stop(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.check_started()?;
        self.begin_command(now)?;
        let live = self.live();
        for id in self.deliveries.give_up(live) {
            self.settle(id, self.config.on_stop);
        }
        self.leave();
        self.ready = None;
        match self.state {
            State::Attaching { connection, .. } | State::Running { connection, .. } => {
                self.close(connection, Then::Stop);
            }
            State::Closing { ref mut then, .. } => *then = Then::Stop,
            State::Dialing { connection, .. } | State::Opening { connection, .. } => {
                self.act(Abort::new(connection));
                self.end(StopReason::Requested);
            }
            _ => self.end(StopReason::Requested),
        }
        Ok(())
    }

    /// Says that a message was processed, or never will be and was put aside: it and its copies are accepted.
    ///
    /// # Errors
    /// No such delivery waits for an answer; too much waits to be drained.
    pub fn accept(&mut self, now: MonoTime, id: DeliveryId) -> Result<(), CommandError> {
        self.answer(now, id, Some(Outcome::Accepted), true)
    }

    /// Says that a message could not be processed now: it shall come again, unless it came settled.
    ///
    /// # Errors
    /// No such delivery waits for an answer; too much waits to be drained.
    pub fn fail(&mut self, now: MonoTime, id: DeliveryId) -> Result<(), CommandError> {
        self.answer(now, id, self.config.on_failure, false)
    }

    /// Says that a message was not begun: it shall come again, here or elsewhere, unless it came settled.
    ///
    /// # Errors
    /// No such delivery waits for an answer; too much waits to be drained.
    pub fn release(&mut self, now: MonoTime, id: DeliveryId) -> Result<(), CommandError> {
        self.answer(now, id, Some(Outcome::Released), false)
    }

    /// Refuses a receiver: the session attaches the only one itself.
    ///
    /// # Errors
    /// Always [`CommandError::OneReceiverPerConnection`].
    pub const fn open_receiver(&self) -> Result<(), CommandError> {
        Err(CommandError::OneReceiverPerConnection)
    }

    /// Refuses a sender: data flows from the platform only.
    ///
    /// # Errors
    /// Always [`CommandError::SenderNotSupported`].
    pub const fn open_sender(&self) -> Result<(), CommandError> {
        Err(CommandError::SenderNotSupported)
    }

    fn answer(
        &mut self,
        now: MonoTime,
        id: DeliveryId,
        outcome: Option<Outcome>,
        processed: bool,
    ) -> Result<(), CommandError> {
        if !self.deliveries.is_open(id) {
            return Err(CommandError::UnknownDelivery { id });
        }
        self.begin_command(now)?;
        let processed = processed.then_some(self.now);
        for copy in self.deliveries.answer(id, processed, self.live()) {
            self.settle(copy, outcome);
        }
        self.replenish();
        Ok(())
    }

    fn check_started(&self) -> Result<(), CommandError> {
        match self.state {
            State::Idle | State::Stopped | State::Closing { then: Then::Stop, .. } => {
                Err(CommandError::Stopped)
            }
            _ => Ok(()),
        }
    }

    fn begin_command(&mut self, now: MonoTime) -> Result<(), CommandError> {
        let limit = self.config.max_queued;
        if self.outputs.len() >= limit {
            return Err(CommandError::QueueFull { limit });
        }
        self.advance(now);
        Ok(())
    }

    fn advance(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        while self.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.fire();
        }
    }

    fn deadline(&self) -> Option<MonoTime> {
        let refresh = self.refresh_at.filter(|_| self.live().is_some());
        let refresh = refresh.map(|unix| self.clock.when(unix));
        [self.state.until(), self.deliveries.late_at(), refresh].into_iter().flatten().min()
    }

    /// Does one thing that is due.
    fn fire(&mut self) {
        if self.state.until().is_some_and(|until| until <= self.now) {
            return self.state_is_over();
        }
        if let Some(id) = self.deliveries.late(self.now) {
            return self.tell(Event::AckLate(AckLate { id }));
        }
        self.refresh_at = None;
        let at = self.clock.at(self.now);
        let reason = CredentialReason::Refresh;
        self.tell(Event::CredentialWanted(CredentialWanted { reason, at }));
    }

    fn state_is_over(&mut self) {
        match self.state {
            State::Waiting { .. } => self.want_credential(),
            State::Dialing { connection, .. } => {
                self.act(Abort::new(connection));
                self.failed(Cause::DialTimeout);
            }
            State::Opening { connection, .. } => {
                self.act(Abort::new(connection));
                self.failed(Cause::OpenTimeout);
            }
            State::Attaching { connection, .. } => {
                self.close_after(connection, Cause::LinkTimeout);
            }
            State::Closing { connection, then, .. } => {
                self.act(Abort::new(connection));
                self.closed(then);
            }
            State::Idle
            | State::CredentialWanted { .. }
            | State::Running { .. }
            | State::Stopped => {}
        }
    }

    fn handle_open(&mut self, connection: Connection, transport: Transport) {
        if !matches!(self.state, State::Dialing { .. }) {
            return;
        }
        if transport != Transport::Tls {
            self.act(Abort::new(connection));
            return self.end(StopReason::TlsRequired);
        }
        let opening = State::Opening { connection, until: self.now.after(OPEN_TIMEOUT) };
        let State::Dialing { login, .. } = mem::replace(&mut self.state, opening) else { return };
        let (user_name, password) = *login;
        let options = OpenOptions::new(
            user_name,
            password,
            self.config.consumer.client_id(),
            self.config.endpoint.host(),
            self.config.idle_timeout.on_wire(),
        );
        self.act(Open::new(connection, options));
    }

    fn handle_delivery(&mut self, delivery: &Delivery<'_>) {
        let Delivery { id, settled, .. } = *delivery;
        if !self.deliveries.is_new(id) {
            return;
        }
        let message = Message::decode(&delivery.message, self.config.decoding());
        let message_id = message.attributes.message_id.as_ref().map(MessageId::as_str);
        match self.deliveries.admit(self.now, id, settled, message_id) {
            Admission::HandOver => {
                let message = message.into_owned();
                self.tell(Event::Message(Box::new(Received { id, settled, message })));
            }
            Admission::Wait => {}
            Admission::Accept if settled => {}
            Admission::Accept => self.settle(id, Some(Outcome::Accepted)),
            Admission::Refuse => {
                if !settled {
                    self.settle(id, Some(Outcome::Released));
                }
                self.tell(Event::Overflow(Overflow { id }));
            }
        }
        self.replenish();
    }

    fn handle_closed(&mut self, closed: &Closed<'_>) {
        if let State::Closing { then, .. } = self.state {
            return self.closed(then);
        }
        let opening = matches!(self.state, State::Opening { .. });
        let dialing = matches!(self.state, State::Dialing { .. });
        self.failed(match closed.reason {
            CloseReason::Version => Cause::Version,
            CloseReason::Mechanism => Cause::Mechanism,
            CloseReason::Refused(code) => Cause::Refused(code),
            CloseReason::Peer(error) => Cause::Peer(error.map(Condition::from)),
            _ if dialing => Cause::Unreachable,
            _ if opening => Cause::LostWhileOpening,
            _ => Cause::Lost,
        });
    }

    /// There is no connection any more, or there was none.
    fn failed(&mut self, cause: Cause) {
        let class = self.judge(cause);
        self.wait(class);
    }

    /// The connection is of no more use.
    fn close_after(&mut self, connection: Connection, cause: Cause) {
        let class = self.judge(cause);
        self.close(connection, Then::Retry(class));
    }

    /// Takes account of a failure, and tells it.
    fn judge(&mut self, cause: Cause) -> FailureClass {
        self.leave();
        self.unanswered_logins = match cause {
            Cause::LostWhileOpening => self.unanswered_logins.saturating_add(1),
            // These say nothing of the credentials.
            Cause::NoCredential | Cause::Unreachable | Cause::DialTimeout => self.unanswered_logins,
            _ => 0,
        };
        let silent = self.unanswered_logins >= MAX_UNANSWERED_LOGINS;
        let class = if silent { FailureClass::Slow } else { cause.class() };
        if silent || cause.is_rejection() {
            self.rejected = true;
            self.ready = None;
        }
        self.tell(Event::Disconnected(Disconnected { cause }));
        class
    }

    /// The connection, if there is one, does not run any more.
    fn leave(&mut self) {
        if let State::Running { since, .. } = self.state {
            if self.now.since(since) >= STABLE_AFTER {
                self.attempts.reset();
            }
        }
        self.deliveries.disconnected();
        self.refresh_at = None;
        self.expires_at = None;
    }

    fn close(&mut self, connection: Connection, then: Then) {
        self.act(Close::new(connection));
        self.state = State::Closing { connection, until: self.now.after(CLOSE_TIMEOUT), then };
    }

    fn closed(&mut self, then: Then) {
        match then {
            Then::Stop => self.end(StopReason::Requested),
            Then::Start => self.want_credential(),
            Then::Retry(class) => self.wait(class),
        }
    }

    fn wait(&mut self, class: FailureClass) {
        let until = self.attempts.retry_at(self.now, class);
        self.state = State::Waiting { until };
        self.tell(Event::RetryAt(RetryAt { at: until }));
    }

    fn end(&mut self, reason: StopReason) {
        self.deliveries.give_up(None);
        self.leave();
        self.ready = None;
        self.state = State::Stopped;
        self.tell(Event::Stopped(Stopped { reason }));
    }

    fn replenish(&mut self) {
        if let State::Running { connection, .. } = self.state {
            if let Some(credit) = self.deliveries.replenish() {
                self.act(Flow::new(connection, credit));
            }
        }
    }

    fn settle(&mut self, id: DeliveryId, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            self.act(Settle::new(id, outcome));
        }
    }

    /// The connection that runs, if one does.
    const fn live(&self) -> Option<Connection> {
        match self.state {
            State::Running { connection, .. } => Some(connection),
            _ => None,
        }
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl Machine for Session {
    type Vocabulary = Amqp;
    type Event = Event;
    type Error = InputError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), InputError> {
        // What has ended ignores inputs, and so has no need to refuse them.
        let limit = self.config.max_queued;
        if self.outputs.len() >= limit && !self.is_finished() {
            return Err(InputError::QueueFull { limit });
        }
        self.advance(now);
        let Some(current) = self.state.connection() else {
            return Ok(());
        };
        match input {
            Input::Connected(connected) if connected.connection == current => {
                self.handle_open(current, connected.transport);
            }
            Input::Opened(opened) if opened.connection == current => {
                if matches!(self.state, State::Opening { .. }) {
                    self.unanswered_logins = 0;
                    self.rejected = false;
                    let (until, peer_idle_timeout) =
                        (self.now.after(LINK_TIMEOUT), opened.idle_timeout);
                    self.state = State::Attaching { connection: current, until, peer_idle_timeout };
                    self.act(Attach::new(current, LINK_NAME, self.config.source.as_str()));
                }
            }
            Input::Attached(attached) if attached.connection == current => {
                if let State::Attaching { peer_idle_timeout, .. } = self.state {
                    self.state = State::Running { connection: current, since: self.now };
                    self.replenish();
                    let connected = Connected { connection: current, peer_idle_timeout };
                    self.tell(Event::Connected(connected));
                }
            }
            Input::Delivery(delivery) if Some(delivery.id.connection) == self.live() => {
                self.handle_delivery(&delivery);
            }
            Input::Detached(detached) if detached.connection == current => {
                if matches!(self.state, State::Attaching { .. } | State::Running { .. }) {
                    let cause = Cause::Link(detached.error.map(Condition::from));
                    self.close_after(current, cause);
                }
            }
            Input::Closed(closed) if closed.connection == current => self.handle_closed(&closed),
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.advance(now);
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.deadline()))
    }

    fn is_finished(&self) -> bool {
        matches!(self.state, State::Stopped)
    }
}

const LINK_NAME: &str = "receiver";
/// For authentication and `open` together, of which a stack tells only the end (T_auth and T_open).
const OPEN_TIMEOUT: Duration = Duration::from_secs(15);
/// T_link.
const LINK_TIMEOUT: Duration = Duration::from_secs(15);
/// T_close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// T_stable.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// So many in a row are taken for a refusal (specification, section 6.6).
const MAX_UNANSWERED_LOGINS: u8 = 3;
