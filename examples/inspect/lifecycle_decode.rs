//! `lifecycle-decode`: what is in these lifecycle events?

use std::io::{self, BufRead, Write};

use clap::Args;
use iot_lifecycle::{DecodeError, Decoder, Event, EventKind, Field, Topic, TopicError};
use serde_json::{Map, Value};

use super::jsonl::{Failure, Lines, Members, Output, variant_names};

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
    let mut lines = Lines::new(input);
    while let Some((line, members)) = lines.next()? {
        match members.and_then(|members| answer(&decoder, &members)) {
            Ok(described) => output.answer(line, &described)?,
            Err(failure) => output.fail(line, &failure)?,
        }
    }
    Ok(())
}

fn answer(decoder: &Decoder, members: &Members<'_>) -> Result<Value, Failure> {
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    Ok(describe(&decode(decoder, members, &payload)?))
}

/// The event in a payload, which agrees with the `topic` beside it if there is one.
pub(super) fn decode<'a>(
    decoder: &Decoder,
    members: &Members<'_>,
    payload: &'a [u8],
) -> Result<Event<'a>, Failure> {
    let event = match members.text("topic")? {
        Some(name) => {
            let topic = Topic::parse(&name).map_err(|error| topic_failure(&error))?;
            decoder.decode_with_topic(&topic, payload)
        }
        None => decoder.decode(payload),
    };
    event.map_err(|error| decode_failure(&error))
}

fn describe(event: &Event<'_>) -> Value {
    let kind = match &event.kind {
        EventKind::Unknown(_) => "unknown",
        known => known.event_type(),
    };
    let fields: Map<String, Value> =
        serde_json::from_slice(&event.encode()).expect("events are encoded as objects");
    let mut described = Map::from_iter([("kind".to_owned(), kind.into())]);
    described.extend(fields);
    described.into()
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

const EXAMPLE: &str = r#"Example:
  echo '{"topic":"$aws/events/presence/connected/pump-1","payload":{"clientId":"pump-1","timestamp":"1573002230757"}}' |
    inspect lifecycle-decode"#;
