#![doc = include_str!("../README.md")]
#![no_std]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod amqp;
mod backoff;
mod machine;
pub mod mqtt;
mod pump;
mod secret;
#[cfg(feature = "sim")]
pub mod sim;
mod time;

pub use backoff::{Backoff, Jitter};
pub use machine::{ActionOf, InputOf, Machine, Output, Vocabulary};
pub use pump::{Pump, Pumped};
pub use secret::Secret;
pub use time::{MonoTime, UnixMillis, WallClock};
