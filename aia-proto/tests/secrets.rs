//! Nothing that can be printed shows a secret, a seed or a body: neither as text nor as the numbers of its bytes. What
//! `protect` has is looked at in `tests/protect`.

use core::{
    fmt::{Debug, Display},
    time::Duration,
};

use aia_proto::{
    ApiVersion, ClientId, Direction, Json, Leaf, MessageId, TopicRoot,
    connection::Message,
    device::{self, Capabilities, Device, DisconnectCause},
    protect::SharedSecret,
    registration::{
        Algorithm, Authentication, IotIdentity, KeyPair, Registration, Request, Response,
        read_answer,
    },
    service::{self, Directive, Fault, Service},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{self, Action, Done, Link, Opened},
};

const TOKEN: &str = "canary-token";
const BODY: &str = "canary-body";
const SEED: &[u8; 32] = b"canary-seed-of-32-bytes-01234567";
const SECRET: &[u8; 32] = b"canary-secret-0123456789abcdefgh";
const ACCOUNT: &str = "123456789012";

fn check(printed: &str) {
    check_for(printed, b"canary");
}

/// Looks for a part of a secret, as text, in base64, as decimal numbers and in hexadecimal ones.
fn check_for(printed: &str, secret: &[u8]) {
    let compact: String = printed.chars().filter(|ch| !ch.is_whitespace()).collect();
    let numbers = secret.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
    let hex = secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    // Without an end that depends on what follows.
    let base64 = STANDARD.encode(&secret[..secret.len() / 3 * 3]);
    let text = String::from_utf8_lossy(secret);
    for canary in [&text, numbers.as_str(), &hex, &base64] {
        assert!(!printed.contains(canary) && !compact.contains(canary), "{printed}");
    }
}

fn keeps_quiet(value: &dyn Debug) {
    check(&format!("{value:?}"));
    check(&format!("{value:#?}"));
}

fn explains_itself<T>(result: Result<T, impl Debug + Display>) {
    let Err(error) = result else { panic!("no error") };
    check(&error.to_string());
    keeps_quiet(&error);
}

fn client_id() -> ClientId {
    ClientId::new("my-thing-01").unwrap()
}

fn root() -> TopicRoot {
    TopicRoot::new("$aws/alexa").unwrap()
}

fn json() -> Json {
    Json::new(&format!("{{\"a\":{{\"b\":\"{BODY}\"}}}}")).unwrap()
}

fn authentication() -> Authentication {
    Authentication::new(TOKEN, "client")
}

fn request(keys: &KeyPair) -> Request {
    let iot = IotIdentity::new(ACCOUNT, client_id(), "example-ats.iot.example");
    Request::new(authentication(), Algorithm::Curve25519With32Bytes, keys.public_key(), iot)
}

fn registration() -> Registration {
    let (version, algorithm) = (ApiVersion::V1, Algorithm::Curve25519With32Bytes);
    let secret = SharedSecret::from(SECRET);
    let mut registration =
        Registration::new(root(), ACCOUNT, client_id(), version, algorithm, secret.clone());
    registration.previous = Some(secret);
    registration
}

fn capabilities() -> Capabilities {
    let set = r#"[{"type":"AisInterface","interface":"Speaker","version":"1.0"},
        {"type":"AisInterface","interface":"Microphone","version":"1.0"},
        {"type":"AisInterface","interface":"System","version":"1.0","configurations":{"own":"canary"}}]"#;
    Capabilities::new(Json::new(set).unwrap()).unwrap()
}

fn device_config() -> device::Config {
    device::Config::new(ACCOUNT, client_id(), "example-ats.iot.example", capabilities())
        .with_state(json())
}

#[test]
fn the_canaries_would_be_seen() {
    for leak in [
        TOKEN.to_owned(),
        format!("{:#?}", SEED),
        format!("{:x?}", SECRET).replace(", ", ""),
        String::from_utf8_lossy(registration().encode().expose()).into_owned(),
        json().as_str().to_owned(),
    ] {
        assert!(std::panic::catch_unwind(|| check(&leak)).is_err(), "{leak}");
    }
}

#[test]
fn what_registers_keeps_quiet() {
    let keys = KeyPair::from_random(*SEED);
    let other = KeyPair::from_random([9; 32]);
    let request = request(&keys);
    let decoded = Request::decode(request.encode().expose()).unwrap();
    let saved = registration().encode();
    let parts: [&dyn Debug; 10] = [
        &keys,
        &keys.agree(Algorithm::Curve25519With16BytesSha256, &other.public_key()),
        &authentication(),
        &request,
        &request.encode(),
        &decoded,
        &decoded.authentication.token,
        &registration(),
        &saved,
        &Registration::decode(saved.expose()).unwrap(),
    ];
    parts.into_iter().for_each(keeps_quiet);
    let agreed = keys.agree(Algorithm::Curve25519With32Bytes, &other.public_key()).unwrap();
    check_for(&format!("{agreed:?} {keys:?}"), &agreed.expose()[..9]);
    explains_itself(keys.agree(Algorithm::Curve25519With32Bytes, &[0; 32]));
}

