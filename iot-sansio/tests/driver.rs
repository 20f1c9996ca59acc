//! The driver: two machines get through to each other whatever the lines do.

extern crate alloc;

mod peer;
mod probe;

use core::time::Duration;

use iot_sansio::{
    MonoTime,
    mqtt::{
        CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Link, Message, Open,
        Opened, Publish, Qos, Subscribe, Token, Transport,
    },
    sim::{Driver, Entry, EntryOf, Faults, OwnedInput, Side, Stuck},
};
use peer::{Event, Peer, Refused};
use probe::Probe;

const LINK: Link = Link::new(1);

fn seconds(seconds: u64) -> MonoTime {
    MonoTime::from_millis(seconds * 1_000)
}

fn rough() -> Faults {
    Faults::none()
        .with_loss(0.2)
        .with_duplication(0.2)
        .with_delay(Duration::from_millis(10)..=Duration::from_secs(3))
        .with_reordering(true)
}

fn peers(seed: u64) -> Driver<Peer, Peer> {
    let left = Peer::new("left", "right", b"hello", "key");
    let right = Peer::new("right", "left", b"goodbye", "key");
    Driver::new(left, right, seed)
        .with_uplink(Side::Left, rough())
        .with_downlink(Side::Left, rough())
        .with_uplink(Side::Right, rough())
        .with_downlink(Side::Right, rough())
}

fn assert_both_ended(driver: &Driver<Peer, Peer>, seed: u64) {
    let through = |text: &[u8]| {
        let received = text.iter().copied().map(Event::Received);
        received.chain([Event::Ended]).collect::<Vec<_>>()
    };
    let left: Vec<_> = driver.left_events().map(|(_, event)| *event).collect();
    let right: Vec<_> = driver.right_events().map(|(_, event)| *event).collect();
    assert_eq!(left, through(b"goodbye"), "seed {seed}");
    assert_eq!(right, through(b"hello"), "seed {seed}");
}

#[test]
fn two_peers_get_through_on_rough_lines() {
    for seed in 0..300 {
        let mut driver = peers(seed);
        driver.open(Side::Left, true);
        driver.open(Side::Right, true);
        assert_eq!(driver.run_until(seconds(3_600)), Ok(()), "seed {seed}");
        assert_both_ended(&driver, seed);
        assert_eq!(driver.now(), seconds(3_600));
    }
}

#[test]
fn two_peers_get_through_while_connections_break() {
    for seed in 0..300 {
        let mut driver = peers(seed);
        for round in 0..6 {
            for (side, offset) in [(Side::Left, 0), (Side::Right, 3)] {
                driver.lose(side);
                driver.open(side, round % 2 == 0);
                let until = seconds(round * 11 + offset + seed % 7);
                assert_eq!(driver.run_until(until), Ok(()), "seed {seed}");
            }
        }
        assert_eq!(driver.run_until(seconds(3_600)), Ok(()), "seed {seed}");
        assert_both_ended(&driver, seed);
    }
}

#[test]
fn a_command_between_runs_starts_both_again() {
    let mut driver = peers(4);
    for round in 1..=2 {
        driver.open(Side::Left, true);
        driver.open(Side::Right, true);
        assert_eq!(driver.run_until(seconds(round * 3_600)), Ok(()));
        let now = driver.now();
        assert_eq!(driver.left_mut().restart(now), Ok(()), "round {round}");
        assert_eq!(driver.right_mut().restart(now), Ok(()), "round {round}");
    }
    let ends = driver.left_events().filter(|(_, event)| **event == Event::Ended);
    assert_eq!(ends.count(), 2);
}

