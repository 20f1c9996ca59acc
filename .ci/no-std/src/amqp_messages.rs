//! `amqp-auth`: what the platform pushes, in what order, and how often.

use alloc::{boxed::Box, format, vec::Vec};
use core::{error::Error, time::Duration};

use amqp_auth::{
    dedupe::{self, Window},
    message::{Body, Class, Message, MessageId, Options, Topic},
    status::{self, DeviceStatus, HoldBack, Notice, OrderBy, Status, StatusTracker},
};
use iot_sansio::{
    MonoTime, UnixMillis,
    amqp::{self, Connection, DeliveryId, Value},
};

const NOW: MonoTime = MonoTime::ORIGIN;
const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn messages() -> Result<(), Box<dyn Error>> {
    let properties = [("topic".into(), Value::String("/as/mqtt/status/pk/dn".into()))];
    let sections: [&[u8]; 2] = [b"{\"status\":", b"\"online\"}"];
    let delivered = amqp::Message::new(&properties, amqp::Body::Data(&sections));
    let message = Message::decode(&delivered, Options::default().with_base64(true)).into_owned();
    let _ = (message.flags.iter().count(), message.flags.is_empty());
    let _ = format!("{message:?} {:?}", message.body()?);
    let topic = Topic::classify("/pk/dn/thing/event/a:b/post");
    let _ = format!("{} {topic:?} {}", topic.class(), topic.name());
    let _ = (topic.product_key(), topic.device_name(), topic.function_block(), topic.event_id());
    let _ = (topic.package_id(), topic.job_id());
    let _ = MessageId::from_value(&Value::Signed(7)).map(MessageId::into_owned);
    Ok(())
}

pub(crate) fn bodies() -> Result<(), Box<dyn Error>> {
    for class in Class::ALL {
        let _ = format!("{:?} {}", Body::parse(*class, b"{}")?, class.as_str());
    }
    Ok(())
}

pub(crate) fn dedupe() -> Result<(), Box<dyn Error>> {
    let config = dedupe::Config::default().with_capacity(2).with_max_copies(2).with_lifetime(DAY);
    let mut window = Window::new(config);
    let delivery = DeliveryId::new(Connection::new(1), 1);
    let begun = window.begin(NOW, "1", delivery)?;
    let settled: Vec<_> = window.done(NOW, "1").chain(window.failed("1")).collect();
    window.retain(|delivery| delivery.number > 0);
    window.expire(MonoTime::MAX);
    let _ = format!("{begun:?} {settled:?} {} {}", window.len(), window.in_flight());
    Ok(())
}

pub(crate) fn status() -> Result<(), Box<dyn Error>> {
    let config = status::Config::default()
        .with_offset_seconds(0)?
        .with_order_by(OrderBy::LastTime)
        .with_max_history(2)
        .with_max_devices(2);
    let notice = Notice::new(UnixMillis::new(1), Status::Online);
    let mut device = DeviceStatus::restore(&config, [notice]);
    let change = device.apply(&config, notice, None);
    let _ = format!("{change:?} {:?} {}", device.current(), device.history().len());

    let mut tracker = StatusTracker::new(config);
    tracker.apply_notice("pk", "dn", notice, None)?;
    let message = amqp::Message::new(&[], amqp::Body::Sequence);
    let _ = tracker.apply(&Message::decode(&message, Options::default()));
    let _ = (tracker.get("pk", "dn"), tracker.iter().count(), tracker.len());
    let _ = tracker.forget("pk", "dn");

    let mut hold_back = HoldBack::new(DAY, 2);
    let _ = hold_back.push(NOW, notice)?;
    let _ = (hold_back.deadline(), hold_back.pop(NOW));
    Ok(())
}
