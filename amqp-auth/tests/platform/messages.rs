//! What becomes of messages.

use std::collections::{BTreeMap, BTreeSet};

use amqp_auth::platform::{
    Event, GivenUp, MessageIdForm, PlatformError, Push,
    server::{Attached, Closed, Connected, Credit, Detached, Opened, Role},
};
use iot_sansio::{
    Machine as _, Output,
    amqp::{Connection, Outcome, Transport, Value},
};

use crate::{
    bench::{Bench, LINK, MINUTE, ONE, TWO, at, id_of, property},
    peer::{self, START},
};

#[test]
fn a_message_carries_its_properties_and_a_19_digit_id() {
    for form in [MessageIdForm::String, MessageIdForm::Long] {
        let mut bench = Bench::linked(peer::config().with_message_id_form(form), 9);
        let push = Push::new("/as/mqtt/status/pk1/dn1", b"body".as_slice())
            .with_generate_time(1_535_680_948_195)
            .with_qos(1)
            .with_property("k", Value::Boolean(true));
        let id = bench.platform.push(bench.now, "G", push).unwrap();
        bench.drain();
        assert_eq!(id.to_string().len(), 19);
        let written = match form {
            MessageIdForm::Long => Value::Signed(id.get()),
            _ => Value::String(id.to_string().into()),
        };
        let deliver = bench.delivery();
        let properties: Vec<_> = deliver.message.application_properties.clone();
        assert_eq!(
            properties,
            [
                ("topic".into(), Value::String("/as/mqtt/status/pk1/dn1".into())),
                ("messageId".into(), written),
                ("generateTime".into(), Value::Signed(1_535_680_948_195)),
                ("qos".into(), Value::Signed(1)),
                ("k".into(), Value::Boolean(true)),
            ]
        );
        assert_eq!(
            (deliver.message.body.as_slice(), deliver.message.delivery_count),
            (&b"body"[..], 0)
        );
        bench.now = at(5);
        bench.push("without a time");
        let generated = property(&bench.delivery(), "generateTime");
        assert_eq!(generated, Some(Value::Signed(START.get() + 5)));
    }
}

#[test]
fn ids_are_the_seeds() {
    let ids = |seed| {
        let mut bench = Bench::new(peer::config().with_seed(seed));
        (0..50).map(|_| bench.push("")).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(1).len(), 50);
    assert_eq!(ids(1), ids(1));
    assert!(ids(1).is_disjoint(&ids(2)));
}

#[test]
fn what_is_not_settled_within_30_s_is_sent_again_under_its_id() {
    let mut bench = Bench::linked(peer::config(), 9);
    let id = bench.push("once more");
    let first = bench.delivery();
    bench.tick(29_999);
    assert_eq!(bench.deliveries(), []);
    bench.tick(30_000);
    let second = bench.delivery();
    assert_eq!((id_of(&second), second.message.delivery_count), (id, 1));
    assert!(second.id.number > first.id.number);
    let event = bench.events.pop();
    assert!(matches!(event, Some(Event::AckTimeout { attempts: 1, message, .. }) if message == id));
    // What failed twice waits a minute.
    bench.tick(60_000);
    assert_eq!(bench.deliveries(), []);
    bench.tick(119_999);
    assert_eq!(bench.deliveries(), []);
    bench.tick(120_000);
    let third = bench.delivery();
    assert_eq!((id_of(&third), third.message.delivery_count), (id, 2));
    bench.settle(third.id, Outcome::Accepted);
    let event = bench.events.pop();
    assert!(matches!(event, Some(Event::Settled { attempts: 3, message, .. }) if message == id));
    assert_eq!(bench.platform.pending().len(), 0);
    assert_eq!(bench.platform.poll_output(), Output::Idle(None));
}

#[test]
fn a_settlement_at_the_ack_timeout_is_too_late() {
    let mut bench = Bench::linked(peer::config(), 1);
    bench.push("late");
    let first = bench.delivery();
    bench.now = at(30_000);
    bench.settle(first.id, Outcome::Accepted);
    assert_eq!(bench.platform.pending().len(), 1);
    // No credit is left for another attempt.
    assert_eq!(bench.deliveries(), []);
    bench.feed(Credit::new(ONE, 1));
    assert_eq!(bench.delivery().message.delivery_count, 1);
}

