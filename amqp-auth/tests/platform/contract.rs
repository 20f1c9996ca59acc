//! The platform against the contract, and what must hold of it whatever happens.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use amqp_auth::platform::{
    Config, Disconnect, Event, MessageId, Platform, PlatformError, Push,
    server::{
        Action, Attached, Closed, Connected, Credit, Deliver, Detached, Input, Opened, Role,
        SaslInit, Settled,
    },
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    amqp::{Connection, DeliveryId, Outcome, SaslCode, Transport, Value},
    sim::Contract,
};
use proptest::prelude::*;

use crate::peer::{self, CLOCK, SECRET, START, TEMPORARY_SECRET, TOKEN};

const BODY: &str = "canary-body-0004";
const MAX_CONNECTIONS: usize = 4;
const MAX_MESSAGES: usize = 6;

/// A step of a platform: an input of its transport, or a command.
#[derive(Clone, Debug)]
enum Step {
    Connected(Connection, Transport),
    SaslInit(Connection, Who),
    Opened(Connection, u64),
    Attached(Connection, u32, Role),
    Detached(Connection, u32),
    Credit(Connection, u32),
    Settled(DeliveryId, Outcome),
    Closed(Connection),
    Push(&'static str),
    Duplicate(MessageId),
    RefuseLogins(u32, SaslCode),
    LoseSettlements(u32),
    Stall(bool),
    Abort(Connection),
    AbortAll,
    Close(Connection),
    CloseAll,
    SetWallClock(i64),
    Timeout,
}

/// Who logs in.
#[derive(Clone, Debug)]
enum Who {
    Key(&'static str),
    Temporary(&'static str),
    Bytes(Vec<u8>, Vec<u8>),
}

fn config() -> Config {
    peer::config()
        .with_max_connections(MAX_CONNECTIONS)
        .with_max_messages(MAX_MESSAGES)
        .with_max_logins_per_minute(5)
        .with_retention(Duration::from_secs(200))
}

fn feed(platform: &mut Platform, now: MonoTime, step: &Step) -> Result<(), PlatformError> {
    let mut input = |input: Input<'_>| platform.handle_input(now, input);
    match step {
        Step::Connected(connection, transport) => {
            input(Connected::new(*connection, *transport).into())
        }
        Step::SaslInit(connection, who) => {
            let (user_name, password) = who.login();
            input(SaslInit::new(*connection, &user_name, &password).into())
        }
        Step::Opened(connection, millis) => {
            input(Opened::new(*connection, Some(Duration::from_millis(*millis))).into())
        }
        Step::Attached(connection, link, role) => {
            input(Attached::new(*connection, *link, *role).into())
        }
        Step::Detached(connection, link) => input(Detached::new(*connection, *link).into()),
        Step::Credit(connection, credit) => input(Credit::new(*connection, *credit).into()),
        Step::Settled(id, outcome) => input(Settled::new(*id, *outcome).into()),
        Step::Closed(connection) => input(Closed::new(*connection).into()),
        Step::Push(group) => platform.push(now, group, Push::new("/a/b/user/c", BODY)).map(|_| ()),
        Step::Duplicate(message) => platform.duplicate(now, *message),
        Step::RefuseLogins(logins, code) => platform.refuse_logins(now, *logins, *code),
        Step::LoseSettlements(settlements) => platform.lose_settlements(now, *settlements),
        Step::Stall(stalled) => platform.stall(now, *stalled),
        Step::Abort(connection) => platform.abort(now, *connection),
        Step::AbortAll => platform.abort_all(now),
        Step::Close(connection) => platform.close(now, *connection, "amqp:connection:forced", ""),
        Step::CloseAll => platform.close_all(now, "amqp:connection:forced", ""),
        Step::SetWallClock(millis) => {
            platform.set_wall_clock(now, UnixMillis::new(START.get() + millis));
            Ok(())
        }
        Step::Timeout => {
            platform.handle_timeout(now);
            Ok(())
        }
    }
}

impl Who {
    fn login(&self) -> (Vec<u8>, Vec<u8>) {
        let login = match self {
            Self::Key(group) => peer::login(group, 0),
            Self::Temporary(token) => peer::temporary_login(token, 0),
            Self::Bytes(user_name, password) => return (user_name.clone(), password.clone()),
        };
        (login.user_name().into(), login.password().into())
    }
}

/// The ids of the first messages, which are the seed's.
fn first_ids() -> Vec<MessageId> {
    let mut platform = Platform::new(config(), CLOCK);
    (0..MAX_MESSAGES)
        .map(|_| platform.push(MonoTime::ORIGIN, "G", Push::new("", "")).unwrap())
        .collect()
}

fn connection() -> impl Strategy<Value = Connection> {
    (1_u32..7).prop_map(Connection::new)
}

fn who() -> impl Strategy<Value = Who> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        8 => prop::sample::select(&["G", "H", "X"][..]).prop_map(Who::Key),
        3 => prop::sample::select(&[TOKEN, "another"][..]).prop_map(Who::Temporary),
        1 => (bytes(), bytes()).prop_map(|(user_name, password)| Who::Bytes(user_name, password)),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let modified = (any::<bool>(), any::<bool>()).prop_map(|(delivery_failed, here)| {
        Outcome::Modified { delivery_failed, undeliverable_here: here }
    });
    prop_oneof![
        4 => Just(Outcome::Accepted),
        1 => Just(Outcome::Rejected),
        2 => Just(Outcome::Released),
        2 => modified,
    ]
}

fn settled() -> impl Strategy<Value = Step> {
    (connection(), 1_u64..8, outcome()).prop_map(|(connection, number, outcome)| {
        Step::Settled(DeliveryId::new(connection, number), outcome)
    })
}

/// The way of a client up to a link with credit.
fn linked(connection: Connection, group: &'static str, credit: u32) -> [Step; 5] {
    [
        Step::Connected(connection, Transport::Tls),
        Step::SaslInit(connection, Who::Key(group)),
        Step::Opened(connection, 60_000),
        Step::Attached(connection, 1, Role::Receiver),
        Step::Credit(connection, credit),
    ]
}

/// One step, or the way of a client up to a link with credit.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let group = || prop::sample::select(&["G", "G", "H", "X"][..]);
    let linked = (connection(), group(), 0_u32..9)
        .prop_map(|(connection, group, credit)| linked(connection, group, credit).into());
    let role = || prop::sample::select(&[Role::Receiver, Role::Receiver, Role::Sender][..]);
    let transport = || prop::sample::select(&[Transport::Tls, Transport::Tcp][..]);
    let code = || prop::sample::select(&[SaslCode::AUTH, SaslCode::SYS_TEMP, SaslCode::OK][..]);
    let idle = || prop::sample::select(&[29_999_u64, 30_000, 60_000, 300_001][..]);
    let client = prop_oneof![
        2 => (connection(), transport()).prop_map(|(connection, it)| Step::Connected(connection, it)),
        3 => (connection(), who()).prop_map(|(connection, who)| Step::SaslInit(connection, who)),
        2 => (connection(), idle()).prop_map(|(connection, idle)| Step::Opened(connection, idle)),
        2 => (connection(), 1_u32..4, role()).prop_map(|(it, link, role)| Step::Attached(it, link, role)),
        1 => (connection(), 1_u32..4).prop_map(|(it, link)| Step::Detached(it, link)),
        4 => (connection(), 0_u32..9).prop_map(|(it, credit)| Step::Credit(it, credit)),
        12 => settled(),
        1 => connection().prop_map(Step::Closed),
    ];
    let command = prop_oneof![
        20 => group().prop_map(Step::Push),
        4 => prop::sample::select(first_ids()).prop_map(Step::Duplicate),
        1 => (0_u32..3, code()).prop_map(|(logins, code)| Step::RefuseLogins(logins, code)),
        1 => (0_u32..3).prop_map(Step::LoseSettlements),
        1 => any::<bool>().prop_map(Step::Stall),
        1 => Just(Step::Stall(false)),
        1 => connection().prop_map(Step::Abort),
        1 => connection().prop_map(Step::Close),
        1 => prop_oneof![Just(Step::AbortAll), Just(Step::CloseAll)],
        1 => (-700_000_i64..700_000).prop_map(Step::SetWallClock),
        2 => Just(Step::Timeout),
    ];
    prop_oneof![
        2 => linked,
        8 => client.prop_map(|step| vec![step]),
        8 => command.prop_map(|step| vec![step]),
    ]
}

/// Times go on by little or much, and now and then back.
fn script() -> impl Strategy<Value = Vec<(MonoTime, Step)>> {
    let pause =
        prop_oneof![6 => 0_u64..2_000, 1 => Just(15_000), 1 => Just(30_000), 1 => 0_u64..90_000];
    let moves = prop::collection::vec((pause, any::<bool>(), steps()), 1..40);
    moves.prop_map(|moves| {
        let mut now = 0;
        let mut script = Vec::new();
        for (pause, goes_back, steps) in moves {
            now += pause;
            let then = if goes_back && pause % 7 == 0 { now / 2 } else { now };
            script.extend(steps.into_iter().map(|step| (MonoTime::from_millis(then), step)));
        }
        script
    })
}

/// A platform that is drained after each step, and what must hold of what it says.
struct Watch {
    platform: Platform,
    /// The credit that each link has left.
    links: BTreeMap<Connection, u32>,
    last_delivery: BTreeMap<Connection, u64>,
    /// Connections that have not ended.
    standing: BTreeSet<Connection>,
    /// Messages that were neither accepted nor given up.
    outstanding: BTreeSet<MessageId>,
    /// What was sent and not looked at yet.
    sent: Vec<DeliveryId>,
}

impl Watch {
    fn new() -> Self {
        let config = config().with_retention(Duration::from_secs(86_400));
        Self {
            platform: Platform::new(config, CLOCK),
            links: BTreeMap::new(),
            last_delivery: BTreeMap::new(),
            standing: BTreeSet::new(),
            outstanding: BTreeSet::new(),
            sent: Vec::new(),
        }
    }

