//! Runs any machine that speaks MQTT on the `rumqttc` 0.25 client. Copy this file into your project, whose
//! `Cargo.toml` needs:
//!
//! ```toml
//! iot-sansio = { version = "0.1", features = ["std"] }
//! rumqttc = { version = "0.25", default-features = false, features = ["use-rustls-no-provider", "websocket"] }
//! tokio = { version = "1", features = ["macros", "rt", "sync", "time"] }
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring", "tls12"] }
//! ```
//!
//! Whom to trust over TLS the application says, in [`Adapter::with_tls`]. A WebSocket is opened with the subprotocol
//! `mqtt`, and is lost if the broker does not choose that.
//!
//! What `rumqttc` cannot do ends in `Closed` with [`CloseReason::Lost`] and a [`ConnectionError::Io`] of the kind
//! `Unsupported` that says what: a version other than 3.1.1, a password that is not UTF-8, TLS without trusted roots.

use std::{
    collections::{HashMap, VecDeque},
    io, mem,
    sync::Arc,
    time::Duration,
};

use iot_sansio::{
    Machine, MonoTime, Pump, Pumped,
    mqtt::{
        Action, Close, CloseReason, Closed, ConnackCode, ConnectOptions, Done, Failed, Input, Link,
        Message, Mqtt, Opened, Publish, Qos, Token, Transport, Version,
    },
};
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, PubAck, PubComp,
    QoS, SubscribeReasonCode, TlsConfiguration, Transport as ClientTransport, valid_filter,
    valid_topic,
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};
use tokio_rustls::rustls::ClientConfig;

/// Open tokens a link; AWS IoT Core allows a client no more unacknowledged publishes.
const WINDOW: u16 = 100;
/// The largest packet in both directions, in bytes; the default of `rumqttc` is 10 KiB.
const MAX_PACKET: usize = 1 << 20;
/// The bytes of a PUBLISH besides topic and payload, at most.
const PUBLISH_OVERHEAD: usize = 9;
/// How often a blocked machine is told the time: its deadline is not known then.
const BLOCKED_TICK: Duration = Duration::from_millis(50);

/// Drives one machine, and owns the connections that it or the application opened.
///
/// It never reconnects and never subscribes by itself. Dropping it cuts its connections; [`close`](Self::close) says
/// DISCONNECT first.
///
/// ```no_run
/// # use examples::mqtt_adapter::{Adapter, Stepped};
/// # use iot_sansio::{Machine, mqtt::{ConnectOptions, Link, Mqtt, Transport}};
/// # async fn run<M: Machine<Vocabulary = Mqtt>>(mut machine: M, mut commands: tokio::sync::mpsc::Receiver<()>) {
/// let mut adapter = Adapter::new();
/// let options = ConnectOptions::new("broker.example", 1883, Transport::Tcp, "client-1");
/// let mut link = Link::new(1);
/// adapter.open(link, &options); // a guest only: other machines open their links themselves
/// loop {
///     tokio::select! {
///         stepped = adapter.step(&mut machine, |_event| { /* tell the application */ }) => match stepped {
///             Ok(Stepped::Running) => {}
///             Ok(Stepped::Closed(_, _error)) => { // wait a while, then
///                 link = link.next();
///                 adapter.open(link, &options);
///             }
///             Ok(Stepped::Finished) => break,
///             Err(_refused) => { /* the machine is as before: log it */ }
///         },
///         Some(_command) = commands.recv() => { /* machine.command(adapter.now(), ..) */ }
///     }
/// }
/// adapter.close().await;
/// # }
/// ```
pub struct Adapter {
    origin: Instant,
    pump: Pump<Action>,
    links: Links,
    /// The end of a link that the machine refused to hear of, still to be told to whoever opened the link.
    untold_end: Option<(Closed, Option<ConnectionError>)>,
}

/// What a step came to.
#[derive(Debug)]
pub enum Stepped {
    /// Go on.
    Running,
    /// A connection ended, and why if it did not end as asked; the machine knows, or has just refused to. Whoever
    /// opened it decides what next.
    Closed(Closed, Option<ConnectionError>),
    /// The machine has ended, and everything it said is told and sent. Step on only after a command started it again.
    Finished,
}

