//! Who may publish to a topic and send to a queue: access policies, text in and text out (specification section 8).
//!
//! A policy belongs to whoever runs the topic: everything of it that is not ours stays as it is written, byte for
//! byte.
//!
//! Where the topic is encrypted with a key of the customer, its publishers also need `kms:GenerateDataKey` and
//! `kms:Decrypt` on that key.

mod check;
mod document;
mod error;
mod merge;
mod queue;
mod statement;

pub use check::{Doubt, Grant, Reason};
pub use error::PolicyError;
pub use merge::{Change, Merged};
pub use queue::{QueueArn, QueueArnError, QueueStatement};
pub use statement::AlexaStatement;
