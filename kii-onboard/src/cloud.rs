//! The cloud's side as a machine, for tests without a cloud account.
//!
//! [`Cloud`] speaks the vocabulary in [`server`]: what its two brokers see of each connection. Simulate it against a
//! thing, or put it behind a real MQTT broker.

use alloc::{
    collections::{BTreeMap, VecDeque},
    string::String,
    vec::Vec,
};
use core::time::Duration;

use iot_sansio::{InputOf, Machine, MonoTime, Output, mqtt::Link};

mod answer;
mod command;
mod config;
mod connection;
mod default_broker;
mod error;
mod event;
mod fault;
mod ids;
mod onboard;
mod request;
mod route;
mod second_broker;
pub mod server;
mod thing;

pub use config::Config;
pub use error::CloudError;
pub use event::{Disconnect, Event, Refusal};
pub use fault::{Effect, Fault, Requests};

use self::{
    command::{MAX_PUSHED, Prepared},
    connection::Connection,
    fault::Faults,
    ids::Ids,
    server::{Action, Close, Connack, Connect, Input, Pong, Server},
    thing::Things,
};
use crate::{
    AppId, Json, Stage, VendorThingId,
    command::{CommandObject, NewCommand},
};

/// The default broker and the second broker of Kii Cloud, with the things, states and commands behind them.
///
/// Each connection goes this way. What is refused, silent for too long or taken over by another connection is over:
///
/// ```text
///                 CONNECT: anonymous, key of an application
///   new ──────────────────────────────────────────────────► open at the default broker
///    │                                                          onboarding, and nothing else
///    │            CONNECT: mqttTopic, credentials of the endpoint           SUBSCRIBE mqttTopic
///    └───────────────────────────────────────────────────► open at the second ────────────► subscribed
///                                                               calls         ◄────────────  calls, pushes
///                                                                          UNSUBSCRIBE
/// ```
///
/// And each command goes this way:
///
/// ```text
///              the thing listens                  results of all actions
///   sending ───────────────────────► delivered ───────────────────────► done
///      │                                   └───────► incomplete ───────────┘
///      └─────────► send failed              of some
/// ```
///
/// What the cloud answers goes down the connection that asked, on the topic that was asked on. What is silent about the
/// real cloud is decided so:
///
/// - A thing's last eight access tokens count. It may use them for itself and for its end nodes, over its own connection.
/// - A command or a push for an end node goes down the connection of its gateway.
/// - Results may come more than once; the last ones count.
/// - Another endpoint is given to a thing whose last one holds for less than a second. It closes the connection that the
///   thing had there.
///
/// What goes wrong is up to the test: see [`Fault`].
///
/// ```
/// use iot_sansio::{Machine, MonoTime, Output, mqtt::Link};
/// use kii_onboard::{
///     App, Stage, cloud::{Cloud, Config, Event, server::{Action, Connect, Publish}},
///     frame::Response, onboarding::Onboarded,
/// };
///
/// let app = App::new("app01", "key01")?;
/// let mut cloud = Cloud::new(Config::new(app.clone(), "broker2.example"));
///
/// let (now, link) = (MonoTime::ORIGIN, Link::new(1));
/// let (user_name, password) = (app.user_name(), app.password());
/// let connect = Connect::new(link, Stage::Boot, "anonymous").with_credentials(&user_name, password.expose());
/// cloud.handle_input(now, connect.into())?;
///
/// let topic = "p/anonymous/thing-if/apps/app01/onboardings";
/// let request = b"POST\nContent-type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json\n\n\
///     {\"vendorThingID\":\"v1\",\"thingPassword\":\"p1\"}";
/// cloud.handle_input(now, Publish::new(link, topic, request).into())?;
///
/// let mut delivered = Vec::new();
/// loop {
///     match cloud.poll_output() {
///         Output::Action(Action::Deliver(deliver)) => delivered.push(deliver),
///         Output::Action(_) | Output::Event(_) => {}
///         Output::Idle(_) => break,
///     }
/// }
/// assert_eq!((delivered[0].link, delivered[0].topic.as_str()), (link, topic));
/// let response = Response::decode(&delivered[0].payload)?;
/// let onboarded = Onboarded::decode(response.body)?;
/// assert_eq!(onboarded.endpoint.map(|endpoint| endpoint.host).as_deref(), Some("broker2.example"));
/// assert!(!cloud.is_online(&onboarded.thing_id), "it has not connected there yet");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cloud {
    config: Config,
    now: MonoTime,
    /// The greatest number of a connection so far: any up to it that does not stand is over.
    newest_link: Option<Link>,
    connections: BTreeMap<Link, Connection>,
    things: Things,
    ids: Ids,
    faults: Faults,
    /// What a fault has put off, in its order.
    late: BTreeMap<(MonoTime, u64), Action>,
    last_late: u64,
    misdirected: u64,
    outputs: VecDeque<Output<Action, Event>>,
}

