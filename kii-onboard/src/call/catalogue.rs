//! One constructor for every call.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use super::{
    CONTENT_TYPE, Call, CallError, CallKind,
    media_type::{
        BULK, BULK_PATCH, JSON, SET_FIRMWARE, SET_TYPE, TRAIT_PATCH, TRAIT_STATE, TRAIT_STATES,
    },
};
use crate::{
    IdKind, InvalidId, Json,
    command::{ActionResults, NewCommand},
    frame::{Method, Request},
    id::check_name,
    onboarding::Onboarding,
    topic::Resource,
};

/// # State
impl Call {
    /// Registers the state of a thing without traits: an object. Answer: [`StateStored`](super::Answer::StateStored).
    ///
    /// # Errors
    /// The state is no object or has more than [`MAX_STATE`] bytes; the id cannot stand in a topic.
    pub fn put_state(thing_id: &str, state: &Json) -> Result<Self, CallError> {
        let resource = Resource::States { thing_id };
        Self::with_state(CallKind::PutState, Method::Put, resource, JSON, state)
    }

    /// Registers the state of a thing with traits: an object with an object for every alias. Answer:
    /// [`StateStored`](super::Answer::StateStored).
    ///
    /// # Errors
    /// As of [`put_state`](Self::put_state).
    pub fn put_trait_state(thing_id: &str, state: &Json) -> Result<Self, CallError> {
        let resource = Resource::States { thing_id };
        Self::with_state(CallKind::PutTraitState, Method::Put, resource, TRAIT_STATES, state)
    }

    /// Registers the state of one trait: an object. Answer: [`StateStored`](super::Answer::StateStored).
    ///
    /// # Errors
    /// As of [`put_state`](Self::put_state), also for the alias.
    pub fn put_alias_state(thing_id: &str, alias: &str, state: &Json) -> Result<Self, CallError> {
        let resource = Resource::AliasState { thing_id, alias };
        Self::with_state(CallKind::PutAliasState, Method::Put, resource, TRAIT_STATE, state)
    }

    /// Changes a part of the state of a thing with traits: an object. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// As of [`put_state`](Self::put_state).
    pub fn patch_state(thing_id: &str, part: &Json) -> Result<Self, CallError> {
        let resource = Resource::States { thing_id };
        Self::with_state(CallKind::PatchState, Method::Patch, resource, TRAIT_PATCH, part)
    }

    /// Registers many states at once, in a form of the application's. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn bulk_states(thing_id: &str, states: &Json) -> Result<Self, CallError> {
        let call =
            Self::new(CallKind::BulkStates, Method::Post, Resource::BulkStates { thing_id })?;
        Ok(call.with_body(BULK, states.as_str().into()))
    }

    /// Changes parts of many states at once, in a form of the application's. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn bulk_patch_states(thing_id: &str, parts: &Json) -> Result<Self, CallError> {
        let call =
            Self::new(CallKind::BulkPatchStates, Method::Post, Resource::BulkStates { thing_id })?;
        Ok(call.with_body(BULK_PATCH, parts.as_str().into()))
    }

    /// Asks for the state. Answer: [`State`](super::Answer::State).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn get_state(thing_id: &str) -> Result<Self, CallError> {
        Self::new(CallKind::GetState, Method::Get, Resource::States { thing_id })
    }

    /// Asks for the state of one trait. Answer: [`State`](super::Answer::State).
    ///
    /// # Errors
    /// The id or the alias cannot stand in a topic.
    pub fn get_alias_state(thing_id: &str, alias: &str) -> Result<Self, CallError> {
        Self::new(CallKind::GetAliasState, Method::Get, Resource::AliasState { thing_id, alias })
    }

    fn with_state(
        kind: CallKind,
        method: Method,
        resource: Resource<'_>,
        content_type: &'static str,
        state: &Json,
    ) -> Result<Self, CallError> {
        let call = Self::new(kind, method, resource)?;
        let len = state.as_str().len();
        if !state.is_object() {
            return Err(CallError::NotAnObject);
        }
        if len > MAX_STATE {
            return Err(CallError::StateTooLarge { len, limit: MAX_STATE });
        }
        Ok(call.with_body(content_type, state.as_str().into()))
    }
}

/// # Commands
impl Call {
    /// Asks for all commands. Answer: [`Commands`](super::Answer::Commands).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn list_commands(thing_id: &str) -> Result<Self, CallError> {
        Self::new(CallKind::ListCommands, Method::Get, Resource::Commands { thing_id })
    }

    /// Asks for one command. Answer: [`Command`](super::Answer::Command).
    ///
    /// # Errors
    /// An id cannot stand in a topic.
    pub fn get_command(thing_id: &str, command_id: &str) -> Result<Self, CallError> {
        Self::new(CallKind::GetCommand, Method::Get, Resource::Command { thing_id, command_id })
    }

    /// Sends a command, with the token of an owner: see [`with_bearer`](Self::with_bearer). Answer:
    /// [`CommandSent`](super::Answer::CommandSent).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn send_command(thing_id: &str, command: &NewCommand) -> Result<Self, CallError> {
        let call = Self::new(CallKind::SendCommand, Method::Post, Resource::Commands { thing_id })?;
        Ok(call.with_body(command.content_type(), command.encode()))
    }

    /// Tells what became of a command. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// An id cannot stand in a topic.
    pub fn report_results(
        thing_id: &str,
        command_id: &str,
        results: &ActionResults,
    ) -> Result<Self, CallError> {
        let resource = Resource::ActionResults { thing_id, command_id };
        let call = Self::new(CallKind::ReportResults, Method::Put, resource)?;
        Ok(call.with_body(results.content_type(), results.encode()))
    }
}

