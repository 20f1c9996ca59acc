//! The service, by the rows of specification section 12.2.

mod bench;
mod capabilities;
mod commands;
mod connections;
mod contract;
mod exchange;
mod faults;
mod registration;
mod rotation;
mod speaker;
