//! The members of the JSON objects that SNS and Lambda deliver, read in one pass.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{
    JsonType,
    json::{Value, members},
    sns::EnvelopeError,
};

/// A member that means something to the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Type,
    MessageId,
    TopicArn,
    Subject,
    Message,
    Timestamp,
    Token,
    SubscribeUrl,
    SignatureVersion,
    Signature,
    SigningCertUrl,
    /// As Lambda spells it.
    SigningCertUrlLambda,
    UnsubscribeUrl,
    /// As Lambda spells it.
    UnsubscribeUrlLambda,
    MessageAttributes,
    Records,
    Header,
    Payload,
}

/// What an object says about a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Slot<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
    /// A text with half of a surrogate pair in it.
    Unpaired,
    Other(Value<'a>),
}

/// The members of an object by name.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    slots: [Slot<'a>; Member::COUNT],
    names: Names<'a>,
}

/// Finds names that an object has twice.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    unknown: Vec<Cow<'a, str>>,
    twice: Option<Cow<'a, str>>,
}

impl Member {
    const COUNT: usize = Self::Payload as usize + 1;

    #[inline]
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "Type" => Self::Type,
            "MessageId" => Self::MessageId,
            "TopicArn" => Self::TopicArn,
            "Subject" => Self::Subject,
            "Message" => Self::Message,
            "Timestamp" => Self::Timestamp,
            "Token" => Self::Token,
            "SubscribeURL" => Self::SubscribeUrl,
            "SignatureVersion" => Self::SignatureVersion,
            "Signature" => Self::Signature,
            "SigningCertURL" => Self::SigningCertUrl,
            "SigningCertUrl" => Self::SigningCertUrlLambda,
            "UnsubscribeURL" => Self::UnsubscribeUrl,
            "UnsubscribeUrl" => Self::UnsubscribeUrlLambda,
            "MessageAttributes" => Self::MessageAttributes,
            "Records" => Self::Records,
            "header" => Self::Header,
            "payload" => Self::Payload,
            _ => return None,
        })
    }

    /// As it is spelled over HTTP.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Type => "Type",
            Self::MessageId => "MessageId",
            Self::TopicArn => "TopicArn",
            Self::Subject => "Subject",
            Self::Message => "Message",
            Self::Timestamp => "Timestamp",
            Self::Token => "Token",
            Self::SubscribeUrl => "SubscribeURL",
            Self::SignatureVersion => "SignatureVersion",
            Self::Signature => "Signature",
            Self::SigningCertUrl | Self::SigningCertUrlLambda => "SigningCertURL",
            Self::UnsubscribeUrl | Self::UnsubscribeUrlLambda => "UnsubscribeURL",
            Self::MessageAttributes => "MessageAttributes",
            Self::Records => "Records",
            Self::Header => "header",
            Self::Payload => "payload",
        }
    }

    const fn is_text(self) -> bool {
        !matches!(self, Self::MessageAttributes | Self::Records | Self::Header | Self::Payload)
    }
}

impl<'a> Slot<'a> {
    fn of(value: Value<'a>) -> Self {
        match value.json_type() {
            JsonType::Null => Self::Null,
            JsonType::String => value.text().map_or(Self::Unpaired, Self::Text),
            _ => Self::Other(value),
        }
    }

    /// Whether it is a string, even one that is no text.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Unpaired)
    }

    /// The text, if there is one; `member` is for the error.
    pub(super) fn text(self, member: Member) -> Result<Option<Cow<'a, str>>, EnvelopeError> {
        let member = member.name();
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Unpaired => Err(EnvelopeError::UnpairedSurrogate { member }),
            Self::Null => Err(EnvelopeError::WrongType { member, found: JsonType::Null }),
            Self::Other(value) => {
                Err(EnvelopeError::WrongType { member, found: value.json_type() })
            }
        }
    }

    /// The value, if it is of this type.
    pub(super) fn value(&self, json_type: JsonType) -> Option<Value<'a>> {
        match self {
            Self::Other(value) if value.json_type() == json_type => Some(*value),
            _ => None,
        }
    }
}

