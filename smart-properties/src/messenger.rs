//! The Event Messenger API, which says where events go and which (specification section 7).
//!
//! A configuration holds the topics; a subscription names a configuration, an event type and its entities. Each type
//! here makes a [`Request`](crate::Request); [`Created`](crate::Created), [`Resource`](crate::Resource) and
//! [`Page`](crate::Page) read what comes back.

mod configuration;
mod existing;
mod idempotency_token;
mod plan;
mod raw;
mod replacement;
mod selection;
mod subscription;

pub(crate) use configuration::check_topic;
pub use configuration::{
    ChannelError, CreateConfiguration, ListConfigurations, delete_configuration, get_configuration,
};
pub use existing::Existing;
pub use idempotency_token::{IdempotencyToken, IdempotencyTokenError};
pub use plan::SubscriptionPlan;
pub use raw::{RawEntities, RawError, RawSelection};
pub use replacement::{Replacement, ReplacementError};
pub use selection::{RoleScope, Selection, SetupScope};
pub use subscription::{
    CreateSubscription, EventHeaderVersion, ListSubscriptions, delete_subscription,
    get_subscription,
};
