//! One connection: what the client says is told to the machine, and what that answers is said to the client.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use amqp_auth::{
    platform::server::{
        self, Action, Closed, Connected, Deliver, Detached, Opened, SaslInit as Login, Settled,
    },
    sasl::{
        AMQP_HEADER, DEFAULT_LIMIT, Frame, PLAIN, SASL_HEADER, encode_mechanisms, encode_outcome,
    },
};
use fe2o3_amqp::{
    Sender,
    acceptor::{
        ConnectionAcceptor, LinkAcceptor, LinkEndpoint, ListenerConnectionHandle,
        ListenerSessionHandle, SessionAcceptor,
    },
    types::{
        definitions::Role,
        performatives::{Flow, Performative},
    },
};
use iot_sansio::amqp::{Connection, DeliveryId, Outcome, SaslCode, Transport};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{message, shared::Shared};
use crate::amqp_adapter::{
    sasl,
    wire::{self, Lifeline, Seen, Verdict, Wire},
};

/// How much a client may say before its `open` is answered, in bytes: some send all that is up to the credit.
const MAX_AHEAD: usize = 65_536;
/// How long a client may take for the TLS handshake; the machine's time begins after it.
const TLS_LIMIT: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what is sent to it; Close and Abort wait that long too.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a client may take to answer a Close.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
const SILENCE: &str = "amqp:resource-limit-exceeded";

pub(super) async fn serve(
    connection: Connection,
    stream: TcpStream,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = timeout(TLS_LIMIT, tls.accept(stream)).await else {
        return;
    };
    let actions = shared.register(connection);
    shared.feed(Connected::new(connection, Transport::Tls).into());
    let mut client = Client { connection, actions, shared };
    // However it ended, the machine hears no more than that it did.
    let _ = client.run(stream).await;
    client.shared.feed(Closed::new(connection).into());
    client.shared.forget(connection);
}

struct Client {
    connection: Connection,
    actions: UnboundedReceiver<Action>,
    shared: Arc<Shared>,
}

/// What runs once the connection is open. Dropped in this order: nothing is said once the lifeline is gone.
struct Live {
    _lifeline: Lifeline,
    sender: Option<(u32, Sender)>,
    session: Option<ListenerSessionHandle>,
    connection: ListenerConnectionHandle,
}

/// What waits to be settled by the client; none of what never is.
type Deliveries = JoinSet<Option<(DeliveryId, Outcome)>>;

impl Client {
    async fn run(&mut self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        self.log_in(&mut stream).await?;
        let (mut beginning, idle_timeout) = self.read_open(&mut stream).await?;
        self.shared.feed(Opened::new(self.connection, idle_timeout).into());
        let (own_idle_timeout, close) = match self.answer(&mut stream, &mut beginning).await? {
            Action::Open(open) => (open.idle_timeout, None),
            Action::Close(close) => (None, Some(close)),
            _ => return Err(gone()),
        };
        let watch = Arc::new(Mutex::new(Watch::new(self.connection, &self.shared)));
        let seen = Arc::clone(&watch);
        let (wire, lifeline) = Wire::new(stream, move |seen_now| lock(&seen).see(seen_now));
        let wire = wire.with_beginning(&beginning, AMQP_HEADER.len())?;
        let mut acceptor =
            ConnectionAcceptor::builder().container_id("platform").max_frame_size(wire::MAX_FRAME);
        if let Some(millis) = own_idle_timeout {
            acceptor =
                acceptor.idle_time_out(u32::try_from(millis.as_millis()).unwrap_or(u32::MAX));
        }
        let accepted = acceptor.build().accept(wire).await;
        let connection = accepted.map_err(io::Error::other)?;
        let mut live = Live { _lifeline: lifeline, sender: None, session: None, connection };
        match close {
            Some(close) => live.close(close.condition, close.description).await,
            None => self.converse(&mut live, &watch, idle_timeout).await,
        }
        Ok(())
    }

    /// SASL, where the stack would not wait for an answer, and ends frames at 512 bytes.
    async fn log_in(&mut self, stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
        let mut header = [0; 8];
        self.unless_cut(stream.read_exact(&mut header)).await?;
        stream.write_all(&SASL_HEADER).await?;
        if header != SASL_HEADER {
            return Err(gone());
        }
        let mechanisms = encode_mechanisms(&[PLAIN]).map_err(io::Error::other)?;
        stream.write_all(&mechanisms).await?;
        stream.flush().await?;

        let frame = self.unless_cut(sasl::read_frame(stream, DEFAULT_LIMIT)).await?;
        let Frame::Init(init) = sasl::parse(&frame)? else {
            return Err(gone());
        };
        let login = init.plain().map_err(io::Error::other)?;
        let login = Login::new(self.connection, login.user_name, login.password);
        self.shared.feed(login.into());
        let mut ahead = Vec::new();
        let Action::SaslOutcome(outcome) = self.answer(stream, &mut ahead).await? else {
            return Err(gone());
        };
        if !ahead.is_empty() {
            return Err(gone());
        }
        stream.write_all(&encode_outcome(outcome.code)).await?;
        stream.flush().await?;
        let refused = outcome.code != SaslCode::OK;
        if refused {
            stream.shutdown().await?;
            return Err(gone());
        }
        Ok(())
    }

