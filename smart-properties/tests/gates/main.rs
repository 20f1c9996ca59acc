//! The gates: vectors of specification section 13.10, outcomes of section 13.5, and what order and duplicates change.

mod devices;
mod events;
mod outcomes;
mod properties;
mod roles;
mod units;
mod vectors;
