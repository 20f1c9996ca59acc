//! A machine on an MQTT connection that the application keeps.

use std::{collections::VecDeque, future::pending, mem, sync::Arc, time::Duration};

use iot_sansio::{
    Machine, MonoTime,
    mqtt::{CloseReason, ConnackCode, ConnectOptions, Link, Mqtt},
};
use tokio::time::{Instant, sleep_until};
use tokio_rustls::rustls::ClientConfig;

use crate::{
    lifecycle::Failure,
    mqtt_adapter::{Adapter, Stepped},
};

pub(super) struct Guest<M: Machine> {
    machine: M,
    adapter: Adapter,
    options: ConnectOptions,
    tls: Option<Arc<ClientConfig>>,
    link: Link,
    /// Its end was asked for, and the next connection follows.
    is_reopening: bool,
    /// When the next connection is opened.
    reopen_at: Option<Instant>,
    events: VecDeque<M::Event>,
}

impl<M> Guest<M>
where
    M: Machine<Vocabulary = Mqtt, Error: Send + Sync + 'static>,
{
    pub(super) fn open(
        machine: M,
        options: ConnectOptions,
        tls: Option<Arc<ClientConfig>>,
    ) -> Self {
        let mut guest = Self {
            machine,
            adapter: adapter(tls.as_ref()),
            options,
            tls,
            link: Link::new(1),
            is_reopening: false,
            reopen_at: None,
            events: VecDeque::new(),
        };
        guest.adapter.open(guest.link, &guest.options);
        guest
    }

    /// Commands the machine.
    pub(super) fn command<T>(&mut self, command: impl FnOnce(&mut M, MonoTime) -> T) -> T {
        command(&mut self.machine, self.adapter.now())
    }

    /// Ends the MQTT connection. The next one is opened when this one is over.
    pub(super) fn reopen(&mut self) {
        self.adapter.disconnect(self.link);
        self.is_reopening = true;
    }

    /// Puts another machine in the place of this one, which ends where it stands, with its MQTT connection.
    pub(super) async fn replace(&mut self, machine: M) {
        mem::replace(&mut self.adapter, adapter(self.tls.as_ref())).close().await;
        self.machine = machine;
        self.events.clear();
        self.reopen_at = None;
        self.link = Link::new(1);
        self.adapter.open(self.link, &self.options);
    }

    /// The next event; none comes from a machine that has ended. Cancel safe.
    pub(super) async fn event(&mut self) -> Result<M::Event, Failure> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(event);
            }
            let tell = |event| self.events.push_back(event);
            let stepped = tokio::select! {
                stepped = self.adapter.step(&mut self.machine, tell) => stepped?,
                () = sleep_until(self.reopen_at.unwrap_or_else(Instant::now)), if self.reopen_at.is_some() => {
                    self.reopen_at = None;
                    self.link = self.link.next();
                    self.adapter.open(self.link, &self.options);
                    continue;
                }
            };
            match stepped {
                Stepped::Running => {}
                Stepped::Closed(..) if mem::take(&mut self.is_reopening) => {
                    self.reopen_at = Some(Instant::now());
                }
                // A broker may still be busy with the last connection of this client.
                Stepped::Closed(closed, _) if closed.reason == BUSY => {
                    self.reopen_at = Some(Instant::now() + PAUSE);
                }
                Stepped::Closed(closed, error) => {
                    return Err(
                        format!("the broker is gone: {:?}, {error:?}", closed.reason).into()
                    );
                }
                Stepped::Finished => pending().await,
            }
        }
    }

    pub(super) async fn close(self) {
        self.adapter.close().await;
    }
}

fn adapter(tls: Option<&Arc<ClientConfig>>) -> Adapter {
    match tls {
        Some(tls) => Adapter::new().with_tls(Arc::clone(tls)),
        None => Adapter::new(),
    }
}

const BUSY: CloseReason = CloseReason::Refused(ConnackCode::SERVER_UNAVAILABLE);
/// Before the next attempt at a broker that is busy.
const PAUSE: Duration = Duration::from_millis(50);
