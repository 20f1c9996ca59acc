//! A cloud behind two ordinary brokers, as one MQTT client of each.
//!
//! Such brokers tell nobody who connects or subscribes. What is published on `p/{client id}/..` shows that the client is
//! there: the bridge says so to the cloud, with the credentials that the broker has checked already.

use std::collections::{BTreeMap, VecDeque};

use iot_sansio::{
    ActionOf, InputOf, Machine, MonoTime, Output, Secret,
    mqtt::{self, ConnectOptions, Link, Message, Mqtt, Open, Publish, Qos, Subscribe, Token},
};
use kii_onboard::{
    App, MqttEndpoint, Stage,
    cloud::server::{self, Action, Connect, Server},
    frame::Response,
    onboarding::Onboarded,
    topic::BOOT_CLIENT_ID,
};

/// A cloud that speaks MQTT like a client.
pub(crate) struct Bridge<M: Machine> {
    cloud: M,
    stages: [Side; 2],
    /// Who may connect, by the client id; for the default broker, the application.
    logins: BTreeMap<String, (String, Secret)>,
    /// Of the next client, for the cloud.
    next_client: Link,
    clients: BTreeMap<Link, Client>,
    outputs: VecDeque<Output<mqtt::Action, Event<M::Event>>>,
}

/// The connection to one broker.
struct Side {
    stage: Stage,
    link: Link,
    last_token: Token,
    subscribed: bool,
    /// What was published on the topics that the bridge subscribes to, and has not come back yet.
    own: VecDeque<(String, Vec<u8>)>,
}

/// A client of a broker, of which the cloud was told.
struct Client {
    stage: Stage,
    id: String,
}

pub(crate) enum Event<E> {
    /// Both brokers send what is published.
    Ready,
    /// An endpoint was made up or told again. The answer that tells it waits until this was heard.
    Issued(MqttEndpoint),
    /// An answer came back, as the bridge had sent it.
    Echo,
    /// The cloud tells this.
    Cloud(E),
}

impl<M: Machine<Vocabulary = Server>> Bridge<M> {
    /// Connects this cloud, which serves this application, to the default broker and to the second one.
    pub(crate) fn new(cloud: M, app: &App, brokers: [ConnectOptions; 2]) -> Self {
        let stages = [Stage::Boot, Stage::Api].map(Side::new);
        let opens = stages.iter().zip(brokers);
        let outputs = opens.map(|(side, options)| {
            let open: mqtt::Action = Open::new(side.link, options).into();
            Output::Action(open)
        });
        let outputs = outputs.collect();
        let logins = [(BOOT_CLIENT_ID.into(), (app.user_name(), app.password()))].into();
        let next_client = Link::new(1);
        Self { cloud, stages, logins, next_client, clients: BTreeMap::new(), outputs }
    }

    pub(crate) fn cloud(&mut self) -> &mut M {
        &mut self.cloud
    }

    fn side(&mut self, link: Link) -> &mut Side {
        self.stages.iter_mut().find(|side| side.link == link).expect("a link of the bridge")
    }

    fn message(&mut self, now: MonoTime, message: Message<'_>) -> Result<(), M::Error> {
        let side = self.side(message.link);
        let is_own = |(topic, payload): &(String, Vec<u8>)| {
            topic == message.topic && payload == message.payload
        };
        if let Some(at) = side.own.iter().position(is_own) {
            side.own.remove(at);
            self.outputs.push_back(Output::Event(Event::Echo));
            return Ok(());
        }
        let stage = side.stage;
        let id = message.topic.split('/').nth(1).expect("it is below p/");
        let link = self.client(now, stage, id)?;
        let publish = server::Publish::new(link, message.topic, message.payload);
        self.cloud.handle_input(now, publish.into())
    }

