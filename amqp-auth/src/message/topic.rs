//! Where a message was published: its class, and the names in it.

use core::fmt;

/// The topic of a message, classified (specification, section 8.1).
///
/// ```
/// use amqp_auth::message::{Class, Topic};
///
/// let topic = Topic::classify("/a1Example01/meter-7/thing/event/power:overload/post");
/// assert_eq!((topic.class(), topic.product_key()), (Class::Event, Some("a1Example01")));
/// assert_eq!((topic.function_block(), topic.event_id()), (Some("power"), Some("overload")));
/// assert_eq!(Topic::classify("anything else").class(), Class::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic<'a> {
    name: &'a str,
    class: Class,
    names: Names<'a>,
}

/// What a message is about. A later version may know more classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Class {
    /// A device went online or offline.
    DeviceStatus,
    /// A device reported properties.
    PropertyPost,
    /// A device reported properties of the past.
    PropertyHistory,
    /// A device reported properties in a batch.
    PropertyBatch,
    /// A device reported events in a batch.
    EventBatch,
    /// A device reported an event.
    Event,
    /// A device reported an event of the past.
    EventHistory,
    /// A device was created, deleted, enabled or disabled.
    Lifecycle,
    /// The same, of the devices behind a gateway.
    TopologyLifecycle,
    /// A gateway found a device.
    SubDeviceFound,
    /// A device answered, or could not be asked.
    DownlinkReply,
    /// An upgrade over the air has ended.
    OtaUpgrade,
    /// A device reported the version of a module.
    OtaModuleVersion,
    /// A batch of upgrades has another state.
    OtaJobStatus,
    /// The tags of a device were changed.
    TagChange,
    /// A topic of the product's own: the body is the device's.
    Custom,
    /// None of these, or no topic at all.
    Unknown,
}

/// The names in a topic; which there are depends on the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Names<'a> {
    product_key: Option<&'a str>,
    device_name: Option<&'a str>,
    function_block: Option<&'a str>,
    event_id: Option<&'a str>,
    package_id: Option<&'a str>,
    job_id: Option<&'a str>,
}

impl<'a> Topic<'a> {
    /// Classifies a name: the first row of the specification's table that matches wins, with or without `/sys` before
    /// what the platform itself publishes there.
    ///
    /// The names in it are not empty, and otherwise taken as they are.
    #[must_use]
    pub fn classify(name: &'a str) -> Self {
        let (class, names) = found(name).unwrap_or((Class::Unknown, Names::default()));
        Self { name, class, names }
    }

    /// The name, as it came.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Its class.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The key of the product; none where the class is unknown.
    #[must_use]
    pub const fn product_key(&self) -> Option<&'a str> {
        self.names.product_key
    }

    /// The name of the device; none where the class is [`Class::OtaJobStatus`] or unknown.
    #[must_use]
    pub const fn device_name(&self) -> Option<&'a str> {
        self.names.device_name
    }

    /// The function block that an event belongs to, if it is named.
    #[must_use]
    pub const fn function_block(&self) -> Option<&'a str> {
        self.names.function_block
    }

    /// The identifier of an event, without its function block.
    #[must_use]
    pub const fn event_id(&self) -> Option<&'a str> {
        self.names.event_id
    }

    /// The upgrade package of [`Class::OtaJobStatus`].
    #[must_use]
    pub const fn package_id(&self) -> Option<&'a str> {
        self.names.package_id
    }

    /// The batch of upgrades of [`Class::OtaJobStatus`].
    #[must_use]
    pub const fn job_id(&self) -> Option<&'a str> {
        self.names.job_id
    }
}

