//! What the JSON messages of both sides share (specification, section 3).

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

/// A sequence number in JSON; none when it is missing or none.
pub(crate) fn number(value: Option<Value<'_>>) -> Option<SequenceNumber> {
    u32::try_from(value?.integer()?).ok().map(SequenceNumber::new)
}
