//! What a request is answered with.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::fault::Effect;
use crate::{
    ErrorCode,
    frame::{REQUEST_ID, Response, Status},
};

/// What a request is answered with.
pub(super) struct Answer {
    pub(super) status: Status,
    /// JSON, or nothing.
    pub(super) body: Vec<u8>,
}

/// Why a request is not carried out.
pub(super) struct Failure {
    status: Status,
    code: Option<ErrorCode>,
    message: &'static str,
    invalid_fields: Vec<(String, String)>,
}

pub(super) type Outcome = Result<Answer, Failure>;

impl Answer {
    pub(super) const fn empty(status: Status) -> Self {
        Self { status, body: Vec::new() }
    }

    pub(super) const fn new(status: Status, body: Vec<u8>) -> Self {
        Self { status, body }
    }

    /// The body is what this is written as.
    pub(super) fn json(status: Status, body: &impl Serialize) -> Self {
        // Only maps with other keys than texts cannot be written.
        Self { status, body: serde_json::to_vec(body).unwrap_or_default() }
    }

    /// The payload, as the effects of a fault leave it.
    pub(super) fn payload(
        &self,
        request_id: Option<&str>,
        seed_headers: bool,
        effects: &[Effect],
    ) -> Vec<u8> {
        let payload = effects.iter().find_map(|effect| match effect {
            Effect::Payload(payload) => Some(payload.clone()),
            _ => None,
        });
        if let Some(payload) = payload {
            return payload;
        }
        let (before, after) = if seed_headers { SEED_HEADERS } else { NO_HEADERS };
        let content_type = (!self.body.is_empty()).then_some(("Content-Type", JSON));
        let request_id = request_id.filter(|_| !effects.contains(&Effect::NoRequestId));
        let headers = before.iter().copied().chain(content_type);
        let headers = headers.chain(after.iter().copied());
        let headers = headers.chain(request_id.map(|id| (REQUEST_ID, id)));
        let payload = Response::encode(self.status, headers, &self.body)
            // A request id that just fitted into the request, or a list that is too long.
            .or_else(|_| Response::encode(Status::INTERNAL_SERVER_ERROR, [], b""))
            .unwrap_or_default();
        match effects.contains(&Effect::LineFeeds) {
            true => with_line_feeds(&payload),
            false => payload,
        }
    }
}

impl Failure {
    pub(super) const fn new(status: Status, code: ErrorCode, message: &'static str) -> Self {
        Self { status, code: Some(code), message, invalid_fields: Vec::new() }
    }

    /// One that has no code, and no body.
    pub(super) const fn bare(status: Status) -> Self {
        Self { status, code: None, message: "", invalid_fields: Vec::new() }
    }

    /// Members that are missing or not what they should be, and what is wrong with each.
    pub(super) fn fields(
        fields: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Self {
        let fields = fields.into_iter().map(|(field, rule)| (field.into(), rule.into()));
        Self {
            invalid_fields: fields.collect(),
            ..Self::new(
                Status::BAD_REQUEST,
                ErrorCode::InvalidInputData,
                "There are validation errors",
            )
        }
    }

    pub(super) fn no_thing() -> Self {
        Self::new(Status::NOT_FOUND, ErrorCode::ThingNotFound, "There is no such thing")
    }

    pub(super) fn wrong_token() -> Self {
        Self::new(Status::FORBIDDEN, ErrorCode::WrongToken, "The token is not for this")
    }

    pub(super) fn wrong_password() -> Self {
        Self::new(
            Status::UNAUTHORIZED,
            ErrorCode::WrongPassword,
            "The password is not that of the thing",
        )
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(Status::UNAUTHORIZED, ErrorCode::Unauthorized, "A token of the owner is needed")
    }

    pub(super) fn into_answer(self) -> Answer {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            error_code: &'a str,
            message: &'a str,
            #[serde(skip_serializing_if = "Fields::is_empty")]
            invalid_fields: Fields<'a>,
        }
        let Some(code) = &self.code else { return Answer::empty(self.status) };
        let fields = self.invalid_fields.iter();
        let invalid_fields = fields.map(|(field, rule)| (field.as_str(), rule.as_str())).collect();
        let body = Body { error_code: code.as_str(), message: self.message, invalid_fields };
        Answer::json(self.status, &body)
    }
}

type Fields<'a> = alloc::collections::BTreeMap<&'a str, &'a str>;

/// The same payload with LF for each CRLF of the head.
fn with_line_feeds(payload: &[u8]) -> Vec<u8> {
    let end = payload.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = payload.split_at(end.map_or(payload.len(), |at| at + 4));
    let mut changed: Vec<u8> = head.iter().copied().filter(|byte| *byte != b'\r').collect();
    changed.extend_from_slice(body);
    changed
}

const JSON: &str = "application/json";

type Lines = &'static [(&'static str, &'static str)];

/// The lines of the seed page, before and after `Content-Type`.
const SEED_HEADERS: (Lines, Lines) = (
    &[("Accept-Ranges", "bytes"), ("Age", "0"), ("Cache-Control", "max-age=0, no-cache, no-store")],
    &[("Date", "Fri, 27 May 2016 05:44:17 GMT"), ("Connection", "keep-alive")],
);
const NO_HEADERS: (Lines, Lines) = (&[], &[]);
