//! What became of devices, and what they answered.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use iot_sansio::{Secret, UnixMillis};

use super::{
    BodyError, Json, UnknownName,
    json::{Aside, Field, fields},
    unknown::open_set,
};

/// The body of [`Lifecycle`](super::Class::Lifecycle) (specification, section 8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LifecycleBody<'a> {
    /// `action`.
    pub action: Option<LifecycleAction<'a>>,
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `deviceSecret`, which only a device that was created has. `Debug` does not show it.
    pub device_secret: Option<Secret>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The body of [`TopologyLifecycle`](super::Class::TopologyLifecycle).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TopologyBody<'a> {
    /// `action`; the older `add` and `remove` are read as create and delete.
    pub action: Option<LifecycleAction<'a>>,
    /// `gwIotId`: the platform's id of the gateway.
    pub gateway_iot_id: Option<Cow<'a, str>>,
    /// `gwProductKey` of the gateway.
    pub gateway_product_key: Option<Cow<'a, str>>,
    /// `gwDeviceName` of the gateway.
    pub gateway_device_name: Option<Cow<'a, str>>,
    /// `devices` behind it.
    pub devices: Vec<SubDevice<'a>>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The body of [`SubDeviceFound`](super::Class::SubDeviceFound).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SubDeviceBody<'a> {
    /// `gwIotId`: the platform's id of the gateway.
    pub gateway_iot_id: Option<Cow<'a, str>>,
    /// `gwProductKey` of the gateway.
    pub gateway_product_key: Option<Cow<'a, str>>,
    /// `gwDeviceName` of the gateway.
    pub gateway_device_name: Option<Cow<'a, str>>,
    /// `devices` that it found.
    pub devices: Vec<SubDevice<'a>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// A device behind a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SubDevice<'a> {
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
}

open_set! {
    /// What happened to a device.
    LifecycleAction {
        /// It was created.
        Create = "create",
        /// It was deleted.
        Delete = "delete",
        /// It was enabled.
        Enable = "enable",
        /// It was disabled.
        Disable = "disable",
    }
}

/// The body of [`DownlinkReply`](super::Class::DownlinkReply).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ReplyBody<'a> {
    /// `gmtCreate`: when the platform made the message.
    pub gmt_create: Option<UnixMillis>,
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `requestId` of what is answered.
    pub request_id: Option<RequestId<'a>>,
    /// `code`.
    pub code: Option<ReplyCode>,
    /// `message` to people.
    pub message: Option<Cow<'a, str>>,
    /// `topic` of what is answered.
    pub topic: Option<Cow<'a, str>>,
    /// `data` of the answer.
    pub data: Option<Json<'a>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The id of a request, which comes as a number or as a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId<'a>(pub(super) Cow<'a, str>);

/// How a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(i64);

/// The body of [`TagChange`](super::Class::TagChange).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TagBody<'a> {
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `value`: the tags.
    pub tags: Vec<Tag<'a>>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// A tag of a device. `Debug` does not show its value.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Tag<'a> {
    /// `attrKey`.
    pub key: Option<Cow<'a, str>>,
    /// `attrValue`.
    pub value: Option<Cow<'a, str>>,
}

impl RequestId<'_> {
    /// Its text, or the digits of its number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its number, exactly; none for a text of something else.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        super::json::decimal(&self.0)
    }
}

impl ReplyCode {
    /// It was done.
    pub const SUCCESS: Self = Self(200);
    /// The request is wrong.
    pub const REQUEST_ERROR: Self = Self(400);
    /// It is not allowed: a payment is overdue.
    pub const FORBIDDEN: Self = Self(403);
    /// There were too many requests.
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    /// A parameter is wrong.
    pub const PARAMETER_ERROR: Self = Self(460);
    /// The device was never online.
    pub const NOT_ACTIVATED: Self = Self(9200);
    /// The device is offline.
    pub const OFFLINE: Self = Self(9201);

    /// The code with this number.
    #[must_use]
    pub const fn new(code: i64) -> Self {
        Self(code)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<'a> LifecycleBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [action, iot_id, product_key, device_name, secret, create_time] = fields(
            text,
            ["action", "iotId", "productKey", "deviceName", "deviceSecret", "messageCreateTime"],
        )?;
        let mut aside = Aside::default();
        Ok(Self {
            action: action.text()?.map(LifecycleAction::from_text),
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            device_secret: aside.text(secret).map(|secret| Secret::from(secret.into_owned())),
            message_create_time: create_time.millis()?,
            unread: aside.unread(),
        })
    }
}

impl<'a> TopologyBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [action, create_time] = fields(text, ["action", "messageCreateTime"])?;
        let SubDeviceBody {
            gateway_iot_id,
            gateway_product_key,
            gateway_device_name,
            devices,
            unread,
        } = SubDeviceBody::parse(text)?;
        let action = action.text()?.map(|action| match &*action {
            "add" => LifecycleAction::Create,
            "remove" => LifecycleAction::Delete,
            _ => LifecycleAction::from_text(action),
        });
        Ok(Self {
            action,
            gateway_iot_id,
            gateway_product_key,
            gateway_device_name,
            devices,
            message_create_time: create_time.millis()?,
            unread,
        })
    }
}

impl<'a> SubDeviceBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [iot_id, product_key, device_name, devices] =
            fields(text, ["gwIotId", "gwProductKey", "gwDeviceName", "devices"])?;
        let mut aside = Aside::default();
        let device = |raw| {
            let [iot_id, product_key, device_name] =
                Field::element("devices", raw).fields(["iotId", "productKey", "deviceName"])?;
            Ok(SubDevice {
                iot_id: aside.text(iot_id),
                product_key: product_key.text()?,
                device_name: device_name.text()?,
            })
        };
        let devices = devices.array()?.into_iter().map(device).collect::<Result<_, BodyError>>()?;
        Ok(Self {
            gateway_iot_id: aside.text(iot_id),
            gateway_product_key: product_key.text()?,
            gateway_device_name: device_name.text()?,
            devices,
            unread: aside.unread(),
        })
    }
}

impl<'a> ReplyBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [gmt_create, iot_id, product_key, device_name, request_id, code, message, topic, data] =
            fields(
                text,
                [
                    "gmtCreate",
                    "iotId",
                    "productKey",
                    "deviceName",
                    "requestId",
                    "code",
                    "message",
                    "topic",
                    "data",
                ],
            )?;
        let mut aside = Aside::default();
        Ok(Self {
            gmt_create: aside.millis(gmt_create),
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            request_id: request_id.text()?.map(RequestId),
            code: code.integer()?.map(ReplyCode),
            message: aside.text(message),
            topic: aside.text(topic),
            data: data.json(),
            unread: aside.unread(),
        })
    }
}

impl<'a> TagBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [iot_id, product_key, device_name, tags, create_time] =
            fields(text, ["iotId", "productKey", "deviceName", "value", "messageCreateTime"])?;
        let mut aside = Aside::default();
        let tag = |raw| {
            let [key, value] = Field::element("value", raw).fields(["attrKey", "attrValue"])?;
            Ok(Tag { key: key.text()?, value: aside.text(value) })
        };
        let tags = tags.array()?.into_iter().map(tag).collect::<Result<_, BodyError>>()?;
        Ok(Self {
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            tags,
            message_create_time: create_time.millis()?,
            unread: aside.unread(),
        })
    }
}

impl fmt::Debug for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tag").field("key", &self.key).finish_non_exhaustive()
    }
}
