//! The codes of errors: an open set of names.

use alloc::string::String;
use core::fmt;

/// A code that this version of the crate does not know, exactly as it came.
///
/// Only [`ErrorCode::from`] makes one, so it never hides a known code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownCode(String);

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// What went wrong, in the member `errorCode` (specification, section 10.2).
        ///
        /// ```
        /// use kii_onboard::ErrorCode;
        ///
        /// assert_eq!(ErrorCode::from("WRONG_PASSWORD"), ErrorCode::WrongPassword);
        /// assert_eq!(ErrorCode::from("SOMETHING_NEW").as_str(), "SOMETHING_NEW");
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// Any other code.
            Unknown(UnknownCode),
        }

        impl ErrorCode {
            /// All that are known.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown(UnknownCode(text)) => text,
                }
            }
        }

        impl<T: Into<String>> From<T> for ErrorCode {
            fn from(text: T) -> Self {
                let text = text.into();
                match text.as_str() {
                    $($text => Self::$variant,)*
                    _ => Self::Unknown(UnknownCode(text)),
                }
            }
        }
    };
}

codes! {
    /// A member of the body is missing or cannot be taken (400).
    InvalidInputData = "INVALID_INPUT_DATA",
    /// The body is not JSON (400).
    InvalidJson = "INVALID_JSON",
    /// The body does not fit the schema (400).
    InvalidJsonSchema = "INVALID_JSON_SCHEMA",
    /// A value has the wrong type (400).
    InvalidDataType = "INVALID_DATA_TYPE",
    /// Something that is required is not there (400).
    MissingData = "MISSING_DATA",
    /// The authorization failed (400).
    Oauth2Error = "OAUTH2_ERROR",
    /// The command cannot be taken (400).
    WrongCommand = "WRONG_COMMAND",
    /// The trigger cannot be taken (400).
    WrongTrigger = "WRONG_TRIGGER",
    /// The predicate of a trigger cannot be taken (400).
    WrongPredicate = "WRONG_PREDICATE",
    /// There is no token, or one that is not taken (401).
    Unauthorized = "UNAUTHORIZED",
    /// Who asks is not known, or did not prove it (401).
    AuthenticationFailed = "AUTHENTICATION_FAILED",
    /// The password is not the thing's (401).
    WrongPassword = "WRONG_PASSWORD",
    /// The thing is disabled (401).
    ThingDisabled = "THING_DISABLED",
    /// The user is disabled (401).
    UserDisabled = "USER_DISABLED",
    /// The token is not known, or another's (403).
    WrongToken = "WRONG_TOKEN",
    /// The application is disabled (403).
    AppDisabled = "APP_DISABLED",
    /// The operation is not for this application or thing (403).
    OperationNotSupported = "OPERATION_NOT_SUPPORTED",
    /// There is no such application (404).
    AppNotFound = "APP_NOT_FOUND",
    /// There is no such thing (404).
    ThingNotFound = "THING_NOT_FOUND",
    /// There is no such target (404).
    TargetNotFound = "TARGET_NOT_FOUND",
    /// No state is stored (404).
    StateNotFound = "STATE_NOT_FOUND",
    /// There is no such command (404).
    CommandNotFound = "COMMAND_NOT_FOUND",
    /// There is no such trait (404).
    TraitAliasNotFound = "TRAIT_ALIAS_NOT_FOUND",
    /// There is no such firmware version (404).
    FirmwareVersionNotFound = "FIRMWARE_VERSION_NOT_FOUND",
    /// There is no such thing type (404).
    ThingTypeNotFound = "THING_TYPE_NOT_FOUND",
    /// The thing has no type (404).
    ThingWithoutThingType = "THING_WITHOUT_THING_TYPE",
    /// The thing has no firmware version (404).
    ThingWithoutFirmwareVersion = "THING_WITHOUT_FIRMWARE_VERSION",
    /// There is no such installation (404).
    InstallationNotFound = "INSTALLATION_NOT_FOUND",
    /// There is no such endpoint (404).
    MqttEndpointNotFound = "MQTT_ENDPOINT_NOT_FOUND",
    /// The end node is not one of the gateway (404).
    ThingEndNodeDoesNotBelongToGateway = "THING_END_NODE_DOES_NOT_BELONG_TO_GATEWAY",
    /// There already is such a thing (409).
    ThingAlreadyExists = "THING_ALREADY_EXISTS",
    /// The operation is not allowed now (409).
    OperationNotAllowed = "OPERATION_NOT_ALLOWED",
    /// The thing already has this owner (409).
    ThingOwnershipAlreadyExists = "THING_OWNERSHIP_ALREADY_EXISTS",
    /// The end node already is one of the gateway (409).
    ThingEndNodeAlreadyBelongsToGateway = "THING_END_NODE_ALREADY_BELONGS_TO_GATEWAY",
    /// No history of states is kept (409).
    StateHistoryNotAvailable = "STATE_HISTORY_NOT_AVAILABLE",
    /// There were too many requests (429).
    TooManyRequests = "TOO_MANY_REQUESTS",
    /// Something else went wrong in the cloud (500).
    UndefinedError = "UNDEFINED_ERROR",
    /// The cloud does not do this yet (501).
    OperationNotImplemented = "OPERATION_NOT_IMPLEMENTED",
    /// The endpoint is still being made (503).
    MqttEndpointNotReady = "MQTT_ENDPOINT_NOT_READY",
    /// Something in the cloud is not there for now (503).
    ResourceTemporarilyUnavailable = "RESOURCE_TEMPORARILY_UNAVAILABLE",
    /// The cloud is not there for now (503).
    TemporaryUnavailableError = "TEMPORARY_UNAVAILABLE_ERROR",
    /// Something in the cloud is locked for now (503).
    LockFailed = "LOCK_FAILED",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
