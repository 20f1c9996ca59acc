//! Rows 32 and 41, and decisions Q20 and Q22: the secret changes.

use crate::run::{
    CLOSE_MICROPHONE, NEW, OLD, Run, acknowledge_capabilities, capabilities, config, registration,
    secret,
};

/// RotateSecret to [`NEW`], from these numbers on.
pub(crate) fn rotate(directive: u32, speaker: u32) -> String {
    format!(
        r#"{{"directives":[{{"header":{{"name":"RotateSecret","messageId":"d-9"}},"payload":{{"newSecret":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=","directiveSequenceNumber":{directive},"speakerSequenceNumber":{speaker}}}}}]}}"#
    )
}

#[test]
fn row_32_the_other_stored_secret_is_tried_once() {
    let mut run = Run::ready(config());
    run.protected("directive", 0, &rotate(100, 100));
    run.after(20_000);
    // Both sides think of another secret now: the messages of the service are under neither.
    let mut strange = run.seal(1, CLOSE_MICROPHONE);
    strange[20] ^= 1;
    let told = run.message("directive", &strange);
    assert_eq!(told[0], "Disconnect ENCRYPTION_ERROR");
    assert_eq!(told[2], "save digest=true previous=true");
    assert!(told.last().unwrap().starts_with("retrying"), "{told:?}");
    assert_eq!(run.device.registration().unwrap().secret, secret(OLD), "swapped");
    run.after(4_000);
    run.acknowledge("CONNECTION_ESTABLISHED");
    run.after(20_000);
    let mut strange = run.seal(0, CLOSE_MICROPHONE);
    strange[20] ^= 1;
    let told = run.message("directive", &strange);
    assert_eq!(told.last().unwrap(), "needs registration: Secret", "once an episode");
}

#[test]
fn row_32_a_stable_connection_ends_the_episode() {
    let mut run = Run::ready(config());
    run.protected("directive", 0, &rotate(100, 100));
    for current in [OLD, NEW] {
        run.after(60_000);
        let mut strange = run.seal(1, CLOSE_MICROPHONE);
        strange[20] ^= 1;
        let told = run.message("directive", &strange);
        assert!(told.last().unwrap().starts_with("retrying"), "{told:?}");
        assert_eq!(run.device.registration().unwrap().secret, secret(current));
        run.after(4_000);
        run.acknowledge("CONNECTION_ESTABLISHED");
    }
}

#[test]
fn row_41_and_scenario_6_a_rotation() {
    let mut run = Run::ready(config());
    for _ in 0..2 {
        run.device.send_event(run.now, "SynchronizeClock", None).unwrap();
        run.drain();
        run.after(50);
    }
    // Numbers 0 to 2 are used: the answer is 3, and 8 the first under the new secret.
    assert_eq!(
        run.protected("directive", 0, &rotate(3, 40)),
        [
            "save digest=true previous=true",
            r#"event 3 SecretRotated {"eventSequenceNumber":8,"microphoneSequenceNumber":5}"#
        ]
    );
    assert_eq!(run.device.registration().unwrap().secret, secret(NEW));
    for number in 4..=9_u32 {
        run.after(50);
        run.secret = secret(if number < 8 { OLD } else { NEW });
        run.device.send_event(run.now, "SynchronizeClock", None).unwrap();
        assert_eq!(run.drain(), [format!("event {number} SynchronizeClock null")]);
    }
    for number in 1..=4 {
        run.secret = secret(if number < 3 { OLD } else { NEW });
        let told = run.protected("directive", number, CLOSE_MICROPHONE);
        assert_eq!(told, [format!("directive CloseMicrophone {number}.0")]);
    }
    run.disconnect("GOING_OFFLINE");
    run.after(2_000);
    run.secret = secret(NEW);
    let told = run.acknowledge("CONNECTION_ESTABLISHED");
    assert_eq!(told[0], "event 0 SynchronizeState null", "all under the new secret");
}

