//! The vectors of specification sections 17.1 to 17.3, run by id.

use kii_onboard::{
    RequestId,
    frame::{DecodeError, EncodeError, Headers, Method, Request, Response, Status},
};
use serde_json::Value;

/// What is not run here, and why.
const NOT_HERE: [(&str, &str); 2] = [
    ("E06", "a property: see `round_trip.rs`"),
    ("E08", "the builder of onboarding requests writes it: see its own tests"),
];

#[test]
fn every_payload_is_read_or_refused() {
    let vectors = load(include_str!("../vectors/frame.jsonl"));
    let numbers = |letter: &'static str, last| (1..=last).map(move |n| format!("{letter}{n:02}"));
    let expected: Vec<String> =
        numbers("V", 25).chain(numbers("B", 2)).chain(numbers("X", 31)).collect();
    assert_eq!(ids(&vectors), expected);
    for vector in &vectors {
        let (id, payload) = (text(vector, "id"), payload(vector));
        assert_eq!(payload.len(), vector["len"], "{id}");
        let found = match text(vector, "kind") {
            "req" => Request::decode(&payload).map(|request| {
                (request.method.to_string(), pairs(request.headers), request.body.to_vec())
            }),
            _ => Response::decode(&payload).map(|response| {
                (response.status.to_string(), pairs(response.headers), response.body.to_vec())
            }),
        };
        let (start, headers, body) = match (found, vector["error"].as_str()) {
            (Err(error), Some(name)) => {
                assert_eq!(name_of(error), name, "{id}");
                continue;
            }
            (Ok(frame), None) => frame,
            (found, _) => panic!("{id}: {found:?}"),
        };
        assert_eq!(
            (start.as_str(), &headers),
            (text(vector, "start"), &headers_of(vector)),
            "{id}"
        );
        match vector["bodyLen"].as_u64() {
            Some(len) => {
                assert_eq!(body.len() as u64, len, "{id}");
                assert!(payload.ends_with(&body), "{id}");
            }
            None => assert_eq!(body, bytes(vector, "body"), "{id}"),
        }
    }
}

#[test]
fn what_vectors_say_of_lookup_and_media_types_holds() {
    let check = |id, check: fn(Headers<'_>)| {
        check(Response::decode(&payload_of(id)).unwrap().headers);
    };
    check("V18", |headers| assert_eq!(headers.get("x-KII-requestid"), Some("a")));
    check("V17", |headers| assert_eq!(headers.request_id(), Some("abc onboardings")));
    check("V07", |headers| assert_eq!(headers.media_type(), Some("application/json")));
    check("V11", |headers| assert_eq!(headers.get("A"), None));
}

#[test]
fn every_frame_is_written_or_refused() {
    let vectors = load(include_str!("../vectors/frame_encode.jsonl"));
    let expected: Vec<String> = (1..=10).map(|number| format!("E{number:02}")).collect();
    assert_eq!(ids(&vectors), expected);
    let mut not_run = Vec::new();
    for vector in &vectors {
        let id = text(vector, "id");
        let written = match id {
            "E07" => {
                let payload = payload_of(text(vector, "decoded"));
                let request = Request::decode(&payload).unwrap();
                Request::encode(request.method, request.headers.iter(), request.body)
            }
            "E09" => {
                assert!(RequestId::new(text(vector, "requestId")).is_err());
                continue;
            }
            _ if vector.get("kind").is_some() => {
                let body = bytes(vector, "body");
                encode(text(vector, "kind"), text(vector, "start"), &headers_of(vector), &body)
            }
            _ => {
                not_run.push(id);
                continue;
            }
        };
        match (written, vector["vector"].as_str()) {
            (Ok(written), Some(of)) => assert_eq!(written, payload_of(of), "{id}"),
            (Ok(written), None) => assert_eq!(written, payload(vector), "{id}"),
            (Err(error), _) => {
                assert_eq!(text(vector, "error"), "InvalidHeader", "{id}");
                assert_eq!(error, EncodeError::InvalidHeader { index: 0 }, "{id}");
            }
        }
    }
    assert_eq!(not_run, NOT_HERE.map(|(id, _)| id));
}

fn encode(
    kind: &str,
    start: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    if kind == "req" {
        let method = Method::ALL.into_iter().find(|method| method.as_str() == start).unwrap();
        Request::encode(method, headers, body)
    } else {
        Response::encode(Status::new(start.parse().unwrap()).unwrap(), headers, body)
    }
}

fn name_of(error: DecodeError) -> String {
    let debug = format!("{error:?}");
    debug.split(' ').next().unwrap().to_owned()
}

fn pairs(headers: Headers<'_>) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn load(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(vectors: &[Value]) -> Vec<&str> {
    vectors.iter().map(|vector| text(vector, "id")).collect()
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("no {key} in {vector}"))
}

fn headers_of(vector: &Value) -> Vec<(String, String)> {
    serde_json::from_value(vector["headers"].clone()).unwrap()
}

/// The payload of a vector that is read.
fn payload_of(id: &str) -> Vec<u8> {
    let vectors = load(include_str!("../vectors/frame.jsonl"));
    payload(vectors.iter().find(|vector| vector["id"] == id).unwrap())
}

/// As text, as hex where it is none, or in parts that repeat where it is long.
fn payload(vector: &Value) -> Vec<u8> {
    let Some(parts) = vector.get("parts") else { return bytes(vector, "payload") };
    let parts: Vec<(String, usize)> = serde_json::from_value(parts.clone()).unwrap();
    parts.into_iter().flat_map(|(part, times)| part.repeat(times).into_bytes()).collect()
}

fn bytes(vector: &Value, key: &str) -> Vec<u8> {
    match vector[format!("{key}Hex")].as_str() {
        Some(hex) => (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect(),
        None => text(vector, key).as_bytes().to_vec(),
    }
}