    fn feed(&mut self, now: MonoTime, step: &Step) -> Result<(), TestCaseError> {
        // What is due comes first, under the credit of before.
        self.platform.handle_timeout(now);
        self.drain()?;
        if let Step::Credit(connection, credit) = step {
            self.links.entry(*connection).and_modify(|left| *left = *credit);
        }
        let before: BTreeSet<_> = self.platform.pending().collect();
        // A refusal leaves no trace, which the contract proves.
        let _ = feed(&mut self.platform, now, step);
        self.standing.extend(self.platform.connections());
        self.outstanding.extend(self.platform.pending().filter(|id| !before.contains(id)));
        self.drain()
    }

    fn drain(&mut self) -> Result<(), TestCaseError> {
        loop {
            match self.platform.poll_output() {
                Output::Action(Action::Deliver(deliver)) => self.delivered(&deliver)?,
                Output::Event(Event::Attached { connection, .. }) => {
                    self.links.insert(connection, 0);
                }
                Output::Event(Event::Detached { connection, .. }) => {
                    self.links.remove(&connection);
                }
                Output::Event(
                    Event::Settled { message, outcome: Outcome::Accepted, .. }
                    | Event::GivenUp { message, .. },
                ) => prop_assert!(self.outstanding.remove(&message), "{message} ended twice"),
                Output::Event(Event::Disconnected { connection, reason }) => {
                    self.disconnected(connection, &reason)?;
                }
                Output::Idle(_) => return Ok(()),
                _ => {}
            }
        }
    }

