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

mod decode;
mod decode_error;
mod encode;
pub mod envelope;
mod event;
mod field;
mod field_map;
pub mod fleet;
#[cfg(feature = "sim")]
pub mod history;
mod json;
mod order;
mod payload;
pub mod presence;
mod reason;
mod scalar;
mod session_id;
pub mod store;
mod stream_image;
mod subscription;
mod topic;

pub use decode::Decoder;
pub use decode_error::DecodeError;
pub use event::{
    ConnectFailed, Connected, Disconnected, Event, EventKind, PrincipalIdentifier, Topics,
    UnknownKind,
};
pub use field::{Field, FieldNames};
pub use field_map::FieldMap;
pub use json::JsonType;
pub use order::{Head, HeadError, HeadKind, Order};
pub use reason::{ConnectFailureReason, DisconnectReason, UnknownReason};
pub use session_id::SessionId;
pub use subscription::{Subscription, SubscriptionState, Subscriptions};
pub use topic::{Filter, RuleSqlError, Topic, TopicError, TopicKind};
