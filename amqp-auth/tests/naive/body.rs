//! Bodies said again, in no hurry: the tables of specification section 8 over a `serde_json::Value`.

use std::collections::BTreeMap;

use amqp_auth::message::{Body, BodyError, Class, Item, Json};
use iot_sansio::UnixMillis;
use serde_json::{Number, Value};

/// What a field holds, for comparison: a text or a number as text, an open value as JSON.
type Fields = BTreeMap<String, Value>;

enum Kind {
    Text,
    Integer,
    /// The first of these that is there; null counts where there is nothing else.
    Open(&'static [&'static str]),
    /// Names and `{value, time}`.
    Items(&'static [&'static str]),
    /// An array of objects of texts.
    Objects(&'static [&'static str]),
}

/// What a body of this class says: fields that are absent are left out. None is refusal, whatever the reason.
///
/// A `Value` has forgotten which names came twice: such bodies are not for this.
fn fields(class: Class, body: &Value) -> Option<Fields> {
    let object = body.as_object()?;
    let mut fields = Fields::new();
    for (name, kind) in table(class) {
        let value = object.get(*name).unwrap_or(&Value::Null);
        let first = |names: &[&str]| {
            let mut given = names.iter().filter_map(|name| object.get(*name));
            given.clone().find(|value| !value.is_null()).or(given.next_back()).cloned()
        };
        match kind {
            Kind::Text => put(&mut fields, name, text(value)?),
            Kind::Integer => put(&mut fields, name, integer(value)?),
            Kind::Open(names) => fields.extend(first(names).map(|value| ((*name).into(), value))),
            Kind::Items(names) => {
                let Some(Value::Object(entries)) = first(names).filter(|value| !value.is_null())
                else {
                    if first(names).is_some_and(|value| !value.is_null()) {
                        return None;
                    }
                    continue;
                };
                for (entry, value) in entries {
                    let is_batch = matches!(class, Class::PropertyBatch | Class::EventBatch);
                    let values = match value {
                        Value::Array(values) if is_batch => values.clone(),
                        value => vec![value.clone()],
                    };
                    for (index, value) in values.iter().enumerate() {
                        let (value, time) = item(value)?;
                        fields.insert(format!("{name}.{entry}.{index}"), value);
                        put(&mut fields, &format!("{name}.{entry}.{index} time"), time);
                    }
                }
            }
            Kind::Objects(_) if value.is_null() => {}
            Kind::Objects(names) => {
                for (index, element) in value.as_array()?.iter().enumerate() {
                    for inner in *names {
                        let value = element.as_object()?.get(*inner).unwrap_or(&Value::Null);
                        put(&mut fields, &format!("{name}.{index}.{inner}"), text(value)?);
                    }
                }
            }
        }
    }
    if class == Class::TopologyLifecycle {
        if let Some(action) = fields.get_mut("action") {
            match action.as_str() {
                Some("add") => *action = "create".into(),
                Some("remove") => *action = "delete".into(),
                _ => {}
            }
        }
    }
    Some(fields)
}

/// A text that is a number goes in as serde_json writes that number: a `Value` has forgotten some signs of exponents.
fn put(fields: &mut Fields, name: &str, text: Option<String>) {
    let Some(text) = text else { return };
    let number = serde_json::from_str::<Number>(&text).map(|number| number.to_string());
    fields.insert(name.to_owned(), number.unwrap_or(text).into());
}

