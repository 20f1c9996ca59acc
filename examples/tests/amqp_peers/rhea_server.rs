//! Our logins at a server nobody here wrote, which checks them with the crypto of its own language.

use amqp_auth::session::{Cause, CredentialReason};
use examples::{certificates::Certificates, peers::Script};
use iot_sansio::amqp::SaslCode;
use serde_json::{Value, json};

use crate::{
    KEY_ID, KEY_SECRET, MESSAGES, STS_ID, STS_SECRET, STS_TOKEN,
    attempt::{Attempt, Fault},
    client::{Client, Server},
};

/// Fewer than messages, so that it has to be granted again.
const CREDIT: u32 = 2;

#[tokio::test]
async fn rhea_admits_logins_and_has_its_messages_accepted() {
    let Some((mut rhea, server)) = start().await else { return };
    for attempt in Attempt::good() {
        let mut client = Client::start(server.clone(), attempt);
        client.receive().await;
        client.stop().await;
        assert_eq!(line(&mut rhea).await, json!({"login": "good"}), "{attempt:?}");
        for _ in 0..MESSAGES {
            assert_eq!(line(&mut rhea).await, json!({"settled": "accepted"}), "{attempt:?}");
        }
        assert_eq!(line(&mut rhea).await, json!({"closed": true}), "{attempt:?}");
    }
}

#[tokio::test]
async fn rhea_refuses_bad_logins() {
    let Some((mut rhea, server)) = start().await else { return };
    for attempt in Attempt::bad() {
        let refusal = Client::start(server.clone(), attempt).refusal().await;
        let expected = (Cause::Refused(SaslCode::AUTH), CredentialReason::Rejected);
        assert_eq!(refusal, expected, "{attempt:?}");
        let verdict = match attempt.fault {
            Some(Fault::Stale) => "stale",
            Some(Fault::UnknownKey) => "unknown key",
            _ => "wrong signature",
        };
        assert_eq!(line(&mut rhea).await, json!({"login": verdict}), "{attempt:?}");
    }
}

async fn start() -> Option<(Script, Server)> {
    let certificates = Certificates::generate().expect("certificates");
    let settings = json!({
        "cert": certificates.server_pem(),
        "key": certificates.server_key_pem(),
        "keys": {
            (KEY_ID): {"secret": KEY_SECRET},
            (STS_ID): {"secret": STS_SECRET, "token": STS_TOKEN},
        },
        "windowMs": 600_000,
    });
    let mut rhea = Script::rhea("rhea_server.js", &settings.to_string()).await?;
    let port = line(&mut rhea).await["port"].as_u64().and_then(|port| port.try_into().ok());
    let port = port.expect("it listens");
    let tls = certificates.client().expect("TLS");
    Some((rhea, Server { port, tls, source: "default", credit: CREDIT }))
}

async fn line(rhea: &mut Script) -> Value {
    serde_json::from_str(&rhea.line().await.expect("it runs")).expect("JSON")
}
