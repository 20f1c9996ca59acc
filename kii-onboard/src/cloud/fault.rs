//! What a cloud can be told to do wrong.

use alloc::{collections::VecDeque, string::String, vec::Vec};
use core::{fmt, time::Duration};

use iot_sansio::mqtt::ConnackCode;

use crate::{
    Stage, TransportKind,
    frame::{Method, Status},
};

/// Something to do wrong, and when.
///
/// A fault waits until something comes that it is for. It lets the first few of them pass if it is told to
/// ([`skip`](Self::skip)), strikes, once unless it is told otherwise ([`times`](Self::times)), and is gone. Faults stand
/// in a queue: when several are for the same thing, the oldest strikes alone. Each strike is told as
/// [`Event::Faulted`](super::Event::Faulted).
///
/// ```
/// use core::time::Duration;
/// use iot_sansio::mqtt::ConnackCode;
/// use kii_onboard::{Stage, cloud::{Effect, Fault, Requests}, frame::{Method, Status}};
///
/// // The first onboarding is carried out, but its answer gets lost; the second one is too early.
/// let onboardings = Requests::any().ending("onboardings");
/// let lost = Fault::on_request(onboardings.clone(), [Effect::Drop]);
/// let early = Fault::on_request(
///     onboardings,
///     [Effect::Status(Status::SERVICE_UNAVAILABLE, br#"{"errorCode":"MQTT_ENDPOINT_NOT_READY"}"#.into())],
/// );
/// // Every state is confirmed twice, and late.
/// let states = Requests::any().at(Stage::Api).with_method(Method::Put).ending("/states");
/// let doubled = Fault::on_request(states, [Effect::Duplicate, Effect::Delay(Duration::from_secs(3))]).times(u32::MAX);
/// // The third connection to the second broker is refused.
/// let refused = Fault::refuse_connect(Stage::Api, ConnackCode::SERVER_UNAVAILABLE).skip(2);
/// # let _ = (lost, early, doubled, refused);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fault {
    trigger: Trigger,
    skip: u32,
    times: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Trigger {
    Connect(Stage, ConnackCode),
    Ping(Stage),
    Subscribe(Duration),
    Request(Requests, Vec<Effect>),
}

/// Which requests a fault is for: those with all of these marks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requests {
    stage: Option<Stage>,
    method: Option<Method>,
    ending: String,
}

/// What happens to a request or to its answer. Those that concern the answer come together in any order and number.
///
/// `Debug` shows the length of payloads and bodies only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// The answer is not sent. The request is carried out.
    Drop,
    /// The answer comes this much later. Should more answers wait than outputs may queue, it is not sent.
    Delay(Duration),
    /// The answer comes twice.
    Duplicate,
    /// The answer comes on this topic.
    WrongTopic(String),
    /// The answer does not repeat the request id.
    NoRequestId,
    /// The answer is these bytes.
    Payload(Vec<u8>),
    /// The answer has this status and this body. The request is not carried out.
    Status(Status, Vec<u8>),
    /// The answer to an onboarding has null for `mqttEndpoint`.
    NoEndpoint,
    /// The answer to an onboarding has no port for this kind of transport.
    NoPort(TransportKind),
    /// The endpoint in the answer to an onboarding expires after this time, in whole seconds.
    Ttl(Duration),
    /// The connection is closed in place of all else. The request is not carried out.
    CloseBefore,
    /// The connection is closed behind the answer; with [`Drop`](Self::Drop), in its place.
    CloseAfter,
    /// The head of the answer has LF for CRLF.
    LineFeeds,
}

impl Fault {
    /// A CONNECT to this broker is refused with this code, good or not. Code 0 refuses none.
    #[must_use]
    pub fn refuse_connect(stage: Stage, code: ConnackCode) -> Self {
        let fault = Self::new(Trigger::Connect(stage, code));
        if code.get() == 0 { fault.times(0) } else { fault }
    }

    /// A PINGREQ to this broker is not answered. It counts as a sign of life.
    #[must_use]
    pub const fn swallow_ping(stage: Stage) -> Self {
        Self::new(Trigger::Ping(stage))
    }