    /// The header of AMQP and `open`, which the stack would answer at once.
    async fn read_open(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
    ) -> io::Result<(Vec<u8>, Option<Duration>)> {
        let mut beginning = vec![0; AMQP_HEADER.len()];
        self.unless_cut(stream.read_exact(&mut beginning)).await?;
        stream.write_all(&AMQP_HEADER).await?;
        stream.flush().await?;
        if beginning != AMQP_HEADER {
            return Err(gone());
        }
        let max = usize::try_from(wire::MAX_FRAME).map_err(io::Error::other)?;
        let frame = self.unless_cut(sasl::read_frame(stream, max)).await?;
        let (Some(Performative::Open(open)), _) = wire::parse(&frame)? else {
            return Err(gone());
        };
        let idle_timeout = open.idle_time_out.map(|millis| Duration::from_millis(millis.into()));
        beginning.extend_from_slice(&frame);
        Ok((beginning, idle_timeout))
    }

    /// Done, unless the machine wants something else first: then that is the end.
    async fn unless_cut<T>(&mut self, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        tokio::select! {
            done = work => done,
            _ = self.actions.recv() => Err(gone()),
        }
    }

    /// What the machine answers, unless the client goes before. What the client says meanwhile is added to `ahead`.
    async fn answer(
        &mut self,
        stream: &mut TlsStream<TcpStream>,
        ahead: &mut Vec<u8>,
    ) -> io::Result<Action> {
        loop {
            tokio::select! {
                biased;
                action = self.actions.recv() => return action.ok_or_else(gone),
                read = stream.read_buf(ahead) => {
                    if read? == 0 || ahead.len() > MAX_AHEAD {
                        return Err(gone());
                    }
                }
            }
        }
    }

    async fn converse(
        &mut self,
        live: &mut Live,
        watch: &Mutex<Watch>,
        idle_timeout: Option<Duration>,
    ) {
        let mut deliveries = Deliveries::new();
        // A client may grant credit together with its attach, before the stack has made a link of that.
        let mut early = Vec::new();
        let due = |watch| idle_timeout.map(|longest| lock::<Watch>(watch).last_seen + longest);
        loop {
            let silent = due(watch);
            tokio::select! {
                action = self.actions.recv() => match action {
                    Some(Action::Deliver(deliver)) => {
                        if live.sender.is_none() && lock(watch).confirmed.is_some() {
                            early.push(deliver);
                        } else if !live.deliver(deliver, &mut deliveries).await {
                            return;
                        }
                    }
                    Some(Action::Detach(detach)) => {
                        let ended = live.sender.take_if(|(link, _)| *link == detach.link);
                        if let Some((_, sender)) = ended {
                            let error = message::error(detach.condition, detach.description);
                            let _ = timeout(CLOSE_LIMIT, sender.close_with_error(error)).await;
                        }
                    }
                    Some(Action::Close(close)) => {
                        return live.close(close.condition, close.description).await;
                    }
                    Some(Action::Abort(_)) | None => return,
                    Some(_) => {}
                },
                Some(settled) = deliveries.join_next() => self.settled(settled.ok().flatten()),
                incoming = live.connection.next_incoming_session() => {
                    let Some(incoming) = incoming else {
                        let _ = timeout(CLOSE_LIMIT, self.finish(live, deliveries)).await;
                        return;
                    };
                    let acceptor = SessionAcceptor::new();
                    let begun = acceptor.accept_incoming_session(incoming, &mut live.connection);
                    let Ok(begun) = timeout(ANSWER_LIMIT, begun).await else { return };
                    // One session is all that a receiver needs; another is ended as it is dropped.
                    if let (Ok(begun), None) = (begun, &live.session) {
                        live.session = Some(begun);
                    }
                }
                attach = next_attach(&mut live.session) => {
                    let Some(attach) = attach else {
                        live.session = None;
                        continue;
                    };
                    let Some(session) = &mut live.session else { continue };
                    let acceptor = LinkAcceptor::new();
                    let accepted = acceptor.accept_incoming_attach(attach, session);
                    let Ok(accepted) = timeout(ANSWER_LIMIT, accepted).await else { return };
                    if let Ok(LinkEndpoint::Sender(sender)) = accepted {
                        live.sender = lock(watch).confirmed.map(|(link, _)| (link, sender));
                        for deliver in early.drain(..) {
                            if !live.deliver(deliver, &mut deliveries).await {
                                return;
                            }
                        }
                    }
                }
                () = sleep_until(silent.unwrap_or_else(Instant::now)), if silent.is_some() => {
                    // Unless something was heard since this wait began.
                    if silent == due(watch) {
                        let text = "nothing was heard for the idle timeout of the client";
                        return live.close(SILENCE.into(), text.into()).await;
                    }
                }
            }
        }
    }

