//! What to do next.

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

/// What a program or a person does best after an [`ApiError`](crate::ApiError). `Display` says it to people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Send it again later, after growing pauses.
    RetryLater {
        /// The least time to wait, where the cloud told one.
        at_least: Option<Duration>,
    },
    /// Correct the request: as it is it never succeeds.
    CorrectRequest {
        /// The members to correct, where the cloud named them.
        fields: Vec<String>,
    },
    /// Check the thing's password: it is the one of its first onboarding.
    CheckThingPassword,
    /// Get another access token: onboard again, or log the owner in again where the token was the owner's.
    RenewToken,
    /// Check the application's id and key, and the location: brokers know the applications of their own location only.
    CheckApp,
    /// Check the ids in the request, or register first what they name.
    CheckIds,
    /// Store first what was asked for: there is none yet.
    StoreFirst,
    /// Choose another vendor thing id: this one is taken.
    ChooseAnotherId,
    /// See who owns the thing, or has the end node: it belongs to an owner or to a gateway already.
    CheckOwner,
    /// Ask whoever administers the application: the thing, the user or the application is disabled.
    ContactAdmin,
    /// Do without: the cloud does not do this, here or at all.
    DoWithout,
    /// Tell the developers: the answer is none that is documented.
    Report,
    /// Do nothing: it succeeded.
    Nothing,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RetryLater { at_least: Some(pause) } => {
                return write!(f, "send it again after {} s or more", pause.as_secs());
            }
            Self::RetryLater { at_least: None } => "send it again later, after growing pauses",
            Self::CorrectRequest { fields } if fields.is_empty() => "correct the request",
            Self::CorrectRequest { fields } => return correct(f, fields),
            Self::CheckThingPassword => {
                "check the thing's password: it is the one of its first onboarding"
            }
            Self::RenewToken => "onboard again for another access token, or log the owner in again",
            Self::CheckApp => "check the application's id and key, and the location of the broker",
            Self::CheckIds => "check the ids in the request, or register first what they name",
            Self::StoreFirst => "store it first: there is none yet",
            Self::ChooseAnotherId => "choose another vendor thing id: this one is taken",
            Self::CheckOwner => "see who owns it: it belongs to an owner or to a gateway already",
            Self::ContactAdmin => {
                "ask whoever administers the application: something is disabled there"
            }
            Self::DoWithout => "do without it: the cloud does not do this here",
            Self::Nothing => "do nothing: it succeeded",
            Self::Report => "tell the developers: this answer is not documented",
        })
    }
}

fn correct(f: &mut fmt::Formatter<'_>, fields: &[String]) -> fmt::Result {
    f.write_str("correct ")?;
    for (index, field) in fields.iter().take(MAX_FIELDS).enumerate() {
        write!(f, "{}`{}`", if index == 0 { "" } else { ", " }, Excerpt(field))?;
    }
    match fields.len().checked_sub(MAX_FIELDS) {
        Some(more @ 1..) => write!(f, " and {more} more"),
        _ => Ok(()),
    }
}

/// A name that comes from the network: as much as is fit to print.
#[derive(Clone, Copy)]
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(MAX_NAME).try_for_each(|ch| write!(f, "{}", ch.escape_debug()))
    }
}

impl fmt::Debug for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const MAX_FIELDS: usize = 8;
/// Characters.
const MAX_NAME: usize = 64;
