//! Commands: pushed to a thing, answered with results, created by owners (specification, sections 12.1, 12.2 and 13).
//!
//! A push is a bare JSON object on the topic of pushes. What a value in it means is the application's to know: names
//! are read, values stay text, all in the order they came.

mod action;
pub(crate) mod bad_body;
mod new_command;
mod object;
mod push;
mod result;
mod state;

pub use action::{Action, Actions, TraitActions};
pub use bad_body::BadBody;
pub use new_command::{NewCommand, NewCommandError};
pub use object::CommandObject;
pub use push::{BadCommand, BadPush, Command, InvalidCommand, MAX_PUSH, Push, PushError};
pub use result::{ActionResult, ActionResults, NamedResult, TraitResults, WrongCount};
pub use state::{CommandState, UnknownCommandState};
