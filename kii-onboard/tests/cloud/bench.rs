//! A cloud with its own time, and things that talk to it.

use core::time::Duration;

use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{ConnackCode, Link, Token},
};
use kii_onboard::{
    App, KeepAlive, Stage, VendorThingId,
    cloud::{
        Cloud, Config, Disconnect, Event, Refusal,
        server::{Action, Closed, Connack, Connect, Deliver, Input, Publish, Subscribe},
    },
    frame::{Method, OwnedResponse, Request, Response},
    onboarding::{Onboarded, Onboarding, Owner, ThingOnboarding},
};

/// Nothing may print them.
pub(crate) const KEY: &str = "canary-key-0001";
pub(crate) const PASSWORD: &str = "canary-password-02";
pub(crate) const OWNER_TOKEN: &str = "canary-owner-token-03";

pub(crate) const BOOT_ONBOARDINGS: &str = "p/anonymous/thing-if/apps/app01/onboardings";
pub(crate) const BY_VENDOR_ID: &str = "application/vnd.kii.OnboardingWithVendorThingIDByThing+json";
pub(crate) const JSON: Option<&str> = Some("application/json");
/// The connections that things onboard over have numbers from here on.
const FIRST_BOOT_LINK: u32 = 1_000;

pub(crate) fn app() -> App {
    App::new("app01", KEY).unwrap()
}

pub(crate) fn owner() -> Owner {
    Owner::user("u-1").unwrap()
}

pub(crate) fn config() -> Config {
    Config::new(app(), "broker2.example").with_owner(owner(), OWNER_TOKEN).with_seed(7)
}

/// A cloud with its own time, whose outputs are kept.
pub(crate) struct Bench {
    pub(crate) cloud: Cloud,
    pub(crate) now: MonoTime,
    pub(crate) actions: Vec<Action>,
    pub(crate) events: Vec<Event>,
    boot_link: Link,
}

/// A thing at the second broker.
pub(crate) struct Peer {
    pub(crate) link: Link,
    pub(crate) onboarded: Onboarded,
}

impl Bench {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            cloud: Cloud::new(config),
            now: MonoTime::ORIGIN,
            actions: Vec::new(),
            events: Vec::new(),
            boot_link: Link::new(FIRST_BOOT_LINK),
        }
    }

    pub(crate) fn feed<'a>(&mut self, input: impl Into<Input<'a>>) {
        self.cloud.handle_input(self.now, input.into()).unwrap();
        self.drain();
    }

    /// Time goes to this many milliseconds after the origin.
    pub(crate) fn tick(&mut self, millis: u64) {
        self.now = at(millis);
        self.cloud.handle_timeout(self.now);
        self.drain();
    }

    /// Gives the deadline.
    pub(crate) fn drain(&mut self) -> Option<MonoTime> {
        loop {
            match self.cloud.poll_output() {
                Output::Action(action) => self.actions.push(action),
                Output::Event(event) => self.events.push(event),
                Output::Idle(deadline) => return deadline,
            }
        }
    }

    pub(crate) fn forget(&mut self) {
        self.actions.clear();
        self.events.clear();
    }

    /// A connection to the default broker with good credentials.
    pub(crate) fn enter_boot(&mut self, link: Link, keep_alive: KeepAlive) {
        let (user_name, password) = (app().user_name(), app().password());
        let connect = Connect::new(link, Stage::Boot, "anonymous")
            .with_credentials(&user_name, password.expose())
            .with_keep_alive(keep_alive);
        self.feed(connect);
    }

    /// A connection to the second broker with what the onboarding told.
    pub(crate) fn enter_api(&mut self, link: Link, onboarded: &Onboarded, keep_alive: KeepAlive) {
        let endpoint = onboarded.endpoint.as_ref().unwrap();
        let connect = Connect::new(link, Stage::Api, endpoint.mqtt_topic.as_str())
            .with_credentials(&endpoint.user_name, endpoint.password.expose())
            .with_keep_alive(keep_alive);
        self.feed(connect);
    }

    /// Onboards the thing over a connection of its own, which is closed then.
    pub(crate) fn onboard(&mut self, vendor_id: &str) -> Onboarded {
        let response = self.ask_to_onboard(&by_thing(vendor_id, PASSWORD));
        Onboarded::decode(response.as_response().body).unwrap()
    }

    pub(crate) fn ask_to_onboard(&mut self, onboarding: &Onboarding) -> OwnedResponse {
        self.boot_link = self.boot_link.next();
        let link = self.boot_link;
        self.enter_boot(link, KeepAlive::OFF);
        let payload = onboarding.encode(None).unwrap();
        let delivered = self.publish(link, BOOT_ONBOARDINGS, &payload);
        self.feed(Closed::new(link));
        let [deliver] = &delivered[..] else { panic!("not one answer: {delivered:?}") };
        Response::decode(&deliver.payload).unwrap().to_owned()
    }

    /// A thing that is onboarded, connected and subscribed.
    pub(crate) fn thing(&mut self, link: u32, vendor_id: &str) -> Peer {
        let peer = Peer { link: Link::new(link), onboarded: self.onboard(vendor_id) };
        self.enter_api(peer.link, &peer.onboarded, KeepAlive::OFF);
        self.subscribe(&peer);
        self.forget();
        peer
    }

    pub(crate) fn subscribe(&mut self, peer: &Peer) {
        self.feed(Subscribe::new(peer.link, Token::new(1), peer.push_topic()));
    }

    /// Gives what is delivered in answer.
    pub(crate) fn publish(&mut self, link: Link, topic: &str, payload: &[u8]) -> Vec<Deliver> {
        self.actions.clear();
        self.feed(Publish::new(link, topic, payload));
        self.delivered()
    }

    /// A request with the token of the thing, and its one answer.
    pub(crate) fn call(
        &mut self,
        peer: &Peer,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: &str,
    ) -> OwnedResponse {
        let token = peer.onboarded.access_token.expose_str().unwrap();
        self.call_as(token, peer, method, path, content_type, body)
    }

    /// The same with another token.
    pub(crate) fn call_as(
        &mut self,
        token: &str,
        peer: &Peer,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: &str,
    ) -> OwnedResponse {
        let payload = request(Some(&format!("Bearer {token}")), method, content_type, body);
        let topic = peer.topic(path);
        let delivered = self.publish(peer.link, &topic, &payload);
        let on_topic = delivered.iter().filter(|it| it.link == peer.link && it.topic == topic);
        let [deliver] = &on_topic.collect::<Vec<_>>()[..] else {
            panic!("not one answer: {delivered:?}")
        };
        let response = Response::decode(&deliver.payload).unwrap();
        assert_eq!(response.headers.request_id(), Some("r-1"));
        response.to_owned()
    }

    /// The messages that were delivered since the last look.
    pub(crate) fn delivered(&mut self) -> Vec<Deliver> {
        let actions = core::mem::take(&mut self.actions);
        let deliver = |action| if let Action::Deliver(it) = action { Some(it) } else { None };
        actions.into_iter().filter_map(deliver).collect()
    }

    /// The code that refuses this connection, none if it was accepted.
    pub(crate) fn connack(&mut self, link: Link) -> Option<u8> {
        let actions = core::mem::take(&mut self.actions);
        let connack = actions.iter().find_map(|action| match action {
            Action::Connack(connack) if connack.link == link => Some(*connack),
            _ => None,
        });
        let Connack { refused, .. } = connack.expect("no CONNACK");
        refused.map(ConnackCode::get)
    }

    /// Why connections were refused since the last look.
    pub(crate) fn refusals(&mut self) -> Vec<Refusal> {
        let events = core::mem::take(&mut self.events);
        let refusal = |event| match event {
            Event::Refused { reason, .. } => Some(reason),
            _ => None,
        };
        events.into_iter().filter_map(refusal).collect()
    }

    /// Why connections ended since the last look.
    pub(crate) fn ends(&mut self) -> Vec<(Link, Disconnect)> {
        let events = core::mem::take(&mut self.events);
        let end = |event| match event {
            Event::Disconnected { link, reason, .. } => Some((link, reason)),
            _ => None,
        };
        events.into_iter().filter_map(end).collect()
    }
}

