//! Feeds a device, plays the service's part by hand, and writes down what happens.

use core::time::Duration;
use std::collections::BTreeMap;

use aia_proto::{
    ApiVersion, ClientId, Json, Leaf, TopicRoot,
    device::{Blocked, Capabilities, Config, Device, Event},
    protect::{Cipher, SharedSecret},
    registration::{Algorithm, Registration},
    sequence::SequenceNumber,
};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{Action, CloseReason, Closed, Done, Failed, Input, Link, Message, Opened, Token},
};

pub(crate) const SET: &str = r#"[{"type":"AisInterface","interface":"Speaker","version":"1.0"},{"type":"AisInterface","interface":"Microphone","version":"1.0"},{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
pub(crate) const CLOSE_MICROPHONE: &str =
    r#"{"directives":[{"header":{"name":"CloseMicrophone","messageId":"i"}}]}"#;
pub(crate) const OLD: [u8; 32] = [1; 32];
pub(crate) const NEW: [u8; 32] = [2; 32];

pub(crate) fn capabilities(set: &str) -> Capabilities {
    Capabilities::new(Json::new(set).unwrap()).unwrap()
}

pub(crate) fn config() -> Config {
    let client_id = ClientId::new("my-thing-01").unwrap();
    Config::new("123456789012", client_id, "example-ats.iot.example", capabilities(SET))
}

pub(crate) fn secret(bytes: [u8; 32]) -> SharedSecret {
    SharedSecret::from_bytes(&bytes).unwrap()
}

pub(crate) fn registration() -> Registration {
    Registration::new(
        TopicRoot::new("$aws/alexa").unwrap(),
        "123456789012",
        ClientId::new("my-thing-01").unwrap(),
        ApiVersion::V1,
        Algorithm::Curve25519With32Bytes,
        secret(OLD),
    )
}

/// A registration whose capabilities the service has taken: these of [`config`].
pub(crate) fn accepted_registration() -> Registration {
    let mut run = Run::new(config(), Some(registration()));
    run.connected();
    let id = run.published_id.clone();
    run.protected(
        "capabilities/acknowledge",
        0,
        &acknowledge_capabilities(&id, "CAPABILITIES_ACCEPTED"),
    );
    run.device.registration().unwrap().clone()
}

pub(crate) fn acknowledge_capabilities(id: &str, code: &str) -> String {
    format!(
        r#"{{"header":{{"name":"Acknowledge","messageId":"c-1"}},"payload":{{"publishMessageId":"{id}","code":"{code}","description":"why"}}}}"#
    )
}

/// A device, the time, and what the service would know.
pub(crate) struct Run {
    pub(crate) device: Device,
    pub(crate) now: MonoTime,
    pub(crate) link: Link,
    /// The message id of the last `Connect`.
    pub(crate) connect_id: String,
    /// The message id of the last `Publish`.
    pub(crate) published_id: String,
    /// What the service opens messages with.
    pub(crate) secret: SharedSecret,
    subscriptions: Vec<Token>,
    /// Tokens of protected messages.
    pub(crate) sent: Vec<(Token, Vec<u8>)>,
}

impl Run {
    pub(crate) fn new(config: Config, registration: Option<Registration>) -> Self {
        Self::of(Device::new(config, registration, [7; 32]))
    }

