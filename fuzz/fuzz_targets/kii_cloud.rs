//! Scripts for the cloud: clients good and bad on both brokers, any topic and any payload, commands, pushes and faults,
//! against what its vocabulary promises of every output.

#![no_main]

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use arbitrary::Arbitrary;
use iot_sansio::{
    Machine as _, MonoTime, Output, Secret,
    mqtt::{ConnackCode, Link, Token},
};
use kii_onboard::{
    App, Json, KeepAlive, MqttTopic, RequestId, Stage, TransportKind, VendorThingId,
    call::Call,
    cloud::{
        Cloud, CloudError, Config, Effect, Event, Fault, Requests,
        server::{Action, Closed, Connect, Deliver, Input, Ping, Publish, Subscribe, Unsubscribe},
    },
    command::{self, ActionResult, ActionResults, NewCommand, Push},
    frame::{Method, REQUEST_ID, Request, Response, Status},
    onboarding::{EndNodeOnboarding, Onboarded, Onboarding, Owner, ThingOnboarding},
    topic::{BOOT_CLIENT_ID, Resource, Topics},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: Script<'_>| {
    let mut run = Run::new(&script);
    let mut now = MonoTime::ORIGIN;
    for step in &script.steps {
        let at = step.gap.from(&mut now);
        run.act(at, &step.act);
        if !step.is_lazy {
            run.drain();
        }
    }
    run.end(now);
});

#[derive(Arbitrary, Debug)]
struct Script<'a> {
    max_queued: u8,
    max_connections: u8,
    max_things: u8,
    max_commands: u8,
    max_faults: u8,
    /// Seconds.
    ttl: Option<u16>,
    seed_headers: bool,
    steps: Vec<Step<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Step<'a> {
    gap: Gap,
    act: Act<'a>,
    /// The brokers do not look what the cloud asks of them.
    is_lazy: bool,
}

/// What the clock does before a step.
#[derive(Arbitrary, Debug)]
enum Gap {
    None,
    Millis(u16),
    Seconds(u16),
    Back(u16),
    End,
}

#[derive(Arbitrary, Debug)]
enum Act<'a> {
    /// With the key of the application.
    Anonymous {
        keep_alive: u8,
    },
    /// With the endpoint of a thing.
    Api {
        thing: u8,
        keep_alive: u8,
    },
    /// A connection that stands, or the next one.
    Connect {
        on: On,
        api: bool,
        client_id: &'a str,
        user_name: Option<&'a str>,
        password: Option<&'a [u8]>,
    },
    Onboard {
        on: On,
        who: u8,
        wrong: bool,
        owned: bool,
    },
    Call {
        on: On,
        thing: u8,
        what: Called,
    },
    Publish {
        on: On,
        topic: &'a str,
        payload: &'a [u8],
    },
    Request {
        on: On,
        path: &'a str,
        method: u8,
        media_type: &'a str,
        body: &'a [u8],
    },
    Subscribe {
        on: On,
        filter: Filter<'a>,
    },
    Unsubscribe {
        on: On,
        filter: Filter<'a>,
    },
    Ping(On),
    Closed(On),
    Command {
        thing: u8,
    },
    Push {
        thing: u8,
    },
    Expire {
        thing: u8,
    },
    Inject {
        trigger: Trigger,
        effects: Vec<Effects<'a>>,
        skip: u8,
        times: u8,
    },
    ClearFaults,
    Close(On),
    CloseAll {
        api: bool,
    },
    Tick,
}

/// Which connection: the newest one is 0, the one before it 1; the next one is 255.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct On(u8);

#[derive(Arbitrary, Debug)]
enum Called {
    PutState,
    GetState,
    PatchState,
    ListCommands,
    SendCommand,
    ReportResults,
    SetThingType,
    EndNodes,
    EndNode { who: u8 },
    EndNodeOnline(bool),
}

