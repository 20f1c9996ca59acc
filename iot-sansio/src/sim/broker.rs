//! A model of an MQTT broker.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec,
    vec::Vec,
};

use super::{
    filter::{filter_matches, is_filter, is_topic},
    input::{OwnedInput, OwnedMessage},
};
use crate::mqtt::{
    Action, CloseReason, Closed, ConnackCode, Done, Failed, Link, Open, Opened, Publish, Qos,
    Subscribe, Unsubscribe,
};

/// A small MQTT 3.1.1 broker over the [`mqtt`](crate::mqtt) vocabulary, for clients that the test numbers.
///
/// It keeps sessions, subscriptions and retained messages, and refuses what the test tells it to refuse. A client has
/// one connection: opening a second one ends the first. Client identifiers, credentials, wills and keep alive are not
/// modelled, and nothing here takes time: delays and losses are a [`Line`](super::Line)'s business.
///
/// ```
/// use iot_sansio::{mqtt::{Link, Open, ConnectOptions, Publish, Qos, Subscribe, Token, Transport}, sim::Broker};
///
/// let (link, mut broker) = (Link::new(1), Broker::new());
/// let options = ConnectOptions::new("broker.example", 8883, Transport::Tls, "listener");
/// broker.handle(0, Open::new(link, options).into());
/// broker.handle(0, Subscribe::new(link, Token::new(1), "home/#", Qos::AtMostOnce).into());
/// let publish = Publish::new(link, Token::new(2), "home/door", "open", Qos::AtMostOnce);
/// let deliveries = broker.handle(0, publish.into());
/// assert_eq!(deliveries.len(), 2, "the message, and that it was handed over");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    clients: BTreeMap<usize, Client>,
    retained: BTreeMap<String, (Vec<u8>, Qos)>,
    refused_clients: BTreeMap<usize, ConnackCode>,
    refused_filters: BTreeSet<String>,
    refused_topics: BTreeSet<String>,
}

/// What the broker sends to one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Delivery {
    /// The number of the client.
    pub client: usize,
    /// What it is told.
    pub input: OwnedInput,
    /// How it is promised: for a message the lower of publish and subscription, for all else exactly once.
    pub qos: Qos,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Client {
    link: Option<Link>,
    clean: bool,
    /// Whether CONNACK has a session to find.
    session: bool,
    subscriptions: BTreeMap<String, Qos>,
    /// What arrived for the session while its client was away.
    waiting: VecDeque<(OwnedMessage, Qos)>,
}

impl Delivery {
    /// Neither a message nor anything else that may be lost.
    pub(super) const fn sure(client: usize, input: OwnedInput) -> Self {
        Self { client, input, qos: Qos::ExactlyOnce }
    }
}

impl Client {
    /// Keeps a message for the next connection, if it is promised and there is room.
    fn wait(&mut self, message: OwnedMessage, qos: Qos) {
        if qos > Qos::AtMostOnce && self.waiting.len() < MAX_WAITING {
            self.waiting.push_back((message, qos));
        }
    }
}

impl Broker {
    /// A broker without clients that refuses nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses every CONNECT of a client with this code, or accepts them again.
    pub fn refuse_connect(&mut self, client: usize, code: Option<ConnackCode>) {
        match code {
            Some(code) => self.refused_clients.insert(client, code),
            None => self.refused_clients.remove(&client),
        };
    }

    /// Refuses subscriptions to exactly this filter.
    pub fn refuse_filter(&mut self, filter: impl Into<String>) {
        self.refused_filters.insert(filter.into());
    }

    /// Grants subscriptions to this filter again.
    pub fn allow_filter(&mut self, filter: &str) {
        self.refused_filters.remove(filter);
    }

    /// Refuses publishes on every topic that matches this filter. MQTT 3.1.1 has no answer for a refused QoS 0
    /// publish: it counts as handed over, and reaches nobody.
    pub fn refuse_topics(&mut self, filter: impl Into<String>) {
        self.refused_topics.insert(filter.into());
    }

    /// Accepts publishes on the topics of this filter again.
    pub fn allow_topics(&mut self, filter: &str) {
        self.refused_topics.remove(filter);
    }

    /// The connection of a client, while it is up.
    #[must_use]
    pub fn link(&self, client: usize) -> Option<Link> {
        self.clients.get(&client).and_then(|client| client.link)
    }

    /// Takes one action of a client; gives what is sent to this and other clients because of it, in order.
    ///
    /// An action for a connection that is not up is dropped, as adapters do.
    pub fn handle(&mut self, client: usize, action: Action) -> Vec<Delivery> {
        match action {
            Action::Open(open) => self.connect(client, &open),
            action if self.link(client) != Some(action.link()) => Vec::new(),
            Action::Close(close) => {
                self.disconnect(client, Vec::new());
                vec![closed(client, close.link, CloseReason::Requested)]
            }
            Action::Subscribe(subscribe) => self.subscribe(client, subscribe),
            Action::Unsubscribe(unsubscribe) => self.unsubscribe(client, &unsubscribe),
            Action::Publish(publish) => self.publish(client, publish),
        }
    }

