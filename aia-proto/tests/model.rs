//! Every order of a few deliveries, losses, attacks, commands and deadlines, on the real device and the real service.
//!
//! They begin connected; what the device sends arrives at once. What is checked in every state that can be reached: a directive that is handed over is one that
//! was sent, unchanged, once and in order; no IV seals two messages, although numbers begin at 0 again with every
//! connection; a `Connect` never comes before the wait that was told is over; and a device that stands still has told why.
//! Numbers and times only grow, so a budget of steps makes the space finite; time moves from deadline to deadline.

use std::collections::{BTreeMap, VecDeque};

use aia_proto::{
    ApiVersion, ClientId, Json, TopicRoot,
    connection::{AcknowledgeCode, DisconnectCode},
    device::{self, Blocked, Capabilities, Device, RegistrationNeed},
    protect::SharedSecret,
    registration::{Algorithm, Registration},
    service::{self, Fault, Service},
};
use iot_sansio::{
    Machine, MonoTime, Output,
    mqtt::{Action, Done, Input, Link, Message, Mqtt, Opened, Token},
};
use stateright::{Checker as _, Model, Property};

/// Both machines, what is on its way between them, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    device: Device,
    service: Service,
    now: MonoTime,
    /// To the device.
    down: VecDeque<(String, Vec<u8>)>,
    /// Which tag each IV went with.
    tags: BTreeMap<Vec<u8>, Vec<u8>>,
    sent: u8,
    /// The number of the last directive that was handed over.
    handed: u8,
    /// Before this no `Connect` may come.
    wait_until: MonoTime,
    connects: u8,
    /// What the device said when it stopped going on by itself.
    stands: Option<&'static str>,
    attacks: u8,
    steps: u8,
    broken: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    ToDevice,
    LoseToDevice,
    /// The next message to the device comes once more, later.
    Duplicate,
    /// Its clear number is raised.
    Raise,
    /// A bit of it is flipped.
    Flip,
    SendDirective,
    SendEvent,
    Rotate,
    End(usize),
    Answer(usize),
    Disconnect,
    Connect,
    DeviceDeadline,
    ServiceDeadline,
}

const ENDS: [DisconnectCode; 5] = [
    DisconnectCode::GoingOffline,
    DisconnectCode::UnexpectedSequenceNumber,
    DisconnectCode::MessageTampered,
    DisconnectCode::EncryptionError,
    DisconnectCode::ApiVersionDeprecated,
];
const ANSWERS: [AcknowledgeCode; 4] = [
    AcknowledgeCode::InvalidAccountId,
    AcknowledgeCode::InvalidClientId,
    AcknowledgeCode::UnknownFailure,
    AcknowledgeCode::ApiVersionDeprecated,
];
const LINK: Link = Link::new(1);

fn client_id() -> ClientId {
    ClientId::new("d").unwrap()
}

struct Pair {
    what: What,
    steps: u8,
}

/// What may happen besides deliveries, losses and deadlines: all at once would be too much.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Messages, rotations, and an attacker.
    Messages,
    /// Every code, and commands.
    Codes,
}

