//! A thing: a machine in the MQTT vocabulary (specification, sections 7, 11 and 14).

mod api;
mod boot;
mod config;
mod event;
mod pending;
mod state;

use alloc::{boxed::Box, collections::VecDeque, string::String};
use core::time::Duration;

use fastrand::Rng;
use iot_sansio::{
    Backoff, InputOf, Machine, MonoTime, Output, Secret,
    mqtt::{
        Action, Close, CloseReason, ConnackCode, ConnectOptions, Input, Link, Message, Mqtt, Open,
        Publish, Qos, Subscribe, Token,
    },
};

pub use self::{
    config::Config,
    event::{
        CallFailed, CallFailure, CallId, Cause, CommandError, Event, FailReason, IgnoreReason,
        Ignored, InputError, Response, Retrying,
    },
};
use self::{
    pending::{Pending, PendingCall},
    state::State,
};
use crate::{
    MqttEndpoint, Stage,
    call::Call,
    frame::EncodeError,
    onboarding::{Onboarded, Onboarding},
    topic::{Resource, Topics},
};

/// Onboards at the default broker, connects to the second one, subscribes, and then calls the API and hands over what is
/// pushed. It connects again after every failure, with the same endpoint as long as that is good.
///
/// ```text
///         start              Opened              endpoint               Opened              Done
///  idle ────────► boot      ────────► onboarding ────────► api        ────────► subscribing ────► ready
///   │             connecting              │                connecting               │               │
///   │               ▲   │ Closed, too late│                  ▲   │ Closed, too late │               │ Closed
///   │ restore       │   ▼                 ▼                  │   ▼                  ▼               ▼
///   └───────────┐ boot waiting ◄──────────┘                api waiting ◄────────────┴───────────────┘
///               └─► api connecting                           │
///                          boot waiting ◄────────────────────┘ five failures, the endpoint refused or expired
///
/// stop, from anywhere: stopped. What no repetition can mend: failed. start and restore leave both.
/// ```
///
/// - On the default broker it publishes the onboarding request and nothing else; calls go to the second broker only.
/// - It never subscribes to the topics of responses: the brokers send them to the asking connection (specification,
///   section 16, row 16). Its own requests, should they come back, are told as [`IgnoreReason::Echo`].
/// - Each call ends in one [`Event::Response`] or [`Event::CallFailed`]. None is sent twice by itself.
/// - After [`Event::Onboarded`] save what it carries: [`restore`](Self::restore) needs no onboarding while it is good.
///
/// ```
/// use iot_sansio::{Machine, MonoTime, Output, mqtt::Action};
/// use kii_onboard::{App, Location, VendorThingId, onboarding::ThingOnboarding, thing::{Config, Thing}};
///
/// let app = App::new("app01", "key01")?;
/// let onboarding = ThingOnboarding::with_vendor_thing_id(VendorThingId::new("v1")?, "p1")?;
/// let mut thing = Thing::new(Config::new(app, Location::Jp, onboarding), 42)?; // in earnest: a random seed
///
/// thing.start(MonoTime::ORIGIN)?;
/// let Output::Action(Action::Open(open)) = thing.poll_output() else { unreachable!() };
/// assert_eq!((open.options.host.as_str(), open.options.port), ("mqtt-jp.kii.com", 8883));
/// assert_eq!(open.options.client_id, "anonymous");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    config: Config,
    boot_topics: Topics,
    /// The onboarding request as it is published.
    request: Secret,
    now: MonoTime,
    state: State,
    lease: Option<Lease>,
    pending: Pending,
    boot_backoff: Backoff,
    api_backoff: Backoff,
    /// Of the generator that jitter comes from.
    seed: u64,
    next_link: Link,
    next_token: Token,
    next_call: u64,
    outputs: VecDeque<Output<Action, Event>>,
}

/// Who the thing is at the second broker, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Lease {
    onboarded: Box<Onboarded>,
    endpoint: MqttEndpoint,
    topics: Topics,
    /// None for ever.
    expires_at: Option<MonoTime>,
}

