//! An answer that is not a success.

use alloc::{borrow::ToOwned as _, string::String, vec::Vec};
use core::{fmt, time::Duration};

use crate::{
    Advice, ErrorCode, StatusClass,
    advice::Excerpt,
    frame::{Response, Status},
    json::Value,
};

/// What a response says that is not a success (specification, section 10). `Debug` and `Display` leave out what the
/// cloud wrote about values.
///
/// ```
/// use kii_onboard::{Advice, ApiError, ErrorCode, frame::Response};
///
/// let response = Response::decode(b"401\r\n\r\n{\"errorCode\":\"WRONG_PASSWORD\",\"message\":\"no\"}")?;
/// let error = ApiError::decode(&response);
/// assert_eq!(error.code, Some(ErrorCode::WrongPassword));
/// assert_eq!(error.advice(), Advice::CheckThingPassword);
/// assert_eq!(
///     error.to_string(),
///     "401 WRONG_PASSWORD: check the thing's password: it is the one of its first onboarding"
/// );
/// # Ok::<(), kii_onboard::frame::DecodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ApiError {
    /// The status.
    pub status: Status,
    /// The code, in `errorCode`.
    pub code: Option<ErrorCode>,
    /// What the cloud says to developers, in `message`.
    pub message: Option<String>,
    /// The least time to wait before the next attempt, in `retryAfter`.
    pub retry_after: Option<Duration>,
    /// The members of the request that are not taken and why, in `invalidFields`.
    pub invalid_fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl ApiError {
    /// Reads what can be read of a response; what is missing or odd is left out.
    #[must_use]
    pub fn decode(response: &Response<'_>) -> Self {
        let names = ["errorCode", "message", "retryAfter", "invalidFields"];
        let [code, message, retry_after, fields] = match Value::parse(response.body) {
            Ok(body) => body.members(names),
            Err(_) => [None; 4],
        };
        let text = |member: Option<Value<'_>>| Some(member?.text()?.into_owned());
        let seconds = retry_after.and_then(Value::integer).and_then(|all| u32::try_from(all).ok());
        let mut invalid_fields = Vec::new();
        if let Some(fields) = fields {
            fields.each_member(|name, why| {
                let why = why.text().map_or_else(|| why.json().as_str().to_owned(), Into::into);
                invalid_fields.push((String::from_utf8_lossy(name).into_owned(), why));
            });
        }
        Self {
            status: response.status,
            code: text(code).filter(|code| !code.is_empty()).map(ErrorCode::from),
            message: text(message),
            retry_after: seconds.map(|seconds| Duration::from_secs(seconds.into())),
            invalid_fields,
            body: response.body.to_owned(),
        }
    }

    /// The body as it came.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What the status says.
    #[must_use]
    pub const fn class(&self) -> StatusClass {
        StatusClass::of(self.status)
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.class() == StatusClass::Temporary
    }

    /// What to do next.
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self.class() {
            StatusClass::Temporary => Advice::RetryLater { at_least: self.retry_after },
            StatusClass::Permanent => match &self.code {
                Some(code) => self.advice_on(code),
                None => self.advice_without_code(),
            },
            StatusClass::Success => Advice::Nothing,
            StatusClass::Odd => Advice::Report,
        }
    }

    fn advice_on(&self, code: &ErrorCode) -> Advice {
        use ErrorCode as E;
        match code {
            E::InvalidInputData
            | E::InvalidJson
            | E::InvalidJsonSchema
            | E::InvalidDataType
            | E::MissingData
            | E::WrongCommand
            | E::WrongTrigger
            | E::WrongPredicate => self.correct(),
            E::WrongPassword => Advice::CheckThingPassword,
            E::Oauth2Error | E::Unauthorized | E::AuthenticationFailed | E::WrongToken => {
                Advice::RenewToken
            }
            E::ThingDisabled | E::UserDisabled | E::AppDisabled => Advice::ContactAdmin,
            E::AppNotFound => Advice::CheckApp,
            E::ThingNotFound
            | E::TargetNotFound
            | E::CommandNotFound
            | E::TraitAliasNotFound
            | E::FirmwareVersionNotFound
            | E::ThingTypeNotFound
            | E::InstallationNotFound
            | E::MqttEndpointNotFound
            | E::ThingEndNodeDoesNotBelongToGateway => Advice::CheckIds,
            E::StateNotFound | E::ThingWithoutThingType | E::ThingWithoutFirmwareVersion => {
                Advice::StoreFirst
            }
            E::ThingAlreadyExists => Advice::ChooseAnotherId,
            E::ThingOwnershipAlreadyExists | E::ThingEndNodeAlreadyBelongsToGateway => {
                Advice::CheckOwner
            }
            E::OperationNotSupported
            | E::OperationNotAllowed
            | E::StateHistoryNotAvailable
            | E::OperationNotImplemented => Advice::DoWithout,
            E::TooManyRequests
            | E::MqttEndpointNotReady
            | E::ResourceTemporarilyUnavailable
            | E::TemporaryUnavailableError
            | E::LockFailed
            | E::UndefinedError
            | E::Unknown(_) => self.advice_without_code(),
        }
    }

    fn advice_without_code(&self) -> Advice {
        match self.status.get() {
            400 | 413 | 415 | 422 => self.correct(),
            401 | 403 => Advice::RenewToken,
            404 => Advice::CheckIds,
            405 => Advice::DoWithout,
            _ => Advice::Report,
        }
    }

    fn correct(&self) -> Advice {
        let fields = self.invalid_fields.iter().map(|(name, _)| name.clone()).collect();
        Advice::CorrectRequest { fields }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code @ ErrorCode::Unknown(_)) => {
                let code = Excerpt(code.as_str());
                write!(f, "{} {code}: {}", self.status, self.advice())
            }
            Some(code) => write!(f, "{} {code}: {}", self.status, self.advice()),
            None => write!(f, "{}: {}", self.status, self.advice()),
        }
    }
}

impl core::error::Error for ApiError {}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("code", &self.code.as_ref().map(ErrorCode::as_str).map(Excerpt))
            .field("retry_after", &self.retry_after)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}
