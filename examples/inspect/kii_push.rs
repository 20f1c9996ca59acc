//! `kii-push`: what did Kii Cloud push, and why does the thing ignore it?

use clap::Args;
use kii_onboard::command::{Actions, BadCommand, BadPush, Push, PushError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::jsonl::{Failure, Members, compact, variant_names};

/// Tells what Kii Cloud pushes to things.
///
/// Reads {"payload":…}: a text, an object, or "payloadHex". A command is told with its actions as they came, but for
/// the space in them. An error's "reason" says more than its kind.
#[derive(Args)]
#[command(after_help = EXAMPLE, verbatim_doc_comment)]
pub(super) struct Options {}

/// What is told of a push.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Told {
    Command {
        #[serde(rename = "commandID")]
        id: String,
        #[serde(rename = "trait")]
        is_trait: bool,
        actions: Box<RawValue>,
    },
    Push,
}

pub(super) fn answer(members: &Members<'_>) -> Result<Told, Failure> {
    let payload = members.json_payload()?.ok_or_else(|| Failure::missing("payload"))?;
    match Push::decode(&payload).map_err(|error| failure(&error))? {
        Push::Command(command) => Ok(Told::Command {
            is_trait: matches!(command.actions, Actions::Trait(_)),
            id: command.id,
            actions: actions(&payload)?,
        }),
        Push::Other(_) => Ok(Told::Push),
    }
}

/// The actions of a command as they came: read into values they would be told with other numbers.
fn actions(payload: &[u8]) -> Result<Box<RawValue>, Failure> {
    let command = Members::parse(payload)?;
    let actions = command.raw(ACTIONS).ok_or_else(|| Failure::missing(ACTIONS))?;
    Ok(RawValue::from_string(compact(actions.get())).expect("less space leaves JSON what it is"))
}

fn failure(error: &PushError) -> Failure {
    let failure = Failure::new(push_error_name(error), error.to_string());
    match error {
        PushError::BadPush(reason) => {
            let failure = failure.with("reason", bad_push_name(reason));
            match reason {
                BadPush::TooLarge { len, limit } => failure.with("len", *len).with("limit", *limit),
                BadPush::NotJson(error) => {
                    failure.with("jsonLine", error.line).with("jsonColumn", error.column)
                }
                _ => failure,
            }
        }
        PushError::BadCommand(reason) => {
            let failure = failure.with("reason", bad_command_name(reason));
            match reason {
                BadCommand::InvalidId(_) | BadCommand::IdWithoutText => {
                    failure.in_field("commandID")
                }
                BadCommand::BadAction { index } => failure.in_field(ACTIONS).with("index", *index),
                _ => failure,
            }
        }
        _ => failure,
    }
}

variant_names! {
    push_error_name: PushError {
        BadPush,
        BadCommand,
    }
}

variant_names! {
    bad_push_name: BadPush {
        TooLarge,
        NotJson,
        NotAnObject,
    }
}

variant_names! {
    bad_command_name: BadCommand {
        InvalidId,
        IdWithoutText,
        BadAction,
    }
}

const ACTIONS: &str = "actions";

const EXAMPLE: &str = r#"Example:
  echo '{"payload":{"commandID":"c-1","actions":[{"alias1":[{"turnPower":true},{"setTemp":23}]}],"issuer":"user:u-1"}}' |
    inspect kii-push"#;
