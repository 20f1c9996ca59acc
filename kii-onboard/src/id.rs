//! Identifiers, and what each may be made of.

use alloc::string::{String, ToString as _};
use core::fmt;

use iot_sansio::Secret;

/// Why a text is not an identifier of its kind. The text itself is not repeated: it may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{kind} {rule}: {}", .kind.grammar())]
#[non_exhaustive]
pub struct InvalidId {
    /// Which identifier.
    pub kind: IdKind,
    /// What it breaks.
    pub rule: IdRule,
}

/// The identifiers that are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IdKind {
    /// The id of an application.
    AppId,
    /// The key of an application.
    AppKey,
    /// The topic of pushes, which is also the client id on the second broker.
    MqttTopic,
    /// The text that ties a response to its request.
    RequestId,
    /// The id that a thing's maker gave it.
    VendorThingId,
    /// The id that the cloud gave a thing.
    ThingId,
    /// The id of a command.
    CommandId,
    /// The alias of a trait.
    Alias,
    /// A path of the API.
    Path,
    /// The query of a path.
    Query,
    /// The version of a thing's firmware.
    FirmwareVersion,
    /// The type of a thing.
    ThingType,
}

/// What an identifier breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdRule {
    /// It has no characters.
    Empty,
    /// It is too long.
    TooLong {
        /// The most characters it may have.
        limit: usize,
    },
    /// It has a character that it must not have.
    ForbiddenChar {
        /// Where, in bytes from its start.
        index: usize,
    },
}

impl IdKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AppId => "the app id",
            Self::AppKey => "the app key",
            Self::MqttTopic => "mqttTopic",
            Self::RequestId => "the request id",
            Self::VendorThingId => "the vendor thing id",
            Self::ThingId => "the thing id",
            Self::CommandId => "the command id",
            Self::Alias => "the trait alias",
            Self::Path => "the path",
            Self::Query => "the query",
            Self::FirmwareVersion => "the firmware version",
            Self::ThingType => "the thing type",
        }
    }

    /// What may stand there, as an error says it.
    const fn grammar(self) -> &'static str {
        match self {
            Self::AppId => "take 1 to 128 of A-Z a-z 0-9 - _",
            Self::AppKey => "take 1 to 256 of printable ASCII without blanks",
            Self::RequestId => "take 1 to 64 of A-Z a-z 0-9 . _ -, and blanks inside",
            Self::VendorThingId => "take 1 to 200 of A-Z a-z 0-9 . _ -",
            Self::FirmwareVersion | Self::ThingType => "take 1 to 100 of A-Z a-z 0-9 . _ -",
            Self::MqttTopic => "take 1 to 64 characters without / + # and controls",
            Self::ThingId | Self::CommandId | Self::Alias => {
                "it stands in a topic, and has no / + # and controls there"
            }
            Self::Path => "each level of it has something, and no + # and controls",
            Self::Query => "write / + # and controls in percent-encoding",
        }
    }
}

impl fmt::Display for IdKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for IdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { limit } => write!(f, "has more than {limit} characters"),
            Self::ForbiddenChar { index } => {
                write!(f, "has a character at byte {index} that it must not have")
            }
        }
    }
}

/// Refuses a text that is empty, longer than `limit` characters, or has a character that is not allowed.
pub(crate) fn check(
    kind: IdKind,
    text: &str,
    limit: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), InvalidId> {
    check_rule(text, limit, is_allowed).map_err(|rule| InvalidId { kind, rule })
}

/// The same of a text that has no kind of its own.
pub(crate) fn check_rule(
    text: &str,
    limit: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), IdRule> {
    if text.is_empty() {
        Err(IdRule::Empty)
    } else if text.chars().nth(limit).is_some() {
        Err(IdRule::TooLong { limit })
    } else if let Some(index) = text.find(|ch| !is_allowed(ch)) {
        Err(IdRule::ForbiddenChar { index })
    } else {
        Ok(())
    }
}

/// Refuses what cannot stand in a predefined field of a thing, such as its type: 1 to 100 of `A-Z a-z 0-9 . _ -`
/// (specification, section 6.5).
pub(crate) fn check_name(text: &str) -> Result<(), IdRule> {
    check_rule(text, 100, is_name_char)
}

fn is_name_char(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-')
}

/// Whether a character may stand in one level of a topic (specification, section 5).
pub(crate) fn is_segment_char(ch: char) -> bool {
    !matches!(ch, '/' | '+' | '#') && !ch.is_control()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $limit:expr, $is_allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            ///
            /// # Errors
            /// The text is empty, too long, or has a character that it must not have.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                check(IdKind::$name, &text, $limit, $is_allowed)?;
                Ok(Self(text))
            }

            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// The id of an application: 1 to 128 of `A-Z a-z 0-9 - _` (specification, section 3).
    AppId, 128, |ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_')
}

