//! Rows 6 to 27, 37 to 53, and the vectors A and X of section 14.3 that a run of codes does not show better here.

use aia_proto::{
    ApiVersion, ClientId, TopicRoot,
    device::CommandError,
    registration::{Authentication, KeyPair, Response},
};
use iot_sansio::{Machine as _, mqtt::Opened};

use crate::run::{
    Run, SET, accepted_registration, acknowledge_capabilities, capabilities, config, registration,
};

fn connecting() -> Run {
    let mut run = Run::new(config(), Some(registration()));
    assert_eq!(run.connecting(), ["Connect 123456789012"]);
    run
}

#[test]
fn rows_6_and_8_subscriptions_come_before_connect() {
    let mut run = Run::new(config(), Some(registration()));
    let expected = ["connection/fromservice", "capabilities/acknowledge", "directive", "speaker"];
    let mut told = run.up();
    told.sort();
    let mut expected = expected.map(|leaf| format!("subscribe {leaf}"));
    expected.sort();
    assert_eq!(told, expected);
    assert_eq!(run.grant(), ["Connect 123456789012"]);
}

#[test]
fn a_device_without_a_speaker_does_not_listen_to_one() {
    let config = config();
    let set = r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#;
    let mut run = Run::new(config, Some(registration()));
    run.device.change_capabilities(run.now, capabilities(set)).unwrap();
    assert_eq!(run.up().len(), 3);
}

#[test]
fn rows_9_and_10_subscriptions_that_are_refused_or_late() {
    let mut run = Run::new(config(), Some(registration()));
    run.up();
    let told = run.refuse_subscription(1);
    assert!(told[0].starts_with("blocked: allow the device to subscribe to"), "{told:?}");
    assert_eq!(run.deadline(), None);
    run.device.change_capabilities(run.now, capabilities(SET)).unwrap();
    assert!(run.drain().iter().any(|told| told == "subscribe directive"), "a set may lack a topic");

    let mut run = Run::new(config(), Some(registration()));
    run.up();
    let told = run.at(10_000);
    assert_eq!(told[0], "disconnected: the subscriptions were not granted in time");
    let told = run.at(12_000);
    assert_eq!(told.len(), 4, "it subscribes again: {told:?}");
}

#[test]
fn row_11_new_capabilities_are_the_very_next_message() {
    let mut run = connecting();
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);
    assert!(run.device.registration().unwrap().capabilities_digest.is_none());
}

#[test]
fn row_12_known_capabilities_are_not_sent_again() {
    let mut run = Run::new(config(), Some(accepted_registration()));
    run.connecting();
    assert_eq!(
        run.acknowledge("CONNECTION_ESTABLISHED"),
        ["event 0 SynchronizeState null", "connected"]
    );
}

#[test]
fn rows_24_to_26_the_answer_to_the_capabilities() {
    let mut run = connecting();
    run.acknowledge("CONNECTION_ESTABLISHED");
    let id = run.published_id.clone();
    let leaf = "capabilities/acknowledge";
    let other = acknowledge_capabilities("other", "CAPABILITIES_ACCEPTED");
    assert!(run.protected(leaf, 0, &other).is_empty());
    let unknown = acknowledge_capabilities(&id, "CAPABILITIES_");
    assert!(run.protected(leaf, 1, &unknown).is_empty());
    let accepted = acknowledge_capabilities(&id, "CAPABILITIES_ACCEPTED");
    assert_eq!(
        run.protected(leaf, 2, &accepted),
        ["save digest=true previous=false", "event 0 SynchronizeState null", "connected"]
    );

    let mut run = connecting();
    run.acknowledge("CONNECTION_ESTABLISHED");
    let rejected = acknowledge_capabilities(&run.published_id.clone(), "CAPABILITIES_REJECTED");
    assert_eq!(
        run.protected(leaf, 0, &rejected),
        ["Disconnect GOING_OFFLINE", "blocked capabilities Some(\"why\")"]
    );
    assert_eq!(run.deadline(), None);
    run.device.change_capabilities(run.now, capabilities(SET)).unwrap();
    let told = run.drain();
    assert!(told.iter().any(|output| output == "subscribe directive"), "{told:?}");
}

