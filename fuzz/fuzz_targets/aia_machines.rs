//! Scripts for a device and the service, over lines that lose, repeat, change and mix up messages, with commands,
//! faults, any bytes, and times that reach the edges and go backwards, against what their documentation promises.

#![no_main]

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aia_proto::{
    ApiVersion, ClientId, Json, Leaf, MessageId, TopicRoot, Topics,
    connection::{AcknowledgeCode, DisconnectCode},
    device::{self, Capabilities, CommandError, Device, InputError},
    protect::{Cipher, HEADER_LEN, LegacyInnerSequence, SharedSecret},
    registration::{Algorithm, Authentication, Registration},
    sequence::SequenceNumber,
    service::{self, ExceptionCode, Fault, Service, ServiceError, State},
};
use arbitrary::Arbitrary;
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{Action, CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: Script<'_>| {
    let mut run = Run::new(&script);
    let mut now = MonoTime::ORIGIN;
    for step in &script.steps {
        let at = step.span.from(&mut now, run.deadline);
        run.act(at, &step.act);
        if !step.is_lazy {
            run.drain();
        }
    }
    run.end(now);
});

#[derive(Arbitrary, Debug)]
struct Script<'a> {
    device_queue: u8,
    service_queue: u8,
    is_registered: bool,
    has_streams: bool,
    accepts_legacy: bool,
    margin: u8,
    kept_speaker: u8,
    max_rate: Option<u8>,
    steps: Vec<Step<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Step<'a> {
    span: Span,
    act: Act<'a>,
    /// Nobody looks what the machines want.
    is_lazy: bool,
}

