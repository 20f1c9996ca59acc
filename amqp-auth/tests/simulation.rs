//! A session against the platform's machine, under everything that can go wrong between them.
//!
//! Between the two stands what a stack and a connection do: order is kept, items take their time, and whole connections
//! break. What is lost, is lost with its connection. Time is virtual, and all chance follows from a seed.

mod sessions;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use amqp_auth::{
    platform::{
        self, Account, Disconnect, MessageId, Platform, Push,
        server::{self, Role},
    },
    session::{Cause, Config, Event, Session},
};
use fastrand::Rng;
use iot_sansio::{
    Machine as _, MonoTime, Output,
    amqp::{
        Action, Attached, Body, CloseReason, Closed, Connected, Connection, Delivery, DeliveryId,
        Detached, Error, Message, OpenOptions, Opened, Outcome, SaslCode, Transport,
    },
    sim::{Faults, Line},
};
use sessions::{SECRET, at, clock, config, key};

/// What goes to the platform.
#[derive(Clone, Debug)]
enum Up {
    Connect,
    Init(Box<OpenOptions>),
    Attach,
    /// How many deliveries had come, and how many more may.
    Credit(u32, u32),
    Settle(DeliveryId, Outcome),
    Gone,
}

/// What goes to the session.
#[derive(Clone, Debug)]
enum Down {
    Connected,
    Outcome(SaslCode),
    Open,
    Attached,
    Detached(String),
    Deliver(DeliveryId, platform::Message),
    Closed(Option<String>),
    Requested,
}

struct World {
    now: MonoTime,
    rng: Rng,
    session: Session,
    platform: Platform,
    up: Line<(Connection, Up)>,
    down: Line<(Connection, Down)>,
    /// What `open` will say, once SASL is done.
    opening: BTreeMap<Connection, Duration>,
    /// How many deliveries were sent, and how many have come.
    counts: BTreeMap<Connection, (u32, u32)>,
    /// Connections that are over for the session's stack.
    over: BTreeSet<Connection>,
    /// When the application will have done its work, and how it ends.
    work: Vec<(MonoTime, DeliveryId, String, Work)>,
    /// When it answers a question for a credential.
    answer_at: Option<MonoTime>,
    told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Done,
    Failed,
    Released,
}

/// What was seen.
#[derive(Default)]
struct Told {
    accepted: BTreeMap<String, u32>,
    in_work: BTreeSet<String>,
    causes: BTreeMap<String, u32>,
    disconnects: Vec<Disconnect>,
    logins: Vec<MonoTime>,
    links: u32,
    late: u32,
    settled: u32,
}

impl World {
    fn new(seed: u64, config: Config) -> Self {
        let account = Account::new("LTAI5tEXAMPLEKEY00000001", SECRET).with_group("DEFAULT_GROUP");
        let platform_config = platform::Config::default()
            .with_account(account)
            .with_retry_interval(Duration::from_secs(20))
            .with_seed(seed);
        let delay = Duration::from_millis(5)..=Duration::from_millis(400);
        let faults = Faults::none().with_delay(delay);
        Self {
            now: MonoTime::ORIGIN,
            rng: Rng::with_seed(seed),
            session: Session::new(config, clock(), seed),
            platform: Platform::new(platform_config, clock()),
            up: Line::new(faults, seed),
            down: Line::new(faults, seed + 1),
            opening: BTreeMap::new(),
            counts: BTreeMap::new(),
            over: BTreeSet::new(),
            work: Vec::new(),
            answer_at: None,
            told: Told::default(),
        }
    }

    /// Runs until nothing is left to do or it is this time.
    fn run_until(&mut self, end: MonoTime) {
        self.drain();
        while let Some(next) = self.next_instant().filter(|next| *next <= end) {
            assert!(next >= self.now, "time goes forward");
            self.now = next;
            self.step();
        }
        self.now = end;
    }

    fn next_instant(&mut self) -> Option<MonoTime> {
        let session = match self.session.poll_output() {
            Output::Idle(deadline) => deadline,
            output => panic!("not drained: {output:?}"),
        };
        let platform = match self.platform.poll_output() {
            Output::Idle(deadline) => deadline,
            output => panic!("not drained: {output:?}"),
        };
        let work = self.work.iter().map(|(at, ..)| *at).min();
        let lines = [self.up.next_arrival(), self.down.next_arrival()];
        let next =
            [session, platform, work, self.answer_at].into_iter().chain(lines).flatten().min();
        next.map(|next| next.max(self.now))
    }

