//! One connection: what the client says is told to the machine, and what that answers is said to the client.

use std::{collections::HashMap, num::NonZeroU16, sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use iot_sansio::mqtt::{ConnackCode, Token};
use kii_onboard::{
    KeepAlive, Stage,
    cloud::server::{self, Action, Deliver, Ping, Subscribe, Unsubscribe},
};
use rmqtt::codec::{
    types::Publish,
    v3::{Codec, Connect, ConnectAck, ConnectAckReason, Packet, QoS, SubscribeReturnCode},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Framed;

use super::shared::{Session, Shared};

/// The largest packet of a client, in bytes.
const MAX_PACKET: u32 = 1 << 20;
/// How long a client may take for the TLS handshake and CONNECT.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long a client may take nothing of what is sent to it.
const SEND_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn serve(
    stage: Stage,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stage, stream, &shared).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(CONNECT_LIMIT, tls.accept(stream)).await {
                speak(stage, stream, &shared).await;
            }
        }
    }
}

async fn speak(stage: Stage, stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Arc<Shared>) {
    let mut packets = Framed::new(stream, Codec::new(MAX_PACKET));
    let first = timeout(CONNECT_LIMIT, packets.next()).await;
    let Ok(Some(Ok((Packet::Connect(connect), _)))) = first else {
        return;
    };
    let session = shared.register();
    let mut client = Client { stage, session, packets, unanswered: HashMap::new(), last_token: 0 };
    client.connect(&connect);
    // None is the end, however it came.
    while client.step().await.is_some() {}
    let _ = timeout(SEND_LIMIT, client.packets.close()).await;
}

struct Client<S> {
    stage: Stage,
    session: Session,
    packets: Framed<S, Codec>,
    /// SUBSCRIBE and UNSUBSCRIBE, by the packet identifier.
    unanswered: HashMap<NonZeroU16, Vec<Filter>>,
    last_token: u64,
}

/// One filter of a packet, and its answer once the machine gave it.
struct Filter {
    token: Token,
    answer: Option<SubscribeReturnCode>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    fn connect(&self, connect: &Connect) {
        let mut input = server::Connect::new(self.session.link, self.stage, &connect.client_id);
        input.user_name = connect.username.as_deref();
        input.password = connect.password.as_deref();
        let keep_alive = KeepAlive::new(Duration::from_secs(connect.keep_alive.into()));
        self.session.tell(input.with_keep_alive(keep_alive));
    }

    async fn step(&mut self) -> Option<()> {
        tokio::select! {
            // What the machine said to something comes before what the client says next.
            biased;
            action = self.session.actions.recv() => self.perform(action?).await,
            packet = self.packets.next() => self.hear(packet?.ok()?.0).await,
        }
    }

    async fn perform(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Connack(connack) => {
                let ack = ConnectAck {
                    return_code: connack.refused.map_or(ACCEPTED, return_code),
                    session_present: false,
                };
                self.send(Packet::ConnectAck(ack)).await?;
                connack.refused.is_none().then_some(())
            }
            Action::Suback(suback) => {
                let granted = SubscribeReturnCode::Success(QoS::AtMostOnce);
                let answer = if suback.granted { granted } else { SubscribeReturnCode::Failure };
                let Some((packet_id, status)) = self.answer(suback.token, answer) else {
                    return Some(());
                };
                self.send(Packet::SubscribeAck { packet_id, status }).await
            }
            Action::Unsuback(unsuback) => {
                let ended = SubscribeReturnCode::Success(QoS::AtMostOnce);
                let Some((packet_id, _)) = self.answer(unsuback.token, ended) else {
                    return Some(());
                };
                self.send(Packet::UnsubscribeAck { packet_id }).await
            }
            Action::Deliver(deliver) => self.send(publish(deliver)).await,
            Action::Pong(_) => self.send(Packet::PingResponse).await,
            // Or an action that is unknown here.
            _ => None,
        }
    }

    async fn hear(&mut self, packet: Packet) -> Option<()> {
        let link = self.session.link;
        match packet {
            // One too many; the machine knows what to do about it.
            Packet::Connect(connect) => self.connect(&connect),
            Packet::Publish(publish) => {
                match (publish.qos, publish.packet_id) {
                    (QoS::AtMostOnce, _) => {}
                    (QoS::AtLeastOnce, Some(packet_id)) => {
                        self.send(Packet::PublishAck { packet_id }).await?;
                    }
                    // The cloud supports QoS 0, and things are known that used QoS 1.
                    _ => return None,
                }
                self.session.tell(server::Publish::new(link, &publish.topic, &publish.payload));
            }
            Packet::Subscribe { packet_id, topic_filters } => {
                let tokens = self.expect_answers(packet_id, topic_filters.len());
                for (token, (filter, _)) in tokens.into_iter().zip(&topic_filters) {
                    self.session.tell(Subscribe::new(link, token, filter));
                }
            }
            Packet::Unsubscribe { packet_id, topic_filters } => {
                let tokens = self.expect_answers(packet_id, topic_filters.len());
                for (token, filter) in tokens.into_iter().zip(&topic_filters) {
                    self.session.tell(Unsubscribe::new(link, token, filter));
                }
            }
            Packet::PingRequest => self.session.tell(Ping::new(link)),
            // DISCONNECT, or what a client may not say.
            _ => return None,
        }
        Some(())
    }

    /// A token for each filter of a packet.
    fn expect_answers(&mut self, packet_id: NonZeroU16, filters: usize) -> Vec<Token> {
        let mut tokens = Vec::new();
        for _ in 0..filters {
            self.last_token += 1;
            tokens.push(Token::new(self.last_token));
        }
        let filters = tokens.iter().map(|token| Filter { token: *token, answer: None }).collect();
        self.unanswered.insert(packet_id, filters);
        tokens
    }

    /// The answers of the packet that this was the last one for.
    fn answer(
        &mut self,
        token: Token,
        answer: SubscribeReturnCode,
    ) -> Option<(NonZeroU16, Vec<SubscribeReturnCode>)> {
        let (packet_id, filters) = self
            .unanswered
            .iter_mut()
            .find(|(_, filters)| filters.iter().any(|filter| filter.token == token))?;
        let packet_id = *packet_id;
        filters.iter_mut().find(|filter| filter.token == token)?.answer = Some(answer);
        let answers = filters.iter().map(|filter| filter.answer).collect::<Option<Vec<_>>>()?;
        self.unanswered.remove(&packet_id);
        Some((packet_id, answers))
    }

    async fn send(&mut self, packet: Packet) -> Option<()> {
        timeout(SEND_LIMIT, self.packets.send(packet)).await.ok()?.ok()
    }
}

fn publish(deliver: Deliver) -> Packet {
    Packet::Publish(Box::new(Publish {
        dup: false,
        retain: false,
        qos: QoS::AtMostOnce,
        topic: deliver.topic.into(),
        packet_id: None,
        payload: deliver.payload.into(),
        properties: None,
    }))
}

/// What MQTT has no code for is sent as the first one that it reserves.
fn return_code(code: ConnackCode) -> ConnectAckReason {
    ConnectAckReason::try_from(code.get()).unwrap_or(ConnectAckReason::Reserved)
}

const ACCEPTED: ConnectAckReason = ConnectAckReason::ConnectionAccepted;