    /// The client is about to go: its Close is answered, and what it settled before counts.
    async fn finish(&self, live: &mut Live, mut deliveries: Deliveries) {
        let _ = live.connection.on_close().await;
        if let Some(session) = &mut live.session {
            let _ = session.on_end().await;
        }
        // What is not settled by now never will be.
        live.sender = None;
        while let Some(settled) = deliveries.join_next().await {
            self.settled(settled.ok().flatten());
        }
    }

    fn settled(&self, settled: Option<(DeliveryId, Outcome)>) {
        if let Some((id, outcome)) = settled {
            self.shared.feed(Settled::new(id, outcome).into());
        }
    }
}

impl Live {
    /// Sends a message, unless its link is gone; what becomes of it is added to the others. False when the client does
    /// not take it.
    async fn deliver(&mut self, deliver: Deliver, deliveries: &mut Deliveries) -> bool {
        let Some((_, sender)) = &mut self.sender else { return true };
        let sent = sender.send_batchable(message::encode(deliver.message));
        let Ok(sent) = timeout(ANSWER_LIMIT, sent).await else { return false };
        if let Ok(settled) = sent {
            deliveries.spawn(async move {
                let outcome = settled.await.ok()?;
                Some((deliver.id, message::outcome(outcome)))
            });
        }
        true
    }

    async fn close(&mut self, condition: String, description: String) {
        let error = message::error(condition, description);
        let _ = timeout(CLOSE_LIMIT, self.connection.close_with_error(error)).await;
    }
}

/// What the stack does not tell of a client, told to the machine as it comes.
struct Watch {
    connection: Connection,
    shared: Arc<Shared>,
    last_seen: Instant,
    /// Links of the client so far.
    links: u32,
    /// Number and handle of the link that the machine confirmed.
    confirmed: Option<(u32, u32)>,
    /// Handles of links that were refused and are not detached yet.
    refused: HashSet<u32>,
}

impl Watch {
    fn new(connection: Connection, shared: &Arc<Shared>) -> Self {
        Self {
            connection,
            shared: Arc::clone(shared),
            last_seen: Instant::now(),
            links: 0,
            confirmed: None,
            refused: HashSet::new(),
        }
    }

    fn see(&mut self, seen: Seen) -> Verdict {
        self.last_seen = Instant::now();
        let Seen::Frame(Some(performative)) = seen else {
            return Verdict::Pass;
        };
        match *performative {
            Performative::Attach(attach) => {
                self.links += 1;
                let (link, handle) = (self.links, attach.handle.0);
                let role = match attach.role {
                    Role::Sender => server::Role::Sender,
                    Role::Receiver => server::Role::Receiver,
                };
                match self.shared.attach(self.connection, link, role) {
                    Some(Action::Attach(_)) => {
                        self.confirmed = Some((link, handle));
                        Verdict::Pass
                    }
                    Some(Action::Detach(detach)) => {
                        self.refused.insert(handle);
                        if self.refused.len() > wire::MAX_REFUSED {
                            return Verdict::Break(wire::TOO_MANY_LINKS);
                        }
                        let error = message::error(detach.condition, detach.description);
                        Verdict::Answer(wire::refuse(attach, error))
                    }
                    _ => Verdict::Answer(Vec::new()),
                }
            }
            Performative::Detach(detach) if self.refused.remove(&detach.handle.0) => {
                Verdict::Answer(Vec::new())
            }
            Performative::Detach(detach) => {
                self.end_link(|handle| handle == detach.handle.0);
                Verdict::Pass
            }
            Performative::End(_) => {
                self.end_link(|_| true);
                Verdict::Pass
            }
            Performative::Flow(flow) => self.flow(&flow),
            _ => Verdict::Pass,
        }
    }

    fn flow(&self, flow: &Flow) -> Verdict {
        let Some(handle) = flow.handle.as_ref().map(|handle| handle.0) else {
            return Verdict::Pass;
        };
        if self.refused.contains(&handle) {
            return Verdict::Answer(Vec::new());
        }
        if let (true, Some(credit)) =
            (self.confirmed.is_some_and(|(_, known)| known == handle), flow.link_credit)
        {
            self.shared.credit(self.connection, flow.delivery_count.unwrap_or(0), credit);
        }
        Verdict::Pass
    }

    fn end_link(&mut self, is_it: impl FnOnce(u32) -> bool) {
        if let Some((link, _)) = self.confirmed.take_if(|(_, handle)| is_it(*handle)) {
            self.shared.feed(Detached::new(self.connection, link).into());
        }
    }
}

/// The next link that was confirmed; waits for ever without a session. None when the session has ended.
async fn next_attach(
    session: &mut Option<ListenerSessionHandle>,
) -> Option<fe2o3_amqp::types::performatives::Attach> {
    match session {
        Some(session) => session.next_incoming_attach().await,
        None => std::future::pending().await,
    }
}

/// The connection is over, for a reason that nobody asks for.
fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
