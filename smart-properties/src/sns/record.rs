//! The records of an event of Lambda (specification section 4.3).

use alloc::{borrow::Cow, string::String};

use crate::{
    JsonType,
    json::{Malformed, Value, members},
    sns::{
        Classifier, Delivery, Envelope, EnvelopeError,
        members::{Members, Names},
    },
};

/// What one record of an event of Lambda brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record<'a> {
    /// What a partial batch response calls the record by: the `messageId` of SQS. SNS has none, it sends one by one.
    pub item_identifier: Option<Cow<'a, str>>,
    /// The message.
    pub delivery: Delivery<'a>,
}

/// A record that is no message; it does not keep the others back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("record {index}: {kind}")]
#[non_exhaustive]
pub struct RecordError {
    /// Which one, counted from 0.
    pub index: usize,
    /// What a partial batch response calls it by, if it says so.
    pub item_identifier: Option<String>,
    /// Why.
    #[source]
    pub kind: RecordErrorKind,
}

/// Why a record is no message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// Neither of SNS nor of SQS: another source calls the same function.
    #[error("neither of SNS nor of SQS, check what else calls this function")]
    UnknownRecord,
    /// An event of Lambda within a record of another.
    #[error("it holds records again")]
    Nested,
    /// The message in it, where a position is counted from the beginning of the record or of its body.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// Reads one element of `Records`.
pub(super) fn read<'a>(
    classifier: &Classifier,
    index: usize,
    item: Value<'a>,
) -> Result<Record<'a>, RecordError> {
    let mut item_identifier = None;
    match delivery(classifier, item, &mut item_identifier) {
        Ok(delivery) => Ok(Record { item_identifier, delivery }),
        Err(kind) => {
            Err(RecordError { index, item_identifier: item_identifier.map(Cow::into_owned), kind })
        }
    }
}

/// The identifier is set as soon as it is known, for the error also.
fn delivery<'a>(
    classifier: &Classifier,
    item: Value<'a>,
    item_identifier: &mut Option<Cow<'a, str>>,
) -> Result<Delivery<'a>, RecordErrorKind> {
    if item.json_type() != JsonType::Object {
        return Err(RecordErrorKind::UnknownRecord);
    }
    let [mut sns, mut body, mut source, mut message_id] = [None; 4];
    let mut names = Names::default();
    let read = members(item.raw, |name, value| {
        let slot = match &*name {
            "Sns" => &mut sns,
            "body" => &mut body,
            "eventSource" => &mut source,
            "messageId" => &mut message_id,
            _ => {
                names.unknown(name);
                return Ok::<_, RecordErrorKind>(());
            }
        };
        if slot.replace(value).is_some() {
            names.twice(name);
        }
        Ok(())
    });
    *item_identifier = message_id.and_then(Value::string);
    read?;
    names.check()?;
    if let Some(sns) = sns.filter(|sns| sns.json_type() == JsonType::Object) {
        let mut members = Members::read(sns.raw)?;
        return Ok(Delivery::Envelope(Envelope::from_members(&mut members)?));
    }
    let is_sqs = source.and_then(Value::string).is_some_and(|source| source == "aws:sqs");
    match body.filter(|_| is_sqs) {
        Some(body) if body.json_type() == JsonType::String => {
            let text = body.text().ok_or(EnvelopeError::UnpairedSurrogate { member: "body" })?;
            let delivery = match &text {
                Cow::Borrowed(text) => classifier.body(text.as_bytes())?,
                Cow::Owned(text) => classifier.body(text.as_bytes())?.map(Delivery::into_owned),
            };
            delivery.ok_or(RecordErrorKind::Nested)
        }
        _ => Err(RecordErrorKind::UnknownRecord),
    }
}

impl From<Malformed> for RecordErrorKind {
    fn from(malformed: Malformed) -> Self {
        Self::Envelope(malformed.into())
    }
}
