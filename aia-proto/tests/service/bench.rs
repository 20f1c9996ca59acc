//! A service with its own time, and a device that is played by hand.

use std::{collections::BTreeMap, time::Duration};

use aia_proto::{
    ApiVersion, ClientId, Direction, Leaf, MessageId, TopicRoot, Topics,
    connection::{AcknowledgeCode, Connect, Disconnect, DisconnectCode, Message},
    protect::{Cipher, SharedSecret},
    sequence::SequenceNumber,
    service::{Config, Event, Service, State},
};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{self, Action, CloseReason, Closed, Link, Opened},
};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const ID: &str = "my-thing-01";
/// Nothing may print them.
pub(crate) const SECRET: &[u8; 32] = b"canary-secret-0123456789abcdefgh";
pub(crate) const LINK: Link = Link::new(1);

pub(crate) fn id() -> ClientId {
    ClientId::new(ID).unwrap()
}

pub(crate) fn secret() -> SharedSecret {
    SharedSecret::from(SECRET)
}

pub(crate) fn root() -> TopicRoot {
    TopicRoot::new("$aws/alexa").unwrap()
}

/// One device is registered.
pub(crate) fn config() -> Config {
    Config::new(root(), [7; 32]).with_device(ACCOUNT, id(), secret())
}

pub(crate) fn connect(message_id: &str) -> Vec<u8> {
    let id = MessageId::new(message_id).unwrap();
    Message::Connect(Connect::new(id, ACCOUNT, ID)).encode()
}

pub(crate) fn publish(set: &Value) -> Vec<u8> {
    let message = json!({
        "header": {"name": "Publish", "messageId": "c-1"}, "payload": {"capabilities": set},
    });
    message.to_string().into()
}

pub(crate) fn system(max_size: u64) -> Value {
    let configurations = json!({"mqtt": {"message": {"maxSizeInBytes": max_size}}});
    json!([{"type": "AisInterface", "interface": "System", "version": "1.0",
            "configurations": configurations},
           {"type": "AisInterface", "interface": "Speaker", "version": "1.0"}])
}

pub(crate) fn event(name: &str, payload: &Value) -> Value {
    json!({"header": {"name": name, "messageId": "e-1"}, "payload": payload})
}

pub(crate) fn events(events: &[Value]) -> Vec<u8> {
    json!({ "events": events }).to_string().into()
}

pub(crate) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// A service with its own time, whose outputs are kept until they are looked at.
pub(crate) struct Bench {
    pub(crate) service: Service,
    pub(crate) now: MonoTime,
    pub(crate) actions: Vec<Action>,
    pub(crate) published: Vec<(String, Vec<u8>)>,
    pub(crate) events: Vec<Event>,
    pub(crate) deadline: Option<MonoTime>,
}

/// The device's side of one connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) cipher: Cipher,
    next: BTreeMap<Leaf, u32>,
    salt: u8,
}

impl Bench {
    /// Without an MQTT connection.
    pub(crate) fn closed(config: Config) -> Self {
        let (actions, published, events) = (Vec::new(), Vec::new(), Vec::new());
        let (service, now) = (Service::new(config), MonoTime::from_millis(1_000));
        Self { service, now, actions, published, events, deadline: None }
    }

    /// With an MQTT connection.
    pub(crate) fn new(config: Config) -> Self {
        let mut bench = Self::closed(config);
        bench.input(Opened::new(LINK, false));
        bench.actions.clear();
        bench
    }

    /// With a device that has just connected.
    pub(crate) fn connected(config: Config) -> (Self, Peer) {
        let mut bench = Self::new(config);
        bench.clear_message(&connect("m-1"));
        bench.forget();
        (bench, Peer::new(&secret(), 0))
    }

    /// With a device whose capabilities are accepted.
    pub(crate) fn active(config: Config) -> (Self, Peer) {
        let (mut bench, mut peer) = Self::connected(config);
        let message = peer.seal(Leaf::CapabilitiesPublish, &publish(&system(6_000)));
        bench.message(Leaf::CapabilitiesPublish, &message);
        assert_eq!(bench.service.state(&id()), State::Active);
        bench.forget();
        (bench, peer)
    }

    /// Connects again, with this secret.
    pub(crate) fn reconnect(&mut self, secret: &SharedSecret, salt: u8) -> Peer {
        self.clear_message(&connect("m-9"));
        assert_eq!(self.answers(), ["Acknowledge CONNECTION_ESTABLISHED"]);
        self.forget();
        Peer::new(secret, salt)
    }

