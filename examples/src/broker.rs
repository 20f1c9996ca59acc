//! A real MQTT broker inside the process, so that programs and tests need no installation.

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU16,
};

use rmqtt::{Result, context::ServerContext, net, server::MqttServer};
use tokio::runtime::{self, Runtime};

/// Messages kept for one client that is slower than its publishers. By default 1,000: the rest of a burst is lost.
const MAX_QUEUED: usize = 100_000;
/// Unacknowledged messages a client. By default 16.
const MAX_INFLIGHT: NonZeroU16 = NonZeroU16::new(1000).unwrap();

/// An `rmqtt` broker on a free port of 127.0.0.1, that admits everyone.
///
/// It runs on a thread of its own and stops when it is dropped: its connections are cut then. Brokers in one process
/// share nothing.
///
/// ```
/// use examples::broker::Broker;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let broker = Broker::start().await?;
/// assert_ne!(broker.port(), 0);
/// # Ok::<(), rmqtt::net::Error>(())
/// # })?;
/// # Ok::<(), rmqtt::net::Error>(())
/// ```
pub struct Broker {
    port: u16,
    /// Its own, since the broker keeps no list of the tasks it spawns: they end with their runtime. None once dropped.
    runtime: Option<Runtime>,
}

impl Broker {
    /// Starts a broker; it accepts connections once this returns.
    ///
    /// # Errors
    /// No thread or no port is to be had.
    pub async fn start() -> Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("broker")
            .enable_all()
            .build()?;
        let listening = runtime.spawn(listen());
        let mut broker = Self { port: 0, runtime: Some(runtime) };
        broker.port = listening.await??;
        Ok(broker)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime must not be waited for inside another one.
            runtime.shutdown_background();
        }
    }
}

async fn listen() -> Result<u16> {
    // It would refuse clients while the machine is busy with other things.
    let context = ServerContext::new().busy_check_enable(false).build().await;
    let listener = net::Builder::new()
        .laddr(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .nodelay(true)
        .max_inflight(MAX_INFLIGHT)
        .max_mqueue_len(MAX_QUEUED)
        .bind()?
        .tcp()?;
    let port = listener.local_addr()?.port();
    let server = MqttServer::new(context).listener_by_id(listener, port).build();
    tokio::spawn(server.run());
    Ok(port)
}
