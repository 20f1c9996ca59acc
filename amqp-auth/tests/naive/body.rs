//! Bodies said again, in no hurry: the tables of specification section 8 over a `serde_json::Value`.

use std::collections::{BTreeMap, BTreeSet};

use amqp_auth::message::{Body, BodyError, Class, Item, Json};
use iot_sansio::UnixMillis;
use serde_json::{Map, Number, Value, json};

/// What a field holds, for comparison: a text or a number as text, an open value as JSON.
type Fields = BTreeMap<String, Value>;

enum Kind {
    Text,
    Integer,
    /// What comes beside: where it is not what it should be, it is left out and named.
    Aside(&'static Kind),
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
    let (mut fields, mut unread) = (Fields::new(), BTreeSet::new());
    for (name, kind) in table(class) {
        let is_batch = matches!(class, Class::PropertyBatch | Class::EventBatch);
        match (field(object, name, kind, is_batch, &mut unread), kind) {
            (Some(read), _) => fields.extend(read),
            (None, Kind::Aside(_)) => {
                unread.insert(*name);
            }
            (None, _) => return None,
        }
    }
    fields.insert("unread".into(), json!(unread));
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

fn field(
    object: &Map<String, Value>,
    name: &'static str,
    kind: &Kind,
    is_batch: bool,
    unread: &mut BTreeSet<&'static str>,
) -> Option<Fields> {
    let mut fields = Fields::new();
    let value = object.get(name).unwrap_or(&Value::Null);
    let first = |names: &[&str]| {
        let mut given = names.iter().filter_map(|name| object.get(*name));
        given.clone().find(|value| !value.is_null()).or(given.next_back()).cloned()
    };
    match kind {
        Kind::Text => put(&mut fields, name, text(value)?),
        Kind::Integer => put(&mut fields, name, integer(value)?),
        Kind::Aside(kind) => return field(object, name, kind, is_batch, unread),
        Kind::Open(names) => fields.extend(first(names).map(|value| (name.into(), value))),
        Kind::Items(names) => {
            let entries = match first(names).unwrap_or_default() {
                Value::Null => Map::new(),
                Value::Object(entries) => entries,
                _ => return None,
            };
            for (entry, value) in entries {
                let values = match value {
                    Value::Array(values) if is_batch => values,
                    value => vec![value],
                };
                for (index, value) in values.iter().enumerate() {
                    let item = value.get("value");
                    let time = item.and(value.get("time")).unwrap_or(&Value::Null);
                    let time = integer(time).unwrap_or_else(|| {
                        unread.insert("time");
                        None
                    });
                    let value = item.unwrap_or(value).clone();
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
                    let Some(text) = text(value) else {
                        if !matches!(*inner, "iotId" | "attrValue") {
                            return None;
                        }
                        unread.insert(inner);
                        continue;
                    };
                    put(&mut fields, &format!("{name}.{index}.{inner}"), text);
                }
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
            unread(&mut said, &body.unread);
            names!(body, "status" status);
            texts!(body, "iotId" iot_id "offlineReasonCode" offline_reason_code
                "productKey" product_key "deviceName" device_name "time" time "utcTime" utc_time
                "lastTime" last_time "utcLastTime" utc_last_time "clientIp" client_ip
                "protocol" protocol);
        }
        Body::Property(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "deviceType" device_type "iotId" iot_id "productKey" product_key
                "deviceName" device_name "gmtCreate" gmt_create);
            names!(body, "requestId" request_id);
            items(&mut said, "items", &body.items);
            items(&mut said, "checkFailedData", &body.check_failed_data);
        }
        Body::Batch(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "gmtCreate" gmt_create);
            names!(body, "requestId" request_id);
            items(&mut said, "items", &body.items);
        }
        Body::Event(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "identifier" identifier "name" name "type" event_type "iotId" iot_id
                "productKey" product_key "deviceName" device_name "gmtCreate" gmt_create
                "time" time);
            said.extend(body.value.as_ref().map(|value| ("value".into(), open(value))));
        }
        Body::Lifecycle(body) => {
            unread(&mut said, &body.unread);
            names!(body, "action" action);
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "messageCreateTime" message_create_time);
            let secret = body.device_secret.as_ref();
            let secret = secret.map(|secret| secret.expose_str().expect("a text").to_owned());
            put(&mut said, "deviceSecret", secret);
        }
        Body::TopologyLifecycle(body) => {
            unread(&mut said, &body.unread);
            names!(body, "action" action);
            texts!(body, "gwIotId" gateway_iot_id "gwProductKey" gateway_product_key
                "gwDeviceName" gateway_device_name "messageCreateTime" message_create_time);
            devices(&mut said, &body.devices);
        }
        Body::SubDeviceFound(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "gwIotId" gateway_iot_id "gwProductKey" gateway_product_key
                "gwDeviceName" gateway_device_name);
            devices(&mut said, &body.devices);
        }
        Body::DownlinkReply(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "gmtCreate" gmt_create "iotId" iot_id "productKey" product_key
                "deviceName" device_name "message" message "topic" topic);
            names!(body, "requestId" request_id);
            put(&mut said, "code", body.code.map(|code| code.get().to_string()));
            said.extend(body.data.as_ref().map(|data| ("data".into(), open(data))));
        }
        Body::OtaUpgrade(body) => {
            unread(&mut said, &body.unread);
            names!(body, "status" status);
            texts!(body, "iotId" iot_id "productKey" product_key "deviceName" device_name
                "messageCreateTime" message_create_time "srcVersion" src_version
                "destVersion" dest_version "desc" desc "jobId" job_id "taskId" task_id);
        }
        Body::OtaModuleVersion(body) => {
            unread(&mut said, &body.unread);
            texts!(body, "iotId" iot_id "productKey" product_key
            "deviceName" device_name "moduleName" module_name "moduleVersion" module_version
            "messageCreateTime" message_create_time);
        }
        Body::OtaJobStatus(body) => {
            unread(&mut said, &body.unread);
            names!(body, "status" status);
            texts!(body, "productKey" product_key "moduleName" module_name "packageId" package_id
                "jobId" job_id "messageCreateTime" message_create_time);
        }
        Body::TagChange(body) => {
            unread(&mut said, &body.unread);
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

fn unread(said: &mut Fields, names: &[&str]) {
    let unread: BTreeSet<_> = names.iter().collect();
    assert_eq!(unread.len(), names.len(), "each once: {names:?}");
    said.insert("unread".into(), json!(unread));
}

fn items(said: &mut Fields, name: &str, items: &[Item<'_>]) {
    let mut counts = BTreeMap::<&str, usize>::new();
    for item in items {
        let index = counts.entry(&*item.name).or_default();
        said.insert(format!("{name}.{}.{index}", item.name), open(&item.value));
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

fn open(json: &Json<'_>) -> Value {
    serde_json::from_str(json.as_str()).expect("well-formed")
}

/// The reading of a body is what the tables say of it.
pub(crate) fn check(class: Class, body: &Value, read: &Result<Body<'_>, BodyError>) {
    if !matches!(class, Class::Custom | Class::Unknown) {
        assert_eq!(read.as_ref().ok().map(said), fields(class, body), "{class}: {read:?}");
    }
}

fn table(class: Class) -> &'static [(&'static str, Kind)] {
    use Kind::{Aside, Integer, Items, Objects, Open, Text};
    match class {
        Class::DeviceStatus => &[
            ("status", Text),
            ("iotId", Aside(&Text)),
            ("offlineReasonCode", Aside(&Integer)),
            ("productKey", Text),
            ("deviceName", Text),
            ("time", Aside(&Text)),
            ("utcTime", Aside(&Text)),
            ("lastTime", Aside(&Text)),
            ("utcLastTime", Aside(&Text)),
            ("clientIp", Aside(&Text)),
            ("protocol", Aside(&Text)),
        ],
        Class::PropertyPost | Class::PropertyHistory => &[
            ("deviceType", Aside(&Text)),
            ("iotId", Aside(&Text)),
            ("requestId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Aside(&Integer)),
            ("items", Items(&["items"])),
            ("checkFailedData", Aside(&Items(&["checkFailedData"]))),
        ],
        Class::PropertyBatch | Class::EventBatch => &[
            ("iotId", Aside(&Text)),
            ("requestId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Aside(&Integer)),
            ("items", Items(&["payload", "items"])),
        ],
        Class::Event | Class::EventHistory => &[
            ("identifier", Text),
            ("name", Aside(&Text)),
            ("type", Aside(&Text)),
            ("iotId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("gmtCreate", Aside(&Integer)),
            ("time", Integer),
            ("value", Open(&["value", "values"])),
        ],
        Class::Lifecycle => &[
            ("action", Text),
            ("iotId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("deviceSecret", Aside(&Text)),
            ("messageCreateTime", Integer),
        ],
        Class::TopologyLifecycle => &[
            ("action", Text),
            ("gwIotId", Aside(&Text)),
            ("gwProductKey", Text),
            ("gwDeviceName", Text),
            ("devices", Objects(&["iotId", "productKey", "deviceName"])),
            ("messageCreateTime", Integer),
        ],
        Class::SubDeviceFound => &[
            ("gwIotId", Aside(&Text)),
            ("gwProductKey", Text),
            ("gwDeviceName", Text),
            ("devices", Objects(&["iotId", "productKey", "deviceName"])),
        ],
        Class::DownlinkReply => &[
            ("gmtCreate", Aside(&Integer)),
            ("iotId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("requestId", Text),
            ("code", Integer),
            ("message", Aside(&Text)),
            ("topic", Aside(&Text)),
            ("data", Open(&["data"])),
        ],
        Class::OtaUpgrade => &[
            ("iotId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("status", Text),
            ("messageCreateTime", Integer),
            ("srcVersion", Aside(&Text)),
            ("destVersion", Aside(&Text)),
            ("desc", Aside(&Text)),
            ("jobId", Text),
            ("taskId", Text),
        ],
        Class::OtaModuleVersion => &[
            ("iotId", Aside(&Text)),
            ("deviceName", Text),
            ("productKey", Text),
            ("moduleName", Text),
            ("moduleVersion", Text),
            ("messageCreateTime", Integer),
        ],
        Class::OtaJobStatus => &[
            ("productKey", Text),
            ("moduleName", Aside(&Text)),
            ("packageId", Text),
            ("jobId", Text),
            ("status", Text),
            ("messageCreateTime", Integer),
        ],
        Class::TagChange => &[
            ("iotId", Aside(&Text)),
            ("productKey", Text),
            ("deviceName", Text),
            ("value", Objects(&["attrKey", "attrValue"])),
            ("messageCreateTime", Integer),
        ],
        _ => &[],
    }
}
