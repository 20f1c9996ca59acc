//! From a text to an event (specification section 3).

use alloc::{
    borrow::Cow,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use super::{
    Content, Event, EventError, EventType, MAX_EVENT_BYTES, Timestamp,
    ordinary::{self, Object, Root},
};
use crate::{
    JsonType,
    json::{Malformed, Value, elements, members},
};

pub(super) fn decode(bytes: &[u8]) -> Result<Event<'_>, EventError> {
    if bytes.len() > MAX_EVENT_BYTES {
        return Err(EventError::too_long(bytes.len()));
    }
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = valid.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        EventError::Malformed { line, column }
    })?;
    parse(text)
}

pub(super) fn parse(text: &str) -> Result<Event<'_>, EventError> {
    if text.len() > MAX_EVENT_BYTES {
        return Err(EventError::too_long(text.len()));
    }
    match ordinary(text) {
        Some(event) => Ok(event),
        None => carefully(text),
    }
}

/// The event, if there is nothing to explain about it.
#[inline]
fn ordinary(text: &str) -> Option<Event<'_>> {
    // No text is deeper than it has brackets, in chunks so that several bytes are looked at at once.
    let is_bracket = |byte: &u8| u8::from(byte | 0x20 == b'{'); // b'[' | 0x20 == b'{'
    let chunks = text.as_bytes().chunks(CHUNK);
    let in_chunks = chunks.map(|chunk| usize::from(chunk.iter().map(is_bracket).sum::<u8>()));
    let brackets: usize = in_chunks.sum();
    if brackets > MAX_DEPTH {
        return None;
    }
    let Root { header: Object(header), payload } = ordinary::read(text)?;
    let Object(ordinary::EventId { id }) = header.event_id;
    let Object(ordinary::TypeNames { namespace, name }) = header.event_type;
    check_id(ID, &id).ok()?;
    check_name(NAMESPACE, &namespace).ok()?;
    check_name(NAME, &name).ok()?;
    let timestamp = match header.event_time {
        Some(Object(ordinary::EventTime { timestamp })) => Timestamp::Text(timestamp),
        None => Timestamp::Absent,
    };
    let has_payload = payload.is_some();
    let ended = match (header.entities, payload) {
        (Some(Object(entities)), Some(Object(payload))) => ordinary::Ended::new(entities, payload),
        _ => None,
    };
    Some(Event {
        text,
        version: header.version,
        id,
        event_type: EventType { namespace, name },
        timestamp,
        content: Content::Ordinary { has_payload, ended },
    })
}

/// `entities` and `payload` of an event that has been read before.
pub(super) fn parts(text: &str) -> [Option<&str>; 2] {
    let [header, payload] =
        pick("", Value { raw: text }, ["header", "payload"]).unwrap_or_default();
    let entities = header.and_then(|header| pick(HEADER, header, ["entities"]).ok());
    let [entities] = entities.unwrap_or_default();
    [entities, payload].map(|part| part.map(|part| part.raw))
}

