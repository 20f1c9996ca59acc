//! One device.

use alloc::{boxed::Box, vec::Vec};

use super::{Config, Notice, Status};
use crate::message::MessageId;

/// The state of one device: its newest notices. The newest of all says whether it is online.
///
/// The whole state is a set of notices, of which the newest are kept. So it does not depend on the order they came in,
/// and two states of one device, as two processes may have them, are merged by applying the notices of one to the
/// other.
///
/// ```
/// use amqp_auth::status::{Change, Config, DeviceStatus, Notice, Status};
/// use iot_sansio::UnixMillis;
///
/// let notice = |minute: i64, status| Notice::new(UnixMillis::new(minute * 60_000), status);
/// let config = Config::default();
/// let mut device = DeviceStatus::default();
/// let change = device.apply(&config, notice(2, Status::Online), None);
/// assert_eq!(change, Change::Changed { from: None, to: Status::Online });
/// assert_eq!(device.apply(&config, notice(1, Status::Offline), None), Change::Late);
/// assert_eq!(device.current(), Some(notice(2, Status::Online)));
/// // What a database keeps, and what it gives back:
/// let stored: Vec<Notice> = device.history().collect();
/// assert_eq!(DeviceStatus::restore(&config, stored).current(), device.current());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeviceStatus {
    /// Ascending, each notice once.
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    notice: Notice,
    /// The least of the ids it came under, whichever came first.
    message_id: Option<Box<str>>,
}

/// What a notice did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// It is the newest, and the device has another status now.
    Changed {
        /// Its status before; none when nothing was known of it.
        from: Option<Status>,
        /// Its status now.
        to: Status,
    },
    /// It is the newest, and the status is as before.
    Refreshed,
    /// It says the same as the newest: same instant, same status.
    Repeat,
    /// It is older than the newest: the status is as before.
    Late,
    /// It is a message that was seen. A [`Window`](crate::dedupe::Window) tells this of more messages than a history
    /// remembers.
    Duplicate,
}

impl DeviceStatus {
    /// The state with these notices, in any order: those of [`history`](Self::history), or the current one alone.
    #[must_use]
    pub fn restore(config: &Config, notices: impl IntoIterator<Item = Notice>) -> Self {
        let mut restored = Self::default();
        for notice in notices {
            restored.apply(config, notice, None);
        }
        restored
    }

    /// Takes a notice, and the id of its message where it has one.
    pub fn apply(
        &mut self,
        config: &Config,
        notice: Notice,
        message_id: Option<&MessageId<'_>>,
    ) -> Change {
        let message_id = message_id.map(MessageId::as_str);
        let len = self.entries.len();
        let from = self.entries.last().map(|newest| newest.notice.status);
        match self.entries.binary_search_by(|entry| entry.notice.cmp(&notice)) {
            Ok(index) => {
                let is_newest = index + 1 == len;
                let entry = self.entries.get_mut(index);
                match entry.is_some_and(|entry| entry.is_of(message_id)) {
                    true => Change::Duplicate,
                    false if is_newest => Change::Repeat,
                    false => Change::Late,
                }
            }
            Err(index) => {
                self.entries
                    .insert(index, Entry { notice, message_id: message_id.map(Into::into) });
                let excess = self.entries.len().saturating_sub(config.max_history());
                self.entries.drain(..excess);
                let to = notice.status;
                match from {
                    _ if index < len => Change::Late,
                    Some(from) if from == to => Change::Refreshed,
                    from => Change::Changed { from, to },
                }
            }
        }
    }

    /// The newest notice; none when nothing is known of the device.
    #[must_use]
    pub fn current(&self) -> Option<Notice> {
        self.entries.last().map(|entry| entry.notice)
    }

    /// The notices that are kept, the oldest first: how it really was, whatever came late.
    #[must_use]
    pub fn history(&self) -> impl DoubleEndedIterator<Item = Notice> + ExactSizeIterator {
        self.entries.iter().map(|entry| entry.notice)
    }
}

impl Entry {
    /// Whether it came under this id; else remembers the lesser one.
    fn is_of(&mut self, message_id: Option<&str>) -> bool {
        let Some(message_id) = message_id else { return false };
        match &self.message_id {
            Some(known) if **known <= *message_id => **known == *message_id,
            _ => {
                self.message_id = Some(message_id.into());
                false
            }
        }
    }
}
