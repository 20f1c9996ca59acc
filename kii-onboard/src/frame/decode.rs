//! From bytes to a frame (specification, section 6.4).

use core::str;

use super::{DecodeError, Headers, Limits, Method, Status};

type Decoded<'a, T> = Result<(T, Headers<'a>, &'a [u8]), DecodeError>;

pub(super) fn request(payload: &[u8], limits: Limits) -> Decoded<'_, Method> {
    frame(payload, limits, |first| first.is_ascii_uppercase(), parse_method)
}

pub(super) fn response(payload: &[u8], limits: Limits) -> Decoded<'_, Status> {
    frame(payload, limits, |first| first.is_ascii_digit(), parse_status)
}

fn frame<T>(
    payload: &[u8],
    limits: Limits,
    begins: impl Fn(&u8) -> bool,
    parse: impl Fn(&str) -> Result<T, DecodeError>,
) -> Decoded<'_, T> {
    let Some(first) = payload.first() else {
        return Err(DecodeError::Empty);
    };
    let (len, limit) = (payload.len(), limits.max_payload);
    if len > limit {
        return Err(DecodeError::TooLarge { len, limit });
    }
    if !begins(first) {
        return Err(DecodeError::BadStartLine);
    }
    let (line, headers_at) = line(payload, 0, limits.max_head)?;
    let start = parse(line)?;
    let (mut at, mut count) = (headers_at, 0);
    loop {
        let position = at;
        let (header, next) = self::line(payload, at, limits.max_head)?;
        at = next;
        if header.is_empty() {
            let lines = payload.get(headers_at..position).unwrap_or_default();
            // Each line was found to be UTF-8.
            let lines = str::from_utf8(lines).map_err(|_| DecodeError::NotUtf8 { position })?;
            return Ok((start, Headers::new(lines), payload.get(at..).unwrap_or_default()));
        }
        let name = header.split_once(':').map_or("", |(name, _)| name);
        if name.is_empty() || !name.bytes().all(is_token_byte) {
            return Err(DecodeError::BadHeader { position });
        }
        count += 1;
        if count > limits.max_headers {
            return Err(DecodeError::TooManyHeaders { limit: limits.max_headers });
        }
    }
}

/// The line that begins here, without its end, and where the next one begins.
fn line(payload: &[u8], position: usize, limit: usize) -> Result<(&str, usize), DecodeError> {
    let head = payload.get(..payload.len().min(limit)).unwrap_or_default();
    let rest = head.get(position..).unwrap_or_default();
    let Some(len) = rest.iter().position(|byte| *byte == b'\n') else {
        return Err(if payload.len() >= limit {
            DecodeError::HeadTooLarge { limit }
        } else {
            DecodeError::MissingBlankLine
        });
    };
    let line = rest.get(..len).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = str::from_utf8(line).map_err(|_| DecodeError::NotUtf8 { position })?;
    if line.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
        return Err(DecodeError::ControlChar { position });
    }
    Ok((line, position + len + 1))
}

fn parse_method(line: &str) -> Result<Method, DecodeError> {
    let line = line.trim_end_matches([' ', '\t']);
    if let Some(method) = Method::ALL.into_iter().find(|method| method.as_str() == line) {
        return Ok(method);
    }
    Err(if line.bytes().all(|byte| byte.is_ascii_uppercase()) {
        DecodeError::UnknownMethod
    } else {
        DecodeError::BadStartLine
    })
}

fn parse_status(line: &str) -> Result<Status, DecodeError> {
    let digits = line.split([' ', '\t']).next().unwrap_or_default();
    let number = match digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().ok(),
        false => None,
    };
    number.and_then(Status::new).ok_or(DecodeError::BadStatus)
}

/// Of a header's name (RFC 9110, 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
