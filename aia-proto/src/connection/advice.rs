//! What a device does next.

use core::fmt;

/// What a device must do after a message of the service (specification, section 6.4). `Display` says it to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Go on: there is a connection.
    Proceed,
    /// Correct the AWS account id before the next attempt; register again if it is not the registered one.
    CorrectAccountId,
    /// Correct the client id before the next attempt; register again if it is not the registered one.
    CorrectClientId,
    /// Register again with a newer version of the protocol, then connect on its topics.
    UpgradeVersion,
    /// Send `Connect` again after a pause, with the same values.
    Retry,
    /// Open a new connection after a pause.
    Reconnect,
    /// Register again for a new shared secret, then connect.
    Register,
    /// Nothing.
    None,
}

impl Advice {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Proceed,
        Self::CorrectAccountId,
        Self::CorrectClientId,
        Self::UpgradeVersion,
        Self::Retry,
        Self::Reconnect,
        Self::Register,
        Self::None,
    ];

    /// Its name for programs, such as `correctAccountId`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proceed => "proceed",
            Self::CorrectAccountId => "correctAccountId",
            Self::CorrectClientId => "correctClientId",
            Self::UpgradeVersion => "upgradeVersion",
            Self::Retry => "retry",
            Self::Reconnect => "reconnect",
            Self::Register => "register",
            Self::None => "none",
        }
    }

    /// Whether another `Connect` with the same values may succeed, after a pause.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        matches!(self, Self::Retry | Self::Reconnect)
    }

    /// Whether the device must register before the next `Connect`.
    #[must_use]
    pub const fn needs_registration(self) -> bool {
        matches!(self, Self::UpgradeVersion | Self::Register)
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proceed => "go on: the connection is established",
            Self::CorrectAccountId => {
                "correct the AWS account id: it must be the registered one, and a retry does not help"
            }
            Self::CorrectClientId => {
                "correct the client id: it must be the registered one, and a retry does not help"
            }
            Self::UpgradeVersion => {
                "register again with a newer version of the protocol, then connect on its topics"
            }
            Self::Retry => "send `Connect` again after a pause, with the same values",
            Self::Reconnect => "open a new connection after a pause",
            Self::Register => "register again for a new shared secret, then connect",
            Self::None => "do nothing",
        })
    }
}
