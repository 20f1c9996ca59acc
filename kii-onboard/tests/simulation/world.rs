//! Things, the cloud, and what stands between them: MQTT clients, connections, people.
//!
//! Each thing has lines of its own to and from the cloud. What it publishes and is sent may be lost, come twice, late or
//! in another order; connections are made and end in order. A client pings by the rule of section 11.2 and gives up a
//! connection on which no PINGRESP comes. Time is virtual, and all chance follows from a seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fastrand::Rng;
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{
        self, Action, CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Input, Link,
        Message, Opened, Token,
    },
    sim::{Faults, Line},
};
use kii_onboard::{
    App, AppId, Json, KeepAlive, Ping, Pings, Stage, VendorThingId,
    call::{Answer, Call},
    cloud::{self, Cloud, Fault, server},
    command::{Action as CommandAction, ActionResult, ActionResults, Command, NewCommand},
    onboarding::{Onboarded, Owner, ThingOnboarding},
    thing::{CallFailure, CallId, Config, Event, FailReason, Thing},
};

pub(crate) struct World {
    pub(crate) now: MonoTime,
    pub(crate) cloud: Cloud,
    pub(crate) sides: Vec<Side>,
    rng: Rng,
    /// What each fault that struck was for.
    pub(crate) strikes: u32,
    pub(crate) commands: BTreeMap<String, u32>,
}

/// One thing, its MQTT client and its application.
pub(crate) struct Side {
    number: u32,
    pub(crate) vendor_id: VendorThingId,
    pub(crate) thing: Thing,
    up: Line<(Link, Up)>,
    down: Line<(Link, Down)>,
    /// The connection that its client keeps.
    connection: Option<Connection>,
    /// When the application does the next thing.
    act_at: MonoTime,
    busy: bool,
    states: u32,
    /// Calls that wait, and what each is for.
    calls: BTreeMap<CallId, Purpose>,
    /// When a person starts it again.
    restart_at: Option<MonoTime>,
    saved: Option<(MonoTime, Onboarded)>,
    pub(crate) told: Told,
}

struct Connection {
    link: Link,
    pings: Option<Pings>,
    keep_alive: KeepAlive,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    State(String),
    ReadState,
    Results(String),
}

/// What was seen of one thing.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) onboarded: u32,
    pub(crate) ready: u32,
    pub(crate) expired: u32,
    pub(crate) responses: u32,
    pub(crate) timeouts: u32,
    pub(crate) lost: u32,
    pub(crate) ignored: BTreeMap<String, u32>,
    pub(crate) failures: Vec<FailReason>,
    pub(crate) retries: u32,
    pub(crate) commands: BTreeSet<String>,
}

#[derive(Clone, Debug)]
enum Up {
    Connect(Box<ConnectOptions>),
    Subscribe(Token, String),
    Publish(String, Vec<u8>),
    Ping,
    Gone,
}

#[derive(Clone, Debug)]
enum Down {
    Opened,
    Refused(ConnackCode),
    Granted(Token, bool),
    Message(String, Vec<u8>),
    Pong,
    Closed,
}

impl World {
    /// So many things and their cloud, with lines that have these faults.
    pub(crate) fn new(
        things: u32,
        seed: u64,
        faults: Faults,
        configure: impl Fn(Config) -> Config,
    ) -> Self {
        let app = App::new("app01", "key01").unwrap();
        let cloud = cloud::Config::new(app.clone(), "broker2.example").with_seed(seed);
        let side = |number: u32| {
            let vendor_id = VendorThingId::new(format!("v{number}")).unwrap();
            let onboarding =
                ThingOnboarding::with_vendor_thing_id(vendor_id.clone(), "p1").unwrap();
            let broker = kii_onboard::DefaultBroker::new("broker1.example");
            let config = configure(Config::new(app.clone(), broker, onboarding));
            let seed = seed * 100 + u64::from(number) * 2;
            Side {
                number,
                vendor_id,
                thing: Thing::new(config, seed).unwrap(),
                up: Line::new(faults, seed),
                down: Line::new(faults, seed + 1),
                connection: None,
                act_at: MonoTime::ORIGIN,
                busy: true,
                states: 0,
                calls: BTreeMap::new(),
                restart_at: Some(MonoTime::ORIGIN),
                saved: None,
                told: Told::default(),
            }
        };
        Self {
            now: MonoTime::ORIGIN,
            cloud: Cloud::new(cloud),
            sides: (0..things).map(side).collect(),
            rng: Rng::with_seed(seed),
            strikes: 0,
            commands: BTreeMap::new(),
        }
    }

