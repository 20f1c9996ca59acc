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
    certificates::Certificates,
    mqtt_adapter::{Adapter, Stepped},
    peers::{Mosquitto, Peer},
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
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(30);
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
    told: VecDeque<Heard>,
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
        self.script.ask(Subscribe::new(LINK, token, filter, Qos::AtLeastOnce));
        assert_eq!(self.next().await, Heard::Done(token));
    }

    fn publish(&mut self, token: u64, topic: &str, qos: Qos) {
        let payload = token.to_be_bytes();
        self.script.ask(Publish::new(LINK, Token::new(token), topic, payload, qos));
    }

    /// The next thing that the machine hears, however many steps it takes.
    async fn next(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.told.pop_front() {
                return heard;
            }
            within(self.step()).await;
        }
    }

    async fn step(&mut self) -> Stepped {
        let tell = |heard| self.told.push_back(heard);
        let Ok(stepped) = self.adapter.step(&mut self.script, tell).await;
        stepped
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

/// A message through the broker and back to the one client there is.
async fn speaks(mut client: Client) {
    client.subscribe("a").await;
    client.publish(1, "a", Qos::AtLeastOnce);
    let mut heard = [client.next().await, client.next().await];
    heard.sort_by_key(|heard| matches!(heard, Heard::Message(..)));
    let message = Heard::Message("a".into(), 1_u64.to_be_bytes().into());
    assert_eq!(heard, [Heard::Done(Token::new(1)), message]);
}

/// A guest whose connection with these options is up.
async fn trusting(certificates: &Certificates, options: ConnectOptions) -> Client {
    let mut client = Client::default();
    client.adapter = Adapter::new().with_tls(certificates.client().unwrap());
    client.adapter.open(LINK, &options);
    assert_eq!(client.next().await, Heard::Opened);
    client
}

#[tokio::test]
async fn a_broker_is_reached_over_tls_by_name_and_by_address() {
    let certificates = Certificates::generate().unwrap();
    let broker = Broker::start().await.unwrap();
    let port = tls_in_front(&certificates, broker.port()).await;
    for host in ["localhost", "127.0.0.1"] {
        let options = ConnectOptions::new(host, port, Transport::Tls, "client");
        speaks(trusting(&certificates, options).await).await;
    }
}

#[tokio::test]
async fn mosquitto_is_reached_over_all_transports() {
    let certificates = Certificates::generate().unwrap();
    let Some(mut mosquitto) = Mosquitto::start(&certificates) else {
        return;
    };
    mosquitto.admit("user", "password").unwrap();
    let path = || "/mqtt".into();
    for (transport, port) in [
        (Transport::Tcp, mosquitto.port()),
        (Transport::Tls, mosquitto.tls_port()),
        (Transport::Ws { path: path() }, mosquitto.ws_port()),
        (Transport::Wss { path: path() }, mosquitto.wss_port()),
    ] {
        let options = ConnectOptions::new("localhost", port, transport, "client")
            .with_credentials("user", "password");
        speaks(trusting(&certificates, options).await).await;
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_a_lost_link() {
    let [ours, others] = [(); 2].map(|()| Certificates::generate().unwrap());
    let broker = Broker::start().await.unwrap();
    let port = tls_in_front(&others, broker.port()).await;
    for transport in [Transport::Tls, Transport::Wss { path: "/mqtt".into() }] {
        let mut client = Client::default();
        client.adapter = Adapter::new().with_tls(ours.client().unwrap());
        client.adapter.open(LINK, &ConnectOptions::new("localhost", port, transport, "client"));
        let Stepped::Closed(closed, Some(error)) = within(client.step()).await else {
            panic!("it is up");
        };
        assert_eq!(closed.reason, CloseReason::Lost);
        assert!(format!("{error:?}").contains("InvalidCertificate"), "{error:?}");
    }
}

#[tokio::test]
async fn the_path_of_a_websocket_and_its_subprotocol_are_asked_for() {
    for path in ["/mqtt", "mqtt"] {
        let server = Server::bind().await;
        let mut client = Client::default();
        let transport = Transport::Ws { path: path.into() };
        let options = ConnectOptions::new("127.0.0.1", server.port, transport, "client");
        client.adapter.open(LINK, &options);
        let (mut stream, _) = within(server.listener.accept()).await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert_ne!(within(stream.read_buf(&mut request)).await.unwrap(), 0);
        }
        let request = String::from_utf8(request).unwrap().to_ascii_lowercase();
        assert!(request.starts_with("get /mqtt http/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nsec-websocket-protocol: mqtt\r\n"), "{request}");
        // It is no WebSocket then.
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
    }
}

#[tokio::test]
async fn every_quality_of_service_is_answered() {
    let broker = Broker::start().await.unwrap();
    let mut client = Client::connect(broker.port(), "client").await;
    for (token, qos) in [(1, Qos::AtMostOnce), (2, Qos::AtLeastOnce), (3, Qos::ExactlyOnce)] {
        client.publish(token, "a", qos);
        assert_eq!(client.next().await, Heard::Done(Token::new(token)));
    }
    client.subscribe("a").await;
    let token = Token::new(4);
    client.script.ask(Unsubscribe::new(LINK, token, "a"));
    assert_eq!(client.next().await, Heard::Done(token));
}

#[tokio::test]
async fn a_hash_does_not_match_topics_of_the_service_but_their_own_filter_does() {
    const PRESENCE: &str = "$aws/events/presence/connected/thing";
    let broker = Broker::start().await.unwrap();
    let mut everything = Client::connect(broker.port(), "everything").await;
    let mut presence = Client::connect(broker.port(), "presence").await;
    everything.subscribe("#").await;
    presence.subscribe("$aws/events/presence/#").await;

    let mut service = Client::connect(broker.port(), "service").await;
    service.publish(1, PRESENCE, Qos::AtLeastOnce);
    service.publish(2, "plain", Qos::AtLeastOnce);
    assert_eq!(service.next().await, Heard::Done(Token::new(1)));
    assert_eq!(service.next().await, Heard::Done(Token::new(2)));

    let message =
        |topic: &str, token: u64| Heard::Message(topic.into(), token.to_be_bytes().into());
    assert_eq!(presence.next().await, message(PRESENCE, 1));
    assert_eq!(everything.next().await, message("plain", 2));
}

#[tokio::test]
async fn a_machine_opens_and_closes_its_own_link() {
    let broker = Broker::start().await.unwrap();
    let mut client = Client::default();
    client.script.ask(Open::new(LINK, options(broker.port(), "own")));
    assert_eq!(client.next().await, Heard::Opened);
    client.script.ask(Close::new(LINK));
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Requested));
    // Dropped: it would block for ever if it were given back.
    client.publish(1, "a", Qos::AtLeastOnce);
    client.script.finished = true;
    assert!(matches!(within(client.step()).await, Stepped::Finished));
}

