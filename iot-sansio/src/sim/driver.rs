//! Two machines, a broker between them, and the world's bad luck.

use alloc::{collections::BTreeSet, vec::Vec};
use core::{error::Error, fmt};

use super::{
    broker::{Broker, Delivery},
    clock::Clock,
    input::OwnedInput,
    line::{Faults, Line},
};
use crate::{
    Machine, MonoTime, Output, UnixMillis,
    mqtt::{
        Action, CloseReason, Closed, ConnectOptions, Done, Link, Mqtt, Open, Qos, Token, Transport,
    },
};

/// Runs two MQTT machines against each other through a [`Broker`], on a virtual [`Clock`].
///
/// ```text
/// left machine  -- actions, uplink -->  Broker  <-- actions, uplink --   right machine
///               <-- inputs, downlink --         -- inputs, downlink -->
/// ```
///
/// The driver is the adapter of both: it hands over actions, answers tokens once, and never opens a connection or
/// subscribes by itself. A machine that is a guest gets its connection by [`open`](Self::open); one that opens its own
/// links is answered by the broker. Everything follows from the seed. The [module documentation](super) has an example.
pub struct Driver<L: Machine<Vocabulary = Mqtt>, R: Machine<Vocabulary = Mqtt>> {
    clock: Clock,
    broker: Broker,
    left: Seat<L>,
    right: Seat<R>,
    trace: Vec<EntryOf<L, R>>,
}

/// One of the two machines of a [`Driver`]. Its number is the one under which the broker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a driver has two sides")]
pub enum Side {
    /// The first machine.
    Left = 0,
    /// The second machine.
    Right = 1,
}

/// One line of a driver's trace: when, and what the machine of that side told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a driver has two sides")]
pub enum Entry<L, R> {
    /// The left machine told this.
    Left(MonoTime, L),
    /// The right machine told this.
    Right(MonoTime, R),
}

/// What a machine told: an event, or why it refused an input.
pub type Told<M> = Result<<M as Machine>::Event, <M as Machine>::Error>;

/// A line of the trace of machines `L` and `R`.
pub type EntryOf<L, R> = Entry<Told<L>, Told<R>>;

/// Why a run cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stuck {
    /// The machine's deadline has passed, and calling `handle_timeout` neither moves it nor yields anything.
    Deadline {
        /// Whose deadline.
        side: Side,
        /// Since when nothing moves.
        at: MonoTime,
    },
    /// More is on its way to or from this side than its line holds.
    Full {
        /// Whose line.
        side: Side,
        /// When it was full.
        at: MonoTime,
    },
    /// Things go on for ever without time passing.
    Endless {
        /// The instant that does not end.
        at: MonoTime,
    },
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { side, at } => write!(
                f,
                "the {side:?} machine's passed deadline does not move at {:?}",
                at.since_origin()
            ),
            Self::Full { side, at } => {
                write!(f, "a line of the {side:?} machine is full at {:?}", at.since_origin())
            }
            Self::Endless { at } => {
                write!(f, "the instant {:?} does not end", at.since_origin())
            }
        }
    }
}

impl Error for Stuck {}

impl<L: Machine<Vocabulary = Mqtt>, R: Machine<Vocabulary = Mqtt>> Driver<L, R> {
    /// Two machines without connections, perfect lines, and a clock at the origin on 2023-11-14 22:13:20 UTC.
    #[must_use]
    pub fn new(left: L, right: R, seed: u64) -> Self {
        Self {
            clock: Clock::new(UnixMillis::new(1_700_000_000_000)),
            broker: Broker::new(),
            left: Seat::new(Side::Left, left, seed),
            right: Seat::new(Side::Right, right, seed),
            trace: Vec::new(),
        }
    }

    /// With these faults on the way from this side to the broker. Part of the setup: what is on its way is forgotten.
    #[must_use]
    pub fn with_uplink(mut self, side: Side, faults: Faults) -> Self {
        match side {
            Side::Left => self.left.uplink(faults),
            Side::Right => self.right.uplink(faults),
        }
        self
    }

