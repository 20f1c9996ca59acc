//! The Kii conversation through brokers and MQTT clients that nobody here wrote: our thing at our cloud and at a foreign
//! one, and a foreign thing at our cloud.

mod bridge;
mod brokers;
mod client;
mod foreign_cloud;
mod foreign_thing;
mod mqtt_js;
mod our_cloud;
mod our_thing;
mod world;

use std::time::Duration;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
