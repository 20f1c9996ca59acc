//! A fleet against the service over real brokers: what it publishes is the truth, also when connections are lost.

use std::{net::Ipv4Addr, time::Duration};

use examples::{
    broker::Broker,
    lifecycle::{Play, Played},
    peers::Peer,
};
use iot_lifecycle::{history::History, presence::Note};
use iot_sansio::UnixMillis;
use tokio::{
    io::{AsyncReadExt as _, copy, split},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_millis(100);
const DEVICES: u32 = 300;

fn history() -> History {
    let mut history = History::new(11, DEVICES, UnixMillis::new(1_700_000_000_000));
    history.delay = Some(Duration::from_secs(300));
    history
}

/// Plays, and checks what must hold at any broker.
async fn play(port: u16) -> Played {
    let history = history();
    let mut heard = 0;
    let play = Play::new(port, WAIT);
    let played = timeout(HANG, play.run(&history, |_| heard += 1)).await.expect("no end in sight");
    let played = played.expect("it comes to its end");
    let sent = history.feed().len();
    assert_eq!(played.acknowledged, sent);
    assert!(played.arrivals.len() >= sent, "at least once: {} of {sent}", played.arrivals.len());
    assert_eq!(heard, played.arrivals.len());
    assert_eq!(played.errors(&history), 0, "devices wrong by the transitions");
    assert_eq!(played.fleet_errors(&history), 0, "devices wrong in the fleet");
    assert_eq!(played.statuses.len(), DEVICES as usize);
    let counters = played.fleet.counters();
    assert!(counters.noted(Note::Reset) > 0 && counters.noted(Note::LateConnect) > 0);
    played
}

#[tokio::test]
async fn the_published_states_are_the_truth_at_the_embedded_broker() {
    let broker = Broker::start().await.expect("a broker");
    assert_eq!(play(broker.port()).await.losses, 0);
}

#[tokio::test]
async fn the_published_states_are_the_truth_at_mosquitto() {
    let Some(peer) = Peer::mosquitto() else { return };
    assert_eq!(play(peer.port()).await.losses, 0);
}

/// Not the tracker's: `rmqtt` forgets what is on its way to a subscriber that is cut off, although it keeps the
/// session.
#[tokio::test]
async fn the_published_states_are_the_truth_when_the_service_loses_its_connections() {
    let broker = Broker::start().await.expect("a broker");
    let port = cutting_proxy(broker.port(), [CUT_AFTER, u64::MAX]).await;
    assert_eq!(play(port).await.losses, CUTS - 1, "all but the tracker's, which comes first");
}

#[tokio::test]
async fn the_published_states_are_the_truth_when_both_sides_lose_their_connections() {
    let Some(peer) = Peer::mosquitto() else { return };
    let port = cutting_proxy(peer.port(), [CUT_AFTER; 2]).await;
    assert_eq!(play(port).await.losses, CUTS);
}

/// How many connections the proxy cuts.
const CUTS: usize = 4;
/// The feed has some twenty times as many bytes; its acknowledgements have fewer.
const CUT_AFTER: u64 = 50_000;

/// Stands between clients and a broker, and cuts the first connections, with all that is on its way, after so many
/// bytes to the broker or from it. Gives its port.
async fn cutting_proxy(port: u16, limits: [u64; 2]) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let own_port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            let limits = if connection < CUTS { limits } else { [u64::MAX; 2] };
            tokio::spawn(forward(client, port, limits));
        }
    });
    own_port
}

async fn forward(client: TcpStream, port: u16, [up, down]: [u64; 2]) {
    let broker = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("a broker");
    let (from_client, mut to_client) = split(client);
    let (from_broker, mut to_broker) = split(broker);
    let (mut from_client, mut from_broker) = (from_client.take(up), from_broker.take(down));
    // Both end with the first: the streams are dropped.
    tokio::select! {
        _ = copy(&mut from_client, &mut to_broker) => {}
        _ = copy(&mut from_broker, &mut to_client) => {}
    }
}
