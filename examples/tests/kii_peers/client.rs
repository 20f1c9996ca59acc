//! The foreign client itself, at a Mosquitto that asks for passwords: it does what a machine asks, and tells the truth.

use std::{collections::VecDeque, convert::Infallible};

use examples::{certificates::Certificates, peers::Mosquitto};
use iot_sansio::{
    InputOf, Machine, MonoTime, Output,
    mqtt::{
        Action, Close, CloseReason, ConnackCode, ConnectOptions, Input, Link, Mqtt, Open, Publish,
        Qos, Subscribe, Token, Transport, Unsubscribe, Version,
    },
};

use crate::mqtt_js::MqttJs;

const LINK: Link = Link::new(1);
const USER: (&str, &str) = ("type=oauth2&client_id=app01", "client_secret=key01");
/// Any bytes, and none of them text.
const PAYLOAD: &[u8] = b"\x00\xff\r\n\xfe";

/// Does what the test asks, and tells all it hears.
#[derive(Default)]
struct Probe {
    asked: VecDeque<Action>,
    heard: VecDeque<Heard>,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Opened,
    Closed(CloseReason),
    Message(String, Vec<u8>),
    Done(u64),
    Failed(u64),
}

impl Machine for Probe {
    type Vocabulary = Mqtt;
    type Event = Heard;
    type Error = Infallible;

    fn handle_input(&mut self, _: MonoTime, input: InputOf<'_, Self>) -> Result<(), Infallible> {
        self.heard.push_back(match input {
            Input::Opened(_) => Heard::Opened,
            Input::Closed(closed) => Heard::Closed(closed.reason),
            Input::Message(message) => Heard::Message(message.topic.into(), message.payload.into()),
            Input::Done(done) => Heard::Done(done.token.get()),
            Input::Failed(failed) => Heard::Failed(failed.token.get()),
            other => panic!("unknown to this machine: {other:?}"),
        });
        Ok(())
    }

    fn handle_timeout(&mut self, _: MonoTime) {}

    fn poll_output(&mut self) -> Output<Action, Heard> {
        let event = self.heard.pop_front().map(Output::Event);
        let action = || self.asked.pop_front().map(Output::Action);
        event.or_else(action).unwrap_or(Output::Idle(None))
    }