    /// The connection of a client broke; the client is told nothing.
    ///
    /// A session that is not clean stays. Of the deliveries that had not arrived, it keeps the messages that are
    /// promised at least once, for the next connection.
    pub fn disconnect(&mut self, client: usize, undelivered: Vec<Delivery>) {
        let Some(client) = self.clients.get_mut(&client) else {
            return;
        };
        client.link = None;
        if client.clean {
            *client = Client::default();
            return;
        }
        for delivery in undelivered {
            if let OwnedInput::Message(message) = delivery.input {
                client.wait(message, delivery.qos);
            }
        }
    }

    fn connect(&mut self, number: usize, open: &Open) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        if let Some(old) = self.link(number) {
            self.disconnect(number, Vec::new());
            deliveries.push(closed(number, old, CloseReason::Lost));
        }
        if let Some(&code) = self.refused_clients.get(&number) {
            deliveries.push(closed(number, open.link, CloseReason::Refused(code)));
            return deliveries;
        }
        let client = self.clients.entry(number).or_default();
        if open.options.clean_session {
            *client = Client::default();
        }
        let opened = Opened::new(open.link, client.session);
        client.link = Some(open.link);
        client.clean = open.options.clean_session;
        client.session = true;
        deliveries.push(Delivery::sure(number, OwnedInput::Opened(opened)));
        for (message, qos) in client.waiting.drain(..) {
            let input = OwnedInput::Message(OwnedMessage { link: open.link, ..message });
            deliveries.push(Delivery { client: number, input, qos });
        }
        deliveries
    }

    fn subscribe(&mut self, number: usize, subscribe: Subscribe) -> Vec<Delivery> {
        let Subscribe { link, token, filter, qos } = subscribe;
        if !is_filter(&filter) || self.refused_filters.contains(&filter) {
            let failed = Failed::new(link, token);
            return vec![Delivery::sure(number, OwnedInput::Failed(failed))];
        }
        let mut deliveries = vec![Delivery::sure(number, OwnedInput::Done(Done::new(link, token)))];
        for (topic, (payload, published)) in &self.retained {
            if filter_matches(&filter, topic) {
                let input = OwnedInput::Message(OwnedMessage {
                    link,
                    topic: topic.clone(),
                    payload: payload.clone(),
                    retain: true,
                });
                deliveries.push(Delivery { client: number, input, qos: qos.min(*published) });
            }
        }
        let client = self.clients.entry(number).or_default();
        client.subscriptions.insert(filter, qos);
        deliveries
    }

    fn unsubscribe(&mut self, number: usize, unsubscribe: &Unsubscribe) -> Vec<Delivery> {
        if let Some(client) = self.clients.get_mut(&number) {
            client.subscriptions.remove(&unsubscribe.filter);
        }
        let done = Done::new(unsubscribe.link, unsubscribe.token);
        vec![Delivery::sure(number, OwnedInput::Done(done))]
    }

    fn publish(&mut self, number: usize, publish: Publish) -> Vec<Delivery> {
        let (link, token) = (publish.link, publish.token);
        let refused = |filter: &String| filter_matches(filter, &publish.topic);
        let refused = self.refused_topics.iter().any(refused);
        if !is_topic(&publish.topic) || (refused && publish.qos > Qos::AtMostOnce) {
            let failed = Failed::new(link, token);
            return vec![Delivery::sure(number, OwnedInput::Failed(failed))];
        }
        let done = Delivery::sure(number, OwnedInput::Done(Done::new(link, token)));
        let mut deliveries = vec![done];
        if !refused {
            self.route(&publish, &mut deliveries);
            if publish.retain {
                self.retain(publish);
            }
        }
        deliveries
    }

    /// Sends one copy to every session with a matching subscription, by the highest quality of service among them.
    fn route(&mut self, publish: &Publish, deliveries: &mut Vec<Delivery>) {
        for (&number, client) in &mut self.clients {
            let matching = client
                .subscriptions
                .iter()
                .filter(|(filter, _)| filter_matches(filter, &publish.topic));
            let Some(granted) = matching.map(|(_, &granted)| granted).max() else {
                continue;
            };
            let qos = granted.min(publish.qos);
            let message = OwnedMessage {
                link: client.link.unwrap_or(publish.link),
                topic: publish.topic.clone(),
                payload: publish.payload.clone(),
                retain: false,
            };
            if client.link.is_some() {
                deliveries.push(Delivery {
                    client: number,
                    input: OwnedInput::Message(message),
                    qos,
                });
            } else {
                client.wait(message, qos);
            }
        }
    }

    /// Keeps the message of its topic; an empty one clears it (MQTT 3.1.1 section 3.3.1.3).
    fn retain(&mut self, publish: Publish) {
        if publish.payload.is_empty() {
            self.retained.remove(&publish.topic);
        } else {
            let kept = (publish.payload, publish.qos);
            self.retained.insert(publish.topic, kept);
        }
    }
}

fn closed(client: usize, link: Link, reason: CloseReason) -> Delivery {
    Delivery::sure(client, OwnedInput::Closed(Closed::new(link, reason)))
}

/// How much a broker keeps for a session whose client is away; more is lost, as with real brokers.
const MAX_WAITING: usize = 1_024;
