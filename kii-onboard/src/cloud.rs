//! The cloud's side as a machine, for tests without a cloud account.

pub mod server;
