//! Names that this version does not know.

use alloc::borrow::Cow;
use core::fmt;

/// A name that is none of the known ones, as it came. Only reading makes it, so that it never hides a known one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownName<'a>(pub(super) Cow<'a, str>);

impl UnknownName<'_> {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An enum of names, which keeps those that it does not know.
macro_rules! open_set {
    (
        $(#[$about:meta])*
        $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name<'a> {
            $($(#[$doc])* $variant,)*
            /// Another one, as it came.
            Unknown(UnknownName<'a>),
        }

        impl<'a> $name<'a> {
            /// As it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(name) => name.as_str(),
                }
            }

            pub(super) fn from_text(text: Cow<'a, str>) -> Self {
                match &*text {
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(UnknownName(text)),
                }
            }
        }
    };
}

pub(super) use open_set;
