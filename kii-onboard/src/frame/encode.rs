//! From a frame to bytes (specification, section 6.3).

use alloc::vec::Vec;

use super::{EncodeError, Limits, decode::is_token_byte};

pub(super) fn frame<'h>(
    start: &str,
    separator: &str,
    headers: impl IntoIterator<Item = (&'h str, &'h str)>,
    body: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let Limits { max_payload, max_head, max_headers } = Limits::DEFAULT;
    let mut payload = Vec::with_capacity(128 + body.len());
    payload.extend_from_slice(start.as_bytes());
    payload.extend_from_slice(b"\r\n");
    for (index, (name, value)) in headers.into_iter().enumerate() {
        if !is_name(name) || !is_value(value) {
            return Err(EncodeError::InvalidHeader { index });
        }
        if index >= max_headers {
            return Err(EncodeError::TooManyHeaders { limit: max_headers });
        }
        for part in [name, separator, value, "\r\n"] {
            payload.extend_from_slice(part.as_bytes());
        }
    }
    payload.extend_from_slice(b"\r\n");
    if payload.len() > max_head {
        return Err(EncodeError::HeadTooLarge { len: payload.len(), limit: max_head });
    }
    payload.extend_from_slice(body);
    if payload.len() > max_payload {
        return Err(EncodeError::TooLarge { len: payload.len(), limit: max_payload });
    }
    Ok(payload)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

fn is_value(value: &str) -> bool {
    let is_text = |byte: u8| byte == b'\t' || !byte.is_ascii_control();
    value.bytes().all(is_text) && value.trim_matches([' ', '\t']) == value
}
