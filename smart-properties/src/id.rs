//! Identifiers: an opaque text behind a prefix that says what it names (specification section 1).

use alloc::{borrow::Cow, string::String};
use core::{fmt, hash::Hash, marker::PhantomData};

/// The identifier of one kind of thing, for example a [`UnitId`]: its prefix, then 1 to 1,024 bytes of
/// `[A-Za-z0-9._-]` in which no two dots follow each other, as an identifier becomes part of a path.
///
/// Case counts, and identifiers are compared as bytes. The same unit has different identifiers for different clients of
/// Alexa: that two differ does not prove that the units do.
///
/// ```
/// use smart_properties::{AutomationId, IdError, IdType, UnitId};
///
/// let room = UnitId::new("amzn1.alexa.unit.did.ROOM401")?;
/// assert_eq!(room.as_str(), "amzn1.alexa.unit.did.ROOM401");
///
/// // The prefix of a template begins with the prefix of an automation.
/// let template = AutomationId::new("amzn1.alexa.automation.template.T1");
/// let found = Some(IdType::AutomationTemplate);
/// assert_eq!(template, Err(IdError::WrongKind { expected: IdType::Automation, found }));
/// # Ok::<(), IdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<'a, K> {
    text: Cow<'a, str>,
    kind: PhantomData<K>,
}

/// What an [`Id`] names. Implemented by the types of this module that have no values.
pub trait IdKind: sealed::Sealed + Clone + Ord + Hash + fmt::Debug + 'static {
    /// The kind as a value.
    const TYPE: IdType;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            #[expect(clippy::exhaustive_enums, reason = "it has no values")]
            pub enum $kind {}

            impl sealed::Sealed for $kind {}

            impl IdKind for $kind {
                const TYPE: IdType = IdType::$kind;
            }

            $(#[$doc])*
            pub type $alias<'a> = Id<'a, $kind>;
        )*

        /// The kinds of identifiers that are known.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum IdType {
            $($(#[$doc])* $kind,)*
        }

        impl IdType {
            /// What every identifier of this kind begins with.
            #[must_use]
            pub const fn prefix(self) -> &'static str {
                match self {
                    $(Self::$kind => $prefix,)*
                }
            }

            /// What an identifier names, by its prefix alone; none where the prefix is not known.
            #[must_use]
            pub fn of(text: &str) -> Option<Self> {
                [$(Self::$kind),*].into_iter().find(|kind| text.starts_with(kind.prefix()))
            }
        }

        /// An identifier of whatever kind.
        ///
        /// ```
        /// use smart_properties::{AnyId, EndpointId};
        ///
        /// let endpoint = EndpointId::new("amzn1.alexa.endpoint.EP1")?;
        /// assert_eq!(AnyId::new("amzn1.alexa.endpoint.EP1"), AnyId::Endpoint(endpoint));
        /// assert_eq!(AnyId::new("x"), AnyId::Other("x".into()));
        /// # Ok::<(), smart_properties::IdError>(())
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum AnyId<'a> {
            $($(#[$doc])* $kind($alias<'a>),)*
            /// No known prefix, or a known one before what no identifier looks like; kept as it came.
            Other(Cow<'a, str>),
        }

        impl<'a> AnyId<'a> {
            /// Reads an identifier; whatever none of the known kinds is, is kept as [`AnyId::Other`].
            pub fn new(text: impl Into<Cow<'a, str>>) -> Self {
                let text = text.into();
                match IdType::of(&text) {
                    $(Some(IdType::$kind) if check_body(IdType::$kind, &text).is_ok() =>
                        Self::$kind(Id { text, kind: PhantomData }),)*
                    _ => Self::Other(text),
                }
            }

            /// The identifier with its prefix.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$kind(id) => id.as_str(),)*
                    Self::Other(text) => text,
                }
            }

            /// The same, borrowing nothing.
            #[must_use]
            pub fn into_owned(self) -> AnyId<'static> {
                match self {
                    $(Self::$kind(id) => AnyId::$kind(id.into_owned()),)*
                    Self::Other(text) => AnyId::Other(Cow::Owned(text.into_owned())),
                }
            }
        }
    };
}

// A prefix that begins with another one stands before it: the first that fits counts.
kinds! {
    /// An organization, property, floor or room: `amzn1.alexa.unit.did.{id}`.
    Unit, UnitId, "amzn1.alexa.unit.did.";
    /// A device: `amzn1.alexa.endpoint.{id}`.
    Endpoint, EndpointId, "amzn1.alexa.endpoint.";
    /// What automations are made from: `amzn1.alexa.automation.template.{id}`.
    AutomationTemplate, AutomationTemplateId, "amzn1.alexa.automation.template.";
    /// An automation: `amzn1.alexa.automation.{id}`.
    Automation, AutomationId, "amzn1.alexa.automation.";
    /// A skill: `amzn1.ask.skill.{uuid}`.
    Skill, SkillId, "amzn1.ask.skill.";
    /// A role: `amzn1.alexa.role.did.{id}`.
    Role, RoleId, "amzn1.alexa.role.did.";
    /// A principal, which is a customer's user ID: `amzn1.account.{id}`.
    Principal, PrincipalId, "amzn1.account.";
    /// Where events go to: `amzn1.alexa.aem.subscription.configuration.{id}`.
    SubscriptionConfiguration, SubscriptionConfigurationId, "amzn1.alexa.aem.subscription.configuration.";
    /// Which events go there: `amzn1.alexa.aem.subscription.{id}`.
    Subscription, SubscriptionId, "amzn1.alexa.aem.subscription.";
}

