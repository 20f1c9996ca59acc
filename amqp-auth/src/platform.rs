//! The platform's side as a machine, for tests without a cloud account.
//!
//! [`Platform`] speaks the vocabulary in [`server`]: what an AMQP server sees of each connection. Simulate it against a
//! client, or put it behind a real AMQP server.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use fastrand::Rng;
use iot_sansio::{
    InputOf, Machine, MonoTime, Output, UnixMillis, WallClock,
    amqp::{Connection, Outcome, SaslCode, Transport},
};

mod account;
mod backlog;
mod client;
mod config;
mod error;
mod event;
mod fault;
mod message;
mod rate;
pub mod server;

pub use account::Account;
pub use config::Config;
pub use error::PlatformError;
pub use event::{Disconnect, Event, GivenUp, LinkRule, LoggedIn, Step};
pub use message::{Message, MessageId, MessageIdForm, Push};

use self::{
    account::Keys,
    backlog::Backlog,
    client::{Client, Link, Phase},
    fault::Faults,
    rate::LoginRate,
    server::{Action, Input, Role, Server},
};
use crate::verify;

/// The service's side of the AMQP server-side subscription: it checks logins, keeps the rules of connections and links,
/// and sends every message until a client of its consumer group accepts it.
///
/// Each connection goes this way. Whatever is out of order, out of range or late ends it, with one
/// [`Event::Disconnected`]:
///
/// ```text
///                  SaslInit              Opened           Attached (receiver)
///   connected ─────────────► logged in ─────────► open ───────────────────────► linked
///   15 s             15 s                 15 s     ▲          Detached            │
///                                                  └──────────────────────────────┘
/// ```
///
/// And each message goes this way:
///
/// ```text
///          credit            accepted, rejected
///   ready ────────► in flight ──────────────────► (gone; also from anywhere after a day)
///     ▲  first ack timeout, │  released, modified,
///     │  connection lost    │  later ack timeouts
///     ├─────────────────────┘        │
///     └────────────── waiting ◄──────┘
///        a minute
/// ```
///
/// The platform does not say what it does with other outcomes than accepted. Here a rejected message is given up, as
/// it is valid for nobody; one that was released or modified is sent again later, and not over a link on which it is
/// undeliverable. A settlement that comes after the ack timeout is ignored: the message is sent again.
///
/// ```
/// use amqp_auth::{Consumer, Credential, SignMethod, Signer};
/// use amqp_auth::platform::{Account, Config, Event, Platform, server::{Action, Connected, SaslInit}};
/// use iot_sansio::{Machine, MonoTime, Output, UnixMillis, WallClock, amqp::{Connection, SaslCode, Transport}};
///
/// let wall = UnixMillis::new(1_573_489_088_171);
/// let account = Account::new("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001").with_group("G");
/// let clock = WallClock::new(MonoTime::ORIGIN, wall);
/// let mut platform = Platform::new(Config::default().with_account(account), clock);
///
/// let (now, connection) = (MonoTime::ORIGIN, Connection::new(1));
/// platform.handle_input(now, Connected::new(connection, Transport::Tls).into())?;
/// let user_name = b"c|authMode=aksign,signMethod=hmacsha1,consumerGroupId=G,\
///     authId=LTAI5tEXAMPLEKEY00000001,timestamp=1573489088171|";
/// platform.handle_input(now, SaslInit::new(connection, user_name, b"GQ4mXPdhWDKJd+gKKxhGwGl7nIY=").into())?;
/// let Output::Event(Event::LoggedIn(login)) = platform.poll_output() else { panic!() };
/// assert_eq!(login.consumer_group_id, "G");
/// let Output::Action(Action::SaslOutcome(outcome)) = platform.poll_output() else { panic!() };
/// assert_eq!(outcome.code, SaslCode::OK);
/// # Ok::<(), amqp_auth::platform::PlatformError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Platform {
    config: Config,
    wall_clock: WallClock,
    now: MonoTime,
    clients: BTreeMap<Connection, Client>,
    login_rate: LoginRate,
    backlog: Backlog,
    /// The state of the generator that chooses among clients: the generator itself has no hash.
    seed: u64,
    faults: Faults,
    outputs: VecDeque<Output<Action, Event>>,
    /// Whether messages wait for room in the queue; nothing else happens before they are sent.
    held_back: bool,
}

