//! Why a cloud refuses an input or a command.

use alloc::string::String;

/// Why a [`Cloud`](super::Cloud) refuses an input or a command; nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// Too much is waiting to be drained.
    #[error("{limit} outputs are queued: drain them, then try again")]
    QueueFull {
        /// How many may be.
        limit: usize,
    },
    /// No such thing was onboarded.
    #[error("there is no thing {thing_id}: onboard it first")]
    UnknownThing {
        /// The id.
        thing_id: String,
    },
    /// A push has too many bytes.
    #[error("the push has {size} bytes: at most {limit} are pushed")]
    PushTooLarge {
        /// How many it has.
        size: usize,
        /// How many it may have.
        limit: usize,
    },
    /// As many faults wait as may.
    #[error("{limit} faults wait for their turn: clear them, or allow more")]
    TooManyFaults {
        /// How many may.
        limit: usize,
    },
}
