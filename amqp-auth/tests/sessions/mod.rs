//! A session to test with, and its outputs as text.

#![allow(dead_code, reason = "each test file uses some of it")]

use amqp_auth::{
    AuthMode, Consumer, Credential, Endpoint, Login, SignMethod, UnsignedLogin,
    session::{Cause, Config, CredentialReason, Event, InputError, Session},
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis, WallClock,
    amqp::{
        Action, Attached, Body, CloseReason, Closed, Connected, Connection, Delivery, DeliveryId,
        Detached, Error, Input, Message, Opened, SaslCode, Transport, Value,
    },
};

pub(crate) const EPOCH: i64 = 1_700_000_000_000;
pub(crate) const SEED: u64 = 7;
pub(crate) const SECRET: &str = "canary-secret-of-the-key";
pub(crate) const TOKEN: &str = "canary-token-of-the-key";

pub(crate) fn config() -> Config {
    let consumer = Consumer::new("client-01", "DEFAULT_GROUP").unwrap();
    Config::new(Endpoint::new("h.example").unwrap(), consumer)
}

pub(crate) fn clock() -> WallClock {
    WallClock::new(MonoTime::ORIGIN, UnixMillis::new(EPOCH))
}

pub(crate) fn session() -> Session {
    Session::new(config(), clock(), SEED)
}

pub(crate) fn key() -> Credential {
    Credential::key("LTAI5tEXAMPLEKEY00000001", SECRET)
}

/// One with a token that expires at this time of the session.
pub(crate) fn token(expires_at: i64) -> Credential {
    let expires_at = UnixMillis::new(EPOCH + expires_at);
    Credential::sts("STS.EXAMPLEKEY0000000000002", SECRET, TOKEN, Some(expires_at))
}

/// A login that another signer made for the client of these sessions.
pub(crate) fn signed_elsewhere(timestamp: i64) -> Login {
    login_of("client-01", timestamp)
}

/// A login that another signer made for this client.
pub(crate) fn login_of(client_id: &str, timestamp: i64) -> Login {
    let consumer = Consumer::new(client_id, "DEFAULT_GROUP").unwrap();
    let (mode, method) = (AuthMode::AkSign, SignMethod::HmacSha1);
    let unsigned = UnsignedLogin::new(&consumer, mode, "LTAI5tEXAMPLEKEY00000001", None, method);
    unsigned.unwrap().login(UnixMillis::new(timestamp), &[7; 20]).unwrap()
}

pub(crate) fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

/// Everything that is to be drained.
pub(crate) fn drain(session: &mut Session) -> Vec<Output<Action, Event>> {
    let mut outputs = Vec::new();
    loop {
        match session.poll_output() {
            Output::Idle(_) => return outputs,
            output => outputs.push(output),
        }
    }
}

/// The deadline of a drained session.
pub(crate) fn deadline(session: &mut Session) -> Option<MonoTime> {
    match session.poll_output() {
        Output::Idle(deadline) => deadline,
        output => panic!("not drained: {output:?}"),
    }
}

/// What a drained session waits for to try again, in milliseconds.
pub(crate) fn retry_at(outputs: &[Output<Action, Event>]) -> Option<MonoTime> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Event::RetryAt(retry)) => Some(retry.at),
        _ => None,
    })
}

/// Drains a session that waits for its next attempt, and lets the time of that come. Gives it.
pub(crate) fn wait_for_retry(session: &mut Session) -> MonoTime {
    let retry = retry_at(&drain(session)).unwrap();
    session.handle_timeout(retry);
    retry
}

pub(crate) fn text(output: &Output<Action, Event>) -> String {
    match output {
        Output::Action(Action::Dial(_)) => "dial".into(),
        Output::Action(Action::Open(open)) => {
            let user_name = open.options.user_name.expose();
            let parsed = amqp_auth::UserName::parse(user_name).unwrap();
            let idle = open.options.idle_timeout.as_millis();
            format!("open timestamp={} idle={idle}", parsed.timestamp())
        }
        Output::Action(Action::Attach(attach)) => format!("attach {}", attach.source),
        Output::Action(Action::Flow(flow)) => format!("flow {}", flow.credit),
        Output::Action(Action::Settle(settle)) => {
            format!("settle {} {:?}", settle.id.number, settle.outcome)
        }
        Output::Action(Action::Close(_)) => "close".into(),
        Output::Action(Action::Abort(_)) => "abort".into(),
        Output::Event(Event::CredentialWanted(wanted)) => {
            format!("want {}", reason(wanted.reason))
        }
        Output::Event(Event::LoginWarning(told)) => format!("warning {:?}", told.warning),
        Output::Event(Event::Connected(_)) => "connected".into(),
        Output::Event(Event::Message(received)) => format!("message {}", received.id.number),
        Output::Event(Event::AckLate(late)) => format!("late {}", late.id.number),
        Output::Event(Event::Overflow(overflow)) => format!("overflow {}", overflow.id.number),
        Output::Event(Event::Disconnected(disconnected)) => match &disconnected.cause {
            Cause::Link(Some(condition)) => format!("disconnected Link({})", condition.symbol),
            Cause::Peer(Some(condition)) => format!("disconnected Peer({})", condition.symbol),
            cause => format!("disconnected {cause:?}"),
        },
        Output::Event(Event::RetryAt(_)) => "retry".into(),
        Output::Event(Event::Stopped(stopped)) => format!("stopped {:?}", stopped.reason),
        other => panic!("unknown to these tests: {other:?}"),
    }
}

