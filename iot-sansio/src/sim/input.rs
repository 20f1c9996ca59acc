//! Inputs that can wait.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::mqtt::{Closed, Done, Failed, Input, Link, Message, Opened};

/// An [`mqtt::Input`](Input) that owns its data, so that it can be on its way for a while.
///
/// ```
/// use iot_sansio::{mqtt::{Input, Link, Message}, sim::OwnedInput};
///
/// let input = Input::from(Message::new(Link::new(1), "a/b", b"payload"));
/// assert_eq!(OwnedInput::from(input).as_input(), input);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OwnedInput {
    /// A connection is up.
    Opened(Opened),
    /// A connection is gone, or could not be made.
    Closed(Closed),
    /// A message arrived.
    Message(OwnedMessage),
    /// An action succeeded.
    Done(Done),
    /// An action failed.
    Failed(Failed),
}

/// An [`mqtt::Message`](Message) that owns its data. `Debug` shows the length of its payload only.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OwnedMessage {
    /// The connection it came over.
    pub link: Link,
    /// Its topic name.
    pub topic: String,
    /// Its payload: any bytes.
    pub payload: Vec<u8>,
    /// Whether the broker sent a retained message.
    pub retain: bool,
}

impl OwnedMessage {
    fn as_message(&self) -> Message<'_> {
        Message::new(self.link, &self.topic, &self.payload).with_retain(self.retain)
    }
}

impl fmt::Debug for OwnedMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_message().fmt(f)
    }
}

impl OwnedInput {
    /// The input as a machine takes it.
    #[must_use]
    pub fn as_input(&self) -> Input<'_> {
        match self {
            Self::Opened(opened) => Input::Opened(*opened),
            Self::Closed(closed) => Input::Closed(*closed),
            Self::Message(message) => message.as_message().into(),
            Self::Done(done) => Input::Done(*done),
            Self::Failed(failed) => Input::Failed(*failed),
        }
    }

    /// The connection it is about.
    #[must_use]
    pub const fn link(&self) -> Link {
        match self {
            Self::Opened(opened) => opened.link,
            Self::Closed(closed) => closed.link,
            Self::Message(message) => message.link,
            Self::Done(done) => done.link,
            Self::Failed(failed) => failed.link,
        }
    }
}

impl From<Input<'_>> for OwnedInput {
    fn from(input: Input<'_>) -> Self {
        match input {
            Input::Opened(opened) => Self::Opened(opened),
            Input::Closed(closed) => Self::Closed(closed),
            Input::Message(message) => Self::Message(OwnedMessage {
                link: message.link,
                topic: message.topic.into(),
                payload: message.payload.into(),
                retain: message.retain,
            }),
            Input::Done(done) => Self::Done(done),
            Input::Failed(failed) => Self::Failed(failed),
        }
    }
}
