//! Which devices are online: the order of status messages (specification, section 9).
//!
//! Messages arrive in any order, and more than once. The state of a device is that of its newest notice, by the instant
//! the notice names and, where two are equal, online before offline: a maximum, so that **every order of arrival gives
//! the same state**. Nothing here waits, and nothing has to be told the time, except for a [`HoldBack`].
//!
//! - [`DeviceStatus`] is one device, for a service that keeps the state in a database;
//! - [`StatusTracker`] is many devices, in memory;
//! - [`HoldBack`] puts notices into order before they are told, for whoever needs every edge in turn.

mod config;
mod device;
mod hold_back;
mod instant;
mod notice;
mod tracker;

pub use config::{Config, OffsetOutOfRange, OrderBy};
pub use device::{Change, DeviceStatus};
pub use hold_back::{Held, HoldBack, HoldBackFull};
pub use notice::{Notice, Reading, Status, Unorderable};
pub use tracker::{ApplyError, StatusTracker, Update};
