//! The fields of a lifecycle event by their names on the wire.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::json;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A field of the payload (specification section 2.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Field {
            $($(#[$doc])* $variant,)*
        }

        impl Field {
            pub(crate) const COUNT: usize = [$(Self::$variant),*].len();

            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            // Called for every member: a call of its own costs as much as the comparison.
            #[inline(always)]
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)*
                    _ => return None,
                })
            }
        }
    };
}

fields! {
    /// `clientId`.
    ClientId = "clientId",
    /// `timestamp`.
    Timestamp = "timestamp",
    /// `eventType`.
    EventType = "eventType",
    /// `versionNumber`.
    VersionNumber = "versionNumber",
    /// `sessionIdentifier`.
    SessionIdentifier = "sessionIdentifier",
    /// `principalIdentifier`.
    PrincipalIdentifier = "principalIdentifier",
    /// `clientInitiatedDisconnect`.
    ClientInitiatedDisconnect = "clientInitiatedDisconnect",
    /// `disconnectReason`.
    DisconnectReason = "disconnectReason",
    /// `connectFailureReason`.
    ConnectFailureReason = "connectFailureReason",
    /// `ipAddress`.
    IpAddress = "ipAddress",
    /// `thingName`.
    ThingName = "thingName",
    /// `topics`.
    Topics = "topics",
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Names of the fields that a payload has, for whoever must find out why another is missing.
///
/// At most 16 names of at most 32 characters: a payload cannot fill a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldNames {
    names: Vec<String>,
    more: bool,
}

impl FieldNames {
    /// The names in an object, in their order.
    #[cold]
    pub(crate) fn of(object: &str) -> Self {
        let mut found = Self::default();
        // An object that ends early still has the fields before its end.
        let _ = json::members::<json::Malformed>(object, |name, _| {
            if found.names.len() < MAX_NAMES {
                found.names.push(name.chars().take(MAX_NAME_CHARS).collect());
            } else {
                found.more = true;
            }
            Ok(())
        });
        found
    }

    /// The names, in the order of the payload.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

impl fmt::Display for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("none");
        }
        for (at, name) in self.names.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", name.escape_debug())?;
        }
        f.write_str(if self.more { ", and more" } else { "" })
    }
}

const MAX_NAMES: usize = 16;
const MAX_NAME_CHARS: usize = 32;
