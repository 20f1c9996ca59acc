//! The relation against its table, and its laws.

mod heads;

use core::{cmp::Ordering, time::Duration};

use heads::{THETA, pairs, universe};
use iot_lifecycle::{Connected, Event, Head, HeadError, HeadKind, Order, SessionId};
use iot_sansio::UnixMillis;
use proptest::prelude::*;

const ORDER: Order = Order::Versioned { theta: THETA };

/// The table of specification section 4.2, rule by rule: which of two is newer, or the same event.
fn table(x: &Head<'_>, y: &Head<'_>, theta: Duration) -> Ordering {
    let theta = i128::try_from(theta.as_millis()).expect("at most 74 bits");
    let (xt, yt) = (i128::from(x.timestamp.get()), i128::from(y.timestamp.get()));
    let same_version = x.version == y.version;
    let known = x.session.is_some() && y.session.is_some();
    let disconnect_is_newer = match (x.kind, y.kind) {
        (HeadKind::Disconnect, HeadKind::Connect) => Ordering::Greater,
        (HeadKind::Connect, HeadKind::Disconnect) => Ordering::Less,
        _ => Ordering::Equal,
    };
    let rules: [(&str, bool, Ordering); 7] = [
        ("1a", same_version && known && x.session == y.session, disconnect_is_newer),
        (
            "1b",
            same_version && known && x.session != y.session,
            if xt != yt {
                xt.cmp(&yt)
            } else if x.kind != y.kind {
                disconnect_is_newer.reverse()
            } else {
                let bytes = |head: &Head<'_>| head.session.as_ref().map(ToString::to_string);
                bytes(x).cmp(&bytes(y))
            },
        ),
        ("1c", same_version && !known && (xt - yt).abs() > theta, xt.cmp(&yt)),
        ("1d", same_version && !known && (xt - yt).abs() <= theta, disconnect_is_newer),
        ("2a", x.version < y.version && xt > yt + theta, Ordering::Greater),
        ("2a", y.version < x.version && yt > xt + theta, Ordering::Less),
        ("2b", !same_version, x.version.cmp(&y.version)),
    ];
    let applies = rules.iter().find(|(_, applies, _)| *applies);
    applies.expect("one rule applies to every pair").2
}

fn head(kind: HeadKind, version: i64, session: &str, timestamp: i64) -> Head<'static> {
    Head {
        kind,
        version,
        session: SessionId::new(session.to_owned()),
        timestamp: UnixMillis::new(timestamp),
    }
}

fn any_head() -> impl Strategy<Value = Head<'static>> {
    let kind = prop_oneof![Just(HeadKind::Connect), Just(HeadKind::Disconnect)];
    let version = prop_oneof![0_i64..4, any::<i64>()];
    let timestamp = prop_oneof![0_i64..1_000_000, any::<i64>()];
    (kind, version, "[AB]?", timestamp).prop_map(|(k, v, s, t)| head(k, v, &s, t))
}

#[test]
fn the_relation_is_its_table_on_every_pair() {
    let pairs = pairs();
    assert_eq!(pairs.len(), 15_876 + 11_664);
    for (x, y) in pairs {
        assert_eq!(ORDER.compare(&x, &y), table(&x, &y, THETA), "{x:?} {y:?}");
    }
}

#[test]
fn only_timestamps_order_events_without_a_version_that_counts() {
    let mut event = Event::new("d", UnixMillis::new(7), Connected::default());
    assert_eq!(ORDER.head(&event), Err(HeadError::MissingVersion));
    assert_eq!(Order::TimestampOnly.head(&event).unwrap().unwrap().version, 0);
    event.kind = Connected::new(-1).into();
    assert_eq!(ORDER.head(&event), Err(HeadError::NegativeVersion));
    assert_eq!(Order::TimestampOnly.head(&event).unwrap().unwrap().version, 0);
}

#[test]
fn every_pair_has_one_winner_whichever_way_round_it_is_asked() {
    for (mut x, mut y) in pairs() {
        for order in [ORDER, Order::TimestampOnly] {
            if order == Order::TimestampOnly {
                (x.version, y.version) = (0, 0);
            }
            assert_eq!(order.compare(&x, &y), order.compare(&y, &x).reverse(), "{x:?} {y:?}");
            assert_eq!(order.merge(x.clone(), y.clone()), order.merge(y.clone(), x.clone()));
        }
    }
}

#[test]
fn only_events_of_one_connection_and_kind_are_the_same_event() {
    for (x, y) in pairs() {
        if ORDER.compare(&x, &y).is_eq() {
            assert_eq!((x.version, x.kind), (y.version, y.kind));
            assert!(x.session == y.session || x.session.is_none() || y.session.is_none());
        }
    }
}

