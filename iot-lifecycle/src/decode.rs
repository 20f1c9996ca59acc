//! From a payload to an event (specification section 2.5).

use alloc::{
    borrow::{Cow, ToOwned as _},
    collections::BTreeSet,
    vec::Vec,
};
use core::str;

use iot_sansio::UnixMillis;

use crate::{
    ConnectFailed, Connected, DecodeError, Disconnected, Event, EventKind, Field, FieldMap,
    FieldNames, JsonType, PrincipalIdentifier, Topic, TopicError, TopicKind, Topics, UnknownKind,
    decode_error::MAX_PAYLOAD_BYTES,
    json::{self, Value},
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
        let payload = Payload::find(self, object)?;
        let event_type = payload.text(Field::EventType)?;
        let client_id = payload.text(Field::ClientId)?;
        let client_id = payload.required(Field::ClientId, client_id)?;
        check_client_id(&client_id)?;
        for topic in [topic, inner_topic].into_iter().flatten() {
            agree(topic, event_type.as_deref(), &client_id)?;
        }
        let kind = match (event_type, topic.or(inner_topic)) {
            (Some(event_type), _) => TopicKind::from_event_type(&event_type).ok_or(event_type),
            (None, Some(topic)) if !self.strict => Ok(topic.kind()),
            (None, _) => return Err(payload.missing(Field::EventType)),
        };
        Ok(Event {
            client_id,
            timestamp: payload.timestamp()?,
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

/// The values of the fields, found but not yet converted: which of them matter depends on the kind.
struct Payload<'a, 'd> {
    values: [Option<Value<'a>>; Field::COUNT],
    object: &'a str,
    decoder: &'d Decoder,
}

impl<'a, 'd> Payload<'a, 'd> {
    #[inline]
    fn find(decoder: &'d Decoder, object: &'a str) -> Result<Self, DecodeError> {
        let mut values = [None; Field::COUNT];
        // Which of them an alias gave, one bit a field: a wire name takes precedence.
        let mut aliased = 0_u16;
        let mut others = BTreeSet::new();
        let found = json::members(object, |name, value| {
            let known = Field::from_name(&name);
            let field = known.or_else(|| decoder.field_map.field(&name));
            if decoder.strict && known.is_none() && !others.insert(name.clone()) {
                return Err(duplicate(&name));
            }
            let Some(field) = field else { return Ok(()) };
            let bit = 1 << field as u16;
            let slot = &mut values[field as usize];
            if known.is_some() {
                if decoder.strict && slot.is_some() && aliased & bit == 0 {
                    return Err(duplicate(&name));
                }
                aliased &= !bit;
                *slot = Some(value);
            } else if slot.is_none() || aliased & bit != 0 {
                aliased |= bit;
                *slot = Some(value);
            }
            Ok(())
        });
        match found {
            Ok(()) => Ok(Self { values, object, decoder }),
            Err(error) => Err(not_an_object(object).unwrap_or(error)),
        }
    }

    #[inline]
    fn value(&self, field: Field) -> Option<Value<'a>> {
        let value = self.values[field as usize]?;
        (self.decoder.strict || value.json_type() != JsonType::Null).then_some(value)
    }

    #[inline]
    fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, DecodeError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        if value.json_type() != JsonType::String {
            return Err(self.wrong_type(field, JsonType::String, value));
        }
        text(field, value).map(Some)
    }

    #[inline]
    fn integer(&self, field: Field) -> Result<Option<i64>, DecodeError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        match value.json_type() {
            JsonType::Number => match value.raw.parse() {
                Ok(integer) => Ok(Some(integer)),
                Err(_) => self.odd_number(field, value.raw).map(Some),
            },
            JsonType::String if !self.decoder.strict => {
                decimal(field, &text(field, value)?).map(Some)
            }
            _ => Err(self.wrong_type(field, JsonType::Number, value)),
        }
    }

    /// A number that is not an `i64` as it is written.
    #[cold]
    fn odd_number(&self, field: Field, number: &str) -> Result<i64, DecodeError> {
        if !number.contains(['.', 'e', 'E']) {
            return Err(DecodeError::OutOfRange { field });
        }
        let float: f64 = number.parse().unwrap_or(f64::INFINITY);
        // Below 2^53 every integer has a float of its own.
        if !self.decoder.strict && float.abs() >= EXACT_FLOATS {
            return Err(DecodeError::OutOfRange { field });
        }
        if self.decoder.strict || float % 1.0 != 0.0 {
            return Err(DecodeError::NotAnInteger { field });
        }
        #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53 in magnitude")]
        Ok(float as i64)
    }

    fn boolean(&self, field: Field) -> Result<Option<bool>, DecodeError> {
        let Some(value) = self.value(field) else {
            return Ok(None);
        };
        let text = value.string().filter(|_| !self.decoder.strict);
        match text.as_deref().unwrap_or(value.raw) {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(self.wrong_type(field, JsonType::Boolean, value)),
        }
    }

    fn timestamp(&self) -> Result<UnixMillis, DecodeError> {
        let field = Field::Timestamp;
        let timestamp = self.required(field, self.integer(field)?)?;
        if timestamp >= LEAST_MILLIS {
            return Ok(UnixMillis::new(timestamp));
        }
        if !self.decoder.accept_seconds {
            return Err(DecodeError::TimestampLooksLikeSeconds { timestamp });
        }
        match timestamp.checked_mul(1_000) {
            Some(millis) => Ok(UnixMillis::new(millis)),
            None => Err(DecodeError::OutOfRange { field }),
        }
    }

    fn version_number(&self) -> Result<Option<i64>, DecodeError> {
        let field = Field::VersionNumber;
        match self.integer(field)? {
            Some(version) if version < 0 => Err(DecodeError::OutOfRange { field }),
            version => Ok(version),
        }
    }

    fn topics(&self) -> Result<Topics<'a>, DecodeError> {
        let field = Field::Topics;
        let array = self.required(field, self.value(field))?;
        if array.json_type() != JsonType::Array {
            return Err(self.wrong_type(field, JsonType::Array, array));
        }
        let mut topics = Vec::new();
        json::elements(array.raw, |value| {
            if value.json_type() != JsonType::String {
                return Err(self.wrong_type(field, JsonType::String, value));
            }
            topics.push(text(field, value)?);
            Ok(())
        })?;
        Ok(Topics { topics })
    }

    /// What belongs to a kind, or to an unknown one of this name; fields of other kinds are not looked at.
    fn kind(&self, kind: Result<TopicKind, Cow<'a, str>>) -> Result<EventKind<'a>, DecodeError> {
        Ok(match kind {
            Ok(TopicKind::Connected) => {
                EventKind::Connected(Connected { version_number: self.version_number()? })
            }
            Ok(TopicKind::Disconnected) => EventKind::Disconnected(Disconnected {
                version_number: self.version_number()?,
                client_initiated_disconnect: self.boolean(Field::ClientInitiatedDisconnect)?,
                disconnect_reason: self.text(Field::DisconnectReason)?.map(Into::into),
            }),
            Ok(TopicKind::ConnectFailed) => EventKind::ConnectFailed(ConnectFailed {
                connect_failure_reason: self.text(Field::ConnectFailureReason)?.map(Into::into),
            }),
            Ok(TopicKind::Subscribed) => EventKind::Subscribed(self.topics()?),
            Ok(TopicKind::Unsubscribed) => EventKind::Unsubscribed(self.topics()?),
            Err(event_type) => EventKind::Unknown(UnknownKind::new(event_type)),
        })
    }

    #[inline]
    fn required<T>(&self, field: Field, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.missing(field))
    }

    #[cold]
    fn missing(&self, field: Field) -> DecodeError {
        DecodeError::MissingField { field, arrived: FieldNames::of(self.object) }
    }

    #[cold]
    fn wrong_type(&self, field: Field, expected: JsonType, value: Value<'_>) -> DecodeError {
        DecodeError::WrongType {
            field,
            expected,
            found: value.json_type(),
            arrived: FieldNames::of(self.object),
        }
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

/// The error of a well-formed text that is something else.
#[cold]
fn not_an_object(text: &str) -> Option<DecodeError> {
    match Value::parse(text).ok()?.json_type() {
        JsonType::Object => None,
        found => Some(DecodeError::NotAnObject { found }),
    }
}

#[cold]
fn duplicate(name: &str) -> DecodeError {
    DecodeError::DuplicateKey { key: name.chars().take(32).collect() }
}

#[inline]
fn text(field: Field, value: Value<'_>) -> Result<Cow<'_, str>, DecodeError> {
    value.text().ok_or(DecodeError::UnpairedSurrogate { field })
}

fn decimal(field: Field, text: &str) -> Result<i64, DecodeError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::NotAnInteger { field });
    }
    text.parse().map_err(|_| DecodeError::OutOfRange { field })
}

#[inline]
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

/// In milliseconds, 3 March 1973; in seconds, the year 5138.
const LEAST_MILLIS: i64 = 100_000_000_000;

/// 2^53.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;
