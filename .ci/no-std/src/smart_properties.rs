//! `smart-properties`: identifiers, events, order, deduplication, and policies.

use alloc::{boxed::Box, format, string::String};
use core::{error::Error, num::NonZeroUsize, time::Duration};

use iot_sansio::{MonoTime, UnixMillis};
use smart_properties::{
    AnyId, Body, Event, EventKind, EventType, Extracted, Harvest, IdType, Instant, Partition,
    TopicArn, UnitId,
    dedupe::{Admission, Config, Dedupe, Key, Keys, Window},
    event::{EventBuilder, MAX_EVENT_BYTES, Status, Version},
    order::{LastWriter, OrderKey},
    policy::{AlexaStatement, Grant, QueueArn, QueueStatement},
};

const NOW: MonoTime = MonoTime::ORIGIN;
const ID: &str = "aaaaaaaa-0001-5000-8000-000000000001";

pub(crate) fn ids() -> Result<(), Box<dyn Error>> {
    let id = unit()?;
    let _ = format!("{id} {id:?} {} {:?}", id.as_str(), id.borrowed());
    let _ = (String::from(id.into_owned()), IdType::of("amzn1.ask.skill.1"), IdType::Unit.prefix());
    let any = AnyId::new("amzn1.alexa.endpoint.EP1");
    let _ = (any.as_str().len(), any.into_owned());
    if let Err(error) = UnitId::new("amzn1.account.P1") {
        drop(format!("{error} {}", IdType::Principal));
    }
    let topic = topic()?;
    let _ = (topic.partition(), topic.region(), topic.account(), topic.name(), topic.is_fifo());
    let _ = (format!("{topic}"), Partition::AwsCn.domain(), Partition::Aws.as_str());
    let instant = Instant::parse("2024-05-01T10:00:00.5+02:00");
    let _ = (instant.map(Instant::unix_millis), Instant::from(UnixMillis::new(1)));
    Ok(())
}

pub(crate) fn events() -> Result<(), Box<dyn Error>> {
    let text = activation()?;
    let event = Event::decode(text.as_bytes())?;
    let _ = (event.as_str(), event.entities(), event.payload(), event.time(), event.timestamp());
    let _ =
        (event.version() == Version::V2, event.warnings().count(), text.len() < MAX_EVENT_BYTES);
    let _ = (event.event_type().full_name(), event.kind(), event.id());
    match event.body() {
        Body::Activation(activation) => {
            let _ = format!("{}", activation.unit.accept(Harvest::Accept)?);
            let _ = activation.parent.accept(Harvest::Refuse).map_err(|error| format!("{error}"));
            let _ = matches!(activation.unit.into_owned(), Extracted::Missing);
        }
        Body::Completion(completion) => {
            let errors = completion.errors.into_iter();
            errors.for_each(|error| drop(error.into_owned()));
            let _ = completion.status.map(Status::into_owned).map(|status| format!("{status}"));
        }
        other => drop(format!("{other:?}")),
    }
    let _ = EventType::new("Alexa.X", "Y")?.into_owned();
    if let Err(error) = Event::decode(b"[]") {
        drop(format!("{error} {event:?}"));
    }
    Ok(())
}

pub(crate) fn order() {
    let mut newest = LastWriter::default();
    let key = OrderKey::new(None, Some(Instant::from(UnixMillis::new(1))));
    let _ = format!("{:?}", newest.observe(key, "e-1"));
    let _ = (newest.newest(), newest.newest_id());
}

pub(crate) fn dedupe() -> Result<(), Box<dyn Error>> {
    let config = Config::new(NonZeroUsize::MIN, Duration::from_secs(1));
    let mut window = Window::new(config);
    let key = Key::of_message(ID);
    let _ = format!("{:?} {key:?} {:?}", window.begin(NOW, key), Key::of_bytes(b"x"));
    window.abort(key);
    window.commit(NOW, key);
    let _ = (window.len(), window.is_empty());

    let text = activation()?;
    let event = Event::decode(text.as_bytes())?;
    let mut dedupe = Dedupe::new(Config::default());
    for keys in [
        Keys::of_event(ID, &event),
        Keys::of_message(ID),
        Keys::of_raw(text.as_bytes(), Some(&event)),
    ] {
        match dedupe.begin(NOW, &keys) {
            Admission::Fresh => dedupe.commit(NOW, &keys),
            other => drop(other.answer()),
        }
        dedupe.abort(&keys);
    }
    Ok(())
}

pub(crate) fn policies() -> Result<(), Box<dyn Error>> {
    let statement = AlexaStatement::new(&topic()?)?;
    let merged = statement.merge(Some(&statement.to_policy()))?;
    let _ = (merged.change, statement.check(&merged.policy)? == Grant::Yes, statement.to_json());
    let queue = QueueArn::new("arn:aws:sqs:us-east-1:123456789012:asp-queue")?;
    let _ = format!("{queue} {}", statement.topic());
    let statement = QueueStatement::new(&topic()?, &queue);
    let _ = (statement.sid(), statement.to_json(), statement.to_policy(), statement.merge(None)?);
    Ok(())
}

pub(crate) fn activation() -> Result<String, Box<dyn Error>> {
    let event_type = EventKind::Activation.event_type().ok_or("unknown")?;
    let builder = EventBuilder::new(event_type, "a-1")
        .with_version("2.0")
        .with_timestamp("2024-05-01T10:00:00Z")
        .with_entities(r#"{"unit":{"type":"Unit","id":"amzn1.alexa.unit.did.PROP1"}}"#)
        .with_header_member("x", "1")
        .with_payload("{}");
    Ok(builder.encode()?)
}

pub(crate) fn topic() -> Result<TopicArn, Box<dyn Error>> {
    Ok(TopicArn::new("arn:aws:sns:us-east-1:123456789012:asp-events")?)
}

pub(crate) fn unit() -> Result<UnitId<'static>, Box<dyn Error>> {
    Ok(UnitId::new("amzn1.alexa.unit.did.PROP1")?)
}