    pub(crate) fn inject(&mut self, fault: Fault) {
        self.cloud.inject(self.now, fault).unwrap();
        self.drain();
    }

    /// From now on lines lose, double and delay nothing.
    pub(crate) fn calm(&mut self) {
        self.cloud.clear_faults(self.now).unwrap();
        for side in &mut self.sides {
            side.up.set_faults(Faults::none());
            side.down.set_faults(Faults::none());
        }
    }

    /// Breaks the connection of a thing. The other end hears of it, or does not.
    pub(crate) fn cut(&mut self, number: usize, is_heard: bool) {
        let now = self.now;
        let Some(connection) = self.sides[number].connection.take() else { return };
        let side = &mut self.sides[number];
        side.up.retain(|_| false);
        side.down.retain(|_| false);
        if is_heard {
            assert!(side.up.send_in_order(now, (connection.link, Up::Gone)));
        }
        side.hear(now, Closed::new(connection.link, CloseReason::Lost).into());
        self.drain();
    }

    /// A broker starts again: all of its connections end.
    pub(crate) fn restart(&mut self, stage: Stage) {
        self.cloud.close_all(self.now, stage).unwrap();
        self.drain();
    }

    /// Ends the time of a thing's endpoint without a word: the next CONNECT with it is refused.
    pub(crate) fn expire(&mut self, number: usize) {
        let app_id = AppId::new("app01").unwrap();
        let thing_id = self.cloud.thing_id(&app_id, &self.sides[number].vendor_id);
        if let Some(thing_id) = thing_id.map(String::from) {
            self.cloud.expire_endpoint(self.now, &thing_id).unwrap();
            self.drain();
        }
    }

    /// Sends a command to every thing that has been onboarded.
    pub(crate) fn send_commands(&mut self) {
        let thing_ids: Vec<String> = self.cloud.things().map(Into::into).collect();
        for thing_id in thing_ids {
            let value = Json::new(r#"{"power":true}"#).unwrap();
            let (owner, actions) =
                (Owner::user("u-1").unwrap(), [CommandAction::new("turnPower", value)]);
            let command = NewCommand::plain(owner, "Light", 1, actions).unwrap();
            self.cloud.send_command(self.now, &thing_id, &command).unwrap();
        }
        self.drain();
    }

    /// A thing asks for no new call, or does so again.
    pub(crate) fn set_busy(&mut self, busy: bool) {
        for side in &mut self.sides {
            side.busy = busy;
            side.act_at = self.now;
        }
    }

    /// Runs until it is this time, and breaks a connection now and then.
    pub(crate) fn run_for(&mut self, span: Duration, cuts_a_minute: f64) {
        let end = self.now.after(span);
        self.drain();
        loop {
            let next = self.next_instant().filter(|next| *next <= end).unwrap_or(end);
            let minutes = next.since(self.now).as_secs_f64() / 60.0;
            self.now = next;
            if self.rng.f64() < cuts_a_minute * minutes {
                let number = self.rng.usize(..self.sides.len());
                let is_heard = self.rng.bool();
                self.cut(number, is_heard);
            }
            if next == end {
                return;
            }
            self.step();
        }
    }

    fn next_instant(&mut self) -> Option<MonoTime> {
        let cloud = idle(self.cloud.poll_output());
        let sides = self.sides.iter_mut().filter_map(Side::next_instant);
        sides.chain(cloud).min().map(|next| next.max(self.now))
    }

    fn step(&mut self) {
        let now = self.now;
        self.cloud.handle_timeout(now);
        self.drain();
        for number in 0..self.sides.len() {
            self.sides[number].pass(now);
            self.drain();
            while let Some((link, up)) = self.sides[number].up.receive(now) {
                self.receive(link, up);
                self.drain();
            }
            while let Some((link, down)) = self.sides[number].down.receive(now) {
                self.sides[number].receive(now, link, down);
                self.drain();
            }
        }
    }

    fn receive(&mut self, link: Link, up: Up) {
        let password;
        let input: server::Input<'_> = match &up {
            Up::Connect(options) => {
                let stage = match options.host.as_str() {
                    "broker1.example" => Stage::Boot,
                    _ => Stage::Api,
                };
                let credentials = options.credentials.clone().unwrap();
                password = credentials;
                server::Connect::new(link, stage, &options.client_id)
                    .with_credentials(&password.user_name, password.password.expose())
                    .with_keep_alive(KeepAlive::new(options.keep_alive))
                    .into()
            }
            Up::Subscribe(token, filter) => server::Subscribe::new(link, *token, filter).into(),
            Up::Publish(topic, payload) => server::Publish::new(link, topic, payload).into(),
            Up::Ping => server::Ping::new(link).into(),
            Up::Gone => server::Closed::new(link).into(),
        };
        self.cloud.handle_input(self.now, input).expect("the cloud is drained");
    }