impl Cloud {
    /// A cloud with these settings, which knows no thing and nobody is connected to.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            ids: Ids::new(config.seed),
            config,
            now: MonoTime::ORIGIN,
            newest_link: None,
            connections: BTreeMap::new(),
            things: Things::default(),
            faults: Faults::default(),
            late: BTreeMap::new(),
            last_late: 0,
            misdirected: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Sends a command to a thing, as an owner does, and gives its id. A thing that does not listen never gets it, as
    /// [`Event::CommandSendFailed`] tells.
    ///
    /// # Errors
    /// There is no such thing, the push would have more than 4,096 bytes, or the queue of outputs is full.
    pub fn send_command(
        &mut self,
        now: MonoTime,
        thing_id: &str,
        command: &NewCommand,
    ) -> Result<String, CloudError> {
        self.check_queue()?;
        self.check_thing(thing_id)?;
        let prepared = Prepared::new(command, self.ids)
            .map_err(|size| CloudError::PushTooLarge { size, limit: MAX_PUSHED })?;
        self.pass(now);
        Ok(self.dispatch(thing_id, prepared))
    }

    /// Sends a thing a push that is no command, such as one of the application. A thing that does not listen never gets
    /// it, as [`Event::PushLost`] tells.
    ///
    /// # Errors
    /// There is no such thing, the push has more than 4,096 bytes, or the queue of outputs is full.
    pub fn push(&mut self, now: MonoTime, thing_id: &str, push: &Json) -> Result<(), CloudError> {
        self.check_queue()?;
        self.check_thing(thing_id)?;
        let (size, limit) = (push.as_str().len(), MAX_PUSHED);
        if size > limit {
            return Err(CloudError::PushTooLarge { size, limit });
        }
        self.pass(now);
        let link = self.deliver_push(thing_id, push.as_str().into());
        let thing_id = thing_id.into();
        self.tell(match link {
            Some(link) => Event::Pushed { thing_id, link },
            None => Event::PushLost { thing_id },
        });
        Ok(())
    }

    /// Ends the time of a thing's endpoint: the next CONNECT with it is refused, and the next onboarding gives another one.
    /// A connection that stands goes on until then.
    ///
    /// # Errors
    /// There is no such thing, or the queue of outputs is full.
    pub fn expire_endpoint(&mut self, now: MonoTime, thing_id: &str) -> Result<(), CloudError> {
        self.check_queue()?;
        self.check_thing(thing_id)?;
        self.pass(now);
        let thing = self.things.get_mut(thing_id);
        if let Some(endpoint) = thing.and_then(|thing| thing.endpoint.as_mut()) {
            endpoint.expires_at = Some(self.now);
        }
        Ok(())
    }

    /// Plans a fault, behind those that wait already.
    ///
    /// # Errors
    /// Too many wait, or the queue of outputs is full.
    pub fn inject(&mut self, now: MonoTime, fault: Fault) -> Result<(), CloudError> {
        self.check_queue()?;
        let limit = self.config.max_faults;
        if self.faults.len() >= limit {
            return Err(CloudError::TooManyFaults { limit });
        }
        self.pass(now);
        self.faults.add(fault);
        Ok(())
    }

