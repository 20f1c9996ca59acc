//! What happens in a property, as Alexa publishes it (specification section 2).

use alloc::string::{String, ToString as _};

use serde_json::{Value, json};

use crate::{
    AutomationId, EndpointId, EventError, EventKind, PrincipalId, RoleId, SkillId, UnitId,
    event::EventBuilder,
};

/// Something that happened at some time, to be published as an event with an id of its own.
///
/// Only a completion has a documented payload. Members of the others stand where the crate looks for them first: what a
/// live event has there is not known.
///
/// ```
/// use smart_properties::{Event, EventKind, UnitId, service::Occurrence};
///
/// let room = UnitId::new("amzn1.alexa.unit.did.ROOM402")?;
/// let text = Occurrence::new("a-1", "2024-05-01T10:01:00Z").activation(&room, None)?;
/// let event = Event::decode(text.as_bytes())?;
/// assert_eq!(event.event_type().kind(), EventKind::Activation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Occurrence<'a> {
    id: &'a str,
    timestamp: &'a str,
}

impl<'a> Occurrence<'a> {
    /// The id of the event, 1 to 256 bytes, and when it happened, for example `2024-05-01T10:01:00Z`.
    #[must_use]
    pub const fn new(id: &'a str, timestamp: &'a str) -> Self {
        Self { id, timestamp }
    }

    /// The subscription of a unit was activated; its parent, where that is told.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn activation(
        &self,
        unit: &UnitId<'_>,
        parent: Option<&UnitId<'_>>,
    ) -> Result<String, EventError> {
        let unit = match parent.map(unit_entity) {
            Some(parent) => json!({ "type": "Unit", "id": unit.as_str(), "parent": parent }),
            None => unit_entity(unit),
        };
        self.write(EventKind::Activation, json!({ "unit": unit }), json!({}))
    }

    /// An automation of a unit ended well.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn success(
        &self,
        unit: &UnitId<'_>,
        automation: &AutomationId<'_>,
    ) -> Result<String, EventError> {
        self.completion(unit, automation, json!({ "status": "SUCCESS" }))
    }

    /// An automation of a unit failed, as a device that it names does not exist.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn failure(
        &self,
        unit: &UnitId<'_>,
        automation: &AutomationId<'_>,
        missing: &EndpointId<'_>,
    ) -> Result<String, EventError> {
        let error = json!({
            "type": "ENDPOINT_NOT_FOUND",
            "message": "there is no such endpoint",
            "id": missing.as_str(),
        });
        let result = json!({ "status": "FAILURE", "errors": [error] });
        self.completion(unit, automation, result)
    }

    /// A skill failed in a unit, for this reason.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn skill_failure(
        &self,
        unit: &UnitId<'_>,
        skill: &SkillId<'_>,
        reason: &str,
    ) -> Result<String, EventError> {
        let skill = json!({ "type": "Skill", "id": skill.as_str() });
        let entities = json!({ "unit": unit_entity(unit), "skill": skill });
        self.write(EventKind::Failure, entities, json!({ "error": { "type": reason } }))
    }

    /// A role was assigned on a unit.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn assignment(
        &self,
        role: &RoleId<'_>,
        principal: &PrincipalId<'_>,
        unit: &UnitId<'_>,
    ) -> Result<String, EventError> {
        self.role_change(EventKind::Assignment, role, principal, unit)
    }

    /// A role was revoked on a unit.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn revocation(
        &self,
        role: &RoleId<'_>,
        principal: &PrincipalId<'_>,
        unit: &UnitId<'_>,
    ) -> Result<String, EventError> {
        self.role_change(EventKind::Revocation, role, principal, unit)
    }

    /// A device went through its setup.
    ///
    /// # Errors
    /// The id of the event is none.
    pub fn setup_completion(&self, endpoint: &EndpointId<'_>) -> Result<String, EventError> {
        let endpoint = json!({ "type": "Endpoint", "id": endpoint.as_str() });
        self.write(EventKind::SetupCompletion, json!({}), json!({ "endpoint": endpoint }))
    }

    fn completion(
        &self,
        unit: &UnitId<'_>,
        automation: &AutomationId<'_>,
        result: Value,
    ) -> Result<String, EventError> {
        let payload = json!({ "automation": { "id": automation.as_str() }, "result": result });
        self.write(EventKind::Completion, json!({ "unit": unit_entity(unit) }), payload)
    }

    fn role_change(
        &self,
        kind: EventKind,
        role: &RoleId<'_>,
        principal: &PrincipalId<'_>,
        unit: &UnitId<'_>,
    ) -> Result<String, EventError> {
        let resource =
            json!({ "type": "Resource", "resourceType": "Unit", "resourceId": unit.as_str() });
        let payload =
            json!({ "role": { "id": role.as_str() }, "principal": { "id": principal.as_str() } });
        self.write(kind, json!({ "resource": resource }), payload)
    }

    fn write(
        &self,
        kind: EventKind,
        entities: Value,
        payload: Value,
    ) -> Result<String, EventError> {
        let event_type =
            kind.event_type().ok_or(EventError::Missing { pointer: "/header/eventType".into() })?;
        EventBuilder::new(event_type, self.id)
            .with_timestamp(self.timestamp)
            .with_entities(entities.to_string())
            .with_payload(payload.to_string())
            .encode()
    }
}

fn unit_entity(unit: &UnitId<'_>) -> Value {
    json!({ "type": "Unit", "id": unit.as_str() })
}