impl<'a> Members<'a> {
    /// Reads an object in which no name is there twice.
    pub(super) fn read(object: &'a str) -> Result<Self, EnvelopeError> {
        if !object.trim_ascii_start().starts_with('{') {
            return Err(EnvelopeError::NotAnObject);
        }
        let mut read = Self::default();
        let mut json = serde_json::Deserializer::from_str(object);
        if json.deserialize_map(Ordinary(&mut read)).and_then(|()| json.end()).is_err() {
            // A member of a type that it never has, or no JSON: looked at once more, with an eye on which.
            read = Self::read_any(object)?;
        }
        read.names.check()?;
        Ok(read)
    }

    fn read_any(object: &'a str) -> Result<Self, EnvelopeError> {
        let mut read = Self::default();
        members(object, |name, value| {
            match Member::of(&name) {
                Some(member) => read.put(member, Slot::of(value), name),
                None => read.names.unknown(name),
            }
            Ok::<_, EnvelopeError>(())
        })?;
        Ok(read)
    }

    #[inline]
    fn put(&mut self, member: Member, found: Slot<'a>, name: Cow<'a, str>) {
        let slot = &mut self.slots[member as usize];
        if !matches!(slot, Slot::Absent) {
            self.names.twice(name);
        }
        *slot = found;
    }

    /// What there is of a member.
    pub(super) fn get(&self, member: Member) -> &Slot<'a> {
        &self.slots[member as usize]
    }

    /// Whether there is such a member, whatever it is.
    pub(super) fn has(&self, member: Member) -> bool {
        !matches!(self.get(member), Slot::Absent)
    }

    /// Takes a member out.
    pub(super) fn take(&mut self, member: Member) -> Slot<'a> {
        core::mem::take(&mut self.slots[member as usize])
    }
}

impl<'a> Names<'a> {
    /// Notes a name that is not looked for.
    pub(super) fn unknown(&mut self, name: Cow<'a, str>) {
        self.unknown.push(name);
    }

    /// Notes a name that has come before.
    pub(super) fn twice(&mut self, name: Cow<'a, str>) {
        self.twice.get_or_insert(name);
    }

    /// Sorts what was noted, so that even a body full of names takes no longer than that.
    pub(super) fn check(&mut self) -> Result<(), EnvelopeError> {
        let name = self.twice.take().or_else(|| {
            self.unknown.sort_unstable();
            let twice = self.unknown.windows(2).find(|pair| pair[0] == pair[1]);
            twice.map(|pair| pair[0].clone())
        });
        match name {
            Some(name) => Err(EnvelopeError::DuplicateMember { name: shortened(&name) }),
            None => Ok(()),
        }
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(32).collect()
}

/// Reads an object whose members are of the types that they should be, without looking at a text twice.
struct Ordinary<'m, 'a>(&'m mut Members<'a>);

impl<'de> Visitor<'de> for Ordinary<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self(read) = self;
        while let Some(key) = map.next_key_seed(Key)? {
            match key {
                Ok(member) => {
                    let found = if member.is_text() {
                        map.next_value_seed(Text)?
                    } else {
                        Slot::of(Value { raw: map.next_value::<&RawValue>()?.get() })
                    };
                    read.put(member, found, Cow::Borrowed(member.name()));
                }
                Err(name) => {
                    map.next_value::<IgnoredAny>()?;
                    read.names.unknown(name);
                }
            }
        }
        Ok(())
    }
}

/// The name of a member, told apart without being kept.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Result<Member, Cow<'de, str>>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Result<Member, Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Member::of(name).ok_or(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Member::of(name).ok_or_else(|| Cow::Owned(name.into())))
    }
}

/// A text or null, borrowed unless it has escapes.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Slot<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Slot<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Slot::Null)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_str(self)
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Slot::Text(Cow::Borrowed(text)))
    }

    #[inline]
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Slot::Text(Cow::Owned(text.into())))
    }
}