impl Thing {
    /// A thing that is not started yet. `seed` is random, and another one for each thing.
    ///
    /// # Errors
    /// The onboarding request cannot be written: the owner's token has a character that no header has, or the thing's
    /// properties are too large.
    pub fn new(config: Config, seed: u64) -> Result<Self, EncodeError> {
        let onboarding = Onboarding::Thing(config.onboarding.clone());
        let request = onboarding.encode(config.onboarding_request_id.as_ref())?;
        Ok(Self {
            boot_topics: Topics::boot(&config.app.id),
            request: request.into(),
            now: MonoTime::ORIGIN,
            state: State::Idle,
            lease: None,
            pending: Pending::default(),
            boot_backoff: config.backoff(),
            api_backoff: config.backoff(),
            seed,
            next_link: Link::new(1),
            next_token: Token::new(1),
            next_call: 1,
            outputs: VecDeque::new(),
            config,
        })
    }

    /// Starts with onboarding.
    ///
    /// # Errors
    /// The thing is started already; too much waits to be drained.
    pub fn start(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.begin(now)?;
        self.boot();
        Ok(())
    }

    /// Starts with what an earlier onboarding told, so that a reboot needs no new one while its endpoint is good.
    ///
    /// `age` is how long ago [`Event::Onboarded`] came, by the wall clock. A thing without one saves what it was told and
    /// takes no age at all: the second broker refuses an endpoint that has expired, and then the thing onboards again.
    ///
    /// # Errors
    /// The thing is started already; what was saved names no endpoint; too much waits to be drained.
    pub fn restore(
        &mut self,
        now: MonoTime,
        onboarded: Onboarded,
        age: Duration,
    ) -> Result<(), CommandError> {
        let Some(endpoint) = onboarded.endpoint.clone() else {
            return Err(CommandError::NoEndpoint);
        };
        self.begin(now)?;
        let left = endpoint.ttl.map(|ttl| ttl.saturating_sub(age));
        if left.is_some_and(|left| left.is_zero()) {
            self.tell(Event::EndpointExpired);
            self.boot();
        } else {
            self.lease(Box::new(onboarded), endpoint, left);
            self.open_api();
        }
        Ok(())
    }

    /// Calls the API. The response comes as [`Event::Response`], or else [`Event::CallFailed`] does.
    ///
    /// # Errors
    /// The thing is not ready; too many calls wait, or one with this request id on this topic; topic or payload cannot
    /// be written; too much waits to be drained. Nothing is sent then.
    pub fn call(&mut self, now: MonoTime, call: &Call) -> Result<CallId, CommandError> {
        let now = self.newest(now);
        let State::Ready { link } = self.state else {
            return Err(CommandError::NotReady);
        };
        let Some(lease) = self.lease.as_ref().filter(|lease| !lease.is_over(now)) else {
            return Err(CommandError::NotReady);
        };
        self.check_queue()?;
        let limit = self.config.max_pending;
        if self.pending.len_at(now) >= limit {
            return Err(CommandError::TooManyPending { limit });
        }
        let topic = lease.topics.build(Resource::Other(call.path()))?;
        let (number, id) = self.request_id(now, &topic, call)?;
        let payload = call.encode(&lease.onboarded.access_token, &id)?;

        self.advance(now);
        let token = self.take_token();
        let (call_id, kind) = (CallId(number), call.kind());
        let until = self.now.after(self.config.request_timeout);
        self.pending.push(PendingCall {
            call: call_id,
            kind,
            token,
            topic: topic.clone(),
            id,
            until,
        });
        self.next_call = number.saturating_add(1);
        self.act(Publish::new(link, token, topic, payload, Qos::AtMostOnce));
        Ok(call_id)
    }

    /// Discards the endpoint and onboards again: for a thing whose calls are answered with 401 or 403.
    ///
    /// # Errors
    /// The thing is not started, or has no endpoint now; too much waits to be drained.
    pub fn onboard_again(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.check_queue()?;
        let mut later = self.later(now);
        later.check_started()?;
        if later.lease.is_none() {
            return Err(CommandError::NotOnboarded);
        }
        later.drop_link();
        later.boot();
        *self = later;
        Ok(())
    }

