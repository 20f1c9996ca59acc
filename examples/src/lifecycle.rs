//! A history of lifecycle events over a real broker: the service plays it on one connection, a tracker follows it on
//! another.

use std::{
    collections::{HashMap, hash_map::Entry},
    error::Error,
    time::Duration,
};

use iot_lifecycle::{
    Decoder, Event, Topic,
    fleet::{self, Fleet, HashKey, InputError, Update},
    history::{History, Published, Service},
    presence::{self, Presence, Status, Step},
};
use iot_sansio::{
    ActionOf, InputOf, Machine, MonoTime, Output, WallClock,
    mqtt::{ConnectOptions, Input, Link, Mqtt, Transport},
};
use tokio::task::JoinSet;

use crate::mqtt_adapter::{Adapter, Stepped};

/// Connections lost before a play is given up.
const MAX_LOSSES: usize = 10;

/// How to play a history.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// Of the broker on 127.0.0.1.
    pub port: u16,
    /// From a disconnect to the word that the device is offline.
    pub wait: Duration,
    /// From one event to the next.
    pub interval: Duration,
}

/// What came of it.
pub struct Played {
    /// What reached the tracker, in that order.
    pub arrivals: Vec<Arrival>,
    /// What the tracker said when waits were over.
    pub ended_waits: Vec<Update<Box<str>>>,
    /// What somebody knows who only listens to the tracker's transitions.
    pub statuses: HashMap<Box<str>, Status>,
    /// The tracker itself.
    pub fleet: Fleet<Box<str>>,
    /// How many events the broker acknowledged to the service.
    pub acknowledged: usize,
    /// How often a connection was lost and opened again.
    pub losses: usize,
}

/// An event that reached the tracker.
pub struct Arrival {
    /// When, in the tracker's time.
    pub at: MonoTime,
    /// The event.
    pub event: Event<'static>,
    /// What the tracker said of it.
    pub step: Step,
}

/// Any of the errors below; it ends the play.
pub type Failure = Box<dyn Error + Send + Sync>;

impl Play {
    /// At a broker on 127.0.0.1, as fast as it goes.
    #[must_use]
    pub const fn new(port: u16, wait: Duration) -> Self {
        Self { port, wait, interval: Duration::ZERO }
    }

    /// Plays all of the history, and returns when every event has arrived and nobody waits any more.
    ///
    /// The tracker keeps its session at the broker, so that a lost connection loses no event. `on_arrival` hears of
    /// each event as it arrives.
    ///
    /// # Errors
    /// The tracker refuses an event, the broker a subscription, or connections are lost too often.
    pub async fn run(
        &self,
        history: &History,
        mut on_arrival: impl FnMut(&Event<'_>),
    ) -> Result<Played, Failure> {
        let feed = history.feed();
        let mut connection = Connection::open(self.port, "tracker");
        let clock = WallClock::new(connection.adapter.now(), history.end);
        let mut tracker = Tracker::new(&feed, self.wait, clock);
        let mut service = Some(Service::new(feed).with_interval(self.interval));
        // Ends with the play, also when that fails.
        let mut publisher = JoinSet::new();
        let mut is_published = false;
        while !is_published || !tracker.is_done() {
            let arrived = tracker.played.arrivals.len();
            let mut told = Vec::new();
            tokio::select! {
                stepped = connection.step(&mut tracker, |event| told.push(event)) => {
                    stepped?;
                }
                Some(published) = publisher.join_next() => {
                    let (published, losses): (Published, usize) = published??;
                    if published.refused > 0 {
                        return Err(format!("the broker refused {} events", published.refused).into());
                    }
                    is_published = true;
                    tracker.played.acknowledged = published.events;
                    tracker.played.losses += losses;
                }
            }
            tracker.played.arrivals[arrived..].iter().for_each(|new| on_arrival(&new.event));
            for event in told {
                match event {
                    fleet::Event::Presence(update) => tracker.told(update)?,
                    // Not before: the broker gives nobody what was published before they subscribed.
                    fleet::Event::Subscribed { .. } => {
                        if let Some(machine) = service.take() {
                            publisher.spawn(publish(self.port, machine));
                        }
                    }
                    other => return Err(format!("unexpected: {other:?}").into()),
                }
            }
        }
        tracker.played.losses += connection.losses;
        connection.adapter.close().await;
        Ok(tracker.played)
    }
}

impl Played {
    /// How many devices the transitions are wrong about.
    #[must_use]
    pub fn errors(&self, history: &History) -> usize {
        history.errors(|client_id| Some(*self.statuses.get(client_id)? == Status::Online))
    }

    /// How many devices the fleet itself is wrong about.
    #[must_use]
    pub fn fleet_errors(&self, history: &History) -> usize {
        let is_online = |presence: &Presence| presence.published() == Status::Online;
        history.errors(|client_id| self.fleet.get(client_id).map(is_online))
    }