    /// With these faults on the way from the broker to this side. Part of the setup: what is on its way is forgotten.
    #[must_use]
    pub fn with_downlink(mut self, side: Side, faults: Faults) -> Self {
        match side {
            Side::Left => self.left.downlink(faults),
            Side::Right => self.right.downlink(faults),
        }
        self
    }

    /// The clock; a test that moves it lets both sides sleep.
    pub const fn clock_mut(&mut self) -> &mut Clock {
        &mut self.clock
    }

    /// What monotonic time it is.
    #[must_use]
    pub const fn now(&self) -> MonoTime {
        self.clock.now()
    }

    /// The broker, to tell it what to refuse.
    pub const fn broker_mut(&mut self) -> &mut Broker {
        &mut self.broker
    }

    /// The left machine.
    #[must_use]
    pub const fn left(&self) -> &L {
        &self.left.machine
    }

    /// The left machine, for its commands. What they cause happens in the next run.
    pub const fn left_mut(&mut self) -> &mut L {
        &mut self.left.machine
    }

    /// The right machine.
    #[must_use]
    pub const fn right(&self) -> &R {
        &self.right.machine
    }

    /// The right machine, for its commands. What they cause happens in the next run.
    pub const fn right_mut(&mut self) -> &mut R {
        &mut self.right.machine
    }

    /// Connects a guest, with a clean session or the one it had; gives the number of the new connection.
    ///
    /// The machine hears of it when the broker's answer arrives. For machines that open no links themselves.
    pub fn open(&mut self, side: Side, clean_session: bool) -> Link {
        let now = self.now();
        match side {
            Side::Left => self.left.open(now, clean_session),
            Side::Right => self.right.open(now, clean_session),
        }
    }

    /// Breaks the newest connection of a side, with all that is on its way; false when it has none.
    pub fn lose(&mut self, side: Side) -> bool {
        let now = self.now();
        match side {
            Side::Left => self.left.lose(now, &mut self.broker),
            Side::Right => self.right.lose(now, &mut self.broker),
        }
    }

    /// Goes from one instant at which anything happens to the next, up to and including `end`.
    ///
    /// # Errors
    /// The machines make no progress; see [`Stuck`]. The trace tells what came before.
    pub fn run_until(&mut self, end: MonoTime) -> Result<(), Stuck> {
        loop {
            self.settle()?;
            let next = [self.left.next_instant(), self.right.next_instant()];
            match next.into_iter().flatten().min() {
                Some(next) if next <= end => self.clock.advance_to(next),
                _ => break,
            }
        }
        self.clock.advance_to(end);
        Ok(())
    }

    /// What the machines have told so far.
    #[must_use]
    pub fn trace(&self) -> &[EntryOf<L, R>] {
        &self.trace
    }

    /// The events of the left machine in the trace.
    pub fn left_events(&self) -> impl Iterator<Item = (MonoTime, &L::Event)> {
        self.trace.iter().filter_map(|entry| match entry {
            Entry::Left(at, Ok(event)) => Some((*at, event)),
            _ => None,
        })
    }

    /// The events of the right machine in the trace.
    pub fn right_events(&self) -> impl Iterator<Item = (MonoTime, &R::Event)> {
        self.trace.iter().filter_map(|entry| match entry {
            Entry::Right(at, Ok(event)) => Some((*at, event)),
            _ => None,
        })
    }

