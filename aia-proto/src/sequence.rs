//! Sequence numbers, and messages in their order (specification section 4.4).

mod number;
mod resequencer;

pub use number::SequenceNumber;
pub use resequencer::{Accepted, BeyondWindow, Config, Resequencer, Unexpected};