#[tokio::test]
async fn closing_a_link_says_disconnect_after_what_was_sent_before() {
    let (_server, mut client, mut stream) = scripted().await;
    client.publish(1, "a", Qos::AtMostOnce);
    client.script.ask(Close::new(LINK));
    assert_eq!(client.next().await, Heard::Done(Token::new(1)));
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Requested));
    assert_eq!(read_kind(&mut stream).await, Some(PUBLISH));
    assert_eq!(read_kind(&mut stream).await, Some(DISCONNECT));
    assert_eq!(read_kind(&mut stream).await, None);
}

#[tokio::test]
async fn a_link_that_breaks_while_it_is_being_closed_ended_as_asked() {
    let (_server, mut client, stream) = scripted().await;
    // Never acknowledged, as many as may be: DISCONNECT waits behind them.
    for token in 0..100 {
        client.publish(token, "a", Qos::AtLeastOnce);
    }
    client.script.ask(Close::new(LINK));
    while !client.script.asked.is_empty() {
        within(client.step()).await;
    }
    drop(stream);
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Requested));
}

#[tokio::test]
async fn a_guest_hears_that_its_connection_was_ended_as_asked() {
    let (_server, mut client, mut stream) = scripted().await;
    client.adapter.disconnect(LINK);
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Requested));
    assert_eq!(read_kind(&mut stream).await, Some(DISCONNECT));
    assert_eq!(read_kind(&mut stream).await, None);
}

#[tokio::test]
async fn closing_the_adapter_says_disconnect_too() {
    let (_server, client, mut stream) = scripted().await;
    within(client.adapter.close()).await;
    assert_eq!(read_kind(&mut stream).await, Some(DISCONNECT));
    assert_eq!(read_kind(&mut stream).await, None);
}

#[tokio::test]
async fn a_link_can_be_closed_before_it_is_up() {
    let server = Server::bind().await;
    let mut client = Client::default();
    client.script.ask(Open::new(LINK, options(server.port, "client")));
    client.script.ask(Close::new(LINK));
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Requested));
}

