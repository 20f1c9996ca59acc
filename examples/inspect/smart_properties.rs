//! `smart-properties`: what did SNS bring, and which event of Alexa Smart Properties is in it?

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;
use smart_properties::{
    Event, EventError, EventKind,
    event::Warning,
    sns::{
        Classifier, Delivery, Envelope, EnvelopeError, HeaderName, Headers, Inbound, MessageType,
        Record, RecordError, RecordErrorKind, Via,
    },
};

use super::jsonl::{Failure, Members, Outcome, compact, variant_names};

/// Tells what was delivered for Alexa Smart Properties, and which event is in it.
///
/// Reads {"via":"http|sqs|lambda|raw","headers":{…}?,"payload":…}: how it came, the headers of the HTTP request, and the
/// body, a text, an object, or "payloadHex"; with raw the event itself. Bare events are refused over HTTP, where anybody
/// could send them. The event is null where there is none, and "eventError" then says why a text that should be one is
/// not. Neither topics nor signatures are judged: that is what sns-verify does.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

/// What is told of a body.
#[derive(Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "the large one is the ordinary one")]
pub(super) enum Told {
    Message(Message),
    Records { envelope: &'static str, records: Vec<Outcome<Message>> },
}

/// What is told of one message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    envelope: &'static str,
    event: Option<ToldEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_error: Option<Failure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_identifier: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToldEvent {
    kind: &'static str,
    namespace: String,
    name: String,
    event_id: String,
    timestamp: Option<String>,
    payload: Option<Box<RawValue>>,
}

pub(super) fn answer(members: &Members<'_>) -> Result<Told, Failure> {
    let via = match &*members.required_text(VIA)? {
        "http" => Some(Via::Http),
        "sqs" => Some(Via::SqsBody),
        "lambda" => Some(Via::LambdaEvent),
        "raw" => None,
        _ => return Err(Failure::bad_member(VIA, "is none of http, sqs, lambda, raw")),
    };
    let headers = headers(members)?;
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;

    let Some(via) = via else {
        let event = Event::decode(&payload).map_err(|error| event_failure(&error))?;
        return Ok(Told::Message(Message::of_event(RAW, Ok(event))));
    };
    let pairs = headers.iter().map(|(name, value)| (&**name, &**value));
    let inbound = Classifier::new(via).classify(&payload, &Headers::from_pairs(pairs));
    Ok(match inbound.map_err(|error| envelope_failure(&error))? {
        Inbound::Envelope(envelope) => Told::Message(Message::of_envelope(&envelope)),
        Inbound::Raw(raw) => Told::Message(Message::of_event(RAW, Event::decode(raw.bytes()))),
        Inbound::Records(records) => {
            let told = |record: Result<_, _>| {
                let told = record.map(Message::of_record);
                Outcome::from(told.map_err(|error| record_failure(&error)))
            };
            let records = records.into_iter().map(told);
            Told::Records { envelope: "Records", records: records.collect() }
        }
    })
}

impl Message {
    fn of_record(record: Record<'_>) -> Self {
        let message = match record.delivery {
            Delivery::Envelope(envelope) => Self::of_envelope(&envelope),
            Delivery::Raw(raw) => Self::of_event(RAW, Event::decode(raw.bytes())),
        };
        let item_identifier = record.item_identifier.map(Into::into);
        Self { item_identifier, ..message }
    }

    fn of_envelope(envelope: &Envelope<'_>) -> Self {
        let message_type = envelope.message_type();
        if message_type == MessageType::Notification {
            let event = Event::parse(envelope.message());
            return Self::of_event(message_type.as_str(), event);
        }
        // The message of the others is for people.
        Self {
            envelope: message_type.as_str(),
            event: None,
            event_error: None,
            warnings: Vec::new(),
            item_identifier: None,
        }
    }