/// # Things
impl Call {
    /// Asks for the version of the firmware. Answer: [`FirmwareVersion`](super::Answer::FirmwareVersion).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn get_firmware_version(thing_id: &str) -> Result<Self, CallError> {
        let resource = Resource::FirmwareVersion { thing_id };
        Self::new(CallKind::GetFirmwareVersion, Method::Get, resource)
    }

    /// Tells the version of the firmware: 1 to 100 of `A-Z a-z 0-9 . _ -`. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// The version is another text; the id cannot stand in a topic.
    pub fn set_firmware_version(thing_id: &str, version: &str) -> Result<Self, CallError> {
        check_kind(IdKind::FirmwareVersion, version)?;
        let resource = Resource::FirmwareVersion { thing_id };
        let call = Self::new(CallKind::SetFirmwareVersion, Method::Put, resource)?;
        Ok(call.with_body(SET_FIRMWARE, written(&FirmwareVersion { firmware_version: version })))
    }

    /// Asks for the type of the thing. Answer: [`ThingType`](super::Answer::ThingType).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn get_thing_type(thing_id: &str) -> Result<Self, CallError> {
        Self::new(CallKind::GetThingType, Method::Get, Resource::ThingType { thing_id })
    }

    /// Tells the type of the thing: 1 to 100 of `A-Z a-z 0-9 . _ -`. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// The type is another text; the id cannot stand in a topic.
    pub fn set_thing_type(thing_id: &str, thing_type: &str) -> Result<Self, CallError> {
        check_kind(IdKind::ThingType, thing_type)?;
        let call =
            Self::new(CallKind::SetThingType, Method::Put, Resource::ThingType { thing_id })?;
        Ok(call.with_body(SET_TYPE, written(&ThingType { thing_type })))
    }

    /// Tells whether an end node is online, as its gateway. Answer: [`Done`](super::Answer::Done).
    ///
    /// # Errors
    /// An id cannot stand in a topic.
    pub fn set_end_node_connection(
        gateway_id: &str,
        thing_id: &str,
        online: bool,
    ) -> Result<Self, CallError> {
        let resource = Resource::EndNodeConnection { gateway_id, thing_id };
        let call = Self::new(CallKind::SetEndNodeConnection, Method::Put, resource)?;
        Ok(call.with_body(JSON, written(&Connection { online })))
    }

    /// Asks for the end nodes of a gateway. Answer: [`EndNodes`](super::Answer::EndNodes).
    ///
    /// # Errors
    /// The id cannot stand in a topic.
    pub fn list_end_nodes(gateway_id: &str) -> Result<Self, CallError> {
        Self::new(CallKind::ListEndNodes, Method::Get, Resource::EndNodes { gateway_id })
    }
}

/// # Others
impl Call {
    /// Onboards a thing or an end node over the second broker, with the owner's token where there is an owner. Answer:
    /// [`Onboarded`](super::Answer::Onboarded) or [`EndNodeOnboarded`](super::Answer::EndNodeOnboarded).
    #[must_use]
    pub fn onboard(onboarding: &Onboarding) -> Self {
        let kind = match onboarding {
            Onboarding::Thing(_) => CallKind::Onboard,
            Onboarding::EndNode(_) => CallKind::OnboardEndNode,
        };
        let call = Self::checked(kind, Method::Post, Resource::Onboardings);
        let call = call.with_body(onboarding.content_type(), onboarding.body());
        Self { bearer: onboarding.owner_token().cloned(), ..call }
    }

    /// Any other request: a method, the path that follows the app id, and a body with its media type, which is not sent
    /// where the body is empty. Answer: [`Custom`](super::Answer::Custom).
    ///
    /// # Errors
    /// The path cannot stand in a topic, or the media type in a header.
    pub fn custom(
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> Result<Self, CallError> {
        let call = Self::new(CallKind::Custom, method, Resource::Other(path))?;
        let body = body.into();
        match content_type {
            None => Ok(Self { body, ..call }),
            Some(content_type) => {
                Request::encode(method, [(CONTENT_TYPE, content_type)], b"")?;
                Ok(call.with_body(String::from(content_type), body))
            }
        }
    }
}

#[derive(Serialize)]
struct FirmwareVersion<'a> {
    #[serde(rename = "firmwareVersion")]
    firmware_version: &'a str,
}

#[derive(Serialize)]
struct ThingType<'a> {
    #[serde(rename = "thingType")]
    thing_type: &'a str,
}

#[derive(Serialize)]
struct Connection {
    online: bool,
}

fn check_kind(kind: IdKind, text: &str) -> Result<(), InvalidId> {
    check_name(text).map_err(|rule| InvalidId { kind, rule })
}

/// Texts, numbers and booleans can always be written.
fn written(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

/// The most bytes of a state (specification, section 6.5).
pub const MAX_STATE: usize = 10_240;
