//! Runs any machine that speaks AMQP 1.0 on the `fe2o3-amqp` 0.18 client, over TLS. Copy this file and its
//! folder into your project, whose `Cargo.toml` needs:
//!
//! ```toml
//! amqp-auth = "0.1"
//! bytes = "1"
//! fe2o3-amqp = { version = "0.18", default-features = false }
//! iot-sansio = { version = "0.1", features = ["std"] }
//! serde_amqp = "0.18"
//! thiserror = "2"
//! tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "sync", "time"] }
//! tokio-rustls = { version = "0.26", default-features = false, features = ["ring", "tls12"] }
//! ```
//!
//! What `fe2o3-amqp` does not do by itself, and is done here on the stream below it: it tells neither the idle timeout
//! of the peer nor whether a delivery came settled, sends no heartbeat to a peer that names no idle timeout and sends
//! them at the last moment to one that does, ends the session when the peer attaches a link, and lets Close overtake what
//! was settled before it.
//!
//! The login is made here too, as the stack's SASL frames end at 512 bytes: a token of STS does not fit.
//!
//! What it cannot do: a silent peer is left without a Close, as [`CloseReason::Lost`], after twice the idle timeout. A
//! message that it cannot decode is told without properties as [`Body::Sequence`](iot_sansio::amqp::Body::Sequence), so
//! that the machine can settle it.

use std::{
    collections::{HashMap, VecDeque},
    fmt, io,
    sync::Arc,
    time::Duration,
};

use fe2o3_amqp::{
    connection::{self, OpenError},
    types::{
        definitions::{self, ErrorCondition},
        primitives::Symbol,
    },
};
use iot_sansio::{
    Machine, MonoTime, Pump, Pumped,
    amqp::{
        Action, Amqp, Attached, Close, CloseReason, Closed, Connected, Connection, Detached, Dial,
        Error as PeerError, Input, Opened, SaslCode, Transport,
    },
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, rustls::ClientConfig};

use self::{
    message::Received,
    task::{Command, Task},
};

mod message;
mod nesting;
pub mod sasl;
mod task;
mod watch;
pub mod wire;

/// Actions that may wait for one connection; an idle one takes them at once.
const COMMANDS: usize = 1024;
/// Reports that may wait for the machine. What comes on top stays with the stack, within the credit.
const REPORTS: usize = 64;
/// How often a blocked machine is told the time: its deadline is not known then.
const BLOCKED_TICK: Duration = Duration::from_millis(50);

/// Drives one machine, and owns the connections that it dials.
///
/// It does nothing but what the machine asks, and never reconnects. Dropping it cuts its connections;
/// [`close`](Self::close) says Close first.
///
/// ```no_run
/// # use examples::amqp_adapter::{Adapter, Stepped};
/// # use iot_sansio::{Machine, amqp::Amqp};
/// # use std::sync::Arc;
/// # use tokio::sync::mpsc;
/// # use tokio_rustls::rustls::{ClientConfig, RootCertStore};
/// # async fn run<M: Machine<Vocabulary = Amqp>>(
/// #     mut machine: M, mut commands: mpsc::Receiver<()>, roots: RootCertStore,
/// # ) {
/// let tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
/// let mut adapter = Adapter::new(Arc::new(tls));
/// loop {
///     tokio::select! {
///         stepped = adapter.step(&mut machine, |event| { /* react to it */ }) => match stepped {
///             Ok(Stepped::Finished) => break,
///             Ok(Stepped::Closed(_connection, _why)) => { /* log it: the machine reconnects */ }
///             Ok(_) => {}
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
    /// The end of a connection that the machine refused to hear of, still to be told to the application.
    untold_end: Option<(Connection, Option<Error>)>,
}

/// What a step came to.
#[derive(Debug)]
pub enum Stepped {
    /// Go on.
    Running,
    /// A connection ended, and why if it did not end as asked; the machine knows, or has just refused to.
    Closed(Connection, Option<Error>),
    /// The machine has ended, and everything it said was told and sent in earlier steps. Step on only after a command
    /// started it again.
    Finished,
}

/// Why a connection ended otherwise than as asked. No text has a user name or password in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No TCP, or no TLS with a certificate that holds for the host.
    #[error("cannot connect: {0}")]
    Dial(io::Error),
    /// The peer speaks another protocol, or another version of AMQP.
    #[error("the peer does not speak SASL and AMQP 1.0.0")]
    Version,
    /// The peer does not offer SASL PLAIN.
    #[error("the peer does not offer the SASL mechanism PLAIN")]
    Mechanism,
    /// The peer refused the credentials.
    #[error("the peer refused the credentials with SASL code {}", .0.get())]
    Refused(SaslCode),
    /// The login broke off.
    #[error("the login broke off: {0}")]
    Login(#[from] io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the connection{}", .0.as_ref().map_or_else(String::new, |reason| format!(": {reason}")))]
    Peer(Option<Reason>),
    /// It could not be opened.
    #[error("the connection did not open: {0}")]
    Open(OpenError),
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(connection::Error),
}

