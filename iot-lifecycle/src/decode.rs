//! From a payload to an event (specification section 2.5).

use alloc::borrow::{Cow, ToOwned as _};
use core::str;

use crate::{
    DecodeError, Event, Field, FieldMap, FieldNames, JsonType, PrincipalIdentifier, Topic,
    TopicError, TopicKind,
    decode_error::MAX_PAYLOAD_BYTES,
    json,
    payload::{Payload, not_an_object},
    topic::check_client_id,
};

/// How payloads are read: plain configuration, one for any number of payloads.
///
/// | | lenient, the default | strict |
/// | --- | --- | --- |
/// | integer as text (`"0"`), or with a zero fraction (`1.7e12`) | read | refused |
/// | `clientInitiatedDisconnect` as text | read | refused |
/// | `null` for an optional field, `""` for `ipAddress` | absent | refused, kept |
/// | `eventType` absent | taken from the topic, if there is one | refused |
/// | a name twice in the object | the last counts | refused |
///
/// Both ignore fields they do not know and keep an unknown `eventType`. Decoding borrows from the payload: it allocates
/// for the list of `topics`, for texts with escapes in them, and for nothing else.
///
/// ```
/// use iot_lifecycle::{Decoder, EventKind};
///
/// let event = Decoder::lenient().decode(
///     br#"{"clientId":"device-1","timestamp":1573002340451,"eventType":"disconnected","versionNumber":"4"}"#,
/// )?;
/// assert_eq!(event.client_id, "device-1");
/// let EventKind::Disconnected(disconnected) = event.kind else { unreachable!() };
/// assert_eq!(disconnected.version_number, Some(4));
/// # Ok::<(), iot_lifecycle::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Decoder {
    strict: bool,
    accept_seconds: bool,
    field_map: FieldMap,
}

impl Decoder {
    /// Accepts what public material shows producers and queues to do to these payloads.
    #[must_use]
    pub fn lenient() -> Self {
        Self::default()
    }

    /// Accepts exactly the documented types.
    #[must_use]
    pub fn strict() -> Self {
        Self { strict: true, ..Self::default() }
    }

    /// Takes a `timestamp` below 10^11, which as milliseconds lies before March 1973, as seconds.
    #[must_use]
    pub const fn accept_seconds(mut self) -> Self {
        self.accept_seconds = true;
        self
    }

    /// Reads payloads that a rule has reshaped.
    #[must_use]
    pub fn with_field_map(mut self, field_map: FieldMap) -> Self {
        self.field_map = field_map;
        self
    }

