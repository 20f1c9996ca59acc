//! Messages: the vectors H01 to H16 of specification section 15.H, bodies against a naive reading, topics, and what is
//! never printed.

use std::borrow::Cow;

use amqp_auth::message::{
    Body, BodyError, Class, Flag, LifecycleAction, Message, MessageId, Options, ReplyCode,
    StatusName, Topic,
};
use iot_sansio::{
    UnixMillis,
    amqp::{self, Value as Amqp},
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[path = "naive/body.rs"]
mod naive;

/// What holds in no place of this crate.
const LEFT_TO_STACKS: &[(&str, &str)] = &[(
    "H16",
    "an AMQP stack drops an aborted transfer: it is no delivery, and reaches no machine",
)];

fn properties(vector: &Value) -> Vec<(Cow<'_, str>, Amqp<'_>)> {
    let typed = |property: &Value| match (property[1].as_str().unwrap(), &property[2]) {
        ("string", text) => Amqp::String(text.as_str().unwrap().to_owned().into()),
        ("signed", number) => Amqp::Signed(number.as_i64().unwrap()),
        ("timestamp", number) => Amqp::Timestamp(number.as_i64().unwrap()),
        (other, _) => panic!("no type {other}"),
    };
    let properties = vector["properties"].as_array().unwrap().iter();
    properties.map(|property| (property[0].as_str().unwrap().into(), typed(property))).collect()
}

#[test]
fn every_vector_holds() {
    let mut ids = Vec::new();
    for line in include_str!("vectors/attributes.jsonl").lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = vector["id"].as_str().unwrap();
        let properties = properties(&vector);
        let sections: Option<Vec<&[u8]>> = vector["data"].as_array().map(|sections| {
            sections.iter().map(|section| section.as_str().unwrap().as_bytes()).collect()
        });
        let value = vector["value"].as_str().map(|text| Amqp::String(text.into()));
        let body = match (&sections, &value) {
            (Some(sections), _) => amqp::Body::Data(sections),
            (None, Some(value)) => amqp::Body::Value(value),
            (None, None) => amqp::Body::Sequence,
        };
        let delivered = amqp::Message::new(&properties, body);
        let message = Message::decode(&delivered, Options::default());

        let attributes = &message.attributes;
        assert_eq!(attributes.topic.as_deref(), vector["topic"].as_str(), "{id}");
        let message_id = attributes.message_id.as_ref().map(MessageId::as_str);
        assert_eq!(message_id, vector["messageId"].as_str(), "{id}");
        let time = attributes.generate_time.map(UnixMillis::get);
        assert_eq!(time, vector["generateTime"].as_i64(), "{id}");
        assert_eq!(attributes.qos.map(u64::from), vector["qos"].as_u64(), "{id}");
        let topic = message.topic();
        assert_eq!(topic.class().as_str(), vector["class"], "{id}");
        assert_eq!(topic.function_block(), vector["functionBlock"].as_str(), "{id}");
        if let Some(event_id) = vector["eventId"].as_str() {
            assert_eq!(topic.event_id(), Some(event_id), "{id}");
        }
        assert_eq!(*message.payload, *vector["payload"].as_str().unwrap().as_bytes(), "{id}");
        let flags: Vec<_> = message.flags.iter().map(|flag| json!(format!("{flag:?}"))).collect();
        assert_eq!(flags, *vector["flags"].as_array().unwrap(), "{id}");
        assert_eq!(message.body().is_ok(), vector["body"] == "ok", "{id}: {:?}", message.body());
        if let Some(hidden) = vector["hidden"].as_str() {
            let printed = format!("{delivered:?} {message:?} {:?}", message.body());
            assert!(!printed.contains(hidden), "{id}: {printed}");
        }
        assert_eq!(message.clone().into_owned(), message, "{id}");
        ids.push(id.to_owned());
    }
    ids.extend(LEFT_TO_STACKS.iter().map(|(id, _)| (*id).to_owned()));
    let all: Vec<String> = (1..=16).map(|number| format!("H{number:02}")).collect();
    assert_eq!(ids, all);
}

