//! A receiver against a topic, with everything that can go wrong between them and somebody who forges.
//!
//! Time is virtual, and all chance follows from a seed.

mod receiver;
mod truth;
mod world;

use core::time::Duration;
use std::collections::BTreeMap;

use iot_sansio::sim::Faults;

use self::world::World;

/// What came of all seeds together.
#[derive(Debug, Default)]
struct Sum {
    published: usize,
    handled: usize,
    given_up: usize,
    unsubscribed: usize,
    failures: usize,
    forged: BTreeMap<String, usize>,
    replayed: usize,
    too_old: usize,
    late: usize,
    rooms: usize,
    no_certificate: usize,
}

fn run(seeds: u64, faults: Faults) -> Sum {
    let mut sum = Sum::default();
    for seed in 0..seeds {
        let mut world = World::new(seed, faults);
        for _ in 0..40 {
            world.round();
        }
        world.calm_down();
        world.check(&mut sum);
    }
    println!("{sum:#?}");
    sum
}

#[test]
fn every_event_is_handled_once_and_nothing_forged_is() {
    let delay = Duration::from_millis(5)..=Duration::from_secs(3);
    let faults =
        Faults::none().with_delay(delay).with_reordering(true).with_loss(0.1).with_duplication(0.1);
    let sum = run(30, faults);
    // One of four attempts gets through but for one message in some hundred.
    assert!(sum.given_up * 20 < sum.published, "{sum:?}");
    assert_eq!(sum.forged.len(), 12, "each kind has come: {:?}", sum.forged);
    for times in [sum.replayed, sum.too_old, sum.late, sum.failures, sum.unsubscribed] {
        assert!(times > 0, "{sum:?}");
    }
    assert!(sum.no_certificate > 0, "{sum:?}");
}

#[test]
fn what_a_bad_line_loses_for_good_is_what_the_service_has_given_up() {
    let delay = Duration::from_millis(5)..=Duration::from_secs(20);
    let faults =
        Faults::none().with_delay(delay).with_reordering(true).with_loss(0.4).with_duplication(0.2);
    let sum = run(20, faults);
    assert!(sum.given_up > 0 && sum.handled < sum.published, "{sum:?}");
}
