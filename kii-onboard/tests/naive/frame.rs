//! Frames read again, in no hurry: the steps of specification section 6.4 one after the other, over owned data.

use kii_onboard::frame::{
    DecodeError, EncodeError, Headers, Limits, Method, Request, Response, Status,
};

/// A frame as owned data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response,
}

/// What the crate reads, to compare with what the reference does.
pub(crate) fn decode_by_crate(
    kind: Kind,
    payload: &[u8],
    limits: Limits,
) -> Result<Frame, DecodeError> {
    let owned = |start: String, headers: Headers<'_>, body: &[u8]| {
        let headers = headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Frame { start, headers: headers.collect(), body: body.to_vec() }
    };
    match kind {
        Kind::Request => Request::decode_within(payload, limits)
            .map(|request| owned(request.method.to_string(), request.headers, request.body)),
        Kind::Response => Response::decode_within(payload, limits)
            .map(|response| owned(response.status.to_string(), response.headers, response.body)),
    }
}

/// What the crate writes.
pub(crate) fn encode_by_crate(kind: Kind, frame: &Frame) -> Result<Vec<u8>, EncodeError> {
    let headers = frame.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    match kind {
        Kind::Request => {
            let method = Method::ALL.into_iter().find(|method| method.as_str() == frame.start);
            Request::encode(method.expect("a method"), headers, &frame.body)
        }
        Kind::Response => {
            let status = Status::new(frame.start.parse().expect("a number"));
            Response::encode(status.expect("a status"), headers, &frame.body)
        }
    }
}

/// What the specification says of a payload.
pub(crate) fn decode(kind: Kind, payload: &[u8], limits: Limits) -> Result<Frame, DecodeError> {
    if payload.is_empty() {
        return Err(DecodeError::Empty);
    }
    if payload.len() > limits.max_payload {
        return Err(DecodeError::TooLarge { len: payload.len(), limit: limits.max_payload });
    }
    let first = match kind {
        Kind::Request => b'A'..=b'Z',
        Kind::Response => b'0'..=b'9',
    };
    if !first.contains(&payload[0]) {
        return Err(DecodeError::BadStartLine);
    }
    let (mut position, mut start, mut headers) = (0, None, Vec::new());
    loop {
        let end = (position..payload.len()).find(|at| payload[*at] == b'\n');
        let Some(end) = end.filter(|end| *end < limits.max_head) else {
            return Err(if payload.len() >= limits.max_head {
                DecodeError::HeadTooLarge { limit: limits.max_head }
            } else {
                DecodeError::MissingBlankLine
            });
        };
        let mut line = payload[position..end].to_vec();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let Ok(line) = String::from_utf8(line) else {
            return Err(DecodeError::NotUtf8 { position });
        };
        if line.chars().any(|ch| ch != '\t' && (ch < ' ' || ch == '\u{7f}')) {
            return Err(DecodeError::ControlChar { position });
        }
        match start {
            None => {
                start = Some(match kind {
                    Kind::Request => method(&line)?,
                    Kind::Response => status(&line)?,
                });
            }
            Some(start) if line.is_empty() => {
                return Ok(Frame { start, headers, body: payload[end + 1..].to_vec() });
            }
            Some(_) => {
                headers.push(header(&line).ok_or(DecodeError::BadHeader { position })?);
                if headers.len() > limits.max_headers {
                    return Err(DecodeError::TooManyHeaders { limit: limits.max_headers });
                }
            }
        }
        position = end + 1;
    }
}

fn method(line: &str) -> Result<String, DecodeError> {
    let line = line.trim_end_matches([' ', '\t']);
    match line {
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => Ok(line.to_owned()),
        _ if line.chars().all(|ch| ch.is_ascii_uppercase()) => Err(DecodeError::UnknownMethod),
        _ => Err(DecodeError::BadStartLine),
    }
}

fn status(line: &str) -> Result<String, DecodeError> {
    let digits: String = line.chars().take_while(char::is_ascii_digit).collect();
    let number: Option<u16> = digits.parse().ok();
    let ends = matches!(line.chars().nth(3), None | Some(' ' | '\t'));
    match number {
        Some(100..=599) if digits.len() == 3 && ends => Ok(digits),
        _ => Err(DecodeError::BadStatus),
    }
}

fn header(line: &str) -> Option<(String, String)> {
    let mut parts = line.splitn(2, ':');
    let (name, value) = (parts.next()?, parts.next()?);
    let is_token = |ch: char| match ch {
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|'
        | '~' => true,
        _ => matches!(ch, '0'..='9' | 'A'..='Z' | 'a'..='z'),
    };
    let is_name = !name.is_empty() && name.chars().all(is_token);
    is_name.then(|| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}
