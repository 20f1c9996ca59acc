//! Creating units.

use serde::Serialize;

use crate::{Method, Request, UnitId, gate::ActiveUnit, request::Target};

/// Creates a unit in one that is active, for example a room in a property.
///
/// Its answer is read by [`Created::read`](crate::Created::read); success means that the unit exists, not that it is
/// active.
///
/// ```compile_fail,E0308
/// // A unit that nothing proves to be active.
/// let property = smart_properties::UnitId::new("amzn1.alexa.unit.did.PROP1").unwrap();
/// let request = smart_properties::call::create_child_unit(&property, "Room 402");
/// ```
#[must_use]
pub fn create_child_unit(parent: &ActiveUnit, name: &str) -> Request {
    create(parent.id(), name)
}

/// Creates a level-one unit, which is a property, in an organization, which needs no subscription.
///
/// Its answer is read by [`Created::read`](crate::Created::read). The property becomes active after someone enables a
/// subscription on it, see [`enable_subscription_skill`](super::enable_subscription_skill).
///
/// ```
/// use smart_properties::{Created, Response, UnitId, call, id::Unit};
///
/// let organization = UnitId::new("amzn1.alexa.unit.did.ORG")?;
/// let request = call::create_property(&organization, "Hotel \"Sea\"");
/// assert_eq!(request.path_and_query(), "/v2/units");
/// assert_eq!(request.body(), Some(concat!(
///     r#"{"name":{"type":"PLAIN","value":{"text":"Hotel \"Sea\""}},"#,
///     r#""parentId":"amzn1.alexa.unit.did.ORG"}"#,
/// )));
///
/// let response = Response::new(201, br#"{"id":"amzn1.alexa.unit.did.PROP1"}"#);
/// assert_eq!(Created::<Unit>::read(&response)?.id().as_str(), "amzn1.alexa.unit.did.PROP1");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[must_use]
pub fn create_property(organization: &UnitId<'_>, name: &str) -> Request {
    create(organization, name)
}

fn create(parent: &UnitId<'_>, name: &str) -> Request {
    Request::new(Method::Post, Target::new("/v2/units")).with_json(&Body {
        name: Name { kind: "PLAIN", value: Text { text: name } },
        parent_id: parent.as_str(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    name: Name<'a>,
    parent_id: &'a str,
}

#[derive(Serialize)]
struct Name<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    value: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_created_in_the_unit_that_is_active() {
        let property = UnitId::new("amzn1.alexa.unit.did.PROP1").unwrap();
        let request = create_child_unit(&ActiveUnit::new(property.clone()), "Room 402");
        assert_eq!(request, create_property(&property, "Room 402"));
    }
}
