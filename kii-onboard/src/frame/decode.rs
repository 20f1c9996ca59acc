//! From bytes to a frame (specification, section 6.4).

use core::str;

use super::{DecodeError, Headers, Limits, Method, Status, text};

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
    parse: impl Fn(&[u8]) -> Result<T, DecodeError>,
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
    let limit = limits.max_head;
    let head = payload.get(..limit).unwrap_or(payload);
    let no_end = match len < limit {
        true => DecodeError::MissingBlankLine,
        false => DecodeError::HeadTooLarge { limit },
    };
    let (line, headers_at) = line(head, 0).ok_or(no_end)??;
    let start = parse(line)?;
    let (mut position, mut count) = (headers_at, 0);
    loop {
        let (header, next) = self::line(head, position).ok_or(no_end)??;
        if header.is_empty() {
            let lines = payload.get(headers_at..position).unwrap_or_default();
            // Each line was found to be UTF-8.
            let lines = str::from_utf8(lines).map_err(|_| DecodeError::NotUtf8 { position })?;
            return Ok((start, Headers::new(lines), payload.get(next..).unwrap_or_default()));
        }
        let name = text::token_len(header);
        if name == 0 || header.get(name) != Some(&b':') {
            return Err(DecodeError::BadHeader { position });
        }
        count += 1;
        if count > limits.max_headers {
            return Err(DecodeError::TooManyHeaders { limit: limits.max_headers });
        }
        position = next;
    }
}

/// The line that begins here, without its end, and where the next one begins. None when it does not end.
#[inline]
fn line(head: &[u8], position: usize) -> Option<Result<(&[u8], usize), DecodeError>> {
    let (line, len, is_printable) = text::split_line(head.get(position..)?)?;
    let checked = if is_printable { Ok(()) } else { check(line, position) };
    Some(checked.map(|()| (line, position + len)))
}

/// Refuses a line that is not text.
#[cold]
fn check(line: &[u8], position: usize) -> Result<(), DecodeError> {
    if str::from_utf8(line).is_err() {
        Err(DecodeError::NotUtf8 { position })
    } else if line.iter().all(|byte| text::is_text_byte(*byte)) {
        Ok(())
    } else {
        Err(DecodeError::ControlChar { position })
    }
}

fn parse_method(line: &[u8]) -> Result<Method, DecodeError> {
    let mut name = line;
    while let [start @ .., b' ' | b'\t'] = name {
        name = start;
    }
    if let Some(method) = Method::ALL.into_iter().find(|method| method.as_str().as_bytes() == name)
    {
        return Ok(method);
    }
    Err(match name.iter().all(u8::is_ascii_uppercase) {
        true => DecodeError::UnknownMethod,
        false => DecodeError::BadStartLine,
    })
}

fn parse_status(line: &[u8]) -> Result<Status, DecodeError> {
    let ([hundreds, tens, ones] | [hundreds, tens, ones, b' ' | b'\t', ..]) = line else {
        return Err(DecodeError::BadStatus);
    };
    let digits = [hundreds, tens, ones];
    let number = digits.into_iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0'))
    });
    number.and_then(Status::new).ok_or(DecodeError::BadStatus)
}
