//! The calls of other Smart Properties APIs that events open or answer (specification section 7.5).
//!
//! A call that the service refuses until a unit is active takes an [`ActiveUnit`](crate::gate::ActiveUnit), which only
//! a gate hands out; so it cannot be made too early. The others take identifiers. Where a region has a host of its own,
//! see [`Request::with_base`](crate::Request::with_base).

mod device;
mod role;
mod skill;
mod unit;
mod user;

pub use device::{AssociatedEndpoint, associate_device, return_device};
pub use role::{
    BatchError, BatchItem, RoleBatch, assign_role, assign_role_until, batch_assign_roles,
    batch_revoke_roles, revoke_role,
};
pub use skill::{enable_skill, enable_subscription_skill};
pub use unit::{create_child_unit, create_property};
pub use user::{read_user_id, user_profile};
