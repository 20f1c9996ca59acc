//! Clients in other languages, with logins that those sign themselves, at our platform.

use std::time::SystemTime;

use amqp_auth::{
    AuthMode,
    platform::{Account, Config, Disconnect, Event, Push},
};
use examples::{peers::Script, platform::Platform};
use iot_sansio::{UnixMillis, amqp::Outcome};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    GENERATE_TIME, GROUP, HANG, INSTANCE, KEY_ID, KEY_SECRET, MESSAGES, STS_ID, STS_SECRET,
    STS_TOKEN, TOPIC,
    attempt::{Attempt, Fault, STALE},
};

/// Fewer than messages, so that it has to be granted again.
const CREDIT: u32 = 2;

#[tokio::test]
async fn rhea_gets_its_messages_with_logins_that_it_signs() {
    accepts(async |input: &str| Script::rhea("rhea_client.js", input).await).await;
}

#[tokio::test]
async fn rhea_is_refused_with_bad_logins() {
    refuses(async |input: &str| Script::rhea("rhea_client.js", input).await).await;
}

#[tokio::test]
async fn proton_gets_its_messages_with_logins_that_it_signs() {
    accepts(async |input: &str| Script::proton("proton_client.py", input).await).await;
}

#[tokio::test]
async fn proton_is_refused_with_bad_logins() {
    refuses(async |input: &str| Script::proton("proton_client.py", input).await).await;
}

async fn accepts(start: impl AsyncFn(&str) -> Option<Script>) {
    let mut platform = platform().await;
    for attempt in Attempt::good() {
        let mut expected = Vec::new();
        for number in 0..MESSAGES {
            let push = Push::new(TOPIC, number.to_string()).with_generate_time(GENERATE_TIME.get());
            let id = platform.command(|machine, now| machine.push(now, GROUP, push));
            let id = id.expect("the platform knows the group").to_string();
            let properties =
                json!({"topic": TOPIC, "messageId": id, "generateTime": GENERATE_TIME.get()});
            expected.push(json!({"message": properties, "body": number.to_string()}));
        }
        expected.push(json!({"closed": MESSAGES}));

        let Some(script) = start(&settings(&platform, attempt)).await else { return };
        assert_eq!(lines(script).await, expected, "{attempt:?}");
        let events = events(&mut platform).await;
        let [Event::LoggedIn(login), Event::Attached { .. }, settled @ ..] = &events[..] else {
            panic!("{attempt:?}: {events:?}");
        };
        assert_eq!((&*login.client_id, login.auth_mode), (&*attempt.client_id(), attempt.mode));
        let is_accepted = |event: &&Event| {
            matches!(event, Event::Settled { outcome: Outcome::Accepted, attempts: 1, .. })
        };
        assert_eq!(settled.iter().filter(is_accepted).count(), MESSAGES, "{attempt:?}: {events:?}");
        let is_end =
            |event: &Event| matches!(event, Event::Disconnected { reason: Disconnect::Client, .. });
        assert!(events.last().is_some_and(is_end), "{attempt:?}: {events:?}");
        assert_eq!(platform.command(|machine, _| machine.pending().len()), 0);
    }
}

async fn refuses(start: impl AsyncFn(&str) -> Option<Script>) {
    let mut platform = platform().await;
    for attempt in Attempt::bad() {
        let Some(script) = start(&settings(&platform, attempt)).await else { return };
        let expected = [json!({"refused": "amqp:unauthorized-access"})];
        assert_eq!(lines(script).await, expected, "{attempt:?}");
        let events = events(&mut platform).await;
        let [Event::Disconnected { reason: Disconnect::Login(error), .. }] = &events[..] else {
            panic!("{attempt:?}: {events:?}");
        };
        assert!(attempt.fault.is_some_and(|fault| fault.is_told_by(error)), "{attempt:?}: {error}");
    }
}

async fn platform() -> Platform {
    let tomorrow = UnixMillis::from(SystemTime::now()).after(24 * 60 * HANG);
    let key = Account::new(KEY_ID, KEY_SECRET);
    let sts = Account::new(STS_ID, STS_SECRET).with_security_token(STS_TOKEN, tomorrow);
    let config = [key, sts].into_iter().fold(Config::default(), |config, account| {
        config.with_account(account.with_group(GROUP).with_instance_id(INSTANCE))
    });
    Platform::start(config).await.expect("a platform")
}

/// What the program is told; it does the rest itself.
fn settings(platform: &Platform, attempt: Attempt) -> String {
    let (secret, token) = match attempt.mode {
        AuthMode::StsToken => (STS_SECRET, Some(STS_TOKEN)),
        _ => (KEY_SECRET, None),
    };
    let fault = match attempt.fault {
        Some(Fault::Password) => Some("password"),
        Some(Fault::Timestamp) => Some("timestamp"),
        _ => None,
    };
    let age = if attempt.fault == Some(Fault::Stale) { STALE.as_millis() } else { 0 };
    let settings = json!({
        "port": platform.port(),
        "ca": platform.ca_pem(),
        "clientId": attempt.client_id(),
        "instanceId": INSTANCE,
        "groupId": GROUP,
        "authMode": attempt.mode.as_str(),
        "signMethod": attempt.method.as_str(),
        "authId": attempt.key_id(),
        "secret": secret,
        "token": token,
        "ageMs": u64::try_from(age).expect("minutes"),
        "fault": fault,
        "messages": MESSAGES,
        "credit": CREDIT,
    });
    settings.to_string()
}

/// All that the program tells until it ends.
async fn lines(mut script: Script) -> Vec<Value> {
    let mut lines = Vec::new();
    while let Some(line) = script.line().await {
        lines.push(serde_json::from_str(&line).expect("JSON"));
    }
    lines
}

/// All that the platform tells until the connection is gone.
async fn events(platform: &mut Platform) -> Vec<Event> {
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Disconnected { .. })) {
        events.push(timeout(HANG, platform.event()).await.expect("no event in sight"));
    }
    events
}
