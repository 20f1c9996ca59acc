//! What is saved of a registration.

use alloc::string::String;

use iot_sansio::Secret;

use super::{
    Algorithm, Expected, FieldError,
    field::{Field, base64},
};
use crate::{
    ApiVersion, ClientId, JsonError, TopicRoot,
    json::{Member, Object, Value},
    protect::SharedSecret,
};

/// What a device saves of its registration, in one piece, so that a crash never separates the secret from the rest.
/// `Debug` leaves out the secrets.
///
/// ```
/// use aia_proto::{ApiVersion, ClientId, TopicRoot, registration::{Algorithm, KeyPair, Registration}};
///
/// let (device, service) = (KeyPair::from_random([1; 32]), KeyPair::from_random([2; 32]));
/// let algorithm = Algorithm::Curve25519With32Bytes;
/// let registration = Registration::new(
///     TopicRoot::new("$aws/alexa")?,
///     "123456789012",
///     ClientId::new("my-thing-01")?,
///     ApiVersion::V1,
///     algorithm,
///     device.agree(algorithm, &service.public_key())?,
/// );
/// let saved = registration.encode();
/// assert_eq!(Registration::decode(saved.expose())?, registration);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Registration {
    /// What all topics of the device begin with.
    pub topic_root: TopicRoot,
    /// The AWS account, which `Connect` names.
    pub aws_account_id: String,
    /// The client id, which `Connect` names.
    pub client_id: ClientId,
    /// The version of the protocol that was registered with.
    pub version: ApiVersion,
    /// How the secret was made: its length.
    pub algorithm: Algorithm,
    /// The newest shared secret.
    pub secret: SharedSecret,
    /// The one before its last rotation, in case the service did not hear of that.
    pub previous: Option<SharedSecret>,
    /// The SHA-256 digest of the capabilities that the service took last.
    pub capabilities_digest: Option<[u8; 32]>,
}

/// Why bytes are no saved registration: register again. The bytes are not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// They are not JSON that is taken.
    #[error(transparent)]
    BadJson(#[from] JsonError),
    /// A member is missing, or does not hold what it must.
    #[error(transparent)]
    BadField(#[from] FieldError),
}

impl Registration {
    /// A new registration: no rotation yet, no capabilities taken yet.
    #[must_use]
    pub fn new(
        topic_root: TopicRoot,
        aws_account_id: impl Into<String>,
        client_id: ClientId,
        version: ApiVersion,
        algorithm: Algorithm,
        secret: SharedSecret,
    ) -> Self {
        let (aws_account_id, previous) = (aws_account_id.into(), None);
        let capabilities_digest = None;
        Self {
            topic_root,
            aws_account_id,
            client_id,
            version,
            algorithm,
            secret,
            previous,
            capabilities_digest,
        }
    }

    /// What to save: JSON with the number of its format. It holds the secrets: save it where only the device can read
    /// it, and replace the old one in one step.
    ///
    /// What [`decode`](Self::decode) refuses is written all the same: an empty account id, or a secret whose length is
    /// not the algorithm's.
    #[must_use]
    pub fn encode(&self) -> Secret {
        let secret = base64(self.secret.expose());
        let previous = self.previous.as_ref().map(|previous| base64(previous.expose()));
        let digest = self.capabilities_digest.as_ref().map(|digest| base64(digest));
        Object::new([
            (FORMAT, Member::Integer(FORMAT_NUMBER)),
            (TOPIC_ROOT, Member::Text(self.topic_root.as_str())),
            (AWS_ACCOUNT_ID, Member::Text(&self.aws_account_id)),
            (CLIENT_ID, Member::Text(self.client_id.as_str())),
            (VERSION, Member::Integer(self.version.get().into())),
            (ALGORITHM, Member::Text(self.algorithm.as_str())),
            (SECRET, Member::Text(&secret)),
        ])
        .with_text(PREVIOUS, previous.as_ref().map(|text| text.as_str()))
        .with_text(CAPABILITIES_DIGEST, digest.as_ref().map(|text| text.as_str()))
        .to_vec()
        .into()
    }

    /// Reads what was saved.
    ///
    /// # Errors
    /// It is not what [`encode`](Self::encode) writes: another format, or a member that is missing or bad.
    pub fn decode(saved: &[u8]) -> Result<Self, RecordError> {
        let saved = Field::new("body", Some(Value::parse(saved)?)).object()?;
        let field = |name| {
            let [value] = saved.members([name]);
            Field::new(name, value)
        };
        let format = Expected::Format { number: FORMAT_NUMBER };
        if field(FORMAT).integer(format)? != FORMAT_NUMBER {
            let error = FieldError { field: FORMAT, is_missing: false, expected: format };
            return Err(error.into());
        }
        let version = field(VERSION).integer(Expected::Version)?;
        let version = u16::try_from(version).map_err(|_| FieldError {
            field: VERSION,
            is_missing: false,
            expected: Expected::Version,
        })?;
        let algorithm = field(ALGORITHM).algorithm()?;
        Ok(Self {
            topic_root: field(TOPIC_ROOT).topic_root()?,
            aws_account_id: field(AWS_ACCOUNT_ID).text()?,
            client_id: field(CLIENT_ID).client_id()?,
            version: ApiVersion::new(version),
            algorithm,
            secret: field(SECRET).shared_secret(algorithm)?,
            previous: field(PREVIOUS).optional(|field| field.shared_secret(algorithm))?,
            capabilities_digest: field(CAPABILITIES_DIGEST).optional(Field::bytes)?,
        })
    }
}

/// Of what [`Registration::encode`] writes.
const FORMAT_NUMBER: u64 = 1;
const FORMAT: &str = "format";
const TOPIC_ROOT: &str = "topicRoot";
const AWS_ACCOUNT_ID: &str = "awsAccountId";
const CLIENT_ID: &str = "clientId";
const VERSION: &str = "version";
const ALGORITHM: &str = "algorithm";
const SECRET: &str = "secret";
const PREVIOUS: &str = "previous";
const CAPABILITIES_DIGEST: &str = "capabilitiesDigest";
