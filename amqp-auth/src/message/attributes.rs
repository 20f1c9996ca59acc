//! What comes beside a body.

use alloc::{borrow::Cow, vec::Vec};

use iot_sansio::{
    UnixMillis,
    amqp::{self, Value},
};

use super::{Flag, Flags, MessageId};

/// The attributes of a message (specification, section 7).
///
/// One that cannot be read as what it should be is flagged and stays among the others, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Attributes<'a> {
    /// `topic`: a name to [classify](super::Topic::classify).
    pub topic: Option<Cow<'a, str>>,
    /// `messageId`, or `message-id` of the AMQP properties where that is absent.
    pub message_id: Option<MessageId<'a>>,
    /// `generateTime`: when the platform made the message. Not to be ordered by.
    pub generate_time: Option<UnixMillis>,
    /// `qos` of the publish it came from.
    pub qos: Option<u8>,
    /// How many attempts to deliver it there were before.
    pub delivery_count: u32,
    /// Everything else, in its order.
    pub others: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Attributes<'a> {
    pub(super) fn read(message: &amqp::Message<'a>, flags: &mut Flags) -> Self {
        let mut read = Self { delivery_count: message.delivery_count, ..Self::default() };
        for (key, value) in message.application_properties {
            // Of a key that is there twice, the first is read.
            let known = match &**key {
                "topic" if read.topic.is_none() => fill(&mut read.topic, text(value)),
                "messageId" if read.message_id.is_none() => {
                    fill(&mut read.message_id, MessageId::from_value(value))
                        || flag(flags, Flag::BadMessageId)
                }
                "generateTime" if read.generate_time.is_none() => {
                    fill(&mut read.generate_time, time(value)) || flag(flags, Flag::BadGenerateTime)
                }
                "qos" if read.qos.is_none() => {
                    fill(&mut read.qos, qos(value)) || flag(flags, Flag::BadQos)
                }
                _ => false,
            };
            if !known {
                read.others.push((Cow::Borrowed(key), value.borrowed()));
            }
        }
        if read.topic.is_none() {
            flags.insert(Flag::MissingTopic);
        }
        if read.message_id.is_none() {
            read.message_id = message.message_id.and_then(MessageId::from_value);
        }
        read
    }

    pub(super) fn into_owned(self) -> Attributes<'static> {
        let others = self.others.into_iter();
        Attributes {
            topic: self.topic.map(|topic| topic.into_owned().into()),
            message_id: self.message_id.map(MessageId::into_owned),
            generate_time: self.generate_time,
            qos: self.qos,
            delivery_count: self.delivery_count,
            others: others
                .map(|(key, value)| (key.into_owned().into(), value.into_owned()))
                .collect(),
        }
    }
}

/// Whether there was something to fill it with.
fn fill<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    *slot = value;
    slot.is_some()
}

fn flag(flags: &mut Flags, flag: Flag) -> bool {
    flags.insert(flag);
    false
}

fn text<'a>(value: &'a Value<'_>) -> Option<Cow<'a, str>> {
    match value {
        Value::String(text) | Value::Symbol(text) => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

fn time(value: &Value<'_>) -> Option<UnixMillis> {
    let millis = match value {
        Value::Signed(millis) | Value::Timestamp(millis) => *millis,
        Value::Unsigned(millis) => i64::try_from(*millis).ok()?,
        Value::String(text) => super::json::decimal(text)?,
        _ => return None,
    };
    Some(UnixMillis::new(millis))
}

fn qos(value: &Value<'_>) -> Option<u8> {
    match value {
        Value::Signed(qos) => u8::try_from(*qos).ok(),
        Value::Unsigned(qos) => u8::try_from(*qos).ok(),
        _ => None,
    }
}
