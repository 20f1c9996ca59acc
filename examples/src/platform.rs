//! The service that the AMQP crates talk to, inside the process: an AMQP 1.0 server over TLS.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::SystemTime,
};

use amqp_auth::platform::{self as machine, Config, Event};
use iot_sansio::{MonoTime, UnixMillis, WallClock, amqp::Connection};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::{TlsAcceptor, rustls::ClientConfig};

use self::{client::serve, shared::Shared};
use crate::{
    certificates::{self, Certificates},
    service::Events,
};

mod client;
mod message;
mod shared;

/// The `Platform` machine of `amqp-auth` behind a real AMQP server, on a free port of 127.0.0.1.
///
/// The machine decides everything; this only says it in AMQP. It stops when it is dropped, and cuts its connections.
///
/// ```
/// use amqp_auth::platform::{Account, Config, Push};
/// use examples::platform::Platform;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let account = Account::new("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001")
///     .with_group("DEFAULT_GROUP");
/// let platform = Platform::start(Config::default().with_account(account)).await?;
/// let status = Push::new("/as/mqtt/status/pk1/dn1", br#"{"status":"online"}"#);
/// // Sent as soon as a client of the group has attached and given credit.
/// platform.command(|machine, now| machine.push(now, "DEFAULT_GROUP", status)).unwrap();
/// # Ok::<(), examples::platform::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Platform {
    port: u16,
    certificates: Certificates,
    shared: Arc<Shared>,
    events: Events<Event>,
    /// Listens, keeps the time and serves; ends with this.
    _tasks: JoinSet<()>,
}

/// Why a platform does not start.
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

impl Platform {
    /// Starts a platform by the clock of this machine; it accepts connections once this returns.
    ///
    /// # Errors
    /// No port is to be had, or no randomness for certificates.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let certificates = Certificates::generate()?;
        let tls = TlsAcceptor::from(certificates.server()?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();

        let clock = WallClock::new(MonoTime::ORIGIN, UnixMillis::from(SystemTime::now()));
        let (teller, events) = Events::new();
        let shared = Arc::new(Shared::new(machine::Platform::new(config, clock), teller));
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, tls, Arc::clone(&shared)));
        let timer = Arc::clone(&shared);
        tasks.spawn(async move { timer.keep_time().await });
        Ok(Self { port, certificates, shared, events, _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
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

    /// Commands the machine: push, duplicate, refuse, lose, stall, close, abort. What it says to that is done at once.
    pub fn command<T>(&self, command: impl FnOnce(&mut machine::Platform, MonoTime) -> T) -> T {
        self.shared.command(command)
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

async fn listen(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let mut clients = JoinSet::new();
    let mut connection = Connection::new(0);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        while clients.try_join_next().is_some() {}
        connection = connection.next();
        clients.spawn(serve(connection, stream, tls.clone(), Arc::clone(&shared)));
    }
}
