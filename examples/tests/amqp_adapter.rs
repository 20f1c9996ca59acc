//! The AMQP adapter on real servers, and on scripted ones for what those do not do.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

use amqp_auth::{
    Consumer, Credential, SignMethod, Signer,
    platform::{Account, Config, Event, Push},
};
use examples::{
    amqp_adapter::{Adapter, Error, Stepped},
    certificates::Certificates,
    platform::Platform,
};
use fe2o3_amqp::{
    Sender,
    acceptor::{
        ConnectionAcceptor, LinkAcceptor, LinkEndpoint, ListenerConnectionHandle,
        ListenerSessionHandle, SaslPlainMechanism, SessionAcceptor,
    },
    connection::OpenError,
    types::{
        definitions::{self, AmqpError, ConnectionError, LinkError},
        messaging::{
            self, AmqpSequence, AmqpValue, ApplicationProperties, Batch, Data, Header, Properties,
        },
        primitives::{self, Binary, SimpleValue, Symbol, Timestamp, Uuid},
    },
};
use iot_sansio::{
    InputOf, Machine, MonoTime, Output, UnixMillis,
    amqp::{
        Abort, Action, Amqp, Attach, Body, Close, CloseReason, Connection, DeliveryId, Dial, Flow,
        Input, Open, OpenOptions, Outcome, SaslCode, Settle, Transport, Value,
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(30);
const LINK: Connection = Connection::new(1);
const IDLE: Duration = Duration::from_secs(60);
const USER: &str = "client|user=1,x=+/é|";
const PASSWORD: &str = "c3VjaCBhIHNlY3JldA==";

/// Does what the test asks, and tells all it hears.
#[derive(Default)]
struct Script {
    asked: VecDeque<Action>,
    heard: VecDeque<Heard>,
    deadline: Option<MonoTime>,
    finished: bool,
}

type Why = Option<(String, Option<String>)>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    Connected(Transport),
    Opened(Option<Duration>),
    Attached,
    Delivery(Box<Told>),
    Detached(Why),
    Refused(SaslCode),
    Peer(Why),
    Closed(&'static str),
    Deadline,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    id: DeliveryId,
    settled: bool,
    delivery_count: u32,
    message_id: Option<Value<'static>>,
    properties: Vec<(String, Value<'static>)>,
    body: Vec<Vec<u8>>,
    value: Option<Value<'static>>,
}

fn why(error: Option<iot_sansio::amqp::Error<'_>>) -> Why {
    error.map(|error| (error.condition.into(), error.description.map(Into::into)))
}

impl Script {
    fn ask(&mut self, action: impl Into<Action>) {
        self.asked.push_back(action.into());
    }
}

impl Machine for Script {
    type Vocabulary = Amqp;
    type Event = Heard;
    type Error = Infallible;

    fn handle_input(&mut self, _: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
        self.heard.push_back(match input {
            Input::Connected(connected) => Heard::Connected(connected.transport),
            Input::Opened(opened) => Heard::Opened(opened.idle_timeout),
            Input::Attached(_) => Heard::Attached,
            Input::Detached(detached) => Heard::Detached(why(detached.error)),
            Input::Delivery(delivery) => {
                let message = delivery.message;
                let properties = message.application_properties.iter();
                let owned = |value: &Value<'_>| value.clone().into_owned();
                Heard::Delivery(Box::new(Told {
                    id: delivery.id,
                    settled: delivery.settled,
                    delivery_count: message.delivery_count,
                    message_id: message.message_id.map(owned),
                    properties: properties
                        .map(|(key, value)| (key.to_string(), owned(value)))
                        .collect(),
                    body: match message.body {
                        Body::Data(sections) => sections.iter().map(|part| part.to_vec()).collect(),
                        _ => Vec::new(),
                    },
                    value: match message.body {
                        Body::Value(value) => Some(owned(value)),
                        Body::Sequence => Some(Value::Other("sequence".into())),
                        _ => None,
                    },
                }))
            }
            Input::Closed(closed) => match closed.reason {
                CloseReason::Lost => Heard::Closed("lost"),
                CloseReason::Version => Heard::Closed("version"),
                CloseReason::Mechanism => Heard::Closed("mechanism"),
                CloseReason::Requested => Heard::Closed("requested"),
                CloseReason::Refused(code) => Heard::Refused(code),
                CloseReason::Peer(error) => Heard::Peer(why(error)),
                other => panic!("unknown to this machine: {other:?}"),
            },
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
struct Client {
    script: Script,
    adapter: Adapter,
    told: VecDeque<Heard>,
    /// Why the last connection ended.
    error: Option<Error>,
}

impl Client {
    fn new(certificates: &Certificates) -> Self {
        Self {
            script: Script::default(),
            adapter: Adapter::new(certificates.client().unwrap()),
            told: VecDeque::new(),
            error: None,
        }
    }

    /// Asks for the first step, and hears of it.
    async fn dial(&mut self, port: u16) {
        self.script.ask(Dial::new(LINK, "localhost", port));
        assert_eq!(self.next().await, Heard::Connected(Transport::Tls));
    }

    fn open(&mut self) {
        let options = OpenOptions::new(USER, PASSWORD, "client-01", "h.example", IDLE);
        self.script.ask(Open::new(LINK, options));
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

    async fn delivery(&mut self) -> Told {
        match self.next().await {
            Heard::Delivery(told) => *told,
            other => panic!("{other:?}"),
        }
    }

    /// Whether the machine goes on.
    async fn step(&mut self) -> bool {
        let tell = |heard| self.told.push_back(heard);
        let Ok(stepped) = self.adapter.step(&mut self.script, tell).await;
        let goes_on = !matches!(stepped, Stepped::Finished);
        if let Stepped::Closed(connection, error) = stepped {
            assert_eq!(connection, LINK);
            self.error = error;
        }
        goes_on
    }

    /// Steps for a while, and hears nothing.
    async fn hears_nothing(&mut self) {
        let quiet = tokio::time::timeout(Duration::from_millis(100), self.next()).await;
        assert!(quiet.is_err(), "it heard {quiet:?}");
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// A TLS listener of which the test does all the rest.
struct Server {
    certificates: Certificates,
    listener: TcpListener,
    port: u16,
}

type Stream = TlsStream<TcpStream>;

impl Server {
    async fn bind() -> Self {
        let certificates = Certificates::generate().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { certificates, listener, port }
    }

    async fn accept(&self) -> Stream {
        let (stream, _) = within(self.listener.accept()).await.unwrap();
        let tls = TlsAcceptor::from(self.certificates.server().unwrap());
        within(tls.accept(stream)).await.unwrap()
    }

    /// A client that is connected, and the server's end of it.
    async fn connected(&self) -> (Client, Stream) {
        let mut client = Client::new(&self.certificates);
        let ((), stream) = tokio::join!(client.dial(self.port), self.accept());
        (client, stream)
    }

    /// A client that is open, and the server's end of it.
    async fn opened(&self) -> (Client, ListenerConnectionHandle) {
        let (mut client, stream) = self.connected().await;
        client.open();
        let (heard, connection) = tokio::join!(client.next(), acceptor(stream, USER, PASSWORD));
        assert_eq!(heard, Heard::Opened(None));
        (client, connection.unwrap())
    }

    /// A client with its link, and the server's end of it.
    async fn attached(&self) -> (Client, Peer) {
        let (mut client, mut connection) = self.opened().await;
        client.script.ask(Attach::new(LINK, "rx-1", "default"));
        let accept = async {
            let mut session = SessionAcceptor::new().accept(&mut connection).await.unwrap();
            let endpoint = LinkAcceptor::new().accept(&mut session).await.unwrap();
            let LinkEndpoint::Sender(sender) = endpoint else { panic!("it wants to send") };
            (session, sender)
        };
        let (heard, (session, sender)) = tokio::join!(client.next(), within(accept));
        assert_eq!(heard, Heard::Attached);
        (client, Peer { sender, session, connection })
    }
}

struct Peer {
    sender: Sender,
    session: ListenerSessionHandle,
    connection: ListenerConnectionHandle,
}

async fn acceptor(
    stream: Stream,
    user: &str,
    password: &str,
) -> Result<ListenerConnectionHandle, OpenError> {
    let acceptor = ConnectionAcceptor::builder()
        .container_id("platform")
        .sasl_acceptor(SaslPlainMechanism::new(user, password))
        .build();
    within(acceptor.accept(stream)).await
}

fn text(body: &str) -> messaging::Message<Data> {
    messaging::Message::builder().data(Binary::from(body.as_bytes())).build()
}

#[tokio::test]
async fn the_last_event_of_a_machine_comes_a_step_before_its_end() {
    let mut client = Client::new(&Certificates::generate().unwrap());
    client.script.heard.push_back(Heard::Deadline);
    client.script.finished = true;
    assert!(within(client.step()).await);
    assert_eq!(client.told.pop_front(), Some(Heard::Deadline));
    assert!(!within(client.step()).await);
}

#[tokio::test]
async fn three_steps_are_answered_once_each_and_close_ends_it() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    client.script.ask(Close::new(LINK));
    let (heard, closed) = tokio::join!(client.next(), within(peer.connection.on_close()));
    assert_eq!(heard, Heard::Closed("requested"));
    assert!(matches!(closed, Err(fe2o3_amqp::connection::Error::RemoteClosed)), "{closed:?}");
    assert!(client.error.is_none());
    client.hears_nothing().await;
}

#[tokio::test]
async fn messages_come_whole_within_the_credit_and_are_settled_as_asked() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    let outcomes = [
        Outcome::Accepted,
        Outcome::Rejected,
        Outcome::Released,
        Outcome::Modified { delivery_failed: true, undeliverable_here: false },
        Outcome::Modified { delivery_failed: false, undeliverable_here: true },
    ];
    client.script.ask(Flow::new(LINK, 3));
    let serve = async {
        let mut settled = Vec::new();
        for number in 0..outcomes.len() {
            let message = text(&number.to_string());
            settled.push(peer.sender.send_batchable(message).await.unwrap());
        }
        let mut told = Vec::new();
        for settled in settled {
            told.push(settled.await.unwrap());
        }
        told
    };
    let receive = async {
        for number in 0..3_u8 {
            let told = client.delivery().await;
            assert_eq!(told.id, DeliveryId::new(LINK, number.into()));
            assert_eq!(told.body, [number.to_string().into_bytes()]);
            assert!(!told.settled);
        }
        // The credit is used up, however much there is to send.
        client.hears_nothing().await;
        // Absolute: two more, not the old ones on top.
        client.script.ask(Flow::new(LINK, 1));
        client.script.ask(Flow::new(LINK, 2));
        client.delivery().await;
        client.delivery().await;
        for (number, outcome) in [4, 3, 2, 1, 0].map(|number| (number, outcomes[number])) {
            client.script.ask(Settle::new(DeliveryId::new(LINK, number as u64), outcome));
        }
        // Twice and unknown: nothing happens.
        client.script.ask(Settle::new(DeliveryId::new(LINK, 0), Outcome::Released));
        client.script.ask(Settle::new(DeliveryId::new(LINK, 77), Outcome::Released));
        while !client.script.asked.is_empty() {
            let _ = tokio::time::timeout(Duration::from_millis(10), client.step()).await;
        }
    };
    let (told, ()) = tokio::join!(within(serve), receive);
    use messaging::{Modified, Outcome as Sent};
    let modified = |delivery_failed, undeliverable_here| {
        Sent::Modified(Modified { delivery_failed, undeliverable_here, message_annotations: None })
    };
    assert_eq!(told[0], Sent::Accepted(messaging::Accepted {}));
    assert_eq!(told[1], Sent::Rejected(messaging::Rejected { error: None }));
    assert_eq!(told[2], Sent::Released(messaging::Released {}));
    assert_eq!(told[3], modified(Some(true), Some(false)));
    assert_eq!(told[4], modified(Some(false), Some(true)));
    client.hears_nothing().await;
}

#[tokio::test]
async fn credit_counts_from_what_was_reported() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    client.script.ask(Flow::new(LINK, 4));
    let _sending = tokio::spawn(async move {
        loop {
            let _settled = peer.sender.send_batchable(text("a")).await.unwrap();
        }
    });
    client.delivery().await;
    // The other three wait to be reported meanwhile: they are part of the next four.
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.script.ask(Flow::new(LINK, 4));
    for _ in 0..4 {
        client.delivery().await;
    }
    client.hears_nothing().await;
}

#[tokio::test]
async fn a_message_keeps_its_parts_their_order_and_types() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    client.script.ask(Flow::new(LINK, 10));
    let properties = ApplicationProperties::builder()
        .insert("topic", "/as/mqtt/status/pk1/dn1")
        .insert("a-long", SimpleValue::Long(1_351_123_456_789_012_345))
        .insert("qos", SimpleValue::Int(1))
        .insert("ulong", SimpleValue::Ulong(u64::MAX))
        .insert("yes", SimpleValue::Bool(true))
        .insert("null", SimpleValue::Null)
        .insert("float", SimpleValue::Float(1.5.into()))
        .insert("double", SimpleValue::Double((-0.0).into()))
        .insert("time", SimpleValue::Timestamp(Timestamp::from_milliseconds(-1)))
        .insert("uuid", SimpleValue::Uuid(Uuid::from([7; 16])))
        .insert("binary", SimpleValue::Binary(Binary::from(vec![0, 255])))
        .insert("symbol", SimpleValue::Symbol(Symbol::from("s")))
        .insert("char", SimpleValue::Char('c'))
        .build();
    let message = messaging::Message::builder()
        .header(Header { delivery_count: 3, ..Header::default() })
        .properties(Properties::builder().message_id(42_u64).build())
        .application_properties(properties)
        .body(messaging::Body::<primitives::Value>::Data(Batch::new(vec![
            Data(Binary::from("ab".as_bytes())),
            Data(Binary::from("cd".as_bytes())),
        ])))
        .build();
    let value = messaging::Message::builder().body(AmqpValue("text".to_string())).build();
    let sequence = messaging::Message::builder().body(AmqpSequence(vec![1, 2])).build();
    // Longer than a frame.
    let long = "x".repeat(300_000);
    let body = text(&long);
    let _sending = tokio::spawn(async move {
        let _first = peer.sender.send_batchable(message).await.unwrap();
        let _value = peer.sender.send_batchable(value).await.unwrap();
        let _sequence = peer.sender.send_batchable(sequence).await.unwrap();
        let _long = peer.sender.send_batchable(body).await.unwrap();
        std::future::pending::<()>().await;
    });

    let told = client.delivery().await;
    assert_eq!(told.delivery_count, 3);
    assert_eq!(told.message_id, Some(Value::Unsigned(42)));
    assert_eq!(told.body, [b"ab".to_vec(), b"cd".to_vec()]);
    let expected: [(&str, Value<'static>); 13] = [
        ("topic", Value::String("/as/mqtt/status/pk1/dn1".into())),
        ("a-long", Value::Signed(1_351_123_456_789_012_345)),
        ("qos", Value::Signed(1)),
        ("ulong", Value::Unsigned(u64::MAX)),
        ("yes", Value::Boolean(true)),
        ("null", Value::Null),
        ("float", Value::Float(1.5_f32.to_bits())),
        ("double", Value::Double((-0.0_f64).to_bits())),
        ("time", Value::Timestamp(-1)),
        ("uuid", Value::Uuid([7; 16])),
        ("binary", Value::Binary(vec![0, 255].into())),
        ("symbol", Value::Symbol("s".into())),
        ("char", Value::Other("char".into())),
    ];
    assert_eq!(told.properties, expected.map(|(key, value)| (key.to_string(), value)));
    assert_eq!(client.delivery().await.value, Some(Value::String("text".into())));
    assert_eq!(client.delivery().await.value, Some(Value::Other("sequence".into())));
    assert_eq!(client.delivery().await.body, [long.into_bytes()]);
}

#[tokio::test]
async fn a_signed_login_is_taken_by_the_platform_and_a_message_comes_again_until_it_is_accepted() {
    const ID: &str = "LTAI5tEXAMPLEKEY00000001";
    const KEY: &str = "ExampleSecretKey00000000000001";
    let config = Config::default()
        .with_account(Account::new(ID, KEY).with_group("G"))
        .with_ack_timeout(Duration::from_millis(50))
        .with_idle_timeout(Duration::from_secs(45));
    let mut platform = Platform::start(config).await.unwrap();
    let consumer = Consumer::new("client-01", "G").unwrap();
    let signer = Signer::new(&consumer, &Credential::key(ID, KEY), SignMethod::HmacSha1).unwrap();
    let (user, password) =
        signer.login(UnixMillis::from(SystemTime::now())).unwrap().into_secrets();

    let mut client = Client {
        script: Script::default(),
        adapter: Adapter::new(platform.client_tls().unwrap()),
        told: VecDeque::new(),
        error: None,
    };
    client.dial(platform.port()).await;
    let options = OpenOptions::new(user, password, "client-01", "h.example", IDLE);
    client.script.ask(Open::new(LINK, options));
    assert_eq!(client.next().await, Heard::Opened(Some(Duration::from_secs(45))));
    client.script.ask(Attach::new(LINK, "rx-1", "default"));
    assert_eq!(client.next().await, Heard::Attached);
    client.script.ask(Flow::new(LINK, 8));
    let push = Push::new("/pk1/dn1/user/update", b"hello");
    let message = platform.command(|machine, now| machine.push(now, "G", push)).unwrap();
    let first = client.delivery().await;
    assert_eq!(
        first.properties[1],
        ("messageId".into(), Value::String(message.to_string().into()))
    );
    let again = client.delivery().await;
    assert_eq!((again.delivery_count, &again.body), (1, &vec![b"hello".to_vec()]));
    client.script.ask(Settle::new(again.id, Outcome::Accepted));
    let settled = async {
        loop {
            if let Event::Settled { message, outcome, .. } = platform.event().await {
                return (message, outcome);
            }
        }
    };
    let settled = tokio::select! {
        settled = within(settled) => settled,
        heard = client.next() => panic!("{heard:?}"),
    };
    assert_eq!(settled, (message, Outcome::Accepted));
    let closed = "amqp:connection:forced";
    platform.command(|machine, now| machine.close_all(now, closed, "bye")).unwrap();
    assert_eq!(client.next().await, Heard::Peer(Some((closed.into(), Some("bye".into())))));
}

/// A client that logged in with this credential and is open, and the platform that took it.
async fn on_platform(
    credential: Credential,
    token: Option<(&str, UnixMillis)>,
) -> (Platform, Client) {
    let mut account = Account::new(credential.access_key_id(), "key").with_group("G");
    if let Some((token, expires_at)) = token {
        account = account.with_security_token(token, expires_at);
    }
    let platform = Platform::start(Config::default().with_account(account)).await.unwrap();
    let consumer = Consumer::new("client-01", "G").unwrap();
    let signer = Signer::new(&consumer, &credential, SignMethod::HmacSha1).unwrap();
    let login = signer.login(UnixMillis::from(SystemTime::now())).unwrap();
    let (user, password) = login.into_secrets();

    let mut client = Client {
        script: Script::default(),
        adapter: Adapter::new(platform.client_tls().unwrap()),
        told: VecDeque::new(),
        error: None,
    };
    client.dial(platform.port()).await;
    let options = OpenOptions::new(user, password, "client-01", "h.example", IDLE);
    client.script.ask(Open::new(LINK, options));
    assert_eq!(client.next().await, Heard::Opened(None));
    (platform, client)
}

#[tokio::test]
async fn a_login_with_a_token_longer_than_512_bytes_is_taken() {
    let token = "t".repeat(900);
    let expires_at = UnixMillis::new(UnixMillis::from(SystemTime::now()).get() + 3_600_000);
    let credential = Credential::sts("STS.id", "key", token.as_str(), Some(expires_at));
    on_platform(credential, Some((&token, expires_at))).await;
}

#[tokio::test]
async fn a_peer_that_breaks_off_is_lost() {
    let (platform, mut client) = on_platform(Credential::key("id", "key"), None).await;
    platform.command(|machine, now| machine.abort_all(now)).unwrap();
    assert_eq!(client.next().await, Heard::Closed("lost"));
    assert!(matches!(client.error, Some(Error::Broken(_))), "{:?}", client.error);
}

#[tokio::test]
async fn a_link_that_the_peer_ends_is_detached_with_its_words_and_the_connection_goes_on() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    let error = definitions::Error::new(LinkError::DetachForced, "go away".to_string(), None);
    let (heard, _) = tokio::join!(client.next(), within(peer.sender.close_with_error(error)));
    let words = ("amqp:link:detach-forced".into(), Some("go away".into()));
    assert_eq!(heard, Heard::Detached(Some(words)));
    client.script.ask(Close::new(LINK));
    let (heard, _) = tokio::join!(client.next(), within(peer.connection.on_close()));
    assert_eq!(heard, Heard::Closed("requested"));
}

#[tokio::test]
async fn a_session_that_the_peer_ends_is_detached_with_its_words() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    let error = definitions::Error::new(AmqpError::UnauthorizedAccess, None, None);
    let (heard, _) = tokio::join!(client.next(), within(peer.session.end_with_error(error)));
    assert_eq!(heard, Heard::Detached(Some(("amqp:unauthorized-access".into(), None))));
}

#[tokio::test]
async fn a_close_of_the_peer_is_told_with_its_words_once() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    let error =
        definitions::Error::new(ConnectionError::ConnectionForced, "maintenance".to_string(), None);
    let (heard, _) = tokio::join!(client.next(), within(peer.connection.close_with_error(error)));
    let words = ("amqp:connection:forced".into(), Some("maintenance".into()));
    assert_eq!(heard, Heard::Peer(Some(words)));
    assert!(matches!(&client.error, Some(Error::Peer(Some(_)))), "{:?}", client.error);
    client.hears_nothing().await;
}

#[tokio::test]
async fn a_close_while_the_link_is_not_up_yet_is_told_too() {
    let server = Server::bind().await;
    let (mut client, mut connection) = server.opened().await;
    let (heard, _) = tokio::join!(client.next(), within(connection.close()));
    assert_eq!(heard, Heard::Peer(None));
}

#[tokio::test]
async fn a_link_that_is_not_answered_can_be_closed() {
    let server = Server::bind().await;
    let (mut client, mut connection) = server.opened().await;
    client.script.ask(Attach::new(LINK, "rx-1", "default"));
    client.script.ask(Close::new(LINK));
    let (heard, _) = tokio::join!(client.next(), within(connection.on_close()));
    assert_eq!(heard, Heard::Closed("requested"));
}

#[tokio::test]
async fn refused_credentials_tell_the_code() {
    let server = Server::bind().await;
    let (mut client, stream) = server.connected().await;
    client.open();
    let (heard, refused) = tokio::join!(client.next(), acceptor(stream, USER, "another"));
    assert_eq!(heard, Heard::Refused(SaslCode::AUTH));
    assert!(matches!(refused, Err(OpenError::SaslError { .. })));
    let printed = format!("{:?} {}", client.error, client.error.as_ref().unwrap());
    assert!(!printed.contains(PASSWORD) && !printed.contains(USER), "{printed}");
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_lost() {
    let server = Server::bind().await;
    let mut client = Client::new(&Certificates::generate().unwrap());
    client.script.ask(Dial::new(LINK, "localhost", server.port));
    let serve = async {
        let (stream, _) = server.listener.accept().await.unwrap();
        let tls = TlsAcceptor::from(server.certificates.server().unwrap());
        tls.accept(stream).await.unwrap_err()
    };
    let (heard, _) = tokio::join!(client.next(), within(serve));
    assert_eq!(heard, Heard::Closed("lost"));
    assert!(matches!(client.error, Some(Error::Dial(_))));
}

#[tokio::test]
async fn a_dead_port_is_lost() {
    let server = Server::bind().await;
    let (port, listener) = (server.port, server.listener);
    drop(listener);
    let mut client = Client::new(&server.certificates);
    client.script.ask(Dial::new(LINK, "localhost", port));
    assert_eq!(client.next().await, Heard::Closed("lost"));
    client.hears_nothing().await;
}

#[tokio::test]
async fn a_stream_that_ends_is_lost() {
    let server = Server::bind().await;
    let (mut client, stream) = server.connected().await;
    client.open();
    drop(stream);
    assert_eq!(client.next().await, Heard::Closed("lost"));
}

#[tokio::test]
async fn another_protocol_is_told_as_version() {
    for answer in [b"AMQP\x00\x00\x09\x01", b"HTTP/1.1", b"AMQP\x00\x01\x00\x00"] {
        let server = Server::bind().await;
        let (mut client, mut stream) = server.connected().await;
        client.open();
        let serve = async { stream.write_all(answer).await.unwrap() };
        let (heard, ()) = tokio::join!(client.next(), serve);
        assert_eq!(heard, Heard::Closed("version"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_peer_without_plain_is_told() {
    let server = Server::bind().await;
    let (mut client, mut stream) = server.connected().await;
    client.open();
    let serve = async {
        stream.write_all(b"AMQP\x03\x01\x00\x00").await.unwrap();
        // sasl-mechanisms: one symbol, EXTERNAL.
        let body = b"\x00\x53\x40\xc0\x0b\x01\xa3\x08EXTERNAL";
        stream.write_all(&[0, 0, 0, 8 + 16, 2, 1, 0, 0]).await.unwrap();
        stream.write_all(body).await.unwrap();
        // Nothing but the header came.
        let mut rest = Vec::new();
        let _ = within(stream.read_to_end(&mut rest)).await;
        rest
    };
    let (heard, rest) = tokio::join!(client.next(), serve);
    assert_eq!(heard, Heard::Closed("mechanism"), "{:?}", client.error);
    assert_eq!(rest, b"AMQP\x03\x01\x00\x00");
}

#[tokio::test]
async fn nothing_is_sent_before_open() {
    let server = Server::bind().await;
    let (mut client, mut stream) = server.connected().await;
    client.hears_nothing().await;
    client.script.ask(Abort::new(LINK));
    assert_eq!(client.next().await, Heard::Closed("requested"));
    let mut bytes = Vec::new();
    let _ = within(stream.read_to_end(&mut bytes)).await;
    assert_eq!(bytes, b"");
}

#[tokio::test]
async fn abort_drops_the_transport_without_a_word() {
    let server = Server::bind().await;
    let (mut client, mut peer) = server.attached().await;
    client.script.ask(Abort::new(LINK));
    let (heard, closed) = tokio::join!(client.next(), within(peer.connection.on_close()));
    assert_eq!(heard, Heard::Closed("requested"));
    // No Close: the stream has ended under the stack.
    assert!(!matches!(closed, Err(fe2o3_amqp::connection::Error::RemoteClosed)), "{closed:?}");
    client.hears_nothing().await;
}

#[tokio::test]
async fn closing_the_adapter_says_close() {
    let server = Server::bind().await;
    let (client, mut peer) = server.attached().await;
    let ((), closed) =
        tokio::join!(within(client.adapter.close()), within(peer.connection.on_close()));
    assert!(matches!(closed, Err(fe2o3_amqp::connection::Error::RemoteClosed)), "{closed:?}");
}

#[tokio::test]
async fn a_deadline_is_kept_and_not_awaited_by_spinning() {
    let certificates = Certificates::generate().unwrap();
    let mut client = Client::new(&certificates);
    let deadline = client.adapter.now().after(Duration::from_micros(1_500));
    client.script.deadline = Some(deadline);
    within(client.step()).await;
    assert!(client.adapter.now() >= deadline);
    // One step was enough: it did not wake too early.
    assert_eq!(client.next().await, Heard::Deadline);
}
