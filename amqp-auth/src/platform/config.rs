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
    /// With this window around timestamps.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// With one more account. Of two with the same AccessKey id the first counts.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// With this much time from the transport to the login, and from the login to `open`.
    #[must_use]
    pub fn with_auth_timeout(self, auth_timeout: Duration) -> Self {
        Self { auth_timeout, ..self }
    }

    /// With this much time from `open`, or from the end of the link, to a receiver link.
    #[must_use]
    pub fn with_link_timeout(self, link_timeout: Duration) -> Self {
        Self { link_timeout, ..self }
    }

    /// With this idle timeout in the answer to `open`. Default: none, as what the platform says is not documented.
    #[must_use]
    pub fn with_idle_timeout(self, idle_timeout: Duration) -> Self {
        Self { idle_timeout: Some(idle_timeout), ..self }
    }

    /// With this much time to settle a delivery before the message is sent again.
    #[must_use]
    pub fn with_ack_timeout(self, ack_timeout: Duration) -> Self {
        Self { ack_timeout, ..self }
    }

    /// With this pause before a message is tried again that failed before.
    #[must_use]
    pub fn with_retry_interval(self, retry_interval: Duration) -> Self {
        Self { retry_interval, ..self }
    }

    /// With this much time until a message that nobody accepted is given up.
    #[must_use]
    pub fn with_retention(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    /// With this type of `messageId` on the wire.
    #[must_use]
    pub fn with_message_id_form(self, message_id_form: MessageIdForm) -> Self {
        Self { message_id_form, ..self }
    }

    /// With this many logins that a consumer group may make in 60 s.
    #[must_use]
    pub fn with_max_logins_per_minute(self, max_logins_per_minute: usize) -> Self {
        Self { max_logins_per_minute, ..self }
    }

    /// With at most this many connections; one more is dropped.
    #[must_use]
    pub fn with_max_connections(self, max_connections: usize) -> Self {
        Self { max_connections, ..self }
    }

    /// With at most this many messages that are not settled, of all groups together; one more is refused.
    #[must_use]
    pub fn with_max_messages(self, max_messages: usize) -> Self {
        Self { max_messages, ..self }
    }

    /// With at most this many bytes of topic, properties and body in a message; a larger one is refused.
    #[must_use]
    pub fn with_max_message_size(self, max_message_size: usize) -> Self {
        Self { max_message_size, ..self }
    }

    /// With this many queued outputs, 1 at least, from which on inputs and commands are refused. What one of them says,
    /// every message that it lets be sent included, and what ends by itself may come on top.
    #[must_use]
    pub fn with_max_queued(self, max_queued: usize) -> Self {
        Self { max_queued: max_queued.max(1), ..self }
    }

    /// With this seed of message ids and of the choice between clients. Default: 0.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}
