//! Results that are not as documented, and what must never become of them: a success.

use smart_properties::{
    Body, Event, EventError, EventKind, Extracted,
    event::{Completion, EventBuilder, EventType, Status},
};

/// What an event with this payload says.
fn with_completion(payload: &str, check: impl FnOnce(Completion<'_>)) {
    let event_type = EventKind::Completion.event_type().unwrap();
    let builder = EventBuilder::new(event_type, "e-1")
        .with_timestamp("2024-05-01T10:00:00Z")
        .with_entities(r#"{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}"#);
    let text = builder.with_payload(payload).encode().unwrap();
    let event = Event::decode(text.as_bytes()).unwrap();
    let Body::Completion(completion) = event.body() else { panic!("{event:?}") };
    check(completion);
}

fn irregular(result: &str) -> Option<String> {
    let mut found = None;
    let payload = format!(r#"{{"automation":{{"id":"amzn1.alexa.automation.A"}},{result}}}"#);
    with_completion(&payload, |completion| {
        assert!(matches!(completion.automation, Extracted::Known(_)), "{completion:?}");
        found = completion.irregular.map(|pointer| pointer.into_owned());
    });
    found
}

#[test]
fn what_has_a_wrong_type_or_is_there_twice_is_told() {
    for (result, pointer) in [
        (r#""result":null"#, "/payload/result"),
        (r#""result":"SUCCESS""#, "/payload/result"),
        (r#""result":["SUCCESS"]"#, "/payload/result"),
        (r#""result":{"status":null}"#, "/payload/result/status"),
        (r#""result":{"status":1.5}"#, "/payload/result/status"),
        (r#""result":{"status":["SUCCESS"]}"#, "/payload/result/status"),
        (r#""result":{"status":"SUCCESS","errors":null}"#, "/payload/result/errors"),
        (r#""result":{"status":"SUCCESS","errors":{}}"#, "/payload/result/errors"),
        (r#""result":{"status":"SUCCESS","errors":[null]}"#, "/payload/result/errors/0"),
        (
            r#""result":{"status":"SUCCESS","errors":[{},{"type":1}]}"#,
            "/payload/result/errors/1/type",
        ),
        (r#""result":{"status":"SUCCESS","errors":[["a","b","c"]]}"#, "/payload/result/errors/0"),
        (
            r#""result":{"status":"FAILURE","errors":[{},{"type":"A","type":"B"}]}"#,
            "/payload/result/errors/1/type",
        ),
        (r#""result":{"status":"\ud800"}"#, "/payload/result/status"),
        (r#""result":{"status":"SUCCESS","\ud800":1}"#, "/payload/result"),
        (r#""result":{"status":"FAILURE","status":"SUCCESS"}"#, "/payload/result/status"),
        (r#""result":{"errors":[{}],"status":"SUCCESS","errors":[]}"#, "/payload/result/errors"),
        (r#""result":{"status":"FAILURE"},"result":{"status":"SUCCESS"}"#, "/payload/result"),
        (r#""result":{"status":"FAILURE"},"res\u0075lt":{"status":"SUCCESS"}"#, "/payload/result"),
    ] {
        assert_eq!(irregular(result).as_deref(), Some(pointer), "{result}");
    }
    for result in [
        r#""result":{"status":"SUCCESS"}"#,
        r#""result":{"status":"SUCCESS","errors":[],"more":[1]}"#,
        r#""result":{"errors":[{"type":"T"}],"status":"FAILURE"}"#,
        r#""other":null"#,
    ] {
        assert_eq!(irregular(result), None, "{result}");
    }
}

#[test]
fn an_error_of_which_nothing_can_be_read_is_an_error_all_the_same() {
    let payload = r#"{"result":{"status":"SUCCESS","errors":[1,{"id":2}]}}"#;
    with_completion(payload, |completion| assert_eq!(completion.errors.len(), 2));
    let payload = r#"{"result":{"status":"FAILURE","status":"SUCCESS","errors":[{}],"errors":[]}}"#;
    with_completion(payload, |completion| {
        assert_eq!(completion.status, Some(Status::Failure));
        assert_eq!(completion.errors.len(), 1);
    });
    let payload = r#"{"result":{"errors":[{"message":"a","message":"b"}]}}"#;
    with_completion(payload, |completion| {
        assert_eq!(completion.errors[0].message.as_deref(), Some("a"));
    });
}

#[test]
fn no_more_errors_are_listed_than_1024() {
    for (errors, pointer) in [(1_024, None), (1_025, Some("/payload/result/errors/1024"))] {
        let error = r#"{"type":"ENDPOINT_NOT_FOUND","message":"m","id":"x"}"#;
        let list = vec![error; errors].join(",");
        let payload = format!(
            r#"{{"automation":{{"id":"amzn1.alexa.automation.A"}},"result":{{"status":"FAILURE","errors":[{list}]}}}}"#
        );
        with_completion(&payload, |completion| {
            assert_eq!(completion.errors.len(), 1_024);
            assert_eq!(completion.irregular.as_deref(), pointer);
        });
    }
}

#[test]
fn parts_of_the_documented_form_are_given_as_they_are_written() {
    let text = r#"{"payload" : { "result":{"status":"S"},"automation":{"id":"x"}} ,"header":{"entities":{"unit":{"id":"y","type":"Unit"} },
        "version":"2.0","eventId":{"id":"e"},"eventType":{"namespace":"n","name":"n"},"eventTime":{"timestamp":"t"}}}"#;
    let event = Event::decode(text.as_bytes()).unwrap();
    assert_eq!(event.payload(), r#"{ "result":{"status":"S"},"automation":{"id":"x"}}"#);
    assert_eq!(event.entities(), r#"{"unit":{"id":"y","type":"Unit"} }"#);
    assert_eq!(event.as_str(), text);
}

#[test]
fn arrays_are_no_objects_although_they_have_the_members_in_order() {
    let text = r#"{"header":["2.0",{"id":"e"},{"namespace":"n","name":"n"},{"timestamp":"t"},{"unit":{"type":"Unit","id":"y"}}],"payload":{}}"#;
    let error = Event::decode(text.as_bytes()).unwrap_err();
    assert!(matches!(error, EventError::WrongType { pointer, .. } if pointer == "/header"));
    let text = r#"{"header":{"version":"2.0","eventId":["e"],"eventType":{"namespace":"n","name":"n"},"eventTime":{"timestamp":"t"},"entities":{"unit":{"type":"Unit","id":"y"}}},"payload":{"automation":{"id":"x"},"result":{"status":"S"}}}"#;
    let error = Event::decode(text.as_bytes()).unwrap_err();
    assert!(matches!(error, EventError::WrongType { pointer, .. } if pointer == "/header/eventId"));
}

#[test]
fn names_inside_the_header_come_once_however_deep() {
    let header = |more: &str| {
        format!(
            r#"{{"header":{{"version":"2.0","eventId":{{"id":"e"}},"eventType":{{"namespace":"n","name":"n"}},{more}}},"payload":{{}}}}"#
        )
    };
    for (more, expected) in [
        (r#""x":1,"\u0078":2"#, "/header/x"),
        (r#""entities":{"unit":{"id":"a","id":"b"}}"#, "/header/entities/unit/id"),
        (r#""entities":{"unit":{},"unit":{}}"#, "/header/entities/unit"),
        (r#""eventTime":{"timestamp":"a","timestamp":"b"}"#, "/header/eventTime/timestamp"),
        (r#""x":[1,{"a/b":[{"c~":1,"c~":1}]}]"#, "/header/x/1/a~1b/0/c~0"),
    ] {
        let found = Event::decode(header(more).as_bytes()).unwrap_err();
        assert_eq!(found, EventError::DuplicateMember { pointer: expected.into() }, "{more}");
    }
    let twice = r#"{"payload":{},"header":{},"header":{}}"#;
    let found = Event::decode(twice.as_bytes()).unwrap_err();
    assert_eq!(found, EventError::DuplicateMember { pointer: "/header".into() });
}

#[test]
fn payloads_are_not_shown() {
    let event_type = EventType::new("Alexa.New", "Thing").unwrap();
    let builder = EventBuilder::new(event_type, "e-1").with_payload(r#"{"secret":"canary"}"#);
    let text = builder.encode().unwrap();
    let event = Event::decode(text.as_bytes()).unwrap();
    assert!(!format!("{event:?}").contains("canary"));
}

#[test]
fn a_part_that_is_given_as_json_cannot_be_more_than_one_value() {
    let event_type = EventType::new("n", "n").unwrap();
    let builder = EventBuilder::new(event_type, "e-1");
    for smuggled in [r#"{}},"payload":{"x":1},"y":{"#, "{", "", "{} {}"] {
        let refused = builder.clone().with_entities(smuggled).encode();
        assert!(matches!(refused, Err(EventError::Malformed { .. })), "{smuggled}");
    }
    let refused = builder.with_header_member("version", "\"3.0\"").encode().unwrap_err();
    assert_eq!(refused, EventError::DuplicateMember { pointer: "/header/version".into() });
}

#[test]
fn texts_without_escapes_are_borrowed() {
    let payload = r#"{"automation":{"id":"amzn1.alexa.automation.A"},"result":{"status":"OTHER","errors":[{"type":"NEW","message":"m","id":"amzn1.alexa.endpoint.E"}]}}"#;
    for more in [
        "",
        r#","more":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"#,
    ] {
        let payload = format!("{}{more}}}", &payload[..payload.len() - 1]);
        let text = EventBuilder::new(EventKind::Completion.event_type().unwrap(), "e-1")
            .with_entities(r#"{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.ROOM401"}}"#)
            .with_payload(payload)
            .encode()
            .unwrap();
        let event = Event::decode(text.as_bytes()).unwrap();
        let Body::Completion(completion) = event.body() else { panic!("{event:?}") };
        let Extracted::Known(unit) = &completion.unit else { panic!("{completion:?}") };
        let Extracted::Known(automation) = &completion.automation else { panic!("{completion:?}") };
        let [error] = &completion.errors[..] else { panic!("{completion:?}") };
        let status = completion.status.as_ref().unwrap().as_str();
        let error_type = error.error_type.as_ref().unwrap().as_str();
        let about = error.id.as_ref().unwrap().as_str();
        for borrowed in [
            event.id(),
            unit.as_str(),
            automation.as_str(),
            status,
            error_type,
            error.message.as_deref().unwrap(),
            about,
        ] {
            assert!(text.as_bytes().as_ptr_range().contains(&borrowed.as_ptr()), "{borrowed}");
        }
    }
}
