//! The rules of the platform, one by one.

mod peer;

use core::{mem::discriminant, time::Duration};
use std::collections::{BTreeMap, BTreeSet};

use amqp_auth::{
    AuthMode, Consumer, Credential, Login, ParseError, Policy, VerifyError,
    platform::{
        Config, Disconnect, Event, GivenUp, LinkRule, MessageId, MessageIdForm, Platform,
        PlatformError, Push, Step,
        server::{
            Action, Attached, Closed, Connected, Credit, Deliver, Detached, Input, Opened, Role,
            SaslInit, Settled,
        },
    },
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    amqp::{Connection, DeliveryId, Outcome, SaslCode, Transport, Value},
};
use peer::{
    CLOCK, INSTANCE, KEY, SECRET, START, TEMPORARY_KEY, TEMPORARY_SECRET, TOKEN, TOKEN_LIFE,
};

const ONE: Connection = Connection::new(1);
const TWO: Connection = Connection::new(2);
const LINK: u32 = 1;
const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

/// A platform with its own time, whose outputs are kept.
struct Bench {
    platform: Platform,
    now: MonoTime,
    actions: Vec<Action>,
    events: Vec<Event>,
}

impl Bench {
    fn new(config: Config) -> Self {
        let platform = Platform::new(config, CLOCK);
        Self { platform, now: MonoTime::ORIGIN, actions: Vec::new(), events: Vec::new() }
    }

    /// With a client that is linked and has this much credit.
    fn linked(config: Config, credit: u32) -> Self {
        let mut bench = Self::new(config);
        bench.link(ONE, "G", credit);
        bench
    }

    fn feed<'a>(&mut self, input: impl Into<Input<'a>>) {
        self.platform.handle_input(self.now, input.into()).unwrap();
        self.drain();
    }

    /// Time goes to this many milliseconds after the origin.
    fn tick(&mut self, millis: u64) {
        self.now = at(millis);
        self.platform.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.platform.poll_output() {
                Output::Action(action) => self.actions.push(action),
                Output::Event(event) => self.events.push(event),
                Output::Idle(_) => break,
            }
        }
    }

    fn connect(&mut self, connection: Connection) {
        self.feed(Connected::new(connection, Transport::Tls));
    }

    fn log_in(&mut self, connection: Connection, login: &Login) {
        let (user_name, password) = (login.user_name().as_bytes(), login.password().as_bytes());
        self.feed(SaslInit::new(connection, user_name, password));
    }

    /// Connects and logs in, with a timestamp of now.
    fn enter(&mut self, connection: Connection, group: &str) {
        let millis = i64::try_from(self.now.as_millis()).unwrap();
        self.connect(connection);
        self.log_in(connection, &peer::login(group, millis));
    }

    fn link(&mut self, connection: Connection, group: &str, credit: u32) {
        self.enter(connection, group);
        self.feed(Opened::new(connection, MINUTE));
        self.feed(Attached::new(connection, LINK, Role::Receiver));
        self.feed(Credit::new(connection, credit));
        self.actions.clear();
        self.events.clear();
    }

    fn push(&mut self, body: &str) -> MessageId {
        let id = self.platform.push(self.now, "G", Push::new("/a/b/user/c", body)).unwrap();
        self.drain();
        id
    }

    fn settle(&mut self, id: DeliveryId, outcome: Outcome) {
        self.feed(Settled::new(id, outcome));
    }

    /// What was sent since the last look.
    fn deliveries(&mut self) -> Vec<Deliver> {
        let actions = core::mem::take(&mut self.actions);
        let deliver = |action| if let Action::Deliver(it) = action { Some(it) } else { None };
        actions.into_iter().filter_map(deliver).collect()
    }

    /// The one delivery since the last look.
    fn delivery(&mut self) -> Deliver {
        let mut deliveries = self.deliveries();
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries.remove(0)
    }

    /// Why connections ended since the last look.
    fn ends(&mut self) -> Vec<(Connection, Disconnect)> {
        let events = core::mem::take(&mut self.events);
        let end = |event| match event {
            Event::Disconnected { connection, reason, .. } => Some((connection, reason)),
            _ => None,
        };
        events.into_iter().filter_map(end).collect()
    }

    fn closed_with(&self, condition: &str) -> bool {
        let last = self.actions.last();
        matches!(last, Some(Action::Close(close)) if close.condition == condition)
    }
}

fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

fn property(deliver: &Deliver, key: &str) -> Option<Value<'static>> {
    let properties = &deliver.message.application_properties;
    properties.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
}

fn id_of(deliver: &Deliver) -> MessageId {
    match property(deliver, "messageId") {
        Some(Value::String(text)) => MessageId::new(text.parse().unwrap()),
        other => panic!("no text as message id: {other:?}"),
    }
}

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