/// What the clock does before a step.
#[derive(Arbitrary, Debug)]
enum Span {
    None,
    Millis(u16),
    Seconds(u16),
    ToDeadline,
    Back(u16),
    End,
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    Open(Side),
    Lose(Side),
    /// All that is under way arrives, and what is said to it.
    Talk,
    Carry(Side, How),
    Tick,
    Say(Said),
    Device(DeviceOrder),
    Service(ServiceOrder),
    /// What the registration is answered with.
    Answer(Answer<'a>),
    /// A device that starts again with what was saved.
    Restart,
    /// From anybody who may publish.
    Clear(Side, u8, &'a [u8]),
    /// From somebody who has the secret.
    Sealed(Side, u8, u8, &'a [u8]),
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Device,
    Service,
}

/// What becomes of the next message of a side.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum How {
    Deliver,
    Repeat,
    Drop,
    Fail,
    Later,
    Change(u16),
}

#[derive(Arbitrary, Debug)]
enum Said {
    Event,
    Microphone,
    Directive,
    Speaker,
}

#[derive(Arbitrary, Debug)]
enum DeviceOrder {
    Register,
    Connect,
    Disconnect,
    ChangeCapabilities { has_streams: bool },
    SetState,
    Correct { is_right: bool },
    Forget,
    Overrun { number: u8 },
}

#[derive(Arbitrary, Debug)]
enum ServiceOrder {
    Rotate,
    Disconnect(u8),
    Fail(u8),
    Gone,
    Deprecate,
    Unlink,
    Replay(u8),
    Inject(Faulty),
    ClearFaults,
}

#[derive(Arbitrary, Debug)]
enum Faulty {
    Acknowledge(u8),
    LoseConnect,
    LoseAcknowledge,
    Lose(u8),
    Duplicate(u8),
    Tamper(u8),
    Corrupt(u8),
}

#[derive(Arbitrary, Debug)]
enum Answer<'a> {
    Service,
    None,
    Any(u16, &'a [u8]),
}

/// One way of a line: what its side wants the broker to do.
#[derive(Default)]
struct Line {
    link: u32,
    is_up: bool,
    wanted: VecDeque<Wanted>,
}

#[derive(Clone)]
struct Wanted {
    token: Token,
    /// Topic and payload; none where it is no message.
    message: Option<(String, Vec<u8>)>,
}

/// Both machines, and what whoever drives them knows.
struct Run {
    device: Device,
    service: Service,
    device_queue: usize,
    service_queue: usize,
    device_line: Line,
    service_line: Line,
    config: device::Config,
    newest_now: MonoTime,
    deadline: Option<MonoTime>,
    /// The body of a registration that waits for its answer.
    request: Option<Vec<u8>>,
    saved: Option<Registration>,
    restarts: u8,
    said: u64,
    directives: BTreeMap<MessageId, String>,
    events: BTreeMap<MessageId, String>,
    streamed: BTreeSet<Vec<u8>>,
    heard_directives: BTreeSet<MessageId>,
    heard_events: BTreeSet<MessageId>,
    heard_streams: BTreeSet<Vec<u8>>,
    /// Somebody who has the secret wrote to the device, or to the service.
    is_forged: [bool; 2],
    /// The tags of messages, by the IVs that they were sealed with.
    tags: BTreeMap<Vec<u8>, Vec<u8>>,
    secrets: BTreeSet<Vec<u8>>,
    is_connected: bool,
    closes: [u32; 2],
}

impl Run {
    fn new(script: &Script<'_>) -> Self {
        let device_queue = usize::from(script.device_queue % 16) + 1;
        let service_queue = usize::from(script.service_queue % 16) + 1;
        let legacy = match script.accepts_legacy {
            true => LegacyInnerSequence::Accept,
            false => LegacyInnerSequence::Refuse,
        };
        let set = capabilities(script.has_streams);
        let config = device::Config::new(ACCOUNT, client_id(), "example-ats.iot.example", set)
            .with_legacy_inner_sequence(legacy)
            .with_max_queued(device_queue);
        let saved = script.is_registered.then(|| {
            let (version, algorithm) = (ApiVersion::V1, Algorithm::Curve25519With32Bytes);
            let secret = SharedSecret::from(SECRET);
            Registration::new(root(), ACCOUNT, client_id(), version, algorithm, secret)
        });
        let mut service_config = service::Config::new(root(), *b"c4nary-seed-of-the-service-00000")
            .with_rotation_margin(u32::from(script.margin % 20))
            .with_kept_speaker(usize::from(script.kept_speaker % 8))
            .with_max_rate(script.max_rate.map(usize::from))
            .with_max_faults(4)
            .with_max_queued(service_queue);
        if script.is_registered {
            let secret = SharedSecret::from(SECRET);
            service_config = service_config.with_device(ACCOUNT, client_id(), secret);
        }
        Self {
            device: Device::new(config.clone(), saved.clone(), seed(0)),
            service: Service::new(service_config),
            device_queue,
            service_queue,
            device_line: Line::default(),
            service_line: Line::default(),
            config,
            newest_now: MonoTime::ORIGIN,
            deadline: None,
            request: None,
            saved,
            restarts: 0,
            said: 0,
            directives: BTreeMap::new(),
            events: BTreeMap::new(),
            streamed: BTreeSet::new(),
            heard_directives: BTreeSet::new(),
            heard_events: BTreeSet::new(),
            heard_streams: BTreeSet::new(),
            is_forged: [false; 2],
            tags: BTreeMap::new(),
            secrets: BTreeSet::new(),
            is_connected: false,
            closes: [0; 2],
        }
    }

    fn act(&mut self, at: MonoTime, act: &Act<'_>) {
        match act {
            Act::Open(side) => {
                let line = self.line(*side);
                line.wanted.clear();
                (line.link, line.is_up) = (line.link + 1, true);
                let link = Link::new(line.link);
                self.input(*side, at, Opened::new(link, false).into());
            }
            Act::Lose(side) => {
                let line = self.line(*side);
                line.wanted.clear();
                line.is_up = false;
                let closed = Closed::new(Link::new(line.link), CloseReason::Lost);
                self.input(*side, at, closed.into());
            }
            Act::Talk => self.talk(at),
            Act::Carry(side, how) => self.carry(at, *side, *how),
            Act::Tick => {
                self.newest_now = self.newest_now.max(at);
                self.device.handle_timeout(at);
                self.service.handle_timeout(at);
            }
            Act::Say(said) => self.say(at, said),
            Act::Device(command) => self.device_command(at, command),
            Act::Service(command) => self.service_command(at, command),
            Act::Answer(answer) => self.answer(at, answer),
            Act::Restart => self.restart(),
            Act::Clear(side, leaf, payload) => {
                let message = (self.topic(leaf_of(*leaf)), payload.to_vec());
                self.receive(*side, at, &message);
            }
            Act::Sealed(side, leaf, number, body) => {
                let Some(saved) = &self.saved else { return };
                let (leaf, number) = (leaf_of(*leaf), SequenceNumber::new((*number).into()));
                self.said += 1;
                let mut iv = [0xff; 12];
                iv[..8].copy_from_slice(&self.said.to_be_bytes());
                let sealed = Cipher::new(&saved.secret).seal(number, iv, body);
                self.is_forged[usize::from(*side == Side::Service)] = true;
                let message = (self.topic(leaf), sealed);
                self.receive(*side, at, &message);
            }
        }
    }

    /// All arrives, at this time. Two machines that never fall silent would be a fault.
    fn talk(&mut self, at: MonoTime) {
        for _ in 0..1_000 {
            self.drain();
            let side = match (&self.device_line.wanted, &self.service_line.wanted) {
                (device, _) if !device.is_empty() => Side::Device,
                (_, service) if !service.is_empty() => Side::Service,
                _ => return,
            };
            self.carry(at, side, How::Deliver);
        }
        panic!("the machines never fall silent");
    }

    fn carry(&mut self, at: MonoTime, side: Side, how: How) {
        let line = self.line(side);
        let link = Link::new(line.link);
        let Some(Wanted { token, mut message }) = line.wanted.pop_front() else { return };
        match how {
            How::Repeat => {
                line.wanted.push_front(Wanted { token, message: message.clone() });
            }
            How::Later => return line.wanted.push_back(Wanted { token, message }),
            How::Drop => message = None,
            How::Fail => return self.input(side, at, Failed::new(link, token).into()),
            How::Change(place) => {
                if let Some((topic, payload)) = &mut message {
                    // What is in clear may be forged by anybody, but that is another act.
                    let index = usize::from(place / 8);
                    let byte = payload.get_mut(index).filter(|_| !topic.contains("/connection/"));
                    byte.into_iter().for_each(|byte| *byte ^= 1 << (place % 8));
                }
            }
            How::Deliver => {}
        }
        self.input(side, at, Done::new(link, token).into());
        if let Some(message) = message {
            self.receive(side.other(), at, &message);
        }
    }

    fn receive(&mut self, side: Side, at: MonoTime, (topic, payload): &(String, Vec<u8>)) {
        let link = Link::new(self.line(side).link);
        self.input(side, at, Message::new(link, topic, payload).into());
    }

    fn input(&mut self, side: Side, at: MonoTime, input: Input<'_>) {
        self.newest_now = self.newest_now.max(at);
        let limit = match side {
            Side::Device => match self.device.handle_input(at, input) {
                Ok(()) => return,
                Err(InputError::QueueFull { limit }) => limit,
                Err(error) => panic!("{error}"),
            },
            Side::Service => match self.service.handle_input(at, input) {
                Ok(()) => return,
                Err(ServiceError::QueueFull { limit }) => limit,
                Err(error) => panic!("{error}"),
            },
        };
        assert_eq!(
            limit,
            if side == Side::Device { self.device_queue } else { self.service_queue }
        );
        // Nothing that is full stays so.
        self.drain();
        match side {
            Side::Device => assert_eq!(self.device.handle_input(at, input), Ok(())),
            Side::Service => assert_eq!(self.service.handle_input(at, input), Ok(())),
        }
    }

    fn say(&mut self, at: MonoTime, said: &Said) {
        self.said += 1;
        let number = self.said;
        let json = Json::new(&format!("{{\"text\":\"{CANARY}\",\"number\":{number}}}"));
        let json = json.expect("it is JSON");
        let body = format!("{CANARY}{number:016}").into_bytes();
        let (id, text) = (client_id(), json.as_str().to_owned());
        match said {
            Said::Event => {
                if let Some(id) =
                    self.order(at, |device| device.send_event(at, "Numbered", Some(&json)))
                {
                    self.events.insert(id, text);
                }
            }
            Said::Microphone => {
                if self.order(at, |device| device.send_microphone(at, &body)).is_some() {
                    self.streamed.insert(body);
                }
            }
            Said::Directive => {
                let sent = self
                    .ask(at, |service| service.send_directive(at, &id, "Numbered", Some(&json)));
                for id in sent.into_iter().flat_map(|sent| sent.message_ids) {
                    self.directives.insert(id, text.clone());
                }
            }
            Said::Speaker => {
                if self.ask(at, |service| service.send_speaker(at, &id, &body)).is_some() {
                    self.streamed.insert(body);
                }
            }
        }
    }

    fn device_command(&mut self, at: MonoTime, command: &DeviceOrder) {
        match command {
            DeviceOrder::Register => {
                let authentication = Authentication::new(format!("token-{CANARY}"), "client");
                self.order(at, |device| device.register(at, authentication, ApiVersion::V1));
            }
            DeviceOrder::Connect => drop(self.order(at, |device| device.connect(at))),
            DeviceOrder::Disconnect => {
                let is_taken = self.order(at, |device| device.disconnect(at)).is_some();
                self.closes[0] += u32::from(is_taken);
            }
            DeviceOrder::ChangeCapabilities { has_streams } => {
                let set = capabilities(*has_streams);
                self.order(at, |device| device.change_capabilities(at, set));
            }
            DeviceOrder::SetState => {
                let state = Json::new(&format!("{{\"state\":\"{CANARY}\"}}")).expect("it is JSON");
                self.device.set_state(Some(state));
            }
            DeviceOrder::Correct { is_right } => {
                let account = if *is_right { ACCOUNT } else { "000000000000" };
                self.order(at, |device| device.correct(at, account, client_id()));
            }
            DeviceOrder::Forget => drop(self.order(at, |device| device.forget(at))),
            DeviceOrder::Overrun { number } => {
                let payload = Json::new(&format!(
                    "{{\"state\":\"OVERRUN\",\"message\":{{\"topic\":\"speaker\",\"sequenceNumber\":{number}}}}}"
                ));
                let payload = payload.expect("it is JSON");
                let name = "BufferStateChanged";
                if let Some(id) =
                    self.order(at, |device| device.send_event(at, name, Some(&payload)))
                {
                    self.events.insert(id, payload.as_str().into());
                }
            }
        }
    }

    fn service_command(&mut self, at: MonoTime, command: &ServiceOrder) {
        let id = client_id();
        self.ask(at, |service| match command {
            ServiceOrder::Rotate => service.rotate(at, &id),
            ServiceOrder::Disconnect(code) => {
                let code = &DisconnectCode::ALL[usize::from(*code) % DisconnectCode::ALL.len()];
                service.disconnect(at, &id, code.clone(), Some("text"))
            }
            ServiceOrder::Fail(code) => {
                let code = &ExceptionCode::ALL[usize::from(*code) % ExceptionCode::ALL.len()];
                service.fail(at, &id, code.clone(), None)
            }
            ServiceOrder::Gone => service.client_gone(at, &id),
            ServiceOrder::Deprecate => service.deprecate_version(at, ApiVersion::V1),
            ServiceOrder::Unlink => service.unlink(at, &id),
            ServiceOrder::Replay(leaf) => service.replay(at, &id, leaf_of(*leaf)),
            ServiceOrder::Inject(fault) => service.inject(at, &id, fault.fault()),
            ServiceOrder::ClearFaults => service.clear_faults(at, &id),
        });
    }

    fn answer(&mut self, at: MonoTime, answer: &Answer<'_>) {
        let body = self.request.clone();
        match answer {
            Answer::Service => {
                let Some(body) = body else { return };
                let Some(answer) = self.ask(at, |service| service.register(at, &body)) else {
                    return;
                };
                let (status, body) = (answer.status, answer.body);
                self.order(at, |device| device.registration_answered(at, status, &body));
            }
            Answer::None => drop(self.order(at, |device| device.registration_failed(at))),
            Answer::Any(status, body) => {
                self.order(at, |device| device.registration_answered(at, *status, body));
            }
        }
    }

    /// A command for the device, which changes nothing when it is refused.
    fn order<T>(
        &mut self,
        at: MonoTime,
        command: impl FnOnce(&mut Device) -> Result<T, CommandError>,
    ) -> Option<T> {
        let before = self.device.clone();
        match command(&mut self.device) {
            Ok(done) => {
                self.newest_now = self.newest_now.max(at);
                Some(done)
            }
            Err(error) => {
                assert_eq!(self.device, before, "{error}");
                keeps_quiet(&error.to_string());
                None
            }
        }
    }

    /// A command for the service, which changes nothing when it is refused.
    fn ask<T>(
        &mut self,
        at: MonoTime,
        command: impl FnOnce(&mut Service) -> Result<T, ServiceError>,
    ) -> Option<T> {
        let before = self.service.clone();
        match command(&mut self.service) {
            Ok(done) => {
                self.newest_now = self.newest_now.max(at);
                Some(done)
            }
            Err(error) => {
                assert_eq!(self.service, before, "{error}");
                keeps_quiet(&error.to_string());
                None
            }
        }
    }

    fn restart(&mut self) {
        self.drain();
        self.restarts = self.restarts.wrapping_add(1);
        if self.restarts == 0 {
            return;
        }
        self.device = Device::new(self.config.clone(), self.saved.clone(), seed(self.restarts));
        self.device_line.wanted.clear();
        self.device_line.is_up = false;
        self.request = None;
        // What it has heard it does not know any more: the last message can be played to it once more.
        self.heard_directives.clear();
        self.heard_streams.clear();
        self.closes = [0; 2];
    }

    fn drain(&mut self) {
        let mut deadlines = Vec::new();
        for count in 0.. {
            assert!(count <= self.device_queue + MAX_BURST, "{count}");
            match self.device.poll_output() {
                Output::Action(action) => self.want(Side::Device, action),
                Output::Event(event) => self.device_told(&event),
                Output::Idle(deadline) => {
                    deadlines.extend(deadline);
                    break;
                }
            }
        }
        for count in 0.. {
            assert!(count <= self.service_queue + MAX_BURST, "{count}");
            match self.service.poll_output() {
                Output::Action(action) => self.want(Side::Service, action),
                Output::Event(event) => self.service_told(&event),
                Output::Idle(deadline) => {
                    deadlines.extend(deadline);
                    break;
                }
            }
        }
        self.deadline = deadlines.into_iter().min();
        assert_eq!(lasting(self.device.registration()), lasting(self.saved.as_ref()));
        assert_eq!(self.closes[0], self.closes[1], "a connection is closed once");
        let is_idle = matches!(self.service.state(&client_id()), State::Idle | State::Unknown);
        assert_eq!(is_idle, !self.is_connected);
    }

    fn want(&mut self, side: Side, action: Action) {
        let shown = format!("{action:?}");
        keeps_quiet(&shown);
        let line = self.line(side);
        let token = action.token().expect("neither side opens or closes connections");
        let link = action.link().get();
        assert!(link <= line.link, "{shown}");
        let message = match action {
            Action::Publish(publish) => Some((publish.topic, publish.payload)),
            _ => None,
        };
        if line.is_up && link == line.link {
            line.wanted.push_back(Wanted { token, message: message.clone() });
        }
        let sealed = message.filter(|(topic, _)| !topic.contains("/connection/"));
        if let Some((topic, payload)) = sealed {
            assert!(payload.len() >= HEADER_LEN);
            let (iv, tag) = (payload[4..16].to_vec(), payload[16..32].to_vec());
            let first = self.tags.entry(iv).or_insert_with(|| tag.clone());
            assert_eq!(*first, tag, "an IV was used twice on {topic}");
        }
    }

    fn device_told(&mut self, event: &device::Event) {
        keeps_quiet(&format!("{event:?}"));
        match event {
            device::Event::RegistrationWanted(request) => {
                self.request = Some(request.body.expose().to_vec());
            }
            device::Event::Save(registration) => {
                self.secrets.insert(registration.secret.expose().to_vec());
                self.saved = Some(Registration::clone(registration));
            }
            device::Event::Erase => self.saved = None,
            device::Event::Closed => self.closes[1] += 1,
            device::Event::Directive(directive) if !self.is_forged[0] => {
                let id = &directive.message_id;
                assert!(self.heard_directives.insert(id.clone()), "handed over twice: {id}");
                let payload = directive.payload.as_ref().map(Json::as_str);
                match self.directives.get(id) {
                    Some(sent) => assert_eq!(payload, Some(sent.as_str())),
                    None => assert_eq!(directive.name, "Exception"),
                }
            }
            device::Event::Speaker(speaker) if !self.is_forged[0] => self.stream(&speaker.body),
            device::Event::Disconnected(disconnected) => {
                keeps_quiet(&disconnected.cause.to_string());
            }
            device::Event::RegistrationRejected(error) => {
                assert!(!error.to_string().contains(char::is_control));
            }
            _ => {}
        }
    }

    fn service_told(&mut self, event: &service::Event) {
        keeps_quiet(&format!("{event:?}"));
        match event {
            service::Event::Connected { .. } => {
                assert!(!self.is_connected, "the one before ends first");
                self.is_connected = true;
            }
            service::Event::Ended { .. } => {
                assert!(self.is_connected, "what ended does not end again");
                self.is_connected = false;
            }
            service::Event::Received(received) if !self.is_forged[1] => {
                let id = &received.message_id;
                assert!(self.heard_events.insert(id.clone()), "handed over twice: {id}");
                let payload = received.payload.as_ref().map(Json::as_str);
                match self.events.get(id) {
                    Some(sent) => assert_eq!(payload, Some(sent.as_str())),
                    None => assert!(OWN_EVENTS.contains(&received.name.as_str())),
                }
            }
            service::Event::Microphone(microphone) if !self.is_forged[1] => {
                assert!(!microphone.body.is_empty());
                let size = CANARY.len() + 16;
                microphone.body.chunks(size).for_each(|chunk| self.stream(chunk));
            }
            _ => {}
        }
    }

    fn stream(&mut self, body: &[u8]) {
        assert!(self.streamed.contains(body), "nobody sent this");
        assert!(self.heard_streams.insert(body.into()), "handed over twice");
    }

    /// However it stands, both can be drained and asked for their time; the device can be closed, and then it is quiet.
    fn end(&mut self, now: MonoTime) {
        for printed in [format!("{:?}", self.device), format!("{:?}", self.service)] {
            keeps_quiet(&printed);
            let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
            for secret in &self.secrets {
                let numbers: Vec<_> = secret[..8].iter().map(u8::to_string).collect();
                assert!(!compact.contains(&numbers.join(",")), "{printed}");
            }
        }
        self.drain();
        self.newest_now = self.newest_now.max(now);
        // What is due and was kept waiting by a full queue.
        for _ in 0..16 {
            self.device.handle_timeout(now);
            self.service.handle_timeout(now);
            self.drain();
        }
        let is_later = |deadline| deadline > self.newest_now || deadline == MonoTime::MAX;
        assert!(self.deadline.is_none_or(is_later));
        if !self.device.is_finished() {
            assert!(self.order(now, |device| device.disconnect(now)).is_some());
            self.closes[0] += 1;
        }
        self.drain();
        assert!(self.device.is_finished());
        self.act(now, &Act::Open(Side::Device));
        self.device.handle_timeout(MonoTime::MAX);
        assert_eq!(self.device.poll_output(), Output::Idle(None));
        assert!(self.device.forget(now).is_ok() == self.saved.is_some());
    }

    const fn line(&mut self, side: Side) -> &mut Line {
        match side {
            Side::Device => &mut self.device_line,
            Side::Service => &mut self.service_line,
        }
    }

    fn topic(&self, leaf: Leaf) -> String {
        Topics::new(&root(), ApiVersion::V1, &client_id()).topic(leaf)
    }
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Device => Self::Service,
            Self::Service => Self::Device,
        }
    }
}

