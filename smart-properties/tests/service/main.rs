//! The service's side: what it sends, when it tries again, the contract of machines, and a receiver against it.

mod contract;
mod conversation;
mod forgeries;
mod peer;
mod retries;
mod simulation;