impl Platform {
    /// A platform with these settings, which nobody is connected to.
    #[must_use]
    pub fn new(config: Config, wall_clock: WallClock) -> Self {
        Self {
            backlog: Backlog::new(config.seed),
            seed: !config.seed,
            config,
            wall_clock,
            now: MonoTime::ORIGIN,
            clients: BTreeMap::new(),
            login_rate: LoginRate::default(),
            faults: Faults::none(),
            outputs: VecDeque::new(),
            held_back: false,
        }
    }

    /// Tells that the wall clock reads `unix` at `now`: when it was set.
    pub fn set_wall_clock(&mut self, now: MonoTime, unix: UnixMillis) {
        self.pass_time(now);
        self.wall_clock = WallClock::new(self.now, unix);
    }

    /// Pushes a message to a consumer group, and gives the id under which it is sent.
    ///
    /// # Errors
    /// No account has the group, the message is too large, too many wait to be accepted, or the queue of outputs is
    /// full.
    pub fn push(
        &mut self,
        now: MonoTime,
        consumer_group_id: &str,
        push: Push,
    ) -> Result<MessageId, PlatformError> {
        self.check_queue()?;
        let has_group =
            |account: &Account| account.groups().any(|group| group == consumer_group_id);
        if !self.config.accounts.iter().any(has_group) {
            return Err(PlatformError::UnknownGroup { group: consumer_group_id.into() });
        }
        let (size, limit) = (push.size(), self.config.max_message_size);
        if size > limit {
            return Err(PlatformError::MessageTooLarge { size, limit });
        }
        let limit = self.config.max_messages;
        if self.backlog.len_at(self.now.max(now)) >= limit {
            return Err(PlatformError::TooManyMessages { limit });
        }
        self.pass(now);
        let (now, pushed_at) = (self.now, self.wall_clock.at(self.now).get());
        let retention = self.config.retention;
        let id = self.backlog.add(consumer_group_id, push, pushed_at, now, retention);
        self.pass(now);
        Ok(id)
    }

    /// Sends a message once more, whatever has become of its deliveries, as soon as a client has credit.
    ///
    /// # Errors
    /// The message was accepted or given up, or there never was one; or the queue of outputs is full.
    pub fn duplicate(&mut self, now: MonoTime, message: MessageId) -> Result<(), PlatformError> {
        self.check_queue()?;
        if !self.backlog.contains_at(message, self.now.max(now)) {
            return Err(PlatformError::UnknownMessage { message });
        }
        self.pass(now);
        self.backlog.schedule(message, self.now, self.now);
        self.pass(now);
        Ok(())
    }

