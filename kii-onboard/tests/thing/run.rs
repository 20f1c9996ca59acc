//! Feeds a thing, and writes down what it does.

use core::time::Duration;

use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{
        Action, CloseReason, Closed, ConnackCode, Done, Failed, Input, Link, Message, Opened,
        Publish, Token,
    },
};
use kii_onboard::{
    App, DefaultBroker, VendorThingId,
    call::Call,
    onboarding::{Onboarded, ThingOnboarding},
    thing::{CallId, CommandError, Config, Event, Thing},
};

pub(crate) const BOOT_TOPIC: &str = "p/anonymous/thing-if/apps/app01/onboardings";
pub(crate) const MQTT_TOPIC: &str = "Tp1cTp1cTp1cTp1cTp1cTp1";

/// V03 of the specification: the seed page's response.
pub(crate) const ONBOARDED: &str = "200\r\nAccept-Ranges:bytes\r\nAge:0\r\nCache-Control:max-age=0, \
    no-cache, no-store\r\nContent-Type:application/json\r\nDate:Fri, 27 May 2016 05:44:17 \
    GMT\r\nConnection:keep-alive\r\n\r\n{\n  \"accessToken\" : \"tok-0001\",\n  \"thingID\" : \
    \"th.0001\",\n  \"mqttEndpoint\" : {\n    \"installationID\" : \"inst0001\",\n    \"username\" : \
    \"app01-user01\",\n    \"password\" : \"pw01\",\n    \"mqttTopic\" : \
    \"Tp1cTp1cTp1cTp1cTp1cTp1\",\n    \"host\" : \"broker2.example.test\",\n    \"portTCP\" : \
    1883,\n    \"portSSL\" : 8883,\n    \"portWS\" : 12470,\n    \"portWSS\" : 12473,\n    \"ttl\" : \
    2147483647\n  }\n}";

/// V09: the cloud is not ready.
pub(crate) const NOT_READY: &str = "503\r\nContent-Type:application/json\r\n\r\n\
    {\"errorCode\":\"MQTT_ENDPOINT_NOT_READY\",\"message\":\"not ready\",\"retryAfter\":5}";

/// V08: the request is wrong.
pub(crate) const INVALID: &str = "400\r\nContent-Type:application/json\r\nX-Kii-RequestID:r-4\r\n\r\n\
    {\n  \"errorCode\" : \"INVALID_INPUT_DATA\",\n  \"message\" : \"There are validation errors\",\n  \
    \"invalidFields\" : {\"thingPassword\" : \"required\"}\n}";

pub(crate) fn config() -> Config {
    config_at(DefaultBroker::new("broker1.example.test"))
}

pub(crate) fn config_at(broker: DefaultBroker) -> Config {
    let app = App::new("app01", "key01").unwrap();
    let onboarding =
        ThingOnboarding::with_vendor_thing_id(VendorThingId::new("v1").unwrap(), "p1").unwrap();
    Config::new(app, broker, onboarding)
}

/// The seed page's response with other members in its endpoint.
pub(crate) fn onboarded_with(from: &str, to: &str) -> String {
    assert!(ONBOARDED.contains(from), "{from} is not in the response");
    ONBOARDED.replace(from, to)
}

pub(crate) fn onboarded() -> Onboarded {
    let body = ONBOARDED.split_once("\r\n\r\n").unwrap().1;
    Onboarded::decode(body.as_bytes()).unwrap()
}

/// A thing, the time, and what it did last.
pub(crate) struct Run {
    pub(crate) thing: Thing,
    now: MonoTime,
}

impl Run {
    pub(crate) fn new(config: Config) -> Self {
        Self::of(Thing::new(config, 1).unwrap(), MonoTime::ORIGIN)
    }

    pub(crate) const fn of(thing: Thing, now: MonoTime) -> Self {
        Self { thing, now }
    }

    /// A thing that was started, and asked for its first connection.
    pub(crate) fn started(config: Config) -> Self {
        let mut run = Self::new(config);
        assert_eq!(run.start(), ["open 1 broker1.example.test:8883 anonymous"]);
        run
    }

    /// A thing that waits for the answer to its onboarding request on link 1.
    pub(crate) fn onboarding(config: Config) -> Self {
        let mut run = Self::started(config);
        let published = run.opened(1);
        assert!(published[0].starts_with(&format!("publish 1 {BOOT_TOPIC} POST")), "{published:?}");
        run
    }

    /// A thing that is subscribing on link 2.
    pub(crate) fn subscribing(config: Config) -> Self {
        let mut run = Self::onboarding(config);
        run.message(1, BOOT_TOPIC, ONBOARDED);
        assert_eq!(run.opened(2), [format!("subscribe 2 {MQTT_TOPIC}")]);
        run
    }

    /// A thing that is ready on link 2.
    pub(crate) fn ready(config: Config) -> Self {
        let mut run = Self::subscribing(config);
        assert_eq!(run.done(2, 2), ["ready"]);
        run
    }

