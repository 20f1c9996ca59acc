//! `iot-lifecycle`, with its histories.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::{error::Error, time::Duration};

use iot_lifecycle::{
    ConnectFailed, Connected, Decoder, Disconnected, Event, EventKind, Field, FieldMap, Filter,
    Head, HeadKind, Order, PrincipalIdentifier, SessionId, Subscriptions, Topic, TopicKind, Topics,
    envelope::Envelope,
    fleet::{ClientKey, Config, Fleet, HashKey, HashedId},
    history::{History, Naive, Service},
    presence::{self, Input, Presence, Status, TimerToken},
    store::{dynamodb, postgres, redis},
};
use iot_sansio::{
    Machine as _, MonoTime, Output, UnixMillis, WallClock,
    mqtt::{Link, Message, Opened},
};

const NOW: MonoTime = MonoTime::ORIGIN;
const START: UnixMillis = UnixMillis::new(1_700_000_000_000);
const CLOCK: WallClock = WallClock::new(NOW, START);
const THETA: Duration = Duration::from_secs(300);

pub(crate) fn topics() -> Result<(), Box<dyn Error>> {
    let topic = Topic::new(TopicKind::Connected, "device-1")?;
    let name = format!("{topic}");
    let parsed = Topic::parse(&name)?;
    let _ = (parsed.kind().event_type(), parsed.client_id());
    let _ = format!("{}", Filter::Client(topic));
    let _ = Filter::Presence.rule_sql(Some("iotconsole-"))?;
    Ok(())
}

