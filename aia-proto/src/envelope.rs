//! What the JSON messages of both sides share (specification, section 3).

use alloc::borrow::Cow;

use crate::{
    MessageId,
    json::{Member, Object, Value},
    sequence::SequenceNumber,
};

/// One element of an array of events or directives, or a message that is alone.
pub(crate) fn message<'a>(
    name: &'a str,
    id: &'a MessageId,
    payload: Option<Member<'a>>,
) -> Object<'a> {
    let header =
        Object::new([("name", Member::Text(name)), ("messageId", Member::Text(id.as_str()))]);
    let message = Object::new([("header", Member::Object(header))]);
    match payload {
        Some(payload) => message.with("payload", payload),
        None => message,
    }
}

/// What a message, or an element of an array, is made of: each part is none where it is not what it must be.
pub(crate) struct Parts<'a> {
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) message_id: Option<MessageId>,
    /// Of any type but null.
    pub(crate) payload: Option<Value<'a>>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(message: Value<'a>) -> Self {
        let [header, payload] = message.members(["header", "payload"]);
        let [name, id] = header.map_or([None; 2], |header| header.members(["name", "messageId"]));
        Self {
            name: name.and_then(Value::text),
            message_id: id.and_then(Value::text).and_then(|id| MessageId::new(id).ok()),
            payload: payload.filter(|payload| !payload.is_null()),
        }
    }
}

/// A sequence number in JSON; none when it is missing or none.
pub(crate) fn number(value: Option<Value<'_>>) -> Option<SequenceNumber> {
    u32::try_from(value?.integer()?).ok().map(SequenceNumber::new)
}

/// More elements in one message are malformed (specification, Q45).
pub(crate) const MAX_ELEMENTS: usize = 64;
