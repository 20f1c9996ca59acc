//! One connection: what the client says is told to the machine, and what that answers is said to the client.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use amqp_auth::platform::server::{
    self, Action, Closed, Connected, Detached, Opened, SaslInit as Login, Settled,
};
use fe2o3_amqp::{
    Sender,
    acceptor::{
        ConnectionAcceptor, LinkAcceptor, LinkEndpoint, ListenerConnectionHandle,
        ListenerSessionHandle, SessionAcceptor,
    },
    types::{
        definitions::Role,
        performatives::{Disposition, Flow, Performative},
        primitives::{Array, Symbol},
        sasl::{SaslCode, SaslInit, SaslMechanisms, SaslOutcome},
    },
};
use iot_sansio::amqp::{Connection, DeliveryId, Outcome, Transport};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc::UnboundedReceiver,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{message, shared::Shared};
use crate::amqp_adapter::wire::{self, Lifeline, Seen, Verdict, Wire};

const SASL: [u8; 8] = *b"AMQP\x03\x01\x00\x00";
const AMQP: [u8; 8] = *b"AMQP\x00\x01\x00\x00";
/// The largest SASL frame, in bytes. AMQP says 512, which is too little for the tokens of temporary keys.
const MAX_SASL_FRAME: usize = 8_192;
/// How long a client may take for the TLS handshake; the machine's time begins after it.
const TLS_LIMIT: Duration = Duration::from_secs(15);
/// How long a client may take to answer a Close.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// How long the stack may take to tell of what it has.
const SETTLE_LIMIT: Duration = Duration::from_secs(1);
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

