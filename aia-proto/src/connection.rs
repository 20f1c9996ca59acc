//! Messages that open and close a connection, on the topics `connection/fromclient` and `connection/fromservice`, and
//! what their codes ask for (specification, section 6).

use alloc::{string::String, vec::Vec};

use crate::{
    Direction, MessageId,
    json::{Member, Object},
};

mod advice;
mod code;
mod decode;
mod error;

pub use advice::Advice;
pub use code::{AcknowledgeCode, DisconnectCode, Expect, Standing};
pub use error::{Expected, MessageError};

/// A message of a connection topic.
///
/// ```
/// use aia_proto::{Direction, connection::{AcknowledgeCode, Advice, Message}};
///
/// let text = br#"{"header":{"name":"Acknowledge","messageId":"s-1"},
///                 "payload":{"connectMessageId":"m-7","code":"INVALID_ACCOUNT_ID"}}"#;
/// let message = Message::decode(Direction::ToDevice, text)?;
/// let Message::Acknowledge(acknowledge) = &message else { panic!("{message:?}") };
/// assert_eq!(acknowledge.connect_message_id.as_str(), "m-7");
/// assert_eq!(acknowledge.code, AcknowledgeCode::InvalidAccountId);
/// assert_eq!(message.advice(Direction::ToDevice), Advice::CorrectAccountId);
/// # Ok::<(), aia_proto::connection::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// The device asks for a connection.
    Connect(Connect),
    /// The service answers that.
    Acknowledge(Acknowledge),
    /// One of both ends the connection.
    Disconnect(Disconnect),
}

/// The device asks for a connection. The answer is an [`Acknowledge`].
///
/// ```
/// use aia_proto::{MessageId, connection::{Connect, Message}};
///
/// let connect = Connect::new(MessageId::new("m-7")?, "123456789012", "my-thing-01");
/// let payload = r#"{"awsAccountId":"123456789012","clientId":"my-thing-01"}"#;
/// let text = format!(r#"{{"header":{{"name":"Connect","messageId":"m-7"}},"payload":{payload}}}"#);
/// assert_eq!(Message::Connect(connect).encode(), text.as_bytes());
/// # Ok::<(), aia_proto::InvalidMessageId>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connect {
    /// What the answer names.
    pub message_id: MessageId,
    /// The AWS account, as it was registered; none when it is missing or not a string, which the service refuses.
    pub aws_account_id: Option<String>,
    /// The client id, as in the topic; none when it is missing or not a string, which the service refuses.
    pub client_id: Option<String>,
}

/// The service answers a [`Connect`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Acknowledge {
    /// Its own id, of which nothing depends; none when it is missing or cannot be one.
    pub message_id: Option<MessageId>,
    /// The id of the [`Connect`], byte for byte.
    pub connect_message_id: MessageId,
    /// Whether there is a connection, and what to do otherwise.
    pub code: AcknowledgeCode,
    /// Text for people, at most [`MAX_DESCRIPTION`] bytes.
    pub description: Option<String>,
}

/// The device or the service ends the connection. There is no answer, and the MQTT connection stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Disconnect {
    /// Its own id. The service drops a message without one; a device takes it, as the connection is over in any case.
    pub message_id: Option<MessageId>,
    /// Why; none when it is missing or not a string.
    pub code: Option<DisconnectCode>,
    /// Text for people, at most [`MAX_DESCRIPTION`] bytes.
    pub description: Option<String>,
}

/// How much of a description is kept and sent, in bytes (specification, Q46).
pub const MAX_DESCRIPTION: usize = 1024;

/// The longest message that is read, in bytes: AWS IoT Core carries no longer one (specification, section 2.3).
pub const MAX_MESSAGE: usize = 128 * 1024;

impl Message {
    /// Reads a message that goes in this direction: `connection/fromclient` is [`Direction::ToService`].
    ///
    /// Order, blanks and members that are not known do not matter. What may be missing is an `Option`.
    ///
    /// # Errors
    /// It is malformed or none of this direction: drop it (specification, section 14.3).
    pub fn decode(direction: Direction, text: &[u8]) -> Result<Self, MessageError> {
        decode::decode(direction, text)
    }

