//! The machines of this crate against the contract, and against each other on lines that lose, repeat and reorder.

mod feeds;

use core::time::Duration;

use feeds::{CLOCK, Step};
use iot_lifecycle::{
    Decoder, Event, Filter,
    fleet::{self, ClientKey, Config, Fleet, HashKey, HashedId, InputError},
    history::{History, Published, QueueFull, Service},
    presence::{self, Status},
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis,
    mqtt::{CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
    sim::{Contract, Driver, Faults, OwnedInput, Side},
};
use proptest::prelude::*;

/// Sixteen bytes that nothing may print.
const CANARY: &str = "canary-canary-16";

fn hash_key() -> HashKey {
    HashKey::new(*CANARY.as_bytes().first_chunk().unwrap())
}

/// A step of a fleet: a command, or an input of its transport.
#[derive(Clone, Debug)]
enum FleetStep {
    Command(Step),
    Input(OwnedInput),
    SetWallClock(i64),
    Evict,
}

fn fleet_script() -> impl Strategy<Value = Vec<(MonoTime, FleetStep)>> {
    let link = || (1_u32..4).prop_map(Link::new);
    let token = || (1_u64..6).prop_map(Token::new);
    let input = prop_oneof![
        2 => link().prop_map(|link| OwnedInput::Opened(Opened::new(link, false))),
        1 => link().prop_map(|link| OwnedInput::Closed(Closed::new(link, CloseReason::Lost))),
        1 => (link(), token()).prop_map(|(link, token)| OwnedInput::Done(Done::new(link, token))),
        1 => (link(), token()).prop_map(|(link, token)| OwnedInput::Failed(Failed::new(link, token))),
        6 => (link(), topic(), payload()).prop_map(|(link, topic, payload)| {
            OwnedInput::from(Input::from(Message::new(link, &topic, &payload)))
        }),
    ];
    let command = feeds::feed(2).prop_map(|mut steps| FleetStep::Command(steps.remove(0).1));
    let step = prop_oneof![
        6 => command,
        8 => input.prop_map(FleetStep::Input),
        1 => (-9_000_i64..9_000).prop_map(FleetStep::SetWallClock),
        1 => Just(FleetStep::Evict),
    ];
    // Times go backwards now and then.
    let time = prop_oneof![0_u64..20_000, 0_u64..600_000].prop_map(MonoTime::from_millis);
    prop::collection::vec((time, step), 1..60).prop_map(|mut script| {
        let mut times: Vec<MonoTime> = script.iter().map(|(now, _)| *now).collect();
        times.sort_unstable();
        for (place, (now, _)) in script.iter_mut().enumerate() {
            if place % 5 != 0 {
                *now = times[place];
            }
        }
        script
    })
}

fn topic() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("$aws/events/presence/connected/a".to_owned()),
        4 => Just("$aws/events/presence/disconnected/a".to_owned()),
        1 => Just("$aws/events/presence/reconnected/a".to_owned()),
        1 => Just("$aws/events/presence/connected/".to_owned()),
        1 => "[a-z/+#$]{0,9}",
    ]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let event = (0_i64..3, -400_000_i64..10_000).prop_map(|(version, offset)| {
        let timestamp = feeds::START.get() + offset;
        format!(r#"{{"clientId":"a","timestamp":{timestamp},"versionNumber":{version}}}"#)
            .into_bytes()
    });
    prop_oneof![6 => event, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}

fn feed_fleet<K: ClientKey>(
    fleet: &mut Fleet<K>,
    now: MonoTime,
    step: &FleetStep,
) -> Result<(), InputError> {
    match step {
        FleetStep::Command(step) => step.feed(fleet, now)?,
        FleetStep::Input(input) => fleet.handle_input(now, input.as_input())?,
        FleetStep::SetWallClock(offset) => {
            let unix = UnixMillis::new(feeds::START.get() + offset);
            fleet.set_wall_clock(now, unix);
        }
        FleetStep::Evict => {
            fleet.evict(now);
        }
    }
    Ok(())
}

fn check_fleet<K: ClientKey>(script: &[(MonoTime, FleetStep)], seed: u64) -> Result<(), String> {
    let (max_clients, max_queued) = (3, 4);
    let config = Config::default()
        .with_max_clients(max_clients)
        .with_max_queued(max_queued)
        .with_filters([Filter::Presence.to_string(), Filter::Subscriptions.to_string()]);
    Contract::new(
        || Fleet::<K>::new(config.clone(), hash_key(), CLOCK),
        feed_fleet,
        |fleet| (fleet.snapshot(), fleet.counters().clone(), format!("{fleet:?}")),
        // Beyond the limit only the ends of waits queue.
        max_queued + max_clients,
    )
    .with_canaries(&[CANARY])
    .with_seed(seed)
    .check(script)
    .map_err(|violation| violation.to_string())
}

/// A step of a service: an input of its transport, or time that passes.
#[derive(Clone, Debug)]
enum ServiceStep {
    Input(OwnedInput),
    Timeout,
}

fn service_script() -> impl Strategy<Value = Vec<(MonoTime, ServiceStep)>> {
    let link = || (1_u32..3).prop_map(Link::new);
    let token = || (1_u64..30).prop_map(Token::new);
    let input = prop_oneof![
        3 => link().prop_map(|link| OwnedInput::Opened(Opened::new(link, false))),
        1 => link().prop_map(|link| OwnedInput::Closed(Closed::new(link, CloseReason::Lost))),
        9 => (link(), token()).prop_map(|(link, token)| OwnedInput::Done(Done::new(link, token))),
        2 => (link(), token()).prop_map(|(link, token)| OwnedInput::Failed(Failed::new(link, token))),
        1 => link().prop_map(|link| Input::from(Message::new(link, "a", b"b")).into()),
    ];
    let step = prop_oneof![
        6 => input.prop_map(ServiceStep::Input),
        1 => Just(ServiceStep::Timeout),
    ];
    let time = (0_u64..9_000).prop_map(MonoTime::from_millis);
    prop::collection::vec((time, step), 1..80)
}

fn feed_service(service: &mut Service, now: MonoTime, step: &ServiceStep) -> Result<(), QueueFull> {
    match step {
        ServiceStep::Input(input) => service.handle_input(now, input.as_input())?,
        ServiceStep::Timeout => service.handle_timeout(now),
    }
    Ok(())
}

/// An event that has a topic.
fn publishable() -> Event<'static> {
    Event::new("a", feeds::START, iot_lifecycle::Connected::new(0))
}