pub(crate) fn events() -> Result<(), Box<dyn Error>> {
    let mut event = Event::new("device-1", START, Disconnected::new(3, "CONNECTION_LOST"));
    event.session_identifier = Some("00000000-0000-0000-0000-00000000000A".into());
    event.principal_identifier = Some(PrincipalIdentifier::new("AROA:name"));
    let mut payload = event.encode();
    event.encode_into(&mut payload);
    let topic = Topic::new(TopicKind::Disconnected, "device-1")?;
    let map = FieldMap::new().alias(Field::ClientId, "device").container("data").topic("topic");
    for decoder in [
        Decoder::strict(),
        Decoder::lenient().accept_seconds(),
        Decoder::lenient().with_field_map(map),
    ] {
        let decoded = decoder.decode_with_topic(&topic, &payload)?;
        let _ = format!("{decoded:?} {:?}", decoded.session());
        let owned = decoder.decode(&payload)?.into_owned();
        let _ = format!("{} {:?}", owned.kind.event_type(), owned == event);
    }
    let kinds: [EventKind<'_>; 2] =
        [ConnectFailed::new("AUTHORIZATION_FAILED").into(), Connected::new(4).into()];
    let _ = kinds.map(|kind| Event::new("device-1", START, kind).encode());
    Ok(())
}

pub(crate) fn envelopes() -> Result<(), Box<dyn Error>> {
    let envelope = Envelope::parse(br#"{"Records":[{"kinesis":{"data":"e30="}}]}"#)?;
    let _ = envelope.is_batch();
    for record in envelope.records() {
        let record = record?;
        let _ = format!("{:?}", record.decode(&Decoder::lenient())?);
    }
    Ok(())
}

pub(crate) fn order() -> Result<(), Box<dyn Error>> {
    let event = Event::new("device-1", START, Connected::new(3));
    for order in [Order::Versioned { theta: THETA }, Order::TimestampOnly] {
        let Some(one) = order.head(&event)? else { continue };
        let two = head();
        let _ = (order.compare(&one, &two), order.newer(&one, &two), order.theta());
        let _ = order.same_connection(&one.borrowed(), &two);
        let merged = order.merge(one, two.clone()).into_owned();
        let _ = order.newest(&mut [merged, two]);
    }
    Ok(())
}

pub(crate) fn presence() -> Result<(), Box<dyn Error>> {
    let config = presence::Config::with_suggested_waits()
        .with_order(Order::default())
        .with_wait(Duration::from_secs(5))
        .with_wait_for("THROTTLED", Duration::ZERO)
        .with_max_age(THETA)
        .with_max_future(THETA);
    let mut presence = Presence::default();
    for input in [
        Input::Event { head: head(), reason: None },
        Input::Timer(TimerToken::new(1)),
        Input::LastWill,
        Input::ConnectFailed,
        Input::Subscribed { session: SessionId::new("A"), timestamp: START },
        Input::Observed { connected: true, timestamp: START },
    ] {
        let step = presence.step(&config, NOW, START, input);
        let _ = format!("{step:?} {}", step.notes.iter().count());
    }
    let _ = (presence.published() == Status::Online, presence.waiting(), presence.is_evictable());
    let snapshot = presence.snapshot(NOW);
    let merged = snapshot.clone().merge(snapshot, config.order());
    let _ = Presence::restore(merged, NOW)?;
    Ok(())
}

pub(crate) fn fleet() -> Result<(), Box<dyn Error>> {
    fleet_of::<Box<str>>()?;
    fleet_of::<HashedId>()?;
    let id: HashedId = String::from(HashedId::of("device-1", &HashKey::new([7; 16]))).parse()?;
    let _ = format!("{id}");
    Ok(())
}

fn fleet_of<K: ClientKey>() -> Result<(), Box<dyn Error>> {
    let hash_key = HashKey::new([7; 16]);
    let config = Config::default()
        .with_presence(presence::Config::default())
        .with_decoder(Decoder::lenient())
        .with_filters(["$aws/events/presence/#"])
        .with_max_clients(10)
        .with_max_queued(10)
        .with_retention(THETA);
    let mut fleet = Fleet::<K>::new(config.clone(), hash_key, CLOCK);
    let link = Link::new(1);
    fleet.handle_input(NOW, Opened::new(link, false).into())?;
    let topic = "$aws/events/presence/connected/device-1";
    let payload = br#"{"clientId":"device-1","timestamp":1700000000000,"versionNumber":0}"#;
    fleet.handle_input(NOW, Message::new(link, topic, payload).into())?;
    fleet.apply(NOW, &Event::new("device-2", START, Connected::new(0)))?;
    fleet.observe(NOW, "device-2", false, START)?;
    fleet.last_will(NOW, "device-2")?;
    fleet.set_wall_clock(NOW, START);
    fleet.handle_timeout(MonoTime::MAX);
    while let Output::Event(event) = fleet.poll_output() {
        let _ = format!("{event:?}");
    }
    let _ = (fleet.evict(NOW), fleet.len(), fleet.is_empty(), fleet.is_finished());
    let _ = (fleet.get("device-1").is_some(), fleet.iter().count(), fleet.watermark());
    let _ = format!("{:?} {fleet:?}", fleet.counters());
    let snapshot = fleet.snapshot();
    let merged = snapshot.clone().merge(snapshot, &Order::default())?;
    let _ = Fleet::restore(merged, config, hash_key, CLOCK)?;
    Ok(())
}

pub(crate) fn subscriptions() -> Result<(), Box<dyn Error>> {
    let mut subscriptions = Subscriptions::new();
    let subscribed = EventKind::Subscribed(Topics::new(["a/b"]));
    subscriptions.apply(&Event::new("device-1", START, subscribed));
    subscriptions.merge(subscriptions.clone());
    let session = SessionId::new("A");
    subscriptions.head_moved(session.as_ref());
    let _ = (subscriptions.subscribed(session.as_ref()).count(), subscriptions.iter().len());
    let _ = subscriptions.overflowed();
    let _ = Order::default().suggests_lost_connect(&head(), session.as_ref(), START);
    Ok(())
}

pub(crate) fn stores() {
    let head = head();
    let _ = (dynamodb::UPDATE, dynamodb::CONDITION, dynamodb::NAMES);
    let _ = format!("{:?}", dynamodb::values(&head, THETA));
    let _ = format!("{} {:?}", postgres::UPSERT, postgres::parameters("device-1", &head, THETA));
    let _ = format!("{} {:?}", redis::SCRIPT, redis::arguments(&head, THETA));
}

pub(crate) fn histories() {
    let history = History::new(7, 3, START);
    let feed = history.feed();
    let naive = Naive::LastArrival.connected(&feed);
    let _ = history.errors(|client_id| naive.get(client_id).copied());
    let _: Vec<_> = history.devices().collect();
    let service = Service::new(feed).with_window(3).with_interval(Duration::from_secs(1));
    let _ = service.acknowledged();
}

fn head() -> Head<'static> {
    let session = SessionId::new("A").map(SessionId::into_owned);
    Head { kind: HeadKind::Disconnect, version: 3, session, timestamp: START }
}
