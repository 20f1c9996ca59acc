//! What a status message says, ready to be ordered.

use iot_sansio::UnixMillis;

/// A device went online or offline at an instant. Notices of one device are ordered by instant, then by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "these two are all that order may depend on")]
pub struct Notice {
    /// When.
    pub at: UnixMillis,
    /// Which of the two.
    pub status: Status,
}

/// Whether a device is online. Online is the greater: a reconnect that ends the session before may date both alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a device is online or it is not")]
pub enum Status {
    /// It is offline.
    Offline,
    /// It is online.
    Online,
}

/// What [`Config::read`](super::Config::read) makes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Reading {
    /// What it says.
    pub notice: Notice,
    /// What the local time says, where that is another instant than the UTC time: perhaps the offset is not right.
    pub disagreeing: Option<UnixMillis>,
}

/// Why a status message has no place in the order. It changes nothing; acknowledge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unorderable {
    /// Its status is neither online nor offline, or absent.
    #[error("status is neither online nor offline")]
    Status,
    /// Neither of the times can be read.
    #[error("neither the UTC time nor the local time is one: YYYY-MM-DD HH:MM:SS.fff is expected")]
    Time,
}

impl Notice {
    /// This status at this instant.
    #[must_use]
    pub const fn new(at: UnixMillis, status: Status) -> Self {
        Self { at, status }
    }
}

impl Status {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Online => "online",
        }
    }
}
