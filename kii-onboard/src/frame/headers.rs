//! The headers of a frame.

use core::fmt;

use super::REQUEST_ID;

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
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.lines().filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name, value.trim_matches([' ', '\t'])))
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

/// Names only: a value may be a token.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}
