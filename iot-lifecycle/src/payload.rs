//! The fields of a payload: found, and converted once it is known which of them matter.

use alloc::{borrow::Cow, collections::BTreeSet, vec::Vec};
use core::fmt;

use iot_sansio::UnixMillis;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    ConnectFailed, Connected, DecodeError, Disconnected, EventKind, Field, FieldMap, FieldNames,
    JsonType, TopicKind, Topics, UnknownKind,
    json::{self, Value},
    scalar::{ReadScalar, Scalar},
};

/// An object and the values of its fields.
pub(crate) struct Payload<'a> {
    values: Values<'a>,
    object: &'a str,
    strict: bool,
}

type Values<'a> = [Option<Scalar<'a>>; Field::COUNT];

impl<'a> Payload<'a> {
    #[inline]
    pub(crate) const fn new(object: &'a str, strict: bool) -> Self {
        Self { values: [None; Field::COUNT], object, strict }
    }

    /// Finds the values: at one look where the names are the service's and no value is odd, else at a slower one that
    /// minds everything.
    #[inline]
    pub(crate) fn find(&mut self, map: &FieldMap) -> Result<(), DecodeError> {
        if !self.strict && map.is_plain() && self.read().is_ok() {
            return Ok(());
        }
        self.find_odd(map)
    }

    #[inline]
    fn read(&mut self) -> serde_json::Result<()> {
        let mut json = serde_json::Deserializer::from_str(self.object);
        json.deserialize_map(ReadFields(&mut self.values))?;
        json.end()
    }

    /// Finds each value as it is written, and then reads it.
    #[cold]
    fn find_odd(&mut self, map: &FieldMap) -> Result<(), DecodeError> {
        let mut values = [None; Field::COUNT];
        // Which of them an alias gave, one bit a field: a wire name takes precedence.
        let mut aliased = 0_u16;
        let mut others = BTreeSet::new();
        let found = json::members(self.object, |name, value| {
            let known = Field::from_name(&name);
            let field = known.or_else(|| map.field(&name));
            if self.strict && known.is_none() && !others.insert(name.clone()) {
                return Err(duplicate(&name));
            }
            let Some(field) = field else { return Ok(()) };
            let bit = 1 << field as u16;
            let slot = &mut values[field as usize];
            if known.is_some() {
                if self.strict && slot.is_some() && aliased & bit == 0 {
                    return Err(duplicate(&name));
                }
                aliased &= !bit;
                *slot = Some(value.into());
            } else if slot.is_none() || aliased & bit != 0 {
                aliased |= bit;
                *slot = Some(value.into());
            }
            Ok(())
        });
        self.values = values;
        found.map_err(|error| not_an_object(self.object).unwrap_or(error))
    }

