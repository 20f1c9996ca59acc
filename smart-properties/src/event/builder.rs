//! Events as the service writes them, for its side in simulations and for tests.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt::{self, Write as _};

use super::{Event, EventError, EventType, V2};
use crate::json::Value;

/// An event to be. Members come in the order of the documentation, and what is not given is absent. `Debug` shows as
/// little as that of an [`Event`] does.
///
/// ```
/// use smart_properties::{EventKind, event::EventBuilder};
///
/// let event_type = EventKind::SetupCompletion.event_type().expect("a type that is known");
/// let event = EventBuilder::new(event_type, "d-1")
///     .with_timestamp("2024-05-01T10:02:00Z")
///     .with_payload(r#"{"endpoint":{"id":"amzn1.alexa.endpoint.EP9"}}"#)
///     .encode()?;
/// assert!(event.starts_with(r#"{"header":{"version":"2.0","eventId":{"id":"d-1"},"eventType":{"#));
/// # Ok::<(), smart_properties::EventError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventBuilder<'a> {
    event_type: EventType<'a>,
    id: Cow<'a, str>,
    version: Cow<'a, str>,
    timestamp: Option<Cow<'a, str>>,
    entities: Option<Cow<'a, str>>,
    header_members: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    payload: Option<Cow<'a, str>>,
}

impl<'a> EventBuilder<'a> {
    /// An event of this type, with what is different for every event: `eventId.id`.
    pub fn new(event_type: EventType<'a>, id: impl Into<Cow<'a, str>>) -> Self {
        Self {
            event_type,
            id: id.into(),
            version: Cow::Borrowed(V2),
            timestamp: None,
            entities: None,
            header_members: Vec::new(),
            payload: None,
        }
    }

    /// Another `version` than `2.0`.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<Cow<'a, str>>) -> Self {
        self.version = version.into();
        self
    }

    /// `eventTime.timestamp`, for example `2024-05-01T10:00:00Z`.
    #[must_use]
    pub fn with_timestamp(mut self, timestamp: impl Into<Cow<'a, str>>) -> Self {
        self.timestamp = Some(timestamp.into());
        self
    }

    /// `entities`: the text of a JSON object of objects.
    #[must_use]
    pub fn with_entities(mut self, entities: impl Into<Cow<'a, str>>) -> Self {
        self.entities = Some(entities.into());
        self
    }

    /// One more member of the header: its name, and its value as JSON.
    #[must_use]
    pub fn with_header_member(
        mut self,
        name: impl Into<Cow<'a, str>>,
        json: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.header_members.push((name.into(), json.into()));
        self
    }

    /// `payload`: the text of a JSON object.
    #[must_use]
    pub fn with_payload(mut self, payload: impl Into<Cow<'a, str>>) -> Self {
        self.payload = Some(payload.into());
        self
    }

    /// The text of the event.
    ///
    /// # Errors
    /// As [`Event::decode`] says it, which reads what this writes; [`EventError::Malformed`] when a part that is given
    /// as JSON is none.
    pub fn encode(&self) -> Result<String, EventError> {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            r#"{{"header":{{"version":{},"eventId":{{"id":{}}},"eventType":{{"namespace":{},"name":{}}}"#,
            quoted(&self.version),
            quoted(&self.id),
            quoted(self.event_type.namespace()),
            quoted(self.event_type.name()),
        );
        if let Some(timestamp) = &self.timestamp {
            let _ = write!(text, r#","eventTime":{{"timestamp":{}}}"#, quoted(timestamp));
        }
        if let Some(entities) = &self.entities {
            let _ = write!(text, r#","entities":{}"#, Value::parse(entities)?.raw);
        }
        for (name, json) in &self.header_members {
            let _ = write!(text, ",{}:{}", quoted(name), Value::parse(json)?.raw);
        }
        text.push('}');
        if let Some(payload) = &self.payload {
            let _ = write!(text, r#","payload":{}"#, Value::parse(payload)?.raw);
        }
        text.push('}');
        Event::decode(text.as_bytes())?;
        Ok(text)
    }
}

impl fmt::Debug for EventBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBuilder")
            .field("version", &self.version)
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}
