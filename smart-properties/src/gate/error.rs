//! Why a gate takes no notice of something.

use crate::extract::IdRefused;

/// Why a gate refuses what it is told. It is as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// The event does not say for certain what it is about. It needs a person's attention: nothing will happen by itself.
    #[error(transparent)]
    Id(#[from] IdRefused),
    /// There is no room for one more.
    #[error("{limit} are known, as many as there is room for: forget some or raise the capacity")]
    Full {
        /// The limit.
        limit: usize,
    },
}
