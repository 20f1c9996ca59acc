//! What makes two deliveries the same.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::Event;

/// One message or event: the SHA-256 of what identifies it, so that what is remembered of each has the same size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

/// What one delivery is known by, at both levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Keys {
    pub(super) message: Key,
    pub(super) event: Option<Key>,
}

impl Key {
    /// A message, by its `MessageId`.
    #[must_use]
    pub fn of_message(message_id: &str) -> Self {
        Self::of(MESSAGE, &[message_id.as_bytes()])
    }

    /// An event, by its type and its `eventId.id`.
    #[must_use]
    pub fn of_event(event: &Event<'_>) -> Self {
        let event_type = event.event_type();
        let parts = [event_type.namespace(), event_type.name(), event.id()];
        Self::of(EVENT, &parts.map(str::as_bytes))
    }

    /// Bytes that carry nothing to identify them by.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(BYTES, &[bytes])
    }

    /// Each part after its length, so that no two lists of parts run into the same bytes.
    fn of(level: u8, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix([level]);
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl Keys {
    /// An event in a message.
    #[must_use]
    pub fn of_event(message_id: &str, event: &Event<'_>) -> Self {
        Self { message: Key::of_message(message_id), event: Some(Key::of_event(event)) }
    }

    /// A message that holds no event.
    #[must_use]
    pub fn of_message(message_id: &str) -> Self {
        Self { message: Key::of_message(message_id), event: None }
    }

    /// A raw delivery, which has no `MessageId`, and the event in it if it is one.
    #[must_use]
    pub fn of_raw(bytes: &[u8], event: Option<&Event<'_>>) -> Self {
        Self { message: Key::of_bytes(bytes), event: event.map(Key::of_event) }
    }
}

const MESSAGE: u8 = 1;
const EVENT: u8 = 2;
const BYTES: u8 = 3;
