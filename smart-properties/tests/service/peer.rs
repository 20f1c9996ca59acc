//! A topic with a stand-in for the key, and what tests ask of it.

use std::{cell::Cell, rc::Rc};

use iot_sansio::{Machine as _, MonoTime, Output, UnixMillis, WallClock};
use sha2::{Digest as _, Sha256};
use smart_properties::{
    TopicArn,
    service::{
        Config, Endpoint, Event, Signer, Topic,
        transport::{Action, Deliver},
    },
    sns::{Certificate, Digest, RsaPublicKey, RsaVerify},
};

/// 2024-05-01T10:00:00.000Z, at the origin of monotonic time.
pub(crate) const START: UnixMillis = UnixMillis::new(1_714_557_600_000);
pub(crate) const CLOCK: WallClock = WallClock::new(MonoTime::ORIGIN, START);

/// Signs with a hash, and checks that: whoever knows the key could forge. It says that its certificate is at one of
/// twelve places, which is more than a receiver remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StandIn {
    key: Vec<u8>,
    places: Vec<String>,
    place: Rc<Cell<usize>>,
}

impl StandIn {
    /// The key of SNS, which stands in the certificate.
    pub(crate) fn of_sns() -> Self {
        let certificate = Certificate::from_pem(CERTIFICATE).unwrap();
        let host = "https://sns.us-east-1.amazonaws.com";
        Self::new(certificate.public_key().spki_der(), host)
    }

    /// Another key.
    pub(crate) fn of_attacker() -> Self {
        Self::new(b"attacker", "https://attacker.example")
    }

    fn new(key: &[u8], host: &str) -> Self {
        let place = |number| format!("{host}/SimpleNotificationService-{number:032x}.pem");
        Self { key: key.into(), places: (0..12).map(place).collect(), place: Rc::default() }
    }

    /// Moves the certificate to another place, for all clones.
    pub(crate) fn rotate(&self) {
        self.place.set((self.place.get() + 1) % self.places.len());
    }

    pub(crate) fn is_place(&self, url: &str) -> bool {
        self.places.iter().any(|place| place == url)
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
        &self.places[self.place.get()]
    }
}

/// Checks what a [`StandIn`] has signed.
#[derive(Clone, Debug)]
pub(crate) struct StandInVerify;

impl RsaVerify for StandInVerify {
    fn verify(
        &self,
        key: &RsaPublicKey<'_>,
        digest: Digest,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        StandIn::new(key.spki_der(), "").sign(digest, message) == signature
    }
}

pub(crate) const CERTIFICATE: &[u8] = include_bytes!("../vectors/certificates/C-GOOD.pem");

pub(crate) fn arn() -> TopicArn {
    TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events").unwrap()
}

pub(crate) fn config() -> Config {
    Config::new(arn())
}

pub(crate) fn topic(config: Config) -> Topic<StandIn> {
    Topic::new(config, StandIn::of_sns(), CLOCK)
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
