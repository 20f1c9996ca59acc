//! Errors said again, in no hurry: specification, section 10.1, over a `serde_json::Value`.

use std::collections::BTreeMap;

use kii_onboard::ApiError;
use serde_json::Value;

/// Compares what the crate read of a body with what is in it; none is what is not JSON.
pub(crate) fn check(error: &ApiError, body: Option<&Value>) {
    let member = |name: &str| body.and_then(|body| body.get(name));
    let text = |name: &str| member(name).and_then(Value::as_str);
    let code = error.code.as_ref().map(|code| code.as_str());
    assert_eq!(code, text("errorCode").filter(|code| !code.is_empty()));
    assert_eq!(error.message.as_deref(), text("message"));
    // Not `as_u64`: of `-0` it says none.
    let seconds = member("retryAfter").and_then(|member| member.to_string().parse::<i128>().ok());
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
    assert_eq!(error.retry_after.map(|pause| pause.as_secs()), seconds.map(u64::from));

    // A `Value` has the last one of members with the same name.
    let fields: BTreeMap<_, _> = error.invalid_fields.iter().cloned().collect();
    let expected = member("invalidFields").and_then(Value::as_object);
    assert_eq!(fields.len(), expected.map_or(0, |expected| expected.len()));
    for (name, why) in expected.into_iter().flatten() {
        match why {
            Value::String(why) => assert_eq!(fields[name], *why),
            other => assert_eq!(serde_json::from_str::<Value>(&fields[name]).unwrap(), *other),
        }
    }
}