    fn delivered(&mut self, deliver: &Deliver) -> Result<(), TestCaseError> {
        let id = deliver.id;
        let credit = self.links.get_mut(&id.connection).filter(|credit| **credit > 0);
        prop_assert!(credit.is_some(), "{id:?} without link or credit");
        *credit.unwrap() -= 1;
        let last = self.last_delivery.insert(id.connection, id.number);
        prop_assert!(last < Some(id.number), "{id:?} after {last:?}");
        let message = deliver.message.application_properties.iter().find_map(|(key, value)| {
            let Value::String(text) = value else { return None };
            (key == "messageId").then(|| MessageId::new(text.parse().unwrap()))
        });
        let is_outstanding = message.is_some_and(|message| self.outstanding.contains(&message));
        prop_assert!(is_outstanding, "{message:?} after its end");
        self.sent.push(id);
        Ok(())
    }

    fn disconnected(&mut self, it: Connection, reason: &Disconnect) -> Result<(), TestCaseError> {
        let is_turned_away =
            matches!(reason, Disconnect::PlainTcp | Disconnect::TooManyConnections { .. });
        prop_assert!(self.standing.remove(&it) != is_turned_away, "{it:?}: {reason}");
        self.links.remove(&it);
        // In these scripts a number may come again.
        self.last_delivery.remove(&it);
        Ok(())
    }

