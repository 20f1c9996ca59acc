//! The MQTT adapter on real brokers, and on scripted ones for what those do not do.

use std::{
    collections::{HashSet, VecDeque},
    convert::Infallible,
    future::Future,
    net::Ipv4Addr,
    pin::pin,
    task::Poll,
    time::Duration,
};

use examples::{
    broker::Broker,
    mqtt_adapter::{Adapter, Stepped},
    peers::Peer,
};
use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{
        Action, Close, CloseReason, ConnackCode, ConnectOptions, Input, Link, Mqtt, Open, Publish,
        Qos, Subscribe, Token, Transport, Unsubscribe, Version,
    },
};
use rumqttc::ConnectionError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
const LINK: Link = Link::new(1);

/// Does what the test asks, and tells all it hears.
#[derive(Default)]
struct Script {
    asked: VecDeque<Action>,
    heard: VecDeque<Heard>,
    deadline: Option<MonoTime>,
    finished: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Opened,
    Closed(CloseReason),
    Message(String, Vec<u8>),
    Done(Token),
    Failed(Token),
    Deadline,
}

impl Script {
    fn ask(&mut self, action: impl Into<Action>) {
        self.asked.push_back(action.into());
    }
}

impl Machine for Script {
    type Vocabulary = Mqtt;
    type Event = Heard;
    type Error = Infallible;

    fn handle_input(&mut self, _: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
        self.heard.push_back(match input {
            Input::Opened(_) => Heard::Opened,
            Input::Closed(closed) => Heard::Closed(closed.reason),
            Input::Message(m) => Heard::Message(m.topic.into(), m.payload.into()),
            Input::Done(done) => Heard::Done(done.token),
            Input::Failed(failed) => Heard::Failed(failed.token),
            other => panic!("unknown to this machine: {other:?}"),
        });
        Ok(())
    }

    fn handle_timeout(&mut self, now: MonoTime) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.heard.push_back(Heard::Deadline);
        }
    }

    fn poll_output(&mut self) -> Output<Action, Heard> {
        if let Some(heard) = self.heard.pop_front() {
            return Output::Event(heard);
        }
        match self.asked.pop_front() {
            Some(action) => Output::Action(action),
            None => Output::Idle(self.deadline),
        }
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

/// A script and its adapter.
#[derive(Default)]
struct Client {
    script: Script,
    adapter: Adapter,
}

impl Client {
    /// A guest whose connection is up.
    async fn connect(port: u16, client_id: &str) -> Self {
        let mut client = Self::default();
        client.adapter.open(LINK, &options(port, client_id));
        assert_eq!(client.next().await, Heard::Opened);
        client
    }

    async fn subscribe(&mut self, filter: &str) {
        let token = Token::new(u64::MAX);
        self.script
            .ask(Subscribe::new(LINK, token, filter, Qos::AtLeastOnce));
        assert_eq!(self.next().await, Heard::Done(token));
    }

    fn publish(&mut self, token: u64, topic: &str, qos: Qos) {
        let payload = token.to_be_bytes();
        self.script
            .ask(Publish::new(LINK, Token::new(token), topic, payload, qos));
    }

    /// Steps until the machine hears something.
    async fn next(&mut self) -> Heard {
        within(async {
            let mut heard = None;
            while heard.is_none() {
                if let Some(first) = self.script.heard.pop_front() {
                    return first;
                }
                let stepped = self
                    .adapter
                    .step(&mut self.script, |event| heard = Some(event));
                let Ok(_) = stepped.await;
            }
            heard.unwrap()
        })
        .await
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

fn options(port: u16, client_id: &str) -> ConnectOptions {
    ConnectOptions::new("127.0.0.1", port, Transport::Tcp, client_id)
}

/// 5,000 QoS 1 messages, all asked for at once.
async fn exchange(port: u16) {
    const MESSAGES: u64 = 5_000;
    let mut receiver = Client::connect(port, "receiver").await;
    let mut sender = Client::connect(port, "sender").await;
    receiver.subscribe("burst/#").await;
    for token in 0..MESSAGES {
        sender.publish(token, "burst/a", Qos::AtLeastOnce);
    }
    let sending = async {
        let mut open: HashSet<Token> = (0..MESSAGES).map(Token::new).collect();
        while !open.is_empty() {
            match sender.next().await {
                Heard::Done(token) => assert!(open.remove(&token), "{token:?} answered twice"),
                other => panic!("{other:?}"),
            }
        }
    };
    let receiving = async {
        let mut missing: HashSet<u64> = (0..MESSAGES).collect();
        while !missing.is_empty() {
            match receiver.next().await {
                Heard::Message(topic, payload) => {
                    assert_eq!(topic, "burst/a");
                    missing.remove(&u64::from_be_bytes(payload.try_into().unwrap()));
                }
                other => panic!("{other:?}"),
            }
        }
    };
    within(async { tokio::join!(sending, receiving) }).await;
}

#[tokio::test]
async fn a_burst_arrives_whole_and_every_token_is_answered_once() {
    let broker = Broker::start().await.unwrap();
    exchange(broker.port()).await;
}

#[tokio::test]
async fn a_burst_arrives_whole_through_mosquitto() {
    if let Some(mosquitto) = Peer::mosquitto() {
        exchange(mosquitto.port()).await;
    }
}
