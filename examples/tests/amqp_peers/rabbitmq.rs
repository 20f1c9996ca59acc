//! Our logins at a broker nobody here wrote, which asks our verifier.

use std::{net::Ipv4Addr, sync::Arc, time::SystemTime};

use amqp_auth::session::{Cause, CredentialReason};
use examples::{certificates::Certificates, peers::RabbitMq};
use fe2o3_amqp::{
    Connection, Sender, Session,
    sasl_profile::SaslProfile,
    types::{
        messaging::{ApplicationProperties, Data, Message},
        primitives::{Binary, OrderedMap, SimpleValue},
    },
};
use iot_sansio::{UnixMillis, amqp::SaslCode};
use tokio::{net::TcpStream, task::JoinSet, time::timeout};
use tokio_rustls::{TlsConnector, rustls::ClientConfig};

use crate::{
    GENERATE_TIME, HANG, MESSAGES, TOPIC,
    attempt::Attempt,
    client::{Client, Server},
    message_id,
    verifier::Verifier,
};

const QUEUE: &str = "q";
const ADDRESS: &str = "/queue/q";

/// One broker for all of it: it takes seconds to start.
#[tokio::test]
async fn rabbitmq_admits_what_the_verifier_admits_and_nothing_else() {
    let certificates = Certificates::generate().expect("certificates");
    let tls = certificates.client().expect("TLS");
    let verifier = Verifier::start().await;
    let Some(broker) = RabbitMq::start(&certificates, verifier.port()) else { return };
    // With more it now and then sends more than was granted: what is on its way out of the queue as credit comes, it
    // does not count. The stack then ends the link.
    let server = Server { port: broker.port(), tls: Arc::clone(&tls), source: ADDRESS, credit: 1 };

    for attempt in Attempt::good() {
        timeout(HANG, put(broker.port(), Arc::clone(&tls))).await.expect("it takes messages");
        assert_eq!(broker.messages(QUEUE).expect("a count"), MESSAGES);
        let logins = verifier.answers(&attempt.client_id()).len();
        let mut client = Client::start(server.clone(), attempt);
        client.receive().await;
        client.stop().await;
        assert_eq!(verifier.answers(&attempt.client_id())[logins..], [Ok(())], "{attempt:?}");
        assert_eq!(broker.messages(QUEUE).expect("a count"), 0, "{attempt:?}");
    }

    // It waits for seconds before it says no: so all at once.
    let mut refusals = JoinSet::new();
    for attempt in Attempt::bad() {
        let client = Client::start(server.clone(), attempt);
        refusals.spawn(async move { (attempt, client.refusal().await) });
    }
    while let Some(refusal) = refusals.join_next().await {
        let (attempt, refusal) = refusal.expect("it is refused");
        let expected = (Cause::Refused(SaslCode::AUTH), CredentialReason::Rejected);
        assert_eq!(refusal, expected, "{attempt:?}");
        let answers = verifier.answers(&attempt.client_id());
        let is_told = |error| attempt.fault.is_some_and(|fault| fault.is_told_by(error));
        assert!(matches!(&answers[..], [Err(e)] if is_told(e)), "{attempt:?}: {answers:?}");
    }
}

/// Puts the messages into the queue, which is made by that.
async fn put(port: u16, tls: Arc<ClientConfig>) {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a broker");
    let host = "localhost".try_into().expect("a name");
    let stream = TlsConnector::from(tls).connect(host, stream).await.expect("TLS");
    let attempt = Attempt::good().next().expect("there are some");
    let login = attempt.login(UnixMillis::from(SystemTime::now()));
    let profile = SaslProfile::Plain {
        username: login.user_name().into(),
        password: login.password().into(),
    };
    let connection = Connection::builder().container_id("device").sasl_profile(profile);
    let mut connection = connection.open_with_stream(stream).await.expect("a connection");
    let mut session = Session::begin(&mut connection).await.expect("a session");
    let mut sender = Sender::attach(&mut session, "sender", ADDRESS).await.expect("a link");
    for number in 0..MESSAGES {
        let mut properties = OrderedMap::new();
        for (key, value) in [
            ("topic", SimpleValue::String(TOPIC.into())),
            ("messageId", SimpleValue::String(message_id(number))),
            ("generateTime", SimpleValue::Long(GENERATE_TIME.get())),
        ] {
            properties.insert(key.to_string(), value);
        }
        let message = Message::builder()
            .application_properties(ApplicationProperties(properties))
            .body(Data(Binary::from(number.to_string().into_bytes())))
            .build();
        let outcome = sender.send(message).await.expect("it is sent");
        outcome.accepted_or_else(|outcome| outcome).expect("it is taken");
    }
    connection.close().await.expect("the connection ends");
}