/// What a peer gave as its reason. Neither `Debug` nor `Display` shows the description: some peers repeat the user name
/// in it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reason {
    /// The symbol.
    pub condition: String,
    /// What it says to people.
    pub description: Option<String>,
}

impl Adapter {
    /// No connections yet; the time of the machine starts now. `tls` says which certificates are trusted.
    #[must_use]
    pub fn new(tls: Arc<ClientConfig>) -> Self {
        Self { origin: Instant::now(), pump: Pump::new(), links: Links::new(tls), untold_end: None }
    }

    /// The time to give to the machine with a command.
    #[must_use]
    pub fn now(&self) -> MonoTime {
        MonoTime::from_instants(self.origin.into_std(), Instant::now().into_std())
    }

    /// Sends and tells what the machine has to say. If it told nothing, waits for an input or its deadline: feeds that.
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
        M: Machine<Vocabulary = Amqp> + ?Sized,
    {
        if let Some((connection, error)) = self.untold_end.take() {
            return Ok(Stepped::Closed(connection, error));
        }
        let mut told = false;
        let send = |action| self.links.send(action);
        let tell = |event| {
            told = true;
            on_event(event);
        };
        let deadline = match self.pump.drain(machine, send, tell) {
            // Also at its end: whoever stops there has seen to all events before.
            _ if told => return Ok(Stepped::Running),
            Pumped::Finished => return Ok(Stepped::Finished),
            Pumped::Idle(deadline) => deadline,
            Pumped::Blocked => Some(self.now().after(BLOCKED_TICK)),
        };
        let until = deadline.and_then(|time| self.origin.checked_add(time.since_origin()));
        let report = self.links.next(until).await;
        let now = self.now();
        // Also before an input: the machine may refuse that one, and time passes all the same.
        machine.handle_timeout(now);
        let Some((connection, report)) = report else {
            return Ok(Stepped::Running);
        };
        self.links.note(connection, &report);
        let heard = report.tell(connection, |input| machine.handle_input(now, input));
        let Report::Ended(ended) = report else {
            return heard.map(|()| Stepped::Running);
        };
        if let Err(refused) = heard {
            self.untold_end = Some((connection, ended.err()));
            return Err(refused);
        }
        Ok(Stepped::Closed(connection, ended.err()))
    }

    /// Steps until the machine has ended.
    pub async fn drive<M>(
        &mut self,
        machine: &mut M,
        mut on_event: impl FnMut(M::Event),
        mut on_refused: impl FnMut(M::Error),
    ) where
        M: Machine<Vocabulary = Amqp> + ?Sized,
    {
        loop {
            match self.step(machine, &mut on_event).await {
                Ok(Stepped::Finished) => return,
                Ok(_) => {}
                Err(refused) => on_refused(refused),
            }
        }
    }

    /// Ends all connections with Close, after what was sent before. A dead peer can delay that by five seconds.
    pub async fn close(mut self) {
        for connection in self.links.open.keys().copied().collect::<Vec<_>>() {
            if self.links.send(Close::new(connection).into()).is_err() {
                self.links.cut(connection);
            }
        }
        while !self.links.open.is_empty() {
            if let Some((connection, report)) = self.links.next(None).await {
                self.links.note(connection, &report);
            }
        }
    }
}

/// The connections that are not gone, each in a task of its own.
struct Links {
    tls: TlsConnector,
    open: HashMap<Connection, Link>,
    /// Ends with the adapter, and all tasks with it.
    tasks: JoinSet<()>,
    reporter: mpsc::Sender<(Connection, Report)>,
    reports: mpsc::Receiver<(Connection, Report)>,
    /// What is known without the network.
    own_reports: VecDeque<(Connection, Report)>,
}

struct Link {
    commands: mpsc::Sender<Command>,
    task: AbortHandle,
    /// The machine has heard that it is open.
    up: bool,
    /// Deliveries that were reported to the machine.
    reported: u64,
}

/// What became known about a connection.
enum Report {
    Connected,
    Opened(Option<Duration>),
    Attached,
    Delivery(Box<Received>),
    Detached(Option<Reason>),
    /// The last one; an error unless it ended as asked.
    Ended(Result<(), Error>),
}