#[test]
fn reading_copies_nothing_that_the_input_holds() {
    let properties = [
        ("topic".into(), Amqp::Symbol("/a/b/user/c".into())),
        ("messageId".into(), Amqp::String("01".into())),
        ("tag".into(), Amqp::Binary(Cow::Borrowed(b"x"))),
    ];
    let sections: [&[u8]; 1] = [b"payload"];
    let message = amqp::Message::new(&properties, amqp::Body::Data(&sections));
    let message = Message::decode(&message, Options::default());
    assert!(matches!(message.payload, Cow::Borrowed(_)));
    assert!(matches!(message.attributes.topic, Some(Cow::Borrowed(_))));
    let [(Cow::Borrowed("tag"), Amqp::Binary(Cow::Borrowed(b"x")))] = &*message.attributes.others
    else {
        panic!("{:?}", message.attributes.others);
    };
}

#[test]
fn what_cannot_be_read_is_flagged_and_kept() {
    let properties = [
        ("topic".into(), Amqp::Binary(Cow::Borrowed(b"/a/b"))),
        ("messageId".into(), Amqp::Double(0)),
        ("generateTime".into(), Amqp::Unsigned(u64::MAX)),
        ("qos".into(), Amqp::Signed(256)),
    ];
    let fallback = Amqp::Unsigned(u64::MAX);
    let message = amqp::Message::new(&properties, amqp::Body::Data(&[]))
        .with_message_id(&fallback)
        .with_delivery_count(3);
    let message = Message::decode(&message, Options::default());
    assert_eq!(message.attributes.others.len(), 4);
    assert_eq!(message.attributes.delivery_count, 3);
    assert_eq!(message.attributes.message_id.unwrap().as_str(), "18446744073709551615");
    let flags = [Flag::MissingTopic, Flag::BadMessageId, Flag::BadGenerateTime, Flag::BadQos];
    assert!(message.flags.iter().eq(flags), "{:?}", message.flags);
}

#[test]
fn ids_that_could_not_be_told_apart_or_kept_are_none() {
    let long = "7".repeat(257);
    for text in ["", &long] {
        assert_eq!(MessageId::from_value(&Amqp::String(text.into())), None);
    }
    assert!(MessageId::from_value(&Amqp::Symbol(long[..256].into())).is_some());
}

#[test]
fn base64_is_decoded_strictly_and_only_when_asked_for() {
    let decode = |text: &[u8], base64| {
        let sections = [text];
        let message = amqp::Message::new(&[], amqp::Body::Data(&sections));
        let message = Message::decode(&message, Options::default().with_base64(base64));
        (message.payload.into_owned(), message.flags.contains(Flag::BadBase64))
    };
    assert_eq!(decode(b"e30=", true), (b"{}".into(), false));
    assert_eq!(decode(b"e30=", false), (b"e30=".into(), false));
    for bad in [&b"e30"[..], b"e30=\n", b"e31=", b"{}"] {
        assert_eq!(decode(bad, true), (bad.into(), true));
    }
}