    fn is_finished(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn it_speaks_every_version_over_every_transport() {
    let certificates = Certificates::generate().expect("certificates");
    let Some(broker) = broker(&certificates) else { return };
    for (transport, port) in transports(&broker) {
        for version in [Version::V3_1, Version::V3_1_1, Version::V5] {
            let options = options(port, transport.clone()).with_version(version);
            let Some(mut client) = open(&options, certificates.ca_pem(), |_| vec![]).await else {
                return;
            };
            let context = format!("{transport:?}, {version:?}");
            assert_eq!(client.event().await, Some(Heard::Opened), "{context}");
            ask(&mut client, Subscribe::new(LINK, Token::new(1), "a/+", Qos::ExactlyOnce));
            assert_eq!(client.event().await, Some(Heard::Done(1)), "{context}");
            for (token, qos) in [(2, Qos::AtMostOnce), (3, Qos::AtLeastOnce), (4, Qos::ExactlyOnce)]
            {
                ask(&mut client, Publish::new(LINK, Token::new(token), "a/b", PAYLOAD, qos));
                let heard = [client.event().await, client.event().await];
                assert!(heard.contains(&Some(Heard::Done(token))), "{context}: {heard:?}");
                let message = Heard::Message("a/b".into(), PAYLOAD.into());
                assert!(heard.contains(&Some(message)), "{context}: {heard:?}");
            }
            ask(&mut client, Unsubscribe::new(LINK, Token::new(5), "a/+"));
            assert_eq!(client.event().await, Some(Heard::Done(5)), "{context}");
            ask(&mut client, Close::new(LINK));
            let closed = Some(Heard::Closed(CloseReason::Requested));
            assert_eq!(client.event().await, closed, "{context}");
        }
    }
}

#[tokio::test]
async fn its_own_subscriptions_stand_before_the_machine_hears_that_it_is_open() {
    let certificates = Certificates::generate().expect("certificates");
    let Some(broker) = broker(&certificates) else { return };
    let options = options(broker.tls_port(), Transport::Tls);
    let own = |options: &ConnectOptions| vec![format!("p/{}/#", options.client_id)];
    let Some(mut client) = open(&options, certificates.ca_pem(), own).await else { return };
    assert_eq!(client.event().await, Some(Heard::Opened));
    ask(&mut client, Publish::new(LINK, Token::new(1), "p/client/a", PAYLOAD, Qos::AtMostOnce));
    let heard = [client.event().await, client.event().await];
    let echo = Heard::Message("p/client/a".into(), PAYLOAD.into());
    assert!(heard.contains(&Some(Heard::Done(1))) && heard.contains(&Some(echo)), "{heard:?}");
}

#[tokio::test]
async fn a_refusal_has_the_code_of_the_broker() {
    let certificates = Certificates::generate().expect("certificates");
    let Some(broker) = broker(&certificates) else { return };
    for (transport, port) in transports(&broker) {
        let options = options(port, transport).with_credentials(USER.0, "client_secret=another");
        let Some(mut client) = open(&options, certificates.ca_pem(), |_| vec![]).await else {
            return;
        };
        let refused = CloseReason::Refused(ConnackCode::NOT_AUTHORIZED);
        assert_eq!(client.event().await, Some(Heard::Closed(refused)), "{options:?}");
    }
}

#[tokio::test]
async fn it_talks_to_no_server_whose_certificate_it_cannot_trust() {
    let certificates = Certificates::generate().expect("certificates");
    let others = Certificates::generate().expect("certificates");
    let Some(broker) = broker(&certificates) else { return };
    for (transport, port) in [
        (Transport::Tls, broker.tls_port()),
        (Transport::Wss { path: "/mqtt".into() }, broker.wss_port()),
    ] {
        let options = options(port, transport);
        let Some(mut client) = open(&options, others.ca_pem(), |_| vec![]).await else { return };
        let lost = Some(Heard::Closed(CloseReason::Lost));
        assert_eq!(client.event().await, lost, "{options:?}");
    }
}

#[tokio::test]
async fn a_changed_password_is_in_force_at_once() {
    let certificates = Certificates::generate().expect("certificates");
    let Some(mut broker) = broker(&certificates) else { return };
    for password in ["one", "two", "three"] {
        broker.admit("user", password).expect("a password file");
        for (candidate, admitted) in [("zero", false), (password, true)] {
            let options =
                options(broker.port(), Transport::Tcp).with_credentials("user", candidate);
            let Some(mut client) = open(&options, certificates.ca_pem(), |_| vec![]).await else {
                return;
            };
            let opened = client.event().await == Some(Heard::Opened);
            assert_eq!(opened, admitted, "{candidate} when it is {password}");
        }
    }
}

/// A broker that admits [`USER`] only.
fn broker(certificates: &Certificates) -> Option<Mosquitto> {
    let mut broker = Mosquitto::start(certificates)?;
    broker.admit(USER.0, USER.1).expect("a password file");
    Some(broker)
}

fn transports(broker: &Mosquitto) -> [(Transport, u16); 4] {
    [
        (Transport::Tcp, broker.port()),
        (Transport::Tls, broker.tls_port()),
        (Transport::Ws { path: "/mqtt".into() }, broker.ws_port()),
        (Transport::Wss { path: "/mqtt".into() }, broker.wss_port()),
    ]
}

fn options(port: u16, transport: Transport) -> ConnectOptions {
    ConnectOptions::new("127.0.0.1", port, transport, "client").with_credentials(USER.0, USER.1)
}

async fn open(
    options: &ConnectOptions,
    ca_pem: &str,
    own_filters: fn(&ConnectOptions) -> Vec<String>,
) -> Option<MqttJs<Probe>> {
    let mut client = MqttJs::start(Probe::default(), ca_pem, own_filters).await?;
    ask(&mut client, Open::new(LINK, options.clone()));
    Some(client)
}

fn ask(client: &mut MqttJs<Probe>, action: impl Into<Action>) {
    client.command(|machine, _| machine.asked.push_back(action.into()));
}