    fn of_event(envelope: &'static str, event: Result<Event<'_>, EventError>) -> Self {
        let (event, event_error) = match event {
            Ok(event) => (Some(event), None),
            Err(error) => (None, Some(event_failure(&error))),
        };
        let warnings = event.iter().flat_map(Event::warnings);
        Self {
            envelope,
            warnings: warnings.map(|warning| warning_name(&warning)).collect(),
            event: event.as_ref().map(ToldEvent::of),
            event_error,
            item_identifier: None,
        }
    }
}

impl ToldEvent {
    fn of(event: &Event<'_>) -> Self {
        let event_type = event.event_type();
        Self {
            kind: event_kind_name(&event.kind()),
            namespace: event_type.namespace().to_owned(),
            name: event_type.name().to_owned(),
            event_id: event.id().to_owned(),
            timestamp: event.timestamp().map(str::to_owned),
            payload: RawValue::from_string(compact(event.payload())).ok(),
        }
    }
}

/// The headers in any case, as HTTP has them.
fn headers(members: &Members<'_>) -> Result<Vec<(String, String)>, Failure> {
    let bad = || Failure::bad_member(HEADERS, "is not an object of texts");
    let Some(headers) = members.object(HEADERS)? else {
        return Ok(Vec::new());
    };
    let pair = |(name, value): (&[u8], &RawValue)| {
        let name = String::from_utf8(name.to_vec()).map_err(|_| bad())?;
        Ok((name, serde_json::from_str(value.get()).map_err(|_| bad())?))
    };
    headers.all().map(pair).collect()
}

fn event_failure(error: &EventError) -> Failure {
    let failure = Failure::new(event_error_name(error), error.to_string());
    let (failure, pointer) = match error {
        EventError::Malformed { line, column } => {
            return failure.with("jsonLine", *line).with("jsonColumn", *column);
        }
        EventError::TooDeep { limit } => return failure.with("limit", *limit),
        EventError::TooLong { pointer, bytes, limit } => {
            (failure.with("len", *bytes).with("limit", *limit), pointer)
        }
        EventError::BadCharacter { pointer, position } => {
            (failure.with("position", *position), pointer)
        }
        EventError::DuplicateMember { pointer }
        | EventError::Missing { pointer }
        | EventError::WrongType { pointer, .. }
        | EventError::Empty { pointer }
        | EventError::UnpairedSurrogate { pointer } => (failure, pointer),
        _ => return failure,
    };
    if pointer.is_empty() { failure } else { failure.in_field(pointer) }
}

pub(super) fn envelope_failure(error: &EnvelopeError) -> Failure {
    let failure = |kind| Failure::new(kind, error.to_string());
    match error {
        // The specification has one name for all that is no JSON object.
        EnvelopeError::Malformed { line, column } => {
            failure("NotAnObject").with("jsonLine", *line).with("jsonColumn", *column)
        }
        EnvelopeError::NotUtf8 { position } => failure("NotAnObject").with("position", *position),
        EnvelopeError::TooLong { bytes, limit } => {
            failure(envelope_error_name(error)).with("len", *bytes).with("limit", *limit)
        }
        EnvelopeError::TooManyRecords { limit } => {
            failure(envelope_error_name(error)).with("limit", *limit)
        }
        EnvelopeError::DuplicateMember { name } => {
            failure(envelope_error_name(error)).in_field(name)
        }
        EnvelopeError::ConflictingMember { member }
        | EnvelopeError::Missing { member }
        | EnvelopeError::WrongType { member, .. }
        | EnvelopeError::UnpairedSurrogate { member }
        | EnvelopeError::ControlCharacter { member } => {
            failure(envelope_error_name(error)).in_field(member)
        }
        EnvelopeError::HeaderMismatch { header } => {
            failure(envelope_error_name(error)).in_field(match header {
                HeaderName::Type => "type",
                HeaderName::MessageId => "id",
                HeaderName::Topic => "topic",
                _ => "header",
            })
        }
        _ => failure(envelope_error_name(error)),
    }
}

pub(super) fn record_failure(error: &RecordError) -> Failure {
    let failure = match &error.kind {
        RecordErrorKind::UnknownRecord => Failure::new("UnknownRecord", error.kind.to_string()),
        RecordErrorKind::Nested => Failure::new("NestedRecord", error.kind.to_string()),
        RecordErrorKind::Envelope(inner) => envelope_failure(inner),
        _ => Failure::new("UnlistedRecordErrorKind", error.kind.to_string()),
    };
    let failure = failure.with("index", error.index);
    match &error.item_identifier {
        Some(identifier) => failure.with("itemIdentifier", &**identifier),
        None => failure,
    }
}

variant_names! {
    event_kind_name: EventKind {
        Activation,
        Completion,
        Failure,
        Assignment,
        Revocation,
        SetupCompletion,
        Unknown,
    }
}

variant_names! {
    warning_name: Warning {
        BadTimestamp,
        MissingPayload,
    }
}

variant_names! {
    event_error_name: EventError {
        TooLong,
        Malformed,
        NotAnObject,
        TooDeep,
        DuplicateMember,
        Missing,
        WrongType,
        Empty,
        BadCharacter,
        UnpairedSurrogate,
    }
}

variant_names! {
    envelope_error_name: EnvelopeError {
        TooLong,
        NotUtf8,
        Malformed,
        NotAnObject,
        DuplicateMember,
        ConflictingMember,
        Missing,
        WrongType,
        UnpairedSurrogate,
        UnknownType,
        ControlCharacter,
        BadMessageId,
        Unsigned,
        HeaderMismatch,
        RawRejected,
        Unrecognised,
        TooManyRecords,
        Misplaced,
    }
}

const VIA: &str = "via";
const HEADERS: &str = "headers";
/// A message without envelope.
const RAW: &str = "Raw";

const EXAMPLE: &str = r#"Example:
  echo '{"via":"raw","payload":{"header":{"version":"2.0","eventId":{"id":"7d5f0c1e"},"eventType":{"namespace":"Alexa.Endpoint.Lifecycle","name":"SetupCompletion"},"eventTime":{"timestamp":"2024-05-01T10:02:00Z"},"entities":{}},"payload":{"endpoint":{"type":"Endpoint","id":"amzn1.alexa.endpoint.EP9"}}}}' |
    inspect smart-properties"#;
