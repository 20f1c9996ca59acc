//! Where the fields are when a rule has reshaped the payload.

use alloc::{string::String, vec::Vec};

use crate::Field;

/// Names that a rule's SQL gave to fields, and the member it put the event in (specification section 2.6).
///
/// The default is the service's own shape. Whatever the map says, a field under its wire name is read too, and wins.
///
/// It is for lifecycle events that were reshaped. What a rule makes up out of other topics carries another clock and
/// does not belong in their order: see [`Order::TimestampOnly`](crate::Order::TimestampOnly).
///
/// ```
/// use iot_lifecycle::{Decoder, Field, FieldMap};
///
/// // SELECT * as data, topic() as topic
/// let decoder = Decoder::lenient().with_field_map(FieldMap::new().container("data").topic("topic"));
/// let event = decoder.decode(
///     br#"{"data":{"clientId":"d","timestamp":1573002230757},"topic":"$aws/events/presence/connected/d"}"#,
/// )?;
/// assert_eq!(event.kind.event_type(), "connected");
///
/// // SELECT clientId as device_id, timestamp as at, eventType
/// let map = FieldMap::new().alias(Field::ClientId, "device_id").alias(Field::Timestamp, "at");
/// let event = Decoder::lenient().with_field_map(map)
///     .decode(br#"{"device_id":"d","at":1573002230757,"eventType":"connected"}"#)?;
/// assert_eq!(event.client_id, "d");
/// # Ok::<(), iot_lifecycle::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldMap {
    aliases: Vec<(String, Field)>,
    container: Option<String>,
    topic: Option<String>,
}

impl FieldMap {
    /// The service's own shape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A field also goes by this name. A name that the wire gives to another field stays that field's.
    #[must_use]
    pub fn alias(mut self, field: Field, name: impl Into<String>) -> Self {
        self.aliases.push((name.into(), field));
        self
    }

    /// The event is the object in this member of the payload; members beside it are not looked at.
    #[must_use]
    pub fn container(mut self, name: impl Into<String>) -> Self {
        self.container = Some(name.into());
        self
    }

    /// The topic of the event is the text in this member of the payload, when it has one.
    #[must_use]
    pub fn topic(mut self, name: impl Into<String>) -> Self {
        self.topic = Some(name.into());
        self
    }

    /// Whether fields go by their names on the wire only.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.aliases.is_empty()
    }

    pub(crate) fn field(&self, name: &str) -> Option<Field> {
        let known = self.aliases.iter().find(|(alias, _)| alias == name);
        known.map(|(_, field)| *field)
    }

    /// The members that hold the event and its topic, when the map speaks of either.
    #[inline]
    pub(crate) fn around(&self) -> Option<(Option<&str>, Option<&str>)> {
        match (&self.container, &self.topic) {
            (None, None) => None,
            (container, topic) => Some((container.as_deref(), topic.as_deref())),
        }
    }
}