impl Model for Pair {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let set = r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
        let capabilities = Capabilities::new(Json::new(set).unwrap()).unwrap();
        let root = TopicRoot::new("r").unwrap();
        let secret = SharedSecret::from_bytes(&[5; 32]).unwrap();
        let algorithm = Algorithm::Curve25519With32Bytes;
        let registration = Registration::new(
            root.clone(),
            "1",
            client_id(),
            ApiVersion::V1,
            algorithm,
            secret.clone(),
        );
        let config = device::Config::new("1", client_id(), "e.example", capabilities);
        let service = service::Config::new(root, [2; 32]).with_device("1", client_id(), secret);
        let mut state = State {
            device: Device::new(config, Some(registration), [1; 32]),
            service: Service::new(service),
            now: MonoTime::ORIGIN,
            down: VecDeque::new(),
            tags: BTreeMap::new(),
            sent: 0,
            handed: 0,
            wait_until: MonoTime::ORIGIN,
            connects: 0,
            stands: None,
            attacks: 0,
            steps: 0,
            broken: None,
        };
        state.service.handle_input(state.now, Opened::new(LINK, false).into()).unwrap();
        state.device.handle_input(state.now, Opened::new(LINK, false).into()).unwrap();
        state.drain();
        while !state.down.is_empty() {
            state.take(Step::ToDevice);
        }
        assert!(state.device.is_connected());
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.steps == self.steps {
            return;
        }
        if !state.down.is_empty() {
            actions.extend([Step::ToDevice, Step::LoseToDevice]);
        }
        actions.extend([Step::DeviceDeadline, Step::ServiceDeadline]);
        match self.what {
            What::Messages => {
                if !state.down.is_empty() && state.attacks < 2 {
                    actions.extend([Step::Duplicate, Step::Raise, Step::Flip]);
                }
                if state.sent < 3 {
                    actions.extend([Step::SendDirective, Step::SendEvent, Step::Rotate]);
                }
                if state.connects < 3 {
                    actions.push(Step::End(0));
                }
            }
            What::Codes => {
                actions.extend((0..ENDS.len()).map(Step::End));
                actions.extend((0..ANSWERS.len()).map(Step::Answer));
                actions.extend([Step::Disconnect, Step::Connect]);
            }
        }
    }

    fn next_state(&self, before: &State, step: Step) -> Option<State> {
        let mut state = before.clone();
        state.take(step);
        let moved = state != *before;
        state.steps += 1;
        moved.then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("nothing happens that must not", |_: &Self, s: &State| {
                s.broken.is_none()
            }),
            Property::always("a device goes on, or has told why not", |_, s: &State| s.goes_on()),
            Property::sometimes("it connects again", |_, s: &State| {
                s.device.is_connected() && s.connects > 1
            }),
            Property::sometimes("it needs another secret", |_, s: &State| {
                s.stands == Some("needs a secret")
            }),
        ];
        properties.extend(match self.what {
            What::Messages => vec![
                Property::sometimes("a directive is handed over", |_: &Self, s: &State| {
                    s.handed > 0
                }),
                Property::sometimes("a new secret is used", |_, s: &State| {
                    s.device.registration().is_some_and(|saved| saved.previous.is_some())
                        && s.device.is_connected()
                        && s.connects > 1
                }),
            ],
            What::Codes => vec![
                Property::sometimes("it needs another version", |_: &Self, s: &State| {
                    s.stands == Some("needs a version")
                }),
                Property::sometimes("it needs its account corrected", |_, s: &State| {
                    s.stands == Some("needs its account")
                }),
                Property::sometimes("it needs its client id corrected", |_, s: &State| {
                    s.stands == Some("needs its client id")
                }),
                Property::sometimes("it is closed", |_, s: &State| s.stands == Some("closed")),
            ],
        });
        properties
    }
}

impl State {
    fn take(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::ToDevice => {
                let Some((topic, payload)) = self.down.pop_front() else { return };
                let message = Message::new(LINK, &topic, &payload);
                self.device.handle_input(now, message.into()).unwrap();
            }
            Step::LoseToDevice => drop(self.down.pop_front()),
            Step::Duplicate => {
                self.attacks += 1;
                let copy = self.down.front().cloned();
                self.down.extend(copy);
            }
            Step::Raise | Step::Flip => {
                let Some((topic, payload)) = self.down.front_mut() else { return };
                if topic.contains("/connection/") {
                    return;
                }
                self.attacks += 1;
                let index = if step == Step::Raise { 0 } else { 40.min(payload.len() - 1) };
                payload[index] ^= 1;
            }
            Step::SendDirective => {
                let payload = Json::new(&format!("{{\"n\":{}}}", self.sent + 1)).unwrap();
                let sent = self.service.send_directive(now, &client_id(), "N", Some(&payload));
                self.sent += u8::from(sent.is_ok());
            }
            Step::SendEvent => {
                let sent = self.device.send_event(now, "E", None);
                self.sent += u8::from(sent.is_ok());
            }
            Step::Rotate => {
                let rotated = self.service.rotate(now, &client_id());
                self.sent += u8::from(rotated.is_ok());
            }
            Step::End(code) => {
                let _ = self.service.disconnect(now, &client_id(), ENDS[code].clone(), None);
            }
            Step::Answer(code) => {
                let fault = Fault::Acknowledge(ANSWERS[code].clone());
                let _ = self.service.inject(now, &client_id(), fault);
            }
            Step::Disconnect => drop(self.device.disconnect(now)),
            Step::Connect => {
                if self.device.connect(now).is_ok() {
                    (self.stands, self.wait_until) = (None, now);
                }
            }
            Step::DeviceDeadline => {
                let Some(at) = idle(&mut self.device) else { return };
                self.now = now.max(at);
                self.device.handle_timeout(self.now);
            }
            Step::ServiceDeadline => {
                let Some(at) = idle(&mut self.service) else { return };
                self.now = now.max(at);
                self.service.handle_timeout(self.now);
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let (mut device_moved, mut service_moved) = (true, true);
            match self.device.poll_output() {
                Output::Action(action) => {
                    if let Some(input) = answer(&action) {
                        self.device.handle_input(self.now, input).unwrap();
                    }
                    self.publish(action, true);
                }
                Output::Event(event) => self.tell(&event),
                Output::Idle(_) => device_moved = false,
            }
            match self.service.poll_output() {
                Output::Action(action) => {
                    if let Some(input) = answer(&action) {
                        self.service.handle_input(self.now, input).unwrap();
                    }
                    self.publish(action, false);
                }
                Output::Event(_) => {}
                Output::Idle(_) => service_moved = false,
            }
            if !device_moved && !service_moved {
                return;
            }
        }
    }

