//! Property P6, and agreement of the decoder with a naive one that goes through `serde_json::Value`.

#[path = "naive/decode.rs"]
mod naive;

use iot_lifecycle::{
    ConnectFailed, Connected, DecodeError, Decoder, Disconnected, Event, EventKind,
    PrincipalIdentifier, Topic, TopicKind, Topics,
};
use iot_sansio::UnixMillis;
use proptest::{collection::vec, option, prelude::*};
use serde_json::{Map, Value, json};

/// Text as the service could send it, and as nobody does.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[ -~]{0,40}", 1 => r#"["\\\n\t\x00-\x1F\x7F€😀]{0,9}"#, 1 => ".{0,20}"]
}

fn client_id() -> impl Strategy<Value = String> {
    prop_oneof![r"[^+#\x00]{1,32}", r#"["\\/$a]{1,20}"#]
}

fn kind() -> impl Strategy<Value = EventKind<'static>> {
    let version = || option::of(0..=i64::MAX);
    let connected = version().prop_map(|version_number| {
        let mut connected = Connected::default();
        connected.version_number = version_number;
        EventKind::Connected(connected)
    });
    let disconnected = (version(), option::of(any::<bool>()), option::of(text()));
    let disconnected = disconnected.prop_map(|(version_number, by_client, reason)| {
        let mut disconnected = Disconnected::default();
        disconnected.version_number = version_number;
        disconnected.client_initiated_disconnect = by_client;
        disconnected.disconnect_reason = reason.map(Into::into);
        EventKind::Disconnected(disconnected)
    });
    let failed = option::of(text()).prop_map(|reason| {
        EventKind::ConnectFailed(reason.map_or_else(ConnectFailed::default, ConnectFailed::new))
    });
    let topics = (any::<bool>(), vec(text(), 0..9)).prop_map(|(subscribed, topics)| {
        let topics = Topics::new(topics);
        if subscribed { EventKind::Subscribed(topics) } else { EventKind::Unsubscribed(topics) }
    });
    let unknown = text().prop_filter_map("known", |name| {
        let payload = json!({"clientId": "d", "timestamp": 100_000_000_000_i64, "eventType": name});
        let event = Decoder::strict().decode(payload.to_string().as_bytes()).ok()?.into_owned();
        matches!(event.kind, EventKind::Unknown(_)).then_some(event.kind)
    });
    prop_oneof![connected, disconnected, failed, topics, unknown]
}

fn event() -> impl Strategy<Value = Event<'static>> {
    let address = option::of(text().prop_filter("absent", |text| !text.is_empty()));
    let details = (option::of(text()), option::of(text()), address, option::of(text()));
    (client_id(), 100_000_000_000..=i64::MAX, kind(), details).prop_map(
        |(client_id, timestamp, kind, (session, principal, address, thing))| {
            let mut event = Event::new(client_id, UnixMillis::new(timestamp), kind);
            event.session_identifier = session.map(Into::into);
            event.principal_identifier = principal.map(PrincipalIdentifier::new);
            event.ip_address = address.map(Into::into);
            event.thing_name = thing.map(Into::into);
            event
        },
    )
}

/// A value that may or may not fit a field.
fn value() -> impl Strategy<Value = Value> {
    let integer = prop_oneof![any::<i64>(), 0..9_i64, 100_000_000_000..2_000_000_000_000_i64];
    prop_oneof![
        2 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        6 => integer.clone().prop_map(Value::from),
        2 => integer.prop_map(|integer| Value::from(integer.to_string())),
        2 => (-2_000_000_000_000_i64..2_000_000_000_000).prop_map(|n| Value::from(n as f64)),
        1 => any::<u64>().prop_map(Value::from),
        1 => (-1e17..1e17).prop_map(Value::from),
        6 => text().prop_map(Value::from),
        2 => prop_oneof![Just("true"), Just("false"), Just(""), Just("+5"), Just("-7")].prop_map(Value::from),
        1 => vec(text(), 0..4).prop_map(Value::from),
        1 => Just(json!(["a", 1])),
        1 => Just(json!({"a": {"b": []}})),
    ]
}

fn payload() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("versionNumber"),
        Just("sessionIdentifier"),
        Just("principalIdentifier"),
        Just("ipAddress"),
        Just("clientInitiatedDisconnect"),
        Just("disconnectReason"),
        Just("connectFailureReason"),
        Just("thingName"),
        Just("topics"),
        Just("clientId"),
        Just("timestamp"),
        Just("eventType"),
        Just("other"),
    ];
    let kind = prop_oneof![
        Just("connected"),
        Just("disconnected"),
        Just("connect_failed"),
        Just("subscribed"),
        Just("unsubscribed"),
        Just("new"),
    ];
    (kind, client_id(), vec((name, value()), 0..6)).prop_map(|(kind, client_id, odd)| {
        let mut object = Map::new();
        object.insert("clientId".into(), client_id.into());
        object.insert("timestamp".into(), 1_700_000_000_000_i64.into());
        object.insert("eventType".into(), kind.into());
        object.insert("topics".into(), json!([]));
        object.extend(odd.into_iter().map(|(name, value)| (name.into(), value)));
        Value::Object(object)
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself_in_both_modes(event in event()) {
        let mut payload = b"kept".to_vec();
        event.encode_into(&mut payload);
        prop_assert_eq!(&payload[..4], b"kept");
        prop_assert_eq!(Decoder::strict().decode(&payload[4..]), Ok(event.clone()));
        prop_assert_eq!(Decoder::lenient().decode(&payload[4..]), Ok(event));
    }

    #[test]
    fn a_decoder_agrees_with_a_naive_one(payload in payload(), pretty: bool) {
        let text = if pretty { format!("{payload:#}") } else { payload.to_string() };
        for (decoder, strict) in [(Decoder::lenient(), false), (Decoder::strict(), true)] {
            let decoded = decoder.decode(text.as_bytes());
            let expected = naive::decode(&payload, strict, None);
            prop_assert_eq!(decoded.as_ref().ok(), expected.as_ref(), "{} {:?}", text, decoded);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_what_they_decode_to_encodes(
        bytes in prop_oneof![vec(any::<u8>(), 0..60), payload().prop_map(|value| value.to_string().into_bytes())],
        cut in any::<proptest::sample::Index>(),
        flip: u8,
    ) {
        let mut bytes = bytes;
        if !bytes.is_empty() {
            let at = cut.index(bytes.len());
            bytes[at] ^= flip;
        }
        let topic = Topic::new(TopicKind::Connected, "d").unwrap();
        let _ = Decoder::lenient().decode_with_topic(&topic, &bytes);
        for decoder in [Decoder::lenient(), Decoder::strict()] {
            match decoder.decode(&bytes) {
                Ok(event) => {
                    let encoded = event.encode();
                    prop_assert_eq!(decoder.decode(&encoded), Ok(event));
                }
                Err(DecodeError::NotUtf8 { position }) => prop_assert!(position < bytes.len()),
                Err(DecodeError::NotJson { line, column }) => {
                    prop_assert!(line + column <= bytes.len() + 2);
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