    /// The cloud's number of this client, which it is told of the first time.
    fn client(&mut self, now: MonoTime, stage: Stage, id: &str) -> Result<Link, M::Error> {
        let known =
            self.clients.iter().find(|(_, client)| client.stage == stage && client.id == id);
        if let Some((&link, _)) = known {
            return Ok(link);
        }
        let (user_name, password) = self.logins.get(id).expect("somebody the broker admits");
        let link = self.next_client;
        self.next_client = link.next();
        self.clients.insert(link, Client { stage, id: id.into() });
        let connect = Connect::new(link, stage, id).with_credentials(user_name, password.expose());
        self.cloud.handle_input(now, connect.into())?;
        if stage == Stage::Api {
            let subscribe = server::Subscribe::new(link, Token::new(0), id);
            self.cloud.handle_input(now, subscribe.into())?;
        }
        Ok(link)
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connack(connack) => {
                assert_eq!(connack.refused, None, "the cloud refuses whom the broker admits");
            }
            Action::Suback(suback) => assert!(suback.granted, "the push topic is the client id"),
            Action::Close(close) => {
                self.clients.remove(&close.link);
            }
            Action::Deliver(deliver) => {
                let client = self.clients.get(&deliver.link).expect("a client it was told of");
                let stage = client.stage;
                if let Some(endpoint) = told_endpoint(&deliver.topic, &deliver.payload) {
                    let login = (endpoint.user_name.clone(), endpoint.password.clone());
                    self.logins.insert(endpoint.mqtt_topic.as_str().into(), login);
                    self.outputs.push_back(Output::Event(Event::Issued(endpoint)));
                }
                let side = self.stages.iter_mut().find(|side| side.stage == stage);
                let side = side.expect("there are two stages");
                if deliver.topic.starts_with(REQUESTS) {
                    side.own.push_back((deliver.topic.clone(), deliver.payload.clone()));
                }
                let (link, token) = (side.link, side.token());
                let publish =
                    Publish::new(link, token, deliver.topic, deliver.payload, Qos::AtMostOnce);
                self.outputs.push_back(Output::Action(publish.into()));
            }
            other => panic!("not asked for: {other:?}"),
        }
    }
}

impl<M: Machine<Vocabulary = Server>> Machine for Bridge<M> {
    type Vocabulary = Mqtt;
    type Event = Event<M::Event>;
    type Error = M::Error;

    fn handle_input(&mut self, now: MonoTime, input: InputOf<'_, Self>) -> Result<(), M::Error> {
        match input {
            mqtt::Input::Opened(opened) => {
                let side = self.side(opened.link);
                let filter = format!("{REQUESTS}#");
                let subscribe = Subscribe::new(opened.link, side.token(), filter, Qos::AtMostOnce);
                self.outputs.push_back(Output::Action(subscribe.into()));
            }
            mqtt::Input::Done(done) if done.token == SUBSCRIPTION => {
                self.side(done.link).subscribed = true;
                if self.stages.iter().all(|side| side.subscribed) {
                    self.outputs.push_back(Output::Event(Event::Ready));
                }
            }
            mqtt::Input::Done(_) => {}
            mqtt::Input::Message(message) => return self.message(now, message),
            other => panic!("the brokers go on: {other:?}"),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        self.cloud.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Output<ActionOf<Self>, Self::Event> {
        loop {
            if let Some(output) = self.outputs.pop_front() {
                return output;
            }
            match self.cloud.poll_output() {
                Output::Action(action) => self.act(action),
                Output::Event(event) => return Output::Event(Event::Cloud(event)),
                Output::Idle(deadline) => return Output::Idle(deadline),
            }
        }
    }

    fn is_finished(&self) -> bool {
        false
    }
}

impl Side {
    fn new(stage: Stage) -> Self {
        let link = Link::new(if stage == Stage::Boot { 1 } else { 2 });
        let last_token = Token::new(0);
        Self { stage, link, last_token, subscribed: false, own: VecDeque::new() }
    }

    fn token(&mut self) -> Token {
        self.last_token = self.last_token.next();
        self.last_token
    }
}

/// The endpoint in the answer to an onboarding.
fn told_endpoint(topic: &str, payload: &[u8]) -> Option<MqttEndpoint> {
    let response = topic.ends_with("/onboardings").then(|| Response::decode(payload))?.ok()?;
    Onboarded::decode(response.body).ok()?.endpoint
}

/// How the topics of all requests begin.
const REQUESTS: &str = "p/";
/// The first action on each link that has one.
const SUBSCRIPTION: Token = Token::new(1);