    /// The SUBACK of a subscription comes this much later. What is pushed until then comes before it, as the subscription
    /// holds at once.
    #[must_use]
    pub const fn delay_suback(delay: Duration) -> Self {
        Self::new(Trigger::Subscribe(delay))
    }

    /// A request of these has these effects. All that is published on a topic of the API counts as a request.
    #[must_use]
    pub fn on_request(requests: Requests, effects: impl IntoIterator<Item = Effect>) -> Self {
        Self::new(Trigger::Request(requests, effects.into_iter().collect()))
    }

    const fn new(trigger: Trigger) -> Self {
        Self { trigger, skip: 0, times: 1 }
    }

    /// Sets how many of those it is for pass unharmed first, 0 by default.
    #[must_use]
    pub fn skip(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    /// Sets how often it strikes, 1 by default; 0 is never.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }
}

impl Requests {
    /// Every request.
    #[must_use]
    pub const fn any() -> Self {
        Self { stage: None, method: None, ending: String::new() }
    }

    /// Those to this broker.
    #[must_use]
    pub fn at(self, stage: Stage) -> Self {
        Self { stage: Some(stage), ..self }
    }

    /// Those with this method.
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Those whose path ends with this: all that follows the application's id in the topic, or the last part of it.
    #[must_use]
    pub fn ending(self, ending: impl Into<String>) -> Self {
        Self { ending: ending.into(), ..self }
    }

    fn contain(&self, stage: Stage, method: Option<Method>, path: &str) -> bool {
        self.stage.is_none_or(|wanted| wanted == stage)
            && self.method.is_none_or(|wanted| method == Some(wanted))
            && path.ends_with(&self.ending)
    }
}

/// The faults that are still to come, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.push_back(fault);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn on_connect(&mut self, stage: Stage) -> Option<ConnackCode> {
        self.strike(|trigger| match trigger {
            Trigger::Connect(at, code) if *at == stage => Some(*code),
            _ => None,
        })
    }

    pub(super) fn on_ping(&mut self, stage: Stage) -> bool {
        let strikes = |trigger: &Trigger| (*trigger == Trigger::Ping(stage)).then_some(());
        self.strike(strikes).is_some()
    }

    pub(super) fn on_subscribe(&mut self) -> Option<Duration> {
        self.strike(|trigger| match trigger {
            Trigger::Subscribe(delay) => Some(*delay),
            _ => None,
        })
    }

    pub(super) fn on_request(
        &mut self,
        stage: Stage,
        method: Option<Method>,
        path: &str,
    ) -> Option<Vec<Effect>> {
        self.strike(|trigger| match trigger {
            Trigger::Request(requests, effects) if requests.contain(stage, method, path) => {
                Some(effects.clone())
            }
            _ => None,
        })
    }

    /// Lets the first fault strike that has its turn. Those before it that are for this too have one less to skip.
    fn strike<T>(&mut self, effect: impl Fn(&Trigger) -> Option<T>) -> Option<T> {
        for index in 0..self.0.len() {
            let Some(fault) = self.0.get_mut(index) else { break };
            let Some(effect) = effect(&fault.trigger) else { continue };
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            if fault.times == 0 {
                self.0.remove(index);
            }
            return Some(effect);
        }
        None
    }
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("Drop"),
            Self::Delay(delay) => f.debug_tuple("Delay").field(delay).finish(),
            Self::Duplicate => f.write_str("Duplicate"),
            Self::WrongTopic(topic) => f.debug_tuple("WrongTopic").field(topic).finish(),
            Self::NoRequestId => f.write_str("NoRequestId"),
            Self::Payload(payload) => write!(f, "Payload([{} bytes])", payload.len()),
            Self::Status(status, body) => write!(f, "Status({status}, [{} bytes])", body.len()),
            Self::NoEndpoint => f.write_str("NoEndpoint"),
            Self::NoPort(kind) => f.debug_tuple("NoPort").field(kind).finish(),
            Self::Ttl(ttl) => f.debug_tuple("Ttl").field(ttl).finish(),
            Self::CloseBefore => f.write_str("CloseBefore"),
            Self::CloseAfter => f.write_str("CloseAfter"),
            Self::LineFeeds => f.write_str("LineFeeds"),
        }
    }
}
