//! Codes on the wire: open sets of names.

use alloc::string::String;
use core::fmt;

/// A code that this version of the crate does not know, exactly as it came.
///
/// Only the conversion of a text into a code makes one, so it never hides a known code. `Display` writes its beginning
/// with controls escaped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownCode(String);

impl UnknownCode {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Excerpt(&self.0).fmt(f)
    }
}

/// An enum of codes with the text of each.
macro_rules! codes {
    ($(#[$type_doc:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$type_doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// Any other text, exactly as it came.
            Unknown(crate::UnknownCode),
        }

        impl $name {
            /// All that are known.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(code) => code.as_str(),
                }
            }
        }

        impl<T: Into<alloc::string::String>> From<T> for $name {
            fn from(text: T) -> Self {
                let text = text.into();
                match text.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(crate::UnknownCode::new(text)),
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    Self::Unknown(code) => code.fmt(f),
                    known => f.pad(known.as_str()),
                }
            }
        }
    };
}

pub(crate) use codes;

/// A text that comes from the network: as much as is fit to print.
#[derive(Clone, Copy)]
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(MAX_EXCERPT).try_for_each(|ch| write!(f, "{}", ch.escape_debug()))
    }
}

/// Characters.
const MAX_EXCERPT: usize = 64;