/// Q46.
#[test]
fn a_description_is_kept_up_to_1_kib() {
    let mut run = connecting();
    run.acknowledge("CONNECTION_ESTABLISHED");
    let rejected = acknowledge_capabilities(&run.published_id.clone(), "CAPABILITIES_REJECTED");
    let rejected = rejected.replace("why", &"x".repeat(2_000));
    let told = run.protected("capabilities/acknowledge", 0, &rejected);
    assert_eq!(told[1], format!("blocked capabilities Some(\"{}\")", "x".repeat(1_024)));
}

#[test]
fn row_27_no_answer_to_the_capabilities() {
    let mut run = connecting();
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert_eq!(
        run.at(10_000),
        [
            "Disconnect GOING_OFFLINE: no capability acknowledgement",
            "disconnected: the service did not acknowledge the capabilities in time",
            "retrying after 1 connects"
        ]
    );
}

#[test]
fn scenario_2_a_lost_answer() {
    let mut run = connecting();
    let first = run.connect_id.clone();
    assert!(run.at(9_999).is_empty());
    let told = run.at(10_000);
    assert_eq!(told[1], "retrying after 1 connects");
    assert!(run.deadline().unwrap().as_millis() < 2_000);
    assert_eq!(run.at(12_000), ["Connect 123456789012"]);
    assert_ne!(run.connect_id, first, "a new id for each attempt");
    assert!(run.acknowledge_id(&first, "CONNECTION_ESTABLISHED").is_empty());
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);
}

#[test]
fn rows_13_to_17_every_code_of_an_acknowledge() {
    let first = |code: &str| connecting().acknowledge(code);
    assert!(first("INVALID_ACCOUNT_ID")[0].starts_with("blocked: correct the AWS account id"));
    assert!(first("INVALID_CLIENT_ID")[0].starts_with("blocked: correct the client id"));
    assert_eq!(first("API_VERSION_DEPRECATED").last().unwrap(), "needs registration: ApiVersion");
    assert!(first("API_VERSION_DEPRECATED").iter().any(|told| told == "unsubscribe directive"));
    assert_eq!(first("ENCRYPTION_ERROR").last().unwrap(), "needs registration: Secret");
    for code in ["UNKNOWN_FAILURE", "", "CONNECTION_", "connection_established", "NEW"] {
        assert_eq!(first(code).last().unwrap(), "retrying after 1 connects", "{code}");
    }
}

#[test]
fn scenario_3_a_rejected_account_is_not_tried_again() {
    let mut run = connecting();
    run.acknowledge("INVALID_ACCOUNT_ID");
    assert_eq!(run.deadline(), None);
    assert!(run.at(3_600_000).is_empty());
    let correct = |run: &mut Run, account: &str| {
        let client_id = ClientId::new("my-thing-01").unwrap();
        run.device.correct(run.now, account, client_id)
    };
    correct(&mut run, "123456789012").unwrap();
    assert_eq!(run.drain().len(), 4, "row 46: it subscribes");
    assert_eq!(correct(&mut run, "123456789012"), Err(CommandError::NotBlocked));

    let mut run = connecting();
    run.acknowledge("INVALID_ACCOUNT_ID");
    correct(&mut run, "000000000000").unwrap();
    assert_eq!(run.drain().last().unwrap(), "erase", "row 47");
    assert!(run.device.registration().is_none());
}

#[test]
fn row_20_a_disconnect_of_the_connection_before() {
    let mut run = connecting();
    assert!(run.disconnect("ENCRYPTION_ERROR").is_empty());
    assert_eq!(run.at(10_000).last().unwrap(), "needs registration: Secret");
    let mut run = connecting();
    assert!(run.disconnect("GOING_OFFLINE").is_empty());
    assert_eq!(run.at(10_000).last().unwrap(), "retrying after 1 connects");
    let mut run = connecting();
    run.disconnect("ENCRYPTION_ERROR");
    run.disconnect("GOING_OFFLINE");
    assert_eq!(run.at(10_000).last().unwrap(), "needs registration: Secret", "it stays in mind");
    let mut run = connecting();
    run.disconnect("ENCRYPTION_ERROR");
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);
}