    fn drain(&mut self) {
        loop {
            let mut moved = false;
            for side in &mut self.sides {
                moved |= side.drain(self.now);
            }
            match self.cloud.poll_output() {
                Output::Action(action) => self.serve(action),
                Output::Event(event) => self.note(&event),
                Output::Idle(_) if !moved => return,
                Output::Idle(_) => {}
            }
        }
    }

    /// What the brokers do.
    fn serve(&mut self, action: server::Action) {
        let link = action.link();
        let side = &mut self.sides[(link.get() / LINKS) as usize];
        let (down, in_order) = match action {
            server::Action::Connack(connack) => {
                (connack.refused.map_or(Down::Opened, Down::Refused), true)
            }
            server::Action::Suback(suback) => (Down::Granted(suback.token, suback.granted), true),
            server::Action::Deliver(deliver) => {
                (Down::Message(deliver.topic, deliver.payload), false)
            }
            server::Action::Pong(_) => (Down::Pong, false),
            server::Action::Close(_) => (Down::Closed, true),
            other => panic!("unknown to these brokers: {other:?}"),
        };
        if in_order {
            assert!(side.down.send_in_order(self.now, (link, down)), "the line has room");
        } else {
            side.down.send(self.now, (link, down));
        }
    }

    fn note(&mut self, event: &cloud::Event) {
        match event {
            cloud::Event::Faulted { .. } => self.strikes += 1,
            cloud::Event::CommandDelivered { command_id, .. } => {
                self.commands.entry(command_id.clone()).or_default();
            }
            cloud::Event::ResultsReported { command_id, .. } => {
                *self.commands.entry(command_id.clone()).or_default() += 1;
            }
            _ => {}
        }
    }
}

impl Side {
    /// The cloud's number of a link: those of all things are different.
    fn link(&self, link: Link) -> Link {
        Link::new(self.number * LINKS + link.get())
    }

    fn next_instant(&mut self) -> Option<MonoTime> {
        let thing = idle(self.thing.poll_output());
        let pings = self.connection.as_ref().and_then(|connection| connection.pings?.due());
        let acts = (self.busy && self.thing.is_ready()).then_some(self.act_at);
        let lines = [self.up.next_arrival(), self.down.next_arrival()];
        [thing, pings, acts, self.restart_at].into_iter().chain(lines).flatten().min()
    }