impl Adapter {
    /// No connections yet; the time of the machine starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now(), pump: Pump::new(), links: Links::new(), untold_end: None }
    }

    /// The same adapter, whose connections over TLS trust whom this says.
    ///
    /// The provider of its cryptography is the one that it was built with, such as
    /// [`ring`](tokio_rustls::rustls::crypto::ring); none needs to be installed.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<ClientConfig>) -> Self {
        self.links.tls = Some(tls);
        self
    }

    /// The time to give to the machine with a command.
    #[must_use]
    pub fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin.into_std(), Instant::now().into_std())
    }

    /// Opens a connection for a guest; the machine hears of it as `Opened` or `Closed`. Use no link number twice.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(&mut self, link: Link, options: &ConnectOptions) {
        self.links.open(link, options);
    }

    /// Ends a connection with DISCONNECT, after what was sent before: step on until [`Stepped::Closed`], so that the
    /// machine hears what is still arriving.
    pub fn disconnect(&mut self, link: Link) {
        // Never given back: the request queue has a place for it.
        let _ = self.links.send(Close::new(link).into());
    }

    /// Sends and tells what the machine has to say. If it told nothing, waits for an input or its deadline and feeds it.
    ///
    /// So it returns as soon as there were events, and what takes time to do about them is done between steps.
    /// Cancel safe: dropped while it waits, it has lost nothing.
    ///
    /// # Errors
    /// The machine refused the input, and is as before. Step on: if it was the end of a connection, the next step still
    /// says [`Stepped::Closed`].
    pub async fn step<M>(
        &mut self,
        machine: &mut M,
        mut on_event: impl FnMut(M::Event),
    ) -> Result<Stepped, M::Error>
    where
        M: Machine<Vocabulary = Mqtt> + ?Sized,
    {
        if let Some((closed, error)) = self.untold_end.take() {
            return Ok(Stepped::Closed(closed, error));
        }
        let mut told = false;
        let send = |action| self.links.send(action);
        let tell = |event| {
            told = true;
            on_event(event);
        };
        let deadline = match self.pump.drain(machine, send, tell) {
            Pumped::Finished => return Ok(Stepped::Finished),
            _ if told => return Ok(Stepped::Running),
            Pumped::Idle(deadline) => deadline,
            Pumped::Blocked => Some(self.now().after(BLOCKED_TICK)),
        };
        let until = deadline.and_then(|time| self.origin.checked_add(time.since_origin()));
        let report = self.links.next(until).await;
        let now = self.now();
        // Also before an input: the machine may refuse that one, and time passes all the same.
        machine.handle_timeout(now);
        let Some((link, report)) = report else {
            return Ok(Stepped::Running);
        };
        let Some(input) = self.links.input(link, &report) else {
            return Ok(Stepped::Running);
        };
        let closed = match input {
            Input::Closed(closed) => Some(closed),
            _ => None,
        };
        let heard = machine.handle_input(now, input);
        let (Some(closed), Report::Ended(error)) = (closed, report) else {
            return heard.map(|()| Stepped::Running);
        };
        if let Err(refused) = heard {
            self.untold_end = Some((closed, error));
            return Err(refused);
        }
        Ok(Stepped::Closed(closed, error))
    }

    /// Steps until the machine has ended: for machines that open their connections themselves.
    pub async fn drive<M>(
        &mut self,
        machine: &mut M,
        mut on_event: impl FnMut(M::Event),
        mut on_refused: impl FnMut(M::Error),
    ) where
        M: Machine<Vocabulary = Mqtt> + ?Sized,
    {
        loop {
            match self.step(machine, &mut on_event).await {
                Ok(Stepped::Finished) => return,
                Ok(_) => {}
                Err(refused) => on_refused(refused),
            }
        }
    }

    /// Ends all connections with DISCONNECT, after what was sent before. A dead peer can delay that by its keep alive.
    pub async fn close(mut self) {
        for link in self.links.open.keys().copied().collect::<Vec<_>>() {
            self.disconnect(link);
        }
        while !self.links.open.is_empty() {
            if let Some((link, report)) = self.links.next(None).await {
                let _ = self.links.input(link, &report);
            }
        }
    }
}

