//! What both sides tell in a scene.

use aia_proto::{
    connection::{AcknowledgeCode, DisconnectCode},
    device::{self, Blocked, Directive, DisconnectCause},
    service::{self, End, Received},
};
use serde_json::Value;

/// What the device and the service have told, each in its order.
#[derive(Debug, Default)]
pub struct Heard {
    /// The device.
    pub device: Vec<device::Event>,
    /// The service.
    pub service: Vec<service::Event>,
}

impl Heard {
    /// The directives that reached the device.
    pub fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.device.iter().filter_map(|event| match event {
            device::Event::Directive(directive) => Some(&**directive),
            _ => None,
        })
    }

    /// The events of this name that reached the service.
    pub fn received(&self, name: &str) -> impl Iterator<Item = &Received> {
        self.service.iter().filter_map(move |event| match event {
            service::Event::Received(received) if received.name == name => Some(received),
            _ => None,
        })
    }

    /// How often the device asked to be registered.
    #[must_use]
    pub fn registrations(&self) -> usize {
        let is_wanted = |event: &&_| matches!(event, device::Event::RegistrationWanted(_));
        self.device.iter().filter(is_wanted).count()
    }

    /// Whether the device is connected, and the service has heard its state.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.device.contains(&device::Event::Connected)
            && self.received("SynchronizeState").next().is_some()
    }

    /// Why the device's connections ended.
    #[must_use]
    pub fn causes(&self) -> Vec<&DisconnectCause> {
        let disconnected = self.device.iter().filter_map(|event| match event {
            device::Event::Disconnected(disconnected) => Some(&disconnected.cause),
            _ => None,
        });
        disconnected.collect()
    }

    /// What the device said to the service when it ended connections.
    #[must_use]
    pub fn disconnect_codes(&self) -> Vec<&DisconnectCode> {
        let ended = self.service.iter().filter_map(|event| match event {
            service::Event::Ended { reason: End::Device { code, .. }, .. } => code.as_ref(),
            _ => None,
        });
        ended.collect()
    }

    /// How the service refused a `Connect`.
    #[must_use]
    pub fn refusal(&self) -> Option<&AcknowledgeCode> {
        self.service.iter().find_map(|event| match event {
            service::Event::Refused { code, .. } => Some(code),
            _ => None,
        })
    }

    /// The volumes that the device was told, in its order.
    #[must_use]
    pub fn volumes_told(&self) -> Vec<u64> {
        let volume = |directive: &Directive| number(directive.payload.as_ref()?.as_str(), VOLUME);
        self.directives().filter_map(volume).collect()
    }

    /// The volumes that the service was answered, in its order.
    #[must_use]
    pub fn volumes_answered(&self) -> Vec<u64> {
        let volume = |received: &Received| number(received.payload.as_ref()?.as_str(), VOLUME);
        self.received("VolumeChanged").filter_map(volume).collect()
    }

    /// Whether the device said goodbye, and nothing else.
    #[must_use]
    pub fn is_goodbye(&self) -> bool {
        self.disconnect_codes() == [&DisconnectCode::GoingOffline]
            && self.device == [device::Event::Closed]
    }

    /// What the device asks to be corrected.
    pub(super) fn blocked(&self) -> Option<&Blocked> {
        self.device.iter().find_map(|event| match event {
            device::Event::Blocked(blocked) => Some(blocked),
            _ => None,
        })
    }

    /// The first event under the new secret, by its number.
    pub(super) fn event_start(&self) -> Option<u64> {
        let rotated = self.received("SecretRotated").next()?;
        number(rotated.payload.as_ref()?.as_str(), "eventSequenceNumber")
    }

    /// Adds what was told later.
    pub(super) fn extend(&mut self, later: Self) {
        self.device.extend(later.device);
        self.service.extend(later.service);
    }
}

/// This member of a payload, if it is a number.
fn number(payload: &str, name: &str) -> Option<u64> {
    serde_json::from_str::<Value>(payload).ok()?[name].as_u64()
}

pub(super) const VOLUME: &str = "volume";
