//! The decoder: documented samples, every row of specification section 2.5, and property P6.
//!
//! All of it also holds in a build that changes how serde_json keeps numbers and members:
//! `cargo test -p iot-lifecycle --features serde_json/arbitrary_precision,serde_json/preserve_order`.

use std::borrow::Cow;

use iot_lifecycle::{
    ConnectFailureReason, DecodeError, Decoder, DisconnectReason, Event, EventKind, Field,
    JsonType, Topic, TopicError, TopicKind,
};
use iot_sansio::UnixMillis;

const CONNECTED: &str = r#"{"clientId":"186b5","timestamp":1573002230757,"eventType":"connected","sessionIdentifier":"00000000-0000-0000-0000-000000000000","principalIdentifier":"12345678901234567890123456789012","ipAddress":"192.0.2.0","versionNumber":0}"#;
const DISCONNECTED: &str = r#"{"clientId":"186b5","timestamp":1573002340451,"eventType":"disconnected","sessionIdentifier":"00000000-0000-0000-0000-000000000000","principalIdentifier":"12345678901234567890123456789012","clientInitiatedDisconnect":true,"disconnectReason":"CLIENT_INITIATED_DISCONNECT","versionNumber":0}"#;
const CONNECT_FAILED: &str = r#"{"clientId":"186b5","timestamp":1460065214626,"eventType":"connect_failed","connectFailureReason":"AUTHORIZATION_FAILED","principalIdentifier":"12345678901234567890123456789012","sessionIdentifier":"00000000-0000-0000-0000-000000000000","ipAddress":"192.0.2.0"}"#;
const SUBSCRIBED: &str = r#"{"clientId":"186b5","timestamp":1460065214626,"eventType":"subscribed","sessionIdentifier":"00000000-0000-0000-0000-000000000000","principalIdentifier":"12345678901234567890123456789012","topics":["foo/bar","dog/cat"]}"#;

fn lenient(payload: &str) -> Result<Event<'_>, DecodeError> {
    Decoder::lenient().decode(payload.as_bytes())
}

fn strict(payload: &str) -> Result<Event<'_>, DecodeError> {
    Decoder::strict().decode(payload.as_bytes())
}