    pub(crate) fn of(device: Device) -> Self {
        Self {
            device,
            now: MonoTime::ORIGIN,
            link: Link::new(1),
            connect_id: String::new(),
            published_id: String::new(),
            secret: secret(OLD),
            subscriptions: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// A device that is connected and ready, with capabilities that the service took before.
    pub(crate) fn ready(config: Config) -> Self {
        let mut run = Self::new(config, Some(accepted_registration()));
        let told = run.connected();
        assert_eq!(told.last().map(String::as_str), Some("connected"), "{told:?}");
        run.at(run.now.as_millis() + 50);
        run
    }

    /// Opens the MQTT connection, grants the subscriptions.
    pub(crate) fn connecting(&mut self) -> Vec<String> {
        self.up();
        self.grant()
    }

    /// Lets the service accept the connection.
    pub(crate) fn connected(&mut self) -> Vec<String> {
        self.connecting();
        self.acknowledge("CONNECTION_ESTABLISHED")
    }

    pub(crate) fn up(&mut self) -> Vec<String> {
        self.input(Opened::new(self.link, false).into())
    }

    pub(crate) fn down(&mut self) -> Vec<String> {
        let told = self.input(Closed::new(self.link, CloseReason::Lost).into());
        self.link = self.link.next();
        told
    }

    pub(crate) fn grant(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        for token in core::mem::take(&mut self.subscriptions) {
            told.extend(self.input(Done::new(self.link, token).into()));
        }
        told
    }

    pub(crate) fn refuse_subscription(&mut self, index: usize) -> Vec<String> {
        let token = self.subscriptions[index];
        self.input(Failed::new(self.link, token).into())
    }

    pub(crate) fn fail(&mut self, token: Token) -> Vec<String> {
        self.input(Failed::new(self.link, token).into())
    }

    pub(crate) fn acknowledge(&mut self, code: &str) -> Vec<String> {
        let id = self.connect_id.clone();
        self.acknowledge_id(&id, code)
    }

    pub(crate) fn acknowledge_id(&mut self, id: &str, code: &str) -> Vec<String> {
        self.hear(format!(
            r#"{{"header":{{"name":"Acknowledge","messageId":"s-1"}},"payload":{{"connectMessageId":"{id}","code":"{code}"}}}}"#
        ))
    }

    pub(crate) fn disconnect(&mut self, code: &str) -> Vec<String> {
        self.hear(format!(
            r#"{{"header":{{"name":"Disconnect","messageId":"s-2"}},"payload":{{"code":"{code}"}}}}"#
        ))
    }

    pub(crate) fn hear(&mut self, text: impl AsRef<[u8]>) -> Vec<String> {
        self.message("connection/fromservice", text.as_ref())
    }

    /// A protected message as the service sends it.
    pub(crate) fn protected(&mut self, leaf: &str, number: u32, body: &str) -> Vec<String> {
        let message = self.seal(number, body);
        self.message(leaf, &message)
    }

    pub(crate) fn seal(&self, number: u32, body: &str) -> Vec<u8> {
        let mut iv = [9; 12];
        iv[..4].copy_from_slice(&number.to_le_bytes());
        iv[4..8].copy_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        iv[8..].copy_from_slice(&u32::try_from(self.now.as_millis()).unwrap().to_le_bytes());
        Cipher::new(&self.secret).seal(SequenceNumber::new(number), iv, body.as_bytes())
    }

    pub(crate) fn message(&mut self, leaf: &str, payload: &[u8]) -> Vec<String> {
        let topic = format!("$aws/alexa/ais/v1/my-thing-01/{leaf}");
        self.input(Message::new(self.link, &topic, payload).into())
    }

    pub(crate) fn input(&mut self, input: Input<'_>) -> Vec<String> {
        self.device.handle_input(self.now, input).unwrap();
        self.drain()
    }

    /// Lets time pass to this moment.
    pub(crate) fn at(&mut self, millis: u64) -> Vec<String> {
        self.now = MonoTime::from_millis(millis);
        self.device.handle_timeout(self.now);
        self.drain()
    }

    /// Lets so much time pass.
    pub(crate) fn after(&mut self, millis: u64) -> Vec<String> {
        self.at(self.now.as_millis() + millis)
    }

    pub(crate) fn deadline(&mut self) -> Option<Duration> {
        match self.device.poll_output() {
            Output::Idle(deadline) => deadline.map(|at| at.since(self.now)),
            other => panic!("not drained: {other:?}"),
        }
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        let mut outputs = Vec::new();
        loop {
            match self.device.poll_output() {
                Output::Action(action) => outputs.push(self.act(&action)),
                Output::Event(event) => outputs.push(tell(&event)),
                Output::Idle(_) => return outputs,
            }
        }
    }

    fn act(&mut self, action: &Action) -> String {
        match action {
            Action::Subscribe(subscribe) => {
                self.subscriptions.push(subscribe.token);
                format!("subscribe {}", leaf_of(&subscribe.filter))
            }
            Action::Unsubscribe(unsubscribe) => {
                format!("unsubscribe {}", leaf_of(&unsubscribe.filter))
            }
            Action::Publish(publish) => {
                let leaf = leaf_of(&publish.topic);
                let payload = publish.payload.clone();
                if Leaf::parse(leaf).is_some_and(Leaf::is_protected) {
                    self.sent.push((publish.token, payload.clone()));
                    return self.open(leaf, payload);
                }
                let text = String::from_utf8(payload).unwrap();
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                let name = json["header"]["name"].as_str().unwrap();
                if name == "Connect" {
                    self.connect_id = json["header"]["messageId"].as_str().unwrap().into();
                    assert_eq!(json["payload"]["clientId"], "my-thing-01");
                    return format!(
                        "Connect {}",
                        json["payload"]["awsAccountId"].as_str().unwrap()
                    );
                }
                let description = json["payload"]["description"].as_str();
                let description = description.map(|text| format!(": {text}")).unwrap_or_default();
                format!("{name} {}{description}", json["payload"]["code"].as_str().unwrap())
            }
            other => panic!("a device does not do this: {other:?}"),
        }
    }

    fn open(&mut self, leaf: &str, mut message: Vec<u8>) -> String {
        let opened = match Cipher::new(&self.secret).open_in_place(&mut message) {
            Ok(opened) => opened,
            Err(error) => return format!("{leaf} not opened: {error:?}"),
        };
        let number = opened.sequence.get();
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(opened.body) else {
            return format!("{leaf} {number} [{} bytes]", opened.body.len());
        };
        if leaf == "capabilities/publish" {
            self.published_id = json["header"]["messageId"].as_str().unwrap().into();
            assert_eq!(json["payload"]["capabilities"][0]["interface"], "Speaker");
            return format!("{leaf} {number} Publish");
        }
        let events: Vec<String> = json["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                format!(
                    "{} {}",
                    event["header"]["name"].as_str().unwrap(),
                    sorted(&event["payload"])
                )
            })
            .collect();
        format!("{leaf} {number} {}", events.join(" + "))
    }
}

