//! A topic with a stand-in for the key, and what tests ask of it.

use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use sha2::{Digest as _, Sha256};
use smart_properties::{
    TopicArn,
    service::{
        Config, Endpoint, Event, Signer, Topic,
        transport::{Action, Deliver},
    },
    sns::Digest,
};

/// 2024-05-01T10:00:00.000Z, at the origin of monotonic time.
pub(crate) const START: UnixMillis = UnixMillis::new(1_714_557_600_000);
pub(crate) const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);

/// Signs with a hash, which everyone who has the key could forge. `Debug` shows the key: it is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct StandIn {
    key: Vec<u8>,
}

impl StandIn {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self { key: key.into() }
    }
}

impl Signer for StandIn {
    fn sign(&self, digest: Digest, string_to_sign: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(&self.key);
        hash.update([u8::from(digest == Digest::Sha256)]);
        hash.update(string_to_sign);
        hash.finalize().repeat(8)
    }

    fn certificate_url(&self) -> &str {
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
    }
}

pub(crate) fn arn() -> TopicArn {
    TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap()
}

pub(crate) fn config() -> Config {
    Config::new(arn())
}

pub(crate) fn topic(config: Config) -> Topic<StandIn> {
    Topic::new(config, StandIn::new(b"key"), CLOCK)
}

pub(crate) fn http(number: u32) -> Endpoint {
    Endpoint::Http(format!("https://receiver.example/{number}"))
}

pub(crate) fn at(seconds: u64) -> MonoTime {
    MonoTime::from_millis(1_000 * seconds)
}

/// Drains a topic.
pub(crate) fn drain(topic: &mut Topic<StandIn>) -> (Vec<Deliver>, Vec<Event>) {
    let (mut delivers, mut events) = (Vec::new(), Vec::new());
    loop {
        match topic.poll_output() {
            Output::Action(Action::Deliver(deliver)) => delivers.push(deliver),
            Output::Action(other) => panic!("not expected here: {other:?}"),
            Output::Event(event) => events.push(event),
            Output::Idle(_) => return (delivers, events),
        }
    }
}

/// When a drained topic wants to be called again.
pub(crate) fn deadline(topic: &mut Topic<StandIn>) -> Option<MonoTime> {
    match topic.poll_output() {
        Output::Idle(deadline) => deadline,
        output => panic!("not drained: {output:?}"),
    }
}