    /// What reached the tracker, in that order.
    #[must_use]
    pub fn events(&self) -> Vec<Event<'static>> {
        self.arrivals.iter().map(|arrival| arrival.event.clone()).collect()
    }
}

/// A fleet, and a record of what it is fed and says.
struct Tracker {
    played: Played,
    /// What has not arrived as often as it was sent.
    missing: HashMap<Event<'static>, usize>,
}

impl Tracker {
    fn new(feed: &[Event<'static>], wait: Duration, clock: WallClock) -> Self {
        let mut missing = HashMap::new();
        for event in feed {
            *missing.entry(event.clone()).or_default() += 1;
        }
        let presence = presence::Config::default().with_wait(wait);
        let config = fleet::Config::default().with_presence(presence);
        let played = Played {
            arrivals: Vec::new(),
            ended_waits: Vec::new(),
            statuses: HashMap::new(),
            // The ids are our own: nobody makes them collide.
            fleet: Fleet::new(config, HashKey::new([0; 16]), clock),
            acknowledged: 0,
            losses: 0,
        };
        Self { played, missing }
    }

    /// Whether everything has arrived and no wait runs.
    fn is_done(&self) -> bool {
        let waits = |(_, presence): (_, &Presence)| presence.waiting().is_some();
        self.missing.is_empty() && !self.played.fleet.iter().any(waits)
    }

    /// Listens to the fleet.
    fn told(&mut self, update: Update<Box<str>>) -> Result<(), Failure> {
        let Played { arrivals, ended_waits, statuses, .. } = &mut self.played;
        if let Some(transition) = update.step.transition {
            let before = statuses.insert(update.client.clone(), transition.to);
            if before.unwrap_or_default() != transition.from {
                return Err(format!("it was {before:?} before {update:?}").into());
            }
        }
        // The adapter drains after each input. What an input leads to has its time; a wait ends at its own.
        match arrivals.last_mut() {
            Some(last) if last.at == update.at && last.event.client_id == *update.client => {
                last.step = update.step;
            }
            _ => ended_waits.push(update),
        }
        Ok(())
    }

    /// It may come more often than it was sent; that is not waited for.
    fn arrived(&mut self, at: MonoTime, event: Event<'static>) {
        if let Entry::Occupied(mut count) = self.missing.entry(event.clone()) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        self.played.arrivals.push(Arrival { at, event, step: Step::default() });
    }
}

impl Machine for Tracker {
    type Vocabulary = Mqtt;
    type Event = fleet::Event<Box<str>>;
    type Error = InputError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), InputError> {
        let event = match &input {
            Input::Message(message) => {
                let topic = Topic::parse(message.topic)?;
                let event = Decoder::default().decode_with_topic(&topic, message.payload)?;
                Some(event.into_owned())
            }
            _ => None,
        };
        self.played.fleet.handle_input(now, input)?;
        event.into_iter().for_each(|event| self.arrived(now, event));
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.played.fleet.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Output<ActionOf<Self>, Self::Event> {
        self.played.fleet.poll_output()
    }

    fn is_finished(&self) -> bool {
        self.played.fleet.is_finished()
    }
}

/// A connection for a guest, opened again when it is lost.
struct Connection {
    adapter: Adapter,
    link: Link,
    options: ConnectOptions,
    losses: usize,
}

impl Connection {
    fn open(port: u16, client_id: &str) -> Self {
        let options = ConnectOptions::new("127.0.0.1", port, Transport::Tcp, client_id)
            .with_clean_session(false);
        let mut adapter = Adapter::new();
        let link = Link::new(1);
        adapter.open(link, &options);
        Self { adapter, link, options, losses: 0 }
    }

    /// Whether the machine goes on. Cancel safe.
    async fn step<M>(
        &mut self,
        machine: &mut M,
        on_event: impl FnMut(M::Event),
    ) -> Result<bool, Failure>
    where
        M: Machine<Vocabulary = Mqtt>,
        M::Error: Send + Sync + 'static,
    {
        match self.adapter.step(machine, on_event).await? {
            Stepped::Running => Ok(true),
            Stepped::Finished => Ok(false),
            Stepped::Closed(closed, error) => {
                self.losses += 1;
                if self.losses == MAX_LOSSES {
                    return Err(
                        format!("{MAX_LOSSES} connections ended: {closed:?} {error:?}").into()
                    );
                }
                // On loopback there is nobody to be spared by waiting.
                self.link = self.link.next();
                self.adapter.open(self.link, &self.options);
                Ok(true)
            }
        }
    }
}

/// Runs the service until the broker has answered everything; gives the number of connections lost, too.
async fn publish(port: u16, mut service: Service) -> Result<(Published, usize), Failure> {
    let mut connection = Connection::open(port, "service");
    let mut published = None;
    while connection.step(&mut service, |event| published = Some(event)).await? {}
    connection.adapter.close().await;
    let published = published.ok_or("the service ended without a word")?;
    Ok((published, connection.losses))
}
