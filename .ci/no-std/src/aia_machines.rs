//! `aia-proto`, both sides as machines.

use alloc::{boxed::Box, format};
use core::{error::Error, time::Duration};

use aia_proto::{
    ApiVersion, Json, Leaf,
    connection::{AcknowledgeCode, DisconnectCode},
    device::{self, Capabilities, Device, Event},
    protect::{LegacyInnerSequence, SharedSecret},
    registration::{Algorithm, Authentication, Registration},
    sequence,
    service::{self, Directive, ExceptionCode, Fault, Service},
};
use iot_sansio::{
    Machine as _, MonoTime, Output,
    mqtt::{Link, Opened, Qos},
};

use crate::aia::{client_id, root};

const NOW: MonoTime = MonoTime::ORIGIN;
const ONE: Link = Link::new(1);
const SECOND: Duration = Duration::from_secs(1);
const SET: &str = r#"[{"type":"AisInterface","interface":"System","version":"1.0"}]"#;

pub(crate) fn devices() -> Result<(), Box<dyn Error>> {
    let _ = device_config()?.backoff_bound(3);
    let mut device = Device::new(device_config()?, None, [7; 32]);
    device.register(NOW, Authentication::new("token", "client"), ApiVersion::V1)?;
    device.registration_failed(NOW)?;
    device.handle_timeout(MonoTime::from_millis(100_000));
    drain_device(&mut device);
    device.registration_answered(NOW, 400, b"{}")?;
    let registration = Registration::new(
        root()?,
        "123456789012",
        client_id()?,
        ApiVersion::V1,
        Algorithm::Curve25519With32Bytes,
        SharedSecret::from(&[1; 32]),
    );
    let mut device = Device::new(device_config()?, Some(registration), [8; 32]);
    device.handle_input(NOW, Opened::new(ONE, false).into())?;
    let payload = Json::new("{}")?;
    match device.send_event(NOW, "SpeakerOpened", Some(&payload)) {
        Ok(id) => drop(format!("{id}")),
        Err(error) => drop(format!("{error}")),
    }
    let _ = device.send_microphone(NOW, b"entries").map_err(|error| format!("{error}"));
    device.set_state(Some(payload));
    device.change_capabilities(NOW, capabilities()?)?;
    let _ = device.correct(NOW, "123456789012", client_id()?).map_err(|error| format!("{error}"));
    drain_device(&mut device);
    device.disconnect(NOW)?;
    let _ = (device.is_finished(), device.is_connected(), device.registration().is_some());
    device.connect(NOW)?;
    device.forget(NOW)?;
    let _ = format!("{device:?}");
    Ok(())
}

pub(crate) fn services() -> Result<(), Box<dyn Error>> {
    let (mut service, id) = (Service::new(service_config()?), client_id()?);
    service.handle_input(NOW, Opened::new(ONE, false).into())?;
    let answer = service.register(NOW, b"{}")?;
    let _ = (answer.status, answer.body);
    let directives = [Directive::new("SetAlertVolume").with_payload(Json::new("{}")?)];
    let attempts = [
        service.send_directive(NOW, &id, "SetAlertVolume", None).map(drop),
        service.send_directives(NOW, &id, &directives).map(|sent| drop(sent.message_ids)),
        service.send_speaker(NOW, &id, b"audio").map(drop),
        service.rotate(NOW, &id),
        service.disconnect(NOW, &id, DisconnectCode::GoingOffline, Some("text")),
        service.fail(NOW, &id, ExceptionCode::from("THROTTLING"), None),
        service.client_gone(NOW, &id),
        service.replay(NOW, &id, Leaf::Directive),
    ];
    for attempt in attempts {
        let _ = attempt.map_err(|error| format!("{error}"));
    }
    for fault in [
        Fault::Acknowledge(AcknowledgeCode::UnknownFailure),
        Fault::LoseConnect,
        Fault::LoseAcknowledge,
        Fault::Lose(Leaf::Directive),
        Fault::Duplicate(Leaf::Directive),
        Fault::Tamper(Leaf::Directive),
        Fault::Corrupt(Leaf::Directive),
    ] {
        service.inject(NOW, &id, fault)?;
    }
    service.clear_faults(NOW, &id)?;
    let _ = (service.state(&id), service.is_rotating(&id), service.capabilities(&id).is_some());
    service.deprecate_version(NOW, ApiVersion::V1)?;
    service.unlink(NOW, &id)?;
    service.handle_timeout(MonoTime::MAX);
    drain_service(&mut service);
    let _ = (service.devices().count(), service.misdirected(), service.is_finished());
    Ok(())
}

fn capabilities() -> Result<Capabilities, Box<dyn Error>> {
    let capabilities = Capabilities::new(Json::new(SET)?)?;
    let _ = capabilities.has("Speaker");
    Ok(capabilities)
}

fn device_config() -> Result<device::Config, Box<dyn Error>> {
    let endpoint = "example-ats.iot.example";
    Ok(device::Config::new("123456789012", client_id()?, endpoint, capabilities()?)
        .with_state(Json::new("{}")?)
        .with_algorithm(Algorithm::Curve25519With32Bytes)
        .with_subscribe_qos(Qos::AtMostOnce)
        .with_ack_timeout(SECOND)
        .with_capability_timeout(SECOND)
        .with_subscribe_timeout(SECOND)
        .with_stable_after(SECOND)
        .with_backoff_base(SECOND)
        .with_order(sequence::Config::default())
        .with_legacy_inner_sequence(LegacyInnerSequence::Refuse)
        .with_recent_ivs(16)
        .with_max_message(1_500)
        .with_max_queued(10))
}

fn service_config() -> Result<service::Config, Box<dyn Error>> {
    Ok(service::Config::new(root()?, [9; 32])
        .with_versions([ApiVersion::V1])
        .with_device("123456789012", client_id()?, SharedSecret::from(&[1; 32]))
        .with_unknown_device(None)
        .with_order(sequence::Config::default())
        .with_remembered_ivs(16)
        .with_max_rate(Some(20))
        .with_rotation_margin(2)
        .with_rotation_timeout(SECOND)
        .with_kept_speaker(4)
        .with_redrive_interval(SECOND)
        .with_qos(Qos::AtMostOnce, Qos::AtLeastOnce)
        .with_max_devices(4)
        .with_max_faults(10)
        .with_max_queued(100))
}

fn drain_device(device: &mut Device) {
    loop {
        let told = match device.poll_output() {
            Output::Action(action) => format!("{:?}", action.link()),
            Output::Event(Event::RegistrationRejected(error)) => format!("{error}"),
            Output::Event(Event::Disconnected(disconnected)) => format!("{}", disconnected.cause),
            Output::Event(Event::Blocked(blocked)) => format!("{blocked}"),
            Output::Event(Event::RegistrationNeeded(need)) => format!("{need}"),
            Output::Event(Event::Security(security)) => format!("{security}"),
            Output::Event(event) => format!("{event:?}"),
            Output::Idle(_) => return,
        };
        let _ = told;
    }
}

fn drain_service(service: &mut Service) {
    loop {
        let told = match service.poll_output() {
            Output::Action(action) => format!("{:?}", action.link()),
            Output::Event(service::Event::CapabilitiesRejected { reason, .. }) => {
                format!("{reason}")
            }
            Output::Event(service::Event::Malformed { fault, .. }) => format!("{fault}"),
            Output::Event(event) => format!("{event:?}"),
            Output::Idle(_) => return,
        };
        let _ = told;
    }
}
