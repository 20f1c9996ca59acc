//! From a frame to bytes (specification, section 6.3).

use alloc::vec::Vec;

use super::{EncodeError, Limits, text};

/// Goes through the headers twice, the first time for checks and the length: so there is one allocation.
pub(super) fn frame<'h>(
    start: &[u8],
    separator: &[u8],
    headers: impl IntoIterator<Item = (&'h str, &'h str), IntoIter: Clone>,
    body: &[u8],
) -> Result<Vec<u8>, EncodeError> {
    let Limits { max_payload, max_head, max_headers } = Limits::DEFAULT;
    let headers = headers.into_iter();
    let mut head = start.len() + 2 * EOL.len();
    for (index, (name, value)) in headers.clone().enumerate() {
        if !is_name(name) || !is_value(value) {
            return Err(EncodeError::InvalidHeader { index });
        }
        if index >= max_headers {
            return Err(EncodeError::TooManyHeaders { limit: max_headers });
        }
        head += name.len() + separator.len() + value.len() + EOL.len();
    }
    if head > max_head {
        return Err(EncodeError::HeadTooLarge { len: head, limit: max_head });
    }
    let len = head + body.len();
    if len > max_payload {
        return Err(EncodeError::TooLarge { len, limit: max_payload });
    }
    let mut payload = Vec::with_capacity(len);
    let mut push = |part: &[u8]| payload.extend_from_slice(part);
    push(start);
    push(EOL);
    for (name, value) in headers {
        push(name.as_bytes());
        push(separator);
        push(value.as_bytes());
        push(EOL);
    }
    push(EOL);
    push(body);
    Ok(payload)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && text::token_len(name.as_bytes()) == name.len()
}

fn is_value(value: &str) -> bool {
    value.bytes().all(text::is_text_byte) && value.trim_matches([' ', '\t']) == value
}

const EOL: &[u8] = b"\r\n";