#[tokio::test]
async fn a_dead_port_is_a_lost_link_and_is_not_tried_again() {
    let server = Server::bind().await;
    let (port, listener) = (server.port, server.listener);
    drop(listener);
    let mut client = Client::default();
    client.adapter.open(LINK, &options(port, "client"));
    let Stepped::Closed(closed, error) = within(client.step()).await else {
        panic!("more than one step to the end");
    };
    assert_eq!(closed.reason, CloseReason::Lost);
    assert!(matches!(error, Some(ConnectionError::Io(_))), "{error:?}");
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
    assert!(is_waiting(client.step()).await, "it spins");
}

#[tokio::test]
async fn a_link_ends_also_for_a_machine_that_refuses_to_hear_of_it() {
    /// Refuses the first end of a link.
    struct Deaf {
        script: Script,
        refused: bool,
    }

    impl Machine for Deaf {
        type Vocabulary = Mqtt;
        type Event = Heard;
        type Error = std::fmt::Error;

        fn handle_input(
            &mut self,
            now: MonoTime,
            input: InputOf<'_, Self>,
        ) -> Result<(), std::fmt::Error> {
            if matches!(input, Input::Closed(_)) && !self.refused {
                self.refused = true;
                return Err(std::fmt::Error);
            }
            let Ok(()) = self.script.handle_input(now, input);
            Ok(())
        }

        fn handle_timeout(&mut self, now: MonoTime) {
            self.script.handle_timeout(now);
        }

        fn poll_output(&mut self) -> Output<Action, Heard> {
            self.script.poll_output()
        }

        fn is_finished(&self) -> bool {
            self.script.is_finished()
        }
    }

    let server = Server::bind().await;
    let (port, listener) = (server.port, server.listener);
    drop(listener);
    let mut machine = Deaf { script: Script::default(), refused: false };
    let mut adapter = Adapter::new();
    adapter.open(LINK, &options(port, "client"));
    let mut told = Vec::new();
    within(adapter.step(&mut machine, |event| told.push(event))).await.unwrap_err();
    let stepped = within(adapter.step(&mut machine, |event| told.push(event))).await;
    let Ok(Stepped::Closed(closed, Some(ConnectionError::Io(_)))) = stepped else {
        panic!("{stepped:?}");
    };
    assert_eq!((closed.link, closed.reason), (LINK, CloseReason::Lost));
    assert_eq!(told, []);
    let waits = is_waiting(adapter.step(&mut machine, |event| told.push(event))).await;
    assert!(waits, "it is told once");
}

#[tokio::test]
async fn a_lost_link_is_not_opened_again() {
    let (server, mut client, stream) = scripted().await;
    drop(stream);
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
    let again = tokio::time::timeout(Duration::from_millis(50), async {
        tokio::select! {
            _ = server.listener.accept() => (),
            stepped = client.step() => panic!("{stepped:?}"),
        }
    });
    assert!(again.await.is_err(), "it connected again");
}

#[tokio::test]
async fn a_broker_that_stops_is_a_lost_link() {
    let broker = Broker::start().await.unwrap();
    let mut client = Client::connect(broker.port(), "client").await;
    client.subscribe("a").await;
    drop(broker);
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
}

#[tokio::test]
async fn a_refused_connect_tells_the_code() {
    let server = Server::bind().await;
    let mut client = Client::default();
    client.adapter.open(LINK, &options(server.port, "client"));
    let mut stream = server.accept().await;
    stream.write_all(&[0x20, 2, 0, 5]).await.unwrap();
    let refused = CloseReason::Refused(ConnackCode::NOT_AUTHORIZED);
    assert_eq!(client.next().await, Heard::Closed(refused));
}

#[tokio::test]
async fn a_refused_subscription_fails() {
    let (_server, mut client, mut stream) = scripted().await;
    for token in [1, 2] {
        let subscribe = Subscribe::new(LINK, Token::new(token), "a", Qos::AtLeastOnce);
        client.script.ask(subscribe);
    }
    let answers = async {
        for answer in [[0x90, 3, 0, 1, 1], [0x90, 3, 0, 2, 0x80]] {
            assert_eq!(read_kind(&mut stream).await, Some(SUBSCRIBE));
            stream.write_all(&answer).await.unwrap();
        }
    };
    let (first, ()) = tokio::join!(client.next(), answers);
    assert_eq!(first, Heard::Done(Token::new(1)));
    assert_eq!(client.next().await, Heard::Failed(Token::new(2)));
}

