//! Any bytes as a request and as a response, read by the decoders and by a naive one; what is read is written again.

#![no_main]

use kii_onboard::frame::{DecodeError, EncodeError, Limits};
use libfuzzer_sys::fuzz_target;

#[path = "../../kii-onboard/tests/naive/frame.rs"]
mod naive;

use naive::{Frame, Kind};

fuzz_target!(|payload: &[u8]| {
    for kind in [Kind::Request, Kind::Response] {
        let small = Limits::DEFAULT.with_max_payload(99).with_max_head(40).with_max_headers(2);
        _ = agree(kind, payload, small);
        match agree(kind, payload, Limits::DEFAULT) {
            Ok(frame) => {
                keeps_to_its_limits(kind, payload, &frame);
                survives_writing(kind, payload, frame);
            }
            Err(error) => {
                let printed = error.to_string();
                assert!(printed.len() < 200 && !printed.contains(char::is_control), "{printed:?}");
            }
        }
    }
});

fn agree(kind: Kind, payload: &[u8], limits: Limits) -> Result<Frame, DecodeError> {
    let found = naive::decode_by_crate(kind, payload, limits);
    assert_eq!(found, naive::decode(kind, payload, limits), "{kind:?} {limits:?}");
    found
}

/// Limits that the frame just fits change nothing, and one less of any of them refuses it.
fn keeps_to_its_limits(kind: Kind, payload: &[u8], frame: &Frame) {
    let (len, head) = (payload.len(), payload.len() - frame.body.len());
    let headers = frame.headers.len();
    let exact = Limits::DEFAULT.with_max_payload(len).with_max_head(head).with_max_headers(headers);
    assert_eq!(agree(kind, payload, exact).as_ref(), Ok(frame));
    let limit = len - 1;
    let refused = agree(kind, payload, exact.with_max_payload(limit));
    assert_eq!(refused, Err(DecodeError::TooLarge { len, limit }));
    let limit = head - 1;
    let refused = agree(kind, payload, exact.with_max_head(limit));
    assert_eq!(refused, Err(DecodeError::HeadTooLarge { limit }));
    if let Some(limit) = headers.checked_sub(1) {
        let refused = agree(kind, payload, exact.with_max_headers(limit));
        assert_eq!(refused, Err(DecodeError::TooManyHeaders { limit }));
    }
}

/// What is written is the same frame, and is written the same way again.
fn survives_writing(kind: Kind, payload: &[u8], frame: Frame) {
    match naive::encode_by_crate(kind, &frame) {
        Ok(written) => {
            let read = naive::decode_by_crate(kind, &written, Limits::DEFAULT);
            assert_eq!(read.as_ref(), Ok(&frame));
            assert_eq!(naive::encode_by_crate(kind, &frame), Ok(written));
        }
        // CRLF for LF, and a blank after each colon, are longer.
        Err(EncodeError::HeadTooLarge { .. }) => assert!(payload.len() - frame.body.len() > 5_000),
        Err(EncodeError::TooLarge { .. }) => assert!(payload.len() > 60_000),
        Err(error) => panic!("{error:?}"),
    }
}
