//! What a thing tells, and why it refuses a command.

use alloc::{boxed::Box, string::String};
use core::time::Duration;

use iot_sansio::mqtt::ConnackCode;

use crate::{
    ApiError, InvalidId, Json, PortUnavailable, RequestId, Stage,
    call::{Answer, AnswerError, CallKind},
    command::{Command, PushError},
    frame::{DecodeError, EncodeError, OwnedResponse},
    onboarding::{Onboarded, OnboardedError},
};

/// What a thing tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The default broker told who the thing is and where its second broker is. Save it for
    /// [`Thing::restore`](super::Thing::restore), and with it the wall clock.
    Onboarded(Box<Onboarded>),
    /// Calls can be made, and pushes arrive.
    Ready,
    /// A call was answered, with whatever status.
    Response(Box<Response>),
    /// A call will not be answered. Whether the cloud has carried it out is not known, unless it was not sent.
    CallFailed(CallFailed),
    /// A command: run its actions in order, then report their results. Nothing keeps it from coming twice.
    Command(Box<Command>),
    /// A push that is no command.
    Push(Json),
    /// A message was left alone.
    Ignored(Ignored),
    /// An attempt failed or a connection ended; the next attempt follows.
    Retrying(Retrying),
    /// The endpoint has come to its end: the thing onboards again.
    EndpointExpired,
    /// The thing gave up, until it is started again. A terminal event.
    Failed(FailReason),
    /// The application stopped the thing. A terminal event.
    Stopped,
}

/// Names one call from the moment it is made. The number is also its request id, unless the caller chose one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(super) u64);

impl CallId {
    /// Its number, from 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The response to a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Response {
    /// The call.
    pub call: CallId,
    /// What was called.
    pub kind: CallKind,
    /// What came.
    pub frame: OwnedResponse,
}

impl Response {
    /// What it says.
    ///
    /// # Errors
    /// The cloud refused the call, which the error explains; or the body is not what such a call is answered with.
    pub fn answer(&self) -> Result<Answer, AnswerError> {
        Answer::decode(self.kind, &self.frame.as_response())
    }
}

/// A call that will not be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallFailed {
    /// The call.
    pub call: CallId,
    /// Why.
    pub cause: CallFailure,
}

/// Why a call will not be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// No response came in time. A late one is ignored.
    #[error("no response came in time")]
    Timeout,
    /// The connection ended first. Nothing is sent again by itself: the cloud may have carried it out.
    #[error("the connection ended before a response came")]
    ConnectionLost,
    /// The MQTT client refused to send it.
    #[error("the MQTT client refused to send it")]
    NotSent,
}

/// A message that was left alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Ignored {
    /// Its topic.
    pub topic: String,
    /// Why.
    pub why: IgnoreReason,
}

/// Why a message was left alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IgnoreReason {
    /// It came before the broker had accepted CONNECT.
    #[error("it came before the broker had accepted the connection")]
    NotConnected,
    /// Its topic is none of this connection's.
    #[error("it is on no topic of this connection")]
    UnknownTopic,
    /// It is a request: the thing's own, which the broker sent back.
    #[error("it is a request, which the broker sent back")]
    Echo,
    /// It answers nothing that waits: it is late, came twice, or does not tell which request it is for.
    #[error("it answers no request that waits")]
    Unmatched,
    /// It is on the topic of a response and is none.
    #[error("it is no response: {0}")]
    BadPayload(DecodeError),
    /// It is on the topic of pushes and is none that can be used.
    #[error("it is no push: {0}")]
    BadPush(PushError),
}

/// The next attempt follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Retrying {
    /// The broker that is tried.
    pub stage: Stage,
    /// How many attempts at this broker have failed since the thing was last ready.
    pub attempt: u32,
    /// How long until the next one.
    pub delay: Duration,
    /// Why the last one failed.
    pub cause: Cause,
}