#[test]
fn timestamps_alone_make_a_total_order_of_any_events() {
    let mut heads = universe();
    for head in &mut heads {
        head.version = 0;
    }
    heads.sort_by(|x, y| Order::TimestampOnly.compare(x, y));
    for (at, x) in heads.iter().enumerate() {
        for y in &heads[at..] {
            assert!(Order::TimestampOnly.compare(x, y).is_le(), "{x:?} {y:?}");
        }
    }
}

/// Vectors T35 and T36: outside the service's documented bounds the result of folding depends on the order.
#[test]
fn events_beyond_the_documented_bounds_can_form_a_cycle_and_the_oracle_breaks_it() {
    let x = head(HeadKind::Connect, 5, "X", 0);
    let y = head(HeadKind::Disconnect, 3, "Y", 300_001);
    let z = head(HeadKind::Connect, 4, "Z", 2);
    assert!(ORDER.newer(&y, &x) && ORDER.newer(&x, &z) && ORDER.newer(&z, &y));

    let fold = |one: &Head<'static>, two: &Head<'static>, three: &Head<'static>| {
        ORDER.merge(ORDER.merge(one.clone(), two.clone()), three.clone())
    };
    assert_eq!(fold(&x, &y, &z), z);
    assert_eq!(fold(&z, &x, &y), y);
    let oracle = ORDER.newest(&mut [x.clone(), y.clone(), z.clone()]);
    assert_eq!(oracle, ORDER.newest(&mut [z, x, y]));
}

proptest! {
    #[test]
    fn the_relation_is_its_table_for_any_heads(x in any_head(), y in any_head(), theta: u64) {
        let theta = Duration::from_millis(theta);
        prop_assert_eq!(Order::Versioned { theta }.compare(&x, &y), table(&x, &y, theta));
    }

    #[test]
    fn the_oracle_does_not_mind_the_order_of_any_events(
        (heads, shuffled) in prop::collection::vec(any_head(), 0..12)
            .prop_flat_map(|heads| (Just(heads.clone()), Just(heads).prop_shuffle())),
    ) {
        for order in [ORDER, Order::TimestampOnly] {
            let (mut heads, mut shuffled) = (heads.clone(), shuffled.clone());
            prop_assert_eq!(order.newest(&mut heads), order.newest(&mut shuffled));
        }
    }
}

/// Property P2, on the heads that replicas can hold: the newest of any part of a history that keeps the bounds.
#[cfg(feature = "sim")]
#[test]
fn merging_the_states_of_replicas_commutes_associates_and_repeats() {
    use iot_lifecycle::history::History;

    for device in History::new(11, 2_000, UnixMillis::new(1_700_000_000_000)).devices() {
        let heads: Vec<_> = (device.occurrences.iter())
            .map(|o| ORDER.head(&o.event).unwrap().expect("a connect or disconnect"))
            .collect();
        let merge = |x: &Head<'static>, y: &Head<'static>| ORDER.merge(x.clone(), y.clone());
        let heads: Vec<_> = heads.into_iter().map(Head::into_owned).collect();
        for x in &heads {
            assert_eq!(merge(x, x), *x);
            for y in &heads {
                assert_eq!(merge(x, y), merge(y, x));
                for z in &heads {
                    assert_eq!(merge(&merge(x, y), z), merge(x, &merge(y, z)));
                }
            }
        }
    }
}

#[test]
fn a_lost_connect_is_suspected_only_of_another_known_session_more_than_theta_later() {
    let mut head = Head {
        kind: HeadKind::Disconnect,
        version: 0,
        session: SessionId::new("A"),
        timestamp: UnixMillis::new(1_000),
    };
    let order = Order::Versioned { theta: Duration::from_millis(50) };
    let suggests = |head: &Head<'_>, session: &'static str, t| {
        order.suggests_lost_connect(head, SessionId::new(session).as_ref(), UnixMillis::new(t))
    };
    assert!(suggests(&head, "B", 1_051));
    assert!(!suggests(&head, "B", 1_050));
    assert!(!suggests(&head, "A", 9_000));
    assert!(!suggests(&head, "", 9_000));
    head.session = None;
    assert!(!suggests(&head, "B", 9_000));
}

#[test]
fn a_session_that_is_too_long_to_keep_is_refused_by_its_normal_form() {
    let connected = |session: String| {
        let timestamp = UnixMillis::new(1_700_000_000_000);
        let mut event = Event::new("a", timestamp, Connected::new(0));
        event.session_identifier = Some(session.into());
        Order::default().head(&event).map(|head| head.unwrap().session.unwrap().to_string())
    };
    let digits = "0".repeat(32);
    assert_eq!(connected("-".repeat(2_000) + &digits), Ok(digits));
    let longest = "x".repeat(SessionId::MAX_BYTES);
    assert_eq!(connected(longest.clone()), Ok(longest.clone()));
    let bytes = SessionId::MAX_BYTES + 1;
    assert_eq!(connected(longest + "x"), Err(HeadError::SessionTooLong { bytes }));
}