#[tokio::test]
async fn a_request_whose_identifier_is_given_again_fails() {
    let (_server, mut client, mut stream) = scripted().await;
    client.script.ask(Subscribe::new(LINK, Token::new(1_000), "a", Qos::AtLeastOnce));
    // Its identifier is 1, and it gets no answer; the client counts to 100.
    for id in 2..=100 {
        client.publish(id.into(), "a", Qos::AtLeastOnce);
        let acknowledge = async {
            if id == 2 {
                assert_eq!(read_kind(&mut stream).await, Some(SUBSCRIBE));
            }
            assert_eq!(read_kind(&mut stream).await, Some(PUBLISH));
            stream.write_all(&[0x40, 2, 0, id]).await.unwrap();
        };
        let (heard, ()) = tokio::join!(client.next(), acknowledge);
        assert_eq!(heard, Heard::Done(Token::new(id.into())));
    }
    client.script.ask(Subscribe::new(LINK, Token::new(2_000), "b", Qos::AtLeastOnce));
    assert_eq!(client.next().await, Heard::Failed(Token::new(1_000)));
    assert_eq!(read_kind(&mut stream).await, Some(SUBSCRIBE));
    stream.write_all(&[0x90, 3, 0, 1, 1]).await.unwrap();
    assert_eq!(client.next().await, Heard::Done(Token::new(2_000)));
}

#[tokio::test]
async fn what_arrives_together_with_the_end_is_told_before_it() {
    let (_server, mut client, mut stream) = scripted().await;
    // Two messages, then a packet that no broker may send.
    let message = [0x30, 4, 0, 1, b'a', 7];
    let all = [&message[..], &message, &[0xF0, 0]].concat();
    stream.write_all(&all).await.unwrap();
    assert_eq!(client.next().await, Heard::Message("a".into(), vec![7]));
    assert_eq!(client.next().await, Heard::Message("a".into(), vec![7]));
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
}

#[tokio::test]
async fn time_passes_while_the_transport_is_full() {
    let (_server, mut client, stream) = scripted().await;
    // Nothing is ever acknowledged.
    for token in 0..1_000 {
        client.publish(token, "a", Qos::AtLeastOnce);
    }
    client.script.deadline = Some(client.adapter.now().after(Duration::from_millis(1)));
    while client.script.deadline.is_some() {
        within(client.step()).await;
    }
    let kept = client.script.asked.len();
    assert!(kept > 0, "the window has no end");
    drop(stream);
    // The one that the adapter holds and those behind it are for a closed link then.
    assert_eq!(client.next().await, Heard::Deadline);
    assert_eq!(client.next().await, Heard::Closed(CloseReason::Lost));
    client.script.finished = true;
    assert!(matches!(within(client.step()).await, Stepped::Finished));
    assert!(client.script.asked.is_empty());
}

#[tokio::test]
async fn what_cannot_be_sent_fails_and_the_rest_goes_on() {
    let broker = Broker::start().await.unwrap();
    let mut client = Client::connect(broker.port(), "client").await;
    let (long, large) = ("a".repeat(65_536), vec![0; 1 << 20]);
    let once = Qos::AtLeastOnce;
    let unsendable: [Action; 6] = [
        Publish::new(LINK, Token::new(0), "a/+", "", once).into(),
        Publish::new(LINK, Token::new(1), "", "", once).into(),
        Publish::new(LINK, Token::new(2), &*long, "", once).into(),
        Publish::new(LINK, Token::new(3), "a", large, once).into(),
        Subscribe::new(LINK, Token::new(4), "a/#/b", once).into(),
        Unsubscribe::new(LINK, Token::new(5), long).into(),
    ];
    for (token, action) in (0..).zip(unsendable) {
        client.script.ask(action);
        assert_eq!(client.next().await, Heard::Failed(Token::new(token)));
    }
    client.publish(6, "a", once);
    assert_eq!(client.next().await, Heard::Done(Token::new(6)));
}

