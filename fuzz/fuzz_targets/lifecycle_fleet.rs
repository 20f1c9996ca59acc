//! Scripts for a fleet of few clients, whose times reach the edges and go backwards, against a naive reference and the
//! invariants of specification section 5.5.

#![no_main]

use core::{mem, time::Duration};
use std::collections::{BTreeMap, BTreeSet};

use arbitrary::Arbitrary;
use feeds::Step;
use iot_lifecycle::{
    ConnectFailed, Connected, Disconnected, Event, EventKind, HeadKind, Order, SessionId, Topics,
    fleet::{ApplyError, ClientKey, Config, Fleet, HashKey, HashedId, Update},
    presence::{self, Note, Presence, Status, TimerToken},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use libfuzzer_sys::fuzz_target;
use naive::Reference;

#[path = "../../iot-lifecycle/tests/feeds/step.rs"]
mod feeds;
#[path = "../../iot-lifecycle/tests/naive/fleet.rs"]
mod naive;

fuzz_target!(|script: Script| {
    if script.hashed {
        run::<HashedId>(&script, |client| HashedId::of(client, &HASH_KEY));
    } else {
        run::<Box<str>>(&script, |client| client.into());
    }
});

#[derive(Arbitrary, Debug)]
struct Script {
    hashed: bool,
    order: OrderChoice,
    max_clients: u8,
    max_queued: u8,
    /// Hours.
    max_age: u8,
    steps: Vec<(Gap, Act)>,
}

#[derive(Arbitrary, Debug)]
enum OrderChoice {
    Default,
    Theta(u16),
    Widest,
    TimestampOnly,
}

/// What the monotonic clock does before a step.
#[derive(Arbitrary, Debug)]
enum Gap {
    None,
    Millis(u16),
    Seconds(u16),
    Days(u8),
    Wait,
    Back(u16),
    End,
}

#[derive(Arbitrary, Debug)]
enum Act {
    Event { client: Client, timestamp: Time, session: Session, kind: Kind },
    LastWill(Client),
    Observed { client: Client, connected: bool, timestamp: Time },
    Tick,
    Drain,
    Evict,
    Restart,
    SetWallClock(Time),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Client {
    A,
    B,
    C,
    D,
    Empty,
    Wildcard,
}

#[derive(Arbitrary, Debug)]
enum Time {
    /// By the reference's wall clock.
    Now,
    Millis(i16),
    Seconds(i16),
    Least,
    Greatest,
    Any(i64),
}

#[derive(Arbitrary, Debug)]
enum Session {
    Unknown,
    A,
    B,
    Dashed,
    Plain,
    Empty,
    TooLong,
}

#[derive(Arbitrary, Debug)]
enum Version {
    Small(u8),
    Greatest,
    Missing,
    Any(i64),
}

#[derive(Arbitrary, Debug)]
enum Kind {
    Connected(Version),
    Disconnected(Version),
    ByItself(Version),
    ConnectFailed,
    Subscribed,
    Unsubscribed,
}

/// A fleet, what it should be, and what an application knows that listens to it.
struct Run<K> {
    fleet: Fleet<K>,
    reference: Reference<K>,
    config: Config,
    max_clients: usize,
    max_queued: usize,
    retention: Duration,
    heard: BTreeMap<K, Heard>,
    /// Queries told of these clients, which may contradict events.
    observed: BTreeSet<K>,
    counted: Counted,
}

/// What an application has heard of one client.
#[derive(Default)]
struct Heard {
    published: Status,
    running: Option<TimerToken>,
    newest: Option<TimerToken>,
}

/// What a fleet should have counted since it was made or restored.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    notes: [u64; Note::ALL.len()],
    transitions: u64,
    cancelled_waits: u64,
    evicted: u64,
}

fn run<K: ClientKey>(script: &Script, key: fn(&str) -> K) {
    let mut run = Run::new(script, key);
    let mut now = MonoTime::ORIGIN;
    for (gap, act) in &script.steps {
        let at = gap.from(&mut now);
        run.act(at, act, key);
    }
    run.ends_with_what_the_events_say();
}

impl<K: ClientKey> Run<K> {
    fn new(script: &Script, key: fn(&str) -> K) -> Self {
        let order = script.order.get();
        let max_age = Duration::from_secs(3_600 * u64::from(script.max_age));
        let presence = presence::Config::default()
            .with_order(order)
            .with_max_age(max_age)
            .with_wait_for("CLIENT_INITIATED_DISCONNECT", Duration::ZERO);
        let max_clients = usize::from(script.max_clients % 5) + 1;
        let max_queued = usize::from(script.max_queued % 8) + 1;
        let config = Config::default()
            .with_presence(presence.clone())
            .with_max_clients(max_clients)
            .with_max_queued(max_queued);
        let clock = WallClock::new(MonoTime::ORIGIN, START);
        Self {
            fleet: Fleet::new(config.clone(), HASH_KEY, clock),
            reference: Reference::new(key, presence, max_clients, clock),
            config,
            max_clients,
            max_queued,
            retention: max_age.saturating_add(order.theta()),
            heard: BTreeMap::new(),
            observed: BTreeSet::new(),
            counted: Counted::default(),
        }
    }

    fn act(&mut self, at: MonoTime, act: &Act, key: fn(&str) -> K) {
        let wall = self.reference.clock.at(self.reference.now.max(at));
        match act {
            Act::Event { client, timestamp, session, kind } => {
                let mut event = Event::new(client.id(), timestamp.get(wall), kind.get());
                event.session_identifier = session.text().map(Into::into);
                self.feed(at, &Step::Event(event));
            }
            Act::LastWill(client) => self.feed(at, &Step::LastWill(client.id())),
            Act::Observed { client, connected, timestamp } => {
                self.observed.insert(key(client.id()));
                let (connected, timestamp) = (*connected, timestamp.get(wall));
                self.feed(at, &Step::Observed { client: client.id(), connected, timestamp });
            }
            Act::Tick => self.feed(at, &Step::Tick),
            Act::Drain => {
                self.drain();
            }
            Act::Evict => {
                assert_eq!(self.fleet.evict(at), self.reference.evict(at, self.retention));
            }
            Act::Restart => {
                self.feed(at, &Step::Tick);
                self.drain();
                self.restart();
            }
            Act::SetWallClock(time) => {
                self.fleet.set_wall_clock(at, time.get(wall));
                self.reference.pass(at);
                self.reference.clock = WallClock::new(self.reference.now, time.get(wall));
            }
        }
        assert!(self.fleet.len() <= self.max_clients);
        assert_eq!(self.fleet.len(), self.fleet.iter().count());
    }

    fn feed(&mut self, at: MonoTime, step: &Step) {
        let mut fed = step.feed(&mut self.fleet, at);
        if let Err(ApplyError::QueueFull { limit }) = fed {
            assert_eq!(limit, self.max_queued);
            assert!(self.drain() >= limit);
            fed = step.feed(&mut self.fleet, at);
        }
        assert_eq!(fed, self.reference.feed(at, step));
    }

    /// Drains the fleet, and compares everything with the reference. Gives the number of updates.
    fn drain(&mut self) -> usize {
        let updates = naive::drain(&mut self.fleet);
        let count = updates.len();
        // Beyond the limit only the ends of waits come: one of each client, and of one that took the place of another.
        assert!(count <= self.max_queued + self.max_clients + 1);
        // Draining ends waits that are over; at the end of time that is the case as soon as they begin.
        self.reference.pass(MonoTime::ORIGIN);
        let mut told = mem::take(&mut self.reference.told).into_iter();
        for update in updates {
            self.hear(&update);
            assert_eq!(told.next(), Some((update.client, update.at, update.step)));
        }
        assert_eq!(told.next(), None);

        let known = self.fleet.iter().map(|(key, presence)| (key.clone(), presence.clone()));
        assert_eq!(known.collect::<BTreeMap<_, _>>(), self.reference.clients);
        assert_eq!(self.fleet.watermark(), self.reference.watermark);
        let waits = self.reference.clients.values().filter_map(Presence::waiting);
        let soonest = waits.map(|timer| timer.deadline).min();
        assert_eq!(self.fleet.poll_output(), Output::Idle(soonest));
        assert!(soonest.is_none_or(|deadline| deadline > self.reference.now));
        let counters = self.fleet.counters();
        let counted = Counted {
            notes: Note::ALL.map(|note| counters.noted(note)),
            transitions: counters.transitions,
            cancelled_waits: counters.cancelled_waits,
            evicted: counters.evicted,
        };
        self.counted.evicted = self.reference.evicted;
        assert_eq!(counted, self.counted);
        count
    }

    /// The invariants of section 5.5, as far as they show in one update.
    fn hear(&mut self, update: &Update<K>) {
        let step = update.step;
        let is_quiet = step.cancel.is_none() && step.arm.is_none() && step.transition.is_none();
        let heard = self.heard.entry(update.client.clone()).or_default();
        let starts_anew = step.transition.is_none_or(|published| published.from == Status::Unknown);
        if heard.published == Status::Offline && starts_anew && !is_quiet {
            // Only a client that was forgotten is heard of like this.
            *heard = Heard::default();
        }
        if let Some(token) = step.cancel {
            assert_eq!(heard.running.take(), Some(token));
        }
        if let Some(transition) = step.transition {
            assert_eq!(transition.from, heard.published);
            assert_ne!(transition.from, transition.to);
            heard.published = transition.to;
            heard.running = None;
        }
        if let Some(timer) = step.arm {
            assert_eq!(heard.running.replace(timer.token), None);
            assert!(heard.newest.replace(timer.token) < Some(timer.token));
            assert!(timer.deadline > update.at || update.at == MonoTime::MAX);
        }
        for note in step.notes.iter() {
            assert!(is_quiet || !CHANGES_NOTHING.contains(&note), "{note}: {step:?}");
            self.counted.notes[note as usize] += 1;
        }
        assert!(!step.notes.contains(Note::TimerIgnored), "its own timers are never void");
        self.counted.transitions += u64::from(step.transition.is_some());
        self.counted.cancelled_waits += u64::from(step.cancel.is_some());
    }

    /// Another process goes on, with the same origin of monotonic time.
    fn restart(&mut self) {
        let now = self.reference.now;
        let clock = WallClock::new(now, self.reference.clock.at(now));
        let snapshot = self.fleet.snapshot();
        let order = self.config.presence().order();
        assert_eq!(snapshot.clone().merge(snapshot.clone(), order).as_ref(), Ok(&snapshot));
        self.fleet = Fleet::restore(snapshot.clone(), self.config.clone(), HASH_KEY, clock)
            .expect("a fleet restores what it wrote");
        assert_eq!(self.fleet.snapshot(), snapshot);
        self.reference.clock = clock;
        self.reference.evicted = 0;
        self.counted = Counted::default();
    }

    /// Quiescence: once all waits are over, what is published is what the newest event says.
    fn ends_with_what_the_events_say(&mut self) {
        self.feed(MonoTime::MAX, &Step::Tick);
        self.drain();
        for (client, presence) in self.fleet.iter() {
            assert_eq!(presence.waiting(), None);
            let heard = self.heard.get(client).expect("whoever is known was told of");
            assert_eq!(heard.published, presence.published());
            if !self.observed.contains(client) {
                let status = match presence.head().expect("events alone told of it").kind {
                    HeadKind::Connect => Status::Online,
                    HeadKind::Disconnect => Status::Offline,
                };
                assert_eq!(presence.published(), status);
            }
        }
    }
}

impl OrderChoice {
    fn get(&self) -> Order {
        match self {
            Self::Default => Order::default(),
            Self::Theta(seconds) => {
                Order::Versioned { theta: Duration::from_secs(u64::from(*seconds)) }
            }
            Self::Widest => Order::Versioned { theta: Duration::MAX },
            Self::TimestampOnly => Order::TimestampOnly,
        }
    }
}

impl Gap {
    /// The time of a step; a clock that goes backwards does so for one step.
    fn from(&self, now: &mut MonoTime) -> MonoTime {
        let span = match self {
            Self::None => Duration::ZERO,
            Self::Millis(millis) => Duration::from_millis(u64::from(*millis)),
            Self::Seconds(seconds) => Duration::from_secs(u64::from(*seconds)),
            Self::Days(days) => Duration::from_secs(24 * 3_600 * u64::from(*days)),
            Self::Wait => Duration::from_secs(5),
            Self::Back(seconds) => {
                let back = Duration::from_secs(u64::from(*seconds));
                return MonoTime::from_origin(now.since_origin().saturating_sub(back));
            }
            Self::End => Duration::MAX,
        };
        *now = now.after(span);
        *now
    }
}

impl Client {
    const fn id(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "site 7/gw/é",
            Self::D => "$d",
            Self::Empty => "",
            Self::Wildcard => "a/+",
        }
    }
}

