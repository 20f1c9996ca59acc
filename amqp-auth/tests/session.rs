//! What a session does with messages, and how it stops, beside the vectors.

mod sessions;

use amqp_auth::session::{CommandError, InputError, Session};
use iot_sansio::{
    Machine as _, Output,
    amqp::{Action, Body, Delivery, DeliveryId, Message, Outcome},
};
use sessions::{
    SECRET, TOKEN, at, clock, config, deadline, deliver, dialed, drain, feed, finish_attempt, key,
    retry_at, run, session, texts, token, wait_for_retry,
};

fn with_credit(credit: u32) -> Session {
    Session::new(config().with_credit(credit).unwrap(), clock(), 7)
}

#[test]
fn a_message_is_handed_over_and_accepted_once_it_is_processed() {
    let mut session = session();
    let id = DeliveryId::new(run(&mut session, at(0)), 1);
    assert_eq!(deliver(&mut session, at(1), id, Some("m1")), ["message 1"]);
    session.accept(at(2), id).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Accepted"]);
    assert_eq!(session.accept(at(2), id), Err(CommandError::UnknownDelivery { id }));
}

#[test]
fn a_copy_is_settled_with_the_first_and_a_later_one_at_once() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    let [first, second, third] = [1, 2, 3].map(|number| DeliveryId::new(connection, number));
    assert_eq!(deliver(&mut session, at(1), first, Some("m1")), ["message 1"]);
    assert_eq!(deliver(&mut session, at(2), second, Some("m1")), [""; 0]);
    session.accept(at(3), first).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Accepted", "settle 2 Accepted"]);
    assert_eq!(deliver(&mut session, at(4), third, Some("m1")), ["settle 3 Accepted"]);
}

#[test]
fn a_message_that_failed_is_handed_over_again() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    let [first, second] = [1, 2].map(|number| DeliveryId::new(connection, number));
    deliver(&mut session, at(1), first, Some("m1"));
    session.fail(at(2), first).unwrap();
    let modified = "settle 1 Modified { delivery_failed: true, undeliverable_here: false }";
    assert_eq!(texts(&mut session), [modified]);
    assert_eq!(deliver(&mut session, at(3), second, Some("m1")), ["message 2"]);
    session.release(at(4), second).unwrap();
    assert_eq!(texts(&mut session), ["settle 2 Released"]);
}

#[test]
fn failures_and_stops_leave_messages_unsettled_where_that_is_configured() {
    let config = config().with_failure_outcome(None).with_stop_outcome(None);
    let mut session = Session::new(config, clock(), 7);
    let connection = run(&mut session, at(0));
    let [first, second] = [1, 2].map(|number| DeliveryId::new(connection, number));
    deliver(&mut session, at(1), first, Some("m1"));
    deliver(&mut session, at(1), second, Some("m2"));
    session.fail(at(2), first).unwrap();
    assert_eq!(texts(&mut session), [""; 0]);
    session.stop(at(3)).unwrap();
    assert_eq!(texts(&mut session), ["close"]);
}

#[test]
fn messages_without_an_id_are_handed_over_each_time() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    for number in [1, 2] {
        let id = DeliveryId::new(connection, number);
        assert_eq!(deliver(&mut session, at(1), id, None), [format!("message {number}")]);
    }
}

#[test]
fn without_deduplication_copies_are_handed_over() {
    let mut session = Session::new(config().with_deduplication(None), clock(), 7);
    let connection = run(&mut session, at(0));
    for number in [1, 2] {
        let id = DeliveryId::new(connection, number);
        assert_eq!(deliver(&mut session, at(1), id, Some("m1")), [format!("message {number}")]);
        session.accept(at(1), id).unwrap();
        assert_eq!(texts(&mut session), [format!("settle {number} Accepted")]);
    }
}

#[test]
fn work_that_outlives_its_connection_settles_the_copy_on_the_next_one() {
    let mut session = session();
    let old = run(&mut session, at(0));
    let first = DeliveryId::new(old, 1);
    deliver(&mut session, at(1), first, Some("m1"));
    let new = reconnect(&mut session, old);
    let copy = DeliveryId::new(new, 1);
    assert_eq!(deliver(&mut session, at(9_000), copy, Some("m1")), [""; 0]);
    session.accept(at(9_001), first).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Accepted"], "the copy, on the new connection");
}

/// Loses the connection and makes the next one.
fn reconnect(
    session: &mut Session,
    old: iot_sansio::amqp::Connection,
) -> iot_sansio::amqp::Connection {
    feed(session, at(2), old, &["closed", "lost"]);
    let retry = wait_for_retry(session);
    session.provide(retry, key()).unwrap();
    let new = finish_attempt(session, retry);
    assert!(new > old);
    new
}

