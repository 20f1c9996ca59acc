//! The line: what it promises without a fault, and what each fault does.

extern crate alloc;

use alloc::collections::BTreeMap;
use core::time::Duration;

use iot_sansio::{
    MonoTime,
    mqtt::Qos,
    sim::{Faults, Line},
};
use proptest::prelude::*;

/// Everything that arrives, with its time.
fn arrivals<T: Clone>(line: &mut Line<T>) -> Vec<(MonoTime, T)> {
    let next = || {
        let at = line.next_arrival()?;
        line.receive(at).map(|item| (at, item))
    };
    core::iter::from_fn(next).collect()
}

/// Sends 0, 1, 2.. at these times; gives what arrives.
fn sent(faults: Faults, seed: u64, times: &[u64], qos: Option<Qos>) -> Vec<(MonoTime, usize)> {
    let mut line = Line::new(faults, seed);
    for (item, &millis) in times.iter().enumerate() {
        let now = MonoTime::from_millis(millis);
        let _ = match qos {
            Some(qos) => line.send_qos(now, item, qos),
            None => line.send(now, item),
        };
    }
    arrivals(&mut line)
}

fn count(arrived: &[(MonoTime, usize)]) -> BTreeMap<usize, usize> {
    let mut count = BTreeMap::new();
    for (_, item) in arrived {
        *count.entry(*item).or_default() += 1;
    }
    count
}

fn wide() -> Faults {
    Faults::none().with_delay(Duration::ZERO..=Duration::from_secs(5))
}

fn times() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(0_u64..2_000, 0..60).prop_map(|mut times| {
        times.sort_unstable();
        times
    })
}

proptest! {
    #[test]
    fn without_loss_nothing_is_lost_and_without_duplication_nothing_comes_twice(
        times in times(), seed: u64, reordering: bool,
    ) {
        let arrived = sent(wide().with_reordering(reordering), seed, &times, None);
        let once: BTreeMap<_, _> = (0..times.len()).map(|item| (item, 1)).collect();
        prop_assert_eq!(count(&arrived), once);
    }

    #[test]
    fn without_reordering_items_arrive_as_they_were_sent(times in times(), seed: u64) {
        let faults = wide().with_loss(0.2).with_duplication(0.2);
        let arrived = sent(faults, seed, &times, None);
        prop_assert!(arrived.is_sorted_by_key(|(_, item)| *item), "{arrived:?}");
    }

    #[test]
    fn nothing_arrives_before_its_shortest_delay(times in times(), seed: u64, reordering: bool) {
        let (shortest, longest) = (Duration::from_millis(300), Duration::from_millis(700));
        let faults = Faults::none().with_delay(shortest..=longest).with_reordering(reordering);
        for (at, item) in sent(faults, seed, &times, None) {
            let delay = at.since(MonoTime::from_millis(times[item]));
            prop_assert!(delay >= shortest);
            prop_assert!(delay <= longest || !reordering, "only the item before may hold it up");
        }
    }

    #[test]
    fn a_seed_repeats_everything(times in times(), seed: u64) {
        let faults = wide().with_loss(0.3).with_duplication(0.3).with_reordering(true);
        prop_assert_eq!(sent(faults, seed, &times, None), sent(faults, seed, &times, None));
    }

    #[test]
    fn promises_of_mqtt_hold_on_the_worst_line(times in times(), seed: u64) {
        let faults = wide().with_loss(0.5).with_duplication(0.5).with_reordering(true);
        let of = |qos| count(&sent(faults, seed, &times, Some(qos)));
        prop_assert!(of(Qos::AtMostOnce).values().all(|&copies| copies == 1));
        prop_assert_eq!(of(Qos::AtLeastOnce).len(), times.len());
        prop_assert_eq!(of(Qos::ExactlyOnce), (0..times.len()).map(|item| (item, 1)).collect());
    }

    #[test]
    fn an_item_sent_in_order_overtakes_nothing_and_is_not_overtaken(
        before in 0_usize..20, after in 0_usize..20, seed: u64,
    ) {
        let mut line = Line::new(wide().with_reordering(true), seed);
        let sent = (0..before).all(|item| line.send(MonoTime::ORIGIN, item))
            && line.send_in_order(MonoTime::ORIGIN, before)
            && (0..after).all(|item| line.send(MonoTime::ORIGIN, before + 1 + item));
        prop_assert!(sent);
        let arrived: Vec<_> = arrivals(&mut line).into_iter().map(|(_, item)| item).collect();
        let place = arrived.iter().position(|&item| item == before);
        prop_assert_eq!(place, Some(before));
        prop_assert!(arrived[..before].iter().all(|&item| item < before));
    }
}

#[test]
fn each_fault_happens_about_as_often_as_it_should() {
    let times = [0; 1_000];
    let arrived = sent(Faults::none().with_loss(0.3), 1, &times, None);
    assert!((650..750).contains(&arrived.len()), "{}", arrived.len());
    let arrived = sent(Faults::none().with_duplication(0.01), 1, &times[..500], None);
    assert!((501..520).contains(&arrived.len()), "{}", arrived.len());
    let reordered = sent(wide().with_reordering(true), 1, &times, None);
    assert!(!reordered.is_sorted_by_key(|(_, item)| *item));
}

#[test]
fn different_seeds_have_different_luck() {
    let of = |seed| sent(wide(), seed, &[0; 10], None);
    assert_ne!(of(1), of(2));
}

#[test]
fn an_item_waits_for_its_time() {
    let delay = Duration::from_millis(10);
    let mut line = Line::new(Faults::none().with_delay(delay..=delay), 0);
    assert!(line.send(MonoTime::from_millis(5), 'a'));
    assert_eq!(line.next_arrival(), Some(MonoTime::from_millis(15)));
    assert_eq!(line.receive(MonoTime::from_millis(14)), None);
    assert_eq!(line.receive(MonoTime::from_millis(99)), Some('a'));
    assert_eq!((line.next_arrival(), line.is_empty()), (None, true));
}

#[test]
fn a_full_line_takes_nothing_more_and_says_so() {
    let mut line = Line::new(Faults::none().with_duplication(1.0), 0).with_capacity(3);
    let sent: Vec<_> = (0..4).map(|item| line.send(MonoTime::ORIGIN, item)).collect();
    assert_eq!(sent, [true, true, false, false]);
    assert_eq!(line.len(), 3, "there was no room for a duplicate of the second");
    assert!(!line.send_in_order(MonoTime::ORIGIN, 9));
    line.retain(|item| *item == 1);
    assert_eq!(arrivals(&mut line), [(MonoTime::ORIGIN, 1)]);
}

#[test]
fn changed_faults_are_for_what_is_sent_from_then_on() {
    let delay = Duration::from_millis(10);
    let mut line = Line::new(Faults::none().with_delay(delay..=delay), 0);
    assert!(line.send(MonoTime::ORIGIN, 'a'));
    line.set_faults(Faults::none().with_loss(1.0));
    assert!(!line.send(MonoTime::ORIGIN, 'b'));
    line.set_faults(Faults::none());
    assert!(line.send(MonoTime::from_millis(20), 'c'));
    let (first, last) = (MonoTime::from_millis(10), MonoTime::from_millis(20));
    assert_eq!(arrivals(&mut line), [(first, 'a'), (last, 'c')]);
}