#[test]
fn row_21_protected_messages_do_not_count_before_the_connection() {
    let directive = r#"{"directives":[{"header":{"name":"CloseMicrophone","messageId":"i"}}]}"#;
    let mut run = connecting();
    assert!(run.protected("directive", 0, directive).is_empty());
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert_eq!(run.protected("directive", 0, directive), ["directive CloseMicrophone 0.0"]);
}

#[test]
fn rows_37_to_39_every_code_of_a_disconnect() {
    for code in ["UNEXPECTED_SEQUENCE_NUMBER", "MESSAGE_TAMPERED", "GOING_OFFLINE", "NEW", ""] {
        let mut run = Run::ready(config());
        let told = run.disconnect(code);
        assert_eq!(told.last().unwrap(), "retrying after 1 connects", "{code}: {told:?}");
        assert!(told[0].starts_with("disconnected: the service ended it"), "nothing is sent");
        run.after(2_000);
        assert_eq!(
            run.acknowledge("CONNECTION_ESTABLISHED"),
            ["event 0 SynchronizeState null", "connected"],
            "X2: counters are 0"
        );
    }
    let told = Run::ready(config()).disconnect("ENCRYPTION_ERROR");
    assert_eq!(told.last().unwrap(), "needs registration: Secret", "X1");
    assert!(told.iter().all(|output| !output.starts_with("Disconnect")), "X1: {told:?}");
    let told = Run::ready(config()).disconnect("API_VERSION_DEPRECATED");
    assert_eq!(told.last().unwrap(), "needs registration: ApiVersion", "X3");
    let payloadless = r#"{"header":{"name":"Disconnect","messageId":"s-2"}}"#;
    let told = Run::ready(config()).hear(payloadless);
    assert_eq!(told.last().unwrap(), "retrying after 1 connects", "X4");
}