#[test]
fn a_delivery_that_came_settled_is_not_settled() {
    let mut session = session();
    let id = DeliveryId::new(run(&mut session, at(0)), 1);
    let delivery = Delivery::new(id, Message::new(&[], Body::Data(&[]))).with_settled(true);
    session.handle_input(at(1), delivery.into()).unwrap();
    assert_eq!(texts(&mut session), ["message 1"]);
    assert_eq!(deadline(&mut session), None, "no answer to wait for");
    session.accept(at(2), id).unwrap();
    assert_eq!(texts(&mut session), [""; 0]);
}

#[test]
fn credit_is_given_again_when_half_of_it_is_used_and_never_beyond_the_window() {
    let mut session = with_credit(4);
    let connection = run(&mut session, at(0));
    let ids: Vec<_> = (1..=5).map(|number| DeliveryId::new(connection, number)).collect();
    let message_id = |number: usize| format!("m{number}");
    for (number, id) in ids[..4].iter().enumerate() {
        let told = deliver(&mut session, at(1), *id, Some(&message_id(number)));
        assert_eq!(told, [format!("message {}", number + 1)], "no room, so no credit");
    }
    let excess = deliver(&mut session, at(2), ids[4], Some("m9"));
    assert_eq!(excess, ["settle 5 Released", "overflow 5"]);
    session.accept(at(3), ids[0]).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Accepted", "flow 1"], "none was left");
    session.accept(at(3), ids[1]).unwrap();
    assert_eq!(texts(&mut session), ["settle 2 Accepted"], "less than half");
    session.accept(at(3), ids[2]).unwrap();
    assert_eq!(texts(&mut session), ["settle 3 Accepted", "flow 3"]);
}

#[test]
fn work_from_an_earlier_connection_takes_room_on_the_next() {
    let mut session = with_credit(2);
    let old = run(&mut session, at(0));
    deliver(&mut session, at(1), DeliveryId::new(old, 1), Some("m1"));
    feed(&mut session, at(2), old, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.provide(retry, key()).unwrap();
    let new = dialed(&mut session);
    feed(&mut session, retry, new, &["connected", "tls"]);
    feed(&mut session, retry, new, &["opened"]);
    drain(&mut session);
    feed(&mut session, retry, new, &["attached"]);
    assert_eq!(texts(&mut session), ["flow 1", "connected"]);
}

#[test]
fn a_late_answer_is_told_once_after_25_seconds() {
    let mut session = session();
    let id = DeliveryId::new(run(&mut session, at(0)), 1);
    deliver(&mut session, at(1_000), id, Some("m1"));
    session.handle_timeout(at(25_999));
    assert_eq!(texts(&mut session), [""; 0]);
    session.handle_timeout(at(26_000));
    assert_eq!(texts(&mut session), ["late 1"]);
    session.handle_timeout(at(90_000));
    assert_eq!(texts(&mut session), [""; 0]);
}

#[test]
fn stop_gives_back_what_was_not_answered_and_ends_once_the_peer_has_closed() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    let id = DeliveryId::new(connection, 1);
    deliver(&mut session, at(1), id, Some("m1"));
    session.stop(at(2)).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Released", "close"]);
    assert!(!session.is_finished());
    assert_eq!(session.stop(at(3)), Err(CommandError::Stopped));
    feed(&mut session, at(4), connection, &["closed", "requested"]);
    assert_eq!(texts(&mut session), ["stopped Requested"]);
    assert!(session.is_finished());
    assert_eq!(session.accept(at(5), id), Err(CommandError::UnknownDelivery { id }));
}

#[test]
fn a_peer_that_does_not_answer_close_is_left_after_5_seconds() {
    let mut session = session();
    run(&mut session, at(0));
    session.stop(at(1)).unwrap();
    drain(&mut session);
    session.handle_timeout(at(5_000));
    assert_eq!(texts(&mut session), [""; 0]);
    session.handle_timeout(at(5_001));
    assert_eq!(texts(&mut session), ["abort", "stopped Requested"]);
}

#[test]
fn a_stopped_session_starts_again_and_a_stopping_one_once_it_is_closed() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    session.stop(at(1)).unwrap();
    drain(&mut session);
    session.start(at(2)).unwrap();
    assert_eq!(session.start(at(2)), Err(CommandError::Started));
    feed(&mut session, at(3), connection, &["closed", "requested"]);
    assert_eq!(texts(&mut session), ["want attempt"]);
    session.stop(at(4)).unwrap();
    assert_eq!(texts(&mut session), ["stopped Requested"]);
    session.start(at(5)).unwrap();
    assert_eq!(texts(&mut session), ["want attempt"]);
}

#[test]
fn a_delivery_number_that_came_before_is_ignored() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    let [first, second] = [1, 2].map(|number| DeliveryId::new(connection, number));
    assert_eq!(deliver(&mut session, at(1), second, Some("m2")), ["message 2"]);
    for id in [second, first] {
        assert_eq!(deliver(&mut session, at(1), id, Some("m1")), [""; 0]);
    }
    session.accept(at(2), second).unwrap();
    assert_eq!(texts(&mut session), ["settle 2 Accepted"]);
}