/// An event of a kind that has no topic, and one of a client that can have none.
fn unpublishable() -> [Event<'static>; 2] {
    let payload = br#"{"clientId":"a","timestamp":1700000000000,"eventType":"reconnected"}"#;
    let unknown = Decoder::lenient().decode(payload).unwrap().into_owned();
    let mut nobody = publishable();
    nobody.client_id = "a/#".into();
    [unknown, nobody]
}

proptest! {
    #[test]
    fn a_fleet_keeps_the_contract(script in fleet_script(), seed: u64) {
        prop_assert_eq!(check_fleet::<Box<str>>(&script, seed), Ok(()));
        prop_assert_eq!(check_fleet::<HashedId>(&script, seed), Ok(()));
    }

    #[test]
    fn a_service_keeps_the_contract(
        script in service_script(),
        window in 1_usize..5,
        interval in prop_oneof![Just(0), 1_u64..900],
        places in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..2), 0..4),
        length in 0_usize..12,
        seed: u64,
    ) {
        let mut events = History::new(seed, 1, feeds::START).feed();
        events.truncate(length);
        for (place, which) in places {
            events.insert(place.index(events.len() + 1), unpublishable()[which].clone());
        }
        let contract = Contract::new(
            || {
                Service::new(events.clone())
                    .with_window(window)
                    .with_interval(Duration::from_millis(interval))
            },
            feed_service,
            Service::clone,
            2 * window + 1,
        )
        .with_terminal(|_: &Published| true)
        .with_seed(seed);
        prop_assert_eq!(contract.check(&script).map_err(|violation| violation.to_string()), Ok(()));
    }
}