    /// The value of a field; a lenient decoder takes null for none.
    #[inline]
    fn value(&self, field: Field) -> Option<Scalar<'a>> {
        match self.values[field as usize] {
            Some(Scalar::Null) if !self.strict => None,
            value => value,
        }
    }

    #[inline]
    pub(crate) fn text(&self, field: Field) -> Result<Option<Cow<'a, str>>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Scalar::Text(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(odd) => self.odd_text(field, odd).map(Some),
        }
    }

    #[cold]
    fn odd_text(&self, field: Field, value: Scalar<'a>) -> Result<Cow<'a, str>, DecodeError> {
        match value {
            Scalar::Text(text) => Ok(Cow::Borrowed(text)),
            Scalar::Odd(value) if value.json_type() == JsonType::String => {
                value.text().ok_or(DecodeError::UnpairedSurrogate { field })
            }
            _ => Err(self.wrong_type(field, JsonType::String, value)),
        }
    }

    #[inline]
    fn integer(&self, field: Field) -> Result<Option<i64>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Scalar::Integer(integer)) => Ok(Some(integer)),
            Some(odd) => self.odd_integer(field, odd).map(Some),
        }
    }

    #[cold]
    fn odd_integer(&self, field: Field, value: Scalar<'a>) -> Result<i64, DecodeError> {
        match value {
            Scalar::Odd(value) if value.json_type() == JsonType::Number => {
                odd_number(field, value.raw, self.strict)
            }
            _ if !self.strict && value.json_type() == JsonType::String => {
                decimal(field, &self.odd_text(field, value)?)
            }
            _ => Err(self.wrong_type(field, JsonType::Number, value)),
        }
    }

    #[inline]
    fn boolean(&self, field: Field) -> Result<Option<bool>, DecodeError> {
        match self.value(field) {
            None => Ok(None),
            Some(Scalar::Boolean(boolean)) => Ok(Some(boolean)),
            Some(odd) => self.odd_boolean(field, odd).map(Some),
        }
    }

    #[cold]
    fn odd_boolean(&self, field: Field, value: Scalar<'a>) -> Result<bool, DecodeError> {
        let text = self.odd_text(field, value).ok().filter(|_| !self.strict);
        match text.as_deref() {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ => Err(self.wrong_type(field, JsonType::Boolean, value)),
        }
    }

    #[inline]
    pub(crate) fn timestamp(&self, accept_seconds: bool) -> Result<UnixMillis, DecodeError> {
        let field = Field::Timestamp;
        let timestamp = self.required(field, self.integer(field)?)?;
        if timestamp >= LEAST_MILLIS {
            return Ok(UnixMillis::new(timestamp));
        }
        if !accept_seconds {
            return Err(DecodeError::TimestampLooksLikeSeconds { timestamp });
        }
        match timestamp.checked_mul(1_000) {
            Some(millis) => Ok(UnixMillis::new(millis)),
            None => Err(DecodeError::OutOfRange { field }),
        }
    }

    #[inline]
    fn version_number(&self) -> Result<Option<i64>, DecodeError> {
        let field = Field::VersionNumber;
        match self.integer(field)? {
            Some(version) if version < 0 => Err(DecodeError::OutOfRange { field }),
            version => Ok(version),
        }
    }

    fn topics(&self) -> Result<Topics<'a>, DecodeError> {
        let field = Field::Topics;
        let array = match self.required(field, self.value(field))? {
            Scalar::Odd(value) if value.json_type() == JsonType::Array => value,
            value => return Err(self.wrong_type(field, JsonType::Array, value)),
        };
        let mut topics = Vec::new();
        json::elements(array.raw, |value| {
            topics.push(self.odd_text(field, value.into())?);
            Ok::<_, DecodeError>(())
        })?;
        Ok(Topics { topics })
    }

    /// What belongs to a kind, or to an unknown one of this name; fields of other kinds are not looked at.
    #[inline]
    pub(crate) fn kind(
        &self,
        kind: Result<TopicKind, Cow<'a, str>>,
    ) -> Result<EventKind<'a>, DecodeError> {
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
    pub(crate) fn required<T>(&self, field: Field, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.missing(field))
    }

    #[cold]
    pub(crate) fn missing(&self, field: Field) -> DecodeError {
        DecodeError::MissingField { field, arrived: FieldNames::of(self.object) }
    }

    #[cold]
    fn wrong_type(&self, field: Field, expected: JsonType, value: Scalar<'_>) -> DecodeError {
        DecodeError::WrongType {
            field,
            expected,
            found: value.json_type(),
            arrived: FieldNames::of(self.object),
        }
    }
}

/// Reads the values of the fields of an object; of a name that is there twice the last one counts.
struct ReadFields<'a, 'v>(&'v mut Values<'a>);

impl<'de> Visitor<'de> for ReadFields<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(field) = object.next_key_seed(ReadField)? {
            match field {
                Some(field) if field != Field::Topics => {
                    self.0[field as usize] = Some(object.next_value_seed(ReadScalar)?);
                }
                _ => {
                    let raw = object.next_value::<&RawValue>()?.get();
                    if field.is_some() {
                        self.0[Field::Topics as usize] = Some(Value { raw }.into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads the name of a field; none where it is that of something else.
struct ReadField;

impl<'de> DeserializeSeed<'de> for ReadField {
    type Value = Option<Field>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Option<Field>, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for ReadField {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<Option<Field>, E> {
        Ok(Field::from_name(name))
    }
}

/// The error of a well-formed text that is something else.
#[cold]
pub(crate) fn not_an_object(text: &str) -> Option<DecodeError> {
    match Value::parse(text).ok()?.json_type() {
        JsonType::Object => None,
        found => Some(DecodeError::NotAnObject { found }),
    }
}

#[cold]
fn duplicate(name: &str) -> DecodeError {
    DecodeError::DuplicateKey { key: name.chars().take(32).collect() }
}

/// A number that is not written as an `i64`.
#[cold]
fn odd_number(field: Field, number: &str, strict: bool) -> Result<i64, DecodeError> {
    if !number.contains(['.', 'e', 'E']) {
        return Err(DecodeError::OutOfRange { field });
    }
    let float: f64 = number.parse().unwrap_or(f64::INFINITY);
    // Below 2^53 every integer has a float of its own.
    if !strict && float.abs() >= EXACT_FLOATS {
        return Err(DecodeError::OutOfRange { field });
    }
    if strict || float % 1.0 != 0.0 {
        return Err(DecodeError::NotAnInteger { field });
    }
    #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53 in magnitude")]
    Ok(float as i64)
}

fn decimal(field: Field, text: &str) -> Result<i64, DecodeError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecodeError::NotAnInteger { field });
    }
    text.parse().map_err(|_| DecodeError::OutOfRange { field })
}

/// In milliseconds, 3 March 1973; in seconds, the year 5138.
const LEAST_MILLIS: i64 = 100_000_000_000;

/// 2^53.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;
