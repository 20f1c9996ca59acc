//! Rows 28 to 36, 41 and 44: protected messages, rotation, and what goes wrong with them.

use aia_proto::{
    ClientId, Json,
    device::CommandError,
    protect::{Cipher, LegacyInnerSequence},
    sequence::{self, BeyondWindow, SequenceNumber},
};
use iot_sansio::mqtt::Done;

use crate::run::{CLOSE_MICROPHONE, NEW, OLD, Run, capabilities, config, secret};

#[test]
fn row_29_messages_are_handed_over_in_order_and_once() {
    let mut run = Run::ready(config());
    let message = run.seal(0, CLOSE_MICROPHONE);
    assert_eq!(run.message("directive", &message), ["directive CloseMicrophone 0.0"]);
    assert!(run.message("directive", &message).is_empty(), "a replay is dropped in silence");
    assert!(run.protected("directive", 2, CLOSE_MICROPHONE).is_empty());
    assert_eq!(
        run.protected("directive", 1, CLOSE_MICROPHONE),
        ["directive CloseMicrophone 1.0", "directive CloseMicrophone 2.0"]
    );
}

#[test]
fn row_30_a_short_message_is_reported() {
    let mut run = Run::ready(config());
    assert_eq!(
        run.message("directive", &[5, 0, 0, 0, 1]),
        [
            r#"event 1 ExceptionEncountered {"error":{"code":"MALFORMED_MESSAGE"},"message":{"sequenceNumber":5,"topic":"directive"}}"#
        ]
    );
    run.after(50);
    assert_eq!(
        run.message("speaker", &[5]),
        [
            r#"event 2 ExceptionEncountered {"error":{"code":"MALFORMED_MESSAGE"},"message":{"topic":"speaker"}}"#
        ]
    );
    run.after(50);
    assert!(
        run.message("capabilities/acknowledge", &[5]).is_empty(),
        "section 8.2 has no such report"
    );
    assert!(run.device.is_connected());
}

