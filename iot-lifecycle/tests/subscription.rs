//! Subscriptions of one client: laws, capacity, sessions.

use core::slice;
use std::collections::HashMap;

use iot_lifecycle::{
    Connected, Event, EventKind, SessionId, Subscription, SubscriptionState, Subscriptions, Topics,
};
use iot_sansio::UnixMillis;
use proptest::prelude::*;

fn event(session: &str, timestamp: i64, subscribed: bool, filters: &[String]) -> Event<'static> {
    let topics = Topics::new(filters.to_vec());
    let kind =
        if subscribed { EventKind::Subscribed(topics) } else { EventKind::Unsubscribed(topics) };
    let mut event = Event::new("device-1", UnixMillis::new(timestamp), kind);
    event.session_identifier = Some(session.to_owned().into());
    event
}

fn after(events: &[Event<'_>]) -> Subscriptions {
    let mut subscriptions = Subscriptions::new();
    for event in events {
        subscriptions.apply(event);
    }
    subscriptions
}

fn merged(mut one: Subscriptions, two: &Subscriptions) -> Subscriptions {
    one.merge(two.clone());
    one
}

/// What is kept, without the measure of what was not.
fn entries(subscriptions: &Subscriptions) -> Vec<Subscription> {
    subscriptions.iter().cloned().collect()
}

/// The definition, slowly: last writer wins in a map without bounds, then the latest 64.
fn naive(events: &[Event<'_>]) -> Vec<(UnixMillis, bool, String, Option<SessionId<'static>>)> {
    let mut map = HashMap::new();
    for event in events {
        let (topics, subscribed) = match &event.kind {
            EventKind::Subscribed(topics) => (topics, true),
            EventKind::Unsubscribed(topics) => (topics, false),
            _ => continue,
        };
        for filter in &topics.topics {
            let key = (filter.to_string(), event.session().map(SessionId::into_owned));
            let entry = map.entry(key).or_insert((event.timestamp, subscribed));
            *entry = (*entry).max((event.timestamp, subscribed));
        }
    }
    let flat = map.into_iter().map(|((filter, session), (t, state))| (t, state, filter, session));
    let mut all: Vec<_> = flat.collect();
    all.sort();
    all.split_off(all.len().saturating_sub(Subscriptions::CAPACITY))
}

fn events(filters: &'static str, count: usize) -> impl Strategy<Value = Vec<Event<'static>>> {
    let one = ("[AB]?", 0_i64..6, any::<bool>(), prop::collection::vec(filters, 0..8))
        .prop_map(|(session, t, subscribed, filters)| event(&session, t, subscribed, &filters));
    prop::collection::vec(one, 0..count)
}

proptest! {
    /// Some runs stay below the capacity, others go far beyond it.
    #[test]
    fn what_is_kept_is_the_latest_whatever_the_order_and_repetition(
        (events, mut shuffled) in prop_oneof![events("[a-d]", 12), events("[a-z]{1,2}", 40)]
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
    ) {
        let kept = after(&events);
        let flat: Vec<_> = (kept.iter().cloned())
            .map(|e| (e.timestamp, e.state == SubscriptionState::Subscribed, e.filter, e.session))
            .collect();
        prop_assert_eq!(flat, naive(&events));
        shuffled.extend(events);
        prop_assert_eq!(entries(&after(&shuffled)), entries(&kept));
    }

    #[test]
    fn merging_commutes_associates_and_repeats(
        x in prop_oneof![events("[a-d]", 12), events("[a-z]{1,2}", 20)],
        y in prop_oneof![events("[a-d]", 12), events("[a-z]{1,2}", 20)],
        z in prop_oneof![events("[a-d]", 12), events("[a-z]{1,2}", 20)],
    ) {
        let all = after(&[x.clone(), y.clone(), z.clone()].concat());
        let (x, y, z) = (after(&x), after(&y), after(&z));
        let left = merged(merged(x.clone(), &y), &z);
        let right = merged(x.clone(), &merged(y.clone(), &z));
        prop_assert_eq!(entries(&left), entries(&right));
        prop_assert_eq!(entries(&left), entries(&all));
        prop_assert_eq!(entries(&merged(x.clone(), &y)), entries(&merged(y, &x)));
        prop_assert_eq!(merged(x.clone(), &x), x);
    }
}

#[test]
fn a_subscription_wins_over_an_unsubscription_of_the_same_millisecond() {
    let filter = ["a".to_owned()];
    let (on, off) = (event("A", 5, true, &filter), event("A", 5, false, &filter));
    for order in [[on.clone(), off.clone()], [off, on]] {
        let session = SessionId::new("A");
        assert_eq!(after(&order).subscribed(session.as_ref()).collect::<Vec<_>>(), ["a"]);
    }
}

#[test]
fn the_oldest_entry_makes_room_and_is_counted() {
    let name = |n: usize| format!("filter/{n}");
    let filters: Vec<_> = (0..Subscriptions::CAPACITY).map(name).collect();
    let mut subscriptions = Subscriptions::new();
    for (at, filter) in (10_i64..).zip(&filters) {
        subscriptions.apply(&event("A", at, true, slice::from_ref(filter)));
    }
    assert_eq!(subscriptions.overflowed(), 0);

    let extra = ["extra".to_owned()];
    assert!(!subscriptions.apply(&event("A", 9, true, &extra)), "older than all that is kept");
    assert_eq!(subscriptions.overflowed(), 1);
    assert!(subscriptions.apply(&event("A", 1_000, true, &extra)));
    assert_eq!(subscriptions.overflowed(), 2);
    assert_eq!(subscriptions.iter().len(), Subscriptions::CAPACITY);
    assert!(!subscriptions.iter().any(|entry| entry.filter == filters[0]));
    assert!(subscriptions.apply(&event("A", 2_000, false, &extra)), "a known filter needs no room");
    assert_eq!(subscriptions.overflowed(), 2);
}

#[test]
fn texts_that_no_service_sends_are_not_kept() {
    let long = ["f".repeat(Subscriptions::MAX_TEXT_BYTES + 1), "short".to_owned()];
    let subscriptions = after(&[event("A", 1, true, &long)]);
    assert_eq!((subscriptions.iter().len(), subscriptions.overflowed()), (1, 1));
    let session = "s".repeat(Subscriptions::MAX_TEXT_BYTES + 1);
    let subscriptions = after(&[event(&session, 1, true, &long)]);
    assert_eq!((subscriptions.iter().len(), subscriptions.overflowed()), (0, 2));
}

#[test]
fn a_new_session_ends_the_old_one_and_keeps_what_it_had_subscribed_before_its_connect_was_seen() {
    let (a, b) = (SessionId::new("A"), SessionId::new("B"));
    let mut subscriptions = after(&[
        event("A", 1, true, &["old".to_owned()]),
        event("B", 2, true, &["new".to_owned()]),
    ]);
    subscriptions.head_moved(a.as_ref());
    assert_eq!(subscriptions.iter().len(), 1, "the head is still A's");

    subscriptions.apply(&event("B", 2, true, &["new".to_owned()]));
    subscriptions.head_moved(b.as_ref());
    assert_eq!(subscriptions.subscribed(a.as_ref()).count(), 0);
    assert_eq!(subscriptions.subscribed(b.as_ref()).collect::<Vec<_>>(), ["new"]);
    // A persistent session reconnects under its id.
    subscriptions.head_moved(b.as_ref());
    assert_eq!(subscriptions.subscribed(b.as_ref()).collect::<Vec<_>>(), ["new"]);
}

#[test]
fn a_head_without_a_session_ends_none() {
    let mut subscriptions = after(&[
        event("A", 1, true, &["known".to_owned()]),
        event("", 2, true, &["unknown".to_owned()]),
    ]);
    let before = subscriptions.clone();
    subscriptions.head_moved(None);
    assert_eq!(subscriptions, before);
    subscriptions.head_moved(SessionId::new("A").as_ref());
    assert_eq!(subscriptions.iter().len(), 1, "what came without a session is not A's");
}

#[test]
fn sessions_compare_in_their_normal_form() {
    let dashed = "00000000-0000-0000-0000-00000000000A";
    let subscriptions = after(&[event(dashed, 1, true, &["a".to_owned()])]);
    let plain = SessionId::new("0000000000000000000000000000000a");
    assert_eq!(subscriptions.subscribed(plain.as_ref()).count(), 1);
}

#[test]
fn events_of_presence_change_no_subscription() {
    let connected = Event::new("device-1", UnixMillis::new(1), Connected::new(0));
    assert!(!Subscriptions::new().apply(&connected));
}