    /// Lets everything happen that happens at this instant.
    fn settle(&mut self) -> Result<(), Stuck> {
        let now = self.now();
        for _ in 0..MAX_STEPS {
            let arrived = [self.left.up.receive(now), self.right.up.receive(now)];
            let mut moved = arrived.iter().any(Option::is_some);
            for (client, action) in arrived.into_iter().enumerate() {
                let deliveries = action.map(|action| self.broker.handle(client, action));
                for delivery in deliveries.into_iter().flatten() {
                    if delivery.client == Side::Left as usize {
                        self.left.deliver(now, delivery);
                    } else if delivery.client == Side::Right as usize {
                        self.right.deliver(now, delivery);
                    }
                }
            }
            let trace = &mut self.trace;
            moved |= self.left.step(now, |told| trace.push(Entry::Left(now, told)))?;
            moved |= self.right.step(now, |told| trace.push(Entry::Right(now, told)))?;
            if !moved {
                return Ok(());
            }
        }
        Err(Stuck::Endless { at: now })
    }
}

/// One machine, its adapter's state and its two lines.
struct Seat<M: Machine<Vocabulary = Mqtt>> {
    side: Side,
    machine: M,
    seed: u64,
    up: Line<Action>,
    down: Line<Delivery>,
    /// The newest connection that was asked for and has not ended.
    link: Option<Link>,
    last_opened: Link,
    /// What is still to be answered. An action that arrives twice is answered once.
    open_tokens: BTreeSet<(Link, Token)>,
    deadline: Option<MonoTime>,
    /// How often in a row the deadline has passed and nothing moved.
    idle_timeouts: u32,
    stuck: Option<Stuck>,
}

impl<M: Machine<Vocabulary = Mqtt>> Seat<M> {
    fn new(side: Side, machine: M, seed: u64) -> Self {
        // One seed makes four lines; their numbers keep them apart.
        let seed = seed.wrapping_mul(4).wrapping_add(2 * side as u64);
        Self {
            side,
            machine,
            seed,
            up: Line::new(Faults::none(), seed),
            down: Line::new(Faults::none(), seed.wrapping_add(1)),
            link: None,
            last_opened: Link::new(0),
            open_tokens: BTreeSet::new(),
            deadline: None,
            idle_timeouts: 0,
            stuck: None,
        }
    }

    fn uplink(&mut self, faults: Faults) {
        self.up = Line::new(faults, self.seed);
    }

    fn downlink(&mut self, faults: Faults) {
        self.down = Line::new(faults, self.seed.wrapping_add(1));
    }

    fn open(&mut self, now: MonoTime, clean_session: bool) -> Link {
        self.last_opened = self.last_opened.next();
        let name = match self.side {
            Side::Left => "left",
            Side::Right => "right",
        };
        let options = ConnectOptions::new("broker.example", 8883, Transport::Tls, name)
            .with_clean_session(clean_session);
        self.send(now, Open::new(self.last_opened, options).into());
        self.last_opened
    }

    fn lose(&mut self, now: MonoTime, broker: &mut Broker) -> bool {
        let Some(link) = self.link.take() else {
            return false;
        };
        let mut undelivered = Vec::new();
        self.up.retain(|action| action.link() != link);
        self.down.retain(|delivery| {
            let keep = delivery.input.link() != link;
            if !keep {
                undelivered.push(delivery.clone());
            }
            keep
        });
        let client = self.side as usize;
        if broker.link(client) == Some(link) {
            broker.disconnect(client, undelivered);
        }
        let input = OwnedInput::Closed(Closed::new(link, CloseReason::Lost));
        self.tell(now, input);
        true
    }

    /// Takes an action of the machine, as an adapter hands it to its client.
    fn send(&mut self, now: MonoTime, action: Action) {
        let link = action.link();
        if let Some(token) = action.token() {
            self.open_tokens.insert((link, token));
        }
        let sent = match &action {
            Action::Open(_) | Action::Close(_) => {
                if matches!(action, Action::Open(_)) {
                    self.link = Some(link);
                }
                self.up.send_in_order(now, action)
            }
            Action::Publish(publish) if publish.qos == Qos::AtMostOnce => {
                let done = OwnedInput::Done(Done::new(link, publish.token));
                // Handed over is done: whether the broker got it, nobody knows.
                if !self.up.send_qos(now, action, Qos::AtMostOnce) {
                    self.tell(now, done);
                }
                true
            }
            Action::Publish(publish) => {
                let qos = publish.qos;
                self.up.send_qos(now, action, qos)
            }
            _ => self.up.send_qos(now, action, Qos::ExactlyOnce),
        };
        self.must(now, sent);
    }