    pub(crate) fn input<'a>(&mut self, input: impl Into<mqtt::Input<'a>>) {
        self.service.handle_input(self.now, input.into()).unwrap();
        self.drain();
    }

    pub(crate) fn close_link(&mut self) {
        self.input(Closed::new(LINK, CloseReason::Lost));
    }

    pub(crate) fn message(&mut self, leaf: Leaf, payload: &[u8]) {
        self.message_of(ApiVersion::V1, leaf, payload);
    }

    pub(crate) fn message_of(&mut self, version: ApiVersion, leaf: Leaf, payload: &[u8]) {
        let topic = Topics::new(&root(), version, &id()).topic(leaf);
        self.input(mqtt::Message::new(LINK, &topic, payload));
    }

    pub(crate) fn clear_message(&mut self, payload: &[u8]) {
        self.message(Leaf::ConnectionFromClient, payload);
    }

    pub(crate) fn disconnect(&mut self, code: DisconnectCode) {
        let disconnect = Disconnect::new(MessageId::new("m-8").unwrap(), code);
        self.clear_message(&Message::Disconnect(disconnect).encode());
    }

    pub(crate) fn sleep(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.service.handle_timeout(self.now);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        loop {
            match self.service.poll_output() {
                Output::Action(Action::Publish(publish)) => {
                    self.published.push((publish.topic, publish.payload));
                }
                Output::Action(action) => self.actions.push(action),
                Output::Event(event) => self.events.push(event),
                Output::Idle(deadline) => {
                    self.deadline = deadline;
                    break;
                }
            }
        }
    }

    pub(crate) fn forget(&mut self) {
        self.published.clear();
        self.events.clear();
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What was said on the connection topic since the last look, as name and code, which is removed.
    pub(crate) fn answers(&mut self) -> Vec<String> {
        self.take(Leaf::ConnectionFromService).iter().map(|text| answer(text)).collect()
    }

    /// What was published on a topic since the last look, which is removed.
    pub(crate) fn take(&mut self, leaf: Leaf) -> Vec<Vec<u8>> {
        let topic = Topics::new(&root(), ApiVersion::V1, &id()).topic(leaf);
        let (taken, left) = self.published.drain(..).partition(|(to, _)| *to == topic);
        self.published = left;
        let taken: Vec<(String, Vec<u8>)> = taken;
        taken.into_iter().map(|(_, payload)| payload).collect()
    }

    /// What was published on a topic since the last look, opened.
    pub(crate) fn opened(&mut self, leaf: Leaf, peer: &Peer) -> Vec<(u32, Vec<u8>)> {
        self.take(leaf).into_iter().map(|message| peer.open(message)).collect()
    }

    /// The code of each exception since the last look, and how the connection ended, if it did.
    pub(crate) fn exceptions(&mut self, peer: &Peer) -> Vec<String> {
        let directives = self.opened(Leaf::Directive, peer);
        let each = directives.iter().map(|(_, body)| {
            let directive = &json(body)["directives"][0];
            assert_eq!(directive["header"]["name"], "Exception");
            directive["payload"]["code"].as_str().unwrap().to_owned()
        });
        let mut all: Vec<_> = each.collect();
        all.extend(self.answers());
        all
    }

    /// Sends events, sealed.
    pub(crate) fn send_events(&mut self, peer: &mut Peer, all: &[Value]) {
        let message = peer.seal(Leaf::Event, &events(all));
        self.message(Leaf::Event, &message);
    }
}

impl Peer {
    /// Nothing was sent yet. Peers with one secret need other salts, so that no IV comes twice.
    pub(crate) fn new(secret: &SharedSecret, salt: u8) -> Self {
        Self { cipher: Cipher::new(secret), next: BTreeMap::new(), salt }
    }

    pub(crate) fn seal(&mut self, leaf: Leaf, body: &[u8]) -> Vec<u8> {
        let next = self.next.entry(leaf).or_default();
        let number = *next;
        *next += 1;
        self.seal_as(leaf, number, body)
    }

    pub(crate) fn seal_as(&self, leaf: Leaf, number: u32, body: &[u8]) -> Vec<u8> {
        let mut iv = [self.salt; 12];
        iv[..4].copy_from_slice(&number.to_le_bytes());
        iv[4] = leaf as u8;
        self.cipher.seal(SequenceNumber::new(number), iv, body)
    }

    /// Leaves out a number.
    pub(crate) fn skip(&mut self, leaf: Leaf) {
        *self.next.entry(leaf).or_default() += 1;
    }

    pub(crate) fn open(&self, mut message: Vec<u8>) -> (u32, Vec<u8>) {
        let opened = self.cipher.open_in_place(&mut message).unwrap();
        (opened.sequence.get(), opened.body.to_vec())
    }
}

/// A message of the connection topic as name and code.
pub(crate) fn answer(text: &[u8]) -> String {
    match Message::decode(Direction::ToDevice, text).unwrap() {
        Message::Acknowledge(it) => format!("Acknowledge {}", it.code.as_str()),
        Message::Disconnect(it) => format!("Disconnect {}", it.code.unwrap().as_str()),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn established() -> String {
    format!("Acknowledge {}", AcknowledgeCode::ConnectionEstablished)
}
