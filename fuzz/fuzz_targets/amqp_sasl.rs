//! Any bytes as a SASL frame, read by the decoder and by a naive one; what this crate can write is written again.

#![no_main]

use amqp_auth::sasl::{self, DEFAULT_LIMIT, Decoded, Frame};
use libfuzzer_sys::fuzz_target;

#[path = "../../amqp-auth/tests/naive/sasl.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let decoded = sasl::decode(bytes, DEFAULT_LIMIT);
    let found = match &decoded {
        Ok(Decoded::Complete { frame, len }) => Some(Ok((naive::Frame::from(frame), *len))),
        Ok(Decoded::Partial { needed }) => Some(Err(*needed)),
        Err(_) => None,
    };
    assert_eq!(found, naive::decode(bytes, DEFAULT_LIMIT), "{decoded:?}");
    match decoded {
        Ok(Decoded::Complete { frame, len }) => {
            keeps_to_its_length(&frame, bytes, len);
            survives_writing(&frame);
        }
        Ok(Decoded::Partial { needed }) => {
            assert!((bytes.len() + 1..=DEFAULT_LIMIT).contains(&needed), "{needed}");
        }
        Err(error) => {
            let printed = error.to_string();
            assert!(printed.len() < 200 && !printed.contains(char::is_control), "{printed:?}");
        }
    }
});

/// What follows a frame does not change it, a byte less makes it partial, and a lower limit refuses it.
fn keeps_to_its_length(frame: &Frame<'_>, bytes: &[u8], len: usize) {
    let alone = sasl::decode(&bytes[..len], len);
    assert_eq!(alone, Ok(Decoded::Complete { frame: *frame, len }));
    let partial = sasl::decode(&bytes[..len - 1], DEFAULT_LIMIT);
    assert_eq!(partial, Ok(Decoded::Partial { needed: len }));
    assert!(sasl::decode(bytes, len - 1).is_err());
}

/// Frames that this crate writes come back as they were.
fn survives_writing(frame: &Frame<'_>) {
    let written = match frame {
        Frame::Mechanisms(offered) => {
            sasl::encode_mechanisms(&offered.iter().collect::<Vec<_>>()).ok()
        }
        Frame::Init(init) => init.plain().ok().and_then(|plain| {
            let user_name = core::str::from_utf8(plain.user_name).ok()?;
            let password = core::str::from_utf8(plain.password).ok()?;
            let written = sasl::encode_init(user_name, password, init.hostname).ok()?;
            plain.authzid.is_empty().then(|| written.expose().to_vec())
        }),
        Frame::Outcome(outcome) if outcome.additional_data.is_none() => {
            Some(sasl::encode_outcome(outcome.code).to_vec())
        }
        _ => None,
    };
    let Some(written) = written else { return };
    let len = written.len();
    assert_eq!(sasl::decode(&written, len), Ok(Decoded::Complete { frame: *frame, len }));
}
