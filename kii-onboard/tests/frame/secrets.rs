//! Nothing of a frame that can be printed shows a header's value or a body: neither as text nor as the numbers of its
//! bytes.

use core::fmt::Debug;

use kii_onboard::frame::{Method, Request, Response, Status};

const CANARY: &str = "canary-0001";

fn check(printed: &str) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    let join = |numbers: Vec<String>, by: &str| numbers.join(by);
    let numbers = join(CANARY.bytes().map(|byte| byte.to_string()).collect(), ",");
    let hex = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    for canary in ["canary", &numbers, &join(hex, "")] {
        assert!(!compact.contains(canary), "{printed}");
    }
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

#[test]
fn the_canary_would_be_seen() {
    for leak in
        [CANARY.to_owned(), format!("{:#?}", CANARY.as_bytes()), "63616e6172792d30303031".into()]
    {
        assert!(std::panic::catch_unwind(|| check(&leak)).is_err(), "{leak}");
    }
}

#[test]
fn frames_show_names_and_lengths() {
    let headers =
        [("Authorization", CANARY), ("X-Kii-RequestID", CANARY), ("Content-Type", CANARY)];
    let body = CANARY.as_bytes();
    let payload = Request::encode(Method::Post, headers, body).unwrap();
    let request = Request::decode(&payload).unwrap();
    keeps_quiet(&request);
    keeps_quiet(&request.headers);
    let payload = Response::encode(Status::new(200).unwrap(), headers, body).unwrap();
    let response = Response::decode(&payload).unwrap();
    keeps_quiet(&response);
    keeps_quiet(&response.to_owned());

    let printed = format!("{response:?}");
    for part in ["200", "Authorization", "X-Kii-RequestID", "11 bytes"] {
        assert!(printed.contains(part), "{printed}");
    }
    assert_eq!(printed, format!("{:?}", response.to_owned()));
}

#[test]
fn errors_repeat_nothing_of_a_payload() {
    for payload in [
        format!("{CANARY}\r\n\r\n"),
        format!("200{CANARY}\r\n\r\n"),
        format!("200\r\n{CANARY}\r\n\r\n"),
        format!("200\r\nA:{CANARY}\0\r\n\r\n"),
        format!("200\r\nA:{CANARY}"),
    ] {
        let error = Response::decode(payload.as_bytes()).unwrap_err();
        keeps_quiet(&error);
        check(&error.to_string());
    }
    for header in [(CANARY, "a\nb"), ("a b", CANARY), ("A", "canary-0001 ")] {
        let error = Request::encode(Method::Get, [header], b"").unwrap_err();
        keeps_quiet(&error);
        check(&error.to_string());
    }
}
