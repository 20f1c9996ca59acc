//! The platform as a plain client of the stack sees it: its rules, and its faults.

use std::time::{Duration, SystemTime};

use amqp_auth::{
    Consumer, Credential, SignMethod, Signer,
    platform::{Account, Config, Disconnect, Event, LinkRule, MessageId, Push},
    sasl::{AMQP_HEADER, SASL_HEADER, encode_init},
};
use examples::platform::Platform;
use fe2o3_amqp::{
    Connection, Delivery, Receiver, Sender, Session,
    connection::{ConnectionHandle, Error, OpenError},
    link::{LinkStateError, RecvError, receiver::CreditMode},
    sasl_profile::SaslProfile,
    session::SessionHandle,
    types::{
        definitions,
        messaging::{Body, Modified},
        primitives::{SimpleValue, Value},
        sasl::SaslCode,
    },
};
use iot_sansio::{UnixMillis, amqp::Outcome};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

/// A hang becomes a failure.
const HANG: Duration = Duration::from_secs(30);
const GROUP: &str = "DEFAULT_GROUP";
const ID: &str = "LTAI5tEXAMPLEKEY00000001";
const SECRET: &str = "ExampleSecretKey00000000000001";
const TOPIC: &str = "/as/mqtt/status/pk1/dn1";
const IDLE: u32 = 60_000;

fn config() -> Config {
    Config::default().with_account(Account::new(ID, SECRET).with_group(GROUP))
}

fn now() -> UnixMillis {
    SystemTime::now().into()
}

fn login(credential: &Credential) -> (String, String) {
    let consumer = Consumer::new("client-01", GROUP).unwrap();
    let signer = Signer::new(&consumer, credential, SignMethod::HmacSha256).unwrap();
    let login = signer.login(now()).unwrap();
    (login.user_name().to_string(), login.password().to_string())
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

async fn tls(platform: &Platform) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(platform.address()).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(platform.client_tls().unwrap());
    within(connector.connect(name, stream)).await.unwrap()
}

/// A connection that says what is written to it, and has its login behind it.
async fn log_in(platform: &Platform, user: &str, password: &str) -> TlsStream<TcpStream> {
    let mut stream = tls(platform).await;
    stream.write_all(&SASL_HEADER).await.unwrap();
    let mut header = [0; 8];
    within(stream.read_exact(&mut header)).await.unwrap();
    read_frame(&mut stream).await;
    stream.write_all(encode_init(user, password, None).unwrap().expose()).await.unwrap();
    let outcome = read_frame(&mut stream).await;
    assert_eq!(outcome.last(), Some(&0), "{outcome:?}");
    stream
}

/// A frame without its size.
async fn read_frame(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let size = within(stream.read_u32()).await.unwrap();
    let mut rest = vec![0; usize::try_from(size).unwrap() - 4];
    within(stream.read_exact(&mut rest)).await.unwrap();
    rest
}

/// A frame on channel 0: its performative, and a list of so many bytes and fields.
fn frame(performative: u8, list: &[u8]) -> Vec<u8> {
    let size = u8::try_from(11 + list.len()).unwrap();
    [&[0, 0, 0, size, 2, 0, 0, 0, 0, 0x53, performative], list].concat()
}

/// Opens with this idle timeout on the wire.
async fn open(platform: &Platform, idle: u32) -> Result<ConnectionHandle<()>, OpenError> {
    let (username, password) = login(&Credential::key(ID, SECRET));
    open_as(platform, idle, username, password).await
}

async fn open_as(
    platform: &Platform,
    idle: u32,
    username: String,
    password: String,
) -> Result<ConnectionHandle<()>, OpenError> {
    let client = Connection::builder()
        .container_id("client-01")
        .hostname("h.example")
        .idle_time_out(idle * 2)
        .sasl_profile(SaslProfile::Plain { username, password });
    within(client.open_with_stream(tls(platform).await)).await
}

struct Client {
    receiver: Receiver,
    session: SessionHandle<()>,
    connection: ConnectionHandle<()>,
}

impl Client {
    async fn attach(platform: &Platform, credit: u32) -> Self {
        let mut connection = open(platform, IDLE).await.unwrap();
        let mut session = within(Session::begin(&mut connection)).await.unwrap();
        let receiver = Receiver::builder()
            .name("rx-1")
            .source("default")
            .credit_mode(CreditMode::Manual)
            .attach(&mut session);
        let mut receiver = within(receiver).await.unwrap();
        receiver.set_credit(credit).await.unwrap();
        Self { receiver, session, connection }
    }

