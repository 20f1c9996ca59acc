//! Events about few things, in every way that they say what they are about.

use serde_json::{Value, json};
use smart_properties::{Event, EventKind, Harvest, event::EventBuilder, gate::RoleOperation};

use super::{
    names::{NAMES, PRINCIPAL, ROLE, automation_id, endpoint_id, role_key, skill_id, unit_id},
    newest::Published,
};

/// An event as it came.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) published: Published,
}

impl Told {
    pub(crate) fn event(&self) -> Event<'_> {
        Event::decode(self.text.as_bytes()).expect("it was written")
    }
}

/// The kinds of events that gates are told of.
#[derive(Clone, Copy)]
pub(crate) enum EventKinds {
    Activation,
    Role,
    Completion,
    Failure,
    SetUp,
}

/// Where the ID is that an event is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sure {
    Placed,
    Harvested,
    Ambiguous,
    Missing,
}

impl Sure {
    pub(crate) fn of(byte: u8) -> Self {
        [Self::Harvested, Self::Ambiguous, Self::Missing, Self::Placed][usize::from(byte.min(3))]
    }
}

impl EventKinds {
    pub(crate) fn of(byte: u8) -> Self {
        [Self::Activation, Self::Role, Self::Role, Self::Completion, Self::Failure, Self::SetUp]
            [usize::from(byte % 6)]
    }

    /// What is done with a role by the event of this number.
    pub(crate) const fn operation(self, number: u8) -> RoleOperation {
        if number & 1 == 0 { RoleOperation::Assign } else { RoleOperation::Revoke }
    }

    /// Whether a gate acts on it. An automation stands where the documentation says, whatever else there is.
    pub(crate) fn is_taken(self, sure: Sure, harvest: Harvest) -> bool {
        match sure {
            Sure::Placed => true,
            Sure::Harvested => harvest == Harvest::Accept,
            Sure::Ambiguous => matches!(self, Self::Completion),
            Sure::Missing => false,
        }
    }

    pub(crate) fn text(self, number: u8, name: u8, sure: Sure) -> String {
        let other = (name + 1) % NAMES;
        let (id, other, place, second, kind) = match self {
            Self::Activation => {
                let ids = [name, other].map(|name| unit_id(name).to_string());
                let [id, other] = ids;
                (id, other, ["entities", "unit"], ["payload", "unit"], EventKind::Activation)
            }
            Self::Role => {
                let kind = match self.operation(number) {
                    RoleOperation::Assign => EventKind::Assignment,
                    RoleOperation::Revoke => EventKind::Revocation,
                };
                let [id, other] = [name, other].map(|name| role_key(name).unit.to_string());
                (id, other, ["entities", "unit"], ["entities", "resource"], kind)
            }
            Self::Completion => {
                let [id, other] = [name, other].map(|name| automation_id(name).to_string());
                (id, other, ["payload", "automation"], ["payload", "other"], EventKind::Completion)
            }
            Self::Failure => {
                let [id, other] = [name, other].map(skill_id);
                (id, other, ["entities", "skill"], ["payload", "skill"], EventKind::Failure)
            }
            Self::SetUp => {
                let [id, other] = [name, other].map(|name| endpoint_id(name).to_string());
                let kind = EventKind::SetupCompletion;
                (id, other, ["payload", "endpoint"], ["entities", "endpoint"], kind)
            }
        };
        let mut parts = json!({ "entities": {}, "payload": {} });
        match self {
            Self::Role => {
                parts["payload"]["role"]["id"] = ROLE.into();
                parts["payload"]["principal"]["id"] = PRINCIPAL.into();
            }
            Self::Completion => parts["payload"]["result"] = result(number % 3),
            Self::Failure if number & 1 == 1 => {
                parts["payload"]["error"]["type"] = "TIMEOUT".into()
            }
            _ => {}
        }
        let [part, entity] = place;
        match sure {
            Sure::Placed => parts[part][entity]["id"] = id.clone().into(),
            Sure::Harvested => parts["payload"]["x"]["y"] = json!([id]),
            Sure::Ambiguous => {
                parts[part][entity]["id"] = id.clone().into();
                let [part, entity] = second;
                let member = if entity == "resource" { "resourceId" } else { "id" };
                parts[part][entity][member] = other.into();
            }
            Sure::Missing => {}
        }
        let event_type = kind.event_type().expect("a known type");
        let builder = EventBuilder::new(event_type, format!("{id}/{number}"))
            .with_entities(parts["entities"].to_string())
            .with_payload(parts["payload"].to_string());
        builder.encode().expect("an event")
    }
}

/// The result of an automation that is this bad.
pub(crate) fn result(severity: u8) -> Value {
    let status = ["SUCCESS", "PARTIAL", "FAILURE"][usize::from(severity)];
    json!({ "status": status })
}