impl Class {
    /// All of them, in the order of the specification's table.
    pub const ALL: &'static [Self] = &[
        Self::DeviceStatus,
        Self::PropertyPost,
        Self::PropertyHistory,
        Self::PropertyBatch,
        Self::EventBatch,
        Self::Event,
        Self::EventHistory,
        Self::Lifecycle,
        Self::TopologyLifecycle,
        Self::SubDeviceFound,
        Self::DownlinkReply,
        Self::OtaUpgrade,
        Self::OtaModuleVersion,
        Self::OtaJobStatus,
        Self::TagChange,
        Self::Custom,
        Self::Unknown,
    ];

    /// Its name in the specification, such as `DeviceStatus`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeviceStatus => "DeviceStatus",
            Self::PropertyPost => "PropertyPost",
            Self::PropertyHistory => "PropertyHistory",
            Self::PropertyBatch => "PropertyBatch",
            Self::EventBatch => "EventBatch",
            Self::Event => "Event",
            Self::EventHistory => "EventHistory",
            Self::Lifecycle => "Lifecycle",
            Self::TopologyLifecycle => "TopologyLifecycle",
            Self::SubDeviceFound => "SubDeviceFound",
            Self::DownlinkReply => "DownlinkReply",
            Self::OtaUpgrade => "OtaUpgrade",
            Self::OtaModuleVersion => "OtaModuleVersion",
            Self::OtaJobStatus => "OtaJobStatus",
            Self::TagChange => "TagChange",
            Self::Custom => "Custom",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<'a> Names<'a> {
    fn device(product_key: &'a str, device_name: &'a str) -> Self {
        Self { product_key: Some(product_key), device_name: Some(device_name), ..Self::default() }
    }

    fn with_event(self, id: &'a str) -> Self {
        let (function_block, event_id) = match id.split_once(':') {
            Some((block, id)) if !block.is_empty() && !id.is_empty() => (Some(block), id),
            _ => (None, id),
        };
        Self { function_block, event_id: Some(event_id), ..self }
    }

    fn has_empty(&self) -> bool {
        let names =
            [self.product_key, self.device_name, self.event_id, self.package_id, self.job_id];
        names.contains(&Some(""))
    }
}

fn found(name: &str) -> Option<(Class, Names<'_>)> {
    let name = name.strip_prefix('/')?;
    let mut segments = [""; MAX_SEGMENTS];
    let mut count = 0;
    let mut is_longer = false;
    for segment in name.split('/') {
        match segments.get_mut(count) {
            Some(slot) => (*slot, count) = (segment, count + 1),
            None => is_longer = true,
        }
    }
    let segments = segments.get(..count)?;
    let platform = match segments {
        _ if is_longer => None,
        ["as", "mqtt", "status", product_key, device_name]
        | ["sys", product_key, device_name, "device", "status", "notify"] => {
            row(Class::DeviceStatus, Names::device(product_key, device_name))
        }
        // A product with the key `sys` would be read as one; what has it both ways does not exist.
        ["sys", rest @ ..] => of_platform(segments).or_else(|| of_platform(rest)),
        _ => of_platform(segments),
    };
    platform.or_else(|| match segments {
        [product_key, device_name, "user", first, ..]
            if is_longer || count > 4 || !first.is_empty() =>
        {
            row(Class::Custom, Names::device(product_key, device_name))
        }
        _ => None,
    })
}

/// Rows 3 to 16 of the table.
fn of_platform<'a>(segments: &[&'a str]) -> Option<(Class, Names<'a>)> {
    let [product_key, second, rest @ ..] = segments else { return None };
    let device = Names::device(product_key, second);
    let class = match rest {
        ["thing", "event", "property", "post"] => Class::PropertyPost,
        ["thing", "event", "property", "history", "post"] => Class::PropertyHistory,
        ["thing", "property", "batch", "post"] => Class::PropertyBatch,
        ["thing", "event", "batch", "post"] => Class::EventBatch,
        ["thing", "event", id, "post"] => return row(Class::Event, device.with_event(id)),
        ["thing", "event", id, "history", "post"] => {
            return row(Class::EventHistory, device.with_event(id));
        }
        ["thing", "lifecycle"] => Class::Lifecycle,
        ["thing", "topo", "lifecycle"] => Class::TopologyLifecycle,
        ["thing", "list", "found"] => Class::SubDeviceFound,
        ["thing", "downlink", "reply", "message"] => Class::DownlinkReply,
        ["ota", "upgrade"] => Class::OtaUpgrade,
        ["ota", "version", "post"] => Class::OtaModuleVersion,
        [job_id, "ota", "job", "status"] => {
            let product_key = Some(*product_key);
            let (package_id, job_id) = (Some(*second), Some(*job_id));
            let names = Names { product_key, package_id, job_id, ..Names::default() };
            return row(Class::OtaJobStatus, names);
        }
        ["thing", "deviceinfo", "update"] => Class::TagChange,
        _ => return None,
    };
    row(class, device)
}

/// A row with these names in it. With an empty one it does not match, and a later row may.
fn row<'a>(class: Class, names: Names<'a>) -> Option<(Class, Names<'a>)> {
    (!names.has_empty()).then_some((class, names))
}

/// As many as the longest row has, `sys` included.
const MAX_SEGMENTS: usize = 8;