    pub(crate) fn start(&mut self) -> Vec<String> {
        self.thing.start(self.now).unwrap();
        self.drain()
    }

    pub(crate) fn restore(&mut self, onboarded: Onboarded, age_secs: u64) -> Vec<String> {
        self.thing.restore(self.now, onboarded, Duration::from_secs(age_secs)).unwrap();
        self.drain()
    }

    pub(crate) fn stop(&mut self) -> Vec<String> {
        self.thing.stop(self.now).unwrap();
        self.drain()
    }

    pub(crate) fn onboard_again(&mut self) -> Vec<String> {
        self.thing.onboard_again(self.now).unwrap();
        self.drain()
    }

    pub(crate) fn call(&mut self, call: &Call) -> Vec<String> {
        self.try_call(call).unwrap();
        self.drain()
    }

    pub(crate) fn try_call(&mut self, call: &Call) -> Result<CallId, CommandError> {
        self.thing.call(self.now, call)
    }

    pub(crate) fn input(&mut self, input: Input<'_>) -> Vec<String> {
        self.thing.handle_input(self.now, input).unwrap();
        self.drain()
    }

    pub(crate) fn opened(&mut self, link: u32) -> Vec<String> {
        self.input(Opened::new(Link::new(link), false).into())
    }

    pub(crate) fn lost(&mut self, link: u32) -> Vec<String> {
        self.input(Closed::new(Link::new(link), CloseReason::Lost).into())
    }

    pub(crate) fn refused(&mut self, link: u32, code: u8) -> Vec<String> {
        let reason = CloseReason::Refused(ConnackCode::new(code));
        self.input(Closed::new(Link::new(link), reason).into())
    }

    pub(crate) fn done(&mut self, link: u32, token: u64) -> Vec<String> {
        self.input(Done::new(Link::new(link), Token::new(token)).into())
    }

    pub(crate) fn failed(&mut self, link: u32, token: u64) -> Vec<String> {
        self.input(Failed::new(Link::new(link), Token::new(token)).into())
    }

    pub(crate) fn message(
        &mut self,
        link: u32,
        topic: &str,
        payload: impl AsRef<[u8]>,
    ) -> Vec<String> {
        self.input(Message::new(Link::new(link), topic, payload.as_ref()).into())
    }

    /// Lets time pass to this moment.
    pub(crate) fn at(&mut self, millis: u64) -> Vec<String> {
        self.now = MonoTime::from_millis(millis);
        self.thing.handle_timeout(self.now);
        self.drain()
    }

    pub(crate) fn deadline(&mut self) -> Option<u64> {
        match self.thing.poll_output() {
            Output::Idle(deadline) => deadline.map(MonoTime::as_millis),
            other => panic!("not drained: {other:?}"),
        }
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        let mut outputs = Vec::new();
        loop {
            outputs.push(match self.thing.poll_output() {
                Output::Action(action) => act(&action),
                Output::Event(event) => tell(&event),
                Output::Idle(_) => return outputs,
            });
        }
    }
}

fn act(action: &Action) -> String {
    match action {
        Action::Open(open) => {
            let (link, options) = (open.link.get(), &open.options);
            format!("open {link} {}:{} {}", options.host, options.port, options.client_id)
        }
        Action::Close(close) => format!("close {}", close.link.get()),
        Action::Subscribe(subscribe) => {
            format!("subscribe {} {}", subscribe.link.get(), subscribe.filter)
        }
        Action::Publish(Publish { link, topic, payload, .. }) => {
            let head = String::from_utf8_lossy(payload);
            let head = head.split_once("\r\n\r\n").unwrap().0.replace("\r\n", " | ");
            format!("publish {} {topic} {head}", link.get())
        }
        other => panic!("a thing does not do this: {other:?}"),
    }
}

fn tell(event: &Event) -> String {
    match event {
        Event::Onboarded(onboarded) => format!("onboarded {}", onboarded.thing_id),
        Event::Ready => "ready".into(),
        Event::Response(response) => {
            let status = response.frame.as_response().status;
            format!("response {} {status}", response.call.get())
        }
        Event::CallFailed(failed) => format!("failed {} {:?}", failed.call.get(), failed.cause),
        Event::Command(command) => format!("command {}", command.id),
        Event::Push(push) => format!("push {}", push.as_str()),
        Event::Ignored(ignored) => format!("ignored {} {:?}", ignored.topic, ignored.why),
        Event::Retrying(retrying) => format!(
            "retrying {} {} {} {:?}",
            retrying.stage,
            retrying.attempt,
            retrying.delay.as_millis(),
            retrying.cause
        ),
        Event::EndpointExpired => "expired".into(),
        Event::Failed(reason) => format!("gave up {reason:?}"),
        Event::Stopped => "stopped".into(),
        other => format!("{other:?}"),
    }
}