fn text(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        Value::Number(number) => Some(Some(number.to_string())),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<Option<String>> {
    let text = text(value)?;
    let Some(text) = text else { return Some(None) };
    if text.starts_with('+') { None } else { Some(Some(text.parse::<i64>().ok()?.to_string())) }
}

fn item(entry: &Value) -> Option<(Value, Option<String>)> {
    match entry.get("value") {
        Some(value) => Some((value.clone(), integer(entry.get("time").unwrap_or(&Value::Null))?)),
        None => Some((entry.clone(), None)),
    }
}

/// What a body said, in the same shape.
fn said(body: &Body<'_>) -> Fields {
    let mut said = Fields::new();
    macro_rules! texts {
        ($body:ident, $($name:literal $field:ident)*) => {
            $(put(&mut said, $name, $body.$field.as_ref().map(|text| text.to_string()));)*
        };
    }
    macro_rules! names {
        ($body:ident, $($name:literal $field:ident)*) => {
            $(put(&mut said, $name, $body.$field.as_ref().map(|name| name.as_str().to_owned()));)*
        };
    }
    match body {
        Body::DeviceStatus(body) => {
            names!(body, "status" status);
            texts!(body, "iotId" iot_id "offlineReasonCode" offline_reason_code
                "productKey" product_key "deviceName" device_name "time" time "utcTime" utc_time
                "lastTime" last_time "utcLastTime" utc_last_time "clientIp" client_ip
                "protocol" protocol);
        }
        Body::Property(body) => {
            texts!(body, "deviceType" device_type "iotId" iot_id "productKey" product_key
                "deviceName" device_name "gmtCreate" gmt_create);
            names!(body, "requestId" request_id);
            items(&mut said, "items", &body.items);
            items(&mut said, "checkFailedData", &body.check_failed_data);
        }
        Body::Batch(body) => {
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "gmtCreate" gmt_create);
            names!(body, "requestId" request_id);
            items(&mut said, "items", &body.items);
        }
        Body::Event(body) => {
            texts!(body, "identifier" identifier "name" name "type" event_type "iotId" iot_id
                "productKey" product_key "deviceName" device_name "gmtCreate" gmt_create
                "time" time);
            said.extend(body.value.as_ref().map(|value| ("value".into(), json(value))));
        }
        Body::Lifecycle(body) => {
            names!(body, "action" action);
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "messageCreateTime" message_create_time);
            let secret = body.device_secret.as_ref();
            let secret = secret.map(|secret| secret.expose_str().expect("a text").to_owned());
            put(&mut said, "deviceSecret", secret);
        }
        Body::TopologyLifecycle(body) => {
            names!(body, "action" action);
            texts!(body, "gwIotId" gateway_iot_id "gwProductKey" gateway_product_key
                "gwDeviceName" gateway_device_name "messageCreateTime" message_create_time);
            devices(&mut said, &body.devices);
        }
        Body::SubDeviceFound(body) => {
            texts!(body, "gwIotId" gateway_iot_id "gwProductKey" gateway_product_key
                "gwDeviceName" gateway_device_name);
            devices(&mut said, &body.devices);
        }
        Body::DownlinkReply(body) => {
            texts!(body, "gmtCreate" gmt_create "iotId" iot_id "productKey" product_key
                "deviceName" device_name "message" message "topic" topic);
            names!(body, "requestId" request_id);
            put(&mut said, "code", body.code.map(|code| code.get().to_string()));
            said.extend(body.data.as_ref().map(|data| ("data".into(), json(data))));
        }
        Body::OtaUpgrade(body) => {
            names!(body, "status" status);
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "messageCreateTime" message_create_time "srcVersion" src_version
                "destVersion" dest_version "desc" desc "jobId" job_id "taskId" task_id);
        }
        Body::OtaModuleVersion(body) => {
            texts!(body, "iotId" iot_id "productKey" product_key
            "deviceName" device_name "moduleName" module_name "moduleVersion" module_version
            "messageCreateTime" message_create_time);
        }
        Body::OtaJobStatus(body) => {
            names!(body, "status" status);
            texts!(body, "productKey" product_key "moduleName" module_name "packageId" package_id
                "jobId" job_id "messageCreateTime" message_create_time);
        }
        Body::TagChange(body) => {
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "messageCreateTime" message_create_time);
            for (index, tag) in body.tags.iter().enumerate() {
                let text =
                    |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(String::from);
                put(&mut said, &format!("value.{index}.attrKey"), text(&tag.key));
                put(&mut said, &format!("value.{index}.attrValue"), text(&tag.value));
            }
        }
        other => panic!("a body of which nothing is known: {other:?}"),
    }
    said
}

