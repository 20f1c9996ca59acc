//! `kii-response`: is this a response of Kii Cloud, and what is in it?

use clap::Args;
use data_encoding::HEXLOWER;
use kii_onboard::frame::Response;
use serde_json::{Value, json};

use super::{
    jsonl::{Failure, Members},
    kii_request::{frame_failure, headers, payload},
};

/// Takes responses apart that Kii Cloud publishes to things.
///
/// Reads {"payload":"…"}, or "payloadHex" for one that is not text. Lines may end in CRLF or LF. The body is told in
/// hex: for that of an onboarding there is kii-onboarding. A push is no response: for it there is kii-push.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let payload = payload(members)?;
    let response = Response::decode(&payload).map_err(|error| frame_failure(&error))?;
    Ok(json!({
        "status": response.status.get(),
        "headers": headers(response.headers),
        "bodyHex": HEXLOWER.encode(response.body),
    }))
}

const EXAMPLE: &str = r#"Example:
  echo '{"payload":"201\r\nContent-Type:application/json\r\nX-Kii-RequestID:r-3\r\n\r\n{\"commandID\":\"c-1\"}"}' |
    inspect kii-response"#;
