//! Why a platform refuses an input or a command.

use alloc::string::String;

use iot_sansio::amqp::Connection;

use super::MessageId;

/// Why a [`Platform`](super::Platform) refuses an input or a command; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then try again")]
    QueueFull {
        /// How many may be.
        limit: usize,
    },
    /// No account may subscribe for the group.
    #[error("no account has the consumer group {group}: add it to one")]
    UnknownGroup {
        /// The group.
        group: String,
    },
    /// As many messages wait to be accepted as may.
    #[error("{limit} messages wait to be accepted: let clients accept some, or allow more")]
    TooManyMessages {
        /// How many may be.
        limit: usize,
    },
    /// The message has too many bytes.
    #[error(
        "the message has {size} bytes of topic, properties and body: at most {limit} are allowed"
    )]
    MessageTooLarge {
        /// How many it has.
        size: usize,
        /// How many it may have.
        limit: usize,
    },
    /// There is no such message, or it was accepted or given up.
    #[error("message {message} is not waiting to be accepted")]
    UnknownMessage {
        /// The message.
        message: MessageId,
    },
    /// There is no such connection.
    #[error("there is no connection {}", .connection.get())]
    UnknownConnection {
        /// The connection.
        connection: Connection,
    },
}
