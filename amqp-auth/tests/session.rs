//! What a session does with messages, credentials and commands, beside the vectors.

mod sessions;

use amqp_auth::{
    BuildError, Credential,
    session::{CommandError, Event, InputError, Session},
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    amqp::{Action, Body, Delivery, DeliveryId, Message, Outcome},
};
use sessions::{
    EPOCH, SECRET, TOKEN, at, clock, config, deadline, deliver, dialed, drain, feed,
    finish_attempt, key, login_of, retry_at, run, session, signed_elsewhere, texts, token,
};
use std::time::Duration;

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
    let retry = retry_at(&drain(session)).unwrap();
    session.handle_timeout(retry);
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
fn an_adapter_that_never_answers_a_dial_does_not_hold_the_session() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), key()).unwrap();
    let connection = dialed(&mut session);
    session.handle_timeout(at(29_999));
    assert_eq!(texts(&mut session), [""; 0]);
    session.handle_timeout(at(30_000));
    assert_eq!(texts(&mut session), ["abort", "disconnected DialTimeout", "retry"]);
    feed(&mut session, at(30_001), connection, &["connected", "tls"]);
    assert_eq!(texts(&mut session), [""; 0], "an old connection");
}

#[test]
fn three_logins_without_an_answer_are_taken_for_a_refusal() {
    let mut session = session();
    session.start(at(0)).unwrap();
    let mut now = at(0);
    for wanted in ["want attempt", "want attempt", "want attempt", "want rejected"] {
        session.handle_timeout(now);
        assert_eq!(texts(&mut session), [wanted]);
        session.provide(now, key()).unwrap();
        let connection = dialed(&mut session);
        feed(&mut session, now, connection, &["connected", "tls"]);
        feed(&mut session, now, connection, &["closed", "lost"]);
        let outputs = drain(&mut session);
        now = retry_at(&outputs).unwrap();
    }
}

#[test]
fn a_refused_credential_that_was_given_ahead_is_dropped() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), key()).unwrap();
    session.provide(at(0), key()).unwrap();
    let connection = dialed(&mut session);
    feed(&mut session, at(1), connection, &["connected", "tls"]);
    feed(&mut session, at(2), connection, &["closed", "refused", "1"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want rejected"]);
}

#[test]
fn a_token_is_asked_for_300_seconds_before_it_expires_and_the_new_one_used_for_the_next_attempt() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), token(900_000)).unwrap();
    let connection = finish_attempt(&mut session, at(0));
    assert_eq!(deadline(&mut session), Some(at(600_000)));
    session.handle_timeout(at(600_000));
    assert_eq!(texts(&mut session), ["want refresh"]);
    assert_eq!(deadline(&mut session), None, "asked for once");
    session.provide(at(600_001), token(4_500_000)).unwrap();
    assert_eq!(texts(&mut session), [""; 0], "the connection goes on");
    assert_eq!(deadline(&mut session), Some(at(4_200_000)));

    feed(&mut session, at(700_000), connection, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["dial"], "nothing is asked");
}

#[test]
fn a_wall_clock_that_is_set_moves_what_is_signed_and_when_a_token_is_asked_for() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), token(900_000)).unwrap();
    let connection = finish_attempt(&mut session, at(0));
    session.set_wall_clock(at(1_000), UnixMillis::new(EPOCH + 101_000));
    assert_eq!(deadline(&mut session), Some(at(500_000)));
    feed(&mut session, at(2_000), connection, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    drain(&mut session);
    session.provide(retry, key()).unwrap();
    let connection = dialed(&mut session);
    feed(&mut session, retry, connection, &["connected", "tls"]);
    let signed = EPOCH + 100_000 + i64::try_from(retry.as_millis()).unwrap();
    assert_eq!(texts(&mut session), [format!("open timestamp={signed} idle=60000")]);
}

#[test]
fn a_login_of_another_signer_is_taken_if_it_was_signed_for_this_attempt() {
    let login = |at: i64| signed_elsewhere(EPOCH + at);
    let mut session = session();
    assert_eq!(session.provide_login(at(0), login(0)), Err(CommandError::Stopped));
    session.start(at(10)).unwrap();
    drain(&mut session);
    let other = login_of("client-02", EPOCH + 10);
    assert_eq!(session.provide_login(at(20), other), Err(CommandError::OtherConsumer));
    session.provide_login(at(20), login(9)).unwrap();
    assert_eq!(texts(&mut session), ["want out of time"]);
    session.provide_login(at(20), login(20)).unwrap();
    assert_eq!(texts(&mut session), ["dial"]);
    session.provide_login(at(21), login(21)).unwrap();
    assert_eq!(texts(&mut session), [""; 0], "unasked");
}

