//! The cloud's two brokers over real connections, with a plain MQTT client and requests written by hand.

use std::{future::Future, mem, time::Duration};

use examples::kii_cloud::KiiCloud;
use iot_sansio::mqtt::ConnackCode;
use kii_onboard::{
    App, Json, Stage, TransportKind,
    cloud::{Config, Disconnect, Effect, Event, Fault, Requests},
    command::{Action, NewCommand},
    frame::{Response, Status},
    onboarding::Owner,
};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, EventLoop, MqttOptions, Packet, QoS,
    SubscribeFilter, SubscribeReasonCode, TlsConfiguration, Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(30);
const ONBOARDINGS: &str = "p/anonymous/thing-if/apps/app01/onboardings";
const BOOT_USER: &str = "type=oauth2&client_id=app01";
const BOOT_PASSWORD: &str = "client_secret=key01";

async fn cloud() -> KiiCloud {
    let app = App::new("app01", "key01").unwrap();
    KiiCloud::start(Config::new(app, "localhost")).await.unwrap()
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// A plain client whose connection is up.
struct Raw {
    client: AsyncClient,
    events: EventLoop,
}

/// Who it says it is.
#[derive(Clone, Debug)]
struct Login {
    stage: Stage,
    client_id: String,
    user_name: String,
    password: String,
}

/// What the cloud told a thing.
#[derive(Clone, Debug)]
struct Onboarded {
    thing_id: String,
    token: String,
    login: Login,
}

impl Login {
    fn anonymous() -> Self {
        Self {
            stage: Stage::Boot,
            client_id: "anonymous".into(),
            user_name: BOOT_USER.into(),
            password: BOOT_PASSWORD.into(),
        }
    }

    fn options(&self, port: u16) -> MqttOptions {
        let mut options = MqttOptions::new(&self.client_id, "localhost", port);
        options.set_credentials(&self.user_name, &self.password);
        options
    }

    async fn connect(&self, cloud: &KiiCloud) -> Result<Raw, ConnectReturnCode> {
        let port = cloud.ports(self.stage).get(TransportKind::Tcp).unwrap();
        connect(self.options(port)).await
    }
}

async fn connect(options: MqttOptions) -> Result<Raw, ConnectReturnCode> {
    let (client, events) = AsyncClient::new(options, 10);
    let mut raw = Raw { client, events };
    match within(raw.events.poll()).await {
        Ok(rumqttc::Event::Incoming(Packet::ConnAck(_))) => Ok(raw),
        Err(ConnectionError::ConnectionRefused(code)) => Err(code),
        other => panic!("{other:?}"),
    }
}

impl Raw {
    /// The next packet; none when the connection is lost.
    async fn packet(&mut self) -> Option<Packet> {
        loop {
            match within(self.events.poll()).await {
                Ok(rumqttc::Event::Incoming(packet)) => return Some(packet),
                Ok(_) => {}
                // What came together with the end still counts.
                Err(_) => {
                    let rest = mem::take(&mut self.events.state.events);
                    return rest.into_iter().find_map(|event| match event {
                        rumqttc::Event::Incoming(packet) => Some(packet),
                        rumqttc::Event::Outgoing(_) => None,
                    });
                }
            }
        }
    }

    async fn message(&mut self) -> (String, Vec<u8>) {
        match self.packet().await {
            Some(Packet::Publish(message)) => (message.topic, message.payload.into()),
            other => panic!("{other:?}"),
        }
    }

    async fn publish(&self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtMostOnce, false, payload).await.unwrap();
    }

    async fn request_onboarding(&self, vendor_thing_id: &str, password: &str) {
        let payload = format!(
            "POST\r\n\
             Content-type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json\r\n\
             \r\n\
             {{\"vendorThingID\":\"{vendor_thing_id}\",\"thingPassword\":\"{password}\"}}"
        );
        self.publish(ONBOARDINGS, &payload).await;
    }

    /// The answer to that.
    async fn onboarded(&mut self) -> Onboarded {
        let (topic, payload) = self.message().await;
        assert_eq!(topic, ONBOARDINGS);
        let response = Response::decode(&payload).unwrap();
        assert_eq!(response.status, Status::OK);
        let body: Value = serde_json::from_slice(response.body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let endpoint = &body["mqttEndpoint"];
        assert_eq!(endpoint["host"], "localhost");
        Onboarded {
            thing_id: text(&body["thingID"]),
            token: text(&body["accessToken"]),
            login: Login {
                stage: Stage::Api,
                client_id: text(&endpoint["mqttTopic"]),
                user_name: text(&endpoint["username"]),
                password: text(&endpoint["password"]),
            },
        }
    }

    /// Subscribes to these filters, and gives the answers.
    async fn subscribe(&mut self, filters: &[&str]) -> Vec<SubscribeReasonCode> {
        let filters =
            filters.iter().map(|path| SubscribeFilter::new((*path).into(), QoS::AtLeastOnce));
        self.client.subscribe_many(filters).await.unwrap();
        match self.packet().await {
            Some(Packet::SubAck(ack)) => ack.return_codes,
            other => panic!("{other:?}"),
        }
    }
}

impl Onboarded {
    fn states(&self) -> String {
        let Self { thing_id, login: Login { client_id, .. }, .. } = self;
        format!("p/{client_id}/thing-if/apps/app01/targets/thing:{thing_id}/states")
    }

    fn put_state(&self) -> String {
        format!(
            "PUT\r\n\
             Authorization: Bearer {}\r\n\
             X-Kii-RequestID: r-1\r\n\
             Content-Type: application/json\r\n\
             \r\n\
             {{\"power\":true}}",
            self.token
        )
    }
}

/// A thing of this name, onboarded over a connection that is closed again.
async fn onboard(cloud: &KiiCloud, vendor_thing_id: &str) -> Onboarded {
    let mut raw = Login::anonymous().connect(cloud).await.unwrap();
    raw.request_onboarding(vendor_thing_id, "secret").await;
    raw.onboarded().await
}

/// The next event that this finds something in.
async fn told<T>(cloud: &mut KiiCloud, mut find: impl FnMut(Event) -> Option<T>) -> T {
    loop {
        if let Some(found) = find(within(cloud.event()).await) {
            return found;
        }
    }
}

#[tokio::test]
async fn a_thing_is_onboarded_by_hand_over_tcp_and_tls() {
    let cloud = cloud().await;
    let over_tcp = onboard(&cloud, "v1").await;

    let port = cloud.ports(Stage::Boot).get(TransportKind::Tls).unwrap();
    let mut options = Login::anonymous().options(port);
    options.set_transport(Transport::Tls(TlsConfiguration::Rustls(cloud.client_tls().unwrap())));
    let mut raw = connect(options).await.unwrap();
    raw.request_onboarding("v1", "secret").await;
    assert_eq!(raw.onboarded().await.thing_id, over_tcp.thing_id);
}

#[tokio::test]
async fn of_two_anonymous_connections_each_gets_its_own_answers_only() {
    let cloud = cloud().await;
    let mut first = Login::anonymous().connect(&cloud).await.unwrap();
    let mut second = Login::anonymous().connect(&cloud).await.unwrap();
    first.request_onboarding("v1", "p1").await;
    let v1 = first.onboarded().await;
    second.request_onboarding("v2", "p2").await;
    let v2 = second.onboarded().await;
    assert_ne!(v1.thing_id, v2.thing_id);
    // An answer to the other one would come first now.
    for (raw, name, password, thing_id) in
        [(&mut first, "v1", "p1", v1.thing_id), (&mut second, "v2", "p2", v2.thing_id)]
    {
        raw.request_onboarding(name, password).await;
        assert_eq!(raw.onboarded().await.thing_id, thing_id);
    }
}

#[tokio::test]
async fn who_is_refused_is_told_the_code_of_the_machine() {
    let cloud = cloud().await;
    let good = [Login::anonymous(), onboard(&cloud, "v1").await.login];
    for login in good {
        let stage = login.stage;
        let cloud = &cloud;
        let refused = |login: Login| async move { login.connect(cloud).await.err() };
        let wrong_id = Login { client_id: "somebody".into(), ..login.clone() };
        assert_eq!(refused(wrong_id).await, Some(ConnectReturnCode::BadClientId));
        let wrong_password = Login { password: "wrong".into(), ..login.clone() };
        assert_eq!(refused(wrong_password).await, Some(ConnectReturnCode::BadUserNamePassword));
        for (code, told) in [
            (1, ConnectReturnCode::RefusedProtocolVersion),
            (3, ConnectReturnCode::ServiceUnavailable),
            (5, ConnectReturnCode::NotAuthorized),
        ] {
            let fault = Fault::refuse_connect(stage, ConnackCode::new(code));
            cloud.command(|machine, now| machine.inject(now, fault)).unwrap();
            assert_eq!(refused(login.clone()).await, Some(told));
        }
        assert_eq!(refused(login).await, None);
    }
}

#[tokio::test]
async fn a_call_is_answered_on_its_topic_and_to_nobody_else() {
    let cloud = cloud().await;
    let (v1, v2) = (onboard(&cloud, "v1").await, onboard(&cloud, "v2").await);
    let mut first = v1.login.connect(&cloud).await.unwrap();
    let mut second = v2.login.connect(&cloud).await.unwrap();
    first.publish(&v1.states(), &v1.put_state()).await;
    let (topic, payload) = first.message().await;
    assert_eq!(topic, v1.states());
    let response = Response::decode(&payload).unwrap();
    assert_eq!((response.status, response.headers.request_id()), (Status::CREATED, Some("r-1")));

    // Without effect, and no answer: the next thing that either hears is its own.
    first.publish(&v2.states(), &v2.put_state()).await;
    second.publish(&v2.states(), &v2.put_state()).await;
    assert_eq!(second.message().await.0, v2.states());
    first.publish(&v1.states(), &v1.put_state()).await;
    assert_eq!(first.message().await.0, v1.states());
    assert_eq!(cloud.command(|machine, _| machine.misdirected()), 1);
}

#[tokio::test]
async fn a_call_of_qos_1_is_acknowledged_and_answered() {
    let cloud = cloud().await;
    let thing = onboard(&cloud, "v1").await;
    let mut raw = thing.login.connect(&cloud).await.unwrap();
    raw.client.publish(thing.states(), QoS::AtLeastOnce, false, thing.put_state()).await.unwrap();
    assert!(matches!(raw.packet().await, Some(Packet::PubAck(_))));
    assert_eq!(raw.message().await.0, thing.states());
    // More than that the cloud does not support.
    raw.client.publish(thing.states(), QoS::ExactlyOnce, false, thing.put_state()).await.unwrap();
    assert!(raw.packet().await.is_none());
}

#[tokio::test]
async fn only_the_own_topic_can_be_subscribed_to_and_pushes_come_on_it() {
    let cloud = cloud().await;
    let thing = onboard(&cloud, "v1").await;
    let own = thing.login.client_id.clone();
    let mut raw = thing.login.connect(&cloud).await.unwrap();
    let granted = SubscribeReasonCode::Success(QoS::AtMostOnce);
    let answers = raw.subscribe(&["#", &own, "p/#"]).await;
    assert_eq!(answers, [SubscribeReasonCode::Failure, granted, SubscribeReasonCode::Failure]);

    send_command(&cloud, &thing);
    let (topic, payload) = raw.message().await;
    assert_eq!(topic, own);
    let push: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(push["actions"][0]["turnPower"], true);

    raw.client.unsubscribe(&own).await.unwrap();
    assert!(matches!(raw.packet().await, Some(Packet::UnsubAck(_))));
    send_command(&cloud, &thing);
    raw.publish(&thing.states(), &thing.put_state()).await;
    assert_eq!(raw.message().await.0, thing.states(), "a push came all the same");
}

#[tokio::test]
async fn a_push_can_come_before_the_suback() {
    let cloud = cloud().await;
    let thing = onboard(&cloud, "v1").await;
    let mut raw = thing.login.connect(&cloud).await.unwrap();
    // Not to be waited for: it just comes later.
    let late = Fault::delay_suback(Duration::from_secs(3_600));
    cloud.command(|machine, now| machine.inject(now, late)).unwrap();
    raw.client.subscribe(&thing.login.client_id, QoS::AtMostOnce).await.unwrap();
    // A call behind it: once that is answered, the subscription holds.
    raw.publish(&thing.states(), &thing.put_state()).await;
    assert_eq!(raw.message().await.0, thing.states());
    send_command(&cloud, &thing);
    assert_eq!(raw.message().await.0, thing.login.client_id);
}

fn send_command(cloud: &KiiCloud, thing: &Onboarded) {
    let value = Json::new("true").unwrap();
    let command = NewCommand::plain(
        Owner::user("u1").unwrap(),
        "schema",
        1,
        [Action::new("turnPower", value)],
    )
    .unwrap();
    cloud.command(|machine, now| machine.send_command(now, &thing.thing_id, &command)).unwrap();
}

#[tokio::test]
async fn the_newer_connection_of_a_thing_takes_over() {
    let mut cloud = cloud().await;
    let thing = onboard(&cloud, "v1").await;
    let mut old = thing.login.connect(&cloud).await.unwrap();
    let mut new = thing.login.connect(&cloud).await.unwrap();
    assert!(old.packet().await.is_none());
    told(&mut cloud, |event| match event {
        Event::Disconnected { reason: Disconnect::TakenOver { .. }, .. } => Some(()),
        _ => None,
    })
    .await;
    new.publish(&thing.states(), &thing.put_state()).await;
    assert_eq!(new.message().await.0, thing.states());
}

#[tokio::test]
async fn a_ping_is_answered_unless_a_fault_swallows_it() {
    let cloud = cloud().await;
    cloud
        .command(|machine, now| machine.inject(now, Fault::swallow_ping(Stage::Boot).skip(1)))
        .unwrap();
    let port = cloud.ports(Stage::Boot).get(TransportKind::Tcp).unwrap();
    let mut options = Login::anonymous().options(port);
    options.set_keep_alive(Duration::from_secs(1));
    let mut raw = connect(options).await.unwrap();
    assert!(matches!(raw.packet().await, Some(Packet::PingResp)));
    // The client gives the connection up when it would ping again.
    assert!(raw.packet().await.is_none());
}

#[tokio::test]
async fn a_connection_that_a_fault_closes_is_closed_behind_its_answer() {
    let mut cloud = cloud().await;
    let onboardings = Requests::any().ending("onboardings");
    let fault = Fault::on_request(onboardings, [Effect::CloseAfter]);
    cloud.command(|machine, now| machine.inject(now, fault)).unwrap();
    let mut raw = Login::anonymous().connect(&cloud).await.unwrap();
    raw.request_onboarding("v1", "p1").await;
    raw.onboarded().await;
    // Asked again, the client would connect again.
    told(&mut cloud, |event| match event {
        Event::Disconnected { reason: Disconnect::Fault, .. } => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn brokers_that_start_again_have_cut_all_and_know_all() {
    let mut cloud = cloud().await;
    let thing = onboard(&cloud, "v1").await;
    let mut anonymous = Login::anonymous().connect(&cloud).await.unwrap();
    let mut raw = thing.login.connect(&cloud).await.unwrap();
    let ports = [Stage::Boot, Stage::Api].map(|stage| cloud.ports(stage));
    within(cloud.restart_brokers()).await.unwrap();
    assert_eq!([Stage::Boot, Stage::Api].map(|stage| cloud.ports(stage)), ports);
    assert!(anonymous.packet().await.is_none());
    assert!(raw.packet().await.is_none());
    let offline = told(&mut cloud, |event| match event {
        Event::Offline { thing_id } => Some(thing_id),
        _ => None,
    });
    assert_eq!(offline.await, thing.thing_id);

    let mut raw = thing.login.connect(&cloud).await.unwrap();
    raw.publish(&thing.states(), &thing.put_state()).await;
    assert_eq!(raw.message().await.0, thing.states());
}

#[tokio::test]
async fn whoever_does_not_begin_with_connect_is_cut() {
    let cloud = cloud().await;
    let port = cloud.ports(Stage::Boot).get(TransportKind::Tcp).unwrap();
    for bytes in [&[0xC0, 0][..], &[0xFF; 16], &[0x30, 3, 0, 1, b'a']] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        // Cut in the middle of what it said, it may hear of that as an error.
        assert_eq!(within(stream.read(&mut [0])).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn mqtt_3_1_is_spoken_too() {
    let cloud = cloud().await;
    let port = cloud.ports(Stage::Boot).get(TransportKind::Tcp).unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let field = |text: &str| [&[0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    // Level 3; user name, password, clean session; keep alive of a minute.
    let options = [3, 0b1100_0010, 0, 60].to_vec();
    let content =
        [field("MQIsdp"), options, field("anonymous"), field(BOOT_USER), field(BOOT_PASSWORD)]
            .concat();
    let header = [0x10, u8::try_from(content.len()).unwrap()];
    stream.write_all(&[&header, &content[..]].concat()).await.unwrap();
    let mut connack = [0; 4];
    within(stream.read_exact(&mut connack)).await.unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
}
