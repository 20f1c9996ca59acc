#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod decode;
mod encode;
pub mod envelope;
mod event;
mod field;
mod field_map;
mod json;
mod order;
mod reason;
mod session_id;
mod topic;

pub use decode::{DecodeError, Decoder};
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
pub use topic::{Filter, RuleSqlError, Topic, TopicError, TopicKind};
