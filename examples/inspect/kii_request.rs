//! `kii-request`: is this a request of a Kii thing, and what is in it?

use clap::Args;
use data_encoding::HEXLOWER;
use kii_onboard::frame::{DecodeError, Headers, Request};
use serde_json::{Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Takes requests apart that things publish to Kii Cloud.
///
/// Reads {"payload":"…"}, or "payloadHex" for one that is not text. Lines may end in CRLF or LF. Headers are told as
/// they are, tokens among them, and the body in hex.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let payload = payload(members)?;
    let request = Request::decode(&payload).map_err(|error| frame_failure(&error))?;
    Ok(json!({
        "method": request.method.as_str(),
        "headers": headers(request.headers),
        "bodyHex": HEXLOWER.encode(request.body),
    }))
}

pub(super) fn payload(members: &Members<'_>) -> Result<Vec<u8>, Failure> {
    members.bytes(PAYLOAD)?.ok_or_else(|| Failure::missing(PAYLOAD))
}

pub(super) fn headers(headers: Headers<'_>) -> Vec<(&str, &str)> {
    headers.iter().collect()
}

pub(super) fn frame_failure(error: &DecodeError) -> Failure {
    let failure = Failure::new(frame_error_name(error), error.to_string());
    match error {
        DecodeError::TooLarge { len, limit } => failure.with("len", *len).with("limit", *limit),
        DecodeError::HeadTooLarge { limit } | DecodeError::TooManyHeaders { limit } => {
            failure.with("limit", *limit)
        }
        DecodeError::NotUtf8 { position }
        | DecodeError::ControlChar { position }
        | DecodeError::BadHeader { position } => failure.with("position", *position),
        _ => failure,
    }
}

variant_names! {
    frame_error_name: DecodeError {
        Empty,
        TooLarge,
        BadStartLine,
        HeadTooLarge,
        MissingBlankLine,
        NotUtf8,
        ControlChar,
        BadStatus,
        UnknownMethod,
        BadHeader,
        TooManyHeaders,
    }
}

const PAYLOAD: &str = "payload";

const EXAMPLE: &str = r#"Example:
  echo '{"payload":"PUT\r\nX-Kii-RequestID: 1\r\nContent-Type: application/json\r\n\r\n{\"power\":true}"}' |
    inspect kii-request"#;
