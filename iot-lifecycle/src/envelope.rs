//! What queues, streams and rules wrap around the payload (specification section 2.6).

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::str;

use base64::{Engine as _, engine::general_purpose::STANDARD};

pub use crate::stream_image::ImageError;
use crate::{
    DecodeError, Decoder, Event, JsonType,
    decode::lifecycle_topic,
    json::{Malformed, Value, elements, members},
    stream_image,
};

/// A delivered body: one record, or a batch of them.
///
/// | path | what is unwrapped |
/// | --- | --- |
/// | MQTT subscription, rule to Lambda | the object itself |
/// | rule to SQS | `Records[].body`, text or base64 |
/// | rule to SNS to SQS | `Message` in `Records[].body` |
/// | rule to SNS to Lambda | `Records[].Sns.Message` |
/// | rule to Kinesis | `Records[].kinesis.data`, base64 |
/// | rule to DynamoDB, its stream | `Records[].dynamodb.NewImage`, typed attributes mapped back to JSON |
/// | rule to IoT Events | `messages[].payload` |
/// | error action of a rule | `base64OriginalPayload` and `topic`, on any of the paths above |
/// | Managed Integrations | `payload` of `DEVICE_LIFE_CYCLE` messages, on any of the paths above |
///
/// A top-level `Records` makes a batch, also when it is empty. Whoever knows that no envelope can come needs none of
/// this: [`Decoder::decode`] reads the object itself, once.
///
/// ```
/// use iot_lifecycle::{Decoder, envelope::Envelope};
///
/// let body = br#"{"Records":[
///     {"messageId":"m-1","body":"{\"clientId\":\"d\",\"timestamp\":1573002230757,\"eventType\":\"connected\"}"},
///     {"messageId":"m-2","body":"?"}
/// ]}"#;
/// let decoder = Decoder::lenient();
/// let mut batch_item_failures = Vec::new();
/// for record in Envelope::parse(body)?.records() {
///     match record {
///         Ok(record) => {
///             let event = record.decode(&decoder)?;
///             assert_eq!(event.client_id, "d");
///         }
///         Err(error) => batch_item_failures.extend(error.item_identifier),
///     }
/// }
/// assert_eq!(batch_item_failures, ["m-2"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    delivery: Delivery<'a>,
}

#[derive(Clone, Debug)]
enum Delivery<'a> {
    Direct(&'a str),
    Batch(Vec<Value<'a>>),
}

/// One payload out of an envelope, and what the envelope knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Record<'a> {
    /// What a partial batch response of a Lambda function calls the record by: `messageId` of SQS, `sequenceNumber` of
    /// Kinesis, `SequenceNumber` of a DynamoDB stream; also `messageId` of IoT Events. None where there is none.
    pub item_identifier: Option<Cow<'a, str>>,
    /// The topic that the event was published on, from the error action of a rule.
    pub topic: Option<Cow<'a, str>>,
    /// The object, not yet looked into.
    pub payload: Cow<'a, [u8]>,
}

impl<'a> Envelope<'a> {
    /// Finds the records of a body; each is unwrapped on its own, when its turn comes.
    ///
    /// # Errors
    /// Only where there is no telling what the records are.
    pub fn parse(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        if body.len() > MAX_BODY_BYTES {
            return Err(EnvelopeError::TooLarge { bytes: body.len() });
        }
        let text = str::from_utf8(body)
            .map_err(|error| EnvelopeError::NotUtf8 { position: error.valid_up_to() })?;
        let keys = ["Records", "messages", "clientId"];
        let [records, messages, client_id] =
            pick(text, keys).map_err(|malformed| match Value::parse(text) {
                Ok(value) if value.json_type() != JsonType::Object => {
                    EnvelopeError::NotAnObject { found: value.json_type() }
                }
                _ => malformed.into(),
            })?;
        // `messages` is too common a word to make a batch of what says by itself that it is an event.
        let messages = messages.filter(|_| client_id.is_none());
        let (key, array) = match (records, messages) {
            (Some(records), _) => ("Records", records),
            (None, Some(messages)) => ("messages", messages),
            (None, None) => {
                let delivery = Delivery::Direct(text);
                return Ok(Self { delivery });
            }
        };
        if array.json_type() != JsonType::Array {
            return Err(EnvelopeError::NotAnArray { key, found: array.json_type() });
        }
        let mut items = Vec::new();
        elements(array.raw, |item| {
            if items.len() == MAX_RECORDS {
                return Err(EnvelopeError::TooManyRecords);
            }
            items.push(item);
            Ok(())
        })?;
        Ok(Self { delivery: Delivery::Batch(items) })
    }

