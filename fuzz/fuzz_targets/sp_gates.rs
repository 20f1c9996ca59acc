//! Any sequence of what the gates and the deduplication are told, beside references that go through all of it, and the
//! events alone in another order.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../smart-properties/tests/naive/gates/mod.rs"]
mod naive;

fuzz_target!(|bytes: &[u8]| {
    let Some((settings, steps)) = bytes.split_first_chunk() else { return };
    let steps = steps.chunks_exact(size_of::<naive::Step>());
    // The references go through the whole history at every step.
    let steps: Vec<_> = steps.take(64).filter_map(|step| step.try_into().ok()).collect();
    naive::run(*settings, &steps);
});
