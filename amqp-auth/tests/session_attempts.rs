//! How a session comes to its credentials, and when it tries again, beside the vectors.

mod sessions;

use amqp_auth::{
    BuildError, Credential,
    session::{CommandError, Event},
};
use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis};
use sessions::{
    EPOCH, SECRET, at, deadline, dialed, drain, feed, finish_attempt, key, login_of, retry_at, run,
    session, signed_elsewhere, texts, token, wait_for_retry,
};
use std::time::Duration;

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
    let _retry = wait_for_retry(&mut session);
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
    let _retry = wait_for_retry(&mut session);
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
    let retry = wait_for_retry(&mut session);
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
    let retry = wait_for_retry(&mut session);
    assert_eq!(texts(&mut session), ["want rejected"]);
    session.credential_failed(retry).unwrap();
    let retry = wait_for_retry(&mut session);
    assert_eq!(texts(&mut session), ["want rejected"], "still");
    session.stop(retry).unwrap();
    session.start(retry).unwrap();
    assert_eq!(texts(&mut session), ["stopped Requested", "want rejected"]);
    session.provide(retry, key()).unwrap();
    let connection = finish_attempt(&mut session, retry);
    feed(&mut session, retry, connection, &["closed", "lost"]);
    let _retry = wait_for_retry(&mut session);
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
    let _retry = wait_for_retry(&mut session);
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