/// Why an attempt failed or a connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The broker could not be reached: look at host, port, network and certificate.
    #[error("the broker could not be reached")]
    Unreachable,
    /// The broker did not accept the connection in time.
    #[error("the broker did not accept the connection in time")]
    ConnectTimeout,
    /// The broker cannot take the connection now.
    #[error("the broker refuses connections for now, with CONNACK code {}", .0.get())]
    Unavailable(ConnackCode),
    /// The second broker refused the endpoint's credentials: the endpoint is discarded.
    #[error("the second broker refused the endpoint, with CONNACK code {}", .0.get())]
    EndpointRefused(ConnackCode),
    /// The connection ended, or nothing was heard of the broker for too long.
    #[error("the connection ended")]
    ConnectionLost,
    /// The MQTT client refused to send the onboarding request.
    #[error("the MQTT client refused to send the onboarding request")]
    NotSent,
    /// No answer to the onboarding request came in time.
    #[error("no answer to the onboarding request came in time")]
    OnboardTimeout,
    /// What came on the onboarding topic is no response.
    #[error("the answer to the onboarding request is no response: {0}")]
    BadPayload(DecodeError),
    /// The onboarding response does not say what it must.
    #[error("the onboarding response cannot be used: {0}")]
    BadBody(OnboardedError),
    /// The onboarding response names no endpoint yet.
    #[error("the onboarding response names no endpoint yet")]
    EndpointNotReady,
    /// The endpoint has come to its end, or came with a lifetime of nothing.
    #[error("the endpoint has expired")]
    EndpointExpired,
    /// The cloud cannot onboard the thing now.
    #[error("onboarding failed for now: {0}")]
    Status(Box<ApiError>),
    /// The second broker refused the subscription.
    #[error("the second broker refused the subscription to pushes")]
    SubscribeRefused,
    /// The second broker did not grant the subscription in time.
    #[error("the second broker did not grant the subscription to pushes in time")]
    SubscribeTimeout,
}

/// Why a thing gave up, and what to do before it is started again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FailReason {
    /// The default broker refused the application's credentials, its client id or the version of MQTT.
    #[error("the default broker refused CONNECT with code {}: check app id, app key, location and MQTT version", .0.get())]
    BootRefused(ConnackCode),
    /// The second broker does not speak this version of MQTT.
    #[error("the second broker does not speak this version of MQTT: choose the other one")]
    ProtocolVersion,
    /// The cloud refused to onboard the thing; its [`advice`](ApiError::advice) says what to do.
    #[error("onboarding was refused: {0}")]
    OnboardRejected(Box<ApiError>),
    /// The cloud answered the onboarding request with a status that means nothing here.
    #[error("onboarding was answered with status {}, which is neither success nor error", .0.status)]
    UnexpectedStatus(Box<ApiError>),
    /// A broker does not listen for the chosen kind of transport.
    #[error("at the {}: {unavailable}", .stage.broker())]
    PortUnavailable {
        /// The broker.
        stage: Stage,
        /// The kind of transport.
        unavailable: PortUnavailable,
    },
    /// The host of the second broker is none of those that are trusted.
    #[error("the second broker {host} is none of the trusted hosts: add its domain if it is right")]
    UntrustedHost {
        /// The host.
        host: String,
    },
    /// More attempts to onboard have failed than were allowed.
    #[error("{attempts} attempts to onboard have failed, the last one since {cause}")]
    RetriesExhausted {
        /// How many.
        attempts: u32,
        /// Why the last one failed.
        cause: Cause,
    },
}

/// Why an input is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then feed the input again")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
}

/// Why a command is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The thing is started already.
    #[error("the thing is started already: stop it first")]
    AlreadyStarted,
    /// The thing is not started, or has ended.
    #[error("the thing is not started: start it first")]
    NotStarted,
    /// There is no connection for calls now.
    #[error("the thing is not ready: call once it tells that it is")]
    NotReady,
    /// The thing has no endpoint now: it is about to onboard anyway.
    #[error("the thing is not onboarded: it is about to onboard anyway")]
    NotOnboarded,
    /// What is to be restored names no endpoint.
    #[error("what was saved names no endpoint: start the thing, so that it onboards")]
    NoEndpoint,
    /// Too many calls wait for their responses.
    #[error("{limit} calls wait for their responses: wait for one of them")]
    TooManyPending {
        /// The limit.
        limit: usize,
    },
    /// A call with this request id waits on the same topic.
    #[error("a call with the request id {id} waits on the same topic: choose another id")]
    DuplicateRequestId {
        /// The request id.
        id: RequestId,
    },
    /// The topic cannot be built.
    #[error("the topic cannot be built: {0}")]
    Topic(#[from] InvalidId),
    /// The payload cannot be written.
    #[error("the payload cannot be written: {0}")]
    Payload(#[from] EncodeError),
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then repeat the command")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
}