    async fn receive(&mut self) -> Delivery<Body<Value>> {
        within(self.receiver.recv()).await.unwrap()
    }
}

fn push(platform: &Platform, body: &str) -> MessageId {
    let push = Push::new(TOPIC, body).with_generate_time(7).with_qos(1);
    platform.command(|machine, now| machine.push(now, GROUP, push)).unwrap()
}

/// The next event but those of connections that come and go.
async fn event(platform: &mut Platform) -> Event {
    loop {
        match within(platform.event()).await {
            Event::LoggedIn(_) | Event::Attached { .. } => {}
            event => return event,
        }
    }
}

async fn disconnect(platform: &mut Platform) -> Disconnect {
    match event(platform).await {
        Event::Disconnected { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn body_of(delivery: &Delivery<Body<Value>>) -> Vec<u8> {
    match delivery.body() {
        Body::Data(sections) => sections.iter().flat_map(|section| section.0.to_vec()).collect(),
        _ => panic!("no data"),
    }
}

fn condition(error: &definitions::Error) -> String {
    format!("{:?}", error.condition)
}

#[tokio::test]
async fn a_message_is_sent_with_its_attributes_and_gone_once_it_is_accepted() {
    let mut platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    let message = push(&platform, "one");
    let delivery = client.receive().await;
    assert_eq!(body_of(&delivery), b"one");
    let properties = delivery.message().application_properties.as_ref().unwrap();
    let properties: Vec<_> = properties.iter().map(|(key, value)| (key.as_str(), value)).collect();
    assert_eq!(
        properties,
        [
            ("topic", &SimpleValue::String(TOPIC.into())),
            ("messageId", &SimpleValue::String(message.to_string())),
            ("generateTime", &SimpleValue::Long(7)),
            ("qos", &SimpleValue::Int(1)),
        ]
    );
    client.receiver.accept(&delivery).await.unwrap();
    let Event::Settled { message: settled, outcome, attempts, .. } = event(&mut platform).await
    else {
        panic!()
    };
    assert_eq!((settled, outcome, attempts), (message, Outcome::Accepted, 1));
    assert_eq!(platform.command(|machine, _| machine.pending().len()), 0);
}

#[tokio::test]
async fn credit_is_kept_and_renewed() {
    let platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 2).await;
    for body in ["one", "two", "three"] {
        push(&platform, body);
    }
    assert_eq!(body_of(&client.receive().await), b"one");
    assert_eq!(body_of(&client.receive().await), b"two");
    let third = timeout(Duration::from_millis(100), client.receiver.recv::<Body<Value>>()).await;
    assert!(third.is_err(), "without credit");
    client.receiver.set_credit(5).await.unwrap();
    assert_eq!(body_of(&client.receive().await), b"three");
    for number in 4..=7 {
        push(&platform, &number.to_string());
        client.receive().await;
    }
    push(&platform, "eight");
    let eighth = timeout(Duration::from_millis(100), client.receiver.recv::<Body<Value>>()).await;
    assert!(eighth.is_err(), "five were granted");
}

#[tokio::test]
async fn what_is_not_settled_in_time_or_was_not_processed_is_sent_again() {
    let config = config()
        .with_ack_timeout(Duration::from_millis(50))
        .with_retry_interval(Duration::from_millis(50));
    let mut platform = Platform::start(config).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    push(&platform, "again");
    client.receive().await;
    assert!(matches!(event(&mut platform).await, Event::AckTimeout { attempts: 1, .. }));
    let second = client.receive().await;
    assert_eq!(second.message().header.as_ref().unwrap().delivery_count, 1);
    let failed = Modified {
        delivery_failed: Some(true),
        undeliverable_here: None,
        message_annotations: None,
    };
    client.receiver.modify(&second, failed).await.unwrap();
    let expected = Outcome::Modified { delivery_failed: true, undeliverable_here: false };
    let Event::Settled { outcome, .. } = event(&mut platform).await else { panic!() };
    assert_eq!(outcome, expected);
    assert_eq!(body_of(&client.receive().await), b"again");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let mut platform = Platform::start(config()).await.unwrap();
    let (user_name, mut password) = login(&Credential::key(ID, SECRET));
    password.replace_range(..1, if password.starts_with('A') { "B" } else { "A" });
    let refused = open_as(&platform, IDLE, user_name, password).await;
    assert!(matches!(refused, Err(OpenError::SaslError { code: SaslCode::Auth, .. })));
    assert!(matches!(disconnect(&mut platform).await, Disconnect::Login(_)));
}

#[tokio::test]
async fn logins_are_refused_as_commanded() {
    let platform = Platform::start(config()).await.unwrap();
    let code = iot_sansio::amqp::SaslCode::SYS_TEMP;
    platform.command(|machine, now| machine.refuse_logins(now, 1, code)).unwrap();
    let refused = open(&platform, IDLE).await;
    assert!(matches!(refused, Err(OpenError::SaslError { code: SaslCode::SysTemp, .. })));
    assert!(open(&platform, IDLE).await.is_ok());
}

#[tokio::test]
async fn an_idle_timeout_on_the_wire_that_is_out_of_range_is_closed() {
    let mut platform = Platform::start(config()).await.unwrap();
    for (idle, good) in [(29_999, false), (30_000, true), (300_000, true), (300_001, false)] {
        let mut connection = open(&platform, idle).await.unwrap();
        if good {
            connection.close().await.unwrap();
            assert_eq!(disconnect(&mut platform).await, Disconnect::Client);
        } else {
            let closed = within(connection.on_close()).await;
            assert!(matches!(closed, Err(Error::RemoteClosedWithError(_))), "{closed:?}");
            let reason = disconnect(&mut platform).await;
            assert!(matches!(reason, Disconnect::IdleOutOfRange { .. }), "{reason:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_without_a_link_is_closed_in_time() {
    let config = config().with_link_timeout(Duration::from_millis(100));
    let mut platform = Platform::start(config).await.unwrap();
    let mut connection = open(&platform, IDLE).await.unwrap();
    assert!(within(connection.on_close()).await.is_err());
    assert!(matches!(disconnect(&mut platform).await, Disconnect::LinkTimeout { .. }));
}

#[tokio::test]
async fn a_transport_without_a_login_is_dropped_in_time() {
    let config = config().with_auth_timeout(Duration::from_millis(100));
    let mut platform = Platform::start(config).await.unwrap();
    let mut stream = tls(&platform).await;
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert_eq!(rest, b"");
    assert!(matches!(disconnect(&mut platform).await, Disconnect::AuthTimeout { .. }));
}

#[tokio::test]
async fn one_receiver_and_no_sender() {
    let mut platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    let second = Receiver::attach(&mut client.session, "rx-2", "default");
    assert!(within(second).await.is_err());
    let rule = |event| match event {
        Event::LinkRefused { rule, .. } => rule,
        other => panic!("{other:?}"),
    };
    assert_eq!(rule(event(&mut platform).await), LinkRule::OneReceiver);
    let sender = Sender::attach(&mut client.session, "tx-1", "default");
    assert!(within(sender).await.is_err());
    assert_eq!(rule(event(&mut platform).await), LinkRule::NoSender);
    // The one that stands goes on.
    push(&platform, "still");
    assert_eq!(body_of(&client.receive().await), b"still");
}

#[tokio::test]
async fn a_link_can_be_given_up_and_attached_again() {
    let mut platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    within(client.receiver.close()).await.unwrap();
    assert!(matches!(event(&mut platform).await, Event::Detached { .. }));
    let receiver = Receiver::attach(&mut client.session, "rx-2", "default");
    client.receiver = within(receiver).await.unwrap();
    push(&platform, "again");
    assert_eq!(body_of(&client.receive().await), b"again");
}

#[tokio::test]
async fn a_client_that_is_silent_for_as_long_as_it_announced_is_closed() {
    let mut platform = Platform::start(config()).await.unwrap();
    // This stack sends no heartbeat, as the platform names no idle timeout.
    let mut client = Client::attach(&platform, 10).await;
    assert!(matches!(within(platform.event()).await, Event::LoggedIn(_)));
    assert!(matches!(within(platform.event()).await, Event::Attached { .. }));
    tokio::time::pause();
    let begin = Instant::now();
    let Err(Error::RemoteClosedWithError(error)) = client.connection.on_close().await else {
        panic!()
    };
    tokio::time::resume();
    assert!(condition(&error).contains("ResourceLimitExceeded"), "{error:?}");
    let silent = begin.elapsed();
    assert!(
        silent.abs_diff(Duration::from_millis(IDLE.into())) < Duration::from_secs(1),
        "{silent:?}"
    );
    assert_eq!(disconnect(&mut platform).await, Disconnect::Client);
}

#[tokio::test]
async fn connections_are_closed_and_dropped_as_commanded() {
    let mut platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    let closed = "amqp:connection:forced";
    platform.command(|machine, now| machine.close_all(now, closed, "maintenance")).unwrap();
    let Err(Error::RemoteClosedWithError(error)) = within(client.connection.on_close()).await
    else {
        panic!()
    };
    assert!(condition(&error).contains("ConnectionForced"), "{error:?}");
    assert_eq!(error.description.as_deref(), Some("maintenance"));
    assert_eq!(disconnect(&mut platform).await, Disconnect::Closed);

    let mut client = Client::attach(&platform, 10).await;
    platform.command(|machine, now| machine.abort_all(now)).unwrap();
    let dropped = within(client.connection.on_close()).await;
    assert!(!matches!(dropped, Err(Error::RemoteClosed | Error::RemoteClosedWithError(_))));
    assert_eq!(disconnect(&mut platform).await, Disconnect::Aborted);
    let lost = within(client.receiver.recv::<Body<Value>>()).await;
    assert!(matches!(lost, Err(RecvError::LinkStateError(LinkStateError::SessionStopped(_)))));
}

#[tokio::test]
async fn a_stalled_platform_answers_nothing() {
    let platform = Platform::start(config()).await.unwrap();
    platform.command(|machine, now| machine.stall(now, true)).unwrap();
    let (username, password) = login(&Credential::key(ID, SECRET));
    let client = Connection::builder()
        .container_id("c")
        .sasl_profile(SaslProfile::Plain { username, password })
        .open_with_stream(tls(&platform).await);
    assert!(timeout(Duration::from_millis(200), client).await.is_err());
    platform.command(|machine, now| machine.stall(now, false)).unwrap();
    assert!(open(&platform, IDLE).await.is_ok());
}

#[tokio::test]
async fn a_platform_that_is_dropped_cuts_its_connections() {
    let platform = Platform::start(config()).await.unwrap();
    let mut client = Client::attach(&platform, 10).await;
    drop(platform);
    assert!(within(client.connection.on_close()).await.is_err());
}

/// The stack's client cannot send it: a client that can is played here.
#[tokio::test]
async fn a_login_with_a_token_longer_than_512_bytes_is_taken() {
    let token = "t".repeat(600);
    let expires_at = UnixMillis::new(now().get() + 3_600_000);
    let account = Account::new("STS.id", SECRET)
        .with_security_token(token.as_str(), expires_at)
        .with_group(GROUP);
    let mut platform = Platform::start(Config::default().with_account(account)).await.unwrap();
    let (user, password) =
        login(&Credential::sts("STS.id", SECRET, token.as_str(), Some(expires_at)));
    log_in(&platform, &user, &password).await;
    assert!(matches!(within(platform.event()).await, Event::LoggedIn(_)));
}

#[tokio::test]
async fn a_client_that_says_all_at_once_and_closes_at_once_is_served() {
    let mut platform = Platform::start(config()).await.unwrap();
    let message = push(&platform, "a");
    let (user, password) = login(&Credential::key(ID, SECRET));
    let mut stream = log_in(&platform, &user, &password).await;
    let until_credit = [
        AMQP_HEADER.to_vec(),
        frame(OPEN, b"\xc0\x0c\x05\xa1\x01c\x40\x40\x40\x70\x00\x00\xea\x60"),
        frame(BEGIN, b"\xc0\x07\x04\x40\x43\x52\x7f\x52\x7f"),
        frame(
            ATTACH,
            b"\xc0\x16\x07\xa1\x02rx\x43\x41\x40\x40\x00\x53\x28\xc0\x04\x01\xa1\x01d\x00\x53\x29\x45",
        ),
        frame(FLOW, b"\xc0\x0b\x07\x40\x52\x7f\x43\x52\x7f\x43\x40\x52\x01"),
    ];
    stream.write_all(&until_credit.concat()).await.unwrap();
    let mut header = [0; 8];
    within(stream.read_exact(&mut header)).await.unwrap();
    while read_frame(&mut stream).await.get(6) != Some(&TRANSFER) {}

    let last_words = [
        frame(DISPOSITION, b"\xc0\x09\x05\x41\x43\x40\x41\x00\x53\x24\x45"),
        frame(CLOSE, b"\x45"),
    ];
    stream.write_all(&last_words.concat()).await.unwrap();
    while read_frame(&mut stream).await.get(6) != Some(&CLOSE) {}
    let settled = event(&mut platform).await;
    assert!(
        matches!(settled, Event::Settled { message: it, outcome: Outcome::Accepted, .. } if it == message),
        "{settled:?}"
    );
    assert_eq!(disconnect(&mut platform).await, Disconnect::Client);
}

/// Whatever one client says, the connection ends and the platform serves the others.
#[tokio::test]
async fn what_the_stack_cannot_bear_ends_one_connection_only() {
    let platform = Platform::start(config()).await.unwrap();
    let list = |inner: Vec<u8>| {
        let size = u32::try_from(inner.len() + 4).unwrap();
        [&[0xd0], &size.to_be_bytes()[..], &[0, 0, 0, 1], &inner].concat()
    };
    let deep = (0..7_000).fold(vec![0x45], |inner, _| list(inner));
    let mut deep_open = [&[0, 0, 0, 0, 2, 0, 0, 0, 0, 0x53, OPEN], &deep[..]].concat();
    let size = u32::try_from(deep_open.len()).unwrap();
    deep_open[..4].copy_from_slice(&size.to_be_bytes());
    let all_settled = [
        frame(OPEN, b"\xc0\x0c\x05\xa1\x01c\x40\x40\x40\x70\x00\x00\xea\x60"),
        frame(BEGIN, b"\xc0\x07\x04\x40\x43\x52\x7f\x52\x7f"),
        frame(DISPOSITION, b"\xc0\x0a\x05\x41\x43\x70\xff\xff\xff\xff\x41\x40"),
    ]
    .concat();
    for bytes in [deep_open, all_settled] {
        let (user, password) = login(&Credential::key(ID, SECRET));
        let mut stream = log_in(&platform, &user, &password).await;
        stream.write_all(&AMQP_HEADER).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut rest = Vec::new();
        let _ = within(stream.read_to_end(&mut rest)).await;
        assert!(open(&platform, IDLE).await.is_ok());
    }
}

#[tokio::test]
async fn of_too_many_events_the_oldest_are_dropped_and_counted() {
    let mut platform = Platform::start(config()).await.unwrap();
    let (user, password) = login(&Credential::key(ID, SECRET));
    let stream = log_in(&platform, &user, &password).await;
    // Links that are refused and given up, one after the other.
    let refused = [
        frame(
            ATTACH,
            b"\xc0\x17\x07\xa1\x02rx\x52\x01\x42\x40\x40\x00\x53\x28\xc0\x04\x01\xa1\x01d\x00\x53\x29\x45",
        ),
        frame(DETACH, b"\xc0\x04\x02\x52\x01\x41"),
    ];
    let all = [
        AMQP_HEADER.to_vec(),
        frame(OPEN, b"\xc0\x0c\x05\xa1\x01c\x40\x40\x40\x70\x00\x00\xea\x60"),
        frame(BEGIN, b"\xc0\x07\x04\x40\x43\x52\x7f\x52\x7f"),
        refused.concat().repeat(4_200),
        frame(CLOSE, b"\x45"),
    ]
    .concat();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut answers = Vec::new();
    let (_, written) =
        within(async { tokio::join!(reader.read_to_end(&mut answers), writer.write_all(&all)) })
            .await;
    written.unwrap();
    event(&mut platform).await;
    assert!(platform.missed() > 0);
}

const OPEN: u8 = 0x10;
const BEGIN: u8 = 0x11;
const ATTACH: u8 = 0x12;
const FLOW: u8 = 0x13;
const TRANSFER: u8 = 0x14;
const DISPOSITION: u8 = 0x15;
const DETACH: u8 = 0x16;
const CLOSE: u8 = 0x18;
