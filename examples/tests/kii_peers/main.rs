//! The Kii conversation through brokers and an MQTT client that nobody here wrote.

mod client;
mod mqtt_js;

use std::time::Duration;

/// A hang becomes a failure; nothing is measured with it.
const HANG: Duration = Duration::from_secs(60);
