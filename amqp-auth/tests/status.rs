//! The order of status messages: the vectors F01 to F16 of specification section 15.F, and its laws.

use std::{error::Error as _, time::Duration};

use amqp_auth::{
    message::{Message, MessageId, Options},
    status::{
        ApplyError, Change, Config, DeviceStatus, Held, HoldBack, Notice, OrderBy, Status,
        StatusTracker, Update,
    },
};
use iot_sansio::{
    MonoTime, UnixMillis,
    amqp::{self, Body},
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn notice(vector: &Value) -> Notice {
    let status = if vector[0] == "online" { Status::Online } else { Status::Offline };
    Notice::new(UnixMillis::new(vector[1].as_i64().unwrap()), status)
}

/// Delivers a body as the platform would: what is not of the body stands beside it.
fn apply(tracker: &mut StatusTracker, body: &Value) -> Result<Update, ApplyError> {
    let product_key = body["productKey"].as_str().unwrap_or("pk1");
    let topic = format!("/as/mqtt/status/{product_key}/dn1");
    let mut properties = vec![("topic".into(), amqp::Value::String(topic.into()))];
    if let Some(id) = body["messageId"].as_str() {
        properties.push(("messageId".into(), amqp::Value::String(id.into())));
    }
    if let Some(millis) = body["generateTime"].as_i64() {
        properties.push(("generateTime".into(), amqp::Value::Signed(millis)));
    }
    let bytes = body.to_string().into_bytes();
    let sections = [bytes.as_slice()];
    let message = amqp::Message::new(&properties, Body::Data(&sections));
    tracker.apply(&Message::decode(&message, Options::default()))
}

fn named(result: &Result<Update, ApplyError>) -> Value {
    match result.as_ref().map(|update| update.change) {
        Ok(Change::Changed { from, to }) => {
            json!(["changed", from.map(Status::as_str), to.as_str()])
        }
        Ok(Change::Refreshed) => json!("refreshed"),
        Ok(Change::Repeat) => json!("repeat"),
        Ok(Change::Late) => json!("late"),
        Ok(Change::Duplicate) => json!("duplicate"),
        Err(ApplyError::Unorderable(_)) => json!("unorderable"),
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn every_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/status.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let mut tracker = StatusTracker::new(Config::default());
        let arrival = vector["arrival"].as_array().unwrap();
        let results: Vec<_> = arrival.iter().map(|body| apply(&mut tracker, body)).collect();
        if let Some(expected) = vector["results"].as_array() {
            assert_eq!(results.iter().map(named).collect::<Vec<_>>(), *expected, "{id}");
        }
        let disagreeing = results.iter().flatten().find_map(|update| update.disagreeing);
        assert_eq!(disagreeing.map(UnixMillis::get), vector["disagreeing"].as_i64(), "{id}");
        let device = tracker.get("pk1", "dn1").unwrap();
        assert_eq!(device.current(), Some(notice(&vector["final"])), "{id}");
        if let Some(history) = vector["history"].as_array() {
            assert!(device.history().eq(history.iter().map(notice)), "{id}: {device:?}");
        }
        ids.push(id.to_owned());
    }
    // F04 and F07 name several orders of arrival.
    ids.iter_mut().for_each(|id| id.truncate(3));
    ids.dedup();
    let all: Vec<String> = (1..=16).map(|number| format!("F{number:02}")).collect();
    assert_eq!(ids, all);
}

#[test]
fn old_deployments_may_order_by_the_last_time() {
    let config = Config::default().with_order_by(OrderBy::LastTime);
    let mut tracker = StatusTracker::new(config);
    let online = json!({"status": "online", "utcTime": "2018-08-31T02:02:28.195Z",
        "lastTime": "2018-08-31 10:09:00.000"});
    let offline = json!({"status": "offline", "utcTime": "2018-08-31T02:03:28.195Z",
        "utcLastTime": "2018-08-31T02:00:00.000Z"});
    assert!(matches!(apply(&mut tracker, &online).unwrap().change, Change::Changed { .. }));
    assert_eq!(apply(&mut tracker, &offline).unwrap().change, Change::Late);
    let neither = json!({"status": "offline", "utcTime": "2018-08-31T02:03:28.195Z"});
    let refused = apply(&mut tracker, &neither).unwrap_err();
    assert!(matches!(refused, ApplyError::Unorderable(_)), "{refused:?}");
    assert!(refused.source().is_none(), "it is what is said already: {refused}");
}

#[test]
fn an_odd_field_that_the_order_does_not_need_discards_no_status() {
    let mut tracker = StatusTracker::new(Config::default());
    let odd = json!({"status": "offline", "offlineReasonCode": "", "clientIp": {}, "utcTime": {},
        "lastTime": [], "time": "2018-08-31 10:02:28.195"});
    let update = apply(&mut tracker, &odd).unwrap();
    assert_eq!(update.notice, Notice::new(UnixMillis::new(1_535_680_948_195), Status::Offline));
    let timeless = json!({"status": "offline", "utcTime": {}, "time": 7});
    assert!(matches!(apply(&mut tracker, &timeless), Err(ApplyError::Unorderable(_))));
    let neither = json!({"status": {}, "time": "2018-08-31 10:02:28.195"});
    assert!(matches!(apply(&mut tracker, &neither), Err(ApplyError::Body(_))));
}

#[test]
fn the_offset_of_local_time_is_configurable_and_checked() {
    let config = Config::default().with_offset_seconds(-3_600).unwrap();
    let mut tracker = StatusTracker::new(config);
    let body = json!({"status": "online", "time": "1970-01-01 00:00:00"});
    let update = apply(&mut tracker, &body).unwrap();
    assert_eq!(update.notice.at, UnixMillis::new(3_600_000));
    assert!(Config::default().with_offset_seconds(26 * 3_600).is_err());
    assert!(Config::default().with_offset_seconds(i32::MIN).is_err());
}

#[test]
fn a_full_tracker_refuses_a_new_device_until_one_is_forgotten() {
    let mut tracker = StatusTracker::new(Config::default().with_max_devices(1));
    let online = Notice::new(UnixMillis::new(1), Status::Online);
    let later = Notice::new(UnixMillis::new(2), Status::Online);
    tracker.apply_notice("pk", "a", online, None).unwrap();
    let before = tracker.clone();
    let refused = tracker.apply_notice("pk", "b", online, None);
    assert!(matches!(refused, Err(ApplyError::Full { limit: 1, .. })), "{refused:?}");
    assert_eq!(tracker, before);
    assert_eq!(tracker.apply_notice("pk", "a", later, None), Ok(Change::Refreshed));
    assert_eq!(tracker.forget("pk", "a").unwrap().current(), Some(later));
    assert_eq!((tracker.len(), tracker.iter().count()), (0, 0));
    assert!(tracker.apply_notice("pk", "b", online, None).is_ok());
    assert!(tracker.forget("pk", "a").is_none());
}

#[test]
fn what_is_not_a_status_message_is_refused() {
    let mut tracker = StatusTracker::new(Config::default());
    let message = amqp::Message::new(&[], Body::Sequence);
    let refused = tracker.apply(&Message::decode(&message, Options::default()));
    assert!(matches!(refused, Err(ApplyError::NotStatus { .. })), "{refused:?}");
    let unknown = apply(&mut tracker, &json!({"status": "asleep", "time": "2018-08-31 10:02:28"}));
    assert_eq!(named(&unknown), "unorderable");
    assert!(tracker.is_empty());
}

/// Every order of the elements (Heap's algorithm).
fn permutations<T: Clone>(items: &mut [T], len: usize, each: &mut impl FnMut(&[T])) {
    if len <= 1 {
        return each(items);
    }
    for index in 0..len {
        permutations(items, len - 1, each);
        items.swap(if len % 2 == 0 { index } else { 0 }, len - 1);
    }
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let status = prop_oneof![Just(Status::Offline), Just(Status::Online)];
    (0..5_i64, status).prop_map(|(at, status)| Notice::new(UnixMillis::new(at), status))
}

proptest! {
    #[test]
    fn every_order_of_arrival_gives_the_same_state(
        notices in proptest::collection::vec((any_notice(), proptest::option::of(0..4_u8)), 0..6),
        max_history in 1..5_usize,
    ) {
        let config = Config::default().with_max_history(max_history);
        // Sorted and searched: what the state must be.
        let mut sorted: Vec<Notice> = notices.iter().map(|(notice, _)| *notice).collect();
        sorted.sort();
        sorted.dedup();
        let newest = sorted.last().copied();
        let kept = sorted.split_off(sorted.len().saturating_sub(max_history));

        let mut first: Option<DeviceStatus> = None;
        let mut arrival: Vec<(usize, _)> = notices.into_iter().enumerate().collect();
        let len = arrival.len();
        permutations(&mut arrival, len, &mut |arrival| {
            let mut device = DeviceStatus::default();
            for (_, (notice, id)) in arrival {
                let id = id.map(|id| amqp::Value::Unsigned(id.into()));
                let id = id.as_ref().and_then(MessageId::from_value);
                let before = device.current();
                let change = device.apply(&config, *notice, id.as_ref());
                let agrees = match (before, change) {
                    (_, Change::Duplicate) => id.is_some(),
                    (None, Change::Changed { from: None, to }) => to == notice.status,
                    (Some(before), Change::Changed { from: Some(from), to }) => {
                        *notice > before && from == before.status && to == notice.status && from != to
                    }
                    (Some(before), Change::Refreshed) => {
                        *notice > before && notice.status == before.status
                    }
                    (Some(before), Change::Repeat) => *notice == before,
                    (Some(before), Change::Late) => *notice < before,
                    _ => false,
                };
                assert!(agrees, "{notice:?} after {before:?}: {change:?}");
            }
            assert_eq!(device.current(), newest);
            assert!(device.history().eq(kept.iter().copied()));
            let restored = DeviceStatus::restore(&config, device.history());
            assert!(restored.history().eq(device.history()));
            assert_eq!(*first.get_or_insert_with(|| device.clone()), device);
        });
    }

    #[test]
    fn what_is_held_back_is_told_in_order_and_in_time(
        arrivals in proptest::collection::vec((0..30_u64, any_notice()), 0..20),
        window in 0..40_u64,
    ) {
        let mut hold_back = HoldBack::new(Duration::from_millis(window), 20);
        let (mut told, mut waiting, mut now) = (Vec::new(), 0, 0);
        for (gap, notice) in arrivals {
            now += gap;
            let at = MonoTime::from_millis(now);
            while let Some(deadline) = hold_back.deadline().filter(|deadline| *deadline <= at) {
                while let Some(notice) = hold_back.pop(deadline) {
                    told.push(notice);
                    waiting -= 1;
                }
            }
            match hold_back.push(at, notice) {
                Ok(Held::Waiting) => waiting += 1,
                Ok(Held::Late) => prop_assert!(told.last().is_some_and(|last| notice < *last)),
                Ok(Held::Repeat) => {}
                Err(full) => panic!("{full}"),
            }
            let deadline = hold_back.deadline();
            prop_assert!(deadline.is_none_or(|at| at <= MonoTime::from_millis(now + window)));
        }
        while let Some(deadline) = hold_back.deadline() {
            told.extend(core::iter::from_fn(|| hold_back.pop(deadline)).inspect(|_| waiting -= 1));
        }
        prop_assert_eq!(waiting, 0);
        prop_assert!(told.is_sorted_by(|one, two| one < two));
    }
}

#[test]
fn a_full_hold_back_refuses_and_stays_as_it_is() {
    let notice = |at| Notice::new(UnixMillis::new(at), Status::Online);
    let mut hold_back = HoldBack::new(Duration::from_millis(10), 1);
    assert_eq!(hold_back.push(MonoTime::ORIGIN, notice(5)), Ok(Held::Waiting));
    let before = hold_back.clone();
    assert_eq!(hold_back.push(MonoTime::MAX, notice(6)).unwrap_err().capacity, 1);
    assert_eq!(hold_back, before);
    assert_eq!(hold_back.push(MonoTime::ORIGIN, notice(5)), Ok(Held::Repeat));
    assert_eq!(hold_back.pop(MonoTime::from_millis(10)), Some(notice(5)));
    assert_eq!(hold_back.push(MonoTime::ORIGIN, notice(4)), Ok(Held::Late));
}