    fn step(&mut self) {
        let now = self.now;
        self.session.handle_timeout(now);
        self.platform.handle_timeout(now);
        self.drain();
        if self.answer_at.is_some_and(|at| at <= now) {
            self.answer_at = None;
            let _ = self.session.provide(now, key());
            self.drain();
        }
        while let Some((connection, up)) = self.up.receive(now) {
            self.receive_up(connection, up);
            self.drain();
        }
        while let Some((connection, down)) = self.down.receive(now) {
            self.receive_down(connection, down);
            self.drain();
        }
        let (due, rest) =
            std::mem::take(&mut self.work).into_iter().partition(|work| work.0 <= now);
        self.work = rest;
        for (_, id, message, end) in due {
            self.finish(id, &message, end);
            self.drain();
        }
    }

    fn finish(&mut self, id: DeliveryId, message: &str, end: Work) {
        let answered = match end {
            Work::Done => self.session.accept(self.now, id),
            Work::Failed => self.session.fail(self.now, id),
            Work::Released => self.session.release(self.now, id),
        };
        // Refused where the session was stopped in between: the message was given back then.
        if answered.is_ok() {
            self.told.in_work.remove(message);
            if end == Work::Done {
                *self.told.accepted.entry(message.to_owned()).or_default() += 1;
            }
        }
    }

    fn drain(&mut self) {
        loop {
            let (mut ours, mut theirs) = (true, true);
            match self.session.poll_output() {
                Output::Action(action) => self.act(action),
                Output::Event(event) => self.tell(event),
                Output::Idle(_) => ours = false,
            }
            match self.platform.poll_output() {
                Output::Action(action) => self.serve(action),
                Output::Event(event) => self.note(event),
                Output::Idle(_) => theirs = false,
            }
            if !ours && !theirs {
                return;
            }
        }
    }

    fn send_up(&mut self, connection: Connection, up: Up) {
        assert!(self.up.send(self.now, (connection, up)), "the line has room");
    }

    fn send_down(&mut self, connection: Connection, down: Down) {
        assert!(self.down.send(self.now, (connection, down)), "the line has room");
    }

    /// What the session's stack does.
    fn act(&mut self, action: Action) {
        let connection = action.connection();
        match action {
            Action::Dial(_) => self.send_up(connection, Up::Connect),
            _ if self.over.contains(&connection) => {}
            Action::Open(open) => {
                self.opening.insert(connection, open.options.idle_timeout);
                self.send_up(connection, Up::Init(open.options));
            }
            Action::Attach(_) => self.send_up(connection, Up::Attach),
            Action::Flow(flow) => {
                let received = self.counts.entry(connection).or_default().1;
                self.send_up(connection, Up::Credit(received, flow.credit));
            }
            Action::Settle(settle) => {
                self.told.settled += 1;
                self.send_up(connection, Up::Settle(settle.id, settle.outcome));
            }
            Action::Close(_) | Action::Abort(_) => {
                self.send_up(connection, Up::Gone);
                self.down.retain(|(of, _)| *of != connection);
                self.send_down(connection, Down::Requested);
            }
            other => panic!("unknown to this stack: {other:?}"),
        }
    }

    /// What the platform's server does.
    fn serve(&mut self, action: server::Action) {
        match action {
            server::Action::SaslOutcome(outcome) => {
                self.send_down(outcome.connection, Down::Outcome(outcome.code));
            }
            server::Action::Open(open) => self.send_down(open.connection, Down::Open),
            server::Action::Attach(attach) => self.send_down(attach.connection, Down::Attached),
            server::Action::Detach(detach) => {
                self.send_down(detach.connection, Down::Detached(detach.condition));
            }
            server::Action::Deliver(deliver) => {
                self.counts.entry(deliver.id.connection).or_default().0 += 1;
                self.send_down(deliver.id.connection, Down::Deliver(deliver.id, deliver.message));
            }
            server::Action::Close(close) => {
                self.send_down(close.connection, Down::Closed(Some(close.condition)));
            }
            server::Action::Abort(abort) => self.send_down(abort.connection, Down::Closed(None)),
            other => panic!("unknown to this server: {other:?}"),
        }
    }