    /// Whether this is a batch, whose sender may want to know which records failed.
    #[must_use]
    pub const fn is_batch(&self) -> bool {
        matches!(self.delivery, Delivery::Batch(_))
    }

    /// The records, in their order. One that cannot be unwrapped does not keep the others back.
    pub fn records(&self) -> impl Iterator<Item = Result<Record<'a>, RecordError>> {
        let (direct, batch) = match &self.delivery {
            Delivery::Direct(text) => (Some(*text), &[][..]),
            Delivery::Batch(items) => (None, &items[..]),
        };
        let direct = direct.map(|text| unwrapped(0, None, peel(Cow::Borrowed(text))));
        let batch = batch.iter().enumerate().map(|(index, item)| {
            let mut item_identifier = None;
            let peeled = open(*item, &mut item_identifier);
            unwrapped(index, item_identifier, peeled)
        });
        direct.into_iter().chain(batch)
    }
}

impl Record<'_> {
    /// Reads the event, which must agree with the topic if that is known.
    ///
    /// A topic that is not one of the service's own says nothing about the event: a rule has republished it.
    ///
    /// # Errors
    /// As [`Decoder::decode_with_topic`], and [`DecodeError::Topic`] for a topic of an unknown kind.
    pub fn decode(&self, decoder: &Decoder) -> Result<Event<'_>, DecodeError> {
        match self.topic.as_deref().map(lifecycle_topic).transpose()? {
            Some(Some(topic)) => decoder.decode_with_topic(&topic, &self.payload),
            _ => decoder.decode(&self.payload),
        }
    }
}

/// A payload without its envelopes, and its topic.
type Peeled<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

fn unwrapped<'a>(
    index: usize,
    item_identifier: Option<Cow<'a, str>>,
    peeled: Result<Peeled<'a>, RecordErrorKind>,
) -> Result<Record<'a>, RecordError> {
    match peeled {
        Ok((payload, topic)) => Ok(Record {
            item_identifier,
            topic,
            payload: match payload {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }),
        Err(kind) => {
            Err(RecordError { index, item_identifier: item_identifier.map(Cow::into_owned), kind })
        }
    }
}

/// Unwraps one item of a batch. The identifier is set as soon as it is known, for the error also.
fn open<'a>(
    item: Value<'a>,
    item_identifier: &mut Option<Cow<'a, str>>,
) -> Result<Peeled<'a>, RecordErrorKind> {
    if item.json_type() != JsonType::Object {
        return Err(RecordErrorKind::NotAnObject { found: item.json_type() });
    }
    let keys = ["body", "payload", "messageId", "Sns", "kinesis", "dynamodb"];
    let [body, payload, message_id, sns, kinesis, dynamodb] = pick(item.raw, keys)?;
    // First of all, so that no error below comes without it; a stream's own number is better known and replaces it.
    let mut identify = |value: Option<Value<'a>>| {
        if let Some(identifier) = value.and_then(Value::string) {
            *item_identifier = Some(identifier);
        }
    };
    identify(message_id);
    if let Some(body) = body {
        return peel(inner("body", Some(body))?);
    }
    if let Some(sns) = sns {
        let [message] = pick(object("Sns", sns)?, ["Message"])?;
        return peel(inner("Sns.Message", message)?);
    }
    if let Some(kinesis) = kinesis {
        let [data, sequence_number] =
            pick(object("kinesis", kinesis)?, ["data", "sequenceNumber"])?;
        identify(sequence_number);
        return peel(inner("kinesis.data", data)?);
    }
    if let Some(dynamodb) = dynamodb {
        let [image, sequence_number] =
            pick(object("dynamodb", dynamodb)?, ["NewImage", "SequenceNumber"])?;
        identify(sequence_number);
        let image = image.ok_or(RecordErrorKind::MissingKey { key: "dynamodb.NewImage" })?;
        return peel(Cow::Owned(text_of(stream_image::to_json(image)?)?));
    }
    if let Some(payload) = payload {
        return peel(inner("payload", Some(payload))?);
    }
    Err(RecordErrorKind::UnknownSource)
}

