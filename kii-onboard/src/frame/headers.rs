//! The headers of a frame.

use core::{fmt, iter};

use super::{REQUEST_ID, text};

/// The headers of a frame, in order, with names as they came and values without blanks around them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Headers<'a>(&'a str);

impl<'a> Headers<'a> {
    /// These lines, which the decoder has checked.
    pub(super) const fn new(lines: &'a str) -> Self {
        Self(lines)
    }

    pub(super) const fn as_str(self) -> &'a str {
        self.0
    }

    /// Names and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        let mut lines = self.0;
        iter::from_fn(move || {
            let (header, rest) = split_first(lines)?;
            lines = rest;
            Some(header)
        })
    }

    /// The value of the first header with this name, in any case.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The text that ties a response to its request, in `X-Kii-RequestID`.
    #[must_use]
    pub fn request_id(self) -> Option<&'a str> {
        self.get(REQUEST_ID)
    }

    /// The media type of the body, without parameters. Compare it without regard to case.
    #[must_use]
    pub fn media_type(self) -> Option<&'a str> {
        let value = self.get("Content-Type")?;
        Some(value.split_once(';').map_or(value, |(media_type, _)| media_type).trim_ascii())
    }
}

/// The first header of lines that the decoder has checked, and the other lines.
fn split_first(lines: &str) -> Option<((&str, &str), &str)> {
    let (line, len, _) = text::split_line(lines.as_bytes())?;
    let (line, rest) = (lines.get(..line.len())?, lines.get(len..)?);
    let (name, value) = line.split_at_checked(text::token_len(line.as_bytes()))?;
    // What is white there is blanks and HTAB: the decoder leaves no control character but that one.
    Some(((name, value.strip_prefix(':')?.trim_ascii()), rest))
}

/// Names only: a value may be a token.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}
