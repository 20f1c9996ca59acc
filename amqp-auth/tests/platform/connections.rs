//! The rules of logins, connections and links.

use core::{mem::discriminant, time::Duration};

use amqp_auth::{
    AuthMode, Consumer, Credential, ParseError, Policy, VerifyError,
    platform::{
        Disconnect, Event, LinkRule, PlatformError, Step,
        server::{Action, Attached, Closed, Connected, Detached, Opened, Role, SaslInit},
    },
};
use iot_sansio::{
    Machine as _, Output, UnixMillis,
    amqp::{Connection, SaslCode, Transport},
};

use crate::{
    bench::{Bench, LINK, MINUTE, ONE, TWO, at},
    peer::{
        self, INSTANCE, KEY, SECRET, START, TEMPORARY_KEY, TEMPORARY_SECRET, TOKEN, TOKEN_LIFE,
    },
};

#[test]
fn a_login_with_a_key_and_one_with_a_token_are_good() {
    let mut bench = Bench::new(peer::config());
    for (connection, login, client_id, group, auth_id, mode) in [
        (ONE, peer::login("H", 0), "client-01", "H", KEY, AuthMode::AkSign),
        (TWO, peer::temporary_login(TOKEN, 0), "client-02", "S", TEMPORARY_KEY, AuthMode::StsToken),
    ] {
        bench.connect(connection);
        bench.log_in(connection, &login);
        let Some(Event::LoggedIn(told)) = bench.events.pop() else { panic!("no login") };
        assert_eq!((told.connection, told.client_id.as_str()), (connection, client_id));
        assert_eq!((told.consumer_group_id.as_str(), told.auth_id.as_str()), (group, auth_id));
        assert_eq!(told.auth_mode, mode);
        let Some(Action::SaslOutcome(outcome)) = bench.actions.pop() else { panic!("no outcome") };
        assert_eq!((outcome.connection, outcome.code), (connection, SaslCode::OK));
    }
}

#[test]
fn every_refusal_of_the_verifier_is_told_as_its_code() {
    let key = Credential::key(KEY, SECRET);
    let consumer = |group: &str| Consumer::new("c", group).unwrap();
    let in_instance = consumer("G").with_instance_id(INSTANCE).unwrap();
    let unknown = Credential::key("LTAI5tEXAMPLEKEY00000009", SECRET);
    let tokenless = Credential::key(TEMPORARY_KEY, TEMPORARY_SECRET);
    let good = peer::login("G", 0);
    let cases = [
        (
            "wrong secret",
            peer::signed(&consumer("G"), &Credential::key(KEY, "wrong"), 0),
            VerifyError::BadCredentials,
        ),
        ("unknown key", peer::signed(&consumer("G"), &unknown, 0), VerifyError::BadCredentials),
        ("too old", peer::login("G", -600_001), VerifyError::Stale { age_ms: 600_001 }),
        ("too far ahead", peer::login("G", 600_001), VerifyError::Future { ahead_ms: 600_001 }),
        ("another token", peer::temporary_login("other", 0), VerifyError::TokenMismatch),
        ("no token", peer::signed(&consumer("S"), &tokenless, 0), VerifyError::TokenMismatch),
        ("unknown group", peer::signed(&consumer("X"), &key, 0), VerifyError::NotAuthorized),
        ("group of another", peer::signed(&consumer("S"), &key, 0), VerifyError::NotAuthorized),
        ("instance of another", peer::signed(&in_instance, &key, 0), VerifyError::NotAuthorized),
    ];
    let mut bench = Bench::new(peer::config());
    let mut check = |name: &str, user_name: &[u8], password: &[u8], expected: VerifyError| {
        bench.connect(ONE);
        bench.feed(SaslInit::new(ONE, user_name, password));
        let Some(Action::SaslOutcome(outcome)) = bench.actions.pop() else { panic!("{name}") };
        assert_eq!(
            (outcome.code, expected.sasl_code()),
            (SaslCode::AUTH, SaslCode::AUTH),
            "{name}"
        );
        assert_eq!(bench.ends(), [(ONE, Disconnect::Login(expected))], "{name}");
        assert!(bench.actions.is_empty() && bench.platform.connections().is_empty(), "{name}");
    };
    for (name, login, expected) in cases {
        check(name, login.user_name().as_bytes(), login.password().as_bytes(), expected);
    }
    let not_utf8 = amqp_auth::UserName::parse(b"\xFF").unwrap_err();
    assert_eq!(discriminant(&not_utf8), discriminant(&ParseError::NotUtf8 { index: 0 }));
    check("not text", b"\xFF", b"", not_utf8.into());
    check("no password", good.user_name().as_bytes(), b"", VerifyError::BadCredentials);
}

