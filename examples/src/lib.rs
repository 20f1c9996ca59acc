//! Adapters for mainstream clients and peers to run against: what the programs and tests of this repository share.
//!
//! An adapter is to be copied into a project: `mqtt_adapter.rs` as it is, `amqp_adapter.rs` together with its folder,
//! `sns_endpoint.rs` together with `https.rs`. Its documentation lists the dependencies. `tls.rs` says whom its
//! connections trust.

pub mod aia;
pub mod amqp;
pub mod amqp_adapter;
pub mod broker;
pub mod certificates;
pub mod hotel;
pub mod https;
pub mod kii;
pub mod kii_cloud;
pub mod lifecycle;
pub mod mqtt_adapter;
pub mod peers;
pub mod platform;
pub mod property;
mod service;
pub mod sns;
pub mod sns_endpoint;
pub mod tls;
