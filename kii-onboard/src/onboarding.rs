//! Onboarding: the request in its six variants, and what the cloud answers (specification, sections 8 and 9).

use alloc::{format, vec::Vec};
use core::fmt;

use iot_sansio::Secret;

mod end_node;
mod endpoint;
mod field;
mod layout_position;
mod members;
mod onboarded;
mod onboarded_error;
mod owner;
mod thing;

pub use end_node::EndNodeOnboarding;
pub use field::{FieldFault, InvalidField};
pub use layout_position::LayoutPosition;
pub use onboarded::{EndNodeOnboarded, Onboarded};
pub use onboarded_error::{Expected, OnboardedError};
pub use owner::{Owner, OwnerKind};
pub use thing::{ThingOnboarding, ThingRef};

use self::field::{Field as _, Token};
use crate::{
    JsonError, RequestId,
    frame::{EncodeError, Headers, Method, REQUEST_ID, Request},
    json::Value,
};

/// A request for onboarding: `POST` on the resource `onboardings`.
///
/// ```
/// use kii_onboard::{VendorThingId, frame::Request, onboarding::{Onboarding, ThingOnboarding}};
///
/// let thing = ThingOnboarding::with_vendor_thing_id(VendorThingId::new("v1")?, "p1")?;
/// let payload = Onboarding::Thing(thing.clone()).encode(None)?;
/// assert_eq!(
///     payload,
///     b"POST\r\nContent-Type: application/vnd.kii.OnboardingWithVendorThingIDByThing+json\r\n\r\n\
///       {\"vendorThingID\":\"v1\",\"thingPassword\":\"p1\"}"
/// );
/// // The cloud's side:
/// assert_eq!(Onboarding::decode(&Request::decode(&payload)?)?, Onboarding::Thing(thing));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Onboarding {
    /// That of a thing with a connection of its own.
    Thing(ThingOnboarding),
    /// That of a thing behind a gateway.
    EndNode(EndNodeOnboarding),
}

/// Why a request is none for onboarding.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OnboardingError {
    /// The method is another one (405).
    #[error("the method is not POST")]
    NotPost,
    /// The body is not JSON (400, `INVALID_JSON`).
    #[error(transparent)]
    NotJson(#[from] JsonError),
    /// There is no media type, or one of none of the variants (415).
    #[error("the media type is that of no variant of onboarding")]
    UnknownMediaType,
    /// The variant needs the owner's token, and there is none (401, `UNAUTHORIZED`).
    #[error("there is no `Authorization: Bearer` with the owner's token")]
    NoOwnerToken,
    /// Members are missing, or cannot be taken (400, `INVALID_INPUT_DATA`).
    #[error("{}", Fields(.0))]
    InvalidFields(Vec<InvalidField>),
}

impl Onboarding {
    /// The media type, which chooses the variant.
    #[must_use]
    pub const fn content_type(&self) -> &'static str {
        match self {
            Self::Thing(thing) => thing.content_type(),
            Self::EndNode(node) => node.content_type(),
        }
    }

    /// The body, with the members of specification, section 8, in its order; what is unset is left out.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            Self::Thing(thing) => thing.body(),
            Self::EndNode(node) => node.body(),
        }
    }

    /// The owner's access token, where it is on an owner's behalf.
    #[must_use]
    pub const fn owner_token(&self) -> Option<&Secret> {
        match self {
            Self::Thing(thing) => thing.owner_token(),
            Self::EndNode(node) => Some(node.owner_token()),
        }
    }

    /// The whole payload, with an `Authorization` only on an owner's behalf.
    ///
    /// # Errors
    /// The payload is too large, by its custom fields or its password.
    pub fn encode(&self, request_id: Option<&RequestId>) -> Result<Vec<u8>, EncodeError> {
        let bearer = match self.owner_token().map(Secret::expose_str) {
            Some(Ok(token)) => Some(format!("{BEARER} {token}")),
            Some(Err(_)) => return Err(EncodeError::InvalidHeader { index: 0 }),
            None => None,
        };
        let headers = [
            (AUTHORIZATION, bearer.as_deref()),
            (REQUEST_ID, request_id.map(RequestId::as_str)),
            (CONTENT_TYPE, Some(self.content_type())),
        ];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Request::encode(Method::Post, headers, &self.body())
    }

    /// Reads a request, as the cloud does: names of media types and kinds of owners in any case, unknown members
    /// ignored.
    ///
    /// # Errors
    /// The first of those of [`OnboardingError`] that applies, in their order.
    pub fn decode(request: &Request<'_>) -> Result<Self, OnboardingError> {
        if request.method != Method::Post {
            return Err(OnboardingError::NotPost);
        }
        let body = Value::parse(request.body)?;
        let media_type = request.headers.media_type().unwrap_or_default();
        let is = |known: &str| known.eq_ignore_ascii_case(media_type);
        let token = || Token::from_text(bearer(request.headers)?).ok();
        let owner_token = || match token() {
            Some(Token(token)) => Ok(token),
            None => Err(OnboardingError::NoOwnerToken),
        };
        let thing = |is_vendor, token| ThingOnboarding::read(body, is_vendor, token);
        let node = |is_vendor, token| EndNodeOnboarding::read(body, is_vendor, token);
        let read = if is(thing::VENDOR_BY_THING) {
            thing(true, None).map(Self::Thing)
        } else if is(thing::THING_BY_THING) {
            thing(false, None).map(Self::Thing)
        } else if is(thing::VENDOR_BY_OWNER) {
            thing(true, Some(owner_token()?)).map(Self::Thing)
        } else if is(thing::THING_BY_OWNER) {
            thing(false, Some(owner_token()?)).map(Self::Thing)
        } else if is(end_node::BY_GATEWAY_THING) {
            node(false, owner_token()?).map(Self::EndNode)
        } else if is(end_node::BY_GATEWAY_VENDOR) {
            node(true, owner_token()?).map(Self::EndNode)
        } else {
            return Err(OnboardingError::UnknownMediaType);
        };
        read.map_err(OnboardingError::InvalidFields)
    }
}

impl From<ThingOnboarding> for Onboarding {
    fn from(thing: ThingOnboarding) -> Self {
        Self::Thing(thing)
    }
}

impl From<EndNodeOnboarding> for Onboarding {
    fn from(node: EndNodeOnboarding) -> Self {
        Self::EndNode(node)
    }
}

/// The first of these, and how many more there are.
struct Fields<'a>(&'a [InvalidField]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, others)) = self.0.split_first() else {
            return f.write_str("members are missing or cannot be taken");
        };
        match others.len() {
            0 => first.fmt(f),
            more => write!(f, "{first}; wrong members beside it: {more}"),
        }
    }
}

/// The token in `Authorization: Bearer {token}`; none without a token, as there is no blank at the end of a value.
pub(crate) fn bearer(headers: Headers<'_>) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(BEARER).then(|| token.trim_ascii_start())
}

pub(crate) const AUTHORIZATION: &str = "Authorization";
pub(crate) const BEARER: &str = "Bearer";
pub(crate) const CONTENT_TYPE: &str = "Content-Type";