#[test]
fn a_login_from_the_future_is_not_taken() {
    for (ahead, expected) in [(5_000, "dial"), (5_001, "want out of time")] {
        let mut session = session();
        session.start(at(0)).unwrap();
        drain(&mut session);
        session.provide_login(at(0), signed_elsewhere(EPOCH + ahead)).unwrap();
        assert_eq!(texts(&mut session), [expected]);
    }
}

#[test]
fn a_wall_clock_that_is_set_back_while_a_login_is_wanted_does_not_refuse_the_next_one() {
    let mut session = session();
    session.start(at(0)).unwrap();
    drain(&mut session);
    session.set_wall_clock(at(10), UnixMillis::new(EPOCH - 3_600_000));
    session.provide_login(at(20), signed_elsewhere(EPOCH - 3_599_990)).unwrap();
    assert_eq!(texts(&mut session), ["dial"]);
}

#[test]
fn an_answer_that_cannot_be_used_twice_in_a_row_counts_as_none() {
    let mut session = session();
    session.start(at(0)).unwrap();
    drain(&mut session);
    session.provide(at(0), token(59_999)).unwrap();
    assert_eq!(texts(&mut session), ["want expiring"]);
    session.provide(at(0), token(59_999)).unwrap();
    assert_eq!(texts(&mut session), ["disconnected NoCredential", "retry"]);
}

#[test]
fn a_credential_that_was_refused_stays_refused_until_one_is_accepted() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), key()).unwrap();
    let connection = dialed(&mut session);
    feed(&mut session, at(1), connection, &["connected", "tls"]);
    feed(&mut session, at(2), connection, &["closed", "refused", "1"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want rejected"]);
    session.credential_failed(retry).unwrap();
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want rejected"], "still");
    session.stop(retry).unwrap();
    session.start(retry).unwrap();
    assert_eq!(texts(&mut session), ["stopped Requested", "want rejected"]);
    session.provide(retry, key()).unwrap();
    let connection = finish_attempt(&mut session, retry);
    feed(&mut session, retry, connection, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want attempt"]);
}

#[test]
fn a_token_that_cannot_be_had_is_asked_for_again_while_there_is_time() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), token(900_000)).unwrap();
    finish_attempt(&mut session, at(0));
    for asked in (600..=840).step_by(30) {
        let now = at(1_000 * asked);
        assert_eq!(deadline(&mut session), Some(now));
        session.handle_timeout(now);
        assert_eq!(texts(&mut session), ["want refresh"]);
        session.credential_failed(now).unwrap();
    }
    assert_eq!(deadline(&mut session), None, "less than 60 s are left then");
}

#[test]
fn a_token_with_little_time_left_is_asked_for_at_once_and_then_with_patience() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), token(299_000)).unwrap();
    finish_attempt(&mut session, at(0));
    session.handle_timeout(at(1));
    assert_eq!(texts(&mut session), ["want refresh"]);
    session.provide(at(1), token(299_000)).unwrap();
    assert_eq!(deadline(&mut session), Some(at(30_001)), "the same again: not at once");
}

#[test]
fn a_stopped_session_keeps_no_credential() {
    let mut session = session();
    session.start(at(0)).unwrap();
    session.provide(at(0), key()).unwrap();
    session.provide(at(0), key()).unwrap();
    let connection = dialed(&mut session);
    let mut stopped = session.clone();
    stopped.stop(at(1)).unwrap();
    feed(&mut session, at(1), connection, &["connected", "tcp"]);
    for mut session in [session, stopped] {
        drain(&mut session);
        session.start(at(2)).unwrap();
        assert_eq!(
            texts(&mut session),
            ["want attempt"],
            "and does not dial with the one given ahead"
        );
    }
}

#[test]
fn a_credential_given_ahead_is_not_used_once_it_expires() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    session.provide(at(0), token(60_000)).unwrap();
    feed(&mut session, at(1_000), connection, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want attempt"]);
}

