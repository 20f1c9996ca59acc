//! Runs any machine that speaks MQTT on MQTT.js, in a process of its own.

use std::collections::VecDeque;

use data_encoding::BASE64;
use examples::peers::Script;
use iot_sansio::{
    Machine, MonoTime, Pump, Pumped,
    mqtt::{
        Action, CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Input, Link,
        Message, Mqtt, Opened, Token, Transport, Version,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use crate::HANG;

/// A machine and its client. Dropping it kills the client, and cuts its connections.
pub(crate) struct MqttJs<M: Machine> {
    machine: M,
    origin: Instant,
    pump: Pump<Action>,
    script: Script,
    own_filters: fn(&ConnectOptions) -> Vec<String>,
    events: VecDeque<M::Event>,
}

/// What the client tells.
#[derive(Deserialize)]
#[serde(untagged, rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Told {
    Opened { opened: u32, session_present: bool },
    Closed { closed: u32, why: Why },
    Message { message: u32, topic: String, payload: String, retain: bool },
    Done { done: u32, token: u64 },
    Failed { failed: u32, token: u64 },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Why {
    Requested,
    Lost,
    Refused(u8),
}

impl<M: Machine<Vocabulary = Mqtt>> MqttJs<M> {
    /// Runs the machine; its client trusts this certificate authority. To each connection the client makes the
    /// subscriptions of `own_filters`, of which the machine knows nothing.
    ///
    /// None when Node or MQTT.js is not installed: that is printed.
    pub(crate) async fn start(
        machine: M,
        ca_pem: &str,
        own_filters: fn(&ConnectOptions) -> Vec<String>,
    ) -> Option<Self> {
        let mut script = Script::mqttjs("mqtt_client.js")?;
        script.tell(&json!({"action": "trust", "ca": ca_pem}).to_string()).await;
        let (origin, pump, events) = (Instant::now(), Pump::new(), VecDeque::new());
        Some(Self { machine, origin, pump, script, own_filters, events })
    }

    /// Commands the machine; what it says to that is done when the next event is asked for.
    pub(crate) fn command<T>(&mut self, command: impl FnOnce(&mut M, MonoTime) -> T) -> T {
        let now = self.now();
        command(&mut self.machine, now)
    }

    /// The next thing that the machine tells; none when it has ended.
    ///
    /// Not cancel safe: a client could be told half a line.
    pub(crate) async fn event(&mut self) -> Option<M::Event> {
        timeout(HANG, self.next_event()).await.expect("no event in sight")
    }

    async fn next_event(&mut self) -> Option<M::Event> {
        loop {
            let mut lines = Vec::new();
            let send = |action| {
                lines.push(line(&action, self.own_filters));
                Ok(())
            };
            let pumped =
                self.pump.drain(&mut self.machine, send, |event| self.events.push_back(event));
            for line in lines {
                self.script.tell(&line.to_string()).await;
            }
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let deadline = match pumped {
                Pumped::Finished => return None,
                Pumped::Idle(deadline) => deadline,
                Pumped::Blocked => unreachable!("every action is taken"),
            };
            let until = deadline.and_then(|time| self.origin.checked_add(time.since_origin()));
            let told = match until {
                Some(until) => timeout_at(until, self.script.line()).await.ok(),
                None => Some(self.script.line().await),
            };
            let now = self.now();
            self.machine.handle_timeout(now);
            if let Some(told) = told {
                self.hear(now, &told.expect("the client goes on as long as its machine"));
            }
        }
    }

    fn hear(&mut self, now: MonoTime, line: &str) {
        let told = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let (text, bytes);
        let input: Input<'_> = match told {
            Told::Opened { opened, session_present } => {
                Opened::new(Link::new(opened), session_present).into()
            }
            Told::Closed { closed, why } => Closed::new(Link::new(closed), why.into()).into(),
            Told::Message { message, topic, payload, retain } => {
                text = topic;
                bytes = BASE64.decode(payload.as_bytes()).expect("base64");
                Message::new(Link::new(message), &text, &bytes).with_retain(retain).into()
            }
            Told::Done { done, token } => Done::new(Link::new(done), Token::new(token)).into(),
            Told::Failed { failed, token } => {
                Failed::new(Link::new(failed), Token::new(token)).into()
            }
        };
        self.machine.handle_input(now, input).expect("a real client tells nothing impossible");
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin.into_std(), Instant::now().into_std())
    }
}

impl From<Why> for CloseReason {
    fn from(why: Why) -> Self {
        match why {
            Why::Requested => Self::Requested,
            Why::Lost => Self::Lost,
            Why::Refused(code) => Self::Refused(ConnackCode::new(code)),
        }
    }
}

fn line(action: &Action, own_filters: fn(&ConnectOptions) -> Vec<String>) -> Value {
    let link = action.link().get();
    let token = action.token().map(Token::get);
    match action {
        Action::Open(open) => connect(link, &open.options, &own_filters(&open.options)),
        Action::Close(_) => json!({"action": "close", "link": link}),
        Action::Subscribe(subscribe) => json!({
            "action": "subscribe",
            "link": link,
            "token": token,
            "filter": subscribe.filter,
            "qos": subscribe.qos as u8,
        }),
        Action::Unsubscribe(unsubscribe) => json!({
            "action": "unsubscribe",
            "link": link,
            "token": token,
            "filter": unsubscribe.filter,
        }),
        Action::Publish(publish) => json!({
            "action": "publish",
            "link": link,
            "token": token,
            "topic": publish.topic,
            "payload": BASE64.encode(&publish.payload),
            "qos": publish.qos as u8,
            "retain": publish.retain,
        }),
        other => panic!("unknown here: {other:?}"),
    }
}

fn connect(link: u32, options: &ConnectOptions, own: &[String]) -> Value {
    let (transport, path) = match &options.transport {
        Transport::Tcp => ("tcp", None),
        Transport::Tls => ("tls", None),
        Transport::Ws { path } => ("ws", Some(path)),
        Transport::Wss { path } => ("wss", Some(path)),
        other => panic!("unknown here: {other:?}"),
    };
    let version = match options.version {
        Version::V3_1 => 3,
        Version::V3_1_1 => 4,
        Version::V5 => 5,
        other => panic!("unknown here: {other:?}"),
    };
    let mut line = json!({
        "action": "open",
        "link": link,
        "own": own,
        "transport": transport,
        "host": options.host,
        "port": options.port,
        "version": version,
        "clientId": options.client_id,
        "keepalive": options.keep_alive.as_secs(),
        "clean": options.clean_session,
    });
    if let Some(path) = path {
        line["path"] = json!(path);
    }
    if let Some(credentials) = &options.credentials {
        line["username"] = json!(credentials.user_name);
        line["password"] = json!(BASE64.encode(credentials.password.expose()));
    }
    line
}