    /// Closes the connection and ends with [`Event::Stopped`].
    ///
    /// # Errors
    /// The thing is not started, or has ended; too much waits to be drained.
    pub fn stop(&mut self, now: MonoTime) -> Result<(), CommandError> {
        self.check_queue()?;
        let mut later = self.later(now);
        later.check_started()?;
        later.drop_link();
        later.end(Event::Stopped);
        *self = later;
        Ok(())
    }

    /// What the last onboarding told, as long as it is good and the thing has not ended: with it the thing can be
    /// [restored](Self::restore). Take it before [`stop`](Self::stop).
    #[must_use]
    pub fn onboarded(&self) -> Option<&Onboarded> {
        self.lease.as_ref().map(|lease| &*lease.onboarded)
    }

    /// Whether calls can be made.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready { .. })
    }

    fn check_queue(&self) -> Result<(), CommandError> {
        let limit = self.config.max_queued;
        match self.outputs.len() >= limit {
            true => Err(CommandError::QueueFull { limit }),
            false => Ok(()),
        }
    }

    const fn check_started(&self) -> Result<(), CommandError> {
        match self.state {
            State::Idle | State::Ended => Err(CommandError::NotStarted),
            _ => Ok(()),
        }
    }

    /// The thing at that time: for a command that what is due may forbid, and then nothing must have moved.
    fn later(&self, now: MonoTime) -> Self {
        let mut later = self.clone();
        later.advance(now);
        later
    }

    fn begin(&mut self, now: MonoTime) -> Result<(), CommandError> {
        if !matches!(self.state, State::Idle | State::Ended) {
            return Err(CommandError::AlreadyStarted);
        }
        self.check_queue()?;
        self.now = self.newest(now);
        self.boot_backoff.reset();
        self.api_backoff.reset();
        Ok(())
    }

    /// The newest time that was seen, and always one before the end of time: all later deadlines meet there, and it would
    /// never be done with them.
    fn newest(&self, now: MonoTime) -> MonoTime {
        self.now.max(now.min(LAST))
    }

    /// Before something else happens: all that is due comes first, whatever that makes of the queue.
    fn advance(&mut self, now: MonoTime) {
        self.now = self.newest(now);
        while self.is_due() {
            self.fire();
        }
    }

    fn is_due(&self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= self.now)
    }

    fn expires_at(&self) -> Option<MonoTime> {
        let lease = self.lease.as_ref().filter(|_| self.state.is_at_api())?;
        lease.expires_at
    }

    fn deadline(&self) -> Option<MonoTime> {
        let calls = self.pending.next_deadline();
        let all = [self.expires_at(), calls, self.state.until()];
        // The end of time has nothing after it: what would come then comes never, and not again and again.
        all.into_iter().flatten().min().filter(|at| *at < MonoTime::MAX)
    }

    /// Does one thing that is due: the earliest, and of those that are due together first the end of the endpoint, then
    /// the calls by age.
    fn fire(&mut self) {
        let due = self.deadline();
        if due == self.expires_at() {
            let was_ready = self.is_ready();
            self.tell(Event::EndpointExpired);
            self.drop_link();
            if was_ready {
                self.boot();
            } else {
                self.retry(Stage::Boot, Cause::EndpointExpired);
            }
        } else if due == self.pending.next_deadline() {
            if let Some(call) = self.pending.pop() {
                self.fail(&call, CallFailure::Timeout);
            }
        } else {
            self.state_is_over();
        }
    }

    fn state_is_over(&mut self) {
        match self.state {
            State::Connecting { stage, .. } => self.give_up(stage, Cause::ConnectTimeout),
            State::Onboarding { .. } => self.give_up(Stage::Boot, Cause::OnboardTimeout),
            State::Subscribing { .. } => self.give_up(Stage::Api, Cause::SubscribeTimeout),
            State::Waiting { stage: Stage::Boot, .. } => self.boot(),
            State::Waiting { stage: Stage::Api, .. } => {
                if self.lease.as_ref().is_some_and(|lease| lease.is_over(self.now)) {
                    self.tell(Event::EndpointExpired);
                    self.boot();
                } else {
                    self.open_api();
                }
            }
            State::Idle | State::Ready { .. } | State::Ended => {}
        }
    }

    fn connect(&mut self, stage: Stage, options: ConnectOptions) {
        let link = self.next_link;
        self.next_link = link.next();
        self.state =
            State::Connecting { stage, link, until: self.now.after(self.config.connect_timeout) };
        self.act(Open::new(link, options));
    }

    fn opened(&mut self, link: Link) {
        let State::Connecting { stage, .. } = self.state else { return };
        match stage {
            Stage::Boot => {
                let token = self.take_token();
                let until = self.now.after(self.config.onboarding_timeout);
                self.state = State::Onboarding { link, token, until };
                let (topic, request) = (self.boot_topics.onboardings(), self.request.expose());
                let publish = Publish::new(link, token, topic, request, Qos::AtMostOnce);
                self.act(publish);
            }
            Stage::Api if self.config.subscribe => {
                let Some(lease) = &self.lease else { return };
                let filter = String::from(lease.endpoint.mqtt_topic.as_str());
                let token = self.take_token();
                let until = self.now.after(self.config.subscribe_timeout);
                self.state = State::Subscribing { link, token, until };
                self.act(Subscribe::new(link, token, filter, Qos::AtMostOnce));
            }
            Stage::Api => self.ready(link),
        }
    }

    fn ready(&mut self, link: Link) {
        self.state = State::Ready { link };
        self.boot_backoff.reset();
        self.api_backoff.reset();
        self.tell(Event::Ready);
    }

    fn closed(&mut self, reason: CloseReason) {
        self.fail_calls();
        match (self.state, reason) {
            (State::Connecting { stage, .. }, CloseReason::Refused(code)) => {
                self.refused(stage, code);
            }
            (State::Connecting { stage, .. }, _) => self.retry(stage, Cause::Unreachable),
            (State::Onboarding { .. }, _) => self.retry(Stage::Boot, Cause::ConnectionLost),
            _ => self.retry(Stage::Api, Cause::ConnectionLost),
        }
    }

    fn refused(&mut self, stage: Stage, code: ConnackCode) {
        let is_final = match code {
            ConnackCode::UNACCEPTABLE_PROTOCOL_VERSION => true,
            ConnackCode::IDENTIFIER_REJECTED
            | ConnackCode::BAD_USER_NAME_OR_PASSWORD
            | ConnackCode::NOT_AUTHORIZED => false,
            _ => return self.retry(stage, Cause::Unavailable(code)),
        };
        match stage {
            Stage::Boot => self.end(Event::Failed(FailReason::BootRefused(code))),
            Stage::Api if is_final => self.end(Event::Failed(FailReason::ProtocolVersion)),
            Stage::Api => self.retry(Stage::Boot, Cause::EndpointRefused(code)),
        }
    }

    fn done(&mut self, answered: Token) {
        match self.state {
            State::Subscribing { link, token, .. } if token == answered => self.ready(link),
            _ => {}
        }
    }

    fn failed(&mut self, refused: Token) {
        match self.state {
            State::Onboarding { token, .. } if token == refused => {
                self.give_up(Stage::Boot, Cause::NotSent);
            }
            State::Subscribing { token, .. } if token == refused => {
                self.give_up(Stage::Api, Cause::SubscribeRefused);
            }
            _ => {
                if let Some(call) = self.pending.take_unsent(refused) {
                    self.fail(&call, CallFailure::NotSent);
                }
            }
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        match self.state {
            State::Connecting { .. } => self.ignore(message, IgnoreReason::NotConnected),
            State::Onboarding { .. } => self.onboarding_message(message),
            _ => self.api_message(message),
        }
    }

    fn ignore(&mut self, message: &Message<'_>, why: IgnoreReason) {
        self.tell(Event::Ignored(Ignored { topic: message.topic.into(), why }));
    }

    /// The connection stands, and is of no more use.
    fn give_up(&mut self, stage: Stage, cause: Cause) {
        self.drop_link();
        self.retry(stage, cause);
    }

    fn reject(&mut self, reason: FailReason) {
        self.drop_link();
        self.end(Event::Failed(reason));
    }

    fn drop_link(&mut self) {
        if let Some(link) = self.state.link() {
            self.act(Close::new(link));
        }
        self.fail_calls();
    }

    fn fail_calls(&mut self) {
        while let Some(call) = self.pending.pop() {
            self.fail(&call, CallFailure::ConnectionLost);
        }
    }

    fn fail(&mut self, call: &PendingCall, cause: CallFailure) {
        self.tell(Event::CallFailed(CallFailed { call: call.call, cause }));
    }

    fn retry(&mut self, stage: Stage, cause: Cause) {
        self.retry_after(stage, cause, Duration::ZERO);
    }

    /// Waits for the next attempt, at least this long. There is no connection any more.
    fn retry_after(&mut self, stage: Stage, cause: Cause, least: Duration) {
        // Too many failures in a row mean that the endpoint is no good.
        let stage = match stage {
            Stage::Api if self.api_backoff.attempts() < self.config.max_api_attempts => Stage::Api,
            _ => Stage::Boot,
        };
        let backoff = match stage {
            Stage::Api => &mut self.api_backoff,
            Stage::Boot => &mut self.boot_backoff,
        };
        let mut rng = Rng::with_seed(self.seed);
        let delay = backoff.next(rng.u64(..)).max(least).max(MIN_DELAY);
        self.seed = rng.get_seed();
        let attempt = backoff.attempts();
        if stage == Stage::Boot {
            self.lease = None;
            if self.config.max_boot_attempts.is_some_and(|limit| attempt > limit) {
                let reason = FailReason::RetriesExhausted { attempts: attempt, cause };
                return self.end(Event::Failed(reason));
            }
        }
        self.state = State::Waiting { stage, until: self.now.after(delay) };
        self.tell(Event::Retrying(Retrying { stage, attempt, delay, cause }));
    }

    /// There is no connection any more, and there will be none.
    fn end(&mut self, last: Event) {
        self.lease = None;
        self.state = State::Ended;
        self.tell(last);
    }

    const fn take_token(&mut self) -> Token {
        let token = self.next_token;
        self.next_token = token.next();
        token
    }

    fn act(&mut self, action: impl Into<Action>) {
        self.outputs.push_back(Output::Action(action.into()));
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl Lease {
    fn is_over(&self, now: MonoTime) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

impl Machine for Thing {
    type Vocabulary = Mqtt;
    type Event = Event;
    type Error = InputError;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), InputError> {
        // What has ended ignores inputs, and so has no need to refuse them.
        let limit = self.config.max_queued;
        if self.outputs.len() >= limit && !self.is_finished() {
            return Err(InputError::QueueFull { limit });
        }
        self.advance(now);
        let Some(current) = self.state.link() else {
            return Ok(());
        };
        match input {
            Input::Opened(opened) if opened.link == current => self.opened(current),
            Input::Closed(closed) if closed.link == current => self.closed(closed.reason),
            Input::Message(message) if message.link == current => self.message(&message),
            Input::Done(done) if done.link == current => self.done(done.token),
            Input::Failed(failed) if failed.link == current => self.failed(failed.token),
            _ => {}
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.now = self.newest(now);
        // Time cannot be refused: what is due while nobody drains waits for room.
        while self.is_due() && self.outputs.len() < self.config.max_queued {
            self.fire();
        }
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.deadline()))
    }

    fn is_finished(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

/// Whether a payload is a request that came back (specification, section 6.4).
fn is_request(payload: &[u8]) -> bool {
    payload.first().is_some_and(u8::is_ascii_uppercase)
}

/// The last moment that a thing tells apart from the end of time.
const LAST: MonoTime = MonoTime::from_origin(Duration::from_nanos(u64::MAX - 1));

/// Between two attempts, so that one moment holds no endless row of them.
const MIN_DELAY: Duration = Duration::from_millis(1);
