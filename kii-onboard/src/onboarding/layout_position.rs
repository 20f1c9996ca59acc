//! Where a thing stands among others.

use core::fmt;

use super::field::{Field, FieldFault};

/// Where a thing stands among others; one that does not say stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LayoutPosition {
    /// It has end nodes behind it.
    Gateway,
    /// It stands alone.
    Standalone,
    /// It stands behind a gateway.
    EndNode,
}

impl LayoutPosition {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "GATEWAY",
            Self::Standalone => "STANDALONE",
            Self::EndNode => "ENDNODE",
        }
    }
}

impl Field for LayoutPosition {
    fn from_text(text: &str) -> Result<Self, FieldFault> {
        match text {
            "GATEWAY" => Ok(Self::Gateway),
            "STANDALONE" => Ok(Self::Standalone),
            // One SDK writes the second form.
            "ENDNODE" | "END_NODE" => Ok(Self::EndNode),
            _ => Err(FieldFault::UnknownValue),
        }
    }
}

impl fmt::Display for LayoutPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
