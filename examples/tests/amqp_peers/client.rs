//! The session of `amqp-auth` on the adapter, as an application would run it.

use std::{collections::VecDeque, sync::Arc, time::SystemTime};

use amqp_auth::{
    Endpoint,
    message::{Attributes, Message, MessageId},
    session::{Cause, Config, CredentialReason, CredentialWanted, Event, Session},
};
use examples::amqp_adapter::Adapter;
use iot_sansio::{Machine as _, MonoTime, UnixMillis, WallClock};
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use crate::{
    GENERATE_TIME, HANG, MESSAGES, TOPIC,
    attempt::{Attempt, Fault, STALE},
    message_id,
};

/// Where to connect to, and what to ask for there.
#[derive(Clone)]
pub(crate) struct Server {
    /// Of `localhost`.
    pub(crate) port: u16,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) source: &'static str,
    pub(crate) credit: u32,
}

pub(crate) struct Client {
    session: Session,
    adapter: Adapter,
    clock: WallClock,
    attempt: Attempt,
    events: VecDeque<Event>,
}

impl Client {
    /// Starts connecting.
    pub(crate) fn start(server: Server, attempt: Attempt) -> Self {
        let localhost = Endpoint::new("localhost").and_then(|host| host.with_port(server.port));
        let config = Config::new(localhost.expect("an endpoint"), attempt.consumer())
            .with_source(server.source)
            .with_sign_method(attempt.method)
            .with_credit(server.credit)
            .expect("a credit");
        let mut wall = UnixMillis::from(SystemTime::now());
        if attempt.fault == Some(Fault::Stale) {
            wall = wall.before(STALE);
        }
        let clock = WallClock::new(MonoTime::ORIGIN, wall);
        let mut session = Session::new(config, clock, 1);
        let adapter = Adapter::new(server.tls);
        session.start(adapter.now()).expect("it is not started yet");
        Self { session, adapter, clock, attempt, events: VecDeque::new() }
    }

    /// Accepts all messages, which have to be those that were put there, and in that order.
    pub(crate) async fn receive(&mut self) {
        let mut count = 0;
        while count < MESSAGES {
            match self.next().await {
                Event::Message(received) => {
                    check(&received.message, count);
                    count += 1;
                    let now = self.adapter.now();
                    self.session.accept(now, received.id).expect("it waits for that");
                }
                Event::Connected(_) => {}
                other => panic!("{other:?} instead of message {count}"),
            }
        }
    }

    /// Closes the connection.
    pub(crate) async fn stop(mut self) {
        self.session.stop(self.adapter.now()).expect("it is started");
        match self.next().await {
            Event::Stopped(_) => {}
            other => panic!("{other:?} instead of the end"),
        }
    }

    /// How the connection fails, and how the credential for the next attempt is asked for: its time is not waited for.
    pub(crate) async fn refusal(mut self) -> (Cause, CredentialReason) {
        let (disconnected, retry) = match (self.next().await, self.next().await) {
            (Event::Disconnected(disconnected), Event::RetryAt(retry)) => (disconnected, retry),
            other => panic!("{other:?} instead of a refusal"),
        };
        self.session.handle_timeout(retry.at);
        match self.next_of_all().await {
            Event::CredentialWanted(CredentialWanted { reason, .. }) => {
                (disconnected.cause, reason)
            }
            other => panic!("{other:?} instead of another attempt"),
        }
    }

    /// The next event; credentials are given when they are wanted.
    async fn next(&mut self) -> Event {
        loop {
            match self.next_of_all().await {
                Event::CredentialWanted(_) => self.provide(),
                // Of a token that is longer than all stacks take: these do.
                Event::LoginWarning(_) => {}
                event => return event,
            }
        }
    }

    fn provide(&mut self) {
        let now = self.adapter.now();
        let provided = match self.attempt.fault {
            // As another signer would make them, as the session makes none like that.
            Some(Fault::Password | Fault::Timestamp) => {
                self.session.provide_login(now, self.attempt.login(self.clock.at(now)))
            }
            _ => self.session.provide(now, self.attempt.credential()),
        };
        provided.expect("it was wanted");
    }

    async fn next_of_all(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let tell = |event| self.events.push_back(event);
            let stepped = timeout(HANG, self.adapter.step(&mut self.session, tell)).await;
            stepped.expect("no event in sight").expect("no input is refused");
        }
    }
}

fn check(message: &Message<'_>, number: usize) {
    let Attributes { topic, message_id: id, generate_time, .. } = &message.attributes;
    assert_eq!(topic.as_deref(), Some(TOPIC));
    assert_eq!(id.as_ref().map(MessageId::as_str), Some(&*message_id(number)));
    assert_eq!(*generate_time, Some(GENERATE_TIME));
    assert_eq!(*message.payload, *number.to_string().as_bytes());
}
