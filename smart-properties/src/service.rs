//! The service's side as a machine, for tests without an AWS account (feature `sim`; specification sections 4 to 6).
//!
//! [`Topic`] speaks the vocabulary in [`transport`]: it hands out deliveries and is told how they were answered.
//! Simulate it against a receiver, or put an HTTP client below it. [`Occurrence`] writes the events that Alexa
//! publishes, and [`Attacker`] what nobody should believe.

use alloc::collections::{BTreeMap, VecDeque};

use iot_sansio::{InputOf, Machine, MonoTime, Output, Secret, UnixMillis, WallClock};

mod config;
mod deliveries;
mod error;
mod event;
mod forgery;
mod ids;
mod message;
mod occurrence;
mod publication;
mod retry;
mod signer;
mod subscription;
pub mod transport;

pub use config::Config;
pub use error::ServiceError;
pub use event::{Ended, Event, Failure, GivenUp, MessageId};
pub use forgery::{Attacker, Forged, Forgery};
pub use occurrence::Occurrence;
pub use publication::Publication;
pub use retry::RetryPolicy;
pub use signer::Signer;
pub use subscription::{Endpoint, Form, SubscriptionArn};

use self::{
    deliveries::{Content, Deliveries},
    ids::Ids,
    message::Author,
    subscription::{Subscription, subscribe_url},
    transport::{Action, Answered, Attempt, Deliver, DeliveryId, Input, Transport},
};
use crate::instant;

/// A topic of SNS: who subscribed and confirmed it gets what is published, signed, at least once.
///
/// Each subscription goes this way:
///
/// ```text
///   subscribe             URL visited               unsubscribe
///   ─────────► pending ────────────────► confirmed ─────────────► pending
/// ```
///
/// And each delivery to it:
///
/// ```text
///   publish            2xx ──► delivered
///   ───────► open ───► 3xx, 4xx ──► given up
///            ▲  │ any other status, unreachable, or no answer in 15 s
///       20 s │  ▼
///           waiting, or after three retries given up
/// ```
///
/// A queue or a function is confirmed by itself, as it belongs to the same account.
///
/// From subscription to delivery:
///
/// ```
/// use iot_sansio::{Machine, MonoTime, Output, UnixMillis, WallClock};
/// use smart_properties::{
///     TopicArn, UnitId,
///     service::{
///         Config, Endpoint, Event, Form, Occurrence, Publication, Signer, Topic,
///         transport::{Action, Answered, Visited},
///     },
///     sns::{Classifier, Digest, Headers, Inbound, Via},
/// };
///
/// /// Signs with nothing. A real one has a key of RSA.
/// struct StandIn;
///
/// impl Signer for StandIn {
///     fn sign(&self, _digest: Digest, _string_to_sign: &[u8]) -> Vec<u8> {
///         vec![0; 256]
///     }
///     fn certificate_url(&self) -> &str {
///         "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
///     }
/// }
///
/// let arn = TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?;
/// let now = MonoTime::ORIGIN;
/// let clock = WallClock::new(now, UnixMillis::new(1_714_557_600_000));
/// let mut topic = Topic::new(Config::new(arn), StandIn, clock);
///
/// // The endpoint is asked first.
/// let subscription =
///     topic.subscribe(now, Endpoint::Http("https://receiver.example/sns".into()), Form::Envelope)?;
/// let Output::Action(Action::Deliver(post)) = topic.poll_output() else { panic!() };
/// let inbound = Classifier::new(Via::Http).classify(&post.body, &Headers::from_pairs(post.headers()))?;
/// let Inbound::Envelope(confirmation) = inbound else { panic!() };
/// topic.handle_input(now, Answered::new(post.attempt, 200).into())?;
/// topic.handle_input(now, Visited::new(confirmation.subscribe_url().unwrap()).into())?;
/// assert!(matches!(topic.poll_output(), Output::Event(Event::Delivered(_))));
/// assert_eq!(topic.poll_output(), Output::Event(Event::Confirmed { subscription }));
///
/// // A room is active.
/// let room = UnitId::new("amzn1.alexa.unit.did.ROOM402")?;
/// let event = Occurrence::new("a-1", "2024-05-01T10:00:00Z").activation(&room, None)?;
/// let message_id = topic.publish(now, &Publication::new(event))?;
/// let Output::Action(Action::Deliver(post)) = topic.poll_output() else { panic!() };
/// topic.handle_input(now, Answered::new(post.attempt, 200).into())?;
/// let Output::Event(Event::Delivered(ended)) = topic.poll_output() else { panic!() };
/// assert_eq!((ended.message_id, ended.attempts), (message_id, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic<S> {
    config: Config,
    signer: S,
    wall_clock: WallClock,
    now: MonoTime,
    ids: Ids,
    subscriptions: BTreeMap<SubscriptionArn, Subscription>,
    deliveries: Deliveries,
    outputs: VecDeque<Output<Action, Event>>,
    /// Whether something that is due waits for room in the queue; nothing else happens before it.
    held_back: bool,
}

