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

mod base_url;
pub mod call;
pub mod dedupe;
pub mod event;
mod extract;
pub mod gate;
pub mod id;
mod instant;
mod json;
pub mod messenger;
pub mod order;
pub mod policy;
mod request;
mod response;
#[cfg(feature = "sim")]
pub mod service;
pub mod sns;
mod topic_arn;

pub use base_url::{BaseUrl, BaseUrlError};
pub use event::{Body, Event, EventError, EventKind, EventType};
pub use extract::{Extracted, Harvest, IdRefused};
pub use id::{
    AnyId, AutomationId, AutomationTemplateId, EndpointId, Id, IdError, IdType, PrincipalId,
    RoleId, SkillId, SubscriptionConfigurationId, SubscriptionId, UnitId,
};
pub use instant::Instant;
pub use json::JsonType;
pub use request::{Method, Request};
pub use response::{
    AnswerError, ApiError, Created, ErrorBody, NextToken, Page, Resource, Response,
};
pub use topic_arn::{Partition, TopicArn, TopicArnError};
