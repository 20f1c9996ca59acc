//! Every order of a few answers, losses, commands and deadlines, on the real thing.
//!
//! What is checked in every state that can be reached: nothing but the onboarding request is published on the default
//! broker; a call that was taken waits, or was told to have ended, once; there is one connection at most; and a cloud
//! that behaves from now on brings the thing to readiness, unless it has ended with a reason. Links, tokens and times
//! only grow, so a budget of steps makes the space finite; time moves from deadline to deadline.

use core::time::Duration;
use std::collections::BTreeSet;

use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{
        Action, CloseReason, Closed, ConnackCode, Done, Failed, Input, Link, Message, Opened, Token,
    },
};
use kii_onboard::{
    Stage,
    call::Call,
    thing::{CallId, Event, Thing},
};
use stateright::{Checker as _, Model, Property};

use crate::run::{BOOT_TOPIC, INVALID, MQTT_TOPIC, NOT_READY, config, onboarded, onboarded_with};

/// The thing, and what a transport and an application that keep the vocabulary know of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    thing: Thing,
    now: MonoTime,
    connection: Option<Connection>,
    /// Taken and not ended.
    calls: BTreeSet<CallId>,
    started: bool,
    ended: Option<&'static str>,
    steps: u8,
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Connection {
    link: Link,
    stage: Stage,
    is_up: bool,
    /// A subscription that waits for its answer.
    subscribe: Option<Token>,
    /// The last call that was published here.
    published: Option<(u64, Token)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Start,
    Restore,
    OnboardAgain,
    Stop,
    Call,
    Opened,
    Lost,
    Refused(u8),
    Onboarded,
    Onboarding(&'static str),
    Granted,
    NotGranted,
    Response,
    /// To any call on the topic.
    ResponseWithoutId,
    NotSent,
    Push,
    Deadline,
}

struct Things {
    steps: u8,
}

impl Model for Things {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let config =
            config().with_max_api_attempts(1).with_max_boot_attempts(3).with_max_pending(2);
        vec![State {
            thing: Thing::new(config, 3).unwrap(),
            now: MonoTime::ORIGIN,
            connection: None,
            calls: BTreeSet::new(),
            started: false,
            ended: None,
            steps: 0,
            broken: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.steps == self.steps {
            return;
        }
        if !state.started {
            actions.extend([Step::Start, Step::Restore]);
        } else {
            actions.extend([Step::Stop, Step::OnboardAgain, Step::Call, Step::Deadline]);
        }
        let Some(connection) = state.connection else { return };
        actions.push(Step::Lost);
        if !connection.is_up {
            actions.extend([Step::Opened, Step::Refused(1), Step::Refused(3), Step::Refused(5)]);
        } else if connection.stage == Stage::Boot {
            let odd = [NOT_READY, INVALID, ECHO, GARBAGE, NO_ENDPOINT, "300\r\n\r\n"];
            actions.push(Step::Onboarded);
            actions.extend(odd.map(Step::Onboarding));
        } else {
            actions.extend([Step::Response, Step::ResponseWithoutId, Step::NotSent, Step::Push]);
            if connection.subscribe.is_some() {
                actions.extend([Step::Granted, Step::NotGranted]);
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        state.take(step);
        state.drain();
        let moved = state != *before;
        state.steps += 1;
        moved.then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("the transport is asked for nothing out of order", |_, s: &State| {
                s.broken.is_none()
            }),
            Property::always("no call is lost in silence", |_, s: &State| {
                s.calls.is_empty() || s.thing.is_ready()
            }),
            Property::always("a cloud that behaves makes it ready", |_, s: &State| s.gets_ready()),
            Property::sometimes("it is ready", |_, s: &State| s.thing.is_ready()),
            Property::sometimes("two calls wait", |_, s: &State| s.calls.len() == 2),
            Property::sometimes("it onboards a second time", |_, s: &State| {
                s.connection.is_some_and(|c| c.stage == Stage::Boot && c.link.get() > 2)
            }),
            Property::sometimes("it is ready a second time", |_, s: &State| {
                s.thing.is_ready() && s.connection.is_some_and(|c| c.link.get() > 2)
            }),
            Property::sometimes("it gives up", |_, s: &State| s.ended == Some("failed")),
        ]
    }
}

impl State {
    fn take(&mut self, step: Step) {
        let now = self.now;
        let started = match step {
            Step::Start => self.thing.start(now).is_ok(),
            Step::Restore => {
                let mut saved = onboarded();
                saved.endpoint.as_mut().unwrap().ttl = Some(Duration::from_secs(60));
                self.thing.restore(now, saved, Duration::from_secs(20)).is_ok()
            }
            Step::OnboardAgain => return drop(self.thing.onboard_again(now)),
            Step::Stop => return self.thing.stop(now).unwrap(),
            Step::Call => {
                let taken = self.thing.call(now, &Call::get_state("th.0001").unwrap());
                return self.calls.extend(taken);
            }
            Step::Deadline => {
                let Some(deadline) = self.deadline() else { return };
                self.now = deadline;
                return self.thing.handle_timeout(deadline);
            }
            _ => return self.receive(step),
        };
        if started {
            (self.started, self.ended) = (true, None);
        }
    }

    fn receive(&mut self, step: Step) {
        let Some(connection) = &mut self.connection else { return };
        let link = connection.link;
        let message = |topic: &'static str, payload: &'static str| {
            Input::from(Message::new(link, topic, payload.as_bytes()))
        };
        let response;
        let input = match step {
            Step::Opened => {
                connection.is_up = true;
                Opened::new(link, false).into()
            }
            Step::Lost | Step::Refused(_) => {
                let reason = match step {
                    Step::Refused(code) => CloseReason::Refused(ConnackCode::new(code)),
                    _ => CloseReason::Lost,
                };
                self.connection = None;
                Closed::new(link, reason).into()
            }
            Step::Onboarded => {
                response = onboarded_with("2147483647", "60");
                Message::new(link, BOOT_TOPIC, response.as_bytes()).into()
            }
            Step::Onboarding(payload) => message(BOOT_TOPIC, payload),
            Step::Granted | Step::NotGranted => {
                let Some(token) = connection.subscribe.take() else { return };
                match step {
                    Step::Granted => Done::new(link, token).into(),
                    _ => Failed::new(link, token).into(),
                }
            }
            Step::Response => {
                let (id, _) = connection.published.unwrap_or((9, Token::new(9)));
                response = format!("200\r\nX-Kii-RequestID:{id}\r\n\r\n{{}}");
                Message::new(link, STATES, response.as_bytes()).into()
            }
            Step::ResponseWithoutId => message(STATES, "200\r\n\r\n{}"),
            Step::NotSent => {
                let Some((_, token)) = connection.published.take() else { return };
                Failed::new(link, token).into()
            }
            _ => message(MQTT_TOPIC, r#"{"commandID":"c1","actions":[]}"#),
        };
        self.thing.handle_input(self.now, input).unwrap();
    }

    fn drain(&mut self) {
        loop {
            match self.thing.poll_output() {
                Output::Action(action) => self.act(&action),
                Output::Event(event) => self.tell(&event),
                Output::Idle(_) => return,
            }
        }
    }

    fn act(&mut self, action: &Action) {
        let current = self.connection.as_ref().map(|connection| connection.link);
        if let Action::Open(open) = action {
            self.must(current.is_none(), "one connection at a time");
            let is_boot = open.options.client_id == "anonymous";
            self.connection = Some(Connection {
                link: open.link,
                stage: if is_boot { Stage::Boot } else { Stage::Api },
                is_up: false,
                subscribe: None,
                published: None,
            });
            return;
        }
        self.must(current == Some(action.link()), "the current connection");
        let Some(mut connection) = self.connection else { return };
        match action {
            Action::Close(_) => return self.connection = None,
            Action::Publish(publish) if connection.stage == Stage::Boot => {
                self.must(connection.is_up, "publishes once it is connected");
                self.must(publish.topic == BOOT_TOPIC, "no call on the default broker");
                self.must(publish.payload.starts_with(b"POST\r\n"), "the onboarding request alone");
            }
            Action::Publish(publish) => {
                self.must(publish.topic == STATES, "calls on the second broker");
                self.must(connection.is_up, "calls once it is connected");
                let newest = self.calls.last().map_or(0, |call| call.get());
                connection.published = Some((newest, publish.token));
            }
            Action::Subscribe(subscribe) => {
                self.must(subscribe.filter == MQTT_TOPIC, "one subscription");
                self.must(connection.stage == Stage::Api, "subscribes at the second broker");
                connection.subscribe = Some(subscribe.token);
            }
            other => panic!("a thing does not do this: {other:?}"),
        }
        self.connection = Some(connection);
    }

    fn tell(&mut self, event: &Event) {
        let ended = match event {
            Event::Response(response) => {
                let known = self.calls.remove(&response.call);
                return self.must(known, "a response ends a call that waits");
            }
            Event::CallFailed(failed) => {
                let known = self.calls.remove(&failed.call);
                return self.must(known, "a failure ends a call that waits");
            }
            Event::Failed(_) => "failed",
            Event::Stopped => "stopped",
            _ => return,
        };
        let once = self.ended.replace(ended).is_none() && self.started;
        self.must(once, "ended once for each start");
        self.started = false;
    }

    fn must(&mut self, holds: bool, what: &'static str) {
        if !holds {
            self.broken.get_or_insert(what);
        }
    }

    fn deadline(&self) -> Option<MonoTime> {
        match self.thing.clone().poll_output() {
            Output::Idle(deadline) => deadline,
            output => panic!("not drained: {output:?}"),
        }
    }

    /// Whether a cloud that gives every good answer, and time, make the thing ready from here on.
    fn gets_ready(&self) -> bool {
        let mut state = self.clone();
        for _ in 0..8 {
            if !state.started || state.thing.is_ready() {
                return true;
            }
            state.take(match state.connection {
                None => Step::Deadline,
                Some(Connection { is_up: false, .. }) => Step::Opened,
                Some(Connection { stage: Stage::Boot, .. }) => Step::Onboarded,
                Some(_) => Step::Granted,
            });
            state.drain();
        }
        false
    }
}

#[test]
fn every_order_of_steps_keeps_to_the_rules() {
    let checker = Things { steps: STEPS }.checker().spawn_bfs().join();
    println!("{} states, {} of them unique", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
}

const STATES: &str = "p/Tp1cTp1cTp1cTp1cTp1cTp1/thing-if/apps/app01/targets/thing:th.0001/states";
const ECHO: &str = "POST\r\n\r\n{}";
const GARBAGE: &str = "200\r\nNoColon\r\n\r\n";
const NO_ENDPOINT: &str = "200\r\n\r\n{\"accessToken\":\"t\",\"thingID\":\"th.1\"}";
/// So many steps deep: deep enough to be ready a second time, with onboarding in between.
const STEPS: u8 = 12;