impl<S: Signer> Topic<S> {
    /// A topic that nobody has subscribed to, whose messages this key signs.
    #[must_use]
    pub fn new(config: Config, signer: S, wall_clock: WallClock) -> Self {
        Self {
            ids: Ids::new(config.seed),
            config,
            signer,
            wall_clock,
            now: MonoTime::ORIGIN,
            subscriptions: BTreeMap::new(),
            deliveries: Deliveries::default(),
            outputs: VecDeque::new(),
            held_back: false,
        }
    }

    /// Tells that the wall clock reads `unix` at `now`: when it was set.
    pub fn set_wall_clock(&mut self, now: MonoTime, unix: UnixMillis) {
        self.fire(now, self.config.max_queued);
        self.wall_clock = WallClock::new(self.now, unix);
    }

    /// Subscribes an endpoint. One of HTTP is asked to confirm it, also once more where it was asked before and has not
    /// yet; one that has is subscribed once.
    ///
    /// # Errors
    /// There are as many subscriptions or deliveries as may be, the queue of outputs is full, or the wall clock reads a
    /// year that messages cannot have.
    pub fn subscribe(
        &mut self,
        now: MonoTime,
        endpoint: Endpoint,
        form: Form,
    ) -> Result<SubscriptionArn, ServiceError> {
        self.check_queue()?;
        let known = self.subscriptions.iter().find(|(_, it)| it.endpoint == endpoint);
        let limit = self.config.max_subscriptions;
        if known.is_none() && self.subscriptions.len() >= limit {
            return Err(ServiceError::TooManySubscriptions { limit });
        }
        let mut ids = self.ids;
        let (arn, subscription) = match known {
            Some((arn, known)) => (arn.clone(), known.clone()),
            None => {
                let arn = SubscriptionArn::new(&self.config.arn, &ids.uuid());
                let is_confirmed = !matches!(endpoint, Endpoint::Http(_));
                let token = Secret::from(ids.token());
                (arn, Subscription { endpoint, form, token, is_confirmed })
            }
        };
        let confirmation = match subscription.is_confirmed {
            true => None,
            false => {
                self.check_room(1)?;
                let at = self.now.max(now);
                Some(self.author(at, &mut ids)?.confirmation(&arn, &subscription)?)
            }
        };
        let is_new = known.is_none();
        self.fire(now, usize::MAX);
        self.ids = ids;
        if is_new && subscription.is_confirmed {
            self.tell(Event::Confirmed { subscription: arn.clone() });
        }
        self.subscriptions.insert(arn.clone(), subscription);
        self.deliver_all(confirmation);
        Ok(arn)
    }

    /// Confirms a subscription by its token, as `ConfirmSubscription` does; once more, nothing happens.
    ///
    /// # Errors
    /// No subscription has the token, or the queue of outputs is full.
    pub fn confirm(&mut self, now: MonoTime, token: &str) -> Result<SubscriptionArn, ServiceError> {
        self.check_queue()?;
        let token = Secret::from(token);
        let found = self.subscriptions.iter().find(|(_, it)| it.token == token);
        let arn = found.map(|(arn, _)| arn.clone()).ok_or(ServiceError::UnknownToken)?;
        self.fire(now, usize::MAX);
        let subscription = self.subscriptions.get_mut(&arn);
        if subscription.is_some_and(|it| !core::mem::replace(&mut it.is_confirmed, true)) {
            self.tell(Event::Confirmed { subscription: arn.clone() });
        }
        Ok(arn)
    }

