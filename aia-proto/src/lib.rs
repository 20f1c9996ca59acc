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

mod channel;
mod code;
pub mod connection;
pub mod device;
mod envelope;
mod json;
mod message_id;
pub mod pacer;
pub mod protect;
pub mod registration;
pub mod sequence;
#[cfg(feature = "sim")]
pub mod service;
mod topic;

pub use code::UnknownCode;
pub use json::{Json, JsonError, JsonFault};
pub use message_id::{InvalidMessageId, MessageId};
pub use topic::{
    ApiVersion, ClientId, Direction, InvalidTopicPart, Leaf, Topic, TopicError, TopicPart,
    TopicRoot, TopicRule, Topics,
};
