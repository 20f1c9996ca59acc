//! What the service answers when it registered a device (specification, section 5.2).

use alloc::vec::Vec;

use super::{
    FieldError,
    field::{Field, base64},
    request::{ENCRYPTION, IOT, PUBLIC_KEY},
};
use crate::{
    JsonError, TopicRoot,
    json::{Member, Object, Value},
};

/// What the service answers with when it registered a device.
///
/// ```
/// use aia_proto::registration::{Response, ResponseError};
///
/// let body = br#"{
///     "encryption": {"publicKey": "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="},
///     "iot": {"topicRoot": "$aws/alexa"}
/// }"#;
/// let response = Response::decode(body)?;
/// assert_eq!(response.topic_root.as_str(), "$aws/alexa");
/// assert_eq!(Response::decode(&response.encode())?, response);
/// # Ok::<(), ResponseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Response {
    /// The service's public key.
    pub public_key: [u8; 32],
    /// What all topics of the device begin with.
    pub topic_root: TopicRoot,
}

/// Why a body is no answer of a registration that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// It is not JSON that is taken.
    #[error(transparent)]
    BadJson(#[from] JsonError),
    /// A member is missing, or does not hold what it must.
    #[error(transparent)]
    BadField(#[from] FieldError),
}

impl Response {
    /// The answer with these.
    #[must_use]
    pub const fn new(public_key: [u8; 32], topic_root: TopicRoot) -> Self {
        Self { public_key, topic_root }
    }

    /// The body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let public_key = base64(&self.public_key);
        let encryption = Object::new([(PUBLIC_KEY, Member::Text(&public_key))]);
        let iot = Object::new([(TOPIC_ROOT, Member::Text(self.topic_root.as_str()))]);
        Object::new([(ENCRYPTION, Member::Object(encryption)), (IOT, Member::Object(iot))]).to_vec()
    }

    /// Reads a body. Members that are not known do not matter.
    ///
    /// # Errors
    /// It is not JSON, or a member is missing or bad.
    pub fn decode(body: &[u8]) -> Result<Self, ResponseError> {
        let body = Field::new("body", Some(Value::parse(body)?)).object()?;
        let [encryption, iot] = body.members([ENCRYPTION, IOT]);
        let [public_key] = Field::new(ENCRYPTION, encryption).object()?.members([PUBLIC_KEY]);
        let [topic_root] = Field::new(IOT, iot).object()?.members([TOPIC_ROOT]);
        Ok(Self {
            public_key: Field::new("encryption.publicKey", public_key).bytes()?,
            topic_root: Field::new("iot.topicRoot", topic_root).topic_root()?,
        })
    }
}

const TOPIC_ROOT: &str = "topicRoot";
