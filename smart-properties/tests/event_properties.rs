//! Any bytes, and events that are nearly right, beside the naive reading.

use proptest::prelude::*;
use serde_json::value::RawValue;
use smart_properties::{Body, Event, EventError};

#[path = "naive/event_agreement.rs"]
mod agreement;
#[path = "naive/event.rs"]
mod naive;

/// Names and texts that mean something somewhere, and some that do not.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(WORDS).prop_map(String::from),
        1 => "[ -~]{0,4}",
        1 => prop::sample::select(ESCAPED).prop_map(String::from),
    ]
}

/// JSON text in which names may come twice.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => word().prop_map(|word| quoted(&word)),
        1 => prop::sample::select(SCALARS).prop_map(String::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec((word(), inner), 0..5).prop_map(|members| object(&members)),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, json)| format!("{}:{json}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

fn quoted(word: &str) -> String {
    // Those with a backslash are escaped already.
    if word.contains('\\') { format!("\"{word}\"") } else { format!("{word:?}") }
}

/// An event of one of the known types, each part of which is right most of the time.
fn event() -> impl Strategy<Value = String> {
    let or_any = |right: BoxedStrategy<String>| prop_oneof![9 => right, 1 => json()].boxed();
    let object_of = |names: &'static [&'static str]| {
        let member = (prop::sample::select(names).prop_map(String::from), json());
        prop::collection::vec(member, 0..4).prop_map(|members| object(&members)).boxed()
    };
    let header = (
        or_any(prop::sample::select(&["\"2.0\"", "\"3.0\""][..]).prop_map(String::from).boxed()),
        or_any(Just(r#"{"id":"e-1"}"#.into()).boxed()),
        or_any(
            prop::sample::select(TYPES)
                .prop_map(|(namespace, name)| {
                    format!(r#"{{"namespace":"{namespace}","name":"{name}"}}"#)
                })
                .boxed(),
        ),
        or_any(Just(r#"{"timestamp":"2024-05-01T10:00:00Z"}"#.into()).boxed()),
        or_any(entities().boxed()),
        prop_oneof![3 => Just(String::new()), 1 => object_of(WORDS)],
    );
    (header, or_any(object_of(PAYLOAD_NAMES))).prop_map(|(header, payload)| {
        let (version, id, event_type, time, entities, extra) = header;
        let extra = match extra.trim_matches(['{', '}']) {
            "" => String::new(),
            _ => format!(",\"extra\":{extra}"),
        };
        format!(
            r#"{{"header":{{"version":{version},"eventId":{id},"eventType":{event_type},"eventTime":{time},"entities":{entities}{extra}}},"payload":{payload}}}"#
        )
    })
}

fn entities() -> impl Strategy<Value = String> {
    let id = prop::sample::select(IDS).prop_map(quoted);
    let entity = prop::collection::vec(
        (
            prop::sample::select(&["id", "resourceId", "type", "parent"][..])
                .prop_map(String::from),
            id,
        ),
        0..3,
    )
    .prop_map(|members| object(&members));
    let names = prop::sample::select(&["unit", "skill", "resource", "endpoint", "user"][..]);
    prop::collection::vec((names.prop_map(String::from), entity), 0..3)
        .prop_map(|members| object(&members))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn bytes_are_read_as_the_naive_decoder_reads_them(bytes: Vec<u8>) {
        agreement::check(&bytes);
    }

    #[test]
    fn json_is_read_as_the_naive_decoder_reads_it(text in json()) {
        agreement::check(text.as_bytes());
    }

    #[test]
    fn events_are_read_as_the_naive_decoder_reads_them(text in event(), space in "[ \n]{0,2}") {
        agreement::check(format!("{space}{text}{space}").as_bytes());
    }

    #[test]
    fn an_event_that_was_cut_or_changed_is_read_as_the_naive_decoder_reads_it(
        text in event(),
        at: prop::sample::Index,
        byte: Option<u8>,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        match byte {
            Some(byte) => bytes[at] = byte,
            None => bytes.truncate(at),
        }
        agreement::check(&bytes);
    }

    #[test]
    fn depth_is_counted_exactly(
        deep in 20_usize..40,
        wide in 0_usize..40,
        arrays: bool,
        in_header: bool,
    ) {
        let (open, close) = if arrays { ("[", "]") } else { ("{\"a\":", "}") };
        let nested = format!("{}1{}", open.repeat(deep), close.repeat(deep));
        let filler = vec!["[]"; wide].join(",");
        let inner = format!(r#""x":{nested},"y":[{filler}]"#);
        let (header, payload) = if in_header { (inner, String::new()) } else { (String::new(), inner) };
        let comma = if header.is_empty() { "" } else { "," };
        let text = format!(
            r#"{{"header":{{"version":"2.0","eventId":{{"id":"e"}},"eventType":{{"namespace":"a","name":"b"}}{comma}{header}}},"payload":{{{payload}}}}}"#
        );
        // The event, and the header or the payload.
        let too_deep = deep + 2 > 32;
        let found = Event::decode(text.as_bytes());
        let is_too_deep = matches!(found, Err(EventError::TooDeep { limit: 32 }));
        prop_assert_eq!(is_too_deep, too_deep);
        agreement::check(text.as_bytes());
    }
}

/// The documented event, at one or two places of which there is a member more, or another value.
fn nearly_documented() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        (word(), json()).prop_map(|(name, json)| format!("{}:{json},", quoted(&name))),
        prop::sample::select(MEMBERS).prop_map(|member| format!("{member},")),
    ];
    let edit = prop_oneof![
        (member, 1_usize..3).prop_map(|(member, times)| (true, member.repeat(times))),
        prop::sample::select(ODD_VALUES).prop_map(|json| (false, json.into())),
        json().prop_map(|json| (false, json)),
    ];
    let edits = prop::collection::vec((edit, any::<prop::sample::Index>()), 0..3);
    (prop::sample::select(TYPES), edits).prop_map(|((namespace, name), edits)| {
        let mut text = DOCUMENTED.replace("NAMESPACE", namespace).replace("NAME", name);
        for ((is_member, new), at) in edits {
            let mark = if is_member { '{' } else { ':' };
            let places: Vec<usize> = text.match_indices(mark).map(|(place, _)| place + 1).collect();
            let place = *at.get(&places);
            let old = if is_member { 0 } else { first_value(&text[place..]) };
            text.replace_range(place..place + old, &new);
        }
        text
    })
}

/// How long the value is that a text begins with.
fn first_value(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next().and_then(Result::ok).map_or(0, |value| value.get().len())
}

/// All that can be told of an event. Where a text is cut off or odd does not matter.
fn told(text: &str) -> (String, Option<Body<'_>>) {
    match Event::parse(text) {
        Ok(event) => {
            let (entities, payload) = (event.entities(), event.payload());
            let warnings: Vec<_> = event.warnings().collect();
            let told = format!("{event:?} {:?} {warnings:?} {entities} {payload}", event.time());
            (told, Some(event.body()))
        }
        Err(EventError::Malformed { .. }) => ("malformed".into(), None),
        Err(error) => (format!("{error:?}"), None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_192))]

    /// An event with that many brackets is never read in one pass.
    #[test]
    fn one_pass_tells_what_the_careful_decoder_tells(text in nearly_documented()) {
        let brackets = vec!["[]"; 40].join(",");
        let carefully = text.replacen('{', &format!(r#"{{"many":[{brackets}],"#), 1);
        prop_assert_eq!(told(&text), told(&carefully), "{}", text);
    }
}

#[test]
fn hostile_events_are_read_in_time() {
    let long = |open: &str, part: &str, close: &str| {
        let head = r#"{"header":{"version":"2.0","eventId":{"id":"e"},"eventType":{"namespace":"Alexa.Enterprise.Subscription","name":"Activation"}"#;
        let times = (262_000 - head.len() - open.len() - close.len()) / part.len();
        format!("{head}{open}{}{close}", part.repeat(times))
    };
    let nested = format!("{}1{},", "[".repeat(29), "]".repeat(29));
    for text in [
        long(r#"},"payload":{"x":["#, "[],", "1]}}"),
        long(r#"},"payload":{"#, r#""a":{},"#, r#""b":1}}"#),
        long(r#"},"payload":{"#, r#""\u0061":"amzn1.alexa.unit.did.A","#, r#""b":1}}"#),
        long(r#"},"payload":{"x":["#, &nested, "1]}}"),
        long("},", r#""x":{},"#, r#""payload":{}}"#),
        long(",", r#""x":{},"#, r#""y":1}}"#),
        long(r#","x":["#, &nested, "1]}}"),
        long(r#"},"payload":{"x":""#, "\\\\", r#""}}"#),
        "[".repeat(262_144),
        format!("{}{}", "[".repeat(131_072), "]".repeat(131_072)),
        format!(r#"{{"a":{}{}}}"#, "[".repeat(131_000), "]".repeat(131_000)),
    ] {
        agreement::check(text.as_bytes());
    }
}

const WORDS: &[&str] = &[
    "header",
    "payload",
    "version",
    "2.0",
    "eventId",
    "id",
    "eventType",
    "namespace",
    "name",
    "eventTime",
    "timestamp",
    "entities",
    "unit",
    "parent",
    "skill",
    "resource",
    "resourceId",
    "endpoint",
    "endpointId",
    "automation",
    "result",
    "status",
    "errors",
    "type",
    "message",
    "error",
    "role",
    "roleId",
    "principal",
    "principalId",
    "FAILURE",
    "SUCCESS",
    "ENDPOINT_NOT_FOUND",
    "amzn1.alexa.unit.did.A",
    "amzn1.alexa.unit.did.B",
    "amzn1.alexa.endpoint.A",
    "amzn1.alexa.endpoint.B",
    "amzn1.alexa.automation.A",
    "amzn1.alexa.automation.template.A",
    "amzn1.ask.skill.A",
    "amzn1.alexa.role.did.A",
    "amzn1.account.A",
    "amzn1.alexa.unit.did.",
    "amzn1.alexa.unit.did.a/b",
    "a/b~c",
];
const DOCUMENTED: &str = r#"{"header":{"version":"2.0","eventId":{"id":"e-1"},"eventType":{"namespace":"NAMESPACE","name":"NAME"},"eventTime":{"timestamp":"2024-05-01T10:00:00Z"},"entities":{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.A","parent":{"type":"Unit","id":"amzn1.alexa.unit.did.B"}},"endpoint":{"id":"amzn1.alexa.endpoint.A"}}},"payload":{"automation":{"id":"amzn1.alexa.automation.A"},"result":{"status":"FAILURE","errors":[{"type":"ENDPOINT_NOT_FOUND","message":"m","id":"amzn1.alexa.endpoint.A"}]}}}"#;
const ODD_VALUES: &[&str] =
    &["null", "[]", "{}", "1", r#"["a"]"#, r#""""#, r#""a\n""#, r#""a-b""#, r#""\ud800""#];
/// Some of those that are there already, so that they are there twice, and some that are not as they should be.
const MEMBERS: &[&str] = &[
    r#""version":"2.0""#,
    r#""eventId":{"id":"e-1"}"#,
    r#""eventTime":null"#,
    r#""eventTime":{}"#,
    r#""entities":{}"#,
    r#""entities":["a"]"#,
    r#""unit":{"id":"amzn1.alexa.unit.did.A"}"#,
    r#""unit":["Unit","amzn1.alexa.unit.did.A"]"#,
    r#""id":"amzn1.alexa.unit.did.B""#,
    r#""i\u0064":"x""#,
    r#""id":null"#,
    r#""type":"\ud800""#,
    r#""parent":{"type":"Unit"}"#,
    r#""payload":{}"#,
    r#""automation":{"id":"amzn1.alexa.automation.A"}"#,
    r#""automation":["amzn1.alexa.automation.A"]"#,
    r#""result":{"status":"SUCCESS"}"#,
    r#""status":"SUCCESS""#,
    r#""errors":[]"#,
    r#""errors":null"#,
    r#""message":1e999"#,
    r#""\ud800":1"#,
];
const PAYLOAD_NAMES: &[&str] = &[
    "unit",
    "automation",
    "result",
    "error",
    "errors",
    "role",
    "roleId",
    "principal",
    "principalId",
    "endpoint",
    "endpointId",
    "skill",
    "x",
];
const IDS: &[&str] = &[
    "amzn1.alexa.unit.did.A",
    "amzn1.alexa.unit.did.B",
    "amzn1.alexa.endpoint.A",
    "amzn1.ask.skill.A",
    "amzn1.alexa.automation.A",
    "amzn1.account.A",
    "x",
];
const ESCAPED: &[&str] = &[
    r"\u0069d",
    r"unit\u002f",
    r"\ud83d\ude00",
    r"amzn1.alexa.unit.did.\u0041",
    r"stat\u0075s",
    r"\n",
    r"\\",
    r"e\u0076entId",
];
const SCALARS: &[&str] =
    &["null", "true", "false", "0", "-1", "2.0", "1.5e3", "1e400", "18446744073709551616"];
const TYPES: &[(&str, &str)] = &[
    ("Alexa.Enterprise.Subscription", "Activation"),
    ("Alexa.Automation.Execution", "Completion"),
    ("Alexa.Skill.Interaction", "Failure"),
    ("Alexa.Role.Management", "Assignment"),
    ("Alexa.Role.Management", "Revocation"),
    ("Alexa.Endpoint.Lifecycle", "SetupCompletion"),
    ("Alexa.Enterprise.Subscription", "Deactivation"),
];