/// Takes one layer after the other off a text, until an object is left that is none.
fn peel(mut text: Cow<'_, str>) -> Result<Peeled<'_>, RecordErrorKind> {
    let mut topic = None;
    for _ in 0..=MAX_LAYERS {
        let layer = match &text {
            Cow::Borrowed(text) => Layer::of(text)?,
            Cow::Owned(text) => Layer::of(text)?.map(Layer::into_owned),
        };
        let Some(layer) = layer else {
            return Ok((text, topic));
        };
        text = layer.inner;
        topic = layer.topic.or(topic);
    }
    Err(RecordErrorKind::TooDeep)
}

/// What was in an envelope.
struct Layer<'a> {
    inner: Cow<'a, str>,
    topic: Option<Cow<'a, str>>,
}

impl<'a> Layer<'a> {
    /// The layer around a text; none when it is an object that is no envelope.
    fn of(text: &'a str) -> Result<Option<Self>, RecordErrorKind> {
        let text = text.trim_ascii();
        // No object is base64 and no base64 begins like an object, so there is no need to know which it should be.
        if !text.starts_with('{') {
            let inner = match STANDARD.decode(text) {
                Ok(bytes) if !bytes.is_empty() => text_of(bytes)?,
                _ => return Err(RecordErrorKind::NeitherObjectNorBase64),
            };
            return Ok(Some(Self { inner: Cow::Owned(inner), topic: None }));
        }
        let keys =
            ["base64OriginalPayload", "topic", "messageType", "payload", "Message", "TopicArn"];
        let [original, topic, message_type, payload, message, topic_arn] = pick(text, keys)?;
        if original.is_some() {
            let inner = inner("base64OriginalPayload", original)?;
            let topic = topic.and_then(Value::string);
            return Ok(Some(Self { inner, topic }));
        }
        let (key, value) = match (message_type.and_then(Value::string), payload) {
            (Some(message_type), Some(_)) if message_type != DEVICE_LIFE_CYCLE => {
                return Err(RecordErrorKind::OtherMessageType {
                    message_type: message_type.chars().take(32).collect(),
                });
            }
            (Some(_), Some(payload)) => ("payload", payload),
            _ => match (message, topic_arn) {
                (Some(message), Some(_)) => ("Message", message),
                _ => return Ok(None),
            },
        };
        Ok(Some(Self { inner: inner(key, Some(value))?, topic: None }))
    }

    fn into_owned(self) -> Layer<'static> {
        Layer {
            inner: Cow::Owned(self.inner.into_owned()),
            topic: self.topic.map(|topic| Cow::Owned(topic.into_owned())),
        }
    }
}

fn object<'a>(key: &'static str, value: Value<'a>) -> Result<&'a str, RecordErrorKind> {
    match value.json_type() {
        JsonType::Object => Ok(value.raw),
        found => Err(RecordErrorKind::WrongType { key, found }),
    }
}

/// The text of a member that holds a payload or another envelope: a string that says it, or the object itself.
fn inner<'a>(key: &'static str, value: Option<Value<'a>>) -> Result<Cow<'a, str>, RecordErrorKind> {
    let value = value.ok_or(RecordErrorKind::MissingKey { key })?;
    match value.json_type() {
        JsonType::Object => Ok(Cow::Borrowed(value.raw)),
        JsonType::String => value.string().ok_or(RecordErrorKind::UnpairedSurrogate { key }),
        found => Err(RecordErrorKind::WrongType { key, found }),
    }
}

fn text_of(bytes: Vec<u8>) -> Result<String, RecordErrorKind> {
    String::from_utf8(bytes)
        .map_err(|error| RecordErrorKind::NotUtf8 { position: error.utf8_error().valid_up_to() })
}

