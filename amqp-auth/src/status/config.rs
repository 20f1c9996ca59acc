//! How status messages are read and how many are kept.

use iot_sansio::UnixMillis;
use jiff::tz::Offset;

use super::{Notice, Reading, Status, Unorderable, instant};
use crate::message::{StatusBody, StatusName};

/// How status messages are read, and how much is kept of them.
///
/// ```
/// use amqp_auth::{message::{Body, Class}, status::{Config, Status}};
///
/// let bytes = br#"{"status":"online","time":"2018-08-31 10:02:28.195"}"#;
/// let Body::DeviceStatus(body) = Body::parse(Class::DeviceStatus, bytes)? else { unreachable!() };
/// let notice = Config::default().read(&body)?.notice;
/// assert_eq!((notice.at.get(), notice.status), (1_535_680_948_195, Status::Online));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    offset_seconds: i32,
    order_by: OrderBy,
    max_history: usize,
    max_devices: usize,
}

/// Which of its times a message is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderBy {
    /// `utcTime`, or `time` where that cannot be read: as the platform says today.
    #[default]
    Time,
    /// `utcLastTime`, or `lastTime` where that cannot be read: as it said in 2020 (specification, section 14, Q1).
    LastTime,
}

/// An offset that no zone has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{seconds} s is no offset from UTC: it lies within 26 hours to either side")]
#[non_exhaustive]
pub struct OffsetOutOfRange {
    /// The offset that was given, in seconds.
    pub seconds: i32,
}

impl Default for Config {
    /// Local time at +08:00, ordered by time, 16 notices a device, 100,000 devices.
    fn default() -> Self {
        Self {
            offset_seconds: 8 * 60 * 60,
            order_by: OrderBy::Time,
            max_history: 16,
            max_devices: 100_000,
        }
    }
}

impl Config {
    /// Sets the offset at which `time` and `lastTime` are read, in seconds east of UTC, +08:00 by default; outside China
    /// it is not documented.
    ///
    /// # Errors
    /// The offset is 26 hours or more.
    pub fn with_offset_seconds(self, seconds: i32) -> Result<Self, OffsetOutOfRange> {
        match Offset::from_seconds(seconds) {
            Ok(_) => Ok(Self { offset_seconds: seconds, ..self }),
            Err(_) => Err(OffsetOutOfRange { seconds }),
        }
    }

    /// Sets by which of its times a message is ordered, [`OrderBy::Time`] by default; whoever keeps state keeps to one of
    /// them.
    #[must_use]
    pub const fn with_order_by(self, order_by: OrderBy) -> Self {
        Self { order_by, ..self }
    }

    /// Sets how many of the newest notices are kept for each device, 16 by default and at least 1, which is its state: one
    /// more pushes out the oldest.
    #[must_use]
    pub const fn with_max_history(self, notices: usize) -> Self {
        let max_history = if notices == 0 { 1 } else { notices };
        Self { max_history, ..self }
    }

    /// Sets how many devices a [`StatusTracker`](super::StatusTracker) knows at most, 100,000 by default: a message about
    /// one more is refused.
    #[must_use]
    pub const fn with_max_devices(self, devices: usize) -> Self {
        Self { max_devices: devices, ..self }
    }

    /// What a body says, and when.
    ///
    /// # Errors
    /// [`Unorderable`]: it has no status that is known, or no time that can be read.
    pub fn read(&self, body: &StatusBody<'_>) -> Result<Reading, Unorderable> {
        let status = match body.status {
            Some(StatusName::Online) => Status::Online,
            Some(StatusName::Offline) => Status::Offline,
            _ => return Err(Unorderable::Status),
        };
        let (utc, local) = match self.order_by {
            OrderBy::Time => (&body.utc_time, &body.time),
            OrderBy::LastTime => (&body.utc_last_time, &body.last_time),
        };
        let utc = utc.as_deref().and_then(|text| instant::parse(text, Offset::UTC));
        let local = local.as_deref().and_then(|text| self.local(text));
        let at = utc.or(local).ok_or(Unorderable::Time)?;
        let disagreeing = local.filter(|local| *local != at);
        Ok(Reading { notice: Notice::new(at, status), disagreeing })
    }

    fn local(&self, text: &str) -> Option<UnixMillis> {
        instant::parse(text, Offset::from_seconds(self.offset_seconds).ok()?)
    }

    pub(super) const fn max_history(&self) -> usize {
        self.max_history
    }

    pub(super) const fn max_devices(&self) -> usize {
        self.max_devices
    }
}
