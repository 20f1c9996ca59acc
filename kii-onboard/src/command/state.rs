//! How far a command has come.

use alloc::string::String;
use core::fmt;

/// How far a command has come, in `commandState` (specification, section 12.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CommandState {
    /// `SENDING`: not yet pushed.
    Sending,
    /// `DELIVERED`: pushed to the thing.
    Delivered,
    /// `SEND_FAILED`: the thing did not listen.
    SendFailed,
    /// `INCOMPLETE`: not all actions have a result.
    Incomplete,
    /// `DONE`: all actions have a result.
    Done,
    /// Another one.
    Unknown(UnknownCommandState),
}

/// A state that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownCommandState(String);

impl CommandState {
    /// The state with this name.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match KNOWN.iter().find(|(known, _)| *known == name) {
            Some((_, state)) => state.clone(),
            None => Self::Unknown(UnknownCommandState(name.into())),
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sending => "SENDING",
            Self::Delivered => "DELIVERED",
            Self::SendFailed => "SEND_FAILED",
            Self::Incomplete => "INCOMPLETE",
            Self::Done => "DONE",
            Self::Unknown(UnknownCommandState(name)) => name,
        }
    }
}

impl fmt::Display for CommandState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const KNOWN: [(&str, CommandState); 5] = [
    ("SENDING", CommandState::Sending),
    ("DELIVERED", CommandState::Delivered),
    ("SEND_FAILED", CommandState::SendFailed),
    ("INCOMPLETE", CommandState::Incomplete),
    ("DONE", CommandState::Done),
];
