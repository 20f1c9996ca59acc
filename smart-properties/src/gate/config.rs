//! How much a gate keeps, and what it believes.

use core::num::NonZeroUsize;

use super::GateError;
use crate::extract::Harvest;

/// How much a gate keeps, and what it believes: room for 65,536, and no identifier that was merely harvested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GateConfig {
    capacity: NonZeroUsize,
    pub(super) harvest: Harvest,
}

impl GateConfig {
    /// Room for this many units, assignments, devices, automations or failures. What is over, a deleted unit or a revoked
    /// role, counts until it is forgotten.
    #[must_use]
    pub const fn with_capacity(mut self, capacity: NonZeroUsize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Whether an identifier counts that an event names where no table says it would.
    #[must_use]
    pub const fn with_harvest(mut self, harvest: Harvest) -> Self {
        self.harvest = harvest;
        self
    }

    pub(super) const fn capacity(&self) -> usize {
        self.capacity.get()
    }

    /// Whether there is room for one more than these.
    pub(super) const fn check_room(&self, used: usize) -> Result<(), GateError> {
        let limit = self.capacity();
        if used < limit { Ok(()) } else { Err(GateError::Full { limit }) }
    }
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { capacity: DEFAULT_CAPACITY, harvest: Harvest::Refuse }
    }
}

const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(65_535);