impl Time {
    fn get(&self, now: UnixMillis) -> UnixMillis {
        let offset = match self {
            Self::Now => 0,
            Self::Millis(millis) => i64::from(*millis),
            Self::Seconds(seconds) => 1_000 * i64::from(*seconds),
            Self::Least => i64::MIN,
            Self::Greatest => i64::MAX,
            Self::Any(millis) => return UnixMillis::new(*millis),
        };
        UnixMillis::new(now.get().saturating_add(offset))
    }
}

impl Session {
    fn text(&self) -> Option<String> {
        Some(match self {
            Self::Unknown => return None,
            Self::A => "A".into(),
            Self::B => "B".into(),
            Self::Dashed => "00000000-0000-0000-0000-00000000000A".into(),
            Self::Plain => "0000000000000000000000000000000a".into(),
            Self::Empty => String::new(),
            Self::TooLong => "s".repeat(SessionId::MAX_BYTES + 1),
        })
    }
}

impl Version {
    const fn get(&self) -> Option<i64> {
        match self {
            Self::Small(version) => Some(*version as i64 % 4),
            Self::Greatest => Some(i64::MAX),
            Self::Missing => None,
            Self::Any(version) => Some(*version),
        }
    }
}

impl Kind {
    fn get(&self) -> EventKind<'static> {
        let disconnected = |version: &Version, reason| {
            let mut disconnected = Disconnected::new(0, reason);
            disconnected.version_number = version.get();
            EventKind::Disconnected(disconnected)
        };
        match self {
            Self::Connected(version) => {
                let mut connected = Connected::default();
                connected.version_number = version.get();
                EventKind::Connected(connected)
            }
            Self::Disconnected(version) => disconnected(version, "CONNECTION_LOST"),
            Self::ByItself(version) => disconnected(version, "CLIENT_INITIATED_DISCONNECT"),
            Self::ConnectFailed => ConnectFailed::new("AUTHORIZATION_FAILED").into(),
            Self::Subscribed => EventKind::Subscribed(Topics::new(["a/b"])),
            Self::Unsubscribed => EventKind::Unsubscribed(Topics::new(["a/b"])),
        }
    }
}

/// Beside these there is nothing in a step.
const CHANGES_NOTHING: [Note; 10] = [
    Note::Duplicate,
    Note::Stale,
    Note::SuspectedReset,
    Note::LateConnect,
    Note::Future,
    Note::TooOld,
    Note::LwtHint,
    Note::LwtIgnored,
    Note::ConnectFailed,
    Note::SuspectedConnect,
];

/// What the wall clock reads at first.
const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

const HASH_KEY: HashKey = HashKey::new([7; 16]);
