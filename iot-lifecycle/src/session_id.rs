//! Session identifiers in their normal form.

use alloc::{borrow::Cow, string::String};
use core::{cmp::Ordering, fmt, hash, str};

/// A known `sessionIdentifier` in the normal form of specification section 2.5.
///
/// A text that leaves 32 hex digits when its dashes are removed is a 128-bit value: dashed, plain, upper and lower case
/// are equal, and it is written as 32 lower-case hex digits. Any other text stays as it came. Order and equality are
/// those of the bytes of the written form, so that memory and every store agree.
///
/// ```
/// use iot_lifecycle::SessionId;
///
/// let dashed = SessionId::new("00000000-0000-0000-0000-00000000000A").unwrap();
/// assert_eq!(dashed, SessionId::new("0000000000000000000000000000000a").unwrap());
/// assert_eq!(dashed.to_string(), "0000000000000000000000000000000a");
/// assert_eq!(SessionId::new(""), None);
/// ```
#[derive(Clone)]
pub struct SessionId<'a>(Form<'a>);

#[derive(Clone)]
enum Form<'a> {
    /// The 32 lower-case hex digits, packed.
    Hex([u8; 16]),
    Text(Cow<'a, str>),
}

impl<'a> SessionId<'a> {
    /// The longest text, in bytes of its normal form, that is kept with a client: it stays as long as the client is
    /// known. The documented form has 32.
    pub const MAX_BYTES: usize = 1_024;

    /// The normal form of this text; none when it is empty, which stands for an unknown session.
    #[must_use]
    pub fn new(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        if text.is_empty() {
            return None;
        }
        Some(Self(match hex(&text) {
            Some(value) => Form::Hex(value),
            None => Form::Text(text),
        }))
    }

    /// How many bytes the normal form has.
    pub(crate) fn len(&self) -> usize {
        match &self.0 {
            Form::Hex(value) => 2 * value.len(),
            Form::Text(text) => text.len(),
        }
    }

    /// The same, borrowing from `self`.
    #[must_use]
    pub fn borrowed(&self) -> SessionId<'_> {
        SessionId(match &self.0 {
            Form::Hex(value) => Form::Hex(*value),
            Form::Text(text) => Form::Text(Cow::Borrowed(text)),
        })
    }

    /// The same, owning its text.
    #[must_use]
    pub fn into_owned(self) -> SessionId<'static> {
        SessionId(match self.0 {
            Form::Hex(value) => Form::Hex(value),
            Form::Text(text) => Form::Text(Cow::Owned(text.into_owned())),
        })
    }

    /// The bytes of the written form; `digits` is room for them.
    fn written<'b>(&'b self, digits: &'b mut [u8; 32]) -> &'b [u8] {
        match &self.0 {
            Form::Text(text) => text.as_bytes(),
            Form::Hex(value) => {
                for (pair, byte) in digits.chunks_exact_mut(2).zip(value) {
                    pair[0] = DIGITS[usize::from(byte >> 4)];
                    pair[1] = DIGITS[usize::from(byte & 15)];
                }
                digits
            }
        }
    }
}

/// The 128-bit value behind 32 hex digits with any dashes between them.
fn hex(text: &str) -> Option<[u8; 16]> {
    let mut digits = [0; 32];
    let mut count = 0;
    match <&[u8; 36]>::try_from(text.as_bytes()) {
        // The documented form, in which nearly all come: in five pieces instead of byte by byte.
        Ok(text) if [text[8], text[13], text[18], text[23]] == *b"----" => {
            digits[..8].copy_from_slice(&text[..8]);
            digits[8..12].copy_from_slice(&text[9..13]);
            digits[12..16].copy_from_slice(&text[14..18]);
            digits[16..20].copy_from_slice(&text[19..23]);
            digits[20..].copy_from_slice(&text[24..]);
            count = digits.len();
        }
        _ => {
            for byte in text.bytes().filter(|byte| *byte != b'-') {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
        }
    }
    if count != digits.len() { None } else { packed(&digits) }
}

/// The value of 32 hex digits, worked out as many at a time as the machine can: once inlined, the compiler goes back to
/// one by one.
#[inline(never)]
fn packed(digits: &[u8; 32]) -> Option<[u8; 16]> {
    if digits.iter().fold(false, |odd, digit| odd | !digit.is_ascii_hexdigit()) {
        return None;
    }
    let value_of = |digit: u8| (digit & 15) + 9 * (digit >> 6);
    let mut value = [0; 16];
    for (byte, pair) in value.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value_of(pair[0]) << 4 | value_of(pair[1]);
    }
    Some(value)
}

impl Ord for SessionId<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // Packed digits sort as the digits do.
            (Form::Hex(one), Form::Hex(two)) => one.cmp(two),
            _ => self.written(&mut [0; 32]).cmp(other.written(&mut [0; 32])),
        }
    }
}

impl PartialOrd for SessionId<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SessionId<'_> {
    fn eq(&self, other: &Self) -> bool {
        // A text that reads as 32 hex digits is always packed, so the two forms never mean the same.
        match (&self.0, &other.0) {
            (Form::Hex(one), Form::Hex(two)) => one == two,
            (Form::Text(one), Form::Text(two)) => one == two,
            _ => false,
        }
    }
}

impl Eq for SessionId<'_> {}

impl hash::Hash for SessionId<'_> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.written(&mut [0; 32]).hash(state);
    }
}

impl fmt::Display for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        f.pad(str::from_utf8(self.written(&mut digits)).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl From<SessionId<'_>> for String {
    fn from(session: SessionId<'_>) -> Self {
        alloc::format!("{session}")
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_packed_form_costs_three_words() {
        assert_eq!(size_of::<Option<SessionId<'_>>>(), 3 * size_of::<usize>());
    }

    #[test]
    fn dashes_may_stand_anywhere_but_digits_must_be_32() {
        let plain = SessionId::new("0123456789abcdef0123456789abcdef").unwrap();
        let odd = "--0123456789ABCDEF0123456789abcdef-";
        assert_eq!(SessionId::new(odd).unwrap(), plain);
        for text in
            ["0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef0", "A", "-"]
        {
            assert_eq!(SessionId::new(text).unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn order_and_equality_are_those_of_the_written_form(
            one in "[0-9a-f-]{30,36}|[0-9a-f]{32}|.{1,4}",
            two in "[0-9a-f-]{30,36}|[0-9a-f]{32}|.{1,4}",
        ) {
            let (one, two) = (SessionId::new(one).unwrap(), SessionId::new(two).unwrap());
            let (first, second) = (one.to_string(), two.to_string());
            prop_assert_eq!(one.cmp(&two), first.as_bytes().cmp(second.as_bytes()));
            prop_assert_eq!(one == two, first == second);
        }

        #[test]
        fn the_packed_form_is_that_of_the_digits_between_the_dashes(
            text in "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{12}|[0-9a-fg-]{31,37}",
        ) {
            let digits = text.replace('-', "").to_ascii_lowercase();
            let is_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let written = SessionId::new(&*text).unwrap().to_string();
            prop_assert_eq!(&written, if is_hex { &digits } else { &text });
        }

        #[test]
        fn the_written_form_reads_back_as_itself(text in "[0-9a-fA-F-]{32,36}|.{1,40}") {
            let session = SessionId::new(text).unwrap();
            prop_assert_eq!(&SessionId::new(session.to_string()).unwrap(), &session);
        }
    }
}