/// The values of these members; of a name that is there twice the last counts, and null counts as absent.
fn pick<'a, const N: usize>(
    object: &'a str,
    keys: [&str; N],
) -> Result<[Option<Value<'a>>; N], Malformed> {
    let mut values = [None; N];
    members(object, |name, value| {
        let slots = keys.iter().zip(&mut values);
        for (_, slot) in slots.filter(|(key, _)| **key == name) {
            *slot = Some(value).filter(|value| value.json_type() != JsonType::Null);
        }
        Ok::<_, Malformed>(())
    })?;
    Ok(values)
}

/// Why there is no telling what the records of a body are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// More than a Lambda function can be given.
    #[error("the body has {bytes} bytes, at most {MAX_BODY_BYTES} are allowed")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// JSON is UTF-8.
    #[error("the body is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that is not.
        position: usize,
    },
    /// Not well-formed, perhaps cut off.
    #[error("the body is not JSON at line {line} column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// Well-formed, but not an object.
    #[error("the body is {found}, not an object")]
    NotAnObject {
        /// What it is.
        found: JsonType,
    },
    /// The member that should hold the records is something else.
    #[error("{key} is {found}, not an array")]
    NotAnArray {
        /// `Records` or `messages`.
        key: &'static str,
        /// What it is.
        found: JsonType,
    },
    /// No batch is so long.
    #[error("there are more than {MAX_RECORDS} records")]
    TooManyRecords,
}

/// A record that cannot be unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("record {index}: {kind}")]
#[non_exhaustive]
pub struct RecordError {
    /// Which record, counted from 0.
    pub index: usize,
    /// As [`Record::item_identifier`].
    pub item_identifier: Option<String>,
    /// What is wrong with it.
    pub kind: RecordErrorKind,
}

/// Why a record cannot be unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// An element of the batch is no record.
    #[error("it is {found}, not an object")]
    NotAnObject {
        /// What it is.
        found: JsonType,
    },
    /// It has neither `body` (SQS), `Sns`, `kinesis`, `dynamodb` nor `payload` (IoT Events).
    #[error("it is of a source that is not known")]
    UnknownSource,
    /// A member is missing. A DynamoDB record without `NewImage` tells of a removal, or its stream has no images.
    #[error("{key} is missing")]
    MissingKey {
        /// Where it should be.
        key: &'static str,
    },
    /// A member of a type that does not belong there.
    #[error("{key} is {found}, which does not belong there")]
    WrongType {
        /// Where it is.
        key: &'static str,
        /// What it is.
        found: JsonType,
    },
    /// What a text or a base64 text holds is not well-formed.
    #[error("what it holds is not JSON at line {line} column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// In bytes, counted from 1.
        column: usize,
    },
    /// What a text holds does not begin an object, and is not base64 either.
    #[error("what it holds is neither an object nor base64")]
    NeitherObjectNorBase64,
    /// What a base64 text holds is not UTF-8.
    #[error("what it holds in base64 is not UTF-8 at byte {position}")]
    NotUtf8 {
        /// The first byte that is not.
        position: usize,
    },
    /// An escape for one half of a pair, which is no character.
    #[error("{key} holds half of a surrogate pair")]
    UnpairedSurrogate {
        /// Where it is.
        key: &'static str,
    },
    /// A Managed Integrations message about something else.
    #[error("it is a {message_type:?} message, not DEVICE_LIFE_CYCLE: narrow the notification")]
    OtherMessageType {
        /// At most 32 characters of it.
        message_type: String,
    },
    /// The image of a DynamoDB item.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Envelopes within envelopes.
    #[error("it is wrapped more than {MAX_LAYERS} times")]
    TooDeep,
}

impl From<Malformed> for EnvelopeError {
    fn from(malformed: Malformed) -> Self {
        Self::NotJson { line: malformed.line, column: malformed.column }
    }
}

impl From<Malformed> for RecordErrorKind {
    fn from(malformed: Malformed) -> Self {
        Self::NotJson { line: malformed.line, column: malformed.column }
    }
}

const DEVICE_LIFE_CYCLE: &str = "DEVICE_LIFE_CYCLE";

/// 6 MiB, the largest body of an invocation.
const MAX_BODY_BYTES: usize = 6 * 1024 * 1024;

/// The largest batch that can be configured for any source.
const MAX_RECORDS: usize = 10_000;

/// Base64, around an SNS message, around base64, around an error action, around base64: one more than ever seen.
const MAX_LAYERS: usize = 5;
