//! The platform: its rules one by one, and the contract of machines.

mod bench;
mod connections;
mod contract;
mod messages;
mod peer;