    /// Reads one event.
    ///
    /// # Errors
    /// Says what is not as expected, and in which field.
    pub fn decode<'a>(&self, payload: &'a [u8]) -> Result<Event<'a>, DecodeError> {
        self.read(None, payload)
    }

    /// Reads one event that came on a topic, which must agree with it.
    ///
    /// ```
    /// use iot_lifecycle::{DecodeError, Decoder, Topic};
    ///
    /// let topic = Topic::parse("$aws/events/presence/connected/device-1")?;
    /// let decoder = Decoder::lenient();
    /// let event = decoder.decode_with_topic(&topic, br#"{"clientId":"device-1","timestamp":1573002340451}"#)?;
    /// assert_eq!(event.kind.event_type(), "connected");
    ///
    /// let other = br#"{"clientId":"device-2","timestamp":1573002340451}"#;
    /// let error = decoder.decode_with_topic(&topic, other).unwrap_err();
    /// assert!(matches!(error, DecodeError::ClientIdMismatch { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and [`DecodeError::KindMismatch`] or [`DecodeError::ClientIdMismatch`] when topic
    /// and payload contradict each other.
    pub fn decode_with_topic<'a>(
        &self,
        topic: &Topic<'_>,
        payload: &'a [u8],
    ) -> Result<Event<'a>, DecodeError> {
        self.read(Some(topic), payload)
    }

    fn read<'a>(
        &self,
        topic: Option<&Topic<'_>>,
        payload: &'a [u8],
    ) -> Result<Event<'a>, DecodeError> {
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(DecodeError::PayloadTooLarge { bytes: payload.len() });
        }
        let text = str::from_utf8(payload)
            .map_err(|error| DecodeError::NotUtf8 { position: error.valid_up_to() })?;
        match self.field_map.around() {
            None => self.read_object(topic, None, text),
            Some((container, inner_topic)) => {
                let (object, name) = around(text, container, inner_topic)?;
                let inner_topic = match &name {
                    Some(name) => lifecycle_topic(name)?,
                    None => None,
                };
                self.read_object(topic, inner_topic.as_ref(), object)
            }
        }
    }

    #[inline]
    fn read_object<'a>(
        &self,
        topic: Option<&Topic<'_>>,
        inner_topic: Option<&Topic<'_>>,
        object: &'a str,
    ) -> Result<Event<'a>, DecodeError> {
        let mut payload = Payload::new(object, self.strict);
        payload.find(&self.field_map)?;
        let event_type = payload.text(Field::EventType)?;
        let client_id = payload.text(Field::ClientId)?;
        let client_id = payload.required(Field::ClientId, client_id)?;
        check_client_id(&client_id)?;
        if let Some(topic) = topic {
            agree(topic, event_type.as_deref(), &client_id)?;
        }
        if let Some(topic) = inner_topic {
            agree(topic, event_type.as_deref(), &client_id)?;
        }
        let kind = match (event_type, topic.or(inner_topic)) {
            (Some(event_type), _) => TopicKind::from_event_type(&event_type).ok_or(event_type),
            (None, Some(topic)) if !self.strict => Ok(topic.kind()),
            (None, _) => return Err(payload.missing(Field::EventType)),
        };
        Ok(Event {
            client_id,
            timestamp: payload.timestamp(self.accept_seconds)?,
            session_identifier: payload.text(Field::SessionIdentifier)?,
            principal_identifier: payload
                .text(Field::PrincipalIdentifier)?
                .map(PrincipalIdentifier::new),
            ip_address: payload
                .text(Field::IpAddress)?
                .filter(|address| self.strict || !address.is_empty()),
            thing_name: payload.text(Field::ThingName)?,
            kind: payload.kind(kind)?,
        })
    }
}

/// Reads the topic of an event; none when the event has come by way of a topic that is not the service's own.
pub(crate) fn lifecycle_topic(name: &str) -> Result<Option<Topic<'_>>, DecodeError> {
    match Topic::parse(name) {
        Ok(topic) => Ok(Some(topic)),
        Err(TopicError::NotLifecycle) => Ok(None),
        Err(error) => Err(DecodeError::Topic(error)),
    }
}

/// The object that holds the event, and the name of its topic, in a payload that a rule has reshaped.
fn around<'a>(
    text: &'a str,
    container: Option<&str>,
    topic: Option<&str>,
) -> Result<(&'a str, Option<Cow<'a, str>>), DecodeError> {
    let (mut object, mut name) = (None, None);
    json::members(text, |member, value| {
        if container == Some(&*member) && value.json_type() != JsonType::Null {
            object = Some(value);
        }
        if topic == Some(&*member) && value.json_type() == JsonType::String {
            name = value.text();
        }
        Ok(())
    })
    .map_err(|error: DecodeError| not_an_object(text).unwrap_or(error))?;
    match (container, object) {
        (None, _) => Ok((text, name)),
        (Some(_), Some(object)) if object.json_type() == JsonType::Object => Ok((object.raw, name)),
        (Some(_), Some(object)) => Err(DecodeError::NotAnObject { found: object.json_type() }),
        (Some(container), None) => Err(DecodeError::MissingContainer {
            container: container.into(),
            arrived: FieldNames::of(text),
        }),
    }
}

fn agree(topic: &Topic<'_>, event_type: Option<&str>, client_id: &str) -> Result<(), DecodeError> {
    if let Some(event_type) = event_type.filter(|text| *text != topic.kind().event_type()) {
        return Err(DecodeError::KindMismatch {
            topic: topic.kind(),
            payload: event_type.chars().take(32).collect(),
        });
    }
    if client_id != topic.client_id() {
        return Err(DecodeError::ClientIdMismatch {
            topic: topic.client_id().into(),
            payload: client_id.to_owned(),
        });
    }
    Ok(())
}
