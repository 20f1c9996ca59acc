//! Simulation.

mod broker;
mod clock;
mod contract;
mod driver;
mod filter;
mod input;
mod line;

pub use broker::{Broker, Delivery};
pub use clock::Clock;
pub use contract::{Contract, Rule, Violation};
pub use driver::{Driver, Entry, EntryOf, Side, Stuck, Told};
pub use filter::filter_matches;
pub use input::{OwnedInput, OwnedMessage};
pub use line::{Faults, Line};
