//! What a platform demands, and whom it knows.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Account, MessageIdForm};
use crate::Policy;

/// The settings of a [`Platform`](super::Platform). The defaults are what is documented of the real one.
///
/// ```
/// use core::time::Duration;
/// use amqp_auth::platform::{Account, Config};
///
/// let account = Account::new("LTAI5tEXAMPLEKEY00000001", "ExampleSecretKey00000000000001")
///     .with_group("DEFAULT_GROUP")
///     .with_instance_id("iot-060a0example");
/// let config = Config::default().with_account(account).with_ack_timeout(Duration::from_millis(500));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    pub(super) policy: Policy,
    pub(super) accounts: Vec<Account>,
    pub(super) auth_timeout: Duration,
    pub(super) link_timeout: Duration,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) ack_timeout: Duration,
    pub(super) retry_interval: Duration,
    pub(super) retention: Duration,
    pub(super) message_id_form: MessageIdForm,
    pub(super) max_logins_per_minute: usize,
    pub(super) max_connections: usize,
    pub(super) max_messages: usize,
    pub(super) max_message_size: usize,
    pub(super) max_queued: usize,
    pub(super) seed: u64,
}

impl Default for Config {
    /// No account, the strict policy; 15 s to log in and 15 s to attach, 30 s to settle, a minute between attempts, a
    /// day of retention, 100 logins a minute and group; 1,000 connections, 10,000 messages of 262,144 bytes, 1,024
    /// outputs.
    fn default() -> Self {
        Self {
            policy: Policy::strict(),
            accounts: Vec::new(),
            auth_timeout: Duration::from_secs(15),
            link_timeout: Duration::from_secs(15),
            idle_timeout: None,
            ack_timeout: Duration::from_secs(30),
            retry_interval: Duration::from_secs(60),
            retention: Duration::from_secs(24 * 60 * 60),
            message_id_form: MessageIdForm::default(),
            max_logins_per_minute: 100,
            max_connections: 1_000,
            max_messages: 10_000,
            max_message_size: 262_144,
            max_queued: 1_024,
            seed: 0,
        }
    }
}

impl Config {
    /// Sets how far the timestamp of a login may lie from the platform's clock, 600 s to either side by default: any other
    /// is refused.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Adds an account that may log in, of which there is none by default: of two with the same AccessKey id the first
    /// counts.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// Sets how long a client may take from the transport to the login, and again from the login to `open`, 15 s by
    /// default: after that its connection is dropped.
    #[must_use]
    pub fn with_auth_timeout(self, auth_timeout: Duration) -> Self {
        Self { auth_timeout, ..self }
    }

    /// Sets how long a client may take from `open`, or from the end of its link, to a receiver link, 15 s by default: after
    /// that its connection is closed.
    #[must_use]
    pub fn with_link_timeout(self, link_timeout: Duration) -> Self {
        Self { link_timeout, ..self }
    }

    /// Sets the idle timeout in the answer to `open`, by default none, as what the real platform says is not documented:
    /// the client has to send something that often.
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout: Some(idle_timeout), ..self }
    }

    /// Sets how long a client may take to settle a delivery, 30 s by default: after that the attempt has failed, and the
    /// message is sent again.
    #[must_use]
    pub fn with_ack_timeout(self, ack_timeout: Duration) -> Self {
        Self { ack_timeout, ..self }
    }

    /// Sets the pause before a message is sent again that was given back, or was not settled in time more than once, 60 s
    /// by default.
    #[must_use]
    pub fn with_retry_interval(self, retry_interval: Duration) -> Self {
        Self { retry_interval, ..self }
    }

    /// Sets how long a message that nobody accepts is kept, 24 hours by default: after that it is given up.
    #[must_use]
    pub fn with_retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// Sets the type of `messageId` on the wire, [`MessageIdForm::String`] by default: the real one is not documented.
    #[must_use]
    pub fn with_message_id_form(self, message_id_form: MessageIdForm) -> Self {
        Self { message_id_form, ..self }
    }

    /// Sets how many logins a consumer group may make in 60 s, 100 by default: one more is refused.
    #[must_use]
    pub fn with_max_logins_per_minute(self, max_logins_per_minute: usize) -> Self {
        Self { max_logins_per_minute, ..self }
    }

    /// Sets how many connections there may be at most, of all groups together, 1,000 by default: one more is dropped.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// Sets how many messages may wait to be accepted, of all groups together, 10,000 by default: one more is refused.
    #[must_use]
    pub fn with_max_messages(self, max_messages: usize) -> Self {
        Self { max_messages, ..self }
    }

    /// Sets how many bytes of topic, properties and body a message may have, 262,144 by default: a larger one is refused.
    #[must_use]
    pub fn with_max_message_size(self, max_message_size: usize) -> Self {
        Self { max_message_size, ..self }
    }

    /// Sets the number of queued outputs from which on inputs and commands are refused, 1 at least and 1,024 by default.
    ///
    /// What one of them says, every message that it lets be sent included, and what ends by itself may come on top.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    /// Sets the seed of message ids and of the choice between clients, 0 by default: with the same one all is the same.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}
