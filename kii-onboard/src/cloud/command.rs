//! Commands, as the cloud keeps and sends them (specification, section 15.4).

use alloc::{
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use serde_json::value::RawValue;

use super::{
    Cloud, Event,
    answer::{Answer, Failure, Outcome},
    ids::Ids,
};
use crate::{
    ErrorCode,
    call::media_type::NEW_TRAIT_COMMAND,
    command::{ActionResults, BadBody, CommandObject, CommandState, NewCommand, NewCommandError},
    frame::{Request, Status},
};

impl Cloud {
    /// Keeps a command, and pushes it if the thing listens.
    pub(super) fn dispatch(&mut self, thing_id: &str, prepared: Prepared) -> String {
        let Prepared { mut object, payload, ids } = prepared;
        self.ids = ids;
        object.target = Some(format!("thing:{thing_id}"));
        let (thing_id, command_id) = (String::from(thing_id), object.command.id.clone());
        let link = self.deliver_push(&thing_id, payload);
        object.state = match link {
            Some(_) => CommandState::Delivered,
            None => CommandState::SendFailed,
        };
        if let Some(thing) = self.things.get_mut(&thing_id) {
            thing.add_command(object, self.config.max_commands);
        }
        let event = match (command_id.clone(), link) {
            (command_id, Some(link)) => Event::CommandDelivered { thing_id, command_id, link },
            (command_id, None) => Event::CommandSendFailed { thing_id, command_id },
        };
        self.tell(event);
        command_id
    }

    pub(super) fn create_command(&mut self, thing_id: &str, request: &Request<'_>) -> Outcome {
        let media_type = request.headers.media_type().unwrap_or_default();
        let is_trait = media_type.eq_ignore_ascii_case(NEW_TRAIT_COMMAND);
        let command = NewCommand::decode(is_trait, request.body).map_err(failure)?;
        let prepared = Prepared::new(&command, self.ids).map_err(|size| {
            let rule = format!("the push has {size} bytes, at most {MAX_PUSHED} are pushed");
            Failure::fields([("actions", rule)])
        })?;
        let command_id = self.dispatch(thing_id, prepared);
        Ok(Answer::json(Status::CREATED, &BTreeMap::from([("commandID", command_id)])))
    }

    pub(super) fn get_command(&self, thing_id: &str, command_id: &str) -> Outcome {
        let thing = self.things.get(thing_id).ok_or_else(Failure::no_thing)?;
        let object = thing.command(command_id).ok_or_else(no_command)?;
        Ok(Answer::new(Status::OK, object.encode()))
    }

    pub(super) fn list_commands(&self, thing_id: &str) -> Outcome {
        let thing = self.things.get(thing_id).ok_or_else(Failure::no_thing)?;
        let objects = thing.commands().map(CommandObject::encode);
        let objects = objects.filter_map(|body| serde_json::from_slice(&body).ok());
        let commands: Vec<Box<RawValue>> = objects.collect();
        Ok(Answer::json(Status::OK, &BTreeMap::from([("commands", commands)])))
    }

    pub(super) fn report_results(
        &mut self,
        thing_id: &str,
        command_id: &str,
        request: &Request<'_>,
    ) -> Outcome {
        let thing = self.things.get_mut(thing_id).ok_or_else(Failure::no_thing)?;
        let object = thing.command_mut(command_id).ok_or_else(no_command)?;
        let actions = &object.command.actions;
        let results = ActionResults::decode(actions, request.body).map_err(bad_body)?;
        object.state = match results.len() == actions.len() {
            true => CommandState::Done,
            false => CommandState::Incomplete,
        };
        object.action_results = Some(results);
        let state = object.state.clone();
        let (thing_id, command_id) = (thing_id.into(), command_id.into());
        self.tell(Event::ResultsReported { thing_id, command_id, state });
        Ok(Answer::empty(Status::NO_CONTENT))
    }
}

/// A command that can be pushed.
pub(super) struct Prepared {
    object: CommandObject,
    payload: Vec<u8>,
    /// The source of ids behind its own.
    ids: Ids,
}

impl Prepared {
    /// An error is the size of its push, which is too large.
    pub(super) fn new(command: &NewCommand, mut ids: Ids) -> Result<Self, usize> {
        // An id of hexadecimal digits can stand in a topic.
        let pushed = command.to_command(ids.command_id()).map_err(|_| 0_usize)?;
        let payload = pushed.encode();
        if payload.len() > MAX_PUSHED {
            return Err(payload.len());
        }
        let mut object = CommandObject::new(pushed, CommandState::Sending);
        object.title = command.title().map(String::from);
        object.description = command.description().map(String::from);
        object.metadata = command.metadata().cloned();
        Ok(Self { object, payload, ids })
    }
}

fn failure(error: NewCommandError) -> Failure {
    match error {
        NewCommandError::NoActions => {
            let message = "The command has no actions";
            Failure::new(Status::BAD_REQUEST, ErrorCode::WrongCommand, message)
        }
        NewCommandError::BadBody(error) => bad_body(error),
        NewCommandError::TitleTooLong { .. } => Failure::fields([("title", error.to_string())]),
    }
}

fn bad_body(error: BadBody) -> Failure {
    let field = match error {
        BadBody::BadField { field } => field,
        _ => "body",
    };
    Failure::fields([(field, error.to_string())])
}

fn no_command() -> Failure {
    Failure::new(Status::NOT_FOUND, ErrorCode::CommandNotFound, "There is no such command")
}

/// The most bytes that are pushed (specification, section 6.5).
pub(super) const MAX_PUSHED: usize = 4_096;