    /// Lets client, thing and application do what is due.
    fn pass(&mut self, now: MonoTime) {
        let ping = self.connection.as_mut().and_then(|connection| {
            let ping = connection.pings.as_mut()?.poll(now)?;
            Some((connection.link, ping))
        });
        match ping {
            Some((link, Ping::Send)) => drop(self.up.send(now, (link, Up::Ping))),
            Some((link, Ping::Dead)) => {
                // A half-open connection: nothing reaches the other end any more.
                self.connection = None;
                self.hear(now, Closed::new(link, CloseReason::Lost).into());
            }
            None => {}
        }
        self.thing.handle_timeout(now);
        if self.restart_at.is_some_and(|at| at <= now) {
            self.restart_at = None;
            match &self.saved {
                // Half of the restarts are reboots with what was saved.
                Some((at, saved)) if self.told.failures.len() % 2 == 1 => {
                    self.thing.restore(now, saved.clone(), now.since(*at)).unwrap();
                }
                _ => self.thing.start(now).unwrap(),
            }
        }
        if self.busy && self.thing.is_ready() && self.act_at <= now {
            self.act_at = now.after(Duration::from_secs(7));
            self.call(now);
        }
    }

    /// Uploads a state, or reads it.
    fn call(&mut self, now: MonoTime) {
        let Some(thing_id) = self.thing.onboarded().map(|it| it.thing_id.clone()) else { return };
        self.states += 1;
        let (call, purpose) = match self.states % 3 {
            0 => (Call::get_state(&thing_id).unwrap(), Purpose::ReadState),
            _ => {
                let state = format!(r#"{{"of":"{}","number":{}}}"#, self.vendor_id, self.states);
                let call = Call::put_state(&thing_id, &Json::new(&state).unwrap()).unwrap();
                (call, Purpose::State(state))
            }
        };
        if let Ok(id) = self.thing.call(now, &call) {
            assert_eq!(self.calls.insert(id, purpose), None, "an id of its own");
        }
    }

    fn receive(&mut self, now: MonoTime, link: Link, down: Down) {
        let Some(connection) =
            self.connection.as_mut().filter(|it| self.number * LINKS + it.link.get() == link.get())
        else {
            return;
        };
        let own = connection.link;
        let input = match &down {
            Down::Opened => {
                connection.pings = Some(Pings::new(connection.keep_alive, now));
                Opened::new(own, false).into()
            }
            Down::Refused(code) => {
                self.connection = None;
                Closed::new(own, CloseReason::Refused(*code)).into()
            }
            Down::Granted(token, true) => Done::new(own, *token).into(),
            Down::Granted(token, false) => Failed::new(own, *token).into(),
            Down::Message(topic, payload) => Message::new(own, topic, payload).into(),
            Down::Pong => {
                connection.pings.iter_mut().for_each(Pings::answered);
                return;
            }
            Down::Closed => {
                self.connection = None;
                Closed::new(own, CloseReason::Lost).into()
            }
        };
        self.hear(now, input);
    }

    fn hear(&mut self, now: MonoTime, input: Input<'_>) {
        self.thing.handle_input(now, input).expect("the thing is drained");
    }

    /// True when the thing had something to say.
    fn drain(&mut self, now: MonoTime) -> bool {
        let mut moved = false;
        loop {
            match self.thing.poll_output() {
                Output::Action(action) => self.act(now, action),
                Output::Event(event) => self.tell(now, event),
                Output::Idle(_) => return moved,
            }
            moved = true;
        }
    }

    /// What the client does.
    fn act(&mut self, now: MonoTime, action: Action) {
        let link = self.link(action.link());
        let own = action.link();
        if let Action::Open(open) = action {
            let keep_alive = KeepAlive::new(open.options.keep_alive);
            self.connection = Some(Connection { link: own, pings: None, keep_alive });
            assert!(self.up.send_in_order(now, (link, Up::Connect(open.options))));
            return;
        }
        let Some(connection) = self.connection.as_mut().filter(|it| it.link == own) else { return };
        if let Some(pings) = &mut connection.pings {
            pings.sent(now);
        }
        match action {
            Action::Close(_) => {
                self.connection = None;
                assert!(self.up.send_in_order(now, (link, Up::Gone)));
                self.hear(now, Closed::new(own, CloseReason::Requested).into());
            }
            Action::Subscribe(mqtt::Subscribe { token, filter, .. }) => {
                self.up.send(now, (link, Up::Subscribe(token, filter)));
            }
            Action::Publish(publish) => {
                self.hear(now, Done::new(own, publish.token).into());
                self.up.send(now, (link, Up::Publish(publish.topic, publish.payload)));
            }
            other => panic!("unknown to this client: {other:?}"),
        }
    }

    fn tell(&mut self, now: MonoTime, event: Event) {
        match event {
            Event::Onboarded(onboarded) => {
                self.told.onboarded += 1;
                self.saved = Some((now, *onboarded));
            }
            Event::Ready => {
                self.told.ready += 1;
                self.act_at = now;
            }
            Event::Response(response) => {
                self.told.responses += 1;
                let purpose = self.calls.remove(&response.call).expect("a call ends once");
                self.answered(&purpose, response.answer());
            }
            Event::CallFailed(failed) => {
                let known = self.calls.remove(&failed.call);
                assert!(known.is_some(), "a call ends once");
                match failed.cause {
                    CallFailure::Timeout => self.told.timeouts += 1,
                    _ => self.told.lost += 1,
                }
            }
            Event::Command(command) => self.run(now, &command),
            Event::Ignored(ignored) => {
                let why = format!("{:?}", ignored.why);
                let why = why.split(['(', ' ']).next().unwrap_or_default();
                *self.told.ignored.entry(why.into()).or_default() += 1;
            }
            Event::Retrying(_) => self.told.retries += 1,
            Event::EndpointExpired => self.told.expired += 1,
            Event::Failed(reason) => {
                self.told.failures.push(reason);
                assert!(self.calls.is_empty(), "what ends a thing ends its calls");
                self.restart_at = Some(now.after(Duration::from_secs(60)));
            }
            other => panic!("not expected: {other:?}"),
        }
    }

    fn answered(&self, purpose: &Purpose, answer: Result<Answer, kii_onboard::call::AnswerError>) {
        // Of another thing's state nothing may ever come here.
        if let (Purpose::ReadState, Ok(Answer::State(state))) = (purpose, &answer) {
            let own = format!(r#""of":"{}""#, self.vendor_id);
            assert!(state.as_str().contains(&own), "{} is not of {}", state.as_str(), own);
        }
    }

    /// Does what a command says, and reports it.
    fn run(&mut self, now: MonoTime, command: &Command) {
        self.told.commands.insert(command.id.clone());
        let Some(thing_id) = self.thing.onboarded().map(|it| it.thing_id.clone()) else { return };
        let results = vec![ActionResult::succeeded(); command.actions.len()];
        let results = ActionResults::new(&command.actions, results).unwrap();
        let report = Call::report_results(&thing_id, &command.id, &results).unwrap();
        if let Ok(id) = self.thing.call(now, &report) {
            self.calls.insert(id, Purpose::Results(command.id.clone()));
        }
    }

    /// Whether the cloud knows this thing by the ids it was told.
    pub(crate) fn is_who_it_is(&self, cloud: &Cloud) -> bool {
        let own = self.thing.onboarded().map(|onboarded| onboarded.thing_id.as_str());
        own.is_some() && own == cloud.thing_id(&AppId::new("app01").unwrap(), &self.vendor_id)
    }

    pub(crate) fn has_open_calls(&self) -> bool {
        !self.calls.is_empty()
    }
}

fn idle<A, E>(output: Output<A, E>) -> Option<MonoTime> {
    match output {
        Output::Idle(deadline) => deadline,
        _ => panic!("not drained"),
    }
}

/// So many links may one thing have.
const LINKS: u32 = 100_000;
