//! Enumerated strings: open sets, as only two literals are known (specification section 3, rule 8).

use alloc::borrow::Cow;
use core::fmt;

/// A literal that this version of the crate does not know, exactly as it came.
///
/// Only `from` of [`Status`], [`ErrorType`] and [`Reason`] makes one, so it never hides a known literal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherLiteral<'a>(Cow<'a, str>);

macro_rules! open_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name<'a> {
            $($(#[$doc])* $variant,)*
            /// Any other literal.
            Other(OtherLiteral<'a>),
        }

        impl $name<'_> {
            /// The literal on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(OtherLiteral(text)) => text,
                }
            }

            /// The same, owning its text.
            #[must_use]
            pub fn into_owned(self) -> $name<'static> {
                match self {
                    $(Self::$variant => $name::$variant,)*
                    Self::Other(OtherLiteral(text)) => {
                        $name::Other(OtherLiteral(Cow::Owned(text.into_owned())))
                    }
                }
            }
        }

        impl<'a, T: Into<Cow<'a, str>>> From<T> for $name<'a> {
            fn from(text: T) -> Self {
                let text = text.into();
                match &*text {
                    $($text => Self::$variant,)*
                    _ => Self::Other(OtherLiteral(text)),
                }
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

open_set! {
    /// `status` of an automation's result (specification section 2.3). The literal of a success is not documented.
    ///
    /// ```
    /// use smart_properties::event::Status;
    ///
    /// assert_eq!(Status::from("FAILURE"), Status::Failure);
    /// assert_eq!(Status::from("failure").as_str(), "failure");
    /// ```
    Status {
        /// There were failures.
        Failure = "FAILURE",
    }
}

open_set! {
    /// `type` of an error in an automation's result (specification section 2.3).
    ErrorType {
        /// No such device, or not one of this unit.
        EndpointNotFound = "ENDPOINT_NOT_FOUND",
    }
}

open_set! {
    /// Why a skill failed, as the event says it (specification section 2.4). No literal is documented.
    Reason {}
}

impl fmt::Display for OtherLiteral<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for OtherLiteral<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}
