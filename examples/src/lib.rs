//! Adapters for mainstream clients and peers to run against: what the programs and tests of this repository share.
//!
//! An adapter is one file, to be copied into a project.

pub mod amqp;
pub mod amqp_adapter;
pub mod broker;
pub mod certificates;
pub mod lifecycle;
pub mod mqtt_adapter;
pub mod peers;
pub mod platform;