    fn publish(&mut self, action: Action, is_device: bool) {
        let Action::Publish(publish) = action else { return };
        if publish.topic.contains("/connection/") {
            let is_connect = publish.payload.windows(9).any(|part| part == b"\"Connect\"");
            if is_connect {
                self.connects += 1;
                self.must(self.now >= self.wait_until, "waits before the next Connect");
            }
        } else {
            let (iv, tag) = (publish.payload[4..16].to_vec(), publish.payload[16..32].to_vec());
            let first = self.tags.entry(iv).or_insert_with(|| tag.clone()).clone();
            self.must(first == tag, "no IV twice");
        }
        if is_device {
            let message = Message::new(LINK, &publish.topic, &publish.payload);
            self.service.handle_input(self.now, message.into()).unwrap();
        } else {
            self.down.push_back((publish.topic, publish.payload));
        }
    }

    fn tell(&mut self, event: &device::Event) {
        match event {
            device::Event::Directive(directive) if directive.name == "N" => {
                let payload = directive.payload.as_ref().unwrap();
                let number = payload.as_str().trim_start_matches("{\"n\":").trim_end_matches('}');
                let number: u8 = number.parse().unwrap();
                self.must(number <= self.sent, "what was sent");
                self.must(number > self.handed, "once and in order");
                self.handed = number;
            }
            device::Event::Retrying(retrying) => {
                self.wait_until = self.now.after(retrying.delay);
            }
            device::Event::Blocked(Blocked::AccountId) => self.stands = Some("needs its account"),
            device::Event::Blocked(Blocked::ClientId) => self.stands = Some("needs its client id"),
            device::Event::Blocked(_) => self.stands = Some("blocked"),
            device::Event::RegistrationNeeded(RegistrationNeed::Secret) => {
                self.stands = Some("needs a secret");
            }
            device::Event::RegistrationNeeded(_) => self.stands = Some("needs a version"),
            device::Event::Closed => self.stands = Some("closed"),
            _ => {}
        }
    }

    fn must(&mut self, holds: bool, what: &'static str) {
        if !holds {
            self.broken.get_or_insert(what);
        }
    }

    /// Whether something is bound to happen: a deadline, or a connection that the service would end.
    fn goes_on(&self) -> bool {
        let deadline = idle(&mut self.device.clone()).is_some();
        deadline || self.device.is_connected() || self.stands.is_some()
    }
}

/// What an MQTT client answers at once: subscriptions are granted, publishes handed over.
fn answer(action: &Action) -> Option<Input<'static>> {
    let token: Token = action.token()?;
    Some(Done::new(LINK, token).into())
}

fn idle<M: Machine<Vocabulary = Mqtt>>(machine: &mut M) -> Option<MonoTime> {
    match machine.poll_output() {
        Output::Idle(deadline) => deadline,
        _ => panic!("not drained"),
    }
}

fn check(what: What, steps: u8) {
    let checker = Pair { what, steps }.checker().spawn_bfs().join();
    println!("{} states, {} of them unique", checker.state_count(), checker.unique_state_count());
    checker.assert_properties();
}

/// Deep enough to be connected again under a new secret.
#[test]
fn every_order_of_messages_and_attacks_keeps_to_the_rules() {
    check(What::Messages, 7);
}

/// Deep enough to be refused after a connection that ended.
#[test]
fn every_order_of_codes_keeps_to_the_rules() {
    check(What::Codes, 6);
}