#[test]
fn a_token_is_good_until_it_expires_and_the_wall_clock_says_when() {
    let config = peer::config().with_policy(Policy::vendor_compatible());
    let mut bench = Bench::new(config);
    for (life, expected) in [
        (TOKEN_LIFE - 1, None),
        (TOKEN_LIFE, Some(Disconnect::Login(VerifyError::TokenExpired))),
        (0, None),
    ] {
        bench.platform.set_wall_clock(bench.now, UnixMillis::new(START.get() + life));
        bench.connect(ONE);
        bench.log_in(ONE, &peer::temporary_login(TOKEN, 0));
        let ends = bench.ends().pop().map(|(_, reason)| reason);
        assert_eq!(ends, expected, "{life}");
        bench.feed(Closed::new(ONE));
        bench.events.clear();
    }
}

#[test]
fn a_timestamp_is_compared_with_the_time_of_the_login() {
    for (millis, is_good) in [(600_000, true), (600_001, false)] {
        let mut bench = Bench::new(peer::config());
        bench.now = at(millis);
        bench.connect(ONE);
        bench.log_in(ONE, &peer::login("G", 0));
        assert_eq!(bench.ends().is_empty(), is_good, "{millis}");
    }
}

#[test]
fn who_does_not_log_in_within_15_s_of_the_transport_is_dropped() {
    let mut bench = Bench::new(peer::config());
    bench.now = at(100);
    bench.connect(ONE);
    bench.tick(15_099);
    assert_eq!(bench.ends(), []);
    assert_eq!(bench.platform.poll_output(), Output::Idle(Some(at(15_100))));
    bench.now = at(15_100);
    // At the deadline it is too late.
    bench.log_in(ONE, &peer::login("G", 15_100));
    let timeout = Duration::from_secs(15);
    assert_eq!(bench.ends(), [(ONE, Disconnect::AuthTimeout { timeout })]);
    assert!(matches!(&bench.actions[..], [Action::Abort(abort)] if abort.connection == ONE));
}

#[test]
fn who_logs_in_and_does_not_open_is_dropped() {
    let mut bench = Bench::new(peer::config());
    bench.enter(ONE, "G");
    bench.tick(14_999);
    assert_eq!(bench.ends(), []);
    bench.tick(15_000);
    assert_eq!(bench.ends(), [(ONE, Disconnect::OpenTimeout { timeout: Duration::from_secs(15) })]);
}

#[test]
fn who_does_not_attach_within_15_s_of_open_or_of_the_last_link_is_closed() {
    let timeout = Duration::from_secs(15);
    let mut bench = Bench::new(peer::config());
    bench.enter(ONE, "G");
    bench.now = at(1_000);
    bench.feed(Opened::new(ONE, MINUTE));
    bench.tick(15_999);
    assert_eq!(bench.ends(), []);
    bench.now = at(16_000);
    bench.feed(Attached::new(ONE, LINK, Role::Receiver));
    assert!(bench.closed_with("amqp:connection:forced"), "{:?}", bench.actions);
    assert_eq!(bench.ends(), [(ONE, Disconnect::LinkTimeout { timeout })]);

    let mut bench = Bench::linked(peer::config(), 1);
    bench.tick(100_000);
    bench.feed(Detached::new(ONE, LINK));
    assert_eq!(bench.events.len(), 1, "{:?}", bench.events);
    bench.tick(114_999);
    assert_eq!(bench.ends(), []);
    bench.tick(115_000);
    assert_eq!(bench.ends(), [(ONE, Disconnect::LinkTimeout { timeout })]);
}

