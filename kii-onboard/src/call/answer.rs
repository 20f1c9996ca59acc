//! What the cloud answers to a call.

use alloc::{boxed::Box, string::String};

use super::{CallKind, EndNodes};
use crate::{
    ApiError, Json,
    command::{
        BadBody, CommandObject,
        bad_body::{members, required},
    },
    frame::{OwnedResponse, Response},
    json::Value,
    onboarding::{EndNodeOnboarded, Onboarded, OnboardedError},
};

/// What the cloud answers to a call that succeeded, with any status from 200 to 299.
///
/// ```
/// use kii_onboard::{call::{Answer, CallKind}, frame::Response};
///
/// let response = Response::decode(b"201\r\nX-Kii-RequestID:3\r\n\r\n{\"commandID\":\"c-1\"}")?;
/// let answer = Answer::decode(CallKind::SendCommand, &response)?;
/// assert_eq!(answer, Answer::CommandSent { command_id: "c-1".into() });
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// It is done; there is nothing to say.
    Done,
    /// The state is stored.
    StateStored {
        /// Whether there was none before, in status 201.
        is_first: bool,
    },
    /// The state: an object.
    State(Json),
    /// The commands, as the body has them: the form is not documented.
    Commands(Json),
    /// The command.
    Command(Box<CommandObject>),
    /// The command was sent.
    CommandSent {
        /// The id that the cloud gave it.
        command_id: String,
    },
    /// The version of the firmware.
    FirmwareVersion(String),
    /// The type of the thing.
    ThingType(String),
    /// The end nodes.
    EndNodes(EndNodes),
    /// The thing is onboarded.
    Onboarded(Box<Onboarded>),
    /// The end node is onboarded.
    EndNodeOnboarded(EndNodeOnboarded),
    /// Whatever came.
    Custom(OwnedResponse),
}

/// Why a call has no answer of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The call did not succeed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The call succeeded, and the body is not what it should be.
    #[error("the call succeeded, and its answer cannot be read: {0}")]
    BadBody(#[from] BadBody),
    /// The onboarding succeeded, and the body is not what it should be.
    #[error("the onboarding succeeded, and its answer cannot be read: {0}")]
    BadOnboarded(#[from] OnboardedError),
}

impl Answer {
    /// Reads the response to a call of this kind.
    ///
    /// # Errors
    /// The status is none of success; the body is not what that of such a call should be.
    pub fn decode(kind: CallKind, response: &Response<'_>) -> Result<Self, AnswerError> {
        if !response.status.is_success() {
            return Err(ApiError::decode(response).into());
        }
        let body = response.body;
        Ok(match kind {
            CallKind::PutState | CallKind::PutTraitState | CallKind::PutAliasState => {
                Self::StateStored { is_first: response.status.get() == 201 }
            }
            CallKind::PatchState
            | CallKind::BulkStates
            | CallKind::BulkPatchStates
            | CallKind::ReportResults
            | CallKind::SetFirmwareVersion
            | CallKind::SetThingType
            | CallKind::SetEndNodeConnection => Self::Done,
            CallKind::GetState | CallKind::GetAliasState => Self::State(state(body)?),
            CallKind::ListCommands => {
                Self::Commands(Value::parse(body).map_err(BadBody::from)?.json())
            }
            CallKind::GetCommand => Self::Command(Box::new(CommandObject::decode(body)?)),
            CallKind::SendCommand => Self::CommandSent { command_id: text(body, "commandID")? },
            CallKind::GetFirmwareVersion => Self::FirmwareVersion(text(body, "firmwareVersion")?),
            CallKind::GetThingType => Self::ThingType(text(body, "thingType")?),
            CallKind::ListEndNodes => Self::EndNodes(EndNodes::decode(body)?),
            CallKind::Onboard => Self::Onboarded(Box::new(Onboarded::decode(body)?)),
            CallKind::OnboardEndNode => Self::EndNodeOnboarded(EndNodeOnboarded::decode(body)?),
            CallKind::Custom => Self::Custom(response.to_owned()),
        })
    }
}

fn state(body: &[u8]) -> Result<Json, BadBody> {
    let state = Value::parse(body)?;
    if state.is_object() { Ok(state.json()) } else { Err(BadBody::BadField { field: "body" }) }
}

/// The text that is the one member of a body that counts.
fn text(body: &[u8], field: &'static str) -> Result<String, BadBody> {
    let [value] = members(Value::parse(body)?, [field])?;
    required(field, value, Value::owned_text)
}