/// JSON with its members in the order of their names, whatever order the library keeps.
fn sorted(value: &serde_json::Value) -> String {
    let Some(object) = value.as_object() else { return value.to_string() };
    let members: BTreeMap<_, _> = object.iter().collect();
    let members = members.iter().map(|(name, value)| format!("\"{name}\":{}", sorted(value)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn leaf_of(topic: &str) -> &str {
    topic.strip_prefix("$aws/alexa/ais/v1/my-thing-01/").unwrap()
}

fn tell(event: &Event) -> String {
    match event {
        Event::RegistrationWanted(request) => format!("http {}", request.url),
        Event::Registered => "registered".into(),
        Event::RegistrationRejected(error) => format!("rejected {error}"),
        Event::Save(registration) => {
            let digest = registration.capabilities_digest.is_some();
            let previous = registration.previous.is_some();
            format!("save digest={digest} previous={previous}")
        }
        Event::Erase => "erase".into(),
        Event::MqttWanted => "mqtt wanted".into(),
        Event::Connected => "connected".into(),
        Event::Directive(directive) => {
            format!("directive {} {}.{}", directive.name, directive.sequence.get(), directive.index)
        }
        Event::Speaker(speaker) => {
            format!("speaker {} [{} bytes]", speaker.sequence.get(), speaker.body.len())
        }
        Event::Disconnected(disconnected) => format!("disconnected: {}", disconnected.cause),
        Event::Retrying(retrying) => format!("retrying after {} connects", retrying.connects),
        Event::Blocked(Blocked::Capabilities { description }) => {
            format!("blocked capabilities {description:?}")
        }
        Event::Blocked(blocked) => format!("blocked: {blocked}"),
        Event::RegistrationNeeded(need) => format!("needs registration: {need:?}"),
        Event::Security(security) => format!("security: {security}"),
        Event::Closed => "closed".into(),
        other => format!("{other:?}"),
    }
}