#[tokio::test]
async fn what_the_client_cannot_do_is_a_lost_link_that_says_so() {
    let plain = options(1, "client");
    let cases = [
        plain.clone().with_version(Version::V5),
        plain.clone().with_version(Version::V3_1),
        // Nobody said whom to trust.
        ConnectOptions::new("127.0.0.1", 1, Transport::Tls, "client"),
        ConnectOptions::new("127.0.0.1", 1, Transport::Wss { path: "/mqtt".into() }, "client"),
        plain.with_credentials("user", b"\xff".as_slice()),
        options(1, "").with_clean_session(false),
    ];
    for options in cases {
        let mut client = Client::default();
        client.adapter.open(LINK, &options);
        let Stepped::Closed(closed, Some(ConnectionError::Io(error))) = within(client.step()).await
        else {
            panic!("{options:?}");
        };
        assert_eq!(closed.reason, CloseReason::Lost);
        assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_deadline_is_kept_and_not_awaited_by_spinning() {
    let mut client = Client::default();
    let deadline = client.adapter.now().after(Duration::from_micros(1_500));
    client.script.deadline = Some(deadline);
    assert!(matches!(within(client.step()).await, Stepped::Running));
    assert!(client.adapter.now() >= deadline);
    // One step was enough: it did not wake too early.
    assert_eq!(client.next().await, Heard::Deadline);
}

#[tokio::test]
async fn a_dyn_machine_is_driven_to_its_end() {
    /// Ends when its own link is closed.
    struct Visit(Script);

    impl Machine for Visit {
        type Vocabulary = Mqtt;
        type Event = Heard;
        type Error = Infallible;

        fn handle_input(
            &mut self,
            now: MonoTime,
            input: InputOf<'_, Self>,
        ) -> Result<(), Infallible> {
            match input {
                Input::Opened(opened) => self.0.ask(Close::new(opened.link)),
                Input::Closed(_) => self.0.finished = true,
                _ => {}
            }
            self.0.handle_input(now, input)
        }

        fn handle_timeout(&mut self, now: MonoTime) {
            self.0.handle_timeout(now);
        }

        fn poll_output(&mut self) -> Output<Action, Heard> {
            self.0.poll_output()
        }

        fn is_finished(&self) -> bool {
            self.0.is_finished()
        }
    }

    let broker = Broker::start().await.unwrap();
    let mut visit = Visit(Script::default());
    visit.0.ask(Open::new(LINK, options(broker.port(), "visitor")));
    let machine: &mut dyn Machine<Vocabulary = Mqtt, Event = Heard, Error = Infallible> =
        &mut visit;
    let mut told = Vec::new();
    let mut adapter = Adapter::new();
    within(adapter.drive(machine, |event| told.push(event), |refused| match refused {})).await;
    assert_eq!(told, [Heard::Opened, Heard::Closed(CloseReason::Requested)]);
}

/// A broker of which the test writes every byte.
struct Server {
    listener: TcpListener,
    port: u16,
}

const ACCEPTED: &[u8] = &[0x20, 2, 0, 0];
const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const SUBSCRIBE: u8 = 8;
const DISCONNECT: u8 = 14;

impl Server {
    async fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// The next connection, with its CONNECT read.
    async fn accept(&self) -> TcpStream {
        let (mut stream, _) = within(self.listener.accept()).await.unwrap();
        assert_eq!(read_kind(&mut stream).await, Some(CONNECT));
        stream
    }
}

/// A guest whose connection to a scripted broker is up, and the broker's end of it.
async fn scripted() -> (Server, Client, TcpStream) {
    let server = Server::bind().await;
    let mut client = Client::default();
    client.adapter.open(LINK, &options(server.port, "client"));
    let mut stream = server.accept().await;
    stream.write_all(ACCEPTED).await.unwrap();
    assert_eq!(client.next().await, Heard::Opened);
    (server, client, stream)
}

/// Speaks TLS on a port of its own, as long as the test runs, and passes on what it hears to another one.
async fn tls_in_front(certificates: &Certificates, port: u16) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let front = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(certificates.server().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // Either may end whenever it likes.
                let mut stream = acceptor.accept(stream).await?;
                let mut behind = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                copy_bidirectional(&mut stream, &mut behind).await
            });
        }
    });
    front
}

/// Reads one packet of less than 128 bytes and tells its type; none at the end of the stream.
async fn read_kind(stream: &mut TcpStream) -> Option<u8> {
    let mut header = [0; 2];
    within(stream.read_exact(&mut header)).await.ok()?;
    within(stream.read_exact(&mut vec![0; header[1].into()])).await.ok()?;
    Some(header[0] >> 4)
}

/// Whether a future has nothing to do now. It is dropped, as an application's `select!` would.
async fn is_waiting(future: impl Future) -> bool {
    let mut future = pin!(future);
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}