impl Default for Adapter {
    fn default() -> Self {
        Self::new()
    }
}

/// The open connections. Each one's event loop runs in a task of its own, since a `poll` must not be dropped halfway.
struct Links {
    /// For connections over TLS; without it there are none.
    tls: Option<Arc<ClientConfig>>,
    open: HashMap<Link, Connection>,
    /// Ends with the adapter, and all tasks with it.
    tasks: JoinSet<()>,
    reporter: mpsc::Sender<(Link, Report)>,
    reports: mpsc::Receiver<(Link, Report)>,
    /// What is known without the network.
    own_reports: VecDeque<(Link, Report)>,
}

struct Connection {
    client: AsyncClient,
    task: AbortHandle,
    up: bool,
    closing: bool,
    /// Handed to the client, in order; it has not given them packet identifiers yet.
    requested: VecDeque<Token>,
    /// Sent, by the packet identifier that the answer will have.
    unanswered: HashMap<(Request, u16), Token>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Request {
    Publish,
    Subscribe,
    Unsubscribe,
}

/// What became known about a link.
enum Report {
    Event(Event),
    Failed(Token),
    /// The last one of a link; without an error when it ended as asked.
    Ended(Option<ConnectionError>),
}

impl Links {
    fn new() -> Self {
        let (reporter, reports) = mpsc::channel(WINDOW.into());
        Self {
            tls: None,
            open: HashMap::new(),
            tasks: JoinSet::new(),
            reporter,
            reports,
            own_reports: VecDeque::new(),
        }
    }

    fn open(&mut self, link: Link, options: &ConnectOptions) {
        while self.tasks.try_join_next().is_some() {}
        let options = match client_options(options, self.tls.as_ref()) {
            Ok(options) => options,
            Err(error) => {
                let ended = Report::Ended(Some(error.into()));
                return self.own_reports.push_back((link, ended));
            }
        };
        // A place for each token and one for DISCONNECT: this queue is never full.
        let (client, events) = AsyncClient::new(options, usize::from(WINDOW) + 1);
        let forward = forward(link, events, self.reporter.clone());
        let connection = Connection {
            client,
            task: self.tasks.spawn(forward),
            up: false,
            closing: false,
            requested: VecDeque::new(),
            unanswered: HashMap::new(),
        };
        self.open.insert(link, connection);
    }

    /// Takes an action, or gives it back while the window is full.
    fn send(&mut self, action: Action) -> Result<(), Action> {
        let link = action.link();
        if let Action::Open(open) = action {
            self.open(link, &open.options);
            return Ok(());
        }
        let token = action.token();
        let Some(connection) = self.open.get_mut(&link) else {
            return Ok(()); // `Closed` has voided the token
        };
        if token.is_some() && connection.open_tokens() >= WINDOW.into() {
            return Err(action);
        }
        let client = &connection.client;
        let handed = match action {
            Action::Close(_) if connection.up => {
                connection.closing = true;
                client.try_disconnect()
            }
            Action::Close(_) => {
                connection.task.abort();
                self.open.remove(&link);
                self.own_reports.push_back((link, Report::Ended(None)));
                return Ok(());
            }
            Action::Subscribe(subscribe) if sendable_filter(&subscribe.filter) => {
                client.try_subscribe(subscribe.filter, client_qos(subscribe.qos))
            }
            Action::Unsubscribe(unsubscribe) if sendable_filter(&unsubscribe.filter) => {
                client.try_unsubscribe(unsubscribe.filter)
            }
            Action::Publish(publish) if sendable(&publish) => client.try_publish(
                publish.topic,
                client_qos(publish.qos),
                publish.retain,
                publish.payload,
            ),
            // Not to be sent, or unknown here.
            _ => {
                let failed = token.map(|token| (link, Report::Failed(token)));
                self.own_reports.extend(failed);
                return Ok(());
            }
        };
        // An error means that the connection has just ended: `Closed` is on its way and voids the token.
        if handed.is_ok() {
            connection.requested.extend(token);
        }
        Ok(())
    }