id! {
    /// The topic of pushes, which is also the client id on the second broker: 1 to 64 characters, none of them `/ + #` or
    /// a control (specification, sections 5 and 9.2).
    MqttTopic, 64, is_segment_char
}

id! {
    /// The id that a thing's maker gave it: 1 to 200 of `A-Z a-z 0-9 . _ -` (specification, section 6.5).
    VendorThingId, 200, is_name_char
}

/// The text that ties a response to its request: 1 to 64 of `A-Z a-z 0-9 . _ -`, and blanks inside (specification,
/// section 7).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Takes the text as it is.
    ///
    /// # Errors
    /// The text is empty, too long, or has a character that it must not have, such as a blank at either end.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let (text, kind) = (text.into(), IdKind::RequestId);
        let is_allowed =
            |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-' | ' ');
        check(kind, &text, 64, is_allowed)?;
        let outer = [(text.starts_with(' '), 0), (text.ends_with(' '), text.len() - 1)];
        match outer.into_iter().find(|(is_blank, _)| *is_blank) {
            Some((_, index)) => Err(InvalidId { kind, rule: IdRule::ForbiddenChar { index } }),
            None => Ok(Self(text)),
        }
    }

    /// The decimal number, as ids are generated.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number.to_string())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of an application: 1 to 256 printable ASCII characters without blanks (specification, section 3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppKey(Secret);

impl AppKey {
    /// Takes the key as it is.
    ///
    /// # Errors
    /// The key is empty, too long, or has a character that it must not have.
    pub fn new(key: &str) -> Result<Self, InvalidId> {
        check(IdKind::AppKey, key, 256, |ch| ch.is_ascii_graphic())?;
        Ok(Self(key.into()))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn rule<T: fmt::Debug>(made: Result<T, InvalidId>) -> IdRule {
        made.unwrap_err().rule
    }

    #[test]
    fn limits_count_characters_and_hold_on_both_sides() {
        assert!(AppId::new("a".repeat(128)).is_ok());
        assert_eq!(rule(AppId::new("a".repeat(129))), IdRule::TooLong { limit: 128 });
        assert!(MqttTopic::new("\u{e9}".repeat(64)).is_ok());
        assert_eq!(rule(MqttTopic::new("\u{e9}".repeat(65))), IdRule::TooLong { limit: 64 });
        assert!(VendorThingId::new("v".repeat(200)).is_ok());
        assert_eq!(rule(VendorThingId::new("v".repeat(201))), IdRule::TooLong { limit: 200 });
        assert_eq!(rule(AppKey::new(&"k".repeat(257))), IdRule::TooLong { limit: 256 });
        assert_eq!(rule(AppId::new("")), IdRule::Empty);
    }

    #[test]
    fn a_forbidden_character_is_told_by_its_place() {
        assert_eq!(rule(AppId::new("a&b")), IdRule::ForbiddenChar { index: 1 });
        assert_eq!(rule(MqttTopic::new("\u{e9}/b")), IdRule::ForbiddenChar { index: 2 });
        assert_eq!(rule(MqttTopic::new("a\u{85}")), IdRule::ForbiddenChar { index: 1 });
        assert_eq!(rule(AppKey::new("k k")), IdRule::ForbiddenChar { index: 1 });
    }

    #[test]
    fn an_error_says_what_may_stand_there() {
        let said = AppId::new("a&b").unwrap_err().to_string();
        let rule = "the app id has a character at byte 1 that it must not have";
        assert_eq!(said, format!("{rule}: take 1 to 128 of A-Z a-z 0-9 - _"));
    }

    #[test]
    fn a_request_id_has_blanks_inside_only() {
        assert!(RequestId::new("v1 onboardings").is_ok());
        assert_eq!(rule(RequestId::new(" a")), IdRule::ForbiddenChar { index: 0 });
        assert_eq!(rule(RequestId::new("a ")), IdRule::ForbiddenChar { index: 1 });
        assert_eq!(rule(RequestId::new("a:b")), IdRule::ForbiddenChar { index: 1 });
    }

    #[test]
    fn a_key_is_not_printed() {
        assert!(!format!("{:?}", AppKey::new("canary")).contains("canary"));
        assert!(!format!("{:?}", AppKey::new("canary\u{7f}")).contains("canary"));
    }
}
