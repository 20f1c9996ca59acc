//! The device: the vectors of connection messages, the rows of its table, its contract.

mod connecting;
mod contract;
mod exchange;
mod registering;
mod rotation;
mod run;
mod vectors;
