//! `iot-sansio`, with its simulator.

use alloc::{boxed::Box, format, vec::Vec};
use core::{error::Error, time::Duration};

use iot_lifecycle::{
    fleet::{self, Fleet, HashKey},
    history::{History, Service},
};
use iot_sansio::{
    Backoff, Jitter, Machine as _, MonoTime, Pump, Secret, UnixMillis, WallClock,
    mqtt::{
        Action, Close, CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Input, Link,
        Message, Open, Opened, Publish, Qos, Subscribe, Token, Transport, Unsubscribe, Version,
    },
    sim::{Broker, Clock, Contract, Driver, Faults, Line, OwnedInput, Side, filter_matches},
};

const LINK: Link = Link::new(1);
const TOKEN: Token = Token::new(1);
const START: UnixMillis = UnixMillis::new(1_700_000_000_000);
const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);

pub(crate) fn time() {
    let span = Duration::from_secs(5);
    let now = MonoTime::from_origin(span).after(span);
    let (_, _, _) = (now.since(MonoTime::ORIGIN), now.since_origin(), now.as_millis());
    let wall = WallClock::new(now, START.after(span).before(span));
    let (_, _) = (wall.at(MonoTime::MAX).abs_diff(START), wall.taken_at());
    let _ = format!("{START} {now:?} {}", START.get());
}

pub(crate) fn secret() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from("hunter2");
    let _ = secret == Secret::from(b"hunter2".as_slice());
    let _ = format!("{secret:?} {}", secret.expose().len());
    let _ = secret.expose_str()?;
    Ok(())
}

pub(crate) fn actions() {
    let options = ConnectOptions::new("localhost", 8883, Transport::Tls, "device-1")
        .with_credentials("name", "password")
        .with_version(Version::V5)
        .with_keep_alive(Duration::from_secs(60))
        .with_clean_session(true);
    let actions: [Action; 5] = [
        Open::new(LINK, options).into(),
        Subscribe::new(LINK, TOKEN, "a/#", Qos::AtLeastOnce).into(),
        Unsubscribe::new(LINK.next(), TOKEN.next(), "a/#").into(),
        Publish::new(LINK, TOKEN, "a/b", "payload", Qos::AtMostOnce).with_retain(true).into(),
        Close::new(LINK).into(),
    ];
    for action in &actions {
        let _ = format!("{:?} {:?} {action:?}", action.link().get(), action.token());
    }
}

pub(crate) fn backoff_and_pump() {
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(60));
    let mut backoff = Backoff::new(base, cap, Jitter::Full);
    let (_, _, _) = (backoff.next(7), backoff.ceiling(), backoff.attempts());
    backoff.reset();
    let mut pump = Pump::new();
    let _ = pump.drain(&mut listener(), |action: Action| Err(action), |_event| ());
}

pub(crate) fn simulator() -> Result<(), Box<dyn Error>> {
    let rough = Faults::none()
        .with_loss(0.1)
        .with_duplication(0.1)
        .with_delay(Duration::ZERO..=Duration::from_secs(3))
        .with_reordering(true);
    let service = Service::new(History::new(7, 3, START).feed());
    let mut driver = Driver::new(service, listener(), 7)
        .with_uplink(Side::Left, rough)
        .with_downlink(Side::Right, rough);
    driver.clock_mut().set_unix(START);
    driver.broker_mut().refuse_connect(0, Some(ConnackCode::SERVER_UNAVAILABLE));
    driver.open(Side::Left, true);
    driver.open(Side::Right, true);
    driver.run_until(MonoTime::from_millis(60_000))?;
    driver.lose(Side::Left);
    let (_, _, _) =
        (driver.trace().len(), driver.left_events().count(), driver.right_events().count());
    let (_, _) = (driver.left().acknowledged(), driver.right().len());
    let (_, _, _) =
        (driver.left_mut().is_finished(), driver.right_mut().evict(MonoTime::MAX), driver.now());

    let mut broker = Broker::new();
    broker.refuse_filter("a/#");
    broker.allow_filter("a/#");
    broker.refuse_topics("a/#");
    broker.allow_topics("a/#");
    let undelivered = broker.handle(0, Close::new(LINK).into());
    broker.disconnect(0, undelivered);
    let (_, _) = (broker.link(0), filter_matches("a/#", "a/b"));

    let mut line = Line::new(rough, 7).with_capacity(4);
    line.send(MonoTime::ORIGIN, 1);
    line.send_qos(MonoTime::ORIGIN, 2, Qos::AtLeastOnce);
    let _ = line.send_in_order(MonoTime::ORIGIN, 3);
    line.retain(|item| *item != 2);
    let (_, _) = (line.next_arrival(), line.receive(MonoTime::MAX));
    let (_, _) = (line.len(), line.is_empty());

    let mut clock = Clock::new(START);
    clock.advance(Duration::from_secs(1));
    clock.advance_to(MonoTime::MAX);
    let (_, _, _) = (clock.now(), clock.unix(), clock.wall());
    Ok(())
}

pub(crate) fn contract() -> Result<(), Box<dyn Error>> {
    let inputs: [Input<'_>; 5] = [
        Opened::new(LINK, true).into(),
        Message::new(LINK, "a/b", b"payload").with_retain(true).into(),
        Done::new(LINK, TOKEN).into(),
        Failed::new(LINK, TOKEN).into(),
        Closed::new(LINK, CloseReason::Lost).into(),
    ];
    let script: Vec<(MonoTime, OwnedInput)> =
        inputs.into_iter().map(|input| (MonoTime::ORIGIN, input.into())).collect();
    Contract::new(
        listener,
        |fleet, now, step: &OwnedInput| fleet.handle_input(now, step.as_input()),
        Fleet::snapshot,
        8,
    )
    .with_terminal(|_| false)
    .with_commands(|step| step.link() != LINK)
    .with_canaries(&["canary"])
    .with_seed(7)
    .check(&script)?;
    Ok(())
}

/// A machine over MQTT.
fn listener() -> Fleet<Box<str>> {
    Fleet::new(fleet::Config::default(), HashKey::new([7; 16]), CLOCK)
}
