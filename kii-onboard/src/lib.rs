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

mod advice;
mod api_error;
mod app;
mod broker;
pub mod call;
#[cfg(feature = "sim")]
pub mod cloud;
pub mod command;
mod endpoint;
mod error_code;
pub mod frame;
mod id;
mod json;
mod keep_alive;
pub mod onboarding;
mod stage;
mod status_class;
pub mod thing;
pub mod topic;

pub use advice::Advice;
pub use api_error::ApiError;
pub use app::App;
pub use broker::{DefaultBroker, Location, PortUnavailable, Ports, TransportKind};
pub use endpoint::MqttEndpoint;
pub use error_code::{ErrorCode, UnknownCode};
pub use id::{AppId, AppKey, IdKind, IdRule, InvalidId, MqttTopic, RequestId, VendorThingId};
pub use json::{Json, JsonError};
pub use keep_alive::{KeepAlive, Ping, Pings};
pub use stage::Stage;
pub use status_class::StatusClass;
