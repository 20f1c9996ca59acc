//! How far a command has come.

use alloc::string::String;
use core::fmt;

/// How far a command has come, in `commandState` (specification, section 12.1).
///
/// ```
/// use kii_onboard::command::CommandState;
///
/// assert_eq!(CommandState::from("DONE"), CommandState::Done);
/// assert_eq!(CommandState::from("SOMETHING_NEW").as_str(), "SOMETHING_NEW");
/// ```
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

/// The name of a state that is none of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownCommandState(String);

impl CommandState {
    /// All that are known.
    pub const ALL: &[Self] =
        &[Self::Sending, Self::Delivered, Self::SendFailed, Self::Incomplete, Self::Done];

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

impl<T: Into<String>> From<T> for CommandState {
    fn from(name: T) -> Self {
        let name = name.into();
        match Self::ALL.iter().find(|known| known.as_str() == name) {
            Some(known) => known.clone(),
            None => Self::Unknown(UnknownCommandState(name)),
        }
    }
}

impl fmt::Display for CommandState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
