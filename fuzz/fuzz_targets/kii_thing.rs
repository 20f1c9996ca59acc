//! Scripts of inputs, commands and times for a thing, whose times reach the edges and go backwards, against what its
//! documentation promises of every output.

#![no_main]

use core::time::Duration;
use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use iot_sansio::{
    Jitter, Machine as _, MonoTime, Output,
    mqtt::{
        Action, CloseReason, Closed, ConnackCode, Done, Failed, Input, Link, Message, Opened, Qos,
        Token,
    },
};
use kii_onboard::{
    App, Json, Location, MqttEndpoint, MqttTopic, Ports, RequestId, TransportKind, VendorThingId,
    call::{Call, CallKind},
    frame::{Method, REQUEST_ID, Request, Response, Status},
    onboarding::{Onboarded, Onboarding, ThingOnboarding},
    thing::{CallId, CommandError, Config, Event, InputError, Thing},
    topic::BOOT_CLIENT_ID,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: Script<'_>| {
    let mut run = Run::new(&script);
    let mut now = MonoTime::ORIGIN;
    for (gap, act) in &script.steps {
        run.drain_to(gap.drained);
        let at = gap.span.from(&mut now, run.deadline);
        run.act(at, act);
    }
    run.end(now);
});

#[derive(Arbitrary, Debug)]
struct Script<'a> {
    max_queued: u8,
    max_pending: u8,
    max_boot_attempts: Option<u8>,
    max_api_attempts: u8,
    seed: u64,
    pushes: bool,
    request_id: bool,
    trusts: bool,
    without_waits: bool,
    transport: Transport,
    jitter: bool,
    steps: Vec<(Gap, Act<'a>)>,
}

/// What happens before a step.
#[derive(Arbitrary, Debug)]
struct Gap {
    span: Span,
    drained: Drained,
}

