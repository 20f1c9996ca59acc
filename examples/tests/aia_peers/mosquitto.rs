//! The AIA conversation through Mosquitto, over TLS and with passwords.

use std::{future::Future, time::Duration};

use aia_proto::{
    connection::{AcknowledgeCode, DisconnectCode},
    device::{DisconnectCause, Event},
};
use examples::{
    aia::{Access, CLIENT_ID, Conversation, Wrong},
    certificates::Certificates,
    peers::Mosquitto,
};
use iot_sansio::mqtt::{ConnectOptions, Transport};
use tokio::time::timeout;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
/// Who they are: user name and password.
const DEVICE: (&str, &str) = ("thing", "password of the thing");
const SERVICE: (&str, &str) = ("service", "password of the service");

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(HANG, future).await.expect("it hangs")
}

/// None when Mosquitto is not installed: that is printed.
async fn connected() -> Option<(Mosquitto, Conversation)> {
    let certificates = Certificates::generate().expect("certificates");
    let mut broker = Mosquitto::start(&certificates)?;
    for (user_name, password) in [DEVICE, SERVICE] {
        broker.admit(user_name, password).expect("a password file");
    }
    let options = |client_id, (user_name, password): (&str, &str)| {
        ConnectOptions::new("127.0.0.1", broker.tls_port(), Transport::Tls, client_id)
            .with_credentials(user_name, password)
    };
    let access = Access {
        device: options(CLIENT_ID, DEVICE),
        service: options("service", SERVICE),
        tls: Some(certificates.client().expect("TLS")),
    };
    let started = within(Conversation::start(access, 1)).await;
    let mut conversation = started.expect("the broker lets both in");
    let heard = within(conversation.register()).await.expect("a registration");
    assert_eq!(heard.registrations(), 1);
    Some((broker, conversation))
}

#[tokio::test]
async fn messages_pass_both_ways_before_and_after_a_rotation_and_on_later_connections() {
    let Some((_broker, mut conversation)) = connected().await else { return };
    let volumes: Vec<u64> = (0..20).collect();
    let heard = within(conversation.converse(&volumes)).await.unwrap();
    assert_eq!((heard.volumes_told(), heard.volumes_answered()), (volumes.clone(), volumes));

    let after = [4, 5, 6, 7, 8, 9, 10, 11];
    let rotated = within(conversation.rotate(&[1, 2, 3], &after)).await.unwrap();
    assert!(rotated.is_saved);
    assert_eq!(rotated.before.volumes_answered(), [1, 2, 3]);
    assert_eq!(rotated.after.volumes_answered(), after);
    assert!(rotated.under_new.iter().all(|count| *count > 0), "{rotated:?}");

    let heard = within(conversation.reconnect()).await.unwrap();
    assert_eq!(heard.causes(), [&DisconnectCause::Transport]);
    let heard = within(conversation.converse(&[50])).await.unwrap();
    assert_eq!(heard.volumes_answered(), [50]);

    let heard = within(conversation.reboot()).await.unwrap();
    assert_eq!(heard.device, [Event::Connected]);
    let heard = within(conversation.converse(&[60])).await.unwrap();
    assert_eq!(heard.volumes_answered(), [60]);

    let heard = within(conversation.end()).await.unwrap();
    assert!(heard.is_goodbye(), "{heard:?}");
}

#[tokio::test]
async fn a_replay_is_dropped_a_changed_one_and_a_lost_one_end_the_connection() {
    let Some((_broker, mut conversation)) = connected().await else { return };
    within(conversation.converse(&[10])).await.unwrap();
    let heard = within(conversation.replay(20)).await.unwrap();
    assert_eq!((heard.volumes_told(), heard.device.len(), heard.service.len()), (vec![20], 1, 1));

    let heard = within(conversation.tamper()).await.unwrap();
    assert_eq!(heard.causes(), [&DisconnectCause::Tampered]);
    assert_eq!(heard.disconnect_codes(), [&DisconnectCode::MessageTampered]);

    let lost = within(conversation.lose([30, 40])).await.unwrap();
    assert_eq!(lost.heard.disconnect_codes(), [&DisconnectCode::UnexpectedSequenceNumber]);
    assert!(lost.heard.volumes_told().is_empty(), "{lost:?}");
    assert_eq!(lost.again.volumes_answered(), [30, 40]);
}

#[tokio::test]
async fn wrong_values_are_refused_and_the_right_ones_taken() {
    let Some((_broker, mut conversation)) = connected().await else { return };
    for (wrong, code) in [
        (Wrong::AccountId, AcknowledgeCode::InvalidAccountId),
        (Wrong::ClientId, AcknowledgeCode::InvalidClientId),
    ] {
        let refused = within(conversation.refuse(wrong)).await.unwrap();
        assert_eq!(refused.code, code);
        assert_eq!(refused.corrected.registrations(), 1);
    }
}
