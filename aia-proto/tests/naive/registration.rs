//! Bodies of registrations and saved ones read again, in no hurry: specification, sections 5.1 and 5.2, over a tree.

use aia_proto::{
    JsonError, JsonFault,
    protect::SharedSecret,
    registration::{
        Algorithm, FieldError, RecordError, Registration, Request, RequestError, Response,
        ResponseError,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::node::Node;

/// What both readings found: the members, or what is wrong.
pub(crate) type Found = Result<Value, String>;

/// By the crate; what it read is written and read again.
pub(crate) fn found_request(body: &[u8]) -> Found {
    let request = Request::decode(body).map_err(|error| match error {
        RequestError::BadJson(error) => fault(&error),
        RequestError::BadField(error) => field(&error),
        other => panic!("{other}"),
    })?;
    assert_eq!(Request::decode(request.encode().expose()).as_ref(), Ok(&request));
    Ok(json!([
        request.authentication.token.expose_str().unwrap(),
        request.authentication.client_id,
        request.algorithm.as_str(),
        request.public_key,
        request.iot.aws_account_id,
        request.iot.client_id.as_str(),
        request.iot.endpoint,
    ]))
}

/// By the crate; what it read is written and read again.
pub(crate) fn found_response(body: &[u8]) -> Found {
    let response = Response::decode(body).map_err(|error| match error {
        ResponseError::BadJson(error) => fault(&error),
        ResponseError::BadField(error) => field(&error),
        other => panic!("{other}"),
    })?;
    assert_eq!(Response::decode(&response.encode()).as_ref(), Ok(&response));
    Ok(json!([response.public_key, response.topic_root.as_str()]))
}

/// By the crate; what it read is written and read again.
pub(crate) fn found_record(saved: &[u8]) -> Found {
    let record = Registration::decode(saved).map_err(|error| match error {
        RecordError::BadJson(error) => fault(&error),
        RecordError::BadField(error) => field(&error),
        other => panic!("{other}"),
    })?;
    assert_eq!(Registration::decode(record.encode().expose()).as_ref(), Ok(&record));
    Ok(json!([
        record.topic_root.as_str(),
        record.aws_account_id,
        record.client_id.as_str(),
        record.version.get(),
        record.algorithm.as_str(),
        record.secret.expose(),
        record.previous.as_ref().map(SharedSecret::expose),
        record.capabilities_digest,
    ]))
}

fn field(error: &FieldError) -> String {
    assert!(error.to_string().len() < 200);
    let what = if error.is_missing { "missing" } else { "bad" };
    format!("{what} {}", error.field)
}

fn fault(error: &JsonError) -> String {
    match error.fault {
        JsonFault::NotJson => "NotJson".into(),
        JsonFault::NamedTwice => "NamedTwice".into(),
        JsonFault::TooDeep { .. } => "TooDeep".into(),
        other => panic!("{other}"),
    }
}

/// By a walk through the tree of a text that is JSON.
pub(crate) fn read_request(body: &Node) -> Found {
    let [authentication, encryption, iot] = ["authentication", "encryption", "iot"];
    let body = object(body)?;
    for group in [authentication, encryption, iot] {
        member(body, group, group, |group| matches!(group, Node::Object(_)).then_some(()))?;
    }
    let of = |group: &str, name: &str, read: fn(&Node) -> Option<Value>| {
        member(body.get(group).unwrap(), name, &format!("{group}.{name}"), read)
    };
    Ok(json!([
        of(authentication, "token", text)?,
        of(authentication, "clientId", text)?,
        of(encryption, "algorithm", algorithm)?,
        of(encryption, "publicKey", bytes::<32>)?,
        of(iot, "awsAccountId", text)?,
        of(iot, "clientId", client_id)?,
        of(iot, "endpoint", text)?,
    ]))
}

/// By a walk through the tree of a text that is JSON.
pub(crate) fn read_response(body: &Node) -> Found {
    let body = object(body)?;
    for group in ["encryption", "iot"] {
        member(body, group, group, |group| matches!(group, Node::Object(_)).then_some(()))?;
    }
    let (encryption, iot) = (body.get("encryption").unwrap(), body.get("iot").unwrap());
    Ok(json!([
        member(encryption, "publicKey", "encryption.publicKey", bytes::<32>)?,
        member(iot, "topicRoot", "iot.topicRoot", root)?,
    ]))
}

/// By a walk through the tree of a text that is JSON.
pub(crate) fn read_record(saved: &Node) -> Found {
    let saved = object(saved)?;
    let of = |name: &str, read: fn(&Node) -> Option<Value>| member(saved, name, name, read);
    of("format", |node| matches!(node, Node::Number(Some(1))).then_some(Value::Null))?;
    let version = of("version", |node| match node {
        Node::Number(Some(number @ 0..=65535)) => Some(json!(number)),
        _ => None,
    })?;
    let algorithm = of("algorithm", algorithm)?;
    let secret: fn(&Node) -> Option<Value> = match algorithm.as_str() {
        Some("ECDH_CURVE_25519_32_BYTE") => bytes::<32>,
        _ => bytes::<16>,
    };
    let optional = |name: &str, read: fn(&Node) -> Option<Value>| match saved.get(name) {
        None | Some(Node::Null) => Ok(Value::Null),
        Some(_) => of(name, read),
    };
    Ok(json!([
        of("topicRoot", root)?,
        of("awsAccountId", text)?,
        of("clientId", client_id)?,
        version,
        algorithm,
        of("secret", secret)?,
        optional("previous", secret)?,
        optional("capabilitiesDigest", bytes::<32>)?,
    ]))
}

fn object(body: &Node) -> Result<&Node, String> {
    body.check(1)?;
    match body {
        Node::Object(_) => Ok(body),
        Node::Null => Err("missing body".into()),
        _ => Err("bad body".into()),
    }
}

fn member<T>(
    object: &Node,
    name: &str,
    path: &str,
    read: impl Fn(&Node) -> Option<T>,
) -> Result<T, String> {
    match object.get(name) {
        None | Some(Node::Null) => Err(format!("missing {path}")),
        Some(node) => read(node).ok_or_else(|| format!("bad {path}")),
    }
}

fn text(node: &Node) -> Option<Value> {
    match node {
        Node::Text(text) if !text.is_empty() && !text.chars().any(char::is_control) => {
            Some(json!(text))
        }
        _ => None,
    }
}

fn algorithm(node: &Node) -> Option<Value> {
    let known = Algorithm::ALL.map(Algorithm::as_str);
    text(node).filter(|text| known.contains(&text.as_str().unwrap()))
}

fn client_id(node: &Node) -> Option<Value> {
    let fits = |id: &str| id.len() <= 256 && !id.contains(['/', '+', '#']);
    text(node).filter(|id| fits(id.as_str().unwrap()))
}

fn root(node: &Node) -> Option<Value> {
    text(node).filter(|root| {
        let root = root.as_str().unwrap();
        let levels: Vec<_> = root.split('/').collect();
        let is_version = |level: &str| {
            let number = level.strip_prefix('v').and_then(|number| number.parse::<u16>().ok());
            number.is_some_and(|number| format!("v{number}") == level)
        };
        let kept = match levels.as_slice() {
            [before @ .., "ais"] => before,
            [before @ .., "ais", version] if is_version(version) => before,
            all => all,
        };
        // `ais` alone is a name: nothing stands before it.
        let kept = if kept.is_empty() { &levels[..] } else { kept };
        let fits = root.len() <= 256 && !root.contains(['+', '#']);
        fits && levels.last() != Some(&"") && kept.last() != Some(&"")
    })
}

fn bytes<const N: usize>(node: &Node) -> Option<Value> {
    let Node::Text(text) = node else { return None };
    let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == N)?;
    (STANDARD.encode(&bytes) == *text).then(|| json!(bytes))
}
