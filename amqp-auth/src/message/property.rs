//! What a device reported: properties and events.

use alloc::{borrow::Cow, vec::Vec};

use iot_sansio::UnixMillis;

use super::{
    BodyError, Json, RequestId,
    json::{Aside, Field, elements, fields},
};

/// The body of [`PropertyPost`](super::Class::PropertyPost) and [`PropertyHistory`](super::Class::PropertyHistory)
/// (specification, section 8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PropertyBody<'a> {
    /// `deviceType`: the category of the product.
    pub device_type: Option<Cow<'a, str>>,
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `requestId`.
    pub request_id: Option<RequestId<'a>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `gmtCreate`: when the platform made the message.
    pub gmt_create: Option<UnixMillis>,
    /// `items`: what was reported, in its order.
    pub items: Vec<Item<'a>>,
    /// `checkFailedData`: what the product's model does not allow.
    pub check_failed_data: Vec<Item<'a>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// One reported value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Item<'a> {
    /// The name of the property or event.
    pub name: Cow<'a, str>,
    /// `value`, as the product's model has it; the whole entry where it has no member of that name, or one whose name
    /// is no text.
    pub value: Json<'a>,
    /// `time`: when it was so; the platform's time of receipt when the device gave none.
    pub time: Option<UnixMillis>,
}

/// The body of [`PropertyBatch`](super::Class::PropertyBatch) and [`EventBatch`](super::Class::EventBatch).
///
/// No page that could be read shows it; so any map from names to values, or to arrays of values, is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BatchBody<'a> {
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `requestId`.
    pub request_id: Option<RequestId<'a>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `gmtCreate`: when the platform made the message.
    pub gmt_create: Option<UnixMillis>,
    /// `payload`, or `items` where that is absent: one for each value of each name, in their order.
    pub items: Vec<Item<'a>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

/// The body of [`Event`](super::Class::Event) and [`EventHistory`](super::Class::EventHistory).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EventBody<'a> {
    /// `identifier` of the event.
    pub identifier: Option<Cow<'a, str>>,
    /// `name` of the event, for people.
    pub name: Option<Cow<'a, str>>,
    /// `type` of the event, such as `alert`.
    pub event_type: Option<Cow<'a, str>>,
    /// `iotId`: the platform's id of the device.
    pub iot_id: Option<Cow<'a, str>>,
    /// `productKey`.
    pub product_key: Option<Cow<'a, str>>,
    /// `deviceName`.
    pub device_name: Option<Cow<'a, str>>,
    /// `gmtCreate`: when the platform made the message.
    pub gmt_create: Option<UnixMillis>,
    /// `time`: when the device reported it.
    pub time: Option<UnixMillis>,
    /// `value`, or `values` where that is absent: the parameters, as the product's model has them.
    pub value: Option<Json<'a>>,
    /// The names of fields that were there and could not be read: they are absent here.
    pub unread: Vec<&'static str>,
}

impl<'a> PropertyBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [device_type, iot_id, request_id, product_key, device_name, gmt_create, items, failed] =
            fields(
                text,
                [
                    "deviceType",
                    "iotId",
                    "requestId",
                    "productKey",
                    "deviceName",
                    "gmtCreate",
                    "items",
                    "checkFailedData",
                ],
            )?;
        let mut aside = Aside::default();
        let (items, failed) = (items.members()?, aside.read(failed, Field::members));
        Ok(Self {
            device_type: aside.text(device_type),
            iot_id: aside.text(iot_id),
            request_id: aside.text(request_id).map(RequestId),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            gmt_create: aside.millis(gmt_create),
            items: Item::single(items, &mut aside),
            check_failed_data: Item::single(failed, &mut aside),
            unread: aside.unread(),
        })
    }
}

impl<'a> BatchBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [iot_id, request_id, product_key, device_name, gmt_create, payload, items] = fields(
            text,
            ["iotId", "requestId", "productKey", "deviceName", "gmtCreate", "payload", "items"],
        )?;
        let (mut entries, mut aside) = (Vec::new(), Aside::default());
        for (name, raw) in payload.or(items).members()? {
            for element in elements(raw) {
                entries.push(Item::read(name.clone(), element, &mut aside));
            }
        }
        Ok(Self {
            iot_id: aside.text(iot_id),
            request_id: aside.text(request_id).map(RequestId),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            gmt_create: aside.millis(gmt_create),
            items: entries,
            unread: aside.unread(),
        })
    }
}

impl<'a> EventBody<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, BodyError> {
        let [identifier, name, event_type, iot_id, product_key, device_name, gmt_create, rest @ ..] =
            fields(
                text,
                [
                    "identifier",
                    "name",
                    "type",
                    "iotId",
                    "productKey",
                    "deviceName",
                    "gmtCreate",
                    "time",
                    "value",
                    "values",
                ],
            )?;
        let [time, value, values] = rest;
        let mut aside = Aside::default();
        Ok(Self {
            identifier: identifier.text()?,
            name: aside.text(name),
            event_type: aside.text(event_type),
            iot_id: aside.text(iot_id),
            product_key: product_key.text()?,
            device_name: device_name.text()?,
            gmt_create: aside.millis(gmt_create),
            time: time.millis()?,
            value: value.or(values).json(),
            unread: aside.unread(),
        })
    }
}

impl<'a> Item<'a> {
    /// One for each member.
    fn single(members: Vec<(Cow<'a, str>, &'a str)>, aside: &mut Aside) -> Vec<Self> {
        members.into_iter().map(|(name, raw)| Self::read(name, raw, aside)).collect()
    }

    /// What is odd about one costs none of the others.
    fn read(name: Cow<'a, str>, entry: &'a str, aside: &mut Aside) -> Self {
        if entry.starts_with('{') {
            if let Ok([value, time]) = fields(entry, ["value", "time"]) {
                if let Some(value) = value.json() {
                    return Self { name, value, time: aside.millis(time) };
                }
            }
        }
        Self { name, value: Json::new(entry), time: None }
    }
}