#[derive(Arbitrary, Debug)]
enum Filter<'a> {
    Own,
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Trigger {
    Connect { api: bool, code: u8 },
    Ping { api: bool },
    Subscribe { seconds: u16 },
    Request { ending: bool },
}

#[derive(Arbitrary, Debug)]
enum Effects<'a> {
    Drop,
    Delay(u16),
    Duplicate,
    WrongTopic(&'a str),
    NoRequestId,
    Payload(&'a [u8]),
    Status(u16, &'a [u8]),
    NoEndpoint,
    NoPort,
    Ttl(u16),
    CloseBefore,
    CloseAfter,
    LineFeeds,
}

/// A cloud, and what its two brokers know.
struct Run {
    cloud: Cloud,
    app: App,
    owner: Owner,
    most: usize,
    newest_link: u32,
    token: u64,
    newest_now: MonoTime,
    /// Every client id with which a connection was asked for.
    clients: BTreeMap<Link, String>,
    open: BTreeSet<Link>,
    /// What was asked on a connection, as often as it was.
    asked: BTreeMap<(Link, String), u32>,
    answered: u32,
    delivered: u32,
    /// From then on answers may be lost, late, double, elsewhere and wrong.
    has_faults: bool,
    things: Vec<Onboarded>,
    command_id: String,
}

impl Run {
    fn new(script: &Script<'_>) -> Self {
        let app = App::new("app01", &format!("key-{CANARY}")).expect("a good key");
        let owner = Owner::user("u-1").expect("a good owner");
        let max_queued = usize::from(script.max_queued % 8) + 1;
        let max_connections = usize::from(script.max_connections % 5) + 1;
        let config = Config::new(app.clone(), "broker2.example")
            .with_owner(owner.clone(), format!("owner-{CANARY}"))
            .with_ttl(script.ttl.map(|ttl| Duration::from_secs(u64::from(ttl))))
            .with_seed_headers(script.seed_headers)
            .with_max_connections(max_connections)
            .with_max_things(usize::from(script.max_things % 5))
            .with_max_commands(usize::from(script.max_commands % 4))
            .with_max_faults(usize::from(script.max_faults % 4))
            .with_max_queued(max_queued);
        Self {
            cloud: Cloud::new(config),
            app,
            owner,
            // Up to the limit; what was late, of which each may close a connection; what one input says; silences.
            most: max_queued + 3 * max_queued + 8 + 3 * max_connections,
            newest_link: 0,
            token: 0,
            newest_now: MonoTime::ORIGIN,
            clients: BTreeMap::new(),
            open: BTreeSet::new(),
            asked: BTreeMap::new(),
            answered: 0,
            delivered: 0,
            has_faults: false,
            things: Vec::new(),
            command_id: "c1".into(),
        }
    }

    fn act(&mut self, at: MonoTime, act: &Act<'_>) {
        match act {
            Act::Anonymous { keep_alive } => {
                let (user_name, password) = (self.app.user_name(), self.app.password());
                let (link, client_id) = (self.next_link(), BOOT_CLIENT_ID);
                let connect = Connect::new(link, Stage::Boot, client_id)
                    .with_credentials(&user_name, password.expose())
                    .with_keep_alive(seconds(*keep_alive));
                self.connect(at, connect);
            }
            Act::Api { thing, keep_alive } => {
                let link = self.next_link();
                let endpoint = self.thing(*thing).and_then(|thing| thing.endpoint);
                let Some(endpoint) = endpoint else { return };
                let connect = Connect::new(link, Stage::Api, endpoint.mqtt_topic.as_str())
                    .with_credentials(&endpoint.user_name, endpoint.password.expose())
                    .with_keep_alive(seconds(*keep_alive));
                self.connect(at, connect);
            }
            Act::Connect { on, api, client_id, user_name, password } => {
                let link = self.link(*on);
                // A number is used once: what it names is new, or stands and connects again.
                if self.clients.contains_key(&link) && !self.stands(link) {
                    return;
                }
                let mut connect = Connect::new(link, stage(*api), client_id);
                connect.user_name = *user_name;
                connect.password = *password;
                self.connect(at, connect);
            }
            Act::Onboard { on, who, wrong, owned } => {
                let password = if *wrong { "wrong".into() } else { format!("thing-{CANARY}") };
                let thing = ThingOnboarding::with_vendor_thing_id(vendor_id(*who), password);
                let mut thing = thing.expect("a good password");
                if *owned {
                    let token = format!("owner-{CANARY}");
                    thing = thing.owned_by(self.owner.clone(), token).expect("a good token");
                }
                let payload = Onboarding::Thing(thing).encode(None).expect("it is small");
                let link = self.link(*on);
                let topic = self.topics(link).onboardings();
                self.publish(at, link, &topic, &payload);
            }
            Act::Call { on, thing, what } => {
                let link = self.link(*on);
                self.call(at, link, *thing, what);
            }
            Act::Publish { on, topic, payload } => {
                let link = self.link(*on);
                self.publish(at, link, topic, payload);
            }
            Act::Request { on, path, method, media_type, body } => {
                let link = self.link(*on);
                let Ok(topic) = self.topics(link).build(Resource::Other(path)) else { return };
                let token = self.thing(0).map(|thing| thing.access_token);
                let token = token.map_or_else(String::new, |token| bearer(&token));
                let headers = [
                    ("Authorization", token.as_str()),
                    ("Content-Type", media_type),
                    (REQUEST_ID, "7"),
                ];
                let method = Method::ALL[usize::from(*method) % Method::ALL.len()];
                let Ok(payload) = Request::encode(method, headers, body) else { return };
                self.publish(at, link, &topic, &payload);
            }
            Act::Subscribe { on, filter } => {
                let (link, token) = (self.link(*on), self.next_token());
                let filter = filter.text(self.clients.get(&link)).to_owned();
                self.input(at, Subscribe::new(link, token, &filter).into());
            }
            Act::Unsubscribe { on, filter } => {
                let (link, token) = (self.link(*on), self.next_token());
                let filter = filter.text(self.clients.get(&link)).to_owned();
                self.input(at, Unsubscribe::new(link, token, &filter).into());
            }
            Act::Ping(on) => {
                let link = self.link(*on);
                self.input(at, Ping::new(link).into());
            }
            Act::Closed(on) => {
                let link = self.link(*on);
                // What is due comes before it.
                self.newest_now = self.newest_now.max(at);
                self.cloud.handle_timeout(at);
                self.drain();
                self.input(at, Closed::new(link).into());
                self.open.remove(&link);
            }
            Act::Command { thing } => {
                let (command, thing_id) = (self.new_command(), self.thing_id(*thing));
                let sent = self.command(at, |cloud| cloud.send_command(at, &thing_id, &command));
                self.command_id = sent.unwrap_or_else(|| self.command_id.clone());
            }
            Act::Push { thing } => {
                let push = Json::new(&format!("{{\"a\":\"{CANARY}\"}}")).expect("it is JSON");
                let thing_id = self.thing_id(*thing);
                self.command(at, |cloud| cloud.push(at, &thing_id, &push));
            }
            Act::Expire { thing } => {
                let thing_id = self.thing_id(*thing);
                self.command(at, |cloud| cloud.expire_endpoint(at, &thing_id));
            }
            Act::Inject { trigger, effects, skip, times } => {
                self.has_faults = true;
                let fault = trigger.fault(effects.iter().map(Effects::get));
                let fault = fault.skip(u32::from(*skip)).times(u32::from(*times));
                self.command(at, |cloud| cloud.inject(at, fault));
            }
            Act::ClearFaults => {
                self.command(at, |cloud| cloud.clear_faults(at));
            }
            Act::Close(on) => {
                let link = self.link(*on);
                self.command(at, |cloud| cloud.close(at, link));
            }
            Act::CloseAll { api } => {
                self.command(at, |cloud| cloud.close_all(at, stage(*api)));
            }
            Act::Tick => {
                self.newest_now = self.newest_now.max(at);
                self.cloud.handle_timeout(at);
            }
        }
    }

    fn call(&mut self, at: MonoTime, link: Link, thing: u8, what: &Called) {
        let Some(onboarded) = self.thing(thing) else { return };
        let id = onboarded.thing_id.as_str();
        let object = Json::new(&format!("{{\"a\":{{\"b\":\"{CANARY}\"}}}}")).expect("it is JSON");
        let command = self.new_command();
        let call = match what {
            Called::PutState => Call::put_state(id, &object),
            Called::GetState => Call::get_state(id),
            Called::PatchState => Call::patch_state(id, &object),
            Called::ListCommands => Call::list_commands(id),
            Called::SendCommand => {
                let call = Call::send_command(id, &command);
                call.map(|call| call.with_bearer(format!("owner-{CANARY}")))
            }
            Called::ReportResults => {
                let results = [ActionResult::failed(CANARY)];
                let results = ActionResults::new(command.actions(), results).expect("one action");
                Call::report_results(id, &self.command_id, &results)
            }
            Called::SetThingType => Call::set_thing_type(id, "lamp"),
            Called::EndNodes => Call::list_end_nodes(id),
            Called::EndNode { who } => {
                let (owner, token) = (self.owner.clone(), format!("owner-{CANARY}"));
                let node = EndNodeOnboarding::with_gateway_thing_id(
                    id,
                    vendor_id(*who),
                    "p",
                    owner,
                    token,
                );
                Ok(Call::onboard(&Onboarding::EndNode(node.expect("a good end node"))))
            }
            Called::EndNodeOnline(online) => {
                let end_node = self.thing_id(thing.wrapping_add(1));
                Call::set_end_node_connection(id, &end_node, *online)
            }
        };
        let Ok(call) = call else { return };
        let topic = self.topics(link).build(call.resource());
        let request_id = RequestId::new("r 1").expect("a good id");
        let payload = call.encode(&onboarded.access_token, &request_id).expect("it is small");
        self.publish(at, link, &topic.expect("a short path"), &payload);
    }

    fn connect(&mut self, at: MonoTime, connect: Connect<'_>) {
        self.clients.entry(connect.link).or_insert_with(|| connect.client_id.into());
        self.input(at, connect.into());
    }

    fn publish(&mut self, at: MonoTime, link: Link, topic: &str, payload: &[u8]) {
        *self.asked.entry((link, topic.into())).or_default() += 1;
        self.input(at, Publish::new(link, topic, payload).into());
    }

    fn input(&mut self, at: MonoTime, input: Input<'_>) {
        let before = self.cloud.clone();
        let mut fed = self.cloud.handle_input(at, input);
        if fed.is_err() {
            assert_eq!(self.cloud, before);
            self.drain();
            fed = self.cloud.handle_input(at, input);
        }
        assert_eq!(fed, Ok(()));
        self.newest_now = self.newest_now.max(at);
    }

    fn command<T>(
        &mut self,
        at: MonoTime,
        command: impl FnOnce(&mut Cloud) -> Result<T, CloudError>,
    ) -> Option<T> {
        let before = self.cloud.clone();
        match command(&mut self.cloud) {
            Ok(done) => {
                self.newest_now = self.newest_now.max(at);
                Some(done)
            }
            Err(error) => {
                assert_eq!(self.cloud, before, "{error}");
                None
            }
        }
    }

    fn drain(&mut self) {
        let mut count = 0;
        loop {
            match self.cloud.poll_output() {
                Output::Action(action) => self.carry(action),
                Output::Event(event) => self.hear(&event),
                Output::Idle(_) => break,
            }
            count += 1;
        }
        assert!(count <= self.most, "{count} of {}", self.most);
        if !self.has_faults {
            assert_eq!(self.answered, self.delivered);
        }
        let standing = [Stage::Boot, Stage::Api].map(|stage| self.cloud.connections(stage));
        let standing: BTreeSet<_> = standing.concat().into_iter().collect();
        assert_eq!(standing, self.open);
    }

    fn carry(&mut self, action: Action) {
        let link = action.link();
        match action {
            Action::Connack(connack) => {
                assert!(!self.open.contains(&link));
                if connack.refused.is_none() {
                    self.open.insert(link);
                }
            }
            Action::Close(_) => drop(self.open.remove(&link)),
            Action::Deliver(deliver) => {
                assert!(self.open.contains(&link), "nothing more is asked of what is over");
                self.deliver(&deliver);
            }
            _ => assert!(self.open.contains(&link), "nothing more is asked of what is over"),
        }
    }

    fn deliver(&mut self, deliver: &Deliver) {
        if self.clients.get(&deliver.link) == Some(&deliver.topic) {
            if !self.has_faults {
                assert!(Push::decode(&deliver.payload).is_ok());
            }
            return;
        }
        let response = Response::decode(&deliver.payload);
        if !self.has_faults {
            self.delivered += 1;
            assert!(response.is_ok());
            let asked = self.asked.get_mut(&(deliver.link, deliver.topic.clone()));
            let asked = asked.expect("it answers on the topic, to whoever asked");
            *asked = asked.checked_sub(1).expect("once for each");
        }
        if let Ok(Ok(onboarded)) = response.map(|response| Onboarded::decode(response.body)) {
            self.things.push(onboarded);
        }
    }

    fn hear(&mut self, event: &Event) {
        match event {
            Event::Answered { .. } if !self.has_faults => self.answered += 1,
            _ => {}
        }
    }

    /// However it stands, it can be drained, and nobody is left once all are silent for ever.
    fn end(&mut self, now: MonoTime) {
        self.drain();
        self.newest_now = self.newest_now.max(now);
        self.cloud.handle_timeout(now);
        self.drain();
        let Output::Idle(deadline) = self.cloud.poll_output() else { panic!("it is drained") };
        assert!(deadline.is_none_or(|deadline| deadline > self.newest_now));
        let printed = format!("{:?}", self.cloud);
        assert!(!printed.contains(CANARY), "{printed}");
        for thing in &self.things {
            let password = thing.endpoint.as_ref().map(|endpoint| &endpoint.password);
            for secret in [Some(&thing.access_token), password].into_iter().flatten() {
                let secret = secret.expose_str().expect("a text");
                assert!(secret.len() < 40 || !printed.contains(secret), "{printed}");
            }
        }
        for stage in [Stage::Boot, Stage::Api] {
            let _ = self.command(now, |cloud| cloud.close_all(now, stage));
            self.drain();
        }
        assert_eq!(self.open.len(), 0);
        self.newest_now = MonoTime::MAX;
        self.cloud.handle_timeout(MonoTime::MAX);
        self.drain();
        assert_eq!(self.cloud.poll_output(), Output::Idle(None));
    }

    /// Those of a connection, by its client id.
    fn topics(&self, link: Link) -> Topics {
        let client = self.clients.get(&link).filter(|client| *client != BOOT_CLIENT_ID);
        match client.map(|client| MqttTopic::new(client.as_str())) {
            Some(Ok(mqtt_topic)) => Topics::api(&self.app.id, &mqtt_topic),
            _ => Topics::boot(&self.app.id),
        }
    }

    fn stands(&self, link: Link) -> bool {
        [Stage::Boot, Stage::Api].iter().any(|stage| self.cloud.connections(*stage).contains(&link))
    }

    fn new_command(&self) -> NewCommand {
        let value = Json::new(&format!("\"{CANARY}\"")).expect("it is JSON");
        let actions = [command::Action::new("turnPower", value)];
        NewCommand::plain(self.owner.clone(), "S", 1, actions).expect("one action")
    }

    fn thing(&self, index: u8) -> Option<Onboarded> {
        let len = self.things.len();
        (len > 0).then(|| self.things[usize::from(index) % len].clone())
    }

    fn thing_id(&self, index: u8) -> String {
        let mut ids = self.cloud.things();
        ids.nth(usize::from(index % 4)).unwrap_or("th.none").into()
    }

    fn link(&mut self, On(back): On) -> Link {
        match back {
            u8::MAX => self.next_link(),
            back => Link::new(self.newest_link.saturating_sub(u32::from(back % 8))),
        }
    }

    fn next_link(&mut self) -> Link {
        self.newest_link += 1;
        Link::new(self.newest_link)
    }

    fn next_token(&mut self) -> Token {
        self.token += 1;
        Token::new(self.token)
    }
}

impl Gap {
    /// The time of a step; a clock that goes backwards does so for one step.
    fn from(&self, now: &mut MonoTime) -> MonoTime {
        let span = match self {
            Self::None => Duration::ZERO,
            Self::Millis(millis) => Duration::from_millis(u64::from(*millis)),
            Self::Seconds(seconds) => Duration::from_secs(u64::from(*seconds)),
            Self::Back(seconds) => {
                let back = Duration::from_secs(u64::from(*seconds));
                return MonoTime::from_origin(now.since_origin().saturating_sub(back));
            }
            Self::End => Duration::MAX,
        };
        *now = now.after(span);
        *now
    }
}

impl Filter<'_> {
    fn text<'f>(&'f self, own: Option<&'f String>) -> &'f str {
        match (self, own) {
            (Self::Own, Some(own)) => own,
            (Self::Own, None) => "none",
            (Self::Any(filter), _) => filter,
        }
    }
}

impl Trigger {
    fn fault(&self, effects: impl Iterator<Item = Effect>) -> Fault {
        match self {
            Self::Connect { api, code } => {
                Fault::refuse_connect(stage(*api), ConnackCode::new(*code))
            }
            Self::Ping { api } => Fault::swallow_ping(stage(*api)),
            Self::Subscribe { seconds } => {
                Fault::delay_suback(Duration::from_secs(u64::from(*seconds)))
            }
            Self::Request { ending: true } => {
                Fault::on_request(Requests::any().ending("onboardings"), effects)
            }
            Self::Request { ending: false } => Fault::on_request(Requests::any(), effects),
        }
    }
}

impl Effects<'_> {
    fn get(&self) -> Effect {
        match self {
            Self::Drop => Effect::Drop,
            Self::Delay(seconds) => Effect::Delay(Duration::from_secs(u64::from(*seconds))),
            Self::Duplicate => Effect::Duplicate,
            Self::WrongTopic(topic) => Effect::WrongTopic((*topic).into()),
            Self::NoRequestId => Effect::NoRequestId,
            Self::Payload(payload) => Effect::Payload(payload.to_vec()),
            Self::Status(status, body) => {
                let status = Status::new(100 + status % 500).expect("in range");
                Effect::Status(status, body.to_vec())
            }
            Self::NoEndpoint => Effect::NoEndpoint,
            Self::NoPort => Effect::NoPort(TransportKind::Tls),
            Self::Ttl(seconds) => Effect::Ttl(Duration::from_secs(u64::from(*seconds))),
            Self::CloseBefore => Effect::CloseBefore,
            Self::CloseAfter => Effect::CloseAfter,
            Self::LineFeeds => Effect::LineFeeds,
        }
    }
}

const fn stage(api: bool) -> Stage {
    if api { Stage::Api } else { Stage::Boot }
}

fn seconds(keep_alive: u8) -> KeepAlive {
    KeepAlive::new(Duration::from_secs(u64::from(keep_alive)))
}

fn bearer(token: &Secret) -> String {
    format!("Bearer {}", token.expose_str().unwrap_or_default())
}

/// Few of them, so that they meet.
fn vendor_id(who: u8) -> VendorThingId {
    VendorThingId::new(format!("v{}", who % 4)).expect("a good id")
}

const CANARY: &str = "c4nary-Yellow-7";
