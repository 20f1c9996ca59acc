//! The vectors O-01 to O-05 of specification section 13.11, run by id.

use proptest::prelude::*;
use serde_json::Value;
use smart_properties::{
    Instant,
    order::{LastWriter, OrderKey, Verdict},
};

#[test]
fn every_order_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/order.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let mut last = LastWriter::default();
        for (number, event) in vector["events"].as_array().unwrap().iter().enumerate() {
            let time = |member: &str| event[member].as_str().and_then(Instant::parse);
            let key = OrderKey::new(time("event"), time("sns"));
            let verdict = last.observe(key, &format!("event-{number}"));
            let expected = vector["expect"][number].as_str().unwrap();
            assert_eq!(format!("{verdict:?}"), expected, "{}", vector["id"]);
        }
        ids.push(vector["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids, (1..=5).map(|number| format!("O-{number:02}")).collect::<Vec<_>>());
}

#[test]
fn the_same_event_again_is_a_duplicate_even_in_another_message() {
    let at = |sns: &str| OrderKey::new(Instant::parse("2024-05-01T10:00:00Z"), Instant::parse(sns));
    let mut last = LastWriter::default();
    assert_eq!(last.observe(at("2024-05-01T10:00:01Z"), "e-1"), Verdict::Applied);
    assert_eq!(last.observe(at("2024-05-01T10:00:03Z"), "e-1"), Verdict::Duplicate);
    assert_eq!(last.observe(at("2024-05-01T10:00:01Z"), "e-1"), Verdict::Duplicate);
    assert_eq!(last.observe(at("2024-05-01T10:00:02Z"), "e-2"), Verdict::Stale);
}

#[test]
fn without_any_time_nothing_is_newer() {
    let mut last = LastWriter::default();
    assert_eq!(last.observe(OrderKey::default(), "e-1"), Verdict::Applied);
    assert_eq!(last.observe(OrderKey::default(), "e-2"), Verdict::Conflict);
    assert_eq!(last.newest_id(), Some("e-1"));
}

proptest! {
    /// The newest of all is kept, by its own time and then by that of its message.
    #[test]
    fn the_newest_stays_in_whatever_order(times in prop::collection::vec((0..5_i64, 0..5_i64), 1..10)) {
        let instant = |millis| Instant::from(iot_sansio::UnixMillis::new(millis));
        let mut last = LastWriter::default();
        for (number, (event, sns)) in times.iter().enumerate() {
            let key = OrderKey::new(Some(instant(*event)), Some(instant(*sns)));
            let _ = last.observe(key, &format!("e-{number}"));
        }
        let (event, sns) = times.iter().max().unwrap();
        prop_assert_eq!(
            last.newest(),
            Some(OrderKey::new(Some(instant(*event)), Some(instant(*sns))))
        );
    }
}