    /// Puts something that the adapter itself says on the way to the machine.
    fn tell(&mut self, now: MonoTime, input: OwnedInput) {
        self.deliver(now, Delivery::sure(self.side as usize, input));
    }

    fn deliver(&mut self, now: MonoTime, delivery: Delivery) {
        let ends = matches!(delivery.input, OwnedInput::Opened(_) | OwnedInput::Closed(_));
        let qos = delivery.qos;
        let sent = if ends {
            self.down.send_in_order(now, delivery)
        } else {
            self.down.send_qos(now, delivery, qos)
        };
        self.must(now, sent || qos == Qos::AtMostOnce);
    }

    fn must(&mut self, now: MonoTime, sent: bool) {
        if !sent {
            let side = self.side;
            self.stuck.get_or_insert(Stuck::Full { side, at: now });
        }
    }

    /// Lets one thing happen to the machine: an input that has arrived, or a deadline that has passed. True when
    /// something did.
    fn step(&mut self, now: MonoTime, mut told: impl FnMut(Told<M>)) -> Result<bool, Stuck> {
        let mut moved = self.drain(now, &mut told)?;
        if let Some(delivery) = self.down.receive(now) {
            if self.accepts(&delivery.input) {
                let result = self.machine.handle_input(now, delivery.input.as_input());
                if let Err(refused) = result {
                    told(Err(refused));
                }
            }
            self.drain(now, &mut told)?;
            moved = true;
        } else if let Some(deadline) = self.deadline.filter(|&deadline| deadline <= now) {
            self.machine.handle_timeout(now);
            let yielded = self.drain(now, &mut told)?;
            if yielded || self.deadline != Some(deadline) {
                self.idle_timeouts = 0;
            } else {
                self.idle_timeouts += 1;
            }
            if self.idle_timeouts > MAX_IDLE_TIMEOUTS {
                let (side, at) = (self.side, now);
                return Err(Stuck::Deadline { side, at });
            }
            moved = true;
        }
        self.stuck.map_or(Ok(moved), Err)
    }

    /// Whether an adapter passes this on: a token is answered once, and not after its connection ended.
    fn accepts(&mut self, input: &OwnedInput) -> bool {
        match input {
            OwnedInput::Done(done) => self.open_tokens.remove(&(done.link, done.token)),
            OwnedInput::Failed(failed) => self.open_tokens.remove(&(failed.link, failed.token)),
            OwnedInput::Closed(closed) => {
                self.open_tokens.retain(|&(link, _)| link != closed.link);
                self.link = self.link.filter(|&link| link != closed.link);
                true
            }
            OwnedInput::Opened(_) | OwnedInput::Message(_) => true,
        }
    }

    /// Drains the machine; true when it yielded anything.
    fn drain(&mut self, now: MonoTime, told: &mut impl FnMut(Told<M>)) -> Result<bool, Stuck> {
        for yielded in 0..MAX_STEPS {
            match self.machine.poll_output() {
                Output::Action(action) => self.send(now, action),
                Output::Event(event) => told(Ok(event)),
                Output::Idle(deadline) => {
                    self.deadline = deadline;
                    return Ok(yielded > 0);
                }
            }
        }
        Err(Stuck::Endless { at: now })
    }

    fn next_instant(&self) -> Option<MonoTime> {
        let instants = [self.up.next_arrival(), self.down.next_arrival(), self.deadline];
        instants.into_iter().flatten().min()
    }
}

/// How much may happen at one instant.
const MAX_STEPS: u32 = 100_000;

/// How often in a row a passed deadline may stay where it is.
const MAX_IDLE_TIMEOUTS: u32 = 1_000;
