//! What the lines of a head are made of (specification, section 6.1).

/// The line that bytes begin with, without its end; its length with that; and whether it is known to be printable
/// ASCII throughout. None when no line ends.
#[inline]
pub(super) fn split_line(bytes: &[u8]) -> Option<(&[u8], usize, bool)> {
    // Nearly every line is nothing but printable ASCII, and so that is looked for together with its end.
    let (line, after) = bytes.split_at_checked(printable_len(bytes))?;
    match after {
        [b'\r', b'\n', ..] => Some((line, line.len() + 2, true)),
        [b'\n', ..] => Some((line, line.len() + 1, true)),
        _ => split_any_line(bytes).map(|(line, len)| (line, len, false)),
    }
}

#[cold]
fn split_any_line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let len = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..len)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), len + 1))
}

/// How many bytes from the start are printable ASCII, found eight at a time.
fn printable_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // A control character or a byte beyond ASCII has its highest bit set in one of the two. What it borrows or
        // carries changes bytes behind it only, and the first one is what is looked for.
        let found = (word.wrapping_sub(every(b' ')) | word.wrapping_add(every(1))) & every(0x80);
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let last = rest.iter().take_while(|byte| matches!(byte, b' '..=b'~')).count();
    bytes.len() - rest.len() + last
}

const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Of a value: HTAB, and all that is no control character. Bytes beyond ASCII are some of a character's.
pub(super) fn is_text_byte(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// How many bytes from the start may stand in a name.
pub(super) fn token_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    // A loop of fixed length is unrolled.
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        if let Some(at) = word.iter().position(|byte| !is_token_byte(*byte)) {
            return bytes.len() - rest.len() + at;
        }
        rest = after;
    }
    let last = rest.iter().take_while(|byte| is_token_byte(**byte)).count();
    bytes.len() - rest.len() + last
}

/// Of a header's name (RFC 9110, 5.6.2).
fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).is_some_and(|is_token| *is_token)
}

const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &[u8] = b"!#$%&'*+-.^_`|~\
        0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while let [byte, after @ ..] = rest {
        table[*byte as usize] = true;
        rest = after;
    }
    table
};