#[test]
fn bodies_are_read_as_the_platform_writes_them() {
    let status = br#"{"status":"offline","offlineReasonCode":"427","time":"t","extra":[{}]}"#;
    let Ok(Body::DeviceStatus(body)) = Body::parse(Class::DeviceStatus, status) else { panic!() };
    assert_eq!((body.status, body.offline_reason_code), (Some(StatusName::Offline), Some(427)));

    let reply = br#"{"requestId":9007199254740993,"code":9201,"data":{"x":1.0},"message":null}"#;
    let Ok(Body::DownlinkReply(body)) = Body::parse(Class::DownlinkReply, reply) else { panic!() };
    let request_id = body.request_id.unwrap();
    assert_eq!(
        (request_id.as_str(), request_id.as_i64()),
        ("9007199254740993", Some((1 << 53) + 1))
    );
    assert_eq!((body.code, body.message), (Some(ReplyCode::OFFLINE), None));
    assert_eq!(body.data.unwrap().as_str(), r#"{"x":1.0}"#);

    let topology = br#"{"action":"remove","devices":[{"deviceName":"a"},{"deviceName":"b"}]}"#;
    let Ok(Body::TopologyLifecycle(body)) = Body::parse(Class::TopologyLifecycle, topology) else {
        panic!()
    };
    assert_eq!((body.action, body.devices.len()), (Some(LifecycleAction::Delete), 2));

    let batch =
        br#"{"payload":{"b":[{"value":1,"time":2},{"value":null}],"a":{"value":3},"c":{"d":4}}}"#;
    let Ok(Body::Batch(body)) = Body::parse(Class::EventBatch, batch) else { panic!() };
    let items: Vec<_> = body.items.iter().map(|item| (&*item.name, item.value.as_str())).collect();
    assert_eq!(items, [("b", "1"), ("b", "null"), ("a", "3"), ("c", r#"{"d":4}"#)]);
}

#[test]
fn an_unknown_name_is_kept_and_hides_none_that_is_known() {
    let action = |text: &str| {
        let body = json!({"action": text}).to_string();
        match Body::parse(Class::Lifecycle, body.as_bytes()) {
            Ok(Body::Lifecycle(body)) => body.action.unwrap().as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(action("Create"), "Create");
    let body = br#"{"action":"\u0063reate"}"#;
    let Ok(Body::Lifecycle(body)) = Body::parse(Class::Lifecycle, body) else { panic!() };
    assert_eq!(body.action, Some(LifecycleAction::Create));
}

#[test]
fn errors_name_the_field_or_the_position() {
    let error = |bytes: &[u8]| Body::parse(Class::DownlinkReply, bytes).unwrap_err();
    assert_eq!(error(b"{\"a\":\xff}"), BodyError::NotUtf8 { position: 5 });
    assert_eq!(error(b"{\n \"a\":}"), BodyError::NotJson { line: 2, column: 6 });
    assert_eq!(Body::parse(Class::Custom, b"\xff"), Ok(Body::Bytes(b"\xff")));
    assert!(matches!(error(b""), BodyError::NotJson { .. }));
    assert!(matches!(error(b"{} x"), BodyError::NotJson { .. }));
    assert_eq!(error(b" [1] "), BodyError::NotAnObject { found: "an array" });
    let wrong =
        BodyError::WrongType { field: "productKey", expected: "a text", found: "a boolean" };
    assert_eq!(error(br#"{"productKey":true}"#), wrong);
    for code in ["1.5", "1e3", "9223372036854775808", "\"+1\"", "\"\"", "\"-\"", "\"1 \""] {
        let body = format!("{{\"code\":{code}}}");
        assert_eq!(error(body.as_bytes()), BodyError::NotAnInteger { field: "code" }, "{code}");
    }
    let half = BodyError::UnpairedSurrogate { field: "deviceName" };
    assert_eq!(error(br#"{"deviceName":"\ud800"}"#), half);
    assert!(matches!(error(br#"{"\ud800":1}"#), BodyError::UnpairedSurrogate { .. }));
}

#[test]
fn a_field_that_comes_beside_costs_itself_only() {
    for (name, odd) in [
        ("offlineReasonCode", "\"\""),
        ("offlineReasonCode", "427.0"),
        ("offlineReasonCode", "[427]"),
        ("clientIp", "{}"),
        ("iotId", "true"),
        ("protocol", r#""\ud800""#),
        ("time", "{}"),
        ("utcTime", "[]"),
    ] {
        let body = format!(r#"{{"status":"online","deviceName":"dn","{name}":{odd}}}"#);
        let read = Body::parse(Class::DeviceStatus, body.as_bytes());
        let Ok(Body::DeviceStatus(read)) = read else { panic!("{name}: {read:?}") };
        assert_eq!(
            (read.status, read.device_name.as_deref()),
            (Some(StatusName::Online), Some("dn"))
        );
        assert_eq!(read.unread, [name], "{odd}");
    }
    for name in ["status", "productKey", "deviceName"] {
        let body = format!(r#"{{"{name}":{{}}}}"#);
        let wrong = BodyError::WrongType { field: name, expected: "a text", found: "an object" };
        assert_eq!(Body::parse(Class::DeviceStatus, body.as_bytes()), Err(wrong));
    }

    let post = br#"{"items":{"a":{"value":1,"time":"soon"},"b":{"value":2,"time":3},
        "c":{"value":4,"time":{}},"d":{"\ud800":5}},"checkFailedData":[1],"gmtCreate":"x"}"#;
    let read = Body::parse(Class::PropertyPost, post);
    let Ok(Body::Property(read)) = read else { panic!("{read:?}") };
    let items = read.items.iter().map(|item| (item.value.as_str(), item.time.map(UnixMillis::get)));
    let expected = [("1", None), ("2", Some(3)), ("4", None), (r#"{"\ud800":5}"#, None)];
    assert_eq!(items.collect::<Vec<_>>(), expected);
    let mut unread = read.unread;
    unread.sort_unstable();
    assert_eq!(unread, ["checkFailedData", "gmtCreate", "time"]);

    let created = br#"{"action":"create","deviceSecret":{"canary":1}}"#;
    let read = Body::parse(Class::Lifecycle, created);
    let Ok(Body::Lifecycle(read)) = read else { panic!("{read:?}") };
    assert_eq!((&read.action, &read.device_secret), (&Some(LifecycleAction::Create), &None));
    assert_eq!(read.unread, ["deviceSecret"]);

    let tags = br#"{"value":[{"attrKey":"a","attrValue":true},{"attrKey":"b","attrValue":[]}]}"#;
    let read = Body::parse(Class::TagChange, tags);
    let Ok(Body::TagChange(read)) = read else { panic!("{read:?}") };
    let keys: Vec<_> = read.tags.iter().filter_map(|tag| tag.key.as_deref()).collect();
    assert_eq!(
        (keys.as_slice(), read.unread.as_slice()),
        (["a", "b"].as_slice(), &["attrValue"][..])
    );

    let found = br#"{"devices":[{"iotId":{},"deviceName":"a"},{"iotId":1,"deviceName":"b"}]}"#;
    let read = Body::parse(Class::SubDeviceFound, found);
    let Ok(Body::SubDeviceFound(read)) = read else { panic!("{read:?}") };
    let ids: Vec<_> = read.devices.iter().map(|device| device.iot_id.as_deref()).collect();
    assert_eq!(
        (ids.as_slice(), read.unread.as_slice()),
        ([None, Some("1")].as_slice(), &["iotId"][..])
    );
}

#[test]
fn nothing_secret_is_printed() {
    let canary = json!({
        "deviceSecret": "canary", "items": {"a": {"value": "canary"}},
        "checkFailedData": {"a": {"value": ["canary"]}}, "payload": {"a": [{"value": "canary"}]},
        "value": [{"attrKey": "k", "attrValue": "canary"}], "values": "canary", "data": "canary",
    });
    let broken = format!("{canary}canary");
    for class in Class::ALL {
        for text in [canary.to_string(), broken.clone()] {
            let read = Body::parse(*class, text.as_bytes());
            let mut printed = format!("{read:?}");
            if let Err(error) = read {
                printed += &error.to_string();
            }
            assert!(!printed.contains("canary"), "{class}: {printed}");
        }
    }
    let text = canary.to_string();
    let sections = [text.as_bytes()];
    let value = Amqp::String(text.as_str().into());
    for body in [amqp::Body::Data(&sections), amqp::Body::Value(&value)] {
        let message = Message::decode(&amqp::Message::new(&[], body), Options::default());
        assert!(!format!("{message:?} {:?}", message.body()).contains("canary"));
    }
}

#[test]
fn a_topic_is_what_the_first_row_that_matches_says() {
    for (name, class) in [
        ("/as/mqtt/status/pk/dn", "DeviceStatus"),
        ("/sys/pk/dn/device/status/notify", "DeviceStatus"),
        ("/pk/dn/thing/event/property/post", "PropertyPost"),
        ("/sys/pk/dn/thing/event/property/history/post", "PropertyHistory"),
        ("/pk/dn/thing/property/batch/post", "PropertyBatch"),
        ("/pk/dn/thing/event/x/history/post", "EventHistory"),
        ("/pk/dn/thing/topo/lifecycle", "TopologyLifecycle"),
        ("/pk/dn/thing/list/found", "SubDeviceFound"),
        ("/pk/dn/thing/downlink/reply/message", "DownlinkReply"),
        ("/pk/dn/ota/version/post", "OtaModuleVersion"),
        ("/sys/pk/pkg/job/ota/job/status", "OtaJobStatus"),
        ("/pk/dn/thing/deviceinfo/update", "TagChange"),
        ("/pk/dn/user/a/b/c/d/e/f/g/h", "Custom"),
        ("/pk/dn/user/", "Unknown"),
        ("/pk/dn/user", "Unknown"),
        ("//dn/thing/lifecycle", "Unknown"),
        ("/pk/dn/thing/event//post", "Unknown"),
        ("/sys/as/user/thing/event//post", "Custom"),
        ("pk/dn/thing/lifecycle", "Unknown"),
        ("/pk/dn/thing/lifecycle/", "Unknown"),
        ("/as/mqtt/status/pk", "Unknown"),
        ("/sys/as/mqtt/status/pk/dn", "Unknown"),
        ("", "Unknown"),
        ("/", "Unknown"),
    ] {
        assert_eq!(Topic::classify(name).class().as_str(), class, "{name}");
    }
    let job = Topic::classify("/sys/pk/pkg/job/ota/job/status");
    let names = (job.product_key(), job.device_name(), job.package_id(), job.job_id());
    assert_eq!(names, (Some("pk"), None, Some("pkg"), Some("job")));
    let event = Topic::classify("/pk/dn/thing/event/:x/post");
    assert_eq!((event.function_block(), event.event_id()), (None, Some(":x")));
}

/// The table of specification section 8.1: `*` stands for a name, `...` for more.
const TABLE: &[(&str, Class)] = &[
    ("/as/mqtt/status/*/*", Class::DeviceStatus),
    ("/sys/*/*/device/status/notify", Class::DeviceStatus),
    ("/*/*/thing/event/property/post", Class::PropertyPost),
    ("/*/*/thing/event/property/history/post", Class::PropertyHistory),
    ("/*/*/thing/property/batch/post", Class::PropertyBatch),
    ("/*/*/thing/event/batch/post", Class::EventBatch),
    ("/*/*/thing/event/*/post", Class::Event),
    ("/*/*/thing/event/*/history/post", Class::EventHistory),
    ("/*/*/thing/lifecycle", Class::Lifecycle),
    ("/*/*/thing/topo/lifecycle", Class::TopologyLifecycle),
    ("/*/*/thing/list/found", Class::SubDeviceFound),
    ("/*/*/thing/downlink/reply/message", Class::DownlinkReply),
    ("/*/*/ota/upgrade", Class::OtaUpgrade),
    ("/*/*/ota/version/post", Class::OtaModuleVersion),
    ("/*/*/*/ota/job/status", Class::OtaJobStatus),
    ("/*/*/thing/deviceinfo/update", Class::TagChange),
    ("/*/*/user/...", Class::Custom),
];

fn naive_class(name: &str) -> Class {
    let matches = |pattern: &str, name: &str| {
        let mut levels = name.split('/');
        for level in pattern.split('/') {
            match (level, levels.next()) {
                ("...", Some(first)) => return !first.is_empty() || levels.next().is_some(),
                ("*", Some(level)) if !level.is_empty() => {}
                (level, Some(other)) if level == other => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    };
    let row = TABLE.iter().enumerate().find(|(row, (pattern, _))| {
        let with_sys = (2..16).contains(row).then(|| format!("/sys{pattern}"));
        matches(pattern, name) || with_sys.is_some_and(|pattern| matches(&pattern, name))
    });
    row.map_or(Class::Unknown, |(_, (_, class))| *class)
}

fn level() -> impl Strategy<Value = String> {
    let words = TABLE.iter().flat_map(|(pattern, _)| pattern.split('/'));
    let mut words: Vec<&str> = words.filter(|word| !matches!(*word, "*" | "...")).collect();
    words.extend(["pk", "dn", "a:b"]);
    proptest::sample::select(words).prop_map(String::from)
}

fn topic_name() -> impl Strategy<Value = String> {
    let row = proptest::sample::select(TABLE).prop_flat_map(|(pattern, _)| {
        let levels = proptest::collection::vec(level(), 8);
        (any::<bool>(), levels).prop_map(move |(sys, levels)| {
            let mut levels = levels.into_iter();
            let fill = |level: &str| match level {
                "*" | "..." => levels.next().unwrap_or_default(),
                word => word.to_owned(),
            };
            let name = pattern.split('/').map(fill).collect::<Vec<_>>().join("/");
            if sys { format!("/sys{name}") } else { name }
        })
    });
    let any =
        (any::<bool>(), proptest::collection::vec(level(), 0..10)).prop_map(|(rooted, levels)| {
            let name = levels.join("/");
            if rooted { format!("/{name}") } else { name }
        });
    prop_oneof![3 => row, 2 => any]
}

/// JSON that is often a body.
fn body() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-z\"\\\\\u{e9}]{0,4}|-?[0-9]{1,20}|add|remove|create".prop_map(Value::from),
    ];
    let names = "value|values|time|items|payload|checkFailedData|devices|iotId|productKey|deviceName\
        |action|status|requestId|code|data|attrKey|attrValue|messageCreateTime|gmtCreate|x";
    scalar.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::btree_map(names, inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn topics_are_classified_as_a_search_of_the_table_does(name in topic_name()) {
        let topic = Topic::classify(&name);
        prop_assert_eq!(topic.class(), naive_class(&name));
        prop_assert_eq!(topic.name(), name.as_str());
        prop_assert_eq!(topic.product_key().is_some(), topic.class() != Class::Unknown);
    }

    #[test]
    fn bodies_are_read_as_a_naive_reading_does(
        body in body(),
        class in proptest::sample::select(Class::ALL),
    ) {
        let bytes = body.to_string().into_bytes();
        naive::check(class, &body, &Body::parse(class, &bytes));
    }
}
