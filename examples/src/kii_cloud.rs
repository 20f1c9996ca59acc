//! The cloud that `kii-onboard` talks to, inside the process: its two MQTT brokers, over TCP and TLS.

use std::{io, mem, net::Ipv4Addr, sync::Arc};

use iot_sansio::MonoTime;
use kii_onboard::{
    DefaultBroker, Ports, Stage, TransportKind,
    cloud::{Cloud, Config, Event},
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::{TlsAcceptor, rustls::ClientConfig};

use self::{client::serve, shared::Shared};
use crate::{
    certificates::{self, Certificates},
    service::Events,
};

mod client;
mod shared;

/// The host of the default broker.
const HOST: &str = "localhost";

/// The `Cloud` machine of `kii-onboard` behind two real MQTT brokers, on free ports of 127.0.0.1.
///
/// The machine decides everything: who may connect, what is answered, and to whom. This only says it in MQTT 3.1 and
/// 3.1.1, with the codec of [`rmqtt`]. It is not that broker itself, which keeps one connection of each client id, answers
/// each PINGREQ, and sends nothing ahead of a SUBACK; its hooks cannot change that, and refuse with CONNACK codes 4 and 5
/// only. It stops when it is dropped, and cuts its connections.
///
/// ```
/// use examples::kii_cloud::KiiCloud;
/// use kii_onboard::{App, Stage, cloud::{Config, Effect, Fault, Requests}};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let cloud = KiiCloud::start(Config::new(App::new("app01", "key01")?, "localhost")).await?;
/// let _broker = cloud.default_broker(); // for a thing of this app
/// // The first answer to an onboarding gets lost.
/// let lost = Fault::on_request(Requests::any().ending("onboardings"), [Effect::Drop]);
/// cloud.command(|machine, now| machine.inject(now, lost))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KiiCloud {
    certificates: Certificates,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    ports: [Ports; 2],
    events: Events<Event>,
    /// Ends with this.
    _timer: JoinSet<()>,
    brokers: Brokers,
}

/// Why a cloud does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no certificates.
    #[error(transparent)]
    Certificates(#[from] certificates::Error),
    /// There is no port.
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

impl KiiCloud {
    /// Starts a cloud; both brokers accept connections once this returns.
    ///
    /// The ports of the second broker are filled in. Its host in the configuration has to be one that leads here, such
    /// as `localhost`.
    ///
    /// # Errors
    /// No port is to be had, or no randomness for certificates.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let certificates = Certificates::generate()?;
        let tls = TlsAcceptor::from(certificates.server()?);
        let mut listeners = Vec::new();
        let boot = listen(Stage::Boot, &mut listeners).await?;
        let api = listen(Stage::Api, &mut listeners).await?;
        let (teller, events) = Events::new();
        let shared = Arc::new(Shared::new(Cloud::new(config.with_ports(api)), teller));
        let mut timer = JoinSet::new();
        let time = Arc::clone(&shared);
        timer.spawn(async move { time.keep_time().await });
        let brokers = Brokers::run(listeners, &tls, &shared);
        Ok(Self { certificates, tls, shared, ports: [boot, api], events, _timer: timer, brokers })
    }

    /// The default broker, as a thing is told it.
    #[must_use]
    pub fn default_broker(&self) -> DefaultBroker {
        let mut broker = DefaultBroker::new(HOST);
        broker.ports = self.ports(Stage::Boot);
        broker
    }

    /// The ports of one broker on 127.0.0.1: those of TCP and TLS.
    #[must_use]
    pub fn ports(&self, stage: Stage) -> Ports {
        match stage {
            Stage::Boot => self.ports[0],
            Stage::Api => self.ports[1],
        }
    }

    /// The certificate that clients have to trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.certificates.ca_pem()
    }

    /// TLS for clients in this process.
    ///
    /// # Errors
    /// The certificate does not serve for TLS.
    pub fn client_tls(&self) -> Result<Arc<ClientConfig>, certificates::Error> {
        self.certificates.client()
    }

    /// Commands the machine, such as the mobile app's side and faults. What it says to that is done at once.
    pub fn command<T>(&self, command: impl FnOnce(&mut Cloud, MonoTime) -> T) -> T {
        self.shared.command(command)
    }

    /// Stops both brokers, which cuts all connections, and starts them again. The machine keeps what it knows.
    ///
    /// Their ports stay taken, since somebody else could get them meanwhile: whoever connects waits for the new brokers.
    pub async fn restart_brokers(&mut self) {
        let listeners = self.brokers.stop().await;
        self.brokers = Brokers::run(listeners, &self.tls, &self.shared);
    }

    /// The next thing that the machine tells. Of more than 4,096 that wait, the oldest are dropped and counted in
    /// [`missed`](Self::missed). Cancel safe.
    pub async fn event(&mut self) -> Event {
        self.events.next().await
    }

    /// How many events were dropped before the last one that was taken: nobody asked for them in time.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.events.missed()
    }
}

/// What listens and serves.
struct Brokers {
    listening: JoinSet<Listener>,
    stop: watch::Sender<()>,
}

impl Brokers {
    fn run(listeners: Vec<Listener>, tls: &TlsAcceptor, shared: &Arc<Shared>) -> Self {
        let (stop, stopped) = watch::channel(());
        let mut listening = JoinSet::new();
        for listener in listeners {
            listening.spawn(accept(listener, tls.clone(), Arc::clone(shared), stopped.clone()));
        }
        Self { listening, stop }
    }

    /// Returns when no connection is open any more.
    async fn stop(&mut self) -> Vec<Listener> {
        let _ = self.stop.send(());
        mem::take(&mut self.listening).join_all().await
    }
}

struct Listener {
    stage: Stage,
    kind: TransportKind,
    listener: TcpListener,
}

/// Listens on free ports, and tells them.
async fn listen(stage: Stage, listeners: &mut Vec<Listener>) -> io::Result<Ports> {
    let mut taken = NO_PORTS;
    for kind in [TransportKind::Tcp, TransportKind::Tls] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        taken = taken.with(kind, Some(listener.local_addr()?.port()));
        listeners.push(Listener { stage, kind, listener });
    }
    Ok(taken)
}

/// Serves until it is told to stop; then its connections are cut, and what listens is given back.
async fn accept(
    listener: Listener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<()>,
) -> Listener {
    let mut clients = JoinSet::new();
    loop {
        let stream = tokio::select! {
            _ = stopped.changed() => break,
            accepted = listener.listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        while clients.try_join_next().is_some() {}
        let tls = (listener.kind == TransportKind::Tls).then(|| tls.clone());
        clients.spawn(serve(listener.stage, stream, tls, Arc::clone(&shared)));
    }
    clients.shutdown().await;
    listener
}

const NO_PORTS: Ports = Ports { tcp: None, ssl: None, ws: None, wss: None };
