//! Payloads that a rule has reshaped: every row of the second table of specification section 2.6.

use iot_lifecycle::{Connected, DecodeError, Decoder, Event, EventKind, Field, FieldMap, JsonType};

const CONNECTED: &str = r#"{"clientId":"186b5","timestamp":1573002230757,"eventType":"connected","sessionIdentifier":"00000000-0000-0000-0000-000000000000","principalIdentifier":"12345678901234567890123456789012","ipAddress":"192.0.2.0","versionNumber":0}"#;

#[test]
fn a_field_map_reads_every_shape_of_specification_section_2_6() {
    let decode = |map: FieldMap, payload: &str| {
        Decoder::lenient().with_field_map(map).decode(payload.as_bytes()).map(Event::into_owned)
    };
    let plain = Decoder::lenient().decode(CONNECTED.as_bytes()).unwrap();
    let data = format!(r#"{{"data":{CONNECTED},"topic":"$aws/events/presence/connected/186b5"}}"#);
    let data_map = FieldMap::new().container("data").topic("topic");
    assert_eq!(decode(data_map.clone(), &data).as_ref(), Ok(&plain));

    let other = data.replace("/connected/", "/disconnected/");
    assert!(matches!(decode(data_map.clone(), &other), Err(DecodeError::KindMismatch { .. })));
    let republished = data.replace("$aws/events/presence/", "mine/");
    assert_eq!(decode(data_map.clone(), &republished).as_ref(), Ok(&plain));
    let newer = data.replace("presence/connected", "presence/new");
    assert!(matches!(decode(data_map.clone(), &newer), Err(DecodeError::Topic(_))));
    let error = decode(data_map.clone(), CONNECTED).unwrap_err();
    assert!(matches!(error, DecodeError::MissingContainer { .. }), "{error}");
    for (text, found) in [("[1]", JsonType::Array), (r#""{}""#, JsonType::String)] {
        let error = decode(data_map.clone(), &format!(r#"{{"data":{text},"topic":null}}"#));
        assert_eq!(error, Err(DecodeError::NotAnObject { found }));
    }

    let aliases =
        FieldMap::new().alias(Field::EventType, "event_type").alias(Field::ClientId, "device_id");
    let renamed = CONNECTED.replace("eventType", "event_type").replace("clientId", "device_id");
    assert_eq!(decode(aliases.clone(), &renamed).as_ref(), Ok(&plain));
    let beside = CONNECTED.replacen('{', r#"{"device_id":"x","event_type":"y","#, 1);
    assert_eq!(decode(aliases.clone(), &beside).as_ref(), Ok(&plain));
    let behind = CONNECTED.replacen('}', r#","device_id":"x","event_type":"y"}"#, 1);
    assert_eq!(decode(aliases.clone(), &behind).as_ref(), Ok(&plain));
    let strict = Decoder::strict().with_field_map(aliases);
    assert_eq!(strict.decode(beside.as_bytes()).as_ref(), Ok(&plain));
    let twice = beside.replacen('{', r#"{"device_id":"x","#, 1);
    assert_eq!(
        strict.decode(twice.as_bytes()),
        Err(DecodeError::DuplicateKey { key: "device_id".into() })
    );

    let event = FieldMap::new().container("event");
    let hoisted =
        format!(r#"{{"event":{CONNECTED},"clientId":"x","eventType":"y","timestamp":0}}"#);
    assert_eq!(decode(event, &hoisted).as_ref(), Ok(&plain));

    let extra = CONNECTED.replacen('{', r#"{"createdAt":"now","correlation_id":{"a":[1]},"#, 1);
    assert_eq!(decode(FieldMap::new(), &extra).as_ref(), Ok(&plain));
    let synthetic = r#"{"clientId":"d","timestamp":1700000000000,"eventType":"connected"}"#;
    let event = decode(FieldMap::new(), synthetic).unwrap();
    assert_eq!(event.kind, EventKind::Connected(Connected::default()));
}
