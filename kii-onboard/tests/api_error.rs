//! Answers that are no success: specification section 10, read whatever they look like, and what to do about each.

use std::time::Duration;

use kii_onboard::{
    Advice, ApiError, ErrorCode, StatusClass,
    frame::{Response, Status},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

#[path = "naive/api_error.rs"]
mod naive;

/// The table of specification section 10.2, as it is written there.
const CODES: &[(u16, &str)] = &[
    (
        400,
        "INVALID_INPUT_DATA, INVALID_JSON, INVALID_JSON_SCHEMA, INVALID_DATA_TYPE, MISSING_DATA, OAUTH2_ERROR, \
         WRONG_COMMAND, WRONG_TRIGGER, WRONG_PREDICATE",
    ),
    (401, "UNAUTHORIZED, AUTHENTICATION_FAILED, WRONG_PASSWORD, THING_DISABLED, USER_DISABLED"),
    (403, "WRONG_TOKEN, APP_DISABLED, OPERATION_NOT_SUPPORTED"),
    (
        404,
        "APP_NOT_FOUND, THING_NOT_FOUND, TARGET_NOT_FOUND, STATE_NOT_FOUND, COMMAND_NOT_FOUND, \
         TRAIT_ALIAS_NOT_FOUND, FIRMWARE_VERSION_NOT_FOUND, THING_TYPE_NOT_FOUND, THING_WITHOUT_THING_TYPE, \
         THING_WITHOUT_FIRMWARE_VERSION, INSTALLATION_NOT_FOUND, MQTT_ENDPOINT_NOT_FOUND, \
         THING_END_NODE_DOES_NOT_BELONG_TO_GATEWAY",
    ),
    (
        409,
        "THING_ALREADY_EXISTS, OPERATION_NOT_ALLOWED, THING_OWNERSHIP_ALREADY_EXISTS, \
         THING_END_NODE_ALREADY_BELONGS_TO_GATEWAY, STATE_HISTORY_NOT_AVAILABLE",
    ),
    (429, "TOO_MANY_REQUESTS"),
    (500, "UNDEFINED_ERROR, OPERATION_NOT_IMPLEMENTED"),
    (
        503,
        "MQTT_ENDPOINT_NOT_READY, RESOURCE_TEMPORARILY_UNAVAILABLE, TEMPORARY_UNAVAILABLE_ERROR, \
         LOCK_FAILED",
    ),
];

fn decode(status: u16, body: &[u8]) -> ApiError {
    let payload = Response::encode(Status::new(status).unwrap(), [], body).unwrap();
    ApiError::decode(&Response::decode(&payload).unwrap())
}

fn with_code(status: u16, code: &str) -> ApiError {
    decode(status, json!({ "errorCode": code }).to_string().as_bytes())
}

#[test]
fn every_code_of_the_table_is_known_and_no_other() {
    let mut known = Vec::new();
    for (status, codes) in CODES {
        for text in codes.split(", ") {
            let code = ErrorCode::from(text);
            assert!(!matches!(code, ErrorCode::Unknown(_)), "{text}");
            assert_eq!((code.as_str(), code.to_string().as_str()), (text, text));
            let error = with_code(*status, text);
            assert_eq!(error.code.as_ref(), Some(&code));
            assert_ne!(error.advice(), Advice::Report, "{text}");
            known.push(code);
        }
    }
    let mut all = ErrorCode::ALL.to_vec();
    all.sort();
    known.sort();
    assert_eq!(all, known);
    for other in ["", "wrong_token", "WRONG_TOKEN ", "Unknown"] {
        assert!(matches!(ErrorCode::from(other), ErrorCode::Unknown(_)), "{other:?}");
        assert_eq!(ErrorCode::from(other).as_str(), other);
    }
}

#[test]
fn classes_are_those_of_the_specification() {
    for number in 100..=599 {
        let expected = match number {
            200..=299 => StatusClass::Success,
            429 => StatusClass::Temporary,
            500.. => StatusClass::Temporary,
            400.. => StatusClass::Permanent,
            _ => StatusClass::Odd,
        };
        let error = decode(number, b"");
        assert_eq!(
            (error.class(), error.is_retryable()),
            (expected, number == 429 || number >= 500)
        );
        assert_eq!(error.status.get(), number);
    }
}

#[test]
fn everything_that_is_said_is_kept() {
    // The vectors V08, V09 and V10.
    let body = b"{\n  \"errorCode\" : \"INVALID_INPUT_DATA\",\n  \"message\" : \"There are validation errors\",\n  \
        \"invalidFields\" : {\"thingPassword\" : \"required\"}\n}";
    let error = decode(400, body);
    assert_eq!(error.code, Some(ErrorCode::InvalidInputData));
    assert_eq!(error.message.as_deref(), Some("There are validation errors"));
    assert_eq!(error.invalid_fields, [("thingPassword".to_owned(), "required".to_owned())]);
    assert_eq!((error.retry_after, error.body()), (None, &body[..]));
    let advice = Advice::CorrectRequest { fields: vec!["thingPassword".into()] };
    assert_eq!(error.advice(), advice);
    assert_eq!(error.to_string(), "400 INVALID_INPUT_DATA: correct `thingPassword`");

    let body = br#"{"errorCode":"MQTT_ENDPOINT_NOT_READY","message":"not ready","retryAfter":5}"#;
    let error = decode(503, body);
    assert_eq!(error.retry_after, Some(Duration::from_secs(5)));
    assert_eq!(error.advice(), Advice::RetryLater { at_least: error.retry_after });
    let said = "503 MQTT_ENDPOINT_NOT_READY: send it again after 5 s or more";
    assert_eq!(error.to_string(), said);

    let error = decode(500, b"<html>oops</html>");
    assert_eq!((error.code.as_ref(), error.body()), (None, &b"<html>oops</html>"[..]));
    assert_eq!(error.to_string(), "500: send it again later, after growing pauses");
}

#[test]
fn an_odd_member_harms_no_other() {
    let error = decode(
        404,
        br#"{"errorCode":7,"message":"m","retryAfter":"5","invalidFields":{"a":1.50,"b":{"c":null},"\ud800":"d"}}"#,
    );
    assert_eq!((&error.code, error.retry_after), (&None, None));
    assert_eq!(error.message.as_deref(), Some("m"));
    let fields: Vec<_> = error.invalid_fields.iter().map(|(_, why)| why.as_str()).collect();
    assert_eq!(fields, ["1.50", r#"{"c":null}"#, "d"]);
    assert_eq!(
        decode(404, br#"{"errorCode":"","retryAfter":4294967296}"#).advice(),
        Advice::CheckIds
    );
    for body in ["", "[]", "null", "{", "\"errorCode\"", "{\"errorCode\":\"WRONG_TOKEN\""] {
        let error = decode(401, body.as_bytes());
        assert_eq!((error.code.as_ref(), error.body()), (None, body.as_bytes()));
        assert_eq!(error.advice(), Advice::RenewToken);
    }
}

#[test]
fn each_code_has_its_advice() {
    let advice = |status, code| with_code(status, code).advice();
    assert_eq!(advice(401, "WRONG_PASSWORD"), Advice::CheckThingPassword);
    assert_eq!(advice(401, "UNAUTHORIZED"), Advice::RenewToken);
    assert_eq!(advice(403, "WRONG_TOKEN"), Advice::RenewToken);
    assert_eq!(advice(403, "APP_DISABLED"), Advice::ContactAdmin);
    assert_eq!(advice(401, "THING_DISABLED"), Advice::ContactAdmin);
    assert_eq!(advice(404, "APP_NOT_FOUND"), Advice::CheckApp);
    assert_eq!(advice(404, "THING_NOT_FOUND"), Advice::CheckIds);
    assert_eq!(advice(404, "STATE_NOT_FOUND"), Advice::StoreFirst);
    assert_eq!(advice(404, "THING_WITHOUT_THING_TYPE"), Advice::StoreFirst);
    assert_eq!(advice(409, "THING_ALREADY_EXISTS"), Advice::ChooseAnotherId);
    assert_eq!(advice(409, "THING_OWNERSHIP_ALREADY_EXISTS"), Advice::CheckOwner);
    assert_eq!(advice(403, "OPERATION_NOT_SUPPORTED"), Advice::DoWithout);
    assert_eq!(advice(400, "WRONG_COMMAND"), Advice::CorrectRequest { fields: Vec::new() });
    assert_eq!(advice(204, "WRONG_TOKEN"), Advice::Nothing);
    // The status says whether to send it again, whatever the code.
    assert_eq!(advice(503, "WRONG_PASSWORD"), Advice::RetryLater { at_least: None });
    assert_eq!(advice(501, "OPERATION_NOT_IMPLEMENTED"), Advice::RetryLater { at_least: None });
    // Codes that are not known leave the status to go by.
    assert_eq!(advice(404, "SOMETHING_NEW"), Advice::CheckIds);
    assert_eq!(advice(418, "SOMETHING_NEW"), Advice::Report);
    assert_eq!(advice(405, "SOMETHING_NEW"), Advice::DoWithout);
    assert_eq!(advice(302, "WRONG_TOKEN"), Advice::Report);
    assert_eq!(decode(415, b"").advice(), Advice::CorrectRequest { fields: Vec::new() });
}

#[test]
fn what_people_read_is_short_and_in_one_line() {
    let fields: serde_json::Map<_, _> =
        (0..100).map(|index| (format!("{index:02}\n{}", "x".repeat(500)), json!("no"))).collect();
    let body = json!({ "errorCode": "INVALID_INPUT_DATA", "invalidFields": fields }).to_string();
    let error = decode(400, body.as_bytes());
    assert_eq!(error.invalid_fields.len(), 100);
    let said = error.to_string();
    assert!(said.len() < 800 && !said.contains('\n'), "{said}");
    assert!(said.starts_with(r"400 INVALID_INPUT_DATA: correct `00\nxxx"), "{said}");
    assert!(said.ends_with("x` and 92 more"), "{said}");

    let said = with_code(400, &"N\r\n".repeat(1_000)).to_string();
    assert!(said.len() < 300 && !said.contains('\n') && said.starts_with("400 N\\r\\nN"), "{said}");
}

#[test]
fn what_the_cloud_wrote_about_values_is_not_printed() {
    let body = br#"{"errorCode":"INVALID_INPUT_DATA","message":"canary","value":"canary",
        "invalidFields":{"thingPassword":"canary"}}"#;
    let error = decode(400, body);
    let printed = format!("{error:?} {error:#?} {error} {:?} {}", error.advice(), error.advice());
    assert!(printed.contains("thingPassword") && !printed.contains("canary"), "{printed}");
    assert!(!printed.contains("99, 97, 110"), "{printed}");
}

proptest! {
    #[test]
    fn a_body_is_read_as_a_naive_reader_does(
        status in 100_u16..600,
        members in vec(
            (
                select(vec!["errorCode", "message", "retryAfter", "invalidFields", "field"]),
                select(vec![
                    "\"WRONG_TOKEN\"", "\"\\u0041\"", "\"\"", "5", "-5", "5.5", "4294967295", "4294967296",
                    "null", "{}", "{\"a\":\"b\",\"c\":[1,{\"d\":2}]}", "[]", "true",
                ]),
            ),
            0..8,
        ),
    ) {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let body = format!("{{{}}}", members.join(","));
        let error = decode(status, body.as_bytes());
        naive::check(&error, Some(&serde_json::from_str(&body).unwrap()));
        let is_retry = matches!(error.advice(), Advice::RetryLater { .. });
        prop_assert_eq!(is_retry, error.is_retryable());
    }

    #[test]
    fn any_bytes_are_kept(status in 100_u16..600, body in vec(any::<u8>(), 0..100)) {
        let error = decode(status, &body);
        prop_assert_eq!(error.body(), body);
        prop_assert!(error.to_string().starts_with(&status.to_string()));
    }
}
