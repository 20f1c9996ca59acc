//! Any sequence of what gates and the deduplication are told, beside references that go through all of it.

use proptest::prelude::*;

#[path = "naive/gates/mod.rs"]
mod naive;

/// Anything; often an event of one role or one automation, where order matters most; and often a step of a device on its
/// way, which is long.
fn step() -> impl Strategy<Value = naive::Step> {
    let kind = prop_oneof![Just(1_u8), Just(3)];
    let event = (kind, 0..4_u8, 0..3_u8);
    let event = event.prop_map(|(kind, number, sns)| [3, kind, number, sns << 6, 3, 0]);
    let device = prop_oneof![
        Just([0, 0, 0, 0, 0, 0]),
        Just([0, 4, 0, 0, 0, 0]),
        (0..8_u8, 0..3_u8).prop_map(|(number, name)| [3, 5, number, name, 3, 0]),
        (0..3_u8, 0..2_u8).prop_map(|(name, unit)| [5, 0, name, unit, 0, 0]),
        (0..3_u8, 0..4_u8).prop_map(|(name, answered)| [5, 2, name, answered, 0, 0]),
    ];
    prop_oneof![any::<naive::Step>(), event, device]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn gates_say_what_their_history_says(
        settings in any::<[u8; 2]>(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        naive::run(settings, &steps);
    }
}