impl Peer {
    pub(crate) fn thing_id(&self) -> &str {
        &self.onboarded.thing_id
    }

    pub(crate) fn push_topic(&self) -> &str {
        self.onboarded.endpoint.as_ref().unwrap().mqtt_topic.as_str()
    }

    /// The topic of a path.
    pub(crate) fn topic(&self, path: &str) -> String {
        format!("p/{}/thing-if/apps/app01/{path}", self.push_topic())
    }

    /// A path of the thing itself.
    pub(crate) fn target(&self, rest: &str) -> String {
        format!("targets/thing:{}/{rest}", self.thing_id())
    }
}

pub(crate) fn by_thing(vendor_id: &str, password: &str) -> Onboarding {
    let vendor_id = VendorThingId::new(vendor_id).unwrap();
    Onboarding::Thing(ThingOnboarding::with_vendor_thing_id(vendor_id, password).unwrap())
}

/// A request with the id `r-1`.
pub(crate) fn request(
    authorization: Option<&str>,
    method: Method,
    content_type: Option<&str>,
    body: &str,
) -> Vec<u8> {
    let headers = [
        ("Authorization", authorization),
        ("X-Kii-RequestID", Some("r-1")),
        ("Content-Type", content_type),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Request::encode(method, headers, body.as_bytes()).unwrap()
}

/// Status and code of an error.
pub(crate) fn error_of(response: &OwnedResponse) -> (u16, Option<String>) {
    let response = response.as_response();
    let body = std::str::from_utf8(response.body).unwrap();
    let code = body.split_once(r#""errorCode":""#).map(|(_, rest)| rest.split('"').next().unwrap());
    (response.status.get(), code.map(String::from))
}

pub(crate) fn status_of(response: &OwnedResponse) -> u16 {
    response.as_response().status.get()
}

pub(crate) fn body_of(response: &OwnedResponse) -> &str {
    std::str::from_utf8(response.as_response().body).unwrap()
}

pub(crate) fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

pub(crate) const fn secs(secs: u64) -> KeepAlive {
    KeepAlive::new(Duration::from_secs(secs))
}