impl Client {
    async fn run(&mut self, mut stream: TlsStream<TcpStream>) -> io::Result<()> {
        self.log_in(&mut stream).await?;
        let (beginning, idle_timeout) = self.read_open(&mut stream).await?;
        self.shared.feed(Opened::new(self.connection, idle_timeout).into());
        let (own_idle_timeout, close) = match self.answer(&mut stream).await? {
            Action::Open(open) => (open.idle_timeout, None),
            Action::Close(close) => (None, Some(close)),
            _ => return Err(gone()),
        };
        let watch = Arc::new(Mutex::new(Watch::new(self.connection, &self.shared)));
        let seen = Arc::clone(&watch);
        let (wire, lifeline) = Wire::new(stream, move |seen_now| lock(&seen).see(seen_now));
        let wire = wire.with_beginning(&beginning, AMQP.len())?;
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
            None => {
                let mut deliveries = JoinSet::new();
                self.converse(&mut live, &watch, idle_timeout, &mut deliveries).await;
                // What came before the end counts, although the stack is still busy with it.
                let rest = async {
                    while lock(&watch).unsettled() {
                        let Some(settled) = deliveries.join_next().await else { return };
                        self.settled(settled, &watch);
                    }
                };
                let _ = timeout(SETTLE_LIMIT, rest).await;
            }
        }
        Ok(())
    }

    /// SASL, which the stack cannot wait with for an answer, and cuts at 512 bytes.
    async fn log_in(&mut self, stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
        let mut header = [0; 8];
        self.unless_cut(stream.read_exact(&mut header)).await?;
        stream.write_all(&SASL).await?;
        if header != SASL {
            return Err(gone());
        }
        let sasl_server_mechanisms = Array::from(vec![Symbol::from("PLAIN")]);
        let mechanisms = serde_amqp::to_vec(&SaslMechanisms { sasl_server_mechanisms });
        stream.write_all(&sasl_frame(mechanisms)?).await?;
        stream.flush().await?;

        let frame = self.unless_cut(read_frame(stream, MAX_SASL_FRAME)).await?;
        let init: SaslInit = serde_amqp::from_slice(body(&frame)?).map_err(io::Error::other)?;
        let response = init.initial_response.unwrap_or_default().into_vec();
        let mut parts = response.splitn(3, |&byte| byte == 0);
        let (Some(_), Some(user_name), Some(password), "PLAIN") =
            (parts.next(), parts.next(), parts.next(), init.mechanism.as_str())
        else {
            return Err(gone());
        };
        self.shared.feed(Login::new(self.connection, user_name, password).into());
        let Action::SaslOutcome(answer) = self.answer(stream).await? else {
            return Err(gone());
        };
        let code = match answer.code.get() {
            0 => SaslCode::Ok,
            1 => SaslCode::Auth,
            2 => SaslCode::Sys,
            3 => SaslCode::SysPerm,
            _ => SaslCode::SysTemp,
        };
        let refused = code != SaslCode::Ok;
        let outcome = serde_amqp::to_vec(&SaslOutcome { code, additional_data: None });
        stream.write_all(&sasl_frame(outcome)?).await?;
        stream.flush().await?;
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
        let mut beginning = vec![0; AMQP.len()];
        self.unless_cut(stream.read_exact(&mut beginning)).await?;
        stream.write_all(&AMQP).await?;
        stream.flush().await?;
        if beginning != AMQP {
            return Err(gone());
        }
        let max = usize::try_from(wire::MAX_FRAME).map_err(io::Error::other)?;
        let frame = self.unless_cut(read_frame(stream, max)).await?;
        let performative = serde_amqp::from_slice(body(&frame)?).map_err(io::Error::other)?;
        let Performative::Open(open) = performative else {
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

    /// What the machine answers, unless the client goes before.
    async fn answer(&mut self, stream: &mut TlsStream<TcpStream>) -> io::Result<Action> {
        tokio::select! {
            action = self.actions.recv() => action.ok_or_else(gone),
            // It has nothing to say before the answer.
            _ = stream.read_u8() => Err(gone()),
        }
    }

    fn settled(
        &self,
        settled: Result<Option<(DeliveryId, Outcome)>, JoinError>,
        watch: &Mutex<Watch>,
    ) {
        if let Ok(Some((id, outcome))) = settled {
            lock(watch).settled += 1;
            self.shared.feed(Settled::new(id, outcome).into());
        }
    }

    async fn converse(
        &mut self,
        live: &mut Live,
        watch: &Mutex<Watch>,
        idle_timeout: Option<Duration>,
        deliveries: &mut JoinSet<Option<(DeliveryId, Outcome)>>,
    ) {
        let due = |watch| idle_timeout.map(|longest| lock::<Watch>(watch).last_seen + longest);
        loop {
            let silent = due(watch);
            tokio::select! {
                action = self.actions.recv() => match action {
                    Some(Action::Deliver(deliver)) => {
                        let Some((_, sender)) = &mut live.sender else { continue };
                        let sent = sender.send_batchable(message::encode(deliver.message)).await;
                        if let Ok(settled) = sent {
                            deliveries.spawn(async move {
                                let outcome = settled.await.ok()?;
                                Some((deliver.id, message::outcome(outcome)))
                            });
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
                    Some(Action::Abort(_)) | None => {
                        // Nothing counts any more.
                        deliveries.abort_all();
                        return;
                    }
                    Some(_) => {}
                },
                Some(settled) = deliveries.join_next() => self.settled(settled, watch),
                incoming = live.connection.next_incoming_session() => {
                    let Some(incoming) = incoming else { return };
                    let acceptor = SessionAcceptor::new();
                    let begun = acceptor.accept_incoming_session(incoming, &mut live.connection);
                    // One session is all that a receiver needs; another is ended as it is dropped.
                    if let (Ok(begun), None) = (begun.await, &live.session) {
                        live.session = Some(begun);
                    }
                }
                attach = next_attach(&mut live.session) => {
                    let Some(attach) = attach else {
                        live.session = None;
                        continue;
                    };
                    let Some(session) = &mut live.session else { continue };
                    let accepted = LinkAcceptor::new().accept_incoming_attach(attach, session).await;
                    if let Ok(LinkEndpoint::Sender(sender)) = accepted {
                        live.sender = lock(watch).confirmed.map(|(link, _)| (link, sender));
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
}

impl Live {
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
    /// Deliveries that the client has settled, and those of them that the stack has told.
    seen_settled: u64,
    settled: u64,
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
            seen_settled: 0,
            settled: 0,
        }
    }

    /// Whether the stack has yet to tell of what the client settled.
    fn unsettled(&self) -> bool {
        self.settled < self.seen_settled
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
            Performative::Disposition(disposition) => {
                let Disposition { first, last, .. } = disposition;
                self.seen_settled += u64::from(last.unwrap_or(first).saturating_sub(first)) + 1;
                Verdict::Pass
            }
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

async fn read_frame(stream: &mut TlsStream<TcpStream>, max: usize) -> io::Result<Vec<u8>> {
    let size = stream.read_u32().await?;
    let length = usize::try_from(size).map_err(io::Error::other)?;
    if !(8..=max).contains(&length) {
        return Err(gone());
    }
    let mut frame = vec![0; length];
    frame[..4].copy_from_slice(&size.to_be_bytes());
    stream.read_exact(&mut frame[4..]).await?;
    Ok(frame)
}

fn body(frame: &[u8]) -> io::Result<&[u8]> {
    frame.get(usize::from(frame[4]) * 4..).ok_or_else(gone)
}

fn sasl_frame(body: Result<Vec<u8>, serde_amqp::Error>) -> io::Result<Vec<u8>> {
    let body = body.map_err(io::Error::other)?;
    let size = u32::try_from(8 + body.len()).map_err(io::Error::other)?;
    Ok([&size.to_be_bytes()[..], &[2, 1, 0, 0], &body].concat())
}

/// The connection is over, for a reason that nobody asks for.
fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
