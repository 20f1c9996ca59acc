//! `aia-open`: does this key open this message, and what is in it?

use std::str;

use aia_proto::{
    Leaf,
    protect::{Cipher, LegacyInnerSequence, OpenError, SharedSecret},
    sequence::SequenceNumber,
};
use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::jsonl::{Failure, Members, variant_names};

/// Opens protected messages of AIA.
///
/// Reads {"keyHex","payloadHex","expect"?}: the shared secret of 16 or 32 bytes, which is not repeated, the message
/// with its header, and the number that it should have. Answers with the number, and the body, in hex where it is no
/// text. An error is the first of: too short, wrong tag, inner number unlike the clear one, not the expected number.
/// Where the inner number is the beginning of JSON, legacyHeader is true: the message has the header of 32 bytes.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

pub(super) fn answer(members: &Members<'_>) -> Result<Value, Failure> {
    let cipher = cipher(members)?;
    let mut message = members.bytes("payload")?.ok_or_else(|| Failure::missing("payloadHex"))?;
    let expected = members.natural("expect")?.map(SequenceNumber::new);

    let received = message.clone();
    let opened = cipher
        .open_in_place(&mut message)
        .map_err(|error| failure(&error, is_legacy(&cipher, received)))?;
    let sequence = opened.sequence;
    if let Some(expected) = expected.filter(|expected| *expected != sequence) {
        return Err(unexpected(sequence, expected));
    }
    let mut told = json!({ "sequence": sequence.get() });
    match str::from_utf8(opened.body) {
        Ok(body) => told["body"] = body.into(),
        Err(_) => told["bodyHex"] = HEXLOWER.encode(opened.body).into(),
    }
    Ok(told)
}

/// The cipher of the key. The key itself is not in what is said of it.
pub(super) fn cipher(members: &Members<'_>) -> Result<Cipher, Failure> {
    let key = members.hex(KEY)?.ok_or_else(|| Failure::missing(KEY))?;
    let secret = SharedSecret::from_bytes(&key)
        .map_err(|error| Failure::bad_member(KEY, &format!("is not a key: {error}")))?;
    Ok(Cipher::new(&secret))
}

/// Whether a message has the header of 32 bytes, which the service was still seen to send.
fn is_legacy(cipher: &Cipher, mut message: Vec<u8>) -> bool {
    cipher
        .open_in_place_with(LegacyInnerSequence::Accept, Leaf::Directive, &mut message)
        .is_ok_and(|opened| opened.is_legacy)
}

fn failure(error: &OpenError, is_legacy: bool) -> Failure {
    let failure = Failure::new(open_error_name(error), error.to_string());
    match error {
        OpenError::TooShort { len } => failure.with("len", *len),
        OpenError::Tampered { outer, inner } => failure
            .with("outer", outer.get())
            .with("inner", inner.get())
            .with("legacyHeader", is_legacy),
        _ => failure,
    }
}

fn unexpected(sequence: SequenceNumber, expected: SequenceNumber) -> Failure {
    let what = if sequence.is_before(expected) {
        "that number was there before, and a device drops it in silence".to_owned()
    } else {
        format!("before it {} must come", sequence.distance_from(expected))
    };
    let message = format!("the message has number {sequence}, and {expected} is expected: {what}");
    Failure::new("UnexpectedSequence", message)
        .with("sequence", sequence.get())
        .with("expected", expected.get())
}

variant_names! {
    open_error_name: OpenError {
        TooShort,
        BadTag,
        Tampered,
    }
}

const KEY: &str = "keyHex";

const EXAMPLE: &str = r#"Example:
  echo '{"keyHex":"000102030405060708090a0b0c0d0e0f","payloadHex":"07000000101112131415161718191a1bc1687904d1ff0f6f396aed1d99ef7b3ec32e03af746dd39972b32986e51db06347","expect":7}' |
    inspect aia-open"#;