#[test]
fn every_outcome_has_its_effect() {
    let modified = |delivery_failed, undeliverable_here| Outcome::Modified {
        delivery_failed,
        undeliverable_here,
    };
    for (outcome, sent_again) in [
        (Outcome::Accepted, None),
        (Outcome::Rejected, None),
        (Outcome::Released, Some(0)),
        (modified(true, false), Some(1)),
        (modified(false, false), Some(0)),
    ] {
        let mut bench = Bench::linked(peer::config(), 9);
        let message = bench.push("b");
        let id = bench.delivery().id;
        bench.settle(id, outcome);
        let given_up = Event::GivenUp { message, reason: GivenUp::Rejected, attempts: 1 };
        assert_eq!(bench.events.contains(&given_up), outcome == Outcome::Rejected);
        bench.tick(59_999);
        assert_eq!(bench.deliveries(), [], "{outcome:?}");
        bench.tick(60_000);
        let counts: Vec<_> =
            bench.deliveries().iter().map(|deliver| deliver.message.delivery_count).collect();
        assert_eq!(counts, Vec::from_iter(sent_again), "{outcome:?}");
        assert_eq!(bench.platform.pending().len(), counts.len(), "{outcome:?}");
        // Settled a second time it is nobody's.
        let before = bench.platform.clone();
        bench.settle(id, Outcome::Accepted);
        assert_eq!(bench.platform, before, "{outcome:?}");
    }
}

#[test]
fn what_is_undeliverable_here_goes_elsewhere() {
    let mut bench = Bench::linked(peer::config(), 9);
    bench.push("not here");
    let id = bench.delivery().id;
    bench.settle(id, Outcome::Modified { delivery_failed: true, undeliverable_here: true });
    bench.tick(60_000);
    assert_eq!(bench.deliveries(), []);
    let other = bench.push("this yes");
    assert_eq!(id_of(&bench.delivery()), other);
    bench.enter(TWO, "G");
    bench.feed(Opened::new(TWO, MINUTE));
    bench.feed(Attached::new(TWO, LINK, Role::Receiver));
    bench.feed(Credit::new(TWO, 1));
    assert_eq!(bench.delivery().id.connection, TWO);
}

#[test]
fn a_lost_connection_or_link_hands_its_messages_to_another_client() {
    let ends: [fn(&mut Bench); 4] = [
        |bench| bench.feed(Closed::new(ONE)),
        |bench| bench.feed(Detached::new(ONE, LINK)),
        |bench| bench.platform.abort(bench.now, ONE).unwrap(),
        |bench| bench.platform.close(bench.now, ONE, "amqp:connection:forced", "gone").unwrap(),
    ];
    for end in ends {
        let mut bench = Bench::linked(peer::config(), 9);
        let ids = [bench.push("1"), bench.push("2")];
        bench.link(TWO, "G", 9);
        end(&mut bench);
        bench.drain();
        let deliveries = bench.deliveries();
        assert_eq!(deliveries.iter().map(id_of).collect::<Vec<_>>(), ids);
        for deliver in deliveries {
            assert_eq!((deliver.id.connection, deliver.message.delivery_count), (TWO, 1));
        }
    }
}

#[test]
fn each_message_goes_to_one_client_of_its_group_and_all_clients_get_some() {
    let mut bench = Bench::new(peer::config());
    for number in 1..=4 {
        let group = if number == 4 { "H" } else { "G" };
        bench.link(Connection::new(number), group, 100);
    }
    let pushed: Vec<_> = (0..100).map(|_| bench.push("b")).collect();
    let mut shares = BTreeMap::new();
    let deliveries = bench.deliveries();
    for deliver in &deliveries {
        *shares.entry(deliver.id.connection.get()).or_insert(0) += 1;
    }
    assert_eq!(deliveries.iter().map(id_of).collect::<Vec<_>>(), pushed);
    assert!(shares.keys().eq(&[1, 2, 3]) && shares.values().all(|share| *share > 15), "{shares:?}");
}

#[test]
fn a_duplicate_is_a_second_delivery_and_one_acceptance_ends_both() {
    let mut bench = Bench::linked(peer::config(), 9);
    let id = bench.push("twice");
    let first = bench.delivery();
    bench.platform.duplicate(bench.now, id).unwrap();
    bench.drain();
    let second = bench.delivery();
    assert_eq!((id_of(&second), second.message.delivery_count), (id, 0));
    assert_ne!(second.id, first.id);
    // While one is open the failure of the other starts nothing.
    bench.settle(first.id, Outcome::Released);
    bench.tick(29_999);
    assert_eq!(bench.deliveries(), []);
    bench.settle(second.id, Outcome::Accepted);
    assert_eq!(bench.platform.poll_output(), Output::Idle(None));
    let refused = bench.platform.duplicate(bench.now, id);
    assert_eq!(refused, Err(PlatformError::UnknownMessage { message: id }));
}