#[test]
fn plain_tcp_is_dropped_at_once() {
    let mut bench = Bench::new(peer::config());
    bench.feed(Connected::new(ONE, Transport::Tcp));
    assert!(matches!(&bench.actions[..], [Action::Abort(abort)] if abort.connection == ONE));
    assert_eq!(bench.ends(), [(ONE, Disconnect::PlainTcp)]);
    // What it says all the same is not answered.
    bench.actions.clear();
    bench.log_in(ONE, &peer::login("G", 0));
    assert!(bench.actions.is_empty() && bench.events.is_empty());
}

#[test]
fn one_connection_too_many_is_dropped() {
    let mut bench = Bench::new(peer::config().with_max_connections(1));
    bench.connect(ONE);
    bench.connect(TWO);
    assert_eq!(bench.ends(), [(TWO, Disconnect::TooManyConnections { limit: 1 })]);
    assert_eq!(bench.platform.connections(), [ONE]);
}

#[test]
fn idle_timeouts_from_30_to_300_s_are_taken() {
    for (millis, is_good) in [
        (Some(29_999), false),
        (Some(30_000), true),
        (Some(300_000), true),
        (Some(300_001), false),
        (None, false),
    ] {
        let own = Duration::from_secs(90);
        let mut bench = Bench::new(peer::config().with_idle_timeout(own));
        bench.enter(ONE, "G");
        let idle_timeout = millis.map(Duration::from_millis);
        bench.feed(Opened::new(ONE, idle_timeout));
        let ends = bench.ends();
        if is_good {
            assert_eq!(ends, [], "{millis:?}");
            let Some(Action::Open(open)) = bench.actions.last() else { panic!("{millis:?}") };
            assert_eq!(open.idle_timeout, Some(own));
        } else {
            assert_eq!(ends, [(ONE, Disconnect::IdleOutOfRange { idle_timeout })]);
            assert!(bench.closed_with("amqp:invalid-field"), "{millis:?}");
        }
    }
}

#[test]
fn there_is_one_receiver_and_never_a_sender() {
    let mut bench = Bench::new(peer::config());
    bench.enter(ONE, "G");
    bench.feed(Opened::new(ONE, MINUTE));
    bench.actions.clear();
    bench.events.clear();
    let mut attach = |link, role| {
        bench.feed(Attached::new(ONE, link, role));
        (bench.actions.pop().unwrap(), bench.events.pop().unwrap())
    };
    for (link, role, expected) in [
        (1, Role::Sender, Some(LinkRule::NoSender)),
        (2, Role::Receiver, None),
        (3, Role::Receiver, Some(LinkRule::OneReceiver)),
        (4, Role::Sender, Some(LinkRule::NoSender)),
    ] {
        match (attach(link, role), expected) {
            ((Action::Attach(attach), Event::Attached { link: told, .. }), None) => {
                assert_eq!((attach.link, told), (link, link));
            }
            ((Action::Detach(detach), Event::LinkRefused { link: told, rule, .. }), Some(why)) => {
                assert_eq!((detach.link, told, rule), (link, link, why));
                assert_eq!(detach.condition, "amqp:not-implemented");
            }
            (got, _) => panic!("link {link}: {got:?}"),
        }
    }
    // The end of a refused link changes nothing; once the link itself has ended there may be another.
    bench.feed(Detached::new(ONE, 3));
    assert!(bench.events.is_empty(), "{:?}", bench.events);
    bench.feed(Detached::new(ONE, 2));
    bench.feed(Attached::new(ONE, 5, Role::Receiver));
    let Some(Action::Attach(attach)) = bench.actions.pop() else { panic!("{:?}", bench.events) };
    assert_eq!(attach.link, 5);
}

#[test]
fn steps_out_of_order_drop_the_connection() {
    type Feed = fn(&mut Bench);
    let open: Feed = |bench| bench.feed(Opened::new(ONE, MINUTE));
    let attach: Feed = |bench| bench.feed(Attached::new(ONE, LINK, Role::Receiver));
    let log_in: Feed = |bench| bench.log_in(ONE, &peer::login("G", 0));
    for (before, then, step) in [
        (vec![], open, Step::Open),
        (vec![], attach, Step::Attach),
        (vec![log_in], attach, Step::Attach),
        (vec![log_in], log_in, Step::SaslInit),
        (vec![log_in, open], open, Step::Open),
        (vec![log_in, open, attach], log_in, Step::SaslInit),
    ] {
        let mut bench = Bench::new(peer::config());
        bench.connect(ONE);
        before.iter().for_each(|feed| feed(&mut bench));
        assert_eq!(bench.ends(), []);
        then(&mut bench);
        assert_eq!(bench.ends(), [(ONE, Disconnect::OutOfOrder { step })]);
        assert!(matches!(bench.actions.last(), Some(Action::Abort(_))));
    }
}

