//! Upgrades over the air (OTA).

use alloc::{borrow::Cow, vec::Vec};

use iot_sansio::UnixMillis;

use super::{
    BodyError, UnknownName,
    json::{Aside, fields},
    unknown::open_set,
};

/// The body of [`OtaUpgrade`](super::Class::OtaUpgrade) (specification, section 8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OtaUpgradeBody<'a> {
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `status`: how it ended.
    pub status: Option<OtaOutcome<'a>>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// `srcVersion`: the version before.
    pub src_version: Option<Cow<'a, str>>,
    /// `destVersion`: the version after.
    pub dest_version: Option<Cow<'a, str>>,
    /// `desc`: a description.
    pub desc: Option<Cow<'a, str>>,
    /// `jobId` of the batch.
    pub job_id: Option<Cow<'a, str>>,
    /// `taskId` of this device in the batch.
    pub task_id: Option<Cow<'a, str>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The body of [`OtaModuleVersion`](super::Class::OtaModuleVersion).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OtaVersionBody<'a> {
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `moduleName`.
    pub module_name: Option<Cow<'a, str>>,
    /// `moduleVersion`.
    pub module_version: Option<Cow<'a, str>>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The body of [`OtaJobStatus`](super::Class::OtaJobStatus).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OtaJobBody<'a> {
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `moduleName`.
    pub module_name: Option<Cow<'a, str>>,
    /// `packageId` of the upgrade package.
    pub package_id: Option<Cow<'a, str>>,
    /// `jobId` of the batch.
    pub job_id: Option<Cow<'a, str>>,
    /// `status`: its state.
    pub status: Option<OtaJobState<'a>>,
    /// `messageCreateTime`.
    pub message_create_time: Option<UnixMillis>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

open_set! {
    /// How an upgrade ended.
    OtaOutcome {
        /// The device has the new version.
        Succeeded = "SUCCEEDED",
        /// It has not.
        Failed = "FAILED",
    }
}

open_set! {
    /// The state of a batch of upgrades.
    OtaJobState {
        /// It will begin.
        Planned = "PLANNED",
        /// It has begun.
        InProgress = "IN_PROGRESS",
        /// It has ended.
        Completed = "COMPLETED",
        /// It was canceled.
        Canceled = "CANCELED",
    }
}

impl<'a> OtaUpgradeBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [
            iot_id,
            product_key,
            device_name,
            status,
            create_time,
            src,
            dest,
            desc,
            job_id,
            task_id,
        ] = fields(
            text,
            [
                "iotId",
                "productKey",
                "deviceName",
                "status",
                "messageCreateTime",
                "srcVersion",
                "destVersion",
                "desc",
                "jobId",
                "taskId",
            ],
        )?;
        let mut aside = Aside::default();
        Ok(Self {
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            status: status.text()?.map(OtaOutcome::from_text),
            message_create_time: create_time.millis()?,
            src_version: aside.text(src),
            dest_version: aside.text(dest),
            desc: aside.text(desc),
            job_id: job_id.text()?,
            task_id: task_id.text()?,
            unread: aside.unread(),
        })
    }
}

impl<'a> OtaVersionBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [iot_id, product_key, device_name, module_name, module_version, create_time] = fields(
            text,
            [
                "iotId",
                "productKey",
                "deviceName",
                "moduleName",
                "moduleVersion",
                "messageCreateTime",
            ],
        )?;
        let mut aside = Aside::default();
        Ok(Self {
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            module_name: module_name.text()?,
            module_version: module_version.text()?,
            message_create_time: create_time.millis()?,
            unread: aside.unread(),
        })
    }
}

impl<'a> OtaJobBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [product_key, module_name, package_id, job_id, status, create_time] = fields(
            text,
            ["productKey", "moduleName", "packageId", "jobId", "status", "messageCreateTime"],
        )?;
        let mut aside = Aside::default();
        Ok(Self {
            product_key: product_key.text()?,
            module_name: aside.text(module_name),
            package_id: package_id.text()?,
            job_id: job_id.text()?,
            status: status.text()?.map(OtaJobState::from_text),
            message_create_time: create_time.millis()?,
            unread: aside.unread(),
        })
    }
}
