//! Which error a payload is refused with that has more than one: the first one.

use kii_onboard::frame::{DecodeError, Limits, Request, Response};

fn refusal(payload: &[u8]) -> DecodeError {
    refusal_within(payload, Limits::DEFAULT)
}

fn refusal_within(payload: &[u8], limits: Limits) -> DecodeError {
    Response::decode_within(payload, limits).unwrap_err()
}

#[test]
fn what_is_wrong_with_the_whole_comes_before_its_lines() {
    let limits = Limits::DEFAULT.with_max_payload(3);
    assert_eq!(
        refusal_within(b"\xff\xff\xff\xff", limits),
        DecodeError::TooLarge { len: 4, limit: 3 }
    );
    assert_eq!(refusal(b"x00\r\nA\xff\r\n"), DecodeError::BadStartLine);
}

#[test]
fn a_line_that_does_not_end_comes_before_what_it_holds() {
    assert_eq!(refusal(b"20\x00\xff"), DecodeError::MissingBlankLine);
    let limits = Limits::DEFAULT.with_max_head(5);
    assert_eq!(refusal_within(b"200\xff\x00\n\n", limits), DecodeError::HeadTooLarge { limit: 5 });
    assert_eq!(refusal_within(b"200\n\xff\n\n", limits), DecodeError::HeadTooLarge { limit: 5 });
}

#[test]
fn within_a_line_utf_8_comes_before_control_characters_and_these_before_its_form() {
    assert_eq!(refusal(b"2x\x00\xff\n"), DecodeError::NotUtf8 { position: 0 });
    assert_eq!(refusal(b"2x\x00\n"), DecodeError::ControlChar { position: 0 });
    assert_eq!(refusal(b"2x\n"), DecodeError::BadStatus);
    assert_eq!(refusal(b"200\r\nA:1\r\nB\x00\xff\r\n"), DecodeError::NotUtf8 { position: 10 });
    assert_eq!(refusal(b"200\r\nA:1\r\nB\x00\r\n"), DecodeError::ControlChar { position: 10 });
    assert_eq!(refusal(b"200\r\nA:1\r\nB\r\n"), DecodeError::BadHeader { position: 10 });
}

#[test]
fn an_earlier_line_comes_before_a_later_one() {
    assert_eq!(refusal(b"2x\nB\n\xff\n"), DecodeError::BadStatus);
    assert_eq!(refusal(b"200\nB\n\xff\n"), DecodeError::BadHeader { position: 4 });
    assert_eq!(refusal(b"200\n\xff\nB\n"), DecodeError::NotUtf8 { position: 4 });
    let error = Request::decode(b"FETCH\n\xff\n\n").unwrap_err();
    assert_eq!(error, DecodeError::UnknownMethod);
}

#[test]
fn a_header_is_read_before_it_is_counted() {
    let limits = Limits::DEFAULT.with_max_headers(1);
    let too_many = DecodeError::TooManyHeaders { limit: 1 };
    assert_eq!(refusal_within(b"200\nA:1\nB:2\n", limits), too_many);
    assert_eq!(refusal_within(b"200\nA:1\nB\n\n", limits), DecodeError::BadHeader { position: 8 });
}