    /// Ends a subscription. What is on its way to it is given up; an endpoint of HTTP is told, with a URL that would
    /// subscribe it again.
    ///
    /// # Errors
    /// There is no such subscription or it is not confirmed, there are as many deliveries as may be, the queue of
    /// outputs is full, or the wall clock reads a year that messages cannot have.
    pub fn unsubscribe(
        &mut self,
        now: MonoTime,
        subscription: &SubscriptionArn,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        let arn = subscription;
        let confirmed = self.subscriptions.get(arn).filter(|it| it.is_confirmed);
        let Some(confirmed) = confirmed else {
            return Err(ServiceError::UnknownSubscription { subscription: arn.clone() });
        };
        let mut ended = None;
        let mut ids = self.ids;
        if matches!(confirmed.endpoint, Endpoint::Http(_)) {
            self.check_room(1)?;
            let token = Secret::from(ids.token());
            let pending = Subscription { token, is_confirmed: false, ..confirmed.clone() };
            let at = self.now.max(now);
            let content = self.author(at, &mut ids)?.unsubscription(arn, &pending)?;
            ended = Some((pending, content));
        }
        self.fire(now, usize::MAX);
        self.ids = ids;
        self.subscriptions.remove(arn);
        for delivery in self.deliveries.of(arn) {
            self.give_up(delivery, GivenUp::Unsubscribed);
        }
        if let Some((pending, content)) = ended {
            self.subscriptions.insert(arn.clone(), pending);
            self.deliver_all([content]);
        }
        Ok(())
    }

    /// Publishes a message to all who have confirmed, and gives its id.
    ///
    /// # Errors
    /// The message is empty or too large, SNS would not take its subject, too many deliveries are open, the queue of
    /// outputs is full, or the wall clock reads a year that messages cannot have.
    pub fn publish(
        &mut self,
        now: MonoTime,
        publication: &Publication,
    ) -> Result<MessageId, ServiceError> {
        self.check_queue()?;
        let bytes = publication.message.len();
        if bytes == 0 || bytes > MAX_MESSAGE_BYTES {
            return Err(ServiceError::MessageSize { bytes, limit: MAX_MESSAGE_BYTES });
        }
        let takers = self.subscriptions.iter().filter(|(_, it)| it.is_confirmed);
        self.check_room(takers.clone().count().saturating_mul(publication.times))?;
        let mut ids = self.ids;
        let author = self.author(self.now.max(now), &mut ids)?;
        let (message_id, contents) = author.notifications(publication, takers)?;
        self.fire(now, usize::MAX);
        self.ids = ids;
        self.deliver_all(contents);
        Ok(message_id)
    }

    /// Who subscribed and confirmed it, in the order of their names.
    pub fn subscriptions(&self) -> impl Iterator<Item = &SubscriptionArn> {
        self.subscriptions.iter().filter(|(_, it)| it.is_confirmed).map(|(arn, _)| arn)
    }

    /// How many deliveries are open: neither delivered nor given up.
    #[must_use]
    pub fn open_deliveries(&self) -> usize {
        self.deliveries.len()
    }

    fn check_queue(&self) -> Result<(), ServiceError> {
        let limit = self.config.max_queued;
        match self.outputs.len() >= limit || self.held_back {
            true => Err(ServiceError::QueueFull { limit }),
            false => Ok(()),
        }
    }

    fn check_room(&self, more: usize) -> Result<(), ServiceError> {
        let (open, limit) = (self.deliveries.len(), self.config.max_deliveries);
        match open.saturating_add(more) > limit {
            true => Err(ServiceError::TooManyDeliveries { open, more, limit }),
            false => Ok(()),
        }
    }