/// A disconnect with these members behind the required ones.
fn disconnect(members: &str) -> String {
    format!(r#"{{"clientId":"d","eventType":"disconnected","timestamp":1700000000000{members}}}"#)
}

fn with_timestamp(timestamp: &str) -> String {
    format!(r#"{{"clientId":"d","eventType":"connected","timestamp":{timestamp}}}"#)
}

fn version(event: &Event<'_>) -> Option<i64> {
    match &event.kind {
        EventKind::Connected(connected) => connected.version_number,
        EventKind::Disconnected(disconnected) => disconnected.version_number,
        other => panic!("{other:?} has no version"),
    }
}

fn wrong_type(error: DecodeError) -> (Field, JsonType, JsonType) {
    match error {
        DecodeError::WrongType { field, expected, found, .. } => (field, expected, found),
        other => panic!("{other}"),
    }
}

#[test]
fn every_documented_sample_is_read_whole_and_written_back_byte_for_byte() {
    for sample in [CONNECTED, DISCONNECTED, CONNECT_FAILED, SUBSCRIBED] {
        let event = strict(sample).unwrap();
        assert_eq!(lenient(sample).as_ref(), Ok(&event));
        assert_eq!(event.client_id, "186b5");
        assert_eq!(event.principal_identifier.as_ref().unwrap().as_str().len(), 32);
        assert_eq!(String::from_utf8(event.encode()).unwrap(), sample);
    }
    let event = strict(CONNECTED).unwrap();
    assert_eq!(event.timestamp, UnixMillis::new(1_573_002_230_757));
    assert_eq!(event.ip_address.as_deref(), Some("192.0.2.0"));
    assert_eq!(version(&event), Some(0));

    let EventKind::Disconnected(disconnected) = strict(DISCONNECTED).unwrap().kind else {
        panic!("not a disconnect")
    };
    assert_eq!(disconnected.client_initiated_disconnect, Some(true));
    let reason = disconnected.disconnect_reason.unwrap();
    assert_eq!(reason, DisconnectReason::ClientInitiatedDisconnect);

    let EventKind::ConnectFailed(failed) = strict(CONNECT_FAILED).unwrap().kind else {
        panic!("not a failed connect")
    };
    let reason = failed.connect_failure_reason.unwrap();
    assert_eq!(reason, ConnectFailureReason::AuthorizationFailed);

    let EventKind::Subscribed(topics) = strict(SUBSCRIBED).unwrap().kind else {
        panic!("not a subscription")
    };
    assert_eq!(topics.topics, ["foo/bar", "dog/cat"]);
}

#[test]
fn text_is_borrowed_from_the_payload_unless_it_has_escapes() {
    let event = strict(DISCONNECTED).unwrap();
    assert!(matches!(event.client_id, Cow::Borrowed(_)));
    assert!(matches!(event.session_identifier, Some(Cow::Borrowed(_))));
    let escaped =
        r#"{"\u0063lientId":"\u00e9\/\"","timestamp":1700000000000,"eventType":"\u0063onnected"}"#;
    let event = strict(escaped).unwrap();
    assert_eq!(event.client_id, "é/\"");
    assert!(matches!(event.kind, EventKind::Connected(_)));
}

#[test]
fn an_integer_may_come_as_decimal_text() {
    let payload = with_timestamp(r#""1768000492431","versionNumber":"\u0030""#);
    let event = lenient(&payload).unwrap();
    assert_eq!(event.timestamp, UnixMillis::new(1_768_000_492_431));
    assert_eq!(version(&event), Some(0));
    let found = (Field::Timestamp, JsonType::Number, JsonType::String);
    assert_eq!(wrong_type(strict(&payload).unwrap_err()), found);
}

#[test]
fn text_that_is_not_plain_decimal_is_no_integer() {
    let not_an_integer = Err(DecodeError::NotAnInteger { field: Field::Timestamp });
    for text in [
        "",
        "+1768000492431",
        " 1768000492431",
        "1768000492431 ",
        "1.7e12",
        "1768000492431.0",
        "NaN",
        "0x10",
        "-",
        "--1",
        "١٧٦٨٠٠٠٤٩٢٤٣١",
    ] {
        assert_eq!(lenient(&with_timestamp(&format!("{text:?}"))), not_an_integer, "{text}");
    }
    let out_of_range = Err(DecodeError::OutOfRange { field: Field::Timestamp });
    assert_eq!(lenient(&with_timestamp(r#""9223372036854775808""#)), out_of_range);
}

#[test]
fn a_timestamp_as_rfc_3339_text_is_refused() {
    let error = lenient(&with_timestamp(r#""2026-01-10T00:00:00Z""#)).unwrap_err();
    assert_eq!(error, DecodeError::NotAnInteger { field: Field::Timestamp });
}

#[test]
fn a_float_without_a_fraction_is_an_integer_below_two_to_the_53() {
    for (number, millis) in [
        ("1.7e12", 1_700_000_000_000),
        ("1700000000000.0", 1_700_000_000_000),
        ("17000000000000E-1", 1_700_000_000_000),
        ("9007199254740991.0", (1 << 53) - 1),
    ] {
        let payload = with_timestamp(number);
        assert_eq!(lenient(&payload).unwrap().timestamp, UnixMillis::new(millis), "{number}");
        let not_an_integer = Err(DecodeError::NotAnInteger { field: Field::Timestamp });
        assert_eq!(strict(&payload), not_an_integer, "{number}");
    }
    for (number, error) in [
        ("1700000000000.5", DecodeError::NotAnInteger { field: Field::Timestamp }),
        ("1e-400", DecodeError::TimestampLooksLikeSeconds { timestamp: 0 }),
        ("9007199254740992.0", DecodeError::OutOfRange { field: Field::Timestamp }),
        ("-9.1e15", DecodeError::OutOfRange { field: Field::Timestamp }),
    ] {
        assert_eq!(lenient(&with_timestamp(number)), Err(error), "{number}");
    }
}

#[test]
fn a_number_beyond_every_float_is_out_of_range_and_not_a_syntax_error() {
    for number in ["1e400", "-1e400", "18446744073709551616", "9223372036854775808"] {
        let error = lenient(&with_timestamp(number)).unwrap_err();
        assert_eq!(error, DecodeError::OutOfRange { field: Field::Timestamp }, "{number}");
        let ignored = disconnect(&format!(r#","unknown":{number}"#));
        assert!(lenient(&ignored).is_ok(), "{number}");
        let elsewhere = disconnect(&format!(r#","thingName":{number}"#));
        let found = (Field::ThingName, JsonType::String, JsonType::Number);
        assert_eq!(wrong_type(lenient(&elsewhere).unwrap_err()), found, "{number}");
    }
    let last = with_timestamp("9223372036854775807");
    assert_eq!(strict(&last).unwrap().timestamp, UnixMillis::new(i64::MAX));
}

#[test]
fn a_timestamp_below_ten_to_the_11_looks_like_seconds() {
    for timestamp in [99_999_999_999, 1_700_000_000, 0, -1, -1_700_000_000_000] {
        let payload = with_timestamp(&timestamp.to_string());
        let error = DecodeError::TimestampLooksLikeSeconds { timestamp };
        assert_eq!(lenient(&payload), Err(error.clone()));
        assert_eq!(strict(&payload), Err(error));
        let event = Decoder::lenient().accept_seconds().decode(payload.as_bytes());
        assert_eq!(event.unwrap().timestamp, UnixMillis::new(timestamp * 1_000));
    }
    let millis = with_timestamp("100000000000");
    for decoder in [Decoder::lenient(), Decoder::lenient().accept_seconds()] {
        let event = decoder.decode(millis.as_bytes()).unwrap();
        assert_eq!(event.timestamp, UnixMillis::new(100_000_000_000));
    }
    let lowest = with_timestamp("-9223372036854775808");
    let error = Decoder::lenient().accept_seconds().decode(lowest.as_bytes());
    assert_eq!(error, Err(DecodeError::OutOfRange { field: Field::Timestamp }));
}

#[test]
fn a_version_below_zero_or_beyond_i64_is_out_of_range() {
    for number in ["-1", "9223372036854775808", "\"-1\"", "-1.0", "1e19"] {
        let payload = disconnect(&format!(r#","versionNumber":{number}"#));
        let error = DecodeError::OutOfRange { field: Field::VersionNumber };
        assert_eq!(lenient(&payload), Err(error), "{number}");
    }
    let payload = disconnect(r#","versionNumber":9223372036854775807"#);
    assert_eq!(version(&strict(&payload).unwrap()), Some(i64::MAX));
    let payload = disconnect(r#","versionNumber":-0"#);
    assert_eq!(version(&strict(&payload).unwrap()), Some(0));
}

#[test]
fn a_version_may_be_missing_or_null() {
    assert_eq!(version(&strict(&disconnect("")).unwrap()), None);
    let null = disconnect(r#","versionNumber":null"#);
    assert_eq!(version(&lenient(&null).unwrap()), None);
    let found = (Field::VersionNumber, JsonType::Number, JsonType::Null);
    assert_eq!(wrong_type(strict(&null).unwrap_err()), found);
}

#[test]
fn an_ip_address_that_is_null_or_empty_is_none_and_one_that_is_no_address_is_kept() {
    for text in ["null", "\"\""] {
        let payload = disconnect(&format!(r#","ipAddress":{text}"#));
        assert_eq!(lenient(&payload).unwrap().ip_address, None, "{text}");
    }
    let odd = disconnect(r#","ipAddress":"192.0.456.1""#);
    assert_eq!(lenient(&odd).unwrap().ip_address.as_deref(), Some("192.0.456.1"));
}

#[test]
fn a_boolean_may_come_as_text_or_null() {
    let by_client = |text: &str| {
        let payload = disconnect(&format!(r#","clientInitiatedDisconnect":{text}"#));
        lenient(&payload).map(|event| match event.kind {
            EventKind::Disconnected(disconnected) => disconnected.client_initiated_disconnect,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(by_client("\"true\""), Ok(Some(true)));
    assert_eq!(by_client("\"false\""), Ok(Some(false)));
    assert_eq!(by_client("false"), Ok(Some(false)));
    assert_eq!(by_client("null"), Ok(None));
    for text in ["\"True\"", "1", "\"\"", "[]"] {
        let (field, expected, _) = wrong_type(by_client(text).unwrap_err());
        let wanted = (Field::ClientInitiatedDisconnect, JsonType::Boolean);
        assert_eq!((field, expected), wanted, "{text}");
    }
    let text = disconnect(r#","clientInitiatedDisconnect":"true""#);
    assert!(strict(&text).is_err());
}

#[test]
fn a_missing_event_type_is_taken_from_the_topic() {
    let topic = Topic::parse("$aws/events/presence/disconnected/d").unwrap();
    for payload in [
        r#"{"clientId":"d","timestamp":1700000000000}"#,
        r#"{"clientId":"d","timestamp":1700000000000,"eventType":null}"#,
    ] {
        let event = Decoder::lenient().decode_with_topic(&topic, payload.as_bytes()).unwrap();
        assert!(matches!(event.kind, EventKind::Disconnected(_)));
        let missing = |result| {
            matches!(result, Err(DecodeError::MissingField { field: Field::EventType, .. }))
        };
        assert!(missing(lenient(payload)));
        assert!(Decoder::strict().decode_with_topic(&topic, payload.as_bytes()).is_err());
    }
}

#[test]
fn an_unknown_event_type_is_a_value_and_is_written_as_it_came() {
    let payload = r#"{"clientId":"d","timestamp":1700000000000,"eventType":"Connected"}"#;
    let event = strict(payload).unwrap();
    let EventKind::Unknown(kind) = &event.kind else { panic!("known") };
    assert_eq!(kind.as_str(), "Connected");
    assert_eq!(event.encode(), payload.as_bytes());
}

#[test]
fn missing_topics_or_a_bare_string_name_the_field_and_what_arrived() {
    let missing =
        r#"{"clientId":"d","timestamp":1700000000000,"eventType":"subscribed","topicName":"a/b"}"#;
    let error = lenient(missing).unwrap_err();
    assert_eq!(
        error.to_string(),
        "topics is missing: check the rule's SQL; there are: clientId, timestamp, eventType, topicName"
    );
    let bare =
        r#"{"clientId":"d","timestamp":1700000000000,"eventType":"unsubscribed","topics":"a/b"}"#;
    let error = lenient(bare).unwrap_err();
    assert_eq!(
        error.to_string(),
        "topics holds a string where an array is expected; there are: clientId, timestamp, eventType, topics"
    );
    let element = bare.replace("\"a/b\"", "[\"a\",1]");
    let found = (Field::Topics, JsonType::String, JsonType::Number);
    assert_eq!(wrong_type(lenient(&element).unwrap_err()), found);
}

#[test]
fn the_list_of_what_arrived_is_bounded() {
    let many: String = (0..50).map(|n| format!(r#""{}{n}":0,"#, "k".repeat(500))).collect();
    let Err(DecodeError::MissingField { arrived, .. }) = lenient(&format!("{{{many}\"z\":0}}"))
    else {
        panic!("nothing is missing")
    };
    assert_eq!(arrived.iter().count(), 16);
    assert!(arrived.iter().all(|name| name.len() == 32));
    assert!(arrived.to_string().ends_with(", and more"));
}

#[test]
fn empty_topics_are_no_topics() {
    let payload =
        r#"{"clientId":"d","timestamp":1700000000000,"eventType":"subscribed","topics":[]}"#;
    let EventKind::Subscribed(topics) = strict(payload).unwrap().kind else {
        panic!("not a subscription")
    };
    assert!(topics.topics.is_empty());
}

#[test]
fn of_duplicate_keys_the_last_counts_or_a_strict_decoder_refuses() {
    for (payload, key) in [
        (disconnect(r#","versionNumber":"x","versionNumber":7"#), "versionNumber"),
        (disconnect(r#","versionNumber":7,"clientId":"d""#), "clientId"),
        (disconnect(r#","versionNumber":7,"new":1,"\u006eew":1"#), "new"),
    ] {
        assert_eq!(version(&lenient(&payload).unwrap()), Some(7), "{key}");
        assert_eq!(strict(&payload), Err(DecodeError::DuplicateKey { key: key.into() }));
    }
}

#[test]
fn a_payload_over_128_kib_is_refused_before_it_is_parsed() {
    let pad = |length: usize| format!("{}{CONNECTED}", " ".repeat(length - CONNECTED.len()));
    assert!(lenient(&pad(131_072)).is_ok());
    assert_eq!(lenient(&pad(131_073)), Err(DecodeError::PayloadTooLarge { bytes: 131_073 }));
    let bytes = vec![0xFF; 131_073];
    let error = Decoder::lenient().decode(&bytes);
    assert_eq!(error, Err(DecodeError::PayloadTooLarge { bytes: 131_073 }));
}

#[test]
fn what_is_not_an_object_says_what_it_is_or_where_it_breaks() {
    for (payload, error) in [
        (&b"{\"clientId\":\"\xFF\"}"[..], DecodeError::NotUtf8 { position: 13 }),
        (b"", DecodeError::NotJson { line: 1, column: 0 }),
        (b" [1] ", DecodeError::NotAnObject { found: JsonType::Array }),
        (b"1.5", DecodeError::NotAnObject { found: JsonType::Number }),
        (b"null", DecodeError::NotAnObject { found: JsonType::Null }),
        (b"{\"clientId\":\"d\"", DecodeError::NotJson { line: 1, column: 15 }),
        (b"{\"clientId\":NaN}", DecodeError::NotJson { line: 1, column: 13 }),
        (b"{\"clientId\":+1}", DecodeError::NotJson { line: 1, column: 13 }),
        (b"{} {}", DecodeError::NotJson { line: 1, column: 4 }),
    ] {
        assert_eq!(Decoder::lenient().decode(payload), Err(error));
    }
}

#[test]
fn a_client_id_obeys_the_limits_it_has_in_topics() {
    for (client_id, error) in [
        (String::new(), TopicError::EmptyClientId),
        ("€".repeat(43), TopicError::ClientIdTooLong { bytes: 129 }),
        ("a+".into(), TopicError::Wildcard),
        ("#".into(), TopicError::Wildcard),
        ("a\\u0000".into(), TopicError::Nul),
    ] {
        let payload = CONNECTED.replace("186b5", &client_id);
        assert_eq!(lenient(&payload), Err(DecodeError::ClientId(error)));
    }
    for client_id in ["$x", "/", &"a".repeat(128)] {
        let payload = CONNECTED.replace("186b5", client_id);
        assert_eq!(lenient(&payload).unwrap().client_id, client_id);
    }
}

#[test]
fn a_topic_and_a_payload_that_contradict_each_other_are_an_error_with_both() {
    let decode = |topic, payload: &str| {
        let topic = Topic::parse(topic).unwrap();
        Decoder::lenient().decode_with_topic(&topic, payload.as_bytes()).map(Event::into_owned)
    };
    assert!(decode("$aws/events/presence/connected/186b5", CONNECTED).is_ok());
    assert_eq!(
        decode("$aws/events/presence/disconnected/186b5", CONNECTED),
        Err(DecodeError::KindMismatch {
            topic: TopicKind::Disconnected,
            payload: "connected".into()
        })
    );
    let unknown = CONNECTED.replace("\"connected\"", "\"reconnected\"");
    assert_eq!(
        decode("$aws/events/presence/connected/186b5", &unknown),
        Err(DecodeError::KindMismatch {
            topic: TopicKind::Connected,
            payload: "reconnected".into()
        })
    );
    assert_eq!(
        decode("$aws/events/presence/connected/other", CONNECTED),
        Err(DecodeError::ClientIdMismatch { topic: "other".into(), payload: "186b5".into() })
    );
}

#[test]
fn fields_of_another_kind_are_not_looked_at() {
    let payload = with_timestamp(
        r#"1700000000000,"clientInitiatedDisconnect":[],"topics":7,"disconnectReason":{}"#,
    );
    let event = strict(&payload).unwrap();
    assert_eq!(
        event.encode(),
        with_timestamp("1700000000000")
            .replace(
                r#""eventType":"connected","timestamp":1700000000000"#,
                r#""timestamp":1700000000000,"eventType":"connected""#,
            )
            .as_bytes()
    );
    let failed = CONNECT_FAILED.replace("\"ipAddress\"", "\"versionNumber\":-1,\"ipAddress\"");
    assert!(strict(&failed).is_ok());
}

#[test]
fn a_required_field_that_is_null_counts_as_missing() {
    for field in [Field::ClientId, Field::Timestamp] {
        let payload = match field {
            Field::ClientId => {
                r#"{"clientId":null,"eventType":"connected","timestamp":1700000000000}"#.into()
            }
            _ => with_timestamp("null"),
        };
        let error = lenient(&payload).unwrap_err();
        assert!(
            matches!(error, DecodeError::MissingField { field: found, .. } if found == field),
            "{error}"
        );
    }
}

#[test]
fn half_of_a_surrogate_pair_is_no_text_and_an_unknown_field_may_hold_one() {
    let payload = disconnect(r#","thingName":"\ud800""#);
    let error = DecodeError::UnpairedSurrogate { field: Field::ThingName };
    assert_eq!(lenient(&payload), Err(error));
    assert!(lenient(&disconnect(r#","other":"\ud800""#)).is_ok());
}

#[test]
fn names_that_serde_json_uses_inside_are_fields_like_others() {
    let number = r#"{"$serde_json::private::Number":"1700000000000"}"#;
    let error = lenient(&with_timestamp(number)).unwrap_err();
    assert_eq!(wrong_type(error), (Field::Timestamp, JsonType::Number, JsonType::Object));
    let unknown =
        disconnect(r#","$serde_json::private::Number":"x","$serde_json::private::RawValue":"{}""#);
    assert!(lenient(&unknown).is_ok());
}

#[test]
fn nested_values_of_any_depth_are_stepped_over() {
    let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
    assert!(lenient(&disconnect(&format!(r#","deep":{deep}"#))).is_ok());
    let error = lenient(&disconnect(&format!(r#","deep":{}"#, "[".repeat(60_000)))).unwrap_err();
    assert!(matches!(error, DecodeError::NotJson { .. }));
}
