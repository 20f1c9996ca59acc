//! One connection on the stack, in a task of its own.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fe2o3_amqp::{
    Connection as Client, Receiver, Session,
    connection::{self, ConnectionHandle, OpenError},
    link::{
        LinkStateError, ReceiverAttachError, RecvError, SessionStopReason,
        delivery::DeliveryInfo,
        receiver::{CreditMode, TerminalDeliveryState},
    },
    session::{BeginError, SessionHandle},
    types::{
        definitions::{ReceiverSettleMode, SenderSettleMode},
        messaging::{Accepted, Modified, Rejected, Released},
    },
};
use iot_sansio::amqp::{
    Action, Attach, Connection, Dial, Flow, Open, OpenOptions, Outcome, Settle,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

use super::{
    Error, Reason, Report,
    message::{Decoded, Received},
    sasl,
    watch::Watch,
    wire::{self, Lifeline, Wire},
};

/// How long the peer may take to answer a Close.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// How long what was settled may take to be written, before a Close.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// The one session's `channel-max`.
const CHANNEL_MAX: u16 = 0;
const SESSION_WINDOW: u32 = 2048;

/// One connection, from its dial to its end.
pub(super) struct Task {
    pub(super) connection: Connection,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) reporter: mpsc::Sender<(Connection, Report)>,
}

/// An action, and how many deliveries had been reported to the machine when it asked for that.
pub(super) struct Command {
    pub(super) action: Action,
    pub(super) reported: u64,
}

/// What is asked of it while it is open. Dropped in this order: nothing is said once the lifeline is gone.
struct Live {
    _lifeline: Lifeline,
    receiver: Option<Receiver>,
    session: Option<SessionHandle<()>>,
    connection: ConnectionHandle<()>,
    /// By number.
    unsettled: BTreeMap<u64, DeliveryInfo>,
    count: u64,
    seen: Arc<Mutex<Watch>>,
    /// Dispositions given to the stack, and how many of them it has written.
    disposed: u64,
    written: watch::Receiver<u64>,
}

impl Task {
    pub(super) async fn run(mut self, tls: TlsConnector, dial: Dial) {
        let ended = self.live(tls, dial).await;
        self.report(Report::Ended(ended)).await;
    }

    async fn live(&mut self, tls: TlsConnector, dial: Dial) -> Result<(), Error> {
        let stream = connect(tls, &dial).await.map_err(Error::Dial)?;
        self.report(Report::Connected).await;
        let open = loop {
            match self.inbox.recv().await {
                Some(Command { action: Action::Open(open), .. }) => break open,
                Some(_) => {}
                None => return Ok(()),
            }
        };
        let mut live = Live::open(stream, open).await?;
        let idle_timeout = lock(&live.seen).idle_timeout;
        self.report(Report::Opened(idle_timeout)).await;
        loop {
            tokio::select! {
                command = self.inbox.recv() => {
                    let Some(Command { action, reported }) = command else { return Ok(()) };
                    match action {
                        Action::Attach(attach) => tokio::select! {
                            attached = live.attach(attach) => match attached {
                                Ok(()) => self.report(Report::Attached).await,
                                Err(Stopped::Link(reason)) => {
                                    self.report(Report::Detached(reason)).await;
                                }
                                // Its end is the next thing to hear.
                                Err(Stopped::Connection) => {}
                            },
                            () = asked_to_close(&mut self.inbox) => return live.close().await,
                        },
                        Action::Flow(flow) => live.flow(flow, reported).await,
                        Action::Settle(settle) => live.settle(settle).await,
                        Action::Close(_) => return live.close().await,
                        _ => {}
                    }
                }
                next = live.next() => self.report(next?).await,
            }
        }
    }

    async fn report(&self, report: Report) {
        // Refused only when the adapter is gone, and this task is about to go.
        let _ = self.reporter.send((self.connection, report)).await;
    }
}

/// Why there is no link.
enum Stopped {
    Link(Option<Reason>),
    Connection,
}

impl Live {
    async fn open(mut stream: TlsStream<TcpStream>, open: Open) -> Result<Self, Error> {
        let OpenOptions { user_name, password, container_id, hostname, idle_timeout, .. } =
            &*open.options;
        sasl::log_in(&mut stream, user_name, password).await?;
        let seen = Arc::new(Mutex::new(Watch::new(*idle_timeout)));
        let watch = Arc::clone(&seen);
        let (wire, lifeline) = Wire::new(stream, move |seen| lock(&watch).see(seen));
        let (counter, written) = watch::channel(0);
        let wire = wire.with_dispositions(counter);
        // The stack writes half of what it is told, and gives the peer all of it.
        let told = idle_timeout.as_millis().saturating_mul(2);
        let opened = Client::builder()
            .container_id(container_id)
            .hostname(hostname.as_str())
            .max_frame_size(wire::MAX_FRAME)
            .channel_max(CHANNEL_MAX)
            .idle_time_out(u32::try_from(told).unwrap_or(u32::MAX))
            .open_with_stream(wire)
            .await;
        let connection = opened.map_err(|error| match error {
            // It says the second of a header of AMQP.
            OpenError::ProtocolHeaderMismatch(_) | OpenError::NotImplemented(_) => Error::Version,
            OpenError::RemoteClosed => Error::Peer(None),
            OpenError::RemoteClosedWithError(error) => Error::Peer(Some(error.into())),
            error => Error::Open(error),
        })?;
        let unsettled = BTreeMap::new();
        Ok(Self {
            _lifeline: lifeline,
            receiver: None,
            session: None,
            connection,
            unsettled,
            count: 0,
            seen,
            disposed: 0,
            written,
        })
    }

