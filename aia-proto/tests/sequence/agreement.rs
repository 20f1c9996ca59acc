//! The resequencer and the slow reference do the same, and everything comes once and in order.

use std::time::Duration;

use aia_proto::sequence::{BeyondWindow, Config, Resequencer, SequenceNumber};
use iot_sansio::MonoTime;
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::naive::{Step, agree};

fn any_step() -> impl Strategy<Value = Step> {
    let near = -6..12_i64;
    let edges = prop_oneof![
        (1_i64 << 31) - 2..(1 << 31) + 3,
        -(1_i64 << 31) - 2..-(1 << 31) + 3,
        any::<u32>().prop_map(i64::from),
    ];
    let steps = prop_oneof![3 => Just(0), 8 => near, 1 => edges];
    prop_oneof![
        16 => (steps, 0..40_u8).prop_map(|(steps, size)| Step::Accept { steps, size }),
        3 => (0..12_000_u16).prop_map(|millis| Step::Wait { millis }),
        1 => (0..6_u8).prop_map(|back| Step::Rewind { back }),
    ]
}

fn any_begin() -> impl Strategy<Value = u32> {
    prop_oneof![
        Just(0),
        0..9_u32,
        u32::MAX - 9..=u32::MAX,
        (1_u32 << 31) - 5..(1 << 31) + 5,
        any::<u32>()
    ]
}

proptest! {
    #[test]
    fn it_does_what_a_map_of_everything_does(
        begin in any_begin(),
        window in prop_oneof![0..10_u32, Just(u32::MAX)],
        max_bytes in prop_oneof![0..150_usize, Just(usize::MAX)],
        drops: bool,
        steps in vec(any_step(), 0..80),
    ) {
        let config = Config::default().with_window(window).with_max_bytes(max_bytes);
        let config = if drops { config.with_beyond(BeyondWindow::Drop) } else { config };
        agree(config, begin, steps);
    }

    /// Shuffled within the window and repeated at will, across the wrap too.
    #[test]
    fn everything_comes_once_and_in_order(
        begin in any_begin(),
        keys in vec(any::<Index>(), 1..60),
        repeats in vec(any::<Index>(), 0..60),
    ) {
        const WINDOW: usize = 16;
        let count = keys.len();
        // Each time one of the next few that were not sent, so that none runs too far ahead.
        let mut left: Vec<usize> = (0..count).collect();
        let mut arrivals: Vec<usize> = keys
            .iter()
            .map(|key| {
                let reach = left.iter().filter(|place| **place <= left[0] + WINDOW).count();
                left.remove(key.index(reach))
            })
            .collect();
        for repeat in repeats {
            // Anything that came before may come again right away.
            let at = repeat.index(arrivals.len());
            arrivals.insert(at, arrivals[at]);
        }
        let first = SequenceNumber::new(begin);
        let mut inbox = Resequencer::new(Config::default().with_window(16));
        // One is delivered before: right after a rewind only the expected one counts.
        inbox.rewind(first.plus(u32::MAX));
        inbox.accept(MonoTime::ORIGIN, first.plus(u32::MAX), usize::MAX, 0).unwrap();
        inbox.poll_delivery();
        let mut delivered = Vec::new();
        for place in arrivals {
            let number = first.plus(u32::try_from(place).unwrap());
            inbox.accept(MonoTime::ORIGIN, number, place, 1).unwrap();
            delivered.extend(core::iter::from_fn(|| inbox.poll_delivery()).map(|(_, place)| place));
        }
        prop_assert_eq!(delivered, (0..count).collect::<Vec<_>>());
        prop_assert_eq!(inbox.deadline(), None);
    }
}

/// What was dropped has to come again, even when nothing is held.
#[test]
fn a_dropped_message_keeps_the_gap_open() {
    let config = Config::default().with_window(2).with_beyond(BeyondWindow::Drop);
    let mut inbox = Resequencer::new(config);
    let at = |seconds| MonoTime::from_origin(Duration::from_secs(seconds));
    let mut accept = |seconds, number| {
        inbox.accept(at(seconds), SequenceNumber::new(number), (), 1).unwrap();
        inbox.deadline()
    };
    assert_eq!(accept(0, 3), Some(at(10)));
    assert_eq!(accept(1, 0), Some(at(11)));
    assert_eq!(accept(2, 1), Some(at(12)));
    assert_eq!(accept(3, 2), Some(at(13)));
    assert_eq!(accept(4, 3), None);
}

#[test]
fn at_the_end_of_time_a_gap_is_late_at_once() {
    let mut inbox = Resequencer::new(Config::default());
    inbox.accept(MonoTime::MAX, SequenceNumber::new(1), (), 1).unwrap();
    assert_eq!(inbox.deadline(), Some(MonoTime::MAX));
    assert!(inbox.expired(MonoTime::MAX).is_some());
}
