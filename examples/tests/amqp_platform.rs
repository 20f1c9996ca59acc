//! The platform as a plain client of the stack sees it: its rules, and its faults.

use std::time::{Duration, SystemTime};

use amqp_auth::{
    Consumer, Credential, SignMethod, Signer,
    platform::{Account, Config, Disconnect, Event, LinkRule, MessageId, Push},
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
    let init = format!("\0{user}\0{password}").into_bytes();
    let mut stream = tls(&platform).await;
    let mut header = [0; 8];
    stream.write_all(b"AMQP\x03\x01\x00\x00").await.unwrap();
    stream.read_exact(&mut header).await.unwrap();
    let size = stream.read_u32().await.unwrap();
    let mut mechanisms = vec![0; usize::try_from(size).unwrap() - 4];
    stream.read_exact(&mut mechanisms).await.unwrap();
    let length = u32::try_from(init.len()).unwrap().to_be_bytes();
    let fields = [b"\xa3\x05PLAIN\xb0".as_slice(), &length, &init].concat();
    let count = 2_u32.to_be_bytes();
    let size = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    let body = [b"\x00\x53\x41\xd0".as_slice(), &size, &count, &fields].concat();
    let whole = u32::try_from(body.len() + 8).unwrap().to_be_bytes();
    stream.write_all(&[&whole[..], &[2, 1, 0, 0], &body].concat()).await.unwrap();
    let mut outcome = [0; 16];
    within(stream.read_exact(&mut outcome)).await.unwrap();
    assert_eq!(outcome[15], 0, "{outcome:?}");
    assert!(matches!(within(platform.event()).await, Event::LoggedIn(_)));
}
