//! Many devices.

use alloc::{boxed::Box, collections::BTreeMap};

use iot_sansio::UnixMillis;

use super::{Change, Config, DeviceStatus, Notice, Unorderable};
use crate::message::{Body, BodyError, Class, Message, MessageId};

/// The state of many devices, in memory.
///
/// A device is a product key and a device name: the same name in another product is another device.
///
/// ```
/// use amqp_auth::status::{Change, Config, Notice, Status, StatusTracker};
/// use iot_sansio::UnixMillis;
///
/// let mut tracker = StatusTracker::new(Config::default());
/// let notice = Notice::new(UnixMillis::new(1_535_680_948_195), Status::Online);
/// let change = tracker.apply_notice("a1Example01", "meter-7", notice, None)?;
/// assert_eq!(change, Change::Changed { from: None, to: Status::Online });
/// assert_eq!(tracker.get("a1Example01", "meter-7").and_then(|device| device.current()), Some(notice));
/// # Ok::<(), amqp_auth::status::ApplyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StatusTracker {
    config: Config,
    /// By product, then by name: so looking one up needs no text put together.
    products: BTreeMap<Box<str>, BTreeMap<Box<str>, DeviceStatus>>,
    devices: usize,
}

/// What a message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Update {
    /// What it says.
    pub notice: Notice,
    /// What that did.
    pub change: Change,
    /// What the local time says, where that is another instant than the UTC time, which was used.
    pub disagreeing: Option<UnixMillis>,
}

/// Why a message is not applied. The tracker is as before; the message is to be acknowledged all the same, unless the
/// tracker is [full](Self::Full).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The message is about something else.
    #[error("the message is of class {class}, not DeviceStatus")]
    #[non_exhaustive]
    NotStatus {
        /// What it is about.
        class: Class,
    },
    /// Its body cannot be read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It has no place in the order.
    #[error(transparent)]
    Unorderable(#[from] Unorderable),
    /// The device is not known yet, and there is no room.
    #[error("{limit} devices are tracked, as many as may: forget some or raise the limit")]
    #[non_exhaustive]
    Full {
        /// The limit.
        limit: usize,
    },
}

impl StatusTracker {
    /// A tracker that knows no device.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self { config, products: BTreeMap::new(), devices: 0 }
    }

    /// Takes a message of class [`Class::DeviceStatus`]; its topic says which device it is about.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing has changed then.
    pub fn apply(&mut self, message: &Message<'_>) -> Result<Update, ApplyError> {
        let topic = message.topic();
        let (Class::DeviceStatus, Some(product_key), Some(device_name)) =
            (topic.class(), topic.product_key(), topic.device_name())
        else {
            return Err(ApplyError::NotStatus { class: topic.class() });
        };
        let Body::DeviceStatus(body) = message.body()? else {
            return Err(ApplyError::NotStatus { class: topic.class() });
        };
        let reading = self.config.read(&body)?;
        let message_id = message.attributes.message_id.as_ref();
        let change = self.apply_notice(product_key, device_name, reading.notice, message_id)?;
        Ok(Update { notice: reading.notice, change, disagreeing: reading.disagreeing })
    }

    /// Takes a notice about a device, and the id of its message where it has one.
    ///
    /// # Errors
    /// [`ApplyError::Full`]; nothing has changed then.
    pub fn apply_notice(
        &mut self,
        product_key: &str,
        device_name: &str,
        notice: Notice,
        message_id: Option<&MessageId<'_>>,
    ) -> Result<Change, ApplyError> {
        let product = self.products.get_mut(product_key);
        if let Some(device) = product.and_then(|devices| devices.get_mut(device_name)) {
            return Ok(device.apply(&self.config, notice, message_id));
        }
        let limit = self.config.max_devices();
        if self.devices >= limit {
            return Err(ApplyError::Full { limit });
        }
        let mut device = DeviceStatus::default();
        let change = device.apply(&self.config, notice, message_id);
        let devices = self.products.entry(product_key.into()).or_default();
        devices.insert(device_name.into(), device);
        self.devices += 1;
        Ok(change)
    }

    /// The state of a device.
    #[must_use]
    pub fn get(&self, product_key: &str, device_name: &str) -> Option<&DeviceStatus> {
        self.products.get(product_key)?.get(device_name)
    }

    /// All devices, by product key and device name, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &DeviceStatus)> {
        self.products.iter().flat_map(|(product_key, devices)| {
            devices.iter().map(move |(name, device)| (&**product_key, &**name, device))
        })
    }

    /// Forgets a device, and yields what was known of it. A late message about it then counts as the first.
    pub fn forget(&mut self, product_key: &str, device_name: &str) -> Option<DeviceStatus> {
        let devices = self.products.get_mut(product_key)?;
        let forgotten = devices.remove(device_name)?;
        if devices.is_empty() {
            self.products.remove(product_key);
        }
        self.devices -= 1;
        Some(forgotten)
    }

    /// How many devices it knows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.devices
    }

    /// Whether it knows none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.devices == 0
    }
}
