//! What the service answers when it did not register a device.

use alloc::{borrow::Cow, string::String, vec::Vec};

use super::ErrorCode;
use crate::{
    connection::{CODE, DESCRIPTION, cut},
    json::{Member, Object, Value},
};

/// The body of an answer that refuses a registration (specification, section 5.3).
///
/// ```
/// use aia_proto::registration::{ErrorCode, Refusal};
///
/// let refusal = Refusal::new(ErrorCode::InvalidAwsAccount).with_description("not linked");
/// assert_eq!(refusal.encode(), br#"{"code":"INVALID_AWS_ACCOUNT","description":"not linked"}"#);
/// assert_eq!(Refusal::decode(&refusal.encode()), Some(refusal));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Refusal {
    /// Why.
    pub code: ErrorCode,
    /// Text for people, at most [`MAX_DESCRIPTION`](crate::connection::MAX_DESCRIPTION) bytes.
    pub description: Option<String>,
}

impl Refusal {
    /// A refusal without description.
    #[must_use]
    pub const fn new(code: ErrorCode) -> Self {
        Self { code, description: None }
    }

    /// The same with a text for people.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Reads a body; none when it has no code, or is not JSON that is taken.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        let [code, description] = Value::parse(body).ok()?.members([CODE, DESCRIPTION]);
        let code = code?.text().filter(|code| !code.is_empty()).map(Cow::into_owned)?.into();
        let description = description.and_then(Value::text).map(|text| cut(&text).into());
        Some(Self { code, description })
    }

    /// The body. A description beyond [`MAX_DESCRIPTION`](crate::connection::MAX_DESCRIPTION) is cut.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Object::new([(CODE, Member::Text(self.code.as_str()))])
            .with_text(DESCRIPTION, self.description.as_deref().map(cut))
            .to_vec()
    }
}
