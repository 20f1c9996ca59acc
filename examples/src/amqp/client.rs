//! A session on the adapter, for one consumer of the embedded platform.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use amqp_auth::{
    Consumer, Credential, Endpoint, SignMethod,
    session::{CommandError, Config, Event, Received, Session},
};
use iot_sansio::{UnixMillis, WallClock, amqp::DeliveryId};

use super::{CLIENT_ID, GROUP};
use crate::{
    amqp_adapter::{Adapter, Error, Stepped},
    lifecycle::Failure,
    platform::Platform,
};

/// A session and its adapter. It gives its credential whenever one is wanted.
pub(super) struct Client {
    session: Session,
    adapter: Adapter,
    pub(super) credential: Credential,
    told: VecDeque<Event>,
    /// Why the last connection ended, as the adapter knows it.
    pub(super) error: Option<Error>,
}

impl Client {
    /// One that is started, and whose wall clock is so far behind.
    pub(super) fn start(
        platform: &Platform,
        credential: Credential,
        method: SignMethod,
        behind: Duration,
    ) -> Result<Self, Failure> {
        let endpoint = Endpoint::new("localhost")?.with_port(platform.port())?;
        let config = Config::new(endpoint, consumer()?).with_sign_method(method);
        let adapter = Adapter::new(platform.client_tls()?);
        let clock = WallClock::new(adapter.now(), wall().before(behind));
        // Chance is in the waits between attempts alone.
        let mut session = Session::new(config, clock, 1);
        session.start(adapter.now())?;
        Ok(Self { session, adapter, credential, told: VecDeque::new(), error: None })
    }

    /// The next thing that the session tells, but for what is answered here. Cancel safe.
    pub(super) async fn event(&mut self) -> Result<Event, Failure> {
        loop {
            match self.told.pop_front() {
                Some(Event::CredentialWanted(_)) => {
                    self.session.provide(self.adapter.now(), self.credential.clone())?;
                }
                Some(event) => return Ok(event),
                None => {
                    let tell = |event| self.told.push_back(event);
                    if let Stepped::Closed(_, error) =
                        self.adapter.step(&mut self.session, tell).await?
                    {
                        self.error = error;
                    }
                }
            }
        }
    }

    /// The next message; whatever else is told before it is not expected.
    pub(super) async fn message(&mut self) -> Result<Received, Failure> {
        loop {
            match self.event().await? {
                Event::Message(received) => return Ok(*received),
                Event::LoginWarning(_) | Event::Connected(_) => {}
                other => return Err(format!("no message: {other:?}").into()),
            }
        }
    }

    pub(super) async fn connected(&mut self) -> Result<(), Failure> {
        loop {
            match self.event().await? {
                Event::Connected(_) => return Ok(()),
                // A long token, which is warned of; and the end before it was started again.
                Event::LoginWarning(_) | Event::Stopped(_) => {}
                other => return Err(format!("not connected: {other:?} {:?}", self.error).into()),
            }
        }
    }

    pub(super) fn accept(&mut self, id: DeliveryId) -> Result<(), CommandError> {
        self.session.accept(self.adapter.now(), id)
    }

    /// How long from now to that moment.
    pub(super) fn until(&self, at: iot_sansio::MonoTime) -> Duration {
        at.since(self.adapter.now())
    }

    /// Does not wait for the next attempt: makes it now, with the right time.
    pub(super) fn restart(&mut self) -> Result<(), CommandError> {
        let now = self.adapter.now();
        self.session.stop(now)?;
        self.session.set_wall_clock(now, wall());
        self.session.start(now)
    }

    /// Gives back what was not answered, and ends.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        self.session.stop(self.adapter.now())?;
        while !matches!(self.event().await?, Event::Stopped(_)) {}
        self.adapter.close().await;
        Ok(())
    }
}

pub(super) fn consumer() -> Result<Consumer, amqp_auth::BuildError> {
    Consumer::new(CLIENT_ID, GROUP)
}

pub(super) fn wall() -> UnixMillis {
    SystemTime::now().into()
}
