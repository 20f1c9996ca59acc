//! Identifiers in events whose members are not documented (specification section 2.5).

use alloc::{borrow::Cow, vec::Vec};

use crate::{Id, IdType, id::IdKind};

/// An identifier out of an event, and how sure it is that it is the one that was looked for.
///
/// A `pointer` is a JSON Pointer (RFC 6901) into the whole event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Extracted<'a, K> {
    /// It stands where the documentation says.
    Known(Id<'a, K>),
    /// It stands where it probably would, and is of the right kind.
    Inferred {
        /// What was found.
        id: Id<'a, K>,
        /// Where.
        pointer: Cow<'static, str>,
    },
    /// It stands in a place that says nothing, but is the only one of its kind in the event.
    Harvested {
        /// What was found.
        id: Id<'a, K>,
        /// Where.
        pointer: Cow<'static, str>,
    },
    /// There are several, and nothing says which one it is: those found, in the order of the event, at most 16.
    Ambiguous(Vec<(Cow<'static, str>, Id<'a, K>)>),
    /// There is none.
    Missing,
}

/// Whether an identifier is taken that is merely the only one of its kind in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "it is yes or no")]
pub enum Harvest {
    /// It is refused, the default.
    #[default]
    Refuse,
    /// It is taken.
    Accept,
}

/// Why an event's identifier is not good enough to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdRefused {
    /// There is none of this kind.
    #[error("the event has no ID of a {kind}")]
    Missing {
        /// What was looked for.
        kind: IdType,
    },
    /// There are several.
    #[error("the event has {found} IDs of a {kind}, and nothing says which one is meant")]
    Ambiguous {
        /// What was looked for.
        kind: IdType,
        /// How many were found, at most 16.
        found: usize,
    },
    /// It stands in a place that says nothing: [`Harvest::Accept`] takes it.
    #[error("the event has the ID of a {kind} in a place that is not known: accept harvested IDs")]
    Harvested {
        /// What was looked for.
        kind: IdType,
    },
}

impl<'a, K: IdKind> Extracted<'a, K> {
    /// The identifier, if it is good enough to act on.
    ///
    /// # Errors
    /// Says why it is not.
    pub fn accept(&self, harvest: Harvest) -> Result<&Id<'a, K>, IdRefused> {
        let kind = K::TYPE;
        match (self, harvest) {
            (Self::Known(id) | Self::Inferred { id, .. }, _)
            | (Self::Harvested { id, .. }, Harvest::Accept) => Ok(id),
            (Self::Harvested { .. }, Harvest::Refuse) => Err(IdRefused::Harvested { kind }),
            (Self::Ambiguous(found), _) => Err(IdRefused::Ambiguous { kind, found: found.len() }),
            (Self::Missing, _) => Err(IdRefused::Missing { kind }),
        }
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Extracted<'static, K> {
        match self {
            Self::Known(id) => Extracted::Known(id.into_owned()),
            Self::Inferred { id, pointer } => Extracted::Inferred { id: id.into_owned(), pointer },
            Self::Harvested { id, pointer } => {
                Extracted::Harvested { id: id.into_owned(), pointer }
            }
            Self::Ambiguous(found) => {
                let owned = found.into_iter().map(|(pointer, id)| (pointer, id.into_owned()));
                Extracted::Ambiguous(owned.collect())
            }
            Self::Missing => Extracted::Missing,
        }
    }
}
