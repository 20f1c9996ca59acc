//! A device went online or offline.

use alloc::{borrow::Cow, vec::Vec};

use super::{
    BodyError, UnknownName,
    json::{Aside, fields},
    unknown::open_set,
};

/// The body of [`DeviceStatus`](super::Class::DeviceStatus) (specification, section 8.2).
///
/// Only a bad status, product key or device name is an error. One bad time leaves the others, and the times are texts:
/// [`status::Config::read`](crate::status::Config::read) makes an instant of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StatusBody<'a> {
    /// `status`.
    pub status: Option<StatusName<'a>>,
    /// `iotId`: the platform's id of the device. Old bodies lack it.
    pub iot_id: Option<Cow<'a, str>>,
    /// `offlineReasonCode`: why it went offline, a number of the platform's.
    pub offline_reason_code: Option<i64>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `time`: when it happened, without a zone; China time in the vendor's samples.
    pub time: Option<Cow<'a, str>>,
    /// `utcTime`: the same instant in UTC.
    pub utc_time: Option<Cow<'a, str>>,
    /// `lastTime`: the last communication before, by the oldest description; without meaning by the newest.
    pub last_time: Option<Cow<'a, str>>,
    /// `utcLastTime`: the same instant in UTC.
    pub utc_last_time: Option<Cow<'a, str>>,
    /// `clientIp`: the public address of the device.
    pub client_ip: Option<Cow<'a, str>>,
    /// `protocol`, such as `sl651`; of products behind a cloud gateway.
    pub protocol: Option<Cow<'a, str>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

open_set! {
    /// Field `status` of a status body.
    StatusName {
        /// It went online.
        Online = "online",
        /// It went offline.
        Offline = "offline",
    }
}

impl<'a> StatusBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [status, iot_id, reason, product_key, device_name, times @ .., client_ip, protocol] =
            fields(
                text,
                [
                    "status",
                    "iotId",
                    "offlineReasonCode",
                    "productKey",
                    "deviceName",
                    "time",
                    "utcTime",
                    "lastTime",
                    "utcLastTime",
                    "clientIp",
                    "protocol",
                ],
            )?;
        let [time, utc_time, last_time, utc_last_time] = times;
        let mut aside = Aside::default();
        Ok(Self {
            status: status.text()?.map(StatusName::from_text),
            iot_id: aside.text(iot_id),
            offline_reason_code: aside.integer(reason),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            time: aside.text(time),
            utc_time: aside.text(utc_time),
            last_time: aside.text(last_time),
            utc_last_time: aside.text(utc_last_time),
            client_ip: aside.text(client_ip),
            protocol: aside.text(protocol),
            unread: aside.unread(),
        })
    }
}
