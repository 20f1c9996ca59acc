//! Any bytes as an event, beside a naive reading of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../smart-properties/tests/naive/event_agreement.rs"]
mod agreement;
#[path = "../../smart-properties/tests/naive/event.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    // The name through which serde_json passes numbers.
    let private = b"$serde_json::private";
    if !bytes.windows(private.len()).any(|name| name == private) {
        agreement::check(bytes);
    }
});