    /// Lets a client of each group accept everything.
    fn accept_all(&mut self, now: MonoTime) -> Result<(), TestCaseError> {
        for step in [Step::Stall(false), Step::LoseSettlements(0), Step::AbortAll] {
            self.feed(now, &step)?;
        }
        prop_assert!(self.standing.is_empty(), "{:?} never ended", self.standing);
        // Later than a login is remembered.
        let mut now = now.after(Duration::from_secs(61));
        for step in [Step::RefuseLogins(0, SaslCode::OK), Step::SetWallClock(0)] {
            self.feed(now, &step)?;
        }
        for (number, group) in [(98, "G"), (99, "H")] {
            for step in linked(Connection::new(number), group, 1_000) {
                self.feed(now, &step)?;
            }
        }
        for _ in 0..2 {
            for id in std::mem::take(&mut self.sent) {
                self.feed(now, &Step::Settled(id, Outcome::Accepted))?;
            }
            now = now.after(Duration::from_secs(61));
            self.feed(now, &Step::Timeout)?;
        }
        for id in std::mem::take(&mut self.sent) {
            self.feed(now, &Step::Settled(id, Outcome::Accepted))?;
        }
        Ok(())
    }
}

fn check(script: &[(MonoTime, Step)], max_queued: usize, seed: u64) -> Result<(), String> {
    let config = config().with_max_queued(max_queued);
    // Beyond the limit come the ends of connections, deliveries and messages, and what one step says.
    let bound = max_queued + 5 * MAX_MESSAGES + 2 * MAX_CONNECTIONS + 2;
    let make = || Platform::new(config.clone(), CLOCK);
    Contract::new(make, feed, Platform::clone, bound)
        .with_canaries(&[SECRET, TEMPORARY_SECRET, TOKEN, BODY])
        .with_seed(seed)
        .check(script)
        .map_err(|violation| violation.to_string())
}

proptest! {
    // A long queue takes long to fill.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_platform_keeps_the_contract(script in script(), seed: u64) {
        prop_assert_eq!(check(&script, 250, seed), Ok(()));
    }
}

proptest! {
    #[test]
    fn a_platform_whose_queue_is_often_full_keeps_the_contract(
        mut script in script(),
        max_queued in 1_usize..40,
        seed: u64,
    ) {
        // Time that passes cannot be refused: what a full queue holds back is sent later then.
        script.retain(|(_, step)| !matches!(step, Step::Timeout | Step::SetWallClock(_)));
        prop_assert_eq!(check(&script, max_queued, seed), Ok(()));
    }

    /// And no delivery exceeds the credit of its link, and each connection ends once.
    #[test]
    fn every_message_ends_once_and_does_not_come_after_that(script in script()) {
        let mut watch = Watch::new();
        for (now, step) in &script {
            watch.feed(*now, step)?;
        }
        let end = script.iter().map(|(now, _)| *now).max().unwrap_or_default();
        watch.accept_all(end)?;
        prop_assert!(watch.outstanding.is_empty(), "{:?} never ended", watch.outstanding);
        prop_assert_eq!(watch.platform.pending().len(), 0);
    }
}
