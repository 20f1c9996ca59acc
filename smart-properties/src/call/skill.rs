//! Enabling skills.

use alloc::format;

use serde::Serialize;

use crate::{Method, Request, SkillId, UnitId, gate::ActiveUnit, request::Target};

/// Enables the predefined skill that a subscription is, on a property: this starts its activation.
///
/// It works only on a level-one unit, and for one subscription at a time; deeper units inherit it. That the property is
/// then active, the activation event tells.
///
/// ```
/// use smart_properties::{SkillId, UnitId, call};
///
/// let skill = SkillId::new("amzn1.ask.skill.11111111-2222-4333-8444-555555555555")?;
/// let property = UnitId::new("amzn1.alexa.unit.did.PROP1")?;
/// let request = call::enable_subscription_skill(&property, &skill);
/// assert_eq!(
///     request.path_and_query(),
///     "/v1/skills/amzn1.ask.skill.11111111-2222-4333-8444-555555555555/enablements",
/// );
/// assert_eq!(request.body(), Some(r#"{"unitId":"amzn1.alexa.unit.did.PROP1","stage":"live"}"#));
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[must_use]
pub fn enable_subscription_skill(property: &UnitId<'_>, skill: &SkillId<'_>) -> Request {
    enable(property, skill)
}

/// Enables any other skill, on a unit that is active.
#[must_use]
pub fn enable_skill(unit: &ActiveUnit, skill: &SkillId<'_>) -> Request {
    enable(unit.id(), skill)
}

fn enable(unit: &UnitId<'_>, skill: &SkillId<'_>) -> Request {
    let target = Target::new(format!("/v1/skills/{skill}/enablements"));
    Request::new(Method::Post, target).with_json(&Body { unit_id: unit.as_str(), stage: "live" })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    unit_id: &'a str,
    stage: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_is_enabled_on_the_unit_that_is_active() {
        let unit = UnitId::new("amzn1.alexa.unit.did.ROOM401").unwrap();
        let skill = SkillId::new("amzn1.ask.skill.1").unwrap();
        let request = enable_skill(&ActiveUnit::new(unit.clone()), &skill);
        assert_eq!(request, enable_subscription_skill(&unit, &skill));
    }
}