    /// Whoever writes the next message.
    fn author(&self, at: MonoTime, ids: &mut Ids) -> Result<Author<'_, S>, ServiceError> {
        let timestamp = instant::to_text(self.wall_clock.at(at)).ok_or(ServiceError::NoDate)?;
        let message_id = MessageId(ids.uuid());
        Ok(Author { config: &self.config, signer: &self.signer, message_id, timestamp })
    }

    /// Lets time pass, and fires what is due as long as the queue has fewer outputs than `max_queued`.
    ///
    /// A step that was accepted fires all, as what comes after it must not come before; time alone cannot be refused,
    /// and keeps to the limit.
    fn fire(&mut self, now: MonoTime, max_queued: usize) {
        self.now = self.now.max(now);
        loop {
            let due = self.deliveries.next_due(self.now);
            self.held_back = due.is_some() && self.outputs.len() >= max_queued;
            match due {
                _ if self.held_back => return,
                Some((_, Some(late))) => self.fail(late, Failure::Timeout),
                Some((id, None)) => {
                    let again = self.deliveries.retry(id, self.config.retries, self.now);
                    if let Some(deliver) = again {
                        self.act(deliver);
                    }
                }
                None => return,
            }
        }
    }

    fn answered(&mut self, answered: Answered) {
        let Answered { attempt, status } = answered;
        if !self.deliveries.is_open(attempt) {
            return;
        }
        match status {
            200..300 => {
                if let Some(ended) = self.deliveries.remove(attempt.delivery) {
                    self.tell(Event::Delivered(ended));
                }
            }
            300..500 => self.give_up(attempt.delivery, GivenUp::Refused(status)),
            _ => self.fail(attempt, Failure::Status(status)),
        }
    }

    fn fail(&mut self, attempt: Attempt, failure: Failure) {
        if !self.deliveries.is_open(attempt) {
            return;
        }
        self.tell(Event::AttemptFailed { attempt, failure });
        if !self.deliveries.fail(attempt.delivery, self.config.retries, self.now) {
            self.give_up(attempt.delivery, GivenUp::Exhausted(failure));
        }
    }

    fn give_up(&mut self, delivery: DeliveryId, reason: GivenUp) {
        if let Some(ended) = self.deliveries.remove(delivery) {
            self.tell(Event::GivenUp { ended, reason });
        }
    }

    fn deliver_all(&mut self, contents: impl IntoIterator<Item = Content>) {
        for content in contents {
            let deliver = self.deliveries.add(content, self.config.retries, self.now);
            self.act(deliver);
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn act(&mut self, deliver: Deliver) {
        self.outputs.push_back(Output::Action(Action::Deliver(deliver)));
    }
}

impl<S: Signer> Machine for Topic<S> {
    type Vocabulary = Transport;
    type Event = Event;
    type Error = ServiceError;

    fn handle_input(
        &mut self,
        now: MonoTime,
        input: InputOf<'_, Self>,
    ) -> Result<(), ServiceError> {
        self.check_queue()?;
        match input {
            Input::Answered(answered) => {
                self.fire(now, usize::MAX);
                self.answered(answered);
            }
            Input::Failed(failed) => {
                self.fire(now, usize::MAX);
                self.fail(failed.attempt, Failure::Unreachable);
            }
            Input::Visited(visited) => {
                let token = visited.url.strip_prefix(&*subscribe_url(&self.config.arn, ""));
                self.confirm(now, token.ok_or(ServiceError::UnknownToken)?)?;
            }
        }
        // Where a policy has no pause, the next attempt is due at once.
        self.fire(now, usize::MAX);
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.fire(now, self.config.max_queued);
    }

    fn poll_output(&mut self) -> Output<Action, Event> {
        if self.outputs.is_empty() && self.held_back {
            self.fire(self.now, self.config.max_queued);
        }
        self.outputs.pop_front().unwrap_or_else(|| Output::Idle(self.deliveries.deadline()))
    }

    /// Never: a topic goes on for as long as it is kept.
    fn is_finished(&self) -> bool {
        false
    }
}

/// The ceiling of SNS for a message.
const MAX_MESSAGE_BYTES: usize = 262_144;