/// Each answer goes out below the number where its own secret begins: the service cannot know that before.
#[test]
fn rotations_in_a_row_are_answered_under_what_the_service_knows() {
    let one = rotate(100, 100);
    let element = one.trim_start_matches(r#"{"directives":["#).trim_end_matches("]}");
    let all = format!(r#"{{"directives":[{}]}}"#, [element; 7].join(","));
    // Answers 1 to 7; the first says from where on the others are under a new secret.
    let check = |run: &mut Run, mut told: Vec<String>, first_start: u32| {
        for number in 1..=7 {
            if number == first_start - 1 {
                run.secret = secret(NEW);
            }
            let answer = told.iter().find(|told| told.starts_with(&format!("event {number} ")));
            let answer = answer.unwrap_or_else(|| panic!("no {number}: {told:?}"));
            let payload = answer.split_once(" SecretRotated ").unwrap().1;
            let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
            let start = payload["eventSequenceNumber"].as_u64().unwrap();
            assert_eq!(start, u64::from(first_start + number - 1), "{number}");
            assert!(u64::from(number) < start);
            told = run.after(50);
        }
    };
    let mut run = Run::ready(config());
    let told = run.protected("directive", 0, &all);
    check(&mut run, told, 6);

    let mut run = Run::new(config(), Some(registration()));
    run.connected();
    run.protected("directive", 0, &all);
    let id = run.published_id.clone();
    let accepted = acknowledge_capabilities(&id, "CAPABILITIES_ACCEPTED");
    let told = run.protected("capabilities/acknowledge", 0, &accepted);
    assert_eq!(told[1], "event 0 SynchronizeState null", "row 24");
    let told = run.after(50);
    check(&mut run, told, 5);
}

/// Scenario 7: a crash after a rotation was saved, and one before.
#[test]
fn scenario_7_a_rotation_that_the_service_does_not_hear_of() {
    let mut before = Run::ready(config());
    let kept = before.device.registration().cloned();
    before.protected("directive", 0, &rotate(3, 40));
    let saved = before.device.registration().cloned();
    for (registration, bytes) in [(saved, NEW), (kept, OLD)] {
        let mut run = Run::new(config(), registration);
        run.secret = secret(bytes);
        let told = run.connected();
        assert_eq!(told, ["event 0 SynchronizeState null", "connected"]);
        let told = run.protected("directive", 0, CLOSE_MICROPHONE);
        assert_eq!(told, ["directive CloseMicrophone 0.0"]);
    }
}

#[test]
fn a_malformed_rotation_changes_nothing() {
    let bad = [
        rotate(3, 40).replace("AgICAgIC", "AgIC"),
        rotate(3, 40).replace("I=", "I"),
        rotate(3, 40)
            .replace("\"directiveSequenceNumber\":3", "\"directiveSequenceNumber\":4294967296"),
        rotate(3, 40).replace("\"speakerSequenceNumber\":40", "\"speakerSequenceNumber\":-1"),
        rotate(3, 40).replace("newSecret", "newsecret"),
    ];
    for body in bad {
        let mut run = Run::ready(config());
        let told = run.protected("directive", 0, &body);
        assert!(
            told[0].contains("ExceptionEncountered") && told[0].contains("\"index\":0"),
            "{told:?}"
        );
        assert_eq!(run.device.registration().unwrap().secret, secret(OLD));
    }
}

/// Q22: what is still on its way from before a rotation says nothing about the new connection.
#[test]
fn a_late_message_under_the_previous_secret_is_dropped() {
    let mut run = Run::ready(config());
    run.protected("directive", 0, &rotate(100, 100));
    run.after(50);
    let late = run.seal(1, CLOSE_MICROPHONE);
    run.disconnect("GOING_OFFLINE");
    run.after(2_000);
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert!(run.message("directive", &late).is_empty());
    run.after(9_999);
    assert!(run.message("directive", &late).is_empty());
    assert!(run.device.is_connected());
    run.after(1);
    let told = run.message("directive", &late);
    assert_eq!(told[0], "Disconnect ENCRYPTION_ERROR", "only at the beginning");
}

#[test]
fn a_device_without_a_microphone_names_no_number_for_it() {
    let mut run = without_microphone();
    assert_eq!(
        run.protected("directive", 0, &rotate(3, 40))[1],
        r#"event 1 SecretRotated {"eventSequenceNumber":6}"#
    );
}

fn without_microphone() -> Run {
    let set = r#"[{"interface":"Speaker"},{"interface":"System"}]"#;
    let mut run = Run::new(config(), Some(registration()));
    run.device.change_capabilities(run.now, capabilities(set)).unwrap();
    run.connected();
    let accepted = acknowledge_capabilities(&run.published_id.clone(), "CAPABILITIES_ACCEPTED");
    run.protected("capabilities/acknowledge", 0, &accepted);
    run.after(50);
    run
}
