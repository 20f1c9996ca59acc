//! What a device sends to register (specification, section 5.1).

use alloc::{format, string::String};

use iot_sansio::Secret;

use super::{
    Algorithm, ErrorCode, Expected, FieldError,
    field::{Field, base64},
};
use crate::{
    ApiVersion, ClientId, JsonError,
    json::{Member, Object, Value},
};

/// The body of the HTTP request that registers a device. `Debug` leaves out the token.
///
/// ```
/// use aia_proto::{
///     ApiVersion, ClientId,
///     registration::{Algorithm, Authentication, IotIdentity, KeyPair, Request},
/// };
///
/// let keys = KeyPair::from_random([7; 32]); // of a generator fit for keys
/// let request = Request::new(
///     Authentication::new("the refresh token", "amzn1.application-oa2-client.0"),
///     Algorithm::Curve25519With32Bytes,
///     keys.public_key(),
///     IotIdentity::new("123456789012", ClientId::new("my-thing-01")?, "example-ats.iot.us-east-1.example"),
/// );
/// let (url, body) = (Request::url(ApiVersion::V1), request.encode());
/// assert_eq!(url, "https://api.amazonalexa.com/v1/ais/registration");
/// assert_eq!(Request::decode(body.expose()), Ok(request));
/// # Ok::<(), aia_proto::InvalidTopicPart>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// Whose device it is.
    pub authentication: Authentication,
    /// How the shared secret is made.
    pub algorithm: Algorithm,
    /// The device's public key.
    pub public_key: [u8; 32],
    /// Who the device is.
    pub iot: IotIdentity,
}

/// What proves to the service whose device it is: Login with Amazon. `Debug` leaves out the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Authentication {
    /// The refresh token, UTF-8.
    pub token: Secret,
    /// The client id that it belongs to.
    pub client_id: String,
}

/// Who a device is in AWS IoT. `Connect` must say the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IotIdentity {
    /// The AWS account.
    pub aws_account_id: String,
    /// The client id.
    pub client_id: ClientId,
    /// The host of the data endpoint.
    pub endpoint: String,
}

/// Why a body is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is not JSON that is taken.
    #[error(transparent)]
    BadJson(#[from] JsonError),
    /// A member is missing, or does not hold what it must.
    #[error(transparent)]
    BadField(#[from] FieldError),
}

impl Request {
    /// What the HTTP header `Content-Type` says.
    pub const CONTENT_TYPE: &'static str = "application/json";

    /// The request with these.
    #[must_use]
    pub const fn new(
        authentication: Authentication,
        algorithm: Algorithm,
        public_key: [u8; 32],
        iot: IotIdentity,
    ) -> Self {
        Self { authentication, algorithm, public_key, iot }
    }

    /// Where to post it. Follow redirects.
    #[must_use]
    pub fn url(version: ApiVersion) -> String {
        format!("https://api.amazonalexa.com/{version}/ais/registration")
    }

    /// The body. It holds the token; one that is not UTF-8 has no form in JSON and is left out.
    #[must_use]
    pub fn encode(&self) -> Secret {
        let authentication = Object::new([])
            .with_text(TOKEN, self.authentication.token.expose_str().ok())
            .with_text(CLIENT_ID, Some(&self.authentication.client_id));
        let public_key = base64(&self.public_key);
        let encryption = Object::new([
            (ALGORITHM, Member::Text(self.algorithm.as_str())),
            (PUBLIC_KEY, Member::Text(&public_key)),
        ]);
        let iot = Object::new([
            (AWS_ACCOUNT_ID, Member::Text(&self.iot.aws_account_id)),
            (CLIENT_ID, Member::Text(self.iot.client_id.as_str())),
            (ENDPOINT, Member::Text(&self.iot.endpoint)),
        ]);
        Object::new([
            (AUTHENTICATION, Member::Object(authentication)),
            (ENCRYPTION, Member::Object(encryption)),
            (IOT, Member::Object(iot)),
        ])
        .to_vec()
        .into()
    }

    /// Reads a body, as the service does. Members that are not known do not matter, such as the `topicRoot` of older
    /// clients.
    ///
    /// # Errors
    /// It is not JSON, or a member is missing or bad: the first one in the order of the specification.
    pub fn decode(body: &[u8]) -> Result<Self, RequestError> {
        let body = Field::new("body", Some(Value::parse(body)?)).object()?;
        let [authentication, encryption, iot] = body.members([AUTHENTICATION, ENCRYPTION, IOT]);
        let [token, lwa_client_id] =
            Field::new(AUTHENTICATION, authentication).object()?.members([TOKEN, CLIENT_ID]);
        let [algorithm, public_key] =
            Field::new(ENCRYPTION, encryption).object()?.members([ALGORITHM, PUBLIC_KEY]);
        let [aws_account_id, client_id, endpoint] =
            Field::new(IOT, iot).object()?.members([AWS_ACCOUNT_ID, CLIENT_ID, ENDPOINT]);
        Ok(Self {
            authentication: Authentication {
                token: Field::new("authentication.token", token).secret_text()?,
                client_id: Field::new("authentication.clientId", lwa_client_id).text()?,
            },
            algorithm: Field::new("encryption.algorithm", algorithm).algorithm()?,
            public_key: Field::new("encryption.publicKey", public_key).bytes()?,
            iot: IotIdentity {
                aws_account_id: Field::new("iot.awsAccountId", aws_account_id).text()?,
                client_id: Field::new("iot.clientId", client_id).client_id()?,
                endpoint: Field::new("iot.endpoint", endpoint).text()?,
            },
        })
    }
}

impl Authentication {
    /// This token of this Login with Amazon client.
    #[must_use]
    pub fn new(token: impl Into<Secret>, client_id: impl Into<String>) -> Self {
        Self { token: token.into(), client_id: client_id.into() }
    }
}

impl IotIdentity {
    /// The device with these.
    #[must_use]
    pub fn new(
        aws_account_id: impl Into<String>,
        client_id: ClientId,
        endpoint: impl Into<String>,
    ) -> Self {
        Self { aws_account_id: aws_account_id.into(), client_id, endpoint: endpoint.into() }
    }
}

impl RequestError {
    /// The code that the service answers with.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::BadField(FieldError { is_missing: true, .. }) => ErrorCode::MissingParam,
            Self::BadField(FieldError { expected: Expected::Algorithm, .. }) => {
                ErrorCode::InvalidEncryptionAlgorithm
            }
            Self::BadField(FieldError { expected: Expected::Base64 { .. }, .. }) => {
                ErrorCode::InvalidEncryptionData
            }
            _ => ErrorCode::InvalidRequest,
        }
    }
}

pub(super) const ENCRYPTION: &str = "encryption";
pub(super) const IOT: &str = "iot";
pub(super) const PUBLIC_KEY: &str = "publicKey";
const AUTHENTICATION: &str = "authentication";
const TOKEN: &str = "token";
const CLIENT_ID: &str = "clientId";
const ALGORITHM: &str = "algorithm";
const AWS_ACCOUNT_ID: &str = "awsAccountId";
const ENDPOINT: &str = "endpoint";