pub(crate) fn reason(reason: CredentialReason) -> &'static str {
    match reason {
        CredentialReason::Attempt => "attempt",
        CredentialReason::Rejected => "rejected",
        CredentialReason::Expiring => "expiring",
        CredentialReason::OutOfTime => "out of time",
        CredentialReason::Refresh => "refresh",
        _ => "?",
    }
}

/// The texts of everything that is to be drained.
pub(crate) fn texts(session: &mut Session) -> Vec<String> {
    drain(session).iter().map(text).collect()
}

/// Feeds an input that is named by these words, for this connection.
pub(crate) fn feed(session: &mut Session, now: MonoTime, connection: Connection, words: &[&str]) {
    try_feed(session, now, connection, words).unwrap();
}

/// The same, where it may be refused.
pub(crate) fn try_feed(
    session: &mut Session,
    now: MonoTime,
    connection: Connection,
    words: &[&str],
) -> Result<(), InputError> {
    let sasl: SaslCode;
    let error;
    let input: Input<'_> = match words {
        ["connected", "tls"] => Connected::new(connection, Transport::Tls).into(),
        ["connected", "tcp"] => Connected::new(connection, Transport::Tcp).into(),
        ["opened"] => Opened::new(connection, None).into(),
        ["attached"] => Attached::new(connection).into(),
        ["detached", condition] => {
            error = Error::new(condition, None);
            Detached::new(connection, Some(error)).into()
        }
        ["closed", why @ ..] => {
            let reason = match why {
                ["lost"] => CloseReason::Lost,
                ["version"] => CloseReason::Version,
                ["mechanism"] => CloseReason::Mechanism,
                ["requested"] => CloseReason::Requested,
                ["refused", code] => {
                    sasl = SaslCode::new(code.parse().unwrap());
                    CloseReason::Refused(sasl)
                }
                ["peer", condition] => CloseReason::Peer(Some(Error::new(condition, None))),
                other => panic!("no reason: {other:?}"),
            };
            Closed::new(connection, reason).into()
        }
        other => panic!("no input: {other:?}"),
    };
    session.handle_input(now, input)
}

/// Runs from the start to the receiver link at one moment. Gives the connection.
pub(crate) fn run(session: &mut Session, now: MonoTime) -> Connection {
    session.start(now).unwrap();
    session.provide(now, key()).unwrap();
    finish_attempt(session, now)
}

/// Takes an attempt that dials to the receiver link.
pub(crate) fn finish_attempt(session: &mut Session, now: MonoTime) -> Connection {
    let connection = dialed(session);
    for words in [["connected", "tls"].as_slice(), &["opened"], &["attached"]] {
        feed(session, now, connection, words);
    }
    drain(session);
    connection
}

/// The connection of the dial that is to be drained, among other outputs.
pub(crate) fn dialed(session: &mut Session) -> Connection {
    let outputs = drain(session);
    let dial = outputs.iter().find_map(|output| match output {
        Output::Action(Action::Dial(dial)) => Some(dial.connection),
        _ => None,
    });
    dial.unwrap_or_else(|| panic!("no dial: {outputs:?}"))
}

/// Delivers a message with this id and returns what comes of it.
pub(crate) fn deliver(
    session: &mut Session,
    now: MonoTime,
    id: DeliveryId,
    message_id: Option<&str>,
) -> Vec<String> {
    let properties: Vec<_> = message_id
        .map(|message_id| ("messageId".into(), Value::String(message_id.into())))
        .into_iter()
        .collect();
    let message = Message::new(&properties, Body::Data(&[b"canary-body"]));
    session.handle_input(now, Delivery::new(id, message).into()).unwrap();
    texts(session)
}