#[test]
fn the_101st_login_of_a_group_within_a_minute_is_told_so_after_open() {
    let mut bench = Bench::new(peer::config());
    let mut number = 0;
    let mut enter = |bench: &mut Bench, group: &str| {
        number += 1;
        let connection = Connection::new(number);
        bench.enter(connection, group);
        bench.feed(Opened::new(connection, MINUTE));
        let end = bench.ends().pop().map(|(_, reason)| reason);
        assert_eq!(end.is_some(), bench.closed_with("amqp:resource-limit-exceeded"));
        bench.feed(Closed::new(connection));
        bench.events.clear();
        end
    };
    for millis in 0..100 {
        bench.now = at(millis);
        assert_eq!(enter(&mut bench, "G"), None, "{millis}");
    }
    let excess = Some(Disconnect::TooManyLogins { limit: 100 });
    assert_eq!(enter(&mut bench, "G"), excess);
    assert_eq!(enter(&mut bench, "H"), None);
    bench.now = at(59_999);
    assert_eq!(enter(&mut bench, "G"), excess);
    // The first is a minute ago; what was refused does not count.
    bench.now = at(60_000);
    assert_eq!(enter(&mut bench, "G"), None);
    assert_eq!(enter(&mut bench, "G"), excess);
}

#[test]
fn logins_are_refused_as_commanded() {
    let mut bench = Bench::new(peer::config());
    bench.platform.refuse_logins(bench.now, 2, SaslCode::SYS_TEMP).unwrap();
    for is_refused in [true, true, false] {
        bench.enter(ONE, "G");
        let Some(Action::SaslOutcome(outcome)) = bench.actions.pop() else { panic!("no outcome") };
        assert_eq!(outcome.code == SaslCode::SYS_TEMP, is_refused);
        let expected = [(ONE, Disconnect::Refused(SaslCode::SYS_TEMP))];
        assert_eq!(bench.ends(), if is_refused { &expected[..] } else { &[] });
    }
}

#[test]
fn connections_end_as_commanded() {
    let mut bench = Bench::linked(peer::config(), 0);
    bench.link(TWO, "G", 0);
    bench.platform.close_all(bench.now, "amqp:connection:forced", "maintenance").unwrap();
    bench.drain();
    assert_eq!(bench.ends(), [(ONE, Disconnect::Closed), (TWO, Disconnect::Closed)]);
    assert!(bench.closed_with("amqp:connection:forced"));
    // The client closes too: that is not told again.
    bench.feed(Closed::new(ONE));
    assert_eq!(bench.ends(), []);

    bench.connect(Connection::new(3));
    bench.platform.abort_all(bench.now).unwrap();
    bench.drain();
    assert_eq!(bench.ends(), [(Connection::new(3), Disconnect::Aborted)]);
    let refused = bench.platform.abort(bench.now, ONE);
    assert_eq!(refused, Err(PlatformError::UnknownConnection { connection: ONE }));
}

#[test]
fn a_stalled_platform_answers_nothing() {
    let mut bench = Bench::linked(peer::config(), 1);
    bench.connect(TWO);
    bench.platform.stall(bench.now, true).unwrap();
    bench.push("later");
    bench.log_in(TWO, &peer::login("G", 0));
    bench.tick(100_000);
    assert!(bench.actions.is_empty() && bench.events.is_empty(), "{:?}", bench.actions);
    bench.platform.stall(bench.now, false).unwrap();
    bench.drain();
    let timeout = Duration::from_secs(15);
    assert_eq!(bench.ends(), [(TWO, Disconnect::AuthTimeout { timeout })]);
    assert_eq!(bench.delivery().id.connection, ONE);
}