    fn receive_up(&mut self, connection: Connection, up: Up) {
        let now = self.now;
        let told = match up {
            Up::Connect => {
                self.send_down(connection, Down::Connected);
                let connected = server::Connected::new(connection, Transport::Tls);
                self.platform.handle_input(now, connected.into())
            }
            Up::Init(options) => {
                let (user_name, password) = (options.user_name.expose(), options.password.expose());
                let init = server::SaslInit::new(connection, user_name, password);
                self.platform.handle_input(now, init.into())
            }
            Up::Attach => {
                let idle_timeout = self.opening.remove(&connection);
                assert_eq!(idle_timeout, None, "opened before");
                let attached = server::Attached::new(connection, 0, Role::Receiver);
                self.platform.handle_input(now, attached.into())
            }
            Up::Credit(received, credit) => {
                // What is on its way counts against it, as AMQP has it.
                let sent = self.counts.entry(connection).or_default().0;
                let credit = (received + credit).saturating_sub(sent);
                let credit = server::Credit::new(connection, credit);
                self.platform.handle_input(now, credit.into())
            }
            Up::Settle(id, outcome) => {
                self.platform.handle_input(now, server::Settled::new(id, outcome).into())
            }
            Up::Gone => self.platform.handle_input(now, server::Closed::new(connection).into()),
        };
        told.expect("the platform is drained");
    }

    fn receive_down(&mut self, connection: Connection, down: Down) {
        let now = self.now;
        let (condition, code);
        let input = match &down {
            Down::Connected => Connected::new(connection, Transport::Tls).into(),
            Down::Outcome(SaslCode::OK) => {
                // The stack goes on by itself with `open`, one way later.
                let Some(idle_timeout) = self.opening.remove(&connection) else { return };
                let opened = server::Opened::new(connection, Some(idle_timeout));
                return self.platform.handle_input(now, opened.into()).expect("drained");
            }
            Down::Outcome(refused) => {
                code = *refused;
                self.end(connection);
                Closed::new(connection, CloseReason::Refused(code)).into()
            }
            Down::Open => Opened::new(connection, None).into(),
            Down::Attached => Attached::new(connection).into(),
            Down::Detached(symbol) => {
                condition = symbol.clone();
                Detached::new(connection, Some(Error::new(&condition, None))).into()
            }
            Down::Deliver(id, message) => {
                self.counts.entry(connection).or_default().1 += 1;
                let data = [message.body.as_slice()];
                let message = Message::new(&message.application_properties, Body::Data(&data))
                    .with_delivery_count(message.delivery_count);
                let delivery = Delivery::new(*id, message);
                return self.session.handle_input(now, delivery.into()).expect("drained");
            }
            Down::Closed(symbol) => {
                self.end(connection);
                let reason = match symbol {
                    Some(symbol) => CloseReason::Peer(Some(Error::new(symbol, None))),
                    None => CloseReason::Lost,
                };
                Closed::new(connection, reason).into()
            }
            Down::Requested => {
                self.end(connection);
                Closed::new(connection, CloseReason::Requested).into()
            }
        };
        self.session.handle_input(now, input).expect("the session is drained");
    }

    /// Nothing of this connection reaches the session any more.
    fn end(&mut self, connection: Connection) {
        self.over.insert(connection);
        self.opening.remove(&connection);
        self.down.retain(|(of, _)| *of != connection);
    }

    /// Breaks the connection: both sides hear of it, the one soon and the other later.
    fn cut(&mut self, connection: Connection) {
        self.up.retain(|(of, _)| *of != connection);
        self.down.retain(|(of, _)| *of != connection);
        self.send_up(connection, Up::Gone);
        self.send_down(connection, Down::Closed(None));
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::CredentialWanted(_) => {
                let patience = Duration::from_millis(self.rng.u64(0..2_000));
                self.answer_at = Some(self.now.after(patience));
            }
            Event::Connected(_) => self.told.links += 1,
            Event::Message(received) => {
                let message =
                    received.message.attributes.message_id.expect("an id").as_str().to_owned();
                assert!(self.told.in_work.insert(message.clone()), "{message} is in work already");
                let accepted = self.told.accepted.get(&message);
                assert_eq!(accepted, None, "{message} was accepted before");
                // Now and then it takes longer than the platform waits.
                let millis = if self.rng.u8(..) < 16 { 40_000 } else { 800 };
                let until = self.now.after(Duration::from_millis(self.rng.u64(1..millis)));
                let end = match self.rng.u8(..) {
                    0..20 => Work::Failed,
                    20..24 => Work::Released,
                    _ => Work::Done,
                };
                self.work.push((until, received.id, message, end));
            }
            Event::AckLate(_) => self.told.late += 1,
            Event::Disconnected(disconnected) => {
                let name = format!("{:?}", disconnected.cause);
                *self.told.causes.entry(name).or_default() += 1;
                assert_ne!(disconnected.cause, Cause::NoCredential);
            }
            Event::Stopped(_) | Event::RetryAt(_) => {}
            other => panic!("not expected here: {other:?}"),
        }
    }

    fn note(&mut self, event: platform::Event) {
        match event {
            platform::Event::LoggedIn(_) => self.told.logins.push(self.now),
            platform::Event::LinkRefused { rule, .. } => panic!("a link was refused: {rule}"),
            platform::Event::Disconnected { reason, .. } => self.told.disconnects.push(reason),
            platform::Event::GivenUp { message, .. } => panic!("{message:?} was given up"),
            _ => {}
        }
    }

    fn push(&mut self, number: u32) -> MessageId {
        let push = Push::new("/as/mqtt/status/pk1/dn1", format!("{{\"n\":{number}}}"));
        self.platform.push(self.now, "DEFAULT_GROUP", push).expect("room")
    }

    /// Does one thing that should not happen.
    fn trouble(&mut self) {
        let now = self.now;
        match self.rng.u8(0..10) {
            0..=2 => {
                if let Some(connection) = self.platform.connections().first() {
                    self.cut(*connection);
                }
            }
            3 => self.platform.abort_all(now).unwrap(),
            4 => self.platform.close_all(now, "amqp:connection:forced", "maintenance").unwrap(),
            5 => {
                let code = SaslCode::new(self.rng.u8(1..=4));
                self.platform.abort_all(now).unwrap();
                self.platform.refuse_logins(now, 2, code).unwrap();
            }
            6 => {
                let settlements = self.rng.u32(1..20);
                self.platform.lose_settlements(now, settlements).unwrap();
            }
            7 => {
                let oldest = self.platform.pending().next();
                if let Some(message) = oldest {
                    let _ = self.platform.duplicate(now, message);
                }
            }
            8 => self.platform.stall(now, true).unwrap(),
            _ => {
                if self.session.stop(now).is_ok() {
                    // What was given back comes again.
                    self.told.in_work.clear();
                    self.drain();
                    self.session.start(now).unwrap();
                }
            }
        }
        self.drain();
    }
}