#[test]
fn a_seed_repeats_the_trace_and_another_does_not() {
    let trace = |seed| {
        let mut driver = peers(seed);
        driver.open(Side::Left, true);
        driver.open(Side::Right, true);
        driver.run_until(seconds(3_600)).map(|()| driver.trace().to_vec())
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn refused_inputs_stand_in_the_trace() {
    let left = Peer::new("left", "right", b"a", "key");
    let right = Peer::new("right", "left", b"b", "another key");
    let mut driver = Driver::new(left, right, 0);
    driver.open(Side::Left, true);
    driver.open(Side::Right, true);
    assert_eq!(driver.run_until(seconds(1)), Ok(()));
    let right_refuses: EntryOf<Peer, Peer> = Entry::Right(MonoTime::ORIGIN, Err(Refused::Forged));
    assert!(driver.trace().contains(&right_refuses), "{:?}", driver.trace());
}

fn probes() -> Driver<Probe, Probe> {
    Driver::new(Probe::default(), Probe::default(), 0)
}

fn heard(driver: &Driver<Probe, Probe>) -> Vec<OwnedInput> {
    driver.left_events().map(|(_, input)| input.clone()).collect()
}

fn publish(token: u64, topic: &str, qos: Qos) -> Publish {
    Publish::new(LINK, Token::new(token), topic, "x", qos)
}

fn done(token: u64) -> OwnedInput {
    OwnedInput::Done(Done::new(LINK, Token::new(token)))
}

#[test]
fn a_machine_that_opens_its_own_link_is_answered_by_the_broker() {
    let mut driver = probes();
    let options = ConnectOptions::new("broker.example", 8883, Transport::Tls, "probe");
    let open = |link| Open::new(link, options.clone());
    driver.broker_mut().refuse_connect(0, Some(ConnackCode::SERVER_UNAVAILABLE));
    driver.left_mut().outbox.push_back(open(LINK).into());
    assert_eq!(driver.run_until(seconds(1)), Ok(()));
    driver.broker_mut().refuse_connect(0, None);
    driver.left_mut().outbox.push_back(open(LINK.next()).into());
    assert_eq!(driver.run_until(seconds(2)), Ok(()));
    let refused = CloseReason::Refused(ConnackCode::SERVER_UNAVAILABLE);
    let expected = [
        OwnedInput::Closed(Closed::new(LINK, refused)),
        OwnedInput::Opened(Opened::new(LINK.next(), false)),
    ];
    assert_eq!(heard(&driver), expected);
}

#[test]
fn a_lost_publish_counts_as_handed_over() {
    let mut driver = probes().with_uplink(Side::Left, Faults::none().with_loss(1.0));
    driver.open(Side::Left, true);
    assert_eq!(driver.run_until(seconds(1)), Ok(()));
    driver.left_mut().outbox.push_back(publish(5, "a", Qos::AtMostOnce).into());
    assert_eq!(driver.run_until(seconds(2)), Ok(()));
    assert_eq!(heard(&driver)[1..], [done(5)]);
}

#[test]
fn a_promised_publish_is_repeated_on_the_way_and_answered_once() {
    let mut driver = probes().with_uplink(Side::Left, Faults::none().with_loss(1.0));
    driver.open(Side::Left, true);
    let subscribe = Subscribe::new(LINK, Token::new(1), "a", Qos::AtLeastOnce);
    driver.left_mut().outbox.push_back(subscribe.into());
    driver.left_mut().outbox.push_back(publish(2, "a", Qos::AtLeastOnce).into());
    assert_eq!(driver.run_until(seconds(1)), Ok(()));
    let message = OwnedInput::from(iot_sansio::mqtt::Input::from(Message::new(LINK, "a", b"x")));
    let mut heard = heard(&driver);
    assert_eq!(heard.remove(0), OwnedInput::Opened(Opened::new(LINK, false)));
    heard.sort_by_key(|input| format!("{input:?}"));
    assert_eq!(heard, [done(1), done(2), message.clone(), message]);
}

#[test]
fn a_lost_connection_voids_what_was_on_its_way_and_is_told_once() {
    let slow = Faults::none().with_delay(Duration::from_secs(10)..=Duration::from_secs(10));
    let mut driver = probes().with_downlink(Side::Left, slow);
    driver.open(Side::Left, true);
    assert_eq!(driver.run_until(seconds(20)), Ok(()));
    driver.left_mut().outbox.push_back(publish(5, "a", Qos::AtLeastOnce).into());
    assert_eq!(driver.run_until(seconds(25)), Ok(()));
    assert!(driver.lose(Side::Left));
    assert!(!driver.lose(Side::Left), "it has no connection any more");
    assert_eq!(driver.run_until(seconds(60)), Ok(()));
    let expected = [
        (seconds(10), OwnedInput::Opened(Opened::new(LINK, false))),
        (seconds(35), OwnedInput::Closed(Closed::new(LINK, CloseReason::Lost))),
    ];
    let heard: Vec<_> = driver.left_events().map(|(at, input)| (at, input.clone())).collect();
    assert_eq!(heard, expected);
}

#[test]
fn a_message_that_was_on_its_way_comes_again_in_the_same_session() {
    let slow = Faults::none().with_delay(Duration::from_secs(10)..=Duration::from_secs(10));
    let mut driver = probes().with_downlink(Side::Left, slow);
    driver.open(Side::Left, false);
    driver.open(Side::Right, true);
    let subscribe = Subscribe::new(LINK, Token::new(1), "a", Qos::AtLeastOnce);
    driver.left_mut().outbox.push_back(subscribe.into());
    assert_eq!(driver.run_until(seconds(20)), Ok(()));
    driver.right_mut().outbox.push_back(publish(1, "a", Qos::AtLeastOnce).into());
    assert_eq!(driver.run_until(seconds(25)), Ok(()));
    driver.lose(Side::Left);
    let next = driver.open(Side::Left, false);
    assert_eq!(driver.run_until(seconds(60)), Ok(()));
    let message = iot_sansio::mqtt::Input::from(Message::new(next, "a", b"x"));
    let expected = [
        OwnedInput::Closed(Closed::new(LINK, CloseReason::Lost)),
        OwnedInput::Opened(Opened::new(next, true)),
        OwnedInput::from(message),
    ];
    assert_eq!(heard(&driver)[2..], expected);
}

#[test]
fn a_refused_subscription_fails() {
    let mut driver = probes();
    driver.open(Side::Left, true);
    driver.broker_mut().refuse_filter("a");
    let subscribe = Subscribe::new(LINK, Token::new(1), "a", Qos::AtLeastOnce);
    driver.left_mut().outbox.push_back(subscribe.into());
    assert_eq!(driver.run_until(seconds(1)), Ok(()));
    let failed = OwnedInput::Failed(Failed::new(LINK, Token::new(1)));
    assert_eq!(heard(&driver)[1..], [failed]);
}

#[test]
fn a_deadline_that_never_moves_is_a_livelock() {
    let mut driver = probes();
    driver.right_mut().deadline = Some(seconds(7));
    assert_eq!(driver.run_until(seconds(6)), Ok(()));
    let (side, at) = (Side::Right, seconds(7));
    assert_eq!(driver.run_until(seconds(8)), Err(Stuck::Deadline { side, at }));
}

#[test]
fn an_instant_that_never_ends_is_a_livelock() {
    let mut driver = probes();
    driver.left_mut().echo = Some("right");
    driver.right_mut().echo = Some("left");
    for (side, topic) in [(Side::Left, "left"), (Side::Right, "right")] {
        driver.open(side, true);
        let subscribe = Subscribe::new(LINK, Token::new(1), topic, Qos::AtMostOnce);
        let outbox = match side {
            Side::Left => &mut driver.left_mut().outbox,
            Side::Right => &mut driver.right_mut().outbox,
        };
        outbox.push_back(subscribe.into());
    }
    driver.left_mut().outbox.push_back(publish(2, "right", Qos::AtMostOnce).into());
    let at = MonoTime::ORIGIN;
    assert_eq!(driver.run_until(seconds(1)), Err(Stuck::Endless { at }));
}

#[test]
fn more_than_a_line_holds_is_told_instead_of_lost() {
    let mut driver = probes();
    driver.open(Side::Left, true);
    for token in 0..2_000 {
        driver.left_mut().outbox.push_back(publish(token, "a", Qos::AtLeastOnce).into());
    }
    let (side, at) = (Side::Left, MonoTime::ORIGIN);
    assert_eq!(driver.run_until(seconds(1)), Err(Stuck::Full { side, at }));
}
