//! Events read again, in no hurry: specification sections 2 and 3 over a tree that keeps names which come twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value with everything that a decoder may look at.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Boolean,
    Number,
    String(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// What an event says, as far as decoding goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) version: String,
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) timestamp: Option<String>,
    /// `eventTime` or what is in it has a wrong type.
    pub(crate) unreadable_time: bool,
    pub(crate) has_payload: bool,
}

/// The name of an error, and where it is if that is certain.
pub(crate) type Refusal = (&'static str, Option<String>);

/// Where an identifier is, and what it is: with the word for how sure that is.
pub(crate) type Finding = (&'static str, Vec<(String, String)>);

/// What is looked for in an event: the prefix of its kind, prefixes that it must not have, where it stands for certain,
/// where it may stand, whether it is harvested, and where that passes over.
struct Wanted {
    prefix: &'static str,
    not: &'static [&'static str],
    certain: &'static [&'static str],
    likely: &'static [&'static str],
    harvest: bool,
    passing: &'static [&'static str],
}

/// Reads an event; none when serde_json makes no tree of it although it is JSON: half of a surrogate pair, a number that
/// has no place in a float, or more than 128 levels.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Result<Header, Refusal>, Option<Json>)> {
    let refused = |name| Some((Err((name, None)), None));
    if bytes.len() > 262_144 {
        return refused("TooLong");
    }
    if std::str::from_utf8(bytes).is_err() || serde_json::from_slice::<IgnoredAny>(bytes).is_err() {
        return refused("Malformed");
    }
    let json: Json = serde_json::from_slice(bytes).ok()?;
    Some((header(&json), Some(json)))
}

fn header(json: &Json) -> Result<Header, Refusal> {
    let Json::Object(root) = json else { return Err(("NotAnObject", None)) };
    if depth(json) > 32 {
        return Err(("TooDeep", None));
    }
    for name in ["header", "payload"] {
        if root.iter().filter(|(found, _)| found == name).count() > 1 {
            return Err(("DuplicateMember", None));
        }
    }
    let header = object(json, "/header")?;
    if has_twice(header) {
        return Err(("DuplicateMember", None));
    }
    object(json, "/header/eventId")?;
    let id = string(json, "/header/eventId/id")?;
    check(&id, "/header/eventId/id", |character| !character.is_control())?;
    object(json, "/header/eventType")?;
    let legal = |character: char| character.is_ascii_alphanumeric() || character == '.';
    let namespace = string(json, "/header/eventType/namespace")?;
    check(&namespace, "/header/eventType/namespace", legal)?;
    let name = string(json, "/header/eventType/name")?;
    check(&name, "/header/eventType/name", legal)?;
    let version = string(json, "/header/version")?;
    let (timestamp, unreadable_time) = match at(json, "/header/eventTime").pop() {
        None => (None, false),
        Some(time @ Json::Object(_)) => match at(time, "/timestamp").pop() {
            None => (None, false),
            Some(Json::String(text)) => (Some(text.clone()), false),
            Some(_) => (None, true),
        },
        Some(_) => (None, true),
    };
    if !at(json, "/header/entities").is_empty() {
        if let Json::Object(entities) = object(json, "/header/entities")? {
            if entities.iter().any(|(_, entity)| !matches!(entity, Json::Object(_))) {
                return Err(("WrongType", None));
            }
        }
    }
    let has_payload = !at(json, "/payload").is_empty();
    if has_payload {
        object(json, "/payload")?;
    }
    Ok(Header { version, id, namespace, name, timestamp, unreadable_time, has_payload })
}

fn object<'j>(json: &'j Json, pointer: &str) -> Result<&'j Json, Refusal> {
    match at(json, pointer).pop() {
        None => Err(("Missing", Some(pointer.into()))),
        Some(object @ Json::Object(_)) => Ok(object),
        Some(_) => Err(("WrongType", Some(pointer.into()))),
    }
}

fn string(json: &Json, pointer: &str) -> Result<String, Refusal> {
    match at(json, pointer).pop() {
        None => Err(("Missing", Some(pointer.into()))),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(_) => Err(("WrongType", Some(pointer.into()))),
    }
}

fn check(text: &str, pointer: &str, legal: impl Fn(char) -> bool) -> Result<(), Refusal> {
    let wrong = match text.len() {
        0 => "Empty",
        257.. => "TooLong",
        _ if !text.chars().all(legal) => "BadCharacter",
        _ => return Ok(()),
    };
    Err((wrong, Some(pointer.into())))
}