    async fn attach(&mut self, attach: Attach) -> Result<(), Stopped> {
        lock(&self.seen).link.clone_from(&attach.name);
        let session = Session::builder()
            .incoming_window(SESSION_WINDOW)
            .outgoing_window(SESSION_WINDOW)
            .begin(&mut self.connection);
        let session = session.await.map_err(|error| match error {
            BeginError::RemoteEndedWithError(error) => Stopped::Link(Some(error.into())),
            BeginError::ConnectionStopped(_) => Stopped::Connection,
            _ => Stopped::Link(None),
        })?;
        let receiver = Receiver::builder()
            .name(attach.name)
            .source(attach.source)
            .sender_settle_mode(SenderSettleMode::Unsettled)
            .receiver_settle_mode(ReceiverSettleMode::First)
            .credit_mode(CreditMode::Manual)
            .auto_accept(false)
            // What the peer makes of the source is the peer's affair.
            .verify_incoming_source(false)
            .verify_incoming_target(false)
            .attach(self.session.insert(session));
        let receiver = receiver.await.map_err(|error| match error {
            ReceiverAttachError::SessionStopped(reason) => reason.into(),
            ReceiverAttachError::RemoteClosedWithError(error) => Stopped::Link(Some(error.into())),
            _ => Stopped::Link(None),
        })?;
        self.receiver = Some(receiver);
        Ok(())
    }

    /// The next message or the end of the link, or else the end of the connection. Cancel safe.
    async fn next(&mut self) -> Result<Report, Error> {
        if let Some(receiver) = &mut self.receiver {
            let stopped = match receiver.recv().await {
                Ok(delivery) => {
                    let (info, message) = delivery.into_parts();
                    return Ok(self.received(info, Some(message)));
                }
                Err(RecvError::MessageDecode(error)) => return Ok(self.received(error.info, None)),
                Err(RecvError::LinkStateError(error)) => error.into(),
                // The peer broke the rules of links.
                Err(_) => Stopped::Link(None),
            };
            self.receiver = None;
            self.session = None;
            if let Stopped::Link(reason) = stopped {
                return Ok(Report::Detached(reason));
            }
        }
        Err(end_of(self.connection.on_close().await))
    }

    fn received(&mut self, info: DeliveryInfo, message: Option<Decoded>) -> Report {
        let number = self.count;
        self.count += 1;
        let settled = lock(&self.seen).settled.remove(&info.delivery_id());
        if !settled {
            self.unsettled.insert(number, info);
        }
        Report::Delivery(Box::new(Received::new(number, settled, message)))
    }

    /// The stack counts credit from what it handed out, and the machine from what was reported to it.
    async fn flow(&mut self, flow: Flow, reported: u64) {
        if let Some(receiver) = &mut self.receiver {
            let waiting = u32::try_from(self.count.saturating_sub(reported)).unwrap_or(u32::MAX);
            // Refused only by a link that is gone, as the next thing received tells; so are the others.
            let _ = receiver.set_credit(flow.credit.saturating_sub(waiting)).await;
        }
    }

    async fn settle(&mut self, settle: Settle) {
        let info = self.unsettled.remove(&settle.id.number);
        if let (Some(receiver), Some(info)) = (&self.receiver, info) {
            let state: TerminalDeliveryState = match settle.outcome {
                Outcome::Accepted => Accepted {}.into(),
                Outcome::Rejected => Rejected { error: None }.into(),
                Outcome::Released => Released {}.into(),
                Outcome::Modified { delivery_failed, undeliverable_here } => Modified {
                    delivery_failed: Some(delivery_failed),
                    undeliverable_here: Some(undeliverable_here),
                    message_annotations: None,
                }
                .into(),
            };
            if receiver.dispose(info, state).await.is_ok() {
                self.disposed += 1;
            }
        }
    }

    /// Ended as asked, also if the peer does not answer or breaks off.
    async fn close(mut self) -> Result<(), Error> {
        let close = async {
            // Close goes another way through the stack, and overtakes what was settled just before.
            let written = self.written.wait_for(|written| *written >= self.disposed);
            let _ = timeout(WRITE_LIMIT, written).await;
            let _ = self.connection.close().await;
        };
        let _ = timeout(CLOSE_LIMIT, close).await;
        Ok(())
    }
}

async fn connect(tls: TlsConnector, dial: &Dial) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(dial.host.clone()).map_err(io::Error::other)?;
    let stream = TcpStream::connect((dial.host.as_str(), dial.port)).await?;
    stream.set_nodelay(true)?;
    tls.connect(name, stream).await
}

/// Waits for a Close; nothing else makes sense before a link stands.
async fn asked_to_close(inbox: &mut mpsc::Receiver<Command>) {
    while let Some(command) = inbox.recv().await {
        if matches!(command.action, Action::Close(_)) {
            return;
        }
    }
}

fn end_of(ended: Result<(), connection::Error>) -> Error {
    match ended {
        Ok(()) | Err(connection::Error::RemoteClosed) => Error::Peer(None),
        Err(connection::Error::RemoteClosedWithError(error)) => Error::Peer(Some(error.into())),
        Err(error) => Error::Broken(error),
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<SessionStopReason> for Stopped {
    fn from(reason: SessionStopReason) -> Self {
        match reason {
            SessionStopReason::ConnectionStopped(_) => Self::Connection,
            SessionStopReason::RemoteEndedWithError(error) => Self::Link(Some(error.into())),
            _ => Self::Link(None),
        }
    }
}

impl From<LinkStateError> for Stopped {
    fn from(error: LinkStateError) -> Self {
        match error {
            LinkStateError::SessionStopped(reason) => reason.into(),
            LinkStateError::RemoteDetachedWithError(error)
            | LinkStateError::RemoteClosedWithError(error) => Self::Link(Some(error.into())),
            _ => Self::Link(None),
        }
    }
}
