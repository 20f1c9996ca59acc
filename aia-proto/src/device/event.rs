//! What a device tells, and why it refuses a command.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, time::Duration};

use iot_sansio::Secret;

use crate::{
    Json, Leaf, MessageId,
    connection::{AcknowledgeCode, DisconnectCode},
    registration::{Registration, RegistrationError},
    sequence::SequenceNumber,
};

/// What a device tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Make this HTTP request, and answer with [`Device::registration_answered`](super::Device::registration_answered) or
    /// [`Device::registration_failed`](super::Device::registration_failed).
    RegistrationWanted(Box<HttpRequest>),
    /// The service registered the device; what to save comes next, in [`Event::Save`].
    Registered,
    /// The service refused the registration for good.
    RegistrationRejected(RegistrationError),
    /// Save this, in one step and before anything else: it is all that a restart needs, and the only thing.
    Save(Box<Registration>),
    /// The registration is forgotten: erase what was saved.
    Erase,
    /// The device wants to connect, and there is no MQTT connection.
    MqttWanted,
    /// The service accepted the connection: directives may come, and events are sent.
    Connected,
    /// A directive, in its order.
    Directive(Box<Directive>),
    /// The body of a message on the topic `speaker`, in its order.
    Speaker(Speaker),
    /// The connection ended.
    Disconnected(Disconnected),
    /// The next `Connect` follows.
    Retrying(Retrying),
    /// The application must act before the device goes on.
    Blocked(Blocked),
    /// The device must be registered again, with [`Device::register`](super::Device::register). What was saved is erased:
    /// a restart must not connect with it either.
    RegistrationNeeded(RegistrationNeed),
    /// Somebody may be tampering with messages, or the secrets have come apart.
    Security(Security),
    /// The application ended the connection. The terminal event.
    Closed,
}

/// A request for the application's HTTP client. `Debug` does not show the body: it holds the refresh token.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HttpRequest {
    /// Where to send it, with `POST`. Redirects must be followed.
    pub url: String,
    /// The body; its type is `application/json`.
    pub body: Secret,
}

/// A directive. Its type comes with the capability that it belongs to; here its payload is as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Directive {
    /// `header.name`.
    pub name: String,
    /// `header.messageId`.
    pub message_id: MessageId,
    /// `payload`, where it is there and not null.
    pub payload: Option<Json>,
    /// The number of the message it came in.
    pub sequence: SequenceNumber,
    /// Where it stood in that message, from 0: for an `ExceptionEncountered` about it.
    pub index: usize,
}

/// The body of a message on the topic `speaker`. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Speaker {
    /// The number of the message.
    pub sequence: SequenceNumber,
    /// Its entries, as they are on the wire (specification, section 9).
    pub body: Vec<u8>,
}

/// The connection ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Disconnected {
    /// Why.
    pub cause: DisconnectCause,
}

/// Why a connection ended, or an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectCause {
    /// The MQTT connection ended.
    #[error("the MQTT connection ended")]
    Transport,
    /// The service ended it, with this code if any.
    #[error("the service ended it with {}", .0.as_ref().map_or("no code", |code| code.as_str()))]
    Service(Option<DisconnectCode>),
    /// The service answered `Connect` with this code.
    #[error("the service answered with {}", .0.as_str())]
    Refused(AcknowledgeCode),
    /// The service did not answer `Connect` in time.
    #[error("the service did not answer in time")]
    NoAnswer,
    /// The subscriptions were not granted in time.
    #[error("the subscriptions were not granted in time")]
    NoSubscriptions,
    /// The service did not acknowledge the capabilities in time.
    #[error("the service did not acknowledge the capabilities in time")]
    NoCapabilityAnswer,
    /// A message was lost: this one was expected next.
    #[error("a message on `{}` was lost: number {} was expected", .leaf.as_str(), .expected.get())]
    Lost {
        /// The topic.
        leaf: Leaf,
        /// The number that was expected next.
        expected: SequenceNumber,
    },
    /// The clear and the encrypted number of a message differ.
    #[error("the clear and the encrypted number of a message differ")]
    Tampered,
    /// A message could not be opened with the shared secret.
    #[error("a message could not be opened with the shared secret")]
    Encryption,
    /// The MQTT client refused to send a message that others follow.
    #[error("the MQTT client refused to send a message")]
    NotSent,
    /// The set of capabilities changes.
    #[error("the set of capabilities changes")]
    CapabilitiesChange,
}