#[derive(Arbitrary, Debug)]
enum Span {
    None,
    Millis(u16),
    Seconds(u16),
    ToDeadline,
    Back(u16),
    End,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Drained {
    All,
    None,
    Some(u8),
}

#[derive(Arbitrary, Debug)]
enum Transport {
    Tls,
    Wss,
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    Start,
    Restore { ttl: Option<u16>, age: u16, names_endpoint: bool },
    OnboardAgain,
    Stop,
    Call { what: Called<'a>, id: Option<u8> },
    Opened(On),
    Lost(On),
    Refused(On, u8),
    Done(On, Back),
    Failed(On, Back),
    Message { on: On, topic: Topic<'a>, payload: Payload<'a> },
    Tick,
}

#[derive(Arbitrary, Debug)]
enum Called<'a> {
    GetState,
    PutState,
    Path(&'a str),
}

/// The newest connection, or an older one.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum On {
    Newest,
    Older(u8),
}

/// The newest token is 0, the one before it 1.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Back(u8);

#[derive(Arbitrary, Debug)]
enum Topic<'a> {
    Onboarding,
    Push,
    States,
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Payload<'a> {
    Onboarded { ttl: Option<u16>, ports: bool, host: bool },
    NotReady { retry_after: u32 },
    Response { status: u16, id: Option<u8>, body: &'a [u8] },
    Command,
    Push,
    Echo,
    Any(&'a [u8]),
}

/// A thing, and what an application knows that drives it.
struct Run {
    thing: Thing,
    max_queued: usize,
    max_pending: usize,
    request: Vec<u8>,
    newest_now: MonoTime,
    /// Where it wants to be connected, and whether that is the default broker.
    links: BTreeMap<Link, bool>,
    closed: Option<Link>,
    requests: BTreeMap<Link, u32>,
    newest_token: Token,
    /// The calls that were taken and have not ended.
    calls: BTreeMap<CallId, CallKind>,
    published_calls: u32,
    taken_calls: u32,
    starts: u32,
    ends: u32,
    deadline: Option<MonoTime>,
}

impl Run {
    fn new(script: &Script<'_>) -> Self {
        let max_queued = usize::from(script.max_queued % 8) + 1;
        let max_pending = usize::from(script.max_pending % 5);
        let app = App::new("app01", &format!("key-{CANARY}")).expect("a good key");
        let id = VendorThingId::new("v1").expect("a good id");
        let onboarding = ThingOnboarding::with_vendor_thing_id(id, format!("thing-{CANARY}"))
            .expect("a good password");
        let request_id = script.request_id.then(|| request_id(0));
        let request =
            Onboarding::Thing(onboarding.clone()).encode(request_id.as_ref()).expect("it is small");
        let mut config = Config::new(app, Location::Jp, onboarding)
            .with_transport(match script.transport {
                Transport::Tls => TransportKind::Tls,
                Transport::Wss => TransportKind::Wss,
            })
            .with_max_queued(max_queued)
            .with_max_pending(max_pending)
            .with_max_api_attempts(u32::from(script.max_api_attempts % 4));
        if let Some(attempts) = script.max_boot_attempts {
            config = config.with_max_boot_attempts(u32::from(attempts % 4));
        }
        if let Some(id) = request_id {
            config = config.with_onboarding_request_id(id);
        }
        if !script.pushes {
            config = config.without_pushes();
        }
        if script.trusts {
            config = config.with_trusted_hosts(["example"]);
        }
        if script.jitter {
            let (base, cap) = (Duration::from_secs(1), Duration::from_secs(30));
            config = config.with_backoff(base, cap, Jitter::Full);
        }
        if script.without_waits {
            config = config
                .with_backoff(Duration::ZERO, Duration::ZERO, Jitter::None)
                .with_connect_timeout(Duration::ZERO);
        }
        Self {
            thing: Thing::new(config, script.seed).expect("the request is small"),
            max_queued,
            max_pending,
            request,
            newest_now: MonoTime::ORIGIN,
            links: BTreeMap::new(),
            closed: None,
            requests: BTreeMap::new(),
            newest_token: Token::new(0),
            calls: BTreeMap::new(),
            published_calls: 0,
            taken_calls: 0,
            starts: 0,
            ends: 0,
            deadline: None,
        }
    }

    fn act(&mut self, at: MonoTime, act: &Act<'_>) {
        match act {
            Act::Start => self.command(|thing| thing.start(at), at),
            Act::Restore { ttl, age, names_endpoint } => {
                let mut saved = onboarded(*ttl, true, true);
                saved.endpoint = saved.endpoint.filter(|_| *names_endpoint);
                let age = Duration::from_secs(u64::from(*age));
                self.command(|thing| thing.restore(at, saved, age), at);
            }
            Act::OnboardAgain => self.command(|thing| thing.onboard_again(at), at),
            Act::Stop => self.command(|thing| thing.stop(at), at),
            Act::Call { what, id } => self.call(at, what, *id),
            Act::Opened(on) => self.input(at, Opened::new(self.link(*on), false).into()),
            Act::Lost(on) => {
                self.input(at, Closed::new(self.link(*on), CloseReason::Lost).into());
            }
            Act::Refused(on, code) => {
                let reason = CloseReason::Refused(ConnackCode::new(*code));
                self.input(at, Closed::new(self.link(*on), reason).into());
            }
            Act::Done(on, back) => {
                self.input(at, Done::new(self.link(*on), self.token(*back)).into());
            }
            Act::Failed(on, back) => {
                self.input(at, Failed::new(self.link(*on), self.token(*back)).into());
            }
            Act::Message { on, topic, payload } => {
                let payload = payload.bytes(&self.request);
                let message = Message::new(self.link(*on), topic.text(), &payload);
                self.input(at, message.into());
            }
            Act::Tick => {
                self.newest_now = self.newest_now.max(at);
                self.thing.handle_timeout(at);
            }
        }
    }

    fn command(
        &mut self,
        command: impl FnOnce(&mut Thing) -> Result<(), CommandError>,
        at: MonoTime,
    ) {
        let before = self.thing.clone();
        let was_stopped = before.is_finished() || self.starts == 0;
        match command(&mut self.thing) {
            Ok(()) => {
                self.newest_now = self.newest_now.max(at);
                self.starts += u32::from(was_stopped);
            }
            Err(error) => {
                assert_eq!(self.thing, before, "{error}");
                keeps_quiet(&error.to_string());
            }
        }
    }

    fn call(&mut self, at: MonoTime, what: &Called<'_>, id: Option<u8>) {
        let state = Json::new(&format!("{{\"power\":\"{CANARY}\"}}")).expect("it is JSON");
        let call = match what {
            Called::GetState => Call::get_state(THING_ID),
            Called::PutState => Call::put_state(THING_ID, &state),
            Called::Path(path) => Call::custom(Method::Post, path, None, CANARY),
        };
        let Ok(mut call) = call else { return };
        if let Some(id) = id {
            call = call.with_request_id(request_id(id));
        }
        let before = self.thing.clone();
        match self.thing.call(at, &call) {
            Ok(id) => {
                assert!(before.is_ready());
                self.newest_now = self.newest_now.max(at);
                self.taken_calls += 1;
                assert_eq!(self.calls.insert(id, call.kind()), None, "a new number for each call");
            }
            Err(error) => {
                assert_eq!(self.thing, before, "{error}");
                keeps_quiet(&error.to_string());
            }
        }
    }

    fn input(&mut self, at: MonoTime, input: Input<'_>) {
        let before = self.thing.clone();
        match self.thing.handle_input(at, input) {
            Ok(()) => self.newest_now = self.newest_now.max(at),
            Err(InputError::QueueFull { limit }) => {
                assert_eq!((limit, &self.thing), (self.max_queued, &before));
                // Nothing that is full stays so.
                self.drain_to(Drained::All);
                assert_eq!(self.thing.handle_input(at, input), Ok(()));
                self.newest_now = self.newest_now.max(at);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn drain_to(&mut self, drained: Drained) {
        let limit = match drained {
            Drained::None => return,
            Drained::Some(limit) => usize::from(limit),
            Drained::All => usize::MAX,
        };
        let mut count = 0;
        while count < limit {
            match self.thing.poll_output() {
                Output::Action(action) => self.carry(&action),
                Output::Event(event) => self.hear(&event),
                Output::Idle(deadline) => {
                    self.deadline = deadline;
                    self.waits(deadline);
                    break;
                }
            }
            count += 1;
        }
        assert!(count <= self.max_queued + 8 + self.max_pending, "{count}");
    }

    /// What waits has a time at which it ends.
    fn waits(&self, deadline: Option<MonoTime>) {
        let is_running = self.starts > self.ends;
        assert_eq!(self.thing.is_finished(), self.starts > 0 && !is_running);
        assert_eq!(self.published_calls, self.taken_calls);
        if !is_running {
            assert_eq!((deadline, self.calls.len()), (None, 0));
            return;
        }
        let expires = self.thing.onboarded().and_then(|onboarded| onboarded.endpoint.as_ref());
        let expires = expires.is_some_and(|endpoint| endpoint.ttl.is_some());
        if !self.thing.is_ready() || !self.calls.is_empty() || expires {
            assert!(deadline.is_some() || self.newest_now == MonoTime::MAX);
        }
    }

    fn carry(&mut self, action: &Action) {
        assert!(self.starts > self.ends, "only what is started acts");
        let link = action.link();
        if let Action::Open(open) = action {
            let is_boot = open.options.client_id == BOOT_CLIENT_ID;
            assert!(self.links.last_key_value().is_none_or(|(newest, _)| *newest < link));
            self.links.insert(link, is_boot);
            return;
        }
        let (newest, is_boot) = self.links.last_key_value().expect("a connection");
        assert_eq!(link, *newest);
        assert_ne!(self.closed, Some(link), "what is closed stays so");
        if let Some(token) = action.token() {
            assert!(token > self.newest_token);
            self.newest_token = token;
        }
        match action {
            Action::Close(_) => self.closed = Some(link),
            Action::Subscribe(subscribe) => {
                assert!(!is_boot && subscribe.filter == MQTT_TOPIC);
            }
            Action::Publish(publish) if *is_boot => {
                assert_eq!(publish.topic, BOOT_TOPIC);
                assert_eq!(publish.payload, self.request);
                let requests = self.requests.entry(link).or_default();
                *requests += 1;
                assert_eq!(*requests, 1);
            }
            Action::Publish(publish) => {
                self.published_calls += 1;
                assert_eq!((publish.qos, publish.retain), (Qos::AtMostOnce, false));
                assert!(publish.topic.starts_with(API_PREFIX));
                let request = Request::decode(&publish.payload).expect("a request");
                assert!(request.headers.request_id().is_some());
            }
            other => panic!("a thing does not do this: {other:?}"),
        }
    }

    fn hear(&mut self, event: &Event) {
        assert!(self.starts > self.ends, "{event:?}");
        keeps_quiet(&format!("{event:?}"));
        match event {
            Event::Response(response) => {
                assert_eq!(self.calls.remove(&response.call), Some(response.kind));
                if let Err(error) = response.answer() {
                    keeps_quiet(&error.to_string());
                }
            }
            Event::CallFailed(failed) => assert!(self.calls.remove(&failed.call).is_some()),
            Event::Failed(reason) => {
                keeps_quiet(&reason.to_string());
                self.ends += 1;
            }
            Event::Stopped => self.ends += 1,
            Event::Ignored(ignored) => keeps_quiet(&ignored.why.to_string()),
            Event::Retrying(retrying) => keeps_quiet(&retrying.cause.to_string()),
            _ => {}
        }
    }

    /// However it stands, it can be drained, asked for its time and stopped; and then it is quiet.
    fn end(&mut self, now: MonoTime) {
        keeps_quiet(&format!("{:?}", self.thing));
        self.drain_to(Drained::All);
        self.newest_now = self.newest_now.max(now);
        // What is due and was kept waiting by a full queue.
        for _ in 0..=self.max_pending + 8 {
            self.thing.handle_timeout(now);
            self.drain_to(Drained::All);
        }
        assert!(self.deadline.is_none_or(|deadline| deadline > self.newest_now));
        let is_running = self.starts > self.ends;
        assert_eq!(self.thing.stop(now).is_ok(), is_running);
        self.drain_to(Drained::All);
        assert_eq!(self.calls, BTreeMap::new());
        assert_eq!(self.starts, self.ends);
        self.input(now, Opened::new(self.link(On::Newest), false).into());
        self.thing.handle_timeout(MonoTime::MAX);
        assert_eq!(self.thing.poll_output(), Output::Idle(None));
    }

    fn link(&self, on: On) -> Link {
        let newest = self.links.last_key_value().map_or(0, |(link, _)| link.get());
        Link::new(match on {
            On::Newest => newest,
            On::Older(back) => newest.wrapping_sub(u32::from(back)),
        })
    }

    fn token(&self, Back(back): Back) -> Token {
        Token::new(self.newest_token.get().wrapping_sub(u64::from(back)))
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

impl Topic<'_> {
    const fn text(&self) -> &str {
        match self {
            Self::Onboarding => BOOT_TOPIC,
            Self::Push => MQTT_TOPIC,
            Self::States => STATES,
            Self::Any(topic) => topic,
        }
    }
}

impl Payload<'_> {
    fn bytes(&self, request: &[u8]) -> Vec<u8> {
        match self {
            Self::Onboarded { ttl, ports, host } => {
                let body = onboarded(*ttl, *ports, *host).encode();
                [b"200\r\n\r\n", body.as_slice()].concat()
            }
            Self::NotReady { retry_after } => format!(
                "503\r\n\r\n{{\"errorCode\":\"MQTT_ENDPOINT_NOT_READY\",\"message\":\"{CANARY}\",\
                 \"retryAfter\":{retry_after}}}"
            )
            .into(),
            Self::Response { status, id, body } => {
                let status = Status::new(100 + status % 500);
                let id = id.map(request_id);
                let id = id.iter().map(|id| (REQUEST_ID, id.as_str()));
                let headers: Vec<_> = id.collect();
                Response::encode(status.expect("in range"), headers, body).unwrap_or_default()
            }
            Self::Command => {
                format!("{{\"commandID\":\"c1\",\"actions\":[{{\"a\":\"{CANARY}\"}}]}}").into()
            }
            Self::Push => format!("{{\"a\":\"{CANARY}\"}}").into(),
            Self::Echo => request.into(),
            Self::Any(payload) => payload.to_vec(),
        }
    }
}

fn keeps_quiet(printed: &str) {
    assert!(!printed.contains(CANARY), "{printed}");
}

fn onboarded(ttl: Option<u16>, ports: bool, host: bool) -> Onboarded {
    let host = if host { "broker2.example" } else { "192.0.2.1" };
    let mqtt_topic = MqttTopic::new(MQTT_TOPIC).expect("a good topic");
    let mut endpoint = MqttEndpoint::new(host, "user", format!("pw-{CANARY}"), mqtt_topic);
    endpoint.ttl = ttl.map(|ttl| Duration::from_secs(u64::from(ttl)));
    if !ports {
        endpoint.ports = Ports::default();
    }
    Onboarded::new(THING_ID, format!("tok-{CANARY}")).with_endpoint(endpoint)
}

/// Few of them, so that they meet: also those that the thing makes by itself.
fn request_id(number: u8) -> RequestId {
    RequestId::new((number % 4).to_string()).expect("a good id")
}

const CANARY: &str = "c4nary-Yellow-7";
const THING_ID: &str = "th.1";
const MQTT_TOPIC: &str = "TT";
const BOOT_TOPIC: &str = "p/anonymous/thing-if/apps/app01/onboardings";
const API_PREFIX: &str = "p/TT/thing-if/apps/app01/";
const STATES: &str = "p/TT/thing-if/apps/app01/targets/thing:th.1/states";
