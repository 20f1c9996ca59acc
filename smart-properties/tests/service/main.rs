//! The service's side: what it sends, when it tries again, and the contract of machines.

mod contract;
mod peer;
mod retries;