/// The next `Connect` follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Retrying {
    /// How many `Connect` were sent since the connection was last stable.
    pub connects: u32,
    /// How long until the next one.
    pub delay: Duration,
}

/// What the application must do before the device goes on. `Display` says it to people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Blocked {
    /// The service does not take the AWS account id.
    #[error("correct the AWS account id: it must be the registered one, and a retry does not help")]
    AccountId,
    /// The service does not take the client id.
    #[error("correct the client id: it must be the registered one, and a retry does not help")]
    ClientId,
    /// The service does not take the set of capabilities.
    #[error("change the set of capabilities: the service refused it")]
    Capabilities {
        /// What the service says to people.
        description: Option<String>,
    },
    /// The MQTT broker does not allow a subscription.
    #[error("allow the device to subscribe to `{}`: its policy does not", .leaf.as_str())]
    Subscription {
        /// The topic.
        leaf: Leaf,
    },
    /// Messages were tampered with again and again.
    #[error("find out who tampers with messages: it happened {times} times in a row")]
    Security {
        /// How often.
        times: u32,
    },
}

/// Why the device must be registered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationNeed {
    /// The shared secret is not valid any more.
    #[error("register again for a new shared secret")]
    Secret,
    /// The version of the protocol is no longer served.
    #[error("register again with a newer version of the protocol")]
    ApiVersion,
}

/// What whoever looks after security should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Security {
    /// A message could not be opened with the shared secret.
    #[error("a message on `{}` could not be opened with the shared secret", .leaf.as_str())]
    Encryption {
        /// The topic.
        leaf: Leaf,
    },
    /// A message says one number in clear and another one in secret.
    #[error("a message on `{}` says {} in clear and {} in secret", .leaf.as_str(), .outer.get(), .inner.get())]
    Tampered {
        /// The topic.
        leaf: Leaf,
        /// The number in clear.
        outer: SequenceNumber,
        /// The number in secret.
        inner: SequenceNumber,
    },
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker")
            .field("sequence", &self.sequence)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}

/// Why an input is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The device is registered, or about to be.
    #[error("the device is registered, or about to be: let it forget that first")]
    Registered,
    /// The device is not registered.
    #[error("the device is not registered: register it first")]
    NotRegistered,
    /// No registration waits for an answer.
    #[error("no registration waits for an answer")]
    NotRegistering,
    /// The device has no connection to the service.
    #[error("the device is not connected to the service: wait until it is")]
    NotConnected,
    /// The device is not closed.
    #[error("the device connects already, or waits for what its last event asks for")]
    NotClosed,
    /// The device is closed already.
    #[error("the device is closed already")]
    Closed,
    /// The device does not wait for a correction.
    #[error("the device waits for no correction")]
    NotBlocked,
    /// The device has no such capability.
    #[error("the device has no capability {interface}: change the set first")]
    NoCapability {
        /// The interface.
        interface: &'static str,
    },
    /// The payload of an event is not an object.
    #[error("the payload of an event is an object: put the value into a member of one")]
    NotAnObject,
    /// A message would be too large.
    #[error("the message has {len} bytes, at most {limit} are sent")]
    TooLarge {
        /// How large it would be, in bytes.
        len: usize,
        /// How large it may be, in bytes.
        limit: usize,
    },
    /// Too much is waiting to be sent.
    #[error("{limit} messages wait for their turn: a topic carries 20 a second")]
    Congested {
        /// The limit.
        limit: usize,
    },
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then repeat the command")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
}
