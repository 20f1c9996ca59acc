//! The decoders and the slow reference give the same frame or the same error.

use kii_onboard::frame::Limits;
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

use crate::naive::{self, Kind};

pub(crate) fn agree(payload: &[u8], limits: Limits) {
    for kind in [Kind::Request, Kind::Response] {
        let found = naive::decode_by_crate(kind, payload, limits);
        let text = String::from_utf8_lossy(payload);
        assert_eq!(found, naive::decode(kind, payload, limits), "{kind:?} {limits:?} {text:?}");
    }
}

/// Eight bytes are looked at together: what one of them is must not depend on its place or on what stands beside it.
#[test]
fn every_byte_and_every_odd_pair_is_found_at_every_place() {
    let odd = [0, 8, 9, 10, 13, 31, 32, 58, 126, 127, 128, 0xa9, 0xc3, 254, 255];
    let single = (0..=255).map(|byte| vec![byte]);
    let pairs = odd.into_iter().flat_map(|first| odd.map(|second| vec![first, second]));
    for bytes in single.chain(pairs) {
        for at in 0..18 {
            let mut payload = b"200\r\nName-of-it: value-of-it\r\n\r\n{}".to_vec();
            payload.splice(5 + at..5 + at + bytes.len(), bytes.clone());
            agree(&payload, Limits::DEFAULT);
        }
    }
}

/// A line as it should be, or as it must not be; with its end.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        6 => "[A-Za-z-]{1,20}".boxed(),
        1 => r"[!#$%&'*+.^_`|~0-9a-z-]{1,9}".boxed(),
        1 => r#"[A-Za-z ()/@\[\]{}"é\\]{0,9}"#.boxed(),
    ];
    let value = prop_oneof![
        6 => "[ -~]{0,40}".boxed(),
        2 => "[ \t]{0,3}[ -~\té€😀\u{80}]{0,12}[ \t]{0,3}".boxed(),
    ];
    let colon = prop_oneof![20 => Just(":"), 1 => Just(" :"), 1 => Just("")];
    let text = (name, colon, value).prop_map(|(name, colon, value)| name + colon + &value);
    let end = prop_oneof![6 => Just("\r\n"), 4 => Just("\n"), 1 => Just("\r\r\n"), 1 => Just("\r")];
    (text, end).prop_map(|(text, end)| (text + end).into_bytes())
}

/// A payload that may be a frame, and the length of its head.
fn any_payload() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let good = select(&["200", "204", "503", "GET", "POST", "PATCH", "OPTIONS", "DELETE"][..]);
    let odd = select(
        &["200 OK", "404\té", "99", "600", "1000", "20x", "get", "FETCH", "PUT \t", "PUT x", ""][..],
    );
    let start = prop_oneof![5 => good, 2 => odd];
    let end = prop_oneof![Just("\r\n"), Just("\n")];
    let blank = prop_oneof![4 => Just("\r\n"), 4 => Just("\n"), 1 => Just("\r"), 1 => Just("")];
    let body = vec(any::<u8>(), 0..20);
    (start, end, vec(any_line(), 0..6), blank, body).prop_map(|(start, end, lines, blank, body)| {
        let mut payload = [start, end].concat().into_bytes();
        payload.extend(lines.concat());
        payload.extend(blank.bytes());
        let head = payload.len();
        payload.extend(body);
        (payload, head)
    })
}

/// Limits at which a payload of this size is just taken or just refused, or which do not matter.
fn any_limits(payload: usize, head: usize) -> impl Strategy<Value = Limits> {
    let near = |edge: usize| prop_oneof![Just(usize::MAX), edge.saturating_sub(2)..edge + 3];
    let headers = prop_oneof![Just(64), 0..7_usize];
    (near(payload), near(head), headers).prop_map(|(payload, head, headers)| {
        Limits::DEFAULT.with_max_payload(payload).with_max_head(head).with_max_headers(headers)
    })
}

fn any_case() -> impl Strategy<Value = (Vec<u8>, Limits)> {
    any_payload().prop_flat_map(|(payload, head)| {
        let limits = any_limits(payload.len(), head);
        (Just(payload), limits)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn on_what_may_be_a_frame((payload, limits) in any_case()) {
        agree(&payload, limits);
    }

    #[test]
    fn on_a_frame_with_a_byte_changed_put_in_or_cut_off(
        (payload, limits) in any_case(),
        place: Index,
        byte in prop_oneof![any::<u8>(), select(&b"\r\n\t :\x00\x7f\x80\xc3\xff"[..])],
        change in 0..4,
    ) {
        let mut payload = payload;
        let at = place.index(payload.len());
        match change {
            0 => payload[at] = byte,
            1 => payload.insert(at, byte),
            2 => payload.truncate(at),
            _ => _ = payload.remove(at),
        }
        agree(&payload, limits);
    }

    #[test]
    fn on_any_bytes(first in "[0-9A-Z]{0,3}", bytes in vec(any::<u8>(), 0..40)) {
        agree(&[first.as_bytes(), &bytes].concat(), Limits::DEFAULT);
    }
}