    /// Forgets all faults that wait. What one of them has put off still comes.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn clear_faults(&mut self, now: MonoTime) -> Result<(), CloudError> {
        self.check_queue()?;
        self.pass(now);
        self.faults.clear();
        Ok(())
    }

    /// Closes a connection, if it stands.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn close(&mut self, now: MonoTime, link: Link) -> Result<(), CloudError> {
        self.check_queue()?;
        self.pass(now);
        self.close_connection(link, Disconnect::Closed);
        Ok(())
    }

    /// Closes all connections to a broker, as its restart does.
    ///
    /// # Errors
    /// The queue of outputs is full.
    pub fn close_all(&mut self, now: MonoTime, stage: Stage) -> Result<(), CloudError> {
        self.check_queue()?;
        self.pass(now);
        for link in self.connections(stage) {
            self.close_connection(link, Disconnect::Closed);
        }
        Ok(())
    }

    /// The connections to a broker that stand, in the order of their numbers.
    #[must_use]
    pub fn connections(&self, stage: Stage) -> Vec<Link> {
        let connections = self.connections.iter();
        connections.filter(|(_, it)| it.stage() == stage).map(|(link, _)| *link).collect()
    }

    /// The ids of all things, end nodes included, in the order of their texts.
    pub fn things(&self) -> impl Iterator<Item = &str> {
        self.things.iter().map(|(id, _)| id)
    }

    /// The id of the thing to which its maker gave this one.
    #[must_use]
    pub fn thing_id(&self, app: &AppId, vendor_id: &VendorThingId) -> Option<&str> {
        self.things.id_of(app, vendor_id)
    }

    /// Whether a thing has a connection to the second broker; an end node, whether its gateway says so.
    #[must_use]
    pub fn is_online(&self, thing_id: &str) -> bool {
        self.things.get(thing_id).is_some_and(|thing| match &thing.gateway {
            Some(_) => thing.is_connected,
            None => thing.link.is_some(),
        })
    }

    /// The state of a thing, if one was stored.
    #[must_use]
    pub fn state(&self, thing_id: &str) -> Option<&Json> {
        self.things.get(thing_id)?.state.as_ref()
    }

    /// A command of a thing, with its state and its results.
    #[must_use]
    pub fn command(&self, thing_id: &str, command_id: &str) -> Option<&CommandObject> {
        self.things.get(thing_id)?.command(command_id)
    }

    /// The commands of a thing that are kept, oldest first.
    pub fn commands(&self, thing_id: &str) -> impl Iterator<Item = &CommandObject> {
        self.things.get(thing_id).into_iter().flat_map(thing::Thing::commands)
    }

    /// How many messages came on topics that are none of their connection's.
    #[must_use]
    pub const fn misdirected(&self) -> u64 {
        self.misdirected
    }

    /// How many faults wait for their turn.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.faults.len()
    }

    fn check_queue(&self) -> Result<(), CloudError> {
        let limit = self.config.max_queued;
        match self.outputs.len() >= limit {
            true => Err(CloudError::QueueFull { limit }),
            false => Ok(()),
        }
    }

    fn check_thing(&self, thing_id: &str) -> Result<(), CloudError> {
        match self.things.get(thing_id) {
            Some(_) => Ok(()),
            None => Err(CloudError::UnknownThing { thing_id: thing_id.into() }),
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
        let late = self.late.keys().next().map(|(at, _)| *at);
        self.connections.values().filter_map(Connection::dead_at).chain(late).min()
    }

    fn fire(&mut self) {
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let action = entry.remove();
            self.carry(action);
        }
        let is_silent = |it: &Connection| it.dead_at().is_some_and(|at| at <= self.now);
        let silent = self.connections.iter().filter(|(_, connection)| is_silent(connection));
        let silent: Vec<_> = silent.map(|(link, _)| *link).collect();
        for link in silent {
            self.close_connection(link, Disconnect::Silent);
        }
    }

    fn connect(&mut self, connect: &Connect<'_>) {
        let Connect { link, stage, .. } = *connect;
        self.newest_link = self.newest_link.max(Some(link));
        if self.connections.contains_key(&link) {
            return self.close_connection(link, Disconnect::SecondConnect);
        }
        let accepted = if let Some(code) = self.faults.on_connect(stage) {
            self.tell(Event::Faulted { link });
            Err(Refusal::Fault(code))
        } else if self.connections.len() >= self.config.max_connections {
            Err(Refusal::TooManyConnections)
        } else {
            match stage {
                Stage::Boot => self.accept_anonymous(connect),
                Stage::Api => self.accept_thing(connect),
            }
        };
        match accepted {
            Ok(connection) => {
                let (app_id, thing_id) =
                    (connection.app.clone(), connection.thing_id().map(String::from));
                self.connections.insert(link, connection);
                self.act(Connack::new(link, None));
                self.tell(Event::Connected { link, stage, app_id });
                if let Some(thing_id) = thing_id {
                    self.take_over(thing_id, link);
                }
            }
            Err(reason) => {
                self.act(Connack::new(link, Some(reason.code())));
                self.tell(Event::Refused { link, stage, reason });
            }
        }
    }

    /// Notes that something came over a connection. If there is none, it is closed unless it is over already.
    fn receive(&mut self, link: Link) -> bool {
        let now = self.now;
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.last_received = now;
            return true;
        }
        if self.newest_link < Some(link) {
            self.newest_link = Some(link);
            self.act(Close::new(link));
        }
        false
    }

    fn ping(&mut self, link: Link) {
        let Some(stage) = self.connections.get(&link).map(Connection::stage) else { return };
        if self.faults.on_ping(stage) {
            return self.tell(Event::Faulted { link });
        }
        self.act(Pong::new(link));
    }

    fn close_connection(&mut self, link: Link, reason: Disconnect) {
        if self.connections.contains_key(&link) {
            self.act(Close::new(link));
            self.end_connection(link, reason);
        }
    }

    fn end_connection(&mut self, link: Link, reason: Disconnect) {
        let Some(connection) = self.connections.remove(&link) else { return };
        self.late.retain(|_, action| action.link() != link);
        self.tell(Event::Disconnected { link, stage: connection.stage(), reason });
        let thing_id = connection.thing_id().unwrap_or_default();
        let thing = self.things.get_mut(thing_id).filter(|thing| thing.link == Some(link));
        if let Some(thing) = thing {
            thing.link = None;
            self.tell(Event::Offline { thing_id: thing_id.into() });
        }
    }

    /// Does what a fault may have put off.
    fn carry(&mut self, action: Action) {
        match action {
            Action::Close(close) => self.close_connection(close.link, Disconnect::Fault),
            action => self.act(action),
        }
    }

    fn act_late(&mut self, delay: Duration, action: impl Into<Action>) {
        if self.late.len() < self.config.max_queued {
            self.last_late = self.last_late.saturating_add(1);
            self.late.insert((self.now.after(delay), self.last_late), action.into());
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }
}

impl Machine for Cloud {
    type Vocabulary = Server;
    type Event = Event;
    type Error = CloudError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), CloudError> {
        self.check_queue()?;
        self.pass(now);
        match input {
            Input::Connect(connect) => self.connect(&connect),
            Input::Closed(closed) => self.end_connection(closed.link, Disconnect::Client),
            Input::Subscribe(subscribe) if self.receive(subscribe.link) => {
                self.subscribe(subscribe);
            }
            Input::Unsubscribe(unsubscribe) if self.receive(unsubscribe.link) => {
                self.unsubscribe(unsubscribe);
            }
            Input::Publish(publish) if self.receive(publish.link) => self.publish(publish),
            Input::Ping(ping) if self.receive(ping.link) => self.ping(ping.link),
            Input::Subscribe(_) | Input::Unsubscribe(_) | Input::Publish(_) | Input::Ping(_) => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.pass(now);
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.deadline()))
    }

    /// Never: a cloud goes on for as long as it is kept.
    fn is_finished(&self) -> bool {
        false
    }
}