impl Span {
    /// The time of a step; a clock that goes backwards does so for one step.
    fn from(&self, now: &mut MonoTime, deadline: Option<MonoTime>) -> MonoTime {
        *now = match self {
            Self::None => *now,
            Self::Millis(millis) => now.after(Duration::from_millis(u64::from(*millis))),
            Self::Seconds(seconds) => now.after(Duration::from_secs(u64::from(*seconds))),
            Self::ToDeadline => deadline.unwrap_or(*now).max(*now),
            Self::Back(seconds) => {
                let back = Duration::from_secs(u64::from(*seconds));
                return MonoTime::from_origin(now.since_origin().saturating_sub(back));
            }
            Self::End => MonoTime::MAX,
        };
        *now
    }
}

impl Faulty {
    fn fault(&self) -> Fault {
        match self {
            Self::Acknowledge(code) => {
                let codes = AcknowledgeCode::ALL;
                Fault::Acknowledge(codes[usize::from(*code) % codes.len()].clone())
            }
            Self::LoseConnect => Fault::LoseConnect,
            Self::LoseAcknowledge => Fault::LoseAcknowledge,
            Self::Lose(leaf) => Fault::Lose(leaf_of(*leaf)),
            Self::Duplicate(leaf) => Fault::Duplicate(leaf_of(*leaf)),
            Self::Tamper(leaf) => Fault::Tamper(leaf_of(*leaf)),
            Self::Corrupt(leaf) => Fault::Corrupt(leaf_of(*leaf)),
        }
    }
}

