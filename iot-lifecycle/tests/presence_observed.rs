//! What the answers of connectivity queries do to one client, between its events.

use core::time::Duration;

use iot_lifecycle::{
    Head, HeadKind,
    presence::{Cause, Config, Input, Presence, Status, Step},
};
use iot_sansio::{MonoTime, UnixMillis};

/// One client, whose times are all in seconds.
struct Client {
    config: Config,
    presence: Presence,
}

impl Client {
    /// Waits 5 seconds.
    fn new() -> Self {
        let config = Config::default().with_wait(Duration::from_secs(5));
        Self { config, presence: Presence::default() }
    }

    fn step(&mut self, now: i64, input: Input<'_>) -> Step {
        let mono = MonoTime::from_millis(1_000 * now.unsigned_abs());
        self.presence.step(&self.config, mono, stamp(now), input)
    }

    fn event(&mut self, now: i64, kind: HeadKind, version: i64, happened: i64) -> Step {
        let head = Head { kind, version, session: None, timestamp: stamp(happened) };
        self.step(now, Input::Event { head, reason: None })
    }

    fn observed(&mut self, now: i64, connected: bool) -> Step {
        self.step(now, Input::Observed { connected, timestamp: stamp(now) })
    }

    fn timer(&mut self) -> Step {
        let timer = self.presence.waiting().expect("a wait runs");
        self.presence.step(&self.config, timer.deadline, stamp(0), Input::Timer(timer.token))
    }
}

fn stamp(seconds: i64) -> UnixMillis {
    UnixMillis::new(1_700_000_000_000 + 1_000 * seconds)
}

#[test]
fn answers_that_come_more_often_than_the_wait_takes_do_not_keep_it_from_ending() {
    let mut client = Client::new();
    let _ = client.event(0, HeadKind::Connect, 0, 0);
    let armed = client.event(10, HeadKind::Disconnect, 0, 10).arm.expect("a wait begins");
    for now in 11..15 {
        assert!(client.observed(now, false).is_empty(), "{now}");
        assert_eq!(client.presence.waiting(), Some(armed), "{now}");
    }
    let ended = client.timer().transition.expect("the wait ends");
    assert_eq!((ended.to, ended.cause), (Status::Offline, Cause::Event));
}

#[test]
fn an_event_that_arrives_after_an_observation_decides_even_if_it_happened_before() {
    for known in [true, false] {
        let mut client = Client::new();
        if known {
            let _ = client.event(0, HeadKind::Connect, 0, 0);
        }
        assert!(client.observed(20, false).arm.is_some());
        assert_eq!(client.timer().transition.map(|change| change.to), Some(Status::Offline));
        let late = client.event(30, HeadKind::Connect, 1, 10);
        assert_eq!(late.transition.map(|change| change.to), Some(Status::Online), "known {known}");
    }
}