fn depth(json: &Json) -> usize {
    match json {
        Json::Array(array) => 1 + array.iter().map(depth).max().unwrap_or(0),
        Json::Object(object) => 1 + object.iter().map(|(_, j)| depth(j)).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_twice(json: &Json) -> bool {
    match json {
        Json::Array(array) => array.iter().any(has_twice),
        Json::Object(object) => {
            let mut names: Vec<&String> = object.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            names.len() < object.len() || object.iter().any(|(_, json)| has_twice(json))
        }
        _ => false,
    }
}

/// Everything at a pointer, of which no name needs an escape.
pub(crate) fn at<'j>(json: &'j Json, pointer: &str) -> Vec<&'j Json> {
    let Some(pointer) = pointer.strip_prefix('/') else { return vec![json] };
    let (name, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    let inner: Vec<&Json> = match json {
        Json::Object(object) => {
            object.iter().filter(|(found, _)| found == name).map(|(_, json)| json).collect()
        }
        Json::Array(array) => {
            name.parse::<usize>().ok().and_then(|index| array.get(index)).into_iter().collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().flat_map(|json| at(json, rest)).collect()
}

/// All texts with the pointers to them, in the order of the event.
fn texts(json: &Json, pointer: String, all: &mut Vec<(String, String)>) {
    match json {
        Json::String(text) => all.push((pointer, text.clone())),
        Json::Array(array) => {
            for (index, json) in array.iter().enumerate() {
                texts(json, format!("{pointer}/{index}"), all);
            }
        }
        Json::Object(object) => {
            for (name, json) in object {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(json, format!("{pointer}/{name}"), all);
            }
        }
        Json::Null | Json::Boolean | Json::Number => {}
    }
}

/// What is found in an event of this type, field by field.
pub(crate) fn findings(header: &Header, json: &Json) -> Vec<(&'static str, Finding)> {
    let full = format!("{}.{}", header.namespace, header.name);
    let fields: &[(&'static str, Wanted)] = match &*full {
        _ if header.version != "2.0" => &[],
        "Alexa.Enterprise.Subscription.Activation" => &[
            (
                "unit",
                Wanted {
                    likely: &["/header/entities/unit/id", "/payload/unit/id"],
                    passing: &["/header/entities/unit/parent/id"],
                    ..UNIT
                },
            ),
            (
                "parent",
                Wanted { likely: &["/header/entities/unit/parent/id"], harvest: false, ..UNIT },
            ),
        ],
        "Alexa.Automation.Execution.Completion" => &[
            ("automation", Wanted { certain: &["/payload/automation/id"], ..AUTOMATION }),
            ("unit", Wanted { certain: &["/header/entities/unit/id"], ..UNIT }),
        ],
        "Alexa.Skill.Interaction.Failure" => &[
            (
                "skill",
                Wanted { likely: &["/header/entities/skill/id", "/payload/skill/id"], ..SKILL },
            ),
            ("unit", Wanted { likely: &["/header/entities/unit/id"], ..UNIT }),
            (
                "endpoint",
                Wanted {
                    likely: &["/header/entities/endpoint/id", "/payload/endpoint/id"],
                    ..ENDPOINT
                },
            ),
        ],
        "Alexa.Role.Management.Assignment" | "Alexa.Role.Management.Revocation" => &[
            (
                "unit",
                Wanted {
                    likely: &["/header/entities/resource/resourceId", "/header/entities/unit/id"],
                    ..UNIT
                },
            ),
            ("role", Wanted { likely: &["/payload/role/id", "/payload/roleId"], ..ROLE }),
            (
                "principal",
                Wanted { likely: &["/payload/principal/id", "/payload/principalId"], ..PRINCIPAL },
            ),
        ],
        "Alexa.Endpoint.Lifecycle.SetupCompletion" => &[(
            "endpoint",
            Wanted {
                likely: &[
                    "/payload/endpoint/id",
                    "/header/entities/endpoint/id",
                    "/payload/endpointId",
                ],
                ..ENDPOINT
            },
        )],
        _ => &[],
    };
    fields.iter().map(|(field, wanted)| (*field, find(wanted, json))).collect()
}

fn find(wanted: &Wanted, json: &Json) -> Finding {
    let distinct = |places: Vec<(String, String)>| {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (pointer, text) in places {
            if is_id(wanted, &text) && kept.iter().all(|(_, known)| *known != text) {
                kept.push((pointer, text));
            }
        }
        kept.truncate(16);
        kept
    };
    let listed = |pointers: &[&str]| {
        let places = pointers.iter().flat_map(|pointer| {
            at(json, pointer).into_iter().filter_map(|json| match json {
                Json::String(text) => Some((String::from(*pointer), text.clone())),
                _ => None,
            })
        });
        distinct(places.collect())
    };
    let mut all = Vec::new();
    if wanted.harvest {
        texts(json, String::new(), &mut all);
        all.retain(|(pointer, _)| !wanted.passing.contains(&&**pointer));
    }
    let known = ("Known", listed(wanted.certain));
    let inferred = ("Inferred", listed(wanted.likely));
    for (word, places) in [known, inferred, ("Harvested", distinct(all))] {
        match places.len() {
            0 => {}
            1 => return (word, places),
            _ => return ("Ambiguous", places),
        }
    }
    ("Missing", Vec::new())
}

fn is_id(wanted: &Wanted, text: &str) -> bool {
    let Some(body) = text.strip_prefix(wanted.prefix) else { return false };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    wanted.not.iter().all(|prefix| !text.starts_with(prefix))
        && (1..=1024).contains(&body.len())
        && body.bytes().all(legal)
        && !body.starts_with('.')
        && !body.contains("..")
}

/// The three texts of an error.
pub(crate) type AutomationError = [Option<String>; 3];

/// Status, errors, and whether everything is as documented.
pub(crate) fn result(json: &Json) -> (Option<String>, Vec<AutomationError>, bool) {
    let mut regular = true;
    let one = |json: &Json, name: &str, regular: &mut bool| {
        let values = at(json, name);
        *regular &= values.len() < 2;
        values.into_iter().cloned().collect::<Vec<Json>>()
    };
    let (mut status, mut errors) = (None, Vec::new());
    for result in one(json, "/payload/result", &mut regular) {
        regular &= matches!(result, Json::Object(_));
        if !matches!(result, Json::Object(_)) {
            continue;
        }
        for found in one(&result, "/status", &mut regular) {
            match found {
                Json::String(text) => status = status.or(Some(text)),
                _ => regular = false,
            }
        }
        for found in one(&result, "/errors", &mut regular) {
            let Json::Array(found) = found else {
                regular = false;
                continue;
            };
            for error in found {
                regular &= matches!(error, Json::Object(_));
                let mut read = |name| {
                    let values = match error {
                        Json::Object(_) => one(&error, name, &mut regular),
                        _ => Vec::new(),
                    };
                    regular &= values.iter().all(|value| matches!(value, Json::String(_)));
                    match values.into_iter().next() {
                        Some(Json::String(text)) => Some(text),
                        _ => None,
                    }
                };
                errors.push([read("/type"), read("/message"), read("/id")]);
            }
        }
    }
    regular &= errors.len() <= 1024;
    errors.truncate(1024);
    (status, errors, regular)
}

/// The first text that may be the reason of a skill's failure.
pub(crate) fn reason(json: &Json) -> Option<String> {
    let pointers =
        ["/payload/error/type", "/payload/errors/0/type", "/payload/result/errors/0/type"];
    pointers.into_iter().flat_map(|pointer| at(json, pointer)).find_map(|json| match json {
        Json::String(text) => Some(text.clone()),
        _ => None,
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Boolean)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = array.next_element()? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        // So comes a number with a fraction when serde_json keeps its digits.
        match members.first() {
            Some((name, _)) if name == "$serde_json::private::Number" => Ok(Json::Number),
            _ => Ok(Json::Object(members)),
        }
    }
}

const PLAIN: Wanted =
    Wanted { prefix: "", not: &[], certain: &[], likely: &[], harvest: true, passing: &[] };
const UNIT: Wanted = Wanted { prefix: "amzn1.alexa.unit.did.", ..PLAIN };
const ENDPOINT: Wanted = Wanted { prefix: "amzn1.alexa.endpoint.", ..PLAIN };
const AUTOMATION: Wanted = Wanted {
    prefix: "amzn1.alexa.automation.",
    not: &["amzn1.alexa.automation.template."],
    ..PLAIN
};
const SKILL: Wanted = Wanted { prefix: "amzn1.ask.skill.", ..PLAIN };
const ROLE: Wanted = Wanted { prefix: "amzn1.alexa.role.did.", ..PLAIN };
const PRINCIPAL: Wanted = Wanted { prefix: "amzn1.account.", ..PLAIN };