/// The event, or the first thing that is not as it should be: in the whole text, in the names of the header, and then
/// member by member.
fn carefully(text: &str) -> Result<Event<'_>, EventError> {
    let value = Value::parse(text)?;
    if value.json_type() != JsonType::Object {
        return Err(EventError::NotAnObject { found: value.json_type() });
    }
    if value.is_deeper_than(MAX_DEPTH)? {
        return Err(EventError::TooDeep { limit: MAX_DEPTH });
    }
    let [header, payload] = pick("", value, ["header", "payload"])?;
    let header = object(HEADER, required(HEADER, header)?)?;
    check_names(header)?;
    let members = ["version", "eventId", "eventType", "eventTime", "entities"];
    let [version, event_id, event_type, event_time, entities] = pick(HEADER, header, members)?;

    let event_id = object(EVENT_ID, required(EVENT_ID, event_id)?)?;
    let [id] = pick(EVENT_ID, event_id, ["id"])?;
    let id = string(ID, required(ID, id)?)?;
    check_id(ID, &id)?;

    let event_type = object(EVENT_TYPE, required(EVENT_TYPE, event_type)?)?;
    let [namespace, name] = pick(EVENT_TYPE, event_type, ["namespace", "name"])?;
    let namespace = string(NAMESPACE, required(NAMESPACE, namespace)?)?;
    check_name(NAMESPACE, &namespace)?;
    let name = string(NAME, required(NAME, name)?)?;
    check_name(NAME, &name)?;

    let version = string(VERSION, required(VERSION, version)?)?;
    let timestamp = match event_time {
        None => Timestamp::Absent,
        Some(time) if time.json_type() != JsonType::Object => Timestamp::Unreadable,
        Some(time) => match pick(EVENT_TIME, time, ["timestamp"])? {
            [None] => Timestamp::Absent,
            [Some(text)] => text.string().map_or(Timestamp::Unreadable, Timestamp::Text),
        },
    };
    if let Some(entities) = entities {
        check_entities(entities)?;
    }
    let payload = payload.map(|payload| object(PAYLOAD, payload)).transpose()?;
    Ok(Event {
        text,
        version,
        id,
        event_type: EventType { namespace, name },
        timestamp,
        content: Content::Raw {
            entities: entities.map(|entities| entities.raw),
            payload: payload.map(|payload| payload.raw),
        },
    })
}

/// The members of these names in an object, each of which may be there once.
fn pick<'a, const N: usize>(
    pointer: &'static str,
    object: Value<'a>,
    names: [&str; N],
) -> Result<[Option<Value<'a>>; N], EventError> {
    let mut values = [None; N];
    let mut twice = None;
    let read = members(object.raw, |name, value| {
        if let Some((slot, name)) = values.iter_mut().zip(names).find(|(_, known)| *known == name) {
            if slot.replace(value).is_some() {
                twice = twice.or(Some(name));
            }
        }
        Ok::<_, Malformed>(())
    });
    read.map_err(|_| unpaired(pointer))?;
    match twice {
        Some(name) => Err(EventError::DuplicateMember { pointer: below(pointer, name) }),
        None => Ok(values),
    }
}

fn required<'a>(pointer: &'static str, value: Option<Value<'a>>) -> Result<Value<'a>, EventError> {
    value.ok_or(EventError::Missing { pointer: Cow::Borrowed(pointer) })
}

fn object<'a>(
    pointer: impl Into<Cow<'static, str>>,
    value: Value<'a>,
) -> Result<Value<'a>, EventError> {
    let found = value.json_type();
    if found == JsonType::Object {
        return Ok(value);
    }
    Err(EventError::WrongType { pointer: pointer.into(), expected: JsonType::Object, found })
}

fn string<'a>(pointer: &'static str, value: Value<'a>) -> Result<Cow<'a, str>, EventError> {
    let found = value.json_type();
    if found != JsonType::String {
        let pointer = Cow::Borrowed(pointer);
        return Err(EventError::WrongType { pointer, expected: JsonType::String, found });
    }
    value.text().ok_or_else(|| unpaired(pointer))
}

#[inline]
pub(super) fn check_id(pointer: &'static str, id: &str) -> Result<(), EventError> {
    check_length(pointer, id)?;
    if all(id, |byte| (b' '..=b'~').contains(&byte)) {
        return Ok(());
    }
    match id.char_indices().find(|(_, character)| character.is_control()) {
        None => Ok(()),
        Some((position, _)) => {
            Err(EventError::BadCharacter { pointer: Cow::Borrowed(pointer), position })
        }
    }
}

#[inline]
pub(super) fn check_name(pointer: &'static str, name: &str) -> Result<(), EventError> {
    check_length(pointer, name)?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    if all(name, legal) {
        return Ok(());
    }
    let position = name.bytes().position(|byte| !legal(byte)).unwrap_or_default();
    Err(EventError::BadCharacter { pointer: Cow::Borrowed(pointer), position })
}

/// Does not stop at the first byte that is not, which lets it look at several at once.
#[inline]
fn all(text: &str, legal: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(true, |all, byte| all & legal(byte))
}

