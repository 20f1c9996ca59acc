//! What the vectors do not ask of devices: calls that fail, devices that are reset or move, limits.

use core::num::NonZeroUsize;

use iot_sansio::MonoTime;
use serde_json::json;
use smart_properties::{
    Body, EndpointId, Event, UnitId,
    gate::{
        Blocked, DeviceEffect, DeviceState, Devices, DevicesConfig, GateError, Level, Permit, Units,
    },
};

use crate::events::{text, told};

fn device(name: &str) -> EndpointId<'static> {
    EndpointId::new(format!("amzn1.alexa.endpoint.{name}")).unwrap()
}

fn room(name: &str) -> UnitId<'static> {
    UnitId::new(format!("amzn1.alexa.unit.did.{name}")).unwrap()
}

fn rooms(names: &[&str]) -> Units {
    let mut units = Units::default();
    for name in names {
        units.created(MonoTime::ORIGIN, &room(name), Level::Deeper).unwrap();
        assert!(units.set_active(&room(name)).is_some());
    }
    units
}

fn set_up(
    devices: &mut Devices,
    units: &Units,
    name: &str,
    time: &str,
) -> Result<Vec<DeviceEffect>, GateError> {
    let text = text(
        "E-14",
        &[
            ("/payload/endpoint/id", &json!(device(name).as_str())),
            ("/header/eventId/id", &json!(format!("d {time}"))),
            ("/header/eventTime/timestamp", &json!(time)),
        ],
    );
    let event = Event::decode(text.as_bytes()).unwrap();
    let (Body::SetupCompletion(setup), order, id) = told(&event) else { panic!() };
    devices.set_up(&setup, order, id, units)
}

/// A device that was associated with `ROOM402` and is called EP77 since.
fn associated(units: &Units) -> Devices {
    let mut devices = Devices::default();
    let _ = set_up(&mut devices, units, "EP9", "2024-05-01T10:02:00Z").unwrap();
    let _ = devices.set_target(&device("EP9"), &room("ROOM402"), units).unwrap();
    let effects = devices.associated(&device("EP9"), &device("EP77"));
    assert_eq!(effects.len(), 3);
    devices
}

#[test]
fn a_failed_call_leaves_the_device_set_up() {
    let units = rooms(&["ROOM402"]);
    for (status, retried) in
        [(Some(503), true), (Some(429), true), (None, true), (Some(400), false), (Some(404), false)]
    {
        let mut devices = Devices::default();
        let _ = set_up(&mut devices, &units, "EP9", "2024-05-01T10:02:00Z").unwrap();
        assert!(devices.set_target(&device("EP9"), &room("ROOM402"), &units).unwrap().is_some());
        assert_eq!(devices.permits(&device("EP9"), &units), Permit::Blocked(Blocked::Associating));
        let effect = devices.failed(&device("EP9"), status);
        let expected = match retried {
            true => DeviceEffect::RetryLater(device("EP9")),
            false => DeviceEffect::NeedsAttention(device("EP9")),
        };
        assert_eq!(effect, Some(expected), "{status:?}");
        assert_eq!(devices.state(&device("EP9")), Some(&DeviceState::SetUp));
        assert_eq!(devices.permits(&device("EP9"), &units), Permit::Allowed);
        assert!(matches!(
            devices.retry(&device("EP9"), &units),
            Some(DeviceEffect::Associate { .. })
        ));
        assert_eq!(devices.retry(&device("EP9"), &units), None, "it is under way");
    }
}

#[test]
fn an_answer_to_nothing_does_nothing() {
    let units = rooms(&["ROOM402"]);
    let mut devices = associated(&units);
    let before = devices.clone();
    assert_eq!(devices.associated(&device("EP9"), &device("EP78")), []);
    assert_eq!(devices.associated(&device("EP1"), &device("EP2")), []);
    assert_eq!(devices.failed(&device("EP9"), Some(500)), None);
    assert_eq!(devices, before);
}

#[test]
fn a_device_that_is_reset_is_associated_again_when_its_unit_is_named_again() {
    let units = rooms(&["ROOM402"]);
    let mut devices = associated(&units);
    let again = devices.set_target(&device("EP77"), &room("ROOM402"), &units).unwrap();
    assert_eq!(again, None, "it is there already");
    // Under either ID.
    let effects = set_up(&mut devices, &units, "EP9", "2024-05-01T11:00:00Z").unwrap();
    assert_eq!(effects, [DeviceEffect::SetUpAgain(device("EP77"))]);
    let older = set_up(&mut devices, &units, "EP77", "2024-05-01T10:30:00Z").unwrap();
    assert_eq!(older, []);
    let again = devices.set_target(&device("EP77"), &room("ROOM402"), &units).unwrap();
    let Some(DeviceEffect::Associate { endpoint, .. }) = again else { panic!() };
    assert_eq!(*endpoint.id(), device("EP77"));
    let effects = devices.associated(&device("EP77"), &device("EP77"));
    assert_eq!(effects.len(), 2, "it keeps its ID");
    assert_eq!(devices.current(&device("EP9")), device("EP77"));
}

#[test]
fn a_device_can_move_to_another_unit() {
    let units = rooms(&["ROOM402", "ROOM403"]);
    let mut devices = associated(&units);
    let moved = devices.set_target(&device("EP9"), &room("ROOM403"), &units).unwrap();
    assert!(
        matches!(moved, Some(DeviceEffect::Associate { unit, .. }) if *unit.id() == room("ROOM403"))
    );
}

#[test]
fn without_a_unit_a_device_waits() {
    let units = rooms(&[]);
    let mut devices = Devices::default();
    let effects = set_up(&mut devices, &units, "EP9", "2024-05-01T10:02:00Z").unwrap();
    assert!(
        matches!(&effects[..], [DeviceEffect::Ready(endpoint)] if *endpoint.id() == device("EP9"))
    );
    assert_eq!(devices.permits(&device("EP9"), &units), Permit::Blocked(Blocked::NoTarget));
}

#[test]
fn devices_that_get_one_id_are_one_device_with_one_former_id() {
    let units = rooms(&["ROOM402"]);
    let mut devices = associated(&units);
    let _ = set_up(&mut devices, &units, "EP10", "2024-05-01T10:02:00Z").unwrap();
    let _ = devices.set_target(&device("EP10"), &room("ROOM402"), &units).unwrap();
    assert_eq!(devices.associated(&device("EP10"), &device("EP77")).len(), 3);
    assert_eq!(devices.current(&device("EP10")), device("EP77"));
    assert_eq!(devices.current(&device("EP9")), device("EP9"), "it would be kept for ever");
}

#[test]
fn beyond_its_capacity_a_device_is_refused() {
    let units = rooms(&[]);
    let mut devices = Devices::new(DevicesConfig::default().with_capacity(NonZeroUsize::MIN));
    let _ = set_up(&mut devices, &units, "EP1", "2024-05-01T10:02:00Z").unwrap();
    let before = devices.clone();
    let full = set_up(&mut devices, &units, "EP2", "2024-05-01T10:02:00Z");
    assert_eq!(full, Err(GateError::Full { limit: 1 }));
    assert_eq!(devices, before);
    devices.forget(&device("EP1"));
    assert!(set_up(&mut devices, &units, "EP2", "2024-05-01T10:02:00Z").is_ok());
}
