//! JSON as it is written: the members of an object and the elements of an array as pieces of the text.
//!
//! Values are found and checked here and converted by whoever knows their type: so a number is exact, and a build that
//! changes how serde_json reads numbers (`arbitrary_precision`, `float_roundtrip`) changes nothing here. Escapes and
//! nested values are left to serde_json; the scan only does what nearly every byte of a flat object needs.

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;

use serde_json::{Deserializer, value::RawValue};

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "JSON has six types")]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number, with or without a fraction.
    Number,
    /// A text.
    String,
    /// `[…]`.
    Array,
    /// `{…}`.
    Object,
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// The text is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// The byte that cannot stand there, or where the value begins that holds it.
    pub(crate) position: usize,
}

/// One value, well-formed, without space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// As it is written.
    pub(crate) raw: &'a str,
    /// Whether it is a string with a backslash in it.
    escaped: bool,
}

impl<'a> Value<'a> {
    /// The one value in a text.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut scanner = Scanner { text, at: 0 };
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    pub(crate) fn json_type(self) -> JsonType {
        match self.raw.as_bytes().first() {
            Some(b'"') => JsonType::String,
            Some(b'{') => JsonType::Object,
            Some(b'[') => JsonType::Array,
            Some(b't' | b'f') => JsonType::Boolean,
            Some(b'-' | b'0'..=b'9') => JsonType::Number,
            _ => JsonType::Null,
        }
    }

    /// What a string says; none when half of a surrogate pair stands alone in it. Meaningless on other types.
    #[inline]
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            return serde_json::from_str::<String>(self.raw)
                .ok()
                .map(Cow::Owned);
        }
        Some(Cow::Borrowed(
            self.raw.get(1..self.raw.len().saturating_sub(1))?,
        ))
    }
}

/// Calls `each` with the name and the value of every member of the object that is this text.
#[inline]
pub(crate) fn members<'a, E: From<Malformed>>(
    text: &'a str,
    mut each: impl FnMut(Cow<'a, str>, Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.expect(b'{')?;
    if scanner.take(b'}') {
        return Ok(scanner.end()?);
    }
    loop {
        let name = scanner.name()?;
        scanner.expect(b':')?;
        each(name, scanner.value()?)?;
        if !scanner.take(b',') {
            scanner.expect(b'}')?;
            return Ok(scanner.end()?);
        }
    }
}

/// Calls `each` with every element of the array that is this text.
pub(crate) fn elements<'a, E: From<Malformed>>(
    text: &'a str,
    mut each: impl FnMut(Value<'a>) -> Result<(), E>,
) -> Result<(), E> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.expect(b'[')?;
    if scanner.take(b']') {
        return Ok(scanner.end()?);
    }
    loop {
        each(scanner.value()?)?;
        if !scanner.take(b',') {
            scanner.expect(b']')?;
            return Ok(scanner.end()?);
        }
    }
}