#[inline]
fn check_length(pointer: &'static str, text: &str) -> Result<(), EventError> {
    let pointer = Cow::Borrowed(pointer);
    match text.len() {
        0 => Err(EventError::Empty { pointer }),
        1..=MAX_TEXT_BYTES => Ok(()),
        bytes => Err(EventError::TooLong { pointer, bytes, limit: MAX_TEXT_BYTES }),
    }
}

/// Entities are objects.
fn check_entities(entities: Value<'_>) -> Result<(), EventError> {
    let entities = object(ENTITIES, entities)?;
    let mut wrong = Ok(());
    let read = members(entities.raw, |name, value| {
        if wrong.is_ok() && value.json_type() != JsonType::Object {
            wrong = object(below(ENTITIES, &name), value).map(drop);
        }
        Ok::<_, Malformed>(())
    });
    read.map_err(|_| unpaired(ENTITIES))?;
    wrong
}

/// No object in the header has a name twice. It is no deeper than events are.
fn check_names(header: Value<'_>) -> Result<(), EventError> {
    names_of(header).map_err(|flaw| match flaw {
        NameFlaw::Twice(inner) => {
            EventError::DuplicateMember { pointer: Cow::Owned(String::from(HEADER) + &inner) }
        }
        NameFlaw::Unpaired => unpaired(HEADER),
    })
}

/// What is wrong with a name.
enum NameFlaw {
    /// It is there twice, at this pointer from the value that was looked into.
    Twice(String),
    Unpaired,
}

fn names_of(value: Value<'_>) -> Result<(), NameFlaw> {
    let mut names = Vec::new();
    let mut index = 0_usize;
    let read: Result<(), NameFlaw> = match value.json_type() {
        JsonType::Object => members(value.raw, |name, value| {
            if value.is_container() {
                names_of(value).map_err(|flaw| flaw.below(&name))?;
            }
            names.push(name);
            Ok(())
        }),
        JsonType::Array => elements(value.raw, |value| {
            if value.is_container() {
                names_of(value).map_err(|flaw| flaw.below(&index.to_string()))?;
            }
            index += 1;
            Ok(())
        }),
        _ => Ok(()),
    };
    read?;
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some([name, ..]) => Err(NameFlaw::Twice(below("", name).into_owned())),
        _ => Ok(()),
    }
}

impl NameFlaw {
    fn below(self, name: &str) -> Self {
        match self {
            Self::Twice(inner) => Self::Twice(below("", name).into_owned() + &inner),
            Self::Unpaired => Self::Unpaired,
        }
    }
}

impl From<Malformed> for NameFlaw {
    /// The text as a whole is well-formed, so it can be nothing else.
    fn from(_: Malformed) -> Self {
        Self::Unpaired
    }
}

/// The pointer to a member, whose name is escaped as RFC 6901 says, and shortened to 32 characters.
fn below(pointer: &str, name: &str) -> Cow<'static, str> {
    let short: String = name.chars().take(MAX_SHOWN).collect();
    let escaped = short.replace('~', "~0").replace('/', "~1");
    Cow::Owned(format!("{pointer}/{}", escaped.escape_debug()))
}

fn unpaired(pointer: &str) -> EventError {
    EventError::UnpairedSurrogate { pointer: Cow::Owned(pointer.into()) }
}

pub(super) const HEADER: &str = "/header";
const VERSION: &str = "/header/version";
const EVENT_ID: &str = "/header/eventId";
pub(super) const ID: &str = "/header/eventId/id";
const EVENT_TYPE: &str = "/header/eventType";
pub(super) const NAMESPACE: &str = "/header/eventType/namespace";
pub(super) const NAME: &str = "/header/eventType/name";
const EVENT_TIME: &str = "/header/eventTime";
pub(crate) const ENTITIES: &str = "/header/entities";
pub(crate) const PAYLOAD: &str = "/payload";

const MAX_TEXT_BYTES: usize = 256;
const MAX_SHOWN: usize = 32;
/// Fewer than a byte counts to.
const CHUNK: usize = 128;
/// Objects and arrays within each other, the event itself among them.
const MAX_DEPTH: usize = 32;