    /// The next report of an open link, or nothing by that time. Cancel safe.
    async fn next(&mut self, until: Option<Instant>) -> Option<(Link, Report)> {
        loop {
            if let Some(report) = self.own_reports.pop_front() {
                return Some(report);
            }
            let received = match until {
                Some(until) => timeout_at(until, self.reports.recv()).await.ok()?,
                None => self.reports.recv().await,
            };
            let (link, _) = received.as_ref()?;
            if self.open.contains_key(link) {
                return received;
            }
        }
    }

    /// What a report means to the machine, if anything.
    fn input<'a>(&mut self, link: Link, report: &'a Report) -> Option<Input<'a>> {
        match report {
            Report::Event(event) => self.open.get_mut(&link)?.input(link, event),
            Report::Failed(token) => Some(Failed::new(link, *token).into()),
            Report::Ended(error) => {
                let asked = self.open.remove(&link).is_some_and(|ended| ended.closing);
                let reason = match error {
                    Some(ConnectionError::ConnectionRefused(code)) => {
                        CloseReason::Refused(ConnackCode::new(*code as u8))
                    }
                    Some(_) if !asked => CloseReason::Lost,
                    _ => CloseReason::Requested,
                };
                Some(Closed::new(link, reason).into())
            }
        }
    }
}

impl Connection {
    fn open_tokens(&self) -> usize {
        self.requested.len() + self.unanswered.len()
    }

    fn input<'a>(&mut self, link: Link, event: &'a Event) -> Option<Input<'a>> {
        let token = match event {
            Event::Incoming(Packet::ConnAck(accepted)) if !self.up => {
                self.up = true;
                return Some(Opened::new(link, accepted.session_present).into());
            }
            Event::Incoming(Packet::Publish(message)) => {
                let input = Message::new(link, &message.topic, &message.payload);
                return Some(input.with_retain(message.retain).into());
            }
            Event::Incoming(Packet::SubAck(answer)) => {
                let token = self.answered(Request::Subscribe, answer.pkid)?;
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Some(Failed::new(link, token).into());
                }
                Some(token)
            }
            Event::Incoming(Packet::UnsubAck(answer)) => {
                self.answered(Request::Unsubscribe, answer.pkid)
            }
            Event::Incoming(
                Packet::PubAck(PubAck { pkid }) | Packet::PubComp(PubComp { pkid }),
            ) => self.answered(Request::Publish, *pkid),
            // QoS 0 has no identifier and no answer.
            Event::Outgoing(Outgoing::Publish(0)) => self.requested.pop_front(),
            Event::Outgoing(Outgoing::Publish(id)) => {
                return self.sent(link, Request::Publish, *id);
            }
            Event::Outgoing(Outgoing::Subscribe(id)) => {
                return self.sent(link, Request::Subscribe, *id);
            }
            Event::Outgoing(Outgoing::Unsubscribe(id)) => {
                return self.sent(link, Request::Unsubscribe, *id);
            }
            _ => None,
        };
        token.map(|token| Done::new(link, token).into())
    }

    /// The client sends in the order of the requests, and now tells the identifier. It gives identifiers in turn,
    /// without regard to an old request that still waits: whose answer it would be is not known then.
    fn sent(&mut self, link: Link, request: Request, id: u16) -> Option<Input<'static>> {
        let token = self.requested.pop_front()?;
        let old = self.unanswered.insert((request, id), token)?;
        Some(Failed::new(link, old).into())
    }

    fn answered(&mut self, request: Request, id: u16) -> Option<Token> {
        self.unanswered.remove(&(request, id))
    }
}