#[test]
fn copies_that_find_no_room_hold_back_credit_until_there_is_an_answer() {
    let dedupe = amqp_auth::dedupe::Config::default().with_max_copies(0);
    let config = config().with_credit(4).unwrap().with_deduplication(Some(dedupe));
    let mut session = Session::new(config, clock(), 7);
    let connection = run(&mut session, at(0));
    let ids: Vec<_> = (1..=4).map(|number| DeliveryId::new(connection, number)).collect();
    assert_eq!(deliver(&mut session, at(1), ids[0], Some("m1")), ["message 1"]);
    for id in &ids[1..3] {
        let number = id.number;
        let released = [format!("settle {number} Released"), format!("overflow {number}")];
        assert_eq!(deliver(&mut session, at(1), *id, Some("m1")), released, "and no credit");
    }
    session.accept(at(2), ids[0]).unwrap();
    assert_eq!(texts(&mut session), ["settle 1 Accepted", "flow 4"]);
}

#[test]
fn no_more_credit_is_given_than_the_window_of_seen_messages_holds() {
    let dedupe = amqp_auth::dedupe::Config::default().with_capacity(2);
    let mut session = Session::new(config().with_deduplication(Some(dedupe)), clock(), 7);
    session.start(at(0)).unwrap();
    session.provide(at(0), key()).unwrap();
    let connection = dialed(&mut session);
    for words in [["connected", "tls"].as_slice(), &["opened"]] {
        feed(&mut session, at(0), connection, words);
    }
    drain(&mut session);
    feed(&mut session, at(0), connection, &["attached"]);
    assert_eq!(texts(&mut session), ["flow 2", "connected"]);
}

#[test]
fn a_late_answer_is_told_where_the_platform_waits_for_it() {
    let mut session = session();
    let old = run(&mut session, at(0));
    let first = DeliveryId::new(old, 1);
    deliver(&mut session, at(1), first, Some("m1"));
    let new = reconnect(&mut session, old);
    session.handle_timeout(at(60_000));
    assert_eq!(texts(&mut session), [""; 0], "nobody waits on the old connection");
    deliver(&mut session, at(60_000), DeliveryId::new(new, 1), Some("m1"));
    assert_eq!(deadline(&mut session), Some(at(85_000)));
    session.handle_timeout(at(85_000));
    assert_eq!(texts(&mut session), ["late 1"]);
}

#[test]
fn a_session_that_starts_again_while_it_stops_does_not_tell_that_it_has_stopped() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    session.stop(at(1)).unwrap();
    session.start(at(1)).unwrap();
    feed(&mut session, at(2), connection, &["closed", "requested"]);
    assert_eq!(texts(&mut session), ["close", "want attempt"]);
    assert!(!session.is_finished());
}

#[test]
fn an_undrained_session_refuses_more_and_takes_it_once_it_is_drained() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    let mut number = 0;
    let refused = loop {
        number += 1;
        let id = DeliveryId::new(connection, number);
        let message = Message::new(&[], Body::Data(&[]));
        if let Err(error) = session.handle_input(at(1), Delivery::new(id, message).into()) {
            break error;
        }
    };
    let InputError::QueueFull { limit } = refused else { panic!("{refused:?}") };
    assert!(drain(&mut session).len() >= limit);
    let id = DeliveryId::new(connection, number);
    let message = Message::new(&[], Body::Data(&[]));
    assert_eq!(session.handle_input(at(1), Delivery::new(id, message).into()), Ok(()));
}

#[test]
fn nothing_shows_a_secret() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), token(900_000)).unwrap();
    session.provide(at(0), token(990_000)).unwrap();
    let connection = dialed(&mut session);
    let mut printed = format!("{session:?}");
    feed(&mut session, at(0), connection, &["connected", "tls"]);
    printed += &format!("{session:?}{:#?}", drain(&mut session));
    feed(&mut session, at(0), connection, &["opened"]);
    feed(&mut session, at(0), connection, &["attached"]);
    let message = Message::new(&[], Body::Data(&[b"canary-body"]));
    let delivery = Delivery::new(DeliveryId::new(connection, 1), message);
    session.handle_input(at(0), delivery.into()).unwrap();
    printed += &format!("{session:?}{:#?}", drain(&mut session));
    for secret in [SECRET, TOKEN, "canary-body"] {
        let numbers = format!("{:?}", secret.as_bytes());
        assert!(!printed.contains(secret), "{secret}");
        assert!(!printed.contains(numbers.trim_matches(['[', ']'])), "{secret} as bytes");
    }
}

#[test]
fn outcomes_reach_the_peer_as_configured() {
    let mut session =
        Session::new(config().with_failure_outcome(Some(Outcome::Rejected)), clock(), 7);
    let id = DeliveryId::new(run(&mut session, at(0)), 1);
    deliver(&mut session, at(1), id, Some("m1"));
    session.fail(at(2), id).unwrap();
    let settled = drain(&mut session);
    let [Output::Action(Action::Settle(settle))] = settled.as_slice() else {
        panic!("{settled:?}")
    };
    assert_eq!((settle.id, settle.outcome), (id, Outcome::Rejected));
}