impl Links {
    fn new(tls: Arc<ClientConfig>) -> Self {
        let (reporter, reports) = mpsc::channel(REPORTS);
        Self {
            tls: tls.into(),
            open: HashMap::new(),
            tasks: JoinSet::new(),
            reporter,
            reports,
            own_reports: VecDeque::new(),
        }
    }

    /// Takes an action, or gives it back while too many wait.
    fn send(&mut self, action: Action) -> Result<(), Action> {
        let connection = action.connection();
        if let Action::Dial(dial) = action {
            self.dial(dial);
            return Ok(());
        }
        let Some(link) = self.open.get(&connection) else {
            return Ok(()); // gone
        };
        if matches!(action, Action::Abort(_)) || (matches!(action, Action::Close(_)) && !link.up) {
            self.cut(connection);
            return Ok(());
        }
        match link.commands.try_send(Command { action, reported: link.reported }) {
            Err(mpsc::error::TrySendError::Full(command)) => Err(command.action),
            // Otherwise it has just ended, and `Closed` is on its way.
            _ => Ok(()),
        }
    }

    fn dial(&mut self, dial: Dial) {
        while self.tasks.try_join_next().is_some() {}
        let connection = dial.connection;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let task = Task { connection, inbox, reporter: self.reporter.clone() };
        let task = self.tasks.spawn(task.run(self.tls.clone(), dial));
        self.open.insert(connection, Link { commands, task, up: false, reported: 0 });
    }

    /// Drops the transport without a word: it goes with the task.
    fn cut(&mut self, connection: Connection) {
        if let Some(link) = self.open.remove(&connection) {
            link.task.abort();
            self.own_reports.push_back((connection, Report::Ended(Ok(()))));
        }
    }

    /// The next report of an open connection, or nothing by that time. Cancel safe.
    async fn next(&mut self, until: Option<Instant>) -> Option<(Connection, Report)> {
        loop {
            if let Some(report) = self.own_reports.pop_front() {
                return Some(report);
            }
            let received = match until {
                Some(until) => timeout_at(until, self.reports.recv()).await.ok()?,
                None => self.reports.recv().await,
            };
            let (connection, _) = received.as_ref()?;
            if self.open.contains_key(connection) {
                return received;
            }
        }
    }

    fn note(&mut self, connection: Connection, report: &Report) {
        let Some(link) = self.open.get_mut(&connection) else { return };
        match report {
            Report::Opened(_) => link.up = true,
            Report::Delivery(_) => link.reported += 1,
            Report::Ended(_) => drop(self.open.remove(&connection)),
            _ => {}
        }
    }
}

impl Report {
    /// What it means to the machine.
    fn tell<T>(&self, connection: Connection, tell: impl FnOnce(Input<'_>) -> T) -> T {
        match self {
            Self::Connected => tell(Connected::new(connection, Transport::Tls).into()),
            Self::Opened(idle_timeout) => tell(Opened::new(connection, *idle_timeout).into()),
            Self::Attached => tell(Attached::new(connection).into()),
            Self::Delivery(received) => received.tell(connection, tell),
            Self::Detached(reason) => {
                tell(Detached::new(connection, reason.as_ref().map(Reason::borrow)).into())
            }
            Self::Ended(ended) => {
                let reason = match ended {
                    Ok(()) => CloseReason::Requested,
                    Err(Error::Version) => CloseReason::Version,
                    Err(Error::Mechanism) => CloseReason::Mechanism,
                    Err(Error::Refused(code)) => CloseReason::Refused(*code),
                    Err(Error::Peer(reason)) => {
                        CloseReason::Peer(reason.as_ref().map(Reason::borrow))
                    }
                    Err(_) => CloseReason::Lost,
                };
                tell(Closed::new(connection, reason).into())
            }
        }
    }
}

impl From<definitions::Error> for Reason {
    fn from(error: definitions::Error) -> Self {
        let condition = match &error.condition {
            ErrorCondition::AmqpError(known) => Symbol::from(known),
            ErrorCondition::ConnectionError(known) => Symbol::from(known),
            ErrorCondition::SessionError(known) => Symbol::from(known),
            ErrorCondition::LinkError(known) => Symbol::from(known),
            ErrorCondition::Custom(symbol) => symbol.clone(),
        };
        Self { condition: condition.into_inner(), description: error.description }
    }
}

impl Reason {
    fn borrow(&self) -> PeerError<'_> {
        PeerError::new(&self.condition, self.description.as_deref())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.condition)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason").field("condition", &self.condition).finish_non_exhaustive()
    }
}