    /// The connections that stand, in the order of their numbers.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        self.clients.keys().copied().collect()
    }

    /// The messages that nobody has accepted yet, oldest first.
    #[must_use]
    pub fn pending(&self) -> impl ExactSizeIterator<Item = MessageId> {
        self.backlog.ids()
    }

    fn check_queue(&self) -> Result<(), PlatformError> {
        let limit = self.config.max_queued;
        match self.outputs.len() >= limit || self.held_back {
            true => Err(PlatformError::QueueFull { limit }),
            false => Ok(()),
        }
    }

    /// Lets time pass, fires what is due, and sends what can be sent: for a step that the queue had room for, whatever
    /// that makes of the queue, as what comes after it must not come before.
    fn pass(&mut self, now: MonoTime) {
        self.fire(now);
        self.send_ready(usize::MAX);
    }

    /// The same for time alone, which cannot be refused: nothing is sent beyond the limit.
    fn pass_time(&mut self, now: MonoTime) {
        self.fire(now);
        self.send_ready(self.config.max_queued);
    }

    fn fire(&mut self, now: MonoTime) {
        self.now = self.now.max(now);
        self.end_late_clients();
        while let Some(message) = self.backlog.expired(self.now) {
            self.give_up(message, GivenUp::Expired);
        }
        while let Some(id) = self.backlog.late(self.now) {
            let Some(message) = self.backlog.message_of(id) else { break };
            let attempts = self.backlog.attempts(message);
            self.tell(Event::AckTimeout { message, id, attempts });
            let due = if attempts == 1 { self.now } else { self.retry_time() };
            self.backlog.fail(id, true, due, self.now);
        }
        self.backlog.make_ready(self.now);
    }

    fn end_late_clients(&mut self) {
        if self.faults.stalled {
            return;
        }
        let late = self.clients.iter().filter(|(_, client)| is_due(client.deadline(), self.now));
        let late: Vec<Connection> = late.map(|(connection, _)| *connection).collect();
        for connection in late {
            let Some(client) = self.clients.get(&connection) else { continue };
            match client.phase {
                Phase::Open { .. } => {
                    let timeout = self.config.link_timeout;
                    let description = "no receiver link was attached in time";
                    let reason = Disconnect::LinkTimeout { timeout };
                    self.close_client(connection, FORCED, description, reason);
                }
                Phase::LoggedIn { .. } => {
                    let timeout = self.config.auth_timeout;
                    self.drop_client(connection, Disconnect::OpenTimeout { timeout });
                }
                Phase::Connected { .. } | Phase::Linked(_) => {
                    let timeout = self.config.auth_timeout;
                    self.drop_client(connection, Disconnect::AuthTimeout { timeout });
                }
            }
        }
    }

    /// Sends what is ready to random clients of its group, oldest first, as far as their credit goes.
    fn send_ready(&mut self, max_queued: usize) {
        self.held_back = false;
        if self.faults.stalled {
            return;
        }
        for group in self.backlog.ready_groups() {
            let mut next = self.backlog.ready_after(&group, None);
            while let Some(message) = next {
                let copies = self.config.max_messages.saturating_mul(MAX_COPIES);
                if self.backlog.deliveries() >= copies
                    || !self.clients.values().any(|client| client.takes_from(&group))
                {
                    break;
                }
                if self.outputs.len() >= max_queued {
                    self.held_back = true;
                    return;
                }
                self.send(&group, message);
                next = self.backlog.ready_after(&group, Some(message));
            }
        }
    }

    /// Sends a message to a random client of the group that has credit and wants it, if there is one.
    fn send(&mut self, group: &str, message: MessageId) {
        let takers = self.clients.iter_mut();
        let takers = takers.filter(|(_, client)| client.takes_from(group) && client.wants(message));
        let mut takers: Vec<_> = takers.collect();
        if takers.is_empty() {
            return;
        }
        let mut rng = Rng::with_seed(self.seed);
        let (connection, client) = takers.swap_remove(rng.usize(..takers.len()));
        self.seed = rng.get_seed();
        let id = client.next_delivery(*connection);
        let ack_deadline = self.now.after(self.config.ack_timeout);
        let form = self.config.message_id_form;
        if let Some(message) = self.backlog.send(message, id, ack_deadline, form) {
            self.act(server::Deliver::new(id, message));
        }
    }

    fn connected(&mut self, connected: server::Connected) {
        let connection = connected.connection;
        if self.clients.contains_key(&connection) {
            return;
        }
        let limit = self.config.max_connections;
        let refusal = match connected.transport {
            Transport::Tls if self.clients.len() < limit => None,
            Transport::Tls => Some(Disconnect::TooManyConnections { limit }),
            _ => Some(Disconnect::PlainTcp),
        };
        let deadline = self.now.after(self.config.auth_timeout);
        self.clients.insert(connection, Client::new(deadline));
        if let Some(reason) = refusal {
            self.drop_client(connection, reason);
        }
    }

    fn log_in(&mut self, init: server::SaslInit<'_>) {
        let connection = init.connection;
        let Some(client) = self.clients.get_mut(&connection) else { return };
        if !matches!(client.phase, Phase::Connected { .. }) {
            return self.drop_client(connection, Disconnect::OutOfOrder { step: Step::SaslInit });
        }
        if let Some(code) = self.faults.take_refusal() {
            return self.refuse_login(connection, code, Disconnect::Refused(code));
        }
        let (wall, policy) = (self.wall_clock.at(self.now), &self.config.policy);
        let keys = Keys(&self.config.accounts);
        let login = match verify(init.user_name, init.password, wall, policy, &keys) {
            Ok(login) => login,
            Err(error) => {
                let code = error.sasl_code();
                return self.refuse_login(connection, code, Disconnect::Login(error));
            }
        };
        let group = login.unsigned.consumer_group_id;
        let limit = self.config.max_logins_per_minute;
        let excess = !self.login_rate.admit(group, self.now, limit);
        client.group = group.into();
        client.phase =
            Phase::LoggedIn { deadline: self.now.after(self.config.auth_timeout), excess };
        if !excess {
            self.outputs.push_back(Output::Event(Event::LoggedIn(LoggedIn {
                connection,
                client_id: login.unsigned.client_id.into(),
                consumer_group_id: group.into(),
                auth_id: login.auth_id.into(),
                auth_mode: login.auth_mode,
            })));
        }
        self.act(server::SaslOutcome::new(connection, SaslCode::OK));
    }

    fn opened(&mut self, opened: server::Opened) {
        let server::Opened { connection, idle_timeout } = opened;
        let Some(client) = self.clients.get_mut(&connection) else { return };
        let Phase::LoggedIn { excess, .. } = client.phase else {
            return self.drop_client(connection, Disconnect::OutOfOrder { step: Step::Open });
        };
        if excess {
            let limit = self.config.max_logins_per_minute;
            let description = "too many connection requests of the consumer group in a minute";
            let reason = Disconnect::TooManyLogins { limit };
            return self.close_client(connection, RESOURCE_LIMIT, description, reason);
        }
        if !idle_timeout.is_some_and(|span| IDLE_TIMEOUTS.contains(&span)) {
            let description = "idle-time-out must be 30000 to 300000 milliseconds";
            let reason = Disconnect::IdleOutOfRange { idle_timeout };
            return self.close_client(connection, INVALID_FIELD, description, reason);
        }
        client.phase = Phase::Open { deadline: self.now.after(self.config.link_timeout) };
        self.act(server::Open::new(connection, self.config.idle_timeout));
    }

    fn attached(&mut self, attached: server::Attached) {
        let server::Attached { connection, link, role } = attached;
        let Some(client) = self.clients.get_mut(&connection) else { return };
        let rule = match (&client.phase, role) {
            (Phase::Connected { .. } | Phase::LoggedIn { .. }, _) => {
                return self.drop_client(connection, Disconnect::OutOfOrder { step: Step::Attach });
            }
            (_, Role::Sender) => LinkRule::NoSender,
            (Phase::Linked(_), Role::Receiver) => LinkRule::OneReceiver,
            (Phase::Open { .. }, Role::Receiver) => {
                client.phase =
                    Phase::Linked(Link { number: link, credit: 0, unwanted: Default::default() });
                self.tell(Event::Attached { connection, link });
                return self.act(server::Attach::new(connection, link));
            }
        };
        let description = alloc::format!("{rule}");
        self.tell(Event::LinkRefused { connection, link, rule });
        self.act(server::Detach::new(connection, link, NOT_IMPLEMENTED, description));
    }

    fn detached(&mut self, detached: server::Detached) {
        let server::Detached { connection, link } = detached;
        let Some(client) = self.clients.get_mut(&connection) else { return };
        if client.link_mut().is_some_and(|mine| mine.number == link) {
            client.phase = Phase::Open { deadline: self.now.after(self.config.link_timeout) };
            self.backlog.fail_all(connection, self.now);
            self.tell(Event::Detached { connection, link });
        }
    }

    fn credited(&mut self, credit: server::Credit) {
        let client = self.clients.get_mut(&credit.connection);
        if let Some(link) = client.and_then(Client::link_mut) {
            link.credit = credit.credit;
        }
    }

    fn settled(&mut self, settled: server::Settled) {
        let server::Settled { id, outcome } = settled;
        let Some(message) = self.backlog.message_of(id) else { return };
        if self.faults.take_loss() {
            return;
        }
        let attempts = self.backlog.attempts(message);
        self.tell(Event::Settled { message, id, outcome, attempts });
        let retry = self.retry_time();
        match outcome {
            Outcome::Accepted => self.remove(message),
            Outcome::Rejected => self.give_up(message, GivenUp::Rejected),
            Outcome::Released => self.backlog.fail(id, false, retry, self.now),
            Outcome::Modified { delivery_failed, undeliverable_here } => {
                let client = self.clients.get_mut(&id.connection);
                if let Some(link) = client.and_then(Client::link_mut) {
                    if undeliverable_here {
                        link.unwanted.insert(message);
                    }
                }
                self.backlog.fail(id, delivery_failed, retry, self.now);
            }
        }
    }

    fn remove(&mut self, message: MessageId) {
        self.backlog.remove(message);
        for link in self.clients.values_mut().filter_map(Client::link_mut) {
            link.unwanted.remove(&message);
        }
    }

    fn give_up(&mut self, message: MessageId, reason: GivenUp) {
        let attempts = self.backlog.attempts(message);
        self.remove(message);
        self.tell(Event::GivenUp { message, reason, attempts });
    }

    fn refuse_login(&mut self, connection: Connection, code: SaslCode, reason: Disconnect) {
        self.act(server::SaslOutcome::new(connection, code));
        self.end_client(connection, reason);
    }

    fn close_client(
        &mut self,
        connection: Connection,
        condition: &str,
        description: &str,
        reason: Disconnect,
    ) {
        if self.clients.contains_key(&connection) {
            self.act(server::Close::new(connection, condition, description));
            self.end_client(connection, reason);
        }
    }

    fn drop_client(&mut self, connection: Connection, reason: Disconnect) {
        if self.clients.contains_key(&connection) {
            self.act(server::Abort::new(connection));
            self.end_client(connection, reason);
        }
    }

    fn end_client(&mut self, connection: Connection, reason: Disconnect) {
        if self.clients.remove(&connection).is_some() {
            self.backlog.fail_all(connection, self.now);
            self.tell(Event::Disconnected { connection, reason });
        }
    }

    fn retry_time(&self) -> MonoTime {
        self.now.after(self.config.retry_interval)
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }
}

