//! Exhaustive model checking of the real presence machine: two connections of one client, every order, every duplicate,
//! every loss, and every firing of every timer that was ever armed.

use core::time::Duration;

use iot_lifecycle::{
    Head, HeadKind, Order, SessionId,
    presence::{Config, Input, Presence, Status, Step, Timer},
};
use iot_sansio::{MonoTime, UnixMillis};
use stateright::{Checker as _, Model, Property};

/// The events of two connections in their true order.
struct Client {
    name: &'static str,
    config: Config,
    events: [Head<'static>; 4],
}

/// How often each event may arrive, and each timer fire.
const COPIES: u8 = 2;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    presence: Presence,
    now: MonoTime,
    /// How often each event arrived.
    arrived: [u8; 4],
    /// Every timer that was armed, with how often it fired; cancelled ones fire too.
    timers: Vec<(Timer, u8)>,
    /// What an observer of the outputs takes the state to be.
    told: Status,
    armed: Option<Timer>,
    /// The first broken invariant of an output.
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Arrive(usize),
    /// Fires a timer at its deadline, or now if that has passed.
    Fire(usize),
    /// Fires a timer before its deadline.
    FireEarly(usize),
}

impl Client {
    fn step(&self, state: &mut State, input: Input<'_>) -> Step {
        // The events are all of one moment: admission is not at stake here.
        let step = state.presence.step(&self.config, state.now, WALL, input);
        let mut check = |holds: bool, rule| {
            if !holds {
                state.broken.get_or_insert(rule);
            }
        };
        if let Some(token) = step.cancel {
            check(
                state.armed.take().is_some_and(|timer| timer.token == token),
                "cancels what runs",
            );
        }
        if let Some(transition) = step.transition {
            check(transition.from == state.told, "a transition starts where the last one ended");
            check(transition.from != transition.to, "a transition changes something");
            state.told = transition.to;
        }
        if let Some(timer) = step.arm {
            check(state.armed.is_none(), "at most one timer runs");
            let newest = state.timers.iter().map(|(timer, _)| timer.token).max();
            check(newest < Some(timer.token), "tokens grow");
            state.armed = Some(timer);
            state.timers.push((timer, 0));
        }
        step
    }

    /// The newest of the events that arrived, in the true order.
    fn newest(&self, state: &State) -> Option<&Head<'static>> {
        let arrived = self.events.iter().zip(state.arrived).filter(|(_, copies)| *copies > 0);
        arrived.map(|(event, _)| event).next_back()
    }
}

impl Model for Client {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            presence: Presence::default(),
            now: MonoTime::ORIGIN,
            arrived: [0; 4],
            timers: Vec::new(),
            told: Status::Unknown,
            armed: None,
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let arriving = (0..4).filter(|event| state.arrived[*event] < COPIES);
        actions.extend(arriving.map(Action::Arrive));
        for (place, (timer, fired)) in state.timers.iter().enumerate() {
            if *fired < COPIES {
                actions.push(Action::Fire(place));
                if state.now < timer.deadline {
                    actions.push(Action::FireEarly(place));
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Arrive(event) => {
                let first = state.arrived[event] == 0;
                state.arrived[event] += 1;
                let head = self.events[event].borrowed();
                let step = self.step(&mut state, Input::Event { head, reason: None });
                let silent =
                    step.cancel.is_none() && step.arm.is_none() && step.transition.is_none();
                if !first && !silent {
                    state.broken.get_or_insert("a duplicate leads to notes only");
                }
            }
            Action::Fire(place) => {
                let (timer, _) = state.timers[place];
                state.timers[place].1 += 1;
                state.now = state.now.max(timer.deadline);
                if state.armed == Some(timer) {
                    state.armed = None;
                }
                let _ = self.step(&mut state, Input::Timer(timer.token));
            }
            Action::FireEarly(place) => {
                let (timer, _) = state.timers[place];
                state.timers[place].1 += 1;
                let step = self.step(&mut state, Input::Timer(timer.token));
                if step.transition.is_some() {
                    state.broken.get_or_insert("a timer before its deadline is ignored");
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("outputs keep their invariants", |_, state: &State| {
                state.broken.is_none()
            }),
            Property::always(
                "the head is the newest event that arrived",
                |client: &Self, state: &State| {
                    state.presence.head().as_ref() == client.newest(state)
                },
            ),
            Property::always("what runs is what was armed last", |_, state: &State| {
                state.presence.waiting() == state.armed
            }),
            Property::always(
                "without a wait, what is published is the newest event's",
                |client: &Self, state: &State| {
                    let expected = client.newest(state).map(|head| match head.kind {
                        HeadKind::Connect => Status::Online,
                        HeadKind::Disconnect => Status::Offline,
                    });
                    state.armed.is_some() || state.told == expected.unwrap_or_default()
                },
            ),
            Property::always(
                "a wait is for a disconnect that nobody was told of",
                |client: &Self, state: &State| {
                    let newest = client.newest(state).map(|head| head.kind);
                    state.armed.is_none()
                        || (newest == Some(HeadKind::Disconnect) && state.told != Status::Offline)
                },
            ),
            Property::sometimes("a reconnect suppresses the blip", |_, state: &State| {
                state.told == Status::Online && state.armed.is_none() && !state.timers.is_empty()
            }),
            Property::sometimes(
                "both disconnects wait, one after the other",
                |_, state: &State| state.timers.len() == 2,
            ),
        ]
    }
}

#[test]
fn every_run_of_two_connections_ends_with_the_truth() {
    let mut total = 0;
    for client in clients() {
        let name = client.name;
        let checker = client.checker().threads(2).spawn_bfs().join();
        println!("{name}: {} states", checker.unique_state_count());
        checker.assert_properties();
        total += checker.unique_state_count();
    }
    println!("presence model: {total} states");
}

/// Two connections in the ways in which they can follow each other.
fn clients() -> [Client; 5] {
    let client = |name, version: i64, sessions: [Option<&'static str>; 2], times: [i64; 4]| {
        let event = |place: usize, kind| {
            let connection = place / 2;
            Head {
                kind,
                version: if connection == 0 { 3 } else { version },
                session: sessions[connection].and_then(SessionId::new),
                timestamp: UnixMillis::new(WALL.get() + times[place]),
            }
        };
        let (connect, disconnect) = (HeadKind::Connect, HeadKind::Disconnect);
        let events =
            [event(0, connect), event(1, disconnect), event(2, connect), event(3, disconnect)];
        let config = Config::default()
            .with_order(Order::default())
            .with_max_age(Duration::MAX)
            .with_max_future(Duration::MAX);
        Client { name, config, events }
    };
    let two = [Some("A"), Some("B")];
    let hour = 3_600_000;
    [
        client("one after the other", 4, two, [0, 1_000, 2_000, 3_000]),
        client("a takeover, stamped the wrong way round", 5, two, [0, 60_000, 20_000, 90_000]),
        client("a persistent session", 4, [Some("P"), Some("P")], [0, 1_000, 2_000, 3_000]),
        client("sessions unknown", 4, [None, None], [0, 1_000, 2_000, 3_000]),
        client("a reset to a lower version", 0, two, [0, 1_000, hour, hour + 1_000]),
    ]
}

const WALL: UnixMillis = UnixMillis::new(1_700_000_000_000);
