//! Every order of a few inputs, commands and deadlines, on the real session.
//!
//! What is checked in every state that can be reached: nothing is asked of a transport without TLS, no connection has
//! two receivers, no login is older than its attempt, attempts are no more than the allowance, and a session that is
//! started connects again or has stopped with a reason. Links, tokens and times only grow, so a budget of steps makes the
//! space finite; time moves from deadline to deadline.

mod sessions;

use amqp_auth::{
    UserName,
    session::{Event, Session},
};
use iot_sansio::{
    Machine as _, MonoTime, Output, WallClock,
    amqp::{Action, Body, Connection, Delivery, DeliveryId, Message, Value},
};
use sessions::{EPOCH, clock, config, feed, key, signed_elsewhere, token};
use stateright::{Checker as _, Model, Property};
use std::time::Duration;

/// The session, and what a transport that keeps the vocabulary knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    session: Session,
    now: MonoTime,
    clock: WallClock,
    transport: Option<Transport>,
    /// Handed over and not answered.
    work: Vec<DeliveryId>,
    stopped: Option<String>,
    started: bool,
    steps: u8,
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Transport {
    connection: Connection,
    stage: Stage,
    receivers: u8,
    credit: u32,
    delivered: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Stage {
    Dialed,
    Plain,
    Connected,
    Opening,
    Open,
    Attaching,
    Attached,
    Closing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Start,
    Stop,
    Key,
    ExpiringToken,
    ShortToken,
    NoCredential,
    /// Signed by another signer, by the wall clock as it is.
    Login,
    /// Sets the wall clock back by an hour, once.
    SetClock,
    Answer(&'static [&'static str]),
    Deliver {
        copy: bool,
    },
    Accept,
    Fail,
    Deadline,
}

struct Sessions {
    steps: u8,
}

impl Model for Sessions {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            session: Session::new(config().with_credit(2).unwrap(), clock(), 3),
            now: MonoTime::ORIGIN,
            clock: clock(),
            transport: None,
            work: Vec::new(),
            stopped: None,
            started: false,
            steps: 0,
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.steps == self.steps {
            return;
        }
        actions.extend([Step::Start, Step::Stop, Step::Key, Step::NoCredential]);
        actions.extend([Step::ExpiringToken, Step::ShortToken, Step::Login]);
        if state.clock == clock() {
            actions.push(Step::SetClock);
        }
        if let Some(transport) = state.transport {
            let answers: &[&[&str]] = match transport.stage {
                Stage::Dialed => &[&["connected", "tls"], &["connected", "tcp"]],
                Stage::Opening => {
                    &[&["opened"], &["closed", "refused", "1"], &["closed", "version"]]
                }
                Stage::Attaching => &[&["attached"], &["detached", "amqp:unauthorized-access"]],
                Stage::Attached => &[&["detached", "amqp:not-found"]],
                _ => &[],
            };
            actions.extend(answers.iter().copied().map(Step::Answer));
            actions.push(Step::Answer(&["closed", "lost"]));
            if transport.stage == Stage::Attached && transport.credit > 0 {
                actions.extend([Step::Deliver { copy: false }, Step::Deliver { copy: true }]);
            }
        }
        if !state.work.is_empty() {
            actions.extend([Step::Accept, Step::Fail]);
        }
        if sessions::deadline(&mut state.session.clone()).is_some() {
            actions.push(Step::Deadline);
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        state.steps += 1;
        let now = state.now;
        match step {
            Step::Start => {
                if state.session.start(now).is_ok() {
                    (state.started, state.stopped) = (true, None);
                }
            }
            Step::Stop => {
                if state.session.stop(now).is_ok() {
                    state.work.clear();
                }
            }
            Step::Key => {
                let _ = state.session.provide(now, key());
            }
            Step::ExpiringToken | Step::ShortToken => {
                let left = if step == Step::ExpiringToken { 59_999 } else { 100_000 };
                let expires_at = state.clock.at(now).get() - EPOCH + left;
                let _ = state.session.provide(now, token(expires_at));
            }
            Step::Login => {
                let login = signed_elsewhere(state.clock.at(now).get());
                let _ = state.session.provide_login(now, login);
            }
            Step::SetClock => {
                let wall = state.clock.at(now).before(Duration::from_secs(3_600));
                state.clock = WallClock::new(now, wall);
                state.session.set_wall_clock(now, wall);
            }
            Step::NoCredential => {
                let _ = state.session.credential_failed(now);
            }
            Step::Answer(words) => {
                let transport = state.transport.as_mut()?;
                feed(&mut state.session, now, transport.connection, words);
                transport.stage = match *words {
                    ["connected", "tls"] => Stage::Connected,
                    ["connected", "tcp"] => Stage::Plain,
                    ["opened"] => Stage::Open,
                    ["attached"] => Stage::Attached,
                    _ => transport.stage,
                };
                if words[0] == "closed" {
                    state.transport = None;
                }
            }
            Step::Deliver { copy } => {
                let transport = state.transport.as_mut()?;
                transport.credit -= 1;
                transport.delivered += 1;
                let id = DeliveryId::new(transport.connection, transport.delivered);
                let message_id = if copy { "copy".into() } else { format!("{id:?}") };
                let properties = [("messageId".into(), Value::String(message_id.into()))];
                let message = Message::new(&properties, Body::Data(&[]));
                state.session.handle_input(now, Delivery::new(id, message).into()).ok()?;
            }
            Step::Accept | Step::Fail => {
                let id = state.work.remove(0);
                let _ = if step == Step::Accept {
                    state.session.accept(now, id)
                } else {
                    state.session.fail(now, id)
                };
            }
            Step::Deadline => {
                state.now = sessions::deadline(&mut state.session)?;
                state.session.handle_timeout(state.now);
            }
        }
        state.drain();
        (state != *before).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "the transport is asked for nothing it must not do",
                |_, state: &State| state.broken.is_none(),
            ),
            Property::always(
                "a started session goes on or has stopped with a reason",
                |_, state: &State| state.goes_on(),
            ),
            Property::sometimes("it connects", |_, state: &State| {
                state.transport.is_some_and(|transport| transport.receivers == 1)
            }),
            Property::sometimes("it connects a second time", |_, state: &State| {
                state.transport.is_some_and(|t| t.receivers == 1 && t.connection.get() == 2)
            }),
            Property::sometimes("it stops for want of TLS", |_, state: &State| {
                state.stopped.as_deref() == Some("TlsRequired")
            }),
            Property::sometimes("a copy is settled with the first", |_, state: &State| {
                state.transport.is_some_and(|transport| transport.delivered == 2)
                    && state.work.is_empty()
            }),
        ]
    }
}