#[test]
fn every_message_is_processed_once_whatever_happens_on_the_way() {
    let mut all = Told::default();
    for seed in 0..60 {
        let mut world = World::new(seed, config().with_credit(8).unwrap());
        world.session.start(at(0)).unwrap();
        let mut pushed = Vec::new();
        for round in 0..60_u32 {
            for number in 0..world.rng.u32(0..8) {
                pushed.push(world.push(100 * round + number));
                world.drain();
            }
            if world.rng.u8(..) < 100 {
                world.trouble();
            }
            let span = Duration::from_millis(world.rng.u64(100..9_000));
            world.run_until(world.now.after(span));
            world.platform.stall(world.now, false).unwrap();
        }
        // From here on nothing goes wrong; the longest wait after a failure is five minutes.
        world.platform.refuse_logins(world.now, 0, SaslCode::OK).unwrap();
        world.platform.lose_settlements(world.now, 0).unwrap();
        world.run_until(world.now.after(Duration::from_secs(3_600)));
        assert_eq!(world.platform.pending().len(), 0, "seed {seed}");
        let ids: BTreeSet<_> = pushed.iter().map(ToString::to_string).collect();
        let accepted: BTreeSet<_> = world.told.accepted.keys().cloned().collect();
        assert_eq!(accepted, ids, "seed {seed}: all of them");
        assert!(world.told.accepted.values().all(|times| *times == 1), "seed {seed}: once each");
        assert_eq!(world.told.in_work.len(), 0, "seed {seed}: nothing is left in work");
        let ours = |reason: &Disconnect| {
            matches!(
                reason,
                Disconnect::Client
                    | Disconnect::Closed
                    | Disconnect::Aborted
                    | Disconnect::Refused(_)
                    | Disconnect::AuthTimeout { .. }
                    | Disconnect::OpenTimeout { .. }
                    | Disconnect::LinkTimeout { .. }
            )
        };
        let broken = world.told.disconnects.iter().find(|reason| !ours(reason));
        assert_eq!(broken, None, "seed {seed}: the session breaks no rule");
        for minute in world.told.logins.windows(21) {
            let span = minute[20].since(minute[0]);
            assert!(span >= Duration::from_secs(3), "seed {seed}: the allowance is kept");
        }
        for (cause, times) in world.told.causes {
            *all.causes.entry(cause).or_default() += times;
        }
        all.links += world.told.links;
        all.late += world.told.late;
        all.settled += world.told.settled;
    }
    println!("{} links, {} late answers, {} settled", all.links, all.late, all.settled);
    println!("{:#?}", all.causes);
    for cause in ["Lost", "Refused(SaslCode(1))", "OpenTimeout", "LostWhileOpening"] {
        assert!(all.causes.contains_key(cause), "{cause} is among what went wrong");
    }
    assert!(all.late > 0);
}