#[test]
fn what_can_be_sent_keeps_quiet() {
    let directive = Directive::new("SetAlertVolume").with_payload(json());
    let parts: [&dyn Debug; 6] = [
        &json(),
        &capabilities(),
        &device_config(),
        &directive,
        &service::Config::new(root(), *SEED).with_device(
            ACCOUNT,
            client_id(),
            SharedSecret::from(SECRET),
        ),
        &Device::new(device_config(), Some(registration()), *SEED),
    ];
    parts.into_iter().for_each(keeps_quiet);
}

#[test]
fn what_cannot_be_read_keeps_quiet() {
    let text = String::from_utf8_lossy(registration().encode().expose()).into_owned();
    let bad_record = text.replace("\"topicRoot\":", "\"canary\":");
    assert_ne!(text, bad_record, "the member is renamed");
    let (canary, secret) = (STANDARD.encode("canary"), STANDARD.encode(SECRET));
    let bodies: [String; 12] = [
        "canary".into(),
        "\"canary\"".into(),
        "{\"canary\":canary}".into(),
        "{\"canary\":1,\"canary\":2}".into(),
        "[\"canary\"]".into(),
        bad_record,
        text.replace(&secret, &canary),
        r#"{"authentication":{"token":["canary"],"clientId":"canary"}}"#.into(),
        r#"{"authentication":{"token":"canary"},"encryption":"canary","iot":"canary"}"#.into(),
        format!(r#"{{"encryption":{{"publicKey":"{canary}"}},"iot":{{"topicRoot":"canary+"}}}}"#),
        r#"{"header":{"name":"canary","messageId":["canary"]},"payload":"canary"}"#.into(),
        r#"{"header":{"name":"Acknowledge"},"payload":{"connectMessageId":["canary"]}}"#.into(),
    ];
    for body in bodies {
        let bytes = body.as_bytes();
        explains_itself(Request::decode(bytes));
        explains_itself(Registration::decode(bytes));
        explains_itself(Response::decode(bytes));
        for status in [200, 400, 503] {
            explains_itself(read_answer(status, bytes));
        }
        for direction in [Direction::ToDevice, Direction::ToService] {
            explains_itself(Message::decode(direction, bytes));
        }
        if let Ok(json) = Json::new(&body) {
            keeps_quiet(&json);
            explains_itself(Capabilities::new(json));
        } else {
            explains_itself(Json::new(&body));
        }
    }
    explains_itself(TopicRoot::new("canary+"));
    explains_itself(ClientId::new("canary/"));
    explains_itself(MessageId::new("canary".repeat(50)));
    explains_itself(SharedSecret::from_bytes(b"canary"));
}

#[test]
fn a_whole_conversation_keeps_quiet() {
    let mut talk = Talk::new();
    talk.device.register(talk.now, authentication(), ApiVersion::V1).unwrap();
    talk.pass(100);
    assert!(talk.device.is_connected(), "{:?}", talk.device);
    talk.pass(100);
    talk.exchange();
    talk.service.rotate(talk.now, &client_id()).unwrap();
    talk.pass(200);
    for _ in 0..40 {
        talk.exchange();
    }
    assert!(talk.device.registration().unwrap().previous.is_some());
    let too_large = "canary".repeat(2_000);
    explains_itself(talk.device.send_microphone(talk.now, too_large.as_bytes()));
    explains_itself(talk.service.send_speaker(talk.now, &client_id(), too_large.as_bytes()));
    for leaf in [Leaf::Directive, Leaf::Speaker] {
        for fault in [Fault::Tamper(leaf), Fault::Corrupt(leaf), Fault::Lose(leaf)] {
            talk.service.inject(talk.now, &client_id(), fault).unwrap();
            talk.exchange();
            talk.exchange();
            talk.pass(3_600_000);
            talk.pass(200);
        }
    }
    // An answer that cannot be read, one that refuses, and none.
    assert!(talk.device.registration().is_none(), "a corrupted message has cost it");
    talk.device.register(talk.now, authentication(), ApiVersion::V1).unwrap();
    talk.print();
    talk.device.registration_answered(talk.now, 200, b"\"canary\"").unwrap();
    talk.device.disconnect(talk.now).unwrap();
    talk.pass(100);
    let seen = [
        "RegistrationWanted",
        "Registered",
        "Save",
        "Connected",
        "Directive",
        "Speaker",
        "Security(Tampered",
        "Security(Encryption",
        "Disconnected",
        "Erase",
        "RegistrationRejected",
        "Closed",
        "Received",
        "Microphone",
        "Rotated",
    ];
    for name in seen {
        assert!(talk.told.iter().any(|told| told.starts_with(name)), "{name}: {:?}", talk.told);
    }
    assert!(talk.secrets.len() >= 2, "one is agreed on, one is made up by the service");
}

/// A device and the service, each of which gets what the other one sends.
struct Talk {
    now: MonoTime,
    device: Device,
    service: Service,
    /// What both told.
    told: Vec<String>,
    /// What the device saved.
    secrets: Vec<Vec<u8>>,
}

impl Talk {
    fn new() -> Self {
        let mut service = Service::new(service::Config::new(root(), *SEED));
        service.handle_input(MonoTime::ORIGIN, Opened::new(SERVICE, false).into()).unwrap();
        let device = Device::new(device_config(), None, *SEED);
        let (told, secrets) = (Vec::new(), Vec::new());
        Self { now: MonoTime::ORIGIN, device, service, told, secrets }
    }

    /// Both sides say something, which is printed while it waits too.
    fn exchange(&mut self) {
        let (now, id) = (self.now, client_id());
        // While one does not hear the other, this is refused.
        let directive = self.service.send_directive(now, &id, "SetAlertVolume", Some(&json()));
        let speaker = self.service.send_speaker(now, &id, BODY.as_bytes());
        let event = self.device.send_event(now, "AlertVolumeChanged", Some(&json()));
        let microphone = self.device.send_microphone(now, BODY.as_bytes());
        let results: [&dyn Debug; 4] = [&directive, &speaker, &event, &microphone];
        results.into_iter().for_each(keeps_quiet);
        self.pass(100);
    }

    fn pass(&mut self, millis: u64) {
        self.print();
        self.now = self.now.after(Duration::from_millis(millis));
        self.service.handle_timeout(self.now);
        self.device.handle_timeout(self.now);
        self.carry_all();
    }

    fn carry_all(&mut self) {
        loop {
            self.print();
            match self.device.poll_output() {
                Output::Action(action) => self.carry_to_service(&action),
                Output::Event(event) => self.hear(event),
                Output::Idle(_) => match self.service.poll_output() {
                    Output::Action(action) => self.carry_to_device(&action),
                    Output::Event(event) => {
                        self.check(&event);
                        self.told.push(format!("{event:?}"));
                    }
                    Output::Idle(_) => return,
                },
            }
        }
    }

    fn carry_to_service(&mut self, action: &Action) {
        self.check(action);
        let now = self.now;
        match action {
            Action::Publish(publish) => {
                let message = mqtt::Message::new(SERVICE, &publish.topic, &publish.payload);
                self.check(&message);
                self.service.handle_input(now, message.into()).unwrap();
                let done = Done::new(DEVICE, publish.token);
                self.device.handle_input(now, done.into()).unwrap();
            }
            Action::Subscribe(subscribe) => {
                let done = Done::new(DEVICE, subscribe.token);
                self.device.handle_input(now, done.into()).unwrap();
            }
            _ => {}
        }
    }

    fn carry_to_device(&mut self, action: &Action) {
        self.check(action);
        let now = self.now;
        match action {
            Action::Publish(publish) => {
                let message = mqtt::Message::new(DEVICE, &publish.topic, &publish.payload);
                self.check(&message);
                self.device.handle_input(now, message.into()).unwrap();
            }
            Action::Subscribe(subscribe) => {
                let done = Done::new(SERVICE, subscribe.token);
                self.service.handle_input(now, done.into()).unwrap();
            }
            _ => {}
        }
    }

    fn hear(&mut self, event: device::Event) {
        match &event {
            // The last one is answered by the test.
            device::Event::RegistrationWanted(request)
                if !self.told.iter().any(|told| told.starts_with("Erase")) =>
            {
                let answer = self.service.register(self.now, request.body.expose()).unwrap();
                self.check(&answer);
                let (status, body) = (answer.status, answer.body);
                self.device.registration_answered(self.now, status, &body).unwrap();
            }
            device::Event::Save(registration) => {
                let secret = registration.secret.expose()[..9].to_vec();
                if !self.secrets.contains(&secret) {
                    self.secrets.push(secret);
                }
            }
            device::Event::MqttWanted => {
                let opened = Opened::new(DEVICE, false);
                self.device.handle_input(self.now, opened.into()).unwrap();
            }
            device::Event::RegistrationRejected(error) => check(&error.to_string()),
            device::Event::Disconnected(disconnected) => {
                let cause: &DisconnectCause = &disconnected.cause;
                check(&cause.to_string());
            }
            device::Event::Blocked(blocked) => {
                check(&blocked.to_string());
                self.device.correct(self.now, ACCOUNT, client_id()).unwrap();
            }
            device::Event::Security(security) => check(&security.to_string()),
            _ => {}
        }
        self.check(&event);
        self.told.push(format!("{event:?}"));
    }

    fn print(&self) {
        self.check(&self.device);
        self.check(&self.service);
        self.check(&self.device.registration());
        self.check(&self.service.capabilities(&client_id()));
    }

    fn check(&self, value: &dyn Debug) {
        keeps_quiet(value);
        let printed = format!("{value:?}");
        self.secrets.iter().for_each(|secret| check_for(&printed, secret));
    }
}

const DEVICE: Link = Link::new(1);
const SERVICE: Link = Link::new(2);