impl Machine for Platform {
    type Vocabulary = Server;
    type Event = Event;
    type Error = PlatformError;

    fn handle_input(
        &mut self,
        now: MonoTime,
        input: InputOf<'_, Self>,
    ) -> Result<(), PlatformError> {
        self.check_queue()?;
        self.pass(now);
        match input {
            Input::Connected(connected) => self.connected(connected),
            Input::SaslInit(_) | Input::Opened(_) | Input::Attached(_) if self.faults.stalled => {}
            Input::SaslInit(init) => self.log_in(init),
            Input::Opened(opened) => self.opened(opened),
            Input::Attached(attached) => self.attached(attached),
            Input::Detached(detached) => self.detached(detached),
            Input::Credit(credit) => self.credited(credit),
            Input::Settled(settled) => self.settled(settled),
            Input::Closed(closed) => self.end_client(closed.connection, Disconnect::Client),
        }
        self.pass(now);
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.pass_time(now);
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        if self.outputs.is_empty() && self.held_back {
            self.send_ready(self.config.max_queued);
        }
        self.outputs.pop_front().unwrap_or_else(|| {
            let clients = self.clients.values().filter_map(Client::deadline);
            let first = clients.min().filter(|_| !self.faults.stalled);
            Output::Idle(first.into_iter().chain(self.backlog.deadline()).min())
        })
    }

    /// Never: a platform goes on for as long as it is kept.
    fn is_finished(&self) -> bool {
        false
    }
}

fn is_due(deadline: Option<MonoTime>, now: MonoTime) -> bool {
    deadline.is_some_and(|deadline| deadline <= now)
}

/// What a client may announce (specification, section 6.1).
const IDLE_TIMEOUTS: core::ops::RangeInclusive<Duration> =
    Duration::from_millis(30_000)..=Duration::from_millis(300_000);
/// How many deliveries may be open for each message that may be, as copies are sent on demand.
const MAX_COPIES: usize = 2;

const FORCED: &str = "amqp:connection:forced";
const INVALID_FIELD: &str = "amqp:invalid-field";
const NOT_IMPLEMENTED: &str = "amqp:not-implemented";
const RESOURCE_LIMIT: &str = "amqp:resource-limit-exceeded";
