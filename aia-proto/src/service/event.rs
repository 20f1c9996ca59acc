//! What a service tells whoever tests with it.

use alloc::{string::String, vec::Vec};
use core::fmt;

use iot_sansio::mqtt::Link;

use super::Malformed;
use crate::{
    ApiVersion, ClientId, Json, Leaf, MessageId,
    connection::{AcknowledgeCode, DisconnectCode, MessageError},
    device::{Capabilities, CapabilitiesError},
    registration::ErrorCode,
    sequence::SequenceNumber,
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// All subscriptions are granted: devices can connect.
    Listening {
        /// The MQTT connection.
        link: Link,
    },
    /// The broker refused a subscription, so that devices are not heard. Mend it, and open the MQTT connection again.
    NotSubscribed {
        /// The MQTT connection.
        link: Link,
        /// The topic filter.
        filter: String,
    },
    /// A device registered, for the first time or again.
    Registered {
        /// The device.
        client_id: ClientId,
    },
    /// A registration was refused.
    NotRegistered {
        /// Why.
        code: ErrorCode,
    },
    /// A device connected.
    Connected {
        /// The device.
        client_id: ClientId,
        /// The version of the topics that the connection uses.
        version: ApiVersion,
    },
    /// A `Connect` was answered with a refusal. A connection that stands goes on.
    Refused {
        /// The device.
        client_id: ClientId,
        /// The version of its topics.
        version: ApiVersion,
        /// How it was answered.
        code: AcknowledgeCode,
    },
    /// A connection is over.
    Ended {
        /// The device.
        client_id: ClientId,
        /// Why.
        reason: End,
    },
    /// The capabilities of a device were accepted, and count until it registers again.
    CapabilitiesAccepted {
        /// The device.
        client_id: ClientId,
        /// The full set.
        capabilities: Capabilities,
    },
    /// The capabilities of a device were rejected.
    CapabilitiesRejected {
        /// The device.
        client_id: ClientId,
        /// Why.
        reason: Rejection,
    },
    /// A device with no accepted capabilities sent something else first, and was told so.
    CapabilitiesMissing {
        /// The device.
        client_id: ClientId,
        /// The topic of what it sent.
        leaf: Leaf,
    },
    /// Something happened on a device: an element of a message on `event`.
    Received(Received),
    /// A device sent audio: a message on `microphone`.
    Microphone(Microphone),
    /// A message, or an element of one, was not understood, and the device was told so.
    Malformed {
        /// The device.
        client_id: ClientId,
        /// The topic.
        leaf: Leaf,
        /// The number of the message; none when it is too short to have one. Not to be trusted when the message is
        /// shorter than the header.
        sequence: Option<SequenceNumber>,
        /// The element, from 0; none when the whole message is meant.
        index: Option<usize>,
        /// What is wrong.
        fault: Malformed,
    },
    /// A device sends too fast, and was told so.
    Throttled {
        /// The device.
        client_id: ClientId,
        /// The topic.
        leaf: Leaf,
    },
    /// A device has taken the new secret into use.
    Rotated {
        /// The device.
        client_id: ClientId,
    },
    /// A device did not answer a rotation in time. Both secrets count until its next connection decides.
    RotationUnanswered {
        /// The device.
        client_id: ClientId,
    },
    /// The first message of a connection has shown that the device does not have the new secret, so it is given up.
    RotationLost {
        /// The device.
        client_id: ClientId,
    },
    /// A device had no room for a message on `speaker`, which is sent again with all after it.
    Redriving {
        /// The device.
        client_id: ClientId,
        /// The number of that message.
        from: SequenceNumber,
    },
    /// A message was dropped, and the device was told nothing.
    Ignored {
        /// The device.
        client_id: ClientId,
        /// The topic.
        leaf: Leaf,
        /// Why.
        reason: Ignored,
    },
    /// A device was unlinked: it is not registered any more.
    Unlinked {
        /// The device.
        client_id: ClientId,
    },
    /// A fault struck.
    Faulted {
        /// The device.
        client_id: ClientId,
    },
}

/// An element of a message on `event`, whatever its name. `Debug` leaves out the payload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Received {
    /// The device.
    pub client_id: ClientId,
    /// The number of the message.
    pub sequence: SequenceNumber,
    /// The place of the element in the message, from 0.
    pub index: usize,
    /// What happened.
    pub name: String,
    /// The id that the device gave it.
    pub message_id: MessageId,
    /// What it says; none when it is left out.
    pub payload: Option<Json>,
}

/// A message on `microphone`. `Debug` shows the length of its body only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Microphone {
    /// The device.
    pub client_id: ClientId,
    /// The number of the message.
    pub sequence: SequenceNumber,
    /// A stream of entries (specification, section 9).
    pub body: Vec<u8>,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The device ended it.
    Device {
        /// Its reason, which says what to expect of it: [`DisconnectCode::expect`]. None when it gave none.
        code: Option<DisconnectCode>,
        /// What it says to people.
        description: Option<String>,
    },
    /// The device connected again.
    Replaced,
    /// A message could be opened with no secret: `ENCRYPTION_ERROR`.
    EncryptionError {
        /// Its topic.
        leaf: Leaf,
    },
    /// The two numbers of a message differ: `MESSAGE_TAMPERED`.
    Tampered {
        /// Its topic.
        leaf: Leaf,
        /// The number in clear.
        outer: SequenceNumber,
        /// The number in secret.
        inner: SequenceNumber,
    },
    /// A message is lost: `UNEXPECTED_SEQUENCE_NUMBER`.
    Lost {
        /// Its topic.
        leaf: Leaf,
        /// Its number.
        expected: SequenceNumber,
    },
    /// Something fatal happened: an `Exception`, then `GOING_OFFLINE`.
    Fatal(super::ExceptionCode),
    /// [`disconnect`](super::Service::disconnect) was called, or its version was deprecated.
    Requested(DisconnectCode),
    /// [`client_gone`](super::Service::client_gone) was called.
    Gone,
    /// The device registered again, or was unlinked.
    Registration,
    /// The MQTT connection of the service is gone. The device is told when there is one again.
    LinkClosed,
}

/// Why capabilities were rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// They were not the first message of the connection.
    TooLate,
    /// There is no `payload.capabilities`.
    Missing,
    /// The set is not one.
    BadSet(CapabilitiesError),
    /// `mqtt.message.maxSizeInBytes` of `System` is not an integer from 1,500 to 128,000.
    MaxSize,
}

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ignored {
    /// The device has no connection on these topics.
    NotConnected,
    /// The device is not registered, and the service is set not to answer it.
    NotRegistered,
    /// It is shorter than the header, and no message has shown yet which secret the device could read an answer with.
    TooShort,
    /// It is no message that opens or ends a connection, or has no usable id.
    BadMessage(MessageError),
    /// It was sealed with the secret before the last rotation, for an earlier connection.
    EarlierSecret,
    /// The broker had kept it, so it is old.
    Retained,
}

impl fmt::Debug for Microphone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Microphone")
            .field("client_id", &self.client_id)
            .field("sequence", &self.sequence)
            .field("body", &format_args!("[{} bytes]", self.body.len()))
            .finish()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLate => {
                f.write_str("capabilities are published as the first message of a connection")
            }
            Self::Missing => f.write_str("payload.capabilities is missing"),
            Self::BadSet(error) => error.fmt(f),
            Self::MaxSize => {
                f.write_str("maxSizeInBytes of System is not an integer from 1500 to 128000")
            }
        }
    }
}
