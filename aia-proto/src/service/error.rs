//! Why a service refuses an input or a command.

use crate::ClientId;

/// Why a [`Service`](super::Service) refuses an input or a command; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then try again")]
    QueueFull {
        /// How many may be.
        limit: usize,
    },
    /// The device never registered, or was unlinked.
    #[error("{client_id} is not registered: register it first")]
    NotRegistered {
        /// The device.
        client_id: ClientId,
    },
    /// The device has no connection.
    #[error("{client_id} is not connected: wait until it is")]
    NotConnected {
        /// The device.
        client_id: ClientId,
    },
    /// The device has a connection, and has not sent its first message, which decides on capabilities and secret.
    #[error("{client_id} has only just connected: wait for its first message")]
    NotReady {
        /// The device.
        client_id: ClientId,
    },
    /// The capabilities of the device were not accepted, so its secret cannot be rotated.
    #[error("the capabilities of {client_id} were not accepted: wait for its next connection")]
    NoCapabilities {
        /// The device.
        client_id: ClientId,
    },
    /// The message would be larger than the device takes.
    #[error("the message has {size} bytes: {client_id} takes {limit}")]
    TooLarge {
        /// The device.
        client_id: ClientId,
        /// How many bytes the message would have.
        size: usize,
        /// How many it may have: `maxSizeInBytes` of the capabilities, and 1,500 before they are accepted.
        limit: usize,
    },
    /// The device has not taken the last new secret into use yet.
    #[error(
        "{client_id} has not answered the last rotation: wait for it, or for the next connection"
    )]
    Rotating {
        /// The device.
        client_id: ClientId,
    },
    /// The device has no speaker.
    #[error("{client_id} has no accepted capability Speaker: it does not listen to that topic")]
    NoSpeaker {
        /// The device.
        client_id: ClientId,
    },
    /// Too many secrets are in use at once: one is out of use when every topic is well past its start.
    #[error(
        "{client_id} uses {limit} secrets: rotate again when it has taken more messages, or connected again"
    )]
    TooManySecrets {
        /// The device.
        client_id: ClientId,
        /// How many may be.
        limit: usize,
    },
    /// Too many messages of `speaker` wait to be sent again.
    #[error("{limit} messages wait for room on {client_id}: send more when some have gone")]
    SpeakerFull {
        /// The device.
        client_id: ClientId,
        /// How many may wait.
        limit: usize,
    },
    /// No message was sent to the device on the topic.
    #[error("nothing was sent to {client_id} there: send something first")]
    NothingSent {
        /// The device.
        client_id: ClientId,
    },
    /// As many faults of the device wait as may.
    #[error("{limit} faults of {client_id} wait for their turn: clear them, or allow more")]
    TooManyFaults {
        /// The device.
        client_id: ClientId,
        /// How many may.
        limit: usize,
    },
}
