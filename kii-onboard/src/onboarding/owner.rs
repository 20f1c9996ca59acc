//! Who owns a thing.

use alloc::string::String;
use core::fmt;

use super::field::{Field, FieldFault, InvalidField};
use crate::id::{check_rule, is_segment_char};

/// Who owns a thing: a user, or a group of them.
///
/// ```
/// use kii_onboard::onboarding::Owner;
///
/// assert_eq!(Owner::user("u-1")?.to_string(), "user:u-1");
/// assert_eq!(Owner::parse("USER:u-1")?, Owner::user("u-1")?);
/// # Ok::<(), kii_onboard::onboarding::InvalidField>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    kind: OwnerKind,
    id: String,
}

/// What kind of owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OwnerKind {
    /// A user.
    User,
    /// A group of users.
    Group,
}

impl Owner {
    /// The user with this id.
    ///
    /// # Errors
    /// The id is empty, has more than 200 characters, or one of `/ + #` or a control.
    pub fn user(id: impl Into<String>) -> Result<Self, InvalidField> {
        Self::new(OwnerKind::User, id.into())
    }

    /// The group with this id.
    ///
    /// # Errors
    /// The id is empty, has more than 200 characters, or one of `/ + #` or a control.
    pub fn group(id: impl Into<String>) -> Result<Self, InvalidField> {
        Self::new(OwnerKind::Group, id.into())
    }

    /// Reads `user:{id}` or `group:{id}`, the kind in any case.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        Self::from_text(text).map_err(|fault| InvalidField { field: OWNER, fault })
    }

    /// What kind of owner.
    #[must_use]
    pub const fn kind(&self) -> OwnerKind {
        self.kind
    }

    /// The id of the user or of the group.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn new(kind: OwnerKind, id: String) -> Result<Self, InvalidField> {
        match check_rule(&id, MAX_ID, is_segment_char) {
            Ok(()) => Ok(Self { kind, id }),
            Err(rule) => Err(InvalidField { field: OWNER, fault: FieldFault::Rule(rule) }),
        }
    }
}

impl Field for Owner {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        let (kind, id) = text.split_once(':').ok_or(FieldFault::UnknownValue)?;
        let kind = [OwnerKind::User, OwnerKind::Group]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(kind))
            .ok_or(FieldFault::UnknownValue)?;
        Self::new(kind, id.into()).map_err(|error| error.fault)
    }
}

impl OwnerKind {
    /// As it is written before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

pub(super) const OWNER: &str = "owner";
/// Nothing is documented: far more than is seen.
const MAX_ID: usize = 200;