/// Polls one connection until it ends, and then never again: the next poll would reconnect.
async fn forward(link: Link, mut events: EventLoop, reporter: mpsc::Sender<(Link, Report)>) {
    let error = loop {
        match events.poll().await {
            Ok(Event::Outgoing(Outgoing::Disconnect)) => break None,
            Ok(event) => {
                if reporter.send((link, Report::Event(event))).await.is_err() {
                    return;
                }
            }
            Err(error) => break Some(error),
        }
    };
    // What arrived together with the end still counts; what was to be sent does not.
    let rest = mem::take(&mut events.state.events);
    let arrived = rest.into_iter().filter(|event| matches!(event, Event::Incoming(_)));
    for report in arrived.map(Report::Event).chain([Report::Ended(error)]) {
        if reporter.send((link, report)).await.is_err() {
            return;
        }
    }
}

/// What to tell the client. Never print it: its `Debug` shows the password.
fn client_options(
    options: &ConnectOptions,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<MqttOptions, io::Error> {
    if options.version != Version::V3_1_1 {
        return Err(unsupported("only MQTT 3.1.1 is supported"));
    }
    if options.client_id.is_empty() && !options.clean_session {
        return Err(unsupported("a kept session needs a client identifier"));
    }
    let (address, transport) = client_transport(options, tls)?;
    let mut client = MqttOptions::new(&options.client_id, address, options.port);
    // Whole seconds in 16 bits, rounded up: none at all would switch it off.
    let begun = u64::from(options.keep_alive.subsec_nanos() > 0);
    let seconds = options.keep_alive.as_secs().saturating_add(begun);
    client
        .set_transport(transport)
        .set_keep_alive(Duration::from_secs(seconds.min(u16::MAX.into())))
        .set_clean_session(options.clean_session)
        .set_max_packet_size(MAX_PACKET, MAX_PACKET)
        .set_inflight(WINDOW);
    if let Some(credentials) = &options.credentials {
        let password = credentials.password.expose_str();
        let password = password.map_err(|_| unsupported("the password is not UTF-8"))?;
        client.set_credentials(&credentials.user_name, password);
    }
    Ok(client)
}

/// Where to, in the client's words: over a WebSocket that is a whole address.
fn client_transport(
    options: &ConnectOptions,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<(String, ClientTransport), io::Error> {
    let tls = || {
        let tls = tls.ok_or_else(|| unsupported("whom to trust over TLS is not said"))?;
        Ok::<_, io::Error>(TlsConfiguration::Rustls(tls.clone()))
    };
    let web_address = |scheme, path: &str| {
        let (host, port) = (&options.host, options.port);
        // An IPv6 address stands in brackets there.
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        format!("{scheme}://{host}:{port}/{}", path.trim_start_matches('/'))
    };
    Ok(match &options.transport {
        Transport::Tcp => (options.host.clone(), ClientTransport::Tcp),
        Transport::Tls => (options.host.clone(), ClientTransport::Tls(tls()?)),
        Transport::Ws { path } => (web_address("ws", path), ClientTransport::Ws),
        Transport::Wss { path } => (web_address("wss", path), ClientTransport::Wss(tls()?)),
        _ => return Err(unsupported("only TCP, TLS and WebSocket are supported")),
    })
}

fn unsupported(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

/// The client answers a malformed topic like a full queue, and sends one that is too long cut off.
fn sendable(publish: &Publish) -> bool {
    let size = publish.topic.len() + publish.payload.len() + PUBLISH_OVERHEAD;
    let named = !publish.topic.is_empty() && valid_topic(&publish.topic);
    named && publish.topic.len() <= usize::from(u16::MAX) && size <= MAX_PACKET
}

fn sendable_filter(filter: &str) -> bool {
    valid_filter(filter) && filter.len() <= usize::from(u16::MAX)
}

fn client_qos(qos: Qos) -> QoS {
    match qos {
        Qos::AtMostOnce => QoS::AtMostOnce,
        Qos::AtLeastOnce => QoS::AtLeastOnce,
        Qos::ExactlyOnce => QoS::ExactlyOnce,
    }
}