#[test]
fn rows_18_and_40_what_is_malformed_or_stale_is_ignored() {
    let mut run = connecting();
    let id = run.connect_id.clone();
    let good = format!(
        r#"{{"header":{{"name":"Acknowledge","messageId":"s-1"}},"payload":{{"connectMessageId":"{id}","code":"CONNECTION_ESTABLISHED"}}}}"#
    );
    let bad = [
        good.replace("\"CONNECTION_ESTABLISHED\"", "7"),
        good.replace("\"CONNECTION_ESTABLISHED\"", "null"),
        good.replace(&id, &format!("{id} ")),
        good.replace(&format!("\"{id}\""), "7"),
        format!(r#"{{"directives":[{good}]}}"#),
        format!("[{good}]"),
        good[..good.len() - 1].into(),
        format!("{good}\0"),
        format!("\u{feff}{good}"),
        good.replace(r#""code":"#, r#""code":"NEW","code":"#),
        good.replace("Acknowledge", "acknowledge"),
        good.replace("Acknowledge", "Goodbye"),
    ];
    for text in bad {
        assert!(run.hear(&text).is_empty(), "{text}");
    }
    assert!(run.hear(b"\xff").is_empty());
    let odd = good
        .replace("Acknowledge", "\\u0041cknowledge")
        .replace("{\"header\"", " { \"x\":1,\"header\"");
    assert_eq!(run.hear(&odd), ["capabilities/publish 0 Publish"], "A2, A3");
    assert!(run.hear(&good).is_empty(), "A13");
}

#[test]
fn rows_42_49_52_closed_and_connected_again() {
    let mut run = Run::ready(config());
    run.device.disconnect(run.now).unwrap();
    let told = run.drain();
    assert_eq!(told[0], "Disconnect GOING_OFFLINE", "before unsubscribing");
    assert_eq!(told.last().unwrap(), "closed");
    assert_eq!(run.device.disconnect(run.now), Err(CommandError::Closed));
    assert!(run.disconnect("ENCRYPTION_ERROR").is_empty(), "X5");
    run.device.connect(run.now).unwrap();
    assert_eq!(run.drain().len(), 4);
    assert_eq!(run.device.connect(run.now), Err(CommandError::NotClosed));
    let mut run = connecting();
    run.device.disconnect(run.now).unwrap();
    assert_eq!(run.drain()[0], "Disconnect GOING_OFFLINE", "row 52");
    let mut run = Run::new(config(), Some(registration()));
    run.device.disconnect(run.now).unwrap();
    assert_eq!(run.drain(), ["closed"]);
    assert!(run.up().is_empty(), "row 51");
    run.device.connect(run.now).unwrap();
    assert_eq!(run.drain().len(), 4);
}

#[test]
fn rows_43_and_scenario_9_a_new_set_takes_a_new_connection() {
    let mut run = Run::ready(config());
    run.device.change_capabilities(run.now, capabilities(&other_set())).unwrap();
    let told = run.drain();
    assert_eq!(told[0], "Disconnect GOING_OFFLINE");
    assert!(run.grant().is_empty());
    assert!(run.after(49).is_empty(), "Q38: 50 ms after `Disconnect`");
    assert_eq!(run.after(1), ["Connect 123456789012"]);
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);
}

#[test]
fn row_50_and_scenario_12_the_mqtt_connection_is_lost() {
    let mut run = Run::ready(config());
    assert_eq!(run.down(), ["disconnected: the MQTT connection ended"]);
    assert_eq!(run.deadline(), None);
    run.after(1_000);
    assert_eq!(run.connecting(), ["Connect 123456789012"]);
    assert!(run.protected("speaker", 7, "late").is_empty(), "of the connection before");
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert_eq!(run.protected("speaker", 0, "audio"), ["speaker 0 [5 bytes]"]);
}

#[test]
fn row_50_during_the_wait_and_by_another_mqtt_connection() {
    let mut run = connecting();
    run.acknowledge("UNKNOWN_FAILURE");
    assert!(run.down().is_empty(), "it was not connected");
    assert_eq!(run.deadline(), None);
    assert_eq!(run.up().len(), 4);

    let mut run = Run::ready(config());
    run.link = run.link.next();
    let told = run.up();
    assert_eq!(told[0], "disconnected: the MQTT connection ended", "nobody told before");
    assert_eq!(told.len(), 5, "{told:?}");
}

#[test]
fn what_is_due_waits_while_nobody_drains() {
    let mut run = Run::new(config().with_max_queued(1), Some(registration()));
    run.device.handle_input(run.now, Opened::new(run.link, false).into()).unwrap();
    assert_eq!(run.at(10_000).len(), 4, "the subscriptions, and no more");
    assert_eq!(run.at(10_000).len(), 2, "they came too late");
}

#[test]
fn row_43_a_new_set_while_the_answer_is_awaited() {
    // The new set is the one that was accepted: an answer that is taken would leave the device without subscriptions.
    let mut run = Run::new(config(), Some(accepted_registration()));
    run.device.change_capabilities(run.now, capabilities(&other_set())).unwrap();
    run.connecting();
    run.device.change_capabilities(run.now, capabilities(SET)).unwrap();
    let told = run.drain();
    assert_eq!(told[0], "Disconnect GOING_OFFLINE");
    assert_eq!(told.iter().filter(|told| told.starts_with("subscribe")).count(), 4, "{told:?}");
    assert!(run.acknowledge("CONNECTION_ESTABLISHED").is_empty(), "of the `Connect` before");
}

/// Q16: the service may have taken the set whose answer was lost, so the one before it is told again.
#[test]
fn rows_25_27_and_43_a_set_is_forgotten_once_another_is_told() {
    let mut run = Run::new(config(), Some(accepted_registration()));
    run.device.change_capabilities(run.now, capabilities(&other_set())).unwrap();
    run.connecting();
    assert_eq!(
        run.acknowledge("CONNECTION_ESTABLISHED"),
        ["save digest=false previous=false", "capabilities/publish 0 Publish"]
    );
    run.after(10_000);
    run.device.change_capabilities(run.now, capabilities(SET)).unwrap();
    run.drain();
    run.after(2_000);
    run.grant();
    assert_eq!(run.acknowledge("CONNECTION_ESTABLISHED"), ["capabilities/publish 0 Publish"]);

    let mut run = Run::ready(config());
    run.device.change_capabilities(run.now, capabilities(SET)).unwrap();
    assert!(run.drain().iter().any(|told| told == "save digest=false previous=false"));
}

#[test]
fn row_7_a_device_that_is_offline_asks_for_mqtt() {
    let mut run = Run::new(config(), Some(registration()));
    run.device.connect(run.now).unwrap();
    assert_eq!(run.drain(), ["mqtt wanted"]);
    assert_eq!(run.up().len(), 4);
}

/// Rows 33, 38 and 39: the next connection needs a registration first, whatever the application asks for meanwhile.
#[test]
fn a_closed_device_does_not_connect_with_what_is_of_no_use() {
    let register = |run: &mut Run| {
        let authentication = Authentication::new("refresh-token", "client.example");
        run.device.register(run.now, authentication, ApiVersion::V1)
    };
    let mut run = Run::ready(config());
    run.disconnect("ENCRYPTION_ERROR");
    run.device.disconnect(run.now).unwrap();
    assert_eq!(run.device.connect(run.now), Err(CommandError::NotRegistered));
    register(&mut run).unwrap();
    run.device.registration_answered(run.now, 403, b"{}").unwrap();
    run.device.disconnect(run.now).unwrap();
    assert_eq!(run.device.connect(run.now), Err(CommandError::NotRegistered), "row 5");

    register(&mut run).unwrap();
    let root = TopicRoot::new("$aws/alexa").unwrap();
    let response = Response::new(KeyPair::from_random([9; 32]).public_key(), root).encode();
    run.device.registration_answered(run.now, 200, &response).unwrap();
    run.device.disconnect(run.now).unwrap();
    run.device.connect(run.now).unwrap();

    let mut run = Run::new(config(), None);
    run.device.disconnect(run.now).unwrap();
    assert_eq!(run.device.connect(run.now), Err(CommandError::NotRegistered));
    register(&mut run).unwrap();
    assert_eq!(register(&mut run), Err(CommandError::Registered));

    let mut run = Run::new(config(), Some(registration()));
    run.device.disconnect(run.now).unwrap();
    assert_eq!(register(&mut run), Err(CommandError::Registered), "it need only connect");
}

fn other_set() -> String {
    SET.replace("Microphone", "Alerts")
}

#[test]
fn row_53_a_device_forgets_its_registration() {
    let mut run = Run::ready(config());
    run.device.forget(run.now).unwrap();
    let told = run.drain();
    assert_eq!(
        (told[0].as_str(), told.last().unwrap().as_str()),
        ("Disconnect GOING_OFFLINE", "erase")
    );
    assert_eq!(run.device.forget(run.now), Err(CommandError::NotRegistered));
    assert_eq!(run.device.connect(run.now), Err(CommandError::NotRegistered));
}

/// The service accepts and disconnects at once, again and again: only a stable connection starts the waits anew.
#[test]
fn scenario_13_waits_grow_until_a_connection_is_stable() {
    let mut run = Run::new(config(), Some(accepted_registration()));
    run.connecting();
    let mut longest = Vec::new();
    for connects in 1..=5_u64 {
        run.acknowledge("CONNECTION_ESTABLISHED");
        let told = run.disconnect("GOING_OFFLINE");
        assert_eq!(told.last().unwrap(), &format!("retrying after {connects} connects"));
        longest.push(run.deadline().unwrap().as_millis());
        assert!(run.deadline().unwrap().as_millis() < 1_000 << connects);
        let told = run.after(1_000 << connects);
        assert_eq!(told, ["Connect 123456789012"]);
    }
    assert!(longest.iter().any(|wait| *wait > 2_000), "{longest:?}");
    run.acknowledge("CONNECTION_ESTABLISHED");
    run.after(60_000);
    let told = run.disconnect("GOING_OFFLINE");
    assert_eq!(told.last().unwrap(), "retrying after 0 connects", "row 28a");
}