/// What a service yields on a connection whose broker answers every event like this, and the terminal event.
fn played(
    mut service: Service,
    answer: fn(Link, Token) -> OwnedInput,
) -> (usize, Option<Published>) {
    let (link, mut now, mut publishes) = (Link::new(1), MonoTime::ORIGIN, 0);
    service.handle_input(now, Opened::new(link, false).into()).unwrap();
    // No machine here has so much to say.
    for _ in 0..100 {
        match service.poll_output() {
            Output::Action(action) => {
                publishes += 1;
                let answer = answer(link, action.token().unwrap());
                service.handle_input(now, answer.as_input()).unwrap();
            }
            Output::Event(published) => {
                assert!(service.is_finished());
                return (publishes, Some(published));
            }
            Output::Idle(Some(deadline)) => {
                now = now.max(deadline);
                service.handle_timeout(now);
            }
            Output::Idle(None) => break,
        }
    }
    (publishes, None)
}

#[test]
fn a_service_ends_also_behind_events_that_it_leaves_out_and_without_any() {
    let acknowledge = |link, token| Input::from(Done::new(link, token)).into();
    let [unknown, nobody] = unpublishable();
    for (events, expected) in [
        (vec![publishable(), unknown.clone(), publishable(), nobody.clone()], 2),
        (vec![unknown, nobody], 0),
        (Vec::new(), 0),
    ] {
        for interval in [0, 1_000] {
            let service = Service::new(events.clone())
                .with_window(1)
                .with_interval(Duration::from_millis(interval));
            let (publishes, published) = played(service, acknowledge);
            let published = published.map(|all| (all.events, all.refused));
            assert_eq!((publishes, published), (expected, Some((expected, 0))));
        }
    }
}

#[test]
fn what_the_broker_refuses_is_counted_and_not_published_again() {
    let refuse = |link, token| Input::from(Failed::new(link, token)).into();
    let service = Service::new(vec![publishable(); 3]).with_window(2);
    let (publishes, published) = played(service, refuse);
    let published = published.expect("an end");
    assert_eq!((publishes, published.events, published.refused), (3, 0, 3));
}

/// Runs a fleet against the service until both are done, with connections that break, and gives what was published.
fn published(history: &History, seed: u64, breaks: u32) -> impl Fn(&str) -> Option<bool> {
    let faults = Faults::none()
        .with_loss(0.1)
        .with_duplication(0.1)
        .with_delay(Duration::ZERO..=Duration::from_millis(900))
        .with_reordering(true);
    let clock = iot_sansio::WallClock::new(MonoTime::ORIGIN, history.end);
    let config = Config::default().with_presence(presence::Config::with_suggested_waits());
    let fleet = Fleet::<Box<str>>::new(config, hash_key(), clock);
    let service = Service::new(history.feed()).with_interval(Duration::from_millis(20));
    let mut driver = Driver::new(service, fleet, seed)
        .with_uplink(Side::Left, faults)
        .with_downlink(Side::Left, faults)
        .with_downlink(Side::Right, faults);
    // A session that outlives its connection: what the broker has taken, the fleet gets.
    driver.open(Side::Right, false);
    driver.run_until(MonoTime::from_millis(2_000)).unwrap();
    driver.open(Side::Left, true);
    let mut now = driver.now();
    for number in 0..breaks {
        now = now.after(Duration::from_secs(3));
        driver.run_until(now).unwrap();
        let (side, clean) = if number % 2 == 0 { (Side::Right, false) } else { (Side::Left, true) };
        driver.lose(side);
        driver.open(side, clean);
    }
    driver.run_until(now.after(Duration::from_secs(600))).unwrap();
    assert!(driver.left().is_finished(), "seed {seed}: {:?}", driver.left());

    let mut states = std::collections::BTreeMap::new();
    for (_, event) in driver.right_events() {
        if let fleet::Event::Presence(update) = event {
            if let Some(transition) = update.step.transition {
                let before = states.insert(update.client.clone(), transition.to);
                assert_eq!(before.unwrap_or_default(), transition.from, "seed {seed}");
            }
        }
    }
    move |client_id| Some(*states.get(client_id)? == Status::Online)
}