/// Q45.
#[test]
fn a_message_carries_up_to_64_directives() {
    let body = |count: usize| {
        let all = [r#"{"header":{"name":"A","messageId":"1"}}"#].repeat(count).join(",");
        format!(r#"{{"directives":[{all}]}}"#)
    };
    let mut run = Run::ready(config());
    assert_eq!(run.protected("directive", 0, &body(64)).len(), 64);
    let told = run.protected("directive", 1, &body(65));
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("ExceptionEncountered"), "{told:?}");
}

#[test]
fn one_bad_directive_does_not_sink_the_others() {
    let exception = |index: usize| {
        format!(
            r#"ExceptionEncountered {{"error":{{"code":"MALFORMED_MESSAGE"}},"message":{{"index":{index},"sequenceNumber":0,"topic":"directive"}}}}"#
        )
    };
    let mut run = Run::ready(config());
    let body = r#"{"directives":[{"header":{"name":"A","messageId":"1"}},{"header":{"name":"","messageId":"2"}},{"header":{"name":"C","messageId":"3"},"payload":null},{"header":{"name":"D","messageId":"4"},"payload":[]}]}"#;
    assert_eq!(
        run.protected("directive", 0, body),
        [
            "directive A 0.0",
            "directive C 0.2",
            &format!("event 1 {} + {}", exception(1), exception(3))
        ]
    );
    for (number, body) in
        (1..).zip(["{}", "[]", "", r#"{"directives":{}}"#, r#"{"directives":[{}]"#])
    {
        run.after(50);
        let told = run.protected("directive", number, body);
        assert!(told[0].contains("ExceptionEncountered") && !told[0].contains("index"), "{told:?}");
    }
    assert!(run.device.is_connected());
}

#[test]
fn rows_31_and_33_a_message_under_another_secret() {
    let mut run = Run::ready(config());
    run.secret = secret(NEW);
    let message = run.seal(0, CLOSE_MICROPHONE);
    run.secret = secret(OLD);
    assert_eq!(
        run.message("directive", &message),
        [
            "Disconnect ENCRYPTION_ERROR",
            "security: a message on `directive` could not be opened with the shared secret",
            "disconnected: a message could not be opened with the shared secret",
            "erase",
            "needs registration: Secret"
        ]
    );
}

#[test]
fn row_34_and_scenario_4_a_message_with_two_numbers() {
    let mut run = Run::ready(config());
    for times in 1..=3 {
        let mut message = run.seal(7, CLOSE_MICROPHONE);
        message[0] = 8;
        let told = run.message("directive", &message);
        assert_eq!(told[0], "Disconnect MESSAGE_TAMPERED");
        assert_eq!(told[1], "security: a message on `directive` says 8 in clear and 7 in secret");
        if times == 3 {
            assert!(told.last().unwrap().starts_with("blocked: find out who tampers"), "{told:?}");
            break;
        }
        run.after(600_000);
        let told = run.acknowledge("CONNECTION_ESTABLISHED");
        assert_eq!(told[0], "event 0 SynchronizeState null", "counters are 0 again");
    }
    // Row 46: a correction starts the count anew.
    let client_id = ClientId::new("my-thing-01").unwrap();
    run.device.correct(run.now, "123456789012", client_id).unwrap();
    run.drain();
    run.after(50);
    run.grant();
    run.acknowledge("CONNECTION_ESTABLISHED");
    let mut message = run.seal(7, CLOSE_MICROPHONE);
    message[0] = 9;
    let told = run.message("directive", &message);
    assert!(told.last().unwrap().starts_with("retrying"), "{told:?}");

    let mut run = Run::ready(config());
    for _ in 0..4 {
        let mut message = run.seal(7, CLOSE_MICROPHONE);
        message[0] = 8;
        let told = run.message("directive", &message);
        assert!(told.last().unwrap().starts_with("retrying"), "an hour lies between: {told:?}");
        run.after(3_600_000);
        run.acknowledge("CONNECTION_ESTABLISHED");
    }
}

#[test]
fn row_35_a_lost_message() {
    let mut run = Run::ready(config());
    assert!(run.protected("speaker", 1, "audio").is_empty());
    assert!(run.after(9_999).is_empty());
    let told = run.after(1);
    assert_eq!(told[0], "Disconnect UNEXPECTED_SEQUENCE_NUMBER");
    assert_eq!(told[1], "disconnected: a message on `speaker` was lost: number 0 was expected");
    let mut run = Run::ready(config());
    let told = run.protected("speaker", 17, "audio");
    assert_eq!(told[0], "Disconnect UNEXPECTED_SEQUENCE_NUMBER", "beyond the window");
    assert!(Run::ready(config()).protected("speaker", 16, "audio").is_empty());
}

#[test]
fn replays_from_an_earlier_connection_are_dropped() {
    let mut run = Run::ready(config());
    let first = run.seal(0, CLOSE_MICROPHONE);
    assert_eq!(run.message("directive", &first), ["directive CloseMicrophone 0.0"]);
    run.disconnect("GOING_OFFLINE");
    run.after(2_000);
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert!(run.message("directive", &first).is_empty(), "its number would be right");
    assert_eq!(run.protected("directive", 0, CLOSE_MICROPHONE), ["directive CloseMicrophone 0.0"]);
}

/// Q7: where messages beyond the window are dropped, a copy of one is taken once there is room.
#[test]
fn what_there_was_no_room_for_may_come_again() {
    let mut order = sequence::Config::default();
    order.beyond = BeyondWindow::Drop;
    order.window = 1;
    let mut run = Run::ready(config().with_order(order));
    let early = run.seal(2, "audio");
    assert!(run.message("speaker", &early).is_empty());
    run.protected("speaker", 0, "audio");
    run.protected("speaker", 1, "audio");
    assert_eq!(run.message("speaker", &early), ["speaker 2 [5 bytes]"]);
}

/// Vector L1: the header of 32 bytes.
#[test]
fn a_message_without_the_inner_number() {
    let body = r#"{"directives":[{"header":{"name":"Exception","messageId":"d-0100"},"payload":{"code":"INTERNAL_SERVICE"}}]}"#;
    let legacy = |run: &Run, body: &str| {
        // The first four bytes of the plaintext take the place of the inner number.
        let number = u32::from_le_bytes(body.as_bytes()[..4].try_into().unwrap());
        let rest = &body.as_bytes()[4..];
        let mut message = Cipher::new(&run.secret).seal(SequenceNumber::new(number), [3; 12], rest);
        message[..4].copy_from_slice(&[0; 4]);
        message
    };
    let mut run = Run::ready(config());
    let message = legacy(&run, body);
    assert_eq!(run.message("directive", &message)[0], "Disconnect MESSAGE_TAMPERED");
    let accept = config().with_legacy_inner_sequence(LegacyInnerSequence::Accept);
    let mut run = Run::ready(accept);
    let message = legacy(&run, body);
    let told = run.message("directive", &message);
    assert_eq!(told[..2], ["directive Exception 0.0", "Disconnect MESSAGE_TAMPERED"], "{told:?}");
    run.after(2_000);
    run.acknowledge("CONNECTION_ESTABLISHED");
    assert!(run.message("directive", &message).is_empty(), "a replay is dropped in silence");

    let accept = config().with_legacy_inner_sequence(LegacyInnerSequence::Accept);
    let mut run = Run::ready(accept);
    let message = legacy(&run, &crate::rotation::rotate(3, 40));
    let told = run.message("directive", &message);
    assert_eq!(
        told[..2],
        ["directive RotateSecret 0.0", "Disconnect MESSAGE_TAMPERED"],
        "{told:?}"
    );
    assert_eq!(run.device.registration().unwrap().secret, secret(OLD), "it is not acted on");
}

#[test]
fn events_wait_for_their_turn_and_go_together() {
    let mut run = Run::ready(config());
    let volume = Json::new(r#"{"volume":40}"#).unwrap();
    run.device.send_event(run.now, "A", Some(&volume)).unwrap();
    assert_eq!(run.drain(), [r#"event 1 A {"volume":40}"#]);
    run.device.send_event(run.now, "B", None).unwrap();
    run.after(10);
    run.device.send_event(run.now, "C", None).unwrap();
    run.device.send_microphone(run.now, b"entries").unwrap();
    assert_eq!(run.drain(), ["microphone 0 [7 bytes]"], "a topic of its own");
    assert!(run.after(39).is_empty());
    assert_eq!(run.after(1), ["event 2 B null + C null"]);
}

#[test]
fn events_wait_until_the_capabilities_are_taken() {
    let mut run = Run::new(config(), Some(crate::run::registration()));
    let early = run.device.send_event(run.now, "A", None);
    assert_eq!(early, Err(CommandError::NotConnected));
    run.connected();
    run.device.send_event(run.now, "A", None).unwrap();
    assert!(run.drain().is_empty());
    assert_eq!(run.protected("directive", 0, CLOSE_MICROPHONE), ["directive CloseMicrophone 0.0"]);
    let id = run.published_id.clone();
    let accepted = crate::run::acknowledge_capabilities(&id, "CAPABILITIES_ACCEPTED");
    let told = run.protected("capabilities/acknowledge", 0, &accepted);
    assert_eq!(told[1], "event 0 SynchronizeState null");
    assert_eq!(run.after(50), ["event 1 A null"]);
}

#[test]
fn row_44_a_message_that_the_client_refuses() {
    let mut run = Run::ready(config());
    run.sent.clear();
    run.device.send_event(run.now, "A", None).unwrap();
    run.drain();
    let (token, message) = run.sent.remove(0);
    assert_eq!(run.fail(token), ["event 1 A null"], "the same bytes");
    let (token, again) = run.sent.remove(0);
    assert_eq!(again, message);
    assert_eq!(run.fail(token)[0], "Disconnect UNEXPECTED_SEQUENCE_NUMBER");
}

/// Row 44 needs the message, but not for ever.
#[test]
fn messages_are_kept_until_they_are_confirmed_or_too_many_follow() {
    let mut run = Run::ready(config());
    run.sent.clear();
    for _ in 0..66 {
        run.device.send_event(run.now, "A", None).unwrap();
        run.drain();
        run.after(50);
    }
    let tokens: Vec<_> = run.sent.iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens.len(), 66);
    assert!(run.fail(tokens[1]).is_empty(), "64 came after it");
    run.input(Done::new(run.link, tokens[2]).into());
    assert!(run.fail(tokens[2]).is_empty(), "it was confirmed");
    assert_eq!(run.fail(tokens[3]), ["event 4 A null"]);
}

#[test]
fn without_the_capability_no_microphone_data_is_sent() {
    let mut run = Run::new(config(), Some(crate::run::registration()));
    let set = r#"[{"interface":"Speaker"},{"interface":"System"}]"#;
    run.device.change_capabilities(run.now, capabilities(set)).unwrap();
    run.connected();
    let refused = run.device.send_microphone(run.now, b"entries");
    assert_eq!(refused, Err(CommandError::NoCapability { interface: "Microphone" }));
}

#[test]
fn what_is_too_large_or_too_much_is_refused() {
    let mut run = Run::ready(config().with_max_message(200));
    run.device.send_microphone(run.now, b"").unwrap();
    assert!(run.drain().is_empty(), "no entries");
    let large = Json::new(&format!("{{\"x\":\"{}\"}}", "x".repeat(200))).unwrap();
    let refused = run.device.send_event(run.now, "A", Some(&large));
    assert!(matches!(refused, Err(CommandError::TooLarge { .. })), "{refused:?}");
    let text = Json::new("\"text\"").unwrap();
    let refused = run.device.send_event(run.now, "A", Some(&text));
    assert_eq!(refused, Err(CommandError::NotAnObject));
    let mut sent = 0;
    while run.device.send_event(run.now, "A", None).is_ok() {
        sent += 1;
        assert!(sent < 1_000, "it is bounded");
    }
    let refused = run.device.send_event(run.now, "A", None);
    assert!(matches!(refused, Err(CommandError::Congested { .. })), "{refused:?}");
}