#[test]
fn a_lost_settlement_sends_the_message_again() {
    let mut bench = Bench::linked(peer::config(), 9);
    bench.platform.lose_settlements(bench.now, 1).unwrap();
    let id = bench.push("heard twice");
    let first = bench.delivery();
    bench.settle(first.id, Outcome::Accepted);
    bench.tick(30_000);
    let second = bench.delivery();
    assert_eq!(id_of(&second), id);
    bench.settle(second.id, Outcome::Accepted);
    assert_eq!(bench.platform.pending().len(), 0);
}

#[test]
fn after_a_day_a_message_is_given_up() {
    const DAY: u64 = 86_400_000;
    let mut bench = Bench::new(peer::config());
    let message = bench.push("for nobody");
    bench.tick(DAY - 1);
    assert_eq!(bench.platform.poll_output(), Output::Idle(Some(at(DAY))));
    assert_eq!(bench.events, []);
    bench.tick(DAY);
    let given_up = Event::GivenUp { message, reason: GivenUp::Expired, attempts: 0 };
    assert_eq!(bench.events, [given_up]);
    assert_eq!(bench.platform.pending().len(), 0);
}

#[test]
fn credit_is_obeyed() {
    let mut bench = Bench::linked(peer::config(), 2);
    for number in 0..5 {
        bench.push(&number.to_string());
    }
    assert_eq!(bench.deliveries().len(), 2);
    bench.feed(Credit::new(ONE, 1));
    assert_eq!(bench.deliveries().len(), 1);
    bench.feed(Credit::new(ONE, 0));
    assert_eq!(bench.deliveries().len(), 0);
    bench.feed(Credit::new(ONE, 9));
    assert_eq!(bench.deliveries().len(), 2);
}

#[test]
fn what_is_too_much_is_refused_and_leaves_no_trace() {
    let config = peer::config().with_max_messages(2).with_max_message_size(10).with_max_queued(3);
    let mut bench = Bench::new(config);
    let push = |bench: &mut Bench, group: &str, body: &str| {
        let before = bench.platform.clone();
        let pushed = bench.platform.push(bench.now, group, Push::new("/abcd", body));
        assert_eq!(pushed.is_err(), bench.platform == before);
        pushed.map(|_| ()).map_err(|error| (error.clone(), error.to_string()).0)
    };
    let group = "X".to_owned();
    assert_eq!(push(&mut bench, "X", ""), Err(PlatformError::UnknownGroup { group }));
    let too_large = PlatformError::MessageTooLarge { size: 11, limit: 10 };
    assert_eq!(push(&mut bench, "G", "123456"), Err(too_large));
    assert_eq!(push(&mut bench, "G", "12345"), Ok(()));
    assert_eq!(push(&mut bench, "H", ""), Ok(()));
    assert_eq!(push(&mut bench, "G", ""), Err(PlatformError::TooManyMessages { limit: 2 }));

    // Two outputs for each: the queue fills.
    let connect = |bench: &mut Bench, number| {
        let input = Connected::new(Connection::new(number), Transport::Tcp);
        bench.platform.handle_input(bench.now, input.into())
    };
    assert_eq!([connect(&mut bench, 1), connect(&mut bench, 2)], [Ok(()), Ok(())]);
    let full = PlatformError::QueueFull { limit: 3 };
    assert_eq!(connect(&mut bench, 3), Err(full.clone()));
    assert_eq!(push(&mut bench, "X", ""), Err(full));
    bench.drain();
    assert_eq!(connect(&mut bench, 3), Ok(()));
}

#[test]
fn what_a_full_queue_holds_back_is_sent_once_it_is_drained() {
    let mut bench = Bench::linked(peer::config().with_max_queued(4), 0);
    let pushed: Vec<_> = (0..50).map(|_| bench.push("b")).collect();
    let input = Credit::new(ONE, 50).into();
    bench.platform.handle_input(bench.now, input).unwrap();
    let refused = bench.platform.handle_input(bench.now, Credit::new(ONE, 50).into());
    assert_eq!(refused, Err(PlatformError::QueueFull { limit: 4 }));
    bench.drain();
    assert_eq!(bench.deliveries().iter().map(id_of).collect::<Vec<_>>(), pushed);
}