/// Appends a string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((plain, [special, after @ ..])) = rest.split_at_checked(plain_len(rest)) {
        out.extend_from_slice(plain);
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                let digits = b"0123456789abcdef";
                let (high, low) = (usize::from(control >> 4), usize::from(control & 15));
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digits[high], digits[low]]);
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends an integer.
pub(crate) fn write_integer(out: &mut Vec<u8>, integer: i64) {
    // The longest, `i64::MIN`, has a sign and 19 digits.
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = integer.unsigned_abs();
    while let Some(place) = start.checked_sub(1) {
        digits[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
        start = place;
        if rest == 0 {
            break;
        }
    }
    if integer < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}

struct Scanner<'a> {
    text: &'a str,
    /// Always at a character boundary: all that is stepped over is ASCII or lies between two quotes.
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The next byte that is not space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Steps over this byte if it comes next.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.malformed())
    }

    fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.malformed()),
        }
    }

    #[inline]
    fn name(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(self.malformed());
        }
        let name = self.string()?;
        // A name with half of a surrogate pair in it is none that anybody looks for: it may stay as it is written.
        Ok(name.text().unwrap_or(Cow::Borrowed(name.raw)))
    }

    #[inline]
    fn value(&mut self) -> Result<Value<'a>, Malformed> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'{' | b'[') => self.complex(false),
            _ => Err(self.malformed()),
        }
    }

    /// The string that begins here.
    #[inline]
    fn string(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        let body = self.text.as_bytes().get(start + 1..).unwrap_or_default();
        let end = start + 1 + plain_len(body);
        match self.text.as_bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                self.piece(start)
            }
            Some(b'\\') => self.complex(true),
            _ => {
                self.at = end;
                Err(self.malformed())
            }
        }
    }

    #[inline]
    fn number(&mut self) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        let mut digits_only = true;
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b'0'..=b'9' => {}
                b'-' | b'+' | b'.' | b'e' | b'E' => digits_only = false,
                _ => break,
            }
            self.at += 1;
        }
        let number = self.piece(start)?;
        if digits_only && (number.raw.len() == 1 || !number.raw.starts_with('0')) {
            return Ok(number);
        }
        serde_json::from_str::<&RawValue>(number.raw)
            .map(|_| number)
            .map_err(|_| Malformed { position: start })
    }

    fn word(&mut self, word: &str) -> Result<Value<'a>, Malformed> {
        let start = self.at;
        if !self.rest().starts_with(word) {
            return Err(self.malformed());
        }
        self.at += word.len();
        self.piece(start)
    }

    /// The value that begins here, read by serde_json, in a loop and not by recursion.
    #[cold]
    fn complex(&mut self, escaped: bool) -> Result<Value<'a>, Malformed> {
        let mut values = Deserializer::from_str(self.rest()).into_iter::<&RawValue>();
        let Some(Ok(value)) = values.next() else {
            return Err(self.malformed());
        };
        self.at += values.byte_offset();
        Ok(Value {
            raw: value.get(),
            escaped,
        })
    }

    #[inline]
    fn piece(&self, start: usize) -> Result<Value<'a>, Malformed> {
        match self.text.get(start..self.at) {
            Some(raw) => Ok(Value {
                raw,
                escaped: false,
            }),
            None => Err(self.malformed()),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[cold]
    fn malformed(&self) -> Malformed {
        Malformed { position: self.at }
    }
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
fn plain_len(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let found = special(u64::from_le_bytes(*chunk));
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = after;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    let tail = rest.iter().position(special).unwrap_or(rest.len());
    bytes.len() - rest.len() + tail
}

/// The high bit of the lowest byte of eight that is special is set, and no lower one; higher ones may be wrong.
#[inline]
const fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    // Subtracting borrows from the next byte only where the byte below is found, so the lowest is always right.
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quote.wrapping_sub(ONES) & !quote;
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | quote | backslash) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;

    fn accepts(text: &str) -> bool {
        let nothing = |_: Value<'_>| Ok::<_, Malformed>(());
        match Value::parse(text) {
            Ok(value) if value.json_type() == JsonType::Object => {
                members(text, |_, value| nothing(value)).is_ok()
            }
            Ok(value) if value.json_type() == JsonType::Array => elements(text, nothing).is_ok(),
            Ok(_) => true,
            Err(_) => {
                assert!(members(text, |_, value| nothing(value)).is_err(), "{text}");
                assert!(elements(text, nothing).is_err(), "{text}");
                false
            }
        }
    }

    #[test]
    fn what_stands_between_values_is_checked() {
        for text in [
            "{}",
            "[]",
            " { } ",
            "[1 ,\n2]",
            "{\"a\":1,\"\":null}",
            "0",
            "-0",
            "1e400",
            "1.50",
        ] {
            assert!(accepts(text), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[",
            "{]",
            "[}",
            "{,}",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\"}",
            "{} {}",
            "[] 1",
            "[1 2]",
            "01",
            "1.",
            "-",
            "+1",
            ".5",
            "1e",
            "tru",
            "nulll",
            "\"",
            "\"\u{1}\"",
            "\"\\x\"",
            "NaN",
        ] {
            assert!(!accepts(text), "{text}");
        }
    }

    #[test]
    fn the_position_is_that_of_the_offending_byte_or_value() {
        let position = |text| Value::parse(text).map_err(|malformed| malformed.position);
        assert_eq!(position("  x"), Err(2));
        assert_eq!(position("1 x"), Err(2));
        assert_eq!(position("\"ab\u{1}\""), Err(3));
        let at = members(r#"{"a":1,"b":01}"#, |_, _| Ok::<_, Malformed>(()));
        assert_eq!(at, Err(Malformed { position: 11 }));
    }

    #[test]
    fn names_and_texts_lose_their_escapes_and_nothing_else() {
        let mut seen = Vec::new();
        members(
            r#"{"\u0061":"\"é","\ud800":"\ud800","":""}"#,
            |name, value| {
                seen.push((name, value.text()));
                Ok::<_, Malformed>(())
            },
        )
        .unwrap();
        assert_eq!(seen[0], ("a".into(), Some("\"é".into())));
        assert_eq!(seen[1], ("\"\\ud800\"".into(), None));
        assert_eq!(seen[2], ("".into(), Some("".into())));
    }

    proptest! {
        #[test]
        fn strings_and_integers_are_written_as_they_are_read(
            text in r#"([\x00-\x1F\x7F"\\]|[ -~]{0,9}|.){0,9}"#,
            integer: i64,
        ) {
            for integer in [integer, integer % 1_000, i64::MIN, i64::MAX, 0] {
                let mut out = b"x".to_vec();
                write_integer(&mut out, integer);
                prop_assert_eq!(out, format!("x{integer}").into_bytes());
            }
            let mut out = Vec::new();
            write_string(&mut out, &text);
            prop_assert!(!out.iter().any(|byte| *byte < 0x20));
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }

        #[test]
        fn the_scan_accepts_what_serde_json_accepts(
            text in r#"([\[\]{},: ]|"([^"\\]|\\u00e9|\\n|\\)?"|"k":|true|false|nul|-?[0-9]{1,3}(\.[0-9]?)?(e-?[0-9])?){0,9}"#,
        ) {
            for text in [&text, &format!("[{text}]"), &format!("{{{text}}}")] {
                prop_assert_eq!(accepts(text), serde_json::from_str::<&RawValue>(text).is_ok(), "{}", text);
            }
        }

        #[test]
        fn a_run_of_plain_bytes_ends_where_a_naive_loop_ends_it(
            bytes in proptest::collection::vec(
                prop_oneof![4 => any::<u8>(), 8 => 0x20_u8..=0xFF, 1 => Just(b'"'), 1 => 0x1F_u8..=0x23], 0..40,
            ),
        ) {
            let naive = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            prop_assert_eq!(plain_len(&bytes), naive.unwrap_or(bytes.len()));
        }
    }
}