fn items(said: &mut Fields, name: &str, items: &[Item<'_>]) {
    let mut counts = BTreeMap::<&str, usize>::new();
    for item in items {
        let index = counts.entry(&*item.name).or_default();
        said.insert(format!("{name}.{}.{index}", item.name), json(&item.value));
        let time = item.time.map(|time: UnixMillis| time.to_string());
        put(said, &format!("{name}.{}.{index} time", item.name), time);
        *index += 1;
    }
}

fn devices(said: &mut Fields, devices: &[amqp_auth::message::SubDevice<'_>]) {
    for (index, device) in devices.iter().enumerate() {
        let fields = [
            ("iotId", &device.iot_id),
            ("productKey", &device.product_key),
            ("deviceName", &device.device_name),
        ];
        for (name, value) in fields {
            put(said, &format!("devices.{index}.{name}"), value.as_deref().map(String::from));
        }
    }
}

fn json(json: &Json<'_>) -> Value {
    serde_json::from_str(json.as_str()).expect("well-formed")
}

/// The reading of a body is what the tables say of it.
pub(crate) fn check(class: Class, body: &Value, read: &Result<Body<'_>, BodyError>) {
    if !matches!(class, Class::Custom | Class::Unknown) {
        assert_eq!(read.as_ref().ok().map(said), fields(class, body), "{class}: {read:?}");
    }
}

fn table(class: Class) -> &'static [(&'static str, Kind)] {
    use Kind::{Integer, Items, Objects, Open, Text};
    match class {
        Class::DeviceStatus => &[
            ("status", Text),
            ("iotId", Text),
            ("offlineReasonCode", Integer),
            ("productKey", Text),
            ("deviceName", Text),
            ("time", Text),
            ("utcTime", Text),
            ("lastTime", Text),
            ("utcLastTime", Text),
            ("clientIp", Text),
            ("protocol", Text),
        ],
        Class::PropertyPost | Class::PropertyHistory => &[
            ("deviceType", Text),
            ("iotId", Text),
            ("requestId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Integer),
            ("items", Items(&["items"])),
            ("checkFailedData", Items(&["checkFailedData"])),
        ],
        Class::PropertyBatch | Class::EventBatch => &[
            ("iotId", Text),
            ("requestId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Integer),
            ("items", Items(&["payload", "items"])),
        ],
        Class::Event | Class::EventHistory => &[
            ("identifier", Text),
            ("name", Text),
            ("type", Text),
            ("iotId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Integer),
            ("time", Integer),
            ("value", Open(&["value", "values"])),
        ],
        Class::Lifecycle => &[
            ("action", Text),
            ("iotId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("deviceSecret", Text),
            ("messageCreateTime", Integer),
        ],
        Class::TopologyLifecycle => &[
            ("action", Text),
            ("gwIotId", Text),
            ("gwProductKey", Text),
            ("gwDeviceName", Text),
            ("devices", Objects(&["iotId", "productKey", "deviceName"])),
            ("messageCreateTime", Integer),
        ],
        Class::SubDeviceFound => &[
            ("gwIotId", Text),
            ("gwProductKey", Text),
            ("gwDeviceName", Text),
            ("devices", Objects(&["iotId", "productKey", "deviceName"])),
        ],
        Class::DownlinkReply => &[
            ("gmtCreate", Integer),
            ("iotId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("requestId", Text),
            ("code", Integer),
            ("message", Text),
            ("topic", Text),
            ("data", Open(&["data"])),
        ],
        Class::OtaUpgrade => &[
            ("iotId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("status", Text),
            ("messageCreateTime", Integer),
            ("srcVersion", Text),
            ("destVersion", Text),
            ("desc", Text),
            ("jobId", Text),
            ("taskId", Text),
        ],
        Class::OtaModuleVersion => &[
            ("iotId", Text),
            ("deviceName", Text),
            ("productKey", Text),
            ("moduleName", Text),
            ("moduleVersion", Text),
            ("messageCreateTime", Integer),
        ],
        Class::OtaJobStatus => &[
            ("productKey", Text),
            ("moduleName", Text),
            ("packageId", Text),
            ("jobId", Text),
            ("status", Text),
            ("messageCreateTime", Integer),
        ],
        Class::TagChange => &[
            ("iotId", Text),
            ("productKey", Text),
            ("deviceName", Text),
            ("value", Objects(&["attrKey", "attrValue"])),
            ("messageCreateTime", Integer),
        ],
        _ => &[],
    }
}