#[test]
fn what_a_fleet_publishes_is_the_truth_whatever_the_lines_do() {
    for seed in 0..40 {
        let history = History::new(seed, 25, UnixMillis::new(1_700_000_000_000));
        for breaks in [0, 5] {
            let published = published(&history, seed, breaks);
            assert_eq!(history.errors(published), 0, "seed {seed}, {breaks} breaks");
        }
    }
}

#[test]
fn a_fleet_subscribes_on_every_connection_and_tells_what_the_broker_said() {
    let mut fleet = Fleet::<Box<str>>::new(Config::default(), hash_key(), CLOCK);
    for number in 1..3 {
        let link = Link::new(number);
        fleet.handle_input(MonoTime::ORIGIN, Opened::new(link, true).into()).unwrap();
        let Output::Action(iot_sansio::mqtt::Action::Subscribe(subscribe)) = fleet.poll_output()
        else {
            panic!("no subscription on connection {number}");
        };
        assert_eq!((subscribe.link, subscribe.filter.as_str()), (link, "$aws/events/presence/#"));
        // The answer to another connection's subscription is not this one's.
        let other = Failed::new(Link::new(9), subscribe.token);
        fleet.handle_input(MonoTime::ORIGIN, other.into()).unwrap();
        assert_eq!(fleet.poll_output(), Output::Idle(None));
        let refused = Failed::new(link, subscribe.token);
        fleet.handle_input(MonoTime::ORIGIN, refused.into()).unwrap();
        let filter = subscribe.filter;
        assert_eq!(
            fleet.poll_output(),
            Output::Event(fleet::Event::SubscriptionRefused { filter })
        );
    }
}

/// `presence/#` delivers whatever the service will add to it.
#[test]
fn a_kind_of_event_that_is_not_known_yet_is_no_error_and_no_presence() {
    let mut fleet = Fleet::<Box<str>>::new(Config::default(), hash_key(), CLOCK);
    let link = Link::new(1);
    fleet.handle_input(MonoTime::ORIGIN, Opened::new(link, false).into()).unwrap();
    let _ = fleet.poll_output();
    for (topic, payload) in [
        ("$aws/events/presence/reconnected/a", &b"not even JSON"[..]),
        ("$aws/events/presence/connected", b"{}"),
        ("somebody/elses", b"{}"),
    ] {
        let taken = fleet.handle_input(MonoTime::ORIGIN, Message::new(link, topic, payload).into());
        // What is wrong about a topic of a known kind is said.
        assert_eq!(taken.is_err(), topic.ends_with("connected"), "{topic}");
        assert_eq!(fleet.poll_output(), Output::Idle(None));
    }
    assert!(fleet.is_empty());
}

#[test]
fn one_bad_message_changes_nothing_and_the_next_counts() {
    let mut fleet = Fleet::<Box<str>>::new(Config::default(), hash_key(), CLOCK);
    let link = Link::new(1);
    fleet.handle_input(MonoTime::ORIGIN, Opened::new(link, false).into()).unwrap();
    let _ = fleet.poll_output();
    let good = Event::new("a", feeds::START, iot_lifecycle::Connected::new(0)).encode();
    let connected = "$aws/events/presence/connected/a";
    let disconnected = "$aws/events/presence/disconnected/a";
    let before = fleet.snapshot();
    let bad: [(&str, &[u8]); 6] = [
        (connected, b"{\"clientId\":\"a\""),
        (connected, b"\xFF"),
        (connected, br#"{"clientId":"b","timestamp":1700000000000,"versionNumber":0}"#),
        (connected, br#"{"clientId":"a","timestamp":1700000000,"versionNumber":0}"#),
        (connected, br#"{"clientId":"a","timestamp":1700000000000}"#),
        (disconnected, &good),
    ];
    for (topic, payload) in bad {
        let refused =
            fleet.handle_input(MonoTime::ORIGIN, Message::new(link, topic, payload).into());
        assert!(refused.is_err(), "{topic}");
        assert_eq!(fleet.poll_output(), Output::Idle(None));
        assert_eq!(fleet.snapshot(), before);
    }
    fleet.handle_input(MonoTime::ORIGIN, Message::new(link, connected, &good).into()).unwrap();
    assert_eq!(fleet.get("a").unwrap().published(), Status::Online);
}