#[test]
fn the_waits_start_anew_after_a_stable_connection_also_if_it_was_stopped() {
    let mut session = session();
    let mut now = at(0);
    session.start(now).unwrap();
    for _ in 0..4 {
        session.provide(now, key()).unwrap();
        let connection = dialed(&mut session);
        feed(&mut session, now, connection, &["closed", "lost"]);
        now = retry_at(&drain(&mut session)).unwrap();
        session.handle_timeout(now);
    }
    session.provide(now, key()).unwrap();
    finish_attempt(&mut session, now);
    now = now.after(Duration::from_secs(60));
    session.stop(now).unwrap();
    session.start(now).unwrap();
    now = now.after(Duration::from_secs(5));
    session.handle_timeout(now);
    session.provide(now, key()).unwrap();
    let connection = dialed(&mut session);
    feed(&mut session, now, connection, &["closed", "lost"]);
    let retry = retry_at(&drain(&mut session)).unwrap();
    assert!(retry.since(now) <= Duration::from_secs(1), "{:?}", retry.since(now));
}

#[test]
fn a_system_error_is_waited_for_a_second_and_one_that_stays_for_longer() {
    for (code, most) in [("2", 1), ("3", 30), ("4", 1), ("9", 30)] {
        let mut session = session();
        session.start(at(0)).unwrap();
        session.provide(at(0), key()).unwrap();
        let connection = dialed(&mut session);
        feed(&mut session, at(0), connection, &["connected", "tls"]);
        feed(&mut session, at(0), connection, &["closed", "refused", code]);
        let wait = retry_at(&drain(&mut session)).unwrap().since_origin();
        let most = Duration::from_secs(most);
        assert!(most / 2 <= wait && wait <= most, "{code}: {wait:?}");
    }
}

#[test]
fn attempts_that_reach_nobody_do_not_interrupt_the_count_of_silent_ones() {
    let mut session = session();
    session.start(at(0)).unwrap();
    let mut now = at(0);
    for (wanted, connects) in [
        ("want attempt", true),
        ("want attempt", true),
        ("want attempt", false),
        ("want attempt", true),
        ("want rejected", true),
    ] {
        session.handle_timeout(now);
        assert_eq!(texts(&mut session), [wanted]);
        session.provide(now, key()).unwrap();
        let connection = dialed(&mut session);
        if connects {
            feed(&mut session, now, connection, &["connected", "tls"]);
        }
        feed(&mut session, now, connection, &["closed", "lost"]);
        now = retry_at(&drain(&mut session)).unwrap();
    }
}

#[test]
fn what_the_report_on_a_login_warns_of_is_told_before_it_is_dialed() {
    let mut session = session();
    session.start(at(0)).unwrap();
    drain(&mut session);
    let long = Credential::sts("STS.K", SECRET, "t".repeat(700), None);
    session.provide(at(0), long).unwrap();
    let told = texts(&mut session);
    assert!(told[0].starts_with("warning SaslFrameTooLong"), "{told:?}");
    assert_eq!(told[1..], ["dial"]);
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
fn what_cannot_be_signed_is_refused_and_the_session_still_waits() {
    let mut session = session();
    session.start(at(0)).unwrap();
    drain(&mut session);
    let before = session.clone();
    let refused = session.provide(at(1), Credential::key("", SECRET));
    assert!(matches!(refused, Err(CommandError::Credential(BuildError::Empty { .. }))));
    assert_eq!(session, before);
    session.credential_failed(at(2)).unwrap();
    assert_eq!(texts(&mut session), ["disconnected NoCredential", "retry"]);
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

#[test]
fn a_wait_ends_when_it_says() {
    let mut session = session();
    let connection = run(&mut session, at(0));
    feed(&mut session, at(10), connection, &["closed", "peer", "amqp:connection:forced"]);
    let outputs = drain(&mut session);
    let Output::Event(Event::Disconnected(_)) = &outputs[0] else { panic!("{outputs:?}") };
    let retry = retry_at(&outputs).unwrap();
    assert_eq!(deadline(&mut session), Some(retry));
    let early = MonoTime::from_origin(retry.since_origin() - Duration::from_nanos(1));
    session.handle_timeout(early);
    assert_eq!(texts(&mut session), [""; 0]);
    session.handle_timeout(retry);
    assert_eq!(texts(&mut session), ["want attempt"]);
}