    /// The message as compact JSON. A description beyond [`MAX_DESCRIPTION`] is cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (id, payload) = match self {
            Self::Connect(connect) => (
                Some(&connect.message_id),
                Object::new([])
                    .with_text(AWS_ACCOUNT_ID, connect.aws_account_id.as_deref())
                    .with_text(CLIENT_ID, connect.client_id.as_deref()),
            ),
            Self::Acknowledge(acknowledge) => {
                let id = Member::Text(acknowledge.connect_message_id.as_str());
                let code = Member::Text(acknowledge.code.as_str());
                (
                    acknowledge.message_id.as_ref(),
                    Object::new([(CONNECT_MESSAGE_ID, id), (CODE, code)])
                        .with_text(DESCRIPTION, acknowledge.description.as_deref().map(cut)),
                )
            }
            Self::Disconnect(disconnect) => (
                disconnect.message_id.as_ref(),
                Object::new([])
                    .with_text(CODE, disconnect.code.as_ref().map(DisconnectCode::as_str))
                    .with_text(DESCRIPTION, disconnect.description.as_deref().map(cut)),
            ),
        };
        let header = Object::new([(NAME, Member::Text(self.name()))])
            .with_text(MESSAGE_ID, id.map(MessageId::as_str));
        Object::new([(HEADER, Member::Object(header)), (PAYLOAD, Member::Object(payload))]).to_vec()
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => CONNECT,
            Self::Acknowledge(_) => ACKNOWLEDGE,
            Self::Disconnect(_) => DISCONNECT,
        }
    }

    /// What it asks of the device when it went in this direction: nothing when the device sent it.
    #[must_use]
    pub fn advice(&self, direction: Direction) -> Advice {
        match (direction, self) {
            (Direction::ToService, _) | (_, Self::Connect(_)) => Advice::None,
            (_, Self::Acknowledge(acknowledge)) => acknowledge.code.advice(),
            (_, Self::Disconnect(disconnect)) => disconnect.advice(),
        }
    }
}

impl Connect {
    /// The one that a device sends.
    #[must_use]
    pub fn new(
        message_id: MessageId,
        aws_account_id: impl Into<String>,
        client_id: impl Into<String>,
    ) -> Self {
        let aws_account_id = Some(aws_account_id.into());
        Self { message_id, aws_account_id, client_id: Some(client_id.into()) }
    }
}

impl Acknowledge {
    /// The answer to this `Connect`, without description.
    #[must_use]
    pub const fn new(
        message_id: MessageId,
        connect_message_id: MessageId,
        code: AcknowledgeCode,
    ) -> Self {
        Self { message_id: Some(message_id), connect_message_id, code, description: None }
    }

    /// The same with a text for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Disconnect {
    /// The end for this reason, without description.
    #[must_use]
    pub const fn new(message_id: MessageId, code: DisconnectCode) -> Self {
        Self { message_id: Some(message_id), code: Some(code), description: None }
    }

    /// The same with a text for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// What it asks of a device that receives it: without a code, to reconnect.
    #[must_use]
    pub fn advice(&self) -> Advice {
        self.code.as_ref().map_or(Advice::Reconnect, DisconnectCode::advice)
    }
}

/// As much of a description as is kept.
pub(crate) fn cut(description: &str) -> &str {
    if description.len() <= MAX_DESCRIPTION {
        return description;
    }
    let end = (0..=MAX_DESCRIPTION).rev().find(|end| description.is_char_boundary(*end));
    description.get(..end.unwrap_or(0)).unwrap_or_default()
}

const HEADER: &str = "header";
const NAME: &str = "name";
const MESSAGE_ID: &str = "messageId";
const PAYLOAD: &str = "payload";
const AWS_ACCOUNT_ID: &str = "awsAccountId";
const CLIENT_ID: &str = "clientId";
const CONNECT_MESSAGE_ID: &str = "connectMessageId";
pub(crate) const CODE: &str = "code";
pub(crate) const DESCRIPTION: &str = "description";
const CONNECT: &str = "Connect";
const ACKNOWLEDGE: &str = "Acknowledge";
const DISCONNECT: &str = "Disconnect";
