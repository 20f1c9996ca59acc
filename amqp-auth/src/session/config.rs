//! How a session shall connect, and what it does with messages.

use alloc::string::String;

use iot_sansio::amqp::Outcome;

use crate::{Consumer, Endpoint, IdleTimeout, SignMethod, dedupe, message};

/// How a session shall connect, and what it does with messages.
///
/// ```
/// use amqp_auth::{Consumer, Endpoint, IdleTimeout, session::Config};
/// use core::time::Duration;
///
/// let consumer = Consumer::new("client-01", "DEFAULT_GROUP")?.with_instance_id("iot-060a0example")?;
/// let config = Config::new(Endpoint::for_instance("iot-060a0example")?, consumer)
///     .with_idle_timeout(IdleTimeout::new(Duration::from_secs(120))?)
///     .with_credit(200)?;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) endpoint: Endpoint,
    pub(super) consumer: Consumer,
    pub(super) method: SignMethod,
    pub(super) idle_timeout: IdleTimeout,
    pub(super) source: String,
    pub(super) credit: u32,
    pub(super) deduplication: Option<dedupe::Config>,
    pub(super) on_failure: Option<Outcome>,
    pub(super) on_stop: Option<Outcome>,
    pub(super) max_queued: usize,
}

impl Config {
    /// To this endpoint, as this consumer: `hmacsha256`, an idle timeout of 60 s, source `default`, a credit of 64,
    /// copies removed.
    #[must_use]
    pub fn new(endpoint: Endpoint, consumer: Consumer) -> Self {
        Self {
            endpoint,
            consumer,
            method: SignMethod::HmacSha256,
            idle_timeout: IdleTimeout::default(),
            source: "default".into(),
            credit: 64,
            deduplication: Some(dedupe::Config::default()),
            on_failure: Some(Outcome::Modified {
                delivery_failed: true,
                undeliverable_here: false,
            }),
            on_stop: Some(Outcome::Released),
            max_queued: 1_024,
        }
    }

    /// Sets the method of signing. Default: `hmacsha256`.
    #[must_use]
    pub fn with_sign_method(self, method: SignMethod) -> Self {
        Self { method, ..self }
    }

    /// Sets the idle timeout that `open` names, after which the platform closes a silent connection. Default: 60 s.
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: IdleTimeout) -> Self {
        Self { idle_timeout, ..self }
    }

    /// Sets the address of the receiver's source. Default: `default`; the platform is known to take any
    /// (specification, section 5.4).
    #[must_use]
    pub fn with_source(self, source: impl Into<String>) -> Self {
        Self { source: source.into(), ..self }
    }

    /// Sets how many messages may be on their way to the application or waiting for its answer, 1 to 1,000. Default: 64.
    ///
    /// Work from an earlier connection counts until it is answered, and so do copies that wait for the first of them.
    /// A good number is workers × 25 s ÷ seconds that a message takes: what waits longer than 30 s is sent again.
    ///
    /// # Errors
    /// The number is out of range.
    pub fn with_credit(self, credit: u32) -> Result<Self, CreditOutOfRange> {
        if !(1..=MAX_CREDIT).contains(&credit) {
            return Err(CreditOutOfRange { credit });
        }
        Ok(Self { credit, ..self })
    }

    /// Sets how many message ids are remembered, and for how long. Default: 100,000 for 24 h.
    ///
    /// None hands over every delivery, copies too: for an application that shares one
    /// [`Window`](crate::dedupe::Window) among the sessions of a group.
    #[must_use]
    pub fn with_deduplication(self, deduplication: Option<dedupe::Config>) -> Self {
        Self { deduplication, ..self }
    }

    /// Sets what [`fail`](super::Session::fail) settles a message with; none leaves it unsettled. Default: modified, as a
    /// failed delivery. How the platform takes anything but `accepted` is not documented.
    #[must_use]
    pub fn with_failure_outcome(self, outcome: Option<Outcome>) -> Self {
        Self { on_failure: outcome, ..self }
    }

    /// Sets what [`stop`](super::Session::stop) settles messages with that were not answered; none leaves them unsettled.
    /// Default: released.
    #[must_use]
    pub fn with_stop_outcome(self, outcome: Option<Outcome>) -> Self {
        Self { on_stop: outcome, ..self }
    }

    /// Sets how many outputs may wait to be drained before inputs and commands are refused, at least 1. Default: 1,024.
    ///
    /// What is taken last and the deadlines that pass add at most sixteen, and two for each message that waits for its
    /// answer.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    /// How messages are read: the login asks for bodies in base64, or does not.
    pub(super) fn decoding(&self) -> message::Options {
        let base64 = self.consumer.extensions().any(|extension| extension == ("encode", "base64"));
        message::Options::default().with_base64(base64)
    }
}

/// A credit that no session can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a credit of {credit} is not in 1..={MAX_CREDIT}")]
#[non_exhaustive]
pub struct CreditOutOfRange {
    /// What was asked for, in messages.
    pub credit: u32,
}

/// What qpid-jms grants, and the vendor's Java sample with it (specification, section 5.4).
const MAX_CREDIT: u32 = 1_000;