fn leaf_of(number: u8) -> Leaf {
    Leaf::ALL[usize::from(number) % Leaf::ALL.len()]
}

/// What must be saved before it is used. That a device which must register anew has forgotten what it told of its
/// capabilities changes nothing.
fn lasting(registration: Option<&Registration>) -> Option<Registration> {
    let mut registration = registration?.clone();
    registration.capabilities_digest = None;
    Some(registration)
}

fn keeps_quiet(printed: &str) {
    assert!(!printed.contains(CANARY), "{printed}");
}

fn capabilities(has_streams: bool) -> Capabilities {
    let set = if has_streams { ALL_INTERFACES } else { SYSTEM_ONLY };
    Capabilities::new(Json::new(set).expect("it is JSON")).expect("it is a set")
}

fn client_id() -> ClientId {
    ClientId::new("my-thing-01").expect("a good id")
}

fn root() -> TopicRoot {
    TopicRoot::new("$aws/alexa").expect("a good root")
}

/// Fresh for each start.
const fn seed(start: u8) -> [u8; 32] {
    let mut seed = *b"c4nary-seed-of-the-device-000000";
    seed[31] = start;
    seed
}

const CANARY: &str = "c4nary";
const SECRET: &[u8; 32] = b"c4nary-secret-0123456789abcdefgh";
const ACCOUNT: &str = "123456789012";
const OWN_EVENTS: [&str; 3] = ["SynchronizeState", "SecretRotated", "ExceptionEncountered"];
const ALL_INTERFACES: &str = r#"[{"type":"AisInterface","interface":"Speaker","version":"1.0"},{"type":"AisInterface","interface":"Microphone","version":"1.0"},{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
const SYSTEM_ONLY: &str = r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
/// What one input adds at most to a queue that has room: 64 elements of each of the messages that a gap held back, and an
/// answer to each.
const MAX_BURST: usize = 64 * 17 * 2 + 64;
