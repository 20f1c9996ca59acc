//! The two stages of a thing.

use core::fmt;

/// Which of its two brokers a thing is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two brokers")]
pub enum Stage {
    /// The default broker, which takes onboarding only.
    Boot,
    /// The second broker, which takes API calls and pushes commands.
    Api,
}

impl Stage {
    /// The broker, for people.
    pub(crate) const fn broker(self) -> &'static str {
        match self {
            Self::Boot => "default broker",
            Self::Api => "second broker",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boot => "boot",
            Self::Api => "api",
        })
    }
}