impl<'a, K: IdKind> Id<'a, K> {
    /// Reads an identifier of this kind.
    ///
    /// # Errors
    /// Says what is not as an identifier of this kind is.
    pub fn new(text: impl Into<Cow<'a, str>>) -> Result<Self, IdError> {
        let text = text.into();
        check(K::TYPE, &text)?;
        Ok(Self { text, kind: PhantomData })
    }
}

impl<K> Id<'_, K> {
    /// The identifier with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Id<'static, K> {
        Id { text: Cow::Owned(self.text.into_owned()), kind: PhantomData }
    }

    /// The same, borrowed from this one.
    #[must_use]
    pub fn borrowed(&self) -> Id<'_, K> {
        Id { text: Cow::Borrowed(&self.text), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Id<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<K> fmt::Display for Id<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl<K> AsRef<str> for Id<'_, K> {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<K> From<Id<'_, K>> for String {
    fn from(id: Id<'_, K>) -> Self {
        id.text.into_owned()
    }
}

impl fmt::Display for IdType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unit => "unit",
            Self::Endpoint => "endpoint",
            Self::AutomationTemplate => "automation template",
            Self::Automation => "automation",
            Self::Skill => "skill",
            Self::Role => "role",
            Self::Principal => "principal",
            Self::SubscriptionConfiguration => "subscription configuration",
            Self::Subscription => "subscription",
        })
    }
}

/// Why a text is not the identifier that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// It has the prefix of something else, or none that is known.
    #[error("not the ID of a {expected}, which begins with {:?}", expected.prefix())]
    WrongKind {
        /// What was asked for.
        expected: IdType,
        /// What it names instead, where that is known.
        found: Option<IdType>,
    },
    /// There is nothing behind the prefix.
    #[error("nothing follows the prefix in the ID of a {0}")]
    Empty(IdType),
    /// What follows the prefix is too long.
    #[error(
        "{bytes} bytes follow the prefix in the ID of a {kind}, at most {MAX_BODY_BYTES} are allowed"
    )]
    TooLong {
        /// What was asked for.
        kind: IdType,
        /// How many there are.
        bytes: usize,
    },
    /// Not a letter, digit, `-`, `_`, or single dot.
    #[error("the ID of a {kind} has a character at byte {position} that none has")]
    BadCharacter {
        /// What was asked for.
        kind: IdType,
        /// The byte, counted from 0.
        position: usize,
    },
}

fn check(kind: IdType, text: &str) -> Result<(), IdError> {
    let found = IdType::of(text);
    if found != Some(kind) {
        return Err(IdError::WrongKind { expected: kind, found });
    }
    check_body(kind, text)
}

/// What follows the prefix, which is that of this kind.
fn check_body(kind: IdType, text: &str) -> Result<(), IdError> {
    let prefix = kind.prefix().len();
    let bytes = text.len().saturating_sub(prefix);
    if bytes == 0 {
        return Err(IdError::Empty(kind));
    }
    if bytes > MAX_BODY_BYTES {
        return Err(IdError::TooLong { kind, bytes });
    }
    // The prefix ends in a dot, which counts for the first byte behind it.
    let mut previous = b'.';
    for (position, byte) in text.bytes().enumerate().skip(prefix) {
        let doubled = byte == b'.' && previous == b'.';
        if doubled || !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
            return Err(IdError::BadCharacter { kind, position });
        }
        previous = byte;
    }
    Ok(())
}

const MAX_BODY_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString as _};

    use super::*;

    #[test]
    fn a_prefix_that_begins_with_another_one_is_told_apart() {
        let template = "amzn1.alexa.automation.template.T1";
        assert_eq!(IdType::of(template), Some(IdType::AutomationTemplate));
        assert_eq!(IdType::of("amzn1.alexa.automation.T1"), Some(IdType::Automation));
        let configuration = "amzn1.alexa.aem.subscription.configuration.1";
        assert_eq!(IdType::of(configuration), Some(IdType::SubscriptionConfiguration));
        assert_eq!(IdType::of("amzn1.alexa.aem.subscription.1"), Some(IdType::Subscription));
        assert!(matches!(AutomationId::new(template), Err(IdError::WrongKind { .. })));
        assert!(AutomationTemplateId::new(template).is_ok());
        assert!(matches!(SubscriptionId::new(configuration), Err(IdError::WrongKind { .. })));
    }

    #[test]
    fn limits_are_exact() {
        let prefix = IdType::Unit.prefix();
        let longest = format!("{prefix}{}", "x".repeat(1024));
        assert_eq!(UnitId::new(longest.clone()).unwrap().to_string(), longest);
        let kind = IdType::Unit;
        assert_eq!(UnitId::new(longest + "x"), Err(IdError::TooLong { kind, bytes: 1025 }));
        assert_eq!(UnitId::new(prefix), Err(IdError::Empty(kind)));
        for body in ["a/b", "a b", "a\u{e9}", "a\n", "~a", "a%2F"] {
            let text = format!("{prefix}{body}");
            assert!(matches!(UnitId::new(&*text), Err(IdError::BadCharacter { .. })), "{text}");
            assert_eq!(AnyId::new(&*text), AnyId::Other(text.as_str().into()));
        }
        for body in ["..", "a..b", ".a", "a.."] {
            let text = format!("{prefix}{body}");
            assert!(matches!(UnitId::new(&*text), Err(IdError::BadCharacter { .. })), "{text}");
        }
        assert!(UnitId::new(format!("{prefix}a.b_c-D.")).is_ok());
    }
}
