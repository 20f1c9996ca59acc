//! Vector E06: what is written is read again as it was, and what was read is written again.

use kii_onboard::frame::{EncodeError, Limits, Method, Request, Response};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::naive::{self, Frame, Kind};

fn any_start() -> impl Strategy<Value = (Kind, String)> {
    let method = select(&Method::ALL[..]).prop_map(|method| method.to_string());
    let status = (100..=599_u16).prop_map(|status| status.to_string());
    prop_oneof![
        method.prop_map(|method| (Kind::Request, method)),
        status.prop_map(|status| (Kind::Response, status)),
    ]
}

fn any_frame() -> impl Strategy<Value = (Kind, Frame)> {
    let name = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}";
    let value = prop_oneof![
        4 => "([!-~]([ -~\t]{0,60}[!-~])?)?",
        1 => "([!-~é€😀\u{80}]([ -~\té€😀]{0,9}[!-~é€😀])?)?",
    ];
    (any_start(), vec((name, value), 0..9), vec(any::<u8>(), 0..200))
        .prop_map(|((kind, start), headers, body)| (kind, Frame { start, headers, body }))
}

/// Text that may break a rule.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z-]{1,9}".boxed(),
        2 => "[ -~]{0,9}".boxed(),
        2 => "[a-z]{0,9}[\r\n\t :\0\u{1f}\u{7f}]{0,2}[a-z]{0,9}".boxed(),
        1 => ".{0,9}".boxed(),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was((kind, frame) in any_frame()) {
        let payload = naive::encode_by_crate(kind, &frame).unwrap();
        let read = naive::decode_by_crate(kind, &payload, Limits::DEFAULT);
        prop_assert_eq!(read, Ok(frame));
    }

    #[test]
    fn a_header_is_written_exactly_when_it_can_be_read_as_it_is(name in any_text(), value in any_text()) {
        let headers = vec![("A".to_owned(), "1".to_owned()), (name, value)];
        let frame = Frame { start: "200".into(), headers, body: Vec::new() };
        // As the encoder would write it, did it not look.
        let [_, (name, value)] = &frame.headers[..] else { unreachable!() };
        let naively = format!("200\r\nA:1\r\n{name}:{value}\r\n\r\n");
        let is_good = naive::decode(Kind::Response, naively.as_bytes(), Limits::DEFAULT) == Ok(frame.clone());
        match naive::encode_by_crate(Kind::Response, &frame) {
            Ok(payload) => prop_assert!(is_good && payload == naively.as_bytes()),
            Err(error) => {
                prop_assert!(!is_good);
                prop_assert_eq!(error, EncodeError::InvalidHeader { index: 1 });
            }
        }
    }

    #[test]
    fn what_is_read_is_written_in_the_canonical_form(
        (kind, frame) in any_frame(),
        ends in vec(select(&["\r\n", "\n"][..]), 10),
        blanks in vec(option::of(select(&[" ", "\t", " \t "][..])), 20),
    ) {
        let mut payload = frame.start.clone().into_bytes();
        payload.extend(blanks[0].unwrap_or_default().bytes());
        payload.extend(ends[0].bytes());
        for (index, (name, value)) in frame.headers.iter().enumerate() {
            let blank = |at: usize| blanks[at].unwrap_or_default();
            let (before, after, end) = (blank(2 * index + 1), blank(2 * index + 2), ends[index + 1]);
            payload.extend(format!("{name}:{before}{value}{after}{end}").bytes());
        }
        payload.extend(ends[9].bytes());
        payload.extend(&frame.body);
        let read = naive::decode_by_crate(kind, &payload, Limits::DEFAULT).unwrap();
        prop_assert_eq!(&read, &frame);
        let written = naive::encode_by_crate(kind, &read).unwrap();
        prop_assert_eq!(naive::decode(kind, &written, Limits::DEFAULT), Ok(frame));
    }

    #[test]
    fn an_owned_response_is_the_same_response((kind, frame) in any_frame()) {
        prop_assume!(kind == Kind::Response);
        let payload = naive::encode_by_crate(kind, &frame).unwrap();
        let response = Response::decode(&payload).unwrap();
        let owned = response.to_owned();
        prop_assert_eq!(owned.as_response(), response);
        prop_assert_eq!(owned.clone(), owned);
    }
}

#[test]
fn what_would_be_too_much_is_not_written() {
    let headers = |count| core::iter::repeat_n(("A", "1"), count);
    let encode = |count, body: &[u8]| Request::encode(Method::Put, headers(count), body);
    assert!(encode(64, b"").is_ok());
    assert_eq!(encode(65, b""), Err(EncodeError::TooManyHeaders { limit: 64 }));

    let body = vec![b'x'; 65_536];
    let Ok(whole) = encode(0, &body[7..]) else { panic!("just inside") };
    assert_eq!(whole.len(), 65_536);
    let too_large = EncodeError::TooLarge { len: 65_537, limit: 65_536 };
    assert_eq!(encode(0, &body[6..]), Err(too_large));

    let with_value = |len| Request::encode(Method::Put, [("A", "x".repeat(len).as_str())], b"");
    let Ok(head) = with_value(8_180) else { panic!("just inside") };
    assert_eq!(head.len(), 8_192);
    assert!(Request::decode(&head).is_ok());
    assert_eq!(with_value(8_181), Err(EncodeError::HeadTooLarge { len: 8_193, limit: 8_192 }));
}
