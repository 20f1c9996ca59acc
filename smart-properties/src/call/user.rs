//! The user ID of an account.

use crate::{
    AnswerError, BaseUrl, Method, PrincipalId, Request, Response,
    json::Value,
    request::Target,
    response::{text, text_member},
};

/// Asks who the access token belongs to. It goes to another host than all other requests, [`BaseUrl::AMAZON`].
///
/// The token needs the scope `profile`, or the narrower `profile:user_id`. The answer is read by [`read_user_id`].
///
/// ```
/// use smart_properties::{Response, call};
///
/// assert_eq!(call::user_profile().url(), "https://api.amazon.com/user/profile");
/// let response = Response::new(200, br#"{"user_id":"amzn1.account.P1","name":"N"}"#);
/// assert_eq!(call::read_user_id(&response)?.as_str(), "amzn1.account.P1");
/// # Ok::<(), smart_properties::AnswerError>(())
/// ```
#[must_use]
pub fn user_profile() -> Request {
    Request::new(Method::Get, Target::new("/user/profile")).with_base(BaseUrl::AMAZON)
}

/// Reads the answer to [`user_profile`]; of it only the user ID, as the rest is personal.
///
/// # Errors
/// The request did not succeed, or the body is not an object with the member `user_id`.
pub fn read_user_id<'a>(response: &Response<'a>) -> Result<PrincipalId<'a>, AnswerError> {
    let body = Value::parse(text(response.success()?)?)?;
    let id = text_member("the body", body, "user_id")?;
    let id = id.ok_or(AnswerError::Missing { member: "user_id" })?;
    PrincipalId::new(id).map_err(AnswerError::WrongKind)
}
