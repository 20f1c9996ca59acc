//! Associating a device with a unit, and taking it back.

use alloc::{borrow::Cow, collections::BTreeSet, format, vec::Vec};

use serde::Serialize;

use crate::{
    AnswerError, EndpointId, Method, Request, Response,
    gate::{ActiveUnit, ReadyEndpoint},
    json::{JsonType, Value, elements, members},
    request::Target,
    response::{member, text},
};

/// Associates a device that is set up with a unit that is active. Its answer is read by [`AssociatedEndpoint::read`].
///
/// The device must be online and stay powered for a minute. Settings made before are cleared; check that it restarted.
///
/// ```compile_fail,E0308
/// // Neither is proven: gates hand out `ActiveUnit` and `ReadyEndpoint`.
/// let unit = smart_properties::UnitId::new("amzn1.alexa.unit.did.ROOM402").unwrap();
/// let endpoint = smart_properties::EndpointId::new("amzn1.alexa.endpoint.EP9").unwrap();
/// let request = smart_properties::call::associate_device(&unit, &endpoint);
/// ```
#[must_use]
pub fn associate_device(unit: &ActiveUnit, endpoint: &ReadyEndpoint) -> Request {
    associate(endpoint.id(), unit.id().as_str())
}

/// Sends a device back to the account that set it up. Its answer is read by [`AssociatedEndpoint::read`].
///
/// ```
/// use smart_properties::{EndpointId, Method, call};
///
/// let request = call::return_device(&EndpointId::new("amzn1.alexa.endpoint.EP9")?);
/// assert_eq!(request.method(), Method::Put);
/// assert_eq!(request.path_and_query(), "/v2/endpoints/amzn1.alexa.endpoint.EP9/associatedUnits");
/// assert_eq!(request.body(), Some(r#"[{"id":"~caller.defaultUnitId"}]"#));
/// # Ok::<(), smart_properties::IdError>(())
/// ```
#[must_use]
pub fn return_device(endpoint: &EndpointId<'_>) -> Request {
    associate(endpoint, "~caller.defaultUnitId")
}

/// What a device is called after an association, which may give it a new ID.
///
/// That the response holds the new ID is documented, where it does is not. So: the members `endpointId`, `endpoint.id`
/// and `id` are looked at first, and where none of them is the ID of an endpoint, every text in the body is. Of several
/// different ones the ID in use until now does not count.
///
/// ```
/// use smart_properties::{EndpointId, Response, call::AssociatedEndpoint};
///
/// let before = EndpointId::new("amzn1.alexa.endpoint.EP9")?;
/// let response = Response::new(200, br#"{"id":"amzn1.alexa.endpoint.EP77"}"#);
/// let after = AssociatedEndpoint::read(&response, &before)?;
/// assert_eq!(after, AssociatedEndpoint::Named(EndpointId::new("amzn1.alexa.endpoint.EP77")?));
///
/// let after = AssociatedEndpoint::read(&Response::new(204, b""), &before)?;
/// assert_eq!(after, AssociatedEndpoint::NotNamed);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssociatedEndpoint {
    /// This, which may be what it was called before.
    Named(EndpointId<'static>),
    /// The response names no endpoint. Look the device up before it is addressed again.
    NotNamed,
    /// The response names several new ones, in order of their bytes. Look the device up.
    Ambiguous(Vec<EndpointId<'static>>),
}

impl AssociatedEndpoint {
    /// Reads the answer to an association; `before` is the ID that it was asked with. A body that is not JSON names no
    /// endpoint.
    ///
    /// # Errors
    /// The request did not succeed, or its body is too long or too deep to be searched.
    pub fn read(response: &Response<'_>, before: &EndpointId<'_>) -> Result<Self, AnswerError> {
        let body = match text(response.success()?) {
            Ok(body) => Value::parse(body),
            Err(error @ AnswerError::TooLong { .. }) => return Err(error),
            Err(_) => return Ok(Self::NotNamed),
        };
        let Ok(body) = body else { return Ok(Self::NotNamed) };
        let mut found = BTreeSet::new();
        let inner = member(body.raw, "endpoint").and_then(|inner| member(inner.raw, "id"));
        let places = [member(body.raw, "endpointId"), inner, member(body.raw, "id")];
        for value in places.into_iter().flatten() {
            found.extend(endpoint(value.string()));
        }
        if found.is_empty() {
            search(body, 0, &mut found)?;
        }
        if found.len() > 1 {
            found.remove(&before.clone().into_owned());
        }
        let mut found: Vec<_> = found.into_iter().collect();
        Ok(match (found.pop(), found.is_empty()) {
            (None, _) => Self::NotNamed,
            (Some(id), true) => Self::Named(id),
            (Some(id), false) => {
                found.push(id);
                Self::Ambiguous(found)
            }
        })
    }
}

fn associate(endpoint: &EndpointId<'_>, unit: &str) -> Request {
    let target = Target::new(format!("/v2/endpoints/{endpoint}/associatedUnits"));
    Request::new(Method::Put, target).with_json(&[Unit { id: unit }])
}

fn endpoint(text: Option<Cow<'_, str>>) -> Option<EndpointId<'static>> {
    Some(EndpointId::new(text?).ok()?.into_owned())
}

fn search(
    value: Value<'_>,
    depth: usize,
    found: &mut BTreeSet<EndpointId<'static>>,
) -> Result<(), AnswerError> {
    if depth > MAX_DEPTH {
        return Err(AnswerError::TooDeep { max: MAX_DEPTH });
    }
    match value.json_type() {
        JsonType::Object => members(value.raw, |_, value| search(value, depth + 1, found)),
        JsonType::Array => elements(value.raw, |value| search(value, depth + 1, found)),
        JsonType::String => {
            found.extend(endpoint(value.string()));
            Ok(())
        }
        JsonType::Null | JsonType::Boolean | JsonType::Number => Ok(()),
    }
}

#[derive(Serialize)]
struct Unit<'a> {
    id: &'a str,
}

const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnitId;

    #[test]
    fn a_device_that_is_set_up_goes_to_the_unit_that_is_active() {
        let unit = ActiveUnit::new(UnitId::new("amzn1.alexa.unit.did.ROOM402").unwrap());
        let endpoint = EndpointId::new("amzn1.alexa.endpoint.EP9").unwrap();
        let request = associate_device(&unit, &ReadyEndpoint::new(endpoint));
        assert_eq!(request.method(), Method::Put);
        let target = "/v2/endpoints/amzn1.alexa.endpoint.EP9/associatedUnits";
        assert_eq!(request.path_and_query(), target);
        assert_eq!(request.body(), Some(r#"[{"id":"amzn1.alexa.unit.did.ROOM402"}]"#));
    }
}
