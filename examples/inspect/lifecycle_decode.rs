//! `lifecycle-decode`: what is in these lifecycle events?

use std::io::{self, BufRead, Write};

use clap::Args;
use iot_lifecycle::{DecodeError, Decoder, Event, EventKind, Field, Topic, TopicError};
use serde_json::{Map, Value};

use super::jsonl::{Failure, Members, Output, answer_each, variant_names};

/// Decodes AWS IoT Core lifecycle events.
///
/// Reads {"topic":"…"?,"payload":…} and answers with the typed event: its kind, and its fields under their wire names.
/// The payload is a text, an object, or "payloadHex". A topic must agree with the payload, and stands in for a missing
/// eventType.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {
    /// Accept exactly the documented types.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(
    options: &Options,
    input: impl BufRead,
    output: &mut Output<impl Write>,
) -> io::Result<()> {
    let decoder = if options.strict { Decoder::strict() } else { Decoder::lenient() };
    answer_each(input, output, |members| answer(&decoder, members))
}

fn answer(decoder: &Decoder, members: &Members<'_>) -> Result<Value, Failure> {
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    let event = decode(decoder, members, &payload)?.map_err(|unknown| topic_failure(&unknown))?;
    let mut described = fields(&event);
    let kind = match &event.kind {
        EventKind::Unknown(_) => {
            described.extend(fields_of_known_kinds(decoder, &payload));
            "unknown"
        }
        known => known.event_type(),
    };
    described.insert("kind".to_owned(), kind.into());
    Ok(described.into())
}

/// The event in a payload, which agrees with the `topic` beside it if there is one.
///
/// The inner error is that of a topic of an unknown kind when the payload does not name its kind: not wrong, perhaps, but
/// nothing that could be told.
pub(super) fn decode<'a>(
    decoder: &Decoder,
    members: &Members<'_>,
    payload: &'a [u8],
) -> Result<Result<Event<'a>, TopicError>, Failure> {
    let Some(name) = members.text("topic")? else {
        return decoder.decode(payload).map(Ok).map_err(|error| decode_failure(&error));
    };
    let unknown = match Topic::parse(&name) {
        Ok(topic) => {
            let event = decoder.decode_with_topic(&topic, payload);
            return event.map(Ok).map_err(|error| decode_failure(&error));
        }
        Err(error) => error,
    };
    let TopicError::UnknownKind { kind, .. } = &unknown else {
        return Err(topic_failure(&unknown));
    };
    // Newer than this program, perhaps, and in order as long as topic and payload say the same.
    let event = match decoder.decode(payload) {
        Ok(event) => event,
        Err(DecodeError::MissingField { field: Field::EventType, .. }) => return Ok(Err(unknown)),
        Err(error) => return Err(decode_failure(&error)),
    };
    // A known kind is a contradiction, also where only the family in the topic is not its own.
    if !matches!(&event.kind, EventKind::Unknown(named) if named.as_str() == kind) {
        return Err(topic_failure(&unknown));
    }
    let client_id = name.splitn(5, '/').nth(4).unwrap_or_default();
    if client_id != event.client_id {
        return Err(decode_failure(&DecodeError::ClientIdMismatch {
            topic: client_id.into(),
            payload: event.client_id.into(),
        }));
    }
    Ok(Ok(event))
}

fn fields(event: &Event<'_>) -> Map<String, Value> {
    serde_json::from_slice(&event.encode()).expect("events are encoded as objects")
}

/// The fields that an event of an unknown kind has in common with single known ones, as those have them.
///
/// The crate does not guess what they mean there. Each is read alone, as that of an event that could have it: one that
/// cannot be read is left out.
fn fields_of_known_kinds(decoder: &Decoder, payload: &[u8]) -> Map<String, Value> {
    let members = Members::parse(payload).ok();
    let read = |(kind, field): (&str, Field)| {
        let value = members.as_ref()?.raw(field.as_str())?;
        let payload = format!(
            r#"{{"clientId":"d","timestamp":100000000000,"eventType":"{kind}","{field}":{value}}}"#
        );
        fields(&decoder.decode(payload.as_bytes()).ok()?).remove_entry(field.as_str())
    };
    FIELDS_OF_KNOWN_KINDS.into_iter().filter_map(read).collect()
}

pub(super) fn topic_failure(error: &TopicError) -> Failure {
    Failure::new(topic_error_name(error), error.to_string())
}

fn decode_failure(error: &DecodeError) -> Failure {
    let kind = match error {
        DecodeError::ClientId(inner) | DecodeError::Topic(inner) => topic_error_name(inner),
        _ => decode_error_name(error),
    };
    let failure = Failure::new(kind, error.to_string());
    match error {
        DecodeError::MissingField { field, .. }
        | DecodeError::WrongType { field, .. }
        | DecodeError::NotAnInteger { field }
        | DecodeError::OutOfRange { field }
        | DecodeError::UnpairedSurrogate { field } => failure.in_field(field),
        DecodeError::TimestampLooksLikeSeconds { .. } => failure.in_field(Field::Timestamp),
        DecodeError::KindMismatch { .. } => failure.in_field(Field::EventType),
        DecodeError::ClientId(_) | DecodeError::ClientIdMismatch { .. } => {
            failure.in_field(Field::ClientId)
        }
        DecodeError::DuplicateKey { key } => failure.in_field(key),
        _ => failure,
    }
}

variant_names! {
    decode_error_name: DecodeError {
        PayloadTooLarge,
        NotUtf8,
        NotJson,
        NotAnObject,
        MissingContainer,
        DuplicateKey,
        MissingField,
        WrongType,
        NotAnInteger,
        OutOfRange,
        TimestampLooksLikeSeconds,
        UnpairedSurrogate,
        ClientId,
        Topic,
        KindMismatch,
        ClientIdMismatch,
    }
}

variant_names! {
    topic_error_name: TopicError {
        NotLifecycle,
        UnknownKind,
        MissingClientId,
        EmptyClientId,
        ClientIdTooLong,
        Wildcard,
        Nul,
        ReservedClientId,
    }
}

/// The fields that not all kinds have, each with one that has it.
const FIELDS_OF_KNOWN_KINDS: [(&str, Field); 5] = [
    ("connected", Field::VersionNumber),
    ("disconnected", Field::ClientInitiatedDisconnect),
    ("disconnected", Field::DisconnectReason),
    ("connect_failed", Field::ConnectFailureReason),
    ("subscribed", Field::Topics),
];

const EXAMPLE: &str = r#"Example:
  echo '{"topic":"$aws/events/presence/connected/pump-1","payload":{"clientId":"pump-1","timestamp":"1573002230757"}}' |
    inspect lifecycle-decode"#;
