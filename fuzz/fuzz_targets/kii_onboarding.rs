//! Any bytes as the body of an onboarding, of the answer to one and of an error, read by the crate and by naive
//! readings that go through `serde_json::Value`.

#![no_main]

use core::str;

use kii_onboard::{
    ApiError,
    frame::Response,
    onboarding::{EndNodeOnboarded, Onboarded},
};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};

#[path = "../../kii-onboard/tests/naive/api_error.rs"]
mod api_error;
#[path = "../../kii-onboard/tests/naive/onboarded.rs"]
mod onboarded;
#[path = "../../kii-onboard/tests/naive/onboarding.rs"]
mod onboarding;

fuzz_target!(|body: &[u8]| {
    let is_json = is_json(body);
    let value = value(body);
    // A `Value` cannot tell all that is JSON.
    let is_told = value.is_some() || !is_json;

    let (thing, end_node) = (onboarded::thing(body), onboarded::end_node(body));
    assert_eq!((thing.is_some(), end_node.is_some()), (is_json, is_json));
    if let Some(value) = &value {
        assert_eq!(thing, Some(onboarded::read_thing(value)));
        assert_eq!(end_node, Some(onboarded::read_end_node(value)));
    }
    for variant in VARIANTS {
        let media_type = format!("application/vnd.kii.Onboarding{variant}+json");
        let read = onboarding::decode(&media_type, BEARER, body);
        if is_told && read.is_some() {
            assert_eq!(read, Some(onboarding::read(&media_type, BEARER, value.as_ref())));
        }
    }
    let payload = [b"400\r\n\r\n", body].concat();
    if let Ok(response) = Response::decode(&payload) {
        let error = ApiError::decode(&response);
        assert_eq!((error.status.get(), error.body()), (400, body));
        let said = error.to_string();
        assert!(said.len() < 10_000 && !said.contains(char::is_control));
        if is_told {
            api_error::check(&error, value.as_ref());
        }
    }
    keeps_quiet(body);
});

fn is_json(body: &[u8]) -> bool {
    str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// None when it is not JSON, or some of which a `Value` does not tell all: deeper than 128 levels, with half of a
/// surrogate pair, or with one of the names through which serde_json passes numbers and raw values.
fn value(body: &[u8]) -> Option<Value> {
    let private = b"$serde_json::private";
    let is_private = body.windows(private.len()).any(|name| name == private);
    if is_private { None } else { serde_json::from_slice(body).ok() }
}

/// Nothing that is written where a secret belongs is printed.
fn keeps_quiet(body: &[u8]) {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else { return };
    object.insert("accessToken".into(), CANARY.into());
    object.insert("thingPassword".into(), CANARY.into());
    if let Some(Value::Object(endpoint)) = object.get_mut("mqttEndpoint") {
        endpoint.insert("password".into(), CANARY.into());
    }
    let planted = Value::from(object).to_string();
    let (thing, end_node) =
        (Onboarded::decode(planted.as_bytes()), EndNodeOnboarded::decode(planted.as_bytes()));
    let explained = (thing.as_ref().err().map(ToString::to_string), end_node.as_ref().err());
    let printed = format!("{thing:?} {end_node:?} {explained:?}");
    assert!(!printed.contains(CANARY), "{printed}");
}

const VARIANTS: [&str; 6] = [
    "WithVendorThingIDByThing",
    "WithThingIDByThing",
    "WithVendorThingIDByOwner",
    "WithThingIDByOwner",
    "EndNodeWithGatewayThingID",
    "EndNodeWithGatewayVendorThingID",
];
const BEARER: Option<&str> = Some("Bearer tok");
const CANARY: &str = "canary \u{1F424}";
