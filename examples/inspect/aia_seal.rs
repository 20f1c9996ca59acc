//! `aia-seal`: what does this body look like on the wire?

use aia_proto::{protect::Iv, sequence::SequenceNumber};
use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{
    aia_open::cipher,
    jsonl::{Failure, Members},
};

/// Protects messages of AIA.
///
/// Reads {"keyHex","ivHex","sequence","payload":…}: the shared secret of 16 or 32 bytes, which is not repeated, 12
/// bytes that were never used with it, the number, and the body, a text, an object, or "payloadHex".
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let cipher = cipher(members)?;
    let iv = members.hex(IV)?.ok_or_else(|| Failure::missing(IV))?;
    let iv = Iv::try_from(iv).map_err(|_| Failure::bad_member(IV, "has not 12 bytes"))?;
    let sequence = members.natural(SEQUENCE)?.ok_or_else(|| Failure::missing(SEQUENCE))?;
    let body = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    let message = cipher.seal(SequenceNumber::new(sequence), iv, &body);
    Ok(json!({ "messageHex": HEXLOWER.encode(&message) }))
}

const IV: &str = "ivHex";
const SEQUENCE: &str = "sequence";

const EXAMPLE: &str = r#"Example:
  echo '{"keyHex":"000102030405060708090a0b0c0d0e0f","ivHex":"101112131415161718191a1b","sequence":7,"payload":{"events":[]}}' |
    inspect aia-seal"#;