impl State {
    fn drain(&mut self) {
        for output in sessions::drain(&mut self.session) {
            match output {
                Output::Action(action) => self.act(&action),
                Output::Event(Event::Message(received)) => self.work.push(received.id),
                Output::Event(Event::Stopped(stopped)) => {
                    let twice = self.stopped.replace(format!("{:?}", stopped.reason)).is_some();
                    self.must(!twice && self.started, "stopped once for each start");
                    self.started = false;
                }
                Output::Event(_) | Output::Idle(_) => {}
            }
        }
    }

    fn must(&mut self, holds: bool, what: &'static str) {
        if !holds {
            self.broken.get_or_insert(what);
        }
    }

    fn act(&mut self, action: &Action) {
        if let Action::Dial(dial) = action {
            let free = self.transport.is_none_or(|transport| transport.stage == Stage::Closing);
            self.must(free, "one connection at a time");
            self.transport = Some(Transport {
                connection: dial.connection,
                stage: Stage::Dialed,
                receivers: 0,
                credit: 0,
                delivered: 0,
            });
            return;
        }
        let Some(mut transport) = self.transport else {
            // What crossed the end of the connection; nothing but settling can.
            return self.must(matches!(action, Action::Settle(_)), "nothing without a connection");
        };
        self.must(action.connection() == transport.connection, "the current connection");
        match action {
            Action::Open(open) => {
                self.must(transport.stage == Stage::Connected, "opens over TLS only");
                let user_name = UserName::parse(open.options.user_name.expose()).unwrap();
                let age = self.clock.at(self.now).get() - user_name.timestamp().get();
                // One that was signed before the clock was set is as old as the attempt all the same.
                let ages = [0..=30_000, -3_600_000..=30_000 - 3_600_000];
                let set = usize::from(self.clock != clock());
                let is_fresh = ages[..=set].iter().any(|range| range.contains(&age));
                self.must(is_fresh, "a login of this attempt");
                transport.stage = Stage::Opening;
            }
            Action::Attach(_) => {
                self.must(transport.stage == Stage::Open, "attaches once it is open");
                transport.receivers += 1;
                self.must(transport.receivers == 1, "one receiver");
                transport.stage = Stage::Attaching;
            }
            Action::Flow(flow) => {
                self.must(transport.stage == Stage::Attached, "grants once it is attached");
                self.must(flow.credit as usize + self.work.len() <= 2, "no more than the window");
                transport.credit = flow.credit;
            }
            Action::Settle(_) => {
                self.must(transport.stage == Stage::Attached, "settles what is live")
            }
            Action::Close(_) => transport.stage = Stage::Closing,
            Action::Abort(_) => {
                self.transport = None;
                return;
            }
            other => panic!("unknown to this model: {other:?}"),
        }
        self.transport = Some(transport);
    }

    /// Whether something is bound to happen: a deadline, an answer of the transport or of the application.
    fn goes_on(&self) -> bool {
        if !self.started {
            return true;
        }
        let mut session = self.session.clone();
        let deadline = sessions::deadline(&mut session).is_some();
        let wanted = session.provide(self.now, key()).is_ok()
            && sessions::texts(&mut session).contains(&"dial".to_owned());
        let running = self.transport.is_some_and(|transport| transport.stage == Stage::Attached);
        deadline || wanted || running
    }
}

#[test]
fn every_order_of_steps_keeps_to_the_rules() {
    let checker = Sessions { steps: STEPS }.checker().spawn_bfs().join();
    println!("{} states, {} of them unique", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
}

/// So many steps deep: deep enough for a second connection.
const STEPS: u8 = 12;
